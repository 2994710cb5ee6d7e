"""Django's test runner, for projects that import ops-db."""

from __future__ import annotations

from typing import Any

from django.test.runner import DiscoverRunner

from .databases import aliases_of_opsdb, copy_template


class OpsdbTestRunner(DiscoverRunner):
    """``TEST_RUNNER = "opsdb.testing.runner.OpsdbTestRunner"``: a second run starts in seconds, tables can be emptied.

    With ``--keepdb`` the database of the last run is taken as it is.
    """

    def setup_databases(self, **kwargs: Any) -> Any:
        """Copy the template where there is no database that is to be kept, and let Django clone it as it needs."""
        keepdb = self.keepdb
        if not keepdb:
            for alias in aliases_of_opsdb():
                copy_template(alias)
        self.keepdb = True
        try:
            return super().setup_databases(**kwargs)
        finally:
            self.keepdb = keepdb

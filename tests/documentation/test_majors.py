"""docs/runbook.md, where it changes to a newer PostgreSQL: the dump of an older server is restored into a newer one."""

from contextlib import ExitStack

import pytest
from django.core.management import call_command

from opsdb.loaders.reference import load_reference
from opsdb.testing.nights import make_night
from tests import clusters
from tests.documentation.administrator import (
    CLIENTS,
    Administrator,
    assert_rules_and_history_work,
    block_of,
)

MAJORS = {
    major: folder for major, folder in clusters.majors().items() if all((folder / name).exists() for name in CLIENTS)
}
ONE_MAJOR = f"PostgreSQL is here in {len(MAJORS)} major version: install another one, such as Debian's postgresql"


@pytest.mark.skipif(len(MAJORS) < 2, reason=ONE_MAJOR)
@pytest.mark.django_db(transaction=True)
def test_a_dump_of_an_older_major_is_complete_in_a_newer_one():
    older, newer = min(MAJORS), max(MAJORS)
    with clusters.folder() as folder, ExitStack() as stack:
        old, new = (clusters.Cluster(folder / f"v{major}", binaries=MAJORS[major]) for major in (older, newer))
        for server in (old, new):
            server.start()
            stack.callback(server.stop)
            server.execute("CREATE DATABASE ops")
        with clusters.as_default(old.settings("ops")):
            call_command("migrate", verbosity=0)
            load_reference()
            make_night(executions=2)
        administrator = Administrator(folder, new, old=old.url("ops"), clients=MAJORS[newer])

        counts = administrator.restore()
        assert counts["physical_copy"] and counts["change_log"] and counts["site"]
        assert "Nothing to migrate." in administrator.type(block_of("OWNER_DATABASE_URL= DATABASE_URL"))
        [[version]] = new.execute("SHOW server_version_num", database="ops")
        assert int(version) // 10_000 == newer
        assert_rules_and_history_work(new)

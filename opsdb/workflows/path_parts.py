"""Raw files that have a text anywhere in their path, at a cost that does not grow with their table.

No index serves such a search of raw files: see :func:`opsdb.database.indexes.by_part_of_path`. So it is made among the
files of a date that the text has, and among the :data:`RECENT_FILES` newest.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Q

from opsdb.database.indexes import contains
from opsdb.models import RawDataFile

from .search_text import SearchText

RECENT_FILES = 20_000
"""How many of the newest raw files are looked through for a part of a path."""
_NIGHT_EXECUTIONS = 2_000
_SHORTEST_PART = 3


@dataclass(frozen=True)
class PathPart:
    """A text that is looked for in the paths of raw files.

    Attributes:
        search: the text, perhaps with a date.
    """

    search: SearchText

    def among_files_of_date(self) -> Q | None:
        """Return the condition of the files of the date in the text with the rest of it in their paths. One query.

        None where the text has no date, where the rest is too short, or where nothing was observed then.
        """
        search = self.search
        if not search.moment or len(search.part) < _SHORTEST_PART or search.is_only_key:
            return None
        executions = list(search.moment.executions().values_list("pk", flat=True)[:_NIGHT_EXECUTIONS])
        return Q(contains("relative_path", search.part), executed_obs_unit__in=executions) if executions else None

    def among_newest_files(self) -> Q | None:
        """Return the condition of the newest files with the text in their paths. Two queries at most.

        None where the text is too short or surely a key, or where there is no file.
        """
        if self.search.is_only_key or len(self.search.path) < _SHORTEST_PART:
            return None
        newest = RawDataFile.objects.order_by("-pk").values_list("pk", flat=True)
        oldest = newest[RECENT_FILES - 1 : RECENT_FILES].first() or newest.last()
        return Q(contains("relative_path", self.search.path), pk__gte=oldest) if oldest else None

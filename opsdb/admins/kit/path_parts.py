"""Search of lists for parts of paths, and of copies for the paths of what they are copies of. Each is bounded.

Only lists are searched so. What finds no more than the newest files is for people, who see that it does.
"""

from collections.abc import Sequence

from django.db.models import Q
from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as lazy

from opsdb.database.indexes import contains
from opsdb.filters.searching import ChecksumFinder, FileNameFinder, Finder, RawPathFinder, keys_found
from opsdb.models import PhysicalCopy, RawDataFile
from opsdb.workflows.path_parts import RECENT_FILES, PathPart
from opsdb.workflows.search_text import SearchText

MOST_CONTENTS = 1_000
"""Files, packages or products whose copies are looked up."""


class PathPartFinder:
    """Finds a row by any part of its path, with the index ``by_part_of_path``."""

    described = lazy("any part of a path")

    def condition(self, word: str) -> Q | None:
        """Return what must hold of a row, or None where the index can't find it."""
        search = SearchText(word.strip())
        is_served = search.is_searchable and search.has_trigram and not search.is_only_key
        return Q(contains("relative_path", search.path)) if is_served else None


class NewestFilesFinder:
    """Finds one of the newest raw files by any part of its path."""

    described = format_lazy(lazy("any part of a path among the newest {number} files"), number=f"{RECENT_FILES:,}")

    def condition(self, word: str) -> Q | None:
        """Return what must hold of a row, or None where there is nothing to look for."""
        search = SearchText(word.strip())
        return PathPart(search).among_newest_files() if search.is_searchable else None


class FilesOfDateFinder:
    """Finds a raw file of a date by any part of its path."""

    described = lazy("any part of a path behind its date, as in “2026-11-23 4_0000”")

    def condition(self, word: str) -> Q | None:
        """Return what must hold of a row, or None where there is nothing to look for."""
        search = SearchText(word.strip())
        return PathPart(search).among_files_of_date() if search.is_searchable else None


OLDER_FILES = format_lazy(
    lazy(
        "Nothing was found. A part of the path of a file that is not among the newest {number} is found with its date "
        "before it, as in “2026-11-23 4_0000”; the beginning of a path and a whole file name are found without."
    ),
    number=f"{RECENT_FILES:,}",
)
FILE_PARTS = (FilesOfDateFinder(), NewestFilesFinder())
PATH_PARTS = (PathPartFinder(),)


class CopiesFinder:
    """Finds copies by what finds that which they are copies of."""

    def __init__(self, target: str) -> None:
        self.target = target
        self.model = PhysicalCopy._meta.get_field(target).related_model
        of_files = (RawPathFinder(), FileNameFinder(), *FILE_PARTS)
        self.finders: Sequence[Finder] = (
            ChecksumFinder(),
            *(of_files if self.model is RawDataFile else PATH_PARTS),
        )

    @property
    def described(self) -> Promise:
        """What is looked at."""
        return format_lazy(
            lazy("copies of a {what} by its checksum or any part of its path, of {number} at most"),
            what=self.model._meta.verbose_name,
            number=f"{MOST_CONTENTS:,}",
        )

    def condition(self, word: str) -> Q | None:
        """Return what must hold of a copy, or None where nothing is found that it could be of."""
        found = [one for finder in self.finders if (one := finder.condition(word)) is not None]
        keys = keys_found(self.model._base_manager.all(), found, MOST_CONTENTS) if found else []
        return Q(**{f"{self.target}__in": keys}) if keys else None

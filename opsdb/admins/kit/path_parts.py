"""Search of lists for parts of paths, for observations, and of copies for what they are copies of. Each is bounded.

Only lists are searched so. What finds no more than the newest files is for people, who see that it does.
"""

from collections.abc import Sequence

from django.db.models import Q
from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as lazy

from opsdb.database.indexes import contains
from opsdb.filters.searching import FOUND_ROWS, ChecksumFinder, FileNameFinder, Finder, RawPathFinder, keys_found
from opsdb.models import ExecutedReductionStepInputPackage, PhysicalCopy, RawDataFile, RawDataPackage
from opsdb.workflows.named_observations import MOST_OBSERVATIONS, NamedObservations
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


class ObservationFinder:
    """Finds rows by the observation that they are named after: by its unit, source, date or minute, and the module."""

    described = format_lazy(
        lazy(
            "name of the unit or source in any spelling, date or time of the observation, as in "
            "“Deep56 · 2026-11-23 02:14”, of the newest {number} such observations"
        ),
        number=f"{MOST_OBSERVATIONS:,}",
    )

    def __init__(self, path: str = "executed_obs_unit", module: str = "instrument_module") -> None:
        self.path, self.module = path, module

    def condition(self, word: str) -> Q | None:
        """Return what must hold of a row, or None where no observation is named so."""
        found = NamedObservations.of_text(SearchText(word.strip()))
        if found is None:
            return None
        of_module = Q() if found.modules is None else Q(**{f"{self.module}__in": found.modules})
        return Q(**{f"{self.path}__in": found.keys}) & of_module


class FilesOfObservationFinder(ObservationFinder):
    """Finds raw files so, no more than a list shows: PostgreSQL would read the table for many of any order."""

    def condition(self, word: str) -> Q | None:
        """Return what must hold of a file, or None where no observation with files is named so."""
        found = super().condition(word)
        if found is None:
            return None
        newest = RawDataFile.objects.filter(found).order_by("-executed_obs_unit_id", "-pk")
        keys = list(newest.values_list("pk", flat=True)[: FOUND_ROWS + 1])
        return Q(pk__in=keys) if keys else None


class ObservationsFinder(ObservationFinder):
    """Finds observations themselves."""

    def condition(self, word: str) -> Q | None:
        """Return what must hold of an observation, or None where none is named so."""
        found = NamedObservations.of_text(SearchText(word.strip()))
        return None if found is None else Q(pk__in=found.keys)


class RunsOfObservationFinder(ObservationFinder):
    """Finds runs by the observation of a package that they read."""

    def __init__(self) -> None:
        super().__init__("raw_data_package__executed_obs_unit", "raw_data_package__instrument_module")

    def condition(self, word: str) -> Q | None:
        """Return what must hold of a run, or None where no observation is named so."""
        found = super().condition(word)
        inputs = ExecutedReductionStepInputPackage.objects.filter(found) if found is not None else None
        return None if inputs is None else Q(pk__in=inputs.values("run"))


OLDER_FILES = format_lazy(
    lazy(
        "Nothing was found. A part of the path of a file that is not among the newest {number} is found with its date "
        "before it, as in “2026-11-23 4_0000”; the beginning of a path and a whole file name are found without."
    ),
    number=f"{RECENT_FILES:,}",
)
FILE_PARTS = (FilesOfDateFinder(), NewestFilesFinder(), FilesOfObservationFinder())
PATH_PARTS = (PathPartFinder(),)
OBSERVATIONS = (ObservationsFinder(),)
PACKAGE_PARTS = (*PATH_PARTS, ObservationFinder())
OBSERVATION_OF_PACKAGE = (
    ObservationFinder("raw_data_package__executed_obs_unit", "raw_data_package__instrument_module"),
)
PARTS = {RawDataFile: (RawPathFinder(), FileNameFinder(), *FILE_PARTS), RawDataPackage: PACKAGE_PARTS}
"""What finds that which copies are of, where it is not :data:`PATH_PARTS`."""


class CopiesFinder:
    """Finds copies by what finds that which they are copies of."""

    def __init__(self, target: str) -> None:
        self.target = target
        self.model = PhysicalCopy._meta.get_field(target).related_model
        self.finders: Sequence[Finder] = (ChecksumFinder(), *PARTS.get(self.model, PATH_PARTS))

    @property
    def described(self) -> Promise:
        """What is looked at."""
        text = lazy("copies of a {what} by checksum or any part of the path, of {number} at most")
        if self.model in PARTS:
            text = lazy("copies of a {what} by checksum, any part of the path or observation, of {number} at most")
        return format_lazy(
            text,
            what=self.model._meta.verbose_name,
            number=f"{MOST_CONTENTS:,}",
        )

    def condition(self, word: str) -> Q | None:
        """Return what must hold of a copy, or None where nothing is found that it could be of."""
        found = [one for finder in self.finders if (one := finder.condition(word)) is not None]
        keys = keys_found(self.model._base_manager.all(), found, MOST_CONTENTS) if found else []
        return Q(**{f"{self.target}__in": keys}) if keys else None

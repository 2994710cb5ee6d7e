"""Search all rows that have a name, a path, a key, a date or a place. Nothing is locked.

Each kind of row is searched by queries of its own, along indexes where the table can grow: keys, checksums, whole file
names and the beginnings of paths in all rows; parts of paths by trigrams among packages and products. Raw files have no
such index, because it would slow their registration down many times: a part of a path is looked for
among those of the date that the text has, and among the newest: see :mod:`~opsdb.workflows.path_parts`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from itertools import chain, islice

from django.db import router
from django.db.models import F, Model, Q, QuerySet, Value
from django.db.models.functions import Concat, Length, Right
from django.db.models.lookups import Exact

from opsdb.database import timeouts
from opsdb.database.functions import spelled_texts
from opsdb.database.indexes import CHECKSUM_HEAD, checksum_head, contains, file_name, folded
from opsdb.models import (
    ConstantElevationSource,
    DataLocation,
    DataProduct,
    DataTransferPackage,
    DiskDataLocation,
    ExecutedObsUnit,
    FixedSource,
    ObservingProgram,
    ObsUnit,
    RawDataFile,
    RawDataPackage,
    Source,
)

from ._search_names import Rank, quoted_spelling, rows_by_key, rows_called
from ._search_tables import tables_with
from .path_parts import PathPart
from .search_text import SearchText

LIMIT = 10
"""How many rows of each kind are found."""
LONGEST_SECONDS = 6.0
"""How long a search may take in all; what is not searched by then is named."""


class Match(StrEnum):
    """How well a row is what was searched, best first."""

    WHOLE = "whole"
    BEGINNING = "beginning"
    PART = "part"
    RELATED = "related"


class MatchedBy(StrEnum):
    """What of a row matches; the values are what people read."""

    KEY = "key"
    UUID = "UUID"
    CHECKSUM = "checksum"
    NAME = "name"
    ALIAS = "alias"
    PATH = "path"
    POSITION = "position"
    DATE = "date"
    SOURCE = "source"
    UNIT = "observation unit"
    OBSERVATION = "observation"


@dataclass(frozen=True)
class SearchHit:
    """A row, or a night, that was found.

    Attributes:
        row: the row; the date on which it began for a night.
        match: how well it matches.
        by: what of it matches.
        detail: the alias, or the distance in degrees, that matches.
    """

    row: Model | date
    match: Match
    by: MatchedBy
    detail: str = ""


@dataclass(frozen=True)
class SearchResult:
    """What a search found.

    Attributes:
        text: what was searched.
        hits: best first, at most ``limit`` of each kind.
        truncated: kinds of which there are more.
        given_up: kinds that were not searched to the end, because the time was over.
    """

    text: str
    hits: list[SearchHit] = field(default_factory=list)
    truncated: list[type[Model]] = field(default_factory=list)
    given_up: list[type[Model]] = field(default_factory=list)


def search_rows(text: str, *, models: Collection[type[Model]] | None = None, limit: int = LIMIT) -> SearchResult:
    """Search rows of all kinds by a name, a path, a key, a date or a place.

    Args:
        text: whole or part of the name of a file, package, product, source (or an alias, in any spelling), unit,
            program, location (also behind that of its site), site, telescope, instrument, module, recipe, user, role
            or another row of a small table, or of a path; a UUID or a checksum from 7 digits; a
            table and key; a night (``2026-11-23``) or a minute, perhaps with a name or a part of a path; coordinates,
            perhaps with a radius.
        models: kinds to search, such as those that a person may view; a night belongs to ``ExecutedObsUnit``.
        limit: rows of each kind.
    """
    search = SearchText(text.strip())
    result = SearchResult(search.text)
    if not search.is_searchable:
        return result
    deadline = time.monotonic() + LONGEST_SECONDS
    found: list[SearchHit] = []
    for model, finders in chain(_FINDERS, _finders_of_small_tables(search, models)):
        if models is not None and model not in models:
            continue
        hits: dict[object, SearchHit] = {}
        try:
            with timeouts.given_up_after(max(deadline - time.monotonic(), 0.05), router.db_for_read(model)):
                for finder in finders:
                    for hit in islice(finder(search, found, limit + 1), limit + 1):
                        hits.setdefault(hit.row, hit)
                    if len(hits) > limit:
                        break
        except timeouts.TooSlowError:
            result.given_up.append(model)
        if len(hits) > limit:
            result.truncated.append(model)
        found += sorted(hits.values(), key=_quality)[:limit]
    if search.row and (models is None or search.row[0] in models):
        model, key = search.row
        known = {hit.row for hit in found}
        found += [SearchHit(row, Match.WHOLE, MatchedBy.KEY) for row in rows_by_key(model, key) if row not in known]
    result.hits.extend(sorted(found, key=_quality))
    return result


Finder = Callable[[SearchText, list[SearchHit], int], Iterator[SearchHit]]
_ORDER = list(Match)


def _quality(hit):
    return _ORDER.index(hit.match)


def _grade(searched, *values):
    """How well one of some values is what was searched, in any letter case."""
    searched = searched.lower()
    values = [value.lower() for value in values]
    if searched in values:
        return Match.WHOLE
    return Match.BEGINNING if any(value.startswith(searched) for value in values) else Match.PART


def _uuids(rows: QuerySet) -> Finder:
    def find(search, found, limit):
        if search.uuids:
            lowest, highest = search.uuids
            match = Match.WHOLE if lowest == highest else Match.BEGINNING
            for row in rows.filter(pk__gte=lowest, pk__lte=highest).order_by("pk")[:limit]:
                yield SearchHit(row, match, MatchedBy.UUID)

    return find


def _checksums(rows: QuerySet) -> Finder:
    def find(search, found, limit):
        if search.checksum:
            begins = Exact(checksum_head(), search.checksum[:CHECKSUM_HEAD])
            for row in rows.filter(begins, checksum__startswith=search.checksum).order_by()[:limit]:
                yield SearchHit(row, _grade(search.checksum, row.checksum), MatchedBy.CHECKSUM)

    return find


def _names(rows: QuerySet) -> Finder:
    """Whole names, or beginnings of them, as they are written; they have an index for beginnings."""

    def find(search, found, limit):
        if search.is_only_key or not search.file_name:
            return
        named = {"name": search.file_name} if "/" in search.text else {"name__startswith": search.text}
        for row in rows.filter(**named).order_by()[:limit]:
            # Below the root of a disk, or only the last folders.
            below = f"/{row.relative_path}"
            if "/" not in search.text or below.endswith(f"/{search.path}") or f"/{search.path}".endswith(below):
                yield SearchHit(row, _grade(search.file_name, row.name), MatchedBy.NAME)

    return find


def _parts_of_paths(rows: QuerySet) -> Finder:
    def find(search, found, limit):
        if search.has_trigram and not search.is_only_key:
            for row in rows.filter(contains("relative_path", search.path)).order_by()[:limit]:
                yield SearchHit(row, _grade(search.path, row.relative_path, row.name), MatchedBy.PATH)

    return find


def _file_names(rows: QuerySet) -> Finder:
    def find(search, found, limit):
        if search.is_only_key or not search.file_name:
            return
        named = Q(Exact(file_name(), folded(Value(search.file_name))))
        if "/" in search.text:
            path, searched = folded(F("relative_path")), folded(Value(f"/{search.path}"))
            below = Concat(Value("/"), path)
            # The last folders of a path, or a whole path from the root of a disk.
            named &= Q(Exact(Right(below, Length(searched)), searched)) | Q(
                Exact(Right(searched, Length(below)), below)
            )
        for row in rows.filter(named).order_by()[:limit]:
            yield SearchHit(row, Match.WHOLE, MatchedBy.PATH if "/" in search.text else MatchedBy.NAME)

    return find


def _beginnings_of_paths(rows: QuerySet) -> Finder:
    """Paths are indexed by location; of those that instruments write to there are few."""

    def find(search, found, limit):
        if search.is_only_key:
            return
        sources = DataLocation.objects.sources().order_by().values_list("pk", flat=True)
        begins = Q(source_location__in=list(sources), relative_path__startswith=search.path)
        if search.text.startswith("/"):
            for location, root in DiskDataLocation.objects.filter(pk__in=sources).values_list("pk", "path"):
                below = search.text.removeprefix(root.rstrip("/") + "/")
                if below != search.text:
                    begins |= Q(source_location=location, relative_path__startswith=below)
        for row in rows.filter(begins).order_by()[:limit]:
            yield SearchHit(row, _grade(search.path, row.relative_path), MatchedBy.PATH)

    return find


def _files_of_date(rows: QuerySet) -> Finder:
    def find(search, found, limit):
        if inside := PathPart(search).among_files_of_date():
            for row in rows.filter(inside).order_by()[:limit]:
                yield SearchHit(row, _grade(search.part, row.relative_path), MatchedBy.PATH)

    return find


def _newest_files(rows: QuerySet) -> Finder:
    def find(search, found, limit):
        if inside := PathPart(search).among_newest_files():
            for row in rows.filter(inside).order_by("-pk")[:limit]:
                yield SearchHit(row, _grade(search.path, row.relative_path), MatchedBy.PATH)

    return find


def _spelled(rows: QuerySet, *columns: str, exact: Callable[[str], list] = lambda text: []) -> Finder:
    """Names and aliases in any spelling, of tables with thousands of rows at most.

    Args:
        rows: that are searched.
        columns: with names.
        exact: returns the keys of the rows that a name means; other spellings of it are then only like it.
    """

    def find(search, found, limit):
        if search.is_only_key:
            return
        meant = exact(search.text)
        for row, rank, alias in rows_called(rows, columns, search.spelling, meant, limit):
            match = Match.BEGINNING if meant and rank == Rank.WHOLE else _MATCHES[rank]
            yield SearchHit(row, match, *((MatchedBy.ALIAS, alias) if alias else (MatchedBy.NAME,)))

    return find


_MATCHES = dict(zip(Rank, (Match.WHOLE, Match.WHOLE, Match.BEGINNING, Match.PART), strict=True))


def _finders_of_small_tables(search, models):
    """Yield the small tables that have a row of such a name: with one query for all of them."""
    if not search.is_only_key:
        for table in tables_with(search.spelling, models):
            yield table.model, (_spelled(table.rows, *table.columns),)


def _sources_called(text):
    """Return the keys of the sources that a name means, as it does in files and filters."""
    return [source.pk for source in SOURCES.matches([text]).get(text, ())]


def _sources_meant(found):
    return [
        hit.row.pk
        for hit in found
        if isinstance(hit.row, Source) and (hit.match == Match.WHOLE or hit.by == MatchedBy.POSITION)
    ]


def _units_of_sources(search, found, limit):
    """Units that look at a source that was found."""
    if sources := _sources_meant(found):
        for unit in UNITS.filter(source__in=sources).order_by("name", "pk")[:limit]:
            yield SearchHit(unit, Match.RELATED, MatchedBy.SOURCE)


def _places(search, found, limit):
    if search.cone:
        for source in FixedSource.objects.cone_search(*search.cone).order_by("separation_deg")[:limit]:
            yield SearchHit(source, Match.PART, MatchedBy.POSITION, f"{source.separation_deg:.4f}")


def _fields(search, found, limit):
    """Fields with the place in them; west of RA 0 their western edge is the larger number."""
    if search.cone:
        ra, dec = search.cone.ra_deg, search.cone.dec_deg
        across = Q(ra_min_deg__gt=F("ra_max_deg")) & (Q(ra_min_deg__lte=ra) | Q(ra_max_deg__gte=ra))
        inside = across | Q(ra_min_deg__lte=ra, ra_max_deg__gte=ra)
        fields = ConstantElevationSource.objects.filter(inside, dec_min_deg__lte=dec, dec_max_deg__gte=dec)
        for place in fields.order_by("name")[:limit]:
            yield SearchHit(place, Match.PART, MatchedBy.POSITION)


def _night(search, found, limit):
    moment = search.moment
    if moment and moment.rest.lower() in ("", "night"):
        yield SearchHit(moment.night, Match.RELATED if moment.minute else Match.WHOLE, MatchedBy.DATE)


def _executions_of_date(search, found, limit):
    """Those of a minute, of a night, or of a date where their unit, source or program is named beside it."""
    moment = search.moment
    if not moment or "/" in search.text.split(" ")[0]:
        return
    if not moment.minute and not search.labels:
        for execution in EXECUTIONS.night(moment.day).order_by("start_time")[:limit]:
            yield SearchHit(execution, Match.RELATED, MatchedBy.DATE)
        return
    rows = moment.executions().select_related("obs_unit__observing_program")
    if search.labels:
        (label,) = spelled_texts(search.labels[:1])
        names = ("obs_unit__name", "obs_unit__source__name", "obs_unit__observing_program__short_name")
        rows = rows.annotate(spelling=quoted_spelling(*names)).filter(spelling__contains=label)
    for execution in rows[:limit]:
        yield SearchHit(execution, Match.WHOLE if moment.minute else Match.PART, MatchedBy.DATE)


def _executions_of_units(search, found, limit):
    """The newest observations of the units and sources that were found."""
    sources = _sources_meant(found)
    units = [
        hit.row.pk
        for hit in found
        if isinstance(hit.row, ObsUnit) and (hit.match == Match.WHOLE or hit.row.source_id in sources)
    ]
    if units:
        rows = ExecutedObsUnit.objects.filter(obs_unit__in=units).select_related("obs_unit__observing_program")
        for execution in rows.order_by("-start_time")[:limit]:
            yield SearchHit(execution, Match.RELATED, MatchedBy.UNIT)


def _packages_of_observation(search, found, limit):
    """Packages as people call them: after unit, minute and module."""
    executions = [hit.row.pk for hit in found if isinstance(hit.row, ExecutedObsUnit) and hit.by == MatchedBy.DATE]
    if executions and search.moment.minute:
        rows = PACKAGES.filter(executed_obs_unit__in=executions)
        modules = search.labels[1:]
        if modules:
            rows = rows.filter(instrument_module__name__in=modules)
        for package in rows.order_by("name")[:limit]:
            yield SearchHit(package, Match.RELATED, MatchedBy.OBSERVATION)


SOURCES = Source.objects.all()
UNITS = ObsUnit.objects.select_related("observing_program")
PROGRAMS = ObservingProgram.objects.all()
LOCATIONS = DataLocation.objects.select_related("site").annotate(place=Concat("site__short_name", Value("/"), "name"))
EXECUTIONS = ExecutedObsUnit.objects.select_related("obs_unit__observing_program")
FILES = RawDataFile.objects.select_related("source_location__site")
PACKAGES = RawDataPackage.objects.select_related("executed_obs_unit__obs_unit", "instrument_module")
BUNDLES = DataTransferPackage.objects.select_related("origin_location__site")
PRODUCTS = DataProduct.objects.all()

# What is found first may lead to what belongs to it.
_FINDERS: tuple[tuple[type[Model], tuple[Finder, ...]], ...] = (
    (Source, (_spelled(SOURCES, "name", "aliases", exact=_sources_called),)),
    (FixedSource, (_places,)),
    (ConstantElevationSource, (_fields,)),
    (ObservingProgram, (_spelled(PROGRAMS, "short_name", "name"),)),
    (DataLocation, (_spelled(LOCATIONS, "place", "name", "former_names"),)),
    (ObsUnit, (_spelled(UNITS, "name"), _units_of_sources)),
    (ExecutedObsUnit, (_night, _uuids(EXECUTIONS), _executions_of_date, _executions_of_units)),
    (
        RawDataPackage,
        (_uuids(PACKAGES), _checksums(PACKAGES), _names(PACKAGES), _parts_of_paths(PACKAGES), _packages_of_observation),
    ),
    (DataTransferPackage, (_uuids(BUNDLES), _checksums(BUNDLES), _names(BUNDLES), _parts_of_paths(BUNDLES))),
    (DataProduct, (_checksums(PRODUCTS), _names(PRODUCTS), _parts_of_paths(PRODUCTS))),
    (
        RawDataFile,
        (
            _uuids(FILES),
            _checksums(FILES),
            _file_names(FILES),
            _beginnings_of_paths(FILES),
            _files_of_date(FILES),
            _newest_files(FILES),
        ),
    ),
)

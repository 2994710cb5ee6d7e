"""What a search text may mean: a row, a UUID, a checksum, a night, a place on the sky, a name or a part of a path."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from uuid import UUID

from django.db.models import Model, QuerySet

from opsdb.database.functions import spelled_texts
from opsdb.database.indexes import CHECKSUM_HEAD
from opsdb.models import ExecutedObsUnit
from opsdb.normalization import is_storable, normalize_path, parse_checksum
from opsdb.positions import Cone, cone_of
from opsdb.row_labels import row_name, tables

LONGEST_TEXT = 1_000
"""Characters of a search: as many as a path may have."""
USUAL_RADIUS = "30'"
"""Around coordinates without a radius."""

_UUID_DIGITS = 32
_UUID_BEGINNING = re.compile(r"[0-9a-f]{8}[0-9a-f-]*")
_CHECKSUM = re.compile(rf"[0-9a-f]{{{CHECKSUM_HEAD},128}}")
_WHOLE_CHECKSUM = 32
_MOMENT = re.compile(
    r"(?<!\d)(?P<year>20\d\d)(?P<mark>[-/]?)(?P<month>\d\d)(?P=mark)(?P<day>\d\d)(?!\d)"
    r"(?:[ T](?P<hour>\d\d):(?P<minute>\d\d)(?::\d\d(?:\.\d+)?)?(?!\d))?\s*(?:Z\b|UTC\b)?"
)
_LABEL_MARKS = re.compile(r"[·@]")
_TRIGRAM = re.compile(r"[^\W_]{3}")


@dataclass(frozen=True)
class Moment:
    """A date, perhaps with hour and minute, within a text.

    Attributes:
        day: the date.
        minute: the minute (UTC), or None where only a date was given.
        rest: what else the text has.
    """

    day: date
    minute: datetime | None
    rest: str

    @property
    def window(self) -> tuple[datetime, datetime]:
        """When an observation began that is meant: in the minute, else on the date (UTC) or in the night after it."""
        if self.minute:
            return self.minute, self.minute + timedelta(minutes=1)
        start = datetime.combine(self.day, time(), UTC)
        return start, start + timedelta(hours=36)

    def executions(self) -> QuerySet[ExecutedObsUnit]:
        """Return the observations that began then, the earliest first."""
        start, end = self.window
        return ExecutedObsUnit.objects.filter(start_time__gte=start, start_time__lt=end).order_by("start_time")

    @property
    def night(self) -> date:
        """The date on which the night began: nights last from noon to noon, UTC."""
        return (self.minute - timedelta(hours=12)).date() if self.minute else self.day


@dataclass(frozen=True)
class SearchText:
    """A search text, read in every way that it can be meant.

    Attributes:
        text: as it was typed, without blanks around it.
    """

    text: str

    @cached_property
    def is_searchable(self) -> bool:
        """Whether any row could have it."""
        return bool(self.text) and len(self.text) <= LONGEST_TEXT and is_storable(self.text)

    @cached_property
    def row(self) -> tuple[type[Model], str] | None:
        """Model and key, where it names a row as messages or people do: ``data transfer 17``."""
        table, _, key = row_name(self.text).partition(" ")
        model = tables().get(table.lower())
        return (model, key.strip()) if model and key.strip() else None

    @cached_property
    def uuids(self) -> tuple[UUID, UUID] | None:
        """The lowest and the highest UUID that begin so."""
        text = self.text.lower()
        digits = text.replace("-", "")
        if not _UUID_BEGINNING.fullmatch(text) or len(digits) > _UUID_DIGITS:
            return None
        return UUID(digits.ljust(_UUID_DIGITS, "0")), UUID(digits.ljust(_UUID_DIGITS, "f"))

    @cached_property
    def checksum(self) -> str | None:
        """The digits, where it may be a checksum or its beginning."""
        understood = parse_checksum(self.text)
        return understood.digits if understood and _CHECKSUM.fullmatch(understood.digits) else None

    @cached_property
    def moment(self) -> Moment | None:
        """The first date that it has."""
        found = _MOMENT.search(self.text)
        if not found:
            return None
        try:
            day = date(int(found["year"]), int(found["month"]), int(found["day"]))
            clock = time(int(found["hour"]), int(found["minute"]), tzinfo=UTC) if found["hour"] else None
        except ValueError:
            return None
        rest = f"{self.text[: found.start()]} {self.text[found.end() :]}"
        return Moment(day, datetime.combine(day, clock) if clock else None, rest.strip(" ·@"))

    @cached_property
    def cone(self) -> Cone | None:
        """The circle on the sky, where it has coordinates. What is only like coordinates means none."""
        try:
            return cone_of(self.text, USUAL_RADIUS)
        except ValueError:
            return None

    @cached_property
    def is_only_key(self) -> bool:
        """Whether it is so surely a UUID or a whole checksum that it is no part of a name."""
        is_uuid = self.uuids is not None and (self.text[8:9] == "-" or len(self.text) == _UUID_DIGITS)
        return is_uuid or (self.checksum is not None and len(self.checksum) >= _WHOLE_CHECKSUM)

    @cached_property
    def path(self) -> str:
        """The text as a path below a location."""
        return normalize_path(self.text) or self.text

    @cached_property
    def file_name(self) -> str:
        """What follows its last slash."""
        return self.text.rpartition("/")[2]

    @cached_property
    def part(self) -> str:
        """What of it may stand in a path beside the date that narrows the search: all of it if it has no blanks."""
        return self.moment.rest if self.moment and " " in self.text else self.path

    @cached_property
    def has_trigram(self) -> bool:
        """Whether an index of trigrams can find it within a text: it has three letters or digits in a row."""
        return bool(_TRIGRAM.search(self.path))

    @cached_property
    def labels(self) -> list[str]:
        """The parts of what people call a package or observation, beside its time: ``Deep56 · 2026-11-23 02:14``."""
        rest = self.moment.rest if self.moment else ""
        return [part.strip() for part in _LABEL_MARKS.split(rest) if part.strip()]

    @cached_property
    def spelling(self) -> str:
        """The text as names are compared, by the database: see :func:`~opsdb.database.indexes.spelled`."""
        return spelled_texts([self.text])[0]

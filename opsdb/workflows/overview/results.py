"""What the overview returns."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class StageName(StrEnum):
    """The stages, in the order in which data pass them; the values are what people read."""

    OBSERVATIONS = "observations"
    FILES = "raw data files"
    PACKAGES = "packages"
    PACKAGING = "making packages"
    BUNDLING = "making bundles"
    TRANSFERS = "transfers"
    ARCHIVING = "archiving"
    STAGING = "staging"
    UNPACKING = "unpacking"
    RUNS = "runs"
    PRODUCTS = "products"
    DELETION_REQUESTS = "deletion requests"


class RestState(StrEnum):
    """States of a stage that stand for several states of its rows, or for rows without any; the values are read."""

    ENDED = "ended"
    UNPACKAGED = "unpackaged"
    PACKAGED = "packaged"
    COMPLETED_OR_CANCELLED = "completed or cancelled"
    MADE = "made"


class Exactness(StrEnum):
    """How a number was determined."""

    EXACT = "exact"
    ESTIMATED = "estimated"
    AT_LEAST = "at_least"


@dataclass(frozen=True)
class RowCount:
    """A number of rows, and how it was determined."""

    value: int
    exactness: Exactness = Exactness.EXACT

    @property
    def is_exact(self) -> bool:
        return self.exactness == Exactness.EXACT

    def __str__(self) -> str:
        sign = {Exactness.EXACT: "", Exactness.ESTIMATED: "about ", Exactness.AT_LEAST: "at least "}
        return f"{sign[self.exactness]}{self.value:,}"

    def minus(self, others: list[RowCount]) -> RowCount:
        """Return this count minus the others, never below 0."""
        value = max(self.value - sum(other.value for other in others), 0)
        exact = self.is_exact and all(other.is_exact for other in others)
        return RowCount(value, Exactness.EXACT if exact else Exactness.ESTIMATED)


@dataclass(frozen=True)
class StateCount:
    """How many rows of a stage are in a state.

    Attributes:
        state: the state.
        number: how many.
        oldest: when the oldest of them was made, where that matters.
    """

    state: str
    number: RowCount
    oldest: datetime | None = None


@dataclass(frozen=True)
class Stage:
    """The rows of one stage by state.

    Attributes:
        name: which stage.
        table: their table.
        states: how many are in each state; the usual course from first to last.
        oldest: when the oldest row was made that still has work to be done.
    """

    name: StageName
    table: str
    states: list[StateCount]
    oldest: datetime | None = None


@dataclass(frozen=True)
class LocationVolume:
    """The copies at a location.

    Attributes:
        id: key of the location.
        site: short name of the site.
        location: name of the location.
        location_type: its purpose.
        active: whether new data may be written there.
        copies: how many copies it has.
        volume_bytes: how many bytes it stores.
        capacity_bytes: how many it could store, if that is known.
        states: how many copies are in each state.
        expected: how many copies should be there and good: those that are recorded and not deleted; in an archive
            also one of every archived package.
        actual: how many are there and good.
        lacking: expected minus actual.
    """

    id: int
    site: str
    location: str
    location_type: str
    active: bool
    copies: int
    volume_bytes: int
    capacity_bytes: int | None
    states: list[StateCount]
    expected: RowCount
    actual: RowCount
    lacking: RowCount

    @property
    def is_impossible(self) -> bool:
        """Whether the recorded sizes exceed its capacity, so that a size or the capacity is wrong."""
        return self.capacity_bytes is not None and self.volume_bytes > self.capacity_bytes

    @property
    def fill_percent(self) -> float | None:
        """How full it is, per cent."""
        return self.capacity_bytes and 100 * self.volume_bytes / self.capacity_bytes


@dataclass(frozen=True)
class Trouble:
    """A row that failed, or whose worker has stopped its heartbeat.

    Attributes:
        row: table and key.
        since: when it failed, or the last heartbeat.
        message: what went wrong, or the worker.
    """

    row: str
    since: datetime | None
    message: str


@dataclass(frozen=True)
class Overview:
    """The state of all stages and locations.

    Attributes:
        at: when the numbers were read.
        stages: every stage.
        locations: every location.
        failures: the last rows of each kind that failed for good.
        stalled: work in progress without a heartbeat for ``OPSDB_STALLED_AFTER_SECONDS``, the longest first.
    """

    at: datetime
    stages: list[Stage]
    locations: list[LocationVolume]
    failures: list[Trouble] = field(default_factory=list)
    stalled: list[Trouble] = field(default_factory=list)

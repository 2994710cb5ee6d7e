"""Failures: failed and stalled rows of all kinds of work, bad copies, and groups of them with one cause.

What failed for good, what was reported twice and otherwise, work whose worker is gone, and copies that are corrupt,
missing, not readable or could not be deleted. Of each kind at most :data:`LIMIT` rows are looked at, the newest where
an index gives them in that order; so the cost does not grow with the tables.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.db import models
from django.db.models import Exists, OuterRef, Subquery
from django.utils import timezone
from django.utils.translation import gettext as _

from opsdb import conf
from opsdb.database.aliases import read_rows
from opsdb.database.functions import IsSafeCopy
from opsdb.models import (
    DataTransfer,
    DataTransferPackage,
    ExecutedReductionStep,
    LocationType,
    LongTermArchiveTransfer,
    PackageState,
    PhysicalCopy,
    PhysicalCopyStatus,
    RawDataPackage,
    StagingJob,
    Status,
)
from opsdb.models.copies.querysets import CHECKABLE

from .errors import name_row
from .overview.queries import EXACT_LIMIT, TO_UNPACK

LIMIT = 200
"""How many rows of each kind are looked at."""


class FailureKind(StrEnum):
    """What is wrong with a row; the values are what people read."""

    FAILED = "failed"
    UNPACKING_FAILED = "unpacking failed"
    STALLED = "worker gone"
    UNPACKING_STALLED = "worker of its unpacking gone"
    CONFLICT = "reported twice"
    DELETION_FAILED = "deletion failed"
    DELETION_STALLED = "worker of its deletion gone"
    CORRUPT = "corrupt"
    MISSING = "missing"
    UNREADABLE = "not readable"


class Remedy(StrEnum):
    """What a person does about a failure once its cause is removed."""

    RESET = "reset"
    SETTLE = "settle"
    REPAIR = "repair"
    RESTORE = "restore"
    VERIFY = "verify"
    NONE = ""


REMEDIES = {
    FailureKind.FAILED: Remedy.RESET,
    FailureKind.UNPACKING_FAILED: Remedy.RESET,
    FailureKind.STALLED: Remedy.RESET,
    FailureKind.UNPACKING_STALLED: Remedy.RESET,
    FailureKind.CONFLICT: Remedy.SETTLE,
    FailureKind.DELETION_FAILED: Remedy.RESET,
    FailureKind.DELETION_STALLED: Remedy.NONE,
    FailureKind.CORRUPT: Remedy.REPAIR,
    FailureKind.MISSING: Remedy.REPAIR,
    FailureKind.UNREADABLE: Remedy.VERIFY,
}


@dataclass(frozen=True)
class Failure:
    """A row that failed, is stalled or is bad.

    Attributes:
        table: of the row.
        key: of the row.
        kind: what is wrong with it.
        since: when it failed, or the last heartbeat.
        message: what went wrong, as it was reported.
        place: ``site/location`` where it happened, or empty.
        worker: that held it, or empty: failed work has no worker.
        act: what the states of the copies allow, where the kind alone does not decide it.
        hint: what is done about it already, or is in the way; it may name a row.
    """

    table: str
    key: str
    kind: FailureKind
    since: datetime | None
    message: str
    place: str
    worker: str
    act: Remedy | None = None
    hint: str = ""

    @property
    def row(self) -> str:
        """Table and key."""
        return f"{self.table} {self.key}"

    @property
    def remedy(self) -> Remedy:
        return REMEDIES[self.kind] if self.act is None else self.act


@dataclass(frozen=True)
class FailureGroup:
    """Failures with one message but for numbers, names and paths, one place, one worker and one remedy of their kinds.

    Attributes:
        name: the same for the same group at any time, without blanks.
        failures: the newest first.
        cause: the same for groups that differ by place and worker only, without blanks.
    """

    name: str
    failures: list[Failure]
    cause: str = ""

    @property
    def message(self) -> str:
        """The message of the newest."""
        return self.failures[0].message

    @property
    def place(self) -> str:
        return self.failures[0].place

    @property
    def worker(self) -> str:
        return self.failures[0].worker

    @property
    def remedies(self) -> list[Remedy]:
        """What helps against some of them each: of bad copies in an archive, not all can be repaired."""
        return [remedy for remedy in dict.fromkeys(one.remedy for one in self.failures) if remedy]

    @property
    def hints(self) -> list[str]:
        """What is done about some of them already, or is in the way."""
        return [hint for hint in dict.fromkeys(one.hint for one in self.failures) if hint]

    @property
    def first(self) -> datetime | None:
        """When the oldest of them failed."""
        return min((failure.since for failure in self.failures if failure.since), default=None)

    @property
    def last(self) -> datetime | None:
        """When the newest of them failed."""
        return max((failure.since for failure in self.failures if failure.since), default=None)


@dataclass(frozen=True)
class FailureList:
    """The failures.

    Attributes:
        failures: the newest first.
        truncated: kinds, with their tables, of which there are more than were looked at.
    """

    failures: list[Failure]
    truncated: list[tuple[str, FailureKind]]


_FAILED_PLACES: dict[type[models.Model], str] = {
    RawDataPackage: (
        "(SELECT source_location_id FROM raw_data_file WHERE raw_data_package_id = item.id "
        "ORDER BY raw_data_package_id LIMIT 1)"
    ),
    DataTransferPackage: "item.origin_location_id",
    DataTransfer: "item.destination_location_id",
    LongTermArchiveTransfer: "item.destination_location_id",
    StagingJob: "item.destination_location_id",
}


def _items(model, kind, condition, order, since, message, worker="''", looked_at=LIMIT + 1):
    """Return the query of work items that meet a condition, from the first of them in an order."""
    table = model._meta.db_table
    return f"""
        SELECT '{table}', item.id::text, '{kind}', {since}, {message}, {_FAILED_PLACES[model]}, {worker}
        FROM (SELECT * FROM {table} WHERE {condition} ORDER BY {order} LIMIT {looked_at}) AS item
    """


def _stalled(model, kind, condition, order, seen, worker):
    """Return the query of work in progress whose last heartbeat is too long ago, among the oldest of it."""
    items = _items(model, kind, condition, order, seen, "''", worker, EXACT_LIMIT)
    return f"{items} WHERE {seen} < %(before)s LIMIT {LIMIT + 1}"


def _work(model):
    yield _items(
        model, FailureKind.FAILED, f"status = '{Status.FAILED}'", "created_at DESC", "finished_at", "failure_message"
    )
    yield _items(
        model,
        FailureKind.CONFLICT,
        f"status = '{Status.COMPLETED}' AND NOT (failure_message = '')",
        "finished_at DESC",
        "finished_at",
        "failure_message",
    )
    yield _stalled(
        model,
        FailureKind.STALLED,
        f"status = '{Status.IN_PROGRESS}'",
        "created_at",
        "coalesce(heartbeat_at, started_at)",
        "claimed_by",
    )


def _unpacking():
    yield _items(
        DataTransfer,
        FailureKind.UNPACKING_FAILED,
        f"{TO_UNPACK} AND unpack_status = '{Status.FAILED}'",
        "finished_at DESC",
        "finished_at",
        "unpack_failure_message",
    )
    yield _stalled(
        DataTransfer,
        FailureKind.UNPACKING_STALLED,
        f"{TO_UNPACK} AND unpack_status = '{Status.IN_PROGRESS}'",
        "finished_at",
        "unpack_heartbeat_at",
        "unpack_claimed_by",
    )


_RUNS = f"""
    SELECT 'executed_reduction_step', run.id::text, '{FailureKind.FAILED}', run.finished_at, run.failure_message,
        pipeline.processing_location_id, ''
    FROM (
        SELECT * FROM {ExecutedReductionStep._meta.db_table} WHERE status = '{Status.FAILED}'
        ORDER BY created_at DESC LIMIT {LIMIT + 1}
    ) AS run
    JOIN reduction_step AS step ON step.id = run.step_id
    JOIN pipeline ON pipeline.id = step.pipeline_id
"""
_CHECKED = """(
    SELECT failure_message FROM fixity_check WHERE copy_id = copy.id AND actual IS NULL
    ORDER BY checked_at DESC, id DESC LIMIT 1
)"""
_CHECKABLE = ", ".join(f"'{status}'" for status in CHECKABLE)
_UNREADABLE = f"status IN ({_CHECKABLE}) AND next_check_at IS NOT NULL"


def _copies(kind, condition, message, order="arrived_at"):
    """Return the query of copies that meet a condition, location by location as the indexes have them."""
    return f"""
        SELECT 'physical_copy', copy.id::text, '{kind}', copy.updated_at, {message}, copy.data_location_id, ''
        FROM data_location AS location
        CROSS JOIN LATERAL (
            SELECT * FROM physical_copy
            WHERE data_location_id = location.id AND {condition} ORDER BY {order} LIMIT {LIMIT + 1}
        ) AS copy
        LIMIT {LIMIT + 1}
    """


def _copies_in(kind, status, otherwise):
    return _copies(kind, f"status = '{status}'", f"coalesce(nullif(copy.failure_message, ''), '{otherwise}')")


_PARTS = [
    *(part for model in _FAILED_PLACES for part in _work(model)),
    *_unpacking(),
    _RUNS,
    _copies_in(FailureKind.DELETION_FAILED, PhysicalCopyStatus.DELETION_FAILED, "the deletion failed"),
    _copies_in(FailureKind.CORRUPT, PhysicalCopyStatus.CORRUPT, "the checksum differs from the recorded one"),
    _copies_in(FailureKind.MISSING, PhysicalCopyStatus.MISSING, "the file is not where it should be"),
    _copies(FailureKind.UNREADABLE, _UNREADABLE, f"coalesce({_CHECKED}, '')", "next_check_at"),
    f"""
        SELECT * FROM (
            {_copies_in(FailureKind.DELETION_STALLED, PhysicalCopyStatus.DELETION_IN_PROGRESS, "")}
        ) AS going (table_name, id, kind, since, message, location_id, worker)
        WHERE since < %(before)s
    """,
]
_UNION = "\nUNION ALL\n".join(f"({part.strip()})" for part in _PARTS)
FAILURES = f"""
SELECT failure.table_name, failure.id, failure.kind, failure.since, failure.message,
    coalesce(site.short_name || '/' || location.name, ''), failure.worker
FROM (
{_UNION}
) AS failure (table_name, id, kind, since, message, location_id, worker)
LEFT JOIN data_location AS location ON location.id = failure.location_id
LEFT JOIN site ON site.id = location.site_id
"""


def _find_acts(rows) -> dict[tuple[str, str], tuple[Remedy, str]]:
    """Return what the states of bad copies allow, as ``explain_row`` does, and a hint, by table and key.

    What can't be sent again from a verified copy may be found and brought back, if it is missing. One query, if any
    are bad.
    """
    kinds = {row[1]: FailureKind(row[2]) for row in rows if REMEDIES[FailureKind(row[2])] is Remedy.REPAIR}
    table = PhysicalCopy._meta.db_table
    acts = {
        (table, key): (Remedy.RESTORE if kind is FailureKind.MISSING else Remedy.NONE, "")
        for key, kind in kinds.items()
    }
    if not kinds:
        return acts
    repairs = LongTermArchiveTransfer.objects.exclude(status=Status.COMPLETED).filter(
        raw_data_package=OuterRef("raw_data_package"), destination_location=OuterRef("data_location")
    )
    good = PhysicalCopy.objects.filter(IsSafeCopy("pk"), raw_data_package=OuterRef("raw_data_package"))
    in_archives = PhysicalCopy.objects.filter(
        pk__in=kinds,
        raw_data_package__isnull=False,
        data_location__location_type=LocationType.LONG_TERM_ARCHIVE,
    ).annotate(
        repair=Subquery(repairs.order_by("pk").values("pk")[:1]),
        can_be_sent=Exists(good.exclude(data_location=OuterRef("data_location"))),
    )
    columns = ("pk", "raw_data_package__state", "data_location__active", "repair", "can_be_sent")
    for key, state, active, repair, can_be_sent in in_archives.values_list(*columns):
        is_archived = state == PackageState.ARCHIVED
        if repair:
            hint = _("a repair is under way: %(row)s") % {"row": name_row(LongTermArchiveTransfer, repair)}
            acts[table, str(key)] = Remedy.NONE if is_archived else acts[table, str(key)][0], hint
        elif not is_archived:
            continue
        elif can_be_sent and active:
            acts[table, str(key)] = Remedy.REPAIR, ""
        elif can_be_sent:
            acts[table, str(key)] = Remedy.NONE, _("its location is inactive: enable it, then repair")
    return acts


def list_failures() -> FailureList:
    """Return all failures, the newest first. Locks nothing.

    One query, whatever the size of the tables, and one more if copies are corrupt or missing.
    """
    now = timezone.now()
    before = now - timedelta(seconds=conf.get("OPSDB_STALLED_AFTER_SECONDS"))
    rows = read_rows(FAILURES, {"before": before})
    acts = _find_acts(rows)
    found: dict[tuple[str, FailureKind], list[Failure]] = {}
    for table, key, kind, since, message, place, worker in rows:
        act, hint = acts.get((table, key), (None, ""))
        failure = Failure(table, key, FailureKind(kind), since, message, place, worker, act, hint)
        found.setdefault((table, failure.kind), []).append(failure)
    failures = [failure for of_kind in found.values() for failure in of_kind[:LIMIT]]
    return FailureList(
        sorted(failures, key=lambda failure: failure.since or now, reverse=True),
        [name for name, of_kind in found.items() if len(of_kind) > LIMIT],
    )


# What differs between two reports of one cause: keys, checksums, paths, and numbers of their own.
_PARTICULARS = re.compile(
    r"""[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}   # a UUID
    | (?:[a-z]+://|[a-z]:\\|~?/|\.{1,2}/)\S+          # an address or a path from a root
    | \S+/\S*\d\S*                                    # a relative path, which has a number in it
    | \b[0-9a-f]{8,}\b                                # a checksum
    | \b\d[\d.,:+TZ-]*                                # a number, a date or a time
    """,
    re.VERBOSE | re.IGNORECASE,
)


def normalize_message(message: str) -> str:
    """Return what messages of one cause have in common: without keys, checksums, paths and numbers, in lower case.

    Args:
        message: the message of a failure, as the worker reported it; it may be empty.
    """
    return " ".join(_PARTICULARS.sub("…", message).lower().split()).rstrip(".")


def _digest(*terms):
    return hashlib.sha256("\0".join(terms).encode()).hexdigest()[:16]


def group_failures(failures: Iterable[Failure]) -> list[FailureGroup]:
    """Return failures in groups of one cause, the largest first, and of equal size the one with the newest failure.

    Args:
        failures: the newest first, as :func:`list_failures` returns them.
    """
    groups: dict[tuple[str, ...], list[Failure]] = {}
    for failure in failures:
        # Work whose worker is gone has no message but that.
        message = normalize_message(failure.message) or failure.kind
        # That of the kind: what is known of a group stays known when the state of another copy allows another act.
        groups.setdefault((REMEDIES[failure.kind], message, failure.place, failure.worker), []).append(failure)
    named = [FailureGroup(_digest(*terms), of_terms, _digest(*terms[:2])) for terms, of_terms in groups.items()]
    return sorted(named, key=lambda group: len(group.failures), reverse=True)

"""What workers find where they have written: compared with what should be there, and recorded as copies.

A copy counts as verified only if its checksum is that of the thing. One that differs is recorded as corrupt, so that
nobody reads it and nothing counts on it, until it is written again.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from django.db import models
from django.utils import timezone

from opsdb.database.checks import CHECKSUM_DIGITS
from opsdb.models import (
    ChecksumAlgorithm,
    DataLocation,
    FixityCheck,
    PhysicalCopy,
    PhysicalCopyStatus,
    Status,
    Verification,
)

from . import work
from .errors import Conflict, NotFound, Refused
from .states import move, name_of

SUMMARIZED = 3


@dataclass(frozen=True)
class Found:
    """What a worker found of a thing after writing it.

    Attributes:
        thing: the raw package, transfer package or data product; its key counts.
        checksum: lower-case hexadecimal.
        size_bytes: size in bytes; not compared when left out.
        checksum_algorithm: how it was computed; the thing's own.
    """

    thing: models.Model
    checksum: str
    size_bytes: int | None = None
    checksum_algorithm: str = ChecksumAlgorithm.SHA256

    def __str__(self):
        return f"{self.checksum_algorithm} {self.checksum}"


def require_legible(found: Found):
    """Refuse a report that can't be compared.

    Raises:
        Refused: the checksum is not what its algorithm makes, or the size is negative.
    """
    name = name_of(type(found.thing), found.thing.pk)
    digits = CHECKSUM_DIGITS.get(found.checksum_algorithm)
    if digits is None:
        raise Refused(
            f"{name}: unknown checksum algorithm {found.checksum_algorithm!r}; use one of {', '.join(CHECKSUM_DIGITS)}"
        )
    if not re.fullmatch(f"[0-9a-f]{digits}", found.checksum or ""):
        raise Refused(
            f"{name}: {found.checksum!r} is no {found.checksum_algorithm} checksum; "
            "report it in full, in lower-case hexadecimal"
        )
    if found.size_bytes is not None and found.size_bytes < 0:
        raise Refused(f"{name}: a size of {found.size_bytes} bytes can't be; report the size as written")


def disagreement(thing, found: Found) -> str:
    """Return how what was found differs from the thing's own facts; nothing when they agree.

    Raises:
        Refused: they can't be compared.
    """
    require_legible(found)
    name = name_of(type(thing), thing.pk)
    if thing.checksum is None:
        raise Refused(f"{name}: has no checksum to compare with; complete it first")
    if found.checksum_algorithm != thing.checksum_algorithm:
        raise Refused(
            f"{name}: can't compare {found.checksum_algorithm} with {thing.checksum_algorithm}; "
            f"report its {thing.checksum_algorithm} checksum"
        )
    if found.checksum != thing.checksum:
        return f"{name}: checksum is {found}, should be {thing.checksum}"
    if found.size_bytes not in (None, thing.size_bytes):
        return f"{name}: size is {found.size_bytes} bytes, should be {thing.size_bytes}"
    return ""


def disagreements(reports: Iterable[Found]) -> list[str]:
    """Return how what was found differs from what should be, a text for each, in the order of kinds and keys.

    Raises:
        NotFound: there is no such thing.
        Conflict: two reports of one thing differ.
        Refused: a report can't be compared.
    """
    problems = []
    for model, by_key in _by_model(reports).items():
        things = list(model._default_manager.filter(pk__in=by_key).order_by("pk"))
        _require_known(model, by_key, things)
        problems += filter(None, (disagreement(thing, by_key[thing.pk]) for thing in things))
    return problems


def _by_model(reports) -> dict[type[models.Model], dict]:
    """Return the reports by the key of their thing, these by its model in the order of the tables' names."""
    by_model = {}
    for found in reports:
        model, key = type(found.thing), found.thing.pk
        known = by_model.setdefault(model, {}).setdefault(key, found)
        if (str(known), known.size_bytes) != (str(found), found.size_bytes):
            raise Conflict(f"{name_of(model, key)}: is reported both as {known} and as {found}; report what is there")
    return dict(sorted(by_model.items(), key=lambda item: item[0]._meta.db_table))


def _require_known(model, by_key, things):
    if len(things) < len(by_key):
        unknown = next(iter(set(by_key) - {thing.pk for thing in things}))
        raise NotFound(f"{name_of(model, unknown)}: there is no such row, so no copy of it can have arrived")


def is_replay(item, *, worker: str, reports: Iterable[Found]) -> bool:
    """Return whether this worker completed this work item before with the same reports; if so, bring it up to date.

    Locks the item, so that of two reports at once the second sees what became of the first.
    """
    row = type(item)._default_manager.filter(pk=item.pk).select_for_update(no_key=True)
    if row.values_list("status", "claimed_by").first() != (Status.COMPLETED, worker) or disagreements(reports):
        return False
    item.refresh_from_db()
    return True


def failed_by(status: str, message: str, reports: Iterable[Found], missing: Iterable[str] = ()) -> bool:
    """Return whether work that nobody holds failed last because of what the reports say, and what is missing."""
    given_up = message != "" and status not in (Status.IN_PROGRESS, Status.COMPLETED)
    return given_up and message == summary([*missing, *disagreements(reports)])


def was_reported(transfer, found: Found, *, worker: str) -> bool:
    """Return whether a transfer was completed with this report, or failed because of it; if so, bring it up to date.

    Locks the transfer.

    Raises:
        Refused: the checksum can't be compared.
    """
    if is_replay(transfer, worker=worker, reports=[found]):
        return True
    now = type(transfer)._default_manager.get(pk=transfer.pk)
    if failed_by(now.status, now.failure_message, [found]):
        transfer.refresh_from_db()
        return True
    return False


def arrive(transfer, found: Found, *, worker: str) -> str:
    """Record what a worker found at the end of a transfer that it holds, and return how it differs from what should be.

    Locks the transfer, and as :func:`record_arrivals`.

    Raises:
        LostClaim: the worker holds the transfer no longer.
        InvalidTransition: the transfer is not in progress.
        Refused: the checksum can't be compared.
    """
    work.hold(transfer, worker=worker)
    return summary(record_arrivals(transfer.destination_location, [found], worker=worker))


def summary(problems: list[str]) -> str:
    """Return the first few of the problems as one text, and how many more there are."""
    more = f" (and {len(problems) - SUMMARIZED} more)" if len(problems) > SUMMARIZED else ""
    return "; ".join(problems[:SUMMARIZED]) + more


def record_new_copy(thing, location: DataLocation) -> PhysicalCopy:
    """Record the first copy of a thing that was made here.

    It is not verified: the thing has its checksum from these bytes, so there is nothing yet to compare them with.
    """
    return PhysicalCopy.objects.create(
        data_location=location,
        size_bytes=thing.size_bytes,
        checksum=thing.checksum,
        checksum_algorithm=thing.checksum_algorithm,
        **{thing._meta.db_table: thing},
    )


def record_arrivals(
    location: DataLocation, reports: Iterable[Found], *, worker: str, staged: bool = False
) -> list[str]:
    """Record the copies that a worker has written at a location, and return what disagrees, a text for each.

    What agrees is present, or staged, and verified; what does not is corrupt. A copy that was deleted, missing or
    corrupt there, or scheduled for deletion, has been written again. What differs, and what replaces an older copy,
    also leaves a fixity check.

    Locks, in the order of their keys, first the copies that the location has of these things, then the things.

    Args:
        location: where they were written.
        reports: what was found of each thing.
        worker: who found it.
        staged: whether the copies are there only for a while.

    Raises:
        NotFound: there is no such thing.
        Conflict: two reports of one thing differ.
        Refused: a report can't be compared.
        InvalidTransition: the copy there is being deleted at this moment.
    """
    return [
        problem
        for model, by_key in _by_model(reports).items()
        for problem in _record_arrivals_of(model, location, by_key, worker, staged)
    ]


def _record_arrivals_of(model, location, reports, worker, staged):
    target = model._meta.db_table
    copies = PhysicalCopy.objects.at(location).filter(**{f"{target}__in": list(reports)}).order_by("pk")
    # A deletion locks the copy, and then what it is a copy of.
    list(copies.select_for_update(no_key=True).values_list("pk"))
    things = list(
        model._default_manager.filter(pk__in=reports).order_by("pk").select_for_update(no_key=True, of=("self",))
    )
    _require_known(model, reports, things)
    known = {getattr(copy, f"{target}_id"): copy for copy in copies}
    now = timezone.now()
    new, differing, problems = [], [], []

    def check(copy, thing, found):
        return FixityCheck(
            copy=copy,
            checked_at=now,
            expected=thing.checksum,
            actual=found.checksum,
            algorithm=found.checksum_algorithm,
            ok=found.checksum == thing.checksum,
            checked_by=worker,
        )

    for thing in things:
        found = reports[thing.pk]
        problem = disagreement(thing, found)
        facts = {
            "checksum": found.checksum,
            "checksum_algorithm": found.checksum_algorithm,
            "size_bytes": thing.size_bytes if found.size_bytes is None else found.size_bytes,
            "verification": Verification.MISMATCH if problem else Verification.VERIFIED,
            "verified_at": now,
        }
        if problem:
            problems.append(problem)
        if copy := known.get(thing.pk):
            # The database asks for it when a copy is called verified again.
            check(copy, thing, found).save()
            _rewrite(copy, bool(problem), staged, facts)
            continue
        status = PhysicalCopyStatus.STAGED if staged and not problem else PhysicalCopyStatus.PRESENT
        copy = PhysicalCopy(data_location=location, status=status, **{target: thing}, **facts)
        new.append(copy)
        if problem:
            differing.append((copy, thing, found))
    PhysicalCopy.objects.bulk_create(new)
    for copy, thing, found in differing:
        check(copy, thing, found).save()
        move(copy, PhysicalCopyStatus.CORRUPT)
    return problems


def _rewrite(copy, differs, staged, facts):
    """Bring a copy's record up to date with the bytes that have replaced the old ones."""
    before = PhysicalCopyStatus(copy.status)
    if differs:
        after = PhysicalCopyStatus.CORRUPT
    elif staged and before != PhysicalCopyStatus.PRESENT:
        after = PhysicalCopyStatus.STAGED
    else:
        after = PhysicalCopyStatus.PRESENT
    facts |= {"deletion_requested_at": None, "deleted_at": None, "failure_message": ""}
    if before == after:
        PhysicalCopy.objects.filter(pk=copy.pk).update(**facts)
        return
    if after not in before.may_become:
        move(copy, PhysicalCopyStatus.PRESENT, **facts)
    move(copy, after, **facts)

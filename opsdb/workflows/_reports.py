"""What workers report of what they wrote, compared with what should be there."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import wraps
from typing import ParamSpec, TypeAlias, TypeVar

from django.db import models

from opsdb.database.checks import CHECKSUM_DIGITS
from opsdb.models import ChecksumAlgorithm, DataProduct, DataTransferPackage, RawDataPackage, Status
from opsdb.models.base import WorkItem
from opsdb.normalization import is_checksum_of, parse_checksum

from .errors import CompletionConflict, Conflict, NotFound, Refused, name_row

SUMMARIZED = 3
P = ParamSpec("P")
Result = TypeVar("Result")

Content: TypeAlias = RawDataPackage | DataTransferPackage | DataProduct


@dataclass(frozen=True)
class CopyReport:
    """What a worker found of a copy after writing it.

    Attributes:
        content: the package, bundle or product that was copied; its key counts.
        checksum: hexadecimal, also in capitals, or with the name of its algorithm before it (``sha256:…``).
        size_bytes: size in bytes; not compared when left out.
        checksum_algorithm: how it was computed; must be that of the content. A name before the checksum counts instead.
    """

    content: Content
    checksum: str
    size_bytes: int | None = None
    checksum_algorithm: str = ChecksumAlgorithm.SHA256

    def __post_init__(self) -> None:
        if (understood := parse_checksum(self.checksum)) is not None:
            object.__setattr__(self, "checksum", understood.digits)
            object.__setattr__(self, "checksum_algorithm", understood.algorithm or self.checksum_algorithm)

    def __str__(self) -> str:
        return f"{self.checksum_algorithm} {self.checksum}"


def require_comparable(report: CopyReport) -> None:
    """Refuse a report that can't be compared.

    Raises:
        Refused: the checksum has not the form of its algorithm, or the size is negative.
    """
    name = name_row(type(report.content), report.content.pk)
    if report.checksum_algorithm not in CHECKSUM_DIGITS:
        known = ", ".join(CHECKSUM_DIGITS)
        raise Refused(f"{name}: unknown checksum algorithm {report.checksum_algorithm!r}; use one of {known}")
    if not is_checksum_of(report.checksum or "", report.checksum_algorithm):
        raise Refused(
            f"{name}: {report.checksum!r} is no {report.checksum_algorithm} checksum; "
            "report it in full, in lower-case hexadecimal"
        )
    if report.size_bytes is not None and report.size_bytes < 0:
        raise Refused(f"{name}: a size of {report.size_bytes} bytes is impossible; report the size as written")


def mismatch(content: Content, report: CopyReport) -> str:
    """Return how a report differs from the recorded checksum and size; empty when they agree.

    Raises:
        Refused: they can't be compared.
    """
    require_comparable(report)
    name = name_row(type(content), content.pk)
    if content.checksum is None:
        raise Refused(f"{name}: has no checksum to compare with; complete it first")
    if report.checksum_algorithm != content.checksum_algorithm:
        raise Refused(
            f"{name}: can't compare {report.checksum_algorithm} with {content.checksum_algorithm}; "
            f"report its {content.checksum_algorithm} checksum"
        )
    if report.checksum != content.checksum:
        return f"{name}: checksum is {report}, should be {content.checksum}"
    if report.size_bytes not in (None, content.size_bytes):
        return f"{name}: size is {report.size_bytes} bytes, should be {content.size_bytes}"
    return ""


def mismatches(reports: Iterable[CopyReport]) -> list[str]:
    """Return how reports differ from what is recorded, one text for each mismatch, ordered by table and key.

    Raises:
        NotFound: there is no such row.
        Conflict: two reports of one row differ.
        Refused: a report can't be compared.
    """
    problems = []
    for model, by_key in by_model(reports).items():
        rows = list(model._default_manager.filter(pk__in=by_key).order_by("pk"))
        require_known(model, by_key, rows)
        problems += filter(None, (mismatch(row, by_key[row.pk]) for row in rows))
    return problems


def by_model(reports: Iterable[CopyReport]) -> dict[type[Content], dict[object, CopyReport]]:
    """Return the reports by the key of their content, these by its model in the order of the tables' names."""
    grouped: dict[type[Content], dict[object, CopyReport]] = {}
    for report in reports:
        model, key = type(report.content), report.content.pk
        known = grouped.setdefault(model, {}).setdefault(key, report)
        if (str(known), known.size_bytes) != (str(report), report.size_bytes):
            raise Conflict(f"{name_row(model, key)}: is reported both as {known} and as {report}; report what is there")
    return dict(sorted(grouped.items(), key=lambda item: item[0]._meta.db_table))


def require_known(model: type[models.Model], by_key: dict[object, CopyReport], rows: list[models.Model]) -> None:
    """Refuse reports of rows that do not exist."""
    if len(rows) < len(by_key):
        unknown = next(iter(set(by_key) - {row.pk for row in rows}))
        raise NotFound(
            f"{name_row(model, unknown)}: there is no such row, so no copy of it can have arrived; "
            "report what is recorded"
        )


def is_replay(item: WorkItem, *, worker: str, reports: Iterable[CopyReport]) -> bool:
    """Return whether this worker completed this work item before with the same reports; if so, refresh it.

    Locks the item, so that of two simultaneous reports the second sees the outcome of the first.

    Args:
        item: the work item.
        worker: name of the worker that reports.
        reports: what it reports.

    Raises:
        CompletionConflict: the item is completed, and a report differs from what is recorded.
        Refused: a checksum can't be compared.
    """
    reports = list(reports)
    row = type(item)._default_manager.filter(pk=item.pk).select_for_update(no_key=True)
    status, holder = row.values_list("status", "claimed_by").first() or (None, "")
    if status != Status.COMPLETED:
        return False
    if differing := mismatches(reports):
        raise CompletionConflict(item, f"{worker} then reported other values: {summarize(differing)}")
    if holder != worker:
        return False
    item.refresh_from_db()
    return True


def records_conflicts(complete: Callable[P, Result]) -> Callable[P, Result]:
    """Let a function that completes work record, outside its transaction, that a second report differs from the first.

    Nothing else changes: the failure message of the item describes it, and the overview shows it, until
    :func:`settle_conflict`.
    """

    @wraps(complete)
    def recording(*args: P.args, **kwargs: P.kwargs) -> Result:
        try:
            return complete(*args, **kwargs)
        except CompletionConflict as conflict:
            item = conflict.item
            completed = type(item)._default_manager.filter(pk=item.pk, status=Status.COMPLETED)
            completed.exclude(failure_message=conflict.what).update(failure_message=conflict.what)
            raise

    return recording


def failed_because_of(status: str, message: str, reports: Iterable[CopyReport], missing: Iterable[str] = ()) -> bool:
    """Return whether the last failure of work is the one that these reports and missing items cause.

    Args:
        status: state of the work; False for work that is in progress or completed.
        message: its failure message.
        reports: what was reported.
        missing: problems with what was not reported, which come first in the message.
    """
    given_up = message != "" and status not in (Status.IN_PROGRESS, Status.COMPLETED)
    return given_up and message == summarize([*missing, *mismatches(reports)])


def is_repeated_report(item: WorkItem, report: CopyReport, *, worker: str) -> bool:
    """Return whether a work item was completed with this report, or failed because of it; if so, refresh it.

    Locks the item.

    Raises:
        Refused: the checksum can't be compared.
    """
    if is_replay(item, worker=worker, reports=[report]):
        return True
    now = type(item)._default_manager.get(pk=item.pk)
    if failed_because_of(now.status, now.failure_message, [report]):
        item.refresh_from_db()
        return True
    return False


def summarize(problems: list[str]) -> str:
    """Return the first few problems as one text, and how many more there are."""
    more = f" (and {len(problems) - SUMMARIZED} more)" if len(problems) > SUMMARIZED else ""
    return "; ".join(problems[:SUMMARIZED]) + more

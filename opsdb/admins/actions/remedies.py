"""What is done about failures of many kinds at once: to each row the action of its own kind."""

from collections.abc import Sequence
from dataclasses import replace

from django.db.models import Model
from django.utils.translation import gettext_lazy as _

from opsdb.models import (
    DataTransfer,
    DataTransferPackage,
    ExecutedReductionStep,
    LongTermArchiveTransfer,
    PhysicalCopy,
    RawDataPackage,
    StagingJob,
)
from opsdb.row_labels import tables
from opsdb.workflows import Failure, FailureKind, Remedy

from ..kit.actions import Action
from ..kit.names import called_with_kind
from .archive import ARCHIVE_TRANSFER_ACTIONS, STAGING_JOB_ACTIONS
from .copies import BRING_BACK, REPAIR_COPY, REQUEST_VERIFICATION, RETRY_DELETION
from .data import PACKAGE_ACTIONS, TRANSFER_PACKAGE_ACTIONS
from .reduction import RUN_ACTIONS
from .transfer import RETRY_UNPACKING, TRANSFER_ACTIONS
from .work import SETTLE

ACTIONS = {
    RawDataPackage: PACKAGE_ACTIONS,
    DataTransferPackage: TRANSFER_PACKAGE_ACTIONS,
    DataTransfer: TRANSFER_ACTIONS,
    LongTermArchiveTransfer: ARCHIVE_TRANSFER_ACTIONS,
    StagingJob: STAGING_JOB_ACTIONS,
    ExecutedReductionStep: RUN_ACTIONS,
}
OF_COPIES = {
    Remedy.RESET: RETRY_DELETION,
    Remedy.REPAIR: REPAIR_COPY,
    Remedy.RESTORE: BRING_BACK,
    Remedy.VERIFY: REQUEST_VERIFICATION,
}
LABELS = {
    Remedy.RESET: (_("Reset"), _("What failed is tried again, with all its retries: remove the cause before.")),
    Remedy.SETTLE: (SETTLE.label, SETTLE.about),
    Remedy.REPAIR: (REPAIR_COPY.label, REPAIR_COPY.about),
    Remedy.RESTORE: (BRING_BACK.label, BRING_BACK.about),
    Remedy.VERIFY: (REQUEST_VERIFICATION.label, REQUEST_VERIFICATION.about),
}


def action_for(failure: Failure) -> Action | None:
    """Return what is done about a failure, or None where nothing helps."""
    model, kind = tables()[failure.table], failure.kind
    if model is PhysicalCopy:
        return OF_COPIES.get(failure.remedy)
    if kind in (FailureKind.UNPACKING_FAILED, FailureKind.UNPACKING_STALLED):
        return RETRY_UNPACKING
    if kind is FailureKind.CONFLICT:
        return SETTLE
    return next(action for action in ACTIONS[model] if action.name == "reset")


def combined(remedy: Remedy, treated: Sequence[tuple[Model, Action]]) -> Action:
    """Return the action that does to each of some rows what its own kind needs."""
    action_of = {(type(row), row.pk): action for row, action in treated}

    def run_all(rows, order):
        return [
            replace(outcome, model=type(row), name=called_with_kind(row))
            for row in rows
            for outcome in action_of[type(row), row.pk].perform([row], order)
        ]

    label, about = LABELS[remedy]
    return Action(name=str(remedy), label=label, about=about, run_all=run_all)

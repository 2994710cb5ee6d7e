"""What to do about a package or product of which no copy can be read, while something waits for it."""

from __future__ import annotations

from django.utils.translation import gettext as _

from opsdb.models import (
    DataProduct,
    ExecutedReductionStep,
    PhysicalCopy,
    PhysicalCopyStatus,
    RawDataPackage,
    StagingJob,
    Verification,
)
from opsdb.models.copies.querysets import GONE

from .._predicates import list_lost_inputs
from ..errors import name_row
from ._explanation import (
    EXPLAINERS,
    RECORD_FIXITY,
    REMAKE_PRODUCT,
    RESTORE_COPY,
    USE_NEWER_PRODUCTS,
    Explanation,
    waits,
)
from ._who import OPERATOR

CANCEL_DELETION = "opsdb.workflows.cancel_deletion"


def explain_lost(
    row: ExecutedReductionStep | StagingJob, content: RawDataPackage | DataProduct, instead: str
) -> Explanation:
    """Return the explanation of a row that waits for content of which no copy can be read.

    Args:
        row: a run or a staging job.
        content: what it waits for.
        instead: the step of an operator who gives the row up.
    """
    names = {"name": name_row(type(row), row.pk), "content": name_row(type(content), content.pk)}
    why = _("%(name)s: no copy of %(content)s can be read") % names
    if not content.copies.exists():
        answer = EXPLAINERS[type(content)](content)
        if not answer.done:
            return answer.because_of(row, row.status, why)
    step = instead
    for other in reversed([*_use_newer(row, content), *_list_steps(content)]):
        step = _("%(step)s, or %(other)s") % {"step": other, "other": step}
    return waits(row, row.status, why, step, OPERATOR)


def _use_newer(row, content) -> list[str]:
    """Return the step that lets a run read what supersedes a product, where that is so."""
    if not isinstance(row, ExecutedReductionStep) or not isinstance(content, DataProduct):
        return []
    if content.superseded_by_id is None:
        return []
    step = _("let it read %(newer)s instead (“Use the newer product” in the admin, or %(use)s)")
    return [step % {"newer": name_row(DataProduct, content.superseded_by_id), "use": USE_NEWER_PRODUCTS}]


def _list_steps(content) -> list[str]:
    """Return the steps that let content be read again, which depend on the state that its copies are in."""
    copies = PhysicalCopy.objects.of(content)
    names = {
        "content": name_row(type(content), content.pk),
        "cancel": CANCEL_DELETION,
        "restore": RESTORE_COPY,
        "remake": REMAKE_PRODUCT,
        "record": RECORD_FIXITY,
    }
    steps = []
    to_be_deleted = (PhysicalCopyStatus.DELETION_SCHEDULED, PhysicalCopyStatus.DELETION_FAILED)
    if copies.filter(status__in=to_be_deleted).exclude(verification=Verification.MISMATCH).exists():
        steps.append(_("keep a copy of %(content)s (“Cancel deletion” in the admin, or %(cancel)s)"))
    if copies.filter(status__in=GONE).exists():
        steps.append(_("bring a copy of %(content)s back (“Bring back” in the admin, or %(restore)s)"))
    if isinstance(content, DataProduct) and _can_be_made_again(content):
        steps.append(
            _("make %(content)s again (“Make again” in the admin, or %(remake)s) and use what supersedes it then")
        )
    if copies.filter(status=PhysicalCopyStatus.CORRUPT).exists():
        steps.append(
            _(
                "replace the bytes of a corrupt copy of %(content)s and record what is found then (“Record a fixity "
                "check” in the admin, or %(record)s)"
            )
        )
    return [step % names for step in steps]


def _can_be_made_again(product) -> bool:
    """Return whether remake_product() plans a run."""
    run = product.run
    is_open = run.step.runs.open().filter(sub_group_key=run.sub_group_key).exists()
    return product.superseded_by_id is None and not is_open and not list_lost_inputs(run)

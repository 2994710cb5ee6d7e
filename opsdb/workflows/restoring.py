"""Copies and products that come back: bytes that were found or sent again, and products that are made again."""

from __future__ import annotations

from django.contrib.auth.base_user import AbstractBaseUser

from opsdb.database.aliases import atomic
from opsdb.models import (
    DataProduct,
    ExecutedReductionStep,
    PhysicalCopy,
    PhysicalCopyStatus,
    ReductionStep,
    Verification,
)
from opsdb.models.copies.querysets import GONE

from ._predicates import list_lost_inputs, without_readable_copy
from .attribution import attributed_to
from .errors import InvalidTransition, NotFound, OpsdbError, Refused, name_row, translate_integrity_errors

# What a copy is that has come back: nothing has been compared with it yet.
CAME_BACK = {
    "status": PhysicalCopyStatus.PRESENT,
    "verification": Verification.UNVERIFIED,
    "verified_at": None,
    "deleted_at": None,
    "deletion_requested_at": None,
    "failure_message": "",
}


def restore_copy(copy: PhysicalCopy, *, user: AbstractBaseUser | None, reason: str) -> PhysicalCopy:
    """Record that the bytes of a deleted or missing copy are there again, and return the copy. For operators.

    It is present and unverified, and counts for no deletion until a fixity check agrees. Its retention begins anew.
    Raw data files come back as well when they are registered again. Idempotent. Locks the copy and its content.

    Args:
        copy: the copy; its key counts.
        user: the operator; ignored where the surrounding request names its user.
        reason: where the bytes come from, not empty; the history keeps it.

    Raises:
        NotFound: there is no such copy.
        OpsdbError: the reason is empty.
        InvalidTransition: the copy is there, or is being deleted.
    """
    name, present = name_row(PhysicalCopy, copy.pk), PhysicalCopyStatus.PRESENT
    if not reason.strip():
        raise OpsdbError(f"{name}: give the reason, where its bytes come from")
    with attributed_to(user, reason), translate_integrity_errors(), atomic():
        found = PhysicalCopy.objects.select_for_update(no_key=True).filter(pk=copy.pk).first()
        if found is None:
            raise NotFound(f"{name}: there is no such row; check its key")
        if found.status in GONE:
            PhysicalCopy.objects.filter(pk=copy.pk).update(**CAME_BACK)
        elif found.status != present:
            status = PhysicalCopyStatus(found.status)
            raise InvalidTransition(name, "status", status, present, status.may_become - {present})
    copy.refresh_from_db()
    return copy


def remake_product(product: DataProduct) -> ExecutedReductionStep:
    """Plan the run that makes a product again of which no copy can be read, and return the run. For operators.

    It has the step, the sub-group, the software version and the inputs of the run that made it; when it completes, its
    product supersedes this one. Locks the step, so that no manager plans a run for the sub-group meanwhile.

    Raises:
        Refused: the product can be read or is superseded, an input can't be read, or another run is open for the
            sub-group.
    """
    name, made_by = name_row(DataProduct, product.pk), product.run
    with atomic():
        ReductionStep.objects.select_for_update(no_key=True).get(pk=made_by.step_id)
        product.refresh_from_db()
        if product.superseded_by_id:
            raise Refused(f"{name}: is superseded by {name_row(DataProduct, product.superseded_by_id)}; use that one")
        if not without_readable_copy([product]):
            raise Refused(f"{name}: a copy of it can be read; use that one")
        other = made_by.step.runs.open().filter(sub_group_key=made_by.sub_group_key).first()
        if other:
            raise Refused(
                f"{name}: {name_row(ExecutedReductionStep, other.pk)} is open for the same sub-group; wait for it"
            )
        if lost := list_lost_inputs(made_by):
            raise Refused(
                f"{name}: can't be made again, because no copy of {name_row(type(lost[0]), lost[0].pk)} can be read; "
                "bring that back first"
            )
        run = ExecutedReductionStep.objects.create(
            step=made_by.step, sub_group_key=made_by.sub_group_key, software_version=made_by.software_version
        )
        run.input_packages.set(made_by.input_packages.all())
        run.input_products.set(made_by.input_products.all())
    return run

"""Stage 8, inputs: a run that has not begun reads newer products instead of those that they supersede.

Locks are taken in this order: runs, copies, products; rows of one table in the order of their ids.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.contrib.auth.base_user import AbstractBaseUser

from opsdb.database.aliases import atomic
from opsdb.models import DataProduct, ExecutedReductionStep, RunStatus

from .attribution import attributed_to
from .errors import OpsdbError, Refused, name_row
from .runs import _lock_run, _release_data

NOT_BEGUN = (RunStatus.PENDING, RunStatus.FAILED)
"""States in which the database lets the inputs of a run be changed, and the run may still begin."""


def use_newer_products(run: ExecutedReductionStep, *, user: AbstractBaseUser | None, reason: str) -> list[DataProduct]:
    """Let a run read, instead of each superseded product, the one that supersedes it last, and return these.

    What was staged of the earlier inputs is released. Idempotent: without a superseded input nothing changes, and
    nothing is returned. Locks the run, the copies that were staged for it alone, and the newer
    products.

    Args:
        run: a pending or failed run; its key counts. Reset a failed one afterwards.
        user: the operator; ignored where the surrounding request names its user.
        reason: why, not empty; the history keeps it.

    Raises:
        NotFound: there is no such run.
        OpsdbError: the reason is empty.
        Refused: the run has begun, or has ended otherwise than by failing.
    """
    name = name_row(ExecutedReductionStep, run.pk)
    if not reason.strip():
        raise OpsdbError(f"{name}: give the reason why it is to read newer products")
    with attributed_to(user, reason), atomic():
        locked = _lock_run(run)
        if locked.status not in NOT_BEGUN:
            raise Refused(
                f"{name}: is {locked.status}, and reads what it was planned with; its inputs change only while it is "
                f"{' or '.join(NOT_BEGUN)}: cancel it, or plan another run"
            )
        superseded = list(locked.input_products.filter(superseded_by__isnull=False).order_by("pk"))
        if not superseded:
            return []
        _release_data(locked)
        newer = _lock_newest(superseded)
        locked.input_products.remove(*superseded)
        locked.input_products.add(*newer)
    run.refresh_from_db()
    return newer


def _lock_newest(products: Iterable[DataProduct]) -> list[DataProduct]:
    """Lock and return the products that supersede others in the end; none of them can be superseded meanwhile."""
    keys = {product.superseded_by_id for product in products}
    while True:
        rows = DataProduct.objects.filter(pk__in=keys).order_by("pk").select_for_update(no_key=True)
        found = list(rows)
        later = {product.pk: product.superseded_by_id for product in found if product.superseded_by_id}
        if not later:
            return found
        keys = keys - later.keys() | {*later.values()}

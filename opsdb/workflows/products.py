"""Stage 8, products: runs register the data products that they made, and newer products supersede older ones.

Locks are taken in this order: runs, copies, products; rows of one table in the order of their ids.
"""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError

from opsdb.database.aliases import atomic
from opsdb.models import (
    ChecksumAlgorithm,
    DataLocation,
    DataProduct,
    DataProductType,
    ExecutedReductionStep,
    PhysicalCopy,
    PhysicalCopyStatus,
    RunStatus,
    Verification,
)
from opsdb.models.copies.querysets import GONE
from opsdb.row_labels import place_of

from ._reports import CopyReport, require_comparable
from .arrivals import record_new_copy
from .errors import Conflict, Refused, name_row
from .restoring import CAME_BACK
from .runs import _lock_run
from .states import move_state


def register_data_product(
    run: ExecutedReductionStep,
    *,
    type: DataProductType,
    name: str,
    relative_path: str,
    size_bytes: int,
    checksum: str,
    checksum_algorithm: str = ChecksumAlgorithm.SHA256,
    quality_metrics: dict[str, Any] | None = None,
    intermediate: bool = False,
    location: DataLocation | None = None,
) -> DataProduct:
    """Record a product of a run with its copy where it was written, and return the product.

    Idempotent; a copy there that was deleted or missing is present again, and unverified. The product of an earlier
    attempt of the run under the same path is replaced.
    Locks the run, and then the copies and the product if there was one.

    Args:
        run: a run that is running or collecting its results.
        type: what it is.
        name: its name.
        relative_path: path below the location, unique in the run.
        size_bytes: size in bytes.
        checksum: lower-case hexadecimal.
        checksum_algorithm: how it was computed.
        quality_metrics: measures of its quality, a JSON object.
        intermediate: whether it only serves later steps.
        location: where it was written; the processing location of the pipeline when left out.

    Raises:
        Conflict: this attempt of the run has registered another product under the path.
        Refused: the run is not running, or a value is impossible.
    """
    facts = {
        "type": type,
        "name": name,
        "size_bytes": size_bytes,
        "checksum": checksum,
        "checksum_algorithm": checksum_algorithm,
        "quality_metrics": quality_metrics or {},
        "intermediate": intermediate,
    }
    with atomic():
        locked = _lock_run(run)
        location = location or locked.step.pipeline.processing_location
        known = DataProduct.objects.of_run(locked).filter(relative_path=relative_path).first()
        is_running = locked.status in (RunStatus.RUNNING, RunStatus.COLLECTING_RESULTS)
        if known and is_running and locked.started_at and known.updated_at < locked.started_at:
            return _replace(known, location, facts)
        if known and all(getattr(known, fact) == value for fact, value in facts.items()):
            _bring_back(known, location)
            return known
        if known:
            raise Conflict(
                f"{name_row(DataProduct, known.pk)}: this run has registered {relative_path} with "
                f"{known.checksum_algorithm} {known.checksum}, {known.size_bytes} bytes; register what differs under "
                "another path"
            )
        if not is_running:
            raise Refused(
                f"{name_row(ExecutedReductionStep, run.pk)}: is {locked.status}; register products while their run is "
                f"{RunStatus.RUNNING} or {RunStatus.COLLECTING_RESULTS}"
            )
        product = DataProduct(run=locked, relative_path=relative_path, **facts)
        _require_valid(product)
        product.save()
        record_new_copy(product, location)
    return product


def _require_valid(product):
    require_comparable(CopyReport(product, product.checksum, product.size_bytes, product.checksum_algorithm))
    try:
        product.full_clean(exclude=["run"])
    except ValidationError as error:
        what = name_row(ExecutedReductionStep, product.run_id)
        raise Refused(f"{what}: product {product.relative_path!r}: {'; '.join(error.messages)}") from None


def _bring_back(product, location):
    """Record that a copy which was deleted or missing is there again, as its run reports it."""
    gone = PhysicalCopy.objects.of(product).at(location).filter(status__in=GONE).order_by("pk")
    list(gone.select_for_update(no_key=True).values_list("pk"))
    gone.update(**CAME_BACK)


def _replace(product, location, facts):
    """Give the product of an earlier attempt, and its copy, the facts of this one."""
    copies = PhysicalCopy.objects.filter(data_product=product)
    elsewhere = copies.existing().exclude(data_location=location).select_related("data_location__site").first()
    if elsewhere and facts["checksum"] != product.checksum:
        raise Conflict(
            f"{name_row(DataProduct, product.pk)}: an earlier attempt made it with another checksum, and it was copied "
            f"to {place_of(elsewhere.data_location)}; register the new one under another path"
        )
    here = list(copies.at(location).order_by("pk").select_for_update(no_key=True))
    # The checksum was computed from these bytes: there is nothing to compare it with yet.
    copied = {fact: facts[fact] for fact in ("size_bytes", "checksum", "checksum_algorithm")}
    copied |= {"verification": Verification.UNVERIFIED, "verified_at": None}
    for copy in here:
        if copy.status in (PhysicalCopyStatus.PRESENT, PhysicalCopyStatus.STAGED):
            PhysicalCopy.objects.filter(pk=copy.pk).update(**copied)
        else:
            move_state(copy, PhysicalCopyStatus.PRESENT, **copied)
    for fact, value in facts.items():
        setattr(product, fact, value)
    _require_valid(product)
    product.save()
    if not here:
        record_new_copy(product, location)
    return product


def supersede_product(product: DataProduct, *, by: DataProduct) -> DataProduct:
    """Record that a product is superseded by another, and return it. Idempotent.

    Locks both products in the order of their ids.

    Args:
        product: the product that is no longer current.
        by: the product that replaces it, not superseded itself.

    Raises:
        Conflict: it is superseded by a third one.
        Refused: the other is itself superseded, or is this one.
    """
    name = name_row(DataProduct, product.pk)
    with atomic():
        both = DataProduct.objects.filter(pk__in=[product.pk, by.pk]).order_by("pk").select_for_update(no_key=True)
        locked = {row.pk: row for row in both}
        if len(locked) < 2:
            raise Refused(
                f"{name}: can't be superseded by {name_row(DataProduct, by.pk)}; name another product that exists"
            )
        before = locked[product.pk].superseded_by_id
        if before not in (None, by.pk):
            raise Conflict(f"{name}: is superseded by {name_row(DataProduct, before)}; supersede that one")
        if (replacement := locked[by.pk].superseded_by_id) is not None:
            raise Refused(
                f"{name_row(DataProduct, by.pk)}: is itself superseded by {name_row(DataProduct, replacement)}; "
                "name that one"
            )
        DataProduct.objects.filter(pk=product.pk).update(superseded_by=by.pk)
    product.refresh_from_db()
    return product

"""A second report of completed work that differs: said, recorded and shown, and nothing else changes."""

import pytest

from opsdb.models import PhysicalCopy
from opsdb.testing.nights import WORKER, WRONG, build_world, digest, found
from opsdb.workflows import (
    CompletionConflict,
    Refused,
    claim_archive_transfers,
    claim_staging,
    claim_transfers,
    complete_archive_transfer,
    complete_bundling,
    complete_packaging,
    complete_staging,
    complete_transfer,
    complete_unpacking,
    explain_row,
    get_overview,
    request_staging,
    work,
)
from tests.worlds import shared_world

pytestmark = pytest.mark.django_db


@shared_world
def world():
    return build_world()


def disputed(item, again):
    """Report otherwise, see what is said and recorded, and settle it."""
    copies = list(PhysicalCopy.objects.order_by("pk").values())
    with pytest.raises(
        CompletionConflict, match=f"{item.pk}: was completed by {WORKER} at .*; another then reported other values"
    ) as said:
        again("another")
    assert WRONG in str(said.value) and "should be" in str(said.value) and "nothing was changed" in str(said.value)
    item.refresh_from_db()
    assert (item.status, item.claimed_by) == ("completed", WORKER)
    assert list(PhysicalCopy.objects.order_by("pk").values()) == copies
    name = f"{item._meta.db_table} {item.pk}"
    troubles = {trouble.row: trouble.message for trouble in get_overview().failures}
    assert troubles[name].startswith("conflict: another then reported other values")
    answer = explain_row(item)
    assert "was completed, and a later report differs: another then reported" in " ".join(answer.why)
    assert not answer.done and answer.who != "nobody"
    assert ("settle the conflict (“Settle conflict”" in answer.next_step) == (answer.who == "operator")
    work.settle_conflict(item)
    assert "a later report differs" not in " ".join(explain_row(item).why)
    assert name not in {trouble.row for trouble in get_overview().failures}


def test_every_kind_of_work_says_what_was_reported_before(world):
    [package] = world.made_packages()
    size = package.size_bytes
    buffer = world.ccat_buffer
    disputed(
        package,
        lambda worker: complete_packaging(package, worker=worker, location=buffer, size_bytes=size, checksum=WRONG),
    )
    bundle = world.made_bundle()
    disputed(
        bundle,
        lambda worker: complete_bundling(bundle, worker=worker, size_bytes=bundle.size_bytes, checksum=WRONG),
    )
    transfer = world.begun_transfer()
    complete_transfer(transfer, worker=WORKER, checksum=transfer.data_transfer_package.checksum)
    disputed(transfer, lambda worker: complete_transfer(transfer, worker=worker, checksum=WRONG))
    world.unpack()
    carried = transfer.data_transfer_package.raw_data_packages.all()
    disputed(
        transfer,
        lambda worker: complete_unpacking(
            transfer, worker=worker, reports=[found(package, WRONG) for package in carried]
        ),
    )


def test_so_do_archiving_and_staging(world):
    package = world.archived_package()
    moved = package.archive_transfers.order_by("pk").first()
    disputed(moved, lambda worker: complete_archive_transfer(moved, worker=worker, checksum=WRONG))
    job = world.staged(package)
    disputed(job, lambda worker: complete_staging(job, worker=worker, reports=[found(package, WRONG)]))
    assert complete_staging(job, worker=WORKER, reports=[found(package, digest(package))]) == job


def test_only_completed_work_has_a_conflict_to_settle(world):
    transfer = world.begun_transfer()
    with pytest.raises(Refused, match="is in_progress, not completed"):
        work.settle_conflict(transfer)
    assert (
        claim_transfers(worker=WORKER) == claim_archive_transfers(worker=WORKER) == claim_staging(worker=WORKER) == []
    )
    package = world.archived_package()
    job = request_staging(location=world.processing, packages=[package])
    with pytest.raises(Refused):
        work.settle_conflict(job)

"""The worker of docs/integration.md carries real bytes, and reports what goes wrong."""

import hashlib
from pathlib import Path

import pytest

from opsdb.models import DiskDataLocation
from opsdb.testing.nights import build_world
from opsdb.workflows import bundle_raw_data_packages, fail_transfer, plan_transfers, reset_transfer, work
from tests.commands import ROOT
from tests.documentation.pages import blocks_of

[WORKER] = [
    block.text
    for block in blocks_of(ROOT / "docs" / "integration.md")
    if block.language == "python" and "claim_transfers" in block.text
]


@pytest.fixture
def transfer(db, tmp_path):
    """A planned transfer of a bundle whose bytes are there, between locations that are folders."""
    world = build_world()
    for location in DiskDataLocation.objects.all():
        DiskDataLocation.objects.filter(pk=location.pk).update(path=str(tmp_path / str(location.pk)))
    world.made_packages()
    [bundle] = bundle_raw_data_packages(world.ccat_buffer)
    content = b"tar" * 1_000
    origin = world.ccat_buffer.specific
    source = Path(DiskDataLocation.objects.get(pk=origin.pk).path, bundle.relative_path)
    source.parent.mkdir(parents=True)
    source.write_bytes(content)
    world.make_bundle(bundle, checksum=hashlib.sha256(content).hexdigest())
    [planned, *_] = plan_transfers()
    return planned, source


@pytest.fixture
def worker():
    names = {}
    exec(compile(WORKER, "integration.md", "exec"), names)  # noqa: S102 - our own page
    return names


def test_it_claims_carries_and_completes(transfer, worker):
    planned, source = transfer
    worker["work"]()
    planned.refresh_from_db()
    assert (planned.status, planned.claimed_by) == ("completed", worker["WORKER"])
    target = Path(planned.destination_location.specific.path, planned.data_transfer_package.relative_path)
    assert target.read_bytes() == source.read_bytes()
    assert planned.heartbeat_at is not None


def test_it_reports_what_it_can_not_read(transfer, worker):
    planned, source = transfer
    source.unlink()
    worker["work"]()
    planned.refresh_from_db()
    assert (planned.status, planned.retry_count) == ("pending", 1)
    assert "No such file" in planned.failure_message


def test_damaged_bytes_make_the_transfer_fail(transfer, worker):
    planned, source = transfer
    source.write_bytes(b"damaged")
    worker["work"]()
    planned.refresh_from_db()
    assert planned.status in {"pending", "failed"} and "checksum" in planned.failure_message


def test_it_leaves_what_was_taken_from_it(transfer, worker, monkeypatch):
    planned, _ = transfer

    def taken(claimed, **options):
        fail_transfer(claimed, worker=worker["WORKER"], message="stopped by an operator", retryable=False)
        reset_transfer(claimed)
        work.claim(type(claimed).objects.filter(pk=claimed.pk), limit=1, worker="somebody else")

    original = worker["carry"]
    worker["carry"] = lambda claimed: taken(claimed) or original(claimed)
    worker["work"]()
    planned.refresh_from_db()
    assert (planned.status, planned.claimed_by) == ("in_progress", "somebody else")

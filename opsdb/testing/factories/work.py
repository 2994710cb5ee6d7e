"""States of work items, and what belongs to each of them."""

from datetime import timedelta

import factory

from opsdb.models import Status

from .base import EPOCH, OpsFactory, change, checksum


class WorkItemFactory(OpsFactory):
    """Pending work, or in the state that a trait names."""

    class Meta:
        abstract = True

    class Params:
        scheduled = factory.Trait(status=Status.SCHEDULED, scheduled_at=EPOCH)
        in_progress = factory.Trait(
            status=Status.IN_PROGRESS,
            claimed_by="worker",
            scheduled_at=EPOCH,
            started_at=EPOCH + timedelta(minutes=1),
            heartbeat_at=EPOCH + timedelta(minutes=2),
        )
        completed = factory.Trait(
            status=Status.COMPLETED,
            started_at=EPOCH + timedelta(minutes=1),
            finished_at=EPOCH + timedelta(minutes=3),
        )
        failed = factory.Trait(
            status=Status.FAILED,
            started_at=EPOCH + timedelta(minutes=1),
            finished_at=EPOCH + timedelta(minutes=3),
            failure_message="disk full",
        )


def make(package):
    """Let a worker make a package from what has entered it."""
    change(package, status=Status.IN_PROGRESS, started_at=EPOCH + timedelta(minutes=1))
    change(
        package,
        status=Status.COMPLETED,
        finished_at=EPOCH + timedelta(minutes=3),
        size_bytes=1_500,
        checksum=checksum(package.pk.int),
    )
    package.refresh_from_db()


class PackageFactory(WorkItemFactory):
    """A package; it has a size and a checksum once it is completed."""

    class Meta:
        abstract = True

    relative_path = factory.LazyAttribute(lambda package: f"packages/{package.name}")

    class Params:
        sealed = factory.Trait(size_bytes=1_500, checksum=factory.Sequence(checksum))
        completed = factory.Trait(
            status=Status.COMPLETED,
            started_at=EPOCH + timedelta(minutes=1),
            finished_at=EPOCH + timedelta(minutes=3),
            sealed=True,
        )

"""Copies that may go, and what can hold them back; and ways to try what is forbidden."""

from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from types import SimpleNamespace

from django.db import IntegrityError, connection, transaction
from django.db.models import ProtectedError
from django.utils import timezone

from opsdb.models import (
    DataLocation,
    DataTransferPackage,
    PackageState,
    PhysicalCopy,
    RawDataFile,
    RawDataPackage,
    Status,
)
from opsdb.testing.factories import (
    DataTransferPackageFactory,
    DiskDataLocationFactory,
    RawDataFileFactory,
    RawDataPackageFactory,
    TapeDataLocationFactory,
)
from opsdb.testing.factories.base import checksum
from opsdb.testing.factories.verifying import verify
from tests.databases import as_owner

RIGHT, WRONG = checksum(7), checksum(8)
SIZE = 1_500


@contextmanager
def without_rules(*models):
    """Take the triggers of tables away for a moment, to reach a state that the rules would not let come about."""
    tables = [connection.ops.quote_name(model._meta.db_table) for model in models]
    with as_owner(), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table in tables:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        yield
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table in tables:
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")


def force(row, **changes):
    """Change a row past all rules but the CHECKs."""
    with without_rules(type(row)._meta.concrete_model):
        type(row)._base_manager.filter(pk=row.pk).update(**changes)
    row.refresh_from_db()
    return row


def refusal_of(attempt):
    """Return how the database refuses an attempt; None when it does not. Nothing is left of it either way."""
    try:
        with transaction.atomic():
            attempt()
            with connection.cursor() as cursor:
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            transaction.set_rollback(True)
    except ProtectedError as error:
        # Django looks for what points to the rows and does not get as far as the rule.
        return SimpleNamespace(constraint_name="protected", message_primary=str(error))
    except IntegrityError as error:
        return error.__cause__.diag
    return None


def sql(statement, *parameters):
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)


def complete(package):
    """Make a package: it has a checksum and a size, and nothing enters or leaves it any more."""
    rows = type(package).objects.filter(pk=package.pk)
    now = timezone.now()
    rows.update(status=Status.IN_PROGRESS, started_at=now)
    rows.update(status=Status.COMPLETED, finished_at=now, checksum=RIGHT, size_bytes=SIZE)
    package.refresh_from_db()
    return package


@dataclass
class Story:
    """A raw file in a package in a bundle, all made, and copies of them at every kind of location.

    Everything is archived, nothing is open, and no location keeps its data, so that every copy may go but that in
    the archive.
    """

    source: DataLocation
    buffer: DataLocation
    archive: DataLocation
    processing: DataLocation
    file: RawDataFile
    package: RawDataPackage
    bundle: DataTransferPackage
    file_copy: PhysicalCopy
    package_copy: PhysicalCopy
    bundle_copy: PhysicalCopy
    staged_copy: PhysicalCopy
    archive_copy: PhysicalCopy

    @property
    def deletable_copies(self):
        return [self.file_copy, self.package_copy, self.bundle_copy, self.staged_copy]


def tell_story(retention_days=0) -> Story:
    file = RawDataFileFactory()
    source = DataLocation.objects.get(pk=file.source_location_id)
    buffer, archive, processing = (
        DataLocation.objects.get(pk=location.pk)
        for location in (
            DiskDataLocationFactory(),
            TapeDataLocationFactory(archive=True),
            DiskDataLocationFactory(processing=True),
        )
    )
    DataLocation.objects.filter(pk__in=[source.pk, buffer.pk, archive.pk, processing.pk]).update(
        retention_days=retention_days
    )
    package = RawDataPackageFactory(
        executed_obs_unit=file.executed_obs_unit, instrument_module=file.instrument_module, file_count=1
    )
    RawDataFile.objects.filter(pk=file.pk).update(raw_data_package=package)
    complete(package)
    bundle = DataTransferPackageFactory(origin_location=buffer)
    RawDataPackage.objects.filter(pk=package.pk).update(data_transfer_package=bundle)
    complete(bundle)
    copy = PhysicalCopy.objects.create
    story = Story(
        source=source,
        buffer=buffer,
        archive=archive,
        processing=processing,
        file=file,
        package=package,
        bundle=bundle,
        file_copy=copy(data_location=source, raw_data_file=file, size_bytes=file.size_bytes, checksum=file.checksum),
        package_copy=copy(data_location=buffer, raw_data_package=package, size_bytes=SIZE, checksum=RIGHT),
        bundle_copy=copy(data_location=buffer, data_transfer_package=bundle, size_bytes=SIZE, checksum=RIGHT),
        staged_copy=verify(copy(data_location=processing, raw_data_package=package, status="staged")),
        archive_copy=verify(copy(data_location=archive, raw_data_package=package)),
    )
    RawDataPackage.objects.filter(pk=package.pk).update(state=PackageState.ARCHIVED)
    for row in (file, package, *story.deletable_copies, story.archive_copy):
        row.refresh_from_db()
    return story


def archive_again(story) -> PhysicalCopy:
    """Give the package a verified copy in another archive."""
    archive = TapeDataLocationFactory(archive=True)
    return verify(PhysicalCopy.objects.create(data_location=archive, raw_data_package=story.package))


def long_ago():
    return timezone.now() - timedelta(days=400)

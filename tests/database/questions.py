"""The questions that the indexes of big tables serve, each as the project asks it.

By the names that the indexes are declared with (``serves``).
"""

from collections.abc import Callable

from django.db import connection
from django.db.models import Model

from opsdb.admins.copy_filters import VerificationFilter, first_of_each
from opsdb.admins.pages.observation.data import FILES_BY_MODULE, FILES_COUNTED, FILES_SHOWN
from opsdb.database.indexes import contains
from opsdb.events import OF_TRANSACTION
from opsdb.filters import filterset_for
from opsdb.models import (
    ChangeLog,
    DataLocation,
    DataProductPhysicalCopy,
    DataTransferLog,
    DataTransferPackagePhysicalCopy,
    FixityCheck,
    LongTermArchiveTransfer,
    LongTermArchiveTransferLog,
    PhysicalCopy,
    RawDataFile,
    RawDataPackage,
    RawDataPackagePhysicalCopy,
    User,
)
from opsdb.workflows import claim_archive_transfers, claim_deletions, claim_packaging, package_raw_data_files
from opsdb.workflows.overview.queries import COPIES, FAILURES, FILES, STATES

Question = Callable[[], object]
LIMIT = 50
OF_ONE_KIND = {
    "raw_data_package": RawDataPackagePhysicalCopy,
    "data_transfer_package": DataTransferPackagePhysicalCopy,
    "data_product": DataProductPhysicalCopy,
}


def page(model: type[Model], *names: str, **asked: str) -> Question:
    """Return the question for a page of what a filter set finds: parameters by name are given the value of a row."""

    def ask():
        row = model._default_manager.filter(**{f"{name}__isnull": False for name in names}).order_by("pk")[0]
        values = {name: str(row.serializable_value(name)) for name in names}
        filterset = filterset_for(model)(values | asked)
        assert filterset.is_valid(), filterset.errors
        return filterset.page(size=LIMIT).rows

    return ask


def statement(sql: str, **parameters: object) -> Question:
    """Return the question that is a statement."""

    def ask():
        with connection.cursor() as cursor:
            cursor.execute(sql, parameters or None)

    return ask


def data_sets(condition: str) -> Question:
    """Return a question of the virtual observatory for raw data, which it asks the view."""
    return statement(f"SELECT * FROM obscore WHERE dataproduct_type IS NOT NULL AND {condition}")  # noqa: S608


def files_by_module() -> None:
    execution = RawDataFile.objects.order_by("pk")[0].executed_obs_unit_id
    statement(FILES_BY_MODULE, execution=execution, counted=FILES_COUNTED + 1, shown=FILES_SHOWN)()


def source() -> DataLocation:
    return RawDataFile.objects.order_by("pk")[0].source_location


def buffer() -> DataLocation:
    """A buffer where copies are kept and checked for a time."""
    location = DataLocation.objects.buffers().filter(copies__isnull=False).order_by("pk")[0]
    location.retention_days = location.fixity_interval_days = 30
    location.save()
    return location


def first_copies(state: str) -> Question:
    """Return the question of the admin's list of copies for those in a state of verification, at one location."""
    return lambda: first_of_each(VerificationFilter.walks[state], [buffer().pk], LIMIT)


def changes_by_somebody() -> None:
    page(ChangeLog, user=str(User.objects.order_by("pk")[0].pk))()


def changes_of_transaction() -> None:
    with connection.cursor() as cursor:
        cursor.execute(OF_TRANSACTION, [ChangeLog.objects.latest("pk").transaction_id, 0])


QUESTIONS: dict[str, Question] = {
    "list of files of an observation": page(RawDataFile, "executed_obs_unit"),
    "numbers of files of an observation by module": files_by_module,
    "list of files of a module": page(RawDataFile, "instrument_module"),
    "list of files of a source location": page(RawDataFile, "source_location"),
    "list of files of a package": page(RawDataFile, "raw_data_package"),
    "file of a checksum": page(RawDataFile, checksum="0123456789"),
    "file of a name": page(RawDataFile, file_name="one.fits"),
    "files to be packaged": lambda: package_raw_data_files(source()),
    "number of files in no package": statement(FILES),
    "list of packages of a module": page(RawDataPackage, "instrument_module"),
    "list of packages of a bundle": page(RawDataPackage, "data_transfer_package"),
    "package of a checksum": page(RawDataPackage, checksum="0123456789"),
    "packages of a part of a path": lambda: list(
        RawDataPackage.objects.filter(contains("relative_path", "deep56_280")).order_by()[:LIMIT]
    ),
    "packages to be made": lambda: claim_packaging(worker="worker"),
    "packages made twice": statement(FAILURES),
    "packages to be bundled": lambda: list(
        RawDataPackage.objects.awaiting_bundling(buffer()).order_by("created_at")[:LIMIT]
    ),
    "numbers of packages by state of work": statement(STATES),
    "numbers of packages by state": statement(STATES),
    "list of copies at a location": page(PhysicalCopy, "data_location"),
    "list of copies in a state": page(PhysicalCopy, status="missing"),
    "list of copies in a state at a location": page(PhysicalCopy, "data_location", "status"),
    "list of copies that differ": page(PhysicalCopy, verification="mismatch"),
    **{f"list of copies of a {name}": page(model) for name, model in OF_ONE_KIND.items()},
    **{f"list of copies of a {name}, in a state": page(model, "status") for name, model in OF_ONE_KIND.items()},
    **{
        f"list of copies of a {name}, at a location": page(model, "data_location")
        for name, model in OF_ONE_KIND.items()
    },
    "numbers of copies by location and state": statement(COPIES),
    "copies whose deletion a worker claims": lambda: claim_deletions(buffer(), limit=LIMIT),
    "copies that may be deleted": lambda: list(PhysicalCopy.objects.deletable(buffer(), limit=LIMIT)),
    "copies due for a check": lambda: list(PhysicalCopy.objects.due_for_fixity(buffer(), limit=LIMIT)),
    "copies that could not be read": statement(FAILURES),
    "first copies that were never compared": first_copies("unverified"),
    "first copies that were verified the longest ago": first_copies("verified"),
    "first copies that could not be read": first_copies("not_read"),
    "data sets of an observation": data_sets("obs_id = 'one'"),
    "data sets of a collection since a time": data_sets("obs_collection = 'one' AND t_min > 61200"),
    "data sets of a period": data_sets("t_min BETWEEN 61200 AND 61201"),
    "data sets of a target": data_sets("target_name = 'one'"),
    "data sets of a place": data_sets("s_dec BETWEEN -24.5 AND -24.4 AND s_ra BETWEEN 248.1 AND 248.2"),
    "list of checks of a period": page(FixityCheck, checked_at_after="2026-06-12"),
    "list of checks that failed": page(FixityCheck, ok="false"),
    "log of a transfer": page(DataTransferLog, "data_transfer"),
    "list of archive transfers that failed": page(LongTermArchiveTransfer, status="failed"),
    "archive transfers to be carried": lambda: claim_archive_transfers(worker="worker"),
    "archive transfers reported twice": statement(FAILURES),
    "list of archive transfers from a location": page(LongTermArchiveTransfer, "origin_location"),
    "list of archive transfers to a location": page(LongTermArchiveTransfer, "destination_location"),
    "archive transfers of a package": page(LongTermArchiveTransfer, "raw_data_package"),
    "log of an archive transfer": page(LongTermArchiveTransferLog, "long_term_archive_transfer"),
    "history of a row": lambda: list(ChangeLog.objects.of(RawDataPackage.objects.order_by("pk")[0])[:LIMIT]),
    "list of changes of a period": page(ChangeLog, changed_at_after="2026-06-12"),
    "list of changes by a user": changes_by_somebody,
    "changes of a transaction": changes_of_transaction,
}

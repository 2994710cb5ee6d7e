"""What a project that uses ops-db may write, and ``mypy --strict`` must understand."""

from collections.abc import Iterable
from datetime import date, timedelta

from django.db import IntegrityError

import opsdb
from opsdb.access import RefusalReason, TokenRefused, TokenUser, assign_roles, authenticate_token, permissions_named
from opsdb.errors import check_deferred_rules, explain
from opsdb.filters import RawDataFileFilterSet, filterset_for
from opsdb.models import (
    ApiToken,
    DataTransfer,
    DeletionRequest,
    FixedSource,
    ObsCore,
    ObsUnit,
    PhysicalCopy,
    RawDataFile,
    RawDataPackage,
    Source,
    StagingJob,
    Status,
    User,
)
from opsdb.workflows import (
    OpsdbError,
    Overview,
    approve_deletion,
    claim_transfers,
    fail_transfer,
    get_overview,
    reset_transfer,
)


def units_to_observe(program: str) -> list[str]:
    """Querysets of ours can be chained, and end with rows of their model."""
    units: Iterable[ObsUnit] = ObsUnit.objects.in_program(program).available().by_priority()
    return [unit.name for unit in units]


def names_in_script(url: str) -> list[str]:
    """Scripts connect, and take frames and tables of any queryset."""
    opsdb.setup(url)
    frame = ObsUnit.objects.in_program("GEco").to_dataframe("name", limit=None)
    table = ObsUnit.objects.available().to_qtable("name", "priority")
    return [*frame.columns, *table.colnames]


def released(night: date) -> list[str]:
    return [data_set.obs_id for data_set in ObsCore.objects.public().night(night)]


def near(ra_deg: float, dec_deg: float) -> FixedSource | None:
    return FixedSource.objects.cone_search(ra_deg, dec_deg, 0.5).first()


def stalled_copies() -> int:
    return PhysicalCopy.objects.deletion_stalled(older_than=timedelta(hours=1)).count()


def open_transfers() -> list[int]:
    transfers = DataTransfer.objects.claimable().open()
    return [transfer.pk for transfer in transfers if transfer.status in Status.claimable()]


def unpackaged_files() -> int:
    return RawDataFile.objects.unpackaged().count() + RawDataPackage.objects.awaiting_bundling().count()


def owner_of(secret: str) -> str | None:
    token = ApiToken.objects.from_secret(secret)
    return token.user.get_username() if token else None


def kind_of(source: Source) -> str:
    return source.specific.name


def jobs() -> Iterable[StagingJob]:
    return StagingJob.objects.active().open()


def move_one(worker: str) -> DataTransfer | None:
    """The front door is typed as its modules are."""
    for transfer in claim_transfers(worker=worker, limit=1):
        return fail_transfer(transfer, worker=worker, message="no route to host")
    return None


def approve(request: DeletionRequest, user: User) -> str:
    try:
        return approve_deletion(request, user=user).status
    except OpsdbError as error:
        return str(error)


def try_again(transfer: DataTransfer) -> tuple[DataTransfer, Overview]:
    return reset_transfer(transfer), get_overview()


def files_of_night(night: str) -> list[str]:
    """Rows of a filter set are those of its model."""
    filterset = RawDataFileFilterSet({"night": night}, refuse_unknown=True, allowed=["page"])
    if not filterset.is_valid():
        return [str(error) for errors in filterset.errors.values() for error in errors]
    return [file.relative_path for file in filterset.qs[:50]]


class CalibrationFiles(RawDataFileFilterSet):
    refuse_unknown = True


def first_page(parameters: dict[str, str]) -> tuple[int, str]:
    page = CalibrationFiles(parameters, RawDataFile.objects.unpackaged()).page(size=20)
    return len(page.rows), page.next


def parameters_of_transfers() -> list[str]:
    return list(filterset_for(DataTransfer).base_filters)


def sign_in(secret: str, ip: str | None) -> TokenUser | RefusalReason:
    try:
        return TokenUser(authenticate_token(secret, ip=ip))
    except TokenRefused as error:
        return error.reason


def roles(user: User, teams: list[str]) -> set[str]:
    given, taken = assign_roles(user, teams, mapping={"operators": "admin"})
    return given | taken | set(permissions_named("read:observations"))


def rename(unit: ObsUnit, name: str) -> tuple[str, str | None, int]:
    try:
        unit.name = name
        unit.save()
        check_deferred_rules()
    except IntegrityError as error:
        if refusal := explain(error):
            return refusal.text, refusal.field, refusal.status
        raise
    return "", None, 200

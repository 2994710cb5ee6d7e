import factory

from opsdb.models import DataTransfer, DataTransferLog, DataTransferRoute, RouteType, StageActivity, Status, WorkStage

from .base import EPOCH, OpsFactory, OwnersFactory, same
from .data import DataTransferPackageFactory
from .locations import DiskDataLocationFactory, SiteFactory
from .work import WorkItemFactory


class DataTransferRouteFactory(OpsFactory):
    class Meta:
        model = DataTransferRoute

    name = factory.Sequence("route {}".format)
    origin_site = factory.SubFactory(SiteFactory)
    destination_site = factory.SubFactory(SiteFactory)
    method = "bbcp"

    class Params:
        relay = factory.Trait(route_type=RouteType.RELAY, relay_site=factory.SubFactory(SiteFactory))
        custom = factory.Trait(
            route_type=RouteType.CUSTOM,
            origin_location=factory.SubFactory(DiskDataLocationFactory, site=same("origin_site")),
            destination_location=factory.SubFactory(DiskDataLocationFactory, site=same("destination_site")),
        )


class DataTransferFactory(WorkItemFactory):
    class Meta:
        model = DataTransfer

    data_transfer_package = factory.SubFactory(DataTransferPackageFactory, completed=True)
    origin_location = factory.SelfAttribute("data_transfer_package.origin_location")
    destination_location = factory.SubFactory(DiskDataLocationFactory)
    method = "bbcp"

    class Params:
        unpacked = factory.Trait(completed=True, unpack_status=Status.COMPLETED, unpacked_at=EPOCH)
        unpack_failed = factory.Trait(completed=True, unpack_status=Status.FAILED, unpack_failure_message="not a tar")


class DataTransferLogFactory(OpsFactory):
    class Meta:
        model = DataTransferLog

    data_transfer = factory.SubFactory(DataTransferFactory)
    message = "began"


class StageActivityFactory(OwnersFactory):
    class Meta:
        model = StageActivity

    stage = WorkStage.TRANSFER
    begins_at = EPOCH
    added = 1
    completed = 1
    failures = 0
    bytes = 1_000

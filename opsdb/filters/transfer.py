"""How data get from site to site."""

from django.utils.translation import gettext_lazy as _

from opsdb.models import DataTransfer, DataTransferLog, DataTransferRoute

from .base import OpsFilterSet, Size
from .related import site

__all__ = ["DataTransferRouteFilterSet", "DataTransferFilterSet", "DataTransferLogFilterSet"]


class DataTransferRouteFilterSet(OpsFilterSet[DataTransferRoute]):
    sortable = ("name", "priority")

    class Meta:
        model = DataTransferRoute
        fields = (
            "name",
            "route_type",
            "active",
            "origin_site",
            "destination_site",
            "relay_site",
            "origin_location",
            "destination_location",
        )


class DataTransferFilterSet(OpsFilterSet[DataTransfer]):
    size = Size.MEDIUM
    search_fields = ("id", "data_transfer_package", "data_transfer_package__name__startswith")
    windows = ("created_at", "finished_at")
    joined = {
        "origin_site": site("origin_location__site", label=_("Origin site")),
        "destination_site": site("destination_location__site", label=_("Destination site")),
    }

    class Meta:
        model = DataTransfer
        fields = (
            "status",
            "unpack_status",
            "kind",
            "origin_location",
            "destination_location",
            "route",
            "data_transfer_package",
        )


class DataTransferLogFilterSet(OpsFilterSet[DataTransferLog]):
    size = Size.BIG
    search_fields = ("id", "data_transfer")
    windows = ("logged_at",)
    few = ("data_transfer",)

    class Meta:
        model = DataTransferLog
        fields = ("data_transfer", "level")

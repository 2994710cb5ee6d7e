"""How data get from site to site."""

from django.contrib import admin

from opsdb.models import DataTransfer, DataTransferLog, DataTransferRoute, StageActivity

from .actions.switches import SWITCH_ACTIONS
from .actions.transfer import TRANSFER_ACTIONS
from .kit.admin import OpsAdmin, ReadOnlyMixin
from .kit.inlines import listing


@admin.register(DataTransferRoute)
class DataTransferRouteAdmin(OpsAdmin):
    actions = SWITCH_ACTIONS
    list_display = (
        "name",
        "origin_site",
        "destination_site",
        "route_type",
        "relay_site",
        "method",
        "priority",
        "active",
    )
    list_filter = ("route_type", "active", "origin_site", "destination_site")


@admin.register(DataTransfer)
class DataTransferAdmin(OpsAdmin):
    actions = TRANSFER_ACTIONS
    owned = (
        "unpack_retry_count",
        "unpack_failure_message",
        "unpack_claimed_by",
        "unpack_heartbeat_at",
        "unpacked_at",
        "bytes_transferred",
    )
    list_display = (
        "id",
        "status",
        "unpack_status",
        "failure_message",
        "why",
        "origin_location",
        "destination_location",
        "finished_at",
        "retry_count",
        "bytes_transferred",
        "data_transfer_package",
    )
    list_filter = ("status", "unpack_status", "kind", "origin_location", "destination_location", "route")
    inlines = (listing(DataTransferLog, "logged_at", "level", "status", "message", "log_path"),)


@admin.register(DataTransferLog)
class DataTransferLogAdmin(ReadOnlyMixin, OpsAdmin):
    list_display = ("logged_at", "data_transfer", "level", "status", "message", "log_path")
    list_filter = ("data_transfer",)


@admin.register(StageActivity)
class StageActivityAdmin(ReadOnlyMixin, OpsAdmin):
    big = True
    list_display = (
        "begins_at",
        "stage",
        "origin_location",
        "destination_location",
        "added",
        "completed",
        "failures",
        "bytes",
    )
    list_filter = ("stage",)
    search_fields = ("id",)

"""Sites and the places for data at them."""

from django.contrib import admin

from opsdb.models import (
    DataLocation,
    DataLocationUsage,
    DiskDataLocation,
    S3DataLocation,
    Site,
    TapeDataLocation,
)

from .actions.switches import SWITCH_ACTIONS
from .kit.admin import OpsAdmin, ReadOnlyMixin
from .kit.inlines import listing
from .kit.subtypes import ParentAdmin


@admin.register(Site)
class SiteAdmin(OpsAdmin):
    list_display = ("short_name", "name", "location")
    inlines = (listing(DataLocation, "name", "location_type", "storage_type", "capacity_bytes", "priority", "active"),)


@admin.register(DataLocation)
class DataLocationAdmin(ParentAdmin):
    actions = SWITCH_ACTIONS
    list_display = ("name", "site", "location_type", "storage_type", "capacity_bytes", "priority", "active")
    list_filter = ("location_type", "storage_type", "active", "site", "instrument")
    search_fields = ("name", "site__short_name")


class SubtypeOfDataLocationAdmin(OpsAdmin):
    actions = SWITCH_ACTIONS
    list_filter = ("location_type", "active", "site")


@admin.register(DiskDataLocation)
class DiskDataLocationAdmin(SubtypeOfDataLocationAdmin):
    list_display = ("name", "site", "location_type", "host", "path", "capacity_bytes", "priority", "active")


@admin.register(S3DataLocation)
class S3DataLocationAdmin(SubtypeOfDataLocationAdmin):
    list_display = ("name", "site", "location_type", "bucket", "endpoint_url", "capacity_bytes", "priority", "active")


@admin.register(TapeDataLocation)
class TapeDataLocationAdmin(SubtypeOfDataLocationAdmin):
    list_display = ("name", "site", "location_type", "library", "pool", "capacity_bytes", "priority", "active")


@admin.register(DataLocationUsage)
class DataLocationUsageAdmin(ReadOnlyMixin, OpsAdmin):
    big = True
    list_display = ("id", "data_location", "copies", "bytes")
    list_filter = ("data_location",)
    search_fields = ("id", "data_location")

"""Sites and the places for data at them."""

from django.contrib import admin, messages
from django.db.models import Model
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils.translation import gettext

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


class RenamingMixin:
    """Mixin of an admin of rows whose name begins the names of queues: warns after a change of it."""

    renamed = "name"

    def save_model(self, request: HttpRequest, obj: Model, form: ModelForm, change: bool) -> None:
        """Save the row, and warn if its name is another one."""
        super().save_model(request, obj, form, change)
        if change and self.renamed in form.changed_data:
            text = gettext(
                "The names of its queues have changed with its name: restart the workers with the new ones "
                "(opsdb_queues lists them), and rename what their environment calls after it."
            )
            messages.warning(request, text)


@admin.register(Site)
class SiteAdmin(RenamingMixin, OpsAdmin):
    renamed = "short_name"
    list_display = ("short_name", "name", "location")
    inlines = (listing(DataLocation, "name", "location_type", "storage_type", "capacity_bytes", "priority", "active"),)


@admin.register(DataLocation)
class DataLocationAdmin(ParentAdmin):
    actions = SWITCH_ACTIONS
    list_display = ("name", "location_type", "storage_type", "capacity_bytes", "priority", "active")
    list_filter = ("location_type", "storage_type", "active", "site", "instrument")


class SubtypeOfDataLocationAdmin(RenamingMixin, OpsAdmin):
    actions = SWITCH_ACTIONS
    list_filter = ("location_type", "active", "site")


@admin.register(DiskDataLocation)
class DiskDataLocationAdmin(SubtypeOfDataLocationAdmin):
    list_display = ("name", "location_type", "host", "path", "capacity_bytes", "priority", "active")


@admin.register(S3DataLocation)
class S3DataLocationAdmin(SubtypeOfDataLocationAdmin):
    list_display = ("name", "location_type", "bucket", "endpoint_url", "capacity_bytes", "priority", "active")


@admin.register(TapeDataLocation)
class TapeDataLocationAdmin(SubtypeOfDataLocationAdmin):
    list_display = ("name", "location_type", "library", "pool", "capacity_bytes", "priority", "active")


@admin.register(DataLocationUsage)
class DataLocationUsageAdmin(ReadOnlyMixin, OpsAdmin):
    big = True
    list_display = ("id", "data_location", "day", "copies", "bytes", "arrived_bytes")
    list_filter = ("data_location",)
    search_fields = ("id", "data_location")

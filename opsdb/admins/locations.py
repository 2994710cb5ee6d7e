"""Sites and the places for data at them."""

from django.contrib import admin, messages
from django.db.models import Model
from django.forms import ModelForm
from django.http import HttpRequest
from django.urls import path
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as lazy

from opsdb.models import (
    DataLocation,
    DataLocationUsage,
    DataTransferRoute,
    DiskDataLocation,
    S3DataLocation,
    Site,
    TapeDataLocation,
)

from .actions.switches import SWITCH_ACTIONS
from .kit.admin import OpsAdmin, ReadOnlyMixin
from .kit.inlines import listing, parts
from .kit.keys import NAMES_URL, NamedResults
from .kit.page_links import PageLink
from .kit.subtypes import ParentAdmin
from .pages.topology import TopologyMixin


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


class LocationPageLink(PageLink):
    """Mixin of an admin of locations."""

    page_of = (DataLocation, "location")


ROUTE = ("route_type", "method", "priority")


@admin.register(Site)
class SiteAdmin(RenamingMixin, TopologyMixin, OpsAdmin):
    renamed = "short_name"
    list_display = ("short_name", "name", "location")
    inlines = (listing(DataLocation, "name", "location_type", "storage_type", "capacity_bytes", "priority", "active"),)
    # A new site begins with its places and the routes to and from it, in one form.
    begun_with = (
        parts(
            DiskDataLocation,
            fields=("name", "location_type", "path", "capacity_bytes", "retention_days", "fixity_interval_days"),
            extra=2,
        ),
        parts(
            DataTransferRoute,
            fk_name="destination_site",
            fields=("name", "origin_site", *ROUTE),
            verbose_name_plural=lazy("routes to it"),
            extra=1,
        ),
        parts(
            DataTransferRoute,
            fk_name="origin_site",
            fields=("name", "destination_site", *ROUTE),
            verbose_name_plural=lazy("routes from it"),
            extra=1,
        ),
    )

    def get_inlines(self, request: HttpRequest, obj: Site | None) -> list:
        return list(self.begun_with) if obj is None else super().get_inlines(request, obj)


@admin.register(DataLocation)
class DataLocationAdmin(LocationPageLink, ParentAdmin):
    actions = SWITCH_ACTIONS
    list_display = ("name", "location_type", "storage_type", "capacity_bytes", "priority", "active", "page")
    list_filter = ("location_type", "storage_type", "active", "site", "instrument")

    def get_urls(self) -> list:
        """Add where names of locations are looked up while they are typed."""
        view = self.admin_site.admin_view(NamedResults.as_view(admin_site=self.admin_site))
        return [path("names/", view, name=NAMES_URL), *super().get_urls()]


class SubtypeOfDataLocationAdmin(RenamingMixin, LocationPageLink, TopologyMixin, OpsAdmin):
    actions = SWITCH_ACTIONS
    list_filter = ("location_type", "active", "site")


@admin.register(DiskDataLocation)
class DiskDataLocationAdmin(SubtypeOfDataLocationAdmin):
    list_display = ("name", "location_type", "host", "path", "capacity_bytes", "priority", "active", "page")


@admin.register(S3DataLocation)
class S3DataLocationAdmin(SubtypeOfDataLocationAdmin):
    list_display = ("name", "location_type", "bucket", "endpoint_url", "capacity_bytes", "priority", "active", "page")


@admin.register(TapeDataLocation)
class TapeDataLocationAdmin(SubtypeOfDataLocationAdmin):
    list_display = ("name", "location_type", "library", "pool", "capacity_bytes", "priority", "active", "page")


@admin.register(DataLocationUsage)
class DataLocationUsageAdmin(ReadOnlyMixin, OpsAdmin):
    big = True
    list_display = ("id", "data_location", "day", "copies", "bytes", "arrived_bytes")
    list_filter = ("data_location",)
    search_fields = ("id", "data_location")

"""Sites and the places for data at them."""

from django.db.models import Q
from django.utils.translation import gettext_lazy as lazy

from opsdb.models import DataLocation, DiskDataLocation, S3DataLocation, Site, TapeDataLocation

from .base import OpsFilterSet

__all__ = [
    "SiteFilterSet",
    "DataLocationFilterSet",
    "DiskDataLocationFilterSet",
    "S3DataLocationFilterSet",
    "TapeDataLocationFilterSet",
]

OF_LOCATIONS = ("site", "name", "location_type", "instrument", "active")


class PlaceFinder:
    """Finds locations by their names behind those of their sites: ``ccat/buffer``."""

    described = lazy("site/name")

    def condition(self, word: str) -> Q | None:
        """Return what must hold of a location, or None for a word without a slash."""
        site, slash, name = word.partition("/")
        return Q(site__short_name__icontains=site, name__icontains=name) if slash else None


class SiteFilterSet(OpsFilterSet[Site]):
    sortable = ("short_name", "name")

    class Meta:
        model = Site
        fields = ("short_name", "name")


class DataLocationFilterSet(OpsFilterSet[DataLocation]):
    sortable = ("name", "priority")
    search_fields = ("name", "site__short_name")
    finders = (PlaceFinder(),)

    class Meta:
        model = DataLocation
        fields = (*OF_LOCATIONS, "storage_type")


class DiskDataLocationFilterSet(OpsFilterSet[DiskDataLocation]):
    sortable = ("name", "priority")

    class Meta:
        model = DiskDataLocation
        fields = (*OF_LOCATIONS, "host")


class S3DataLocationFilterSet(OpsFilterSet[S3DataLocation]):
    sortable = ("name", "priority")

    class Meta:
        model = S3DataLocation
        fields = (*OF_LOCATIONS, "bucket")


class TapeDataLocationFilterSet(OpsFilterSet[TapeDataLocation]):
    sortable = ("name", "priority")

    class Meta:
        model = TapeDataLocation
        fields = (*OF_LOCATIONS, "library", "pool")

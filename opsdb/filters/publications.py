"""What came of it: data releases and publications."""

from django.utils.translation import gettext_lazy as _

from opsdb.models import DataProduct, DataRelease, Publication

from .base import OpsFilterSet
from .parameters import KeyParameter, NameParameter
from .related import program, reference

__all__ = ["DataReleaseFilterSet", "PublicationFilterSet"]

DOI = NameParameter("doi", label=_("DOI"), help_text=_("Digital object identifier, such as 10.5281/zenodo.1."))
PRODUCT = KeyParameter(
    "products", related=DataProduct, label=_("Product"), help_text=_("Key of a product that it refers to.")
)


class DataReleaseFilterSet(OpsFilterSet[DataRelease]):
    sortable = ("name", "version")
    windows = ("released_at",)
    joined = {"doi": DOI, "observing_program": program("programs"), "data_product": PRODUCT}

    class Meta:
        model = DataRelease
        fields = ("name", "version", "public")


class PublicationFilterSet(OpsFilterSet[Publication]):
    sortable = ("title", "year")
    order = "-year"
    ranges = ("year",)
    search_fields = ("title", "doi", "bibcode", "journal", "authors__icontains")
    joined = {
        "doi": DOI,
        "observing_program": program("programs"),
        "data_release": reference("releases", DataRelease, _("Data release")),
        "data_product": PRODUCT,
    }

    class Meta:
        model = Publication
        fields = ("bibcode", "journal", "status")

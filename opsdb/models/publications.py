"""The results: data releases and publications."""

from typing import Any, Self

from django.db import models
from django.db.models import Q
from django.db.models.expressions import RawSQL
from django.utils.translation import gettext_lazy as _

from opsdb.database.checks import Unique, UniqueIgnoringCase, between, json_list, json_list_of_text, matches
from opsdb.database.triggers import holds_back_deletion
from opsdb.normalization import normalize_doi

from .base import NumberedModel, OpsQuerySet
from .enums import PublicationStatus
from .execution import ExecutedObsUnit, ExecutedObsUnitQuerySet
from .managers import manager_of
from .planning.programs import ObservingProgram
from .reduction.products import DataProduct

__all__ = [
    "DataRelease",
    "Publication",
]

DOI = r"^(10\.[0-9]{4,9}/[^[:space:]]+)?$"


class DoiField(models.CharField):
    """A DOI, from whatever form people paste it in: ``https://doi.org/…`` and ``doi:…`` stand for what follows."""

    def to_python(self, value: Any) -> Any:
        value = super().to_python(value)
        return normalize_doi(value) if isinstance(value, str) else value

    def get_prep_value(self, value: Any) -> Any:
        value = super().get_prep_value(value)
        return normalize_doi(value) if isinstance(value, str) else value

    def deconstruct(self) -> Any:
        name, _path, args, kwargs = super().deconstruct()
        return name, "django.db.models.CharField", args, kwargs


class DataReleaseQuerySet(OpsQuerySet["DataRelease"]):
    def public(self) -> Self:
        """Releases open to everybody."""
        return self.filter(public=True)


class DataRelease(NumberedModel):
    """A set of data products that was published under a name and a version.

    Publications refer to releases or to single products.
    """

    natural_key_fields = ("name", "version")

    name = models.CharField(max_length=200, help_text=_("Name of the release, unique together with its version."))
    version = models.CharField(max_length=50, help_text=_("Version, unique with the name."))
    doi = DoiField(max_length=200, blank=True, default="", help_text=_("DOI, such as 10.5281/zenodo.123."))
    released_at = models.DateTimeField(null=True, blank=True, help_text=_("When the release was published (UTC)."))
    description = models.TextField(
        blank=True, default="", help_text=_("Content of the release, for people who use the data.")
    )
    products = models.ManyToManyField(
        DataProduct, blank=True, related_name="releases", help_text=_("Products that the release contains.")
    )
    programs = models.ManyToManyField(
        ObservingProgram,
        blank=True,
        related_name="releases",
        help_text=_("Observing programs whose data the release contains."),
    )
    public = models.BooleanField(default=False, help_text=_("Whether everybody may see the release."))

    objects = manager_of(DataReleaseQuerySet)

    class Meta:
        constraints = [
            Unique(
                "unique_version", "name", "version", message="This version of the release exists; give another version."
            ),
            UniqueIgnoringCase("unique_doi", "doi", message="Another release has this DOI; use that one."),
            matches("doi", DOI, "A DOI looks like 10.1234/abc."),
            holds_back_deletion("products_wait", "data_release_products", "data_product", "dataproduct_id"),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.version}"

    def observations(self) -> ExecutedObsUnitQuerySet:
        """Return the executions behind the products of this release."""
        return _observations(PRODUCTS_OF_RELEASE, self.pk)


# Every product that was made of an execution's packages, directly or by way of other products: each run is visited
# once, along the indexes of the links.
PRODUCTS_OF_OBSERVATION = """
WITH RECURSIVE walk (run_id) AS (
    SELECT input.run_id FROM raw_data_package AS package
    JOIN executed_reduction_step_input_package AS input ON input.raw_data_package_id = package.id
    WHERE package.executed_obs_unit_id = %s
    UNION
    SELECT input.run_id FROM walk
    JOIN data_product AS made ON made.run_id = walk.run_id
    JOIN executed_reduction_step_input_product AS input ON input.data_product_id = made.id
)
SELECT made.id FROM walk JOIN data_product AS made ON made.run_id = walk.run_id
"""
OBSERVATIONS_OF_PRODUCTS = """
WITH RECURSIVE walk (run_id) AS (
    SELECT product.run_id FROM data_product AS product WHERE product.id IN ({products})
    UNION
    SELECT made.run_id FROM walk
    JOIN executed_reduction_step_input_product AS input ON input.run_id = walk.run_id
    JOIN data_product AS made ON made.id = input.data_product_id
)
SELECT package.executed_obs_unit_id FROM walk
JOIN executed_reduction_step_input_package AS input ON input.run_id = walk.run_id
JOIN raw_data_package AS package ON package.id = input.raw_data_package_id
"""
PRODUCTS_OF_PUBLICATION = """
SELECT dataproduct_id FROM publication_products WHERE publication_id = %s
UNION
SELECT held.dataproduct_id FROM publication_releases AS used
JOIN data_release_products AS held ON held.datarelease_id = used.datarelease_id WHERE used.publication_id = %s
"""
PRODUCTS_OF_RELEASE = "SELECT dataproduct_id FROM data_release_products WHERE datarelease_id = %s"


def _observations(products: str, *parameters: int) -> ExecutedObsUnitQuerySet:
    """Executions behind the products that a query gives."""
    return ExecutedObsUnit.objects.filter(
        pk__in=RawSQL(OBSERVATIONS_OF_PRODUCTS.format(products=products), parameters)  # noqa: S611 - our own text
    )


class PublicationQuerySet(OpsQuerySet["Publication"]):
    def of_observation(self, execution: ExecutedObsUnit) -> Self:
        """Publications of products that were made from this execution, directly or in a release."""
        made = RawSQL(PRODUCTS_OF_OBSERVATION, [execution.pk])  # noqa: S611 - our own text
        links, held = Publication.products.through.objects, DataRelease.products.through.objects
        releases = held.filter(dataproduct__in=made).values("datarelease")
        used = Publication.releases.through.objects.filter(datarelease__in=releases)
        return self.filter(
            pk__in=links.filter(dataproduct__in=made).values("publication").union(used.values("publication"))
        )

    def of_program_of(self, execution: ExecutedObsUnit) -> Self:
        """Publications that name the program of this execution, whatever they made of it."""
        program = ObservingProgram.objects.filter(obs_units__executions=execution).values("pk")
        return self.filter(
            pk__in=Publication.programs.through.objects.filter(observingprogram__in=program).values("publication")
        )


class Publication(NumberedModel):
    """A paper, thesis or other text that uses the observations."""

    title = models.CharField(max_length=500, help_text=_("Full title of the publication."))
    doi = DoiField(max_length=200, blank=True, default="", help_text=_("DOI, unique when set."))
    bibcode = models.CharField(
        max_length=19, blank=True, default="", help_text=_("ADS bibcode (19 characters), unique when set.")
    )
    year = models.IntegerField(help_text=_("Year of publication."))
    authors = models.JSONField(default=list, blank=True, help_text=_("Authors, a JSON list of texts."))
    journal = models.CharField(max_length=200, blank=True, default="", help_text=_("Journal or publisher."))
    status = models.CharField(
        max_length=20,
        choices=PublicationStatus,
        default=PublicationStatus.IN_PREPARATION,
        help_text=_("State of the publication, from in preparation to published."),
    )
    programs = models.ManyToManyField(
        ObservingProgram,
        blank=True,
        related_name="publications",
        help_text=_("Observing programs whose data the publication uses."),
    )
    releases = models.ManyToManyField(
        DataRelease,
        blank=True,
        related_name="publications",
        help_text=_("Releases that the publication uses or describes."),
    )
    products = models.ManyToManyField(
        DataProduct, blank=True, related_name="publications", help_text=_("Products that the publication uses.")
    )

    objects = manager_of(PublicationQuerySet)

    class Meta:
        constraints = [
            UniqueIgnoringCase("unique_doi", "doi", message="Another publication has this DOI; use that one."),
            Unique(
                "unique_bibcode",
                "bibcode",
                condition=~Q(bibcode=""),
                message="Another publication has this bibcode; use that one.",
            ),
            matches("doi", DOI, "A DOI looks like 10.1234/abc."),
            matches(
                "bibcode",
                r"^([0-9]{4}[A-Za-z0-9.&]{14}[A-Za-z.])?$",
                "A bibcode has 19 characters and starts with the year.",
            ),
            between("year", 1900, 2200),
            json_list("authors"),
            json_list_of_text("authors"),
            holds_back_deletion("products_wait", "publication_products", "data_product", "dataproduct_id"),
        ]

    def __str__(self) -> str:
        return self.title

    def observations(self) -> ExecutedObsUnitQuerySet:
        """Return the executions behind the products of this publication and of its releases."""
        return _observations(PRODUCTS_OF_PUBLICATION, self.pk, self.pk)

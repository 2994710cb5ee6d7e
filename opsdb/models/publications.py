"""What came of it: data releases and publications."""

from django.db import models
from django.db.models import Q

from .base import OpsQuerySet, Row
from .constraints import Unique, between, json_list, json_list_of_text, matches
from .enums import PublicationStatus
from .planning import ObservingProgram
from .reduction import DataProduct

DOI = r"^(10\.[0-9]{4,9}/[^[:space:]]+)?$"


class DataReleaseQuerySet(OpsQuerySet):
    def public(self):
        """Releases open to everybody."""
        return self.filter(public=True)


class DataRelease(Row):
    """A set of data products that was made known under a name and a version."""

    natural_key_fields = ("name", "version")

    name = models.CharField(max_length=200, help_text="Name.")
    version = models.CharField(max_length=50, help_text="Version, unique with the name.")
    doi = models.CharField(max_length=200, blank=True, default="", help_text="DOI, such as 10.5281/zenodo.123.")
    released_at = models.DateTimeField(null=True, blank=True, help_text="When it was released (UTC).")
    description = models.TextField(blank=True, default="", help_text="What it holds.")
    products = models.ManyToManyField(
        DataProduct, blank=True, related_name="releases", help_text="The data products in it."
    )
    programs = models.ManyToManyField(
        ObservingProgram, blank=True, related_name="releases", help_text="The programs it is from."
    )
    public = models.BooleanField(default=False, help_text="Whether everybody may see it.")

    objects = DataReleaseQuerySet.as_manager()

    class Meta:
        constraints = [
            Unique("unique_version", "name", "version", message="This version of the release exists."),
            Unique("unique_doi", "doi", condition=~Q(doi=""), message="Another release has this DOI."),
            matches("doi", DOI, "A DOI looks like 10.1234/abc."),
        ]

    def __str__(self):
        return f"{self.name} {self.version}"


class PublicationQuerySet(OpsQuerySet):
    def of_observation(self, execution):
        """Publications of products that were made from this execution, or of the program that observed it."""
        return self.filter(
            Q(products__run__input_packages__executed_obs_unit=execution) | Q(programs__obs_units__executions=execution)
        ).distinct()


class Publication(Row):
    """A paper, thesis or other text that rests on the observations."""

    title = models.CharField(max_length=500, help_text="Title.")
    doi = models.CharField(max_length=200, blank=True, default="", help_text="DOI, unique when set.")
    bibcode = models.CharField(
        max_length=19, blank=True, default="", help_text="ADS bibcode (19 characters), unique when set."
    )
    year = models.IntegerField(help_text="Year of publication.")
    authors = models.JSONField(default=list, blank=True, help_text="Authors, a JSON list of texts.")
    journal = models.CharField(max_length=200, blank=True, default="", help_text="Journal or publisher.")
    status = models.CharField(
        max_length=20,
        choices=PublicationStatus,
        default=PublicationStatus.IN_PREPARATION,
        help_text="How far it is.",
    )
    programs = models.ManyToManyField(
        ObservingProgram, blank=True, related_name="publications", help_text="The programs it is from."
    )
    releases = models.ManyToManyField(
        DataRelease, blank=True, related_name="publications", help_text="The releases it uses or describes."
    )
    products = models.ManyToManyField(
        DataProduct, blank=True, related_name="publications", help_text="The data products it uses."
    )

    objects = PublicationQuerySet.as_manager()

    class Meta:
        constraints = [
            Unique("unique_doi", "doi", condition=~Q(doi=""), message="Another publication has this DOI."),
            Unique(
                "unique_bibcode",
                "bibcode",
                condition=~Q(bibcode=""),
                message="Another publication has this bibcode.",
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
        ]

    def __str__(self):
        return self.title

    def observations(self):
        """Return the executions behind the products of this publication and of its releases."""
        from .execution import ExecutedObsUnit

        products = DataProduct.objects.filter(Q(publications=self) | Q(releases__publications=self)).values("pk")
        return ExecutedObsUnit.objects.filter(raw_data_packages__reduction_runs__products__in=products).distinct()

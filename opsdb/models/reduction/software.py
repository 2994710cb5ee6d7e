"""The programs that reduce data, their versions and their parameters."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from opsdb.database.checks import Unique, json_object, json_object_of_text, matches, positive
from opsdb.database.triggers import Immutable

from ..base import NumberedModel

__all__ = [
    "ReductionSoftware",
    "ReductionSoftwareVersion",
    "ReductionStepConfig",
]


class ReductionSoftware(NumberedModel):
    """A program that reduces data."""

    natural_key_fields = ("name",)

    name = models.CharField(max_length=200, unique=True, help_text=_("Name of the software, unique."))
    repository_url = models.URLField(blank=True, default="", help_text=_("Address of the source code repository."))
    description = models.TextField(blank=True, default="", help_text=_("Purpose of the software."))

    class Meta:
        verbose_name_plural = _("reduction software")

    def __str__(self) -> str:
        return self.name


class ReductionSoftwareVersion(NumberedModel):
    """A version of a program, as a container image that can be run again."""

    natural_key_fields = ("software", "version")

    software = models.ForeignKey(
        ReductionSoftware,
        on_delete=models.PROTECT,
        db_index=False,
        related_name="versions",
        help_text=_("Software that this is a version of."),
    )
    version = models.CharField(max_length=50, help_text=_("Version, unique for the software."))
    image = models.CharField(
        max_length=500, blank=True, default="", help_text=_("Name of the container image, with its registry.")
    )
    image_digest = models.CharField(
        max_length=80, blank=True, default="", help_text=_("Digest of the image, such as sha256:….")
    )
    sif_path = models.CharField(max_length=1000, blank=True, default="", help_text=_("Path of the Apptainer image."))
    released_at = models.DateTimeField(null=True, blank=True, help_text=_("When it was released (UTC)."))
    deprecated = models.BooleanField(default=False, help_text=_("Whether new runs should use another version."))

    class Meta:
        constraints = [
            Unique(
                "unique_version", "software", "version", message="The software has this version; give another version."
            ),
            matches(
                "image_digest",
                r"^(sha256:[0-9a-f]{64})?$",
                "A digest looks like sha256: and 64 hexadecimal digits.",
            ),
            Immutable("software_id"),
        ]

    def __str__(self) -> str:
        return self.version


class ReductionStepConfig(NumberedModel):
    """A set of parameters for a program, and the computing resources that a run requests.

    Steps of pipelines refer to it together with the software.
    """

    natural_key_fields = ("software", "name")

    software = models.ForeignKey(
        ReductionSoftware,
        on_delete=models.PROTECT,
        db_index=False,
        related_name="step_configs",
        help_text=_("Software that the configuration is for."),
    )
    name = models.CharField(max_length=200, help_text=_("Name, unique for the software."))
    parameters = models.JSONField(default=dict, blank=True, help_text=_("Parameters of the software, a JSON object."))
    environment = models.JSONField(
        default=dict, blank=True, help_text=_("Environment variables, a JSON object of texts.")
    )
    cpu = models.IntegerField(default=1, help_text=_("Number of processor cores that a run requests."))
    memory_gb = models.FloatField(default=1.0, help_text=_("Memory that a run requests, GB."))
    time_hours = models.FloatField(default=1.0, help_text=_("Time limit of a run, hours."))

    class Meta:
        constraints = [
            Unique(
                "unique_name",
                "software",
                "name",
                message="The software has a configuration of this name; choose another.",
            ),
            json_object("parameters"),
            json_object("environment"),
            json_object_of_text("environment"),
            positive("cpu"),
            positive("memory_gb"),
            positive("time_hours"),
            Immutable("software_id"),
        ]

    def __str__(self) -> str:
        return self.name

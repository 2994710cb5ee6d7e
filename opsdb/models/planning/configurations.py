"""How it is observed: modes, and versioned recipes of the instruments."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from opsdb.database.checks import Unique, between, json_object, not_negative, positive
from opsdb.database.triggers import HasSubtype, Trigger

from ..base import NumberedModel, SubtypedModel, parent_link
from ..enums import ConfigurationType, CoordinateFrame
from ..renaming import former_names, renaming_constraints

__all__ = [
    "ObsMode",
    "ObservationConfiguration",
    "ChaiObservationConfiguration",
    "PrimeCamObservationConfiguration",
    "ChaiTiling",
    "ChaiInparParameter",
]


class ObsMode(NumberedModel):
    """A manner of observing, such as on-the-fly mapping or a skydip.

    It decides whether a unit needs a source.
    """

    natural_key_fields = ("name",)

    name = models.CharField(max_length=100, unique=True, help_text=_("Name of the mode, unique."))
    former_names = former_names()
    description = models.TextField(
        blank=True, default="", help_text=_("Motion of the telescope and way of measuring in this mode.")
    )
    needs_source = models.BooleanField(
        default=True, help_text=_("Whether the mode observes a source; retune and skydip don't.")
    )
    configuration_type = models.CharField(
        max_length=20,
        choices=ConfigurationType,
        null=True,
        blank=True,
        help_text=_("Type of recipe that the mode is observed with; empty: any."),
    )

    class Meta:
        verbose_name = _("observing mode")
        constraints = [
            Trigger(
                "units_have_source",
                "opsdb_mode_units_have_source",
                events='UPDATE OF "needs_source"',
                when="NEW.needs_source AND NOT OLD.needs_source",
                field="needs_source",
            ),
            *renaming_constraints("name"),
        ]

    def __str__(self) -> str:
        return self.name


class ObservationConfiguration(SubtypedModel):
    """A versioned recipe of an observation.

    The subtypes hold what is particular to an instrument. A change that matters makes a new version, so that executions
    go on referring to what was observed.
    """

    discriminator = "type"
    natural_key_fields = ("name", "version")

    type = models.CharField(
        max_length=20,
        choices=ConfigurationType,
        editable=False,
        help_text=_("Type of recipe; set by its class."),
    )
    name = models.CharField(max_length=200, help_text=_("Name of the recipe, unique together with its version."))
    version = models.IntegerField(
        default=1, help_text=_("Version of the recipe; a change that matters makes a new one.")
    )
    description = models.TextField(blank=True, default="", help_text=_("Observations that the recipe is meant for."))
    parameters = models.JSONField(default=dict, blank=True, help_text=_("Further parameters, a JSON object."))

    class Meta:
        constraints = [
            Unique(
                "unique_version",
                "name",
                "version",
                message="This version of the configuration exists; give another version.",
            ),
            positive("version"),
            json_object("parameters"),
            HasSubtype(
                "type",
                {
                    ConfigurationType.CHAI: "chai_observation_configuration",
                    ConfigurationType.PRIME_CAM: "prime_cam_observation_configuration",
                },
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} v{self.version}"


class ChaiObservationConfiguration(ObservationConfiguration):
    """A recipe for CHAI, with its tiles and its inpar parameters."""

    subtype = ConfigurationType.CHAI

    configuration_ptr = parent_link(ObservationConfiguration, _("Recipe that these CHAI parameters belong to."))
    reference_position_offset_ra_arcsec = models.FloatField(
        null=True, blank=True, help_text=_("Offset of the reference position in RA times cos(Dec), arcsec.")
    )
    reference_position_offset_dec_arcsec = models.FloatField(
        null=True, blank=True, help_text=_("Offset of the reference position in Dec, arcsec.")
    )
    integration_time_seconds = models.FloatField(
        null=True, blank=True, help_text=_("Integration time per point, seconds.")
    )
    switching_mode = models.CharField(
        max_length=50,
        blank=True,
        default="",
        help_text=_("Way of measuring the reference, such as position or frequency."),
    )
    coordinate_frame = models.CharField(
        max_length=10,
        choices=CoordinateFrame,
        default=CoordinateFrame.ICRS,
        help_text=_("Frame of offsets and tiles."),
    )

    class Meta:
        verbose_name = _("CHAI observation configuration")
        constraints = [positive("integration_time_seconds", "integration_time_positive")]


class PrimeCamObservationConfiguration(ObservationConfiguration):
    """A recipe for Prime-Cam: the shape and speed of the scan."""

    subtype = ConfigurationType.PRIME_CAM

    configuration_ptr = parent_link(ObservationConfiguration, _("Recipe that these Prime-Cam parameters belong to."))
    scan_type = models.CharField(max_length=50, help_text=_("Pattern: constant_el, pong, daisy, stare and others."))
    width_deg = models.FloatField(null=True, blank=True, help_text=_("Width of the field, degrees."))
    height_deg = models.FloatField(null=True, blank=True, help_text=_("Height of the field, degrees."))
    velocity_deg_s = models.FloatField(null=True, blank=True, help_text=_("Speed of the scan, degrees per second."))
    spacing_deg = models.FloatField(null=True, blank=True, help_text=_("Distance between scan lines, degrees."))
    angle_deg = models.FloatField(null=True, blank=True, help_text=_("Rotation of the pattern, degrees."))
    elevation_deg = models.FloatField(null=True, blank=True, help_text=_("Elevation of the scan, degrees."))

    class Meta:
        verbose_name = _("Prime-Cam observation configuration")
        constraints = [
            not_negative("width_deg"),
            not_negative("height_deg"),
            not_negative("velocity_deg_s"),
            positive("spacing_deg"),
            between("angle_deg", -360, 360, "°"),
            between("elevation_deg", 0, 90, "°"),
        ]


class ChaiTiling(NumberedModel):
    """One tile of the mosaic that a CHAI recipe maps."""

    configuration = models.ForeignKey(
        ChaiObservationConfiguration,
        on_delete=models.CASCADE,
        related_name="tilings",
        help_text=_("Recipe that the tile is a part of."),
    )
    tile_index = models.IntegerField(help_text=_("Number of the tile, unique in the recipe."))
    x_offset_arcsec = models.FloatField(default=0.0, help_text=_("Offset of the centre along x, arcsec."))
    y_offset_arcsec = models.FloatField(default=0.0, help_text=_("Offset of the centre along y, arcsec."))
    width_arcsec = models.FloatField(help_text=_("Width of the tile, arcsec."))
    height_arcsec = models.FloatField(help_text=_("Height of the tile, arcsec."))
    angle_deg = models.FloatField(default=0.0, help_text=_("Rotation of the tile, degrees."))
    priority = models.IntegerField(default=0, help_text=_("Higher is observed first."))
    done = models.BooleanField(default=False, help_text=_("Whether the tile has been observed."))

    class Meta:
        verbose_name = _("CHAI tiling")
        constraints = [
            Unique(
                "unique_index",
                "configuration",
                "tile_index",
                message="The configuration has a tile of this number; choose another.",
            ),
            not_negative("tile_index"),
            positive("width_arcsec"),
            positive("height_arcsec"),
            between("angle_deg", -360, 360, "°"),
        ]

    def __str__(self) -> str:
        return f"tile {self.tile_index}"


class ChaiInparParameter(NumberedModel):
    """One parameter that a CHAI recipe hands to the control system."""

    configuration = models.ForeignKey(
        ChaiObservationConfiguration,
        on_delete=models.CASCADE,
        related_name="inpar_parameters",
        help_text=_("Recipe that sets the parameter."),
    )
    key = models.CharField(max_length=100, help_text=_("Name of the parameter, unique in the recipe."))
    value = models.TextField(blank=True, default="", help_text=_("Value as the control system reads it."))
    comment = models.TextField(blank=True, default="", help_text=_("Effect of the parameter."))

    class Meta:
        verbose_name = _("CHAI inpar parameter")
        constraints = [
            Unique(
                "unique_key",
                "configuration",
                "key",
                message="The configuration has a parameter of this name; choose another.",
            )
        ]

    def __str__(self) -> str:
        return self.key

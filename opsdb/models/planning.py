"""What is to be observed: programs, sources, configurations, units, slots, allocated time and downtimes."""

import math

from django.conf import settings
from django.contrib.postgres.fields import DateRangeField, DateTimeRangeField
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Exists, ExpressionWrapper, F, Func, OuterRef, Q, Subquery, Sum, Value
from django.db.models.functions import (
    Abs,
    ASin,
    Coalesce,
    Cos,
    Degrees,
    Extract,
    Greatest,
    Least,
    Power,
    Radians,
    Sin,
    Sqrt,
)
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from opsdb.database.checks import (
    Check,
    NoOverlap,
    Unique,
    between,
    exactly_one,
    json_list,
    json_list_of_text,
    json_object,
    not_negative,
    ordered,
    positive,
)
from opsdb.database.indexes import Index
from opsdb.database.triggers import HasSubtype, Immutable, SameOwner, Trigger

from .base import OpsQuerySet, Row, SpecificQuerySet, SubtypedModel, parent_link
from .enums import ConfigurationType, CoordinateFrame, ProgramKind, SourceType
from .observatory import Instrument, InstrumentModule, InstrumentModuleConfiguration, Telescope


class ObservingProgramQuerySet(OpsQuerySet):
    def active(self):
        """Programs that still observe."""
        return self.filter(active=True)

    def science(self):
        """Programs that are not calibration or engineering."""
        return self.filter(kind=ProgramKind.SCIENCE)


class ObservingProgram(Row):
    """A project that observes towards one goal, or the calibration and engineering beside it."""

    natural_key_fields = ("short_name",)

    name = models.CharField(max_length=200, unique=True, help_text=_("Full name."))
    short_name = models.CharField(
        max_length=50, unique=True, help_text=_("Code used in file names and lists, such as GEco.")
    )
    kind = models.CharField(
        max_length=20, choices=ProgramKind, default=ProgramKind.SCIENCE, help_text=_("Science or technical.")
    )
    description = models.TextField(blank=True, default="", help_text=_("What it is after."))
    lead = models.TextField(blank=True, default="", help_text=_("Who leads it."))
    contact_email = models.EmailField(blank=True, default="", help_text=_("Where questions go."))
    instruments = models.ManyToManyField(
        Instrument, blank=True, related_name="observing_programs", help_text=_("Instruments it observes with.")
    )
    active = models.BooleanField(default=True, help_text=_("Whether it still observes."))

    objects = ObservingProgramQuerySet.as_manager()

    class Meta:
        constraints = [
            Check(
                "short_name_format",
                Q(short_name__regex=r"^[A-Za-z0-9][A-Za-z0-9._-]*$"),
                "The code must be letters, digits, '.', '_' or '-'.",
                "short_name",
            )
        ]

    def __str__(self):
        return self.short_name


class SubObservingProgram(Row):
    """A part of an observing program with units of its own."""

    natural_key_fields = ("observing_program", "short_name")

    observing_program = models.ForeignKey(
        ObservingProgram,
        on_delete=models.PROTECT,
        related_name="sub_programs",
        help_text=_("The program it is a part of."),
    )
    name = models.CharField(max_length=200, help_text=_("Full name, unique in the program."))
    short_name = models.CharField(max_length=50, help_text=_("Code, unique in the program."))
    description = models.TextField(blank=True, default="", help_text=_("What it is after."))

    class Meta:
        verbose_name = _("sub-observing program")
        constraints = [
            Unique(
                "unique_name",
                "observing_program",
                "name",
                message="The program has a sub-program of this name.",
            ),
            Unique(
                "unique_short_name",
                "observing_program",
                "short_name",
                message="The program has a sub-program of this code.",
            ),
            Immutable("observing_program_id"),
        ]

    def __str__(self):
        return self.short_name


class SourceQuerySet(SpecificQuerySet):
    def called(self, name: str):
        """Sources of this name or alias, upper and lower case alike for the name."""
        return self.filter(Q(name__iexact=name) | Q(aliases__contains=[name]))


class Source(SubtypedModel):
    """Something on the sky that a telescope can be pointed at."""

    discriminator = "type"
    natural_key_fields = ("name",)

    name = models.CharField(max_length=200, unique=True, help_text=_("Name, unique among all sources."))
    type = models.CharField(
        max_length=20, choices=SourceType, editable=False, help_text=_("Kind of source; set by its class.")
    )
    aliases = models.JSONField(default=list, blank=True, help_text=_("Other names, a JSON list of texts."))
    comment = models.TextField(blank=True, default="", help_text=_("What an observer should know."))

    objects = SourceQuerySet.as_manager()

    class Meta:
        constraints = [
            json_list("aliases"),
            json_list_of_text("aliases"),
            HasSubtype(
                "type",
                {
                    SourceType.FIXED: "fixed_source",
                    SourceType.SOLAR_SYSTEM: "solar_system_object",
                    SourceType.CONSTANT_ELEVATION: "constant_elevation_source",
                },
            ),
        ]

    def __str__(self):
        return self.name


class FixedSourceQuerySet(OpsQuerySet):
    def cone_search(self, ra_deg: float, dec_deg: float, radius_deg: float):
        """Return sources within a circle on the sky, with their distance as ``separation_deg``.

        Right across RA 0/360 and at the poles. An index on the declination narrows the search, and the RA
        where the circle holds no pole; the haversine formula, exact for small angles, decides.

        Args:
            ra_deg: right ascension of the centre (ICRS), degrees; any turn is accepted.
            dec_deg: declination of the centre (ICRS), degrees in [-90, 90].
            radius_deg: radius, degrees in [0, 180].

        Raises:
            ValueError: an argument is not finite or out of its range.
        """
        if not all(map(math.isfinite, (ra_deg, dec_deg, radius_deg))):
            raise ValueError("cone search needs finite numbers")
        if not -90 <= dec_deg <= 90:
            raise ValueError(f"declination {dec_deg}° is outside [-90°, 90°]")
        if not 0 <= radius_deg <= 180:
            raise ValueError(f"radius {radius_deg}° is outside [0°, 180°]")
        ra_deg %= 360
        margin = radius_deg + 1e-9
        box = Q(dec_deg__gte=dec_deg - margin, dec_deg__lte=dec_deg + margin)
        if abs(dec_deg) + margin < 90:
            half_width = math.degrees(
                math.asin(min(1.0, math.sin(math.radians(margin)) / math.cos(math.radians(dec_deg))))
            )
            low, high = ra_deg - half_width - 1e-9, ra_deg + half_width + 1e-9
            if low < 0:
                box &= Q(ra_deg__gte=low + 360) | Q(ra_deg__lte=high)
            elif high >= 360:
                box &= Q(ra_deg__gte=low) | Q(ra_deg__lte=high - 360)
            else:
                box &= Q(ra_deg__gte=low, ra_deg__lte=high)

        def size(angle):
            # The square of a smaller one underflows, which PostgreSQL takes for an error.
            return Radians(Greatest(Abs(angle), Value(1e-100)))

        half_dec = size(F("dec_deg") - Value(float(dec_deg))) / 2.0
        half_ra = size(F("ra_deg") - Value(float(ra_deg))) / 2.0
        narrowing = Cos(size(F("dec_deg"))) * Value(math.cos(math.radians(dec_deg)))
        haversine = Power(Sin(half_dec), 2) + narrowing * Power(Sin(half_ra), 2)
        separation = ExpressionWrapper(
            Degrees(ASin(Sqrt(Least(haversine, Value(1.0))))) * 2.0, output_field=models.FloatField()
        )
        return self.filter(box).annotate(separation_deg=separation).filter(separation_deg__lte=radius_deg + 1e-12)


class FixedSource(Source):
    """A source at a fixed place among the stars."""

    subtype = SourceType.FIXED

    source_ptr = parent_link(Source, _("The source whose position this is."))
    ra_deg = models.FloatField(help_text=_("Right ascension (ICRS), degrees in [0, 360); what all queries use."))
    dec_deg = models.FloatField(help_text=_("Declination (ICRS), degrees; what all queries use."))
    frame = models.CharField(
        max_length=10,
        choices=CoordinateFrame,
        default=CoordinateFrame.ICRS,
        help_text=_("Frame in which the observer gave the position."),
    )
    longitude_deg = models.FloatField(
        null=True, blank=True, help_text=_("Longitude or RA as given in that frame, degrees.")
    )
    latitude_deg = models.FloatField(
        null=True, blank=True, help_text=_("Latitude or Dec as given in that frame, degrees.")
    )
    equinox = models.CharField(
        max_length=10, blank=True, default="", help_text=_("Equinox as given, such as J2000 or B1950.")
    )
    pm_ra_mas_yr = models.FloatField(null=True, blank=True, help_text=_("Proper motion in RA times cos(Dec), mas/yr."))
    pm_dec_mas_yr = models.FloatField(null=True, blank=True, help_text=_("Proper motion in Dec, mas/yr."))
    parallax_mas = models.FloatField(null=True, blank=True, help_text=_("Parallax, mas."))
    vlsr_km_s = models.FloatField(
        null=True, blank=True, help_text=_("Radial velocity (local standard of rest, radio convention), km/s.")
    )

    objects = FixedSourceQuerySet.as_manager()

    class Meta:
        constraints = [
            between("ra_deg", 0, 360, "°", below_high=True),
            between("dec_deg", -90, 90, "°"),
            between("latitude_deg", -90, 90, "°"),
            between("longitude_deg", -360, 360, "°"),
        ]
        indexes = [Index(fields=["dec_deg", "ra_deg"], name="position")]


class SolarSystemObject(Source):
    """A source that moves among the stars and whose place an ephemeris gives."""

    subtype = SourceType.SOLAR_SYSTEM

    source_ptr = parent_link(Source, _("The source whose ephemeris this names."))
    ephemeris_name = models.CharField(
        max_length=100, help_text=_("Name by which the control system knows it, such as mars.")
    )
    naif_id = models.IntegerField(null=True, blank=True, unique=True, help_text=_("NAIF number, such as 499 for Mars."))
    horizons_id = models.CharField(max_length=100, blank=True, default="", help_text=_("Identifier for JPL Horizons."))


class ConstantElevationSource(Source):
    """A field that is scanned back and forth in azimuth while it rises or sets through one elevation."""

    subtype = SourceType.CONSTANT_ELEVATION

    source_ptr = parent_link(Source, _("The source whose field this is."))
    ra_min_deg = models.FloatField(
        help_text=_("Western edge in RA (ICRS), degrees; above the other edge where the field spans RA 0.")
    )
    ra_max_deg = models.FloatField(help_text=_("Eastern edge in RA (ICRS), degrees."))
    dec_min_deg = models.FloatField(help_text=_("Southern edge (ICRS), degrees."))
    dec_max_deg = models.FloatField(help_text=_("Northern edge (ICRS), degrees."))
    elevation_deg = models.FloatField(null=True, blank=True, help_text=_("Elevation of the scan, degrees."))

    class Meta:
        constraints = [
            between("ra_min_deg", 0, 360, "°", below_high=True),
            between("ra_max_deg", 0, 360, "°"),
            between("dec_min_deg", -90, 90, "°"),
            between("dec_max_deg", -90, 90, "°"),
            ordered("dec_min_deg", "dec_max_deg"),
            between("elevation_deg", 0, 90, "°"),
        ]


class AzimuthRange(Row):
    """A range of azimuth in which a field is scanned, rising or setting."""

    source = models.ForeignKey(
        ConstantElevationSource,
        on_delete=models.CASCADE,
        related_name="azimuth_ranges",
        help_text=_("The field."),
    )
    azimuth_min_deg = models.FloatField(help_text=_("Lower end, degrees from north through east."))
    azimuth_max_deg = models.FloatField(help_text=_("Upper end, degrees from north through east."))
    rising = models.BooleanField(help_text=_("Whether the field rises there."))
    lst_start_hours = models.FloatField(
        null=True, blank=True, help_text=_("Local sidereal time of the start, hours in [0, 24).")
    )
    lst_end_hours = models.FloatField(
        null=True,
        blank=True,
        help_text=_("Local sidereal time of the end, hours in [0, 24); below the start past midnight."),
    )

    class Meta:
        constraints = [
            between("azimuth_min_deg", -360, 720, "°"),
            between("azimuth_max_deg", -360, 720, "°"),
            ordered("azimuth_min_deg", "azimuth_max_deg"),
            between("lst_start_hours", 0, 24, " h", below_high=True),
            between("lst_end_hours", 0, 24, " h", below_high=True),
        ]

    def __str__(self):
        return f"{self.azimuth_min_deg:g}° to {self.azimuth_max_deg:g}° {'rising' if self.rising else 'setting'}"


class ObsMode(Row):
    """A manner of observing, such as on-the-fly mapping or a skydip."""

    natural_key_fields = ("name",)

    name = models.CharField(max_length=100, unique=True, help_text=_("Name."))
    description = models.TextField(blank=True, default="", help_text=_("What the telescope does."))
    needs_source = models.BooleanField(
        default=True, help_text=_("Whether it looks at a source; retune and skydip don't.")
    )

    class Meta:
        verbose_name = _("observing mode")
        constraints = [
            Trigger(
                "units_have_source",
                "opsdb_mode_units_have_source",
                events='UPDATE OF "needs_source"',
                when="NEW.needs_source AND NOT OLD.needs_source",
            )
        ]

    def __str__(self):
        return self.name


class ObservationConfiguration(SubtypedModel):
    """A versioned recipe of an observation."""

    discriminator = "type"
    natural_key_fields = ("name", "version")

    type = models.CharField(
        max_length=20,
        choices=ConfigurationType,
        editable=False,
        help_text=_("Kind of configuration; set by its class."),
    )
    name = models.CharField(max_length=200, help_text=_("Name."))
    version = models.IntegerField(
        default=1, help_text=_("Version of the recipe; a change that matters makes a new one.")
    )
    description = models.TextField(blank=True, default="", help_text=_("When to use it."))
    parameters = models.JSONField(default=dict, blank=True, help_text=_("Further parameters, a JSON object."))

    class Meta:
        constraints = [
            Unique("unique_version", "name", "version", message="This version of the configuration exists."),
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

    def __str__(self):
        return f"{self.name} v{self.version}"


class ChaiObservationConfiguration(ObservationConfiguration):
    """A recipe for CHAI, with its tiles and its inpar parameters."""

    subtype = ConfigurationType.CHAI

    configuration_ptr = parent_link(ObservationConfiguration, _("The recipe that this details."))
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
        help_text=_("How the reference is taken, such as position or frequency."),
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

    configuration_ptr = parent_link(ObservationConfiguration, _("The recipe that this details."))
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


class ChaiTiling(Row):
    """One tile of the mosaic that a CHAI recipe maps."""

    configuration = models.ForeignKey(
        ChaiObservationConfiguration,
        on_delete=models.CASCADE,
        related_name="tilings",
        help_text=_("The recipe."),
    )
    tile_index = models.IntegerField(help_text=_("Number of the tile, unique in the recipe."))
    x_offset_arcsec = models.FloatField(default=0.0, help_text=_("Offset of the centre along x, arcsec."))
    y_offset_arcsec = models.FloatField(default=0.0, help_text=_("Offset of the centre along y, arcsec."))
    width_arcsec = models.FloatField(help_text=_("Width, arcsec."))
    height_arcsec = models.FloatField(help_text=_("Height, arcsec."))
    angle_deg = models.FloatField(default=0.0, help_text=_("Rotation, degrees."))
    priority = models.IntegerField(default=0, help_text=_("Higher is observed first."))
    done = models.BooleanField(default=False, help_text=_("Whether it has been observed."))

    class Meta:
        verbose_name = _("CHAI tiling")
        constraints = [
            Unique(
                "unique_index",
                "configuration",
                "tile_index",
                message="The configuration has a tile of this number.",
            ),
            not_negative("tile_index"),
            positive("width_arcsec"),
            positive("height_arcsec"),
            between("angle_deg", -360, 360, "°"),
        ]

    def __str__(self):
        return f"tile {self.tile_index}"


class ChaiInparParameter(Row):
    """One parameter that a CHAI recipe hands to the control system."""

    configuration = models.ForeignKey(
        ChaiObservationConfiguration,
        on_delete=models.CASCADE,
        related_name="inpar_parameters",
        help_text=_("The recipe."),
    )
    key = models.CharField(max_length=100, help_text=_("Name of the parameter, unique in the recipe."))
    value = models.TextField(blank=True, default="", help_text=_("Its value, as the control system reads it."))
    comment = models.TextField(blank=True, default="", help_text=_("What it does."))

    class Meta:
        verbose_name = _("CHAI inpar parameter")
        constraints = [
            Unique(
                "unique_key",
                "configuration",
                "key",
                message="The configuration has a parameter of this name.",
            )
        ]

    def __str__(self):
        return self.key


class ObsUnitQuerySet(OpsQuerySet):
    def available(self):
        """Units that can be scheduled, in programs that still observe."""
        return self.filter(available=True, observing_program__active=True)

    def in_program(self, code: str):
        """Units of the program with this code."""
        return self.filter(observing_program__short_name=code)

    def by_priority(self):
        """The most urgent first."""
        return self.order_by("-priority", "id")


class ObsUnit(Row):
    """The smallest thing that can be scheduled: a source observed in one mode with one recipe."""

    natural_key_fields = ("observing_program", "name")

    observing_program = models.ForeignKey(
        ObservingProgram,
        on_delete=models.PROTECT,
        db_index=False,
        related_name="obs_units",
        help_text=_("Whose unit it is."),
    )
    sub_observing_program = models.ForeignKey(
        SubObservingProgram,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="obs_units",
        help_text=_("Part of the same program, if any."),
    )
    source = models.ForeignKey(
        Source,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="obs_units",
        help_text=_("What is looked at; none only in modes that look at nothing on the sky."),
    )
    obs_mode = models.ForeignKey(
        ObsMode, on_delete=models.PROTECT, related_name="obs_units", help_text=_("How it is observed.")
    )
    configuration = models.ForeignKey(
        ObservationConfiguration, on_delete=models.PROTECT, related_name="obs_units", help_text=_("The recipe.")
    )
    module_configurations = models.ManyToManyField(
        InstrumentModuleConfiguration,
        blank=True,
        related_name="obs_units",
        help_text=_("How the modules are set up."),
    )
    name = models.CharField(max_length=200, help_text=_("Name, unique in the program."))
    line_id = models.CharField(max_length=50, blank=True, default="", help_text=_("Spectral line, such as CO43."))
    version = models.IntegerField(default=1, help_text=_("Version of the unit's definition."))
    priority = models.IntegerField(default=0, help_text=_("Higher is scheduled first."))
    available = models.BooleanField(default=True, help_text=_("Whether it can be scheduled."))
    elevation_min_deg = models.FloatField(
        null=True, blank=True, help_text=_("Lowest elevation to observe at, degrees.")
    )
    elevation_max_deg = models.FloatField(
        null=True, blank=True, help_text=_("Highest elevation to observe at, degrees.")
    )
    pwv_max_mm = models.FloatField(
        null=True, blank=True, help_text=_("Most precipitable water vapour to observe in, mm.")
    )
    planned_duration_seconds = models.FloatField(
        null=True, blank=True, help_text=_("Duration of one execution, seconds.")
    )
    requested_executions = models.IntegerField(null=True, blank=True, help_text=_("How often it is to be executed."))
    lst_start_hours = models.FloatField(
        null=True, blank=True, help_text=_("Earliest local sidereal time, hours in [0, 24).")
    )
    lst_end_hours = models.FloatField(
        null=True,
        blank=True,
        help_text=_("Latest local sidereal time, hours in [0, 24); below the earliest past midnight."),
    )
    comment = models.TextField(blank=True, default="", help_text=_("What an observer should know."))

    objects = ObsUnitQuerySet.as_manager()

    class Meta:
        verbose_name = _("observation unit")
        constraints = [
            Unique("unique_name", "observing_program", "name", message="The program has a unit of this name."),
            positive("version"),
            between("elevation_min_deg", 0, 90, "°"),
            between("elevation_max_deg", 0, 90, "°"),
            ordered("elevation_min_deg", "elevation_max_deg", strict=False),
            positive("pwv_max_mm"),
            positive("planned_duration_seconds"),
            positive("requested_executions"),
            between("lst_start_hours", 0, 24, " h", below_high=True),
            between("lst_end_hours", 0, 24, " h", below_high=True),
            SameOwner(
                "sub_observing_program",
                "sub_observing_program",
                "observing_program_id",
                "the sub-program must be a part of the unit's own observing program",
            ),
            Trigger(
                "source_needed",
                "opsdb_unit_needs_source",
                events='INSERT OR UPDATE OF "source_id", "obs_mode_id"',
                when="NEW.source_id IS NULL",
            ),
        ]

    def __str__(self):
        return self.name

    def clean(self):
        """Say beside the field what the database would refuse."""
        errors = {}
        sub_program = self.sub_observing_program
        if sub_program and sub_program.observing_program_id != self.observing_program_id:
            errors["sub_observing_program"] = "The sub-program must be a part of the unit's own observing program."
        if self.source_id is None and self.obs_mode_id and self.obs_mode.needs_source:
            errors["source"] = f"A unit in mode {self.obs_mode} needs a source."
        if errors:
            raise ValidationError(errors)


class PreScheduledSlotQuerySet(OpsQuerySet):
    def overlapping(self, start, end):
        """Slots that share some time with [start, end)."""
        return self.filter(start_time__lt=end, end_time__gt=start)

    def upcoming(self, now=None):
        """Slots that have not begun, the next first."""
        return self.filter(start_time__gt=now or timezone.now()).order_by("start_time")


class PreScheduledSlot(Row):
    """A time at which the schedule gives the telescope to a unit."""

    natural_key_fields = ("telescope", "start_time")

    obs_unit = models.ForeignKey(
        ObsUnit, on_delete=models.PROTECT, related_name="slots", help_text=_("What is observed.")
    )
    telescope = models.ForeignKey(
        Telescope,
        on_delete=models.PROTECT,
        db_index=False,
        related_name="slots",
        help_text=_("The telescope that is taken."),
    )
    start_time = models.DateTimeField(help_text=_("Start (UTC)."))
    end_time = models.DateTimeField(help_text=_("End (UTC), not included."))
    azimuth_min_deg = models.FloatField(
        null=True, blank=True, help_text=_("Lower end of the scan in azimuth, degrees.")
    )
    azimuth_max_deg = models.FloatField(
        null=True, blank=True, help_text=_("Upper end of the scan in azimuth, degrees.")
    )
    elevation_deg = models.FloatField(null=True, blank=True, help_text=_("Elevation, degrees."))
    boresight_angle_deg = models.FloatField(
        null=True, blank=True, help_text=_("Rotation about the boresight, degrees.")
    )
    scan_index = models.IntegerField(
        null=True, blank=True, help_text=_("Number of the scan or pass in the schedule; below 0 for a partial one.")
    )
    subscan_index = models.IntegerField(null=True, blank=True, help_text=_("Number of the part of the scan."))
    origin = models.CharField(max_length=500, blank=True, default="", help_text=_("File that the slot came from."))

    objects = PreScheduledSlotQuerySet.as_manager()

    class Meta:
        verbose_name = _("pre-scheduled slot")
        constraints = [
            ordered("start_time", "end_time"),
            NoOverlap(
                "no_overlap",
                Func(F("start_time"), F("end_time"), function="tstzrange", output_field=DateTimeRangeField()),
                "telescope",
                message="The telescope has another slot at that time.",
            ),
            Unique(
                "unique_start",
                "telescope",
                "start_time",
                message="The telescope has a slot that starts then.",
            ),
            between("azimuth_min_deg", -360, 720, "°"),
            between("azimuth_max_deg", -360, 720, "°"),
            ordered("azimuth_min_deg", "azimuth_max_deg", strict=False),
            between("elevation_deg", 0, 90, "°"),
            not_negative("subscan_index"),
        ]
        indexes = [Index(fields=["start_time"], name="by_start")]

    def __str__(self):
        return f"{self.start_time:%Y-%m-%d %H:%M:%S}"


class TimeAllocationQuerySet(OpsQuerySet):
    def with_used_hours(self):
        """Annotate ``used_hours``: time of finished executions in the period, counted from the executions.

        An execution counts where it used a module of the allocated instrument.
        """
        from .execution import ExecutedObsUnit

        used_instrument = ExecutedObsUnit.module_configurations.through.objects.filter(
            executed_obs_unit_id=OuterRef("pk"),
            module_configuration__instrument_module__instrument_id=OuterRef(OuterRef("instrument_id")),
        )
        durations = (
            ExecutedObsUnit.objects.filter(
                Exists(used_instrument),
                obs_unit__observing_program_id=OuterRef("observing_program_id"),
                start_time__gte=OuterRef("start_date"),
                start_time__lt=OuterRef("end_date"),
                end_time__isnull=False,
            )
            .order_by()
            .values("obs_unit__observing_program_id")
            .annotate(hours=Sum(Extract(F("end_time") - F("start_time"), "epoch")) / 3600.0)
            .values("hours")
        )
        return self.annotate(used_hours=Coalesce(Subquery(durations), 0.0, output_field=models.FloatField()))


class TimeAllocation(Row):
    """Hours that a program may observe with an instrument in a period."""

    natural_key_fields = ("observing_program", "instrument", "period")

    observing_program = models.ForeignKey(
        ObservingProgram,
        on_delete=models.PROTECT,
        db_index=False,
        related_name="time_allocations",
        help_text=_("Who may observe."),
    )
    instrument = models.ForeignKey(
        Instrument, on_delete=models.PROTECT, related_name="time_allocations", help_text=_("With what.")
    )
    period = models.CharField(max_length=50, help_text=_("Name of the period, such as 2026B."))
    start_date = models.DateField(help_text=_("First day (UTC)."))
    end_date = models.DateField(help_text=_("Day after the last day (UTC)."))
    hours = models.FloatField(help_text=_("Allocated time, hours."))

    objects = TimeAllocationQuerySet.as_manager()

    class Meta:
        constraints = [
            Unique(
                "unique_period",
                "observing_program",
                "instrument",
                "period",
                message="The program has an allocation for this instrument and period.",
            ),
            ordered("start_date", "end_date"),
            positive("hours"),
            NoOverlap(
                "no_overlap",
                Func(F("start_date"), F("end_date"), function="daterange", output_field=DateRangeField()),
                "observing_program",
                "instrument",
                message="The program has another allocation for this instrument at that time.",
            ),
        ]

    def __str__(self):
        return f"{self.period}: {self.hours:g} h"


class DowntimeQuerySet(OpsQuerySet):
    def current(self, now=None):
        """Downtimes that hold at ``now`` (default: this moment)."""
        now = now or timezone.now()
        return self.filter(Q(end_time__isnull=True) | Q(end_time__gt=now), start_time__lte=now)


class Downtime(Row):
    """A time in which a telescope, an instrument or a module can't be used."""

    telescope = models.ForeignKey(
        Telescope,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="downtimes",
        help_text=_("What is down, if a telescope."),
    )
    instrument = models.ForeignKey(
        Instrument,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="downtimes",
        help_text=_("What is down, if an instrument."),
    )
    instrument_module = models.ForeignKey(
        InstrumentModule,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="downtimes",
        help_text=_("What is down, if a module."),
    )
    start_time = models.DateTimeField(help_text=_("Start (UTC)."))
    end_time = models.DateTimeField(null=True, blank=True, help_text=_("End (UTC); empty while it lasts."))
    reason = models.TextField(help_text=_("Why."))
    reported_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text=_("Who reported it."),
    )

    objects = DowntimeQuerySet.as_manager()

    class Meta:
        constraints = [
            exactly_one(
                "one_target",
                ["telescope", "instrument", "instrument_module"],
                "Name exactly one of telescope, instrument and instrument module.",
            ),
            ordered("start_time", "end_time"),
        ]
        indexes = [Index(fields=["start_time"], name="by_start")]

    def __str__(self):
        return f"{self.start_time:%Y-%m-%d %H:%M}: {self.reason[:60]}"

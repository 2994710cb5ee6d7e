"""The observatory: telescopes, instruments, their modules, and configurations of modules."""

from typing import TYPE_CHECKING, Self

from django.db import models
from django.utils.translation import gettext_lazy as _

from opsdb.database.checks import Unique, between, matches, not_negative, ordered, positive
from opsdb.database.triggers import HasSubtype

from .astronomy import earth_location
from .base import NumberedModel, OpsQuerySet, SpecificQuerySet, SubtypedModel, parent_link
from .enums import ConfigurationType, Sideband
from .managers import manager_of
from .querysets import ModelT
from .renaming import former_names, renaming_constraints

if TYPE_CHECKING:
    from astropy.coordinates import EarthLocation

__all__ = [
    "Observatory",
    "Telescope",
    "Instrument",
    "InstrumentModule",
    "InstrumentModuleConfiguration",
    "ChaiModuleConfiguration",
    "PrimeCamModuleConfiguration",
]


class Observatory(NumberedModel):
    """An organization that runs telescopes on one mountain.

    Its telescopes share its local time zone.
    """

    natural_key_fields = ("short_name",)

    name = models.CharField(max_length=200, unique=True, help_text=_("Full name, unique."))
    short_name = models.SlugField(max_length=50, unique=True, help_text=_("Short name for paths and lists."))
    former_names = former_names()
    description = models.TextField(
        blank=True, default="", help_text=_("Short introduction for people who are new to the observatory.")
    )
    time_zone = models.CharField(
        max_length=64, default="UTC", help_text=_("IANA name of the local time zone, such as America/Santiago.")
    )

    class Meta:
        verbose_name_plural = _("observatories")
        constraints = [
            matches(
                "time_zone",
                r"^[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*$",
                "Give an IANA name, such as America/Santiago.",
            ),
            *renaming_constraints("short_name"),
        ]

    def __str__(self) -> str:
        return self.short_name

    def clean(self) -> None:
        """Refuse a time zone that is not in the IANA database."""
        from zoneinfo import available_timezones

        from django.core.exceptions import ValidationError

        if self.time_zone not in available_timezones():
            raise ValidationError(
                {"time_zone": f"“{self.time_zone}” is not an IANA time zone, such as America/Santiago."}
            )


class Telescope(NumberedModel):
    """A telescope: one dish at one place.

    It belongs to an observatory and carries instruments; slots and downtimes refer to it.
    """

    natural_key_fields = ("observatory", "name")

    observatory = models.ForeignKey(
        Observatory,
        on_delete=models.PROTECT,
        related_name="telescopes",
        help_text=_("Observatory that operates the telescope."),
    )
    name = models.CharField(max_length=200, help_text=_("Full name, unique in the observatory."))
    former_names = former_names()
    short_name = models.SlugField(max_length=50, db_index=False, help_text=_("Short name, as schedules call it."))
    description = models.TextField(
        blank=True, default="", help_text=_("Short introduction for people who are new to the telescope.")
    )
    latitude_deg = models.FloatField(help_text=_("Geodetic latitude (WGS 84), degrees, north positive."))
    longitude_deg = models.FloatField(help_text=_("Longitude (WGS 84), degrees, east positive."))
    elevation_m = models.FloatField(help_text=_("Height above sea level, metres."))
    elevation_min_deg = models.FloatField(
        null=True, blank=True, help_text=_("Lowest elevation that it can point to, degrees; empty: the horizon.")
    )
    first_light = models.DateField(
        null=True, blank=True, help_text=_("Date (UTC) before which it took no data; empty: any time is taken.")
    )

    class Meta:
        constraints = [
            Unique(
                "unique_name",
                "observatory",
                "name",
                message="The observatory has a telescope of this name; choose another.",
            ),
            Unique(
                "unique_short_name",
                "short_name",
                message="There is a telescope of this short name; choose another.",
            ),
            between("latitude_deg", -90, 90, "°"),
            between("longitude_deg", -180, 180, "°"),
            between("elevation_m", -500, 9000, " m"),
            between("elevation_min_deg", 0, 90, "°"),
            *renaming_constraints("name"),
        ]

    def __str__(self) -> str:
        return self.short_name

    @property
    def location(self) -> "EarthLocation":
        """Its position, as astropy's ``EarthLocation``."""
        return earth_location(self)


class AvailableQuerySet(OpsQuerySet[ModelT]):
    """Queryset of rows that may be unavailable."""

    def available(self) -> Self:
        """Those that can be scheduled."""
        return self.filter(available=True)


class Instrument(NumberedModel):
    """An instrument that can be mounted on a telescope.

    It consists of modules. Programs, allocated time and source locations refer to an instrument, data to a module.
    """

    natural_key_fields = ("telescope", "name")

    telescope = models.ForeignKey(
        Telescope,
        on_delete=models.PROTECT,
        related_name="instruments",
        help_text=_("Telescope that the instrument is mounted on."),
    )
    name = models.CharField(max_length=100, help_text=_("Name, unique at the telescope."))
    former_names = former_names()
    description = models.TextField(
        blank=True, default="", help_text=_("Wavelengths that the instrument covers, and its method of measurement.")
    )
    available = models.BooleanField(
        default=True, help_text=_("Whether observations with the instrument can be scheduled.")
    )

    objects = manager_of(AvailableQuerySet)

    class Meta:
        constraints = [
            Unique(
                "unique_name",
                "telescope",
                "name",
                message="The telescope has an instrument of this name; choose another.",
            ),
            *renaming_constraints("name"),
        ]

    def __str__(self) -> str:
        return self.name


class InstrumentModule(NumberedModel):
    """A part of an instrument that takes data of its own, in one frequency range.

    Raw data are packaged by module; a module is set up by one of its configurations, such as the tuning to a line.
    """

    natural_key_fields = ("instrument", "name")

    instrument = models.ForeignKey(
        Instrument,
        on_delete=models.PROTECT,
        related_name="modules",
        help_text=_("Instrument that the module is a part of."),
    )
    name = models.CharField(max_length=100, help_text=_("Name, unique in the instrument."))
    former_names = former_names()
    description = models.TextField(
        blank=True, default="", help_text=_("Wavelengths that the module covers, and its method of measurement.")
    )
    available = models.BooleanField(default=True, help_text=_("Whether observations with the module can be scheduled."))
    pixels = models.IntegerField(null=True, blank=True, help_text=_("Number of detector or receiver pixels."))
    frequency_min_ghz = models.FloatField(help_text=_("Lower end of the frequency range, GHz."))
    frequency_max_ghz = models.FloatField(help_text=_("Upper end of the frequency range, GHz."))

    objects = manager_of(AvailableQuerySet)

    class Meta:
        constraints = [
            Unique(
                "unique_name",
                "instrument",
                "name",
                message="The instrument has a module of this name; choose another.",
            ),
            positive("pixels"),
            positive("frequency_min_ghz"),
            ordered("frequency_min_ghz", "frequency_max_ghz", strict=False),
            *renaming_constraints("name"),
        ]

    def __str__(self) -> str:
        return self.name


class InstrumentModuleConfigurationQuerySet(SpecificQuerySet["InstrumentModuleConfiguration"]):
    def active(self) -> Self:
        """Those that may be planned with."""
        return self.filter(active=True)


class InstrumentModuleConfiguration(SubtypedModel):
    """A way in which a module can be set up for observing.

    Planned with by observation units and used by executions. What the telescope does is in the
    ``ObservationConfiguration``; this is only how the module is set up meanwhile.
    """

    discriminator = "type"
    natural_key_fields = ("instrument_module", "name")

    instrument_module = models.ForeignKey(
        InstrumentModule,
        on_delete=models.PROTECT,
        related_name="configurations",
        help_text=_("Module that the configuration sets up."),
    )
    type = models.CharField(
        max_length=20,
        choices=ConfigurationType,
        editable=False,
        help_text=_("Type of configuration; set by its class."),
    )
    name = models.CharField(max_length=100, help_text=_("Name, unique for the module."))
    former_names = former_names()
    description = models.TextField(
        blank=True, default="", help_text=_("Observations that the configuration is meant for.")
    )
    active = models.BooleanField(default=True, help_text=_("Whether new observation units may use the configuration."))

    objects = manager_of(InstrumentModuleConfigurationQuerySet)

    class Meta:
        constraints = [
            Unique(
                "unique_name",
                "instrument_module",
                "name",
                message="The module has a configuration of this name; choose another.",
            ),
            *renaming_constraints("name"),
            HasSubtype(
                "type",
                {
                    ConfigurationType.CHAI: "chai_module_configuration",
                    ConfigurationType.PRIME_CAM: "prime_cam_module_configuration",
                },
            ),
        ]

    def __str__(self) -> str:
        return self.name


class ChaiModuleConfiguration(InstrumentModuleConfiguration):
    """The tuning of a heterodyne module of CHAI."""

    subtype = ConfigurationType.CHAI

    configuration_ptr = parent_link(
        InstrumentModuleConfiguration, _("Configuration that these CHAI settings belong to.")
    )
    line_id = models.CharField(max_length=50, help_text=_("Spectral line, such as CO43 for CO(4-3)."))
    line_frequency_ghz = models.FloatField(help_text=_("Rest frequency of the line, GHz."))
    lo_frequency_ghz = models.FloatField(null=True, blank=True, help_text=_("Frequency of the local oscillator, GHz."))
    sideband = models.CharField(max_length=3, choices=Sideband, help_text=_("Sideband that holds the line."))
    backend = models.CharField(
        max_length=100, blank=True, default="", help_text=_("Name of the spectrometer that records the signal.")
    )
    spectral_resolution_khz = models.FloatField(null=True, blank=True, help_text=_("Width of a channel, kHz."))

    class Meta:
        verbose_name = _("CHAI module configuration")
        constraints = [
            positive("line_frequency_ghz"),
            positive("lo_frequency_ghz"),
            positive("spectral_resolution_khz"),
        ]


class PrimeCamModuleConfiguration(InstrumentModuleConfiguration):
    """The set-up of a detector module of Prime-Cam."""

    subtype = ConfigurationType.PRIME_CAM

    configuration_ptr = parent_link(
        InstrumentModuleConfiguration, _("Configuration that these Prime-Cam settings belong to.")
    )
    band_center_ghz = models.FloatField(help_text=_("Centre of the band, GHz."))
    bandwidth_ghz = models.FloatField(null=True, blank=True, help_text=_("Width of the band, GHz."))
    detector_count = models.IntegerField(null=True, blank=True, help_text=_("Number of detectors that are read."))
    readout_rate_hz = models.FloatField(null=True, blank=True, help_text=_("Samples per second of a detector, Hz."))
    fts_enabled = models.BooleanField(
        default=False, help_text=_("Whether the imaging Fabry-Perot or Fourier spectrometer is in the beam.")
    )

    class Meta:
        verbose_name = _("Prime-Cam module configuration")
        constraints = [
            positive("band_center_ghz"),
            positive("bandwidth_ghz"),
            not_negative("detector_count"),
            positive("readout_rate_hz"),
        ]

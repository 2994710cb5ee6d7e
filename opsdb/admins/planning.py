"""What is to be observed."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as lazy

from opsdb.formatting import format_declination, format_right_ascension
from opsdb.loaders.coordinates import EQUATORIAL
from opsdb.models import (
    AzimuthRange,
    ChaiInparParameter,
    ChaiObservationConfiguration,
    ChaiTiling,
    ConfigurationType,
    ConstantElevationSource,
    Downtime,
    ExecutedObsUnit,
    FixedSource,
    Instrument,
    InstrumentModule,
    InstrumentModuleConfiguration,
    ObservationConfiguration,
    ObservingProgram,
    ObsMode,
    ObsUnit,
    PreScheduledSlot,
    PrimeCamObservationConfiguration,
    SolarSystemObject,
    Source,
    SubObservingProgram,
    TimeAllocation,
)

from .kit.admin import OpsAdmin
from .kit.fitting import OneTelescopeMixin, offer
from .kit.forms import OpsForm
from .kit.inlines import listing, parts
from .kit.links import link
from .kit.page_links import PageLink
from .kit.positions import PositionSearch
from .kit.subtypes import ParentAdmin
from .kit.values import Text
from .kit.warned import WarnedMixin
from .pages.affected_slots import AffectedSlotsMixin
from .pages.viewer import Viewer
from .slots import SlotForm

# The trend that lists link to, and what it answers.
TIME_TREND = ("time", lazy("Allocated, used and left time of all programs"))


@admin.register(ObservingProgram)
class ObservingProgramAdmin(WarnedMixin, PageLink, OpsAdmin):
    page_of = (ObservingProgram, "program")
    trend = TIME_TREND
    sections = (
        (lazy("Program"), ("short_name", "name", "kind", "description", "active")),
        (lazy("People"), ("lead", "contact_email")),
        (lazy("Instruments"), ("instruments",)),
    )
    list_display = ("short_name", "name", "kind", "lead", "contact_email", "active", "page")
    inlines = (
        parts(SubObservingProgram, fields=("short_name", "name", "description"), can_delete=False),
        listing(TimeAllocation, "period", "instrument", "start_date", "end_date", "hours"),
    )


@admin.register(SubObservingProgram)
class SubObservingProgramAdmin(OpsAdmin):
    list_display = ("short_name", "name", "observing_program")
    list_filter = ("observing_program",)


class SourceMixin(PageLink):
    """Mixin of an admin of sources."""

    page_of = (Source, "source")
    help_texts = {"aliases": lazy("Other names, one on each line.")}

    @admin.display(description=lazy("aliases"))
    def other_names(self, source: Source) -> str:
        """Other names of the source."""
        return ", ".join(map(str, source.aliases)) or self.get_empty_value_display()

    other_names.needs = ()

    def searched(self) -> list:
        """Mention spellings below the input."""
        return [*super().searched(), lazy("names and aliases in any spelling")]

    def get_search_results(self, request: HttpRequest, queryset: QuerySet, search_term: str) -> tuple[QuerySet, bool]:
        """Find names and aliases in any spelling, too: ``M82`` finds M 82."""
        found, may_repeat = super().get_search_results(request, queryset, search_term)
        in_other_spellings = Source.objects.spelled_like(search_term) if search_term.strip() else None
        if in_other_spellings is not None:
            found |= queryset.filter(pk__in=in_other_spellings.values("pk"))
        return found, may_repeat


NAMES = (lazy("Names"), ("name", "aliases", "comment"))


class FixedSourceForm(OpsForm):
    """A fixed source: whether its given longitude is in hours depends on its frame."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if "longitude_deg" in self.fields:
            frame = self["frame"].value() if "frame" in self.fields else self.instance.frame
            field = self.fields["longitude_deg"]
            field.in_hours = field.takes_hours = frame in EQUATORIAL
            field.widget.attrs["placeholder"] = field.example


@admin.register(Source)
class SourceAdmin(SourceMixin, PositionSearch, ParentAdmin):
    list_display = ("name", "type", "right_ascension", "declination", "other_names", "comment", "page")

    @admin.display(description=lazy("RA (ICRS)"))
    def right_ascension(self, source: Source) -> str:
        """Right ascension, in hours and degrees; of a field from edge to edge; of a moving body none."""
        if fixed := getattr(source, "fixedsource", None):
            return f"{format_right_ascension(fixed.ra_deg)} ({fixed.ra_deg:.4f}°)"
        if field := getattr(source, "constantelevationsource", None):
            return f"{field.ra_min_deg:.4f}° to {field.ra_max_deg:.4f}°"
        return self.get_empty_value_display()

    right_ascension.needs = ()

    @admin.display(description=lazy("Dec (ICRS)"))
    def declination(self, source: Source) -> str:
        """Declination, in degrees with minutes and seconds and in degrees; of a field from edge to edge."""
        if fixed := getattr(source, "fixedsource", None):
            return f"{format_declination(fixed.dec_deg)} ({fixed.dec_deg:+.4f}°)"
        if field := getattr(source, "constantelevationsource", None):
            return f"{field.dec_min_deg:+.4f}° to {field.dec_max_deg:+.4f}°"
        return self.get_empty_value_display()

    declination.needs = ()

    def get_list_select_related(self, request: HttpRequest) -> list[str]:
        return [*super().get_list_select_related(request), "fixedsource", "constantelevationsource"]


@admin.register(FixedSource)
class FixedSourceAdmin(WarnedMixin, SourceMixin, PositionSearch, OpsAdmin):
    form = FixedSourceForm
    sections = (
        NAMES,
        (lazy("Position"), ("ra_deg", "dec_deg")),
        (lazy("Position as given"), ("frame", "longitude_deg", "latitude_deg", "equinox", "epoch_year")),
        (lazy("Motion and distance"), ("pm_ra_mas_yr", "pm_dec_mas_yr", "parallax_mas")),
        (lazy("Velocity"), ("vlsr_km_s", "given_velocity", "velocity_frame", "velocity_convention")),
    )
    list_display = ("name", "ra_deg", "dec_deg", "frame", "vlsr_km_s", "page")
    list_filter = ("frame", "obs_units__observing_program")


@admin.register(SolarSystemObject)
class SolarSystemObjectAdmin(WarnedMixin, SourceMixin, OpsAdmin):
    sections = (NAMES, (lazy("Ephemeris"), ("ephemeris_name", "naif_id", "horizons_id")))
    list_display = ("name", "ephemeris_name", "naif_id", "horizons_id", "page")


@admin.register(ConstantElevationSource)
class ConstantElevationSourceAdmin(WarnedMixin, SourceMixin, OpsAdmin):
    sections = (
        NAMES,
        (lazy("Field"), ("ra_min_deg", "ra_max_deg", "dec_min_deg", "dec_max_deg")),
        (lazy("Scan"), ("elevation_deg",)),
    )
    list_display = ("name", "ra_min_deg", "ra_max_deg", "dec_min_deg", "dec_max_deg", "elevation_deg", "page")
    inlines = (parts(AzimuthRange),)


@admin.register(AzimuthRange)
class AzimuthRangeAdmin(OpsAdmin):
    list_display = ("source", "azimuth_min_deg", "azimuth_max_deg", "rising", "lst_start_hours", "lst_end_hours")
    list_filter = ("rising", "source")


@admin.register(ObsMode)
class ObsModeAdmin(OpsAdmin):
    list_display = ("name", "description", "configuration_type", "needs_source")


@admin.register(ObservationConfiguration)
class ObservationConfigurationAdmin(ParentAdmin):
    list_display = ("name", "version", "type", "description")


@admin.register(ChaiObservationConfiguration)
class ChaiObservationConfigurationAdmin(OpsAdmin):
    list_display = ("name", "version", "switching_mode", "integration_time_seconds", "coordinate_frame")
    inlines = (parts(ChaiTiling, ordering=("tile_index",)), parts(ChaiInparParameter, ordering=("key",)))


@admin.register(PrimeCamObservationConfiguration)
class PrimeCamObservationConfigurationAdmin(OpsAdmin):
    list_display = ("name", "version", "scan_type", "width_deg", "height_deg", "velocity_deg_s", "elevation_deg")


@admin.register(ChaiTiling)
class ChaiTilingAdmin(OpsAdmin):
    list_display = ("configuration", "tile_index", "x_offset_arcsec", "y_offset_arcsec", "priority", "done")
    list_filter = ("done", "configuration")


@admin.register(ChaiInparParameter)
class ChaiInparParameterAdmin(OpsAdmin):
    list_display = ("key", "value", "configuration", "comment")
    list_filter = ("configuration",)


class ObsUnitForm(OpsForm):
    """A unit: recipes of the kind that its modules and mode take are offered first, and modules of its program."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        kinds, instruments = self._taken()
        recipes = ObservationConfiguration.objects.all()
        setups = InstrumentModuleConfiguration.objects.active().select_related("instrument_module__instrument")
        offer(self, "configuration", recipes, lambda one: one.get_type_display(), Q(type__in=kinds))
        offer(
            self,
            "module_configurations",
            setups,
            lambda one: f"{one.instrument_module.instrument} / {one.instrument_module}",
            Q(instrument_module__instrument__in=instruments) if instruments else None,
        )

    def _taken(self):
        """Return the kinds of recipes and the instruments that fit the unit: all where nothing is known of it."""
        kinds, instruments = {*ConfigurationType.values}, set()
        if self.instance.pk:
            instruments = {one.pk for one in self.instance.observing_program.instruments.all()}
            # Where the modules are too many to be an input, the form has read none of them.
            is_input = "module_configurations" in self.fields
            setup = {one.type for one in self.instance.module_configurations.all()} if is_input else set()
            mode = self.instance.obs_mode.configuration_type
            kinds = ({mode} if mode else setup) or kinds
        return kinds, instruments


@admin.register(ObsUnit)
class ObsUnitAdmin(WarnedMixin, PageLink, PositionSearch, OpsAdmin):
    form = ObsUnitForm
    page_of = (ObsUnit, "unit")
    plain = ("obs_mode", "configuration", "module_configurations")
    sections = (
        (lazy("Unit"), ("observing_program", "sub_observing_program", "name", "version", "comment")),
        (lazy("What is observed"), ("source", "line_id", "rest_frequency_ghz")),
        (lazy("How it is observed"), ("obs_mode", "configuration", "module_configurations")),
        (
            lazy("When and how often"),
            ("priority", "available", "planned_duration_seconds", "requested_executions"),
        ),
        (
            lazy("Conditions"),
            ("elevation_min_deg", "elevation_max_deg", "pwv_max_mm", "lst_start_hours", "lst_end_hours"),
        ),
    )
    path_to_source = "source"
    list_display = (
        "name",
        "observing_program",
        "sub_observing_program",
        "source",
        "obs_mode",
        "configuration",
        "priority",
        "available",
        "page",
    )
    list_filter = ("available", "observing_program", "sub_observing_program", "source", "obs_mode")
    inlines = (
        listing(PreScheduledSlot, "start_time", "end_time", "telescope", ordering=("-start_time",)),
        listing(ExecutedObsUnit, "start_time", "end_time", "status", "quality"),
    )


@admin.register(PreScheduledSlot)
class PreScheduledSlotAdmin(WarnedMixin, OneTelescopeMixin, OpsAdmin):
    form = SlotForm
    sections = (
        (lazy("Slot"), ("obs_unit", "telescope", "start_time", "end_time")),
        (
            lazy("Scan"),
            ("azimuth_min_deg", "azimuth_max_deg", "azimuth_final_deg", "elevation_deg", "boresight_angle_deg"),
        ),
        (lazy("Schedule"), ("scan_index", "subscan_index", "origin")),
    )
    list_display = (
        "start_time",
        "end_time",
        "obs_unit",
        "program",
        "telescope",
        "azimuth_min_deg",
        "azimuth_max_deg",
        "elevation_deg",
        "boresight_angle_deg",
    )
    list_filter = ("start_time", "obs_unit__observing_program", "telescope", "obs_unit")
    ordering = ("-start_time",)

    def get_form(
        self, request: HttpRequest, obj: PreScheduledSlot | None = None, change: bool = False, **kwargs
    ) -> type[SlotForm]:
        form = super().get_form(request, obj, change=change, **kwargs)
        form.viewer = Viewer(request, self.admin_site)
        return form

    @admin.display(description=lazy("program"))
    def program(self, slot: PreScheduledSlot) -> Text:
        """The observing program that it is for."""
        return link(slot.obs_unit.observing_program, self)

    program.needs = ["obs_unit__observing_program"]


@admin.register(TimeAllocation)
class TimeAllocationAdmin(WarnedMixin, OpsAdmin):
    trend = TIME_TREND
    list_display = ("period", "observing_program", "instrument", "start_date", "end_date", "hours")
    list_filter = ("observing_program", "instrument")
    ordering = ("-start_date", "observing_program")


class DowntimeForm(OpsForm):
    """A downtime: instruments are offered by telescope, modules by instrument."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        instruments = Instrument.objects.select_related("telescope")
        modules = InstrumentModule.objects.select_related("instrument__telescope")
        offer(self, "instrument", instruments, lambda one: str(one.telescope))
        offer(
            self,
            "instrument_module",
            modules,
            lambda one: f"{one.instrument.telescope} / {one.instrument}",
        )


@admin.register(Downtime)
class DowntimeAdmin(AffectedSlotsMixin, WarnedMixin, OpsAdmin):
    form = DowntimeForm
    plain = ("telescope", "instrument", "instrument_module")
    sections = (
        (lazy("What is down: exactly one of these"), ("telescope", "instrument", "instrument_module")),
        (lazy("When and why"), ("start_time", "end_time", "reason", "reported_by")),
    )
    list_display = ("start_time", "end_time", "telescope", "instrument", "instrument_module", "reason", "reported_by")
    list_filter = ("start_time", "telescope", "instrument", "instrument_module")
    ordering = ("-start_time",)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """The person who enters a downtime has reported it, unless they choose another person."""
        return {"reported_by": request.user.pk, **super().get_changeform_initial_data(request)}

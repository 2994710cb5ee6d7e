"""What in a plan is probably a mistake is found, before it is saved, and nothing that is right is."""

from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace

import pytest
from astropy.time import core
from astropy.utils import iers
from django.db import connection
from django.test.utils import CaptureQueriesContext

from opsdb.models import (
    ConfigurationType,
    ConstantElevationSource,
    Downtime,
    ExecutedObsUnit,
    FixedSource,
    Instrument,
    ObservationConfiguration,
    ObservationStatus,
    ObservingProgram,
    ObsUnit,
    PreScheduledSlot,
    SolarSystemObject,
    Telescope,
    TimeAllocation,
)
from opsdb.testing.factories import (
    ChaiModuleConfigurationFactory,
    ChaiObservationConfigurationFactory,
    DowntimeFactory,
    ExecutedObsUnitFactory,
    FixedSourceFactory,
    InstrumentFactory,
    ObservingProgramFactory,
    ObsModeFactory,
    ObsUnitFactory,
    PreScheduledSlotFactory,
    PrimeCamModuleConfigurationFactory,
    PrimeCamObservationConfigurationFactory,
    SolarSystemObjectFactory,
    TelescopeFactory,
)
from opsdb.workflows import PlanningProblem, find_planning_warnings
from tests.worlds import shared_world

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
# Orion (Dec −5.4°) culminates at FYST on 15 June about 16:30 UTC, at 72°; it is below the horizon at 04:00.
HIGH, LOW = datetime(2026, 6, 15, 16, tzinfo=UTC), datetime(2026, 6, 15, 4, tzinfo=UTC)
HOUR = timedelta(hours=1)


NO_MODULES = (PlanningProblem.MODULES, "module_configurations")


@shared_world
def sky():
    telescope = TelescopeFactory(elevation_min_deg=20.0)
    chai = InstrumentFactory(telescope=telescope, name="CHAI")
    prime_cam = InstrumentFactory(telescope=telescope, name="Prime-Cam")
    return SimpleNamespace(
        telescope=telescope,
        chai=ChaiModuleConfigurationFactory(instrument_module__instrument=chai),
        prime_cam=PrimeCamModuleConfigurationFactory(instrument_module__instrument=prime_cam),
        source=FixedSourceFactory(),
    )


def found(*rows, **options):
    return find_planning_warnings(rows, now=NOW, **options)


def who_may_not_view(*hidden):
    return lambda *models: not set(models) & set(hidden)


def kinds(*rows, **options):
    return [(warning.kind, warning.field) for warning in found(*rows, **options)]


class TestSources:
    def test_m_82_never_rises_at_fyst(self, sky):
        (warning,) = found(FixedSource(name="M 82", ra_deg=148.97, dec_deg=69.68))
        assert (warning.kind, warning.field, warning.row) == (PlanningProblem.NEVER_RISES, "dec_deg", "")
        assert str(warning) == (
            f"source M 82: never rises above 20° at {sky.telescope}, where it culminates at −2.5°; "
            "check its coordinates"
        )

    @pytest.mark.parametrize(("dec", "rises"), [(47.2, False), (46.7, True), (-90, True), (-5.39, True)])
    def test_the_limit_is_the_lowest_elevation_of_the_telescope(self, dec, rises, sky):
        assert (found(FixedSource(name="one", ra_deg=10.0, dec_deg=dec)) == []) is rises

    def test_without_a_limit_the_horizon_counts(self, sky):
        type(sky.telescope).objects.update(elevation_min_deg=None)
        assert found(FixedSource(name="one", ra_deg=10.0, dec_deg=66.5)) == []
        (warning,) = found(FixedSource(name="two", ra_deg=10.0, dec_deg=67.5))
        assert f"never rises above the horizon of {sky.telescope}" in warning.problem

    def test_one_telescope_that_sees_it_is_enough(self, sky):
        TelescopeFactory(latitude_deg=50.0)
        assert found(FixedSource(name="M 82", ra_deg=148.97, dec_deg=69.68)) == []

    def test_of_a_field_the_part_that_rises_highest_counts(self, sky):
        edges = {"ra_min_deg": 350.0, "ra_max_deg": 20.0, "dec_max_deg": 80.0}
        assert found(ConstantElevationSource(name="wide", dec_min_deg=40.0, **edges)) == []
        assert kinds(ConstantElevationSource(name="north", dec_min_deg=60.0, **edges)) == [
            (PlanningProblem.NEVER_RISES, "dec_max_deg")
        ]

    def test_planets_are_followed_by_the_built_in_ephemeris_and_other_bodies_are_not_judged(self, sky):
        mars, ceres = SolarSystemObject(name="Mars", naif_id=499), SolarSystemObject(name="Ceres", naif_id=2_000_001)
        assert found(mars, ceres) == []
        type(sky.telescope).objects.update(latitude_deg=-89.9, elevation_min_deg=28.0)
        assert [warning.subject for warning in found(mars, ceres)] == ["source Mars"]

    def test_nothing_of_astropys_tables_is_asked_for(self, sky, monkeypatch):
        def refuse(*args, **kwargs):
            raise AssertionError("astropy's own tables were asked for")

        for owner, name in (
            (iers.IERS_Auto, "open"),
            (iers.LeapSeconds, "auto_open"),
            (iers.earth_orientation_table, "get"),
            (core, "update_leap_seconds"),
        ):
            monkeypatch.setattr(owner, name, refuse)
        monkeypatch.setattr(core, "_LEAP_SECONDS_CHECK", core._LeapSecondsCheck.NOT_STARTED)
        moon = SolarSystemObjectFactory(name="Moon", naif_id=301)
        assert found(moon, FixedSource(name="one", ra_deg=10.0, dec_deg=0.0)) == []
        unit = ObsUnitFactory(source=moon)
        slot = PreScheduledSlot(obs_unit=unit, telescope=sky.telescope, start_time=HIGH, end_time=HIGH + HOUR)
        assert kinds(slot) in ([], [(PlanningProblem.ELEVATION, "start_time")])

    def test_without_telescopes_nothing_is_known(self, db):
        assert found(FixedSource(name="M 82", ra_deg=148.97, dec_deg=69.68)) == []


class TestUnits:
    def test_a_recipe_of_another_instrument(self, sky):
        unit = ObsUnitFactory.build(
            observing_program=ObservingProgramFactory(),
            source=sky.source,
            obs_mode=ObsModeFactory(),
            configuration=ChaiObservationConfigurationFactory(),
        )
        assert found(unit, module_configurations=[sky.chai]) == []
        (warning,) = found(unit, module_configurations=[sky.prime_cam])
        assert (warning.kind, warning.field) == (PlanningProblem.RECIPE, "configuration")
        assert "is for CHAI, and not for the modules Prime-Cam / " in warning.problem

    def test_without_modules_the_instruments_of_the_program_count(self, sky):
        program = ObservingProgramFactory(instruments=[sky.prime_cam.instrument_module.instrument])
        unit = ObsUnitFactory(observing_program=program, source=sky.source)
        assert kinds(unit) == [(PlanningProblem.RECIPE, "configuration")]
        program.instruments.add(sky.chai.instrument_module.instrument)
        assert kinds(type(unit).objects.get()) == []

    def test_modules_of_an_instrument_that_the_program_does_not_observe_with(self, sky):
        program = ObservingProgramFactory(instruments=[sky.prime_cam.instrument_module.instrument])
        unit = ObsUnitFactory(observing_program=program, source=sky.source, module_configurations=[sky.chai])
        assert kinds(unit) == [(PlanningProblem.RECIPE, "module_configurations")]

    def test_a_recipe_of_another_mode(self, sky):
        mode = ObsModeFactory(configuration_type=ConfigurationType.PRIME_CAM, name="pong")
        unit = ObsUnitFactory(obs_mode=mode, source=sky.source, module_configurations=[sky.chai])
        assert kinds(unit) == [(PlanningProblem.RECIPE, "obs_mode")]
        unit.module_configurations.set([sky.prime_cam])
        unit.configuration = PrimeCamObservationConfigurationFactory(scan_type="daisy")
        (warning,) = found(unit)
        assert warning.remedy == "choose the mode daisy, or another recipe"
        unit.configuration = PrimeCamObservationConfigurationFactory(scan_type="pong")
        assert found(unit) == []

    def test_the_lowest_elevation_of_the_unit_counts_at_the_telescopes_of_its_modules(self, sky):
        TelescopeFactory(latitude_deg=-5.0)
        unit = ObsUnitFactory(source=sky.source, elevation_min_deg=75.0, module_configurations=[sky.chai])
        assert kinds(unit) == [(PlanningProblem.NEVER_RISES, "source")]
        unit.module_configurations.clear()
        assert kinds(unit) == []

    def test_a_unit_for_which_nobody_has_chosen_modules(self, sky):
        unit = ObsUnitFactory(source=sky.source, module_configurations=[sky.chai])
        assert found(unit) == []
        (warning,) = found(unit, module_configurations=[])
        assert (warning.kind, warning.field, warning.row) == (*NO_MODULES, f"obs_unit {unit.pk}")
        assert str(warning) == (
            f"unit {unit.name}: it has no module configuration, so that any module of its instruments may observe it "
            "and a downtime of one of them only may affect it; "
            "choose the configurations of the modules that are to observe it"
        )
        unit.module_configurations.clear()
        assert found(unit) == [], "of many units in a night or a load"
        assert kinds(unit, module_configurations=[]) == [], "which it has not had before"
        new = type(unit)(
            name="new",
            observing_program=unit.observing_program,
            source=unit.source,
            obs_mode=unit.obs_mode,
            configuration=unit.configuration,
        )
        assert kinds(new, module_configurations=[]) == [NO_MODULES]


class TestSlots:
    def slot(self, sky, start=HIGH, **values):
        unit = ObsUnitFactory(source=sky.source, module_configurations=[sky.chai])
        return PreScheduledSlot(
            **{"obs_unit": unit, "telescope": sky.telescope, "start_time": start, "end_time": start + HOUR, **values}
        )

    def test_a_slot_while_the_source_is_up_is_as_it_should_be(self, sky):
        assert found(self.slot(sky)) == []

    def test_a_slot_below_the_elevation_limit(self, sky):
        (warning,) = found(self.slot(sky, LOW))
        assert (warning.kind, warning.field) == (PlanningProblem.ELEVATION, "start_time")
        assert f"below the 20° of {sky.telescope}" in warning.problem

    def test_a_slot_outside_of_the_elevations_of_its_unit(self, sky):
        slot = self.slot(sky)
        slot.obs_unit.elevation_max_deg = 60.0
        assert "above the 60° of the unit" in found(slot)[0].problem
        slot.obs_unit.elevation_max_deg, slot.obs_unit.elevation_min_deg = None, 80.0
        assert "below the 80° of the unit" in found(slot)[0].problem

    def test_the_planned_elevation_counts_where_there_is_one(self, sky):
        assert found(self.slot(sky, LOW, elevation_deg=45.0)) == []
        assert kinds(self.slot(sky, elevation_deg=15.0)) == [(PlanningProblem.ELEVATION, "start_time")]

    def test_a_slot_of_a_century_is_looked_at_now_and_then(self, sky):
        slot = self.slot(sky, end_time=HIGH.replace(year=2126))
        assert kinds(slot) == [(PlanningProblem.ELEVATION, "start_time")]

    def test_the_sun_is_followed(self, sky):
        unit = ObsUnitFactory(source=SolarSystemObjectFactory(name="Sun", naif_id=10))
        # At FYST the sun sets about 21:50 UTC in the middle of June.
        assert found(self.slot(sky, HIGH, obs_unit=unit)) == []
        assert kinds(self.slot(sky, LOW, obs_unit=unit)) == [(PlanningProblem.ELEVATION, "start_time")]

    @pytest.mark.parametrize("what", ["telescope", "instrument", "module"])
    def test_a_slot_in_a_downtime(self, what, sky):
        module = sky.chai.instrument_module
        target = {
            "telescope": {"telescope": sky.telescope},
            "instrument": {"telescope": None, "instrument": module.instrument},
            "module": {"telescope": None, "instrument_module": module},
        }[what]
        downtime = DowntimeFactory(**target, start_time=HIGH - HOUR, end_time=HIGH + HOUR / 2)
        (warning,) = found(self.slot(sky))
        assert warning.kind == PlanningProblem.DOWNTIME
        assert "is down from 2026-06-15 15:00 to 2026-06-15 16:30 UTC (snow)" in warning.problem
        assert found(self.slot(sky, HIGH + HOUR / 2)) == []
        downtime.end_time = None
        downtime.save()
        assert "until further notice" in found(self.slot(sky, HIGH + HOUR / 2))[0].problem

    def test_a_downtime_of_something_else_is_none_of_the_slot(self, sky):
        DowntimeFactory(telescope=None, instrument=sky.prime_cam.instrument_module.instrument, start_time=LOW)
        DowntimeFactory(telescope=TelescopeFactory(), start_time=LOW)
        assert found(self.slot(sky)) == []


class TestDowntimes:
    def test_slots_in_it_are_counted_and_the_first_named(self, sky):
        unit = ObsUnitFactory(source=sky.source, module_configurations=[sky.chai])
        for number in range(5):
            start = HIGH + number * HOUR
            PreScheduledSlotFactory(obs_unit=unit, telescope=sky.telescope, start_time=start, end_time=start + HOUR / 2)
        downtime = Downtime(telescope=sky.telescope, start_time=HIGH, end_time=HIGH + 5 * HOUR, reason="snow")
        (warning,) = found(downtime)
        assert warning.problem.startswith(f"it overlaps with 5 slots: {unit} at 2026-06-15 16:00 UTC, ")
        assert warning.problem.endswith(" and 2 more")
        downtime.end_time = None
        downtime.start_time = HIGH + 4 * HOUR
        assert found(downtime)[0].problem == f"it overlaps with 1 slot: {unit} at 2026-06-15 20:00 UTC"
        downtime.start_time = HIGH + 4.5 * HOUR
        assert found(downtime) == []

    def test_a_downtime_since_the_beginning_of_the_calendar(self, sky):
        unit = ObsUnitFactory(source=sky.source, module_configurations=[sky.chai])
        PreScheduledSlotFactory(obs_unit=unit, telescope=sky.telescope, start_time=HIGH, end_time=HIGH + HOUR)
        beginning = datetime.min.replace(tzinfo=UTC)
        assert len(found(Downtime(telescope=sky.telescope, start_time=beginning, reason="ever"))) == 1

    def test_an_instrument_hits_only_slots_of_units_that_use_it(self, sky):
        unit = ObsUnitFactory(source=sky.source, module_configurations=[sky.chai])
        PreScheduledSlotFactory(obs_unit=unit, telescope=sky.telescope, start_time=HIGH, end_time=HIGH + HOUR)
        of = {"start_time": LOW, "reason": "warm"}
        assert found(Downtime(instrument=sky.prime_cam.instrument_module.instrument, **of)) == []
        assert len(found(Downtime(instrument=sky.chai.instrument_module.instrument, **of))) == 1
        assert len(found(Downtime(instrument_module=sky.chai.instrument_module, **of))) == 1


class TestUnitsWithoutModules:
    """Such a unit may use any module of an instrument of its program that takes its recipe, at the slot's telescope."""

    @pytest.fixture
    def slot(self, sky):
        chai = sky.chai.instrument_module.instrument
        unit = ObsUnitFactory(
            source=sky.source, name="lazy", observing_program=ObservingProgramFactory(instruments=[chai])
        )
        return PreScheduledSlotFactory(obs_unit=unit, telescope=sky.telescope, start_time=HIGH, end_time=HIGH + HOUR)

    @pytest.mark.parametrize("what", ["instrument", "module"])
    def test_a_downtime_of_what_they_may_use_may_affect_them(self, what, sky, slot):
        module = sky.chai.instrument_module
        target = {"instrument": module.instrument} if what == "instrument" else {"instrument_module": module}
        downtime = Downtime(**target, start_time=HIGH, reason="warm")
        (warning,) = found(downtime)
        assert (warning.kind, warning.field) == (PlanningProblem.DOWNTIME, "start_time")
        assert warning.problem == (
            "units without module configurations may be affected, in 1 slot: lazy at 2026-06-15 16:00 UTC"
        )
        assert warning.remedy.startswith("choose the modules of these units, or move the slots")
        hidden = warning.for_viewer(who_may_not_view(ObsUnit))
        assert hidden.problem == (
            "units without module configurations may be affected, in 1 slot that you may not view"
        )
        downtime.save()
        (warning,) = found(slot)
        assert warning.problem.endswith("(warm), and its unit, which has no module configuration, may be affected")
        assert warning.remedy.endswith("or choose modules that are not down")

    def test_what_is_sure_and_what_is_not_are_told_apart(self, sky, slot):
        unit = ObsUnitFactory(source=sky.source, name="sure", module_configurations=[sky.chai])
        PreScheduledSlotFactory(
            obs_unit=unit, telescope=sky.telescope, start_time=HIGH + HOUR, end_time=HIGH + 2 * HOUR
        )
        first, second = found(Downtime(instrument_module=sky.chai.instrument_module, start_time=HIGH, reason="warm"))
        assert first.problem == "it overlaps with 1 slot: sure at 2026-06-15 17:00 UTC"
        assert "may be affected, in 1 slot: lazy" in second.problem

    def test_a_downtime_of_the_telescope_hits_them_for_sure(self, sky, slot):
        (warning,) = found(Downtime(telescope=sky.telescope, start_time=HIGH, reason="snow"))
        assert warning.problem.startswith("it overlaps with 1 slot: lazy")

    def test_what_they_can_not_use_does_not_affect_them(self, sky, slot):
        of = {"start_time": HIGH, "reason": "warm"}
        elsewhere = InstrumentFactory(telescope=TelescopeFactory())
        unlisted = InstrumentFactory(telescope=sky.telescope)
        for instrument in (sky.prime_cam.instrument_module.instrument, elsewhere, unlisted):
            assert found(Downtime(instrument=instrument, **of)) == [], instrument
        slot.obs_unit.observing_program.instruments.clear()
        assert found(Downtime(instrument=sky.prime_cam.instrument_module.instrument, **of)) == [], "of its recipe"
        assert found(Downtime(instrument=elsewhere, **of)) == [], "at another telescope"
        for instrument in (sky.chai.instrument_module.instrument, unlisted):
            assert len(found(Downtime(instrument=instrument, **of))) == 1, "of which nothing excludes it"


def allocated(setup, **facts):
    instrument = setup.instrument_module.instrument
    program = facts.pop("program", None) or ObservingProgramFactory(short_name="GEco", instruments=[instrument])
    facts = {"period": "2026B", "start_date": date(2026, 9, 1), "end_date": date(2027, 3, 1), "hours": 380} | facts
    return TimeAllocation(observing_program=program, instrument=instrument, **facts)


class TestAllocations:
    def test_what_is_right_is_no_warning(self, sky):
        allocated(sky.chai).save()
        assert found(*TimeAllocation.objects.all()) == []
        assert found(allocated(sky.prime_cam, program=ObservingProgramFactory())) == []

    def test_more_hours_than_its_days_have(self, sky):
        (warning,) = found(allocated(sky.chai, end_date=date(2026, 9, 11), hours=241))
        assert (warning.kind, warning.field) == (PlanningProblem.ALLOCATION, "hours")
        assert str(warning) == (
            "allocation 2026B of GEco with CHAI: 241 h are more than the 240 h of its 10 days; "
            "check the hours and the dates"
        )
        assert (
            found(allocated(sky.chai, program=ObservingProgramFactory(), end_date=date(2026, 9, 11), hours=240)) == []
        )

    def test_fewer_hours_than_have_been_observed(self, sky):
        allocation = allocated(sky.chai, start_date=date(2026, 3, 1), end_date=date(2026, 9, 1))
        allocation.save()
        unit = ObsUnitFactory(observing_program=allocation.observing_program, module_configurations=[sky.chai])
        ended = {"end_time": LOW + 3 * HOUR, "status": ObservationStatus.COMPLETED}
        ExecutedObsUnitFactory(obs_unit=unit, start_time=LOW, module_configurations=[sky.chai], **ended)
        assert found(allocation) == []
        allocation.hours = 2
        assert kinds(allocation) == [(PlanningProblem.ALLOCATION, "hours")]
        (warning,) = found(allocation)
        assert "3 h have been observed already, which is more than 2 h" in str(warning)
        hidden = warning.for_viewer(who_may_not_view(ExecutedObsUnit))
        assert hidden.problem == "more hours than these have been observed already"

    @pytest.mark.parametrize("column", ["observing_program", "instrument", "start_date", "end_date"])
    def test_hours_of_a_saved_allocation_say_nothing_of_what_it_is_changed_to(self, column, sky):
        allocation = allocated(sky.chai, start_date=date(2026, 3, 1), end_date=date(2026, 9, 1))
        allocation.save()
        unit = ObsUnitFactory(observing_program=allocation.observing_program, module_configurations=[sky.chai])
        ended = {"end_time": LOW + 3 * HOUR, "status": ObservationStatus.COMPLETED}
        ExecutedObsUnitFactory(obs_unit=unit, start_time=LOW, module_configurations=[sky.chai], **ended)
        allocation.hours = 2
        others = {
            "observing_program": ObservingProgramFactory(),
            "instrument": sky.prime_cam.instrument_module.instrument,
            "start_date": date(2026, 7, 1),
            "end_date": date(2026, 4, 1),
        }
        setattr(allocation, column, others[column])
        assert "observed already" not in " ".join(map(str, found(allocation)))

    @pytest.mark.parametrize(
        ("dates", "unusual"),
        [
            ((date(2026, 9, 1), date(2026, 12, 1)), False),
            ((date(2026, 8, 1), date(2027, 4, 1)), False),
            ((date(2026, 8, 1), date(2026, 12, 1)), True),
            ((date(2027, 9, 1), date(2028, 3, 1)), True),
        ],
    )
    def test_dates_that_other_allocations_of_the_period_do_not_have(self, dates, unusual, sky):
        allocated(sky.chai).save()
        other = allocated(sky.prime_cam, program=ObservingProgramFactory(), start_date=dates[0], end_date=dates[1])
        assert kinds(other) == [(PlanningProblem.ALLOCATION, "start_date")] * unusual
        for warning in found(other):
            first, last = dates[0], dates[1] - timedelta(days=1)
            assert f"{first} to {last} is not within 2026-09-01 to 2027-02-28, which" in warning.problem

    def test_a_new_one_whose_period_has_ended(self, sky):
        allocation = allocated(sky.chai, start_date=date(2025, 9, 1), end_date=date(2026, 3, 1))
        assert kinds(allocation) == [(PlanningProblem.ALLOCATION, "end_date")]
        assert found(allocation)[0].problem == "its period ended on 2026-02-28"
        allocation.save()
        assert found(allocation) == []

    def test_an_instrument_that_the_program_does_not_have_and_a_program_that_no_longer_observes(self, sky):
        program = ObservingProgramFactory(instruments=[sky.chai.instrument_module.instrument], active=False)
        assert kinds(allocated(sky.prime_cam, program=program)) == [
            (PlanningProblem.ALLOCATION, "instrument"),
            (PlanningProblem.ALLOCATION, "observing_program"),
        ]


class TestPrograms:
    def test_one_that_no_longer_observes_and_has_slots_to_come(self, sky):
        program = ObservingProgramFactory(short_name="GEco")
        unit = ObsUnitFactory(observing_program=program)
        PreScheduledSlotFactory(obs_unit=unit, telescope=sky.telescope, start_time=LOW, end_time=LOW + HOUR)
        program.active = False
        assert found(program) == []
        PreScheduledSlotFactory(obs_unit=unit, telescope=sky.telescope, start_time=HIGH, end_time=HIGH + HOUR)
        (warning,) = found(program)
        assert (warning.kind, warning.field) == (PlanningProblem.PROGRAM, "active")
        assert str(warning).startswith("program GEco: no longer observes and has 1 slot to come; delete the slots")
        program.active = True
        assert found(program) == []


class TestViewers:
    """Nothing in a warning names a row that its reader may not view."""

    def test_who_may_view_everything_reads_everything(self, sky):
        for warning in found(
            allocated(sky.chai, end_date=date(2026, 9, 11), hours=241), FixedSourceFactory(dec_deg=80)
        ):
            assert warning.for_viewer(who_may_not_view()) == warning

    def test_the_unit_of_a_slot(self, sky):
        unit = ObsUnitFactory(source=sky.source, module_configurations=[sky.chai])
        (warning,) = found(
            PreScheduledSlot(obs_unit=unit, telescope=sky.telescope, start_time=LOW, end_time=LOW + HOUR)
        )
        assert warning.subject == f"slot 2026-06-15 04:00 UTC of {unit}"
        assert warning.for_viewer(who_may_not_view(ObsUnit)).subject == "slot 2026-06-15 04:00 UTC"
        assert warning.for_viewer(who_may_not_view(Telescope)).subject == warning.subject

    def test_the_target_of_a_downtime(self, sky):
        unit = ObsUnitFactory(source=sky.source, module_configurations=[sky.chai])
        PreScheduledSlotFactory(obs_unit=unit, telescope=sky.telescope, start_time=HIGH, end_time=HIGH + HOUR)
        (warning,) = found(Downtime(telescope=sky.telescope, start_time=HIGH, reason="snow"))
        assert str(sky.telescope) in warning.subject
        assert warning.for_viewer(who_may_not_view(Telescope)).subject == "downtime from 2026-06-15 16:00 UTC"

    @pytest.mark.parametrize("model", [ObservingProgram, Instrument])
    def test_the_program_and_the_instrument_of_an_allocation(self, model, sky):
        (warning,) = found(allocated(sky.chai, end_date=date(2026, 9, 11), hours=241))
        hidden = warning.for_viewer(who_may_not_view(model))
        assert str(hidden) == (
            "allocation 2026B: 241 h are more than the 240 h of its 10 days; check the hours and the dates"
        )

    def test_the_scan_of_a_recipe(self, sky):
        mode = ObsModeFactory(name="lissajous", configuration_type=ConfigurationType.PRIME_CAM)
        recipe = PrimeCamObservationConfigurationFactory(scan_type="daisy")
        unit = ObsUnitFactory(
            source=sky.source, obs_mode=mode, configuration=recipe, module_configurations=[sky.prime_cam]
        )
        (warning,) = found(unit)
        assert warning.remedy == "choose the mode daisy, or another recipe"
        hidden = warning.for_viewer(who_may_not_view(ObservationConfiguration))
        assert hidden.remedy == "choose another mode, or another recipe" and "daisy" not in str(hidden)


def test_the_number_of_queries_does_not_depend_on_the_number_of_rows(sky):
    def make(number):
        for _ in range(number):
            program = ObservingProgramFactory(instruments=[sky.chai.instrument_module.instrument])
            unit = ObsUnitFactory(observing_program=program, module_configurations=[sky.chai])
            start = HIGH + PreScheduledSlot.objects.count() * HOUR / 2
            PreScheduledSlotFactory(obs_unit=unit, telescope=sky.telescope, start_time=start, end_time=start + HOUR / 2)
            DowntimeFactory(telescope=sky.telescope, start_time=start, end_time=start + HOUR / 4)
            bare = ObsUnitFactory(observing_program=program)
            PreScheduledSlotFactory(
                obs_unit=bare, telescope=sky.telescope, start_time=start + HOUR / 2, end_time=start + HOUR
            )
            module = sky.chai.instrument_module
            DowntimeFactory(telescope=None, instrument_module=module, start_time=start, end_time=start + HOUR)

    def queries():
        slots = list(PreScheduledSlot.objects.all())
        units = [type(slot.obs_unit).objects.get(pk=slot.obs_unit_id) for slot in slots]
        rows = [*slots, *units, *Downtime.objects.all(), *(unit.source for unit in units)]
        with CaptureQueriesContext(
            connection,
        ) as captured:
            assert find_planning_warnings(rows, now=NOW)
        return len(captured)

    make(2)
    few = queries()
    make(4)
    assert queries() == few

"""Loading schedules into the database: everything or nothing, and the same file never twice."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Barrier, Thread

import pytest
from django.db import connection, connections

from opsdb import loaders
from opsdb.loaders import LoadError, swept_sky
from opsdb.loaders.reference import load_reference
from opsdb.loaders.schedules import Sweep, read_schedule
from opsdb.loaders.swept_sky import swept_edges
from opsdb.models import (
    ConstantElevationSource,
    FixedSource,
    ObservationConfiguration,
    ObservingProgram,
    ObsMode,
    ObsUnit,
    PreScheduledSlot,
    PrimeCamObservationConfiguration,
    SolarSystemObject,
    Source,
    Telescope,
)
from tests.schedules import TEXT_SCHEDULE, TIMELINE, at, calibration, line_of, science, slew, timeline

PLANNED = (Source, ObservationConfiguration, ObsUnit, PreScheduledSlot)


def load_slots(path, *, dry_run=False, **options):
    return (loaders.prepare if dry_run else loaders.load)("slots", path, **options)


def created(plan, model=PreScheduledSlot):
    return plan.counted("create", model._meta.verbose_name)


def counts():
    return [model.objects.count() for model in PLANNED]


@pytest.fixture
def load(tmp_path, reference):
    """Write a text to a file and load it."""

    def load(text, name="schedule.ecsv", program="WFS", create_missing=True, **options):
        path = tmp_path / name
        path.write_text(text)
        return load_slots(path, program=program, create_missing=create_missing, **options)

    return load


@pytest.fixture
def refused(load):
    """Load a text that must be refused without a trace; return what is said about it."""

    def refused(text, **options):
        before = counts()
        with pytest.raises(LoadError) as caught:
            load(text, **options)
        assert counts() == before
        return str(caught.value)

    return refused


def test_the_planners_timeline_becomes_slots_of_units(reference):
    result = load_slots(TIMELINE, program="WFS", create_missing=True)
    assert list(result.facts.values()) == [60, 14, 31, 15, 0]
    assert [created(result), created(result, ConstantElevationSource), created(result, SolarSystemObject)] == [45, 1, 1]
    assert [created(result, PrimeCamObservationConfiguration), created(result, ObsUnit)] == [6, 6]
    assert {str(unit): unit.slots.count() for unit in ObsUnit.objects.in_program("Cal")} == {
        "retune": 15,
        "pointing_cal": 8,
        "focus": 4,
        "skydip": 3,
        "planet_cal_neptune": 1,
    }
    deep56 = ObsUnit.objects.get(name="Deep56")
    assert (deep56.slots.count(), deep56.obs_mode.name) == (14, "constant_el")
    assert deep56.observing_program.short_name == "WFS"
    assert deep56.planned_duration_seconds == pytest.approx(1701.325, abs=0.01)
    slot = deep56.slots.earliest("start_time")
    assert slot.start_time == datetime(2026, 6, 15, 2, 14, 32, 312000, tzinfo=UTC)
    assert (slot.azimuth_min_deg, slot.azimuth_max_deg) == (124.69413163338106, 186.92308470779756)
    assert (slot.elevation_deg, slot.boresight_angle_deg) == (50, 6.119087878604162)
    assert (slot.scan_index, slot.subscan_index, slot.origin) == (0, 0, TIMELINE.name)


def test_the_field_of_a_science_block_becomes_its_source_and_configuration(reference):
    load_slots(TIMELINE, program="WFS", create_missing=True)
    source = ConstantElevationSource.objects.get(name="Deep56")
    assert (source.ra_min_deg, source.ra_max_deg) == pytest.approx((0.41643, 47.58357), abs=1e-5)
    assert (source.dec_min_deg, source.dec_max_deg, source.elevation_deg) == (-37, -27, 50)
    recipe = PrimeCamObservationConfiguration.objects.get(name="Deep56 constant_el")
    assert (recipe.scan_type, recipe.width_deg, recipe.height_deg) == ("constant_el", 40, 10)
    assert (recipe.velocity_deg_s, recipe.elevation_deg, recipe.version) == (1, 50, 1)


def test_only_a_target_makes_a_source_of_a_calibration(reference):
    load_slots(TIMELINE, program="WFS", create_missing=True)
    assert set(Source.objects.values_list("name", flat=True)) == {"Deep56", "Neptune"}
    assert SolarSystemObject.objects.get().naif_id == 899
    without = ObsUnit.objects.filter(source__isnull=True).values_list("name", flat=True)
    assert set(without) == {"retune", "pointing_cal", "focus", "skydip"}


def test_the_second_time_adds_nothing(reference):
    load_slots(TIMELINE, program="WFS", create_missing=True)
    before = counts()
    again = load_slots(TIMELINE, program="WFS")
    assert again.changes_nothing
    assert again.counted("leave") == 45
    assert counts() == before


def test_a_dry_run_tells_the_same_and_writes_nothing(reference):
    before = counts()
    dry = load_slots(TIMELINE, program="WFS", create_missing=True, dry_run=True)
    assert counts() == before
    done = load_slots(TIMELINE, program="WFS", create_missing=True)
    assert (dry.facts, dry.totals, dry.steps, dry.notes) == (done.facts, done.totals, done.steps, done.notes)
    assert (dry.applied, done.applied) == (False, True)


def test_without_being_asked_nothing_is_made_and_every_missing_name_is_told_once(refused):
    text = timeline(calibration("retune"), at(1), at(2), at(3, name="Deep57"))
    said = refused(text, create_missing=False).split("\n")
    assert [line.partition("schedule.ecsv, ")[2].partition(":")[0] for line in said] == [
        f"line {line_of(text, 0)}, name",
        f"line {line_of(text, 1)}, name",
        f"line {line_of(text, 3)}, name",
    ]
    assert "program Cal has no unit 'retune'" in said[0]
    assert "program WFS has no unit 'Deep56' (and on 1 more lines)" in said[1]
    assert all("--create-missing" in line for line in said)


def test_near_names_and_other_programs_are_suggested(load, refused):
    load(timeline(at(0, name="Deep56")))
    assert "near: Deep56" in refused(timeline(at(1, name="Deep65")), create_missing=False)
    assert "a unit of this name is in WFS" in refused(timeline(at(1)), program="DSS", create_missing=False)


def test_the_text_schedule_makes_fields_of_what_the_boresight_sweeps(reference):
    result = load_slots(TEXT_SCHEDULE, program="WFS", create_missing=True)
    assert (created(result), created(result, ConstantElevationSource)) == (12, 5)
    field = ConstantElevationSource.objects.get(name="E-CDFS")
    assert field.ra_min_deg < 53.117 < field.ra_max_deg
    assert field.dec_min_deg < -27.808 < field.dec_max_deg
    assert "sweeps" in field.comment


def test_a_sweep_across_north_at_a_known_elevation_has_a_known_declination(reference):
    load_slots(TEXT_SCHEDULE, program="WFS", create_missing=True)
    field = ConstantElevationSource.objects.get(name="Virgo")
    telescope = Telescope.objects.get()
    on_the_meridian = 90 - 54 + telescope.latitude_deg
    assert field.dec_max_deg == pytest.approx(on_the_meridian, abs=0.2)
    assert field.ra_min_deg < 187.7 < field.ra_max_deg


def test_a_sweep_across_ra_zero_wraps_and_one_right_round_is_whole(reference, tmp_path):
    telescope = Telescope.objects.get()
    path = tmp_path / "schedule.ecsv"
    path.write_text(timeline(science(), columns=["start_time", "stop_time", "name", "azmin", "azmax", "el"]))
    (block,) = read_schedule(path).blocks
    edges = swept_edges([Sweep.of(block)], telescope)
    assert 0 < (edges["ra_max_deg"] - edges["ra_min_deg"]) % 360 < 120
    hours = [timedelta(hours=hour) for hour in range(24)]
    day = [replace(block, start=block.start + later, end=block.end + later) for later in hours]
    whole = swept_edges(map(Sweep.of, day), telescope)
    assert (whole["ra_min_deg"], whole["ra_max_deg"]) == (0, 360)
    wrapping = [swept_edges([Sweep.of(one)], telescope) for one in day]
    assert any(one["ra_max_deg"] < one["ra_min_deg"] for one in wrapping)


def test_edges_of_many_sweeps_are_those_of_all_grids_at_once(reference, monkeypatch):
    telescope = Telescope.objects.get()
    sweeps = [Sweep(start * 1800.0, start * 1800.0 + 1500, 30, 75.5, 50) for start in (3, 1, 5, 2, 9)]
    at_once = swept_edges(sweeps, telescope)
    monkeypatch.setattr(swept_sky, "POINTS_AT_ONCE", 100)
    assert swept_edges(sweeps, telescope) == pytest.approx(at_once, abs=1e-9)
    monkeypatch.setattr(swept_sky, "_outer", lambda points: points)
    assert swept_edges(sweeps, telescope) == pytest.approx(at_once, abs=1e-9)


def test_a_sweep_of_years_is_refused_before_its_grid_is_made():
    with pytest.raises(ValueError, match="a sweep of 94608000 s is longer than 86400 s"):
        swept_edges([Sweep(0, 3 * 365 * 86400.0, 0, 10, 50)], None)


def test_other_scans_make_a_fixed_source_and_keep_their_parameters(load):
    parameters = '"{""spacing"": 0.1, ""angle"": 170, ""n_cycles"": 2}"'
    load(timeline(at(0, scan_type="pong", name="M83", scan_params_json=parameters)))
    source = FixedSource.objects.get(name="M83")
    assert (source.ra_deg, source.dec_deg) == (24, -32)
    recipe = PrimeCamObservationConfiguration.objects.get(name="M83 pong")
    assert (recipe.spacing_deg, recipe.angle_deg, recipe.parameters) == (0.1, 170, {"n_cycles": 2})


def test_a_known_source_is_used_by_name_or_alias(load):
    known = FixedSource.objects.create(name="ACT Deep 56", aliases=["Deep56"], ra_deg=24, dec_deg=-32)
    neptune = SolarSystemObject.objects.create(name="Planet Neptune", ephemeris_name="neptune", naif_id=899)
    result = load(timeline(calibration("planet_cal", "neptune"), at(1, scan_type="daisy")))
    assert (created(result, FixedSource), created(result, SolarSystemObject), result.notes) == (0, 0, [])
    assert ObsUnit.objects.get(name="Deep56").source_id == known.pk
    assert ObsUnit.objects.get(name="planet_cal_neptune").source_id == neptune.pk


def test_a_known_source_elsewhere_is_left_alone_but_told(load):
    FixedSource.objects.create(name="Deep56", ra_deg=100, dec_deg=0)
    assert "is not that of source Deep56" in load(timeline(at(0, scan_type="daisy"))).notes[0]
    assert "is not that of source Deep56" in load(timeline(at(1, scan_type="daisy"))).notes[0]
    note = load(timeline(at(2, scan_type="pong"))).notes[0]
    assert "is a pong, but the unit Deep56 in the database is a daisy" in note


def test_a_science_block_that_names_a_planet_makes_no_fixed_source(load):
    load(timeline(at(0, name="Jupiter", scan_type="daisy")))
    assert SolarSystemObject.objects.get().name == "Jupiter"


def test_a_changed_recipe_gets_a_new_version(load):
    PrimeCamObservationConfiguration.objects.create(name="Deep56 constant_el", scan_type="constant_el", width_deg=1)
    load(timeline(at(0)))
    assert ObsUnit.objects.get(name="Deep56").configuration.version == 2


def test_columns_that_are_not_known_are_told(load):
    cells = science(moon="3.5")
    assert load(timeline(cells, columns=list(cells))).notes == ["Columns not loaded: moon."]


@pytest.mark.parametrize(
    ("rows", "row", "message"),
    [
        (
            [at(0), at(1), at(0, start_time='"2026-07-01 00:29:59"')],
            2,
            "starts at 2026-07-01 00:29:59, before Deep56 of line",
        ),
        ([at(0), at(0)], 1, "before Deep56 of line"),
        ([at(0), at(1, width="30.0")], 1, "one scan and field for one name"),
        ([at(0), at(1, scan_type="pong")], 1, "constant_el there, pong here"),
        ([at(0, scan_type="spiral")], 0, "unknown observing mode 'spiral'"),
        ([calibration("planet_cal")], 0, "a planet_cal needs a target"),
        (
            [calibration("planet_cal", "vulcan")],
            0,
            "target 'vulcan' is neither a known source nor a body of the solar system",
        ),
        ([at(0, scan_type="pong", width="0.0", height="0.0", ra_center="0.0", dec_center="0.0")], 0, "needs its field"),
    ],
)
def test_what_does_not_fit_is_named_with_its_line(refused, rows, row, message):
    text = timeline(*rows)
    said = refused(text)
    assert f"schedule.ecsv, line {line_of(text, row)}" in said
    assert message in said
    assert "\n" not in said


def test_one_wrong_row_loads_nothing(refused):
    text = timeline(at(0), at(1), at(2, el="95.0"))
    assert f"line {line_of(text, 2)}, el" in refused(text)


@pytest.mark.parametrize(
    ("meta", "message"),
    [
        (("telescope_name: LAT",), "unknown telescope 'LAT'; expected one of FYST"),
        (("telescope_name: FYST", "site_lat: -22.9"), "the site's latitude is -22.9°"),
        (("telescope_name: FYST", "site_lon: 67.740278"), "the site's longitude is 67.7403°"),
    ],
)
def test_a_schedule_for_another_place_is_refused(refused, meta, message):
    said = refused(timeline(science(), meta=meta))
    assert message in said
    assert ", line 5: " in said


def test_the_same_longitude_written_eastward_is_the_same_place(load):
    assert created(load(timeline(science(), meta=("telescope_name: fyst", "site_lon: 292.259722")))) == 1


def test_an_unknown_program_is_named_with_the_known(refused):
    assert "unknown observing program 'wfs'; expected one of Cal," in refused(timeline(science()), program="wfs")


def test_an_empty_database_says_what_to_do_first(db, tmp_path):
    with pytest.raises(LoadError, match="expected opsdb_init to be run first"):
        load_slots(TIMELINE, program="WFS")


def test_a_changed_slot_is_refused_with_its_line_and_both_facts(load, refused):
    load(timeline(at(0), at(1)), name="first.ecsv")
    text = timeline(at(0), at(1, el="51.0", stop_time='"2026-07-01 01:20:00"'))
    said = refused(text)
    slot = "'2026-07-01 01:00:00 WFS / Deep56'"
    assert f"line {line_of(text, 1)}: pre-scheduled slot {slot} exists with different values" in said
    assert "2026-07-01 01:30:00 → 2026-07-01 01:20:00" in said
    assert "50 → 51" in said


def test_a_changed_slot_is_skipped_or_updated_on_demand(load):
    load(timeline(at(0), at(1)))
    text = timeline(at(0), at(1, el="51.0"), at(2))
    skipped = load(text, on_conflict="skip")
    assert (created(skipped), skipped.counted("skip"), skipped.counted("leave")) == (1, 1, 1)
    updated = load(text, on_conflict="update")
    assert (created(updated), updated.counted("update"), updated.counted("leave")) == (0, 1, 2)
    assert PreScheduledSlot.objects.get(start_time__hour=1).elevation_deg == 51


def test_an_update_that_makes_slots_overlap_is_refused(load, refused):
    load(timeline(at(0), at(1)))
    text = timeline(at(0, stop_time='"2026-07-01 01:10:00"'))
    said = refused(text, on_conflict="update")
    assert f"line {line_of(text, 0)}: 2026-07-01 00:00:00 WFS / Deep56 can't be written: " in said
    assert "The telescope has another slot at that time; choose a time that is free." in said


def test_a_schedule_needs_to_know_whose_its_blocks_are(refused):
    assert "expected --program CODE" in refused(timeline(at(0)), program=None)


def test_a_slot_of_another_unit_at_the_same_time_is_refused(load, refused):
    load(timeline(at(0)))
    assert "WFS / Deep56 → WFS / Deep57" in refused(timeline(at(0, name="Deep57")))


@pytest.mark.parametrize(
    ("start", "stop"), [("00:10", "00:20"), ("00:29", "02:31"), ("02:29", "02:40"), ("23:00", "23:59")]
)
def test_a_slot_that_overlaps_a_present_one_is_refused_and_one_between_is_not(load, refused, start, stop):
    load(timeline(at(0), at(2)), name="first.ecsv")
    row = science(start_time=f'"2026-07-01 {start}:00"', stop_time=f'"2026-07-01 {stop}:00"')
    if start == "23:00":
        assert created(load(timeline(row))) == 1
    else:
        assert "overlaps the slot of Deep56, 2026-07-01 0" in refused(timeline(row))
    between = science(start_time='"2026-07-01 00:30:00"', stop_time='"2026-07-01 02:00:00"')
    assert created(load(timeline(between))) == 1


def test_slews_take_no_telescope_time(load):
    assert created(load(timeline(at(0), slew(), at(1)))) == 2


def test_what_only_the_database_refuses_is_named_with_its_line(refused, monkeypatch):
    """Rows that pass every check of the loader but not one of the tables."""
    monkeypatch.setattr("opsdb.loaders.schedules.rows.ELEVATION_RANGE_DEG", (0, 99))
    ObsUnit.objects.create(
        observing_program=ObservingProgram.objects.get(short_name="WFS"),
        name="Deep56",
        obs_mode=ObsMode.objects.get(name="skydip"),
        configuration=PrimeCamObservationConfiguration.objects.create(name="any", scan_type="any"),
    )
    text = timeline(at(0), at(1, el="95.0"), at(2))
    said = refused(text, create_missing=False)
    assert f"line {line_of(text, 1)}, elevation_deg: 2026-07-01 01:00:00 WFS / Deep56 can't be written: " in said
    assert "must be between 0 and 90°" in said


def test_blocks_in_any_order_become_slots_in_the_order_of_time(load, monkeypatch):
    monkeypatch.setattr(loaders.spool, "ORDERED_AT_ONCE", 3)
    load(timeline(*(at(hour) for hour in (5, 0, 3, 1, 6, 2, 4))))
    starts = list(PreScheduledSlot.objects.order_by("pk").values_list("start_time", flat=True))
    assert len(starts) == 7 and starts == sorted(starts)


def test_many_slots_are_written_in_batches_with_progress(load, monkeypatch):
    monkeypatch.setattr(loaders.loading, "BATCH_SIZE", 3)
    seen = []

    def progress(batches, description):
        seen.append((len(batches), description))
        return batches

    assert created(load(timeline(*(at(hour) for hour in range(7))), progress=progress)) == 7
    assert seen == [(3, "Writing pre-scheduled slots")]


@pytest.mark.django_db(transaction=True)
def test_two_loads_of_one_file_at_once_end_in_one_clean_state():
    load_reference()
    start, results = Barrier(2), []

    def load():
        start.wait()
        results.append(load_slots(TIMELINE, program="WFS", create_missing=True))
        connections.close_all()

    threads = [Thread(target=load) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(created, results)) == [0, 45]
    assert PreScheduledSlot.objects.count() == 45


def test_the_number_of_queries_does_not_grow_with_the_rows(load, django_assert_max_num_queries):
    load(timeline(at(0)))
    with django_assert_max_num_queries(35):
        load(timeline(*(at(hour) for hour in range(24))))
    assert not connection.needs_rollback

"""Random timelines of the planner and tables of units load with their numbers, and mutilated files of every kind end in
sentences or change one row.

Beside ``test_corpus``; a position may be off by 0.01 arcsec and a time by 1 ms.
"""

import json
import random
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import AltAz, EarthLocation, Longitude, SkyCoord
from astropy.table import QTable
from astropy.time import Time
from astropy.utils import iers
from django.core.management import CommandError, call_command
from django.db import transaction

from opsdb.loaders import LoadError, load
from opsdb.models import (
    ConstantElevationSource,
    ObsUnit,
    PreScheduledSlot,
    PrimeCamObservationConfiguration,
    SolarSystemObject,
    Telescope,
)
from opsdb.testing.factories.planning import ChaiObservationConfigurationFactory, FixedSourceFactory, ObsUnitFactory
from tests.loaders.broken import GOOD
from tests.loaders.test_corpus import POSITION_ARCSEC, SEEDS, TIME_SECONDS, mutilated

pytestmark = pytest.mark.django_db

FIELDS = 4
UNITS = 20
UNIT_NUMBERS = ("rest_frequency_ghz", "priority", "elevation_min_deg", "elevation_max_deg", "pwv_max_mm")


@pytest.fixture
def site(reference):
    telescope = Telescope.objects.get()
    with (
        iers.conf.set_temp("auto_download", False),
        iers.conf.set_temp("auto_max_age", None),
        iers.conf.set_temp("iers_degraded_accuracy", "ignore"),
    ):
        yield EarthLocation.from_geodetic(telescope.longitude_deg, telescope.latitude_deg, telescope.elevation_m)


def blocks_of_the_planner(rng, site):
    """Return rows as the planner writes them, and what is in those of the fields: each is looked for in the sky."""
    rows, wanted = [], []
    moment = datetime(2026, 3, 1, tzinfo=UTC)
    fields = [
        (rng.uniform(0, 360), rng.uniform(-50, 10), rng.uniform(2, 20), rng.uniform(2, 20)) for _ in range(FIELDS)
    ]
    while len(wanted) < 2 * FIELDS:
        moment += timedelta(milliseconds=rng.randrange(10**6, 10**7))
        end = moment + timedelta(milliseconds=rng.randrange(10**6, 3 * 10**6))
        number = rng.randrange(FIELDS)
        ra, dec, width, height = fields[number]
        centre = SkyCoord(ra * u.deg, dec * u.deg).transform_to(AltAz(obstime=Time(moment), location=site))
        if not 25 < centre.alt.deg < 80:
            continue
        half = width / 2 / np.cos(centre.alt.rad)
        azimuths = centre.az.deg - half, centre.az.deg + half
        rows.append(row("slew", moment - timedelta(minutes=2), moment, f"slew_to_f{number}", azimuths, -12.5))
        if rng.random() < 0.4:
            start = moment - timedelta(minutes=1)
            meta = json.dumps({"cal_type": "planet_cal", "target": rng.choice(["mars", "uranus"])})
            rows.append(row("calibration", start, moment, "planet_cal", (120.0, 121.0), 40.0, block_meta_json=meta))
            rows[-2]["stop_time"] = text_of(start)
        rows.append(
            row(
                "science",
                *(moment, end, f"f{number}", azimuths, centre.alt.deg),
                scan_type="constant_el",
                ra_center=ra,
                dec_center=dec,
                width=width,
                height=height,
                velocity=0.5 + number,
            )
        )
        wanted.append((moment, end, *azimuths, centre.alt.deg, number))
        moment = end
    return rows, wanted, fields


def text_of(moment):
    return f"{moment:%Y-%m-%d %H:%M:%S}.{moment.microsecond // 1000:03}"


def row(kind, start, end, name, azimuths, elevation, **others):
    nothing = dict.fromkeys(("ra_center", "dec_center", "width", "height", "velocity"), 0.0)
    return {
        "start_time": text_of(start),
        "stop_time": text_of(end),
        "boresight_angle": 12.5,
        "name": name,
        "azmin": azimuths[0],
        "azmax": azimuths[1],
        "az_final": np.nan if kind == "science" else azimuths[1],
        "el": elevation,
        "scan_index": 0,
        "subscan_index": 0,
        "block_type": kind,
        "scan_type": name if kind == "calibration" else kind,
        "rising": azimuths[0] < 180,
        **nothing,
        "scan_params_json": "{}",
        "block_meta_json": "{}",
        **others,
    }


@pytest.mark.parametrize("seed", SEEDS)
def test_fields_at_constant_elevation_load_as_the_planner_writes_them(site, tmp_path, seed):
    rows, wanted, fields = blocks_of_the_planner(random.Random(seed), site)
    table = QTable({name: [row[name] for row in rows] for name in rows[0]}, meta={"telescope_name": "FYST"})
    for name in ("boresight_angle", "azmin", "azmax", "az_final", "el"):
        table[name].unit = u.deg
    path = tmp_path / "timeline.ecsv"
    table.write(path, format="ascii.ecsv")
    plan = load("slots", path, program="WFS", create_missing=True)
    assert plan.facts["slews, not loaded"] == len(wanted)
    slots = PreScheduledSlot.objects.filter(obs_unit__observing_program__short_name="WFS").order_by("start_time")
    for slot, (start, end, azmin, azmax, el, number) in zip(slots, wanted, strict=True):
        assert abs((slot.start_time - start).total_seconds()) < TIME_SECONDS
        assert abs((slot.end_time - end).total_seconds()) < TIME_SECONDS
        numbers = (slot.azimuth_min_deg, slot.azimuth_max_deg, slot.elevation_deg)
        assert numbers == pytest.approx((azmin, azmax, el), abs=POSITION_ARCSEC / 3600)
        assert slot.obs_unit.name == f"f{number}" and slot.azimuth_final_deg is None
    for number, (ra, dec, width, height) in enumerate(fields):
        field = ConstantElevationSource.objects.filter(name=f"f{number}").first()
        if field is None:
            continue
        edges = Longitude(ra * u.deg + np.array([-0.5, 0.5]) * width * u.deg / np.cos(dec * u.deg))
        assert near(field.ra_min_deg, edges[0].deg) and near(field.ra_max_deg, edges[1].deg)
        assert near(field.dec_min_deg, dec - height / 2) and near(field.dec_max_deg, dec + height / 2)
        recipe = PrimeCamObservationConfiguration.objects.get(name=f"f{number} constant_el")
        assert (recipe.width_deg, recipe.height_deg, recipe.velocity_deg_s) == (width, height, 0.5 + number)
    assert {*SolarSystemObject.objects.values_list("name", flat=True)} <= {"Mars", "Uranus"}


def near(one, other):
    return abs((one - other + 180) % 360 - 180) < POSITION_ARCSEC / 3600


@pytest.mark.parametrize("seed", SEEDS)
def test_edges_of_what_is_swept_are_those_of_astropy(site, tmp_path, seed):
    """The sweep crosses the meridian, so that the declination is extreme between its ends."""
    rng = random.Random(seed)
    azmin, azmax, elevation = rng.uniform(150, 178), rng.uniform(182, 215), rng.uniform(30, 70)
    start = datetime(2026, 4, rng.randrange(1, 28), rng.randrange(20), tzinfo=UTC)
    end = start + timedelta(minutes=20)
    path = tmp_path / "schedule.txt"
    path.write_text(
        "#Site Telescope Latitude [deg] Longitude [deg] Elevation [m]\nChajnantor FYST -22.986 -67.740 5611.8\n"
        "#Start time UTC  Stop time UTC  Patch name  Az min  Az max  El  Pass  Sub\n"
        f"{text_of(start)} {text_of(end)} swept {azmin!r} {azmax!r} {elevation!r} 1 0\n"
    )
    load("slots", path, program="WFS", create_missing=True)
    field = ConstantElevationSource.objects.get(name="swept")
    azimuths = np.concatenate([np.linspace(azmin, azmax, 200), np.linspace(179, 181, 400)])
    moments, azimuths = np.meshgrid([start.timestamp(), end.timestamp()], azimuths)
    sky = SkyCoord(
        AltAz(
            az=azimuths.ravel() * u.deg,
            alt=np.full(azimuths.size, elevation) * u.deg,
            obstime=Time(moments.ravel(), format="unix"),
            location=site,
        )
    ).icrs
    middle = sky.ra.deg[0]
    turned = (sky.ra.deg - middle + 180) % 360 - 180
    edges = (middle + turned.min(), middle + turned.max(), sky.dec.deg.min(), sky.dec.deg.max())
    found = (field.ra_min_deg, field.ra_max_deg, field.dec_min_deg, field.dec_max_deg)
    assert [near(one, other) for one, other in zip(found, edges, strict=True)] == [True] * 4


def table_of_units(rng):
    """Return the text of a table of units, and the numbers of each by its name."""
    low, high = np.array([rng.uniform(20, 40) for _ in range(UNITS)]), 45 + 40 * rng.random()
    wanted = {
        f"unit {i}": (round(rng.uniform(80, 900), 6), rng.randrange(-9, 9), low[i], high, round(rng.uniform(0.2, 4), 3))
        for i in range(UNITS)
    }
    lines = [
        f"WFS,{name},source {i % 3},otf,corpus,{','.join(map(repr, map(plain, numbers)))}\n"
        for i, (name, numbers) in enumerate(wanted.items())
    ]
    return f"program,name,source,mode,configuration,{','.join(UNIT_NUMBERS)}\n" + "".join(lines), wanted


def plain(number):
    return int(number) if isinstance(number, int) else float(number)


@pytest.fixture
def planned(reference):
    """What tables of units refer to."""
    ChaiObservationConfigurationFactory(name="corpus", version=1)
    for number in range(3):
        FixedSourceFactory(name=f"source {number}")


def units():
    rows = ObsUnit.objects.filter(configuration__name="corpus").select_related("source")
    return {row.name: (row.source.name, *(getattr(row, name) for name in UNIT_NUMBERS)) for row in rows}


@pytest.mark.parametrize("seed", SEEDS)
def test_units_load_with_their_numbers_and_a_mutilated_table_changes_one_at_most(planned, tmp_path, seed):
    rng = random.Random(seed)
    text, numbers = table_of_units(rng)
    wanted = {name: (f"source {i % 3}", *those) for i, (name, those) in enumerate(numbers.items())}
    path = tmp_path / "units.csv"
    refused = 0
    for spoilt, line in [(text, None), *(mutilated(text, rng) for _ in range(15))]:
        path.write_text(spoilt)
        with transaction.atomic():
            try:
                load("obs-units", path)
            except LoadError as error:
                refused += 1
                assert line is not None and all(len(str(problem)) < 1000 for problem in error.problems)
                assert not units()
            else:
                others = {name: those for name, those in units().items() if wanted.get(name) != those}
                # A line of the header decides on a column of all rows, which then has its default.
                assert not others if line is None else len(others) <= 1 or line == 0
            transaction.set_rollback(True)
    assert refused > 3


def test_mutilated_files_of_every_kind_never_end_in_a_traceback(reference, tmp_path, subtests):
    from opsdb.models import ObservingProgram

    ObsUnitFactory(observing_program=ObservingProgram.objects.get(short_name="WFS"), name="Deep56")
    FixedSourceFactory(name="M17")
    for what, good in GOOD.items():
        with subtests.test(what):
            rng = random.Random(what)
            for name, text in good.beside.items():
                (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
                (tmp_path / name).write_text(text)
            path = tmp_path / good.name
            for _ in range(6):
                path.write_text(mutilated(good.text, rng)[0])
                with transaction.atomic():
                    try:
                        call_command("opsdb_load", good.kind, str(path), *good.options, verbosity=0)
                    except CommandError as error:
                        assert all(len(line) < 600 for line in str(error).splitlines())
                    transaction.set_rollback(True)

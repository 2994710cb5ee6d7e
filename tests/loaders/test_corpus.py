"""Random files, as the programs that own the formats write them, load with the numbers that astropy has for them.

A position may be off by 0.01 arcsec and a time by 1 ms. Files that were mutilated in one place are refused in sentences
or load, and then all other rows keep to these limits; they never end in a traceback.
"""

import random
import re
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import FK4, FK5, BarycentricMeanEcliptic, Galactic, SkyCoord
from astropy.table import Column, MaskedColumn, QTable
from astropy.time import Time
from astropy.utils import iers
from astropy.utils.masked import Masked
from django.db import transaction

from opsdb.loaders import LoadError, load
from opsdb.models import ConstantElevationSource, FixedSource, PreScheduledSlot

pytestmark = pytest.mark.django_db

ROWS = 12
SEEDS = (1, 2)
POSITION_ARCSEC = 0.01
TIME_SECONDS = 0.001
"""How far apart the numbers of a file and those of the database may be."""


def sky(rng):
    """Positions all over the sky, among them the poles' surroundings and RA 0."""
    dec = np.degrees(np.arcsin(rng.uniform(-1, 1, ROWS)))
    dec[:3] = 89.99, -89.99, 0.0
    ra = rng.uniform(0, 360, ROWS)
    ra[3:5] = 0.000001, 359.999999
    return SkyCoord(ra * u.deg, dec * u.deg)


def triples(coordinates, mark=":", precision=4):
    lon = coordinates.spherical.lon.to_string(u.hour, sep=mark, precision=precision, pad=True)
    lat = coordinates.spherical.lat.to_string(u.deg, sep=mark, precision=precision - 1, pad=True, alwayssign=True)
    return zip(lon, lat, strict=True)


def velocity_of(row):
    return row - 5.5


FRAMES = {
    "ICRS": "icrs",
    "J2000": FK5(equinox="J2000"),
    "B1950": FK4(equinox="B1950"),
    "GALACTIC": Galactic(),
    "ECLIPTIC": BarycentricMeanEcliptic(equinox="J2000"),
}


def in_degrees(coordinates):
    return zip(
        [f"{value:.8f}" for value in coordinates.spherical.lon.deg],
        [f"{value:.8f}" for value in coordinates.spherical.lat.deg],
        strict=True,
    )


def csv_of(places, rng):
    system = rng.choice(list(FRAMES))
    turned = places.transform_to(FRAMES[system])
    cells = in_degrees(turned) if system in ("GALACTIC", "ECLIPTIC") else triples(turned)
    return "name,ra,dec,system\n" + "".join(f"s{i},{a},{b},{system}\n" for i, (a, b) in enumerate(cells))


def kosma_of(places, rng):
    system = rng.choice([name for name in FRAMES if name != "ICRS"])
    turned = places.transform_to(FRAMES[system])
    cells = in_degrees(turned) if system in ("GALACTIC", "ECLIPTIC") else triples(turned, " ")
    return "".join(f"s{i}  {a} {b} {system}  {velocity_of(i)} ! it's\n" for i, (a, b) in enumerate(cells))


def gildas_of(places, rng):
    lines = []
    equinox = rng.choice([1950, 2000, 1988.5])
    frame = FK4(equinox="B1950") if equinox == 1950 else FK5(equinox=f"J{equinox}")
    for i, (a, b) in enumerate(triples(places.transform_to(frame))):
        lines.append(f"s{i}|other{i} EQ {equinox} {a} {b} {rng.choice(['LS', 'LSR'])} {velocity_of(i)} ! x\n")
    return "! a list\n" + "".join(lines)


def jcmt_of(places, rng):
    word, frame = rng.choice([("RJ", FRAMES["J2000"]), ("RB", FRAMES["B1950"])])
    lines = []
    for i, (a, b) in enumerate(triples(places.transform_to(frame), " ")):
        velocity = f"{'-' if velocity_of(i) < 0 else '+'} {abs(velocity_of(i)):6.1f}"
        lines.append(f"s{i:<14} {a} {b[0]} {b[1:]} {word}  {velocity}   n/a    n/a  LSR  RADIO comment\n")
    return "*\n* Catalog\n*\n" + "".join(lines)


def effelsberg_of(places, rng):
    basis, frame = rng.choice([("-1", FRAMES["J2000"]), ("1", FRAMES["B1950"])])
    lines = [
        f'SNAM=s{i} ; SLAM={a} s; SBET={b} "; VLSR={velocity_of(i)}\n'
        for i, (a, b) in enumerate(triples(places.transform_to(frame), " "))
    ]
    return f"COMMON: SBAS= {basis}\nINDIVIDUAL: SNAM SLAM SBET VLSR\n" + "".join(lines)


def vizier_of(places, rng):
    sexagesimal = rng.random() < 0.5
    cells = triples(places.fk5, " ") if sexagesimal else in_degrees(places.fk5)
    unit = ('"h:m:s"', '"d:m:s"') if sexagesimal else ("deg", "deg")
    lines = "".join(f"s{i}\t{a}\t{b}\t{rng.uniform(0, 9):.2f}\n" for i, (a, b) in enumerate(cells))
    head = f"#Table\tx\nName\tRAJ2000\tDEJ2000\tmag\n\t{unit[0]}\t{unit[1]}\tmag\n----\t-----\t-----\t---\n"
    return head + lines


def planner_of(places, rng):
    lines = [
        f"s{i},{a},{b},{rng.uniform(0.1, 9):.2f},0.01,{rng.random():.2f},0.5,{rng.choice(['pong', 'daisy'])}\n"
        for i, (a, b) in enumerate(triples(places))
    ]
    return "name,RA,DEC,width,height,priority,velocity,scan_type\n" + "".join(lines)


LISTS = {
    "csv": (csv_of, "list.csv"),
    "kosma": (kosma_of, "list.kosma"),
    "gildas": (gildas_of, "list.sou"),
    "jcmt": (jcmt_of, "list.cat"),
    "effelsberg": (effelsberg_of, "vax.cat"),
    "tsv": (vizier_of, "list.tsv"),
    "fyst": (planner_of, "planner.csv"),
}


def timeline_of(rng):
    """Return a timeline in all kinds of columns, and what is in it: start, end, azimuths, elevation, centre."""
    numbers = np.random.default_rng(rng.randrange(10**6))
    steps = np.cumsum(numbers.uniform(60, 3600, ROWS + 1))
    start = [datetime(2027, 1, 1, tzinfo=UTC) + timedelta(milliseconds=round(1000 * step)) for step in steps]
    azmin, el = numbers.uniform(-180, 360, ROWS), numbers.uniform(20, 85, ROWS)
    azmax, turn = azmin + numbers.uniform(0, 90, ROWS), numbers.uniform(-180, 180, ROWS)
    ra, dec = numbers.uniform(0, 360, ROWS), numbers.uniform(-80, 80, ROWS)
    kinds = [
        lambda values: Column(values, unit=u.deg),
        lambda values: values * u.deg,
        lambda values: (values * u.deg).to(rng.choice([u.rad, u.arcmin, u.arcsec])),
        lambda values: MaskedColumn(values, mask=np.zeros(ROWS, bool), unit="deg"),
        lambda values: Masked(values, mask=np.zeros(ROWS, bool)) * u.deg,
        lambda values: Column(values),
    ]
    scale = rng.choice(["utc", "tai", "tt", "tdb", "tcg"])
    as_time = rng.random() < 0.7
    texts = [f"{moment:%Y-%m-%d %H:%M:%S}.{moment.microsecond // 1000:03}" for moment in start]
    times = Time(texts, scale="utc", precision=9)
    with iers.conf.set_temp("auto_download", False), iers.conf.set_temp("auto_max_age", None):
        times = getattr(times, scale)
    if rng.random() < 0.5:
        times.format = rng.choice(["jd", "mjd", "isot", "unix"]) if scale == "utc" else rng.choice(["jd", "isot"])
    columns = {
        "start_time": times[:-1] if as_time else texts[:-1],
        "stop_time": times[1:] if as_time else texts[1:],
        "name": [f"s{i}" for i in range(ROWS)],
        "azmin": rng.choice(kinds)(azmin),
        "azmax": rng.choice(kinds)(azmax),
        "el": rng.choice(kinds)(el),
        "boresight_angle": rng.choice(kinds)(turn),
        "az_final": np.where(numbers.random(ROWS) < 0.5, np.nan, azmax) * u.deg,
        "scan_type": ["pong"] * ROWS,
        "width": [1.0] * ROWS,
        "height": [60.0] * ROWS * u.arcmin,
        "scan_index": list(range(ROWS)),
    }
    if rng.random() < 0.5:
        columns["centre"] = SkyCoord(ra * u.deg, dec * u.deg).transform_to(FRAMES[rng.choice(["GALACTIC", "J2000"])])
    else:
        columns |= {"ra_center": rng.choice(kinds)(ra), "dec_center": rng.choice(kinds)(dec)}
    table = QTable(columns, meta={"telescope_name": "FYST", "site_lat": -22.985639 * u.deg})
    return table, list(zip(start, start[1:], azmin, azmax, el, turn, ra, dec, strict=False))


@pytest.mark.parametrize("seed", SEEDS)
def test_lists_of_every_format_load_with_the_positions_of_astropy(tmp_path, subtests, seed):
    for name, (write, file) in LISTS.items():
        with subtests.test(name):
            rng = random.Random(f"{name} {seed}")
            places = sky(np.random.default_rng(seed))
            path = tmp_path / file
            path.write_text(write(places, rng))
            plan = load("sources", path)
            assert plan.counted("create") == ROWS
            by_name = dict(FixedSource.objects.values_list("name", "pk"))
            found = FixedSource.objects.in_bulk(by_name.values())
            rows = [found[by_name[f"s{i}"]] for i in range(ROWS)]
            read = SkyCoord([row.ra_deg for row in rows], [row.dec_deg for row in rows], unit="deg")
            assert read.separation(places).arcsec.max() < POSITION_ARCSEC
            if name in ("kosma", "gildas", "jcmt", "effelsberg"):
                assert [row.vlsr_km_s for row in rows] == [velocity_of(i) for i in range(ROWS)]
            FixedSource.objects.all().delete()


@pytest.mark.parametrize("seed", range(6))
def test_timelines_of_every_kind_of_column_load_with_their_numbers(reference, tmp_path, seed):
    table, wanted = timeline_of(random.Random(seed))
    path = tmp_path / "timeline.ecsv"
    table.write(path, format="ascii.ecsv")
    load("slots", path, program="WFS", create_missing=True)
    slots = PreScheduledSlot.objects.order_by("start_time").select_related("obs_unit")
    for slot, (start, end, azmin, azmax, el, turn, ra, dec) in zip(slots, wanted, strict=True):
        assert abs((slot.start_time - start).total_seconds()) < TIME_SECONDS
        assert abs((slot.end_time - end).total_seconds()) < TIME_SECONDS
        numbers = (slot.azimuth_min_deg, slot.azimuth_max_deg, slot.elevation_deg, slot.boresight_angle_deg)
        assert numbers == pytest.approx((azmin, azmax, el, turn), abs=POSITION_ARCSEC / 3600)
        assert slot.azimuth_final_deg is None or slot.azimuth_final_deg == pytest.approx(azmax)
        source = FixedSource.objects.get(pk=slot.obs_unit.source_id)
        there = SkyCoord(source.ra_deg, source.dec_deg, unit="deg")
        assert there.separation(SkyCoord(ra, dec, unit="deg")).arcsec < POSITION_ARCSEC


@pytest.mark.parametrize("seed", SEEDS)
def test_what_toast_writes_as_text_loads_with_its_numbers(reference, tmp_path, seed):
    rng = random.Random(seed)
    verbose, rotation, bars = rng.random() < 0.5, rng.random() < 0.5, rng.random() < 0.5
    names = ["Start time UTC", "Stop time UTC"] + ["Start MJD", "Stop MJD"] * verbose + ["Rotation"] * rotation
    names += ["Patch name", "Az min", "Az max", "El", *["R/S", "Sun el1"] * verbose, "Pass", "Sub"]
    rows, wanted = [], []
    for i in range(ROWS):
        start = datetime(2027, 3, 1, tzinfo=UTC) + timedelta(minutes=30 * i, milliseconds=rng.randrange(1000))
        end = start + timedelta(minutes=29)
        azmin, width, el = round(rng.uniform(0, 359), 2), round(rng.uniform(1, 90), 2), round(rng.uniform(20, 80), 2)
        texts = [f"{moment:%Y-%m-%d %H:%M:%S}.{moment.microsecond // 1000:03}" for moment in (start, end)]
        cells = texts + ["61000.0", "61000.1"] * verbose + ["-5.00"] * rotation
        cells += [
            "patch",
            f"{azmin:.2f}",
            f"{(azmin + width) % 360:.2f}",
            f"{el:.2f}",
            *["R", "1.0"] * verbose,
            "1",
            str(i),
        ]
        rows.append(cells)
        wanted.append((start, end, azmin, azmin + width, el))
    mark = " | " if bars else "  "
    site = mark.join(["Chajnantor", "FYST", "-22.986", "-67.740", "5611.8"])
    path = tmp_path / "schedule.txt"
    lines = ["#Site Telescope Latitude [deg] Longitude [deg] Elevation [m]", site, "#" + mark.join(names)]
    path.write_text("\n".join([*lines, *(mark.join(cells) for cells in rows)]) + "\n")
    load("slots", path, program="WFS", create_missing=True)
    for slot, (start, end, azmin, azmax, el) in zip(
        PreScheduledSlot.objects.order_by("start_time"), wanted, strict=True
    ):
        assert (slot.start_time, slot.end_time) == (start, end)
        assert (slot.azimuth_min_deg, slot.azimuth_max_deg, slot.elevation_deg) == pytest.approx((azmin, azmax, el))


def mutilated(text, rng):
    """A text with one character, field or line removed, doubled or replaced; and the number of its line."""
    lines = text.split("\n")[:-1]
    number = rng.randrange(len(lines))
    line = lines[number]
    place = rng.randrange(max(len(line), 1))
    how = rng.randrange(6)
    if how == 0:
        line = line[:place] + line[place + 1 :]
    elif how == 1:
        line = line[:place] + rng.choice("0:;,-+\t \"'#!|xéE.\\") + line[place:]
    elif how == 2:
        line = line[:place]
    elif how == 3:
        line += line
    elif how == 4:
        fields = line.split(" ")
        fields.pop(rng.randrange(len(fields)))
        line = " ".join(fields)
    else:
        line = (
            line[:place]
            + rng.choice(["nan", "1e999", "99:99:99", "\N{MINUS SIGN}", "60", "--", "%s", "{}"])
            + line[place + 1 :]
        )
    lines[number] = line
    return "\n".join(lines) + "\n", number


def test_mutilated_lists_never_end_in_a_traceback_nor_change_another_row(tmp_path, subtests):
    places = sky(np.random.default_rng(3))
    for name, (write, file) in LISTS.items():
        with subtests.test(name):
            rng = random.Random(name)
            text = write(places, rng)
            for _ in range(15):
                spoilt, line = mutilated(text, rng)
                path = tmp_path / file
                path.write_text(spoilt)
                with transaction.atomic():
                    try:
                        load("sources", path)
                    except LoadError as error:
                        assert all(len(str(problem)) < 1000 for problem in error.problems)
                        assert not FixedSource.objects.exists()
                    else:
                        assert len(moved(places)) <= 1 or not re.search(r"\bs\d", text.split("\n")[line])
                    transaction.set_rollback(True)


def moved(places):
    """The sources that are not where those of the same number were made; a line that is still right is one of them."""
    there = {f"s{i}": place for i, place in enumerate(places)}
    rows = list(FixedSource.objects.all())
    known = [row for row in rows if row.name in there]
    read = SkyCoord([row.ra_deg for row in known], [row.dec_deg for row in known], unit="deg")
    far = read.separation(SkyCoord([there[row.name] for row in known])).arcsec > POSITION_ARCSEC
    return [row.name for row in rows if row.name not in there] + [
        row.name for row, is_far in zip(known, far, strict=True) if is_far
    ]


def test_mutilated_timelines_never_end_in_a_traceback(reference, tmp_path):
    rng = random.Random(5)
    table, _ = timeline_of(rng)
    path = tmp_path / "timeline.ecsv"
    table.write(path, format="ascii.ecsv")
    text = path.read_text()
    refused = 0
    for _ in range(25):
        path.write_text(mutilated(text, rng)[0])
        try:
            load("slots", path, program="WFS", create_missing=True, on_conflict="skip")
        except LoadError as error:
            refused += 1
            assert all(len(str(problem)) < 1000 for problem in error.problems)
    assert refused > 5


def test_a_field_of_the_planner_is_wider_in_right_ascension_towards_the_poles(tmp_path):
    path = tmp_path / "planner.csv"
    path.write_text("name,RA,DEC,width,height,scan_type\nfield,00:00:00,-60:00:00,10,4,constant_el\n")
    load("sources", path)
    field = ConstantElevationSource.objects.get()
    assert (field.ra_min_deg, field.ra_max_deg, field.dec_min_deg) == pytest.approx((350, 10, -62))

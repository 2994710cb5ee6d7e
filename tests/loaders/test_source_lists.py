"""Lists of observatories: what their words mean here, what is refused, and what is named by its looks."""

import pytest
from astropy import units as u
from astropy.coordinates import ICRS, SpectralCoord

from opsdb.loaders import LoadError, load, sources
from opsdb.models import FixedSource, SolarSystemObject, Source

pytestmark = pytest.mark.django_db


@pytest.fixture
def file(tmp_path):
    def write(text, name="list.cat"):
        path = tmp_path / name
        path.write_text(text)
        return path

    return write


LOOKS = {
    "a GBT catalogue": "format=spherical\ncoordmode=J2000\nHEAD = NAME RA DEC\nM31 00:42:44 41:16:07\n",
    "a source list of the ALMA Observing Tool": "Name, RA(Degs)\n-- This signals end of the header\nx, 1, 2\n",
    "a catalogue of the VLA's": "3C48; group; Equatorial; J2000; 01:37:41.3; +33:09:35.1; ; ; ;\n",
    "a catalogue of the NRAO 12 m": "ORION 05:35:14.5 -05:22:30 J2000.0 8.0 LSR RAD\n",
    "a VOTable": '<?xml version="1.0"?>\n<VOTABLE version="1.4"/>\n',
    "a FITS file": "SIMPLE  =                    T / FITS\n",
    "an ephemeris of JPL Horizons": "Ephemeris / API_USER\n$$SOE\n2026-Jan-01 00:00 1 2\n$$EOE\n",
    "a region file of DS9": "# Region file format: DS9 version 4.1\nfk5\ncircle(83.8,-5.4,30)\n",
    "JSON": '[{"name": "x", "ra": 1}]\n',
    "HTML": "<!DOCTYPE html>\n<html>\n",
}


@pytest.mark.parametrize("what", LOOKS)
def test_what_is_not_read_is_named_by_its_looks(file, what):
    with pytest.raises(LoadError, match=f"this looks like {what}"):
        load("sources", file(LOOKS[what]))


REFUSED = {
    "of date": (
        "X DA 00:24:01.9 38:34:37 LSR 1\nY EQ 2000 1:2:3 4:5:6\n",
        {},
        "line 1: system 'DA' is not that of a source",
    ),
    "of the Earth": ("X EQ 2000 0:24:1.9 38:34:37 EARTH 1\n", {}, "velocity_frame: 'topocentric' depends on the time"),
    "an unknown frame": (
        "X EQ 2000 0:24:1.9 38:34:37 RED 1\n",
        {"format": "gildas"},
        "velocity_frame: 'RED' is not valid",
    ),
    "two parts": ("X EQ 2000 24:01.939 38:34:37\n", {}, "longitude: '24:01.939' has two parts"),
    "no equinox": ("X EQ 1:2:3 4:5:6\n", {"format": "gildas"}, "line 1: 'X' has no equinox; expected --equinox"),
    "a wrong equinox": ("X EQ 1:2:3 4:5:6\n", {"format": "gildas", "equinox": "now"}, "--equinox 'now' is not valid"),
    "no line": (
        "X EQ 2000 1:2:3 4:5:6\nwhat is this\n",
        {},
        "line 2: 'what is this' is no line of a list of APEX and IRAM",
    ),
    "horizontal": ("X 01 02 03.0 + 04 05 06.0 AZ\n", {}, "line 1: system 'AZ' is not that of a source"),
    "relativistic": ("X 01 02 03.0 + 04 05 06 RJ + 1.0 n/a n/a LSR RELATIVISTIC\n", {}, "'RELATIVISTIC' is not valid"),
    "an unknown JCMT velocity": (
        "X 01 02 03.0 + 04 05 06 RJ fast n/a n/a LSR RADIO\n",
        {},
        "is no line of a list of the JCMT",
    ),
    "a topocentric JCMT line": (
        "X 01 02 03.0 + 04 05 06 RJ + 1.0 n/a n/a TOPO RADIO\n",
        {},
        "'TOPO' depends on the time",
    ),
    "equinox of date": ('COMMON: SBAS= 2\nSNAM=X ; SLAM=1 2 3 s; SBET=4 5 6 "\n', {}, "line 2: system '2' is not that"),
    "no system": (
        'SNAM=X ; SLAM=1 2 3 s; SBET=4 5 6 "\n',
        {},
        "line 1: there is no system; expected SBAS= with one of -1, 0, 1",
    ),
    "two formats": ("X EQ 2000 1:2:3 4:5:6\nY 1 2 J2000\n", {}, "this looks like several formats: gildas, kosma"),
    "no names": ("RAJ2000\tDEJ2000\n1\t2\n", {}, "no column has names of sources"),
    "no positions": ("Name\tmag\n1\t2\n", {}, "no columns have positions"),
    "another unit": ("Name\tRAJ2000\tDEJ2000\n\trad\trad\n---\t---\t---\nx\t1\t2\n", {}, "raj2000: unit 'rad'"),
    "a cut declination": ("name,ra,dec\nx,03:12:05.4,30:00.5\n", {}, "line 2, dec: '30:00.5' has two parts"),
    "comments only": ("#Column\tRAJ2000\n#Column\tDEJ2000\n", {"format": "tsv"}, "all lines are comments"),
    "a table without rows": ("Name\tRAJ2000\tDEJ2000\n#end\n", {}, "line 1: there are no rows below the header"),
    "a header without end": ("name,ra,dec" + "x" * 200_000, {}, "line 1: this is not CSV: a cell has more than 131072"),
    "a line without end": ("x" * 200_000 + " 1 2 J2000\n", {}, "line 1: the line has 200010 characters"),
    "a quote without end": ('name,ra,dec\nx,1,2\n"y,3,4\n', {}, "line 3: this is not CSV: a double quote that opens"),
    "a wrong angle of VizieR": (
        "Name\tRAJ2000\tDEJ2000\n\tdeg\tdeg\n---\t---\t---\nx\t1\t2\ny\t1\tsouth\n",
        {},
        "line 5, DEJ2000: 'south' is not valid",
    ),
    "decimal hours": (
        "name,RA,DEC,width,height,scan_type\nx,232.0,-34,1,1,daisy\n",
        {},
        "RA: '232.0' has no unit; expected hours",
    ),
    "beyond a pole": ("name,RA,DEC,width,height,scan_type\nx,1h,-89,1,4,constant_el\n", {}, "reaches beyond the pole"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_has_no_meaning_here_is_refused(file, what):
    text, options, message = REFUSED[what]
    with pytest.raises(LoadError) as caught:
        load("sources", file(text, "list.csv" if text.startswith("name,") else "list.cat"), **options)
    assert message in str(caught.value)
    assert not Source.objects.exists()


LONG_LISTS = {
    "list.kosma": [f"s{i} {i} -5 J2000 ! c\n" for i in range(9)],
    "list.cat": [f"s{i} EQ 2000 {i}:00:00 -5:00:00 LSR {i}.5 ! c\n" for i in range(9)],
    "list.tsv": ["Name\tRAJ2000\tDEJ2000\n", *(f"s{i}\t{i}\t-5\n" for i in range(9))],
}


@pytest.mark.parametrize("name", LONG_LISTS)
def test_lists_are_read_line_by_line_with_progress(file, monkeypatch, name):
    monkeypatch.setattr(sources, "CONVERTED_AT_ONCE", 2)
    lines, seen = LONG_LISTS[name], []

    def progress(items, description):
        for item in items:
            seen.append((description, len(items)))
            yield item

    plan = load("sources", file("".join(lines), name), progress=progress)
    assert plan.counted("create") == FixedSource.objects.count() == 9
    assert seen.count((f"Reading {name}", len(lines) + 1)) == len(lines)


def test_words_of_the_jcmt_become_columns(file):
    load(
        "sources",
        file(
            "* a comment\n% another\n"
            "A               01 02 03.00 - 00 05 06.0 RJ  +  100.0   1.5    n/a  HEL  OPTICAL a comment here\n"
            "B               01 02 03.00 + 04 05 06.0 RB   n/a       n/a    n/a  LSR  RADIO\n"
            "C               121 02 03.0 + 04 05 06.0 GA\n"
        ),
    )
    a, b, c = FixedSource.objects.order_by("name")
    assert (a.latitude_deg, a.comment) == (pytest.approx(-5.1 / 60), "a comment here")
    assert (a.given_velocity, a.velocity_frame, a.velocity_convention) == (100, "heliocentric", "optical")
    assert (b.frame, b.equinox, b.vlsr_km_s) == ("fk4", "B1950", None)
    assert (c.frame, c.longitude_deg) == ("galactic", pytest.approx(121 + 2 / 60 + 3 / 3600))


def test_simbads_tables_are_read(file):
    header = "main_id\tra\tdec\tpmra\tpmdec\trvz_radvel\n"
    plan = load("sources", file(header + '"M  87"\t187.70593\t12.391123\t\t\t1256.2\n', "simbad.tsv"))
    assert "Columns not loaded: rvz_radvel." in plan.notes
    head = "#\tidentifier\ttyp\tcoord1 (ICRS,J2000/J2000)\tMag V\n"
    load("sources", file(head + "1\tM  31\tAGN\t00 42 44.330 +41 16 07.50\t3.44\n", "list.tsv"))
    places = FixedSource.objects.order_by("name").values_list("name", "ra_deg", "dec_deg", "frame")
    assert list(places) == [
        ("M 31", pytest.approx(10.6847083), pytest.approx(41.26875), "icrs"),
        ("M 87", 187.70593, 12.391123, "icrs"),
    ]


CONVENTIONS = [("radio", 1142.0), ("optical", 1142.0), ("redshift", 0.05), ("optical", 15000.0), ("radio", -300.0)]


@pytest.mark.parametrize("frame", ["LSRK", "barycentric", "heliocentric"])
@pytest.mark.parametrize(("convention", "value"), CONVENTIONS)
def test_velocities_are_those_of_astropys_spectral_coordinates(file, frame, convention, value):
    text = f"name,ra,dec,velocity,velocity_frame,velocity_convention\nx,83.8,-5.39,{value},{frame},{convention}\n"
    load("sources", file(text, "list.csv"))
    source = FixedSource.objects.get()
    rest = 500 * u.GHz
    if convention == "redshift":
        frequency = rest / (1 + value)
    else:
        given = value * u.km / u.s
        frequency = given.to(u.GHz, u.doppler_radio(rest) if convention == "radio" else u.doppler_optical(rest))
    if frame != "LSRK":
        still = {"pm_ra_cosdec": 0 * u.mas / u.yr, "pm_dec": 0 * u.mas / u.yr, "radial_velocity": 0 * u.km / u.s}
        seen = SpectralCoord(
            frequency,
            observer=ICRS(0 * u.deg, 0 * u.deg, 0 * u.kpc, **still),
            target=ICRS(83.8 * u.deg, -5.39 * u.deg, 1 * u.kpc, **still),
        )
        frequency = seen.with_observer_stationary_relative_to("lsrk").to(u.GHz)
    wanted = (frequency.value * u.GHz).to_value(u.km / u.s, u.doppler_radio(rest))
    assert source.vlsr_km_s == pytest.approx(wanted, abs=1e-6)
    bare = (frame, convention) == ("LSRK", "radio")
    assert (source.given_velocity, source.velocity_frame) == ((None, None) if bare else (value, frame.lower()))


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ("vlsr_km_s,velocity\nx,1,2,3,4", "velocity: '4' is given together with vlsr_km_s"),
        ("vlsr_km_s,velocity_convention\nx,1,2,3,optical", "velocity_convention: 'optical' contradicts vlsr_km_s"),
        ("velocity,velocity_convention\nx,1,2,300000,radio", "'300000' is no radio velocity"),
        ("velocity,velocity_convention\nx,1,2,-1,redshift", "'-1' is no redshift velocity"),
        ("velocity,velocity_frame\nx,1,2,5,geocentric", "velocity_frame: 'geocentric' depends on the time"),
        ("equinox\nx,1,2,now", "equinox: 'now' is not valid"),
        ("system,equinox\nx,1,2,ICRS,J2000", "equinox: 'J2000' contradicts the system ICRS"),
        ("system,equinox\nx,1,2,FK4,J2000", "equinox: 'J2000' contradicts the system FK4"),
        ("system,epoch\nx,1,2,J2000,J2016", "epoch: 'J2016' is the epoch of a position in ICRS"),
        ("epoch\nx,1,2,B1950", "epoch: 'B1950' is not valid; expected a Julian year"),
    ],
)
def test_contradictions_of_a_row_are_named(file, cells, message):
    with pytest.raises(LoadError) as caught:
        load("sources", file(f"name,ra,dec,{cells}\n", "list.csv"))
    assert message in str(caught.value)


def test_facts_that_are_filled_in_are_no_conflict_with_a_body_that_is_there(file):
    SolarSystemObject.objects.create(name="Moon", ephemeris_name="luna")
    assert load("sources", file("name,type\nMoon,solar_system\n", "list.csv")).changes_nothing


def test_a_column_of_velocities_that_is_loaded_again_changes_nothing(file):
    text = "name,ra,dec,velocity,velocity_frame,velocity_convention\nx,83.8,-5.39,0.05,BARY,redshift\n"
    load("sources", file(text, "list.csv"))
    assert load("sources", file(text, "list.csv")).changes_nothing
    vlsr = FixedSource.objects.get().vlsr_km_s
    assert load("sources", file(f"name,ra,dec,vlsr_km_s\nx,83.8,-5.39,{vlsr!r}\n", "list.csv")).changes_nothing
    load("sources", file("name,ra,dec,vlsr_km_s\nx,83.8,-5.39,5\n", "list.csv"), on_conflict="update")
    assert FixedSource.objects.get().given_velocity is None

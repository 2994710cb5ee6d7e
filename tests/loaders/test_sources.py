"""Sources from tables and lists: every position is in ICRS, and as it was given."""

import csv
import io

import pytest
from astropy import units as u
from astropy.coordinates import FK4, BarycentricMeanEcliptic, SkyCoord

from opsdb.loaders import LoadError, export, load, loading, prepare
from opsdb.models import ConstantElevationSource, FixedSource, SolarSystemObject, Source

pytestmark = pytest.mark.django_db

# SIMBAD's ICRS positions of sources that submillimetre telescopes know.
WELL_KNOWN = {
    "Orion KL": "05 35 14.16 -05 22 21.5",
    "Sgr A*": "17 45 40.0359 -29 00 28.169",
    "M31": "00 42 44.330 +41 16 07.50",
    "M87": "12 30 49.42338 +12 23 28.0439",
    "Vega": "18 36 56.33635 +38 47 01.2802",
    "Polaris": "02 31 49.09456 +89 15 50.7923",
    "Cas A": "23 23 24.000 +58 48 54.00",
    "LMC": "05 23 34.6 -69 45 22",
    "30 Dor": "05 38 42.396 -69 06 03.36",
    "IRC+10216": "09 47 57.40632 +13 16 43.5648",
}
SKY = {name: SkyCoord(text, unit=(u.hourangle, u.deg)) for name, text in WELL_KNOWN.items()}


@pytest.fixture
def file(tmp_path):
    """Write a text to a file."""

    def write(text, name="sources.csv"):
        path = tmp_path / name
        path.write_text(text, newline="")
        return path

    return write


def table(*rows):
    stream = io.StringIO()
    writer = csv.writer(stream)
    writer.writerows(rows)
    return stream.getvalue()


def off_by_arcsec(name):
    found = FixedSource.objects.get(name=name)
    return SkyCoord(found.ra_deg, found.dec_deg, unit="deg").separation(SKY[name]).arcsec


def sexagesimal(sky, mark=":"):
    hours = sky.spherical.lon.to_string(u.hour, sep=mark, precision=5, pad=True)
    return hours, sky.spherical.lat.to_string(u.deg, sep=mark, precision=4, pad=True, alwayssign=True)


def degrees(sky):
    return f"{sky.spherical.lon.deg:.7f}", f"{sky.spherical.lat.deg:.7f}"


@pytest.fixture
def refused(file):
    """Load a text that must be refused; return what is said, without the name of the file."""

    def refused(text, name="sources.csv", **options):
        path = file(text, name)
        with pytest.raises(LoadError) as caught:
            load("sources", path, **options)
        assert not Source.objects.exclude(comment="kept").exists()
        return str(caught.value).replace(f"{path}, ", "").replace(f"{path}: ", "")

    return refused


SYSTEMS = {
    "J2000": (lambda sky: sky.fk5, sexagesimal, 0.01),
    "B1950": (lambda sky: sky.transform_to(FK4(equinox="B1950")), sexagesimal, 0.1),
    "GALACTIC": (lambda sky: sky.galactic, degrees, 0.1),
    "ECLIPTIC": (lambda sky: sky.transform_to(BarycentricMeanEcliptic(equinox="J2000")), degrees, 0.1),
}


def test_positions_of_ten_well_known_objects_agree_with_astropy_to_a_hundredth_of_an_arcsecond(file):
    rows = [[name, *sexagesimal(sky)] for name, sky in SKY.items()]
    load("sources", file(table(["name", "ra", "dec"], *rows)))
    assert all(off_by_arcsec(name) < 0.01 for name in SKY)


@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize("kind", ["csv", "kosma"])
def test_the_same_ten_given_in_another_system_agree_and_are_kept_as_given(file, system, kind):
    turned, written, arcsec = SYSTEMS[system]
    rows = [[name, *written(turned(sky)), system] for name, sky in SKY.items()]
    if kind == "csv":
        path = file(table(["name", "longitude", "latitude", "system"], *rows))
    else:
        lines = (f'"{name}"  {lon} {lat}  {system} -5.5 ! a comment\n' for name, lon, lat, _ in rows)
        path = file("".join(lines), "list")
    load("sources", path)
    assert all(off_by_arcsec(name) < arcsec for name in SKY)
    for one in FixedSource.objects.all():
        given = turned(SKY[one.name]).spherical
        assert (one.longitude_deg, one.latitude_deg) == pytest.approx((given.lon.deg, given.lat.deg), abs=1e-6)
        assert (one.frame, one.equinox) == {
            "J2000": ("fk5", "J2000"),
            "B1950": ("fk4", "B1950"),
            "GALACTIC": ("galactic", ""),
            "ECLIPTIC": ("ecliptic", "J2000"),
        }[system]
        if kind == "kosma":
            assert (one.vlsr_km_s, one.comment) == (-5.5, "a comment")


def test_a_published_b1950_position_is_where_the_source_is(file):
    """3C 273 in B1950, as its radio position was published before 1984, and in ICRF3."""
    load("sources", file("name,ra,dec,system\n3C 273,12:26:33.248,+02:19:43.29,B1950\n"))
    found = FixedSource.objects.get()
    icrf = SkyCoord("12 29 06.6997 +02 03 08.598", unit=(u.hourangle, u.deg))
    assert SkyCoord(found.ra_deg, found.dec_deg, unit="deg").separation(icrf).arcsec < 0.3


@pytest.mark.parametrize(
    ("ra", "dec", "expected"),
    [
        ("83.5", "-5.25", (83.5, -5.25)),
        ("-0.5", "+.5", (359.5, 0.5)),
        ("5h30m", "-0d30m", (82.5, -0.5)),
        ("5h30m36.0s", "-00:30:36", (82.65, -0.51)),
        ("05 30 36", "-5°15′36″", (82.65, -5.26)),
        ("83d30m", "\N{MINUS SIGN}5.25", (83.5, -5.25)),
        ("83.5d", "5.25deg", (83.5, 5.25)),
        ("12:39:60.00", "-02:18:60.0", (190, -2 - 19 / 60)),
        ("360", "90", (0, 90)),
        ("-1e-300", "-90", (0, -90)),
    ],
)
def test_angles_may_be_decimal_or_sexagesimal(file, ra, dec, expected):
    load("sources", file(table(["name", "ra", "dec"], ["x", ra, dec])))
    found = FixedSource.objects.get()
    assert (found.ra_deg, found.dec_deg) == pytest.approx(expected, abs=1e-12)


def test_sexagesimal_longitudes_are_degrees_where_there_is_no_right_ascension(file):
    load("sources", file("name,longitude,latitude,system\na,30:30:00,0,GALACTIC\nb,2h,0,galactic\n"))
    assert list(FixedSource.objects.order_by("name").values_list("longitude_deg", flat=True)) == [30.5, 30]


ALIASES = 'name,ra,dec,aliases\nx,1,2,"%s"\n'
EVERY_TYPE = """\
name,type,aliases,comment,lon,lat,system,velocity,naif_id,ra_min_deg,ra_max_deg,dec_min_deg,dec_max_deg,elevation_deg
W 49,fixed,W49; G43.2-0.0,"bright, ""compact"" one",43.17,0.01,GALACTIC,8,,,,,,
Mars,solar_system,,,,,,,499,,,,,
Wide,constant_elevation,,,,,,,,350,10,-37,-27,50
"""


def test_every_type_of_source_has_its_columns(file):
    plan = load("sources", file(EVERY_TYPE))
    assert plan.counted("create") == 3
    w49 = FixedSource.objects.get()
    assert (w49.aliases, w49.comment, w49.vlsr_km_s) == (["W49", "G43.2-0.0"], 'bright, "compact" one', 8)
    assert SolarSystemObject.objects.get().naif_id == 499
    wide = ConstantElevationSource.objects.get()
    assert (wide.ra_min_deg, wide.ra_max_deg, wide.elevation_deg) == (350, 10, 50)


def test_a_body_that_everyone_knows_needs_no_number(file):
    load("sources", file("name,type\nNeptune,solar_system\n"))
    body = SolarSystemObject.objects.get()
    assert (body.naif_id, body.horizons_id, body.ephemeris_name) == (899, "899", "neptune")


KOSMA = """\
# name   longitude  latitude  system  velocity

OrionKL  05:35:14.16  -05:22:21.5  J2000  9.0   ! the hot core
"Sgr A*" 17 42 29.3 -28 59 18.6 B1950 0.0
W49      43.17  +0.01  GALACTIC
"#1"     10.0   20.0   ecliptic  -12.5  # by the ecliptic
Mars
@uranus
"""


def test_a_kosma_list_may_have_comments_blanks_quotes_and_planets(file):
    plan = load("sources", file(KOSMA, "chai.kosma"))
    assert plan.counted("create") == 6
    assert FixedSource.objects.get(name="OrionKL").comment == "the hot core"
    assert FixedSource.objects.get(name="Sgr A*").frame == "fk4"
    assert FixedSource.objects.get(name="#1").vlsr_km_s == -12.5
    assert set(SolarSystemObject.objects.values_list("name", "naif_id")) == {("Mars", 499), ("uranus", 799)}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("X 10 20", "the system is missing; expected name longitude latitude system [velocity]"),
        ("X 10 J2000", "1 fields instead of 2 or 6 precede the system J2000"),
        ("X 1 2 3 4 J2000", "4 fields instead of 2 or 6 precede the system J2000"),
        ("X 10 20 J2000 5 6", "2 fields follow the system"),
        ("X 10 20 J2000 fast", "vlsr_km_s: 'fast' is not valid; expected a number of km/s"),
        ("X 10 120 J2000", "latitude: '120' is out of range; expected degrees from -90 to 90"),
        ("X 25:00:00 20 J2000", "longitude: '25:00:00' is out of range; expected hours from -24 to 24"),
        ("X 10 20 HORIZON", "the system is missing"),
        (
            "Vulcan",
            "'Vulcan' has no position; expected a position, a designation such as 67P, or one of Ariel, Callisto",
        ),
        ('"X 10 20 J2000', "the line can't be split"),
    ],
)
def test_a_wrong_line_of_a_kosma_list_is_named(refused, line, message):
    said = refused(f"# a list\nY 1 2 J2000\n{line}\n", "list.kosma")
    assert said.startswith("line 3")
    assert message in said


def test_a_list_of_comments_says_what_a_line_should_be(refused):
    assert "there are no sources" in refused("# nothing\n", "list.kosma")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name,ra,dec\nx,400,0\n", "line 2, ra: '400' is out of range; expected degrees from -360 to 360"),
        ("name,ra,dec\nx,0,-91\n", "line 2, dec: '-91' is out of range; expected degrees from -90 to 90"),
        ("name,ra,dec\nx,nan,0\n", "line 2, ra: 'nan' is not valid; expected an angle such as"),
        ("name,ra,dec\nx,0,1e999\n", "line 2, dec: '1e999' is not valid"),
        ("name,ra,dec\nx,05:61:00,0\n", "line 2, ra: '05:61:00' is not valid"),
        ("name,ra,dec\nx,05:30.5:10,0\n", "'05:30.5:10' is not valid"),
        ("name,ra,dec\nx,0,5h\n", "'5h' is out of range; expected degrees"),
        ("name,ra,dec\nx,0,5h30m\n", "'5h30m' is out of range; expected degrees"),
        ("name,ra\nx,0\n", "line 2, latitude: a fixed source needs a value"),
        ("name,ra,dec,system\nx,0,0,J1900\n", "'J1900' is not valid; expected one of ICRS, J2000, B1950"),
        ("name,type,ra,dec\nx,moving,0,0\n", "'moving' is not valid; expected one of fixed, solar_system"),
        ("name,type,ra,dec\nMars,solar_system,5,\n", "ra: '5' does not apply to a solar_system source"),
        ("name,ra,dec,naif_id\nx,1,2,3\n", "naif_id: '3' does not apply to a fixed source"),
        ("name,ra,dec\nx,1,2\nx,3,4\n", "line 3: 'x' repeats line 2; expected each row once"),
        ("name,ra,lon,dec\nx,1,2,3\n", "'lon' is another name of column 'ra'; expected each column once"),
        ("name,ra,dec,vrls\nx,1,2,3\n", "unknown column 'vrls'; expected vlsr?"),
        (
            "name,type,ra_min_deg,ra_max_deg,dec_min_deg,dec_max_deg\nx,constant_elevation,1,2,5,4\n",
            "dec_max_deg: '4' is not above dec_min_deg",
        ),
        ("name,type,ra_min_deg\nx,constant_elevation,1\n", "ra_max_deg: a constant_elevation source needs a value"),
        ("name,type,naif_id\na,solar_system,499\nb,solar_system,499\n", "line 3, naif_id: "),
        (
            ALIASES % r'[""\ud800""]',
            r"contains a character that can't be stored: '\ud800'; expected texts",
        ),
        (ALIASES % r'[""a\u0000b""]', r"contains a character that can't be stored: 'a\x00b'"),
        (ALIASES % ("[" * 60_000), "is nested more than 100 levels deep; expected texts separated by"),
        (ALIASES % ('[""a""' + "[" * 60_000), "is not JSON: Expecting ',' delimiter"),
        (ALIASES % "[1e400]", "has a number that is too large: '1e400'"),
        (ALIASES % "[1]", "aliases: '[1]' is not valid; expected texts separated by"),
    ],
)
def test_a_wrong_row_is_named_with_line_column_value_and_what_is_right(refused, text, message):
    assert message in refused(text)


def test_a_source_of_another_place_is_a_conflict_that_is_refused_skipped_or_settled(file):
    load("sources", file("name,ra,dec,comment\nx,1,2,kept\n"))
    path = file("name,ra,dec\nx,1,3\ny,5,6\n")
    with pytest.raises(LoadError, match=r"line 2: fixed source 'x' exists with different values: .*dec_deg 2 → 3"):
        load("sources", path)
    assert Source.objects.count() == 1
    skipped = load("sources", path, on_conflict="skip")
    assert (skipped.counted("skip"), skipped.counted("create")) == (1, 1)
    assert FixedSource.objects.get(name="x").dec_deg == 2
    settled = load("sources", path, on_conflict="update")
    assert (settled.counted("update"), settled.counted("leave")) == (1, 1)
    x = FixedSource.objects.get(name="x")
    assert (x.dec_deg, x.latitude_deg, x.comment) == (3, 3, "kept")
    assert str(settled.steps[0]) == "update fixed source x (latitude_deg 2 → 3, dec_deg 2 → 3)"


def test_a_row_that_is_deleted_while_it_is_loaded_is_named(file, monkeypatch):
    load("sources", file("name,ra,dec\nx,1,2\n"))
    path = file("name,ra,dec\nx,1,3\n")
    monkeypatch.setattr("django.db.models.query.QuerySet.in_bulk", lambda *args, **options: {})
    with pytest.raises(LoadError, match="line 2.*its row was deleted while the file was loaded"):
        load("sources", path, on_conflict="update")


def test_a_source_cannot_become_one_of_another_type(file):
    load("sources", file("name,ra,dec\nMars,1,2\n"))
    path = file("name,type\nMars,solar_system\n")
    with pytest.raises(LoadError, match="type fixed source → solar system object"):
        load("sources", path, on_conflict="update")
    assert load("sources", path, on_conflict="skip").counted("skip") == 1


def test_what_the_plan_says_is_what_is_done_or_nothing(file):
    path = file("name,ra,dec\nx,1,2\n")
    plan = prepare("sources", path)
    assert (plan.counted("create"), plan.applied, Source.objects.count()) == (1, False, 0)
    assert plan.apply().applied
    late = prepare("sources", file("name,ra,dec\nx,1,3\ny,1,2\n"), on_conflict="update")
    FixedSource.objects.update(dec_deg=3, latitude_deg=3)
    with pytest.raises(LoadError, match="the load would differ from its plan; expected a new plan"):
        late.apply()
    assert not Source.objects.filter(name="y").exists()


def test_a_file_that_has_changed_since_the_plan_is_not_loaded(file):
    path = file("name,ra,dec\nx,1,2\n")
    plan = prepare("sources", path)
    file("name,ra,dec\nx,1,3\n")
    with pytest.raises(LoadError, match="the load would differ from its plan"):
        plan.apply()
    with pytest.raises(LoadError, match="the load would differ from its plan"):
        load("sources", path, promised=plan.fingerprint)
    assert not Source.objects.exists()
    again = file("name,ra,dec\nx,1,2\n")
    assert load("sources", again, promised=plan.fingerprint).counted("create") == 1


def test_all_files_of_a_call_are_checked_and_loaded_together(file):
    first, second = file("name,ra,dec\nx,400,2\n", "first.csv"), file("y 1 200 J2000\nz 1 2 J2000\n", "second.kosma")
    with pytest.raises(LoadError) as caught:
        load("sources", [first, second])
    assert [(problem.path.name, problem.line, problem.value) for problem in caught.value.problems] == [
        ("first.csv", 2, "400"),
        ("second.kosma", 1, "200"),
    ]
    first, second = file("name,ra,dec\nz,1,2\n", "first.csv"), file("y 1 2 J2000\nz 1 2 J2000\n", "second.kosma")
    with pytest.raises(LoadError, match=r"second.kosma, line 2: 'z' repeats line 2 of first.csv"):
        load("sources", [first, second])
    assert load("sources", [file("name,ra,dec\nx,1,2\n", "first.csv"), second]).counted("create") == 3


def test_an_upload_is_loaded_like_a_file():
    upload = io.BytesIO(b"\xef\xbb\xbfname,ra,dec\r\nx,1,2\r\n")
    upload.name = "mine.csv"
    plan = prepare("sources", upload)
    assert plan.files == ("mine.csv",)
    assert plan.apply().counted("create") == 1


def test_options_that_a_kind_does_not_have_are_named():
    with pytest.raises(TypeError, match="sources has no option program"):
        prepare("sources", "x.csv", program="WFS")
    with pytest.raises(TypeError, match="on_conflict is one of error, skip, update"):
        prepare("sources", "x.csv", on_conflict="guess")


def exported(queryset, kind="sources"):
    stream = io.StringIO(newline="")
    export(kind, queryset, stream)
    return stream.getvalue()


def test_a_position_that_was_never_given_is_exported_as_icrs(file):
    FixedSource.objects.create(name="x", ra_deg=10, dec_deg=20, frame="fk4")
    assert prepare("sources", file(exported(Source.objects.all()))).changes_nothing


def test_many_sources_are_updated_in_batches_that_find_their_rows_again(file, monkeypatch):
    """Two types, different fields, and aliases; the rows themselves are not held between comparison and update."""
    monkeypatch.setattr(loading, "BATCH_SIZE", 2)
    head = "name,type,ra,dec,vlsr_km_s,comment,naif_id\n"
    before = "".join(f"s{i},fixed,{i},5,1,,\n" for i in range(5)) + "".join(
        f"b{i},solar_system,,,,,{i}\n" for i in range(3)
    )
    after = "".join(f"s{i},fixed,{i},5,{i},{'x' * (i % 2)},\n" for i in range(5)) + "".join(
        f"b{i},solar_system,,,,c,{i}\n" for i in range(3)
    )
    load("sources", file(head + before))
    seen = []

    def progress(items, description):
        seen.append((description, len(items)))
        return items

    plan = load("sources", file(head + after), on_conflict="update", progress=progress)
    assert (plan.counted("update"), plan.counted("leave")) == (8, 0)
    assert ("Updating", 4) in seen
    assert {key for keys in plan.written.values() for key in keys} == set(Source.objects.values_list("pk", flat=True))
    found = FixedSource.objects.order_by("name").values_list("vlsr_km_s", "comment")
    assert list(found) == [(float(i), "x" * (i % 2)) for i in range(5)]
    assert set(SolarSystemObject.objects.values_list("comment", flat=True)) == {"c"}

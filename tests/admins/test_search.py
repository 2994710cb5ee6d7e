"""What people paste is found, and an index finds it."""

import timeit
import uuid
from datetime import datetime, timedelta
from unittest import mock
from urllib.parse import quote_plus

import pytest
from django.contrib.messages import get_messages
from django.db import connection
from django.template.response import SimpleTemplateResponse
from django.test.utils import CaptureQueriesContext

from opsdb.admins.kit import lists
from opsdb.admins.kit.lists import FOUND_ROWS
from opsdb.filters.searching import uuid_range
from opsdb.models import (
    DataProduct,
    DataProductPhysicalCopy,
    DataTransferPackage,
    ExecutedObsUnit,
    FixedSource,
    InstrumentModule,
    LongTermArchiveTransfer,
    ObservationStatus,
    ObsUnit,
    PhysicalCopy,
    RawDataFile,
    RawDataFilePhysicalCopy,
    RawDataPackage,
    RawDataPackagePhysicalCopy,
    Source,
)
from opsdb.positions import cone_of
from opsdb.testing.factories import (
    DataProductFactory,
    DataProductPhysicalCopyFactory,
    DataTransferPackageFactory,
    DiskDataLocationFactory,
    ExecutedObsUnitFactory,
    ExecutedReductionStepInputPackageFactory,
    FixedSourceFactory,
    InstrumentModuleFactory,
    LongTermArchiveTransferFactory,
    ObsUnitFactory,
    RawDataFileFactory,
    RawDataFilePhysicalCopyFactory,
    RawDataPackageFactory,
    RawDataPackageMetadataFactory,
    RawDataPackagePhysicalCopyFactory,
)
from opsdb.workflows import named_observations, path_parts
from tests.databases import as_owner
from tests.plans import plan_of

from .pages import address

CHECKSUM = "0123456789abcdef" * 4


def search(browser, model, text):
    return browser.get(f"{address(model, 'changelist')}?q={quote_plus(text)}")


def found(browser, model, text):
    """The rows that a search lists, for which no page is made."""
    with mock.patch.object(SimpleTemplateResponse, "rendered_content", ""):
        return list(search(browser, model, text).context_data["cl"].result_list)


def statement_of(browser, model, text):
    """What PostgreSQL is asked in a search."""
    with CaptureQueriesContext(connection) as queries:
        found(browser, model, text)
    (statement,) = (query["sql"] for query in queries if query["sql"].endswith(f"LIMIT {FOUND_ROWS + 1}"))
    return statement


def crowd(file):
    """Put a file among so many others that PostgreSQL prefers an index, and tell it."""
    table = RawDataFile._meta.db_table
    changed = {
        "id": "gen_random_uuid()",
        "relative_path": "number || '/other_' || number",
        "checksum": "md5(number::text) || md5(number::text)",
    }
    columns = [field.column for field in RawDataFile._meta.local_fields]
    values = ", ".join(changed.get(column, column) for column in columns)
    with as_owner(), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        cursor.execute(
            f"INSERT INTO {table} ({', '.join(columns)}) SELECT {values} "  # noqa: S608
            f"FROM {table}, generate_series(1, 5000) AS number WHERE id = %s",
            [file.pk],
        )
        cursor.execute(f"ANALYZE {table}")


class TestRawFiles:
    @pytest.fixture
    def file(self, db):
        location = DiskDataLocationFactory(source=True, path="/data/chai")
        wanted = RawDataFileFactory(
            source_location=location, relative_path="2026-06-15/run_7/LFA_0012.fits", checksum=CHECKSUM
        )
        RawDataFileFactory(relative_path="2026-06-16/run_7/LFA_0013.fits", checksum="f" * 64)
        return wanted

    @pytest.mark.parametrize(
        "text",
        [
            "2026-06-15/run_7/LFA_0012.fits",
            " 2026-06-15/run_7/LFA_0012.fits\n",
            '"2026-06-15/run_7/LFA_0012.fits"',
            "2026-06-15/",
            "/data/chai/2026-06-15/run_7/LFA_0012.fits",
            "/data/chai/2026-06-15",
            "LFA_0012.fits",
            CHECKSUM,
            CHECKSUM.upper(),
            CHECKSUM[:7],
            CHECKSUM[:20],
        ],
    )
    def test_are_found_by_path_name_and_checksum(self, text, file, browser):
        assert found(browser, RawDataFile, text) == [file]

    @pytest.mark.parametrize("text", [CHECKSUM[:6], "/data/chai2/2026-06-15", "2026%"])
    def test_are_not_found_by_what_they_do_not_have(self, text, file, browser):
        assert found(browser, RawDataFile, text) == []

    @pytest.mark.parametrize("text", ["0012.fits", "-15/run_7/LFA", "run_7/lfa_0012", "_7/LFA_0012"])
    def test_are_found_by_any_part_of_their_path_among_the_newest(self, text, file, browser, monkeypatch):
        assert found(browser, RawDataFile, text) == [file]
        monkeypatch.setattr(path_parts, "RECENT_FILES", 1)
        assert found(browser, RawDataFile, text) == [], "another file is newer"
        assert "is found with its date before it" in search(browser, RawDataFile, text).content.decode()
        assert "is found with its date before it" not in search(browser, RawDataFile, "LFA_0012.fits").content.decode()

    def test_are_found_by_any_part_of_their_path_among_those_of_a_date(self, file, browser, monkeypatch):
        monkeypatch.setattr(path_parts, "RECENT_FILES", 1)
        date = f"{file.executed_obs_unit.start_time:%Y-%m-%d}"
        assert found(browser, RawDataFile, f"{date} run_7/LFA_0012") == [file]
        assert found(browser, RawDataFile, "1999-01-01 run_7/LFA_0012") == []

    def test_more_than_a_few_thousand_with_a_part_are_listed_to_a_limit_which_is_said(self, file, browser, monkeypatch):
        monkeypatch.setattr(lists, "FOUND_ROWS", 1)
        response = search(browser, RawDataFile, "run_7/")
        assert len(response.context_data["cl"].result_list) == 1
        (message,) = map(str, get_messages(response.wsgi_request))
        assert message == "More than 1 rows match; the first 1 that were found are listed. Type more of it."

    def test_the_copies_of_them_are_found_as_they_are(self, file, browser):
        copy = RawDataFilePhysicalCopyFactory(raw_data_file=file)
        RawDataFilePhysicalCopyFactory()
        for model in (PhysicalCopy, RawDataFilePhysicalCopy):
            for text in ("run_7/LFA_0012", "LFA_0012.fits", "2026-06-15/run", CHECKSUM[:9]):
                assert [one.pk for one in found(browser, model, text)] == [copy.pk], (model, text)

    def test_are_found_by_their_key_and_that_of_what_they_belong_to(self, file, browser):
        for key in (file.pk, file.executed_obs_unit_id):
            assert found(browser, RawDataFile, str(key)) == [file]
            assert found(browser, RawDataFile, key.hex[:28]) == [file]

    def test_an_index_finds_them(self, file, browser, monkeypatch):
        crowd(file)
        # All of the crowd are of one observation.
        monkeypatch.setattr(path_parts, "RECENT_FILES", 10)
        monkeypatch.setattr(path_parts, "_NIGHT_EXECUTIONS", 0)
        key = str(uuid.UUID(int=5))
        for text, index in [
            ("2026-06-15/", "raw_data_file_unique_path"),
            ("LFA_0012.fits", "raw_data_file_by_file_name"),
            (CHECKSUM, "raw_data_file_by_checksum"),
            (key, "raw_data_file_pkey"),
            (key, "raw_data_file_newest_of_execution"),
            (key, "raw_data_file_packaged"),
        ]:
            plan = plan_of(statement_of(browser, RawDataFile, text))
            assert index in plan, text
            assert "Seq Scan on raw_data_file" not in plan, text

    def test_more_than_a_few_thousand_are_found_in_the_order_of_the_list(self, file, browser, monkeypatch):
        monkeypatch.setattr(lists, "FOUND_ROWS", 2)
        others = RawDataFileFactory.create_batch(3, source_location=file.source_location)
        for index, other in enumerate(others):
            RawDataFile.objects.filter(pk=other.pk).update(relative_path=f"many/{index}")
        assert found(browser, RawDataFile, "many/") == sorted(others, key=lambda other: other.pk, reverse=True)

    def test_the_page_says_what_is_searched(self, file, browser):
        html = browser.get(address(RawDataFile, "changelist")).content.decode()
        for said in ("ID (or its beginning)", "path (or its beginning)", "file name (whole)", "first 7 digits"):
            assert said in html


@pytest.mark.parametrize(
    ("model", "factory"),
    [
        (RawDataPackage, RawDataPackageFactory),
        (DataTransferPackage, DataTransferPackageFactory),
        (DataProduct, DataProductFactory),
    ],
)
def test_packages_and_products_are_found_by_name_and_checksum(model, factory, browser):
    wanted, _ = factory(name="chai-0007.tar", checksum=CHECKSUM), factory(name="chai-0008.tar", checksum="f" * 64)
    for text in ("chai-0007.tar", "chai-0007", CHECKSUM, CHECKSUM[:10]):
        assert found(browser, model, text) == [wanted]


@pytest.mark.parametrize(
    ("model", "factory", "copies", "copy"),
    [
        (RawDataPackage, RawDataPackageFactory, RawDataPackagePhysicalCopy, RawDataPackagePhysicalCopyFactory),
        (DataProduct, DataProductFactory, DataProductPhysicalCopy, DataProductPhysicalCopyFactory),
    ],
)
def test_packages_and_products_and_their_copies_are_found_by_a_part_of_the_path(model, factory, copies, copy, browser):
    wanted, other = factory(relative_path="2026/chai/run_9.tar"), factory(relative_path="2026/chai/run_8.tar")
    mine, _ = (copy(**{copies.objects.target: one}) for one in (wanted, other))
    for text in ("chai/run_9", "i/RUN_9.t"):
        assert found(browser, model, text) == [wanted]
        assert [one.pk for one in found(browser, copies, text)] == [mine.pk]
        assert [one.pk for one in found(browser, PhysicalCopy, text)] == [mine.pk]


class TestNamesOfObservations:
    """Rows that are called after an observation, ``NGC253 CO43 · 2026-11-27 02:11 · LFA``, are found by that."""

    LABEL = "NGC253 CO43 · 2026-05-27 02:11 · LFA"
    TEXTS = (
        LABEL,
        "NGC253",
        "ngc 253",
        "NGC253 CO43",
        "ngc253_co43",
        "Sculptor galaxy",
        "2026-05-27 02:11",
        "2026-05-27",
        "NGC253 2026-05-27",
        "NGC253 CO43 · 2026-05-27 02:11",
        f"{LABEL} · 2",
    )
    OTHERS = (
        "NGC254",
        "NGC253 CO43 · 2026-05-27 02:12 · LFA",
        "NGC253 CO43 · 2026-05-27 02:11 · HFA",
        "M82 · 2026-05-27 02:11",
        "2026-05-29",
    )

    def observed(self, start, source="NGC 253", unit="NGC253 CO43", module="LFA"):
        aliases = ["Sculptor Galaxy"] if source == "NGC 253" else []
        source = FixedSource.objects.filter(name=source).first() or FixedSourceFactory(name=source, aliases=aliases)
        module = InstrumentModule.objects.filter(name=module).first() or InstrumentModuleFactory(name=module)
        unit = ObsUnit.objects.filter(name=unit).first() or ObsUnitFactory(name=unit, source=source)
        start = datetime.fromisoformat(f"{start}:30+00:00")
        times = {"start_time": start, "end_time": start + timedelta(minutes=9)}
        execution = ExecutedObsUnitFactory(obs_unit=unit, status=ObservationStatus.COMPLETED, **times)
        return execution, module

    @pytest.fixture
    def named(self, db):
        others = [
            self.observed("2026-05-20 02:11", "M82", "M82 CO43"),
            self.observed("2026-05-24 02:11", "M82", "M82 CO43", "HFA"),
        ]
        return self.observed("2026-05-27 02:11"), others

    def rows(self, factory, named):
        prefix = "" if hasattr(factory._meta.model, "executed_obs_unit") else "raw_data_package__"
        wanted, *_ = (
            factory(**{f"{prefix}executed_obs_unit": execution, f"{prefix}instrument_module": module})
            for execution, module in (named[0], *named[1])
        )
        return wanted

    @pytest.mark.parametrize(
        "factory",
        [
            RawDataPackageFactory,
            RawDataFileFactory,
            RawDataPackageMetadataFactory,
            LongTermArchiveTransferFactory,
            ExecutedReductionStepInputPackageFactory,
        ],
    )
    def test_find_the_rows_that_are_called_so(self, factory, named, browser):
        wanted = self.rows(factory, named)
        if factory is ExecutedReductionStepInputPackageFactory:
            wanted = wanted.run
        for text in self.TEXTS:
            assert found(browser, type(wanted), text) == [wanted], text
        for text in self.OTHERS:
            assert found(browser, type(wanted), text) == [], text

    @pytest.mark.parametrize("target", ["raw_data_package", "raw_data_file"])
    def test_find_the_copies_of_these(self, target, named, browser):
        package = target == "raw_data_package"
        of = self.rows(RawDataPackageFactory if package else RawDataFileFactory, named)
        copy = (RawDataPackagePhysicalCopyFactory if package else RawDataFilePhysicalCopyFactory)(**{target: of})
        for text in (self.LABEL, "ngc 253", "2026-05-27 02:11"):
            assert [one.pk for one in found(browser, PhysicalCopy, text)] == [copy.pk], text
        assert found(browser, PhysicalCopy, "M82") == []

    def test_find_files_along_an_index(self, named, browser):
        """In the order of an index, for PostgreSQL would read the whole table for the files of many observations."""
        file = self.rows(RawDataFileFactory, named)
        crowd(RawDataFileFactory(executed_obs_unit=named[1][0][0], instrument_module=named[0][1]))
        with CaptureQueriesContext(connection) as queries:
            assert found(browser, RawDataFile, self.LABEL) == [file]
        order = 'ORDER BY "raw_data_file"."executed_obs_unit_id" DESC, '
        (statement,) = (query["sql"] for query in queries if order in query["sql"])
        assert statement.endswith(f"LIMIT {FOUND_ROWS + 1}")
        plan = plan_of(statement)
        assert "raw_data_file_newest_of_execution" in plan and "Seq Scan on raw_data_file" not in plan

    def test_find_the_observations(self, named, browser):
        for text in ("ngc 253", "NGC253 CO43 · 2026-05-27 02:11", "2026-05-27"):
            assert found(browser, ExecutedObsUnit, text) == [named[0][0]], text

    def test_find_those_of_the_newest_observations_and_the_page_says_so(self, named, browser, monkeypatch):
        monkeypatch.setattr(named_observations, "MOST_OBSERVATIONS", 1)
        older, newer = self.observed("2026-05-25 02:11"), named[0]
        packages = [RawDataPackageFactory(executed_obs_unit=one, instrument_module=lfa) for one, lfa in (older, newer)]
        assert found(browser, RawDataPackage, "NGC253") == packages[1:]
        assert found(browser, RawDataPackage, "NGC253 2026-05-25") == packages[:1]
        html = browser.get(address(RawDataPackage, "changelist")).content.decode()
        assert "name of the unit or source in any spelling" in html and "of the newest 500 such observations" in html


def test_what_may_be_a_key_or_a_name_is_looked_for_as_each(browser):
    wanted = LongTermArchiveTransferFactory()
    named = LongTermArchiveTransferFactory(raw_data_package__name=f"{wanted.pk}_m.tar")
    LongTermArchiveTransferFactory()
    assert found(browser, LongTermArchiveTransfer, str(wanted.pk)) == [named, wanted]
    by_key, by_name = statement_of(browser, LongTermArchiveTransfer, str(wanted.pk)).split(" UNION ")
    of_key, of_name = f'"long_term_archive_transfer"."id" = {wanted.pk}', f"LIKE '{wanted.pk}%'"
    assert of_key in by_key and of_name not in by_key
    assert of_name in by_name and of_key not in by_name


def test_a_name_that_begins_like_a_key_is_searched_for_at_once(browser):
    """Whether it is a key took twice as long with every digit; sixteen times as long here."""
    short, long = "0" * 14 + "_", "0" * 18 + "_"
    seconds = [min(timeit.repeat(lambda word=word: uuid_range(word), number=10)) for word in (short, long)]
    assert seconds[1] < 8 * seconds[0]
    wanted = RawDataPackageFactory(name="01a20333-9693-7663-b7f7-2669082d7be0_5_1.tar")
    assert found(browser, RawDataPackage, wanted.name) == [wanted]


class TestCoordinates:
    @pytest.mark.parametrize(
        ("text", "cone"),
        [
            ("05:35:17.3 -05:23:28 r=1'", (83.8220833, -5.3911111, 1 / 60)),
            ("05:35:17.3 -05:23:28", (83.8220833, -5.3911111, 1 / 60)),
            ("05:35:17.3, -05:23:28, r = 1 arcmin", (83.8220833, -5.3911111, 1 / 60)),
            ('5h35m17.3s -5d23m28s r=30"', (83.8220833, -5.3911111, 30 / 3600)),
            ("5h35m17.3s −5°23′28″ r=30″".replace("−", "-"), (83.8220833, -5.3911111, 30 / 3600)),
            ("05 35 17.3 -05 23 28 r=0.5deg", (83.8220833, -5.3911111, 0.5)),
            ("5:35 -5:23 r=2d", (83.75, -5.3833333, 2)),
            ("83.82 -5.39 r=0.5°", (83.82, -5.39, 0.5)),
            ("83.82d, +5.39d", (83.82, 5.39, 1 / 60)),
            ("0 -90 r=1'", (0, -90, 1 / 60)),
            ("359.999 89.999 r=1'", (359.999, 89.999, 1 / 60)),
        ],
    )
    def test_are_read_in_the_ways_people_write_them(self, text, cone):
        assert cone_of(text) == pytest.approx(cone)

    @pytest.mark.parametrize(
        "text",
        [
            "NGC 253",
            "3C 273",
            "12 34",
            "J0535-0523",
            "280-1",
            "RA 5",
            "(M42)",
            "M42 (Orion)",
            "DEC-10",
            "M42",
            "",
            "2026-06-15",
            "a r=1'",
            "5:35",
        ],
    )
    def test_other_words_are_none(self, text):
        assert cone_of(text) is None

    @pytest.mark.parametrize(
        "text",
        [
            "25:00:00 +10:00:00",
            "05:75:00 +10:00:00",
            "05:35:17 -95:00:00",
            "83.8 -91.0",
            "83.8 -5.0 r=1",
            "83.8 -5.0 r=",
            "83.8 -5.0 r=-1'",
            "83.8 -5.0 r=nan'",
            "83.8 -5.0 r=181deg",
            "83.8 -5.0 r=1 kg",
            "83.8 -5.0 r=" + "9" * 400 + "'",
        ],
    )
    def test_a_place_that_is_none_is_said_to_be(self, text, browser):
        FixedSourceFactory()
        response = search(browser, FixedSource, text)
        assert list(response.context_data["cl"].result_list) == []
        (message,) = map(str, get_messages(response.wsgi_request))
        assert "is no place on the sky" in message or "is no radius" in message

    @pytest.mark.parametrize(
        ("ra", "dec", "text"),
        [
            (83.822, -5.391, "05:35:17.3 -05:23:28 r=1'"),
            (359.9999, 10.0, "00:00:00 +10:00:00 r=1'"),
            (0.0001, 10.0, "359.9999 10.0 r=1'"),
            (123.0, 89.9999, "303.0 +89.9999 r=1'"),
            (200.0, -90.0, "20.0 -89.999 r=1'"),
        ],
    )
    def test_find_what_is_within_the_circle(self, ra, dec, text, browser):
        source, _far = FixedSourceFactory(ra_deg=ra, dec_deg=dec), FixedSourceFactory(ra_deg=150, dec_deg=45)
        unit = ObsUnitFactory(source=source)
        assert found(browser, FixedSource, text) == [source]
        assert [row.pk for row in found(browser, Source, text)] == [source.pk]
        assert found(browser, ObsUnit, text) == [unit]


def test_a_unit_is_found_by_an_alias_of_its_source(browser):
    unit, _ = ObsUnitFactory(source=FixedSourceFactory(aliases=["Orion KL"])), ObsUnitFactory()
    assert found(browser, ObsUnit, "orion kl") == [unit]


def test_a_zero_byte_in_the_search_for_a_group_is_no_server_error(browser):
    for url in (
        "/admin/auth/group/?q=%00",
        "/admin/autocomplete/?app_label=opsdb&model_name=user&field_name=groups&term=%00",
    ):
        assert browser.get(url, follow=True).status_code == 200


PASTED = {
    "a minus of typesetting": "05:35:17.3 \N{MINUS SIGN}05:23:28",
    "an en dash": "05:35:17.3 \N{EN DASH}05:23:28",
    "primes": "5h35m17.3s \N{MINUS SIGN}5°23\N{PRIME}28\N{DOUBLE PRIME}",
    "quotation marks": "5h 35m 17.3s, -5° 23’ 28”",
    "a sign apart": "05 35 17.3 - 05 23 28",
    "blanks that do not break": "05\N{NO-BREAK SPACE}35\N{NO-BREAK SPACE}17.3\N{NO-BREAK SPACE}-05 23 28",
    "degrees": "83.8221° \N{MINUS SIGN}5.3911°",
    "degrees in brackets": "(83.8221, \N{MINUS SIGN}5.3911)",
    "nothing between": "05:35:17.3\N{MINUS SIGN}05:23:28",
    "letters and nothing between": "05h35m17.3s-05d23m28s",
    "raised letters": "05\u02b035\u1d5017.3\u02e2 \N{MINUS SIGN}05°23\N{PRIME}28\N{DOUBLE PRIME}",
    "labels": "RA: 05:35:17.3, Dec: \N{MINUS SIGN}05:23:28",
    "Greek labels": "α=05h35m17.3s δ = - 05°23'28\"",
    "labels with an equinox": "R.A.(J2000) 05 35 17.3  Dec.(J2000) -05 23 28",
}


@pytest.mark.parametrize("what", PASTED)
@pytest.mark.parametrize(
    ("radius", "degrees"), [("", 1 / 60), (" r=0.5°", 0.5), (" 2'", 2 / 60), (" 30\N{DOUBLE PRIME}", 30 / 3600)]
)
def test_coordinates_are_read_as_people_paste_them(what, radius, degrees):
    cone = cone_of(PASTED[what] + radius)
    assert (cone.ra_deg, cone.dec_deg) == pytest.approx((83.8221, -5.3911), abs=1e-4)
    assert cone.radius_deg == pytest.approx(degrees)


@pytest.mark.parametrize(
    "text",
    [
        "MÜNCHEN_1.fits",
        "mu\u0308nchen_1.FITS",
        "Run/mu\u0308nchen_1.fits",
        "/data/chai/RUN/M\N{LATIN CAPITAL LETTER U WITH DIAERESIS}nchen_1.fits",
    ],
)
def test_a_file_is_found_in_any_letter_case_and_normal_form(text, browser, db):
    location = DiskDataLocationFactory(source=True, path="/data/chai")
    file = RawDataFileFactory(
        source_location=location, relative_path="run/m\N{LATIN SMALL LETTER U WITH DIAERESIS}nchen_1.fits"
    )
    RawDataFileFactory(source_location=location, relative_path="other/munchen_1.fits")
    assert [row.pk for row in found(browser, RawDataFile, text)] == [file.pk]


def test_a_source_is_found_in_any_letter_case_and_normal_form(browser, db):
    source = FixedSourceFactory(
        name="Dana\N{LATIN SMALL LETTER E WITH DIAERESIS} field", aliases=["E\N{LATIN SMALL LETTER O WITH ACUTE}s"]
    )
    assert found(browser, FixedSource, "danae\u0308") == found(browser, FixedSource, "EO\u0301S") == [source]


def test_a_number_is_a_key_and_names_no_observation(browser):
    one, other = LongTermArchiveTransferFactory.create_batch(2)
    unit = other.raw_data_package.executed_obs_unit.obs_unit
    ObsUnit.objects.filter(pk=unit.pk).update(name=f"Field {one.pk}")
    listed = browser.get(address(LongTermArchiveTransfer, "changelist"), {"q": one.pk}).context["cl"].result_list
    assert [*listed] == [one]
    listed = browser.get(address(LongTermArchiveTransfer, "changelist"), {"q": f"Field {one.pk}"})
    assert other in listed.context["cl"].result_list

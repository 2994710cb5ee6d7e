"""What a list shows can be downloaded: as it is filtered, whole, in flat memory, and safe to open."""

import csv
import io
import json
from urllib.parse import urlencode

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.contrib.auth.models import Permission
from django.contrib.messages import get_messages
from django.db import connection
from django.test import AsyncClient
from django.test.utils import CaptureQueriesContext

from opsdb.admins.kit.exporting import SECRETS, export_columns, rows_of
from opsdb.database.timeouts import TooSlowError
from opsdb.loaders import prepare
from opsdb.models import DataTransfer, ExecutedObsUnit, ObsUnit, RawDataFile, Source, User
from opsdb.testing import factories
from opsdb.testing.factories import FACTORIES

from .conftest import logged_in
from .pages import ADMINS, MODELS, address, name_of


def exported(client, model, form="csv", **query):
    response = client.get(f"{address(model, 'changelist')}export/{form}/?{urlencode(query)}")
    assert response.status_code == 200, response
    text = b"".join(response.streaming_content).decode()
    return list(csv.DictReader(io.StringIO(text, newline=""))) if form == "csv" else json.loads(text)


@pytest.mark.parametrize("model", MODELS, ids=name_of)
def test_every_list_is_exported_with_the_columns_that_are_said(model, browser, superuser, rf):
    row, request = FACTORIES[model](), rf.get("/")
    request.user = superuser
    rows = exported(browser, model), exported(browser, model, "json")
    for found in rows:
        key = "id" if "id" in found[0] else model._meta.pk.attname
        assert any(str(one[key]) == str(row.pk) for one in found)
        assert list(found[0]) == list(export_columns(ADMINS[model], request))
        assert not SECRETS & set(found[0])
    assert len(rows[0]) == len(rows[1])


def test_filters_and_search_hold(browser):
    failed = factories.DataTransferFactory(failed=True)
    factories.DataTransferFactory()
    assert [row["id"] for row in exported(browser, DataTransfer, status__exact="failed")] == [str(failed.pk)]
    assert [row["id"] for row in exported(browser, DataTransfer, q=str(failed.pk))] == [str(failed.pk)]
    link = f"{address(DataTransfer, 'changelist')}export/csv/?status__exact=failed"
    assert link in browser.get(f"{address(DataTransfer, 'changelist')}?status__exact=failed").content.decode()


def test_references_are_given_by_key_and_by_name(browser):
    execution = factories.ExecutedObsUnitFactory()
    (row,) = exported(browser, ExecutedObsUnit)
    assert row["obs_unit_id"] == str(execution.obs_unit_id)
    unit = execution.obs_unit
    assert row["obs_unit"] == f"{unit.observing_program.short_name} / {unit.name}"
    assert row["start_time"] == execution.start_time.isoformat().replace("+00:00", "Z")
    assert (row["observer_id"], row["observer"]) == ("", "")


def test_executions_are_exported_with_what_a_report_needs(browser):
    package = factories.RawDataPackageFactory(archived=True, file_count=7)
    execution = package.executed_obs_unit
    factories.RawDataPackageFactory(executed_obs_unit=execution, file_count=1, size_bytes=5)
    module = factories.PrimeCamModuleConfigurationFactory()
    execution.module_configurations.add(module)
    bare = factories.ExecutedObsUnitFactory(completed=True)
    rows = {row["id"]: row for row in exported(browser, ExecutedObsUnit)}
    row, other = rows[str(execution.pk)], rows[str(bare.pk)]
    unit = execution.obs_unit
    assert (row["program"], row["source"]) == (unit.observing_program.short_name, unit.source.name)
    assert row["instruments"] == module.instrument_module.instrument.name
    assert (row["packaged_files"], row["packaged_bytes"]) == ("8", str(package.size_bytes + 5))
    assert (row["packages"], row["archived_packages"]) == ("2", "1")
    assert float(other["duration_seconds"]) == (bare.end_time - bare.start_time).total_seconds()
    assert (other["instruments"], other["packaged_files"], other["packaged_bytes"]) == ("", "0", "0")


def test_who_may_see_executions_alone_exports_nothing_of_packages_and_sources(db):
    factories.ExecutedObsUnitFactory(completed=True)
    viewer = factories.UserFactory(is_staff=True)
    viewer.user_permissions.add(Permission.objects.get(codename="view_executedobsunit"))
    (row,) = exported(logged_in(viewer), ExecutedObsUnit)
    assert "duration_seconds" in row
    assert not {"program", "source", "instruments", "packages", "packaged_files", "archived_packages"} & set(row)


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx"])
def test_a_spreadsheet_takes_no_text_for_a_formula_and_json_keeps_it(browser, text):
    factories.ObsUnitFactory(comment=text, priority=-5)
    (row,) = exported(browser, ObsUnit)
    assert (row["comment"], row["priority"]) == (f"'{text}", "-5")
    (row,) = exported(browser, ObsUnit, "json")
    assert (row["comment"], row["priority"]) == (text, -5)


def test_quotes_and_line_ends_come_through(browser):
    comment = 'said "no",\nthen\r\nleft; ä'
    factories.ObsUnitFactory(comment=comment)
    assert exported(browser, ObsUnit)[0]["comment"] == comment


@pytest.mark.parametrize("query", ["status__exact=%00", "unknown=1", "q=%00", "obs_unit__id__exact=x", "o=99"])
def test_a_damaged_address_exports_nothing_or_leads_back(browser, query):
    response = browser.get(f"{address(ExecutedObsUnit, 'changelist')}export/csv/?{query}")
    assert response.status_code in (200, 302)
    assert browser.get(f"{address(ExecutedObsUnit, 'changelist')}export/xls/").status_code == 404


def test_an_empty_list_is_an_empty_file(browser):
    assert exported(browser, RawDataFile) == exported(browser, RawDataFile, "json") == []


@pytest.mark.parametrize("pooled", [False, True])
def test_a_row_is_sent_before_the_last_one_is_read(db, monkeypatch, pooled):
    monkeypatch.setitem(connection.settings_dict, "DISABLE_SERVER_SIDE_CURSORS", pooled)
    monkeypatch.setattr("opsdb.admins.kit.exporting.ROWS_AT_ONCE", 10)
    factories.UserFactory.create_batch(30)
    with CaptureQueriesContext(connection) as queries:
        rows = rows_of(User.objects.order_by("pk"), {"id": ("id",)})
        first = next(rows)
        assert open_cursors() == 1, "the server holds the rest"
        assert len([first, *rows]) == 30
    assert len(queries) <= 4


def open_cursors():
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_cursors WHERE name LIKE '_django%'")
        return cursor.fetchone()[0]


class TestUnderAsgi:
    @pytest.fixture
    def asynchronous(self, superuser):
        client = AsyncClient()
        client.force_login(superuser)
        return client

    @pytest.fixture(autouse=True)
    def small_parts(self, monkeypatch):
        monkeypatch.setattr("opsdb.admins.kit.exporting.ROWS_AT_ONCE", 10)
        monkeypatch.setattr("opsdb.admins.kit.exporting.BYTES_AT_ONCE", 1)

    @pytest.mark.parametrize("form", ["csv", "json"])
    def test_a_row_is_sent_before_the_last_one_is_read(self, asynchronous, browser, form):
        factories.SourceFactory.create_batch(30)
        url = f"{address(Source, 'changelist')}export/{form}/"
        at_first = []

        async def fetch():
            parts = []
            async for part in await asynchronous.get(url):
                at_first.append(await sync_to_async(open_cursors)())
                parts.append(part)
            return parts

        parts = async_to_sync(fetch)()
        assert at_first[1] == 1, "the server holds the rest"
        assert open_cursors() == 0
        assert len(parts) > 30
        assert b"".join(parts) == b"".join(browser.get(url).streaming_content)

    def test_one_that_is_broken_off_leaves_no_transaction_open(self, asynchronous, monkeypatch):
        factories.SourceFactory.create_batch(30)
        depth = len(connection.savepoint_ids)
        # The end of a request closes the connection, which here has the transaction of the test.
        monkeypatch.setattr(connection, "close_if_unusable_or_obsolete", lambda: None)

        async def fetch():
            response = await asynchronous.get(f"{address(Source, 'changelist')}export/csv/")
            parts = aiter(response)
            await anext(parts), await anext(parts)
            open_before = await sync_to_async(open_cursors)()
            await sync_to_async(response.close)()
            return open_before

        assert async_to_sync(fetch)() == 1
        assert len(connection.savepoint_ids) == depth
        assert open_cursors() == 0

    def test_planning_rows_are_sent_without_a_warning(self, asynchronous, recwarn):
        factories.FixedSourceFactory(name="Orion KL")

        async def fetch():
            response = await asynchronous.get(f"{address(Source, 'changelist')}export/sources/")
            return b"".join([part async for part in response])

        assert b"Orion KL" in async_to_sync(fetch)()
        assert not [one for one in recwarn if "must consume synchronous iterators" in str(one.message)]


def test_planning_rows_are_exported_as_their_loader_reads_them(browser):
    factories.FixedSourceFactory(name="Orion KL", aliases=["M42"])
    response = browser.get(f"{address(Source, 'changelist')}export/sources/")
    file = io.BytesIO(b"".join(response.streaming_content))
    file.name = "sources.csv"
    assert b"Orion KL" in file.getvalue()
    assert prepare("sources", [file]).changes_nothing


def test_a_search_that_is_too_slow_leads_back_with_the_reason(browser, monkeypatch):
    def give_up(self, request):
        raise TooSlowError

    monkeypatch.setattr(type(ADMINS[RawDataFile]), "get_changelist_instance", give_up)
    answer = browser.get(f"{address(RawDataFile, 'changelist')}export/csv/?q=a")
    assert (answer.status_code, answer.url) == (302, address(RawDataFile, "changelist"))
    assert "no index serves this search" in " ".join(map(str, get_messages(answer.wsgi_request)))

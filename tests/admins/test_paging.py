"""Big lists are paged by key: every row is on one page, and a page far away costs what the first one costs."""

import re
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from opsdb.admins.kit import lists
from opsdb.database.timeouts import TooSlowError, given_up_after
from opsdb.filters.paging import KeyedPage
from opsdb.models import (
    ChangeLog,
    ExecutedObsUnit,
    PhysicalCopy,
    RawDataFile,
    RawDataPackage,
    RawDataPackagePhysicalCopy,
    Telescope,
)
from opsdb.testing.factories import (
    ExecutedObsUnitFactory,
    RawDataFileFactory,
    RawDataPackageFactory,
    RawDataPackagePhysicalCopyFactory,
    TapeDataLocationFactory,
    TelescopeFactory,
)
from tests.databases import as_owner
from tests.plans import plan_of, planning_without
from tests.worlds import shared_world

from .pages import ADMINS, address, rows_of

NAMED = [*"abcdefg", "a,b", "ü%&'\"", "z z"]


@pytest.fixture(autouse=True)
def small_pages(monkeypatch):
    for page in ADMINS.values():
        monkeypatch.setattr(page, "list_per_page", 3, raising=False)


def links_of(response):
    """The addresses of other pages by their relation."""
    found = re.findall(r'<a href="([^"]*)" rel="(\w+)"', response.content.decode())
    return {name: url.replace("&amp;", "&") for url, name in found}


def walk(browser, url, query, direction):
    """The keys on all pages from an address in one direction, and the words below each list."""
    keys, said = [], []
    for _turn in range(50):
        response = browser.get(url + query)
        page = [row.pk for row in response.context["cl"].result_list]
        keys.append(page)
        said.append(" ".join(re.findall(r"<p>(.*?)</p>\s*</nav>", response.content.decode())))
        if direction not in (links := links_of(response)):
            return keys, said
        query = links[direction]
    raise AssertionError("the pages have no end")


def flat(pages):
    return [key for page in pages for key in page]


def sorted_by(browser, url, name, sign=""):
    """The query that sorts a list by a column."""
    columns = browser.get(url).context["cl"].list_display
    return f"?o={sign}{[getattr(column, '__name__', column) for column in columns].index(name)}"


@pytest.mark.parametrize("sign", [None, "", "-"])
def test_every_row_is_on_one_page_forwards_and_backwards(sign, browser):
    packages = [RawDataPackageFactory(name=name) for name in NAMED]
    names = {package.pk: package.name for package in packages}
    url = address(RawDataPackage, "changelist")
    query = "" if sign is None else sorted_by(browser, url, "name", sign)
    forwards, _said = walk(browser, url, query, "next")
    assert len(forwards) == 4
    assert sorted(flat(forwards)) == sorted(names)
    # One way there, and the same way back, from the last page on.
    last = links_of(browser.get(url + query))["last"]
    backwards, _said = walk(browser, url, last, "prev")
    # The first page is a whole one, so that it may repeat rows.
    assert list(dict.fromkeys(flat(backwards[::-1]))) == flat(forwards)
    with connection.cursor() as cursor:
        direction = "" if sign == "" else "DESC"
        column = "name" if query else "id"
        cursor.execute(f"SELECT id FROM raw_data_package ORDER BY {column} {direction}")  # noqa: S608
        assert flat(forwards) == [key for (key,) in cursor.fetchall()]


@pytest.mark.parametrize("sign", ["", "-"])
def test_rows_of_equal_value_are_told_apart_by_their_key(sign, browser):
    start = datetime(2026, 6, 15, tzinfo=UTC)
    unit = ExecutedObsUnitFactory(completed=True, start_time=start, end_time=start + timedelta(hours=1)).obs_unit
    for index in range(9):
        begun = start + timedelta(hours=index // 5)
        ended = begun + timedelta(hours=1)
        ExecutedObsUnitFactory(completed=True, obs_unit=unit, start_time=begun, end_time=ended)
    url = address(ExecutedObsUnit, "changelist")
    pages, said = walk(browser, url, sorted_by(browser, url, "start_time", sign), "next")
    assert len(set(flat(pages))) == len(flat(pages)) == 10
    assert said[0] == "rows 1 to 3 of 10 observations"
    assert re.fullmatch("3 rows after 2026-06-15 0[01]:00:00 of 10 observations", said[1])
    assert said[-1] == "the last 1 rows of 10 observations"


def test_paging_keeps_the_search_the_filters_and_the_order(browser):
    for index in range(8):
        RawDataPackageFactory(name=f"{'odd' if index % 2 else 'even'}-{index}", state="waiting")
    url = address(RawDataPackage, "changelist")
    order = sorted_by(browser, url, "name", "-").removeprefix("?")
    query = f"?q=odd-&state__exact=waiting&{order}"
    response = browser.get(url + query)
    links = links_of(response)
    assert all(part in links["next"] for part in ("q=odd-", "state__exact=waiting", order))
    pages, _said = walk(browser, url, query, "next")
    names = [RawDataPackage.objects.get(pk=key).name for key in flat(pages)]
    assert names == ["odd-7", "odd-5", "odd-3", "odd-1"]
    # A new search, filter or order begins at the first page.
    html = browser.get(url + links["next"]).content.decode()
    assert '<input type="hidden" name="p"' not in html
    others = re.findall(r'<a href="(\?[^"]*)"(?! rel=)', html)
    assert others
    assert not [link for link in others if re.search(r"[?;]p=", link)]


def test_an_index_gives_the_rows_of_one_module_in_order(browser):
    first = RawDataFileFactory()
    same = {"executed_obs_unit": first.executed_obs_unit, "instrument_module": first.instrument_module}
    keys = {first.pk, *(file.pk for file in RawDataFileFactory.create_batch(7, **same))}
    RawDataFileFactory.create_batch(2)
    url, query = address(RawDataFile, "changelist"), f"?instrument_module__id__exact={first.instrument_module_id}"
    pages, said = walk(browser, url, query, "next")
    assert flat(pages) == sorted(keys, reverse=True)
    assert said[0] == "rows 1 to 3 of 8 raw data files"
    back, _said = walk(browser, url, links_of(browser.get(url + query))["last"], "prev")
    assert list(dict.fromkeys(flat(back[::-1]))) == flat(pages)
    plan = plan_of_second_page(browser, url, query)
    assert_keys_follow(plan, "raw_data_file_by_module", r"instrument_module_id, id")


def assert_keys_follow(plan, index, columns):
    """Assert that the keys of a page are read from an index, from the place on, and need no sorting."""
    limited = (
        rf"Limit .*\n +->  Index (Only )?Scan Backward using {index} .*\n +Index Cond: .*\(ROW\({columns}\) < ROW\("
    )
    assert re.search(limited, plan), plan


STATUS = r"(?:status|\(status\)::text)"  # as an index has it, or a row


def plan_of_second_page(browser, url, query):
    """How PostgreSQL would read the second page of a list from indexes."""
    with CaptureQueriesContext(connection) as queries:
        browser.get(url + links_of(browser.get(url + query))["next"])
    statement = next(query["sql"] for query in queries if "ROW(" in query["sql"])
    forget_earlier_rows(PhysicalCopy)
    with planning_without("seqscan", "bitmapscan", "sort", "incremental_sort"):
        return plan_of(statement)


def forget_earlier_rows(model):
    """Let what other tests left in a table long ago not guide the planner."""
    with as_owner(), connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {model._meta.db_table}")


@pytest.mark.parametrize("model", [PhysicalCopy, RawDataPackagePhysicalCopy])
def test_an_index_gives_the_copies_of_one_state_in_order(model, browser):
    keys = {copy.pk for copy in RawDataPackagePhysicalCopyFactory.create_batch(8)}
    RawDataPackagePhysicalCopyFactory(missing=True)
    url, query = address(model, "changelist"), "?status__exact=present"
    pages, said = walk(browser, url, query, "next")
    assert flat(pages) == sorted(keys, reverse=True)
    assert said[0].startswith("rows 1 to 3 of 8 ")
    assert_keys_follow(plan_of_second_page(browser, url, query), r"physical_copy_\w+", STATUS + ", id")


@pytest.mark.parametrize("model", [PhysicalCopy, RawDataPackagePhysicalCopy])
def test_an_index_gives_the_copies_of_one_state_at_one_place_as_they_arrived(model, browser):
    location = TapeDataLocationFactory(archive=True)
    keys = [copy.pk for copy in RawDataPackagePhysicalCopyFactory.create_batch(8, data_location=location)]
    RawDataPackagePhysicalCopyFactory(missing=True, data_location=location)
    RawDataPackagePhysicalCopyFactory()
    url = address(model, "changelist")
    query = f"?status__exact=present&data_location__id__exact={location.pk}"
    pages, said = walk(browser, url, query, "next")
    assert flat(pages) == sorted(keys, reverse=True)
    assert said[0].startswith("rows 1 to 3 of 8 ")
    back, _said = walk(browser, url, links_of(browser.get(url + query))["last"], "prev")
    assert list(dict.fromkeys(flat(back[::-1]))) == flat(pages)
    columns = f"data_location_id, {STATUS}, arrived_at, id"
    assert_keys_follow(plan_of_second_page(browser, url, query), "physical_copy_by_location", columns)


def test_several_states_at_once_are_all_listed(browser):
    present, missing = RawDataPackagePhysicalCopyFactory(), RawDataPackagePhysicalCopyFactory(missing=True)
    for states, found in ((("present", "missing"), [missing.pk, present.pk]), (("present", "deleted"), [present.pk])):
        query = urlencode({"status__exact": states}, doseq=True)
        response = browser.get(f"{address(PhysicalCopy, 'changelist')}?{query}")
        assert [row.pk for row in response.context["cl"].result_list] == found


@shared_world
def four_of_each():
    TelescopeFactory.create_batch(4)
    executions = ExecutedObsUnitFactory.create_batch(4)
    RawDataFileFactory.create_batch(4, executed_obs_unit=executions[0])


@pytest.mark.parametrize("model", [RawDataFile, ExecutedObsUnit, ChangeLog, Telescope])
@pytest.mark.parametrize(
    "place",
    [
        "2",
        "-1",
        "0",
        "99999999999999999999999",
        "x",
        "last,",
        "last,1",
        "after",
        "after,",
        "after,,",
        "before,,,",
        "after,x",
        "after,x,y",
        "after,%00,%00",
        "after,2026-13-01,1",
        "after,0001-01-01T00:00:00%2B14:00,00000000-0000-0000-0000-000000000000",
        "before,9999-12-31T23:59:59-12:00,ffffffff-ffff-ffff-ffff-ffffffffffff",
        "after,ffffffff-ffff-ffff-ffff-ffffffffffff",
        "before,00000000-0000-0000-0000-000000000000",
        f"after,{10**40}",
        f"before,-{10**40}",
    ],
)
def test_a_place_made_by_hand_does_no_harm(model, place, four_of_each, browser, bare_pages):
    response = browser.get(f"{address(model, 'changelist')}?p={place}", follow=True)
    assert response.status_code == 200
    assert rows_of(response)


def test_the_page_before_the_second_is_a_whole_first_page(browser):
    RawDataFileFactory.create_batch(5)
    keys = sorted((file.pk for file in RawDataFile.objects.all()), reverse=True)
    page = KeyedPage(RawDataFile.objects.all(), ["-id"], f"before,{keys[1]}", 3)
    assert [row.pk for row in page.rows] == keys[:3]
    assert not page.has_previous
    assert page.has_next


def test_beyond_the_end_is_the_last_page(db):
    RawDataFileFactory.create_batch(5)
    keys = sorted((file.pk for file in RawDataFile.objects.all()), reverse=True)
    page = KeyedPage(RawDataFile.objects.all(), ["-id"], f"after,{keys[-1]}", 3)
    assert [row.pk for row in page.rows] == keys[2:]
    assert page.has_previous
    assert not page.has_next


@pytest.mark.parametrize(
    ("model", "order"), [(RawDataFile, ["-id"]), (ExecutedObsUnit, ["-start_time", "-id"]), (RawDataPackage, ["name"])]
)
def test_an_index_leads_to_any_page_without_an_offset(model, order, db):
    {
        RawDataFile: RawDataFileFactory,
        ExecutedObsUnit: ExecutedObsUnitFactory,
        RawDataPackage: RawDataPackageFactory,
    }[model].create_batch(3)
    row = model.objects.order_by(*order)[1]
    fields = [model._meta.get_field(name.removeprefix("-")) for name in order]
    place = ",".join(["after", *(field.value_to_string(row) for field in fields)])
    forget_earlier_rows(model)
    for asked in (place, place.replace("after", "before"), "last"):
        with CaptureQueriesContext(connection) as queries:
            assert KeyedPage(model.objects.all(), order, asked, 1).rows
        assert not any("OFFSET" in query["sql"] for query in queries)
        with planning_without("seqscan", "sort"):
            plan = plan_of(queries[0]["sql"])
        assert "Index" in plan
        assert "Sort Key" not in plan or "Incremental Sort" in plan
        assert asked == "last" or "Index Cond" in plan


class TestSlowQueries:
    def test_are_given_up(self, db):
        with pytest.raises(TooSlowError), given_up_after(0.05, "default"), connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(5)")

    def test_leave_the_limit_of_the_connection_as_it_was(self, db):
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL statement_timeout = '77s'")
            with given_up_after(1, "default"):
                cursor.execute("SHOW statement_timeout")
                assert cursor.fetchone() == ("1s",)
            cursor.execute("SHOW statement_timeout")
            assert cursor.fetchone() == ("77s",)

    def test_lead_back_to_the_list_with_the_reason(self, browser, monkeypatch):
        RawDataFileFactory()
        monkeypatch.setattr(lists, "LONGEST_QUERY_SECONDS", 1)
        slow = RawDataFile.objects.extra(where=["pg_sleep(2) IS NOT NULL"]).order_by("-pk")
        page = ADMINS[RawDataFile]
        usual = type(page).get_search_results
        monkeypatch.setattr(
            type(page),
            "get_search_results",
            lambda self, request, rows, term: (slow, False) if term else usual(self, request, rows, term),
        )
        response = browser.get(f"{address(RawDataFile, 'changelist')}?q=a", follow=True)
        assert response.redirect_chain == [(address(RawDataFile, "changelist"), 302)]
        assert "no index serves this search and these filters together" in response.content.decode()

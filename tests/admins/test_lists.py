"""Lists: what people search for is found, every filter answers, nonsense does no harm, counts have a bound."""

import uuid
from urllib.parse import quote_plus

import pytest
from django.contrib.admin.utils import get_fields_from_path
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from opsdb.admins.copy_filters import MayGoFilter
from opsdb.admins.kit.counting import BoundedPaginator, estimate
from opsdb.admins.kit.filters import RelatedFilter
from opsdb.models import (
    ChangeLog,
    ExecutedObsUnit,
    FixedSource,
    PhysicalCopyStatus,
    RawDataFile,
    Source,
    Status,
    Telescope,
)
from opsdb.testing.factories import (
    FACTORIES,
    ChangeLogFactory,
    ConstantElevationSourceFactory,
    DataTransferFactory,
    ExecutedObsUnitFactory,
    FixedSourceFactory,
    RawDataFileFactory,
    TelescopeFactory,
)
from tests.databases import as_owner

from .pages import ADMINS, MODELS, address, name_of, rows_of

every_model = pytest.mark.parametrize("model", MODELS, ids=name_of)

NONSENSE = (
    "text",
    "two words",
    '"quoted words"',
    '"',
    "'%_\\;--",
    "\x00",
    "9" * 40,
    "-1",
    "²",
    "ä" * 300,
    "deadbeef",
    "019b0000-",
    str(uuid.UUID(int=1)),
)


@every_model
def test_any_search_is_answered(model, browser, bare_pages):
    FACTORIES[model]()
    url = address(model, "changelist")
    assert_answered(browser, url, [f"?q={quote_plus(text)}" for text in NONSENSE])


def assert_answered(browser, url, queries):
    """Assert that a list answers to queries, and that those which it does not understand lead back to it."""
    damaged = set()
    for query in queries:
        response = browser.get(url + query)
        if response.status_code == 302:
            damaged.add(response.headers["Location"])
        else:
            assert response.status_code == 200, query
            rows_of(response)
    assert damaged <= {f"{url}?e=1"}
    for target in damaged:
        rows_of(browser.get(target))


@every_model
def test_what_the_search_is_said_to_find_is_found(model, browser, bare_pages):
    row, _ = FACTORIES[model].create_batch(2)
    page = ADMINS[model]
    assert page.get_search_fields(None), "each list can be searched"
    for path in page.get_search_fields(None):
        name = path.split("__")[0]
        field = model._meta.get_field(name)
        value = getattr(row, field.attname)
        if value in (None, "", []) or (field.is_relation and path != name):
            continue
        if isinstance(value, list):
            value = value[0]
        response = browser.get(f"{address(model, 'changelist')}?q={quote_plus(str(value))}")
        assert row in rows_of(response), (path, value)


def at_end_of(row, path):
    """The row that a path of relations leads to, the first of many."""
    for name in path.split("__"):
        if row is not None:
            field = row._meta.get_field(name)
            row = getattr(row, name).first() if field.many_to_many or field.one_to_many else getattr(row, name)
    return row


@every_model
def test_every_filter_answers(model, browser, bare_pages):
    row = FACTORIES[model]()
    url = address(model, "changelist")
    listed = browser.get(url).context_data["cl"]
    queries = {choice["query_string"] for spec in listed.filter_specs for choice in spec.choices(listed)} - {"?"}
    for spec in listed.filter_specs:
        if isinstance(spec, RelatedFilter):
            queries |= {f"?{spec.parameter}={value}" for value in ("garbage", "", "9" * 40, "%00")}
            related = at_end_of(row, spec.field_path)
            if related is not None:
                response = browser.get(f"{url}?{spec.parameter}={related.pk}")
                assert row in rows_of(response)
                controls = [getattr(one, "control", "") for one in response.context_data["cl"].filter_specs]
                assert any(f'<option value="{related.pk}" selected>' in control for control in controls)
    assert_answered(browser, url, sorted(queries))


@every_model
def test_filters_list_no_unbounded_table(model, rf, superuser):
    request = rf.get("/")
    request.user = superuser
    for item in ADMINS[model].get_list_filter(request):
        if item is MayGoFilter:
            continue  # whose locations are as many as it offers at the most
        name, kind = item if isinstance(item, tuple) else (item, None)
        field = get_fields_from_path(model, name)[-1]
        assert not field.is_relation or kind is RelatedFilter


@pytest.mark.parametrize("query", ["status__exact=%00", "q=%00", "p=x", "o=99", "o=-2.1", "all=", "unknown=1"])
def test_a_damaged_address_leads_back_to_the_list(query, browser, db):
    RawDataFileFactory()
    for model in (RawDataFile, ExecutedObsUnit):
        assert browser.get(f"{address(model, 'changelist')}?{query}", follow=True).status_code == 200


@pytest.mark.parametrize("column", range(1, 7))
def test_a_big_table_is_sorted_only_where_an_index_serves(column, browser):
    with CaptureQueriesContext(connection) as queries:
        assert browser.get(f"{address(RawDataFile, 'changelist')}?o={column}").status_code == 200
    (order,) = (query["sql"].partition(" ORDER BY ")[2] for query in queries if " ORDER BY " in query["sql"])
    assert order.startswith('"raw_data_file"."id" DESC')


def test_the_beginning_of_a_uuid_finds_its_row(browser):
    execution = ExecutedObsUnitFactory()
    ExecutedObsUnitFactory()
    for beginning in (str(execution.pk)[:30], execution.pk.hex[:30], str(execution.pk).upper()):
        response = browser.get(f"{address(ExecutedObsUnit, 'changelist')}?q={beginning}")
        assert rows_of(response) == [execution]


def test_a_change_is_found_by_the_key_of_its_row(browser):
    change, _ = ChangeLogFactory(row_id="4711"), ChangeLogFactory(row_id="4712")
    assert rows_of(browser.get(f"{address(ChangeLog, 'changelist')}?q=4711")) == [change]


def test_a_source_is_found_by_an_alias(browser):
    source, _ = FixedSourceFactory(aliases=["Orion KL"]), FixedSourceFactory()
    assert rows_of(browser.get(f'{address(FixedSource, "changelist")}?q="orion kl"')) == [source]


def test_a_source_is_found_in_any_spelling_in_its_list_and_where_one_is_chosen(browser):
    m82, _other = FixedSourceFactory(name="M 82", aliases=["NGC 3034"]), FixedSourceFactory(name="M 83")
    field = {"app_label": "opsdb", "model_name": "obsunit", "field_name": "source"}
    for text in ("M82", "m-82", "ngc03034", "NGC3034", "M 82"):
        assert [row.pk for row in rows_of(browser.get(f"{address(Source, 'changelist')}?q={text}"))] == [m82.pk], text
        answer = browser.get(reverse("admin:autocomplete"), {"term": text, **field})
        assert [one["text"] for one in answer.json()["results"]] == ["M 82"], text
    assert not rows_of(browser.get(f"{address(Source, 'changelist')}?q=M84"))


def test_the_list_of_sources_has_coordinates(browser):
    FixedSourceFactory(name="Orion KL", ra_deg=83.81, dec_deg=-5.37)
    ConstantElevationSourceFactory(ra_min_deg=10, ra_max_deg=20, dec_min_deg=-3, dec_max_deg=4)
    html = browser.get(address(Source, "changelist")).content.decode()
    texts = ("05:35:14.40 (83.8100°)", "-05:22:12.0 (-5.3700°)", "10.0000° to 20.0000°", "-3.0000° to +4.0000°")
    for text in texts:
        assert text in html, text


def test_a_filter_keeps_the_search_and_the_other_filters(browser):
    source = FixedSourceFactory(frame="fk5")
    page = browser.get(f"{address(FixedSource, 'changelist')}?frame__exact=fk5&q={source.name}")
    assert rows_of(page) == [source]
    telescope = TelescopeFactory()
    url = f"{address(type(telescope), 'changelist')}?observatory__id__exact={telescope.observatory_id}"
    assert rows_of(browser.get(url)) == [telescope]


class TestCounts:
    def test_few_rows_are_counted_exactly(self, db):
        TelescopeFactory.create_batch(3)
        assert BoundedPaginator(Telescope.objects.order_by("pk"), 2).count == 3

    def test_many_rows_are_estimated_and_said_to_be(self, db, monkeypatch, browser):
        TelescopeFactory.create_batch(5)
        monkeypatch.setattr(BoundedPaginator, "exact_limit", 2)
        monkeypatch.setattr("opsdb.admins.kit.counting.estimate", lambda rows: 12_345_678)
        assert BoundedPaginator(Telescope.objects.order_by("pk"), 2).num_pages == 6_172_839
        html = browser.get(address(Telescope, "changelist")).content.decode()
        assert "about 12.3 million telescopes" in html

    def test_the_estimate_is_never_below_what_was_counted(self, db, monkeypatch):
        TelescopeFactory.create_batch(5)
        monkeypatch.setattr(BoundedPaginator, "exact_limit", 2)
        monkeypatch.setattr("opsdb.admins.kit.counting.estimate", lambda rows: 1)
        assert BoundedPaginator(Telescope.objects.order_by("pk"), 2).count == 3

    def test_the_planner_gives_the_estimate(self, db):
        TelescopeFactory.create_batch(5)
        with as_owner(), connection.cursor() as cursor:
            cursor.execute("ANALYZE telescope")
        assert estimate(Telescope.objects.all()) == 5

    def test_a_count_looks_at_no_more_rows_than_its_limit(self, browser):
        with CaptureQueriesContext(connection) as queries:
            browser.get(address(RawDataFile, "changelist"))
        (count,) = (query["sql"] for query in queries if "COUNT(*)" in query["sql"])
        assert f"LIMIT {BoundedPaginator.exact_limit + 1}" in count


@every_model
def test_every_reference_can_be_completed(model, browser, outsider, remembered_users):
    FACTORIES[model]()
    for name in ADMINS[model].get_autocomplete_fields(None):
        field = model._meta.get_field(name)
        query = f"app_label=opsdb&model_name={model._meta.model_name}&field_name={field.name}"
        for term in ("", "a", str(uuid.UUID(int=1)), "9" * 40, "%00"):
            response = browser.get(f"/admin/autocomplete/?{query}&term={term}")
            assert response.status_code == 200, (name, term)
            assert "results" in response.json()
        assert outsider.get(f"/admin/autocomplete/?{query}&term=").status_code == 403


def test_a_state_is_shown_by_text_icon_and_colour(browser):
    transfer = DataTransferFactory(failed=True)
    html = browser.get(address(type(transfer), "changelist")).content.decode()
    look = Status.FAILED.look
    assert f'opsdb-badge-{look.colour}"><span aria-hidden="true">{look.icon}</span> failed</span>' in html
    assert PhysicalCopyStatus.CORRUPT.look == look


def test_a_search_says_how_many_of_its_results_are_on_the_page_and_how_to_leave_it(browser, monkeypatch):
    sources = [FixedSourceFactory(name=f"Cloud {index}") for index in range(3)]
    monkeypatch.setattr(ADMINS[Source], "list_per_page", 2)
    url = f"{address(Source, 'changelist')}?q=Cloud"
    response = browser.get(url)
    html = " ".join(response.content.decode().split())
    assert len(rows_of(response)) == 2
    assert '3 results, 2 on this page (<a href="?">Without search and filters</a>)' in html
    assert "Without search and filters" not in browser.get(address(Source, "changelist")).content.decode()
    assert sorted(row.name for row in rows_of(browser.get(f"{url}&all="))) == [source.name for source in sources]

"""Rows are called in lists as people call them, without asking the database, and lists say what they have."""

import re

import pytest
from django.contrib.messages import get_messages
from django.db import connection
from django.test.utils import CaptureQueriesContext

from opsdb.admins.kit.names import NAMINGS, called, named, needed_by_name
from opsdb.admins.kit.sub_groups import call_sub_groups
from opsdb.models import (
    DataLocation,
    DataTransfer,
    DeletionRequest,
    ExecutedObsUnit,
    ExecutedReductionStep,
    ObsUnit,
    PackageState,
    PhysicalCopy,
    RawDataPackage,
    Role,
    User,
)
from opsdb.testing import factories
from opsdb.testing.factories import FACTORIES

from .acting import look
from .conftest import may_only
from .pages import address, submit


def loaded(row):
    """A row with all that its name needs."""
    return type(row)._default_manager.select_related(*needed_by_name(type(row))).get(pk=row.pk)


def text_of(browser, model, query=""):
    """What a list shows, and its markup."""
    html = browser.get(address(model, "changelist") + query).content.decode()
    table = html[html.index('id="result_list"') : html.index("</table>")]
    return re.sub("<[^>]*>", " ", table), table


@pytest.fixture
def package(db):
    return loaded(factories.RawDataPackageFactory(part=1))


def test_a_package_is_called_after_what_was_observed_when_and_by_which_module(package):
    execution = package.executed_obs_unit
    assert called(package) == (
        f"{execution.obs_unit} · {execution.start_time:%Y-%m-%d %H:%M} · {package.instrument_module}"
    )
    shown = named(package)
    assert f'title="{package.name}" data-copy="{package.name}"' in shown
    assert f'<span class="visually-hidden"> ({package.name})</span>' in shown


def test_a_location_is_called_with_its_site():
    place = factories.DiskDataLocationFactory.build(name="buffer", site=factories.SiteFactory.build(short_name="ccat"))
    assert called(place) == named(place) == "ccat/buffer"


def test_a_copy_is_called_after_what_it_is_of_and_where(db):
    copy = loaded(factories.PhysicalCopyFactory())
    place = copy.data_location
    assert called(copy) == f"{called(copy.raw_data_package)} @ {place.site}/{place}"
    assert f'title="copy {copy.pk}"' in named(copy)


@pytest.mark.parametrize("model", NAMINGS, ids=lambda model: model.__name__)
def test_a_name_asks_nothing_whatever_was_loaded(model, db, django_assert_num_queries):
    made = FACTORIES[model]()
    bare, whole = type(made)._default_manager.get(pk=made.pk), loaded(made)
    with django_assert_num_queries(0):
        assert called(bare) == named(bare) == str(bare)
        assert called(whole)
        assert named(whole)


def test_lists_call_rows_so(browser, package):
    text, table = text_of(browser, RawDataPackage)
    assert called(package) in text
    assert f'data-copy="{package.name}"' in table
    copy = loaded(factories.PhysicalCopyFactory(raw_data_package=package))
    assert called(copy) in text_of(browser, PhysicalCopy)[0]


def test_executions_show_program_source_and_instrument_and_are_narrowed_by_them(browser):
    execution, other = factories.ExecutedObsUnitFactory.create_batch(2, completed=True)
    configuration = factories.PrimeCamModuleConfigurationFactory()
    execution.module_configurations.add(configuration)
    unit, instrument = execution.obs_unit, configuration.instrument_module.instrument
    text, _table = text_of(browser, ExecutedObsUnit)
    for name in (str(unit.observing_program), str(unit.source), instrument.name):
        assert name in text
    for parameter, value in (
        ("obs_unit__observing_program__id__exact", unit.observing_program_id),
        ("obs_unit__source__id__exact", unit.source_id),
        ("module_configurations__instrument_module__instrument__id__exact", instrument.pk),
    ):
        response = browser.get(f"{address(ExecutedObsUnit, 'changelist')}?{parameter}={value}")
        assert [row.pk for row in response.context["cl"].result_list] == [execution.pk], parameter
    assert other.obs_unit.observing_program != unit.observing_program


def test_users_show_their_roles(browser):
    role = Role.objects.create(name="moon watchers")
    factories.UserFactory(username="ada").groups.add(role.group_ptr)
    assert re.search(r"ada\b.*?moon watchers", text_of(browser, User)[0], re.DOTALL)


def test_what_the_columns_of_copies_mean_is_what_they_show(browser):
    factories.PhysicalCopyFactory()
    columns = browser.get(address(PhysicalCopy, "changelist")).context["columns"]
    meanings = {name: meaning for name, _title, meaning in columns}
    assert meanings["id"].startswith("What it is a copy of, and behind the @ the location")
    assert "missing: The bytes are not where they should be." in meanings["status"]
    assert "what has to happen next" in meanings["why"]
    columns = browser.get(address(DataTransfer, "changelist")).context["columns"]
    assert columns[0][2] == "Number by which messages and logs name the transfer; it leads to it."


def test_the_list_of_packages_says_what_failed_after_they_were_made(browser):
    bundle = factories.DataTransferPackageFactory(failed=True)
    held_up = factories.RawDataPackageFactory(completed=True, data_transfer_package=bundle)
    sent = factories.DataTransferPackageFactory()
    lost = factories.RawDataPackageFactory(completed=True, data_transfer_package=sent)
    RawDataPackage.objects.update(state=PackageState.FAILED)
    factories.RawDataPackageFactory(failed=True, failure_message="no space left on device")
    failures = re.findall(
        r'<td class="field-failure_message">(.*?)</td>',
        browser.get(address(RawDataPackage, "changelist")).content.decode(),
    )
    assert failures == [
        "no space left on device",
        *(
            {
                held_up.pk: "its bundle failed; see “Why?”",
                lost.pk: "its transfer, unpacking or archiving failed; see “Why?”",
            }[key]
            for key in sorted((held_up.pk, lost.pk), reverse=True)
        ),
    ]


def test_a_list_says_what_it_has_and_what_its_columns_mean(browser):
    factories.RawDataPackageFactory()
    html = browser.get(address(RawDataPackage, "changelist")).content.decode()
    assert "<p>A tar of the raw files that one module wrote in one observation, or of a part of them.</p>" in html
    columns = browser.get(address(RawDataPackage, "changelist")).context["columns"]
    meanings = {name: meaning for name, _title, meaning in columns}
    assert meanings["size_bytes"] == RawDataPackage._meta.get_field("size_bytes").help_text
    assert meanings["why"]
    assert meanings["name"].startswith("Unit, start (UTC) and module of the observation")
    assert "waiting: It is being made, or waits for its transfer." in meanings["state"]
    titles = re.findall(r'<dt data-column="(\w+)">', html)
    headings = re.findall(r"<th[^>]*column-(\w+)", html)
    assert [name for name in headings if name in titles] == titles


class TestLocations:
    """A location is called with its site wherever a person reads or chooses it."""

    @pytest.fixture
    def place(self, db):
        return factories.DiskDataLocationFactory(site__short_name="marsh", name="reed", location_type="buffer")

    @pytest.fixture
    def request_for_deletion(self, place):
        return factories.DeletionRequestFactory(data_location=place)

    def test_a_form_shows_and_offers_it_with_its_site(self, browser, place, request_for_deletion):
        page = browser.get(address(type(request_for_deletion), "change", request_for_deletion)).content.decode()
        assert "marsh/reed" in page and ">reed<" not in page
        transfer = factories.DataTransferFactory(destination_location=place)
        page = browser.get(address(type(transfer), "change", transfer)).content.decode()
        assert "marsh/reed" in page and ">reed<" not in page
        pipeline = factories.PipelineFactory(processing_location__site=place.site)
        page = browser.get(address(type(pipeline), "change", pipeline)).content.decode()
        assert f"selected>marsh/{pipeline.processing_location.name}</option>" in page

    def test_a_filter_shows_what_was_chosen_with_its_site(self, browser, place, request_for_deletion):
        query = f"?data_location__id__exact={place.pk}"
        page = browser.get(address(type(request_for_deletion), "changelist") + query).content.decode()
        assert "selected>marsh/reed</option>" in page

    @pytest.mark.parametrize("term", ["reed", "marsh", "marsh/reed", "arsh/re"])
    def test_it_is_found_by_typing_its_name_or_that_of_its_site(self, term, browser, outsider, place):
        factories.DiskDataLocationFactory(site__short_name="hill", name="barn")
        page = browser.get(address(DeletionRequest, "add"))
        url = page.context["adminform"].form.fields["data_location"].widget.widget.get_url()
        question = {"app_label": "opsdb", "model_name": "deletionrequest", "field_name": "data_location", "term": term}
        assert browser.get(url, question).json()["results"] == [{"id": str(place.pk), "text": "marsh/reed"}]
        assert outsider.get(url, question).status_code == 403
        listed = browser.get(address(DataLocation, "changelist"), {"q": term}).context["cl"].result_list
        assert [row.pk for row in listed] == [place.pk]

    def test_finding_by_typing_costs_the_same_for_one_and_for_many(self, browser, place):
        url = f"{address(DataLocation, 'changelist')}names/"
        question = {"app_label": "opsdb", "model_name": "deletionrequest", "field_name": "data_location", "term": ""}

        def number():
            with CaptureQueriesContext(connection) as queries:
                assert browser.get(url, question).status_code == 200
            return len(queries)

        few = number()
        factories.DiskDataLocationFactory.create_batch(5)
        assert number() == few

    def test_its_own_pages_and_the_history_of_others_call_it_so(self, browser, place):
        pages = ("change", "history")
        for page in pages:
            html = browser.get(address(type(place), page, place)).content.decode()
            assert re.search(r"<h[12][^>]*>[^<]*marsh/reed", html), page
        pipeline = factories.PipelineFactory()
        other = factories.DiskDataLocationFactory(location_type="processing", site=place.site, name="pool")
        type(pipeline).objects.filter(pk=pipeline.pk).update(processing_location=other)
        assert "marsh/pool" in browser.get(address(type(pipeline), "history", pipeline)).content.decode()

    def test_the_preview_of_a_deletion_calls_it_so(self, browser):
        copy = PhysicalCopy.objects.get(pk=factories.RawDataFilePhysicalCopyFactory(deletable=True).pk)
        page = look(browser, PhysicalCopy, "request_deletion", copy, stage="look", overrides_retention="on")
        place = copy.data_location
        assert f"for deletion at {place.site}/{place}, which another person" in page.content.decode()


def test_the_message_after_saving_names_a_location_behind_its_site(browser):
    place = factories.DiskDataLocationFactory(name="spool")
    answer = submit(browser, address(type(place), "change", place), place, {"name": "buffer"})
    place.refresh_from_db()
    assert place.name == "buffer"
    messages = [str(message) for message in get_messages(answer.wsgi_request)]
    assert any(f">{place.site}/buffer</a>” was changed" in message for message in messages), messages


def test_the_sub_groups_of_runs_are_called_as_people_call_them(browser):
    execution, module = factories.ExecutedObsUnitFactory(), factories.InstrumentModuleFactory()
    keys = (
        f"executed_obs_unit={execution.pk}, instrument_module={module.pk}",
        "source=none, night=2026-06-15",
        "source=0",
        "",
    )
    for key in keys:
        factories.ExecutedReductionStepFactory(sub_group_key=key)
    text, markup = text_of(browser, ExecutedReductionStep)
    assert f"{execution.obs_unit} · {execution.start_time:%Y-%m-%d %H:%M} · {module}" in text
    assert "source none · night 2026-06-15" in text and "source 0" in text
    assert f'title="{keys[0]}"' in markup
    text, _markup = text_of(may_only(ExecutedReductionStep), ExecutedReductionStep)
    assert f"executed obs unit {execution.pk}" in text
    assert f"{execution.start_time:%Y-%m-%d %H:%M}" not in text


def test_what_a_sub_group_is_called_after_is_read_without_what_no_name_needs(db):
    unit = factories.ObsUnitFactory()
    with CaptureQueriesContext(connection) as captured:
        assert call_sub_groups([f"obs_unit={unit.pk}"], lambda model: True) == {f"obs_unit={unit.pk}": called(unit)}
    [query] = captured
    assert query["sql"].count(" JOIN ") == len(needed_by_name(ObsUnit))


def test_the_number_of_queries_for_sub_groups_does_not_grow_with_the_runs(browser):
    def queries():
        with CaptureQueriesContext(connection) as captured:
            text_of(browser, ExecutedReductionStep)
        return len(captured)

    module = factories.InstrumentModuleFactory()

    def make(number):
        for _number in range(number):
            key = f"executed_obs_unit={factories.ExecutedObsUnitFactory().pk}, instrument_module={module.pk}"
            factories.ExecutedReductionStepFactory(sub_group_key=key)

    make(1)
    queries()
    few = queries()
    make(4)
    assert queries() == few

"""Dates are written in one form, whatever the language, and others refused; lists are narrowed by periods."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.messages import get_messages
from django.utils import timezone
from django.utils.translation import override

from opsdb.admins.kit.dates import IsoDateField, IsoDateTimeField, IsoDateTimeWidget, periods
from opsdb.models import ChangeLog, DataTransfer, Downtime, ExecutedObsUnit, StagingJob, TimeAllocation
from opsdb.testing import factories
from tests.models.refusal import settle

from .acting import confirm, look
from .pages import address, errors_of, submit

NOW = datetime(2026, 3, 5, 9, 30, tzinfo=UTC)


@pytest.mark.parametrize("language", ["en-gb", "en-us", "de"])
@pytest.mark.parametrize("text", ["12/06/2026", "06/12/2026", "12.06.2026", "12 June 2026", "26-06-12", "2026/06/12"])
def test_a_date_that_could_be_another_is_refused_with_what_is_right(language, text):
    with override(language):
        for field, value in ((IsoDateField(), text), (IsoDateTimeField(), [text, "05:00"])):
            with pytest.raises(Exception, match="2026-06-12"):
                field.clean(value)


@pytest.mark.parametrize("language", ["en-gb", "en-us", "de"])
def test_a_date_is_read_and_shown_in_iso_form(language):
    with override(language):
        assert IsoDateTimeField().clean(["2026-06-12", "05:00"]) == datetime(2026, 6, 12, 5, tzinfo=UTC)
        assert str(IsoDateField().clean("2026-06-12")) == "2026-06-12"
        html = IsoDateTimeWidget().render("start", datetime(2026, 6, 12, 5, tzinfo=UTC))
    assert re.findall(r'value="([^"]*)"', html) == ["2026-06-12", "05:00:00"]


def test_a_form_refuses_such_a_date_and_writes_nothing(browser):
    downtime = factories.DowntimeFactory()
    before = Downtime.objects.values().get(pk=downtime.pk)
    response = submit(
        browser,
        address(Downtime, "change", downtime),
        downtime,
        {"start_time_0": "12/06/2026", "start_time_1": "05:00"},
    )
    assert any("2026-06-12" in text for text in errors_of(response))
    assert Downtime.objects.values().get(pk=downtime.pk) == before


@pytest.mark.parametrize("model", [Downtime, TimeAllocation])
def test_a_form_shows_dates_in_iso_form_and_that_times_are_utc(model, browser):
    row = factories.FACTORIES[model]()
    html = browser.get(address(model, "change", row)).content.decode()
    names = ["start_time_0", "end_time_0"] if model is Downtime else ["start_date", "end_date"]
    for name in names:
        value = re.search(rf'<input[^>]*name="{name}"[^>]*>', html)[0]
        assert re.search(r'value="(\d{4}-\d\d-\d\d)?"', value) or "value" not in value, value
    assert ("Date (UTC):" in html) is (model is Downtime)


def test_an_actions_form_refuses_such_a_date(browser):
    execution = factories.ExecutedObsUnitFactory(completed=True)
    data = {"start_time_0": "12/06/2026", "start_time_1": "05:00"}
    page = look(browser, ExecutedObsUnit, "correct", execution, stage="look", **data)
    assert "2026-06-12" in page.content.decode()
    assert page.context["form"].errors


class TestAnotherTimeZoneOfTheProject:
    """What is labelled UTC is UTC, even where Django shows its own times as those of Chile."""

    @pytest.fixture(autouse=True)
    def in_chile(self, settings):
        settings.TIME_ZONE = "America/Santiago"

    def test_a_form_stores_and_shows_the_time_that_was_written(self, browser):
        downtime = factories.DowntimeFactory(start_time=NOW, end_time=NOW + timedelta(days=1))
        url = address(Downtime, "change", downtime)
        assert 'value="09:30:00"' in browser.get(url).content.decode()
        submit(browser, url, downtime, {"start_time_0": "2026-03-05", "start_time_1": "05:00"})
        downtime.refresh_from_db()
        assert downtime.start_time == NOW.replace(hour=5, minute=0)
        assert downtime.end_time == NOW + timedelta(days=1)

    def test_an_action_stores_the_time_that_was_written(self, browser):
        execution = factories.ExecutedObsUnitFactory(completed=True)
        confirm(
            browser,
            ExecutedObsUnit,
            "correct",
            execution,
            start_time_0="2026-03-05",
            start_time_1="05:00",
            end_time_0="",
            end_time_1="",
        )
        execution.refresh_from_db()
        assert execution.start_time == NOW.replace(hour=5, minute=0)

    def test_the_history_and_its_versions_are_dated_in_utc(self, browser):
        downtime = factories.DowntimeFactory()
        settle()
        Downtime.objects.filter(pk=downtime.pk).update(reason="a storm")
        first = ChangeLog.objects.of(downtime).last()
        history = address(Downtime, "history", downtime)
        for url in (history, f"{history}{first.pk}/restore/"):
            assert f"{first.changed_at:%Y-%m-%d %H:%M:%S} UTC" in browser.get(url).content.decode()


def test_periods_are_whole_days_nights_and_months():
    found = {str(label): (first, end) for label, first, end in periods(NOW)}
    day = timedelta(days=1)
    midnight, noon = datetime(2026, 3, 5, tzinfo=UTC), datetime(2026, 3, 4, 12, tzinfo=UTC)
    assert found["Present night"] == (noon, noon + day), "which lasts until noon"
    assert found["Last night"] == (noon - day, noon)
    assert found["Today"] == (midnight, midnight + day)
    assert found["Last 7 days"] == (midnight - 6 * day, midnight + day)
    assert found["Last week"] == (datetime(2026, 2, 23, tzinfo=UTC), datetime(2026, 3, 2, tzinfo=UTC)), "from Monday"
    assert found["Last month"] == (datetime(2026, 2, 1, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC))
    assert found["This month"] == (datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC))
    assert found["Next 7 days"] == (midnight, midnight + 7 * day)
    december = {str(label): ends for label, *ends in periods(datetime(2026, 12, 31, 13, tzinfo=UTC))}
    assert december["This month"][1] == datetime(2027, 1, 1, tzinfo=UTC)
    assert december["Last night"][1] == datetime(2026, 12, 31, 12, tzinfo=UTC)


def listed(browser, model, query):
    response = browser.get(f"{address(model, 'changelist')}?{query}")
    assert response.status_code == 200
    return [row.pk for row in response.context["cl"].result_list]


def test_a_list_is_narrowed_from_a_date_to_before_another(browser):
    downtime = factories.DowntimeFactory(start_time=datetime(2026, 6, 12, 5, tzinfo=UTC), end_time=None)
    for query, found in (
        ("start_time__gte=2026-06-12&start_time__lt=2026-06-13", [downtime.pk]),
        ("start_time__gte=2026-06-12T05:00:00Z", [downtime.pk]),
        ("start_time__gte=2026-06-13", []),
        ("start_time__lt=2026-06-12", []),
    ):
        assert listed(browser, Downtime, query) == found, query


@pytest.mark.parametrize("text", ["12/06/2026", "0001-01-01T00:00:00%2B14:00", "9999-12-31T23:59:59-14:00"])
def test_what_is_no_date_in_iso_form_is_refused_by_a_list(browser, text):
    response = browser.get(f"{address(Downtime, 'changelist')}?start_time__gte={text}")
    assert response.status_code == 302
    assert "2026-06-12" in " ".join(map(str, get_messages(response.wsgi_request)))


@pytest.mark.parametrize("model", [Downtime, ExecutedObsUnit, StagingJob, DataTransfer, TimeAllocation])
def test_lists_with_a_time_offer_the_usual_periods(model, browser):
    factories.FACTORIES[model]()
    url = address(model, "changelist")
    html = browser.get(url).content.decode()
    labels = re.search(r"<details data-filter-title[^>]*>(?:(?!</details>).)*Last night.*?</details>", html, re.DOTALL)[
        0
    ]
    for label, *_ends in periods(timezone.now()):
        query = re.search(rf'href="([^"]*)">{label}</a>', labels)[1].replace("&amp;", "&")
        assert browser.get(url + query).status_code == 200

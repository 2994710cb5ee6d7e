"""Addresses that ask for secrets, for what can't be compared, or for too much."""

import re

import pytest
from django.contrib.messages import get_messages
from django.db import models
from django.urls import reverse

from opsdb.models import ApiToken, DataTransferRoute, ExecutedObsUnit, ObservingProgram, ObsUnit, Source, User
from opsdb.testing.factories import ApiTokenFactory, ExecutedObsUnitFactory, FixedSourceFactory, UserFactory

from .conftest import may_only
from .pages import ADMINS, address, name_of, rows_of

SECRETS = [
    (ApiToken, "token_hash"),
    (ApiToken, "token_hash__startswith"),
    (ApiToken, "token_hash__regex"),
    (ApiToken, "user__password__startswith"),
    (User, "password__startswith"),
    (User, "password__regex"),
    (User, "api_tokens__token_hash__startswith"),
]
DATES = (models.DateField, models.DateTimeField)
# Values that PostgreSQL or Python refuse to compare a time or a number with.
NOT_COMPARABLE = ("99999999", "10000", "-5", "0", "9" * 40, "x", "2026-02-30")
LOOKUPS_OF_TIMES = (
    *("year", "year__gt", "year__in", "iso_year", "iso_year__lte", "date", "date__year", "date__gte", "date__iso_year"),
    *("month", "day", "week", "week_day", "quarter", "hour", "time", "gte", "in", "exact"),
)
LOOKUPS_OF_NUMBERS = ("exact", "gt", "lte", "in", "contains", "regex")


def first_date(model):
    return next((field.name for field in model._meta.fields if isinstance(field, DATES)), None)


def test_a_filter_names_nobody_and_nothing_that_the_person_may_not_view(browser):
    execution = ExecutedObsUnitFactory(observer=UserFactory(username="hidden.person"))
    program = execution.obs_unit.observing_program
    ObservingProgram.objects.filter(pk=program.pk).update(short_name="hidden.program")
    url = address(ExecutedObsUnit, "changelist")
    asked = {"observer__id__exact": execution.observer_id, "obs_unit__observing_program__id__exact": program.pk}
    for who, shown in ((may_only(ExecutedObsUnit), False), (browser, True)):
        for lookup, key in asked.items():
            html = who.get(url, {lookup: key}).content.decode()
            chosen = re.search(rf'<option value="{key}" selected>([^<]*)</option>', html)[1]
            assert (chosen == str(key)) != shown and chosen.startswith("hidden.") == shown


DATED = [model for model in ADMINS if first_date(model)]


def assert_answered(client, model, page, query):
    """Assert that a list or its export answers, refuses, or leads back to the list; test_lists goes there."""
    url = address(model, "changelist")
    response = client.get(f"{url}{page}?{query}")
    if response.status_code == 302:
        assert response.headers["Location"] == (url if page else f"{url}?e=1"), query
        return
    assert response.status_code in (200, 400), query
    if response.status_code == 200:
        b"".join(response.streaming_content) if response.streaming else rows_of(response)


@pytest.mark.parametrize(("model", "lookup"), SECRETS)
@pytest.mark.parametrize("page", ["", "export/csv/", "export/json/"])
def test_no_list_is_narrowed_by_a_secret(browser, model, lookup, page):
    token = ApiTokenFactory()
    secret = token.token_hash if "token" in lookup else token.user.password
    assert browser.get(f"{address(model, 'changelist')}{page}", {lookup: secret[0]}).status_code == 400


@pytest.mark.parametrize("model", [ApiToken, User])
def test_no_search_looks_at_a_secret(browser, model):
    token = ApiTokenFactory(user=UserFactory(password="argon2$secret"))
    for secret in (token.token_hash, "argon2$secret"):
        found = browser.get(address(model, "changelist"), {"q": secret}).context["cl"]
        assert found.result_count == 0


def test_no_autocompletion_looks_at_a_secret(browser):
    UserFactory(password="argon2$secret")
    field = {"app_label": "opsdb", "model_name": "apitoken", "field_name": "user"}
    for term in ("argon2", "user"):
        answer = browser.get(reverse("admin:autocomplete"), {"term": term, "password__startswith": "argon2", **field})
        assert bool(answer.json()["results"]) == (term == "user")


@pytest.mark.parametrize("lookup", LOOKUPS_OF_TIMES)
@pytest.mark.parametrize("page", ["", "export/csv/"])
def test_times_that_cannot_be_are_no_error_of_the_server(browser, bare_pages, lookup, page):
    ExecutedObsUnitFactory()
    for model, field in ((ExecutedObsUnit, "start_time"), (ObsUnit, "created_at")):
        for value in NOT_COMPARABLE:
            assert_answered(browser, model, page, f"{field}__{lookup}={value}")


@pytest.mark.parametrize("model", DATED, ids=name_of)
def test_a_year_that_cannot_be_leads_to_a_message_on_every_list(browser, bare_pages, model):
    url = address(model, "changelist")
    for number, year in enumerate(("99999999", "10000", "-5"), 1):
        query = f"?{first_date(model)}__year={year}"
        assert browser.get(url + query).headers.get("Location") == f"{url}?e=1"
        exported = browser.get(f"{url}export/csv/{query}")
        assert exported.status_code == 302
        # No page has shown the earlier ones.
        messages = [str(one) for one in get_messages(exported.wsgi_request)]
        assert messages == number * ["These filters can't be read; nothing was exported."]


@pytest.mark.parametrize("lookup", LOOKUPS_OF_NUMBERS)
@pytest.mark.parametrize("page", ["", "export/csv/"])
def test_numbers_that_cannot_be_are_no_error_of_the_server(browser, bare_pages, lookup, page):
    for model, field in ((ObsUnit, "priority"), (DataTransferRoute, "id"), (ExecutedObsUnit, "mean_pwv_mm")):
        for value in (*NOT_COMPARABLE, "1e400", "NaN", "-" + "9" * 25):
            assert_answered(browser, model, page, f"{field}__{lookup}={value}")


def test_autocompletion_answers_to_numbers_that_cannot_be(browser):
    field = {"app_label": "opsdb", "model_name": "obsunit", "field_name": "source"}
    for value in NOT_COMPARABLE:
        for parameters in ({"term": value}, {"page": value}, {"created_at__year": value}):
            assert browser.get(reverse("admin:autocomplete"), {**field, **parameters}).status_code in (200, 404)


class TestLongSearches:
    TOO_MANY = " ".join("a" * 21)

    def test_a_list_says_how_many_words_it_takes(self, browser):
        FixedSourceFactory(name="a")
        page = browser.get(address(Source, "changelist"), {"q": self.TOO_MANY})
        assert [str(one) for one in page.context["messages"]] == [
            "A search takes at most 20 words, and this one has 21: leave some out."
        ]
        assert page.context["cl"].result_count == 0
        page = browser.get(address(Source, "changelist"), {"q": self.TOO_MANY[2:]})
        assert page.context["cl"].result_count == 1
        assert not page.context["messages"]

    def test_an_export_of_it_is_empty(self, browser):
        FixedSourceFactory(name="a")
        answer = browser.get(f"{address(Source, 'changelist')}export/csv/", {"q": self.TOO_MANY})
        assert len(b"".join(answer.streaming_content).splitlines()) == 1

    def test_autocompletion_finds_nothing_and_leaves_no_message(self, browser):
        FixedSourceFactory(name="a")
        field = {"app_label": "opsdb", "model_name": "obsunit", "field_name": "source"}
        for term, found in ((self.TOO_MANY, 0), ("a", 1)):
            answer = browser.get(reverse("admin:autocomplete"), {"term": term, **field})
            assert len(answer.json()["results"]) == found
        assert not browser.get(address(ObservingProgram, "changelist")).context["messages"]

"""Logins are throttled, and lead nowhere else."""

from datetime import timedelta

import pytest
from axes.models import AccessAttempt
from django.test import Client
from django.utils import timezone

from opsdb.testing.factories import UserFactory

pytestmark = pytest.mark.usefixtures("sessions_in_database")

PASSWORD = "Cerro-Chajnantor-5612"
LIMIT = 5


@pytest.fixture
def anna(db):
    anna = UserFactory(username="anna", is_staff=True)
    anna.set_password(PASSWORD)
    anna.save()
    return anna


def log_in(password=PASSWORD, username="anna", path="/admin/login/", **headers):
    """The answer to a login, by a browser of its own."""
    return Client().post(path, {"username": username, "password": password}, **headers)


def fail(times, **options):
    return [log_in("wrong", **options) for _ in range(times)]


def test_after_five_wrong_passwords_the_right_one_is_refused(anna):
    assert [answer.status_code for answer in fail(LIMIT)] == [200] * (LIMIT - 1) + [429]
    refused = log_in()
    assert refused.status_code == 429
    assert refused["Retry-After"] == "900"
    assert b"Try again in 15 minutes" in refused.content
    assert "sessionid" not in refused.cookies


def test_who_has_waited_logs_in(anna):
    fail(LIMIT)
    AccessAttempt.objects.update(attempt_time=timezone.now() - timedelta(minutes=16))
    assert log_in().status_code == 302


def test_attempts_while_locked_out_do_not_prolong_it(anna):
    fail(LIMIT)
    AccessAttempt.objects.update(attempt_time=timezone.now() - timedelta(minutes=14))
    fail(1)
    AccessAttempt.objects.update(attempt_time=timezone.now() - timedelta(minutes=16))
    assert log_in().status_code == 302


def test_the_right_password_forgives_wrong_ones(anna):
    for _ in range(2):
        fail(LIMIT - 1)
        assert log_in().status_code == 302


def test_another_user_and_another_address_are_not_locked_out(anna):
    other = UserFactory(username="bob", is_staff=True)
    other.set_password(PASSWORD)
    other.save()
    fail(LIMIT)
    assert log_in(username="bob").status_code == 302
    assert log_in(REMOTE_ADDR="10.0.0.2").status_code == 302
    assert log_in().status_code == 429


def test_an_address_that_anybody_can_write_does_not_count(anna):
    for number in range(LIMIT):
        fail(1, HTTP_X_FORWARDED_FOR=f"10.0.0.{number}")
    assert log_in(HTTP_X_FORWARDED_FOR="10.0.0.77").status_code == 429


def test_behind_a_proxy_the_address_that_it_added_counts(anna, settings):
    settings.OPSDB_PROXIES = 1
    for number in range(LIMIT):
        fail(1, HTTP_X_FORWARDED_FOR=f"10.0.0.{number}, 192.0.2.1")
    assert log_in(HTTP_X_FORWARDED_FOR="10.0.0.77, 192.0.2.1").status_code == 429
    assert log_in(HTTP_X_FORWARDED_FOR="192.0.2.2").status_code == 302


@pytest.mark.parametrize("forwarded", ["", "x", "::ffff:x", "1.2.3.4, ", "9" * 5_000])
def test_an_address_that_is_none_is_no_error_of_the_server(anna, settings, forwarded):
    settings.OPSDB_PROXIES = 2
    assert [answer.status_code for answer in fail(LIMIT, HTTP_X_FORWARDED_FOR=forwarded)][-1] == 429
    assert log_in(HTTP_X_FORWARDED_FOR=forwarded).status_code == 429


@pytest.mark.parametrize("name", ["x" * 300, "x" * 5_000, "ﬀ" * 150], ids=["long", "longer", "long when normalized"])
def test_a_name_longer_than_any_is_refused_and_counted_as_a_wrong_one(anna, name):
    short = log_in("wrong", username="nobody")
    refused = log_in(username=name)
    assert refused.status_code == short.status_code == 200
    assert refused.context["form"].errors == short.context["form"].errors
    assert [answer.status_code for answer in fail(LIMIT - 1, username=name)] == [200] * (LIMIT - 2) + [429]
    assert log_in().status_code == 302


def test_no_password_is_kept_of_an_attempt(anna):
    log_in("almost-" + PASSWORD)
    for attempt in AccessAttempt.objects.values():
        assert PASSWORD not in str(attempt)


@pytest.mark.parametrize("path", ["https://evil.example/", "//evil.example", "javascript:alert(1)", "https:///x"])
def test_a_login_that_names_another_host_leads_to_the_index(anna, path):
    answer = log_in(path=f"/admin/login/?next={path}")
    assert (answer.status_code, answer["Location"]) == (302, "/admin/")


def test_a_login_leads_to_the_page_that_asked_for_it(anna):
    assert log_in(path="/admin/login/?next=/admin/opsdb/site/")["Location"] == "/admin/opsdb/site/"

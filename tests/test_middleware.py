"""What the middleware adds to every request: a limit of statements, and a policy for browsers."""

import pytest
from django.contrib import admin
from django.core.signals import request_finished
from django.db import OperationalError, connection, models, transaction
from django.db.models import Func, Value
from django.db.models.functions import Cast
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.urls import reverse

from config.headers import POLICY, ContentSecurityPolicyMiddleware
from opsdb.middleware import StatementTimeoutMiddleware, was_stopped
from opsdb.models import Site, User
from opsdb.testing.factories import SiteFactory, UserFactory

SLOW = Cast(Func(Value(5), function="pg_sleep", output_field=models.TextField()), models.TextField())


def limit():
    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        return cursor.fetchone()[0]


def during_a_request(view):
    """What a view returns within the middleware, as an ordinary request runs it."""
    returned = []

    def answer(request):
        returned.append(view())
        return HttpResponse()

    try:
        StatementTimeoutMiddleware(answer)(RequestFactory().get("/"))
    finally:
        request_finished.send(None)
    return returned[0]


@pytest.fixture
def browser(transactional_db):
    client = Client()
    client.force_login(UserFactory(superuser=True))
    return client


@pytest.mark.django_db(transaction=True)
class TestTheLimit:
    def test_holds_within_a_request_and_not_after_it(self, settings):
        assert limit() == "0"
        assert during_a_request(limit) == "30s"
        settings.OPSDB_STATEMENT_TIMEOUT_SECONDS = 7
        assert during_a_request(limit) == "7s"
        assert limit() == "0"

    def test_holds_after_a_transaction_that_was_rolled_back(self):
        def view():
            with transaction.atomic():
                inside = limit()
                transaction.set_rollback(True)
            return inside, limit()

        assert during_a_request(view) == ("30s", "30s")

    def test_stops_a_statement(self, settings):
        settings.OPSDB_STATEMENT_TIMEOUT_SECONDS = 0.05
        UserFactory()
        with pytest.raises(OperationalError) as caught:
            during_a_request(lambda: list(User.objects.annotate(slow=SLOW)))
        assert was_stopped(caught.value)

    def test_is_no_query_of_its_own(self, django_assert_num_queries):
        with django_assert_num_queries(1):
            during_a_request(lambda: Site.objects.exists())


@pytest.fixture
def slow_lists(monkeypatch, settings):
    """Lists whose rows take a long time."""
    settings.OPSDB_STATEMENT_TIMEOUT_SECONDS = 0.2

    def take_long(model):
        page = type(admin.site.get_model_admin(model))
        own = page.get_queryset
        slowly = lambda self, request: own(self, request).annotate(slow=SLOW).exclude(slow="x")  # noqa: E731
        monkeypatch.setattr(page, "get_queryset", slowly)

    return take_long


class TestPagesThatTakeTooLong:
    def test_a_page_says_that_it_was_given_up(self, browser, slow_lists):
        site = SiteFactory()
        slow_lists(Site)
        for page in ("changelist", "change"):
            args = [site.pk] if page == "change" else []
            answer = browser.get(reverse(f"admin:opsdb_site_{page}", args=args))
            assert answer.status_code == 503
            assert "needed more than 0.2 s" in answer.content.decode()

    @pytest.mark.parametrize("page", ["", "export/csv/"])
    def test_a_list_that_is_narrowed_leads_back_with_a_message(self, browser, slow_lists, page):
        SiteFactory()
        slow_lists(Site)
        url = reverse("admin:opsdb_site_changelist")
        answer = browser.get(f"{url}{page}?id__gt=0")
        assert (answer.status_code, answer["Location"]) == (302, url)


class TestThePolicy:
    @pytest.mark.parametrize(
        ("path", "status"), [("/admin/login/", 200), ("/admin/", 302), ("/nothing/", 404), ("/", 302)]
    )
    def test_comes_with_every_answer(self, db, path, status):
        answer = Client().get(path)
        assert (answer.status_code, answer["Content-Security-Policy"]) == (status, POLICY)

    def test_lets_no_script_or_style_stand_in_a_page(self):
        assert "unsafe" not in POLICY and "default-src 'none'" in POLICY

    def test_of_a_view_goes_first(self):
        own = HttpResponse(headers={"Content-Security-Policy": "default-src 'none'"})
        answer = ContentSecurityPolicyMiddleware(lambda request: own)(None)
        assert answer["Content-Security-Policy"] == "default-src 'none'"

    @pytest.mark.parametrize(("status", "has"), [(200, True), (404, False), (500, False)])
    def test_is_not_for_the_pages_of_developers(self, settings, status, has):
        settings.DEBUG = True
        answer = ContentSecurityPolicyMiddleware(lambda request: HttpResponse(status=status))(None)
        assert ("Content-Security-Policy" in answer) == has

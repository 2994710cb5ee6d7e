"""What the middleware adds to every request: a limit of statements, and a policy for browsers."""

import sys

import pytest
from django.contrib import admin
from django.core.signals import request_finished
from django.db import OperationalError, connection, models, transaction
from django.db.models import Func, Value
from django.db.models.functions import Cast
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.urls import clear_url_caches, path, reverse
from psycopg.errors import QueryCanceled

from config.headers import POLICY, ContentSecurityPolicyMiddleware
from opsdb.middleware import StatementTimeoutMiddleware, was_stopped
from opsdb.models import Site, User
from opsdb.testing.factories import SiteFactory, UserFactory

SLOW = Cast(Func(Value(5), function="pg_sleep", output_field=models.TextField()), models.TextField())

GIVEN_UP = (
    "The database needed more than 30 s for a part of this, and was stopped. "
    "Ask for less at a time, or try again later."
)


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
            assert answer["Content-Type"].startswith("text/html")

    def test_a_request_of_a_script_is_answered_with_json(self, browser, slow_lists):
        slow_lists(Site)
        SiteFactory()
        answer = browser.get(reverse("admin:opsdb_site_changelist"), headers={"Accept": "application/json, */*;q=0.1"})
        assert (answer.status_code, answer.json()) == (503, {"detail": GIVEN_UP.replace("30 s", "0.2 s")})

    @pytest.mark.parametrize("page", ["", "export/csv/"])
    def test_a_list_that_is_narrowed_leads_back_with_a_message(self, browser, slow_lists, page):
        SiteFactory()
        slow_lists(Site)
        url = reverse("admin:opsdb_site_changelist")
        answer = browser.get(f"{url}{page}?id__gt=0")
        assert (answer.status_code, answer["Location"]) == (302, url)


def give_up(request):
    error = OperationalError("canceling statement due to statement timeout")
    raise error from QueryCanceled()


urlpatterns = [path("slow/", give_up)]


class TestRequestsOfAProjectThatTakeTooLong:
    @pytest.fixture(params=["without an admin", "with an admin"], autouse=True)
    def addresses(self, request, settings, monkeypatch):
        settings.ROOT_URLCONF = __name__
        if request.param == "with an admin":
            monkeypatch.setattr(sys.modules[__name__], "urlpatterns", [*urlpatterns, path("ops/", admin.site.urls)])
        clear_url_caches()
        yield
        clear_url_caches()

    @pytest.mark.parametrize("accept", ["", "*/*", "text/html,*/*;q=0.8", "image/png"])
    def test_are_answered_with_text(self, db, accept):
        answer = Client(headers={"Accept": accept} if accept else {}).get("/slow/")
        assert (answer.status_code, answer["Content-Type"]) == (503, "text/plain; charset=utf-8")
        assert answer.content.decode() == GIVEN_UP + "\n"

    @pytest.mark.parametrize("accept", ["application/json", "application/json, text/plain;q=0.5, */*;q=0.1"])
    def test_are_answered_with_json_where_it_is_preferred(self, db, accept):
        answer = Client(headers={"Accept": accept}).get("/slow/")
        assert (answer.status_code, answer.json()) == (503, {"detail": GIVEN_UP})


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

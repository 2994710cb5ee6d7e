"""Requests to an API with a token: authentication, permissions, and who is written into the history."""

import pytest
from django.contrib.auth.models import Permission
from django.test import Client, RequestFactory
from django.urls import include, path
from rest_framework.authentication import BaseAuthentication
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter
from rest_framework.serializers import ModelSerializer
from rest_framework.views import APIView
from rest_framework.viewsets import ModelViewSet

from opsdb.models import ApiToken, ChangeLog, Site
from opsdb.rest_framework.authentication import TokenAuthentication
from opsdb.rest_framework.permissions import ModelPermissions, NamedPermissions
from opsdb.rest_framework.views import RulesMixin, exception_handler
from opsdb.testing.factories import SiteFactory, UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]


class SiteSerializer(ModelSerializer):
    class Meta:
        model = Site
        fields = ("id", "name", "short_name")


class Access:
    authentication_classes = (TokenAuthentication,)

    def get_exception_handler(self):
        return exception_handler


class Sites(Access, RulesMixin, ModelViewSet):
    queryset = Site.objects.order_by("pk")
    serializer_class = SiteSerializer
    permission_classes = (ModelPermissions,)


class Observations(Access, APIView):
    permission_classes = (NamedPermissions,)
    required_permissions = {"GET": "read:observations", "POST": "write:observations"}

    def get(self, request):
        return Response({"user": request.user.get_username(), "token": request.auth.name})

    post = delete = get


router = SimpleRouter()
router.register("sites", Sites)
urlpatterns = [path("", include(router.urls)), path("observations/", Observations.as_view())]


@pytest.fixture
def program():
    """A function that makes a token for a user with permissions, and returns what asks with it."""

    def program(*codenames, scopes=("*:*",), **fields):
        user = UserFactory()
        user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
        _, secret = ApiToken.objects.create_token(user=user, name="program", scopes=list(scopes), **fields)
        return Client(headers={"Authorization": f"Bearer {secret}"}), user

    return program


def test_without_a_token_nothing_is_answered():
    answer = Client().get("/sites/")
    assert answer.status_code == 401 and answer["WWW-Authenticate"] == "Bearer"
    refused = Client(headers={"Authorization": "Bearer opsdb_x"}).get("/sites/")
    assert (refused.status_code, refused.json()) == (401, {"detail": "The token is not valid."})


def test_a_token_of_another_issuer_is_left_to_its_own_authentication():
    user = UserFactory()

    class Foreign(BaseAuthentication):
        def authenticate(self, request):
            return (user, None) if "a.jwt.x" in request.headers["Authorization"] else None

    class Who(APIView):
        authentication_classes = (TokenAuthentication, Foreign)

        def get(self, request):
            return Response({"user": request.user.get_username()})

    asked = RequestFactory().get("/", headers={"Authorization": "Bearer a.jwt.x"})
    assert Who.as_view()(asked).data == {"user": user.username}


def test_reading_needs_the_permission_to_view(program):
    site = SiteFactory()
    allowed, _ = program("view_site")
    assert allowed.get("/sites/").json() == [{"id": site.pk, "name": site.name, "short_name": site.short_name}]
    for client, _ in (program("change_site"), program("view_site", scopes=["read:data"]), program()):
        assert client.get("/sites/").status_code == client.options("/sites/").status_code == 403


def test_a_change_is_attributed_to_the_user_of_the_token(program):
    client, user = program("view_site", "change_site", scopes=["write:site"])
    site = SiteFactory()
    answer = client.patch(f"/sites/{site.pk}/", {"name": "Cologne"}, content_type="application/json")
    assert answer.status_code == 200
    assert ChangeLog.objects.get(table_name="site", operation="update").user == user
    assert client.delete(f"/sites/{site.pk}/").status_code == 403


def test_what_the_database_refuses_is_answered_and_undone(program):
    client, _ = program("view_site", "change_site")
    site, other = SiteFactory(), SiteFactory()
    Sites.serializer_class.Meta.extra_kwargs = {}
    answer = client.patch(f"/sites/{site.pk}/", {"name": " "}, content_type="application/json")
    assert answer.status_code == 400
    ruled = client.patch(f"/sites/{site.pk}/", {"short_name": other.short_name}, content_type="application/json")
    assert ruled.status_code in (400, 409)
    site.refresh_from_db()
    assert site.short_name != other.short_name


def test_a_view_may_name_its_permissions(program):
    reader, user = program("view_executedobsunit", "view_executedobsunitmoduleconfiguration")
    assert reader.get("/observations/").json() == {"user": user.username, "token": "program"}
    assert reader.post("/observations/").status_code == 403
    assert reader.delete("/observations/").status_code == 403

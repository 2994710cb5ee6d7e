"""Classes for an API in Django REST framework, which the extra ``drf`` installs.

In the host's settings::

    REST_FRAMEWORK = {
        "DEFAULT_AUTHENTICATION_CLASSES": ["opsdb.rest_framework.TokenAuthentication"],
        "DEFAULT_PERMISSION_CLASSES": ["opsdb.rest_framework.ModelPermissions"],
        "EXCEPTION_HANDLER": "opsdb.rest_framework.exception_handler",
    }
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import router, transaction
from django.db.models import Model
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import BasePermission, DjangoModelPermissions
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import ModelSerializer
from rest_framework.views import exception_handler as default_handler
from rest_framework.views import set_rollback

from .access import TokenRefused, TokenUser, authenticate_token, client_address
from .access.middleware import SCHEME, secret_in
from .errors import check_deferred_rules, explain
from .models import ApiToken

__all__ = ["ModelPermissions", "NamedPermissions", "RulesMixin", "TokenAuthentication", "changing", "exception_handler"]


class TokenAuthentication(BaseAuthentication):
    """``Authorization: Bearer opsdb_…``: ``request.user`` is the token's user, narrowed to its scopes."""

    def authenticate(self, request: Request) -> tuple[TokenUser, ApiToken] | None:
        secret = secret_in(request)
        if secret is None:
            return None
        try:
            token = authenticate_token(secret, ip=client_address(request))
        except TokenRefused as error:
            raise AuthenticationFailed(str(error)) from error
        return TokenUser(token), token

    def authenticate_header(self, request: Request) -> str:
        return SCHEME


class ModelPermissions(DjangoModelPermissions):
    """Django's permissions of the model, that to view it included."""

    perms_map = {
        **DjangoModelPermissions.perms_map,
        "GET": ["%(app_label)s.view_%(model_name)s"],
        "HEAD": ["%(app_label)s.view_%(model_name)s"],
        "OPTIONS": ["%(app_label)s.view_%(model_name)s"],
    }


class NamedPermissions(BasePermission):
    """Permissions by name: the view's ``required_permissions``, such as ``{"GET": "read:data", "POST": "write:data"}``.

    A method that the mapping does not name is refused.
    """

    def has_permission(self, request: Request, view: Any) -> bool:
        names: dict[str, str] = view.required_permissions
        name = names.get("GET" if request.method in ("HEAD", "OPTIONS") else request.method or "")
        return name is not None and bool(request.user and request.user.is_authenticated and request.user.has_perm(name))


@contextmanager
def changing(model: type[Model]) -> Iterator[None]:
    """Run a block that changes rows of a model as one transaction, whose deferred rules are checked at its end."""
    using = router.db_for_write(model)
    with transaction.atomic(using=using):
        yield
        check_deferred_rules(using)


class RulesMixin:
    """Mixin of a view set: a change is one transaction, whose deferred rules are checked before the view answers.

    Put it before ``ModelViewSet``.
    """

    def perform_create(self, serializer: ModelSerializer[Any]) -> None:
        with changing(serializer.Meta.model):
            super().perform_create(serializer)  # type: ignore[misc]

    def perform_update(self, serializer: ModelSerializer[Any]) -> None:
        with changing(serializer.Meta.model):
            super().perform_update(serializer)  # type: ignore[misc]

    def perform_destroy(self, instance: Model) -> None:
        with changing(type(instance)):
            super().perform_destroy(instance)  # type: ignore[misc]


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """Answer what was refused with 400, 404 or 409 and an object, where Django REST framework would fail with 500.

    The object has ``detail``, the sentence; ``field``, ``rule`` and ``row`` are null where there is none. Errors that
    Django REST framework knows are answered as it does.
    """
    if (answer := default_handler(error, context)) is not None:
        return answer
    refusal = explain(error)
    if refusal is None:
        return None
    set_rollback()
    body = {"detail": refusal.text, "field": refusal.field, "rule": refusal.rule, "row": refusal.row}
    return Response(body, status=refusal.status)

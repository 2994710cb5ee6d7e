"""What views answer when a rule of the database refuses a change."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import router, transaction
from django.db.models import Model
from rest_framework.response import Response
from rest_framework.serializers import ModelSerializer
from rest_framework.views import exception_handler as default_handler
from rest_framework.views import set_rollback

from opsdb.errors import check_deferred_rules, explain


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
    Django REST framework handles are answered by it.
    """
    if (answer := default_handler(error, context)) is not None:
        return answer
    refusal = explain(error)
    if refusal is None:
        return None
    set_rollback()
    body = {"detail": refusal.text, "field": refusal.field, "rule": refusal.rule, "row": refusal.row}
    return Response(body, status=refusal.status)

"""The rows of a token and its user, by a statement that Django makes once, as that takes longer than executing it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import itemgetter
from typing import Any

from django.contrib.auth import get_user_model
from django.db import connections, models, router
from django.db.models.functions import Now

from opsdb.models import ApiToken

# What no check asks for: read from the database when somebody does.
DEFERRED = (
    *("created_at", "updated_at", "pepper_fingerprint"),
    *("usage_count", "last_used_at", "last_used_ip", "revoked_by"),
)


def find_token(hashes: Sequence[str]) -> tuple[ApiToken, bool] | None:
    """Return the token with one of these hashes, its user loaded, and whether it is usable at this moment.

    One query, of the database that tokens are read from. The fields of ``DEFERRED`` are not loaded.

    Args:
        hashes: what may be stored for the secret, one for each pepper.
    """
    alias = router.db_for_read(ApiToken)
    statement = _statement(alias, len(hashes))
    connection = connections[alias]
    with connection.cursor() as cursor:
        cursor.execute(statement.sql, hashes)
        found = cursor.fetchone()
    if found is None:
        return None
    row = list(found)
    for place, expression, converters in statement.converted:
        for convert in converters:
            row[place] = convert(row[place], expression, connection)
    token = statement.token.instance(alias, row)
    token._state.fields_cache["user"] = statement.user.instance(alias, row)
    return token, row[statement.usable]


@dataclass(frozen=True)
class _Part:
    """Which values of a row belong to an instance."""

    model: type[models.Model]
    names: list[str]
    values: Callable[[Sequence[Any]], tuple[Any, ...]]

    def instance(self, alias: str, row: Sequence[Any]) -> Any:
        return self.model.from_db(alias, self.names, self.values(row))


@dataclass(frozen=True)
class _Statement:
    sql: str
    token: _Part
    user: _Part
    usable: int
    converted: list[tuple[int, Any, list[Callable[..., Any]]]]


@lru_cache(maxsize=16)
def _statement(alias, hashes):
    connection = connections[alias]
    places = [str(number) for number in range(hashes)]
    asked = (
        ApiToken.objects.using(alias)
        .filter(token_hash__in=places)
        .select_related("user")
        .defer(*DEFERRED)
        .annotate(usable_now=ApiToken.objects.usability(Now()))
        .order_by()
    )
    compiler = asked.query.get_compiler(connection=connection)
    sql, parameters = compiler.as_sql()
    if list(parameters) != places:
        raise RuntimeError("the hashes are not the parameters of the statement")
    expressions = [expression for expression, _, _ in compiler.select]
    converted = [
        (place, expression, found)
        for place, expression in enumerate(expressions)
        if (found := connection.ops.get_db_converters(expression) + expression.get_db_converters(connection))
    ]
    tokens = compiler.klass_info
    (users,) = tokens["related_klass_infos"]
    return _Statement(
        sql,
        _part(ApiToken, expressions, tokens["select_fields"]),
        _part(get_user_model(), expressions, users["select_fields"]),
        compiler.annotation_col_map["usable_now"],
        converted,
    )


def _part(model, expressions, places):
    by_name = {expressions[place].target.attname: place for place in places}
    names = [field.attname for field in model._meta.concrete_fields if field.attname in by_name]
    return _Part(model, names, itemgetter(*(by_name[name] for name in names)))

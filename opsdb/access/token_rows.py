"""The rows of a token and its user, by a statement that Django makes once, as that takes longer than executing it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import itemgetter
from typing import Any

from django.contrib.auth import get_user_model
from django.db import connections, models, router
from django.db.models.base import DEFERRED
from django.db.models.sql.datastructures import BaseTable

from opsdb.models import ApiToken

# Columns that no check needs: read from the database on access.
DEFERRED_OF_TOKEN = {
    "pepper_fingerprint",
    *("created_at", "updated_at", "active", "revoked_at", "revoked_by"),
    *("usage_count", "last_used_at", "last_used_ip"),
}
DEFERRED_OF_USER = {"password", "last_login", "date_joined", "github_login", "affiliation", "preferences"}


def find_usable_token(hashes: Sequence[str]) -> ApiToken | None:
    """Return the token with one of these hashes if it is usable at this moment, its user loaded, active or not.

    One query, of the database that tokens are read from. The fields of ``DEFERRED_OF_TOKEN`` and ``DEFERRED_OF_USER``
    are not loaded.

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
    row = [*found, DEFERRED]
    for place, expression, converters in statement.converted:
        for convert in converters:
            row[place] = convert(row[place], expression, connection)
    token = statement.token.instance(alias, row)
    token._state.fields_cache["user"] = statement.user.instance(alias, row)
    return token


class _UsableToken(BaseTable):
    """In place of the table of tokens, the row that ``opsdb_usable_token`` returns for some hashes."""

    def __init__(self, hashes: Sequence[str], alias: str) -> None:
        super().__init__(ApiToken._meta.db_table, alias)
        self.hashes = hashes

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        places = ", ".join(["%s"] * len(self.hashes))
        alias = connection.ops.quote_name(self.table_alias)
        return f"opsdb_usable_token(ARRAY[{places}]) AS {alias}", list(self.hashes)


@dataclass(frozen=True)
class _Part:
    """Which values of a row belong to an instance: of each field, the last of the row where it is not loaded."""

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
    converted: list[tuple[int, Any, list[Callable[..., Any]]]]


@lru_cache(maxsize=16)
def _statement(alias, hashes):
    connection = connections[alias]
    places = [str(number) for number in range(hashes)]
    user_fields = {field.name for field in get_user_model()._meta.concrete_fields}
    deferred = DEFERRED_OF_TOKEN | {f"user__{name}" for name in DEFERRED_OF_USER & user_fields}
    tokens_of_users = ApiToken.objects.using(alias).select_related("user").defer(*deferred).order_by()
    table = tokens_of_users.query.get_initial_alias()
    tokens_of_users.query.alias_map[table] = _UsableToken(places, table)
    compiler = tokens_of_users.query.get_compiler(connection=connection)
    sql, parameters = compiler.as_sql()
    if list(parameters) != places:
        raise RuntimeError("the hashes are not the parameters of the statement")
    expressions = [expression for expression, _, _ in compiler.select]
    converted = [
        (place, expression, found)
        for place, expression in enumerate(expressions)
        if (found := connection.ops.get_db_converters(expression) + expression.get_db_converters(connection))
    ]
    of_token = compiler.klass_info
    (of_user,) = of_token["related_klass_infos"]
    return _Statement(
        sql,
        _part(ApiToken, expressions, of_token["select_fields"]),
        _part(get_user_model(), expressions, of_user["select_fields"]),
        converted,
    )


def _part(model, expressions, places):
    by_name = {expressions[place].target.attname: place for place in places}
    fields = [field.attname for field in model._meta.concrete_fields]
    values = itemgetter(*(by_name.get(name, len(expressions)) for name in fields))
    return _Part(model, [name for name in fields if name in by_name], values)

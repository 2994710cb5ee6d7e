"""The rules that a database has, read from PostgreSQL's catalogue, and those that the installed version makes.

A rule is a trigger, a function, a constraint, or another object that decides what may be written into a table of ours.
The file ``rules.json`` holds what the migrations of this version make, as digests; ``make migrations`` writes it.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import defaultdict
from pathlib import Path
from typing import Any

# A list of texts as a restoration of a dump makes it: PostgreSQL casts each of them instead of the whole.
CAST_ONE_BY_ONE = re.compile(r"ARRAY\[((?:'(?:[^']|'')*'::character varying::text(?:, )?)+)\]")
MANIFEST = Path(__file__).with_name("rules.json")

# Names in definitions are printed without the schema that they are in, because that is where we look. NOT NULL is a
# constraint only from PostgreSQL 18 on, and left out.
RULES = r"""
SELECT 'trigger ' || trigger.tgname || ' on ' || relation.relname,
    concat_ws(' ', trigger.tgenabled, pg_get_triggerdef(trigger.oid, true))
FROM pg_trigger AS trigger JOIN pg_class AS relation ON relation.oid = trigger.tgrelid
WHERE NOT trigger.tgisinternal AND trigger.tgparentid = 0
    AND relation.relnamespace = quote_ident(current_schema())::regnamespace
    AND (relation.relname = ANY (%(tables)s) OR relation.relname = ANY (%(others)s) AND EXISTS (
        SELECT FROM pg_proc WHERE pg_proc.oid = trigger.tgfoid AND starts_with(pg_proc.proname, 'opsdb_')
    ))
UNION ALL
SELECT 'function ' || function.proname,
    concat_ws(
        ' ', pg_get_function_arguments(function.oid), pg_get_function_result(function.oid), function.prosecdef,
        function.provolatile, coalesce(
            pg_get_function_sqlbody(function.oid),
            CASE function.prosrc WHEN %(user_lookup)s THEN '(lookup of users)' ELSE function.prosrc END
        ),
        replace(array_to_string(function.proconfig, ' '), quote_ident(current_schema()), '(schema)')
    )
FROM pg_proc AS function
WHERE function.pronamespace = quote_ident(current_schema())::regnamespace AND starts_with(function.proname, 'opsdb_')
UNION ALL
SELECT CASE rule.contype
        WHEN 'f' THEN 'foreign key ' || (
            SELECT string_agg(attname, ', ' ORDER BY attnum) FROM pg_attribute
            WHERE attrelid = rule.conrelid AND attnum = ANY (rule.conkey)
        )
        ELSE 'constraint ' || rule.conname
    END || ' on ' || relation.relname,
    concat_ws(' ', rule.convalidated, replace(
        pg_get_constraintdef(rule.oid, true), 'REFERENCES ' || %(user_table)s || '(', 'REFERENCES (users)('
    ))
FROM pg_constraint AS rule JOIN pg_class AS relation ON relation.oid = rule.conrelid
WHERE relation.relnamespace = quote_ident(current_schema())::regnamespace AND relation.relname = ANY (%(tables)s)
    AND rule.contype IN ('c', 'f', 'p', 'u', 'x')
UNION ALL
SELECT 'index ' || relation.relname || ' on ' || indexed.relname,
    concat_ws(' ', index.indisvalid, pg_get_indexdef(relation.oid, 0, true))
FROM pg_index AS index
JOIN pg_class AS relation ON relation.oid = index.indexrelid
JOIN pg_class AS indexed ON indexed.oid = index.indrelid
WHERE index.indisunique AND indexed.relnamespace = quote_ident(current_schema())::regnamespace
    AND indexed.relname = ANY (%(tables)s)
    AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = index.indexrelid AND contype IN ('p', 'u', 'x'))
UNION ALL
SELECT 'rewrite rule ' || rewrite.rulename || ' on ' || relation.relname, pg_get_ruledef(rewrite.oid, true)
FROM pg_rewrite AS rewrite JOIN pg_class AS relation ON relation.oid = rewrite.ev_class
WHERE relation.relnamespace = quote_ident(current_schema())::regnamespace AND relation.relname = ANY (%(tables)s)
UNION ALL
SELECT 'partition without its triggers ' || partition.relname || ' on ' || relation.relname, ''
FROM pg_inherits
JOIN pg_class AS partition ON partition.oid = pg_inherits.inhrelid
JOIN pg_class AS relation ON relation.oid = pg_inherits.inhparent
WHERE relation.relnamespace = quote_ident(current_schema())::regnamespace AND relation.relname = ANY (%(tables)s) AND (
    EXISTS (
        SELECT FROM pg_trigger AS trigger
        WHERE trigger.tgrelid = relation.oid AND NOT trigger.tgisinternal AND trigger.tgtype::integer & 1 = 1
            AND NOT EXISTS (
                SELECT FROM pg_trigger AS clone
                WHERE clone.tgrelid = partition.oid AND clone.tgparentid = trigger.oid AND clone.tgenabled = 'O'
            )
    ) OR NOT EXISTS (
        SELECT FROM pg_trigger AS guard JOIN pg_proc ON pg_proc.oid = guard.tgfoid
        WHERE guard.tgrelid = partition.oid AND guard.tgenabled = 'O' AND pg_proc.proname = 'opsdb_refuse_truncation'
    )
)
"""


def digest(definition: str) -> str:
    """Return what ``rules.json`` holds of a definition."""
    return hashlib.sha256(definition.encode()).hexdigest()[:12]


def as_created(definition: str) -> str:
    """Return a definition as migrations make it, where a restored dump has it in other words."""

    def cast_as_a_whole(found):
        return f"ARRAY[{found[1].replace('::character varying::text', '::character varying')}]::text[]"

    return CAST_ONE_BY_ONE.sub(cast_as_a_whole, definition)


def tables() -> list[str]:
    """Return the tables of ops-db, those of links among them."""
    from django.apps import apps

    models = apps.get_app_config("opsdb").get_models(include_auto_created=True)
    return sorted({model._meta.db_table for model in models if model._meta.managed and not model._meta.swapped})


def views() -> list[str]:
    """Return the views of ops-db, which migrations do not manage as models."""
    from django.apps import apps

    models = apps.get_app_config("opsdb").get_models()
    return sorted(model._meta.db_table for model in models if not model._meta.managed)


def read_rules(connection: Any) -> dict[str, str]:
    """Return the digest of each rule that a database has, by what it is: ``trigger site_history on site``.

    Args:
        connection: to the database, with the schema of ops-db as the current one.
    """
    from django.contrib.auth import get_user_model

    from .guards import TABLES_OF_DJANGO, TABLES_OF_PARTITIONS
    from .user_lookup import body_of_lookup

    user = get_user_model()._meta
    with connection.cursor() as cursor:
        cursor.execute("SELECT quote_ident(%s)", [user.db_table])
        [user_table] = cursor.fetchone()
        given = {
            "tables": tables(),
            "others": [*TABLES_OF_DJANGO, *TABLES_OF_PARTITIONS],
            "user_table": user_table,
            "user_lookup": body_of_lookup(connection, user),
        }
        cursor.execute(RULES, given)
        # A function of another signature, or a second key of the same columns, has the same name.
        definitions: dict[str, list[str]] = defaultdict(list)
        for name, definition in cursor.fetchall():
            definitions[name].append(as_created(definition))
    return {name: digest("\n".join(sorted(found))) for name, found in definitions.items()}


def expected_rules() -> dict[str, str]:
    """Return the digest of each rule that the migrations of the installed version make on tables that there are.

    A project with a user model of its own has no table of our users.
    """
    from .guards import TABLES_OF_DJANGO, TABLES_OF_PARTITIONS

    known = {*tables(), *TABLES_OF_DJANGO, *TABLES_OF_PARTITIONS}
    rules: dict[str, str] = json.loads(MANIFEST.read_text(encoding="utf-8"))
    return {name: value for name, value in rules.items() if " on " not in name or name.partition(" on ")[2] in known}


def write_manifest(connection: Any) -> None:
    """Store the rules of a newly migrated database as those of this version."""
    MANIFEST.write_text(json.dumps(read_rules(connection), indent=0, sort_keys=True) + "\n", encoding="utf-8")

"""The migrations go from nothing to everything and back, with rows in every table."""

import ast
import re
from importlib import import_module
from io import StringIO
from pathlib import Path

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection
from django.db.migrations.loader import MigrationLoader

import opsdb.migrations
from opsdb.models import Site, User

from .factories import DataTransferFactory, RoleFactory, SiteFactory, UserFactory, fill_every_table
from .models.schema import LINK_TABLES, MODELS

GUARDS = {model: rule for model in MODELS for rule in model._meta.constraints if rule.name.endswith("_never_truncated")}
FILES = sorted(Path(opsdb.migrations.__file__).parent.glob("0*.py"))
TABLES = {model._meta.db_table for model in (*MODELS, *LINK_TABLES)}
NOT_OF_AN_EXTENSION = "NOT EXISTS (SELECT FROM pg_depend WHERE objid = {}.oid AND deptype = 'e')"
HERE = "current_schema()::regnamespace"
CATALOGUE = {
    "tables": f"""SELECT relname, relkind, obj_description(oid, 'pg_class') FROM pg_class
        WHERE relnamespace = {HERE} AND relkind <> 'c' AND {NOT_OF_AN_EXTENSION.format("pg_class")}""",
    "columns": f"""SELECT relname, attname, format_type(atttypid, atttypmod), attnotnull, attidentity,
            pg_get_expr(adbin, adrelid), col_description(attrelid, attnum)
        FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
        LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
        WHERE relnamespace = {HERE} AND relkind = 'r' AND attnum > 0 AND NOT attisdropped""",
    "constraints": f"""SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
        WHERE connamespace = {HERE}""",
    "indexes": f"SELECT pg_get_indexdef(oid) FROM pg_class WHERE relnamespace = {HERE} AND relkind = 'i'",
    "triggers": "SELECT tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal",
    "functions": f"""SELECT proname, prosrc FROM pg_proc
        WHERE pronamespace = {HERE} AND {NOT_OF_AN_EXTENSION.format("pg_proc")}""",
    "types": f"""SELECT typname FROM pg_type
        WHERE typnamespace = {HERE} AND typcategory <> 'A' AND {NOT_OF_AN_EXTENSION.format("pg_type")}""",
}


@pytest.fixture
def own_database(transactional_db):
    """A copy of the test database, for a test that commits and takes it apart."""
    shared = connection.settings_dict["NAME"]
    own = f"{shared}_migrations"
    quote = connection.ops.quote_name

    def administrate(*statements):
        connection.close()
        with connection._nodb_cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    drop = f"DROP DATABASE IF EXISTS {quote(own)}"
    administrate(drop, f"CREATE DATABASE {quote(own)} TEMPLATE {quote(shared)}")
    connection.settings_dict["NAME"] = own
    try:
        put_guards_back()
        yield
    finally:
        connection.settings_dict["NAME"] = shared
        administrate(drop)


def put_guards_back():
    """Guard the tables as elsewhere: in the test database they are emptied after tests."""
    with connection.schema_editor() as editor:
        for model, rule in GUARDS.items():
            editor.execute(f"DROP FUNCTION {editor.quote_name(rule.name)}()")
            editor.execute(rule.create_sql(model, editor))


def catalogue():
    with connection.cursor() as cursor:
        found = {}
        for kind, query in CATALOGUE.items():
            cursor.execute(query)
            found[kind] = sorted(map(repr, cursor.fetchall()))
        return found


def row_counts():
    with connection.cursor() as cursor:
        counts = {}
        for table in TABLES:
            cursor.execute(f"SELECT count(*) FROM {connection.ops.quote_name(table)}")
            [counts[table]] = cursor.fetchone()
        return counts


def names(found, kind):
    return {ast.literal_eval(row)[0] for row in found[kind]}


@pytest.mark.django_db(transaction=True)
def test_everything_goes_and_comes_back_with_rows_in_every_table(own_database):
    before = catalogue()
    assert names(before, "tables") >= TABLES
    assert before["functions"]
    assert before["triggers"]
    fill_every_table()
    assert [table for table, rows in row_counts().items() if not rows] == []

    call_command("migrate", "opsdb", "zero", verbosity=0)
    after = catalogue()
    of_django = ("auth_", "django_")
    assert [name for name in names(after, "tables") if not name.startswith(of_django)] == []
    assert [name for name in names(after, "types") if not name.startswith(of_django)] == []
    assert after["functions"] == []
    assert after["triggers"] == []

    call_command("migrate", verbosity=0)
    assert catalogue() == before
    # What the setting says of deletion, and that it was noted.
    assert {table: rows for table, rows in row_counts().items() if rows} == {"deletion_policy": 1, "change_log": 1}
    fill_every_table()
    assert all(row_counts().values())


@pytest.mark.django_db(transaction=True)
def test_what_is_guarded_is_never_emptied(own_database):
    fill_every_table()
    before = row_counts()
    for model, rule in GUARDS.items():
        table = model._meta.db_table
        with pytest.raises(IntegrityError) as caught, connection.cursor() as cursor:
            cursor.execute(f"TRUNCATE {table} CASCADE")
        diagnosis = caught.value.__cause__.diag
        assert (diagnosis.constraint_name, diagnosis.message_primary) == (rule.name, f"{table}: is never emptied")
    with pytest.raises(CommandError):
        call_command("flush", interactive=False, verbosity=0)
    assert row_counts() == before


@pytest.mark.django_db
def test_rows_that_break_a_check_to_come_are_named():
    name_rows = import_module("opsdb.migrations.0016_safer_deletion").name_rows_that_break_a_check
    stay, *_ = SiteFactory.create_batch(7)
    transfer = DataTransferFactory()
    with connection.schema_editor() as editor:
        name_rows(apps, editor)
        editor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        editor.execute("ALTER TABLE site DROP CONSTRAINT site_name_not_blank")
        editor.execute("ALTER TABLE data_transfer DROP CONSTRAINT data_transfer_finite_times")
        editor.execute("UPDATE site SET name = repeat(' ', (id - %s)::int) WHERE id > %s", [stay.pk] * 2)
        editor.execute("UPDATE data_transfer SET created_at = 'infinity' WHERE id = %s", [transfer.pk])
        with pytest.raises(IntegrityError) as caught:
            name_rows(apps, editor)
    told = re.compile(
        r": data_transfer (.*): Times and dates must be finite; site (.*) and more: Name must not be blank"
    )
    transfers, sites = told.search(str(caught.value)).groups()
    assert transfers == str(transfer.pk)
    assert {*map(int, sites.split(", "))} < {site.pk for site in Site.objects.filter(pk__gt=stay.pk)}


@pytest.mark.django_db
def test_the_migrations_say_what_the_models_say():
    out = StringIO()
    call_command("makemigrations", check=True, dry_run=True, stdout=out)
    assert "No changes detected" in out.getvalue()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_migration_depends_on_django_and_on_what_migrations_name(path):
    """What a migration imports can never go away again."""
    ours = {"opsdb.models.constraints", "opsdb.models.identifiers", "opsdb.models.migrating"}
    for node in ast.walk(ast.parse(path.read_text())):
        modules = []
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            modules = [node.module]
        for module in modules:
            assert module in ours or module.partition(".")[0] == "django", module


@pytest.mark.django_db
def test_the_migrations_are_one_line():
    loader = MigrationLoader(connection)
    assert len(loader.graph.leaf_nodes("opsdb")) == 1
    assert len(FILES) == sum(app == "opsdb" for app, _ in loader.disk_migrations)


@pytest.mark.django_db
def test_services_that_are_staff_are_named_before_the_rule_comes():
    name_services = import_module("opsdb.migrations.0021_service_users_are_no_staff").name_services_that_are_staff
    mover = UserFactory(username="mover", groups=[RoleFactory(name="service")])
    with connection.schema_editor() as editor:
        name_services(apps, editor)
        editor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        editor.execute('ALTER TABLE "user" DISABLE TRIGGER user_service_is_no_staff')
        User.objects.filter(pk=mover.pk).update(is_staff=True)
        with pytest.raises(IntegrityError, match="at once: mover; take them out of the role"):
            name_services(apps, editor)

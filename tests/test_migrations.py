"""The migrations go from nothing to everything and back, with rows in every table."""

import ast
import re
import sys
from io import StringIO
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection
from django.db.migrations.loader import MigrationLoader

import opsdb.migrations
from opsdb.database.definitions import define_functions, functions_in, views_in
from opsdb.database.frozen_triggers import FrozenTrigger
from opsdb.database.guards import guards_of_partitions
from opsdb.database.operations import DefineFunctions, DefineUserLookup, PartitionByMonth, comment_on_views
from opsdb.signals import rows_created
from opsdb.testing.factories import fill_every_table
from tools.renew_migrations import comments_on_links, comments_on_views

from .databases import own_copy, put_guards_back, truncation_guards
from .models.schema import LINK_TABLES, MODELS

SQL = Path(opsdb.__file__).parent / "database" / "sql"
FILES = sorted(Path(opsdb.migrations.__file__).parent.glob("0*.py"))
KEPT_WITH_MIGRATIONS = [
    Path(opsdb.__file__).parent / "database" / f"{name}.py"
    for name in ("definitions", "expressions", "frozen_triggers", "identifiers", "operations", "user_lookup")
]
FIRST_SET = re.compile(r"/000[1-4](_\w+\.py|/\w+\.sql)$")
TABLES = {model._meta.db_table for model in (*MODELS, *LINK_TABLES)}
OF_OTHERS = re.compile(r"^\('(auth|axes|django)_|INDEX .* ON public\.(auth|axes|django)_|\bchange_log_\d{4}_\d\d")
NOT_OF_AN_EXTENSION = "NOT EXISTS (SELECT FROM pg_depend WHERE objid = {}.oid AND deptype = 'e')"
HERE = "current_schema()::regnamespace"
CATALOGUE = {
    "tables": f"""SELECT relname, relkind, obj_description(oid, 'pg_class') FROM pg_class
        WHERE relnamespace = {HERE} AND relkind <> 'c' AND {NOT_OF_AN_EXTENSION.format("pg_class")}""",
    "columns": f"""SELECT relname, attname, format_type(atttypid, atttypmod), attnotnull, attidentity,
            pg_get_expr(adbin, adrelid), col_description(attrelid, attnum)
        FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
        LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
        WHERE relnamespace = {HERE} AND relkind IN ('r', 'p', 'v') AND attnum > 0 AND NOT attisdropped""",
    "constraints": f"""SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
        WHERE connamespace = {HERE}""",
    "indexes": f"SELECT pg_get_indexdef(oid) FROM pg_class WHERE relnamespace = {HERE} AND relkind IN ('i', 'I')",
    "views": f"""SELECT relname, pg_get_viewdef(oid) FROM pg_class
        WHERE relnamespace = {HERE} AND relkind = 'v'""",
    "triggers": f"""SELECT tgname, pg_get_triggerdef(pg_trigger.oid) FROM pg_trigger
        JOIN pg_class ON pg_class.oid = tgrelid
        WHERE relnamespace = {HERE} AND NOT tgisinternal""",
    "functions": f"""SELECT proname, pg_get_functiondef(oid) FROM pg_proc
        WHERE pronamespace = {HERE} AND {NOT_OF_AN_EXTENSION.format("pg_proc")}""",
    "types": f"""SELECT typname FROM pg_type
        WHERE typnamespace = {HERE} AND typcategory <> 'A' AND {NOT_OF_AN_EXTENSION.format("pg_type")}""",
}


@pytest.fixture
def own_database(transactional_db, owner):
    """A copy of the test database, for a test that commits and takes it apart."""
    with own_copy("migrations"):
        put_guards_back()
        yield


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


@pytest.fixture
def receiver():
    """What a project connects when it starts, before it migrates."""

    def receive(sender, keys, **kwargs):
        """Nothing is done with it."""

    rows_created.connect(receive)
    yield
    rows_created.disconnect(receive)


@pytest.mark.django_db(transaction=True)
def test_everything_goes_and_comes_back_with_rows_in_every_table(own_database, receiver):
    before = catalogue()
    assert names(before, "tables") >= TABLES
    assert before["functions"]
    assert before["triggers"]
    fill_every_table()
    assert [table for table, rows in row_counts().items() if not rows] == []

    call_command("migrate", "opsdb", "zero", verbosity=0)
    after = catalogue()
    of_others = ("auth_", "axes_", "django_")
    assert [name for name in names(after, "tables") if not name.startswith(of_others)] == []
    assert [name for name in names(after, "types") if not name.startswith(of_others)] == []
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
    guards = truncation_guards()
    assert {rule.table for rule in guards} >= TABLES
    for rule in guards:
        table = rule.table
        with pytest.raises(IntegrityError) as caught, connection.cursor() as cursor:
            cursor.execute(f'TRUNCATE "{table}" CASCADE')
        diagnosis = caught.value.__cause__.diag
        assert (diagnosis.constraint_name, diagnosis.message_primary) == (rule.name, f"{table}: is never emptied")
    with pytest.raises(CommandError):
        call_command("flush", interactive=False, verbosity=0)
    assert row_counts() == before


@pytest.mark.django_db
def test_the_migrations_say_what_the_models_say():
    out = StringIO()
    call_command("makemigrations", check=True, dry_run=True, stdout=out)
    assert "No changes detected" in out.getvalue()


@pytest.mark.parametrize("path", [*FILES, *KEPT_WITH_MIGRATIONS], ids=lambda path: path.stem)
def test_a_migration_depends_on_django_and_on_what_stays_with_it(path):
    """What a migration imports, and what that imports, can never go away again."""
    kept = {f"opsdb.database.{one.stem}" for one in KEPT_WITH_MIGRATIONS}
    for node in ast.walk(ast.parse(path.read_text())):
        modules = []
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            modules = [f"opsdb.database.{node.module}" if node.level else node.module]
        for module in modules:
            first = module.partition(".")[0]
            of_python = path in KEPT_WITH_MIGRATIONS and first in sys.stdlib_module_names
            assert module in kept or first in ("django", "uuid_utils") or of_python, module


@pytest.mark.django_db
def test_the_migrations_are_one_line():
    loader = MigrationLoader(connection)
    assert len(loader.graph.leaf_nodes("opsdb")) == 1
    assert len(FILES) == sum(app == "opsdb" for app, _ in loader.disk_migrations)


def make_from_models():
    """Make everything that the models and ``database/sql`` declare, in a schema of its own, without migrations."""
    models = apps.get_app_config("opsdb").get_models()
    made = [model for model in models if not model._meta.proxy and model._meta.managed]
    with connection.schema_editor() as editor:
        editor.execute("CREATE SCHEMA from_models")
        editor.execute("SET search_path TO from_models, public")
        define_functions(editor, [functions_in(SQL)["opsdb_uuid7"]])
        for model in made:
            constraints = model._meta.constraints
            model._meta.constraints = [rule for rule in constraints if not isinstance(rule, FrozenTrigger)]
            try:
                editor.create_model(model)
            finally:
                model._meta.constraints = constraints
        for operation in (PartitionByMonth("changelog", "changed_at"), DefineUserLookup(), *comments_on_links()):
            operation.database_forwards("opsdb", editor, None, SimpleNamespace(apps=apps))
    with connection.schema_editor() as editor:
        define_functions(editor, [*functions_in(SQL).values(), *views_in(SQL).values()])
        comment_on_views(editor, comments_on_views())
        for model in made:
            for trigger in model._meta.constraints:
                if isinstance(trigger, FrozenTrigger):
                    editor.execute(trigger.statement, params=None)
        for trigger in guards_of_partitions():
            editor.execute(trigger.statement, params=None)


@pytest.mark.django_db(transaction=True)
def test_the_migrations_make_what_the_models_and_the_sql_files_declare(own_database):
    """Whoever changes a function, a trigger or a table without a migration finds it here."""
    by_migrations = catalogue()
    make_from_models()
    declared = catalogue()
    for kind, rows in by_migrations.items():
        of_opsdb = [row for row in rows if not OF_OTHERS.search(row)]
        assert without_schema(of_opsdb) == without_schema(declared[kind]), kind


def without_schema(rows):
    return sorted(re.sub(r"\b(from_models|public)\.|(?<=SET search_path TO )[^,]+", "", row) for row in rows)


def test_a_function_that_changed_comes_back_as_it_was(owner, tmp_path, monkeypatch):
    """Backwards, a later migration's function becomes what the older folder has of it."""
    for folder, answer in (("0003", 1), ("0005", 2)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "answers.sql").write_text(
            f"CREATE OR REPLACE FUNCTION opsdb_answer() RETURNS integer\nLANGUAGE sql AS $$\n"
            f"-- {answer} %s\n    SELECT {answer}\n$$;\n"
        )
    monkeypatch.setattr("opsdb.database.operations.FROZEN", tmp_path)
    first, second = DefineFunctions("0003"), DefineFunctions("0005")

    def answer():
        with connection.cursor() as cursor:
            cursor.execute("SELECT opsdb_answer()")
            return cursor.fetchone()[0]

    with connection.schema_editor() as editor:
        editor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        first.database_forwards("opsdb", editor, None, None)
        assert answer() == 1
        second.database_forwards("opsdb", editor, None, None)
        assert answer() == 2
        second.database_backwards("opsdb", editor, None, None)
        assert answer() == 1
        first.database_backwards("opsdb", editor, None, None)
        editor.execute("SELECT FROM pg_proc WHERE proname = 'opsdb_answer'")
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_proc WHERE proname = 'opsdb_answer'")
        assert cursor.fetchone() == (0,)


def test_migrations_can_be_reviewed():
    """What nobody can read, nobody reviews."""
    frozen = sorted((Path(opsdb.migrations.__file__).parent / "sql").glob("*/*.sql"))
    texts = {path: path.read_text() for path in (*FILES, *frozen)}
    for path, text in texts.items():
        for number, line in enumerate(text.splitlines(), 1):
            assert len(line) <= 1_500 or "data_grouping_rules_are_known" in line, f"{path.name}:{number}"
    first = [text for path, text in texts.items() if FIRST_SET.search(path.as_posix())]
    assert sum(text.count("\n") for text in first) <= 6_000
    assert sum(len(text.encode()) for text in first) <= 450_000

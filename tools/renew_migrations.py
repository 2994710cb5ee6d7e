"""Make the set of migrations anew: tables, functions, triggers. Allowed until a release has shipped them.

Run it as ``make migrations``. Afterwards every database has to be made anew too.
"""

import ast
import os
import re
import shutil
import textwrap
from collections import defaultdict
from functools import partial
from graphlib import TopologicalSorter
from itertools import takewhile
from pathlib import Path

import django

from .released_migrations import recorded

APP = Path(__file__).resolve().parent.parent / "opsdb"
MIGRATIONS = APP / "migrations"
# Contributed ones that an owner of a database may create: PostgreSQL trusts them.
EXTENSIONS = ("btree_gist", "pg_trgm")
# Functions that defaults of columns call.
BEFORE_TABLES = ("identifiers.sql",)
LISTS = re.compile(r"^(?P<indent> +)'(?P<key>constraints|indexes)': (?P<list>\[.*\]),$", re.MULTILINE)
OF_CONDITIONS = re.compile(r"\bmodels\.(CheckConstraint|F|Func|Index|Q|UniqueConstraint|Value)\b(?=\()")
IMPORTED = re.compile(r"^import ([\w.]+)$", re.MULTILINE)
GROUP = re.compile(
    r"^        opsdb\.database\.operations\.AtOnce\(\n            operations=\[\n"
    r"(?P<operations>.*?)^            \],\n        \),\n",
    re.MULTILINE | re.DOTALL,
)
GROUPS = ("TABLES", "LINKS")
COLUMN = re.compile(r"^ +\('(?P<name>\w+)', (?P<definition>models\..+)\),$", re.MULTILINE)
CONDITION = re.compile(r"condition=(?P<definition>models\.Q\((?:(?!, fields=).)+\)), name='(?P<name>\w+)'\)")
WORTH_A_NAME = 150  # characters that it spares


def tables_links_and_triggers():
    """Return the operations that make tables, references before what refers, and links, and each model's triggers."""
    from django.apps import apps
    from django.db.migrations.operations import AddField, CreateModel
    from django.db.migrations.state import ProjectState

    from opsdb.database.frozen_triggers import FrozenTrigger

    states = {name: state for (app, name), state in ProjectState.from_apps(apps).models.items() if app == "opsdb"}
    before = {name: {other for other in _referred_to(state) if other in states} for name, state in states.items()}
    tables, links, triggers, made = [], [], {}, set()
    for name in TopologicalSorter(before).static_order():
        state = states[name]
        constraints = state.options.pop("constraints", [])
        state.options["constraints"] = [rule for rule in constraints if not isinstance(rule, FrozenTrigger)]
        if statements := [rule.statement for rule in constraints if isinstance(rule, FrozenTrigger)]:
            triggers[name] = statements
        options = {key: value for key, value in state.options.items() if value or key == "managed"}
        later = {key: field for key, field in state.fields.items() if not _can_be_made_with_its_table(field, made)}
        fields = [(key, field) for key, field in state.fields.items() if key not in later]
        tables.append(CreateModel(state.name, fields, options, state.bases, state.managers))
        links += [AddField(name, key, field) for key, field in later.items()]
        made.add(name)
    return tables, links, triggers


def _can_be_made_with_its_table(field, made):
    """Return whether a field needs no other tables than those that are made before that of its model."""
    if not field.many_to_many:
        return True
    return not field.remote_field.through and str(field.remote_field.model).lower().rpartition(".")[2] in made


def _referred_to(state):
    from django.db.migrations.utils import resolve_relation

    named = [base for base in state.bases if isinstance(base, str)]
    for field in state.fields.values():
        if field.remote_field and not field.many_to_many:
            named.append(field.remote_field.model)
    for model in named:
        app, name = resolve_relation(model, state.app_label, state.name_lower)
        if app == "opsdb" and name != state.name_lower:
            yield name


def comments_on_links():
    """Return the operations that comment on the tables of links that Django makes."""
    from django.apps import apps

    from opsdb.database.operations import CommentOnLinks

    for model in apps.get_app_config("opsdb").get_models():
        comments = {}
        for field in model._meta.local_many_to_many:
            if field.remote_field.through._meta.auto_created:
                one, other = model._meta.verbose_name, field.related_model._meta.verbose_name
                comments[field.name] = (
                    f"Link of one {one} to one {other}: {field.name}.",
                    f"The {one}.",
                    f"The {other}.",
                )
        if comments:
            yield CommentOnLinks(model_name=model._meta.model_name, comments=comments)


def comments_on_views():
    """Return the comments on every view and its columns: what its model's docstring and help texts say."""
    from django.apps import apps
    from django.utils import translation

    from opsdb.models.base import first_paragraph

    comments = {}
    with translation.override(None, deactivate=True):
        for model in apps.get_app_config("opsdb").get_models():
            if not model._meta.managed:
                table = model._meta.db_table
                comments[table] = first_paragraph(model.__doc__)
                comments |= {f"{table}.{field.column}": str(field.help_text) for field in model._meta.local_fields}
    return comments


def write(name, operations, dependencies):
    """Write a migration in Django's own formatting, with a line for each constraint and index of a table."""
    from django.db.migrations import Migration
    from django.db.migrations.writer import MigrationWriter

    migration = type("Migration", (Migration,), {"operations": operations, "dependencies": dependencies})(name, "opsdb")
    migration.initial = True
    text = LISTS.sub(_one_a_line, MigrationWriter(migration, include_header=False).as_string())
    text = _with_names_imported(_with_groups_above(_with_repeated_definitions_named(text)))
    (MIGRATIONS / f"{name}.py").write_text(text, encoding="utf-8")


def _one_a_line(found):
    indent, entries = found["indent"], ast.parse(found["list"], mode="eval").body.elts
    lines = [f"{indent}    {ast.get_source_segment(found['list'], entry)}," for entry in entries]
    return "\n".join([f"{indent}'{found['key']}': [", *lines, f"{indent}],"])


def _with_groups_above(text):
    """Write the operations of each group above the class."""
    lists = []
    for name in GROUPS:
        if found := GROUP.search(text):
            lists.append(f"{name} = [\n{textwrap.dedent(found['operations'])}]\n".replace("\n", "\n    ").rstrip(" "))
            text = text.replace(found[0], f"        opsdb.database.operations.AtOnce(operations={name}),\n", 1)
    lists = [one.replace("\n    ]", "\n]") for one in lists]
    return text.replace("\n\nclass Migration", f"\n{chr(10).join(lists)}\n\nclass Migration", 1) if lists else text


def _with_names_imported(text):
    """Import each name from its module, where Django writes the whole path wherever it is used."""
    for module in sorted(IMPORTED.findall(text), key=len, reverse=True):
        used = re.compile(rf"\b{re.escape(module)}\.(\w+)")
        names = ", ".join(sorted({*used.findall(text)}))
        text = used.sub(r"\1", text).replace(f"import {module}\n", f"from {module} import {names}\n", 1)
    if conditions := {*OF_CONDITIONS.findall(text)}:
        names = f"from django.db.models import {', '.join(sorted(conditions))}\n"
        text = OF_CONDITIONS.sub(r"\1", text).replace("from django.db.models.", f"{names}from django.db.models.", 1)
    return text


def _with_repeated_definitions_named(text):
    """Name the columns and conditions that many tables have alike, above the class."""
    named = {}
    for pattern in (COLUMN, CONDITION):
        names_of = defaultdict(list)
        for found in pattern.finditer(text):
            names_of[found["definition"]].append(found["name"])
        for definition, names in names_of.items():
            name = _common_end(names).upper()
            spared = (len(names) - 1) * (len(definition) - len(name))
            if name and name not in named and spared >= WORTH_A_NAME:
                named[name] = definition
                text = pattern.sub(partial(_replace_definition, definition, name), text)
    constants = "".join(f"{name} = {definition}\n" for name, definition in named.items())
    return text.replace("\n\nclass Migration", f"\n{constants}\n\nclass Migration", 1) if constants else text


def _common_end(names):
    """Return the words that the names of columns or constraints have in common at their end."""
    words = [reversed(name.split("_")) for name in names]
    alike = takewhile(lambda found: len(set(found)) == 1, zip(*words, strict=False))
    return "_".join(reversed([found[0] for found in alike]))


def _replace_definition(definition, name, found):
    return found[0].replace(definition, name) if found["definition"] == definition else found[0]


def freeze(folder, belongs):
    """Copy those files of functions that belong there into the folder of a migration."""
    (MIGRATIONS / "sql" / folder).mkdir(parents=True)
    for path in filter(belongs, (APP / "database" / "sql").glob("*.sql")):
        shutil.copy(path, MIGRATIONS / "sql" / folder)


def freeze_triggers(folder, triggers):
    """Write the triggers of each model, one statement a line, into the folder of a migration."""
    from opsdb.database.operations import TRIGGERS

    sections = [
        f"-- {model_name}\n" + "".join(f"{statement};\n" for statement in statements)
        for model_name, statements in triggers.items()
    ]
    (MIGRATIONS / "sql" / folder).mkdir(parents=True)
    (MIGRATIONS / "sql" / folder / TRIGGERS).write_text("".join(sections), encoding="utf-8")


def main():
    """Replace every migration of the app.

    Raises:
        SystemExit: a release has shipped them.
    """
    if released := recorded():
        raise SystemExit(f"Release {next(iter(released))} has shipped migrations: write a new one instead")
    for path in MIGRATIONS.glob("0*.py"):
        path.unlink()
    shutil.rmtree(MIGRATIONS / "sql", ignore_errors=True)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()

    from django.db.migrations.operations import RunSQL

    from opsdb.database.guards import DROP_GUARDS_OF_MONTHS, guards_of_django, guards_of_partitions
    from opsdb.database.operations import (
        NO_MODEL,
        AtOnce,
        CreateTriggers,
        DefineFunctions,
        DefineUserLookup,
        DefineViews,
        PartitionByMonth,
    )

    extensions = [RunSQL(f"CREATE EXTENSION IF NOT EXISTS {name}", RunSQL.noop) for name in EXTENSIONS]
    tables, links, triggers = tables_links_and_triggers()
    of_user = [made for made in (*tables, *links) if getattr(made, "model_name", made.name).lower() == "user"]
    groups = [AtOnce([made for made in some if made not in of_user]) for some in (tables, links)]
    partitions = PartitionByMonth("changelog", "changed_at")
    of_auth = ("auth", "0012_alter_user_first_name_max_length")
    write("0001_user", of_user, [of_auth])
    # Of its own, because what refers to the user may find another project's user in its place.
    swappable = ("__setting__", "AUTH_USER_MODEL")
    freeze("0002", lambda path: path.name in BEFORE_TABLES)
    write(
        "0002_tables",
        [*extensions, DefineFunctions("0002"), *groups, partitions, *comments_on_links()],
        [("opsdb", "0001_user"), swappable],
    )
    freeze("0003", lambda path: path.name not in BEFORE_TABLES)
    views = DefineViews("0003", comments=comments_on_views())
    write("0003_functions", [DefineUserLookup(), DefineFunctions("0003"), views], [("opsdb", "0002_tables"), swappable])
    triggers[NO_MODEL] = [guard.statement for guard in (*guards_of_django(), *guards_of_partitions())]
    freeze_triggers("0004", triggers)
    write(
        "0004_triggers",
        [CreateTriggers("0004"), RunSQL(RunSQL.noop, DROP_GUARDS_OF_MONTHS)],
        [("opsdb", "0003_functions"), of_auth, ("contenttypes", "0002_remove_content_type_name")],
    )
    record_rules()


def record_rules():
    """Migrate a new database, and store which rules it then has, for ``opsdb_check``."""
    from django.core.management import call_command
    from django.db import connection

    from opsdb.database.catalogue import write_manifest
    from opsdb.database.roles import as_owner

    shared, new = connection.settings_dict["NAME"], "opsdb_rules"
    drop = f"DROP DATABASE IF EXISTS {new}"
    try:
        with connection._nodb_cursor() as cursor:
            cursor.execute(drop)
            cursor.execute(f"CREATE DATABASE {new}")
        connection.close()
        connection.settings_dict["NAME"] = new
        with as_owner(connection):
            call_command("migrate", verbosity=0)
            write_manifest(connection)
    finally:
        connection.close()
        connection.settings_dict["NAME"] = shared
        with connection._nodb_cursor() as cursor:
            cursor.execute(drop)


if __name__ == "__main__":
    main()

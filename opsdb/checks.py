"""System checks: what must hold for the app to work."""

import difflib

from django.apps import apps
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.checks import Error, Tags, Warning, register
from django.db import NotSupportedError, connections, router

from . import conf
from .database.aliases import aliases, atomic, writing_alias
from .replication import primary_alias, replica_aliases
from .routers import PrimaryReplicaRouter
from .tokens import PEPPER_MINIMUM

MINIMUM_POSTGRESQL = 15


@register(Tags.models)
def check_engine(app_configs, **kwargs):
    """opsdb.E001: the app's rules are implemented in PostgreSQL only."""
    return [
        Error(
            f"The database '{alias}' holds ops-db's models, but is no PostgreSQL ({connections[alias].vendor}).",
            hint=f"Set the ENGINE of DATABASES['{alias}'] to 'django.db.backends.postgresql',"
            " or send the app 'opsdb' to another database with a router.",
            id="opsdb.E001",
        )
        for alias in sorted(aliases())
        if connections[alias].vendor != "postgresql"
    ]


@register(Tags.models)
def check_one_database(app_configs, **kwargs):
    """opsdb.E005: a workflow changes rows of many tables in one transaction, and foreign keys lead to users."""
    models = [*apps.get_app_config("opsdb").get_models(), *_models_that_ours_refer_to()]
    wanted = writing_alias()
    elsewhere = {}
    for model in models:
        alias = router.db_for_write(model)
        if alias != wanted:
            elsewhere.setdefault((alias, model._meta.app_label), model._meta.label)
    return [
        Error(
            f"Rows of ops-db are written to the database '{wanted}', those of {label} to '{alias}'.",
            hint=f"Let the router send the apps {', '.join(sorted({one._meta.app_label for one in models}))} to the"
            " same database.",
            id="opsdb.E005",
        )
        for (alias, _), label in sorted(elsewhere.items())
    ]


def _models_that_ours_refer_to():
    yield get_user_model()
    for label in ("auth.Permission", "auth.Group", "contenttypes.ContentType", "admin.LogEntry"):
        if apps.is_installed(f"django.contrib.{label.partition('.')[0]}"):
            yield apps.get_model(label)


@register()
def check_time_zones(app_configs, **kwargs):
    """opsdb.E006: a time without a zone names no moment, and times are read and written in UTC."""
    if not settings.USE_TZ:
        return [
            Error(
                "USE_TZ is False, but every time of ops-db has a time zone.",
                hint="Set USE_TZ = True; TIME_ZONE may be any.",
                id="opsdb.E006",
            )
        ]
    return [
        Error(
            f"DATABASES[{alias!r}]['TIME_ZONE'] is {zone}, but ops-db reads and writes times in UTC.",
            hint="Leave it out of this database; the setting TIME_ZONE may be any.",
            id="opsdb.E006",
        )
        for alias in sorted(aliases())
        if (zone := connections[alias].settings_dict.get("TIME_ZONE")) not in (None, "UTC")
    ]


@register()
def check_postgres_app(app_configs, **kwargs):
    """opsdb.E007: Django 6.1 and newer refuses our indexes without its app for PostgreSQL."""
    if apps.is_installed("django.contrib.postgres"):
        return []
    return [
        Error(
            "'django.contrib.postgres' is not in INSTALLED_APPS.",
            hint="Add it; ops-db uses its indexes and constraints.",
            id="opsdb.E007",
        )
    ]


@register()
def check_settings(app_configs, **kwargs):
    """opsdb.E002: a misspelt setting would be ignored without a word."""
    errors = []
    for name in dir(settings):
        if name.startswith("OPSDB_") and name not in conf.DEFAULTS:
            near = difflib.get_close_matches(name, conf.DEFAULTS, n=1)
            hint = f"Did you mean {near[0]}?" if near else "Remove it."
            errors.append(Error(f"There is no setting {name}.", hint=hint, id="opsdb.E002"))
    return errors


@register()
def check_archive_copies(app_configs, **kwargs):
    """opsdb.E003: a number that the database would refuse."""
    wanted = conf.get("OPSDB_MIN_ARCHIVE_COPIES")
    if type(wanted) is int and wanted >= 1:
        return []
    return [Error(f"OPSDB_MIN_ARCHIVE_COPIES must be a number from 1, not {wanted!r}.", id="opsdb.E003")]


@register()
def check_token_peppers(app_configs, **kwargs):
    """opsdb.E004: a short pepper can be guessed, and then a copy of the database lets people try secrets."""
    peppers = conf.get("OPSDB_TOKEN_PEPPERS")
    if isinstance(peppers, list | tuple) and all(
        isinstance(one, str) and len(one) >= PEPPER_MINIMUM for one in peppers
    ):
        return []
    return [
        Error(
            f"OPSDB_TOKEN_PEPPERS must be a list of texts of at least {PEPPER_MINIMUM} characters.",
            hint='Make one with `python -c "import secrets; print(secrets.token_urlsafe(50))"`.',
            id="opsdb.E004",
        )
    ]


@register()
def check_replicas(app_configs, **kwargs):
    """opsdb.E009: a replica that is misspelt or that no router reads is of no use."""
    names = replica_aliases()
    problems = [
        f"OPSDB_REPLICAS names '{name}', which DATABASES does not have." for name in names if name not in connections
    ]
    problems += [f"OPSDB_REPLICAS names '{name}', which is the primary." for name in names if name == primary_alias()]
    if names and not any(isinstance(each, PrimaryReplicaRouter) for each in router.routers):
        problems.append("OPSDB_REPLICAS is set, but no router reads them.")
    hint = "Name aliases of DATABASES, and put 'opsdb.routers.PrimaryReplicaRouter' into DATABASE_ROUTERS."
    return [Error(problem, hint=hint, id="opsdb.E009") for problem in problems]


@register(Tags.database)
def check_deletion_policy(app_configs, databases=None, **kwargs):
    """opsdb.W001: the triggers count archive copies by the setting that the last `opsdb_migrate` stored."""
    model = apps.get_model("opsdb", "DeletionPolicy")
    wanted = conf.get("OPSDB_MIN_ARCHIVE_COPIES")
    warnings = []
    for alias in sorted(aliases() & set(databases or ())):
        if model._meta.db_table not in connections[alias].introspection.table_names():
            continue
        known = model.objects.using(alias).values_list("min_archive_copies", flat=True).first()
        if known != wanted:
            now = f"copies go with {known} verified" if known else "no copies go whatever their verified"
            warnings.append(
                Warning(
                    f"The database '{alias}' lets {now} archive copies elsewhere,"
                    f" but OPSDB_MIN_ARCHIVE_COPIES is {wanted}.",
                    hint="Run `python manage.py opsdb_migrate`.",
                    id="opsdb.W001",
                )
            )
    return warnings


@register(Tags.database, deploy=True)
def check_role(app_configs, databases=None, **kwargs):
    """opsdb.W002: who owns the tables can disable the rules."""
    warnings = []
    for alias in sorted(aliases() & set(databases or ())):
        with connections[alias].cursor() as cursor:
            cursor.execute(
                "SELECT current_user, pg_has_role(relowner, 'USAGE') FROM pg_class "
                "WHERE oid = to_regclass('change_log')"
            )
            found = cursor.fetchone()
        if found and found[1]:
            warnings.append(
                Warning(
                    f"The database '{alias}' is used by the role {found[0]}, which owns its tables and so can disable"
                    " every rule.",
                    hint="Connect as a role that `opsdb_migrate --grant-to` has given its rights; docs/security.md"
                    " shows how.",
                    id="opsdb.W002",
                )
            )
    return warnings


# Which table the foreign keys to users lead to; NULL before the first migration.
USERS = """
SELECT (SELECT confrelid::regclass::text FROM pg_constraint JOIN pg_attribute ON attrelid = conrelid
    AND attnum = conkey[1] WHERE conrelid = to_regclass('api_token') AND contype = 'f' AND attname = 'user_id')
"""
MIGRATED = "SELECT app, name FROM django_migrations WHERE app IN ('auth', 'admin', 'opsdb')"


@register(Tags.database)
def check_user_model(app_configs, databases=None, **kwargs):
    """opsdb.E008: foreign keys lead to the users' table that AUTH_USER_MODEL named when they were made."""
    errors = []
    for alias in sorted(aliases() & set(databases or ())):
        table = get_user_model()._meta.db_table
        with connections[alias].cursor() as cursor:
            cursor.execute(USERS)
            [found] = cursor.fetchone()
            cursor.execute("SELECT to_regclass('django_migrations') IS NOT NULL")
            applied = set()
            if cursor.fetchone()[0]:
                cursor.execute(MIGRATED)
                applied = set(cursor.fetchall())
        ours_is_missing = settings.AUTH_USER_MODEL == "opsdb.User" and ("opsdb", "0001_user") not in applied
        if found and found.rpartition(".")[2].strip('"') != table:
            was = f"made for users in the table {found}"
        elif ours_is_missing and ("admin", "0001_initial") in applied:
            was = "migrated with other users before"
        else:
            continue
        errors.append(
            Error(
                f"AUTH_USER_MODEL is {settings.AUTH_USER_MODEL}, but the database '{alias}' was {was}.",
                hint="Put AUTH_USER_MODEL back, or begin with an empty database; Django's documentation, 'Changing to"
                " a custom user model mid-project', describes how to move users.",
                id="opsdb.E008",
            )
        )
    return errors


@register(Tags.database)
def check_reads_in_transactions(app_configs, databases=None, **kwargs):
    """opsdb.W003: a workflow that reads elsewhere than it writes would decide by rows that are out of date."""
    alias = writing_alias()
    if alias not in (databases or ()):
        return []
    with atomic():
        read = router.db_for_read(apps.get_model("opsdb", "Site"))
    if read == alias:
        return []
    return [
        Warning(
            f"Within a transaction on '{alias}', the routers read ops-db's rows from '{read}'.",
            hint=f"Let db_for_read return '{alias}' while connections['{alias}'].in_atomic_block, as"
            " opsdb.routers.PrimaryReplicaRouter does.",
            id="opsdb.W003",
        )
    ]


def refuse_old_server(connection) -> None:
    """Raise NotSupportedError if the server is older than ops-db needs."""
    if connection.vendor == "postgresql" and connection.pg_version < MINIMUM_POSTGRESQL * 10000:
        found = connection.pg_version // 10000
        raise NotSupportedError(
            f"ops-db needs PostgreSQL {MINIMUM_POSTGRESQL} or newer, but the server has {found}:"
            f" let DATABASES['{connection.alias}'] name a newer one"
        )


def refuse_old_server_on_connect(connection, **kwargs):
    """On every new connection that the app's models may use."""
    if connection.alias in aliases():
        refuse_old_server(connection)

"""System checks: what must hold for the app to work."""

import difflib

from django.apps import apps
from django.conf import settings
from django.core.checks import Error, Tags, Warning, register
from django.db import NotSupportedError, connections, router

from . import conf
from .tokens import PEPPER_MINIMUM

MINIMUM_POSTGRESQL = 15


def aliases() -> set[str]:
    """The databases that hold the app's models, according to the project's routers."""
    models = apps.get_app_config("opsdb").get_models()
    return {choose(model) for model in models for choose in (router.db_for_read, router.db_for_write)}


@register(Tags.models)
def check_engine(app_configs, **kwargs):
    """opsdb.E001: the app's rules live in PostgreSQL, no other engine has them."""
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

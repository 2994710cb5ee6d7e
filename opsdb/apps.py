from django.apps import AppConfig
from django.db.backends.signals import connection_created
from django.db.models.signals import post_migrate


class OpsdbConfig(AppConfig):
    """The app; its key type is pinned, so that a host project's default changes no migration."""

    name = "opsdb"
    verbose_name = "Operations database"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self):
        from . import checks, json_filter
        from .database.withholding import withhold_on_connect
        from .replication import note_statements_on_connect
        from .signals import send_on_connect
        from .workflows.attribution import _attribute_on_connect

        connection_created.connect(withhold_on_connect)
        connection_created.connect(_attribute_on_connect)
        connection_created.connect(note_statements_on_connect)
        connection_created.connect(send_on_connect)
        connection_created.connect(checks.refuse_old_server_on_connect)
        json_filter.register()
        post_migrate.connect(_make_months_of_history, sender=self)
        post_migrate.connect(_renew_lookup_of_users, sender=self)
        post_migrate.connect(_keep_deletion_policy, sender=self)


def _make_months_of_history(using, **kwargs):
    """Make the partitions of the change log ahead, after `migrate`; only the owner of the tables can."""
    from django.db import connections

    from .database.months import make_months

    if connections[using].vendor != "postgresql":
        return
    with connections[using].cursor() as cursor:
        # NULL where there is no such function, as after a migration back to nothing.
        cursor.execute("SELECT has_function_privilege(to_regprocedure('opsdb_make_months()'), 'EXECUTE')")
        may_make_them = cursor.fetchone()[0]
    if may_make_them:
        make_months(connections[using])


def _renew_lookup_of_users(using, **kwargs):
    """Follow what migrations of the project have changed of its user model."""
    from django.db import connections, router

    from .database.user_lookup import renew_lookup

    if connections[using].vendor == "postgresql" and router.allow_migrate(using, "opsdb"):
        renew_lookup(connections[using])


def _keep_deletion_policy(using, verbosity=0, stdout=None, **kwargs):
    """Store the setting in the database after `migrate`, because its triggers count archive copies; print a change."""
    from django.db import connections, router

    from .models import DeletionPolicy
    from .workflows import store_deletion_policy

    if (
        router.allow_migrate_model(using, DeletionPolicy)
        and DeletionPolicy._meta.db_table in connections[using].introspection.table_names()
    ):
        change = store_deletion_policy(using)
        if change and verbosity and stdout:
            stdout.write(f"  {change}")

"""``manage.py migrate``: Django's own, as the role that owns the tables."""

from django.core.management.commands import migrate
from django.db import connections

from opsdb.management.command import OpsdbCommand


class Command(OpsdbCommand, migrate.Command):
    """Migrate as the owner that ``DATABASES[…]["OWNER"]`` names, and give the application's role its rights.

    Without that setting it is Django's own command.
    """

    examples = ("migrate", "migrate --plan")
    notes = "opsdb_migrate does it at every deployment, with a backup, reference data and the rights of all roles."

    def handle(self, *args, **options):
        from opsdb.database.roles import application_role, as_owner, grant, is_migrated

        connection = connections[options["database"]]
        role = application_role(connection)
        with as_owner(connection):
            output = super().handle(*args, **options)
            if role and is_migrated(connection):
                grant(connection, role)
        return output

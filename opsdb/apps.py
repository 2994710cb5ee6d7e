from django.apps import AppConfig
from django.db.backends.signals import connection_created


class OpsdbConfig(AppConfig):
    """The app; its key type is pinned, so that a host project's default changes no migration."""

    name = "opsdb"
    verbose_name = "Operations database"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self):
        from . import checks

        connection_created.connect(checks.refuse_old_server_on_connect)

"""Django's PostgreSQL backend, which starts the embedded server when it is not there."""

from contextlib import contextmanager

from django.db import OperationalError
from django.db.backends.postgresql import base

from .server import APPLICATION, OWNER, EmbeddedError, Server


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection to an embedded server: ``FOLDER``, ``ACCOUNT`` and ``DURABLE`` are the arguments of Server.

    It connects as the application's role, and migrates as the owner of the tables, unless ``USER`` names another.
    """

    def __init__(self, settings_dict, *args, **kwargs):
        get = settings_dict.get
        self.server = Server(settings_dict["FOLDER"], account=get("ACCOUNT"), durable=get("DURABLE", True))
        settings_dict.update(PASSWORD="", HOST=str(self.server.socket_folder), PORT="")
        if not get("USER"):
            settings_dict.update(USER=APPLICATION, OWNER={"USER": OWNER})
        super().__init__(settings_dict, *args, **kwargs)

    def get_new_connection(self, conn_params):
        """Connect; only a refusal costs a look at the server, so that a running one is as fast as any."""
        try:
            return super().get_new_connection(conn_params)
        except self.Database.OperationalError as refusal:
            try:
                if not self.server.start():
                    self.server.require_role(self.settings_dict["USER"], refusal)
                    raise
            except EmbeddedError as error:
                raise OperationalError(str(error)) from error
        return super().get_new_connection(conn_params)

    @contextmanager
    def _nodb_cursor(self):
        # It is requested to make or drop a database, which only the owner may.
        owner = {"USER": OWNER, "OPTIONS": {}}
        connection = self.__class__({**self.settings_dict, **owner, "NAME": "postgres"}, alias="__no_db__")
        try:
            with connection.cursor() as cursor:
                yield cursor
        finally:
            connection.close()

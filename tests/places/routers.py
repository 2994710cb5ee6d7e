"""A router as a host project may have it."""


class EverythingElsewhere:
    """Send every app to the database ``ops``."""

    def db_for_read(self, model, **hints):
        return "ops"

    db_for_write = db_for_read

    def allow_migrate(self, db, app_label, **hints):
        return db == "ops"

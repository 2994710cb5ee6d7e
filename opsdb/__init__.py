"""The operations database of an observatory, as a Django app."""

from __future__ import annotations

__all__ = ["setup"]
__version__ = "0.1.0"


def setup(database_url: str | None = None) -> None:
    """Connect a script or notebook without a Django project to an ops-db database; then import ``opsdb.models``.

    Idempotent. A role that only reads is enough. Where an event loop runs, as in the kernel of a notebook, it sets
    ``DJANGO_ALLOW_ASYNC_UNSAFE``, so that a cell can query the database: the loop waits meanwhile, and so do other
    tasks in it. Within a project, whose settings name the database, it does nothing but call ``django.setup()``.

    Args:
        database_url: ``postgresql://USER:PASSWORD@HOST:5432/NAME``, with libpq's parameters as its query; by default
            what the environment variable ``DATABASE_URL`` holds.

    Raises:
        django.core.exceptions.ImproperlyConfigured: no database is named, it is none of PostgreSQL, can't be reached,
            is not migrated, or was migrated by another version; or this process has another one. Nothing was
            configured, and another call may follow.
    """
    from .standalone import setup as configure

    configure(database_url)

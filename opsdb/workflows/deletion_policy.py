"""The deletion policy: settings that the triggers of the database must know."""

from opsdb import conf
from opsdb.models import DeletionPolicy

from .attribution import attributed


def store_deletion_policy(using: str) -> None:
    """Store in a database how many archive copies ``OPSDB_MIN_ARCHIVE_COPIES`` requires. Idempotent. Locks the policy.

    Args:
        using: alias of the database.
    """
    wanted = conf.get("OPSDB_MIN_ARCHIVE_COPIES")
    policies = DeletionPolicy.objects.using(using)
    if policies.filter(pk=1, min_archive_copies=wanted).exists():
        return
    with attributed(origin="migrate", reason="OPSDB_MIN_ARCHIVE_COPIES"):
        policies.update_or_create(pk=1, defaults={"min_archive_copies": wanted})

"""The deletion policy: settings that the triggers of the database need."""

from typing import NamedTuple

from opsdb import conf
from opsdb.models import DeletionPolicy

from .attribution import attributed


class PolicyChange(NamedTuple):
    """How many archive copies the database required before and requires now; None where it had no policy."""

    before: int | None
    after: int

    def __str__(self) -> str:
        was = "unset" if self.before is None else self.before
        return f"Deletion policy of the database: OPSDB_MIN_ARCHIVE_COPIES was {was}, is now {self.after}."


def store_deletion_policy(using: str) -> PolicyChange | None:
    """Store in a database how many archive copies ``OPSDB_MIN_ARCHIVE_COPIES`` requires. Idempotent. Locks the policy.

    Args:
        using: alias of the database.

    Returns:
        What changed, or None if the database agreed already.
    """
    wanted = conf.get("OPSDB_MIN_ARCHIVE_COPIES")
    policies = DeletionPolicy.objects.using(using)
    before = policies.filter(pk=1).values_list("min_archive_copies", flat=True).first()
    if before == wanted:
        return None
    with attributed(origin="migrate", reason="OPSDB_MIN_ARCHIVE_COPIES"):
        policies.update_or_create(pk=1, defaults={"min_archive_copies": wanted})
    return PolicyChange(before, wanted)

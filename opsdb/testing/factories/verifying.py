"""How a copy of a test comes to be verified: by a fixity check, as any other."""

from django.utils import timezone

from opsdb.models import FixityCheck, PhysicalCopy, Verification


def verify(copy: PhysicalCopy) -> PhysicalCopy:
    """Record a fixity check of a copy that agrees with what it is a copy of, call it verified, and return it."""
    content = copy.target
    facts = {"checksum": content.checksum, "checksum_algorithm": content.checksum_algorithm}
    check = FixityCheck.objects.create(
        copy_id=copy.pk,
        checked_at=timezone.now(),
        expected=content.checksum,
        actual=content.checksum,
        algorithm=content.checksum_algorithm,
        ok=True,
    )
    PhysicalCopy.objects.filter(pk=copy.pk).update(
        verification=Verification.VERIFIED, verified_at=check.checked_at, size_bytes=content.size_bytes, **facts
    )
    copy.refresh_from_db()
    return copy

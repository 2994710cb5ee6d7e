"""What operators can do in the present states of copies, so that one of them can be verified."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from opsdb.models import PhysicalCopy, PhysicalCopyStatus, Verification
from opsdb.models.copies.querysets import CHECKABLE, GONE
from opsdb.row_labels import place_of

from ..errors import name_row
from ._explanation import RECORD_FIXITY, RESTORE_COPY

_BRING_BACK = lazy("find the bytes of %(copy)s and bring it back (“Bring back” in the admin, or %(restore)s)")
_REPLACE = lazy(
    "replace the bytes of %(copy)s by the right ones, compute their checksum and record it (“Record a fixity check” in "
    "the admin, or %(record)s)"
)
_READ_AGAIN = lazy(
    "read %(copy)s again, and record the checksum that is found (“Record a fixity check” in the admin, or %(record)s)"
)
_CHECK = lazy(
    "have the checksum of %(copy)s computed, and record it (“Record a fixity check” in the admin, or %(record)s)"
)
_STEPS = (_CHECK, _READ_AGAIN, _BRING_BACK, _REPLACE)


def _step_of(copy):
    """Return the step that a copy in its state takes towards being verified; None if it takes none."""
    if copy.status in GONE:
        return _BRING_BACK
    if copy.status == PhysicalCopyStatus.CORRUPT or copy.verification == Verification.MISMATCH:
        return _REPLACE
    if copy.status not in CHECKABLE:
        return None
    return _READ_AGAIN if copy.unread_count else _CHECK


def way_back_of(copy: PhysicalCopy) -> str:
    """Return what can be done with a copy that is not verified: it is gone, corrupt, can't be read, or was not checked.

    Args:
        copy: the copy.
    """
    return _in_words(_step_of(copy) or _READ_AGAIN, copy)


def list_ways_back(copies: QuerySet[PhysicalCopy]) -> list[str]:
    """Return what can be done with some copies, the easiest first: one step of each kind. One query.

    Args:
        copies: those that may come to be verified, of one content.
    """
    first: dict[object, PhysicalCopy] = {}
    for copy in copies.select_related("data_location__site").order_by("pk"):
        first.setdefault(_step_of(copy), copy)
    return [_in_words(step, first[step]) for step in _STEPS if step in first]


def either(steps: Sequence[str]) -> str:
    """Return steps of which one is to be taken."""
    first, *others = steps
    for other in others:
        first = _("%(step)s, or %(other)s") % {"step": first, "other": other}
    return first


def _in_words(step, copy):
    name = _("%(copy)s at %(place)s") % {"copy": name_row(PhysicalCopy, copy.pk), "place": place_of(copy.data_location)}
    return str(step) % {"copy": name, "restore": RESTORE_COPY, "record": RECORD_FIXITY}

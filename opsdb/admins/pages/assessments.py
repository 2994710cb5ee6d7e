"""Who judged the quality of observations, when and why, as the change log has it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.contrib.auth import get_user_model
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.translation import gettext as _

from opsdb.formatting import format_minute
from opsdb.models import ChangeLog, ExecutedObsUnit, Quality

from ..kit.columns import moment
from .viewer import Viewer

REASON_SHOWN = 80
"""Characters of a reason beside a quality in a table."""


@dataclass(frozen=True)
class Assessment:
    """The last change of the quality of an observation.

    Attributes:
        who: the user's name, as far as the person may know it, or the account at the database.
        at: when.
        reason: why, in the words of the person; empty where they gave none.
    """

    who: str
    at: datetime
    reason: str

    @property
    def about(self) -> SafeString:
        """By whom and when it was judged, and why."""
        reason = format_html(": {}", self.reason) if self.reason else ""
        by = _("marked by %(person)s at") % {"person": self.who}
        return format_html('<span class="opsdb-assessed">{} {} UTC{}</span>', by, moment(self.at), reason)

    @property
    def note(self) -> SafeString | str:
        """Why, shortened; to the mouse all of it, by whom and when. Empty where no reason was given."""
        if not self.reason:
            return ""
        whole = _("%(reason)s – %(person)s, %(time)s UTC") % {
            "reason": self.reason,
            "person": self.who,
            "time": format_minute(self.at),
        }
        short = Truncator(self.reason).chars(REASON_SHOWN)
        return format_html('<span class="opsdb-assessed" title="{}">{}</span>', whole, short)


def assessments_of(viewer: Viewer, executions: Sequence[ExecutedObsUnit]) -> dict[UUID, Assessment]:
    """Return the last assessment of each observation that is assessed. One query along an index.

    Args:
        viewer: the person; only to who may view users is it said who judged.
        executions: the observations.
    """
    keys = {str(one.pk): one.pk for one in executions if one.quality != Quality.UNASSESSED}
    if not keys:
        return {}
    entries = (
        ChangeLog.objects.filter(table_name=ExecutedObsUnit._meta.db_table, row_id__in=keys, after__has_key="quality")
        .select_related("user")
        .order_by("row_id", "-id")
        .distinct("row_id")
    )
    return {keys[entry.row_id]: Assessment(_who(viewer, entry), entry.changed_at, entry.reason) for entry in entries}


def _who(viewer, entry):
    if not entry.user_id:
        return entry.database_user
    if not viewer.sees(get_user_model()):
        return viewer.withheld
    user = entry.user  # a user who is gone is no longer named
    return user.get_username() if user else _("user %s") % entry.user_id

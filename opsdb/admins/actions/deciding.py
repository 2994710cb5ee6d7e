"""Who may decide a request for deletion, for its page, the dashboard and *Why?*: one call of the workflow."""

from collections.abc import Iterable

from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from opsdb.models import DeletionRequest, DeletionRequestStatus
from opsdb.workflows import DecisionRights, find_decision_rights

from ..pages.viewer import Viewer

PEOPLE_NAMED = 5


def look_up_rights(requests: Iterable[DeletionRequest], user: AbstractBaseUser) -> None:
    """Find out at once who may decide these requests, and keep it with them."""
    requests = list(requests)
    found = find_decision_rights(requests, user=user)
    for request in requests:
        request.opsdb_rights = user.pk, found[request.pk]


def rights_to(request: DeletionRequest, user: AbstractBaseUser) -> DecisionRights:
    """Return whether a person may decide a request, and otherwise who may."""
    if getattr(request, "opsdb_rights", (None,))[0] != user.pk:
        look_up_rights([request], user)
    return request.opsdb_rights[1]


def why_not_decide(request: DeletionRequest, user: AbstractBaseUser) -> str:
    """Return why a person can't decide a request, or an empty text."""
    return rights_to(request, user).why_not


def decision_note(viewer: Viewer, request: DeletionRequest) -> SafeString | str:
    """Return, where a person can't decide a request that waits for it, why, and who may: named to who sees users."""
    if request.status != DeletionRequestStatus.REQUESTED:
        return ""
    rights = rights_to(request, viewer.request.user)
    if not rights.why_not:
        return ""
    number = len(rights.people)
    named = ", ".join(rights.people[:PEOPLE_NAMED]) if viewer.sees(get_user_model()) else ""
    people = ngettext("%(number)s person may", "%(number)s people may", number) % {"number": number}
    if not number:
        people = _("nobody may now")
    if named:
        people += f": {named}, …" if number > PEOPLE_NAMED else f": {named}"
    return format_html(
        '<p class="opsdb-cannot">{}</p>',
        _(
            "You can't decide it (%(why)s): it must be approved by another person with the permission to approve; "
            "%(people)s."
        )
        % {"why": rights.why_not, "people": people},
    )

"""Acknowledged failures: the form that acknowledges them until a time, and their section on the dashboard."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from django import forms
from django.contrib import messages
from django.contrib.auth import get_user_model
from django.db import router, transaction
from django.http import HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from opsdb.formatting import format_minute
from opsdb.models import DataLocation, FailureAcknowledgement
from opsdb.workflows import FailureGroup, acknowledge_failures, withdraw_acknowledgement

from ..kit.columns import moment
from ..kit.orders import REFUSALS, refusal_text
from .viewer import Viewer

ACKNOWLEDGE, WITHDRAW = "acknowledge", "withdraw"
CAUSE = "cause"
"""Value of the button that acknowledges the failures of one cause at all locations."""
DURATIONS = (
    (1, lazy("1 day")),
    (3, lazy("3 days")),
    (7, lazy("1 week")),
    (28, lazy("4 weeks")),
    (90, lazy("90 days")),
)


class AcknowledgementForm(forms.Form):
    """The known cause of failures, the end of the acknowledgement, and who was informed."""

    reason = forms.CharField(label=lazy("What is known"), widget=forms.Textarea(attrs={"rows": 2}))
    informed = forms.CharField(label=lazy("Who was informed"), required=False, max_length=1_000)
    days = forms.TypedChoiceField(label=lazy("For"), choices=DURATIONS, coerce=int, initial=7)


def may_acknowledge(viewer: Viewer) -> bool:
    """Return whether a person may acknowledge failures."""
    return viewer.request.user.has_perm("opsdb.add_failureacknowledgement")


def acknowledgement_part(
    viewer: Viewer, group: FailureGroup, groups: Sequence[FailureGroup], what: str
) -> SafeString | str:
    """Return the form that acknowledges a group, folded, for who may.

    Args:
        viewer: the person.
        group: the group.
        groups: the groups without an acknowledgement; those of the same cause can be acknowledged together.
        what: what went wrong, and where.
    """
    if not may_acknowledge(viewer):
        return ""
    context = {
        "url": viewer.page_url("failures"),
        "group": group.name,
        "name": ACKNOWLEDGE,
        "form": AcknowledgementForm(auto_id=f"id_{group.name}_%s"),
        "what": what,
        "number": len(group.failures),
        "cause": CAUSE,
        "alike": sum(one.cause == group.cause for one in groups),
    }
    return render_to_string("admin/opsdb/acknowledge.html", context, viewer.request)


def place_shown(viewer: Viewer, group: FailureGroup) -> str:
    """Return where failures happened, as far as the person may know; empty where that is at no location."""
    return group.place if not group.place or viewer.sees(DataLocation) else viewer.withheld


def known_facts(viewer: Viewer, known: FailureAcknowledgement) -> list[tuple]:
    """Return the facts of an acknowledgement; who made it, only to a viewer of users."""
    by = known.acknowledged_by.get_username() if viewer.sees(get_user_model()) else viewer.withheld
    return [
        (_("known until [UTC]"), moment(known.until)),
        (_("by"), by),
        (_("since [UTC]"), moment(known.created_at)),
        (_("what is known"), known.reason),
        (_("who was informed"), known.informed),
    ]


def withdrawal_part(viewer: Viewer, group: FailureGroup) -> SafeString | str:
    """Return the button that ends an acknowledgement, for who may make one."""
    if not may_acknowledge(viewer):
        return ""
    context = {"url": viewer.page_url("failures"), "group": group.name, "name": WITHDRAW}
    return render_to_string("admin/opsdb/withdraw.html", context, viewer.request)


def answer(
    viewer: Viewer, groups: Sequence[FailureGroup], known: Mapping[str, FailureAcknowledgement]
) -> HttpResponse | None:
    """Acknowledge the posted group, or end that; None where neither was asked for, or the person may not."""
    posted, request = viewer.request.POST, viewer.request
    group = next((one for one in groups if one.name == posted.get("group")), None)
    if group is None or not may_acknowledge(viewer) or not {ACKNOWLEDGE, WITHDRAW} & set(posted):
        return None
    if WITHDRAW in posted:
        if group.name in known:
            withdraw_acknowledgement(known[group.name], user=request.user)
            messages.success(request, _("These failures need attention again."))
        return HttpResponseRedirect(viewer.page_url("failures"))
    form = AcknowledgementForm(posted)
    if not form.is_valid():
        text = "; ".join(f"{form[name].label}: {', '.join(errors)}" for name, errors in form.errors.items())
        messages.error(request, format_html("{}", text))
    else:
        covered = [group]
        if posted[ACKNOWLEDGE] == CAUSE:
            covered += [one for one in groups if one.cause == group.cause and one.name not in {group.name, *known}]
        values = form.cleaned_data
        until = timezone.now() + timedelta(days=values["days"]) - timedelta(minutes=1)
        try:
            with transaction.atomic(using=router.db_for_write(FailureAcknowledgement)):
                made = [
                    acknowledge_failures(
                        one, user=request.user, reason=values["reason"], until=until, informed=values["informed"]
                    )
                    for one in covered
                ]
            text = _("Known until %(until)s UTC: %(places)s.")
            places = ", ".join(place_shown(viewer, one) or _("no location") for one in covered)
            messages.success(request, text % {"until": format_minute(made[0].until), "places": places})
        except REFUSALS as error:
            messages.error(request, refusal_text(error))
    return HttpResponseRedirect(viewer.page_url("failures"))

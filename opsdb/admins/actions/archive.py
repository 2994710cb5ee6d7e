"""Actions on moves into archives, and on staging."""

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from opsdb.models import DataLocation, PhysicalCopy, RawDataPackage
from opsdb.workflows import (
    fail_archive_transfer,
    fail_staging,
    release_staging,
    request_staging,
    reset_archive_transfer,
    reset_staging,
)

from ..kit.actions import Action
from ..kit.dates import utc_moment
from ..kit.keys import name_choices
from ..kit.names import called
from ..kit.orders import REFUSALS, Order, OrderForm, Outcome, OutcomeKind, refusal_text
from .work import SETTLE, give_up_by, reset_by


class StagingForm(OrderForm):
    """Where the data shall be readable, and until when."""

    location = forms.ModelChoiceField(
        DataLocation.objects.none(),
        label=_("Processing location"),
        empty_label=None,
        help_text=_("Where the data shall be readable."),
    )
    expires_at = utc_moment(_("Needed until"), _("UTC, as 2026-06-15 and 12:00; empty: until the job is released."))

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["location"].queryset = DataLocation.objects.processing().active()
        name_choices(self.fields["location"])


def _request_staging(rows: list, order: Order) -> list[Outcome]:
    target = type(rows[0])._meta.db_table
    copies = PhysicalCopy.objects.readable().filter(**{f"{target}__in": rows})
    readable = set(copies.values_list(target, flat=True))
    refused = _refusal_of_staging([row for row in rows if row.pk in readable], order)
    return [_outcome_of_staging(row, row.pk in readable, refused, order.inputs["location"]) for row in rows]


def _refusal_of_staging(rows: list, order: Order) -> str:
    """Request rows that have a readable copy, and return why that was refused, if it was."""
    if not rows:
        return ""
    argument = "packages" if isinstance(rows[0], RawDataPackage) else "products"
    try:
        request_staging(
            location=order.inputs["location"],
            user=order.user,
            purpose=order.message,
            expires_at=order.inputs["expires_at"],
            **{argument: rows},
        )
    except REFUSALS as error:
        return refusal_text(error)
    return ""


def _outcome_of_staging(row, is_readable, refused, location):
    if not is_readable:
        return Outcome(row.pk, called(row), OutcomeKind.REFUSED, [gettext("No copy of it can be read.")])
    if refused:
        return Outcome(row.pk, called(row), OutcomeKind.REFUSED, [refused])
    return Outcome(row.pk, called(row), OutcomeKind.CHANGES, [gettext("is in a staging job for %s") % location])


REQUEST_STAGING = Action(
    name="request_staging",
    label=_("Request staging"),
    about=_("A staging job brings the data to a processing location, where they stay while it is active."),
    run_all=_request_staging,
    permission="add_stagingjob",
    form=StagingForm,
)
RELEASE_STAGING = Action(
    name="release",
    label=_("Release"),
    about=_("The data are no longer needed where they were staged, and may be deleted there."),
    run=lambda job, order: release_staging(job),
    unless=lambda job: "" if job.active else gettext("It is released already."),
)
ARCHIVE_TRANSFER_ACTIONS = (
    reset_by(reset_archive_transfer),
    give_up_by(fail_archive_transfer),
    SETTLE,
)
STAGING_JOB_ACTIONS = (RELEASE_STAGING, reset_by(reset_staging), give_up_by(fail_staging), SETTLE)

"""Actions on copies and their deletion."""

from itertools import groupby

from django import forms
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from opsdb.models import (
    ChecksumAlgorithm,
    DataLocation,
    DeletionRequestItem,
    DeletionRequestStatus,
    LocationType,
    PackageState,
    PhysicalCopyStatus,
    Verification,
)
from opsdb.row_labels import place_of, with_row_labels
from opsdb.workflows import (
    approve_deletion,
    cancel_deletion,
    execute_deletion_request,
    fail_fixity,
    record_fixity,
    reject_deletion,
    repair_copy,
    repair_package,
    request_deletion,
    request_verification,
    reset_deletion,
    restore_copy,
    write_off_copy,
)

from ..kit.actions import Action, unless_in
from ..kit.names import called
from ..kit.orders import REFUSALS, Order, OrderForm, Outcome, OutcomeKind, Skipped, refusal_text
from .deciding import why_not_decide
from .judging import judge_deletions


class DeletionForm(OrderForm):
    """Whether retention is overridden."""

    overrides_retention = forms.BooleanField(
        label=_("Before the retention has passed"),
        required=False,
        help_text=_("Also copies that their location should still keep (rule 5). The other rules hold."),
    )


def _request_deletion(copies, order: Order):
    copies = sorted(copies, key=lambda copy: (copy.data_location_id, copy.pk))
    asked, outcomes = _open_requests(copies), []
    for _location, at_location in groupby(copies, key=lambda copy: copy.data_location_id):
        at_location = list(at_location)
        location = DataLocation.objects.select_related("site").get(pk=at_location[0].data_location_id)
        terms = {"user": order.user, "reason": order.message, **order.inputs}
        try:
            found = request_deletion(location, at_location, **terms)
            if found.copy_ids:
                found = request_deletion(location, at_location, **terms, dry_run=False)
        except REFUSALS as error:
            why = [refusal_text(error)]
            outcomes += [Outcome(copy.pk, called(copy), OutcomeKind.REFUSED, why) for copy in at_location]
            continue
        blocked = {one.copy_id: one for one in found.held_back}
        outcomes += [
            _of_deletion(copy, blocked.get(copy.pk), location, found.request, asked.get(copy.pk))
            for copy in at_location
        ]
    return outcomes


def _open_requests(copies):
    """Return the keys of the newest requests that ask for the deletion of copies already, by copy. One query."""
    open_states = (DeletionRequestStatus.REQUESTED, DeletionRequestStatus.APPROVED)
    items = DeletionRequestItem.objects.filter(physical_copy__in=copies, deletion_request__status__in=open_states)
    return dict(items.order_by("pk").values_list("physical_copy", "deletion_request"))


def _of_deletion(copy, blocked, location, request, earlier):
    if blocked is None:
        texts = [gettext("is in a request for deletion at %s, which another person must approve") % called(location)]
        if earlier is not None:
            texts.append(gettext("It is in deletion request %(number)s already.") % {"number": earlier})
        changed = {"status": copy.status}
        return Outcome(copy.pk, called(copy), OutcomeKind.CHANGES, texts, changed, made=request, pinned=texts)
    kind = OutcomeKind.SKIPPED if blocked.rule is None else OutcomeKind.REFUSED
    return Outcome(copy.pk, called(copy), kind, [with_row_labels(str(blocked))])


def _cancel_deletion(copy, order):
    if not cancel_deletion(copy):
        raise Skipped(gettext("It is not to be deleted."))


class FixityForm(OrderForm):
    """The checksum as computed now."""

    checksum = forms.RegexField(
        r"^([A-Za-z0-9-]+[:=])?[0-9A-Fa-f]{8,128}$",
        label=_("Checksum"),
        help_text=_("As computed now from the bytes at the location, hexadecimal; sha256: before it is understood."),
        widget=forms.TextInput(attrs={"class": "vTextField", "autocomplete": "off", "spellcheck": "false"}),
    )
    algorithm = forms.ChoiceField(
        label=_("Algorithm"),
        required=False,
        choices=[("", _("that of the recorded checksum")), *ChecksumAlgorithm.choices],
    )


def _record_fixity(copy, order):
    inputs = order.inputs
    return record_fixity(
        copy, inputs["checksum"], algorithm=inputs["algorithm"] or None, checked_by=order.user.get_username()
    )


def _describe_check(check):
    return gettext("The checksum agrees.") if check.ok else gettext("The checksum differs: the copy is corrupt.")


class UnreadForm(OrderForm):
    """Whether there is no file at all."""

    absent = forms.BooleanField(
        label=_("There is no such file"),
        required=False,
        help_text=_("The storage answered, and does not have it: then the copy is missing."),
    )


def _fail_fixity(copy, order):
    by = order.user.get_username()
    return fail_fixity(copy, message=order.message, absent=order.inputs["absent"], checked_by=by)


def _describe_repairs(transfers):
    places = ", ".join(place_of(transfer.destination_location) for transfer in transfers)
    return gettext("is sent again to %(places)s") % {"places": places}


def _why_not_repaired(copy):
    if copy.status == PhysicalCopyStatus.PRESENT and copy.verification == Verification.VERIFIED:
        return gettext("It is verified.")
    if copy.raw_data_package_id is None or copy.data_location.location_type != LocationType.LONG_TERM_ARCHIVE:
        return gettext("It is no copy of a package in an archive.")
    return ""


RETRY_DELETION = Action(
    name="retry_deletion",
    label=_("Retry deletion"),
    about=_("A deletion that failed is scheduled again, if the rules still allow it."),
    run=lambda copy, order: reset_deletion(copy),
    permission="change_physicalcopy",
    unless=unless_in(
        "status", PhysicalCopyStatus.DELETION_FAILED, because=_("It is %(state)s: only failed deletions are retried.")
    ),
)
REQUEST_VERIFICATION = Action(
    name="request_verification",
    label=_("Request verification"),
    about=_("Copies become unverified, and are the next to be checked at their location."),
    run=lambda copy, order: request_verification(copy),
    permission="change_physicalcopy",
    unless=lambda copy: (
        gettext("It is waiting for its check already.")
        if copy.verification == Verification.UNVERIFIED and copy.verified_at is None
        else ""
    ),
)
REPAIR_COPY = Action(
    name="repair",
    label=_("Repair"),
    about=_("A bad copy in an archive is replaced: its package is sent there again from a verified copy."),
    run=lambda copy, order: repair_copy(copy),
    report=_describe_repairs,
    permission="add_longtermarchivetransfer",
    unless=_why_not_repaired,
)
BRING_BACK = Action(
    name="restore",
    label=_("Bring back"),
    about=_("The bytes of a deleted or missing copy are there again; it is present, and unverified."),
    run=lambda copy, order: restore_copy(copy, user=order.user, reason=order.message),
    permission="change_physicalcopy",
    unless=unless_in(
        "status",
        PhysicalCopyStatus.DELETED,
        PhysicalCopyStatus.MISSING,
        because=_("It is %(state)s, neither deleted nor missing."),
    ),
)
REPAIR_PACKAGE = Action(
    name="repair",
    label=_("Repair"),
    about=_("Archives that have lost the package, or never had it, get it again from a verified copy."),
    run=lambda package, order: repair_package(package),
    report=_describe_repairs,
    permission="add_longtermarchivetransfer",
    unless=unless_in("state", PackageState.ARCHIVED, because=_("It is %(state)s, not archived.")),
)
COPY_ACTIONS = (
    Action(
        name="request_deletion",
        label=_("Request deletion"),
        about=_("Asks another person to approve the deletion of copies that no rule holds back."),
        run_all=_request_deletion,
        permission="add_deletionrequest",
        form=DeletionForm,
        afterwards=_("Another person must approve %(rows)s."),
    ),
    Action(
        name="cancel_deletion",
        label=_("Cancel deletion"),
        about=_("Copies that were to be deleted are kept, unless a worker deletes them already."),
        run=_cancel_deletion,
        permission="change_physicalcopy",
        unless=unless_in(
            "status",
            PhysicalCopyStatus.DELETION_POSSIBLE,
            PhysicalCopyStatus.DELETION_SCHEDULED,
            PhysicalCopyStatus.DELETION_FAILED,
            PhysicalCopyStatus.DELETION_IN_PROGRESS,
            because=_("It is %(state)s, and not to be deleted."),
        ),
    ),
    Action(
        name="write_off",
        label=_("Write off"),
        about=_("A missing copy is given up as deleted, if its content is safe elsewhere."),
        run=lambda copy, order: write_off_copy(copy),
        permission="change_physicalcopy",
        unless=unless_in("status", PhysicalCopyStatus.MISSING, because=_("It is %(state)s, not missing.")),
    ),
    RETRY_DELETION,
    REQUEST_VERIFICATION,
    Action(
        name="record_fixity",
        label=_("Record a fixity check"),
        about=_("A checksum that was computed of the copy just now is compared with the recorded one."),
        run=_record_fixity,
        report=_describe_check,
        permission="add_fixitycheck",
        form=FixityForm,
        one_row=True,
    ),
    Action(
        name="fail_fixity",
        label=_("Record that it can't be read"),
        about=_("Copies that could not be read just now, for the reason given, are not verified any more."),
        run=_fail_fixity,
        permission="add_fixitycheck",
        form=UnreadForm,
        unless=lambda copy: (
            gettext("It was deleted: there is nothing to read.") if copy.status == PhysicalCopyStatus.DELETED else ""
        ),
    ),
    BRING_BACK,
    REPAIR_COPY,
)


def _describe_execution(done):
    text = ngettext("%s copy is scheduled for deletion", "%s copies are scheduled for deletion", len(done.copies))
    return "; ".join([text % len(done.copies), *(with_row_labels(str(one)) for one in done.held_back)])


def _terms_of(request, _result):
    """Return what is decided on: the copies as they are, and on what terms they go."""
    copies = request.items.order_by("pk").values_list("pk", "size_bytes")
    return [request.overrides_retention, request.limit, list(copies)]


def _scheduled_and_held_back(_request, done):
    return [
        sorted(copy.pk for copy in done.copies),
        sorted((one.copy_id, one.rule or 0, one.held_by) for one in done.held_back),
    ]


DELETION_REQUEST_ACTIONS = (
    Action(
        name="approve",
        label=_("Approve"),
        about=_("The copies that the request lists may then be deleted. It can't be your own request."),
        run=lambda request, order: approve_deletion(request, user=order.user),
        pinned=_terms_of,
        permission="approve_deletionrequest",
        unless=unless_in("status", DeletionRequestStatus.REQUESTED, because=_("It is %(state)s already.")),
        unless_by=why_not_decide,
        judge=judge_deletions,
    ),
    Action(
        name="reject",
        label=_("Reject"),
        about=_("Nothing is deleted by this request. It can't be your own."),
        run=lambda request, order: reject_deletion(request, user=order.user),
        pinned=_terms_of,
        permission="approve_deletionrequest",
        unless=unless_in(
            "status",
            DeletionRequestStatus.REQUESTED,
            DeletionRequestStatus.APPROVED,
            because=_("It is %(state)s already."),
        ),
        unless_by=why_not_decide,
        judge=judge_deletions,
    ),
    Action(
        name="execute",
        label=_("Execute"),
        about=_("The copies of an approved request are scheduled for deletion, each looked at again."),
        run=lambda request, order: execute_deletion_request(request, user=order.user),
        report=_describe_execution,
        pinned=_scheduled_and_held_back,
        permission="execute_deletionrequest",
        unless=unless_in(
            "status", DeletionRequestStatus.APPROVED, because=_("It is %(state)s: only approved requests are executed.")
        ),
        judge=judge_deletions,
    ),
)

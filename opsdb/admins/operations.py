"""What operators do to rows: every action declared, and a tuple of them for the admin of each model.

Nothing is decided here: the workflows and the database do that. A lambda that ends in ``and None`` has nothing to say
beside the fields that change.
"""

from itertools import groupby

from django import forms
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from opsdb.models import (
    ChecksumAlgorithm,
    DataLocation,
    DeletionRequestStatus,
    PhysicalCopy,
    PhysicalCopyStatus,
    Quality,
    RawDataPackage,
    RunStatus,
    Status,
    Verification,
)
from opsdb.workflows import (
    approve_deletion,
    assess_observation,
    cancel_deletion,
    cancel_run,
    enable_resource,
    execute_deletion_request,
    fail_archive_transfer,
    fail_run,
    fail_transfer,
    get_switch_field,
    pause_resource,
    plan_runs,
    record_fixity,
    reject_deletion,
    release_staging,
    request_deletion,
    request_staging,
    request_verification,
    reroute_transfer,
    reset_archive_transfer,
    reset_run,
    reset_transfer,
    reset_unpacking,
    validate_topology,
    work,
    write_off_copy,
)

from .kit.actions import REFUSALS, Action, Kind, Order, OrderForm, Outcome, Skipped, refusal_text
from .kit.values import in_words

# Work


def _is(field, *states, words):
    """Return what skips rows that are in none of these states."""

    def unless(row):
        if getattr(row, field) in states:
            return ""
        return words % {"state": getattr(row, f"get_{field}_display")()}

    return unless


IS_NOT_FAILED = _("It is %(state)s: only what failed, or is held by a worker that is gone, is reset.")
RESETTABLE = (Status.FAILED, Status.SCHEDULED, Status.IN_PROGRESS)


def reset_by(workflow, *states):
    """Return the action that makes failed work pending again."""
    return Action(
        name="reset",
        label=_("Reset failed"),
        about=_("Failed work, or work whose worker is gone, is pending again with all its retries."),
        run=lambda row, order: workflow(row) and None,
        unless=_is("status", *(states or RESETTABLE), words=IS_NOT_FAILED),
    )


def give_up_by(workflow):
    """Return the action that lets work in progress fail for good, in the name of the worker that holds it."""
    return Action(
        name="give_up",
        label=_("Give up"),
        about=_("Work that a worker holds fails for good with your reason, until somebody resets it."),
        run=lambda row, order: workflow(row, worker=row.claimed_by, message=order.message, retryable=False) and None,
        unless=_is("status", Status.IN_PROGRESS, words=_("It is %(state)s: only work in progress is given up.")),
    )


def _reroute(transfer, order):
    planned = reroute_transfer(transfer)
    return gettext("Planned instead: %s") % ", ".join(
        f"{hop.origin_location} → {hop.destination_location}" for hop in planned
    )


REROUTE = Action(
    name="reroute",
    label=_("Plan anew"),
    about=_("A transfer that failed or has not begun is given up; its package goes another way, as routes are now."),
    run=_reroute,
    unless=_is(
        "status",
        Status.FAILED,
        *Status.claimable(),
        words=_("It is %(state)s: only what failed or has not begun is planned anew."),
    ),
)

OF_WORK = (reset_by(work.reset), give_up_by(work.fail))
OF_TRANSFERS = (
    reset_by(reset_transfer),
    Action(
        name="retry_unpacking",
        label=_("Retry unpacking only"),
        about=_("What has arrived is unpacked again where it is, and not transferred again."),
        run=lambda transfer, order: reset_unpacking(transfer) and None,
        unless=_is(
            "unpack_status", Status.FAILED, Status.IN_PROGRESS, words=_("Its unpacking is %(state)s, not to be reset.")
        ),
    ),
    REROUTE,
    give_up_by(fail_transfer),
)
OF_ARCHIVE_TRANSFERS = (
    reset_by(reset_archive_transfer),
    give_up_by(fail_archive_transfer),
)

# Locations, routes, pipelines


def _problems():
    return [str(problem) for problem in validate_topology()]


def _switched(row) -> bool:
    return getattr(row, get_switch_field(type(row)))


PAUSE = Action(
    name="pause",
    label=_("Pause"),
    about=_("It is out of use: what is under way goes on, and nothing new is planned there."),
    run=lambda row, order: pause_resource(row) and None,
    unless=lambda row: "" if _switched(row) else gettext("It is paused already."),
    watch=_problems,
)
ENABLE = Action(
    name="enable",
    label=_("Enable"),
    about=_("It is in use again."),
    run=lambda row, order: enable_resource(row) and None,
    unless=lambda row: gettext("It is in use already.") if _switched(row) else "",
    watch=_problems,
)
OF_SWITCHES = (PAUSE, ENABLE)

# Copies and their deletion


class DeletionForm(OrderForm):
    overrides_retention = forms.BooleanField(
        label=_("Before the retention has passed"),
        required=False,
        help_text=_("Also copies that their location should still keep (rule 5). The other rules hold."),
    )


def _request_deletion(copies, order: Order):
    copies = sorted(copies, key=lambda copy: (copy.data_location_id, copy.pk))
    outcomes = []
    for _location, at_location in groupby(copies, key=lambda copy: copy.data_location_id):
        at_location = list(at_location)
        location = at_location[0].data_location
        terms = {"user": order.user, "reason": order.message, **order.inputs}
        try:
            found = request_deletion(location, at_location, **terms)
            if found.copy_ids:
                found = request_deletion(location, at_location, **terms, dry_run=False)
        except REFUSALS as error:
            why = [refusal_text(error)]
            outcomes += [Outcome(copy.pk, str(copy), Kind.REFUSED, why) for copy in at_location]
            continue
        held_back = {one.copy_id: one for one in found.held_back}
        outcomes += [_of_deletion(copy, held_back.get(copy.pk), location) for copy in at_location]
    return outcomes


def _of_deletion(copy, held_back, location):
    if held_back is None:
        text = gettext("is in a request for deletion at %s, which another person must approve") % location
        return Outcome(copy.pk, str(copy), Kind.CHANGES, [text], {"status": copy.status})
    kind = Kind.SKIPPED if held_back.rule is None else Kind.REFUSED
    return Outcome(copy.pk, str(copy), kind, [in_words(str(held_back))])


def _cancel_deletion(copy, order):
    if not cancel_deletion(copy):
        raise Skipped(gettext("It is not to be deleted."))


class FixityForm(OrderForm):
    checksum = forms.RegexField(
        r"^[0-9a-f]{8,128}$",
        label=_("Checksum"),
        help_text=_("As computed now from the bytes at the location, lower-case hexadecimal."),
        widget=forms.TextInput(attrs={"class": "vTextField", "autocomplete": "off", "spellcheck": "false"}),
    )
    algorithm = forms.ChoiceField(
        label=_("Algorithm"),
        required=False,
        choices=[("", _("that of the recorded checksum")), *ChecksumAlgorithm.choices],
    )


def _record_fixity(copy, order):
    inputs = order.inputs
    check = record_fixity(
        copy, inputs["checksum"], algorithm=inputs["algorithm"] or None, checked_by=order.user.get_username()
    )
    return gettext("The checksum agrees.") if check.ok else gettext("The checksum differs: the copy is corrupt.")


OF_COPIES = (
    Action(
        name="request_deletion",
        label=_("Request deletion"),
        about=_("Asks another person to approve the deletion of copies that no rule holds back."),
        run_all=_request_deletion,
        permission="add_deletionrequest",
        form=DeletionForm,
    ),
    Action(
        name="cancel_deletion",
        label=_("Cancel deletion"),
        about=_("Copies that were to be deleted are kept, unless a worker deletes them already."),
        run=_cancel_deletion,
        permission="change_physicalcopy",
        unless=_is(
            "status",
            PhysicalCopyStatus.DELETION_POSSIBLE,
            PhysicalCopyStatus.DELETION_SCHEDULED,
            PhysicalCopyStatus.DELETION_FAILED,
            PhysicalCopyStatus.DELETION_IN_PROGRESS,
            words=_("It is %(state)s, and not to be deleted."),
        ),
    ),
    Action(
        name="write_off",
        label=_("Write off"),
        about=_("A missing copy need not be looked for any more, if its content is safe elsewhere."),
        run=lambda copy, order: write_off_copy(copy) and None,
        permission="change_physicalcopy",
        unless=_is("status", PhysicalCopyStatus.MISSING, words=_("It is %(state)s, not missing.")),
    ),
    Action(
        name="doubt",
        label=_("Verify out of turn"),
        about=_("Copies are unverified until they are checked, and the next to be checked at their location."),
        run=lambda copy, order: request_verification(copy) and None,
        permission="change_physicalcopy",
        unless=lambda copy: (
            gettext("It waits for its check already.")
            if copy.verification == Verification.UNVERIFIED and copy.verified_at is None
            else ""
        ),
    ),
    Action(
        name="record_fixity",
        label=_("Record a fixity check"),
        about=_("A checksum that was computed of the copy just now is compared with the recorded one."),
        run=_record_fixity,
        permission="add_fixitycheck",
        form=FixityForm,
        one_row=True,
    ),
)


def _execute(request, order):
    done = execute_deletion_request(request, user=order.user)
    text = ngettext("%s copy is scheduled for deletion", "%s copies are scheduled for deletion", len(done.copies))
    return "; ".join([text % len(done.copies), *(in_words(str(one)) for one in done.held_back)])


OF_DELETION_REQUESTS = (
    Action(
        name="approve",
        label=_("Approve"),
        about=_("Copies may then be deleted as this request says. It can't be your own request."),
        run=lambda request, order: approve_deletion(request, user=order.user) and None,
        permission="approve_deletionrequest",
        unless=_is("status", DeletionRequestStatus.REQUESTED, words=_("It is %(state)s already.")),
    ),
    Action(
        name="reject",
        label=_("Reject"),
        about=_("Nothing is deleted by this request. It can't be your own."),
        run=lambda request, order: reject_deletion(request, user=order.user) and None,
        permission="approve_deletionrequest",
        unless=_is(
            "status",
            DeletionRequestStatus.REQUESTED,
            DeletionRequestStatus.APPROVED,
            words=_("It is %(state)s already."),
        ),
    ),
    Action(
        name="execute",
        label=_("Execute"),
        about=_("The copies of an approved request are scheduled for deletion, each looked at again."),
        run=_execute,
        permission="execute_deletionrequest",
        unless=_is(
            "status", DeletionRequestStatus.APPROVED, words=_("It is %(state)s: only approved requests are executed.")
        ),
    ),
)

# Staging


class StagingForm(OrderForm):
    location = forms.ModelChoiceField(
        DataLocation.objects.none(),
        label=_("Processing location"),
        empty_label=None,
        help_text=_("Where the data shall be readable."),
    )
    expires_at = forms.SplitDateTimeField(
        label=_("Needed until"),
        required=False,
        help_text=_("UTC, as 2026-06-15 and 12:00; empty: until the job is released."),
        widget=forms.SplitDateTimeWidget(
            date_attrs={"type": "date", "aria-label": _("Needed until: date")},
            time_attrs={"type": "time", "aria-label": _("Needed until: time")},
        ),
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["location"].queryset = DataLocation.objects.processing().active().select_related("site")


def _request_staging(things, order: Order):
    target = type(things[0])._meta.db_table
    readable = set(PhysicalCopy.objects.readable().filter(**{f"{target}__in": things}).values_list(target, flat=True))
    there = [thing for thing in things if thing.pk in readable]
    location = order.inputs["location"]
    argument = "packages" if isinstance(things[0], RawDataPackage) else "products"
    refused = None
    if there:
        try:
            request_staging(
                location=location,
                user=order.user,
                purpose=order.message,
                expires_at=order.inputs["expires_at"],
                **{argument: there},
            )
        except REFUSALS as error:
            refused = refusal_text(error)
    outcomes = []
    for thing in things:
        if refused and thing.pk in readable:
            outcomes.append(Outcome(thing.pk, str(thing), Kind.REFUSED, [refused]))
        elif thing.pk in readable:
            text = gettext("is in a staging job for %s") % location
            outcomes.append(Outcome(thing.pk, str(thing), Kind.CHANGES, [text]))
        else:
            why = gettext("No copy of it can be read.")
            outcomes.append(Outcome(thing.pk, str(thing), Kind.REFUSED, [why]))
    return outcomes


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
    run=lambda job, order: release_staging(job) and None,
    unless=lambda job: "" if job.active else gettext("It is released already."),
)
OF_PACKAGES = (*OF_WORK, REQUEST_STAGING)
OF_PRODUCTS = (REQUEST_STAGING,)
OF_STAGING_JOBS = (RELEASE_STAGING, *OF_WORK)

# Observations


class QualityForm(OrderForm):
    quality = forms.ChoiceField(label=_("Quality"), choices=Quality.choices, widget=forms.RadioSelect)


OF_EXECUTIONS = (
    Action(
        name="assess",
        label=_("Mark quality"),
        about=_("Your judgement of how good the data are."),
        run=lambda execution, order: assess_observation(execution, order.inputs["quality"]) and None,
        permission="assess_executedobsunit",
        form=QualityForm,
    ),
)

# Reduction


class PlanForm(OrderForm):
    again = forms.BooleanField(
        label=_("Also what was reduced before"),
        required=False,
        help_text=_("Plan also for groups without new packages, and without waiting: after a new version, say."),
    )


def _plan_runs(target, order):
    planned = plan_runs(target, again=order.inputs["again"])
    if not planned:
        raise Skipped(gettext("There is nothing to plan."))
    return ngettext("%s run is planned", "%s runs are planned", len(planned)) % len(planned)


PLAN_RUNS = Action(
    name="plan_runs",
    label=_("Plan runs now"),
    about=_("Runs are planned for everything that is ready, without waiting for the next look."),
    run=_plan_runs,
    permission="add_executedreductionstep",
    form=PlanForm,
)
OF_PIPELINES = (PAUSE, ENABLE, PLAN_RUNS)
OF_STEPS = (PLAN_RUNS,)
OPEN_RUN = tuple(status for status in RunStatus.open() if RunStatus.CANCELLED in status.may_become)
OF_RUNS = (
    reset_by(reset_run, RunStatus.FAILED),
    Action(
        name="give_up",
        label=_("Give up"),
        about=_("An open run fails for good with your reason, until somebody resets it."),
        run=lambda run, order: fail_run(run, message=order.message, retryable=False) and None,
        unless=_is("status", *RunStatus.open(), words=_("It is %(state)s: only open runs are given up.")),
    ),
    Action(
        name="cancel",
        label=_("Cancel"),
        about=_("An open run is given up for good; its group gets another when there is something new."),
        run=lambda run, order: cancel_run(run, reason=order.message) and None,
        unless=_is("status", *OPEN_RUN, words=_("It is %(state)s: it can't be cancelled.")),
    ),
)

# Access


def _revoke(token, order):
    type(token).objects.filter(pk=token.pk, revoked_at__isnull=True).update(
        active=False, revoked_at=timezone.now(), revoked_by=order.user
    )


OF_TOKENS = (
    Action(
        name="revoke",
        label=_("Revoke"),
        about=_("Withdraws tokens for good: no program can use them any more."),
        run=_revoke,
        unless=lambda token: gettext("It is revoked already.") if token.revoked_at else "",
    ),
)

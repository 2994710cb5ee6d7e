"""Every state of every machine: either nothing has to happen, or what the explanation names can be done and helps."""

import re
from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from opsdb import workflows
from opsdb.models import (
    DataLocation,
    DataTransfer,
    DataTransferPackage,
    DeletionRequest,
    ExecutedObsUnit,
    ExecutedReductionStep,
    LongTermArchiveTransfer,
    ObservationStatus,
    PackageState,
    PhysicalCopy,
    PhysicalCopyStatus,
    RawDataPackage,
    RunStatus,
    StagingJob,
    Status,
)
from opsdb.models.enums import DeletionRequestStatus, StateChoices
from opsdb.testing.factories import PipelineFactory, UserFactory
from opsdb.testing.nights import FILE_BYTES, TAR_OVERHEAD_BYTES, WORKER, build_world, digest, found
from opsdb.workflows import (
    begin_run,
    bundle_raw_data_packages,
    claim_archive_transfers,
    claim_bundling,
    claim_deletions,
    claim_packaging,
    claim_runs,
    claim_staging,
    claim_transfers,
    collect_run,
    complete_archive_transfer,
    complete_bundling,
    complete_deletion,
    complete_packaging,
    complete_run,
    complete_staging,
    complete_transfer,
    explain_row,
    finish_observation,
    list_missing_content,
    plan_archiving,
    plan_runs,
    plan_transfers,
    request_staging,
    reset_deletion,
    restore_copy,
    schedule_deletion,
    submit_run,
)
from opsdb.workflows.explain._explanation import EXPLAINERS
from tests.workflows.reducing import available, make_step
from tests.workflows.scenario_deletion import force
from tests.worlds import shared_world

pytestmark = pytest.mark.django_db

MACHINES = {
    RawDataPackage: (("status", Status), ("state", PackageState)),
    DataTransferPackage: (("status", Status),),
    DataTransfer: (("status", Status), ("unpack_status", Status)),
    LongTermArchiveTransfer: (("status", Status),),
    StagingJob: (("status", Status),),
    PhysicalCopy: (("status", PhysicalCopyStatus),),
    ExecutedReductionStep: (("status", RunStatus),),
    ExecutedObsUnit: (("status", ObservationStatus),),
    DeletionRequest: (("status", DeletionRequestStatus),),
}
CASES = [
    (model, field, state) for model, machines in MACHINES.items() for field, states in machines for state in states
]
NOW = timezone.now()
# What a row in a state also has, so that no CHECK is broken.
FACTS = {
    "failed": {"failure_message": "disk full", "finished_at": NOW},
    "completed": {"finished_at": NOW},
    "in_progress": {"started_at": NOW, "heartbeat_at": NOW, "claimed_by": WORKER},
}


@shared_world
def world():
    """An observatory with an archived package."""
    world = build_world()
    world.package = world.archived_package()
    return world


def new_run(world):
    pipeline = PipelineFactory()
    available(pipeline)
    [run] = plan_runs(make_step(pipeline))
    return run


def new_staging(world):
    return request_staging(location=world.processing, packages=[world.package])


def new_archive_transfer(world):
    world.made_bundle()
    plan_transfers()
    world.carry()
    world.unpack()
    return next(transfer for archive in world.archives for transfer in plan_archiving(archive))


def new_transfer(world):
    world.made_bundle()
    return plan_transfers()[0]


def arrived_transfer(world):
    new_transfer(world)
    return world.carry()[0]


def new_bundle(world):
    world.made_packages()
    return bundle_raw_data_packages(world.ccat_buffer)[0]


def copy_in_buffer(world):
    DataLocation.objects.update(retention_days=0)
    return world.copy(world.package, world.ccat_buffer)


def asked_for(world, state):
    """A deletion request that people have led to a state."""
    decider, asking = UserFactory(superuser=True), UserFactory(superuser=True)
    copies = [copy_in_buffer(world)]
    request = workflows.request_deletion(world.ccat_buffer, copies, user=asking, reason="full", dry_run=False).request
    if state == DeletionRequestStatus.REJECTED:
        workflows.reject_deletion(request, user=decider)
    elif state != DeletionRequestStatus.REQUESTED:
        workflows.approve_deletion(request, user=decider)
    if state == DeletionRequestStatus.EXECUTED:
        workflows.execute_deletion_request(request, user=decider)
    request.decider = decider
    return request


MAKE = {
    (RawDataPackage, "status"): lambda world: world.plan_packages()[0],
    (RawDataPackage, "state"): lambda world: world.made_packages()[0],
    (DataTransferPackage, "status"): new_bundle,
    (DataTransfer, "status"): new_transfer,
    (DataTransfer, "unpack_status"): arrived_transfer,
    (LongTermArchiveTransfer, "status"): new_archive_transfer,
    (StagingJob, "status"): new_staging,
    (PhysicalCopy, "status"): copy_in_buffer,
    (ExecutedReductionStep, "status"): new_run,
    (ExecutedObsUnit, "status"): lambda world: world.observe(running=True),
}


def in_state(world, model, field, state):
    """A row in a state, with what goes with it."""
    if (model, field, state) == (RawDataPackage, "state", PackageState.ARCHIVED):
        return world.package
    if state == "completed" and model is RawDataPackage:
        return world.made_packages()[0]
    if state == "completed" and model is DataTransferPackage:
        return world.made_bundle()
    if model is DeletionRequest:
        return asked_for(world, state)
    row = MAKE[model, field](world)
    if getattr(row, field) == state:
        return row
    names = {column.name for column in model._meta.concrete_fields}
    facts = {name: value for name, value in FACTS.get(state, {}).items() if name in names}
    if model is PhysicalCopy:
        facts = {"failure_message": "x", "deleted_at": NOW}
        facts |= {"verification": "mismatch", "verified_at": NOW} if state == "corrupt" else {}
    elif model is ExecutedObsUnit:
        facts = {"end_time": row.start_time + timedelta(minutes=5)}
    elif model is ExecutedReductionStep:
        facts = {"submitted_at": NOW, "started_at": NOW}
        facts |= {"finished_at": NOW, "failure_message": "x"} if state in ("completed", "failed", "cancelled") else {}
    elif field == "unpack_status":
        facts = {
            "failed": {"unpack_failure_message": "not a tar"},
            "in_progress": {"unpack_claimed_by": WORKER, "unpack_heartbeat_at": NOW},
            "completed": {"unpacked_at": NOW},
        }.get(state, {})
    elif field == "state":
        facts = {}
    return force(row, **{field: state}, **facts)


def reset(row, text):
    """Call the function that a step names."""
    [name] = re.findall(r"opsdb\.workflows\.(reset_\w+)", text)
    [table, key] = re.search(r"reset (?:the unpacking of )?(\w+) ([\w-]+)", text).groups()
    return getattr(workflows, name)(workflows.find_row(f"{table} {key}"))


def complete(world):
    """Do, as a worker, whatever waits for one or is held by one."""
    held = {"status": Status.IN_PROGRESS, "claimed_by": WORKER}
    for package in [*claim_packaging(worker=WORKER, limit=9), *RawDataPackage.objects.filter(**held)]:
        content = sum(package.raw_data_files.values_list("size_bytes", flat=True)) or FILE_BYTES
        size = content + TAR_OVERHEAD_BYTES
        facts = {"location": world.ccat_buffer, "size_bytes": size, "checksum": digest(package)}
        if package.status == Status.IN_PROGRESS:
            return complete_packaging(package, worker=WORKER, **facts)
    for bundle in [*claim_bundling(worker=WORKER), *DataTransferPackage.objects.filter(**held)]:
        return complete_bundling(bundle, worker=WORKER, size_bytes=99_999, checksum=digest(bundle))
    for transfer in [*claim_transfers(worker=WORKER), *DataTransfer.objects.filter(**held)]:
        return complete_transfer(transfer, worker=WORKER, checksum=transfer.data_transfer_package.checksum)
    for transfer in DataTransfer.objects.filter(unpack_status=Status.IN_PROGRESS):
        reports = [found(package) for package in transfer.data_transfer_package.raw_data_packages.all()]
        return workflows.complete_unpacking(transfer, worker=WORKER, reports=reports)
    if world.unpack():
        return None
    for transfer in [*claim_archive_transfers(worker=WORKER), *LongTermArchiveTransfer.objects.filter(**held)]:
        return complete_archive_transfer(transfer, worker=WORKER, checksum=transfer.raw_data_package.checksum)
    for job in [*claim_staging(worker=WORKER), *StagingJob.objects.filter(**held)]:
        return complete_staging(job, worker=WORKER, reports=[found(content) for content in list_missing_content(job)])
    raise AssertionError("nothing waits for a worker")


# What a step says, and how it is done.
STEPS = [
    (r"schedule its deletion again", lambda world, row, text: reset_deletion(row)),
    (r"reset_\w+\)?", lambda world, row, text: reset(row, text)),
    (r"delete its bytes", lambda world, row, text: claim_deletions(row.data_location, limit=1)),
    (r"complete the deletion|report the deletion", lambda world, row, text: complete_deletion(row)),
    (r"schedule its deletion", lambda world, row, text: schedule_deletion(row)),
    (r"bring the copy back", lambda world, row, text: restore_copy(row, user=None, reason="found")),
    (r"claim it|finish it|unpack it|finish unpacking", lambda world, row, text: complete(world)),
    (r"bundle the packages", lambda world, row, text: bundle_raw_data_packages(world.ccat_buffer)),
    (r"plan the transfers", lambda world, row, text: plan_transfers()),
    (r"plan further transfers", lambda world, row, text: plan_transfers()),
    (r"plan the archiving", lambda world, row, text: [plan_archiving(archive) for archive in world.archives]),
    (r"start the run", lambda world, row, text: claim_runs()),
    (r"fail the run", lambda world, row, text: workflows.fail_run(row, message="no data")),
    (r"submit the run", lambda world, row, text: submit_run(row, hpc_job_id="1")),
    (r"start job", lambda world, row, text: begin_run(row)),
    (r"wait until job", lambda world, row, text: collect_run(row)),
    (r"register its products and complete", lambda world, row, text: complete_run(row)),
    (r"wait until the observation", lambda world, row, text: finish_observation(row.pk, end_time=timezone.now())),
    (r"^approve", lambda world, row, text: workflows.approve_deletion(row, user=row.decider)),
    (r"^execute", lambda world, row, text: workflows.execute_deletion_request(row, user=row.decider)),
    (r"register the files", lambda world, row, text: world.register(row)),
]


def take_step(world, row, text):
    for pattern, take in STEPS:
        if re.search(pattern, text):
            return take(world, row, text)
    raise AssertionError(f"nobody knows how to {text!r}")


@pytest.mark.parametrize(("model", "field", "state"), CASES, ids=lambda value: getattr(value, "__name__", value))
def test_what_has_to_happen_next_can_be_done(world, model, field, state):
    row = in_state(world, model, field, state)
    before = explain_row(row)
    if before.done:
        assert (before.who, before.next_step) == ("nobody", "nothing")
        return
    assert before.who != "nobody" and before.next_step != "nothing"
    take_step(world, row, before.next_step)
    row.refresh_from_db()
    assert explain_row(row) != before


UNVERIFIED = {"verification": "unverified", "verified_at": None}
# In what a copy may be that no other may be made from.
BAD = {
    "corrupt": {"status": "corrupt", "verification": "mismatch", "verified_at": NOW},
    "missing": {"status": "missing", **UNVERIFIED, "failure_message": "no such file"},
    "unread": {"status": "present", **UNVERIFIED, "unread_count": 3, "next_check_at": NOW + timedelta(days=1)},
}
OTHERS = BAD | {
    "unverified": {"status": "present", **UNVERIFIED},
    "deleted": {"status": "deleted", **UNVERIFIED, "deleted_at": NOW},
}
WAYS_BACK = {
    r"bring it back": lambda copy: restore_copy(copy, user=None, reason="found"),
    r"record": lambda copy: workflows.record_fixity(copy, copy.raw_data_package.checksum),
}


def ways_back(step):
    """The steps that an explanation names as alternatives: copies, and what is done with them."""
    for part in re.split(r", or (?!opsdb\.)", step):
        [key] = re.findall(r"physical_copy (\d+) at ", part)
        yield PhysicalCopy.objects.get(pk=key), next(take for words, take in WAYS_BACK.items() if words in part)


@pytest.mark.parametrize("others", OTHERS)
@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("asked", ["package", "copy"])
def test_each_way_back_to_a_verified_copy_can_be_taken_in_the_states_of_the_copies(world, asked, bad, others):
    package = world.package
    copy = world.copy(package, world.us_archive)
    for other in package.copies.exclude(pk=copy.pk):
        force(other, **OTHERS[others])
    force(copy, **BAD[bad])
    row = package if asked == "package" else copy
    before = explain_row(row)
    if before.who.startswith("worker at queue "):
        assert "_fixity_check" in before.who and "compute the checksum of physical_copy" in before.next_step
        return
    steps = list(ways_back(before.next_step))
    assert before.who == "operator" and steps, before
    assert len({one.pk for one, _take in steps}) == len(steps)
    for one, take in steps:
        with transaction.atomic():
            take(one)
            assert explain_row(type(row).objects.get(pk=row.pk)) != before
            transaction.set_rollback(True)


def test_no_machine_is_left_out():
    machines = {
        (model, field.name) for model in EXPLAINERS for field in model._meta.concrete_fields if StateChoices.of(field)
    }
    assert machines == {(model, field) for model, fields in MACHINES.items() for field, _ in fields}

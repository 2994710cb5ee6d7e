"""The app where nothing is as in the stand-alone project, all at once.

On a second database that a router names, in a schema of its own that the role's ``search_path`` names, as a role that
owns nothing, and through PgBouncer in transaction mode. A statement on ``default`` fails.
"""

import json
import sys
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from datetime import timedelta
from functools import wraps
from inspect import isfunction
from io import StringIO
from pathlib import Path
from time import monotonic
from unittest.mock import patch

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.core.signals import request_finished
from django.db import Error, connections, transaction
from django.http import HttpResponse
from django.test import Client, RequestFactory, override_settings
from django.urls import reverse
from django.utils import timezone
from psycopg import IntegrityError

from opsdb import workflows
from opsdb.database.aliases import atomic
from opsdb.database.local_settings import set_locally
from opsdb.database.roles import APPLICATION_TIMEOUTS, as_owner
from opsdb.events import follow
from opsdb.management.commands import opsdb_migrate
from opsdb.middleware import StatementTimeoutMiddleware
from opsdb.models import (
    ChangeLog,
    DataLocation,
    DataProduct,
    Downtime,
    ExecutedReductionStep,
    FixedSource,
    LongTermArchiveTransfer,
    ObsUnit,
    PackageState,
    PhysicalCopy,
    PreScheduledSlot,
    Quality,
    RunStatus,
    Site,
    Source,
)
from opsdb.testing.factories import FACTORIES, DiskDataLocationFactory, PipelineFactory, UserFactory
from opsdb.testing.nights import WORKER, build_world
from opsdb.workflows import (
    acknowledge_failures,
    add_to_release,
    assess_observation,
    attributed,
    bundle_raw_data_packages,
    cancel_deletion,
    claim_archive_transfers,
    claim_bundling,
    claim_deletions,
    claim_packaging,
    claim_runs,
    claim_staging,
    claim_transfers,
    claim_unpacking,
    complete_archive_transfer,
    complete_deletion,
    correct_bundling,
    correct_observation,
    correct_packaging,
    count_booked_bytes,
    count_stage_failures,
    create_release,
    describe_lack,
    enable_resource,
    expire_staging,
    explain_deletion,
    explain_row,
    fail_archive_transfer,
    fail_bundling,
    fail_deletion,
    fail_fixity,
    fail_packaging,
    fail_run,
    fail_staging,
    fail_transfer,
    fail_unpacking,
    filter_stalled,
    find_affected_slots,
    find_copies,
    find_planning_warnings,
    find_row,
    find_slot_conflict,
    find_time_of_room,
    group_failures,
    heartbeat_archive_transfer,
    heartbeat_bundling,
    heartbeat_packaging,
    heartbeat_staging,
    heartbeat_transfer,
    heartbeat_unpacking,
    list_acknowledgements,
    list_due_fixity_checks,
    list_due_pipelines,
    list_failures,
    list_open_traffic,
    list_unit_progress,
    measure_archive_delays,
    measure_backlogs,
    measure_location,
    measure_observing_time,
    measure_program_time,
    measure_traffic_rates,
    measure_volumes,
    name_actor,
    name_deletion_rule,
    normalize_message,
    package_raw_data_files,
    pause_resource,
    plan_repairs,
    plan_runs,
    plan_transfers,
    reconcile_location,
    record_fixity,
    remake_product,
    repair_copy,
    repair_package,
    request_staging,
    request_verification,
    reroute_transfer,
    reset_archive_transfer,
    reset_bundling,
    reset_deletion,
    reset_packaging,
    reset_run,
    reset_staging,
    reset_transfer,
    reset_unpacking,
    restore_copy,
    schedule_deletion,
    search_rows,
    settle_conflict,
    start_run,
    summarize_execution_data,
    supersede_product,
    trace_journey,
    use_newer_products,
    withdraw_acknowledgement,
    write_off_copy,
)
from tests import clusters
from tests.admins.acting import ACTIONS, confirm, look
from tests.admins.pages import MODELS, address, errors_of, name_of, open_pages, submit
from tests.commands import ROOT
from tests.workflows.reducing import available, go, make_step, product

SCHEMA = "obs"
IDLE = "idle_in_transaction_session_timeout"
APPLICATION = "opsdb_app"
ROUTED = {"DATABASE_ROUTERS": ["tests.places.routers.EverythingElsewhere"]}
SCHEDULE = ROOT / "opsdb/reference/samples/fyst_timeline_2026-06-15.ecsv"

needs_pgbouncer = pytest.mark.skipif(clusters.PGBOUNCER is None, reason="needs PgBouncer")
# The last test is about what all others have called.
pytestmark = [needs_pgbouncer, pytest.mark.random_order(disabled=True)]


def refuse(execute, sql, *arguments):
    raise AssertionError(f"a statement on default: {sql}")


@contextmanager
def placed(server):
    settings = server.settings(
        "ops", user=APPLICATION, OWNER={"USER": clusters.OWNER}, DISABLE_SERVER_SIDE_CURSORS=True
    )
    with (
        override_settings(**ROUTED),
        clusters.databases(ops=settings),
        connections["default"].execute_wrapper(refuse),
    ):
        yield


@contextmanager
def noting_calls(uncalled: set):
    """Take out of a set of workflows' names what is called within the block, whoever has imported it.

    The first call of each is made from an event loop, as an asynchronous view makes it.
    """
    modules = [module for name, module in sys.modules.items() if name.startswith(("opsdb.", "tests."))]
    put_back = []

    def note(name, function):
        @wraps(function)
        def noted(*args, **kwargs):
            if name not in uncalled:
                return function(*args, **kwargs)
            uncalled.discard(name)
            return async_to_sync(sync_to_async(function))(*args, **kwargs)

        return noted

    noted = {id(getattr(workflows, name)): note(name, getattr(workflows, name)) for name in uncalled}
    for module in modules:
        for name, value in list(vars(module).items()):
            if id(value) in noted:
                put_back.append((module, name, value))
                setattr(module, name, noted[id(value)])
    try:
        yield
    finally:
        for module, name, value in put_back:
            setattr(module, name, value)


def manage(*arguments, **options) -> str:
    out = StringIO()
    call_command(*arguments, stdout=out, **options)
    return out.getvalue()


@pytest.fixture(scope="module")
def uncalled():
    """The workflows that no test has called yet."""
    names = {name for name in workflows.__all__ if isfunction(getattr(workflows, name))}
    with noting_calls(names):
        yield names


@pytest.fixture(scope="module")
def far_away(django_db_blocker, uncalled):
    with clusters.folder() as folder, django_db_blocker.unblock():
        cluster = clusters.Cluster(folder / "server").start()
        cluster.execute(f"CREATE ROLE {APPLICATION} LOGIN", "CREATE DATABASE ops")
        cluster.execute(
            f"CREATE SCHEMA {SCHEMA}",
            "CREATE TABLE public.site (id int)",
            *(
                f"ALTER ROLE {role} IN DATABASE ops SET search_path = {SCHEMA}"
                for role in (clusters.OWNER, APPLICATION)
            ),
            database="ops",
        )
        pooler = clusters.Pooler(folder / "pooler", cluster, users=(clusters.OWNER, APPLICATION)).start()
        try:
            with placed(pooler):
                said = manage("opsdb_migrate")
            assert "Migrated opsdb.0001_user" in said
            yield cluster, pooler
        finally:
            pooler.stop()
            cluster.stop()


@pytest.fixture
def away(far_away, django_db_blocker):
    with placed(far_away[1]), django_db_blocker.unblock():
        yield far_away[0]


@pytest.fixture
def alone(away):
    """What other tests left under way rests."""
    active = list(DataLocation.objects.active())
    for location in active:
        pause_resource(location)
    yield
    for location in active:
        enable_resource(location)


@pytest.fixture(scope="module")
def client(far_away):
    with placed(far_away[1]):
        client = Client()
        client.force_login(UserFactory(superuser=True), backend="django.contrib.auth.backends.ModelBackend")
    return client


def test_all_is_in_the_schema(away):
    [[tables]] = away.execute(
        "SELECT count(*) FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace",
        database="ops",
    )
    assert tables == 1


def test_a_client_with_another_search_path_writes_by_the_rules(away):
    with away.session("ops", user=APPLICATION, options="-c search_path=public") as session:
        assert session.execute(f"UPDATE {SCHEMA}.site SET description = 'by SQL'").rowcount > 0
        with pytest.raises(IntegrityError, match="is never deleted|keys do not change|id"):
            session.execute(f"UPDATE {SCHEMA}.site SET id = id + 1000")
        [[changes]] = session.execute(f"SELECT count(*) FROM {SCHEMA}.change_log WHERE table_name = 'site'").fetchall()
    assert changes > 0


def test_a_late_change_of_the_user_model_is_refused(away):
    with (
        override_settings(AUTH_USER_MODEL="auth.Permission"),
        pytest.raises(CommandError, match=r"made for users in the table .*Nothing was changed\."),
    ):
        manage("opsdb_migrate")


def test_another_database_is_refused(away):
    with pytest.raises(CommandError, match="the project's routers write ops-db's rows to 'ops'"):
        manage("opsdb_migrate", database="default")


def test_a_demonstration(away, uncalled):
    manage("opsdb_load", "slots", str(SCHEDULE), program="WFS", create_missing=True)
    said = manage("opsdb_demo", "--files-per-observation", "1", "--observations-per-night", "5")
    assert "publications" in said


def test_work_that_fails_and_is_done_again(alone, uncalled):
    world = build_world(names=("summit", "east", "west"))
    execution = world.observe()
    assess_observation(execution, Quality.QUESTIONABLE)
    correct_observation(execution, user=world.user, reason="clock", end_time=execution.end_time - timedelta(minutes=1))
    world.register(execution)
    package_raw_data_files(world.source)
    [package] = claim_packaging(worker=WORKER, source=world.source)
    heartbeat_packaging(package, worker=WORKER)
    fail_packaging(package, worker=WORKER, message="disk full", retryable=False)
    reset_packaging(package)
    package = world.make(package)
    bundle_raw_data_packages(world.ccat_buffer)
    [bundle] = claim_bundling(worker=WORKER, buffer=world.ccat_buffer)
    heartbeat_bundling(bundle, worker=WORKER)
    fail_bundling(bundle, worker=WORKER, message="disk full", retryable=False)
    reset_bundling(bundle)
    world.make_bundle(bundle)
    transfer = next(each for each in plan_transfers() if each.data_transfer_package_id == bundle.pk)
    [transfer] = claim_transfers(worker=WORKER, origin=transfer.origin_location)
    heartbeat_transfer(transfer, worker=WORKER)
    fail_transfer(transfer, worker=WORKER, message="link down", retryable=False)
    reset_transfer(transfer)
    world.carry()
    for transfer in claim_unpacking(worker=WORKER, limit=10):
        heartbeat_unpacking(transfer, worker=WORKER)
        fail_unpacking(transfer, worker=WORKER, message="disk full", retryable=False)
        reset_unpacking(transfer)
    world.deliver()
    request_staging(location=world.processing, packages=[package])
    [job] = claim_staging(worker=WORKER, location=world.processing)
    heartbeat_staging(job, worker=WORKER)
    fail_staging(job, worker=WORKER, message="disk full", retryable=False)
    reset_staging(job)
    package.refresh_from_db()
    assert package.state == PackageState.ARCHIVED


def test_copies_that_are_lost_and_come_back(alone, uncalled):
    world = build_world(names=("peak", "north", "south"))
    package = world.archived_package()
    DataLocation.objects.update(fixity_interval_days=30)
    DataLocation.objects.filter(pk=world.us_buffer.pk).update(retention_days=0)
    lost, buffered = world.copy(package, world.us_archive), world.copy(package, world.us_buffer)
    fail_fixity(lost, message="input/output error")
    request_verification(lost)
    record_fixity(lost, "f" * 64)
    repair_copy(lost)
    [claimed] = claim_archive_transfers(worker=WORKER, archive=world.us_archive)
    heartbeat_archive_transfer(claimed, worker=WORKER)
    fail_archive_transfer(claimed, worker=WORKER, message="tape drive", retryable=False)
    plan_repairs()
    reset_archive_transfer(claimed)
    [claimed] = claim_archive_transfers(worker=WORKER, archive=world.us_archive)
    complete_archive_transfer(claimed, worker=WORKER, checksum=package.checksum)
    schedule_deletion([buffered])
    cancel_deletion([buffered])
    scheduled = schedule_deletion([buffered])
    assert scheduled.copies, scheduled.held_back
    [going] = claim_deletions(world.us_buffer, limit=1).copies
    fail_deletion(going, message="permission denied")
    reset_deletion(going)
    [going] = claim_deletions(world.us_buffer, limit=1).copies
    complete_deletion(going)
    restore_copy(going, user=world.user, reason="snapshot")
    record_fixity(lost, "f" * 64)
    assert repair_package(package)
    listing = [(f"stray-{number}", number, None) for number in range(3)]
    reconcile_location(world.us_buffer, listing, abort_threshold=1, minimum_age=timedelta(0), dry_run=False)
    going.refresh_from_db()
    write_off_copy(going)
    pause_resource(world.us_buffer)
    enable_resource(world.us_buffer)
    world.made_bundle()
    transfer = next(each for each in plan_transfers() if each.origin_location_id == world.ccat_buffer.pk)
    DiskDataLocationFactory(site=world.cologne, name="spare", priority=9)
    pause_resource(world.cologne_buffer)
    assert reroute_transfer(transfer)
    for archive in world.archives:
        list_due_fixity_checks(archive, quota=1)
    find_copies(package)
    explain_row(package)
    explain_deletion(going)
    expire_staging()
    filter_stalled(LongTermArchiveTransfer.objects.all(), older_than=timedelta(0)).exists()
    assert find_row(str(package.pk)) == package
    assert settle_conflict(package).failure_message == ""
    for location in DataLocation.objects.all():
        count_booked_bytes(location)
        find_time_of_room(location)
        describe_lack(location, 1)
    list_open_traffic(LongTermArchiveTransfer)
    [group, *_others] = group_failures(list_failures().failures)
    known = acknowledge_failures(group, user=world.user, reason="known", until=timezone.now() + timedelta(days=1))
    assert list_acknowledgements() == {group.name: known}
    assert withdraw_acknowledgement(known, user=world.user).ended_at
    for measure in (
        count_stage_failures,
        measure_archive_delays,
        measure_backlogs,
        measure_observing_time,
        measure_traffic_rates,
        measure_volumes,
    ):
        assert measure(timezone.now().date() - timedelta(days=9_000), timezone.now().date() + timedelta(days=2))
    assert normalize_message("Tape 12 is worn.") == "tape … is worn"
    assert search_rows(str(package.pk)).hits
    assert trace_journey(package)[-1].stage == "copies"
    execution = package.executed_obs_unit
    assert summarize_execution_data([execution.pk]).total.packages
    assert measure_program_time(execution.obs_unit.observing_program).allocations == []
    assert list_unit_progress(ObsUnit.objects.filter(pk=execution.obs_unit_id), limit=1)
    assert measure_location(world.us_archive).copies
    assert [name_deletion_rule(held.rule) for held in measure_location(world.cologne_buffer).held_back if held.rule]
    assert going.status == "deleted"


def test_corrections_and_runs(alone, uncalled):
    world = build_world(names=("top", "left", "right"))
    [package] = world.made_packages()
    facts = {"size_bytes": package.size_bytes + 1, "checksum": "c" * 64}
    correct_packaging(package, user=world.user, reason="tar again", location=world.ccat_buffer, **facts)
    with attributed(user=world.user):
        assert name_actor() == world.user.get_username()
    [bundle] = bundle_raw_data_packages(world.ccat_buffer)
    bundle = world.make_bundle(bundle)
    correct_bundling(bundle, user=world.user, reason="tar again", **facts)
    step = make_step(PipelineFactory(), group_by=["executed_obs_unit"])
    readable = available(step.pipeline)
    run = next(run for run in plan_runs(step) if readable in run.input_packages.all())
    claim_runs(limit=1000)
    fail_run(run, message="out of memory", retryable=False)
    reset_run(run)
    start_run(run)
    go(run, RunStatus.RUNNING)
    old, new = product(run, "old.fits"), product(run, "new.fits", 2)
    go(run, RunStatus.COMPLETED)
    supersede_product(old, by=new)
    reader = FACTORIES[ExecutedReductionStep]()
    reader.input_products.add(old)
    assert use_newer_products(reader, user=world.user, reason="better") == [new]
    release = create_release("DR9", version="1")
    add_to_release(release, products=[new])
    record_fixity(PhysicalCopy.objects.of(new).get(), "f" * 64)
    remake_product(new)
    list_due_pipelines()
    find_planning_warnings(ObsUnit.objects.all())
    slot = FACTORIES[PreScheduledSlot]()
    assert find_slot_conflict(slot.telescope, slot.start_time, slot.end_time).slots == (slot,)
    downtime = FACTORIES[Downtime](telescope=slot.telescope, start_time=slot.start_time, end_time=slot.end_time)
    assert find_affected_slots(downtime).stopped == [slot]
    assert DataProduct.objects.get(pk=old.pk).superseded_by == new


def test_commands_that_ask(away):
    [package] = build_world(names=("four", "five", "six")).made_packages()
    for command in ("opsdb_status", "opsdb_queues", "opsdb_check", "opsdb_databases"):
        assert manage(command)
    assert "physical_copy" in manage("opsdb_schema", format="json")
    assert "opsdb_build_info" in manage("opsdb_status", "--prometheus")
    assert manage("opsdb_where", str(package.pk)) and manage("opsdb_explain", str(package.pk))
    assert "change_log" in manage("opsdb_history", "list")
    assert "cologne" in manage("dumpdata", "opsdb.site", database="ops")


def test_commands_that_write_and_hand_out(away, tmp_path):
    manage("opsdb_init", mode="append")
    manage("migrate", database="ops")
    world = build_world(names=("one", "two", "three"))
    execution = world.observe()
    listed = tmp_path / "files.csv"
    listed.write_text(
        "executed_obs_unit,instrument_module,source_location,relative_path,size_bytes,checksum\n"
        f"{execution.pk},{world.module.pk},{world.source.pk},far/away.fits,7,{'a' * 64}\n"
    )
    assert "1 files registered" in manage("opsdb_register", str(listed))
    manage("opsdb_create_service", "carrier", secret_file=str(tmp_path / "carrier"))
    manage("opsdb_token", "list")
    (tmp_path / "password").write_text("correct horse battery staple")
    manage("opsdb_create_admin", "anna", password_file=str(tmp_path / "password"))
    manage("opsdb_export", "votable", output=str(tmp_path / "all.vot"))
    assert (tmp_path / "all.vot").read_text().startswith("<?xml")


def test_events_are_followed_past_the_pooler_or_by_looking(away, far_away):
    follower = follow(timeout=0, tables=["site"])
    assert list(follower) == []
    Site.objects.filter(pk=Site.objects.first().pk).update(description="followed")
    [event] = follow(after=follower.cursor, timeout=0, tables=["site"])
    assert event.after == {"description": "followed"}
    listening = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'"
    assert away.execute(listening) == [(0,)]
    # A cursor also holds the second in which its page was read.
    printed = manage("opsdb_events", "--once", "--json", "--after", follower.cursor, "--table", "site")
    assert event.transaction in [json.loads(line)["transaction"] for line in printed.splitlines()]


def test_every_command_is_used_here():
    names = {path.stem for path in (ROOT / "opsdb/management/commands").glob("[a-z]*.py")}
    used = {name for name in names if f'"{name}"' in Path(__file__).read_text()}
    assert names == used


def test_all_models_are_listed(away, client):
    assert client.get(reverse("admin:index")).status_code == 200


@pytest.mark.parametrize("model", MODELS, ids=name_of)
def test_every_page_is_shown_every_form_sent_and_every_action_previewed(
    away, model, client, uncalled, listing_no_models
):
    row = model.objects.first() or FACTORIES[model]()
    pages = {page: client.get(address(model, page, row), follow=True) for page in open_pages(model)}
    statuses = {name: page.status_code for name, page in pages.items()}
    assert set(statuses.values()) <= {200}, statuses
    if "change" not in pages:
        return
    shown = pages["change"]
    form = shown.context["adminform"].form
    if form.fields:
        with patch.object(client, "get", return_value=shown):
            response = submit(client, shown.request["PATH_INFO"], form.instance)
        assert response.status_code == 302 or errors_of(response), response.status_code
    statuses = {action.name: look(client, model, action.name, row).status_code for of, action in ACTIONS if of is model}
    assert set(statuses.values()) <= {200}, statuses


def test_an_action_and_an_import_write_with_their_reason(away, client):
    location = DiskDataLocationFactory()
    assert confirm(client, DataLocation, "pause", location, reason="full of dust").status_code == 302
    assert ChangeLog.objects.of(location).first().reason == "full of dust"
    url = f"{address(Source, 'changelist')}import/sources/"
    file = SimpleUploadedFile("far.csv", b"name,ra,dec\nFar Away,83.8,-5.4\n")
    shown = client.post(url, {"file": file, "on_conflict": "error"})
    done = client.post(url, {"opsdb_signed": shown.context["signed"], "reason": "proposal"})
    assert done.status_code == 302
    assert ChangeLog.objects.of(FixedSource.objects.get(name="Far Away")).first().reason == "far.csv: proposal"


# Before the role had its timeouts, and since.
AS_THEY_BEGIN = {
    ("0", "0", "0", ""),
    ("0", "0", "0", None),
    *(
        tuple(APPLICATION_TIMEOUTS[name] for name in ("lock_timeout", "statement_timeout", IDLE)) + (user_id,)
        for user_id in ("", None)
    ),
}


def left_on_sessions(pooler) -> set:
    """What the next client of any of the server's sessions finds."""
    questions = [
        f"current_setting('{name}', true)" for name in ("lock_timeout", "statement_timeout", IDLE, "opsdb.user_id")
    ]
    found = set()
    for user in (clusters.OWNER, APPLICATION):
        with ExitStack() as stack:
            sessions = [stack.enter_context(pooler.session("ops", user=user)) for _ in range(2)]
            for session in sessions:
                # Within transactions, so that each has a session of the server to itself.
                session.execute("BEGIN")
                found.add(session.execute(f"SELECT {', '.join(questions)}").fetchone())
    return found


class TestNothingIsLeftInThePooler:
    def test_by_a_migration(self, away, far_away):
        with connections["ops"].cursor() as cursor:
            cursor.execute("SELECT 1")
        manage("opsdb_migrate", lock_timeout=7)
        assert left_on_sessions(far_away[1]) <= AS_THEY_BEGIN
        assert away.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == [(0,)]

    def test_while_a_setting_holds(self, away, far_away):
        with set_locally(connections["ops"], "lock_timeout", "7s"), connections["ops"].cursor() as cursor:
            for isolated in (nullcontext(), transaction.atomic(using="ops")):
                with isolated:
                    cursor.execute("SHOW lock_timeout")
                    assert cursor.fetchone() == ("7s",)
            assert left_on_sessions(far_away[1]) <= AS_THEY_BEGIN
            with transaction.atomic(using="ops"):
                with suppress(Error), transaction.atomic(using="ops"):
                    cursor.execute("SELECT 1 / 0")
                cursor.execute("SHOW lock_timeout")
                assert cursor.fetchone() == ("7s",)

    def test_by_a_request(self, away, far_away, client):
        def view(request):
            with connections["ops"].cursor() as cursor:
                cursor.execute("SHOW statement_timeout")
                return HttpResponse(cursor.fetchone()[0])

        response = StatementTimeoutMiddleware(view)(RequestFactory().get("/"))
        assert response.content == b"30s"
        assert left_on_sessions(far_away[1]) <= AS_THEY_BEGIN
        request_finished.send(None)
        assert view(None).content != b"30s"

    def test_by_whom_a_change_is_attributed_to(self, away, far_away):
        site = Site.objects.first()
        for isolated in (nullcontext(), atomic()):
            with attributed(origin="tour"), isolated:
                Site.objects.filter(pk=site.pk).update(description=str(isolated))
                assert ChangeLog.objects.of(site).first().origin == "tour"
        assert left_on_sessions(far_away[1]) <= AS_THEY_BEGIN

    def test_by_reading_many_rows(self, away):
        assert sum(1 for _ in DataLocation.objects.iterator(chunk_size=2)) == DataLocation.objects.count()


def test_two_migrations_at_once_are_refused(away):
    holding = connections["ops"].copy()
    try:
        with (
            as_owner(connections["ops"]),
            opsdb_migrate.Command().exclusively(holding),
            pytest.raises(CommandError, match=r"Another migration is running \(process \d+"),
            opsdb_migrate.Command().exclusively(connections["ops"]),
        ):
            pass
    finally:
        holding.close()
    deadline = monotonic() + 30
    while away.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") != [(0,)]:
        assert monotonic() < deadline
    with opsdb_migrate.Command().exclusively(connections["ops"]):
        pass


def test_no_workflow_was_left_out(away, uncalled):
    assert sorted(uncalled) == []

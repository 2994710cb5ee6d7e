"""The change log by month: made ahead, and recorded whatever is missing; old months in files."""

import gzip
import hashlib
import json
from datetime import UTC, date, datetime, timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction

from opsdb.database.catalogue import expected_rules, read_rules
from opsdb.database.months import Partition, make_months, partitions
from opsdb.models import ChangeLog, Site
from opsdb.testing.factories import (
    ChangeLogFactory,
    ExecutedObsUnitFactory,
    RawDataFileFactory,
    RoleFactory,
    SiteFactory,
    UserFactory,
)
from opsdb.workflows import attributed, correct_observation
from tests.databases import act_as, as_owner, own_copy, put_guards_back
from tests.workflows.scenario_deletion import force

OLD = datetime(2020, 3, 14, tzinfo=UTC)


def execute(*statements):
    with as_owner(), transaction.atomic(), connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def names():
    return [partition.name for partition in partitions(connection)]


@pytest.fixture
def guarded(db):
    put_guards_back()


@pytest.fixture
def own_database(transactional_db):
    with own_copy("months"):
        put_guards_back()
        yield


@pytest.mark.django_db
def test_this_month_and_the_next_two_years_are_made():
    now = datetime.now(UTC)
    months = [partition.month for partition in partitions(connection) if partition.month]
    assert f"{now:%Y-%m}" in months
    assert len(months) >= 24
    assert "change_log_default" in names()
    SiteFactory()
    with as_owner(), connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM change_log_{now:%Y_%m}")
        assert cursor.fetchone()[0]


@pytest.mark.django_db(transaction=True)
def test_without_a_month_changes_are_recorded_and_the_following_months_made(own_database):
    """As after two years without a deployment: the application's own change makes the months after its own."""
    held = [name for name in names() if name != "change_log_default"]
    execute(*(f"DROP TABLE {name}" for name in held))
    site = SiteFactory()
    assert ChangeLog.objects.of(site).count() == 1
    this_month, *rest = held
    assert names() == [*rest, "change_log_default"]
    # The deployment after that moves them where they belong, the guards included.
    with as_owner():
        assert make_months(connection) == (1, ChangeLog.objects.count())
        assert make_months(connection) == (0, 0)
    assert names() == [this_month, *rest, "change_log_default"]
    assert ChangeLog.objects.of(site).count() == 1
    SiteFactory()
    assert read_rules(connection) == expected_rules()


@pytest.mark.django_db(transaction=True)
def test_without_a_month_changes_are_recorded_while_none_can_be_made(own_database):
    """Somebody reads the change log for long: nobody waits for that, and the change is recorded."""
    execute(*(f"DROP TABLE {name}" for name in names() if name != "change_log_default"))
    reading = connection.copy()
    try:
        reading.set_autocommit(False)
        with reading.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM change_log")
        site = SiteFactory()
        assert ChangeLog.objects.of(site).count() == 1
        assert names() == ["change_log_default"]
    finally:
        reading.close()
    SiteFactory()
    assert len(names()) == 25


@pytest.mark.django_db
def test_a_partition_without_its_guards_is_noticed(guarded):
    month = next(name for name in names() if name != "change_log_default")
    execute(f"ALTER TABLE {month} DISABLE TRIGGER USER")
    surplus = read_rules(connection).keys() - expected_rules().keys()
    assert surplus == {f"partition without its triggers {month} on change_log"}


@pytest.mark.django_db
def test_a_month_is_as_guarded_as_the_whole(guarded):
    site = SiteFactory()
    month = f"change_log_{datetime.now(UTC):%Y_%m}"
    for statement, rule in (
        (f"UPDATE {month} SET reason = 'x'", "change_log_append_only"),
        (f"DELETE FROM {month}", "change_log_append_only"),
        (f"TRUNCATE {month}", f"{month}_never_truncated"),
        ("TRUNCATE change_log_default", "change_log_default_never_truncated"),
    ):
        with pytest.raises(IntegrityError) as caught:
            execute(statement)
        assert caught.value.__cause__.diag.constraint_name == rule
    assert ChangeLog.objects.of(site).exists()


@pytest.mark.django_db
@pytest.mark.parametrize("bulk", [False, True])
def test_an_actor_exists(bulk):
    site = SiteFactory()
    for actor in ("999999", "-1"):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT set_config('opsdb.user_id', %s, true)", [actor])
            with pytest.raises(IntegrityError) as caught, transaction.atomic():
                Site.objects.filter(pk=site.pk).update(description="x") if not bulk else SiteFactory.create_batch(2)
        diagnosis = caught.value.__cause__.diag
        assert diagnosis.constraint_name == "change_log_actor_exists"
        assert (
            f"there is no user with the key {actor}, whom opsdb.user_id names as the acting user"
            in diagnosis.message_primary
        )
        assert diagnosis.message_hint


@pytest.mark.django_db
def test_who_removes_the_own_account_is_named():
    user = UserFactory()
    with attributed(user=user):
        type(user).objects.get(pk=user.pk).delete()
    change = ChangeLog.objects.filter(table_name="user", row_id=str(user.pk), operation="delete").get()
    assert change.user_id == user.pk


@pytest.mark.parametrize(
    ("name", "month"),
    [
        ("change_log_2026_11", "2026-11"),
        ("change_log_default", None),
        ("change_log_before_2026_11", None),
    ],
)
def test_a_partition_knows_its_month(name, month):
    assert Partition(name, 0, 0).month == month


# Archiving


def archive(*arguments):
    out = StringIO()
    call_command("opsdb_history", "archive", *map(str, arguments), stdout=out)
    return out.getvalue()


@pytest.fixture
def old_changes(guarded):
    """Three months of 2020, of which March is in the default partition at first."""
    user = UserFactory()
    site = SiteFactory()
    values = {"changed_at": OLD, "before": None, "after": None}
    made = ChangeLogFactory(row_id="987001", operation="insert", **values)
    between = ChangeLogFactory(row_id="987001", **values)
    last = ChangeLogFactory(row_id="987001", **values)
    ChangeLogFactory(row_id=str(site.pk), **values)
    rights = ChangeLogFactory(table_name="user", row_id=str(user.pk), **values)
    granted = ChangeLogFactory(table_name="role", row_id=str(RoleFactory().pk), **values)
    april = ChangeLogFactory(row_id="987002", **values | {"changed_at": datetime(2020, 4, 1, tzinfo=UTC)})
    Site.objects.filter(pk=site.pk).update(description="later")
    with as_owner():
        make_months(connection)
    assert {"change_log_2020_03", "change_log_2020_04"} <= set(names())
    return made, between, last, rights, granted, april


@pytest.mark.django_db
def test_old_months_are_written_and_dropped_and_what_matters_stays(old_changes, owner, tmp_path):
    made, between, last, rights, granted, april = old_changes
    before = {change.pk: change for change in ChangeLog.objects.all()}
    plan = archive("--before", "2020-04", "--to", tmp_path, "--dry-run")
    assert plan.startswith("Would archive 2020-03: about ")
    assert list(tmp_path.iterdir()) == []

    said = archive("--before", "2020-04", "--to", tmp_path)
    path = tmp_path / "change_log_2020_03.jsonl.gz"
    assert said == f"Wrote {path}: 6 changes\nDropped 1 months; 4 changes of them stay.\n"
    lines = [json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()]
    assert [line["id"] for line in lines] == sorted(pk for pk, change in before.items() if change.changed_at == OLD)
    assert lines[0]["after"] is None
    digest, name = (tmp_path / f"{path.name}.sha256").read_text().split()
    assert (digest, name) == (hashlib.sha256(path.read_bytes()).hexdigest(), path.name)
    assert path.stat().st_mode & 0o077 == 0

    gone = before.keys() - set(ChangeLog.objects.values_list("pk", flat=True))
    assert {between.pk} <= gone
    assert len(gone) == 2
    kept = {made.pk, last.pk, rights.pk, granted.pk, april.pk}
    assert not kept & gone
    assert "change_log_before_2020_04" in names()
    assert read_rules(connection) == expected_rules()
    # A second time goes on from there.
    assert "nothing to archive" in archive("--before", "2020-04", "--to", tmp_path)
    archive("--before", "2020-05", "--to", tmp_path)
    assert [name for name in names() if "before" in name] == ["change_log_before_2020_05"]
    assert ChangeLog.objects.filter(pk__in=kept).count() == len(kept)
    SiteFactory()


@pytest.mark.django_db
def test_files_follow_corrections_of_archived_months_once(guarded, owner, tmp_path):
    """The start was corrected by three days, which the file followed, and by one that it did not."""
    day = timedelta(days=1)
    execution = ExecutedObsUnitFactory()
    file = RawDataFileFactory(executed_obs_unit=execution, observed_at=execution.start_time + day)
    for row in (execution, file):
        force(row, created_at=OLD)
    values = {"changed_at": OLD + day}
    of_start = {"table_name": "executed_obs_unit", "row_id": str(execution.pk), **values}
    of_file = {"table_name": "raw_data_file", "row_id": str(file.pk), **values}

    def starts(days):
        return {"start_time": (execution.start_time + days * day).isoformat()}

    ChangeLogFactory(**of_start, before=starts(4), after=starts(1))
    ChangeLogFactory(**of_file, before={"observed_at": starts(4)}, after={"observed_at": starts(1)})
    ChangeLogFactory(**of_start, before=starts(1), after=starts(0))
    for later in (of_start, of_file):
        ChangeLogFactory(**later, before={"note": "a"}, after={"note": "b"})
    with as_owner():
        make_months(connection)
    assert "change_log_2020_03" in names()
    archive("--before", "2020-04", "--to", tmp_path)
    correct_observation(
        execution, user=None, reason="the clock", start_time=execution.start_time - 2 * day, with_files=True
    )
    file.refresh_from_db()
    assert file.observed_at == execution.start_time


@pytest.mark.django_db
def test_an_interrupted_archiving_goes_on(old_changes, owner, tmp_path, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr("opsdb.database.months.drop_months", lambda *args: (_ for _ in ()).throw(OSError("no")))
        with pytest.raises(CommandError, match="no"):
            archive("--before", "2020-05", "--to", tmp_path)
    assert {"change_log_2020_03", "change_log_2020_04"} <= set(names())
    assert "Dropped 2 months" in archive("--before", "2020-05", "--to", tmp_path)


@pytest.mark.django_db
def test_what_can_not_be_archived_is_refused_and_nothing_dropped(old_changes, owner, tmp_path):
    held = ChangeLog.objects.count()
    other = tmp_path / "change_log_2020_03.jsonl.gz"
    other.write_bytes(gzip.compress(b"{}\n"))
    for arguments, said in (
        (("--before", "2020-05", "--to", tmp_path), "has other changes: name another folder"),
        (("--before", "2999-01", "--to", tmp_path), "is in the future"),
        (("--before", "2020-05", "--to", tmp_path / "none"), "is no folder"),
        (("--before", "2020", "--to", tmp_path), "must be a month as 2026-01"),
    ):
        with pytest.raises(CommandError, match=said):
            archive(*arguments)
    refusal = pytest.raises(CommandError, match="only the owner of the tables can archive")
    with act_as("opsdb_app"), refusal, transaction.atomic():
        archive("--before", "2020-05", "--to", tmp_path)
    assert ChangeLog.objects.count() == held
    assert gzip.decompress(other.read_bytes()) == b"{}\n"


@pytest.mark.django_db
def test_a_change_that_came_since_the_export_is_not_lost(old_changes, owner, tmp_path):
    from opsdb.database.months import ArchiveError, drop_months, export_month

    export = export_month(connection, "change_log_2020_03", tmp_path)
    ChangeLogFactory(changed_at=OLD, before=None, after=None)
    with pytest.raises(ArchiveError, match="has got further changes"):
        drop_months(connection, [export], date(2020, 4, 1))
    assert "change_log_2020_03" in names()


@pytest.mark.django_db
def test_the_months_are_listed():
    out = StringIO()
    call_command("opsdb_history", "list", stdout=out)
    assert f"change_log_{datetime.now(UTC):%Y_%m}" in out.getvalue()

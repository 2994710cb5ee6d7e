"""Every change reaches a follower once, and those of a row in their order, whatever is committed when."""

import json
import os
import re
import subprocess
import sys
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from io import StringIO

import psycopg
import pytest
from django.contrib.auth.models import Permission
from django.core.management import call_command
from django.db import connection, transaction

from opsdb import events
from opsdb.events import CursorError, follow
from opsdb.models import ChangeLog, ChangeOperation, RawDataFile, Site
from opsdb.models.enums import ChangeLogging
from opsdb.testing.factories import FACTORIES, ChangeLogFactory, SiteFactory, UserFactory
from opsdb.testing.nights import make_night
from opsdb.workflows import OpsdbError, attributed
from tests.commands import ROOT
from tests.databases import as_owner, url_of_test_database
from tests.plans import plan_of, planning_without

BY_KEYS = [
    model for model in FACTORIES if any(rule.name.endswith("_history_of_keys") for rule in model._meta.constraints)
]

pytestmark = pytest.mark.django_db(transaction=True)


def now():
    """The cursor from which on events are of what happens next."""
    follower = follow(timeout=0)
    assert list(follower) == []
    return follower.cursor


def read(after, **options):
    """What is there after a cursor, and the cursor after it."""
    follower = follow(after, timeout=0, **options)
    found = list(follower)
    return found, follower.cursor


def numbers_of(found):
    """The numbers of the entries of the change log."""
    return [int(event.cursor.rpartition(";")[2]) for event in found]


def rename(session, site, name):
    session.execute("UPDATE site SET description = %s WHERE id = %s", [name, site.pk])


def descriptions(found):
    return [(event.keys[0], event.after["description"]) for event in found]


@pytest.fixture
def sessions():
    """Three sessions whose transactions the test ends."""
    made = [psycopg.connect(**{**connection.get_connection_params(), "cursor_factory": None}) for _ in range(3)]
    yield made
    for session in made:
        session.close()


@pytest.fixture
def sites(transactional_db):
    return SiteFactory.create_batch(3)


def test_what_is_committed_later_than_its_number_says_is_not_missed(sites, sessions):
    cursor = now()
    early, late, _ = sessions
    rename(early, sites[0], "early")
    rename(late, sites[1], "late")
    late.commit()
    first, cursor = read(cursor)
    assert descriptions(first) == [(str(sites[1].pk), "late")]
    early.commit()
    second, cursor = read(cursor)
    assert descriptions(second) == [(str(sites[0].pk), "early")]
    assert second[0].transaction < first[0].transaction
    assert read(cursor)[0] == []


def test_changes_of_a_row_come_in_the_order_of_their_commits(sites, sessions):
    """Also where the transaction that changes it second is the older one, and one between them is open."""
    cursor = now()
    older, between, newer = sessions
    rename(older, sites[0], "older")
    rename(between, sites[1], "between")
    rename(newer, sites[2], "first")
    newer.commit()
    rename(older, sites[2], "second")
    older.commit()
    found, cursor = read(cursor)
    assert [text for key, text in descriptions(found) if key == str(sites[2].pk)] == ["first", "second"]
    between.commit()
    assert descriptions(read(cursor)[0]) == [(str(sites[1].pk), "between")]


def test_what_is_rolled_back_is_no_event_and_what_surrounds_a_savepoint_is(sites):
    cursor = now()
    with transaction.atomic():
        Site.objects.filter(pk=sites[0].pk).update(description="before")
        with pytest.raises(RuntimeError), transaction.atomic():
            Site.objects.filter(pk=sites[1].pk).update(description="undone")
            raise RuntimeError
        Site.objects.filter(pk=sites[0].pk).update(description="after")
    with pytest.raises(RuntimeError), transaction.atomic():
        Site.objects.filter(pk=sites[0].pk).update(description="undone")
        raise RuntimeError
    assert [text for _, text in descriptions(read(cursor)[0])] == ["before", "after"]


def test_a_whole_night_reaches_a_follower_once_wherever_it_goes_on(monkeypatch):
    """Pages of seven events, so that cursors point into the middle of what one look has found."""
    monkeypatch.setattr(events, "EVENTS_AT_ONCE", 7)
    cursor, before = now(), ChangeLog.objects.values_list("id", flat=True).latest("id")
    night = make_night(executions=2, files=3)
    found, _ = read(cursor)
    numbers = numbers_of(found)
    assert numbers == list(ChangeLog.objects.filter(id__gt=before).order_by("id").values_list("id", flat=True))
    for index in (0, 5, 6, 7, len(found) // 2, len(found) - 1):
        assert numbers_of(read(found[index].cursor)[0]) == numbers[index + 1 :]

    # A row begins with its insert, also where that is recorded with others.
    begun = {}
    for event in found:
        for key in event.keys:
            begun.setdefault((event.table, key), event.action)
    assert set(begun.values()) == {"insert"}
    for table, rows in (("raw_data_file", night.files), ("raw_data_package", night.packages)):
        assert {key for of_table, key in begun if of_table == table} == {str(row.pk) for row in rows}
    states = [
        event.changes["state"] for event in found if event.table == "raw_data_package" and "state" in event.changes
    ]
    assert states.count(("transferring", "archived")) == 2


@pytest.mark.django_db
@pytest.mark.parametrize("model", BY_KEYS, ids=lambda model: model.__name__)
def test_new_rows_of_large_tables_are_recorded_by_their_keys(model):
    row = FACTORIES[model]()
    found = ChangeLog.objects.filter(table_name=model._meta.db_table, operation=ChangeOperation.INSERTS)
    keys = [key for keys in found.values_list("after__id", flat=True) for key in keys]
    assert str(row.pk) in map(str, keys)


def test_a_follower_that_ended_in_the_middle_goes_on_with_what_came_meanwhile(sites, monkeypatch):
    monkeypatch.setattr(events, "EVENTS_AT_ONCE", 2)
    follower = follow(now())
    for number in range(5):
        Site.objects.filter(pk=sites[0].pk).update(description=str(number))
    got = [next(follower), next(follower), next(follower)]
    follower.close()
    for number in range(5, 8):
        Site.objects.filter(pk=sites[0].pk).update(description=str(number))
    got += read(got[-1].cursor)[0]
    assert [event.after["description"] for event in got] == list("01234567")


def test_many_rows_of_one_statement_are_few_events(sites):
    night = make_night(executions=1, files=1)
    cursor = now()
    template = night.files[0]
    RawDataFile.objects.bulk_create(
        (
            RawDataFile(
                executed_obs_unit=template.executed_obs_unit,
                instrument_module=template.instrument_module,
                source_location=template.source_location,
                relative_path=f"many/{number}.fits",
                size_bytes=1,
                checksum="0" * 64,
            )
            for number in range(1_500)
        ),
        batch_size=1_500,
    )
    with attributed(user=(user := UserFactory()), origin="mending", reason="it is FITS"):
        RawDataFile.objects.filter(relative_path="many/7.fits").update(file_type="fits")
    found, _ = read(cursor, tables=[RawDataFile])
    assert [(event.action, len(event.keys)) for event in found] == [("insert", 1_000), ("insert", 500), ("update", 1)]
    assert len({key for event in found[:2] for key in event.keys}) == 1_500
    assert found[0].after is None
    change = found[2]
    assert change.changes == {"file_type": ("", "fits")}
    assert (change.user, change.origin, change.reason) == (str(user.pk), "mending", "it is FITS")


def test_a_follower_that_lost_its_connection_goes_on(sites, caplog):
    follower = follow(now(), pause_seconds=0.01)
    Site.objects.filter(pk=sites[0].pk).update(description="before")
    assert next(follower).after["description"] == "before"
    with as_owner(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [follower._connection.connection.info.backend_pid])
    Site.objects.filter(pk=sites[0].pk).update(description="meanwhile")
    assert next(follower).after["description"] == "meanwhile"
    assert "Lost the connection" in caplog.text
    follower.close()


def test_a_follower_that_never_was_connected_says_so_at_once(monkeypatch):
    monkeypatch.setitem(connection.settings_dict, "DIRECT", {"HOST": "/nowhere"})
    with pytest.raises(events.OperationalError):
        next(follow())


# Notifications


@pytest.fixture
def listener(sessions):
    session = sessions[0]
    session.execute("LISTEN opsdb")
    session.commit()
    return session


def heard(listener):
    listener.execute("SELECT")
    listener.commit()
    return sorted(notice.payload for notice in listener.notifies(timeout=0))


def test_a_transaction_notifies_once_for_each_table(sites, listener):
    with transaction.atomic():
        for site in sites:
            Site.objects.filter(pk=site.pk).update(description="one")
            Site.objects.filter(pk=site.pk).update(description="two")
        UserFactory()
    assert heard(listener) == ["site", "user"]
    Site.objects.filter(pk=sites[0].pk).update(description="two")
    with pytest.raises(RuntimeError), transaction.atomic():
        Site.objects.filter(pk=sites[0].pk).update(description="undone")
        raise RuntimeError
    assert heard(listener) == []
    make_night(executions=1, files=2)
    assert {"executed_obs_unit", "raw_data_file", "raw_data_package", "physical_copy"} <= set(heard(listener))


def test_a_notification_ends_the_wait_of_those_whom_it_concerns(sites):
    follower = follow(now(), tables=["site"], poll_seconds=600, pause_seconds=0)
    Site.objects.filter(pk=sites[0].pk).update(description="first")
    next(follower)
    UserFactory()
    Site.objects.filter(pk=sites[0].pk).update(description="second")
    # It would wait for ten minutes otherwise.
    assert next(follower).after["description"] == "second"
    follower.close()


def test_nothing_is_told_while_a_follower_pauses(sites, monkeypatch):
    follower = follow(now(), poll_seconds=600)
    listened = []

    def pause(seconds):
        with follower._connection.cursor() as cursor:
            cursor.execute("SELECT pg_listening_channels()")
            listened.extend(cursor.fetchall())
        Site.objects.filter(pk=sites[0].pk).update(description="in the pause")

    monkeypatch.setattr(events.time, "sleep", pause)
    Site.objects.filter(pk=sites[0].pk).update(description="first")
    next(follower)
    Site.objects.filter(pk=sites[0].pk).update(description="second")
    found = [next(follower).after["description"] for _ in range(2)]
    assert (listened, found) == ([], ["second", "in the pause"])
    follower.close()


def test_without_notifications_followers_look(sites, listener):
    with connection.cursor() as cursor:
        cursor.execute("SET opsdb.notify = 'off'")
    follower = follow(now(), poll_seconds=0.01, pause_seconds=0)
    for text in ("first", "second"):
        Site.objects.filter(pk=sites[0].pk).update(description=text)
        assert next(follower).after["description"] == text
    follower.close()
    assert heard(listener) == []
    connection.close()


# Who, from where, and of what


def test_events_are_only_of_what_a_user_may_view(sites):
    cursor = now()
    user = UserFactory()
    user.user_permissions.add(Permission.objects.get(codename="view_site"))
    Site.objects.filter(pk=sites[0].pk).update(description="seen")
    assert {event.table for event in read(cursor)[0]} == {"site", "user"}
    assert {event.table for event in read(cursor, user=user)[0]} == {"site"}
    assert read(cursor, user=UserFactory())[0] == []


def test_events_hold_no_hash():
    cursor = now()
    user = UserFactory()
    user.set_password("secret")
    user.save()
    found, _ = read(cursor, tables=["user"])
    assert [event.changes.get("password") for event in found if event.action == "update"] == [("(hidden)", "(hidden)")]


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "1",
        "1:2:3",
        "1:2:3:x",
        "1:2:3:;4",
        "1:2:3:;1:2:3:",
        "1:5:1:",
        "1:0:1:",
        "5:1:3:9",
        "5:2:3:1",
        "5:1:2:5,4",
        "5:1:9:5,4",
        "5:1:9:4,4",
        "5:1:9:4,",
        "5:1:3:;7:9:2:;1",
        "٥:1:3:",
        "1:2:3:\n",
        "999999999999999:1:3:",
        f"5:1:3:;{10**15}:1:3:;1",
        f"5:1:{2**63}:",
        f"5:1:3:;7:1:3:;{2**63}",
        f"{10**25}:1:3:",
        f"5:{10**25}:{10**25}:",
        f"5:1:3:;7:1:3:;{10**25}",
        "9" * 5_000 + ":1:3:",
    ],
)
def test_what_is_no_cursor_is_refused(cursor):
    with pytest.raises(CursorError, match="is no cursor: give that of an event"):
        follow(cursor)


@pytest.mark.parametrize("cursor", ["5:1:1:", "5:1:9:1,2,8", "5:1:3:;7:2:9:2;1", f"5:1:3:;7:2:9:;{2**63 - 1}"])
def test_what_may_be_a_cursor_is_followed(cursor):
    assert str(events._Position.parse(cursor)) == cursor
    assert read(cursor, tables=[])[0] == []


def test_what_the_database_takes_for_no_cursor_is_refused(monkeypatch):
    monkeypatch.setattr(events, "_is_snapshot", lambda text: True)
    with pytest.raises(CursorError, match="'1:5:1:' is no cursor: give that of an event"):
        read("1:5:1:")


def test_a_cursor_of_a_time_that_has_not_come_is_refused():
    later = int((datetime.now(UTC) + timedelta(days=1_000)).timestamp())
    _, _, snapshot = now().partition(":")
    with pytest.raises(CursorError, match="is of a time that has not come yet"):
        read(f"{later}:{snapshot}")


def test_tables_without_events_are_refused():
    with pytest.raises(OpsdbError, match="change_log: there is no table of this name whose changes are recorded"):
        follow(tables=[ChangeLog])
    assert ChangeLog.change_logging is ChangeLogging.OFF


def test_a_cursor_of_another_server_is_refused():
    at = int(datetime.now(UTC).timestamp())
    with pytest.raises(CursorError, match="no transaction here has such a number yet"):
        read(f"{at}:{10**12}:{10**12}:")


def test_entries_that_were_restored_from_another_server_are_no_events(sites):
    cursor = now()
    ChangeLogFactory(transaction_id=10**12)
    Site.objects.filter(pk=sites[0].pk).update(description="here")
    found, cursor = read(cursor)
    assert descriptions(found) == [(str(sites[0].pk), "here")]
    assert read(cursor)[0] == []


def test_a_cursor_from_before_what_was_archived_is_refused(sites):
    cursor = now()
    _, _, snapshot = cursor.partition(":")
    archived = "change_log_before_2020_01"
    with as_owner(), connection.cursor() as sql:
        sql.execute(f"CREATE TABLE {archived} (LIKE change_log INCLUDING ALL)")
        sql.execute(
            f"ALTER TABLE change_log ATTACH PARTITION {archived} FOR VALUES FROM (MINVALUE) TO ('2020-01-01 00:00+00')"
        )
    try:
        assert read(cursor)[0] == []
        before = int(datetime(2019, 12, 31, tzinfo=UTC).timestamp())
        with pytest.raises(CursorError, match="changes before 2020-01 were archived since"):
            read(f"{before}:{snapshot}")
    finally:
        with as_owner(), connection.cursor() as sql:
            sql.execute(f"DROP TABLE {archived}")


def test_new_entries_are_found_by_their_transactions():
    """Whatever the planner prefers in few rows."""
    at = int(datetime.now(UTC).timestamp())
    parameters = {
        "at": at,
        "until_at": at,
        "seen": "10:20:",
        "until": "15:30:",
        "last": 7,
        "tables": ["site"],
        "limit": 10,
    }
    with planning_without("seqscan"):
        plan = plan_of(events.FIRST_PAGE, parameters)
    assert "transaction_id" in plan
    assert "Seq Scan" not in plan
    # Of the months, only those that are asked for are planned for.
    assert "Removed" not in plan
    assert len(set(re.findall(r"on (change_log_\w+)", plan))) <= 2


# The documentation and the command


def test_the_documentation_names_what_an_event_has():
    page = (ROOT / "docs" / "events.md").read_text()
    table = page[page.index("| of an event | is |") : page.index("- **Store the cursor**")]
    named = re.findall(r"`(\w+)`", "".join(re.findall(r"^\| (`[^|]*) \|", table, re.MULTILINE)))
    assert set(named) == {field.name for field in fields(events.Event)} | {"changes"}


def command(*arguments):
    out, err = StringIO(), StringIO()
    call_command("opsdb_events", *arguments, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def test_the_command_prints_a_line_for_each_event_and_where_to_go_on(sites):
    _, said = command("--once")
    cursor = said.split("'")[1]
    for text in ("first", "second"):
        Site.objects.filter(pk=sites[0].pk).update(description=text)
    lines, said = command("--once", "--json", "--after", cursor)
    first, second = map(json.loads, lines.splitlines())
    assert (first["table"], first["action"], first["keys"]) == ("site", "update", [str(sites[0].pk)])
    assert first["after"] == {"description": "first"}
    assert datetime.now(UTC) - datetime.fromisoformat(first["at"]) < timedelta(days=1)
    lines, _ = command("--once", "--after", first["cursor"])
    assert lines.endswith(f" update site {sites[0].pk} description: first → second\n")
    assert lines.count("\n") == 1
    assert command("--once", "--after", said.split("'")[1])[0] == ""
    assert command("--once", "--after", cursor, "--table", "user")[0] == ""


NO_CURSORS = [
    "yesterday",
    "99999999999999999999999999:1:1:",
    "999999999999:1:1:",
    "1:5:1:",
    "1:0:1:",
    "1:1:9999999999999999999:",
    "1:2:5:4,3",
    "1:2:5:7",
    "1:2:5:,",
    "1:٢:5:",
    "1:2:5:;999999999999:2:5:;1",
    "1:2:5:;1:5:2:;1",
    "1:2:5:;1:2:5:;9999999999999999999",
]


@pytest.mark.parametrize("text", NO_CURSORS)
def test_what_is_no_cursor_is_named(text):
    with pytest.raises(CursorError, match=re.escape(f"{text!r} is no cursor: give that of an event")):
        follow(text)


def test_a_cursor_with_running_transactions_is_one():
    assert follow("1:2:5:2,4;3:2:9:;7", timeout=0).cursor == "1:2:5:2,4;3:2:9:;7"


def test_a_reader_that_goes_ends_the_command_with_the_cursor_of_what_was_written(sites):
    before = now()
    for text in ("first", "second"):
        Site.objects.filter(pk=sites[0].pk).update(description=text)
    first = read(before)[0][0].cursor

    class Head(StringIO):
        def write(self, text):
            if self.getvalue():
                raise BrokenPipeError
            return super().write(text)

    out, err = Head(), StringIO()
    with pytest.raises(BrokenPipeError):
        call_command("opsdb_events", "--once", "--after", before, stdout=out, stderr=err)
    said = re.fullmatch(r"Go on with --after '(\S+)'\n", err.getvalue())
    # From where on, and the last event; in between is what others were doing when it was read.
    assert said[1].split(";")[::2] == first.split(";")[::2]
    assert closed_output("opsdb_events", "--once", "--after", before) == (141, f"Go on with --after '{before}'\n")
    assert closed_output("opsdb_queues") == (141, "")


def closed_output(*arguments):
    """Exit code and standard error of a command whose output nobody reads."""
    reader, writer = os.pipe()
    os.close(reader)
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings", "DATABASE_URL": url_of_test_database()}
    done = subprocess.run(
        [sys.executable, ROOT / "manage.py", *arguments],
        env={**environment, "SECRET_KEY": "only-for-tests"},
        stdout=writer,
        stderr=subprocess.PIPE,
        text=True,
    )
    os.close(writer)
    return done.returncode, done.stderr

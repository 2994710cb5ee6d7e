"""A primary and a streaming replica of it, which is delayed, stopped, restarted and promoted."""

import json
from contextlib import contextmanager
from random import Random
from time import monotonic, sleep

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, connections, router, transaction
from django.http import HttpResponse
from django.test import Client, RequestFactory, override_settings
from django.urls import reverse
from prometheus_client.parser import text_string_to_metric_families

from opsdb import checks, replication
from opsdb.metrics import expose
from opsdb.middleware import ReadYourWritesMiddleware
from opsdb.models import RawDataPackage, Site, User
from opsdb.replication import UNKNOWN, Seen, position_text, read_health, read_position, session_that_has_seen
from opsdb.testing.factories import SiteFactory, UserFactory
from opsdb.testing.nights import make_night
from tests import clusters
from tests.admins.pages import MODELS, address

PRIMARY, REPLICA = "cologne", "chile"
ROUTED = {
    "DATABASE_ROUTERS": ["opsdb.routers.PrimaryReplicaRouter"],
    "OPSDB_PRIMARY": PRIMARY,
    "OPSDB_REPLICAS": (REPLICA,),
    "OPSDB_REPLICA_RETRY_SECONDS": 0,
    # The last write may be of a test that took long.
    "OPSDB_REPLICA_MAX_LAG_SECONDS": 600,
}


@contextmanager
def routed_to(primary, replica):
    """Let Django's router know the two servers."""
    added = {PRIMARY: primary.settings("ops"), REPLICA: replica.settings("ops")}
    with override_settings(**ROUTED), clusters.databases(**added):
        yield


@pytest.fixture(scope="module")
def servers(django_db_blocker):
    """A primary with a night, and its replica."""
    with clusters.folder() as folder:
        primary = clusters.Cluster(folder / "primary").start()
        primary.execute("CREATE DATABASE ops")
        replica = clusters.Cluster(folder / "replica", primary).start()
        try:
            with routed_to(primary, replica), django_db_blocker.unblock():
                call_command("opsdb_migrate", verbosity=0)
                make_night()
                UserFactory(superuser=True, username="operator")
            yield primary, replica
        finally:
            replica.stop()
            primary.stop()


@pytest.fixture
def routed(servers, django_db_blocker, monkeypatch):
    """Django with the router; every read looks anew which database it may use."""
    monkeypatch.setattr(replication, "TRUSTED_SECONDS", 0.0)
    monkeypatch.setattr(replication, "_left_out", {})
    with routed_to(*servers), django_db_blocker.unblock(), session_that_has_seen(0):
        follow(servers)
        yield servers


def follow(servers):
    """Wait until the replica has replayed all."""
    primary, replica = servers
    [[end]] = primary.execute("SELECT pg_current_wal_flush_lsn()::text")
    deadline = monotonic() + 30
    while replica.execute(f"SELECT pg_last_wal_replay_lsn() >= '{end}'") != [(True,)]:
        assert monotonic() < deadline
        sleep(0.01)


@contextmanager
def delayed(servers):
    """A replica that receives changes and does not show them."""
    servers[1].execute("SELECT pg_wal_replay_pause()")
    try:
        yield
    finally:
        servers[1].execute("SELECT pg_wal_replay_resume()")


@contextmanager
def stopped(server):
    server.stop()
    try:
        yield
    finally:
        server.start()


def read_from() -> str:
    return Site.objects.all().db


def wait_until_read_from(alias):
    """Wait for a replica to be no more behind than any other that has just begun to follow."""
    deadline = monotonic() + 30
    while read_from() != alias:
        assert monotonic() < deadline
        sleep(0.01)


class TestReading:
    def test_who_has_written_nothing_reads_the_replica(self, routed):
        assert read_from() == REPLICA
        assert RawDataPackage.objects.exists()
        assert Site.objects.first()._state.db == REPLICA

    def test_a_write_is_seen_at_once_also_where_the_replica_is_delayed(self, routed):
        with delayed(routed):
            site = SiteFactory()
            assert read_from() == PRIMARY
            assert Site.objects.filter(pk=site.pk).exists()
        # The primary may have written more meanwhile, which it sends within a moment.
        wait_until_read_from(REPLICA)
        assert Site.objects.filter(pk=site.pk).exists()

    def test_what_was_read_on_the_primary_is_not_unseen(self, routed):
        with delayed(routed):
            with session_that_has_seen(0):
                site = SiteFactory()
            with transaction.atomic(using=PRIMARY):
                assert Site.objects.filter(pk=site.pk).exists()
            assert Site.objects.filter(pk=site.pk).exists()

    def test_a_workflow_reads_where_it_writes(self, routed):
        with transaction.atomic(using=PRIMARY):
            assert read_from() == PRIMARY

    def test_raw_sql_is_a_write_too(self, routed):
        with delayed(routed):
            with connections[PRIMARY].cursor() as cursor:
                cursor.execute("UPDATE site SET description = 'by SQL'")
            assert read_from() == PRIMARY

    def test_a_row_of_the_replica_can_be_changed_and_related(self, routed):
        site = Site.objects.first()
        site.description = "changed"
        site.save()
        assert site._state.db == PRIMARY
        assert Site.objects.get(pk=site.pk).description == "changed"
        assert router.allow_relation(site, RawDataPackage.objects.using(REPLICA).first())

    def test_a_replica_that_is_too_late_is_not_read(self, routed, settings):
        with delayed(routed):
            with session_that_has_seen(0):
                SiteFactory()
            assert read_from() == REPLICA
            settings.OPSDB_REPLICA_MAX_LAG_SECONDS = 0
            assert read_from() == PRIMARY
        # Nothing happens on the primary, so the replica is old but not late.
        wait_until_read_from(REPLICA)


class TestFailures:
    def test_a_stopped_replica_costs_no_read(self, routed):
        assert Site.objects.exists()
        with stopped(routed[1]):
            assert read_from() == PRIMARY
            assert Site.objects.exists()
        wait_until_read_from(REPLICA)

    def test_a_stopped_replica_is_asked_again_only_after_a_while(self, routed, settings):
        settings.OPSDB_REPLICA_RETRY_SECONDS = 1000
        with stopped(routed[1]):
            assert read_from() == PRIMARY
        assert read_from() == PRIMARY

    def test_without_the_primary_reading_goes_on(self, routed):
        assert Site.objects.exists()
        with stopped(routed[0]):
            assert Site.objects.exists()
            with session_that_has_seen(0):
                assert Site.objects.exists()
            with pytest.raises(OperationalError):
                SiteFactory()

    def test_without_the_primary_nobody_is_shown_less_than_was_seen(self, routed):
        with delayed(routed):
            SiteFactory()
            with stopped(routed[0]), pytest.raises(OperationalError):
                Site.objects.exists()
        follow(routed)

    def test_a_replica_that_was_restarted_shows_no_less_than_before(self, routed):
        """It may come back at an earlier position, so that only the primary is surely no older."""
        assert Site.objects.exists()
        with stopped(routed[1]):
            pass
        session = replication.seen()
        before = session.position
        assert read_from() in (PRIMARY, REPLICA)
        assert session.position >= before > 0 or session.position == replication.primary_position()


@pytest.mark.parametrize("seed", range(4))
def test_no_session_is_ever_shown_an_older_state(routed, seed):
    """Two sessions write, read, and lose the replica, in any order; each number they read is at least the last."""
    random, replica = Random(seed), routed[1]
    Site.objects.update(description="0")
    follow(routed)
    written = 0
    sessions = {name: Seen() for name in "ab"}
    newest = dict.fromkeys(sessions, 0)
    for _ in range(60):
        act, name = random.choice(["write", "read", "read", "read", "pause", "resume", "restart"]), random.choice("ab")
        if act == "restart" and random.random() < 0.2:
            with stopped(replica):
                pass
        elif act in ("pause", "resume"):
            replica.execute(f"SELECT pg_wal_replay_{act}()")
        token = replication._seen.set(sessions[name])
        if act == "write":
            written += 1
            Site.objects.update(description=str(written))
            newest[name] = written
        shown = int(Site.objects.values_list("description", flat=True)[0])
        replication._seen.reset(token)
        assert shown >= newest[name], (act, name)
        newest[name] = shown
    replica.execute("SELECT pg_wal_replay_resume()")
    assert written > 0


class TestSessionsOfBrowsers:
    def request(self, view=lambda request: HttpResponse(str(Site.objects.count())), **headers):
        response = ReadYourWritesMiddleware(view)(RequestFactory().get("/", **headers))
        return response, response.headers.get(ReadYourWritesMiddleware.HEADER, "")

    def write(self, request):
        return HttpResponse(str(SiteFactory().pk))

    def test_the_next_request_sees_what_the_last_one_wrote(self, routed):
        with delayed(routed):
            before = Site.objects.count()
            response, position = self.request(self.write)
            assert response.cookies[ReadYourWritesMiddleware.COOKIE].value == position
            assert read_position(position) > 0
            with_header, _ = self.request(HTTP_OPSDB_POSITION=position)
            with_cookie, _ = self.request(HTTP_COOKIE=f"{ReadYourWritesMiddleware.COOKIE}={position}")
            stranger, _ = self.request()
        assert int(with_header.content) == int(with_cookie.content) == before + 1
        assert int(stranger.content) == before
        follow(routed)

    def test_the_next_request_sees_no_less_than_the_last_one_read(self, routed):
        response, position = self.request()
        with delayed(routed):
            with session_that_has_seen(0):
                SiteFactory()
            seen, later = self.request(HTTP_OPSDB_POSITION=position)
        assert read_position(later or position) >= read_position(position)
        assert int(seen.content) >= int(response.content)

    @pytest.mark.parametrize("text", ["", "x", "16/B374D848 ", "1/2/3", "'; --", "123456789/0", "٣/٤"])
    def test_a_cookie_that_is_no_position_counts_for_nothing(self, routed, text):
        assert read_position(text) is None
        response, _ = self.request(HTTP_OPSDB_POSITION=text.encode("utf-8").decode("latin-1"))
        assert response.status_code == 200

    @pytest.mark.parametrize("position", [UNKNOWN, UNKNOWN - 1])
    def test_a_position_beyond_the_log_leads_to_the_primary_and_is_replaced(self, routed, position):
        _, given = self.request(HTTP_OPSDB_POSITION=position_text(position))
        assert 0 < read_position(given) < UNKNOWN - 1

    def test_a_request_that_asks_no_database_gets_no_cookie(self, routed):
        response, position = self.request(lambda request: HttpResponse("hello"))
        assert position == ""
        assert not response.cookies


class TestHealth:
    def test_of_a_good_day(self, routed, capsys):
        primary, replica = read_health()
        assert (primary.alias, primary.role, primary.problem) == (PRIMARY, "primary", "")
        assert (replica.alias, replica.role, replica.problem) == (REPLICA, "replica", "")
        call_command("opsdb_databases")
        assert "chile" in capsys.readouterr().out

    def test_is_measured(self, routed):
        samples = {
            (sample.name, sample.labels.get("alias")): sample.value
            for family in text_string_to_metric_families(expose()[0].decode())
            for sample in family.samples
        }
        assert samples["opsdb_database_active", PRIMARY] == samples["opsdb_database_active", REPLICA] == 1
        assert samples["opsdb_replica_behind_bytes", REPLICA] >= 0

    def test_of_a_bad_night(self, routed, settings, capsys):
        settings.OPSDB_REPLICA_MAX_LAG_SECONDS = 0
        with delayed(routed):
            SiteFactory()
            late = read_health()[1]
            assert late.behind_bytes > 0
            assert "too far behind" in str(late.problem)
        with stopped(routed[1]):
            assert "does not respond" in str(read_health()[1].problem)
            with pytest.raises(CommandError, match=r"chile: not as it should be\."):
                call_command("opsdb_databases", "--json")
        assert "does not respond" in json.loads(capsys.readouterr().out)[1]["problem"]

    def test_a_server_that_takes_changes_is_no_replica(self, routed, servers):
        added = {"berlin": servers[0].settings("ops")}
        with override_settings(OPSDB_REPLICAS=("berlin",)), clusters.databases(**added):
            assert "no replica" in str(read_health()[1].problem)
            assert read_from() == PRIMARY


class TestWhatOnlyReads:
    """With the primary stopped, so that nothing can be asked of it."""

    @pytest.fixture
    def alone(self, routed):
        client = Client(raise_request_exception=True)
        client.force_login(User.objects.get(username="operator"), backend="django.contrib.auth.backends.ModelBackend")
        follow(routed)
        with stopped(routed[0]), session_that_has_seen(0):
            yield client

    def test_pages(self, alone):
        change = address(RawDataPackage, "change", RawDataPackage.objects.first())
        self.assert_shown(alone, reverse("admin:index"), reverse("admin:app_list", args=["opsdb"]), change)

    def test_lists(self, alone, listing_no_models):
        self.assert_shown(alone, *(address(model, "changelist") for model in MODELS))

    def assert_shown(self, client, *pages):
        failed = {page: status for page in pages if (status := client.get(page).status_code) != 200}
        assert not failed

    @pytest.mark.parametrize("command", ["opsdb_status", "opsdb_queues", "opsdb_check"])
    def test_commands(self, alone, command, capsys):
        call_command(command)
        assert capsys.readouterr().out


def test_settings_are_checked(settings):
    settings.OPSDB_REPLICAS = ("nowhere", "default")
    errors = checks.check_replicas(None)
    assert {error.id for error in errors} == {"opsdb.E009"}
    assert [error.msg for error in errors] == [
        "OPSDB_REPLICAS names 'nowhere', which DATABASES does not have.",
        "OPSDB_REPLICAS names 'default', which is the primary.",
        "OPSDB_REPLICAS is set, but no router reads them.",
    ]

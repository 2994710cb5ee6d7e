"""Signals of what this process wrote, after its commit, whatever wrote it here."""

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from opsdb.models import ExecutedObsUnit, ObservationStatus, RawDataFile, RawDataPackage, Site, User
from opsdb.signals import rows_created, state_changed
from opsdb.testing.factories import ExecutedObsUnitFactory, SiteFactory, UserFactory
from opsdb.testing.factories.base import EPOCH
from opsdb.testing.nights import make_night
from opsdb.workflows import finish_observation

pytestmark = pytest.mark.django_db(transaction=True)
END = EPOCH.replace(hour=1)


class Heard(list):
    """What a signal sent."""

    def __init__(self, signal, *names):
        super().__init__()
        self.signal, self.names = signal, names

    def __call__(self, sender, **sent):
        self.append((sender, *(sent[name] for name in self.names)))


@pytest.fixture
def states():
    heard = Heard(state_changed, "key", "field", "before", "after")
    state_changed.connect(heard)
    yield heard
    state_changed.disconnect(heard)


@pytest.fixture
def created():
    heard = Heard(rows_created, "keys")
    rows_created.connect(heard)
    yield heard
    rows_created.disconnect(heard)


def test_a_workflow_is_heard_of_with_what_the_rules_do_along_with_it(states, created):
    night = make_night(executions=2, files=3)
    archived = [key for sender, key, field, _, after in states if sender is RawDataPackage and after == "archived"]
    assert sorted(archived) == sorted(str(package.pk) for package in night.packages)
    finished = [one for one in states if one[0] is ExecutedObsUnit]
    assert finished == [
        (ExecutedObsUnit, str(execution.pk), "status", ObservationStatus.RUNNING, ObservationStatus.COMPLETED)
        for execution in night.executions
    ]
    keys = [key for sender, keys in created for key in keys if sender is RawDataFile]
    assert sorted(keys) == sorted(str(file.pk) for file in night.files)


def test_update_and_plain_sql_outside_of_transactions_are_heard_of(states, created):
    first, second = ExecutedObsUnitFactory.create_batch(2, start_time=EPOCH)
    created.clear()
    ExecutedObsUnit.objects.filter(pk=first.pk).update(status="aborted", end_time=END)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE executed_obs_unit SET status = 'failed', end_time = %s WHERE id = %s", [END, second.pk])
        cursor.execute("INSERT INTO site (name, short_name) VALUES ('summit', 'summit') RETURNING id")
        [key] = cursor.fetchone()
    assert [(key, after) for _, key, _, _, after in states] == [(str(first.pk), "aborted"), (str(second.pk), "failed")]
    assert created == [(Site, (str(key),))]


def test_nothing_is_heard_before_the_commit_or_of_what_is_undone(created):
    with transaction.atomic():
        SiteFactory(name="before", short_name="before")
        with pytest.raises(RuntimeError), transaction.atomic():
            SiteFactory(name="undone", short_name="undone")
            raise RuntimeError
        SiteFactory(name="after", short_name="after")
        assert created == []
    assert [Site.objects.get(pk=key).name for _, (key,) in created] == ["before", "after"]
    created.clear()
    with pytest.raises(RuntimeError), transaction.atomic():
        SiteFactory(name="undone", short_name="undone")
        raise RuntimeError
    assert created == []


def test_a_transaction_that_only_writes_within_a_savepoint_is_heard_of(created):
    with transaction.atomic(), transaction.atomic():
        SiteFactory()
    assert len(created) == 1


def test_a_receiver_that_fails_concerns_nobody_else(created, caplog):
    def fails(sender, **kwargs):
        raise RuntimeError("receiver")

    rows_created.connect(fails)
    try:
        site = SiteFactory()
    finally:
        rows_created.disconnect(fails)
    assert Site.objects.filter(pk=site.pk).exists()
    assert created == [(Site, (str(site.pk),))]
    assert "receiver" in caplog.text


def test_what_a_receiver_writes_is_heard_of_too(states, created):
    execution = ExecutedObsUnitFactory()

    def note(sender, key, **kwargs):
        SiteFactory()

    state_changed.connect(note)
    created.clear()
    try:
        finish_observation(execution.pk, end_time=execution.start_time.replace(minute=30))
    finally:
        state_changed.disconnect(note)
    assert len(states) == 1
    assert [sender for sender, _ in created] == [Site]


def test_a_transaction_is_heard_of_once_though_a_receiver_writes_between(created):
    """Of each statement of the first transaction something is called after its commit, and then of the receiver's."""
    written = []

    def note(sender, **kwargs):
        if sender is Site and not written:
            written.append(UserFactory())

    rows_created.connect(note)
    try:
        with transaction.atomic():
            sites = SiteFactory.create_batch(3)
    finally:
        rows_created.disconnect(note)
    assert [key for sender, (key,) in created if sender is Site] == [str(site.pk) for site in sites]
    assert [key for sender, (key,) in created if sender is User] == [str(written[0].pk)]


def test_many_statements_of_a_transaction_are_asked_for_once(created):
    with CaptureQueriesContext(connection) as asked, transaction.atomic():
        SiteFactory.create_batch(5)
    assert len(created) == 5
    assert sum("FROM change_log AS change" in query["sql"] for query in asked) == 1


@pytest.mark.django_db(transaction=False)
class TestInATestCase:
    """Where everything is one transaction, of which parts are taken for committed."""

    def test_every_part_is_heard_of_once(self, created, django_capture_on_commit_callbacks):
        for _ in range(3):
            created.clear()
            with django_capture_on_commit_callbacks(execute=True):
                sites = SiteFactory.create_batch(2)
            assert created == [(Site, (str(site.pk),)) for site in sites]

    def test_what_a_receiver_writes_is_heard_of_too(self, created, django_capture_on_commit_callbacks):
        def note(sender, **kwargs):
            if sender is Site:
                UserFactory()

        rows_created.connect(note)
        try:
            for _ in range(2):
                created.clear()
                with django_capture_on_commit_callbacks(execute=True):
                    SiteFactory()
                assert [sender for sender, _ in created] == [Site, User]
        finally:
            rows_created.disconnect(note)

    def test_what_is_undone_is_not_heard_of(self, created, django_capture_on_commit_callbacks):
        for _ in range(2):
            created.clear()
            with django_capture_on_commit_callbacks(execute=True):
                with pytest.raises(RuntimeError), transaction.atomic():
                    SiteFactory()
                    raise RuntimeError
                site = SiteFactory()
            assert created == [(Site, (str(site.pk),))]


def test_without_receivers_nothing_is_asked():
    site = SiteFactory()
    with CaptureQueriesContext(connection) as asked:
        Site.objects.filter(pk=site.pk).update(description="quiet")
    assert len(asked) == 1

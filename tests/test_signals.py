"""Signals of what this process wrote, after its commit, whatever wrote it here."""

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from opsdb.models import ExecutedObsUnit, ObservationStatus, RawDataFile, RawDataPackage, Site
from opsdb.signals import rows_created, state_changed
from opsdb.testing.factories import ExecutedObsUnitFactory, SiteFactory
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


def test_without_receivers_nothing_is_asked():
    site = SiteFactory()
    with CaptureQueriesContext(connection) as asked:
        Site.objects.filter(pk=site.pk).update(description="quiet")
    assert len(asked) == 1

"""Failures that somebody knows: by whom, why, until when, and who was informed."""

from datetime import datetime, timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from opsdb.models import FailureAcknowledgement
from opsdb.testing import factories
from opsdb.workflows import (
    Failure,
    FailureGroup,
    FailureKind,
    OpsdbError,
    Refused,
    acknowledge_failures,
    attributed,
    list_acknowledgements,
    withdraw_acknowledgement,
)

GROUP = FailureGroup(
    "0123456789abcdef",
    [Failure("data_transfer", "7", FailureKind.FAILED, None, "no space left on device", "cologne/buffer", "")],
)


def in_days(days):
    return timezone.now() + timedelta(days=days)


@pytest.fixture
def person(db):
    return factories.UserFactory()


def acknowledge(person, **columns):
    return acknowledge_failures(
        GROUP,
        user=person,
        **{"reason": "a disk is ordered", "until": in_days(7), "informed": "storage team", **columns},
    )


def test_a_group_is_known_until_its_time_or_until_that_is_taken_back(person):
    made = acknowledge(person)
    assert list_acknowledgements() == {GROUP.name: made}
    assert (made.message, made.place, made.informed) == ("no space left on device", "cologne/buffer", "storage team")
    assert not FailureAcknowledgement.objects.current(in_days(8)).exists()
    again = acknowledge(person, reason="it comes on Monday")
    made.refresh_from_db()
    assert made.ended_at and list_acknowledgements() == {GROUP.name: again}
    ended = withdraw_acknowledgement(again, user=person).ended_at
    assert ended and list_acknowledgements() == {}
    assert withdraw_acknowledgement(again, user=person).ended_at == ended


@pytest.mark.parametrize(
    ("columns", "error", "why"),
    [
        ({"reason": " "}, OpsdbError, "give the reason"),
        ({"until": datetime(2100, 1, 1)}, OpsdbError, "has no time zone; give it in UTC"),
        ({"until": timezone.now() - timedelta(days=1)}, Refused, "cannot hold until"),
        ({"until": timezone.now() + timedelta(days=36_500)}, Refused, "cannot hold until"),
    ],
)
def test_nothing_is_known_without_reason_or_without_end(person, columns, error, why):
    with pytest.raises(error, match=why):
        acknowledge(person, **columns)
    assert list_acknowledgements() == {}


def test_nobody_acknowledges_in_the_name_of_another_or_what_has_ended(person):
    other = factories.UserFactory()
    with attributed(user=other), pytest.raises(Refused, match="in the name of user"):
        acknowledge(person)
    columns = {"cause": "0" * 16, "message": "x", "reason": "y", "until": in_days(1), "acknowledged_by": person}
    ended = pytest.raises(IntegrityError, match="a new acknowledgement cannot have ended")
    with attributed(user=person), ended, transaction.atomic():
        FailureAcknowledgement.objects.create(**columns, ended_at=timezone.now())
    with pytest.raises(IntegrityError, match="an unknown user cannot acknowledge"), transaction.atomic():
        FailureAcknowledgement.objects.create(**columns)


def test_a_user_who_does_not_exist_is_named_by_the_key(person):
    columns = {"cause": "0" * 16, "message": "x", "reason": "y", "until": in_days(1), "acknowledged_by_id": 10**9}
    unknown = pytest.raises(IntegrityError, match="in the name of the unknown user with the key 1000000000")
    with attributed(user=person), unknown, transaction.atomic():
        FailureAcknowledgement.objects.create(**columns)
    nobody = pytest.raises(IntegrityError, match="acknowledged_by_id must be given")
    with attributed(user=person), nobody, transaction.atomic():
        FailureAcknowledgement.objects.create(**columns | {"acknowledged_by_id": None})


def test_an_acknowledgement_ends_once_and_the_database_sets_when(person):
    made = acknowledge(person)
    rows = FailureAcknowledgement.objects.filter(pk=made.pk)
    with pytest.raises(IntegrityError, match="cannot be ended without an acting user"), transaction.atomic():
        rows.update(ended_at=in_days(3))
    with attributed(user=person):
        rows.update(ended_at=in_days(3))
    made.refresh_from_db()
    assert made.ended_at < in_days(1)
    for value in (None, in_days(0)):
        with attributed(user=person), pytest.raises(IntegrityError, match="has ended"), transaction.atomic():
            rows.update(ended_at=value)

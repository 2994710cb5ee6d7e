"""Uses of tokens: counted in memory, written in batches, never on a replica."""

import os
import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, connections, transaction
from django.test.utils import CaptureQueriesContext

from opsdb.access import authenticate_token, flush_token_use
from opsdb.access.usage import USE, UseOfTokens
from opsdb.models import ApiToken, ChangeLog

from ..workflows.racing import race


@pytest.mark.django_db
def test_uses_are_written_by_one_statement(create):
    made = [create(name=str(number)) for number in range(3)]
    for token, secret in made[:2]:
        for _ in range(token.pk % 2 + 2):
            authenticate_token(secret, ip="192.0.2.1")
    authenticate_token(made[0][1], ip="2001:db8::1")
    assert not ApiToken.objects.exclude(usage_count=0).exists()
    changes = ChangeLog.objects.count()
    with CaptureQueriesContext(connection) as queries:
        assert flush_token_use() == sum(token.pk % 2 + 2 for token, _ in made[:2]) + 1
    assert sum("UPDATE api_token" in query["sql"] for query in queries) == 1
    first, second, third = (ApiToken.objects.get(pk=token.pk) for token, _ in made)
    assert [first.usage_count, second.usage_count] == [first.pk % 2 + 3, second.pk % 2 + 2]
    assert (first.last_used_ip, second.last_used_ip) == ("2001:db8::1", "192.0.2.1")
    assert abs(first.last_used_at - datetime.now(UTC)) < timedelta(minutes=5)
    assert (third.usage_count, third.last_used_at, third.last_used_ip) == (0, None, None)
    assert ChangeLog.objects.count() == changes
    assert flush_token_use() == 0


@pytest.mark.django_db
def test_a_later_use_that_another_server_wrote_stays(create):
    token, secret = create()
    later = datetime.now(UTC) + timedelta(days=1)
    ApiToken.objects.update(last_used_at=later, last_used_ip="192.0.2.9", usage_count=5)
    authenticate_token(secret, ip="192.0.2.1")
    flush_token_use()
    token.refresh_from_db()
    assert (token.last_used_at, token.last_used_ip, token.usage_count) == (later, "192.0.2.9", 6)


@pytest.mark.django_db
def test_nothing_is_written_where_the_database_can_only_be_read(create):
    token, secret = create()
    authenticate_token(secret)
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL transaction_read_only = on")
        assert flush_token_use() == 0
        transaction.set_rollback(True)
    token.refresh_from_db()
    assert token.usage_count == 0


@pytest.mark.django_db(transaction=True)
def test_two_servers_that_write_at_once_lose_nothing(create):
    made = [create(name=str(number)) for number in range(20)]

    def serve(number):
        use = UseOfTokens()
        for token, _ in made if number else reversed(made):
            use.count(token.pk, "192.0.2.1")
        use._timer.cancel()
        return use.write()

    assert race(2, serve) == [20, 20]
    assert {*ApiToken.objects.values_list("usage_count", flat=True)} == {2}


@pytest.mark.django_db(transaction=True)
def test_a_batch_is_written_by_itself_some_time_after_its_first_use(create, settings):
    settings.OPSDB_TOKEN_USE_SECONDS = 0.01
    token, secret = create()
    authenticate_token(secret)
    timer = USE._timer
    if timer is not None:
        timer.join(60)
    token.refresh_from_db()
    assert token.usage_count == 1


def test_a_failure_to_write_is_logged_and_stops_nothing(caplog, monkeypatch):
    def fail():
        connections["default"].cursor()

    use = UseOfTokens()
    monkeypatch.setattr(use, "write", fail)
    from django.db import DatabaseError

    def refuse(*arguments, **options):
        raise DatabaseError("the server is gone")

    monkeypatch.setattr(connection, "cursor", refuse)
    use.write_at_exit()
    assert "Uses of tokens were not recorded" in caplog.text and "the server is gone" in caplog.text


def test_a_new_process_does_not_count_what_its_parent_counted():
    use = UseOfTokens()
    use._timer = threading.Timer(1000, print)
    use.count(1, None)
    use.forget()
    assert use._uses == {} and use._timer is None
    reading, writing = os.pipe()
    USE._uses[1] = None
    child = os.fork()
    if child == 0:
        os.write(writing, b"forgotten" if not USE._uses else b"kept")
        os._exit(0)
    os.waitpid(child, 0)
    USE._uses.clear()
    assert os.read(reading, 20) == b"forgotten"

"""Attribution across await, in the threads of sync_to_async, by several tasks at once, and on new connections."""

import asyncio
import threading
from datetime import timedelta

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.db import connection, transaction
from psycopg.sql import SQL

from opsdb.models import ChangeLog, ExecutedObsUnit, Site
from opsdb.testing.factories import ExecutedObsUnitFactory, SiteFactory, UserFactory
from opsdb.testing.nights import build_world
from opsdb.workflows import attributed, finish_observation, set_actor
from opsdb.workflows.attribution import _SetActorBeforeWrites, _wrapper_of


def authors(table):
    return [*ChangeLog.objects.filter(table_name=table, operation="update").values_list("user_id", "origin")]


@pytest.mark.django_db
def test_a_block_holds_across_await_and_in_other_threads():
    user, site, run = UserFactory(), SiteFactory(), ExecutedObsUnitFactory()

    async def work():
        with attributed(user=user, origin="a task"):
            await Site.objects.filter(pk=site.pk).aupdate(description="1")
            await sync_to_async(finish_observation)(run.pk, end_time=run.start_time + timedelta(hours=1))

    async_to_sync(work)()
    assert authors("site") == [(user.pk, "a task")]
    assert {*authors("executed_obs_unit")} == {(user.pk, "a task")}
    assert ExecutedObsUnit.objects.get(pk=run.pk).status == "completed"


@pytest.mark.django_db(transaction=True)
def test_tasks_at_once_are_told_apart():
    users, site = [UserFactory() for _ in range(4)], SiteFactory()

    async def change(number, user):
        with attributed(user=user, origin=f"task {number}"):
            for step in range(5):
                await asyncio.sleep(0)
                await Site.objects.filter(pk=site.pk).aupdate(description=f"{number} {step}")

    async def work():
        await asyncio.gather(*(change(number, user) for number, user in enumerate(users)))
        await Site.objects.filter(pk=site.pk).aupdate(description="by nobody")

    async_to_sync(work)()
    found = {}
    for change in ChangeLog.objects.filter(table_name="site", operation="update"):
        found.setdefault((change.user_id, change.origin), []).append(change.after["description"])
    expected = {(user.pk, f"task {number}"): number for number, user in enumerate(users)}
    assert {key: {text.split()[0] for text in texts} for key, texts in found.items() if key[0]} == {
        key: {str(number)} for key, number in expected.items()
    }
    assert found[None, ""] == ["by nobody"]


@pytest.mark.django_db
def test_what_follows_a_block_in_its_transaction_is_by_nobody():
    user, site = UserFactory(), SiteFactory()
    with transaction.atomic():
        with attributed(user=user, origin="inside"):
            Site.objects.filter(pk=site.pk).update(description="1")
            mark = transaction.savepoint()
        Site.objects.filter(pk=site.pk).update(description="2")
        transaction.savepoint_rollback(mark)
        Site.objects.filter(pk=site.pk).update(description="3")
    assert authors("site") == [(user.pk, "inside"), (None, "")]


@pytest.mark.django_db
@pytest.mark.parametrize("rollback", ["ROLLBACK TO {}", "/* back */ rollback to {}", SQL("ROLLBACK TO {}")])
def test_what_follows_a_rollback_by_sql_is_by_nobody(rollback):
    user, site = UserFactory(), SiteFactory()
    with transaction.atomic():
        with attributed(user=user, origin="inside"):
            Site.objects.filter(pk=site.pk).update(description="1")
            mark = transaction.savepoint()
        for text in ("2", "3"):
            Site.objects.filter(pk=site.pk).update(description=text)
            with connection.cursor() as cursor:
                cursor.execute(rollback.format(mark if isinstance(rollback, str) else SQL(mark)))
        Site.objects.filter(pk=site.pk).update(description="4")
    assert authors("site") == [(user.pk, "inside"), (None, "")]


@pytest.mark.django_db
def test_what_follows_a_copy_in_its_transaction_is_by_nobody(monkeypatch):
    user, site = UserFactory(), SiteFactory()
    # As on a connection that has attributed nothing yet.
    monkeypatch.setattr(_wrapper_of(connection), "last", None)
    with transaction.atomic():
        with attributed(user=user, origin="inside"):
            set_actor(connection)
            with (
                connection.cursor() as cursor,
                cursor.copy("COPY site (name, short_name, location, description) FROM STDIN") as copy,
            ):
                copy.write_row(("Copied", "copied", "", ""))
        Site.objects.filter(pk=site.pk).update(description="1")
    assert ChangeLog.objects.get(after__short_name="copied").user == user
    assert authors("site") == [(None, "")]


@pytest.mark.django_db
def test_the_actor_is_removed_again_after_a_rollback_only(monkeypatch):
    user, site = UserFactory(), SiteFactory()
    cleared, clear = [], _SetActorBeforeWrites.clear
    monkeypatch.setattr(_SetActorBeforeWrites, "clear", lambda self: cleared.append(self.last) or clear(self))

    def change(text):
        Site.objects.filter(pk=site.pk).update(description=text)

    with transaction.atomic():
        with attributed(user=user, origin="inside"):
            change("1")
            mark = transaction.savepoint()
        change("2")
        change("3")
        assert not cleared
        for text in ("4", "5"):
            transaction.savepoint_rollback(mark)
            change(text)
            change(text + " again")
        assert len(cleared) == 2
    assert authors("site") == [(user.pk, "inside"), *[(None, "")] * 2]


@pytest.mark.django_db
def test_outside_of_a_block_nothing_is_asked_of_the_session(django_assert_num_queries):
    site = SiteFactory()
    with django_assert_num_queries(1):
        Site.objects.filter(pk=site.pk).update(description="1")
    assert authors("site") == [(None, "")]


@pytest.mark.django_db
def test_the_way_of_a_package_into_the_archive_is_gone_from_an_async_task():
    """Observing, registering, packaging, moving and archiving, each called through sync_to_async."""
    user = UserFactory()

    async def work():
        with attributed(user=user, origin="a task"):
            world = await sync_to_async(build_world)()
            return await sync_to_async(world.archived_package)()

    package = async_to_sync(work)()
    assert package.copies.filter(verification="verified").exists()
    assert {*authors("raw_data_package"), *authors("data_transfer"), *authors("long_term_archive_transfer")} == {
        (user.pk, "a task")
    }


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_is_made_within_a_block_of_another_wrapper_keeps_attributing():
    """As in a server's thread, whose first request connects while a middleware wraps its statements."""
    user, site = UserFactory(), SiteFactory()

    def serve():
        with connection.execute_wrapper(lambda execute, *arguments: execute(*arguments)):
            Site.objects.count()
        with attributed(user=user, origin="the second request"):
            Site.objects.filter(pk=site.pk).update(description="1")
        connection.close()

    thread = threading.Thread(target=serve)
    thread.start()
    thread.join()
    assert authors("site") == [(user.pk, "the second request")]

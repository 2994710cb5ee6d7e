"""Real races: every contender is a thread with its own connection to the database."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager

from django.db import connection, connections, transaction

PATIENCE_SECONDS = 20
SOMEBODY_WAITS_FOR_US = """
SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid)))
"""
# Each contender that waits for a lock, whoever holds it.
HOW_MANY_WAIT = """
SELECT count(DISTINCT pid) FROM pg_locks JOIN pg_database ON pg_database.oid = pg_locks.database
WHERE NOT granted AND datname = current_database()
"""
WRITTEN = """
SELECT string_agg(oid::regclass::text, ', ') FROM pg_class
WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace AND has_table_privilege(oid, 'UPDATE')
"""
CONTENDERS = []


def race(contenders, act):
    """Let several do the same at once, and return what each returned, or raised.

    None of them locks or writes a row before each of them is about to, or waits for another: whatever they have read
    and decided until then, they have read and decided on what was there before the first of them wrote.

    Args:
        contenders: how many.
        act: called with the number of the contender, from 0.
    """
    start = threading.Barrier(contenders + 1, timeout=30)

    def run(number):
        try:
            connections["default"].ensure_connection()
            start.wait()
            return act(number)
        except Exception as error:
            return error

    while len(CONTENDERS) < contenders:
        CONTENDERS.append(ThreadPoolExecutor(1))
    futures = [pool.submit(run, number) for number, pool in enumerate(CONTENDERS[:contenders])]
    with held_back(start):
        until_all_wait(futures)
    return [future.result(timeout=60) for future in futures]


@contextmanager
def held_back(start):
    """Start the contenders, and let none of them lock or write a row until the block ends."""
    with transaction.atomic(), connection.cursor() as cursor:
        try:
            cursor.execute(WRITTEN)
            cursor.execute(f"LOCK TABLE {cursor.fetchone()[0]} IN EXCLUSIVE MODE")
            start.wait()
        except BaseException:
            start.abort()
            raise
        yield


def until_all_wait(futures):
    """Wait until each contender is done or waits for a lock."""
    end = time.monotonic() + PATIENCE_SECONDS
    with connection.cursor() as cursor:
        while running := sum(not future.done() for future in futures):
            cursor.execute(HOW_MANY_WAIT)
            if cursor.fetchone()[0] >= running or time.monotonic() > end:
                return
            wait(futures, timeout=0.005)


def dismiss_contenders():
    """Let the contenders of a test end, whose connections serve all its races: a new one has to learn every rule."""
    while CONTENDERS:
        with CONTENDERS.pop() as pool:
            pool.submit(lambda: connections["default"].close())


def waits_for_us(thread) -> bool:
    """Return whether a thread runs into a lock of this thread's transaction before it ends."""
    end = time.monotonic() + PATIENCE_SECONDS
    with connection.cursor() as cursor:
        while thread.is_alive() and time.monotonic() < end:
            cursor.execute(SOMEBODY_WAITS_FOR_US)
            if cursor.fetchone()[0]:
                return True
            thread.join(0.005)
    return False


def overtaken(first, then, *, must_wait=False, until_done=False):
    """Let ``then`` run on another connection while ``first`` is done and not committed yet; return what came of it.

    Args:
        first: called in a transaction, which is committed when ``then`` is done or has run into its locks.
        then: called meanwhile.
        must_wait: whether ``then`` has to run into a lock.
        until_done: commit only when ``then`` is done.
    """
    outcome = []

    def run():
        try:
            outcome.append(then())
        except Exception as error:
            outcome.append(error)
        finally:
            connections["default"].close()

    thread = threading.Thread(target=run)
    with transaction.atomic():
        first()
        thread.start()
        waits = waits_for_us(thread)
        if until_done:
            thread.join(timeout=PATIENCE_SECONDS)
    thread.join(timeout=60)
    assert not thread.is_alive(), "it still waits"
    assert waits or not must_wait, "the second did not wait for the first"
    return outcome[0]

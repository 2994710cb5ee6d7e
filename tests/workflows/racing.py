"""Real races: every contender is a thread with its own connection to the database."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

from django.db import connection, connections, transaction

PATIENCE_SECONDS = 20
SOMEBODY_WAITS_FOR_US = """
SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid)))
"""


CONTENDERS = []


def race(contenders, act):
    """Let several contenders act at the same moment, and return what came of each, errors included.

    Args:
        contenders: how many.
        act: called with the number of the contender, from 0.
    """
    start = threading.Barrier(contenders, timeout=30)

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
    return [future.result(timeout=60) for future in futures]


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

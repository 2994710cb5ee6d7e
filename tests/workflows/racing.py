"""Real races: every contender is a thread with its own connection to the database."""

import threading

from django.db import connections, transaction


def race(contenders, act):
    """Let several contenders act at the same moment, and return what came of each, errors included.

    Args:
        contenders: how many.
        act: called with the number of the contender, from 0.
    """
    start = threading.Barrier(contenders, timeout=30)
    outcomes = [None] * contenders

    def run(number):
        try:
            connections["default"].ensure_connection()
            start.wait()
            outcomes[number] = act(number)
        except Exception as error:
            outcomes[number] = error
        finally:
            connections["default"].close()

    threads = [threading.Thread(target=run, args=[number]) for number in range(contenders)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
        assert not thread.is_alive(), "a contender still waits"
    return outcomes


def overtaken(first, then, *, head_start_seconds=0.3):
    """Let ``then`` run on another connection while ``first`` is done and not committed yet; return what came of it.

    Args:
        first: called in a transaction, which is committed when ``then`` has had time to run into its locks.
        then: called meanwhile.
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
        thread.join(head_start_seconds)
    thread.join(timeout=60)
    assert not thread.is_alive(), "it still waits"
    return outcome[0]

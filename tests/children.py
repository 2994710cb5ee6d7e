"""Children of the tests' process, with a session of their own, which may be killed."""

import multiprocessing
import os
import time

from django.core.management import call_command
from django.db import connection

OTHER_SESSIONS = """
SELECT * FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
"""


def child_that_calls(*command):
    """Start a child that runs a command of manage.py, and return it."""
    child = multiprocessing.get_context("fork").Process(target=_call, args=command)
    child.start()
    return child


def _call(*command):
    # The parent's session is not the child's to use.
    connection.inc_thread_sharing()
    connection.connection = None
    connection.savepoint_ids, connection.in_atomic_block = [], False
    call_command(*command, verbosity=0)
    # What Python does at its end takes longer than a small load, and must not be what is killed.
    os._exit(0)


def wait_for_sessions_to_end():
    """Wait until the server has noticed that a killed child is gone."""
    until = time.monotonic() + 30
    with connection.cursor() as cursor:
        while True:
            cursor.execute(OTHER_SESSIONS)
            if not cursor.fetchall():
                return
            assert time.monotonic() < until
            time.sleep(0.01)

"""``opsdb_init`` that is killed leaves the database as it was."""

import json
import os
import subprocess
import sys
from random import Random

import pytest

from opsdb.loaders.reference import load_reference
from opsdb.models import ChangeLog, Role, Site
from tests.commands import ROOT
from tests.databases import url_of_test_database

MOMENTS = 20

# One process loads the program once; every trial is a fork of it, which kills itself before one of its statements.
TRIALS = """
import json, os, signal, sys
import django
django.setup()
from django.db import connection
from opsdb.loaders.reference import load_reference

class Deadly:
    def __init__(self, moment):
        self.left = moment
    def __call__(self, execute, sql, params, many, context):
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        self.left -= 1
        return execute(sql, params, many, context)

for line in sys.stdin:
    child = os.fork()
    if not child:
        deadly = Deadly(int(line))
        with connection.execute_wrapper(deadly):
            load_reference()
        os._exit(0)
    _, status = os.waitpid(child, 0)
    print(json.dumps(os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0), flush=True)
"""


@pytest.mark.django_db(transaction=True)
def test_killed_at_any_of_twenty_moments_it_leaves_nothing_and_the_next_run_completes(django_assert_max_num_queries):
    with django_assert_max_num_queries(10_000) as asked:
        load_reference(dry_run=True)
    statements = len(asked)
    moments = sorted(Random(4).sample(range(1, statements), MOMENTS - 2)) + [statements - 2, 0]
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DATABASE_URL": url_of_test_database(),
        "SECRET_KEY": "only-for-tests",
        "PYTHONPATH": str(ROOT),
    }
    before = ChangeLog.objects.count()
    with subprocess.Popen(
        [sys.executable, "-c", TRIALS], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as trials:
        for moment in moments:
            trials.stdin.write(f"{moment}\n")
            trials.stdin.flush()
            assert json.loads(trials.stdout.readline()) == 9, moment
            assert (Site.objects.count(), Role.objects.count(), ChangeLog.objects.count()) == (0, 0, before)
        trials.stdin.close()
    assert load_reference().count("create") > 60
    assert load_reference().changes_nothing

"""The help of every command: without a database, with examples, and quick."""

import json
import re
import sys

import django
import pytest
from django.core.management import call_command, get_commands

import opsdb
from opsdb.loaders import kinds
from tests.commands import ROOT, run

NAMES = sorted(name for name, app in get_commands().items() if app == "opsdb")
COMMANDS = [(name,) for name in NAMES] + [("opsdb_load", kind) for kind in kinds()]
UNREACHABLE = {"DATABASE_URL": "postgres://nobody@127.0.0.1:1/none", "SECRET_KEY": "x"}
HEAVY = {"astropy", "numpy", "pandas", "prometheus_client", "rich", "jsonschema"}
SHOW_HELP = """
import json, sys
import django
from django.core.checks import run_checks
from django.core.management import execute_from_command_line
from django.db import connection
django.setup()
for command in json.loads(sys.argv[1]):
    try:
        execute_from_command_line(["manage.py", *command, "--help"])
    except SystemExit as end:
        assert not end.code
from opsdb.schema import describe_schema
run_checks()
assert not describe_schema.cache_info().currsize
assert connection.connection is None
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_help_shows_examples_of_itself(command, capsys):
    with pytest.raises(SystemExit) as ended:
        call_command(*command, "--help")
    assert not ended.value.code
    said = capsys.readouterr().out
    assert said.startswith("usage:")
    assert "example" in said
    assert f"manage.py {' '.join(command)} " in said.partition("example")[2] + " "


@pytest.mark.parametrize("name", NAMES)
def test_version_is_that_of_ops_db(name, capsys):
    with pytest.raises(SystemExit) as ended:
        call_command(name, "--version")
    assert not ended.value.code
    assert capsys.readouterr().out == f"ops-db {opsdb.__version__} (Django {django.get_version()})\n"


def test_help_and_checks_need_no_database_load_nothing_heavy_and_describe_no_table():
    """``python -m benchmarks.help`` says how long it takes."""
    arguments = [sys.executable, "-c", SHOW_HELP, json.dumps(COMMANDS)]
    done = run(*arguments, DJANGO_SETTINGS_MODULE="config.settings", **UNREACHABLE)
    assert done.returncode == 0, done.stderr
    assert not HEAVY & set(json.loads(done.stdout.splitlines()[-1]))


def test_every_command_is_in_the_documentation():
    page = (ROOT / "docs" / "operations.md").read_text()
    documented = re.findall(r"^\| `(opsdb_\w+|migrate|dumpdata)[` ]", page, re.MULTILINE)
    assert sorted(documented) == NAMES

"""The help of every command: without a database, with examples, and quick."""

import json
import resource
import sys

import pytest
from django.core.management import call_command, get_commands

from tests.commands import ROOT, run

COMMANDS = sorted(name for name, app in get_commands().items() if app == "opsdb")
UNREACHABLE = {"DATABASE_URL": "postgres://nobody@127.0.0.1:1/none", "SECRET_KEY": "x"}
HEAVY = {"astropy", "numpy", "rich", "jsonschema"}
PRINT_WHAT_IT_IMPORTS = """
import json, sys
from django.core.management import execute_from_command_line
for name in json.loads(sys.argv[1]):
    try:
        execute_from_command_line(["manage.py", name, "--help"])
    except SystemExit as end:
        assert not end.code
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""


@pytest.mark.parametrize("command", COMMANDS)
def test_help_shows_examples_of_itself(command, capsys):
    with pytest.raises(SystemExit) as ended:
        call_command(command, "--help")
    assert not ended.value.code
    said = capsys.readouterr().out
    assert "example" in said
    assert f"manage.py {command} " in said.partition("example")[2] + " "


def test_help_needs_no_database_and_loads_nothing_heavy():
    done = run(
        sys.executable,
        "-c",
        PRINT_WHAT_IT_IMPORTS,
        json.dumps(COMMANDS),
        DJANGO_SETTINGS_MODULE="config.settings",
        **UNREACHABLE,
    )
    assert done.returncode == 0, done.stderr
    assert not HEAVY & set(json.loads(done.stdout.splitlines()[-1]))


def test_help_takes_less_than_a_second():
    """Of the processor's time, because others may use the machine as well."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = run(sys.executable, ROOT / "manage.py", "opsdb_init", "--help", **UNREACHABLE)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.stdout.startswith("usage:"), done.stderr
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 1

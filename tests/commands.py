"""Running the project's commands as processes of their own."""

import os
import subprocess
import sys
from pathlib import Path

from config import settings

ROOT = Path(__file__).resolve().parent.parent
# What decides on database and secrets, so that a test begins without the surroundings' choice.
DECIDING = {"DJANGO_SETTINGS_MODULE", *settings.VARIABLES}
# Commands of manage.py one after another, with NUL behind what each prints, and how it ended in NULs behind its errors.
SEVERAL = """
import runpy, sys

for command in sys.argv[1:]:
    code = 0
    sys.argv = ["manage.py", *command.split()]
    try:
        runpy.run_path("manage.py", run_name="__main__")
    except SystemExit as end:
        code = end.code or 0
        if isinstance(code, str):
            code = print(code, file=sys.stderr) or 1
    print(end="\\0")
    print(f"\\0{code}", end="\\0", file=sys.stderr)
"""


def run(*command, folder=ROOT, **environment) -> subprocess.CompletedProcess:
    """Run a command in a folder with the given variables, and none of DECIDING besides."""
    inherited = {name: value for name, value in os.environ.items() if name not in DECIDING}
    return subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        env={**inherited, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        timeout=120,
    )


def manage(*arguments, **environment) -> subprocess.CompletedProcess:
    """Run a command of manage.py."""
    return run(sys.executable, ROOT / "manage.py", *arguments, **environment)


def manage_several(*commands, python=sys.executable, **options) -> list[subprocess.CompletedProcess]:
    """Run commands of the manage.py of a folder in one process, and return what each of them printed."""
    done = run(python, "-c", SEVERAL, *commands, **options)
    printed, errors = done.stdout.split("\0"), done.stderr.split("\0")
    assert len(printed) == len(commands) + 1, done.stderr
    codes = map(int, errors[1::2])
    return list(map(subprocess.CompletedProcess, commands, codes, printed, errors[::2]))


def succeed_several(*commands, **options) -> list[str]:
    """Run commands of manage.py in one process, none of which may fail, and return what each of them printed."""
    done = manage_several(*commands, **options)
    assert not any(one.returncode for one in done), done
    return [one.stdout for one in done]


def the_one_line(done: subprocess.CompletedProcess) -> str:
    """The message of a command that refused: one line and no traceback."""
    assert done.returncode != 0, done.stdout
    lines = done.stderr.splitlines()
    assert len(lines) == 1, done.stderr
    return lines[0]

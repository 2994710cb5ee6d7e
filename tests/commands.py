"""Running the project's commands as processes of their own."""

import os
import subprocess
import sys
from pathlib import Path

from config import settings

ROOT = Path(__file__).resolve().parent.parent
# What decides on database and secrets, so that a test begins without the surroundings' choice.
DECIDING = {"DJANGO_SETTINGS_MODULE", *settings.VARIABLES}


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


def the_one_line(done: subprocess.CompletedProcess) -> str:
    """The message of a command that refused: one line and no traceback."""
    assert done.returncode != 0, done.stdout
    lines = done.stderr.splitlines()
    assert len(lines) == 1, done.stderr
    return lines[0]

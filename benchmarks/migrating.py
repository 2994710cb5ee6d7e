"""What ``migrate`` costs beside another commit: ``python -m benchmarks.migrating --against COMMIT``.

Checks the other commit out into a temporary folder, and lets both migrate an empty database of their own in turn, each
with the Python that runs this. Prints the processor time of each whole process, of the client and not of the server,
and the ratio of the medians.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
MIGRATE = """
from contextlib import nullcontext
import django
django.setup()
from django.core.management import call_command
from django.db import connection
try:
    from tests.databases import as_owner
except ImportError:  # before there were roles
    as_owner = nullcontext
with as_owner():
    with connection._nodb_cursor() as cursor:
        cursor.execute("DROP DATABASE IF EXISTS benchmark_migrating")
        cursor.execute("CREATE DATABASE benchmark_migrating")
    connection.close()
    connection.settings_dict["NAME"] = "benchmark_migrating"
    call_command("migrate", verbosity=0)
    connection.close()
    with connection._nodb_cursor() as cursor:
        cursor.execute("DROP DATABASE benchmark_migrating")
"""


def processor_seconds(folder: Path) -> float:
    """Return the processor time, in seconds, of a process that migrates an empty database with the code in a folder."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "tests.settings", "PYTHONPATH": str(folder)}
    subprocess.run([sys.executable, "-c", MIGRATE], cwd=folder, env=environment, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Measure, and print what was measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--against", required=True, metavar="COMMIT", help="commit to compare with")
    parser.add_argument("--rounds", type=int, default=3, help="how often each migrates (default: 3)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="migrating-") as temporary:
        other = Path(temporary) / "other"
        subprocess.run(["git", "worktree", "add", "--detach", "--quiet", other, options.against], cwd=HERE, check=True)
        try:
            times = [(processor_seconds(HERE), processor_seconds(other)) for _ in range(options.rounds)]
        finally:
            stop = [sys.executable, "-m", "opsdb.embedded", "stop", "--folder", ".opsdb-tests"]
            subprocess.run(stop, cwd=other, env=os.environ | {"PYTHONPATH": str(other)}, check=False)
            subprocess.run(["git", "worktree", "remove", "--force", other], cwd=HERE, check=True)
    ours, theirs = (statistics.median(column) for column in zip(*times, strict=True))
    print(
        f"here {ours:.1f} s, at {options.against} {theirs:.1f} s of processor time: {ours / theirs:.2f} times as much"
    )


if __name__ == "__main__":
    main()

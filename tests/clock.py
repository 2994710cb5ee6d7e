"""Run tests with the clock of every process, the database's too, two years ahead: ``python -m tests.clock``.

They run once at each of four hours of the day, or at those of ``--hours``, on a server of their own. The two ways to
load all cases, by the command and in the admin, take turns. The other arguments are pytest's. Needs Debian's
libfaketime.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from itertools import cycle
from pathlib import Path

from opsdb.embedded.server import Server

from .commands import ROOT

AHEAD = timedelta(days=2 * 365)
HOURS = ("3", "9", "15", "21")  # UTC
# What reads the clock, or might: the night, the schedule, the loaders of plans, the demonstration.
MODULES = (
    *(f"tests/admins/answers/test_{name}.py" for name in ("answers", "dashboard", "progress_pages", "trends")),
    *(f"tests/workflows/test_{name}.py" for name in ("acknowledging", "observing_progress", "trends")),
    *(f"tests/loaders/test_{name}.py" for name in ("allocations", "cases", "downtimes", "inpar", "obs_units")),
    *(f"tests/loaders/test_{name}.py" for name in ("plan_formats", "schedules", "season", "slots", "sources")),
    "tests/test_earth.py",
)
TESTS = (
    *MODULES,
    "tests/test_demonstration.py::test_one_night_from_schedule_to_publication_and_deletion",
    "tests/test_demonstration.py::test_another_telling_is_of_the_nights_before",
)
# The longest of them. One way is left out at each hour.
CASES = "tests/loaders/test_cases.py::test_every_case_loads_with_the_right_numbers_or_is_refused_in_one_sentence"
WAYS = ("command", "admin")
LIBRARY = "faketime/libfaketimeMT.so.1"


class ShiftedServer(Server):
    """A server whose clock is that of a file."""

    def __init__(self, folder, clock):
        super().__init__(folder, durable=False)
        self.clock = clock

    def _as_account(self):
        arguments = super()._as_account()
        return arguments | {"env": arguments["env"] | self.clock}


def main() -> int:
    """Run the tests, and return how that ended."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--hours", default=",".join(HOURS), help="hours of the day in UTC (default: %(default)s)")
    options, arguments = parser.parse_known_args()
    found = sorted(Path("/usr/lib").glob(f"*/{LIBRARY}"))
    if not found:
        sys.exit("There is no libfaketime: apt install libfaketime")
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)  # the server's account reads it too
        shift = Path(folder) / "shift"
        clock = {
            "LD_PRELOAD": str(found[0]),
            "FAKETIME_TIMESTAMP_FILE": str(shift),
            "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "NO_FAKE_STAT": "1",
        }
        shift.write_text("+0")
        server = ShiftedServer(ROOT / f"{os.environ.get('TESTS_SERVER', '.opsdb-tests')}-clock", clock)
        try:
            server.start()
            url = f"postgres://opsdb@/opsdb?host={server.socket_folder}"
            failed = 0
            for left_out, hour in zip(cycle(WAYS), options.hours.split(",")):
                now = datetime.now(UTC)
                seconds = (now + AHEAD).replace(hour=int(hour), minute=5) - now
                shift.write_text(f"+{seconds.total_seconds():.0f}")
                print(f"At {now + seconds:%Y-%m-%d %H:%M} UTC", flush=True)
                done = subprocess.run(
                    [sys.executable, "-m", "pytest", *arguments, "--deselect", f"{CASES}[{left_out}]", *TESTS],
                    cwd=ROOT,
                    env={**os.environ, **clock, "TEST_DATABASE_URL": url},
                )
                failed = failed or done.returncode
        finally:
            server.stop()
    return failed


if __name__ == "__main__":
    sys.exit(main())

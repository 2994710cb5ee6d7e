"""How long the help of every command takes: ``python -m benchmarks.help``.

Each is a process of its own, as for the person who asks; the processor's time of the quickest of several.
"""

import argparse
import os
import subprocess
import sys

import django


def processor_seconds(command):
    """Return the processor's time of one process that runs a command."""
    before = os.times()
    subprocess.run([sys.executable, "manage.py", *command], check=True, stdout=subprocess.DEVNULL)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=3, help="times that each is asked (%(default)s)")
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    from django.core.management import get_commands

    for name in ["check", *sorted(name for name, app in get_commands().items() if app == "opsdb")]:
        taken = min(processor_seconds([name, "--help"]) for _ in range(options.repeats))
        print(f"{name:<24} {taken:.2f} s")


if __name__ == "__main__":
    main()

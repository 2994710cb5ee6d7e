"""What the commands that answer questions have in common."""

import json
from dataclasses import asdict, is_dataclass
from datetime import datetime

from django.core.management.base import CommandError

from .base import OpsdbCommand

STEP = 1_000


class AnsweringCommand(OpsdbCommand):
    """Ask a workflow and print its answer, as tables or as JSON.

    A subclass defines ``answer``, which returns a dataclass or a list of them, and ``show``, which prints it.
    """

    def add_arguments(self, parser):
        parser.add_argument("--json", action="store_true", help="print JSON, with times in UTC")

    def handle(self, **options):
        from django.core.exceptions import ValidationError

        from opsdb.workflows import OpsdbError

        try:
            answer = self.answer(options)
        except ValidationError as error:
            raise CommandError("; ".join(error.messages)) from error
        except OpsdbError as error:
            raise CommandError(" ".join(str(error).split())) from error
        self.report(answer, options)

    def report(self, answer, options):
        """Print the answer in the form that was asked for."""
        if options["json"]:
            self.stdout.write(json.dumps(plain(answer), indent=2, default=_as_text))
        else:
            self.show(self.console(options), answer)

    def answer(self, options):
        """Return the answer."""
        raise NotImplementedError

    def show(self, out, answer):
        """Print the answer on a rich console."""
        raise NotImplementedError


def plain(answer):
    """Return an answer as what JSON can say."""
    if isinstance(answer, list | tuple):
        return [plain(one) for one in answer]
    return asdict(answer) if is_dataclass(answer) else answer


def _as_text(value):
    return value.isoformat() if isinstance(value, datetime) else str(value)


def moment(value) -> str:
    """Return a time as people read it, UTC."""
    return f"{value:%Y-%m-%d %H:%M}" if value else "-"


def volume(number) -> str:
    """Return a number of bytes as people read it."""
    if number is None:
        return "-"
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if abs(number) < STEP:
            return f"{number:.0f} {unit}" if unit == "B" else f"{number:.1f} {unit}"
        number /= STEP
    return f"{number:.1f} PB"

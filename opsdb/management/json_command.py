"""Commands that print the result of a workflow, as tables or as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict, is_dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.core.management.base import CommandError, CommandParser

from opsdb.formatting import format_minute, format_size

from .command import OpsdbCommand

if TYPE_CHECKING:
    from rich.console import Console


class JsonCommand(OpsdbCommand):
    """Ask a workflow and print its result.

    A subclass defines ``result``, which returns a dataclass or a list of them, and ``render``, which prints it.
    """

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print JSON, with times in UTC")

    def handle(self, **options: Any) -> None:
        from django.core.exceptions import ValidationError

        from opsdb.workflows import OpsdbError

        try:
            result = self.result(options)
        except ValidationError as error:
            raise CommandError("; ".join(error.messages)) from error
        except OpsdbError as error:
            raise CommandError(" ".join(str(error).split())) from error
        self.report(result, options)

    def report(self, result: Any, options: dict[str, Any]) -> None:
        """Print the result as JSON or as tables."""
        if options["json"]:
            self.stdout.write(json.dumps(as_plain_data(result), indent=2, default=_as_text))
        else:
            self.render(self.console(options), result)

    def result(self, options: dict[str, Any]) -> Any:
        """Return a dataclass or a list of them."""
        raise NotImplementedError

    def render(self, out: Console, result: Any) -> None:
        """Print the result on a rich console."""
        raise NotImplementedError


def as_plain_data(result: Any) -> Any:
    """Return a result with dictionaries in the place of dataclasses."""
    if isinstance(result, list | tuple):
        return [as_plain_data(one) for one in result]
    return asdict(result) if is_dataclass(result) else result


def _as_text(value):
    return value.isoformat() if isinstance(value, datetime) else str(value)


def minute(moment: datetime | None) -> str:
    """Return a time in UTC to the minute."""
    return "-" if moment is None else format_minute(moment)


def size(number: int | None) -> str:
    """Return a number of bytes in decimal units."""
    return "-" if number is None else format_size(number)

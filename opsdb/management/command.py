"""Base class of all commands of ops-db."""

from __future__ import annotations

import os
import sys
from argparse import HelpFormatter as ArgparseHelpFormatter
from argparse import RawDescriptionHelpFormatter
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError, CommandParser, DjangoHelpFormatter

from opsdb import __version__

from .report import console

if TYPE_CHECKING:
    from rich.console import Console

CLOSED_OUTPUT = 141
"""Exit code when the reader of standard output has closed it: that of a program that SIGPIPE ends, in a shell."""


class HelpFormatter(DjangoHelpFormatter, RawDescriptionHelpFormatter):
    """Wrap a description of one line, and keep the lines of others."""

    def _fill_text(self, text, width, indent):
        if "\n" in text:
            return super()._fill_text(text, width, indent)
        return ArgparseHelpFormatter._fill_text(self, text, width, indent)


class OpsdbCommand(BaseCommand):
    """A command whose help ends with examples.

    Modules that only the work needs are imported in ``handle``, so that help is quick.

    Attributes:
        examples: command lines without ``manage.py``.
        notes: text below them, whose lines are kept.
        paths: names of the options that are paths, which may have bytes that are not UTF-8.
    """

    examples: tuple[str, ...] = ()
    notes = ""
    paths: tuple[str, ...] = ()

    def get_version(self) -> str:
        """Return what ``--version`` prints."""
        return f"ops-db {__version__} (Django {super().get_version()})"

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        lines = [f"  manage.py {example}" for example in self.examples]
        epilog = "\n".join([f"example{'s' if len(lines) > 1 else ''}:", *lines])
        kwargs = {
            "formatter_class": HelpFormatter,
            "epilog": f"{epilog}\n\n{self.notes}" if self.notes else epilog,
            **kwargs,
        }
        return super().create_parser(prog_name, subcommand, **kwargs)

    def run_from_argv(self, argv: list[str]) -> None:
        try:
            super().run_from_argv(argv)
            sys.stdout.flush()
        except BrokenPipeError:
            # What is left in the buffer would fail again at the end of the process.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(CLOSED_OUTPUT)

    def execute(self, *args: Any, **options: Any) -> str | None:
        from opsdb.normalization import escape_unstorable, is_storable

        for name, value in options.items():
            for text in value if isinstance(value, list | tuple) else [value]:
                if isinstance(text, str) and name not in self.paths and not is_storable(text):
                    raise CommandError(f"{name}: '{escape_unstorable(text)}' is not UTF-8; write it in that encoding")
        return super().execute(*args, **options)

    def console(self, options: dict[str, Any]) -> Console:
        """Return a rich console on standard output.

        Args:
            options: of the command; ``no_color`` and ``force_color`` count.
        """
        return console(self.stdout, no_color=options["no_color"], force_color=options["force_color"])

"""Reading passwords; never from the command line, which others on the machine can read."""

from __future__ import annotations

import getpass
import secrets
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError, CommandParser

if TYPE_CHECKING:
    from django.contrib.auth.base_user import AbstractBaseUser

GENERATED_BYTES = 18


def add_password_options(parser: CommandParser) -> None:
    """Add the options for the origin of a password."""
    sources = parser.add_mutually_exclusive_group()
    sources.add_argument(
        "--password-file", metavar="FILE", help="file whose first line is the password; - is standard input"
    )
    sources.add_argument("--generate-password", action="store_true", help="generate a random password and show it once")


def take_password(options: dict[str, Any], user: AbstractBaseUser) -> str:
    """Return the password according to the options: from a file, random, or typed twice.

    Args:
        options: of a command with :func:`add_password_options`.
        user: its user, not yet saved, for the project's validators.

    Raises:
        CommandError: there is no terminal, the two differ, or a validator refuses it.
    """
    from django.contrib.auth.password_validation import validate_password

    if options["generate_password"]:
        return secrets.token_urlsafe(GENERATED_BYTES)
    password = _from_file(options["password_file"]) if options["password_file"] else _from_terminal()
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise CommandError(f"The password was refused: {' '.join(error.messages)}") from error
    return password


def _from_file(name):
    try:
        text = sys.stdin.readline() if name == "-" else Path(name).read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise CommandError(f"The password can't be read from {name}: {error}") from error
    password = text.split("\n")[0].removesuffix("\r")
    if not password:
        raise CommandError(f"There is no password in the first line of {'standard input' if name == '-' else name}.")
    return password


def _from_terminal():
    if not sys.stdin.isatty():
        raise CommandError(
            "There is no terminal to type a password at: add --generate-password or --password-file FILE."
        )
    password = getpass.getpass("Password: ")
    if password != getpass.getpass("Password again: "):
        raise CommandError("The two passwords differ; no administrator was created.")
    return password

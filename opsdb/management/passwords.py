"""Where a command takes a password from; never from its command line, which others on the machine can read."""

import getpass
import secrets
import sys
from pathlib import Path

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError

GENERATED_BYTES = 18


def add_password_options(parser) -> None:
    """Add the options that say where a password comes from."""
    sources = parser.add_mutually_exclusive_group()
    sources.add_argument("--password-file", metavar="FILE", help="its first line is the password; - is standard input")
    sources.add_argument("--generate-password", action="store_true", help="make a random one and show it once")


def take_password(options, user) -> str:
    """Return the password that the options lead to: a file's, a random one, or what a person types twice.

    Args:
        options: of a command with :func:`add_password_options`.
        user: whom it is for, not yet saved; the project's validators hear of it.

    Raises:
        CommandError: there is nobody to ask, the two differ, or a validator refuses it.
    """
    from django.contrib.auth.password_validation import validate_password

    if options["generate_password"]:
        return secrets.token_urlsafe(GENERATED_BYTES)
    password = _from_file(options["password_file"]) if options["password_file"] else _from_a_person()
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise CommandError(f"This password won't do: {' '.join(error.messages)}") from error
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


def _from_a_person():
    if not sys.stdin.isatty():
        raise CommandError("There is nobody to type a password: add --generate-password, or --password-file FILE.")
    password = getpass.getpass("Password: ")
    if password != getpass.getpass("Password again: "):
        raise CommandError("The two passwords are not the same; nobody was made.")
    return password

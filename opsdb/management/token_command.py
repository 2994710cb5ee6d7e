"""Shared code of commands that create API tokens: options, terms, and the output of the secret."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.core.management.base import CommandError

from opsdb.formatting import format_minute

from .command import OpsdbCommand

if TYPE_CHECKING:
    from opsdb.models import ApiToken

NEVER = "never"
DEFAULT_LIFE = timedelta(days=365)
NO_SECRET = 3  # exit code when there is no secret to print or to write


def end(text: str) -> datetime | None:
    """Return the end of a day, UTC, or None for ``never``."""
    if text == NEVER:
        return None
    try:
        day = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a day such as 2027-12-31, or {NEVER}") from None
    try:
        moment = day + timedelta(days=1)
    except OverflowError:
        raise argparse.ArgumentTypeError(f"{text} is too far ahead; give an earlier day, or {NEVER}") from None
    if moment <= datetime.now(UTC):
        raise argparse.ArgumentTypeError(f"{text} is in the past")
    return moment


class TokenCommand(OpsdbCommand):
    """A command that may create a token; only its secret is written to standard output, or into a file."""

    paths = ("secret_file",)

    @staticmethod
    def add_terms(parser: argparse.ArgumentParser) -> None:
        """Add the options for what a new token may do, from where and how long."""
        parser.add_argument(
            "--scope", action="append", metavar="ACTION:RESOURCE", help="what the token may do (*:*); may be repeated"
        )
        parser.add_argument(
            "--network",
            action="append",
            metavar="NETWORK",
            help="network from which it may be used (any); may be repeated",
        )
        parser.add_argument(
            "--expires",
            type=end,
            default=argparse.SUPPRESS,
            metavar="DAY",
            help=f"last day of the token, such as 2027-12-31, or {NEVER} (a year from now)",
        )

    @staticmethod
    def add_secret_file(parser: argparse.ArgumentParser) -> None:
        """Add the option for the output of the secret."""
        parser.add_argument(
            "--secret-file",
            metavar="PATH",
            help="write the secret into this new file, readable for its owner only, instead of standard output",
        )

    def create_token(self, user: Any, name: str, options: dict[str, Any], label: str = "--token-name") -> Any:
        """Create a token with the terms of the options, and return it with its secret.

        Raises:
            CommandError: a term is wrong, or a scope matches none of the user's permissions.
        """
        from django.core.exceptions import ValidationError

        from opsdb.models import ApiToken
        from opsdb.permissions import mismatch

        held = user.get_all_permissions()
        wellformed = [scope for scope in options["scope"] or () if scope.count(":") == 1]  # else see the model's check
        if problems := [problem for scope in wellformed if (problem := mismatch(scope, held))]:
            raise CommandError(f"Nothing was created. --scope: {'; '.join(problems)}.")
        fields = {
            "user": user,
            "name": name,
            "scopes": options["scope"] or ["*:*"],
            "allowed_networks": options["network"] or [],
            "expires_at": options.get("expires", datetime.now(UTC) + DEFAULT_LIFE),
        }
        try:
            ApiToken(**fields, token_prefix="x" * 8, token_hash="0" * 64, pepper_fingerprint="0" * 8).full_clean()
        except ValidationError as error:
            options_of = {"scopes": "--scope", "allowed_networks": "--network", "name": label, "__all__": label}
            reasons = "; ".join(
                f"{options_of.get(field, field)}: {' '.join(messages)}"
                for field, messages in error.message_dict.items()
            )
            raise CommandError(f"Nothing was created. {reasons}") from error
        return ApiToken.objects.create_token(**fields)

    @contextmanager
    def new_file(self, path: str | None) -> Iterator[Callable[[str], None]]:
        """Give a function that writes a secret into a new file; what it wrote is removed if the block fails."""
        written = False

        def write(secret: str) -> None:
            nonlocal written
            if not path:
                return
            try:
                with open(path, "x", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
                    written = True
                    file.write(f"{secret}\n")
                    file.flush()
                    os.fsync(file.fileno())
            except OSError as error:
                raise CommandError(
                    f"The secret can't be written into {path} ({error.strerror}); nothing was created."
                ) from error

        try:
            yield write
        except BaseException:
            if written and path:
                os.unlink(path)
            raise

    @staticmethod
    def terms(token: ApiToken) -> str:
        """Format scopes, networks and expiry of a token."""
        until = f"until {format_minute(token.expires_at)} UTC" if token.expires_at else "for ever"
        where = f" from {', '.join(token.allowed_networks)}" if token.allowed_networks else ""
        return f"for {', '.join(token.scopes)}{where} {until}"

    def show(self, token: ApiToken, owner: str, secret: str, options: dict[str, Any]) -> None:
        """Print the terms of a new token on standard error, and its secret on standard output unless a file has it."""
        path = options["secret_file"]
        where = f"its secret is in {path}, and nowhere else." if path else "it is shown only this once:"
        self.report(options, f"Token {token.name} of {owner}, {self.terms(token)}; {where}")
        if not path:
            self.stdout.write(secret)

    def report(self, options: dict[str, Any], line: str) -> None:
        """Print a line on standard error, because standard output is for the secret."""
        if options["verbosity"]:
            self.stderr.write(line, self.style.SUCCESS)

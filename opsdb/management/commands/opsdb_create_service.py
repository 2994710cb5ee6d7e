"""``manage.py opsdb_create_service NAME``: create a service user with a token."""

import argparse
import os
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from django.core.management.base import CommandError

from opsdb.management.command import OpsdbCommand

ROLE = "service"
NEVER = "never"
DEFAULT_LIFE = timedelta(days=365)
NO_SECRET = 3  # exit code when there is no secret to print or to write


def end(text):
    """Return the end of a day, UTC, or None for ``never``."""
    if text == NEVER:
        return None
    try:
        day = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a day such as 2027-12-31, or {NEVER}") from None
    moment = day + timedelta(days=1)
    if moment <= datetime.now(UTC):
        raise argparse.ArgumentTypeError(f"{text} is in the past")
    return moment


class Command(OpsdbCommand):
    """Create the user and the token, if missing; only the token's secret goes to standard output, or into a file."""

    help = (
        "Create a user for a program, with the role service and without a password, and a token for it. The token is "
        "shown once, on standard output, or written into --secret-file; only its hash is stored. An existing user or "
        "token is left unchanged."
    )
    examples = (
        "opsdb_create_service transfer",
        "opsdb_create_service transfer --token-name cologne --network 134.95.0.0/16 --expires 2027-12-31",
        "opsdb_create_service quicklook --scope 'view:*' --secret-file /run/secrets/quicklook",
    )
    notes = (
        "scopes restrict the token within the rights of the role, as action:resource, such as view:raw_data_file; "
        "* matches any\n"
        f"exit code {NO_SECRET}: the token existed already, so there is no secret to show. A shell that redirects "
        "standard output has emptied the file by then; --secret-file is left as it is, and the exit code is 0 if it "
        "holds the secret of that token"
    )

    def add_arguments(self, parser):
        parser.add_argument("name", help="name of the service")
        parser.add_argument("--token-name", default="default", metavar="NAME", help="name of the token (default)")
        parser.add_argument(
            "--scope", action="append", metavar="ACTION:RESOURCE", help="what the token may do (*:*); may be repeated"
        )
        parser.add_argument(
            "--secret-file",
            metavar="PATH",
            help="write the secret into this new file, readable for its owner only, instead of standard output",
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

    def handle(self, **options):
        from django.contrib.auth import get_user_model
        from django.core.exceptions import ValidationError
        from django.db import transaction

        from opsdb.models import ApiToken
        from opsdb.workflows import attributed

        name = get_user_model().normalize_username(options["name"])
        path = options["secret_file"]
        with self.new_file(path) as write, attributed(origin="opsdb_create_service"), transaction.atomic():
            user, is_new = self.service_user(name)
            if token := ApiToken.objects.filter(user=user, name=options["token_name"]).first():
                self.report_existing(token, name, options)
                return
            self.refuse_useless_scopes(user, options["scope"] or [])
            fields = {
                "user": user,
                "name": options["token_name"],
                "scopes": options["scope"] or ["*:*"],
                "allowed_networks": options["network"] or [],
                "expires_at": options.get("expires", datetime.now(UTC) + DEFAULT_LIFE),
            }
            try:
                ApiToken(**fields, token_prefix="x" * 8, token_hash="0" * 64).full_clean()
            except ValidationError as error:
                options_of = {"scopes": "--scope", "allowed_networks": "--network", "name": "--token-name"}
                reasons = "; ".join(
                    f"{options_of.get(field, field)}: {' '.join(messages)}"
                    for field, messages in error.message_dict.items()
                )
                raise CommandError(f"Nothing was created. {reasons}") from error
            token, secret = ApiToken.objects.create_token(**fields)
            write(secret)
        if is_new:
            self.report(options, f"Service {name} was created.")
        where = f"its secret is in {path}, and nowhere else." if path else "it is shown only this once:"
        self.report(options, f"Token {token.name} of {name}, {self.terms(token)}; {where}")
        if not path:
            self.stdout.write(secret)

    @contextmanager
    def new_file(self, path):
        """Give a function that writes a secret into a new file; what it wrote is removed if the block fails."""
        written = False

        def write(secret):
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
            if written:
                os.unlink(path)
            raise

    def refuse_useless_scopes(self, user, scopes):
        """Refuse scopes that match none of the service's permissions, with a list of what would match."""
        from django.contrib.auth.models import Permission
        from django.db.models import Q

        from opsdb.management.scopes import mismatch, resources_by_action

        held = Permission.objects.filter(Q(user=user) | Q(group__user=user)).distinct().select_related("content_type")
        resources = resources_by_action(held)
        wellformed = [scope for scope in scopes if scope.count(":") == 1]  # what others lack, the model's check says
        if problems := [problem for scope in wellformed if (problem := mismatch(scope, resources))]:
            raise CommandError(f"Nothing was created. --scope: {'; '.join(problems)}.")

    def service_user(self, name):
        """Return the service's user, and whether it was created; refuse the account of a person."""
        from django.contrib.auth import get_user_model
        from django.core.exceptions import ValidationError

        from opsdb.models import Role

        User = get_user_model()
        role = Role.objects.filter(name=ROLE).first()
        if role is None:
            raise CommandError(f"There is no role {ROLE}; run `manage.py opsdb_init` first.")
        # Of two runs at once the second waits here, and then finds what the first has created.
        Role.objects.select_for_update().get(pk=role.pk)
        user = User.objects.filter(**{User.USERNAME_FIELD: name}).first()
        if user is None:
            user = User(**{User.USERNAME_FIELD: name}, is_active=True)
            user.set_unusable_password()
            try:
                user.clean_fields()
            except ValidationError as error:
                reasons = "; ".join(f"{field}: {' '.join(messages)}" for field, messages in error.message_dict.items())
                raise CommandError(f"Nothing was created. {reasons}") from error
            user.save(force_insert=True)
            user.groups.add(role)
            return user, True
        if user.has_usable_password() or user.is_superuser or not user.groups.filter(pk=role.pk).exists():
            raise CommandError(f"User {name} exists, but is not a service; nothing was changed. Choose another name.")
        if not user.is_active:
            raise CommandError(f"The service {name} exists, but is not active; nothing was changed.")
        return user, False

    def report_existing(self, token, name, options):
        """Print that the token exists, and its terms; refuse if its secret is not in the file that shall hold it."""
        if not type(token).objects.usable().filter(pk=token.pk).exists():
            raise CommandError(
                f"The token {token.name} of {name} exists, but has expired or was revoked; create another one "
                "with --token-name."
            )
        exists = f"Token {token.name} of {name} exists already, {self.terms(token)}"
        if self.holds_secret(options["secret_file"], token):
            self.report(options, f"{exists}; its secret is in {options['secret_file']}.")
            return
        consequence = (
            f"{options['secret_file']} was left as it is."
            if options["secret_file"]
            else "If standard output was redirected into a file, that file is empty now; --secret-file prevents that."
        )
        raise CommandError(
            f"{exists}; its secret can't be shown again. For another one, add --token-name NAME. {consequence}",
            returncode=NO_SECRET,
        )

    @staticmethod
    def holds_secret(path, token):
        """Return whether a file holds the secret of a token."""
        try:
            with open(path or os.devnull, encoding="utf-8") as file:
                return token.hash_of(file.readline().strip()) == token.token_hash
        except (OSError, ValueError):
            return False

    @staticmethod
    def terms(token):
        """Format scopes, networks and expiry of a token."""
        until = f"until {token.expires_at:%Y-%m-%d %H:%M} UTC" if token.expires_at else "for ever"
        where = f" from {', '.join(token.allowed_networks)}" if token.allowed_networks else ""
        return f"for {', '.join(token.scopes)}{where} {until}"

    def report(self, options, line):
        """Print a line on standard error, because standard output is for the secret."""
        if options["verbosity"]:
            self.stderr.write(line, self.style.SUCCESS)

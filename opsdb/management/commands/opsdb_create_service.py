"""``manage.py opsdb_create_service NAME``: create a service user with a token."""

import argparse
from datetime import UTC, datetime, timedelta

from django.core.management.base import CommandError

from opsdb.management.command import OpsdbCommand

ROLE = "service"
NEVER = "never"
DEFAULT_LIFE = timedelta(days=365)


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
    """Create the user and the token, if missing; only the token's secret goes to standard output. Idempotent."""

    help = (
        "Create a user for a program, with the role service and without a password, and a token for it. The token is "
        "shown once, on standard output; only its hash is stored. An existing user or token is left unchanged."
    )
    examples = (
        "opsdb_create_service transfer",
        "opsdb_create_service transfer --token-name cologne --network 134.95.0.0/16 --expires 2027-12-31",
        "opsdb_create_service quicklook --scope 'view:*' > /run/secrets/quicklook",
    )
    notes = "scopes restrict the token within the rights of the role, as action:resource; * matches any"

    def add_arguments(self, parser):
        parser.add_argument("name", help="name of the service")
        parser.add_argument("--token-name", default="default", metavar="NAME", help="name of the token (default)")
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

    def handle(self, **options):
        from django.contrib.auth import get_user_model
        from django.core.exceptions import ValidationError
        from django.db import transaction

        from opsdb.models import ApiToken
        from opsdb.workflows import attributed

        name = get_user_model().normalize_username(options["name"])
        with attributed(origin="opsdb_create_service"), transaction.atomic():
            user, is_new = self.service_user(name)
            if token := ApiToken.objects.filter(user=user, name=options["token_name"]).first():
                self.report_existing(token, name, options)
                return
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
        if is_new:
            self.report(options, f"Service {name} was created.")
        self.report(options, f"Token {token.name} of {name}, {self.terms(token)}; it is shown only this once:")
        self.stdout.write(secret)

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
        """Print that the token exists, and its terms; refuse if it can't be used any more."""
        if not type(token).objects.usable().filter(pk=token.pk).exists():
            raise CommandError(
                f"The token {token.name} of {name} exists, but has expired or was revoked; create another one "
                "with --token-name."
            )
        self.report(
            options,
            f"Token {token.name} of {name} exists already, {self.terms(token)}; its secret can't be shown again. "
            "For another one, add --token-name NAME.",
        )

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

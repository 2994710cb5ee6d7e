"""``manage.py opsdb_token``: create, list, revoke and rotate API tokens."""

import argparse
from datetime import timedelta

from django.core.management.base import CommandError

from opsdb.formatting import format_minute
from opsdb.management.report import table
from opsdb.management.token_command import TokenCommand

MOST = 1000  # tokens in a list


def hours(text):
    """Return a time span that is given in hours, from 0."""
    try:
        number = float(text)
    except ValueError:
        number = -1
    if not 0 <= number <= 24 * 365:
        raise argparse.ArgumentTypeError(f"must be a number of hours from 0 to 8760, not {text!r}")
    return timedelta(hours=number)


class Command(TokenCommand):
    """Create, list, revoke and rotate API tokens; a secret is shown once."""

    help = (
        "Create, list, revoke and rotate API tokens. A secret is shown once, on standard output, or written into "
        "--secret-file; only its HMAC is stored."
    )
    examples = (
        "opsdb_token create anna notebook --scope 'read:*' --expires 2027-12-31",
        "opsdb_token list --user anna",
        "opsdb_token rotate transfer default --overlap 24 --secret-file /run/secrets/transfer",
        "opsdb_token revoke anna notebook",
    )
    notes = (
        "scopes restrict a token within the permissions of its user, as action:resource, such as read:observations, "
        "write:data\nor view:raw_data_file; * matches any"
    )

    def add_arguments(self, parser):
        commands = parser.add_subparsers(dest="action", required=True)
        create = commands.add_parser("create", help="create a token for an existing user")
        self.add_token(create)
        self.add_terms(create)
        self.add_secret_file(create)
        listing = commands.add_parser("list", help=f"print tokens, newest first, at most {MOST}")
        listing.add_argument("--user", metavar="USER", help="of this user only")
        listing.add_argument("--all", action="store_true", help="also tokens that can't be used any more")
        revoke = commands.add_parser("revoke", help="withdraw a token for good, at once")
        self.add_token(revoke)
        rotate = commands.add_parser("rotate", help="replace a token by one with the same terms and another secret")
        self.add_token(rotate)
        rotate.add_argument(
            "--overlap",
            type=hours,
            default=timedelta(0),
            metavar="HOURS",
            help="how long the old secret can still be used (0)",
        )
        self.add_secret_file(rotate)

    @staticmethod
    def add_token(parser):
        """Add the arguments that name a token."""
        parser.add_argument("user", help="name of the user for whom it acts")
        parser.add_argument("name", help="name of the token")

    def handle(self, **options):
        from opsdb.workflows import attributed

        with attributed(origin=f"opsdb_token {options['action']}"):
            getattr(self, options["action"])(options)

    def create(self, options):
        """Create a token for an active user."""
        from opsdb.database.aliases import atomic
        from opsdb.models import ApiToken

        user = self.user(options["user"])
        if not user.is_active:
            raise CommandError(f"The user {options['user']} is not active; nothing was created.")
        with self.new_file(options["secret_file"]) as write, atomic():
            if ApiToken.objects.filter(user=user, name=options["name"]).exists():
                raise CommandError(
                    f"The user {options['user']} has a token {options['name']}; nothing was created. Choose another "
                    "name, or use rotate."
                )
            token, secret = self.create_token(user, options["name"], options, label="name")
            write(secret)
        self.show(token, options["user"], secret, options)

    def list(self, options):
        """Print tokens; no secret and no hash is shown."""
        from opsdb import tokens
        from opsdb.models import ApiToken

        known = {tokens.fingerprint(pepper) for pepper in tokens.peppers()}
        found = ApiToken.objects.select_related("user").order_by("-pk")
        if options["user"]:
            found = found.filter(user=self.user(options["user"]))
        if not options["all"]:
            found = found.usable().filter(pepper_fingerprint__in=known)
        rows = [
            (
                token.user.get_username(),
                token.name,
                f"{tokens.PREFIX}{token.token_prefix}…",
                " ".join(token.scopes),
                format_minute(token.expires_at) if token.expires_at else "never",
                token.usage_count,
                format_minute(token.last_used_at) if token.last_used_at else "never",
                self.state(token, known),
            )
            for token in found[:MOST]
        ]
        names = ("user", "token", "secret", "scopes", "ends (UTC)", "uses", "last used (UTC)", "state")
        self.console(options).print(table("API tokens", *names, rows=rows))

    @staticmethod
    def state(token, known):
        """Return in words whether a token can be used."""
        if token.revoked_at:
            return f"revoked {token.revoked_at:%Y-%m-%d} by {token.revoked_by or 'nobody known'}"
        if token.pepper_fingerprint not in known:
            return "its pepper is gone"
        return "usable" if token.is_usable() else "not usable"

    def revoke(self, options):
        """Revoke a token."""
        token = self.token(options)
        if not type(token).objects.filter(pk=token.pk).revoke():
            self.report(options, f"Token {token.name} of {options['user']} was revoked before; nothing was changed.")
            return
        self.report(options, f"Token {token.name} of {options['user']} was revoked.")

    def rotate(self, options):
        """Create a token with the same terms, and let the old one end."""
        from django.db.models.functions import Least, Now

        from opsdb.database.aliases import atomic
        from opsdb.models import ApiToken

        with self.new_file(options["secret_file"]) as write, atomic():
            token = self.token(options, lock=True)
            if not token.is_usable():
                raise CommandError(
                    f"Token {token.name} of {options['user']} can't be used any more; nothing was changed. Use create."
                )
            name = token.name
            old = ApiToken.objects.filter(pk=token.pk)
            old.update(name=f"{name[:80]} ({token.token_prefix})")
            if options["overlap"]:
                old.update(expires_at=Least("expires_at", Now() + options["overlap"]))
            else:
                old.revoke()
            fields = {one: getattr(token, one) for one in ("user", "scopes", "allowed_networks", "expires_at")}
            new, secret = ApiToken.objects.create_token(name=name, **fields)
            write(secret)
        left = options["overlap"] / timedelta(hours=1)
        until = f"can be used for {left:g} more hours" if left else "was revoked"
        self.report(options, f"The old secret ({token.token_prefix}…) {until}.")
        self.show(new, options["user"], secret, options)

    @staticmethod
    def user(name):
        """Return a user by name."""
        from django.contrib.auth import get_user_model

        User = get_user_model()
        user = User.objects.filter(**{User.USERNAME_FIELD: User.normalize_username(name)}).first()
        if user is None:
            raise CommandError(f"There is no user {name}; create one with opsdb_create_service, or in the admin.")
        return user

    def token(self, options, *, lock=False):
        """Return the token that the arguments name."""
        from opsdb.models import ApiToken

        user = self.user(options["user"])
        found = ApiToken.objects.select_for_update(of=("self",)) if lock else ApiToken.objects
        token = found.filter(user=user, name=options["name"]).first()
        if token is None:
            raise CommandError(
                f"The user {options['user']} has no token {options['name']}; see opsdb_token list --user "
                f"{options['user']}."
            )
        return token

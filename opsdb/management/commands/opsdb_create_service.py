"""``manage.py opsdb_create_service NAME``: create a service user with a token."""

import os

from django.core.management.base import CommandError

from opsdb.management.token_command import NO_SECRET, TokenCommand

ROLE = "service"


class Command(TokenCommand):
    """Create the user and the token, if missing; only the secret is written to standard output, or into a file."""

    help = (
        "Create a user for a program, with the role service and without a password, and a token for it. The token is "
        "shown once, on standard output, or written into --secret-file; only its hash is stored. An existing user or "
        "token is left unchanged."
    )
    examples = (
        "opsdb_create_service transfer",
        "opsdb_create_service transfer --token-name cologne --network 134.95.0.0/16 --expires 2027-12-31",
        "opsdb_create_service quicklook --scope 'read:*' --secret-file /run/secrets/quicklook",
    )
    notes = (
        "scopes restrict the token within the rights of the role, as action:resource, such as read:data or "
        "view:raw_data_file; * matches any\n"
        f"exit code {NO_SECRET}: the token existed already, so there is no secret to show. A shell that redirects "
        "standard output has emptied the file by then; --secret-file is left as it is, and the exit code is 0 if it "
        "holds the secret of that token"
    )

    def add_arguments(self, parser):
        parser.add_argument("name", help="name of the service")
        parser.add_argument("--token-name", default="default", metavar="NAME", help="name of the token (default)")
        self.add_terms(parser)
        self.add_secret_file(parser)

    def handle(self, **options):
        from django.contrib.auth import get_user_model

        from opsdb.database.aliases import atomic
        from opsdb.models import ApiToken
        from opsdb.workflows import attributed

        name = get_user_model().normalize_username(options["name"])
        path = options["secret_file"]
        with self.new_file(path) as write, attributed(origin="opsdb_create_service"), atomic():
            user, is_new = self.service_user(name)
            if token := ApiToken.objects.filter(user=user, name=options["token_name"]).first():
                self.report_existing(token, name, options)
                return
            token, secret = self.create_token(user, options["token_name"], options)
            write(secret)
        if is_new:
            self.report(options, f"Service {name} was created.")
        self.show(token, name, secret, options)

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
        if not token.is_usable():
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
                return token.has_secret(file.readline().strip())
        except (OSError, ValueError):
            return False

"""``manage.py opsdb_create_admin NAME``: create an administrator."""

from django.core.management.base import CommandError

from opsdb.management.command import OpsdbCommand
from opsdb.management.passwords import add_password_options, take_password


class Command(OpsdbCommand):
    """Create a user who may do everything. Idempotent."""

    help = (
        "Create an administrator, who may do everything. The password is asked for twice, unless it is read from a "
        "file or generated. An existing administrator is left unchanged."
    )
    examples = (
        "opsdb_create_admin anna --email anna@example.org",
        "opsdb_create_admin anna --generate-password",
        "opsdb_create_admin anna --password-file /run/secrets/anna",
    )
    paths = ("password_file",)

    def add_arguments(self, parser):
        parser.add_argument("name", help="username")
        parser.add_argument("--email", default="", help="email address")
        add_password_options(parser)

    def handle(self, **options):
        from django.contrib.auth import get_user_model
        from django.core.exceptions import ValidationError
        from django.db import IntegrityError

        from opsdb.database.aliases import atomic
        from opsdb.workflows import attributed

        User = get_user_model()
        name = User.normalize_username(options["name"])
        if self.exists(User, name, options):
            return
        email = {User.get_email_field_name(): options["email"]} if options["email"] else {}
        user = User(**{User.USERNAME_FIELD: name, **email}, is_active=True, is_staff=True, is_superuser=True)
        try:
            user.clean_fields(exclude=["password"])
            password = take_password(options, user)
            user.set_password(password)
            with attributed(origin="opsdb_create_admin"), atomic():
                user.save(force_insert=True)
        except ValidationError as error:
            reasons = "; ".join(f"{field}: {' '.join(messages)}" for field, messages in error.message_dict.items())
            raise CommandError(f"No administrator was created. {reasons}") from error
        except IntegrityError:
            # Another run has created it in the meantime.
            if not self.exists(User, name, options):
                raise
            return
        if options["generate_password"]:
            self.stdout.write(f"Administrator {name}, password {password} (shown only this once)")
        elif options["verbosity"]:
            self.stdout.write(f"Administrator {name} was created.")

    def exists(self, User, name, options):
        """Return whether this administrator exists, and print so; refuse if it is another user's account."""
        user = User.objects.filter(**{User.USERNAME_FIELD: name}).first()
        if user is None:
            return False
        if not (user.is_superuser and user.is_staff and user.is_active):
            raise CommandError(
                f"User {name} exists, but is not an active administrator; nothing was changed. Choose another name, "
                "or let an administrator grant this user the rights."
            )
        if options["verbosity"]:
            self.stdout.write(
                f"Administrator {name} exists already; to change the password: manage.py changepassword {name}"
            )
        return True

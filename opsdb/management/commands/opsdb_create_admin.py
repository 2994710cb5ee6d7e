"""``manage.py opsdb_create_admin NAME``: make an administrator."""

from django.core.management.base import CommandError

from opsdb.management.base import OpsdbCommand
from opsdb.management.passwords import add_password_options, take_password


class Command(OpsdbCommand):
    """Make a user who may do everything, and say so; one who exists already is left alone."""

    help = (
        "Make an administrator, who may do everything. The password is asked for twice, unless it comes from a file "
        "or is made up. An administrator who exists already is left as is."
    )
    examples = (
        "opsdb_create_admin anna --email anna@example.org",
        "opsdb_create_admin anna --generate-password",
        "opsdb_create_admin anna --password-file /run/secrets/anna",
    )

    def add_arguments(self, parser):
        parser.add_argument("name", help="to sign in with")
        parser.add_argument("--email", default="", help="where messages go")
        add_password_options(parser)

    def handle(self, **options):
        from django.contrib.auth import get_user_model
        from django.core.exceptions import ValidationError
        from django.db import IntegrityError, transaction

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
            with attributed(origin="opsdb_create_admin"), transaction.atomic():
                user.save(force_insert=True)
        except ValidationError as error:
            reasons = "; ".join(f"{field}: {' '.join(said)}" for field, said in error.message_dict.items())
            raise CommandError(f"Nobody was made. {reasons}") from error
        except IntegrityError:
            # Another run was faster.
            if not self.exists(User, name, options):
                raise
            return
        if options["generate_password"]:
            self.stdout.write(f"Administrator {name}, password {password} (shown only this once)")
        elif options["verbosity"]:
            self.stdout.write(f"Administrator {name} was made.")

    def exists(self, User, name, options):
        """Return whether there is this administrator, and say so; refuse if it is somebody else's account."""
        user = User.objects.filter(**{User.USERNAME_FIELD: name}).first()
        if user is None:
            return False
        if not (user.is_superuser and user.is_staff and user.is_active):
            raise CommandError(
                f"There is a user {name}, who is no active administrator; nothing was changed. Take another name, or "
                "let an administrator give this user the rights."
            )
        if options["verbosity"]:
            self.stdout.write(f"Administrator {name} exists already; a new password: manage.py changepassword {name}")
        return True

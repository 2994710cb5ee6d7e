import factory
from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import make_password

from opsdb import tokens
from opsdb.models import ApiToken, Role

from .base import OpsFactory, checksum, many

USER = get_user_model()


def _name(number):
    """A name by which users are known, which is an address in some projects."""
    return f"user{number}@example.org" if USER.get_email_field_name() == USER.USERNAME_FIELD else f"user{number}"


class UserFactory(OpsFactory):
    """A user of the project, whichever model that is."""

    class Meta:
        model = USER

    vars()[USER.USERNAME_FIELD] = factory.Sequence(_name)
    password = factory.LazyFunction(lambda: make_password(None))
    if hasattr(USER, "github_login"):
        github_login = factory.Sequence("login-{}".format)
    groups = many("groups")
    user_permissions = many("user_permissions")

    class Params:
        superuser = factory.Trait(is_staff=True, is_superuser=True)


class RoleFactory(OpsFactory):
    class Meta:
        model = Role

    name = factory.Sequence("role {}".format)


class ApiTokenFactory(OpsFactory):
    class Meta:
        model = ApiToken

    user = factory.SubFactory(UserFactory)
    name = factory.Sequence("token {}".format)
    token_prefix = factory.Sequence("{:08d}".format)
    token_hash = factory.Sequence(lambda number: checksum(number + 1))
    pepper_fingerprint = factory.LazyFunction(tokens.fingerprint)
    scopes = ["read:*"]

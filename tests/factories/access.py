import factory

from opsdb import tokens
from opsdb.models import ApiToken, Role, User

from .base import OpsFactory, checksum, many


class UserFactory(OpsFactory):
    class Meta:
        model = User

    username = factory.Sequence("user{}".format)
    password = "!"  # no password fits
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

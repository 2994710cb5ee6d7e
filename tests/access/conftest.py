import pytest

from opsdb.models import ApiToken
from opsdb.testing.factories import UserFactory
from tests.worlds import shared_world


@pytest.fixture
def create(db):
    """A function that makes a token, and returns it with its secret."""

    def create(*, user=None, name="program", scopes=("*:*",), **fields):
        fields = {"user": user or UserFactory(), "name": name, "scopes": list(scopes), **fields}
        return ApiToken.objects.create_token(**fields)

    return create


@shared_world
def reference():
    """The reference data of the package."""
    from opsdb.loaders.reference import load_reference

    return load_reference()

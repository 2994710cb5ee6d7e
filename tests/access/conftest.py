import pytest

from opsdb.models import ApiToken
from opsdb.testing.factories import UserFactory


@pytest.fixture
def create(db):
    """A function that makes a token, and returns it with its secret."""

    def create(*, user=None, name="program", scopes=("*:*",), **fields):
        fields = {"user": user or UserFactory(), "name": name, "scopes": list(scopes), **fields}
        return ApiToken.objects.create_token(**fields)

    return create

import pytest

from opsdb.models import ApiToken

from ..factories import UserFactory


@pytest.fixture
def create(db):
    """A function that makes a token, and returns it with its secret."""

    def create(*, user=None, name="program", scopes=("*:*",), **fields):
        fields = {"user": user or UserFactory(), "name": name, "scopes": list(scopes), **fields}
        return ApiToken.objects.create_token(**fields)

    return create


@pytest.fixture
def reference(db):
    """A database with the reference data of the package."""
    from opsdb.loaders.reference import load_reference

    return load_reference()

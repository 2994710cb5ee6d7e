import pytest

from opsdb.access.usage import USE
from opsdb.models import ApiToken

from ..factories import UserFactory


@pytest.fixture(autouse=True)
def uses_are_forgotten():
    """What a test counts is written by nothing after it."""
    yield
    with USE._lock:
        USE._uses.clear()
        if USE._timer is not None:
            USE._timer.cancel()
            USE._timer = None


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

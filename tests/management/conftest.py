import pytest


@pytest.fixture
def reference(db):
    """A database with the reference data of the package."""
    from opsdb.loaders.reference import load_reference

    return load_reference()

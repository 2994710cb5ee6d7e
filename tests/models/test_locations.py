"""The credentials of an object store are in the environment."""

import pytest

from ..factories import S3DataLocationFactory


@pytest.fixture
def location():
    return S3DataLocationFactory.build(site__short_name="cologne", name="archive_1")


def test_credentials_come_from_the_environment(location, monkeypatch):
    monkeypatch.setenv("OPSDB_S3_COLOGNE_ARCHIVE_1_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("OPSDB_S3_COLOGNE_ARCHIVE_1_SECRET_ACCESS_KEY", "secret")
    assert location.get_s3_credentials() == ("key", "secret")


@pytest.mark.parametrize("missing", ["ACCESS_KEY_ID", "SECRET_ACCESS_KEY"])
def test_a_missing_variable_is_named(location, monkeypatch, missing):
    for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY"):
        monkeypatch.setenv(f"OPSDB_S3_COLOGNE_ARCHIVE_1_{name}", "x")
    monkeypatch.delenv(f"OPSDB_S3_COLOGNE_ARCHIVE_1_{missing}")
    with pytest.raises(
        LookupError, match=f"^the environment variable OPSDB_S3_COLOGNE_ARCHIVE_1_{missing} is not set$"
    ):
        location.get_s3_credentials()


def test_credentials_have_no_column():
    columns = {field.name for field in S3DataLocationFactory._meta.model._meta.get_fields()}
    assert not {name for name in columns if "secret" in name or "key" in name}

"""The credentials of an object store are in the environment; what a location holds is counted by the database."""

import pytest

from opsdb.models import PhysicalCopy
from opsdb.testing.factories import DiskDataLocationFactory, RawDataPackageFactory, S3DataLocationFactory


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


@pytest.mark.django_db
def test_what_a_location_holds_is_counted():
    one, other = DiskDataLocationFactory.create_batch(2)

    def held():
        notes = [list(location.usage.values_list("copies", "bytes")) for location in (one, other)]
        return [tuple(map(sum, zip(*of_location, strict=True))) for of_location in notes]

    packages = RawDataPackageFactory.create_batch(3)
    PhysicalCopy.objects.bulk_create(
        PhysicalCopy(data_location_id=location.pk, raw_data_package=package, size_bytes=size)
        for location, package, size in ((one, packages[0], 100), (one, packages[1], None), (other, packages[2], 7))
    )
    assert held() == [(2, 100), (1, 7)]
    PhysicalCopy.objects.filter(raw_data_package__in=packages[1:]).update(size_bytes=10)
    assert held() == [(2, 110), (1, 10)]
    PhysicalCopy.objects.filter(raw_data_package__in=packages).update(verification="unverified")
    assert held() == [(2, 110), (1, 10)]
    PhysicalCopy.objects.filter(raw_data_package__in=packages[1:]).update(status="missing")
    assert held() == [(1, 100), (0, 0)]
    PhysicalCopy.objects.filter(raw_data_package=packages[1]).update(status="present")
    assert held() == [(2, 110), (0, 0)]
    assert [location.held_bytes() for location in (one, other)] == [110, 0]


@pytest.mark.django_db
def test_credentials_may_come_from_files(monkeypatch, tmp_path):
    location = S3DataLocationFactory(site__short_name="cologne", name="store")
    prefix = "OPSDB_S3_COLOGNE_STORE"
    (tmp_path / "secret").write_text("secret\n")
    monkeypatch.setenv(f"{prefix}_ACCESS_KEY_ID", "key")
    monkeypatch.setenv(f"{prefix}_SECRET_ACCESS_KEY_FILE", str(tmp_path / "secret"))
    assert location.get_s3_credentials() == ("key", "secret")
    monkeypatch.setenv(f"{prefix}_SECRET_ACCESS_KEY_FILE", str(tmp_path / "none"))
    with pytest.raises(LookupError, match=f"^{prefix}_SECRET_ACCESS_KEY_FILE: .*none can't be read"):
        location.get_s3_credentials()

"""Joined inheritance: a table per subtype, a discriminator on the parent, and ``specific``."""

import pytest
from django.db import connection
from django.db.models import ProtectedError

from opsdb.models import (
    ChaiModuleConfiguration,
    ConfigurationType,
    DataLocation,
    DiskDataLocation,
    FixedSource,
    InstrumentModuleConfiguration,
    ObservationConfiguration,
    SolarSystemObject,
    Source,
    StorageType,
)
from opsdb.testing.factories import FACTORIES, DiskDataLocationFactory, FixedSourceFactory, ObsUnitFactory

from .refusal import settle
from .rules import SUBTYPES
from .schema import name_of

pytestmark = pytest.mark.django_db

PARENTS = [Source, DataLocation, InstrumentModuleConfiguration, ObservationConfiguration]
every_parent = pytest.mark.parametrize("parent", PARENTS, ids=name_of)


def one_of_each(parent):
    return [FACTORIES[model]() for model in SUBTYPES[parent._meta.db_table][1]]


@every_parent
def test_a_change_of_the_subtype_is_a_change_of_its_parent(parent):
    for row in one_of_each(parent):
        settle()
        before = parent.objects.get(pk=row.pk).updated_at
        with connection.cursor() as cursor:
            cursor.execute(f"UPDATE {row._meta.db_table} SET id = id WHERE id = %s", [row.pk])
        assert parent.objects.get(pk=row.pk).updated_at > before


@every_parent
def test_the_subtypes_are_those_of_the_discriminator(parent):
    discriminator, subtypes = SUBTYPES[parent._meta.db_table]
    assert parent.subtypes() == {value: model for model, value in subtypes.items()}
    assert {value for value, _ in parent._meta.get_field(discriminator).choices} == set(subtypes.values())


@every_parent
def test_a_subtype_sets_its_discriminator(parent):
    discriminator, subtypes = SUBTYPES[parent._meta.db_table]
    for row in one_of_each(parent):
        assert getattr(row, discriminator) == subtypes[type(row)]
        assert getattr(parent.objects.get(pk=row.pk), discriminator) == subtypes[type(row)]
        assert getattr(type(row)(), discriminator) == subtypes[type(row)]


@every_parent
def test_specific_is_the_row_as_its_subtype(parent):
    for row in one_of_each(parent):
        specific = parent.objects.get(pk=row.pk).specific
        assert type(specific) is type(row)
        assert specific == row
        assert row.specific is row


@every_parent
def test_a_queryset_returns_subtypes_in_one_query(parent, django_assert_num_queries):
    rows = one_of_each(parent) + one_of_each(parent)
    with django_assert_num_queries(1):
        found = list(parent.objects.specific().order_by("pk"))
    assert [(type(row), row.pk) for row in found] == [
        (type(row), row.pk) for row in sorted(rows, key=lambda row: row.pk)
    ]
    with django_assert_num_queries(0):
        for row in found:
            assert all(getattr(row, field.attname) is not ... for field in row._meta.fields)
            assert str(row)
            assert row.specific is row


@every_parent
def test_specific_composes_with_other_querysets(parent, django_assert_num_queries):
    wanted, *others = one_of_each(parent)
    with django_assert_num_queries(1):
        [found] = parent.objects.specific().filter(pk=wanted.pk)
    assert found == wanted
    assert set(parent.objects.specific().exclude(pk=wanted.pk)) == set(others)
    assert parent.objects.specific().count() == len(others) + 1


def test_a_subtype_is_deleted_with_its_parent_row():
    source, location = FixedSourceFactory(), DiskDataLocationFactory()
    source.delete()
    DataLocation.objects.filter(pk=location.pk).delete()
    settle()
    assert not Source.objects.exists()
    assert not DiskDataLocation.objects.exists()


def test_a_parent_that_is_referred_to_stays():
    unit = ObsUnitFactory()
    with pytest.raises(ProtectedError):
        unit.source.delete()


def test_the_link_to_the_parent_is_the_column_id():
    with connection.cursor() as cursor:
        for subtypes in SUBTYPES.values():
            for model in subtypes[1]:
                columns = [
                    column.name
                    for column in connection.introspection.get_table_description(cursor, model._meta.db_table)
                ]
                assert columns[0] == "id"
                assert not [column for column in columns if column.endswith("_ptr_id")]


def test_a_given_discriminator_is_not_overridden_in_silence():
    assert FixedSource(type="nonsense").type == "nonsense"
    assert SolarSystemObject().type == "solar_system"
    assert ChaiModuleConfiguration().type == ConfigurationType.CHAI
    assert DiskDataLocation(location_type="buffer").storage_type == StorageType.DISK


def test_deferred_columns_stay_deferred(django_assert_num_queries):
    FixedSourceFactory()
    with django_assert_num_queries(1):
        [source] = FixedSource.objects.defer("type")
    assert "type" in source.get_deferred_fields()

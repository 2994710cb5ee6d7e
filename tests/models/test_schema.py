"""The models are those of the design, and PostgreSQL holds them as declared."""

import inspect
import re
import uuid

import pytest
from django.db import connection, models

import opsdb.models
from opsdb.models import (
    DataTransferPackage,
    ExecutedObsUnit,
    RawDataFile,
    RawDataPackage,
    enums,
)
from opsdb.models.base import area_of, snake_case
from opsdb.testing.factories import FACTORIES

from .schema import ALL_MODELS, DESIGN, DESIGNED, LINK_TABLES, MODELS, VIEWS, name_of

ENUMS = {
    name: enum
    for name, enum in vars(enums).items()
    if inspect.isclass(enum) and issubclass(enum, models.TextChoices) and enum.__members__
}
TABLES = [model._meta.db_table for model in (*MODELS, *LINK_TABLES)]
FOREIGN_KEYS = [
    (model, field)
    for model in (*MODELS, *LINK_TABLES)
    for field in model._meta.local_fields
    if field.is_relation and not field.primary_key
]
every_model = pytest.mark.parametrize("model", ALL_MODELS, ids=name_of)
every_table = pytest.mark.parametrize("model", [*MODELS, *LINK_TABLES], ids=name_of)


def documented_fields(name):
    design = DESIGNED[name]
    if "proxy_of" in design:
        return documented_fields(design["proxy_of"])
    return {field for part in design.get("parts", ()) for field in DESIGN["parts"][part]} | set(design["fields"])


def rows_of(sql, *parameters):
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return cursor.fetchall()


# The models and the design


def test_the_models_are_those_of_the_design():
    assert {model.__name__ for model in ALL_MODELS} == set(DESIGNED)


@pytest.mark.parametrize(
    ("area", "name"), [(area, name) for area, models_of_area in DESIGN["models"].items() for name in models_of_area]
)
def test_a_model_has_its_place_its_table_and_its_fields(area, name):
    design = DESIGNED[name]
    model = getattr(opsdb.models, name)
    assert area_of(model) == area
    assert model._meta.db_table == design["table"]
    if "proxy_of" in design:
        assert model._meta.proxy
        assert model._meta.concrete_model.__name__ == design["proxy_of"]
        return
    own = {field.name for field in (*model._meta.local_fields, *model._meta.local_many_to_many)}
    if "parent" in design:
        assert [parent.__name__ for parent in model._meta.parents] == [design["parent"]]
        own.remove(model._meta.pk.name)
        assert model._meta.pk.column == "id"
    assert own == documented_fields(name)


def test_every_public_name_is_a_model_or_an_enumeration():
    named = {
        name for name, value in vars(enums).items() if inspect.isclass(value) and getattr(value, "__members__", ())
    }
    public = {
        name for name, value in vars(opsdb.models).items() if not (name.startswith("_") or inspect.ismodule(value))
    }
    assert public == {model.__name__ for model in (*ALL_MODELS, *VIEWS)} | named


@pytest.mark.parametrize("name", DESIGN["enums"])
def test_an_enumeration_has_the_documented_members_in_their_order(name):
    enum = getattr(opsdb.models, name)
    assert enum.values == DESIGN["enums"][name]
    assert [member.lower() for member in enum.names] == enum.values


def test_fields_have_the_enumeration_that_is_theirs():
    found = {
        model.__name__: {field.name: field.flatchoices for field in model._meta.local_fields if field.choices}
        for model in MODELS
    }
    assert {name: fields for name, fields in found.items() if fields} == {
        name: {field: ENUMS[enum].choices for field, enum in fields.items()}
        for name, fields in DESIGN["choices"].items()
    }


@pytest.mark.parametrize("name", [name for name, enum in ENUMS.items() if issubclass(enum, enums.StateChoices)])
def test_a_state_has_the_documented_transitions_and_a_look(name):
    enum, documented = ENUMS[name], DESIGN["transitions"][name]
    assert {state.value: {*map(str, after)} for state, after in enum.transitions().items()} == {
        state: set(documented.get(state, ())) for state in enum.values
    }
    assert [state.order for state in enum] == list(range(len(enum)))
    for state in enum:
        assert {*map(str, state.may_become)} == set(documented.get(state, ()))
        assert state.is_final == (state not in documented)
        assert state.look.colour
        assert state.look.icon


def test_every_state_machine_is_documented():
    assert set(DESIGN["transitions"]) == {name for name, enum in ENUMS.items() if issubclass(enum, enums.StateChoices)}


def test_package_states_look_as_documented():
    for name, looks in DESIGN["looks"].items():
        assert {state.value: list(state.look) for state in ENUMS[name]} == looks


@pytest.mark.parametrize(
    ("name", "table"),
    [
        ("S3DataLocation", "s3_data_location"),
        ("ObsUnit", "obs_unit"),
        ("HTTPRoute", "http_route"),
        ("ExecutedObsUnit", "executed_obs_unit"),
        ("User", "user"),
    ],
)
def test_table_names_are_in_snake_case(name, table):
    assert snake_case(name) == table


# What the models say of themselves


@every_model
def test_a_model_says_what_a_row_is(model):
    assert model.__doc__
    assert not model.__doc__.startswith(f"{model.__name__}(")  # which Django writes where there is none
    assert model._meta.verbose_name
    assert model._meta.verbose_name_plural
    assert type(model).__name__ == "OpsModelBase"
    assert "__str__" in {name for base in model.__mro__[:-1] for name in vars(base) if base is not models.Model}


@every_model
def test_every_field_says_what_it_means(model):
    silent = [
        field.name
        for field in (*model._meta.local_fields, *model._meta.local_many_to_many)
        if not str(field.help_text).strip()
    ]
    assert silent == []


@pytest.mark.django_db
@every_model
def test_text_of_a_row_asks_for_at_most_one_other_row(model, django_assert_max_num_queries):
    row = FACTORIES[model]()
    row = model._default_manager.get(pk=row.pk)
    with django_assert_max_num_queries(0):
        assert str(row)


# PostgreSQL


@pytest.mark.django_db
@every_table
def test_the_table_and_its_columns_are_there_with_comments(model):
    table = model._meta.db_table
    comments = dict(
        rows_of(
            """SELECT attname, col_description(attrelid, attnum) FROM pg_attribute
            WHERE attrelid = to_regclass(quote_ident(%s)) AND attnum > 0 AND NOT attisdropped""",
            table,
        )
    )
    assert set(comments) == {field.column for field in model._meta.local_fields}
    assert [column for column, comment in comments.items() if not comment] == []
    [(comment,)] = rows_of("SELECT obj_description(to_regclass(quote_ident(%s)), 'pg_class')", table)
    assert comment
    if model in MODELS:
        assert comment == " ".join(inspect.getdoc(model).split("\n\n")[0].split())
        for field in model._meta.local_fields:
            assert comments[field.column] == str(field.help_text or field.verbose_name)


@pytest.mark.django_db
def test_there_is_no_other_table():
    found = {
        table
        for (table,) in rows_of(
            "SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace "
            "AND relkind IN ('r', 'p') AND NOT relispartition"
        )
        if not table.startswith(("auth_", "axes_", "django_"))
    }
    assert found == set(TABLES)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("model", "field"), FOREIGN_KEYS, ids=[f"{name_of(model)}.{field.name}" for model, field in FOREIGN_KEYS]
)
def test_an_index_leads_with_every_foreign_key(model, field):
    """Or deleting a row, and asking for its children, reads the whole table."""
    predicates = [
        predicate
        for (predicate,) in rows_of(
            """SELECT pg_get_expr(indpred, indrelid) FROM pg_index
            JOIN pg_attribute ON attrelid = indrelid AND attnum = indkey[0]
            WHERE indrelid = to_regclass(quote_ident(%s)) AND attname = %s AND indisvalid""",
            model._meta.db_table,
            field.column,
        )
    ]
    assert any(predicate in (None, f"({field.column} IS NOT NULL)") for predicate in predicates), predicates


@pytest.mark.django_db
def test_every_reference_is_kept_by_a_foreign_key_except_that_of_history():
    kept = set(
        rows_of(
            """SELECT relname, attname FROM pg_constraint JOIN pg_class ON pg_class.oid = conrelid
            JOIN pg_attribute ON attrelid = conrelid AND attnum = conkey[1] WHERE contype = 'f' AND convalidated"""
        )
    )
    declared = {
        (model._meta.db_table, field.column)
        for model in (*MODELS, *LINK_TABLES)
        for field in model._meta.local_fields
        if field.is_relation and field.name not in DESIGN["unbound"].get(model.__name__, ())
    }
    assert {(table, column) for table, column in kept if table in TABLES} == declared


@pytest.mark.django_db
def test_columns_may_be_empty_where_their_field_may():
    for model in (*MODELS, *LINK_TABLES):
        empty = rows_of(
            "SELECT attname, NOT attnotnull FROM pg_attribute "
            "WHERE attrelid = to_regclass(quote_ident(%s)) AND attnum > 0 AND NOT attisdropped",
            model._meta.db_table,
        )
        assert dict(empty) == {field.column: field.null for field in model._meta.local_fields}


@pytest.mark.django_db
def test_no_index_repeats_another():
    """Two indexes on the same columns with the same condition cost every write twice."""
    repeated = rows_of(
        """SELECT one.indexrelid::regclass::text, other.indexrelid::regclass::text
        FROM pg_index AS one JOIN pg_index AS other ON one.indrelid = other.indrelid
        AND one.indexrelid < other.indexrelid AND one.indkey::text = other.indkey::text
        AND one.indclass = other.indclass AND one.indoption = other.indoption
        AND one.indpred IS NOT DISTINCT FROM other.indpred AND one.indexprs IS NOT DISTINCT FROM other.indexprs
        JOIN pg_class ON pg_class.oid = one.indrelid WHERE relname = ANY(%s)""",
        TABLES,
    )
    assert repeated == []


@pytest.mark.django_db
def test_names_of_constraints_indexes_and_triggers_start_with_their_table():
    names = rows_of(
        """SELECT relname, conname FROM pg_constraint JOIN pg_class ON pg_class.oid = conrelid
        UNION SELECT of.relname, index.relname FROM pg_index
        JOIN pg_class AS of ON of.oid = indrelid JOIN pg_class AS index ON index.oid = indexrelid
        UNION SELECT relname, tgname FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid WHERE NOT tgisinternal"""
    )
    # Django shortens the table's name where its own generated names would get too long.
    shortened = 20
    assert [(table, name) for table, name in names if table in TABLES and not name.startswith(table[:shortened])] == []
    declared = {
        (getattr(named, "table", model._meta.db_table), named.name)
        for model in MODELS
        for named in (*model._meta.constraints, *model._meta.indexes)
        if not named.name.endswith("_never_truncated")  # put away, so that tests can empty the tables
    }
    assert declared <= set(names)
    assert [(table, name) for table, name in declared if not name.startswith(table[:shortened])] == []


@pytest.mark.django_db
@pytest.mark.parametrize("name", DESIGN["choices"])
def test_postgresql_knows_every_member_of_an_enumeration_and_no_other(name):
    model = getattr(opsdb.models, name)
    for field, enum in DESIGN["choices"][name].items():
        [(definition,)] = rows_of(
            "SELECT DISTINCT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = %s",
            f"{model._meta.db_table}_{field}_known",
        )
        assert re.findall(r"'([^']*)'", definition) == ENUMS[enum].values


def test_what_is_referred_to_can_not_be_deleted_except_with_its_whole():
    for model in MODELS:
        for field in model._meta.local_fields:
            if not field.is_relation:
                continue
            if field.remote_field.parent_link or field.name in DESIGN["cascades"].get(model.__name__, ()):
                expected = models.CASCADE
            elif field.name in DESIGN["unbound"].get(model.__name__, ()):
                expected = models.DO_NOTHING
                assert not field.db_constraint
            else:
                expected = models.PROTECT
            assert field.remote_field.on_delete is expected, f"{model.__name__}.{field.name}"


# Keys


@pytest.mark.parametrize("model", MODELS, ids=name_of)
def test_keys_are_numbers_or_uuids_where_a_row_can_be_born_offline(model):
    key = model._meta.pk
    if model.__name__ in DESIGN["uuid_keys"]:
        assert isinstance(key, models.UUIDField)
    elif "parent" in DESIGNED[model.__name__]:
        assert key.remote_field.parent_link
    else:
        assert isinstance(key, models.BigAutoField)
    assert key.column == "id"


@pytest.mark.parametrize("model", [ExecutedObsUnit, RawDataFile, RawDataPackage, DataTransferPackage], ids=name_of)
def test_new_uuids_are_of_version_7_and_increase(model):
    keys = [model().pk for _ in range(2_000)]
    assert {key.version for key in keys} == {7}
    assert keys == sorted(keys)
    assert len(set(keys)) == len(keys)


@pytest.mark.django_db
@pytest.mark.parametrize("model", [ExecutedObsUnit, RawDataFile, RawDataPackage, DataTransferPackage], ids=name_of)
def test_a_caller_may_bring_the_key(model):
    key = uuid.uuid4()
    assert FACTORIES[model](pk=key).pk == key
    assert model.objects.filter(pk=key).exists()

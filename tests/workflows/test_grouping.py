"""What filter rules may say, and that what they say is what comes back."""

import json
import math
import re
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from opsdb.models import DataGrouping, RawDataPackage
from opsdb.models.reduction.filter_rules import (
    EQUALITY,
    JSON,
    KEYS,
    MAX_LISTED,
    MAX_RULES,
    OPERATORS,
    ORDER,
    TEXT,
    conditions,
    registry,
)
from opsdb.testing.factories import (
    DataGroupingFactory,
    ExecutedObsUnitFactory,
    FixedSourceFactory,
    InstrumentModuleFactory,
    ObsUnitFactory,
    RawDataPackageFactory,
    RawDataPackageMetadataFactory,
)

pytestmark = pytest.mark.django_db

RULE = {"table": "obs_unit", "column": "priority", "operator": "gte", "value": 3}
WRONG = {
    "no object": ("text", "must be an object"),
    "no table": ({"column": "priority", "operator": "eq", "value": 1}, "has no table"),
    "no value": ({"table": "obs_unit", "column": "priority", "operator": "eq"}, "has no value"),
    "a key too many": (RULE | {"or": []}, "unknown key 'or'"),
    "a table outside": (RULE | {"table": "user", "column": "password"}, "there is no table 'user'"),
    "a path as a table": (RULE | {"table": "obs_unit__observing_program"}, "there is no table"),
    "a table of another type": (RULE | {"table": ["obs_unit"]}, "there is no table"),
    "a column outside": (RULE | {"column": "password"}, "there is no column 'password' in table obs_unit"),
    "a path as a column": (RULE | {"column": "priority__gt"}, "there is no column"),
    "a relation as a column": (RULE | {"column": "executions"}, "there is no column"),
    "the observer": (RULE | {"table": "executed_obs_unit", "column": "observer_id"}, "there is no column"),
    "an operator outside": (RULE | {"operator": "regex"}, "there is no operator 'regex'"),
    "like on a number": (RULE | {"operator": "like", "value": "1%"}, "operator like is not for priority"),
    "order of true and false": (
        RULE | {"column": "available", "operator": "gt", "value": True},
        "is not for available",
    ),
    "a text for a number": (RULE | {"value": "3"}, "value must be a number, not '3'"),
    "true for a number": (RULE | {"value": True}, "value must be a number, not True"),
    "half for a whole number": (RULE | {"value": 1.5}, "value must be a whole number"),
    "too big a number": (RULE | {"value": 2**31}, "value must be at least"),
    "a number for a text": (RULE | {"column": "name", "operator": "eq", "value": 3}, "value must be a text"),
    "NaN": (RULE | {"column": "pwv_max_mm", "value": math.nan}, "value must be a finite number"),
    "infinity": (RULE | {"column": "pwv_max_mm", "value": math.inf}, "value must be a finite number"),
    "a number beyond all floats": (RULE | {"column": "pwv_max_mm", "value": 10**400}, "value must be a finite number"),
    "no UUID": (RULE | {"table": "executed_obs_unit", "column": "id", "value": "17"}, "value must be a UUID"),
    "no date": (
        RULE | {"table": "executed_obs_unit", "column": "start_time", "value": "2026-02-30"},
        "value must be a date or time",
    ),
    "a time without zone": (
        RULE | {"table": "executed_obs_unit", "column": "start_time", "value": "2026-06-15T12:00:00"},
        "value must be a time with a time zone",
    ),
    "a time before all time": (
        RULE | {"table": "executed_obs_unit", "column": "start_time", "value": "0001-01-01T00:00:00+14:00"},
        "value must be a time within the years",
    ),
    "no list": (RULE | {"operator": "in", "value": 3}, "value must be a list"),
    "an empty list": (RULE | {"operator": "in", "value": []}, "value must be a list of 1 to"),
    "a list with a wrong value": (RULE | {"operator": "in", "value": [1, "2"]}, "value must be a number"),
    "a list with null": (RULE | {"operator": "not_in", "value": [1, None]}, "value must be a number"),
    "too long a list": (RULE | {"operator": "in", "value": [1] * (MAX_LISTED + 1)}, "value must be a list of 1 to"),
    "more than null": (RULE | {"value": None}, "value must be a number"),
    "no such state": (
        RULE | {"table": "raw_data_package", "column": "state", "operator": "eq", "value": "done"},
        "value must be one of waiting",
    ),
    "NUL": (RULE | {"column": "name", "operator": "eq", "value": "a\0"}, "without NUL"),
    "half a letter": (RULE | {"column": "name", "operator": "eq", "value": "\ud800"}, "surrogates"),
    "half an escape": (RULE | {"column": "name", "operator": "like", "value": "a\\"}, "single backslash"),
    "a JSON path elsewhere": (RULE | {"json_path": "a"}, "json_path is only for JSON columns"),
    "no JSON path": (RULE | {"table": "executed_obs_unit", "column": "conditions"}, "json_path must be keys"),
    "JSONPath": (
        RULE | {"table": "executed_obs_unit", "column": "conditions", "json_path": "$.wind"},
        "json_path must be keys",
    ),
    "an empty key": (
        RULE | {"table": "executed_obs_unit", "column": "conditions", "json_path": "wind..speed"},
        "json_path must be keys",
    ),
    "an object as a value": (
        RULE | {"table": "executed_obs_unit", "column": "conditions", "json_path": "wind", "value": {}},
        "value must be a text, a number, true or false",
    ),
}
# What the database refuses too, whatever wrote it.
NAMES_WRONG = [
    name
    for name, (_, message) in WRONG.items()
    if re.match("must be an object|has no|unknown key|there is no", message)
]


@pytest.mark.parametrize("name", WRONG)
def test_a_bad_rule_is_refused_with_its_index_and_what_is_wrong(name):
    rule, message = WRONG[name]
    grouping = DataGrouping(name="x", filter_rules=[RULE, rule])
    with pytest.raises(ValidationError) as refused:
        grouping.full_clean()
    [told] = refused.value.message_dict["filter_rules"]
    assert told.startswith("filter_rules[1]: ")
    assert message in told


@pytest.mark.parametrize("name", WRONG)
def test_a_bad_rule_that_got_in_gives_no_packages(name):
    with pytest.raises(ValidationError):
        DataGrouping(name="x", filter_rules=[WRONG[name][0]]).packages()


@pytest.mark.parametrize("name", NAMES_WRONG)
def test_the_database_refuses_a_rule_that_names_what_the_registry_has_not(name):
    grouping = DataGroupingFactory(filter_rules=[RULE])
    rules = json.dumps([RULE, WRONG[name][0]])
    for write in (
        lambda: DataGrouping.objects.filter(pk=grouping.pk).update(filter_rules=json.loads(rules)),
        lambda: DataGrouping.objects.create(name="other", filter_rules=json.loads(rules)),
        lambda: connection.cursor().execute("UPDATE data_grouping SET filter_rules = %s", [rules]),
    ):
        with pytest.raises(IntegrityError, match=r"filter_rules\[1\]: "), transaction.atomic():
            write()


@pytest.mark.parametrize("value", [None, 3, [], {}], ids=json.dumps)
@pytest.mark.parametrize("key", ["table", "column", "operator"])
def test_the_database_refuses_a_name_that_is_no_text(key, value):
    with pytest.raises(IntegrityError, match=r"filter_rules\[0\]: there is no"), transaction.atomic():
        DataGroupingFactory(filter_rules=[RULE | {key: value}])


def test_the_database_takes_every_rule_of_the_registry():
    for table, columns in registry().items():
        for name, column in columns.items():
            path = {"json_path": "a"} if column.kind is JSON else {}
            DataGroupingFactory(
                filter_rules=[
                    {"table": table, "column": name, "operator": operator, "value": None} | path
                    for operator in column.kind.operators
                ]
            )


def test_there_can_be_only_so_many_rules():
    assert conditions([RULE] * MAX_RULES)
    with pytest.raises(ValidationError, match="at most"):
        conditions([RULE] * (MAX_RULES + 1))
    with pytest.raises(IntegrityError, match="more than"), transaction.atomic():
        DataGroupingFactory(filter_rules=[RULE] * (MAX_RULES + 1))


@pytest.mark.parametrize("rules", [None, {}, "text", 3, True], ids=json.dumps)
def test_rules_must_be_a_list(rules):
    with pytest.raises(ValidationError):
        conditions(rules)


# Anything that JSON can say

LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["17", "2026-06-15", "2026-06-15T12:00:00Z", "0197712f-0000-7000-8000-000000000000", "%a\\"])
)
GARBAGE = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4)
)
TABLE_NAMES = st.sampled_from(list(registry()))
COLUMN_NAMES = st.sampled_from(sorted({column for columns in registry().values() for column in columns}))
ALMOST_RULES = st.fixed_dictionaries(
    {
        "table": TABLE_NAMES | GARBAGE,
        "column": COLUMN_NAMES | GARBAGE,
        "operator": st.sampled_from(OPERATORS) | GARBAGE,
        "value": GARBAGE,
    },
    optional={"json_path": st.sampled_from(["a", "a.b", ["a", "0"]]) | GARBAGE, "other": GARBAGE},
)


def everything_but_a_value():
    return st.sampled_from([(table, column) for table in registry() for column in registry()[table]])


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(GARBAGE | st.lists(ALMOST_RULES | GARBAGE, max_size=3))
def test_whatever_json_says_it_is_a_query_or_a_validation_error(rules):
    try:
        packages = DataGrouping(name="x", filter_rules=rules).packages()
    except ValidationError:
        return
    with transaction.atomic():
        list(packages[:1])


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(everything_but_a_value(), st.sampled_from(OPERATORS), LEAVES | st.lists(LEAVES, max_size=3))
def test_whatever_the_value_is_it_is_a_query_or_a_validation_error(where, operator, value):
    table, column = where
    rule = {"table": table, "column": column, "operator": operator, "value": value}
    if registry()[table][column].kind is JSON:
        rule["json_path"] = "a.0"
    try:
        packages = DataGrouping(name="x", filter_rules=[rule]).packages()
    except ValidationError:
        return
    with transaction.atomic():
        list(packages[:1])


# What comes back

NIGHT = datetime(2026, 6, 15, 22, tzinfo=UTC)


@pytest.fixture
def some_packages():
    """Packages that differ in everything that a rule of the test below can ask about."""
    modules = [InstrumentModuleFactory(name="A", pixels=None), InstrumentModuleFactory(name="b%_", pixels=7)]
    units = [
        ObsUnitFactory(name="Änd", priority=1, available=False, pwv_max_mm=None, source=FixedSourceFactory(name="M1")),
        ObsUnitFactory(name="and", priority=2, pwv_max_mm=1.5, source=FixedSourceFactory(name="m 31")),
        ObsUnitFactory(name="Zed", priority=3, pwv_max_mm=2.5, source=None, obs_mode__needs_source=False, line_id=""),
    ]
    documents = [{}, {"a": None}, {"a": 1}, {"a": "1"}, {"a": {"b": [2.5, "x"]}}, {"a": True}, {"a": "xy"}, {"a": [1]}]
    made = []
    for index, document in enumerate(documents):
        execution = ExecutedObsUnitFactory(
            obs_unit=units[index % 3],
            start_time=NIGHT + timedelta(hours=index),
            mean_pwv_mm=None if index % 2 else index / 2,
            conditions=document,
        )
        package = RawDataPackageFactory(executed_obs_unit=execution, instrument_module=modules[index % 2])
        if index % 3:
            RawDataPackageMetadataFactory(raw_data_package=package, s_ra=index * 10.0, extra={"a": index})
        made.append(package)
    return made


def reached(package, table):
    """The row of a table that belongs to a package, or None."""
    execution = package.executed_obs_unit
    return {
        "raw_data_package": package,
        "executed_obs_unit": execution,
        "obs_unit": execution.obs_unit,
        "source": execution.obs_unit.source,
        "instrument_module": package.instrument_module,
        "raw_data_package_metadata": getattr(package, "metadata", None),
    }[table]


def value_of(package, rule):
    row = reached(package, rule["table"])
    if row is None:
        return None
    value = getattr(row, row._meta.model._meta.get_field(rule["column"]).attname)
    for key in rule.get("json_path", "").split(".") if "json_path" in rule else []:
        if isinstance(value, dict):
            value = value.get(key)
        elif isinstance(value, list) and key.isdigit() and int(key) < len(value):
            value = value[int(key)]
        else:
            return None
    return value


def same(one, other):
    return one == other and isinstance(one, bool) == isinstance(other, bool)


def like(value, pattern):
    expression = "".join({"%": ".*", "_": "."}.get(letter, re.escape(letter)) for letter in pattern)
    return re.fullmatch(expression, value, re.DOTALL) is not None


def holds(package, rule):
    """The rule, told a second time without SQL."""
    found, operator, wanted = value_of(package, rule), rule["operator"], rule["value"]
    if isinstance(found, datetime):
        found = found.isoformat()
    if isinstance(found, UUID):
        found = str(found)
    if operator == "eq":
        return same(found, wanted)
    if operator == "neq":
        return not same(found, wanted)
    if operator == "in":
        return any(same(found, one) for one in wanted)
    if operator == "not_in":
        return not any(same(found, one) for one in wanted)
    kinds = (str,) if isinstance(wanted, str) else (int, float)
    if not isinstance(found, kinds) or isinstance(found, bool):
        return False
    if operator == "like":
        return like(found, wanted)
    return {"gt": found > wanted, "gte": found >= wanted, "lt": found < wanted, "lte": found <= wanted}[operator]


ASKED = {
    ("raw_data_package", "part", None): [1, 2],
    ("raw_data_package", "checksum", None): ["00", None],
    ("executed_obs_unit", "start_time", None): [
        (NIGHT + timedelta(hours=hours)).isoformat() for hours in (-1, 0, 3, 9)
    ],
    ("executed_obs_unit", "mean_pwv_mm", None): [0, 1.0, 1.5, 99],
    ("executed_obs_unit", "conditions", "a"): [1, 1.0, 0, True, False, "1", "x", "xy", "x_", "%", 2],
    ("executed_obs_unit", "conditions", "a.b.0"): [2.5, 2, 3, "x"],
    ("executed_obs_unit", "conditions", "a.b.1"): ["x", "X", "", 1],
    ("obs_unit", "name", None): ["and", "Änd", "A%", "_nd", "Zed", "a", ""],
    ("obs_unit", "priority", None): [1, 2, 3, 4],
    ("obs_unit", "available", None): [True, False],
    ("obs_unit", "pwv_max_mm", None): [1.5, 2, 2.5],
    ("obs_unit", "source_id", None): [1, 2],
    ("source", "name", None): ["M1", "m 31", "M%", "%1"],
    ("instrument_module", "name", None): ["A", "b%_", "b%", "a"],
    ("instrument_module", "pixels", None): [7, 0],
    ("raw_data_package_metadata", "s_ra", None): [10, 20.0, 70],
    ("raw_data_package_metadata", "extra", "a"): [1, 2, 7, "1"],
}


@st.composite
def a_rule(draw):
    (table, column, path) = draw(st.sampled_from(list(ASKED)))
    kind = registry()[table][column].kind
    operator = draw(st.sampled_from(kind.operators))
    values = st.sampled_from(ASKED[table, column, path])
    if operator in ("in", "not_in"):
        value = draw(st.lists(values.filter(lambda one: one is not None), min_size=1, max_size=3))
    elif operator in EQUALITY:
        value = draw(values | st.none())
    else:
        fits = [one for one in ASKED[table, column, path] if one is not None and not isinstance(one, bool)]
        fits = [one for one in fits if isinstance(one, str)] if operator == "like" else fits
        value = draw(st.sampled_from(fits or ["1"] if operator == "like" else fits))
    rule = {"table": table, "column": column, "operator": operator, "value": value}
    return rule | {"json_path": path} if path else rule


@pytest.fixture
def everything(some_packages):
    """The packages as they are in the database."""
    return list(
        RawDataPackage.objects.select_related("executed_obs_unit__obs_unit__source", "instrument_module", "metadata")
    )


@settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(a_rule(), max_size=3))
def test_the_packages_are_those_that_all_rules_hold_for(everything, rules):
    expected = {package.pk for package in everything if all(holds(package, rule) for rule in rules)}
    found = [package.pk for package in DataGrouping(name="x", filter_rules=rules).packages()]
    assert len(found) == len(set(found))
    assert set(found) == expected


@pytest.mark.parametrize(("table", "column", "path"), ASKED)
def test_every_operator_agrees_on_a_column_alone(everything, table, column, path):
    values = [one for one in ASKED[table, column, path] if one is not None]
    for operator in registry()[table][column].kind.operators:
        asked = [[one] for one in values] if operator in ("in", "not_in") else values
        if operator in ORDER:
            asked = [one for one in asked if not isinstance(one, bool)]
        if operator == "like":
            asked = [one for one in asked if isinstance(one, str)]
        for value in [*asked, None] if operator in ("eq", "neq") else asked:
            rule = {"table": table, "column": column, "operator": operator, "value": value}
            if path:
                rule["json_path"] = path
            found = {package.pk for package in DataGrouping(name="x", filter_rules=[rule]).packages()}
            assert found == {package.pk for package in everything if holds(package, rule)}, rule


def test_no_rule_gives_all_packages_of_the_module(some_packages):
    module = some_packages[0].instrument_module
    assert DataGrouping(name="x", filter_rules=[]).packages().count() == len(some_packages)
    of_module = DataGrouping(name="x", filter_rules=[], instrument_module=module).packages()
    assert {package.instrument_module_id for package in of_module} == {module.pk}


def test_unknown_differs_from_everything(some_packages):
    rule = {"table": "obs_unit", "column": "pwv_max_mm", "operator": "neq", "value": 1.5}
    assert any(
        package.executed_obs_unit.obs_unit.pwv_max_mm is None
        for package in DataGrouping(name="x", filter_rules=[rule]).packages()
    )


@pytest.mark.parametrize("column", ["obs_unit.name", "executed_obs_unit.conditions"])
def test_texts_compare_alike_whatever_the_language_of_the_database(column):
    table, _, name = column.partition(".")
    rule = {"table": table, "column": name, "operator": "gt", "value": "a"}
    if name == "conditions":
        rule["json_path"] = "a"
    assert 'COLLATE "C"' in str(DataGrouping(name="x", filter_rules=[rule]).packages().query)


def test_every_column_of_the_registry_is_one_of_its_table():
    for table, columns in registry().items():
        with connection.cursor() as cursor:
            cursor.execute("SELECT column_name FROM information_schema.columns WHERE table_name = %s", [table])
            assert set(columns) <= {name for (name,) in cursor.fetchall()}
    assert {"json_path", "value", "operator", "column", "table"} == set(KEYS)
    assert TEXT.operators == OPERATORS

"""Clients without Django: classes by SQLAlchemy's reflection, rows that name facts only, and the same rules."""

import re
import subprocess
import sys

import pytest
from django.db import connection
from sqlalchemy import create_engine, inspect, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.automap import automap_base
from sqlalchemy.orm import Session, configure_mappers

from opsdb import sql
from opsdb.models import (
    ChangeLog,
    ExecutedObsUnit,
    InstrumentModule,
    ObsUnit,
    PackageState,
    PhysicalCopy,
    RawDataFile,
    RawDataPackage,
    Status,
    Verification,
)
from opsdb.testing.nights import build_world
from opsdb.workflows import RawFileReport, bundle_raw_data_packages, record_fixity, register_raw_data_files
from tests.commands import ROOT
from tests.databases import url_of_test_database
from tests.models.schema import MODELS

PAGE = (ROOT / "docs" / "sql.md").read_text(encoding="utf-8")
ADDRESS = "postgresql+psycopg://ops_app:password@HOST:5432/ops"


def blocks(language):
    """The examples of the page in a language, without those that are within a list."""
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)


def url():
    return url_of_test_database().replace("postgres://", "postgresql+psycopg://")


@pytest.fixture(scope="module")
def engine(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock():
        engine = create_engine(url())
    yield engine
    engine.dispose()


@pytest.fixture(scope="module")
def classes(engine):
    return sql.reflect(engine)


@pytest.fixture
def world(transactional_db, engine):
    """What the page's examples begin with."""
    world = build_world()
    ObsUnit.objects.filter(pk=world.unit.pk).update(name="NGC6334 CO43")
    InstrumentModule.objects.filter(pk=world.module.pk).update(name="HFA")
    yield world
    engine.dispose()


def run_example(number, names=None):
    names = {} if names is None else names
    exec(blocks("python")[number].replace(ADDRESS, url()), names)  # noqa: S102
    return names


def test_the_examples_insert_facts_only_and_our_workflows_take_the_rows_on(world, capsys):
    names = run_example(0)

    execution = ExecutedObsUnit.objects.get()
    assert (execution.status, execution.quality, execution.conditions, execution.comment) == (
        "completed",
        "unassessed",
        {},
        "",
    )
    package = RawDataPackage.objects.get()
    assert (package.status, package.state, package.part, package.max_retries) == ("pending", "waiting", 1, 3)
    files = RawDataFile.objects.order_by("relative_path")
    assert [file.checksum_algorithm for file in files] == ["sha256", "sha256"]
    assert {key.version for key in (execution.pk, package.pk, *(file.pk for file in files))} == {7}
    copies = PhysicalCopy.objects.all()
    assert {(copy.status, copy.verification) for copy in copies} == {("present", "unverified")}
    change = ChangeLog.objects.filter(table_name="executed_obs_unit", operation="update").get()
    assert (change.origin, change.reason, change.user) == ("night recorder", "first light", None)

    # The same refusal as everywhere.
    run_example(1, names)
    assert f"raw_data_package {package.pk}: " in capsys.readouterr().out
    assert names["refused"].constraint_name == "raw_data_package_status_transition"
    package.refresh_from_db()
    assert package.status == Status.PENDING
    names["engine"].dispose()

    # A second report of the same files finds them.
    again = register_raw_data_files(
        RawFileReport(
            executed_obs_unit=execution.pk,
            instrument_module=world.module.pk,
            source_location=world.source.pk,
            relative_path=file.relative_path,
            size_bytes=file.size_bytes,
            checksum=file.checksum,
        )
        for file in files
    )
    assert (again.created, again.known) == (0, 2)
    for copy in copies:
        record_fixity(copy, copy.checksum)
    world.make(package)
    [bundle] = bundle_raw_data_packages(world.ccat_buffer)
    world.make_bundle(bundle)
    world.deliver()
    package.refresh_from_db()
    assert package.state == PackageState.ARCHIVED
    assert bundle.raw_data_packages.get() == package
    assert set(PhysicalCopy.objects.filter(raw_data_file__in=files).values_list("verification", flat=True)) == {
        Verification.VERIFIED
    }


@pytest.mark.django_db
def test_the_example_in_plain_sql_is_attributed():
    world = build_world(names=("summit", "east", "west"))
    ObsUnit.objects.filter(pk=world.unit.pk).update(name="NGC6334 CO43")
    [example] = blocks("sql")
    with connection.cursor() as cursor:
        # The test is in a transaction of its own.
        cursor.execute(example.replace("BEGIN;", "").replace("COMMIT;", ""))
    assert ExecutedObsUnit.objects.get().status == "completed"
    change = ChangeLog.objects.filter(table_name="executed_obs_unit", operation="update").get()
    assert (change.origin, change.reason) == ("night recorder", "first light")


def test_every_model_has_a_class_of_its_name_with_its_columns(classes):
    links = {table.name for table in classes.metadata.sorted_tables} - {cls.__table__.name for cls in classes.values()}
    for model in MODELS:
        if model._meta.db_table in links:
            continue
        table = getattr(classes, model.__name__).__table__
        assert table.name == model._meta.db_table
        assert set(table.columns.keys()) == {field.column for field in model._meta.local_fields}
        assert table.comment
    with pytest.raises(AttributeError, match="There is no class Nothing; there are: ApiToken, "):
        getattr(classes, "Nothing")  # noqa: B009


def test_subtypes_are_those_of_the_models():
    declared = {
        model._meta.db_table: (
            model.discriminator,
            {str(value): subtype._meta.db_table for value, subtype in model.subtypes().items()},
        )
        for model in MODELS
        if hasattr(model, "discriminator") and not hasattr(model, "subtype")
    }
    assert declared == sql.SUBTYPES


def references(model):
    return [
        field
        for field in model._meta.local_fields
        if field.is_relation and not field.primary_key and field.db_constraint
    ]


@pytest.mark.filterwarnings("error")
def test_both_of_two_references_to_one_table_are_found(classes):
    configure_mappers()
    for model in MODELS:
        if model.__name__ in classes:
            relationships = inspect(classes[model.__name__]).relationships
            for field in references(model):
                relationship = relationships[field.column.removesuffix("_id")]
                assert relationship.mapper.local_table.name == field.related_model._meta.db_table
                assert {column.name for column in relationship.local_columns} == {field.column}


def test_automap_finds_them_by_our_names(engine):
    base = automap_base()
    base.prepare(
        autoload_with=engine,
        classname_for_table=sql.class_name,
        name_for_scalar_relationship=sql.relationship_name,
        name_for_collection_relationship=sql.collection_name,
    )
    configure_mappers()
    for model in MODELS:
        found = set(inspect(base.classes[model.__name__]).relationships.keys())
        assert {field.column.removesuffix("_id") for field in references(model)} <= found


def test_links_are_lists(classes):
    lists = {
        relationship.secondary.name: f"{name}.{relationship.key}"
        for name, cls in classes.items()
        for relationship in inspect(cls).relationships
        if relationship.secondary is not None and not relationship.key.endswith("_collection")
    }
    assert len(lists) == len(classes.metadata.sorted_tables) - len(classes)
    assert lists["obs_unit_module_configurations"] == "ObsUnit.module_configurations"
    assert lists["executed_reduction_step_input_package"] == "ExecutedReductionStep.input_packages"
    assert lists["reduction_step_dependency"] == "ReductionStep.dependencies"
    assert lists["deletion_request_item"] == "DeletionRequest.items"


@pytest.fixture
def session(classes, engine):
    """A session whose changes are rolled back."""
    with Session(engine) as session:
        yield session


def test_a_subtype_is_inserted_with_its_parent_and_found_as_what_it_is(classes, session):
    session.add(classes.FixedSource(name="NGC 6334", ra_deg=260.2, dec_deg=-35.8))
    session.add(classes.SolarSystemObject(name="Mars", ephemeris_name="mars"))
    session.flush()
    session.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
    session.expire_all()
    found = session.scalars(select(classes.Source).order_by(classes.Source.name)).all()
    assert [(type(one).__name__, one.type, one.aliases) for one in found] == [
        ("SolarSystemObject", "solar_system", []),
        ("FixedSource", "fixed", []),
    ]
    assert found[1].frame == "icrs"


def test_references_to_one_table_and_lists_are_kept_apart(classes, session):
    one, other = (classes.Site(name=name, short_name=name) for name in ("summit", "valley"))
    route = classes.DataTransferRoute(name="down", method="bbcp", origin_site=one, destination_site=other)
    program = classes.ObservingProgram(name="Structure", short_name="STR")
    observatory = classes.Observatory(name="Observatory", short_name="obs")
    telescope = classes.Telescope(
        observatory=observatory, name="Dish", short_name="dish", latitude_deg=-23, longitude_deg=-67, elevation_m=5600
    )
    program.instruments.append(classes.Instrument(telescope=telescope, name="CHAI"))
    session.add_all([route, program])
    session.flush()
    session.expire_all()
    assert (route.origin_site.name, route.destination_site.name) == ("summit", "valley")
    assert other.data_transfer_route_by_destination_site_collection == [route]
    assert other.data_transfer_route_by_origin_site_collection == []
    assert [instrument.name for instrument in program.instruments] == ["CHAI"]


def test_who_acts_is_named_for_the_transaction(classes, session):
    with pytest.raises(
        IntegrityError, match="there is no user with the key 0, whom opsdb.user_id names as the acting user"
    ):
        sql.attribute(session, user_id=0, origin="program")
        session.add(classes.Site(name="summit", short_name="summit"))
        session.flush()


def test_another_search_path_needs_the_schema(engine):
    elsewhere = create_engine(
        engine.url.update_query_dict({"options": f"{engine.url.query['options']} -c search_path=pg_catalog"})
    )
    try:
        with pytest.raises(LookupError, match="has no tables of ops-db"):
            sql.reflect(elsewhere)
        classes = sql.reflect(elsewhere, schema="public")
        with Session(elsewhere) as session:
            site = classes.Site(name="summit", short_name="summit")
            session.add(
                classes.TapeDataLocation(site=site, name="archive", location_type="long_term_archive", library="L")
            )
            session.flush()
            assert session.scalars(select(classes.DataLocation)).one().site is site
    finally:
        elsewhere.dispose()


def test_neither_django_nor_settings_are_needed():
    code = "import sys, opsdb.sql; sys.exit('django' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0


DOCUMENTED = PAGE[PAGE.index("## What differs from ccat_ops_db") : PAGE.index("These differ:")]
ROWS = re.findall(r"^\| `(\w+)` \| (`.*`) \|$", DOCUMENTED, re.MULTILINE)


def test_what_the_original_documents_is_here_or_named_as_different(classes):
    tables = {cls.__table__.name: cls for cls in classes.values()}
    differing = PAGE[PAGE.index("These differ:") :]
    documented = [(table, column) for table, columns in ROWS for column in re.findall(r"`(\w+)`", columns)]
    assert len(documented) > 100
    missing = [
        f"{table}.{column}"
        for table, column in documented
        if not hasattr(tables[table], column) and f"`{table}.{column}`" not in differing
    ]
    assert missing == []
    others = re.findall(r"`(\w+)`", DOCUMENTED[DOCUMENTED.index("Documented without") :])
    assert len(others) > 10
    assert [table for table in others if table not in tables] == []
    assert set(tables) >= {table for table, _ in ROWS}

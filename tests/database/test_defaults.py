"""An INSERT of any client names facts only: everything else has its default in the database, equal to Django's."""

import time
import uuid
from datetime import UTC, datetime

import pytest
from django.db import connection, models
from django.utils import timezone

from opsdb.database.defaults import give_database_default
from opsdb.database.identifiers import uuid7
from opsdb.models import RunStatus
from tests.models.schema import LINK_TABLES, MODELS

COLUMNS = """
SELECT relname, attname, attnotnull, attidentity <> '', pg_get_expr(adbin, adrelid)
FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
WHERE relnamespace = current_schema()::regnamespace AND relname = ANY (%s) AND attnum > 0 AND NOT attisdropped
"""
FIELDS = {
    (model._meta.db_table, field.column): field
    for model in (*MODELS, *LINK_TABLES)
    for field in model._meta.local_fields
}
# What whoever inserts a row has to know, beside what it refers to: nobody else can.
FACTS = {
    "api_token": {"name", "pepper_fingerprint", "token_hash", "token_prefix"},
    "azimuth_range": {"rising", "azimuth_max_deg", "azimuth_min_deg"},
    "chai_inpar_parameter": {"key"},
    "chai_module_configuration": {"line_id", "line_frequency_ghz", "sideband"},
    "chai_tiling": {"tile_index", "width_arcsec", "height_arcsec"},
    "constant_elevation_source": {"ra_min_deg", "ra_max_deg", "dec_min_deg", "dec_max_deg"},
    "data_grouping": {"name"},
    "data_location": {"name", "location_type", "storage_type"},
    "data_product": {"type", "name", "relative_path"},
    "data_release": {"name", "version"},
    "data_transfer": {"method"},
    "data_transfer_log": {"message"},
    "data_transfer_package": {"name", "relative_path"},
    "data_transfer_route": {"name", "method"},
    "deletion_request": {"reason", "limit"},
    "disk_data_location": {"path"},
    "downtime": {"start_time", "reason"},
    "executed_obs_unit": {"start_time"},
    "failure_acknowledgement": {"cause", "message", "reason", "until"},
    "fixed_source": {"ra_deg", "dec_deg"},
    "fixity_check": {"checked_at", "expected", "algorithm", "ok"},
    "instrument": {"name"},
    "instrument_module": {"name", "frequency_min_ghz", "frequency_max_ghz"},
    "instrument_module_configuration": {"type", "name"},
    "long_term_archive_transfer_log": {"message"},
    "obs_mode": {"name"},
    "obs_unit": {"name"},
    "observation_configuration": {"type", "name"},
    "observatory": {"name", "short_name"},
    "observing_program": {"name", "short_name"},
    "pipeline": {"name"},
    "pre_scheduled_slot": {"start_time", "end_time"},
    "prime_cam_module_configuration": {"band_center_ghz"},
    "prime_cam_observation_configuration": {"scan_type"},
    "publication": {"title", "year"},
    "raw_data_file": {"relative_path", "size_bytes", "checksum"},
    "raw_data_package": {"name", "relative_path"},
    "raw_data_package_metadata": {"obs_collection", "obs_id", "obs_publisher_did"},
    "reduction_software": {"name"},
    "reduction_software_version": {"version"},
    "reduction_step": {"name"},
    "reduction_step_config": {"name"},
    "s3_data_location": {"bucket"},
    "site": {"name", "short_name"},
    "solar_system_object": {"ephemeris_name"},
    "source": {"type", "name"},
    "sub_observing_program": {"name", "short_name"},
    "tape_data_location": {"library"},
    "telescope": {"name", "short_name", "latitude_deg", "longitude_deg", "elevation_m"},
    "time_allocation": {"period", "start_date", "end_date", "hours"},
    "user": {"username", "password"},
}
# What only triggers write.
KEPT_BY_TRIGGERS = {
    "change_log": {"table_name", "row_id", "operation", "database_user", "transaction_id"},
    "data_location_usage": {"day", "copies", "bytes", "arrived_bytes"},
    "deletion_policy": {"min_archive_copies"},
    "physical_copy": {"deletion_candidate"},
    "stage_activity": {"stage", "begins_at", "added", "completed", "failures", "bytes"},
}


@pytest.fixture
def columns(db):
    """Whether each column may be null, is an identity, and its default, by table and column."""
    with connection.cursor() as cursor:
        cursor.execute(COLUMNS, [[model._meta.db_table for model in (*MODELS, *LINK_TABLES)]])
        return {(table, column): facts for table, column, *facts in cursor.fetchall()}


def test_who_inserts_a_row_names_facts_only(columns):
    named = {}
    for (table, column), (not_null, is_identity, default) in columns.items():
        if not_null and not is_identity and default is None and not FIELDS[table, column].is_relation:
            named.setdefault(table, set()).add(column)
    assert named == FACTS | KEPT_BY_TRIGGERS


def test_the_database_has_the_defaults_that_django_has(columns):
    differing = {}
    compared = 0
    for (table, column), field in FIELDS.items():
        if not field.has_default():
            continue
        default = columns[table, column][2]
        if field.default in (timezone.now, uuid7):
            expected = {timezone.now: "statement_timestamp()", uuid7: "opsdb_uuid7()"}[field.default]
            found = default
        else:
            expected, found = field.get_default(), value_of(default, field)
        compared += 1
        if found != expected:
            differing[f"{table}.{column}"] = (expected, found)
    assert differing == {}
    assert compared > 180


def value_of(expression, field):
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {expression}")
        [value] = cursor.fetchone()
    return field.from_db_value(value, None, connection) if hasattr(field, "from_db_value") else value


def test_django_keeps_its_own_defaults():
    """A new row has them before it is saved, so that nothing differs for who uses the models."""
    for field in FIELDS.values():
        if field.has_default() and not callable(field.default):
            assert field.get_default() == field.default


@pytest.mark.django_db
def test_the_database_makes_keys_in_the_order_of_time():
    before = time.time_ns() // 1_000_000
    with connection.cursor() as cursor:
        cursor.execute("SELECT opsdb_uuid7() FROM generate_series(1, 1000)")
        keys = [key for (key,) in cursor.fetchall()]
    assert len(set(keys)) == 1000
    for key in (*keys, uuid7()):
        assert (key.version, key.variant) == (7, uuid.RFC_4122)
        # Servers and clients may have clocks of their own; a day is beyond what they differ by.
        assert abs((key.int >> 80) - before) < 86_400_000
    milliseconds = [key.int >> 80 for key in keys]
    assert milliseconds == sorted(milliseconds)


def test_a_default_without_a_counterpart_is_refused():
    field = models.DateTimeField(default=lambda: datetime.now(UTC))
    with pytest.raises(ValueError, match="name the counterpart"):
        give_database_default(field)


def test_a_declared_default_of_the_database_stays():
    field = models.CharField(default=RunStatus.PENDING, db_default=RunStatus.FAILED)
    give_database_default(field)
    assert field.db_default == RunStatus.FAILED

"""The rules in the catalogue are compared with those of this version: every way to weaken one is noticed."""

import pytest
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from opsdb.database.catalogue import as_created, expected_rules, read_rules
from opsdb.workflows import validate_rules
from tests.databases import put_guards_back

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("owner")]

DISABLED = "is disabled or differs from that of this version"
DOES_NOTHING = "CREATE FUNCTION public.evil() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'"
# What an owner of the tables may do, and what is then wrong with what.
WEAKENED = {
    "a trigger disabled": (
        ["ALTER TABLE physical_copy DISABLE TRIGGER physical_copy_deletion_is_safe"],
        "trigger physical_copy_deletion_is_safe on physical_copy",
        DISABLED,
    ),
    "a trigger that fires for replication only": (
        ["ALTER TABLE physical_copy ENABLE REPLICA TRIGGER physical_copy_deletion_is_safe"],
        "trigger physical_copy_deletion_is_safe on physical_copy",
        DISABLED,
    ),
    "a trigger dropped": (
        ["DROP TRIGGER change_log_append_only ON change_log"],
        "trigger change_log_append_only on change_log",
        "is missing",
    ),
    "a trigger with another condition": (
        [
            "DROP TRIGGER site_id_immutable ON site",
            "CREATE TRIGGER site_id_immutable BEFORE UPDATE OF id ON site FOR EACH ROW WHEN (false) "
            "EXECUTE FUNCTION opsdb_refuse_change('id', '')",
        ],
        "trigger site_id_immutable on site",
        DISABLED,
    ),
    "a trigger on a table of Django": (
        ["ALTER TABLE auth_group DISABLE TRIGGER auth_group_id_immutable"],
        "trigger auth_group_id_immutable on auth_group",
        DISABLED,
    ),
    "a trigger of others": (
        [DOES_NOTHING, "CREATE TRIGGER a BEFORE INSERT ON change_log FOR EACH ROW EXECUTE FUNCTION evil()"],
        "trigger a on change_log",
        "is not of this version",
    ),
    "a function emptied": (
        [
            "CREATE OR REPLACE FUNCTION opsdb_deletion_blocker(copy_id bigint, OUT rule integer, OUT held_by text, "
            "OUT why text) LANGUAGE plpgsql AS 'BEGIN END'"
        ],
        "function opsdb_deletion_blocker",
        DISABLED,
    ),
    "a function of the same name that takes something else": (
        ["CREATE FUNCTION opsdb_deletion_blocker(copy_id integer) RETURNS void LANGUAGE plpgsql AS 'BEGIN END'"],
        "function opsdb_deletion_blocker",
        DISABLED,
    ),
    "a function without its search path": (
        ["ALTER FUNCTION opsdb_deletion_blocker(bigint) RESET search_path"],
        "function opsdb_deletion_blocker",
        DISABLED,
    ),
    "a function that is bound when it is made": (
        [
            "CREATE OR REPLACE FUNCTION opsdb_is_readable(status text, verification text) RETURNS boolean "
            "LANGUAGE sql IMMUTABLE RETURN true"
        ],
        "function opsdb_is_readable",
        DISABLED,
    ),
    "a CHECK dropped": (
        ["ALTER TABLE deletion_request DROP CONSTRAINT deletion_request_second_person"],
        "constraint deletion_request_second_person on deletion_request",
        "is missing",
    ),
    "a CHECK that is never false": (
        [
            "ALTER TABLE deletion_request DROP CONSTRAINT deletion_request_second_person",
            "ALTER TABLE deletion_request ADD CONSTRAINT deletion_request_second_person CHECK (true)",
        ],
        "constraint deletion_request_second_person on deletion_request",
        DISABLED,
    ),
    "a unique index dropped": (
        ["DROP INDEX data_transfer_unique_open"],
        "index data_transfer_unique_open on data_transfer",
        "is missing",
    ),
    "a rewrite rule": (
        ["CREATE RULE nothing AS ON UPDATE TO fixity_check DO INSTEAD NOTHING"],
        "rewrite rule nothing on fixity_check",
        "is not of this version",
    ),
}


@pytest.fixture
def guarded(db):
    put_guards_back()


def test_a_migrated_database_has_the_rules_of_this_version(guarded):
    """``make migrations`` records them anew."""
    assert read_rules(connection) == expected_rules()
    assert validate_rules() == []


def test_a_foreign_key_dropped_is_noticed(guarded):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT conname FROM pg_constraint WHERE contype = 'f' AND conrelid = 'physical_copy'::regclass "
            "AND confrelid = 'raw_data_file'::regclass"
        )
        [name] = cursor.fetchone()
        cursor.execute(f'ALTER TABLE physical_copy DROP CONSTRAINT "{name}"')
    [problem] = validate_rules()
    assert (problem.subject, problem.problem) == ("foreign key raw_data_file_id on physical_copy", "is missing")


@pytest.mark.parametrize(("statements", "subject", "problem"), WEAKENED.values(), ids=WEAKENED)
def test_what_weakens_a_rule_is_noticed(guarded, statements, subject, problem):
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
    [found] = validate_rules()
    assert (found.severity, found.subject, found.problem) == ("error", subject, problem)
    assert found.remedy


def test_what_is_not_migrated_yet_is_named_instead(guarded):
    MigrationRecorder.Migration.objects.filter(app="opsdb", name__startswith="0004").delete()
    [found] = validate_rules()
    assert found.problem == "not migrated: opsdb.0004_triggers"
    assert "opsdb_migrate" in found.remedy


def test_a_restored_dump_has_the_same_rules_in_other_words():
    made = "CHECK (status::text = ANY (ARRAY['it''s'::character varying, 'b'::character varying]::text[]))"
    restored = "CHECK (status::text = ANY (ARRAY['it''s'::character varying::text, 'b'::character varying::text]))"
    assert as_created(restored) == as_created(made) == made
    assert as_created(restored.replace("'b'", "'c'")) != made

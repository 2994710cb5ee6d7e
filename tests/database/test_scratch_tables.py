"""Whatever a client calls its temporary tables, and whatever its search path: the rules look at the real ones."""

from contextlib import contextmanager

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction

from opsdb.database.roles import grant
from opsdb.models import ChangeLog, DataLocation, DeletionPolicy, PhysicalCopy, Site
from opsdb.testing.factories import (
    DiskDataLocationFactory,
    RawDataFileFactory,
    RawDataPackageFactory,
    RoleFactory,
    SiteFactory,
    UserFactory,
    fill_every_table,
)
from opsdb.workflows import validate_rules
from tests.databases import as_owner, own_copy
from tests.workflows.scenario_deletion import refusal_of, sql, tell_story

pytestmark = pytest.mark.django_db

# Text and numbers that would mislead every rule that read them, by the column that it would look at.
MISLEADING = {
    "location_type": "'processing'",
    "retention_days": "0",
    "verification": "'verified'",
    "min_archive_copies": "0",
    "active": "true",
    "is_staff": "false",
    "is_superuser": "false",
    "needs_source": "false",
    "ok": "true",
}
WITHOUT_A_SCHEMA = """
SELECT proname FROM pg_proc
WHERE pronamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema()) AND proname LIKE 'opsdb%' AND NOT (
    prosqlbody IS NOT NULL OR coalesce(proconfig, '{}') @> ARRAY[format('search_path=%I, pg_temp', current_schema())]
)
"""


def relations():
    """Every table and view of the schema."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace "
            "WHERE nspname = current_schema() AND relkind IN ('r', 'v', 'm', 'p') "
            "AND NOT relispartition ORDER BY relname"
        )
        return [name for (name,) in cursor.fetchall()]


def columns(table):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped",
            [f'public."{table}"'],
        )
        return [name for (name,) in cursor.fetchall()]


def stand_in(table, *, empty=False):
    """Put a temporary table in front of a real one, with the same rows made to mislead, or with none."""
    sql(f'CREATE TEMPORARY TABLE "{table}" (LIKE public."{table}")')
    if not empty:
        sql(f'INSERT INTO pg_temp."{table}" SELECT * FROM public."{table}"')
    for column in set(columns(table)) & set(MISLEADING):
        sql(f'UPDATE pg_temp."{table}" SET "{column}" = {MISLEADING[column]}')


@contextmanager
def stand_ins(*, empty=False):
    """Put a temporary table in front of every table and view, for as long as the block lasts."""
    for table in relations():
        stand_in(table, empty=empty)
    yield
    for table in relations():
        sql(f'DROP TABLE pg_temp."{table}"')


def schedule(copy):
    return lambda: sql("UPDATE public.physical_copy SET status = 'deletion_scheduled' WHERE id = %s", copy.pk)


def rule_of(refusal):
    return refusal and refusal.constraint_name


def test_every_function_is_tied_to_the_schema_that_it_was_installed_in():
    with connection.cursor() as cursor:
        cursor.execute(WITHOUT_A_SCHEMA)
        assert cursor.fetchall() == []


@pytest.mark.parametrize("empty", [False, True], ids=["misleading", "empty"])
def test_copies_in_an_archive_stay_whatever_stands_in_for_its_location(empty):
    story = tell_story()
    with transaction.atomic():
        stand_in("data_location", empty=empty)
        refusal = refusal_of(schedule(story.archive_copy))
        assert "deletion rule 1" in refusal.message_primary


def test_stand_ins_for_all_tables_let_no_archive_copy_go():
    story = tell_story()
    with stand_ins():
        assert rule_of(refusal_of(schedule(story.archive_copy))) == "physical_copy_deletion_is_safe"
    assert PhysicalCopy.objects.get(pk=story.archive_copy.pk).status == "present"


def test_stand_ins_let_no_copy_go_that_another_rule_holds_back():
    story = tell_story()
    PhysicalCopy.objects.filter(pk=story.archive_copy.pk).update(verification="unverified", verified_at=None)
    with stand_ins():
        for copy in (story.file_copy, story.package_copy, story.bundle_copy):
            assert rule_of(refusal_of(schedule(copy))) == "physical_copy_deletion_is_safe"


@pytest.mark.parametrize("empty", [False, True], ids=["misleading", "empty"])
def test_what_may_go_may_go_as_before(empty):
    story = tell_story()
    with stand_ins(empty=empty):
        for copy in story.deletable_copies:
            assert refusal_of(schedule(copy)) is None


def test_a_change_is_recorded_in_the_real_history():
    DeletionPolicy.objects.update_or_create(pk=1, defaults={"min_archive_copies": 1})
    site = SiteFactory()
    before = ChangeLog.objects.count()
    with stand_ins():
        sql("UPDATE public.deletion_policy SET min_archive_copies = 2")
        sql("UPDATE public.site SET name = 'Elsewhere' WHERE id = %s", site.pk)
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM public.change_log WHERE table_name IN ('deletion_policy', 'site') AND "
                "operation = 'update' AND id > (SELECT max(id) FROM pg_temp.change_log)"
            )
            assert cursor.fetchone() == (2,)
            cursor.execute("SELECT count(*) FROM pg_temp.change_log")
            assert cursor.fetchone() == (before,)


def test_bulk_changes_and_links_are_recorded_in_the_real_history():
    story = tell_story()
    user, role = UserFactory(), RoleFactory(name="viewer")
    before = ChangeLog.objects.count()
    with stand_ins():
        sql("UPDATE public.raw_data_file SET file_type = 'other' WHERE id = %s", story.file.pk)
        sql("INSERT INTO public.user_groups (user_id, group_id) VALUES (%s, %s)", user.pk, role.pk)
    assert ChangeLog.objects.count() == before + 2


def test_what_a_location_holds_is_counted_in_the_real_table():
    location = DataLocation.objects.get(pk=DiskDataLocationFactory().pk)
    package = RawDataPackageFactory(completed=True)
    with stand_ins():
        sql(
            "INSERT INTO public.physical_copy (data_location_id, raw_data_package_id, status, size_bytes, "
            "checksum_algorithm, verification, retry_count, failure_message) "
            "VALUES (%s, %s, 'present', 5, 'sha256', 'unverified', 0, '')",
            location.pk,
            package.pk,
        )
    assert location.held_bytes() == 5


def test_a_temporary_table_of_another_form_is_not_read_at_all():
    """It happens by accident, too: a scratch table of such a name."""
    story = tell_story()
    for table in ("data_location", "deletion_policy", "raw_data_package", "change_log", "fixity_check"):
        sql(f"CREATE TEMPORARY TABLE {table} (scratch text)")
    assert refusal_of(schedule(story.package_copy)) is None
    assert "deletion rule 1" in refusal_of(schedule(story.archive_copy)).message_primary


def test_a_temporary_type_of_the_name_of_a_table_is_not_taken_for_its_rows():
    story = tell_story()
    sql("CREATE TYPE pg_temp.physical_copy AS (id bigint, status text)")
    sql("CREATE TYPE pg_temp.data_location AS (id bigint, location_type text)")
    assert refusal_of(schedule(story.package_copy)) is None
    assert "deletion rule 1" in refusal_of(schedule(story.archive_copy)).message_primary


def test_temporary_functions_stand_in_for_none_of_ours():
    story = tell_story()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT format('CREATE FUNCTION pg_temp.%I(%s) RETURNS %s LANGUAGE %s AS %L', proname, "
            "pg_get_function_identity_arguments(oid), pg_get_function_result(oid), "
            "CASE WHEN prorettype = 'trigger'::regtype THEN 'plpgsql' ELSE 'sql' END, "
            "CASE WHEN prorettype = 'trigger'::regtype THEN 'BEGIN RETURN NEW; END' "
            "ELSE format('SELECT NULL::%s', prorettype::regtype) END) "
            "FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND proname LIKE 'opsdb%' "
            "AND prorettype IN ('trigger'::regtype, 'boolean'::regtype, 'text'::regtype)"
        )
        statements = [statement for (statement,) in cursor.fetchall()]
    for statement in statements:
        sql(statement.replace("%", "%%"))
    assert len(statements) > 40
    sql("SET LOCAL search_path = pg_temp, public")
    assert "deletion rule 1" in refusal_of(schedule(story.archive_copy)).message_primary


@pytest.mark.parametrize("path", ["", "pg_temp, public", "pg_catalog, pg_temp", "nowhere", '"$user"'])
def test_writes_work_from_a_client_of_any_search_path(path):
    story = tell_story()
    before = ChangeLog.objects.count()
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('search_path', %s, true)", [path])
        sql("UPDATE public.site SET name = name || ' again' WHERE id = %s", story.buffer.site_id)
        sql("UPDATE public.raw_data_file SET file_type = 'x' WHERE id = %s", story.file.pk)
        schedule(story.package_copy)()
        assert "deletion rule 1" in refusal_of(schedule(story.archive_copy)).message_primary
        sql("SET LOCAL search_path = public")
    assert ChangeLog.objects.count() == before + 3


@pytest.fixture
def elsewhere(transactional_db):
    """The whole app in a schema that is not public, where there are empty tables of the same names."""
    with own_copy("elsewhere", empty=True):
        with as_owner():
            name = connection.ops.quote_name(connection.settings_dict["NAME"])
            sql(f'CREATE SCHEMA "Obs data"; ALTER DATABASE {name} SET search_path = "Obs data", public')
            connection.close()
            call_command("migrate", verbosity=0)
            for table in relations():
                sql(f'CREATE TABLE public."{table}" (LIKE "Obs data"."{table}")')
            grant(connection, settings.APPLICATION_ROLE)
        yield


@pytest.mark.django_db(transaction=True)
def test_all_of_it_works_in_another_schema(elsewhere):
    with connection.cursor() as cursor:
        cursor.execute(WITHOUT_A_SCHEMA)
        assert cursor.fetchall() == []
    fill_every_table()
    story = tell_story()
    before = ChangeLog.objects.count()
    with transaction.atomic():
        sql("SET LOCAL search_path = ''")
        sql("UPDATE \"Obs data\".site SET name = 'Elsewhere' WHERE id = %s", story.buffer.site_id)
        sql("UPDATE \"Obs data\".physical_copy SET status = 'deletion_scheduled' WHERE id = %s", story.package_copy.pk)
        refusal = refusal_of(
            lambda: sql(
                "UPDATE \"Obs data\".physical_copy SET status = 'deletion_scheduled' WHERE id = %s",
                story.archive_copy.pk,
            )
        )
        assert "deletion rule 1" in refusal.message_primary
        sql('SET LOCAL search_path = "Obs data", public')
    assert ChangeLog.objects.count() == before + 2
    assert validate_rules() == []
    assert Site.objects.filter(name="Elsewhere").count() == 1
    with as_owner(), connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM public.site")
        assert cursor.fetchone() == (0,)


def test_a_scratch_table_is_not_taken_for_the_rows_of_a_statement():
    """Triggers of statements see these under names of their own."""
    location = DataLocation.objects.get(pk=DiskDataLocationFactory().pk)
    story = tell_story()
    before = ChangeLog.objects.count()
    for name in ("old_rows", "new_rows"):
        sql(f"CREATE TEMPORARY TABLE {name} (LIKE public.physical_copy)")
    sql("CREATE TEMPORARY TABLE added (LIKE public.raw_data_file)")
    copy = PhysicalCopy.objects.create(data_location_id=location.pk, raw_data_package=story.package, size_bytes=7)
    sql("UPDATE public.raw_data_file SET file_type = 'x' WHERE id = %s", story.file.pk)
    assert location.held_bytes() == 7
    assert ChangeLog.objects.count() == before + 2
    assert ChangeLog.objects.filter(operation="inserts").latest("id").after == {"id": [copy.pk]}
    with pytest.raises(IntegrityError, match="source_location must be a source location"):
        RawDataFileFactory(source_location=location)

"""What nobody may get through, whoever tries it and whatever the state: steps for the invariants' state machine."""

import pytest
from django.db import DatabaseError, IntegrityError, ProgrammingError, connection, transaction
from hypothesis import strategies as st
from hypothesis.stateful import rule

from opsdb.models import (
    ChangeLog,
    DataLocation,
    LocationType,
    PackageState,
    PhysicalCopy,
    PhysicalCopyStatus,
    RawDataFile,
    RawDataPackage,
)

# By the application's role: each is refused for want of a right.
RIGHTS_OF_THE_OWNER = (
    "ALTER TABLE physical_copy DISABLE TRIGGER USER",
    "DROP TRIGGER physical_copy_deletion_is_safe ON physical_copy",
    "CREATE OR REPLACE FUNCTION opsdb_deletion_blocker(copy_id bigint) RETURNS void LANGUAGE sql AS ''",
    "TRUNCATE data_transfer CASCADE",
    "SET session_replication_role = replica",
    "DELETE FROM change_log",
    "UPDATE change_log SET user_id = NULL",
    "INSERT INTO change_log (changed_at, table_name, row_id, operation, database_user, transaction_id) "
    "VALUES (now(), 'physical_copy', '1', 'update', 'opsdb', 1)",
)
# By a rule, in any state of the rows, as long as there are some.
REFUSED_WHERE_ROWS_ARE = {
    "data_location": "UPDATE data_location SET id = id + 100000",
    "physical_copy": "UPDATE physical_copy SET id = id + 100000",
    "raw_data_package": "UPDATE raw_data_package SET id = gen_random_uuid()",
    "deletion_policy": "DELETE FROM deletion_policy",
    "fixity_check": "UPDATE fixity_check SET ok = true",
}
VERIFIED_COPY = """
INSERT INTO physical_copy (
    data_location_id, raw_data_package_id, status, verification, verified_at, size_bytes, checksum, checksum_algorithm,
    created_at, updated_at, arrived_at, failure_message, retry_count, deletion_candidate
)
SELECT %s, id, 'present', 'verified', now(), size_bytes, checksum, checksum_algorithm, now(), now(), now(), '', 0, false
FROM raw_data_package WHERE id = %s
"""
AGREEING_CHECK = """
INSERT INTO fixity_check (copy_id, checked_at, checked_by, expected, actual, algorithm, ok, created_at, updated_at)
SELECT id, %s, 'forged', checksum, checksum, checksum_algorithm, true, now(), now() FROM physical_copy WHERE id = %s
"""


def attempt(statement, *parameters):
    """Execute a statement, and return the error that refused it, or None."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement, parameters)
    except DatabaseError as error:
        return error
    return None


class Attacks:
    """Steps of somebody who knows the application's password."""

    @rule(statement=st.sampled_from(RIGHTS_OF_THE_OWNER))
    def act_as_the_owner(self, statement):
        assert isinstance(attempt(statement), ProgrammingError), statement

    @rule(table=st.sampled_from(sorted(REFUSED_WHERE_ROWS_ARE)))
    def change_what_stays(self, table):
        with connection.cursor() as cursor:
            cursor.execute(f'SELECT EXISTS (SELECT FROM "{table}")')
            [has_rows] = cursor.fetchone()
        if has_rows:
            assert isinstance(attempt(REFUSED_WHERE_ROWS_ARE[table]), IntegrityError), table

    @rule()
    def make_an_archive_a_buffer_by_a_stand_in(self):
        """Temporary tables of the same names say that archives are buffers, and packages archived."""
        with transaction.atomic(), connection.cursor() as cursor:
            for table in ("data_location", "raw_data_package", "deletion_policy", "change_log"):
                cursor.execute(f"CREATE TEMPORARY TABLE {table} AS SELECT * FROM public.{table}")
            cursor.execute("UPDATE pg_temp.data_location SET location_type = 'processing', retention_days = 0")
            cursor.execute("UPDATE pg_temp.raw_data_package SET state = 'archived'")
            in_archives = (
                "SELECT copy.id FROM public.physical_copy AS copy JOIN public.data_location AS place "
                "ON place.id = copy.data_location_id WHERE place.location_type = 'long_term_archive' "
                "AND copy.status = 'present'"
            )
            cursor.execute(in_archives)
            copies = [key for (key,) in cursor.fetchall()]
            for key in copies[:3]:
                schedule = "UPDATE public.physical_copy SET status = 'deletion_scheduled' WHERE id = %s"
                assert isinstance(attempt(schedule, key), IntegrityError)
            transaction.set_rollback(True)

    @rule(data=st.data())
    def make_up_a_verified_copy(self, data):
        archive = DataLocation.objects.filter(location_type=LocationType.LONG_TERM_ARCHIVE).order_by("pk").last()
        missing = RawDataPackage.objects.exclude(copies__data_location=archive).order_by("pk")
        packages = list(missing.values_list("pk", flat=True)[:20])
        if packages:
            refused = attempt(VERIFIED_COPY, archive.pk, data.draw(st.sampled_from(packages)))
            assert refused.__cause__.diag.constraint_name == "physical_copy_born_unverified"

    @rule(at=st.sampled_from(["2999-01-01", "0001-01-01"]), data=st.data())
    def verify_at_a_time_that_can_not_be(self, at, data):
        copies = list(PhysicalCopy.objects.exclude(checksum="").order_by("pk").values_list("pk", flat=True)[:20])
        if copies:
            assert isinstance(attempt(AGREEING_CHECK, at, data.draw(st.sampled_from(copies))), IntegrityError)

    @rule()
    def rewrite_facts_of_archived_data(self):
        archived = RawDataFile.objects.filter(raw_data_package__state=PackageState.ARCHIVED)
        if archived.exists():
            with pytest.raises(IntegrityError), transaction.atomic():
                archived.update(checksum="f" * 64)

    @rule()
    def act_as_nobody(self):
        """An actor who does not exist changes nothing."""
        copies = PhysicalCopy.objects.filter(status=PhysicalCopyStatus.PRESENT)
        if not copies.exists():
            return
        before = ChangeLog.objects.count()
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT set_config('opsdb.user_id', '999999999', true)")
            with pytest.raises(IntegrityError, match="there is no user with the key"), transaction.atomic():
                copies.update(failure_message="forged")
            transaction.set_rollback(True)
        assert ChangeLog.objects.count() == before

"""What querysets ask the database, and what the enumerations say, is the same."""

import psycopg
import pytest
from django.db import IntegrityError, connection, transaction

from opsdb.models import PhysicalCopyStatus, RunStatus, Status, Verification
from tests.databases import url_of_test_database

pytestmark = pytest.mark.django_db


def ask(function, *arguments):
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {function}({', '.join(['%s'] * len(arguments))})", arguments)
        return cursor.fetchone()[0]


@pytest.mark.parametrize("status", Status)
def test_open_work_is_what_the_enumeration_calls_open(status):
    assert ask("opsdb_is_open_work", status) is (status in Status.open())


@pytest.mark.parametrize("status", RunStatus)
def test_an_open_run_is_what_the_enumeration_calls_open(status):
    assert ask("opsdb_is_open_run", status) is (status in RunStatus.open())


@pytest.mark.parametrize("verification", Verification)
@pytest.mark.parametrize("status", PhysicalCopyStatus)
def test_a_copy_can_be_read_in_a_readable_state_unless_it_differs(status, verification):
    readable = status in PhysicalCopyStatus.readable() and verification != Verification.MISMATCH
    assert ask("opsdb_is_readable", status, verification) is readable


def test_a_new_session_corrects_nothing_by_chance():
    """A setting that was never set in a session is NULL, which no rule may take for a yes."""
    with psycopg.connect(url_of_test_database()) as session:
        assert session.execute("SELECT opsdb_is_correction(gen_random_uuid())").fetchone() == (False,)


def test_a_refusal_stands_without_a_hint():
    with connection.cursor() as cursor, pytest.raises(IntegrityError, match="^no such thing\n"), transaction.atomic():
        cursor.execute("SELECT opsdb_refuse('a_rule', 'a_table', 'no such thing', NULL)")


def test_a_refusal_stands_where_a_value_that_it_names_is_empty():
    with connection.cursor() as cursor, pytest.raises(IntegrityError, match="^note 1: empty is no text\n"):
        cursor.execute("CREATE TEMPORARY TABLE note (id integer, body text)")
        cursor.execute(
            "CREATE TRIGGER has_text BEFORE INSERT ON note FOR EACH ROW "
            "EXECUTE FUNCTION opsdb_refuse_row('note {new.id}: {new.body} is no text', 'Write one.')"
        )
        cursor.execute("INSERT INTO note VALUES (1, NULL)")

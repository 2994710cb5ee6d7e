"""No error and no log holds a password's or a token's hash."""

import logging
import traceback

import pytest
from django.contrib.sessions.models import Session
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.utils import timezone

from opsdb.database.withholding import WITHHELD, secret_columns
from opsdb.errors import refusal_of
from opsdb.models import ApiToken, User
from opsdb.testing.factories import ApiTokenFactory, SiteFactory, UserFactory
from opsdb.workflows import Refused
from opsdb.workflows.errors import translate_check_errors, translate_integrity_errors

pytestmark = pytest.mark.django_db

PASSWORD = "pbkdf2_sha256$1000000$abcdefgh$secret-hash-of-a-password"
HASH = "0123456789abcdef" * 4


def user(**values):
    return lambda: UserFactory(password=PASSWORD, **values)


def token(**values):
    return lambda: ApiTokenFactory(token_hash=HASH, **values)


def changed(make, **values):
    """A function that makes a row and changes it to what is refused."""

    def change():
        row = make()
        type(row).objects.filter(pk=row.pk).update(**values)

    return change


def twice(make):
    """A function that makes two rows with the same secret."""

    def both():
        make()
        make()

    return both


def many(model, *fields):
    return lambda: model.objects.bulk_create([model(**values) for values in fields])


REFUSED_WRITES = {
    "a check of a user": user(preferences=[]),
    "an empty column of a user": user(username=None),
    "a taken name": twice(user(username="anna")),
    "a check of a changed user": changed(user(), preferences=[]),
    "an empty column of a changed user": changed(user(), email=None),
    "many users": many(User, {"username": "anna", "password": PASSWORD, "preferences": []}),
    "a check of a token": token(scopes={}),
    "a prefix": token(token_prefix="x"),
    "an empty column of a token": token(name=None),
    "a taken hash": twice(token()),
    "a changed token": changed(token(), usage_count=-1),
    "an upper-case hash": lambda: ApiTokenFactory(token_hash=HASH.upper()),
    "a session": lambda: Session.objects.create(session_key=HASH[:40], session_data=PASSWORD, expire_date=None),
    "a taken session": twice(
        lambda: Session(session_key=HASH[:40], session_data=PASSWORD, expire_date=timezone.now()).save(
            force_insert=True
        )
    ),
}


def holds_a_secret(text):
    return any(part in text.lower() for part in ("secret-hash", "pbkdf2", HASH[:16]))


@pytest.mark.parametrize("write", REFUSED_WRITES.values(), ids=REFUSED_WRITES)
def test_no_error_and_no_log_of_a_refused_write_holds_a_hash(write, caplog):
    with pytest.raises(IntegrityError) as caught, transaction.atomic():
        write()
    error = caught.value
    printed = "".join(traceback.format_exception(error))
    assert error.__cause__.diag.message_primary in printed
    logging.getLogger("django.request").error("refused", exc_info=error)
    for text in (str(error), repr(error), str(error.__cause__), repr(error.__cause__), printed, caplog.text):
        assert not holds_a_secret(text)


@pytest.mark.parametrize("write", REFUSED_WRITES.values(), ids=REFUSED_WRITES)
def test_no_message_of_the_admin_or_of_a_workflow_holds_a_hash(write):
    with pytest.raises(IntegrityError) as caught, transaction.atomic():
        write()
    assert not holds_a_secret(refusal_of(caught.value).text)
    for translated in (translate_integrity_errors(), translate_check_errors(User())):
        with pytest.raises((Refused, IntegrityError)) as caught, translated, transaction.atomic():
            write()
        assert not holds_a_secret("".join(traceback.format_exception(caught.value)))


def test_plain_sql_is_covered_too():
    with pytest.raises(IntegrityError, match=WITHHELD) as caught, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO \"user\" (username, password, email) VALUES ('anna', '{PASSWORD}', NULL)")
    assert not holds_a_secret(str(caught.value))


def test_what_holds_no_secret_is_told_in_full():
    with pytest.raises(IntegrityError, match=r"Failing row contains .*somewhere"), transaction.atomic():
        SiteFactory(name="somewhere", short_name=None)
    UserFactory(username="anna")
    with pytest.raises(IntegrityError, match=r"Key \(username\)=\(anna\) already exists"), transaction.atomic():
        UserFactory(username="anna")
    with pytest.raises(DatabaseError, match="division by zero"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT 1 / 0")


def test_the_tables_with_secrets_are_known():
    known = {model._meta.db_table: secret_columns(model._meta.db_table) for model in (User, ApiToken, Session)}
    assert known == {
        "user": {"password"},
        "api_token": {"token_hash"},
        "django_session": {"session_key", "session_data"},
    }
    assert not secret_columns("site")

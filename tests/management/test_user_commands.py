"""Administrators and services, made without a password on a command line."""

from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection

from opsdb.models import ApiToken, ChangeLog, Role
from tests.databases import as_owner
from tests.workflows.racing import race

pytestmark = pytest.mark.django_db

PASSWORD = "a long and good one"


def run(command, *arguments):
    """What a command prints on standard output, and on standard error."""
    out, err = StringIO(), StringIO()
    call_command(command, *map(str, arguments), stdout=out, stderr=err, no_color=True)
    return out.getvalue(), err.getvalue()


def admin(*arguments):
    return run("opsdb_create_admin", *arguments)[0]


def service(*arguments):
    return run("opsdb_create_service", *arguments)


@pytest.fixture
def typed(monkeypatch):
    """A function that puts a person in front of the command, who types these passwords."""

    def typed(*passwords):
        answers = iter(passwords)
        monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
        monkeypatch.setattr("getpass.getpass", lambda prompt: next(answers))

    return typed


def anna():
    return get_user_model().objects.get(username="anna")


def test_an_administrator_may_do_everything_with_the_password_that_is_shown_once():
    said = admin("anna", "--email", "anna@example.org", "--generate-password")
    password = said.partition("password ")[2].split()[0]
    assert len(password) >= 20
    assert said == f"Administrator anna, password {password} (shown only this once)\n"
    assert anna().check_password(password)
    assert anna().is_superuser and anna().is_staff and anna().email == "anna@example.org"
    assert set(ChangeLog.objects.filter(table_name="user").values_list("origin", flat=True)) == {"opsdb_create_admin"}


def test_a_password_is_typed_twice(typed):
    typed(PASSWORD, "another")
    with pytest.raises(CommandError, match="passwords differ"):
        admin("anna")
    assert not get_user_model().objects.exists()
    typed(PASSWORD, PASSWORD)
    assert admin("anna") == "Administrator anna was created.\n"
    assert anna().check_password(PASSWORD)


def test_a_password_comes_from_a_file_or_from_standard_input(tmp_path, monkeypatch):
    (tmp_path / "password").write_text(f"{PASSWORD}\r\nnot this\n")
    admin("anna", "--password-file", tmp_path / "password")
    assert anna().check_password(PASSWORD)
    monkeypatch.setattr("sys.stdin", StringIO(f"{PASSWORD}!\n"))
    admin("bob", "--password-file", "-")
    assert get_user_model().objects.get(username="bob").check_password(f"{PASSWORD}!")


@pytest.mark.parametrize(
    ("arguments", "content", "said"),
    [
        (["anna", "--password-file", "{}"], "short", "too short"),
        (["anna", "--password-file", "{}"], "", "no password in the first line"),
        (["anna", "--password-file", "{}/none"], "", "can't be read"),
        (["anna"], "", "no terminal to type a password at"),
        (["a b", "--generate-password"], "", "username: Enter a valid username"),
        (["anna", "--email", "x", "--generate-password"], "", "email: Enter a valid email"),
    ],
)
def test_what_is_wrong_is_said_and_nobody_is_made(tmp_path, monkeypatch, arguments, content, said):
    path = tmp_path / "password"
    path.write_text(content)
    monkeypatch.setattr("sys.stdin", StringIO())
    with pytest.raises(CommandError, match=said):
        admin(*[argument.format(path) for argument in arguments])
    assert not get_user_model().objects.exists()


def test_an_administrator_who_exists_is_left_as_is():
    admin("anna", "--generate-password")
    before = anna().password
    assert admin("anna", "--generate-password").startswith("Administrator anna exists already")
    assert anna().password == before
    get_user_model().objects.create_user("eve")
    with pytest.raises(CommandError, match="User eve exists, but is not an active administrator"):
        admin("eve", "--generate-password")


@pytest.mark.django_db(transaction=True)
def test_two_at_once_make_one_administrator():
    said = race(2, lambda number: admin("anna", "--generate-password"))
    assert sorted("password " in one and "only this once" in one for one in said) == [False, True]
    assert get_user_model().objects.count() == 1


def test_a_service_gets_a_token_whose_secret_alone_is_printed(reference):
    out, err = service("transfer", "--network", "10.0.0.0/8", "--scope", "view:*", "--scope", "change:data_transfer")
    secret = out.removesuffix("\n")
    token = ApiToken.objects.from_secret(secret)
    assert token.user.username == "transfer"
    assert not token.user.has_usable_password() and not token.user.is_staff
    assert list(token.user.groups.all()) == [Role.objects.get(name="service").group_ptr]
    assert (token.scopes, token.allowed_networks) == (["view:*", "change:data_transfer"], ["10.0.0.0/8"])
    assert timedelta(364) < token.expires_at - datetime.now(UTC) < timedelta(366)
    assert "Service transfer was created." in err and "only this once" in err
    assert secret not in err
    assert secret not in str(list(ChangeLog.objects.values_list("after", flat=True)))


def test_the_second_time_nothing_is_made(reference):
    service("transfer", "--expires", "never")
    with pytest.raises(CommandError) as refused:
        service("transfer")
    assert refused.value.returncode == 3
    assert "Token default of transfer exists already, for *:* for ever" in str(refused.value)
    assert "that file is empty now; --secret-file prevents that" in str(refused.value)
    assert service("transfer", "--token-name", "other")[0]
    assert ApiToken.objects.count() == 2


def test_a_token_lasts_to_the_end_of_its_last_day(reference):
    service("transfer", "--expires", "2099-12-31")
    assert ApiToken.objects.get().expires_at == datetime(2100, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["x", "--scope", "everything"], "--scope: "),
        (["x", "--network", "here"], "--network: Not a list of networks"),
        (["x", "--expires", "2020-01-01"], "2020-01-01 is in the past"),
        (["x", "--expires", "soon"], "not a day such as 2027-12-31"),
        (["a b"], "username: Enter a valid username"),
        (["anna"], "User anna exists, but is not a service"),
    ],
)
def test_what_is_wrong_with_a_service_is_said_and_nothing_is_made(reference, arguments, said):
    get_user_model().objects.create_user("anna", password=PASSWORD)
    with pytest.raises(CommandError, match=said):
        service(*arguments)
    assert get_user_model().objects.count() == 1
    assert not ApiToken.objects.exists()


def test_a_token_that_cannot_be_used_any_more_is_not_called_existing(reference):
    service("transfer")
    ApiToken.objects.update(active=False)
    with pytest.raises(CommandError, match="has expired or was revoked"):
        service("transfer")


def test_a_service_needs_its_role():
    with pytest.raises(CommandError, match="no role service; run `manage.py opsdb_init` first"):
        service("transfer")


@pytest.mark.django_db(transaction=True)
def test_two_at_once_make_one_service(reference):
    said = race(2, lambda number: service("transfer")[0])
    assert sorted(getattr(one, "returncode", 0) for one in said) == [0, 3]
    assert ApiToken.objects.count() == 1


def test_a_secret_file_is_written_once_for_its_owner_only(reference, tmp_path):
    path = tmp_path / "secret"
    out, err = service("transfer", "--secret-file", path)
    assert out == "" and f"its secret is in {path}" in err
    assert path.stat().st_mode & 0o777 == 0o600
    assert ApiToken.objects.from_secret(path.read_text().removesuffix("\n")).user.username == "transfer"
    assert path.read_text().strip() not in err

    secret = path.read_text()
    assert "exists already" in service("transfer", "--secret-file", path)[1]
    assert path.read_text() == secret


def test_a_secret_file_is_left_alone_when_there_is_no_secret(reference, tmp_path):
    service("transfer")
    (tmp_path / "other").write_text("of something else\n")
    for name in ("other", "none"):
        with pytest.raises(CommandError, match="can't be shown again") as refused:
            service("transfer", "--secret-file", tmp_path / name)
        assert refused.value.returncode == 3
    assert (tmp_path / "other").read_text() == "of something else\n"
    assert not (tmp_path / "none").exists()


def test_nothing_is_made_when_the_secret_file_cannot_be_written(reference, tmp_path):
    (tmp_path / "other").write_text("of something else\n")
    for path in (tmp_path / "other", tmp_path / "none" / "secret"):
        with pytest.raises(CommandError, match="can't be written into .*; nothing was created"):
            service("transfer", "--secret-file", path)
    assert (tmp_path / "other").read_text() == "of something else\n"
    assert not get_user_model().objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_secret_file_is_removed_when_the_token_is_not_made_after_all(reference, tmp_path):
    with as_owner(), connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION refuse_token() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE 'no token'; END$$;"
            "CREATE CONSTRAINT TRIGGER refused_later AFTER INSERT ON api_token DEFERRABLE INITIALLY DEFERRED "
            "FOR EACH ROW EXECUTE FUNCTION refuse_token()"
        )
    try:
        with pytest.raises(DatabaseError, match="no token"):
            service("transfer", "--secret-file", tmp_path / "secret")
    finally:
        with as_owner(), connection.cursor() as cursor:
            cursor.execute("DROP FUNCTION refuse_token CASCADE")
    assert not (tmp_path / "secret").exists()


@pytest.mark.parametrize(
    ("scope", "said"),
    [
        ("raed:*", "raed:* matches no permission; actions are add, change, manage, read, view, write, or *"),
        ("view:raw_data_fil", "view:raw_data_fil matches no permission; did you mean view:raw_data_file?"),
        ("change:site", "resources of change are .*data, .*a table's name"),
        ("*:auth_group", "resources of \\* are .*data, .*a table's name"),
        ("delete:raw_data_file", "actions are add, change, manage, read, view"),
    ],
)
def test_a_scope_that_matches_no_permission_is_refused(reference, scope, said):
    with pytest.raises(CommandError, match=said.replace("or *", r"or \*").replace(":* m", r":\* m")):
        service("transfer", "--scope", "view:*", "--scope", scope)
    assert not get_user_model().objects.exists()


@pytest.mark.parametrize("scope", ["*:*", "view:*", "*:raw_data_file", "change:data_transfer", "read:*", "write:data"])
def test_a_scope_that_matches_a_permission_is_taken(reference, scope):
    service("transfer", "--scope", scope)
    assert ApiToken.objects.get().scopes == [scope]

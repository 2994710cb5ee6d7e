"""API tokens on the command line: created, listed, revoked, rotated."""

from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from opsdb.models import ApiToken, ChangeLog
from opsdb.testing.factories import UserFactory

pytestmark = pytest.mark.django_db


def token(*arguments):
    """What the command prints on standard output, and on standard error."""
    out, err = StringIO(), StringIO()
    call_command("opsdb_token", *map(str, arguments), stdout=out, stderr=err, no_color=True)
    return out.getvalue(), err.getvalue()


@pytest.fixture
def anna():
    return UserFactory(username="anna", is_superuser=True)


def found(name):
    return ApiToken.objects.get(name=name)


def test_a_token_is_created_and_its_secret_alone_is_printed(anna):
    out, err = token("create", "anna", "notebook", "--scope", "read:*", "--network", "10.0.0.0/8")
    secret = out.removesuffix("\n")
    made = ApiToken.objects.from_secret(secret)
    assert (made.user, made.scopes, made.allowed_networks) == (anna, ["read:*"], ["10.0.0.0/8"])
    assert timedelta(364) < made.expires_at - datetime.now(UTC) < timedelta(366)
    assert "Token notebook of anna, for read:* from 10.0.0.0/8 until" in err and secret not in err
    assert ChangeLog.objects.get(table_name="api_token").origin == "opsdb_token create"


def test_a_secret_goes_into_a_file(anna, tmp_path):
    path = tmp_path / "secret"
    assert token("create", "anna", "notebook", "--secret-file", path)[0] == ""
    assert path.stat().st_mode & 0o777 == 0o600
    assert ApiToken.objects.from_secret(path.read_text().strip()) == found("notebook")
    with pytest.raises(CommandError, match="can't be written into .*; nothing was created"):
        token("create", "anna", "another", "--secret-file", path)
    assert ApiToken.objects.count() == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["create", "otto", "x"], "There is no user otto"),
        (["create", "anna", "notebook"], "has a token notebook; nothing was created"),
        (["create", "anna", "x", "--scope", "read:observatons"], "did you mean read:observations"),
        (["create", "anna", "x", "--scope", "everything"], "Nothing was created. --scope: "),
        (["create", "anna", "x", "--network", "10.0.0.1/8"], "--network: Not a list of networks"),
        (["create", "anna", " "], "Nothing was created. name: "),
        (["create", "eve", "x"], "The user eve is not active"),
        (["revoke", "anna", "x"], "The user anna has no token x; see opsdb_token list --user anna"),
        (["rotate", "anna", "x"], "The user anna has no token x"),
        (["rotate", "anna", "notebook", "--overlap", "soon"], "must be a number of hours from 0 to 8760, not 'soon'"),
        (
            ["create", "anna", "x", "--expires", "9999-12-31"],
            "9999-12-31 is too far ahead; give an earlier day, or never",
        ),
        (["list", "--user", "otto"], "There is no user otto"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_changed(anna, arguments, message):
    UserFactory(username="eve", is_active=False)
    token("create", "anna", "notebook")
    before = [*ApiToken.objects.values()]
    with pytest.raises(CommandError, match=message):
        token(*arguments)
    assert [*ApiToken.objects.values()] == before


def test_a_token_is_revoked_once(anna):
    token("create", "anna", "notebook")
    assert "was revoked." in token("revoke", "anna", "notebook")[1]
    when = found("notebook").revoked_at
    assert "was revoked before; nothing was changed" in token("revoke", "anna", "notebook")[1]
    assert found("notebook").revoked_at == when
    with pytest.raises(CommandError, match="can't be used any more; nothing was changed"):
        token("rotate", "anna", "notebook")


def test_a_rotated_token_has_the_same_terms_and_the_old_secret_ends(anna):
    old = token("create", "anna", "notebook", "--scope", "read:*", "--expires", "2099-12-31")[0].strip()
    new = token("rotate", "anna", "notebook")[0].strip()
    first, second = ApiToken.objects.from_secret(old), ApiToken.objects.from_secret(new)
    assert (first.active, first.name) == (False, f"notebook ({first.token_prefix})")
    assert (second.name, second.scopes, second.expires_at) == ("notebook", ["read:*"], first.expires_at)
    assert second.is_valid() and not first.is_valid()


def test_an_overlap_lets_the_old_secret_end_later(anna):
    old = token("create", "anna", "notebook", "--expires", "never")[0].strip()
    _, err = token("rotate", "anna", "notebook", "--overlap", "24")
    first = ApiToken.objects.from_secret(old)
    assert first.is_valid() and "can be used for 24 more hours." in err
    assert timedelta(hours=23) < first.expires_at - datetime.now(UTC) < timedelta(hours=25)
    ApiToken.objects.filter(pk=first.pk).update(expires_at=datetime.now(UTC) + timedelta(hours=1), name="short")
    token("rotate", "anna", "short", "--overlap", "24")
    first.refresh_from_db()
    assert first.expires_at - datetime.now(UTC) < timedelta(hours=2)


def test_a_rotation_that_can_not_write_the_secret_changes_nothing(anna, tmp_path):
    token("create", "anna", "notebook")
    before = [*ApiToken.objects.values()]
    with pytest.raises(CommandError, match="can't be written"):
        token("rotate", "anna", "notebook", "--secret-file", tmp_path / "none" / "secret")
    assert [*ApiToken.objects.values()] == before


def test_tokens_are_listed_without_anything_secret(anna, settings, monkeypatch):
    monkeypatch.setenv("COLUMNS", "300")
    settings.OPSDB_TOKEN_PEPPERS = ["old " * 8]
    token("create", "anna", "before")
    settings.OPSDB_TOKEN_PEPPERS = ["new " * 8]
    secret = token("create", "anna", "notebook", "--scope", "read:*")[0].strip()
    token("create", "anna", "gone")
    token("revoke", "anna", "gone")
    out, _ = token("list")
    assert "notebook" in out and f"opsdb_{found('notebook').token_prefix}…" in out and "usable" in out
    assert "gone" not in out and "before" not in out
    out, _ = token("list", "--all", "--user", "anna")
    assert "by nobody known" in out and "its pepper is gone" in out
    assert secret not in out and all(one.token_hash not in out for one in ApiToken.objects.all())

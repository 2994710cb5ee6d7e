"""API tokens: shown once, stored as an HMAC, bound to scopes, times and networks, revoked for good."""

import hashlib
import hmac
from datetime import UTC, datetime, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction

from opsdb import tokens
from opsdb.models import ApiToken, ChangeLog
from opsdb.testing.factories import ApiTokenFactory, ChangeLogFactory, UserFactory
from opsdb.testing.factories.base import EPOCH
from opsdb.workflows import attributed

from .refusal import settle

pytestmark = pytest.mark.django_db


def create(**fields):
    return ApiToken.objects.create_token(**{"user": UserFactory(), "name": "pipeline", "scopes": ["read:*"], **fields})


def test_a_secret_is_shown_once_and_stored_nowhere():
    token, secret = create()
    token.full_clean()
    assert secret.startswith("opsdb_") and len(secret) == 55
    assert token.token_prefix == secret[6:14]
    assert ApiToken.objects.from_secret(secret) == token
    assert ApiToken.objects.from_secret(tokens.new_secret()) is None
    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(api_token)::text FROM api_token")
        assert secret not in cursor.fetchone()[0]


def test_the_hash_is_an_hmac_under_the_pepper(settings):
    settings.OPSDB_TOKEN_PEPPERS = ["a pepper of at least 32 characters"]
    token, secret = create()
    pepper = hmac.new(b"opsdb.tokens", b"a pepper of at least 32 characters", hashlib.sha256).digest()
    assert token.token_hash == hmac.new(pepper, secret.encode(), hashlib.sha256).hexdigest()


def test_a_pepper_is_rotated_and_its_tokens_end_when_it_goes(settings):
    settings.OPSDB_TOKEN_PEPPERS = ["old " * 8]
    old, old_secret = create(name="old")
    settings.OPSDB_TOKEN_PEPPERS = ["new " * 8, "old " * 8]
    new, new_secret = create(name="new", user=old.user)
    assert [ApiToken.objects.from_secret(one) for one in (old_secret, new_secret)] == [old, new]
    assert old.pepper_fingerprint != new.pepper_fingerprint == tokens.fingerprint()
    settings.OPSDB_TOKEN_PEPPERS = ["new " * 8]
    assert [ApiToken.objects.from_secret(one) for one in (old_secret, new_secret)] == [None, new]


def test_the_pepper_comes_from_the_secret_keys_of_django(settings):
    settings.SECRET_KEY = "first"
    token, secret = create()
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "second", ["first"]
    assert ApiToken.objects.from_secret(secret) == token
    settings.SECRET_KEY_FALLBACKS = []
    assert ApiToken.objects.from_secret(secret) is None


def test_secrets_are_random_and_name_their_own_mistakes():
    made = {tokens.new_secret() for _ in range(100)}
    assert len(made) == 100 and all(map(tokens.is_well_formed, made))
    secret = made.pop()
    for position in range(len(secret)):
        other = "A" if secret[position] != "A" else "B"
        assert not tokens.is_well_formed(secret[:position] + other + secret[position + 1 :]), position
    assert not any(map(tokens.is_well_formed, (secret.upper(), secret[:-1], f"{secret}\n", f" {secret}", "", "opsdb_")))


@pytest.mark.parametrize(
    ("fields", "valid"),
    [
        ({}, True),
        ({"active": False}, False),
        ({"active": False, "revoked_at": EPOCH}, False),
        ({"expires_at": EPOCH + timedelta(seconds=1)}, True),
        ({"expires_at": EPOCH}, False),
        ({"expires_at": EPOCH - timedelta(days=1)}, False),
        ({"allowed_networks": ["10.0.0.0/8"]}, False),
        ({"user__is_active": False}, False),
    ],
)
def test_a_token_is_valid_while_it_and_its_user_are_active_and_it_has_not_expired(fields, valid):
    assert ApiTokenFactory(**fields).is_valid(now=EPOCH) is valid


@pytest.mark.parametrize(
    ("networks", "address", "valid"),
    [
        ([], None, True),
        ([], "192.0.2.1", True),
        (["10.0.0.0/8"], "10.1.2.3", True),
        (["10.0.0.0/8"], "::ffff:10.1.2.3", True),
        (["10.0.0.0/8"], "11.1.2.3", False),
        (["10.0.0.0/8"], "2001:db8::1", False),
        (["10.0.0.0/8", "2001:db8::/32"], "2001:db8::1", True),
        (["192.0.2.1"], "192.0.2.1", True),
        (["192.0.2.1"], None, False),
        (["192.0.2.1"], "junk", False),
    ],
)
def test_a_token_is_valid_in_its_networks(networks, address, valid):
    assert ApiTokenFactory(allowed_networks=networks).is_valid(address=address) is valid


@pytest.mark.parametrize(
    ("scopes", "action", "resource", "allowed"),
    [
        ([], "read", "site", False),
        (["read:site"], "read", "site", True),
        (["read:site"], "view", "site", True),
        (["read:site"], "write", "site", False),
        (["read:site"], "read", "sites", False),
        (["read:*"], "read", "site", True),
        (["read:*"], "read", "observations", True),
        (["read:*"], "write", "site", False),
        (["*:site"], "write", "site", True),
        (["*:*"], "delete", "raw_data_file", True),
        (["write:data"], "add", "rawdatafile", True),
        (["write:data"], "write", "raw_data_file", True),
        (["write:data"], "manage", "data", False),
        (["add:data", "change:data"], "write", "data", True),
        (["add:data"], "write", "data", False),
        (["read:site", "write:raw_data_file"], "write", "raw_data_file", True),
        (["read:site", "write:raw_data_file"], "write", "site", False),
    ],
)
def test_a_scope_allows_actions_on_resources(scopes, action, resource, allowed):
    assert ApiTokenFactory.build(scopes=scopes).allows(action, resource) is allowed


@pytest.mark.parametrize("networks", [["300.0.0.0/8"], ["10.0.0.1/8"], ["10.0.0.0/33"], [7], None, 7])
def test_a_form_refuses_what_is_no_network(networks):
    token = ApiTokenFactory()
    token.allowed_networks = networks
    with pytest.raises(ValidationError) as caught:
        token.full_clean()
    assert list(caught.value.message_dict) == ["allowed_networks"]


def test_a_form_refuses_a_scope_that_names_no_permission():
    with pytest.raises(ValidationError, match="No permission is named read:obs, raed:data"):
        ApiTokenFactory(scopes=["read:obs", "write:data", "raed:data"]).full_clean()


def test_who_revokes_a_token_and_when_is_recorded_by_the_database():
    token, manager = ApiTokenFactory(), UserFactory()
    with attributed(user=manager):
        assert ApiToken.objects.filter(pk=token.pk).revoke() == 1
        assert ApiToken.objects.filter(pk=token.pk).revoke() == 0
    token.refresh_from_db()
    assert (token.active, token.revoked_by) == (False, manager)
    assert abs(token.revoked_at - datetime.now(UTC)) < timedelta(minutes=5)


@pytest.mark.parametrize(
    "change",
    [
        "revoked_at = NULL, active = true",
        "revoked_at = NULL",
        "revoked_at = '2001-01-01'",
        "revoked_by_id = NULL",
        "active = true",
    ],
)
def test_a_revoked_token_stays_so(change):
    token = ApiTokenFactory()
    with attributed(user=token.user):
        ApiToken.objects.revoke()
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE api_token SET {change}")


def test_nobody_is_named_as_the_one_who_revoked_but_who_did():
    token, other = ApiTokenFactory(), UserFactory()
    ApiToken.objects.update(revoked_by=other)
    token.refresh_from_db()
    assert token.revoked_by is None
    with attributed(user=token.user):
        ApiToken.objects.update(active=False, revoked_at="2001-01-01T00:00Z", revoked_by=other)
    token.refresh_from_db()
    assert token.revoked_by == token.user and token.revoked_at.year > 2001
    born = ApiTokenFactory(active=False, revoked_at="2001-01-01T00:00Z", revoked_by=other)
    born.refresh_from_db()
    assert born.revoked_by is None and born.revoked_at.year > 2001


def test_a_user_goes_with_tokens_but_without_history():
    token = ApiTokenFactory()
    change = ChangeLogFactory(user=token.user)
    token.user.delete()
    settle()
    assert not ApiToken.objects.exists()
    change = ChangeLog.objects.get(pk=change.pk)
    assert change.user_id == token.user_id
    assert str(change)


def test_a_user_who_signs_in_elsewhere_needs_no_password():
    user = type(UserFactory()).objects.create(username="sso", github_login="octocat")
    assert not user.has_usable_password()

"""API tokens: shown once, stored as a hash, bound to scopes, times and networks."""

import hashlib
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import connection

from opsdb.models import ApiToken, ChangeLog

from ..factories import ApiTokenFactory, ChangeLogFactory, UserFactory
from ..factories.base import EPOCH
from .refusal import settle

pytestmark = pytest.mark.django_db


def test_a_secret_is_shown_once_and_stored_nowhere():
    token, secret = ApiToken.objects.create_token(user=UserFactory(), name="pipeline", scopes=["read:*"])
    token.full_clean()
    assert len(secret) >= 43  # 256 bits
    assert token.token_prefix == secret[:8]
    assert token.token_hash == hashlib.sha256(secret.encode()).hexdigest()
    assert ApiToken.objects.from_secret(secret) == token
    assert ApiToken.objects.from_secret(secret + "x") is None
    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(api_token)::text FROM api_token")
        assert secret not in cursor.fetchone()[0]


def test_two_secrets_differ():
    user = UserFactory()
    (_, one), (_, other) = (ApiToken.objects.create_token(user=user, name=name) for name in "ab")
    assert one != other


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
    ],
)
def test_a_token_is_valid_while_it_is_active_and_not_expired(fields, valid):
    assert ApiTokenFactory(**fields).is_valid(now=EPOCH) is valid


@pytest.mark.parametrize(
    ("networks", "address", "valid"),
    [
        ([], None, True),
        ([], "192.0.2.1", True),
        (["10.0.0.0/8"], "10.1.2.3", True),
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
        (["read:site"], "write", "site", False),
        (["read:site"], "read", "sites", False),
        (["read:*"], "read", "site", True),
        (["read:*"], "write", "site", False),
        (["*:site"], "write", "site", True),
        (["*:*"], "delete", "raw_data_file", True),
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


def test_a_user_goes_with_tokens_but_without_history():
    token = ApiTokenFactory()
    change = ChangeLogFactory(user=token.user)
    token.user.delete()
    settle()
    assert not ApiToken.objects.exists()
    change = ChangeLog.objects.get(pk=change.pk)
    assert change.user_id == token.user_id
    assert str(change)

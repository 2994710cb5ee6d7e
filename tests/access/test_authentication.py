"""Authentication by token: what is refused and why, at the cost of one query and no write."""

import logging
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth import authenticate, get_user_model
from django.db import connection
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext

from opsdb import tokens
from opsdb.access import RefusalReason, TokenRefused, authenticate_token, client_address
from opsdb.access.token_rows import find_usable_token
from opsdb.models import ApiToken
from opsdb.testing.factories import UserFactory
from tests.plans import planning_without

pytestmark = pytest.mark.django_db

PAST = datetime(2001, 1, 1, tzinfo=UTC)
INSIDE = "10.1.2.3"


def another_case(secret):
    return secret.swapcase()


# What is done to a token of 10.0.0.0/8 and to its user, what is sent, from where, and what comes of it.
CASES = {
    "right": ({}, {}, str, INSIDE, None),
    "wrong": ({}, {}, lambda secret: tokens.new_secret(), INSIDE, RefusalReason.UNKNOWN),
    "truncated": ({}, {}, lambda secret: secret[:-1], INSIDE, RefusalReason.MALFORMED),
    "mistyped": ({}, {}, lambda secret: f"{secret[:20]}{'A' if secret[20] != 'A' else 'B'}{secret[21:]}", INSIDE,
                 RefusalReason.MALFORMED),
    "other case": ({}, {}, another_case, INSIDE, RefusalReason.MALFORMED),
    "with a blank": ({}, {}, lambda secret: f"{secret} ", INSIDE, RefusalReason.MALFORMED),
    "not ASCII": ({}, {}, lambda secret: "opsdb_" + "٣" * 49, INSIDE, RefusalReason.MALFORMED),
    "with a zero byte": ({}, {}, lambda secret: secret[:-1] + "\x00", INSIDE, RefusalReason.MALFORMED),
    "empty": ({}, {}, lambda secret: "", INSIDE, RefusalReason.MALFORMED),
    "its hash": ({}, {}, tokens.hash_of, INSIDE, RefusalReason.MALFORMED),
    "revoked": ({"active": False, "revoked_at": PAST}, {}, str, INSIDE, RefusalReason.REVOKED),
    "inactive": ({"active": False}, {}, str, INSIDE, RefusalReason.INACTIVE),
    "expired": ({"expires_at": PAST}, {}, str, INSIDE, RefusalReason.EXPIRED),
    "of an inactive user": ({}, {"is_active": False}, str, INSIDE, RefusalReason.INACTIVE_USER),
    "from elsewhere": ({}, {}, str, "192.0.2.1", RefusalReason.NETWORK),
    "from nowhere": ({}, {}, str, None, RefusalReason.NETWORK),
    "from junk": ({}, {}, str, "10.1.2.3, 10.1.2.4", RefusalReason.NETWORK),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_a_token_is_taken_or_refused_for_a_reason(create, case, caplog):
    of_token, of_user, sent, ip, reason = CASES[case]
    token, secret = create(allowed_networks=["10.0.0.0/8"])
    ApiToken.objects.filter(pk=token.pk).update(**of_token)
    get_user_model().objects.filter(pk=token.user_id).update(**{"is_active": True, **of_user})
    text = sent(secret)
    with caplog.at_level(logging.WARNING, "opsdb.access"):
        if reason is None:
            assert authenticate_token(text, ip=ip) == token
            assert not caplog.records
        else:
            with pytest.raises(TokenRefused, match=r"^The token is not valid\.$") as refused:
                authenticate_token(text, ip=ip)
            assert refused.value.reason is reason
            assert reason in caplog.text
    assert secret not in caplog.text and (len(text) < 15 or text not in caplog.text)


def test_a_check_is_one_query_and_no_write(create):
    _, secret = create()
    with CaptureQueriesContext(connection) as queries:
        token = authenticate_token(secret, ip=INSIDE)
        assert token.user.username
    assert [query["sql"].split()[0] for query in queries] == ["SELECT"]
    assert "password" in token.user.get_deferred_fields() and "revoked_at" in token.get_deferred_fields()
    user = get_user_model().objects.get(pk=token.user_id)
    assert (token.user.password, token.revoked_at, token.active) == (user.password, None, True)


@pytest.mark.parametrize("is_known", [True, False])
def test_a_check_reads_tokens_by_their_index(create, is_known):
    _, secret = create()
    with planning_without("seqscan"), connection.cursor() as cursor:
        cursor.execute("DISCARD PLANS")
        before = _scans(cursor)
        assert (find_usable_token(tokens.hashes_of(secret if is_known else tokens.new_secret())) is None) != is_known
        whole, along_index = (now - then for now, then in zip(_scans(cursor), before, strict=True))
    assert (whole, along_index) == (0, 1)


def _scans(cursor):
    """Return how often this transaction has read the tokens as a whole, and along an index."""
    cursor.execute("SELECT seq_scan, idx_scan FROM pg_stat_xact_user_tables WHERE relid = 'api_token'::regclass")
    return cursor.fetchone()


def test_a_token_of_an_earlier_pepper_is_found(create, settings):
    settings.OPSDB_TOKEN_PEPPERS = ["a" * 40]
    token, secret = create()
    settings.OPSDB_TOKEN_PEPPERS = ["b" * 40, "c" * 40, "a" * 40]
    assert authenticate_token(secret) == token
    settings.OPSDB_TOKEN_PEPPERS = ["b" * 40, "c" * 40]
    with pytest.raises(TokenRefused):
        authenticate_token(secret)


def test_what_no_token_looks_like_costs_no_query(django_assert_num_queries):
    with django_assert_num_queries(0), pytest.raises(TokenRefused):
        authenticate_token("opsdb_guess")


def test_the_end_takes_effect_at_once(create):
    token, secret = create(expires_at=datetime.now(UTC) + timedelta(hours=1))
    authenticate_token(secret)
    ApiToken.objects.filter(pk=token.pk).update(expires_at=datetime.now(UTC) - timedelta(seconds=1))
    with pytest.raises(TokenRefused):
        authenticate_token(secret)
    ApiToken.objects.filter(pk=token.pk).update(expires_at=None)
    authenticate_token(secret)
    get_user_model().objects.update(is_active=False)
    with pytest.raises(TokenRefused):
        authenticate_token(secret)
    get_user_model().objects.update(is_active=True)
    ApiToken.objects.revoke()
    with pytest.raises(TokenRefused):
        authenticate_token(secret)


def test_a_user_model_may_decide_by_itself_who_is_active(create, monkeypatch):
    """The usable tokens of the database are those of its column, which a project's own model may go beyond."""
    token, text = create()
    monkeypatch.setattr("opsdb.access.authentication.find_usable_token", lambda hashes: token)
    monkeypatch.setattr(type(token.user), "is_active", property(lambda user: False))
    with pytest.raises(TokenRefused) as refused:
        authenticate_token(text)
    assert refused.value.reason == RefusalReason.INACTIVE_USER


def test_the_backend_narrows_the_user_and_begins_no_session(create, settings):
    settings.AUTHENTICATION_BACKENDS = [*settings.AUTHENTICATION_BACKENDS, "opsdb.access.backends.TokenBackend"]
    token, secret = create(scopes=["read:data"], user=UserFactory(superuser=True))
    user = authenticate(RequestFactory().get("/"), token=secret)
    assert user == token.user and user.pk == token.user_id
    assert user.has_perm("opsdb.view_rawdatafile") and not user.has_perm("opsdb.view_site")
    assert authenticate(RequestFactory().get("/"), token=f"{secret}x") is None
    from opsdb.access.backends import TokenBackend

    assert TokenBackend().get_user(token.user_id) is None


@pytest.mark.parametrize(
    ("proxies", "remote", "forwarded", "expected"),
    [
        (0, "192.0.2.1", "10.0.0.1", "192.0.2.1"),
        (1, "127.0.0.1", "10.0.0.1, 192.0.2.1", "192.0.2.1"),
        (2, "127.0.0.1", "10.0.0.1, 192.0.2.1, 192.0.2.2", "192.0.2.1"),
        (2, "127.0.0.1", "192.0.2.1", "192.0.2.1"),
        (1, "127.0.0.1", "junk", None),
        (0, "", "", None),
        (0, "fe80::1%eth0", "", "fe80::1"),
    ],
)
def test_the_address_is_what_our_own_proxies_saw(settings, proxies, remote, forwarded, expected):
    settings.OPSDB_PROXIES = proxies
    request = RequestFactory().get("/", REMOTE_ADDR=remote, HTTP_X_FORWARDED_FOR=forwarded)
    assert client_address(request) == expected

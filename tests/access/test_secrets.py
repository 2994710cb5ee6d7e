"""A dump of the database and the logs hold nothing by which anybody gets in."""

import logging
import re
import subprocess

import pytest
from django.contrib.auth import get_user_model
from django.db import IntegrityError, connection, transaction
from django.test import Client

from opsdb import tokens
from opsdb.access import TokenRefused, authenticate_token
from opsdb.management.backup import back_up, find_pg_dump
from opsdb.models import ApiToken
from tests.databases import as_owner
from tests.logs import SECRETS, SecretsInLogs

PASSWORD = "Cerro-Chajnantor-5612"


@pytest.mark.django_db(transaction=True)
def test_a_dump_holds_no_usable_token_session_or_password(tmp_path):
    user = get_user_model().objects.create_user("anna", password=PASSWORD)
    _, secret = ApiToken.objects.create_token(user=user, name="program", scopes=["*:*"])
    client = Client()
    client.post("/admin/login/", {"username": "anna", "password": PASSWORD})
    client.force_login(user)
    session = client.cookies["sessionid"].value
    ApiToken.objects.filter(name="program").update(usage_count=1)
    with as_owner():
        dump = back_up(connection, tmp_path)
    restore = find_pg_dump(connection.pg_version // 10_000).with_name("pg_restore")
    text = subprocess.run([restore, "--file", "-", dump], capture_output=True, check=True, text=True).stdout
    assert "CREATE TABLE public.api_token" in text and tokens.shown_part(secret) in text
    for hidden in (secret, session, PASSWORD):
        assert hidden not in text and hidden.encode() not in dump.read_bytes()
    assert not tokens.WELL_FORMED.search(text)
    hash_of_it = ApiToken.objects.get().token_hash
    assert hash_of_it in text
    with pytest.raises(TokenRefused):
        authenticate_token(hash_of_it)


def test_the_watch_over_the_logs_sees_a_secret():
    """Each test of the suite fails where something like this was logged."""
    watch = SecretsInLogs()
    secret = tokens.new_secret()
    for text in (
        f"token {secret}",
        "hash md5$salt$0123456789abcdef0123456789abcdef",
        "sessionid=0123456789abcdefghijklmnopqrstuv",
    ):
        watch.handle(logging.makeLogRecord({"msg": "%s", "args": (text,)}))
    watch.handle(logging.makeLogRecord({"msg": f"token opsdb_{secret[6:14]}… from 127.0.0.1"}))
    assert len(watch.taken()) == 3 and watch.taken() == []
    assert all(
        pattern.search(text)
        for pattern, text in zip(
            SECRETS, (secret, "argon2$argon2id$v=19$m=1", "sessionid=0123456789abcdefghijklmnopqrstuv"), strict=True
        )
    )


@pytest.mark.django_db
def test_the_log_of_the_server_holds_no_secret():
    """Of all that the tests have had refused until now, and of statements with secrets that it refuses here."""
    if not hasattr(connection, "server"):
        pytest.skip("Another server writes its log elsewhere.")
    secret, session = tokens.new_secret(), "0123456789abcdefghijklmnopqrstuv"
    for statement in (
        f"INSERT INTO api_token (name, token_hash) VALUES ('{secret}', NULL)",
        f"INSERT INTO django_session (session_key, expire_date) VALUES ('{session}', NULL)",
    ):
        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    log = (connection.server.home / "log").read_text(errors="replace")
    assert not [pattern for pattern in (*SECRETS, re.compile(session)) if pattern.search(log)]

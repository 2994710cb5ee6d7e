"""What checking an API token costs: ``python -m benchmarks.tokens``.

A database of its own with 100,000 tokens of 1,000 users, analysed as autovacuum does. Compared in one run, in turns:
the bare query that finds a token and its user by the hash, through a cursor and by Django's models; the check by
:func:`opsdb.access.authenticate_token`; and the last two with the use (number, time and address) written and committed
each time. A check should take at most 1.5 times the bare query, and a fifth of a check with a commit, which depends on
the disk; a query by models with a commit is how a check is written without batches.
"""

import argparse
import os
import statistics
import time

import django

WANTED_RATIO = 1.5
WANTED_GAIN = 5
USERS = 1_000
ADDRESS = "10.1.2.3"


def fill(tokens):
    """Make users and tokens, and return some of the secrets."""
    from django.contrib.auth import get_user_model

    from opsdb import tokens as secrets
    from opsdb.models import ApiToken

    User = get_user_model()
    users = User.objects.bulk_create([User(username=f"user {number}", password="!") for number in range(USERS)])
    made = [secrets.new_secret() for _ in range(tokens)]
    fingerprint = secrets.fingerprint()
    ApiToken.objects.bulk_create(
        [
            ApiToken(
                user=users[number % USERS],
                name=f"token {number}",
                token_prefix=secrets.shown_part(secret),
                token_hash=secrets.hash_of(secret),
                pepper_fingerprint=fingerprint,
                scopes=["read:*"],
            )
            for number, secret in enumerate(made)
        ],
        batch_size=5_000,
    )
    return made[:: max(1, tokens // 1_000)]


def microseconds(check, secrets):
    """Return the median time of one check."""
    taken = []
    for secret in secrets:
        begun = time.perf_counter()
        check(secret)
        taken.append(time.perf_counter() - begun)
    return 1e6 * statistics.median(taken)


def measure(secrets, rounds):
    """Return the median times of the kinds of checks, which take turns."""
    from django.contrib.auth import get_user_model
    from django.db import connection, transaction
    from django.db.models import F
    from django.db.models.functions import Now

    from opsdb import tokens
    from opsdb.access import authenticate_token
    from opsdb.models import ApiToken

    hashes = {secret: tokens.hash_of(secret) for secret in secrets}
    tokens_of_users = ApiToken.objects.select_related("user")
    table, users = (model._meta.db_table for model in (ApiToken, get_user_model()))

    def query(secret):
        with connection.cursor() as cursor:
            cursor.execute(
                f'SELECT * FROM "{table}" AS token JOIN "{users}" AS person ON person.id = token.user_id '  # noqa: S608
                "WHERE token_hash = %s",
                [hashes[secret]],
            )
            return cursor.fetchone()

    def query_by_models(secret):
        return tokens_of_users.get(token_hash=hashes[secret])

    def check(secret):
        return authenticate_token(secret, ip=ADDRESS)

    def committing(find):
        def find_and_commit(secret):
            token = find(secret)
            with transaction.atomic():
                ApiToken.objects.filter(pk=token.pk).update(
                    usage_count=F("usage_count") + 1, last_used_at=Now(), last_used_ip=ADDRESS
                )

        return find_and_commit

    kinds = {
        "bare query": query,
        "query by models": query_by_models,
        "check": check,
        "query and commit": committing(query_by_models),
        "check and commit": committing(check),
    }
    found = {name: [] for name in kinds}
    for _ in range(rounds):
        for name, kind in kinds.items():
            found[name].append(microseconds(kind, secrets))
    return {name: statistics.median(times) for name, times in found.items()}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tokens", type=int, default=100_000, help="how many there are (%(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="how often 1,000 are checked (%(default)s)")
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    from django.db import connection

    from opsdb.access import flush_token_use
    from opsdb.database.roles import as_owner

    own_name = connection.settings_dict["NAME"]
    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    try:
        secrets = fill(options.tokens)
        with as_owner(connection), connection.cursor() as cursor:
            cursor.execute("ANALYZE")
        found = measure(secrets, options.rounds)
        flush_token_use()
    finally:
        connection.creation.destroy_test_db(own_name, verbosity=0)
    for name, taken in found.items():
        print(f"{name:<18} {taken:8.0f} µs")
    check, query = found["check"], found["query and commit"]
    print(f"a check takes {check / found['bare query']:.2f} times the bare query (wanted: at most {WANTED_RATIO})")
    committed = found["check and commit"]
    print(f"a check with a commit takes {committed / check:.1f} times a check (wanted: at least {WANTED_GAIN})")
    print(f"a query by models with a commit takes {query / check:.1f} times a check")


if __name__ == "__main__":
    main()

"""The database itself writes who changed what, when, by what and why; and nobody is blamed for what others did."""

import re
import time
import timeit

import pytest
from django.apps import apps
from django.contrib.auth import authenticate
from django.contrib.auth.models import AnonymousUser
from django.db import DatabaseError, IntegrityError, ProgrammingError, connection, transaction
from django.db.models import Case, F, Value, When
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from opsdb.middleware import AttributionMiddleware
from opsdb.models import ApiToken, ChangeLog, ChangeLogging, PhysicalCopy, RawDataFile, Site, User
from opsdb.testing.factories import (
    ApiTokenFactory,
    DataProductFactory,
    FixedSourceFactory,
    ObservatoryFactory,
    RawDataFileFactory,
    SiteFactory,
    StagingJobFactory,
    UserFactory,
)
from opsdb.testing.factories.base import checksum
from opsdb.workflows import attributed, has_actor, set_actor
from tests.databases import as_owner
from tests.models.schema import LINK_TABLES
from tests.workflows.racing import race
from tests.workflows.scenario_deletion import refusal_of, sql, tell_story

pytestmark = pytest.mark.django_db

RECORDED = {
    model: model.change_logging
    for model in apps.get_app_config("opsdb").get_models()
    if not model._meta.proxy and model._meta.managed
}


def last_change(row):
    return ChangeLog.objects.of(row).first()


def told():
    """What the connection would write down at this moment."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(current_setting('opsdb.user_id', true), ''), "
            "coalesce(current_setting('opsdb.origin', true), ''), coalesce(current_setting('opsdb.reason', true), '')"
        )
        return cursor.fetchone()


# What is written


@pytest.mark.parametrize("model", RECORDED, ids=lambda model: model.__name__)
def test_every_table_is_recorded_as_it_says(model):
    name = re.compile(f"{model._meta.db_table}_history(_of_updates|_of_inserts)?")
    rules = [rule for rule in model._meta.constraints if name.fullmatch(rule.name)]
    events = {
        ChangeLogging.ALL: {"INSERT", "UPDATE", "DELETE"},
        ChangeLogging.CHANGES: {"UPDATE", "DELETE"},
        ChangeLogging.OFF: set(),
    }
    told = {field.column for field in model._meta.local_concrete_fields} - {*getattr(model, "columns_not_logged", ())}
    looked_at = re.compile("UPDATE OF (.*) OR")
    found = []
    for rule in rules:
        if columns := looked_at.search(rule.events):
            assert {column.strip('"') for column in columns[1].split(", ")} == told
        found += looked_at.sub("UPDATE OR", rule.events).split(" OR ")
    assert sorted(found) == sorted(events[model.change_logging])
    keys = [rule for rule in model._meta.constraints if rule.name == f"{model._meta.db_table}_history_of_keys"]
    assert [rule.events for rule in keys] == ["INSERT"] * (model.change_logging is ChangeLogging.CHANGES)


def test_rows_that_one_update_changes_are_written_down_each():
    first, second, same = RawDataFileFactory.create_batch(3, file_type="fits")
    with attributed(user=(user := UserFactory()), origin="opsdb_mend", reason="it is no FITS"):
        assert RawDataFile.objects.update(file_type="fits") == 3
        assert RawDataFile.objects.exclude(pk=same.pk).update(file_type="g3") == 2
    changes = ChangeLog.objects.filter(
        table_name="raw_data_file", row_id__in=[str(first.pk), str(second.pk), str(same.pk)]
    )
    assert {change.row_id for change in changes} == {str(first.pk), str(second.pk)}
    for change in changes:
        assert (change.operation, change.before, change.after) == ("update", {"file_type": "fits"}, {"file_type": "g3"})
        assert (change.user, change.origin, change.reason) == (user, "opsdb_mend", "it is no FITS")
    assert len({change.transaction_id for change in changes}) == 1


def test_many_rows_that_one_update_changes_are_written_down_as_few_are():
    """From 50 rows on, only the columns that change in any row are compared."""
    story = tell_story()
    files = RawDataFileFactory.build_batch(
        60,
        file_type="fits",
        source_location=story.source,
        executed_obs_unit=story.file.executed_obs_unit,
        instrument_module=story.file.instrument_module,
    )
    RawDataFile.objects.bulk_create(files)
    keys = [file.pk for file in files]
    many = RawDataFile.objects.filter(pk__in=keys)
    before = ChangeLog.objects.count()
    assert many.update(file_type="fits", size_bytes=F("size_bytes")) == 60
    assert ChangeLog.objects.count() == before
    sizes = dict(many.values_list("pk", "size_bytes"))
    larger, renamed = keys[0], keys[1]
    many.update(
        file_type=Case(When(pk=larger, then=F("file_type")), default=Value("g3")),
        size_bytes=F("size_bytes") + Case(When(pk=renamed, then=0), default=1),
    )
    found = {change.row_id: (change.before, change.after) for change in ChangeLog.objects.order_by("id")[before:]}
    expected = {
        str(key): (
            {"file_type": "fits", "size_bytes": sizes[key]},
            {"file_type": "g3", "size_bytes": sizes[key] + 1},
        )
        for key in keys
    }
    expected[str(larger)] = ({"size_bytes": sizes[larger]}, {"size_bytes": sizes[larger] + 1})
    expected[str(renamed)] = ({"file_type": "fits"}, {"file_type": "g3"})
    assert found == expected


def test_the_big_tables_keep_no_inserts_and_logs_keep_nothing():
    by_name = {model.__name__: recording for model, recording in RECORDED.items()}
    for name in ("RawDataFile", "PhysicalCopy", "RawDataPackage", "DataTransfer", "LongTermArchiveTransfer"):
        assert by_name[name] == ChangeLogging.CHANGES
    for name in (
        "ChangeLog",
        "DataTransferLog",
        "LongTermArchiveTransferLog",
        "FixityCheck",
        "DataLocationUsage",
        "StageActivity",
    ):
        assert by_name[name] == ChangeLogging.OFF
    assert by_name["ObsUnit"] == by_name["Pipeline"] == by_name["User"] == ChangeLogging.ALL


def test_links_are_written_as_changes_of_the_row_that_has_them():
    with attributed(user=UserFactory(), reason="for the maps"):
        job = StagingJobFactory()
        product = DataProductFactory()
        job.data_products.add(product)
        sql("UPDATE staging_job SET active = false, status = 'failed', failure_message = 'x', finished_at = now()")
        job.data_products.clear()
    links = [change for change in ChangeLog.objects.of(job).order_by("id") if "data_products" in (change.after or {})]
    assert [(change.operation, change.reason) for change in links] == [("update", "for the maps")] * 2
    assert [(change.before, change.after) for change in links] == [
        ({"data_products": None}, {"data_products": product.pk}),
        ({"data_products": product.pk}, {"data_products": None}),
    ]


@pytest.mark.parametrize("link", LINK_TABLES, ids=lambda link: link._meta.db_table)
def test_every_table_of_links_is_recorded_with_the_right_columns(link):
    owner = link._meta.auto_created
    [field] = [field for field in owner._meta.local_many_to_many if field.remote_field.through is link]
    [rule] = [rule for rule in owner._meta.constraints if rule.name == f"{owner._meta.db_table}_{field.name}_history"]
    assert (rule.table, rule.events) == (link._meta.db_table, "INSERT OR UPDATE OR DELETE")
    columns = (field.m2m_column_name(), field.m2m_reverse_name())
    assert (rule.function, rule.arguments) == ("opsdb_log_link", (owner._meta.db_table, field.name, *columns))


def test_insert_update_and_delete_are_written_with_what_changed():
    with attributed(user=UserFactory(), origin="opsdb_load", reason="moved"):
        site = SiteFactory(description="plain")
        site.description = "mountain"
        site.save()
        key = site.pk
        site.delete()
    changes = list(ChangeLog.objects.filter(table_name="site", row_id=str(key)).order_by("id"))
    assert [change.operation for change in changes] == ["insert", "update", "delete"]
    inserted, updated, deleted = changes
    assert inserted.before is None
    assert inserted.after["description"] == "plain"
    assert (updated.before, updated.after) == ({"description": "plain"}, {"description": "mountain"})
    assert deleted.before["description"] == "mountain"
    assert deleted.after is None
    assert {change.origin for change in changes} == {"opsdb_load"}
    assert {change.reason for change in changes} == {"moved"}
    assert all(change.user_id and change.database_user and change.transaction_id for change in changes)


@pytest.mark.parametrize(
    "way",
    ["save", "update", "bulk_update", "bulk_create", "SQL", "COPY", "MERGE", "upsert", "cascade"],
)
def test_every_way_to_write_is_written_down(way):
    site = SiteFactory(description="before")
    rows = Site.objects.filter(pk=site.pk)
    before = ChangeLog.objects.count()
    user = UserFactory()
    before = ChangeLog.objects.count()
    with attributed(user=user, origin=way):
        if way == "save":
            site.description = "after"
            site.save()
        elif way == "update":
            rows.update(description="after")
        elif way == "bulk_update":
            site.description = "after"
            Site.objects.bulk_update([site], ["description"])
        elif way == "bulk_create":
            Site.objects.bulk_create([SiteFactory.build(), SiteFactory.build()])
            before += 1
        elif way == "SQL":
            sql("UPDATE site SET description = 'after'")
        elif way == "COPY":
            set_actor(connection)
            with (
                connection.cursor() as cursor,
                cursor.copy("COPY site (name, short_name, location, description) FROM STDIN") as copy,
            ):
                copy.write_row(("Copied", "copied", "", ""))
        elif way == "MERGE":
            sql("MERGE INTO site USING (SELECT 1) AS one ON true WHEN MATCHED THEN UPDATE SET description = 'after'")
        elif way == "upsert":
            site.description = "after"
            Site.objects.bulk_create(
                [site], update_conflicts=True, unique_fields=["short_name"], update_fields=["description"]
            )
        else:
            token = ApiTokenFactory(user=UserFactory())
            token.user.delete()
            before += 3
    changes = ChangeLog.objects.order_by("id")[before - (way == "bulk_create") :]
    assert changes, way
    for change in changes:
        assert (change.user_id, change.origin) == (user.pk, way)
    if way == "cascade":
        assert {(change.table_name, change.operation) for change in ChangeLog.objects.filter(operation="delete")} == {
            ("api_token", "delete"),
            ("user", "delete"),
        }


def test_a_change_of_nothing_is_not_written():
    site = SiteFactory()
    before = ChangeLog.objects.count()
    site.save()
    Site.objects.update(description=site.description)
    assert ChangeLog.objects.count() == before


def test_a_change_to_and_from_nothing_is_written():
    story = tell_story()
    PhysicalCopy.objects.filter(pk=story.package_copy.pk).update(checksum=None)
    change = last_change(story.package_copy)
    assert change.after == {"checksum": None}
    assert change.before == {"checksum": checksum(7)}
    PhysicalCopy.objects.filter(pk=story.package_copy.pk).update(checksum=checksum(9))
    assert last_change(story.package_copy).before == {"checksum": None}


def test_of_inserts_into_the_big_tables_only_the_keys_are_written():
    with attributed(user=(user := UserFactory()), origin="opsdb_register"):
        file = RawDataFileFactory()
    change = ChangeLog.objects.filter(table_name="raw_data_file").latest("id")
    assert (change.operation, change.row_id, change.after) == ("inserts", "", {"id": [str(file.pk)]})
    assert (change.user, change.origin) == (user, "opsdb_register")
    assert str(change) == "inserted together raw_data_file"
    RawDataFile.objects.filter(pk=file.pk).update(file_type="fits")
    assert last_change(file).after == {"file_type": "fits"}


def test_a_joined_row_has_the_changes_of_both_of_its_parts():
    source = FixedSourceFactory(name="M 42")
    source.name, source.ra_deg = "Orion", 83.8
    source.save()
    tables = [change.table_name for change in ChangeLog.objects.of(source).filter(operation="update")]
    assert sorted(tables) == ["fixed_source", "source"]


def test_history_outlives_the_row_and_the_user():
    user = UserFactory()
    with attributed(user=user):
        site = SiteFactory()
    key, user_id = site.pk, user.pk
    site.delete()
    user.delete()
    change = ChangeLog.objects.get(table_name="site", row_id=str(key), operation="insert")
    assert change.user_id == user_id
    assert not User.objects.filter(pk=user_id).exists()


def test_history_is_never_changed_or_removed():
    """The application has no right to; the owner is refused by the rule."""
    SiteFactory()
    for attempt in (
        lambda: ChangeLog.objects.update(reason="x"),
        lambda: ChangeLog.objects.all().delete(),
        lambda: sql("UPDATE change_log SET user_id = NULL"),
        lambda: sql("DELETE FROM change_log"),
    ):
        with pytest.raises(ProgrammingError, match="permission denied for table change_log"), transaction.atomic():
            attempt()
        with as_owner():
            assert refusal_of(attempt).constraint_name == "change_log_append_only"


def test_secrets_are_noted_and_never_written():
    user = User.objects.create_user("reader", password="correct horse")
    user.set_password("battery staple")
    user.save()
    token, secret = ApiToken.objects.create_token(user=user, name="t", scopes=["read:*"])
    ApiToken.objects.filter(pk=token.pk).update(name="u")
    token.delete()
    written = str(list(ChangeLog.objects.values_list("before", "after")))
    for hidden in (user.password, token.token_hash, secret, "correct horse"):
        assert hidden not in written
    change = ChangeLog.objects.of(user).filter(operation="update", after__has_key="password").first()
    assert (change.before["password"], change.after["password"]) == ("(hidden)", "(hidden)")
    assert authenticate(HttpRequest(), username="reader", password="battery staple") == user


def test_one_change_of_many_rows_has_one_transaction():
    SiteFactory.create_batch(3)
    Site.objects.update(description="all")
    assert ChangeLog.objects.filter(after__description="all").values("transaction_id").distinct().count() == 1


# Who and why


def test_outside_of_a_block_nobody_is_named():
    site = SiteFactory()
    change = last_change(site)
    assert (change.user_id, change.origin, change.reason) == (None, "", "")


def test_an_inner_block_keeps_what_it_does_not_say_and_gives_back_what_it_does():
    user, other = UserFactory(), UserFactory()
    with attributed(user=user, origin="outer", reason="one"):
        with attributed(reason="two"):
            inner = SiteFactory()
        with attributed(user=other, origin="inner"):
            theirs = SiteFactory()
        outer = SiteFactory()
    after = SiteFactory()
    assert [
        (change.user_id, change.origin, change.reason) for change in map(last_change, (inner, theirs, outer, after))
    ] == [(user.pk, "outer", "two"), (other.pk, "inner", "one"), (user.pk, "outer", "one"), (None, "", "")]


def test_an_anonymous_user_is_nobody():
    with attributed(user=AnonymousUser(), origin="GET /"):
        assert not has_actor()
        site = SiteFactory()
    assert (last_change(site).user_id, last_change(site).origin) == (None, "GET /")


def test_a_block_that_ends_within_a_transaction_ends_there():
    with transaction.atomic():
        with attributed(user=UserFactory(), origin="inside"):
            inside = SiteFactory()
        outside = SiteFactory()
    assert (last_change(inside).origin, last_change(outside).origin) == ("inside", "")


def test_a_savepoint_that_is_rolled_back_takes_no_attribution_with_it():
    user = UserFactory()
    with attributed(user=user, origin="block"):
        with pytest.raises(IntegrityError), transaction.atomic():
            Site.objects.create(name="x", short_name="NOT LOWER")
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            SiteFactory()
            raise ZeroDivisionError
        site = SiteFactory()
    assert last_change(site).user_id == user.pk
    assert told() == ("", "", "")


def test_a_block_around_a_failure_leaves_nothing_behind():
    with pytest.raises(IntegrityError), transaction.atomic(), attributed(user=UserFactory(), origin="x"):
        SiteFactory()
        Site.objects.create(name="x", short_name="NOT LOWER")
    assert told() == ("", "", "")
    assert last_change(SiteFactory()).origin == ""


def test_an_error_within_a_broken_transaction_is_one_of_django():
    with pytest.raises(DatabaseError), transaction.atomic(), attributed(origin="x"), connection.cursor() as cursor:
        for statement in ("SELECT 1 / 0", "UPDATE site SET description = ''"):
            try:
                cursor.execute(statement)
            except DatabaseError:
                if statement.startswith("UPDATE"):
                    raise


def test_reading_tells_nothing():
    with attributed(user=UserFactory(), origin="x"):
        list(Site.objects.all())
        list(Site.objects.select_for_update())
        assert told() == ("", "", "")


@pytest.mark.parametrize("statement", ["/* by x */ UPDATE site SET name = name", "-- x\nUPDATE site SET name = name"])
def test_a_comment_before_a_statement_hides_nothing(statement):
    with attributed(origin="x"):
        sql(statement)
        assert told()[1] == "x"


def test_texts_that_postgresql_cannot_hold_are_held_as_far_as_possible():
    with attributed(origin="GET /a\x00b\udc80" + "x" * 600, reason="a\x00b"):
        site = SiteFactory()
    assert last_change(site).origin.startswith("GET /ab?xxx")
    assert len(last_change(site).origin) == 500
    assert last_change(site).reason == "ab"


@pytest.mark.django_db(transaction=True)
def test_outside_of_transactions_nothing_stays_on_the_connection():
    user = UserFactory()
    with attributed(user=user, origin="autocommit"):
        site = SiteFactory()
        assert told() == ("", "", "")
        Site.objects.filter(pk=site.pk).update(description="x")
        with transaction.atomic():
            SiteFactory()
            assert told()[1] == "autocommit"
        assert told() == ("", "", "")
    assert last_change(site).user_id == user.pk
    assert last_change(site).origin == "autocommit"
    assert connection.get_autocommit()


@pytest.mark.django_db(transaction=True)
def test_a_statement_that_fails_outside_of_transactions_changes_nothing_and_breaks_nothing():
    with attributed(origin="x"):
        with pytest.raises(IntegrityError):
            Site.objects.create(name="x", short_name="NOT LOWER")
        # Refused only at the end of its transaction: a parent without the row of its subtype.
        source = FixedSourceFactory()
        with pytest.raises(IntegrityError, match="has the type fixed, but no row in fixed_source"):
            sql("INSERT INTO source (name, type, comment, aliases) VALUES ('alone', 'fixed', '', '[]')")
        SiteFactory()
    assert told() == ("", "", "")
    assert source.pk


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_breaks_within_a_block_is_replaced_and_told_again():
    with attributed(origin="x"):
        SiteFactory()
        sql_pid = "SELECT pg_backend_pid()"
        with connection.cursor() as cursor:
            cursor.execute(sql_pid)
            first = cursor.fetchone()[0]
        connection.close()
        site = SiteFactory()
        with connection.cursor() as cursor:
            cursor.execute(sql_pid)
            assert cursor.fetchone()[0] != first
        connection.connection.close()
    connection.close()
    assert last_change(site).origin == "x"
    assert told() == ("", "", "")


@pytest.mark.django_db(transaction=True)
def test_threads_are_attributed_each_to_their_own():
    users = [UserFactory() for _ in range(4)]

    def act(number):
        with attributed(user=users[number], origin=f"thread {number}"):
            sites = []
            for _ in range(5):
                sites.append(
                    Site.objects.create(name=f"{number} {time.monotonic_ns()}", short_name=f"t{time.monotonic_ns()}")
                )
            return sites

    outcomes = race(4, act)
    for number, sites in enumerate(outcomes):
        for site in sites:
            change = last_change(site)
            assert (change.user_id, change.origin) == (users[number].pk, f"thread {number}")


# Requests


def answer(change):
    """A view behind the middleware."""

    def view(request):
        change(request)
        return HttpResponse("done")

    return AttributionMiddleware(view)


@pytest.mark.django_db(transaction=True)
def test_requests_on_one_connection_are_each_attributed_to_their_own_user():
    first, second = UserFactory(), UserFactory()
    sites = []
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        backend = cursor.fetchone()
    for user in (first, None, second, AnonymousUser()):
        request = RequestFactory().post("/sites/")
        if user is not None:
            request.user = user
        answer(lambda request: sites.append(SiteFactory()))(request)
        assert told() == ("", "", "")
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        assert cursor.fetchone() == backend
    assert [last_change(site).user_id for site in sites] == [first.pk, None, second.pk, None]
    assert {last_change(site).origin for site in sites} == {"POST /sites/"}


def test_a_request_that_fails_leaves_nothing_to_the_next():
    request = RequestFactory().post("/")
    request.user = UserFactory()

    def fail(request):
        SiteFactory()
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        answer(fail)(request)
    assert told() == ("", "", "")
    assert last_change(SiteFactory()).user_id is None


def test_a_request_that_changes_nothing_asks_for_no_user():
    class NeverAsked:
        @property
        def user(self):
            raise AssertionError("asked")

    request = RequestFactory().get("/")
    request.__class__ = type("Request", (NeverAsked, type(request)), {})
    with CaptureQueriesContext(connection) as queries:
        answer(lambda request: list(Site.objects.all()))(request)
    assert len(queries) == 1


def test_the_admin_is_attributed_and_the_query_stays_out_of_it(client):
    user, observatory = UserFactory(superuser=True), ObservatoryFactory()
    client.force_login(user)
    address = reverse("admin:opsdb_observatory_delete", args=[observatory.pk])
    client.post(f"{address}?token=secret", {"post": "yes"})
    change = last_change(observatory)
    assert (change.operation, change.user_id, change.origin) == ("delete", user.pk, f"POST {address}")


def test_logging_in_is_attributed_to_whom_it_makes_known(client):
    user = User.objects.create_user("reader", password="correct horse", is_staff=True)
    client.post(reverse("admin:login"), {"username": "reader", "password": "correct horse"})
    change = ChangeLog.objects.of(user).filter(operation="update", after__has_key="last_login").get()
    assert change.user_id == user.pk


# Cost


def test_the_history_of_many_changes_costs_ten_times_that_of_a_tenth():
    """Generous, for a busy machine: it was a hundred times when a plan for few rows was kept for many."""
    story = tell_story()
    files = RawDataFileFactory.build_batch(
        10_000,
        source_location=story.source,
        executed_obs_unit=story.file.executed_obs_unit,
        instrument_module=story.file.instrument_module,
    )
    RawDataFile.objects.bulk_create(files)
    many = RawDataFile.objects.filter(source_location=story.source)
    few = many.filter(pk__in=[file.pk for file in files[:1_000]])

    def seconds(rows, file_types):
        return min(timeit.timeit(lambda text=text: rows.update(file_type=text), number=1) for text in file_types)

    with attributed(user=UserFactory(), origin="opsdb_x", reason="y"):
        of_few = seconds(few, "abcdef")
        assert seconds(many, "gh") < 40 * of_few
    assert ChangeLog.objects.filter(table_name="raw_data_file", origin="opsdb_x").count() == 6 * 1_000 + 2 * 10_001

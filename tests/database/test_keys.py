"""Keys stay: whatever refers to a row, or knows it by its key, goes on meaning the same row."""

import pytest
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.db import connection

from opsdb.database.guards import TABLES_OF_DJANGO, guards_of_django
from opsdb.models import DataLocation, PhysicalCopy
from opsdb.testing.factories import (
    FACTORIES,
    DataProductFactory,
    DeletionRequestFactory,
    RoleFactory,
    StagingJobFactory,
    UserFactory,
)
from tests.databases import as_owner
from tests.models.schema import LINK_TABLES, MODELS
from tests.workflows.scenario_deletion import refusal_of, sql, tell_story

pytestmark = pytest.mark.django_db
SWAP = -1


def swap(table, one, other):
    """Swap the keys of two rows, while all foreign keys wait for the end of the transaction."""

    def attempt():
        sql("SET CONSTRAINTS ALL DEFERRED")
        for before, after in ((one, SWAP), (other, one), (SWAP, other)):
            sql(f'UPDATE "{table}" SET id = %s WHERE id = %s', after, before)

    return attempt


def assert_key_stays(attempt, table, name=None):
    refusal = refusal_of(attempt)
    assert refusal and refusal.constraint_name == f"{name or table}_id_immutable"
    assert refusal.message_primary.startswith(f"{table} ")
    assert refusal.message_primary.endswith("id cannot be changed once set")


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_table_has_its_key_in_a_column_id(model):
    """By this name the rules and the history know it."""
    assert model._meta.pk.column == "id"


def link_row(link):
    """A row of a table of links."""
    owner, other = (field for field in link._meta.fields if field.is_relation)
    values = {}
    for field in (owner, other):
        model = field.related_model
        factory = {Group: RoleFactory}.get(model) or FACTORIES.get(model)
        row = Permission.objects.first() if model is Permission else factory()
        values[field.attname] = row.pk
    return link.objects.create(**values)


@pytest.mark.parametrize("link", LINK_TABLES, ids=lambda link: link._meta.db_table)
def test_a_link_stays_as_it_is(link):
    row = link_row(link)
    owner = link._meta.auto_created._meta
    [field] = [field for field in owner.local_many_to_many if field.remote_field.through is link]
    table = link._meta.db_table
    name = f"{owner.db_table}_{field.name}"
    ends = [field for field in link._meta.fields if field.is_relation]
    others = {"uuid": "gen_random_uuid()", "bigint": "1000", "integer": "1000"}
    for field in link._meta.fields:
        other = others[(field.target_field if field.is_relation else field).rel_db_type(connection)]
        column = field.column
        refusal = refusal_of(lambda: sql(f'UPDATE "{table}" SET {column} = {other} WHERE id = %s', row.pk))  # noqa: B023
        assert refusal and refusal.constraint_name == f"{name}_link_immutable", column
    assert refusal.message_primary == (
        f"{table} {row.pk}: id, {', '.join(end.column for end in ends)} cannot be changed once set"
    )
    refusal = refusal_of(lambda: link.objects.filter(pk=row.pk).update(id=row.pk + 1000))
    assert refusal.constraint_name == f"{name}_link_immutable"


def test_an_archive_and_a_buffer_do_not_swap_places():
    story = tell_story()
    assert_key_stays(swap("data_location", story.archive.pk, story.buffer.pk), "data_location")
    assert_key_stays(swap("disk_data_location", story.buffer.pk, story.processing.pk), "disk_data_location")


def test_a_location_does_not_swap_by_its_subtype():
    """Without the rule of the parent, the subtype alone is not to be moved either."""
    story = tell_story()
    assert_key_stays(
        lambda: sql("UPDATE tape_data_location SET id = %s WHERE id = %s", story.buffer.pk, story.archive.pk),
        "tape_data_location",
    )


def test_an_approval_does_not_move_to_the_copies_of_another_request():
    approved, other = DeletionRequestFactory(approved=True), DeletionRequestFactory()
    assert_key_stays(swap("deletion_request", approved.pk, other.pk), "deletion_request")


def test_a_request_does_not_come_to_be_somebody_elses():
    asked, other = DeletionRequestFactory().requested_by, UserFactory()
    assert_key_stays(swap("user", asked.pk, other.pk), "user")


def test_a_product_does_not_take_the_copies_of_another():
    one, other = DataProductFactory.create_batch(2)
    assert_key_stays(swap("data_product", one.pk, other.pk), "data_product")


def test_a_staging_job_does_not_give_its_data_away():
    one, other = StagingJobFactory.create_batch(2)
    assert_key_stays(swap("staging_job", one.pk, other.pk), "staging_job")


def test_a_role_does_not_take_the_permissions_of_another():
    one, other = RoleFactory(name="viewer"), RoleFactory(name="admin")
    assert_key_stays(swap("role", one.pk, other.pk), "role")
    assert_key_stays(swap("auth_group", one.pk, other.pk), "auth_group")


def test_keys_of_permissions_types_and_what_a_role_holds_stay():
    one, other = Permission.objects.order_by("pk")[:2]
    assert_key_stays(swap("auth_permission", one.pk, other.pk), "auth_permission")
    one_type, other_type = ContentType.objects.order_by("pk")[:2]
    assert_key_stays(swap("django_content_type", one_type.pk, other_type.pk), "django_content_type")
    role = RoleFactory(name="viewer")
    role.permissions.set([one, other])
    held, held_too = Group.permissions.through.objects.filter(group_id=role.pk).values_list("pk", flat=True)
    refusal = refusal_of(swap("auth_group_permissions", held, held_too))
    assert refusal.constraint_name == "auth_group_permissions_link_immutable"


def test_a_key_stays_whichever_statement_names_it():
    story = tell_story()
    key = story.buffer.pk
    assert_key_stays(
        lambda: sql(
            "MERGE INTO data_location USING (SELECT 1) AS one ON id = %s WHEN MATCHED THEN UPDATE SET id = -id", key
        ),
        "data_location",
    )
    assert_key_stays(
        lambda: sql(
            "INSERT INTO deletion_policy (id, min_archive_copies) VALUES (1, 1) ON CONFLICT (id) DO UPDATE SET id = 2"
        ),
        "deletion_policy",
    )
    assert_key_stays(
        lambda: sql(
            "WITH moved AS (UPDATE data_location SET id = -id WHERE id = %s RETURNING id) SELECT * FROM moved", key
        ),
        "data_location",
    )
    assert_key_stays(lambda: DataLocation.objects.filter(pk=key).update(id=-key), "data_location")
    assert_key_stays(
        lambda: PhysicalCopy.objects.filter(pk=story.file_copy.pk).update(id=story.archive_copy.pk + 1000),
        "physical_copy",
    )


def test_a_statement_that_names_the_key_and_leaves_it_is_taken():
    story = tell_story()
    assert refusal_of(lambda: sql("UPDATE data_location SET id = id, priority = 3")) is None
    assert refusal_of(lambda: sql("UPDATE physical_copy SET id = id WHERE id = %s", story.file_copy.pk)) is None


def test_the_row_of_the_deletion_policy_is_neither_deleted_nor_replaced():
    refusal = refusal_of(lambda: sql("DELETE FROM deletion_policy"))
    assert refusal.constraint_name == "deletion_policy_never_deleted"
    assert refusal.message_primary == "deletion_policy 1: the deletion policy is never deleted"


def test_the_tables_of_django_have_the_guards_that_are_declared():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgrelid = ANY (%s::regclass[])",
            [list(TABLES_OF_DJANGO)],
        )
        found = {name for (name,) in cursor.fetchall()}
    # The tests empty their tables.
    assert found == {guard.name for guard in guards_of_django() if not guard.name.endswith("_never_truncated")}


@pytest.mark.parametrize(
    ("rule", "table"), [("data_location_id_immutable", "data_location"), ("auth_group_id_immutable", "auth_group")]
)
def test_without_its_rule_a_swap_succeeds(rule, table):
    """What the tests above see is this rule, and no other."""
    rows = RoleFactory.create_batch(2) if table == "auth_group" else [*tell_story().__dict__.values()][:2]
    sql("SET CONSTRAINTS ALL IMMEDIATE")
    attempt = swap(table, *(row.pk for row in rows))
    assert refusal_of(attempt).constraint_name == rule
    with as_owner():
        sql(f'DROP TRIGGER "{rule}" ON "{table}"')
    left = refusal_of(attempt)
    assert left is None or left.constraint_name != rule

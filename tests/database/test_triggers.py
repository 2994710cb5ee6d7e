"""A trigger is its parts, and a migration holds the statement that they make."""

import pytest
from django.db import IntegrityError, connection, models, transaction

from opsdb.database.frozen_triggers import FrozenTrigger
from opsdb.database.triggers import Immutable, Refuses, Trigger
from opsdb.models import Site
from opsdb.testing.factories import SiteFactory
from tests.databases import as_owner

from ..models.schema import MODELS

TRIGGERS = [trigger for model in MODELS for trigger in model._meta.constraints if isinstance(trigger, Trigger)]


def test_the_statement_is_made_of_the_parts():
    trigger = Trigger("site_kept", "opsdb_keep", "it's", "100 %", events="UPDATE OF name", when="NEW.name <> ''")
    trigger.watch("site")
    assert trigger.statement == (
        'CREATE TRIGGER "site_kept" BEFORE UPDATE OF name ON "site" FOR EACH ROW '
        "WHEN (NEW.name <> '') EXECUTE FUNCTION opsdb_keep('it''s', '100 %')"
    )


def test_a_migration_holds_the_statement_and_no_part():
    """So that a later change of the code that makes statements rewrites no history."""
    for trigger in TRIGGERS:
        path, args, parts = trigger.deconstruct()
        assert (path, args, {*parts}) == (
            "opsdb.database.frozen_triggers.FrozenTrigger",
            (),
            {"name", "table", "statement"},
        )
        assert FrozenTrigger(**parts) == FrozenTrigger.made_by(trigger.statement) == trigger == trigger.clone()


def test_triggers_that_differ_are_not_equal():
    one, other = Immutable("site_id"), Immutable("site_id", hint="Ask.")
    for trigger in (one, other):
        trigger.watch("data_location")
    assert one != other
    assert one != models.CheckConstraint(condition=models.Q(pk=1), name=one.name)


@pytest.mark.django_db
def test_a_refusal_names_values_of_the_row_before_and_after():
    """Per cent signs, quotes and braces of a message or value are left as they are."""
    trigger = Refuses(
        "site_kept",
        "NEW.description <> OLD.description",
        "site {old.id}: it's {old.description}, 100 % {set}, and not {new.description}",
        "Don't.",
        events="UPDATE",
    )
    trigger.watch("site")
    site = SiteFactory(description="{new.id}")
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        with as_owner():
            cursor.execute(trigger.statement)
        with pytest.raises(IntegrityError) as caught, transaction.atomic():
            Site.objects.filter(pk=site.pk).update(description="it's %s")
        transaction.set_rollback(True)
    diagnosis = caught.value.__cause__.diag
    assert diagnosis.message_primary == f"site {site.pk}: it's {{new.id}}, 100 % {{set}}, and not it's %s"
    assert (diagnosis.constraint_name, diagnosis.table_name) == ("site_kept", "site")
    assert diagnosis.message_hint == "Don't."


@pytest.mark.django_db
def test_every_trigger_has_the_function_that_it_calls():
    with connection.cursor() as cursor:
        cursor.execute("SELECT proname FROM pg_proc WHERE proname LIKE 'opsdb%'")
        functions = {name for (name,) in cursor.fetchall()}
    assert {trigger.function for trigger in TRIGGERS} <= functions

"""Every rule of the database, broken through a ModelViewSet: the answer says what is wrong, and is never a 500."""

import pytest
from django.db import IntegrityError, connection, transaction
from rest_framework.serializers import ModelSerializer
from rest_framework.test import APIRequestFactory, force_authenticate
from rest_framework.viewsets import ModelViewSet, ViewSet

from opsdb.database.triggers import AppendOnly, FrozenOnceVerified, HasSubtype, Immutable, NeverDeleted, Trigger
from opsdb.errors import check_deferred_rules
from opsdb.models import FixedSource, ObsUnit
from opsdb.rest_framework.views import RulesMixin, changing, exception_handler
from opsdb.testing.factories import (
    FACTORIES,
    FixedSourceFactory,
    ObservingProgramFactory,
    ObsUnitFactory,
    SiteFactory,
    UserFactory,
)

from ..models.cases import UNIQUES
from ..models.elsewhere import TRIED_BY
from ..models.overlaps import OVERLAPS
from ..models.refusal import CHECKED, change, checks_of, resolve, settle, writer_of
from ..models.rules import RULES
from ..models.schema import MODELS

pytestmark = pytest.mark.django_db

MADE = APIRequestFactory()


class Answers:
    permission_classes = ()
    authentication_classes = ()

    def get_exception_handler(self):
        return exception_handler


def view_set(model):
    """A view set as a host writes it."""

    class Serializer(ModelSerializer):
        class Meta:
            fields = "__all__"

    Serializer.Meta.model = model

    class RuledViewSet(Answers, RulesMixin, ModelViewSet):
        queryset = model._base_manager.all()
        serializer_class = Serializer

    return RuledViewSet


def ask(views, method, pk=None, data=None, user=None):
    actions = {"post": "create"} if pk is None else {"patch": "partial_update", "delete": "destroy", "put": "update"}
    request = getattr(MADE, method)("/", data, format="json")
    if user is not None:
        force_authenticate(request, user)
    with transaction.atomic():
        answer = views.as_view(actions)(request, pk=pk)
        answer.render()
        transaction.set_rollback(True)
    return answer


def assert_answered(answer, rule=None):
    assert answer.status_code in (400, 409), answer.data
    assert answer.data["detail"].strip(" ."), answer.data
    assert rule is None or answer.data["rule"] == rule, answer.data


def refused_by(attempt):
    """What a view answers that does this instead of a change of its own."""

    class Attempt(Answers, ViewSet):
        def create(self, request, pk):
            with transaction.atomic():
                attempt()
                check_deferred_rules()

    return ask(Attempt, "post")


@pytest.mark.parametrize("name", RULES)
def test_a_rule_of_a_trigger_is_answered(name):
    with writer_of(name):
        for attempt in RULES[name]:
            with transaction.atomic():
                expected = attempt()
                settle()
                for trial in expected.trials:
                    answer = refused_by(trial)
                    assert_answered(answer, name)
                    assert answer.status_code == 409
                    assert answer.data["field"] == (rule_of(name).field or answer.data["field"]), answer.data
                transaction.set_rollback(True)


TABLES = {rule.name: model._meta.db_table for model in MODELS for rule in model._meta.constraints}


@pytest.mark.parametrize("name", sorted({name for names in TRIED_BY.values() for name in names}))
def test_the_name_of_a_rule_that_needs_a_story_is_mapped(name):
    """An answer takes over rule, row, message and hint of whatever refuses by this name.

    The refusal is made up here: whether the rule refuses, and in which words, is the story of another test.
    """

    def refuse():
        with connection.cursor() as cursor:
            arguments = [name, TABLES[name], f"{TABLES[name]} 7: it stays as it is", "Leave it."]
            cursor.execute("SELECT opsdb_refuse(%s, %s, %s, %s)", arguments)

    answer = refused_by(refuse)
    assert_answered(answer, name)
    assert (answer.status_code, answer.data["row"]) == (409, f"{TABLES[name]} 7")
    assert answer.data["detail"].endswith(" 7: it stays as it is. Leave it.")


def rule_of(name):
    return next(
        rule
        for model in FACTORIES
        for rule in model._meta.constraints
        if isinstance(rule, Trigger) and rule.name == name
    )


def names_no_field(name):
    rule = rule_of(name)
    return rule.field is None and len(getattr(rule, "columns", ())) != 1


def test_a_rule_names_the_field_at_fault_unless_it_is_about_a_row_or_several_fields():
    about_rows = (AppendOnly, FrozenOnceVerified, HasSubtype, Immutable, NeverDeleted)
    about_parents = ("_subtype", "_stays_with_parent")
    others = {
        name
        for name in RULES
        if names_no_field(name) and not isinstance(rule_of(name), about_rows) and not name.endswith(about_parents)
    }
    assert others == {
        "data_transfer_route_locations_at_ends",  # of either end
        "reduction_step_dependency_no_cycle",  # a link of two steps
        "reduction_step_dependency_same_pipeline",
        "user_groups_keep_staff_from_service",  # the function names what is at fault
        "user_service_is_no_staff",
    }


@pytest.mark.parametrize("model", CHECKED, ids=lambda model: model.__name__)
def test_a_check_is_answered_whoever_breaks_it(model, subtests):
    views = view_set(model)
    for case, row in checks_of(model):
        with subtests.test(case.name), transaction.atomic():
            settle()
            with writer_of(case.name):
                assert_answered_with_its_sentence_and_field(case, row)
            assert_a_change_by_its_own_view_set_is_answered(case, row, views)
            transaction.set_rollback(True)


def assert_answered_with_its_sentence_and_field(case, row):
    for changes in case.bad:
        answer = refused_by(lambda changes=changes: change(row, changes, case.given))
        assert_answered(answer)
        if answer.data["rule"] == case.name:
            assert (answer.status_code, answer.data["detail"]) == (400, case.message)
            declared = {rule.name: getattr(rule, "field", None) for rule in case.model._meta.constraints}
            assert answer.data["field"] == declared.get(case.name, answer.data["field"])


def assert_a_change_by_its_own_view_set_is_answered(case, row, views):
    """As a client does it; what Django REST framework itself finds wrong, it answers in its own shape."""
    for changes in case.bad:
        values = {name: _as_json(value) for name, value in resolve(changes, row).items()}
        try:
            answer = ask(views, "patch", row.pk, values)
        except (TypeError, ValueError) as error:
            assert "not JSON serializable" in str(error) or "JSON compliant" in str(error)
            continue
        assert answer.status_code in (200, 400, 409), changes


def _as_json(value):
    return getattr(value, "pk", value)


@pytest.mark.parametrize("case", UNIQUES, ids=lambda case: case.name)
def test_a_second_row_is_answered(case):
    first = FACTORIES[case.model](**case.given)
    agreed = {name: getattr(first, name) for name in case.fields}
    answer = refused_by(lambda: FACTORIES[case.model](**{**case.given, **agreed}))
    assert_answered(answer)
    assert answer.status_code == 409 or answer.data["rule"] != case.name


@pytest.mark.parametrize("case", OVERLAPS, ids=lambda case: case.name)
def test_an_overlap_is_answered(case):
    first = FACTORIES[case.model](**case.first)
    owners = {name: getattr(first, name) for name in case.owners}
    assert_answered(refused_by(lambda: FACTORIES[case.model](**owners, **case.overlapping[0])))


def test_a_client_learns_field_sentence_rule_and_row():
    unit = ObsUnitFactory()
    answer = ask(view_set(ObsUnit), "patch", unit.pk, {"source": None})
    assert answer.status_code == 409
    assert answer.data == {
        "detail": f"observation unit {unit.pk}: a unit in mode {unit.obs_mode.name} needs a source. "
        "Give it a source, or choose a mode that looks at nothing on the sky.",
        "field": "source",
        "rule": "obs_unit_source_needed",
        "row": f"obs_unit {unit.pk}",
    }
    source = FixedSourceFactory()
    answer = ask(view_set(FixedSource), "patch", source.pk, {"ra_deg": 400})
    assert (answer.status_code, answer.data["field"]) == (400, "ra_deg")
    assert answer.data["detail"] == "RA must be at least 0 and below 360°."


def test_a_row_that_others_need_is_not_deleted():
    program = ObservingProgramFactory()
    ObsUnitFactory(observing_program=program)
    assert_answered(ask(view_set(type(program)), "delete", program.pk))


def test_what_is_checked_at_the_end_of_the_transaction_is_answered_before():
    source = FixedSourceFactory()

    class Halves(view_set(FixedSource)):
        def perform_destroy(self, instance):
            with changing(FixedSource):
                FixedSource.objects.filter(pk=instance.pk)._raw_delete("default")

    answer = ask(Halves, "delete", source.pk)
    assert (answer.status_code, answer.data["rule"]) == (409, "source_subtype_exists")
    assert ask(view_set(FixedSource), "delete", source.pk).status_code == 204


def test_an_error_that_is_no_refusal_is_none_of_ours():
    class Broken(view_set(type(SiteFactory()))):
        def perform_update(self, serializer):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        ask(Broken, "patch", SiteFactory().pk, {})


def test_without_the_handler_it_would_be_an_error_of_the_server():
    unit = ObsUnitFactory()

    class Views(view_set(ObsUnit)):
        def get_exception_handler(self):
            from rest_framework.views import exception_handler

            return exception_handler

    with pytest.raises(IntegrityError):
        ask(Views, "patch", unit.pk, {"source": None}, user=UserFactory())

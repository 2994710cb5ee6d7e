"""Every filter set: its parameters narrow rightly, and what is wrong with them is said beside them."""

import pytest
from django.apps import apps
from django.db import connection
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext

from opsdb import filters, models
from opsdb.filters import FILTERSETS, RawDataFileFilterSet, RawDataPackageFilterSet, filterset_for
from opsdb.filters.base import ORDERING, SEARCH, Size
from opsdb.filters.serving import is_sorted_by_index

from .asking import example_of, match_twice, meets, parameters_of, text_of, values_of

SETS = pytest.mark.parametrize("model", FILTERSETS, ids=lambda model: model.__name__)
# Secrets and rights, which a UI lists in its own way; links, which are shown with what they link; and bookkeeping.
WITHOUT = {
    "User",
    "Role",
    "ApiToken",
    "DataLocationUsage",
    "StageActivity",
    "DeletionPolicy",
    "ObsCore",
    "ExecutedObsUnitModuleConfiguration",
    "ExecutedReductionStepInputPackage",
    "ExecutedReductionStepInputProduct",
    "ReductionStepDependency",
}
# No index leads to these alone: they may only be asked beside what finds few rows.
BESIDE_OTHERS = {
    "RawDataFile": {"file_type", "instrument", "site", "observed_at_after", "observed_at_before"},
    "RawDataPackage": {"instrument", "created_at_after", "created_at_before"},
    "PhysicalCopy": {"verification", "deletion_candidate", "site", "arrived_at_after", "arrived_at_before"},
    "RawDataFilePhysicalCopy": {"verification", "deletion_candidate", "arrived_at_after", "arrived_at_before"},
    "DataTransferLog": {"level", "logged_at_after", "logged_at_before"},
    "LongTermArchiveTransfer": {"created_at_after", "created_at_before"},
    "LongTermArchiveTransferLog": {"level", "logged_at_after", "logged_at_before"},
    "ChangeLog": {"row_id", "table_name"},
}
# Parameters through links to several rows, of which more than one can have the value.
MATCHED_TWICE = {
    "Source": {"observing_program"},
    "FixedSource": {"observing_program"},
    "ObsUnit": {"instrument", "instrument_module"},
    "ExecutedObsUnit": {"instrument", "instrument_module"},
}
COMPANIONS = {"ChangeLog": ("table_name", "row_id")}


def found(model, **asked):
    filterset = filterset_for(model)(asked)
    assert filterset.is_valid(), filterset.errors
    rows = list(filterset.qs)
    assert len(rows) == len(set(rows)) == filterset.qs.count(), (asked, "each row once")
    return set(rows)


def test_every_model_has_one():
    named = {model.__name__ for model in FILTERSETS}
    assert named | WITHOUT == {model.__name__ for model in apps.get_app_config("opsdb").get_models()}
    assert not named & WITHOUT
    assert all(getattr(filters, f"{name}FilterSet")._meta.model.__name__ == name for name in named)


def test_a_model_without_one_is_named():
    with pytest.raises(LookupError, match="opsdb.ApiToken has no filter set"):
        filterset_for(models.ApiToken)


@SETS
def test_form_and_rows_take_no_query_but_that_of_the_rows(model):
    with CaptureQueriesContext(connection) as queries:
        filterset = filterset_for(model)()
        html = filterset.form.as_div()
        rows = filterset.qs[:50]
    assert len(queries) == 0
    assert html.count("<option") < 100, "no table is listed"
    with CaptureQueriesContext(connection) as queries:
        assert list(rows)
    assert len(queries) == 1


@SETS
def test_every_parameter_has_a_label_and_a_help_text(model):
    for name, parameter in filterset_for(model)().filters.items():
        assert str(parameter.label)[0].isupper(), name
        assert str(parameter.field.help_text), name


@SETS
def test_every_parameter_narrows_rightly(model):
    filterset, rows = filterset_for(model), list(model._default_manager.all())
    parameters = parameters_of(filterset)
    for name, parameter in parameters.items():
        example = example_of(model, parameter)
        if example is None:
            continue
        row, value = example
        asked = {name: text_of(parameter, value)}
        beside = {}
        if name in BESIDE_OTHERS.get(model.__name__, ()):
            alone = filterset(asked)
            assert not alone.is_valid() or value == parameter.usual, f"{name} alone"
            few = COMPANIONS.get(model.__name__) or [one for one, each in parameters.items() if each.few]
            beside = {one: values for one in few if one != name and (values := example_for(parameters[one], row))}
            asked |= {one: text_of(parameters[one], each) for one, each in beside.items()}
        wanted = {
            one
            for one in rows
            if meets(parameter, one, value)
            and all(meets(parameters[other], one, each) for other, each in beside.items())
        }
        assert found(model, **asked) == wanted, (name, asked)


@SETS
def test_a_row_of_which_two_related_rows_meet_a_parameter_is_found_once(model):
    parameters = parameters_of(filterset_for(model))
    doubled = {}
    for name, parameter in parameters.items():
        if (example := example_of(model, parameter)) and match_twice(*example, parameter):
            row, value = doubled[name] = example
            assert values_of(parameter, row).count(value) > 1, name
            assert row in found(model, **{name: text_of(parameter, value)}), name
            assert filterset_for(model)({name: text_of(parameter, value)}).page().rows.count(row) == 1
    assert set(doubled) == MATCHED_TWICE.get(model.__name__, set())


def example_for(parameter, row):
    return next(iter(values_of(parameter, row)), None)


@SETS
def test_rows_are_sorted_by_what_an_index_gives_and_by_the_key(model):
    filterset = filterset_for(model)
    for name in filterset.orders():
        assert not model._meta.get_field(name).null, name
        assert filterset.size is Size.SMALL or is_sorted_by_index(model, name), name
        for sign in ("", "-"):
            rows = filterset({ORDERING: f"{sign}{name}"}).qs
            assert rows.query.order_by[0].removeprefix("-") == name
            assert rows.query.order_by[-1] == f"{sign}id"
            values = [(getattr(row, model._meta.get_field(name).attname), row.pk) for row in rows]
            if not isinstance(values[0][0], str):  # PostgreSQL sorts texts by its own rules
                assert values == sorted(values, reverse=bool(sign))


@SETS
def test_every_row_is_on_one_page(model):
    filterset = filterset_for(model)
    seen, asked = [], ""
    while True:
        page = filterset().page(asked, size=2)
        seen += page.rows
        if not page.has_next:
            break
        asked = page.next
    assert seen == list(filterset().qs)


class TestUnknownParameters:
    def test_are_ignored_unless_a_host_wants_to_know(self):
        assert RawDataFileFilterSet({"modul": "1"}).is_valid()

    def test_are_refused_with_what_was_meant(self):
        filterset = RawDataFileFilterSet({"instrument_modul": "1"}, refuse_unknown=True)
        assert not filterset.is_valid()
        assert filterset.errors["__all__"] == [
            "Unknown parameter “instrument_modul”: did you mean “instrument_module”?"
        ]
        assert not filterset.qs.exists()

    def test_are_refused_by_a_subclass(self):
        class Strict(RawDataFileFilterSet):
            refuse_unknown = True
            allowed = ("page", "format")

        assert Strict({"page": "2", "format": "json"}).is_valid()
        assert not Strict({"pages": "2"}).is_valid()

    def test_of_a_prefix_are_known(self):
        assert RawDataFileFilterSet({"f-checksum": "0" * 7}, prefix="f", refuse_unknown=True).is_valid()

    def test_given_twice_are_refused(self):
        data = QueryDict("file_name=a.fits&file_name=b.fits")
        assert RawDataFileFilterSet(data, refuse_unknown=True).errors["__all__"] == [
            "“file_name” is given several times: give it once."
        ]


class TestReferences:
    def test_are_names_alone_or_with_what_they_belong_to_or_keys(self):
        location = models.DataLocation.objects.filter(raw_data_files__isnull=False).first()
        wanted = set(models.RawDataFile.objects.filter(source_location=location))
        for text in (location.name, f"{location.site.short_name}/{location.name}", str(location.pk)):
            assert found(models.RawDataFile, source_location=text) == wanted, text

    def test_of_several_rows_are_refused_with_what_to_give(self):
        of_two_sites = models.DataLocation.objects.order_by("site", "pk").distinct("site")[:2]
        assert models.DataLocation.objects.filter(pk__in=[one.pk for one in of_two_sites]).update(name="namesake") == 2
        errors = RawDataFileFilterSet({"source_location": "namesake"}).errors["source_location"]
        assert errors == ["Several of the data locations are called “namesake”: give site/name, or the key."]

    def test_that_lead_nowhere_are_refused(self):
        for text in ("nowhere", "999999999"):
            errors = RawDataFileFilterSet({"source_location": text}).errors["source_location"]
            assert errors == [f"None of the data locations is called “{text}” or has this key."]

    def test_to_sources_understand_aliases(self):
        source = models.Source.objects.order_by("pk").first()
        models.Source.objects.filter(pk=source.pk).update(aliases=["Ori A"])
        assert found(models.Source, source="ORI a") == {source}


class TestBigTables:
    def test_are_asked_only_where_an_index_serves_it(self):
        file = models.RawDataFile.objects.order_by("pk").first()
        both = {"instrument_module": str(file.instrument_module_id), "source_location": str(file.source_location_id)}
        (error,) = RawDataFileFilterSet(both).errors["__all__"]
        assert error == (
            "No index of the raw data files serves this: Instrument module and Source location. Leave something out, "
            "or give one of: Package, File name, Checksum, Search."
        )
        assert found(models.RawDataFile, checksum=file.checksum, **both) == {file}

    def test_are_asked_by_execution_only_of_some(self, monkeypatch):
        monkeypatch.setattr(filters.base, "MOST_EXECUTIONS", 1)
        errors = RawDataPackageFilterSet({"started_after": "2000-01-01"}).errors["__all__"]
        assert errors == [
            "Observation started, from: this is true of more than 1 observations; give a shorter time, or leave it out."
        ]

    def test_find_no_more_than_can_be_sorted(self, monkeypatch):
        monkeypatch.setattr(filters.base, "FOUND_ROWS", 0)
        file = models.RawDataFile.objects.first()
        for asked in ({SEARCH: file.relative_path}, {"file_name": file.relative_path}):
            assert "finds more than 0 rows" in str(RawDataFileFilterSet(asked).errors["__all__"])


class TestSearch:
    def test_finds_what_the_admin_finds(self):
        file = models.RawDataFile.objects.first()
        for text in (str(file.pk), file.checksum, file.relative_path, file.relative_path.rpartition("/")[2]):
            assert found(models.RawDataFile, q=text) >= {file}
        assert found(models.ObsUnit, q="no such unit") == set()
        change = models.ChangeLog.objects.first()
        assert change in found(models.ChangeLog, q=change.row_id)

    def test_takes_as_many_words_as_the_admin(self):
        assert filterset_for(models.ObsUnit)({"q": "a " * 20}).is_valid()
        assert filterset_for(models.ObsUnit)({"q": "a " * 21}).errors["q"] == [
            "A search takes at most 20 words, and this one has 21: leave some out."
        ]

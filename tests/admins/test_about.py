"""The page about a table: of every list, open to who may see its rows, and without a query of data."""

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from opsdb.models import DataGrouping, Observatory, Pipeline, RawDataFile, ReductionStep, Site
from opsdb.schema import describe_schema
from opsdb.testing.factories import ObservatoryFactory, SiteFactory, UserFactory

from .answers.pages import read
from .conftest import logged_in
from .pages import MODELS, address, name_of

SIGNED_IN = 1  # query, for the user


def about(model):
    return reverse(f"admin:opsdb_{model._meta.model_name}_about_{model._meta.model_name}")


@pytest.mark.parametrize("model", MODELS, ids=name_of)
def test_the_page_names_every_column_constraint_and_rule(model, browser):
    with CaptureQueriesContext(connection) as queries:
        text = read(browser.get(about(model))).text
    assert len(queries) == SIGNED_IN
    table = describe_schema().tables()[model._meta.db_table]
    parts = (*table.columns, *table.constraints, *table.indexes, *table.rules)
    assert [part.name for part in parts if part.name not in text] == []


def test_number_of_queries_is_the_same_for_who_may_see_only_some_tables(viewer):
    with CaptureQueriesContext(connection) as queries:
        read(viewer.get(about(RawDataFile)))
    assert len(queries) == SIGNED_IN + 2  # permissions of the user and of the roles


def test_lists_and_forms_lead_to_it(browser):
    row = ObservatoryFactory()
    for page in ("changelist", "add", "change"):
        assert about(Observatory) in read(browser.get(address(Observatory, page, row))).links, page
    assert about(Observatory) not in read(browser.get(f"{address(Observatory, 'add')}?_popup=1")).links


def test_who_may_not_see_a_table_may_not_read_about_it_here(db):
    user = UserFactory(is_staff=True, user_permissions=Permission.objects.filter(codename="view_site"))
    person = logged_in(user)
    links = read(person.get(about(Site))).links
    assert person.get(about(RawDataFile)).status_code == 403
    assert about(Site) in read(person.get(address(Site, "change", SiteFactory()))).links
    assert not [link for link in links if "about" in link and link != about(Site)]


def test_tables_that_it_names_are_linked(browser):
    links = read(browser.get(about(RawDataFile))).links
    assert reverse("admin:opsdb_datalocation_about_datalocation") in links
    assert "#checksumalgorithm" in links


@pytest.mark.parametrize(
    ("model", "part"),
    [(DataGrouping, "Filter rules"), (Pipeline, "Cron expressions"), (ReductionStep, "GroupingDimension")],
    ids=lambda one: getattr(one, "__name__", ""),
)
def test_the_languages_of_pipelines_are_explained_where_they_are_written(model, part, browser):
    assert part in read(browser.get(about(model))).text

"""Rows and querysets in a terminal and a notebook: bounded, escaped, without secrets."""

import pytest

from opsdb.models import ApiToken, ExecutedObsUnit, FixedSource, Site, Source
from opsdb.models.display import CHARACTERS_SHOWN, ROWS_SHOWN
from opsdb.testing.factories import ApiTokenFactory, ExecutedObsUnitFactory, FixedSourceFactory, SiteFactory

pytestmark = pytest.mark.django_db


def test_a_row_is_shown_with_its_key():
    site = SiteFactory(name="Cerro")
    assert repr(site) == f"<Site {site.pk}: {site}>"


def test_a_row_is_a_table_without_another_query(django_assert_num_queries):
    execution = ExecutedObsUnit.objects.get(pk=ExecutedObsUnitFactory().pk)
    with django_assert_num_queries(0):
        html = execution._repr_html_()
    assert f"<td>obs_unit_id</td><td>{execution.obs_unit_id}</td>" in html
    assert f"<td>{execution.start_time:%Y-%m-%d %H:%M:%S}Z</td>" in html


def test_a_queryset_is_shown_by_one_bounded_query(django_assert_num_queries):
    for number in range(ROWS_SHOWN + 3):
        SiteFactory(name=f"site {number:03}")
    with django_assert_num_queries(1) as asked:
        html = Site.objects.order_by("name")._repr_html_()
    assert f"LIMIT {ROWS_SHOWN + 1}" in asked.captured_queries[0]["sql"]
    assert html.count("<tr>") == ROWS_SHOWN + 1
    assert f"the first {ROWS_SHOWN} rows" in html
    found = Site.objects.filter(name__startswith="site")[:2]
    list(found)
    with django_assert_num_queries(0):
        assert "2 rows" in found._repr_html_()


def test_what_people_wrote_is_escaped_and_cut():
    SiteFactory(name="<script>alert(1)</script>", description="x" * 5_000)
    for shown in (
        Site.objects.all(),
        Site.objects.values("name"),
        Site.objects.values_list("name"),
        Site.objects.get(),
    ):
        html = shown._repr_html_()
        assert "&lt;script&gt;" in html and "<script>" not in html
        assert "x" * CHARACTERS_SHOWN not in html


def test_subtypes_and_annotations_are_shown():
    FixedSourceFactory(name="here", ra_deg=10, dec_deg=20)
    assert "separation_deg" in FixedSource.objects.cone_search(10, 20, 1)._repr_html_()
    assert "ra_deg" in Source.objects.specific()._repr_html_()


def test_secrets_are_not_shown():
    token = ApiTokenFactory()
    for shown in (token._repr_html_(), ApiToken.objects.all()._repr_html_(), str(ApiToken.objects.to_dataframe())):
        assert "token_hash" not in shown and token.token_hash not in shown


def test_an_empty_queryset_is_shown():
    assert "0 rows" in Site.objects.none()._repr_html_()

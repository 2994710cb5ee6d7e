"""Catalogues of many thousand sources, which others have made."""

import csv

import pytest
from pyongc import ongc

from opsdb.loaders import load, prepare
from opsdb.models import FixedSource


@pytest.mark.django_db
def test_thirteen_thousand_objects_of_opengnc_load_by_the_thousand(tmp_path, django_assert_max_num_queries):
    """``python -m benchmarks.catalogue`` says how long that takes."""
    objects = {one.name: one for one in ongc.listObjects() if one.ra != "N/A"}
    path = tmp_path / "sources.csv"
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["name", "ra", "dec", "comment"])
        writer.writerows([one.name, one.ra, one.dec, one.type] for one in objects.values())
    with django_assert_max_num_queries(80):
        plan = load("sources", path)
    assert plan.counted("create") == FixedSource.objects.count() > 13_000
    with django_assert_max_num_queries(40):
        assert prepare("sources", path).changes_nothing

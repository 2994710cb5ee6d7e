"""Whatever is given to a parameter, the filter set answers: with rows, or with what is wrong."""

import pytest

from opsdb.filters import FILTERSETS, Size, filterset_for
from opsdb.models import RawDataFile

JUNK = [
    "a\x00b",
    "-1",
    "0",
    "9" * 31,
    "1e400",
    "1e308",
    "NaN",
    "-inf",
    "[]",
    '{"a": ',
    "00000000-0000-0000-0000-000000000000",
    "'; DROP TABLE obs_unit; --",
    "\\",
    "/",
    "a/b/c/d/e/f/g",
    "２０２６",
    "99999999-01-01",
    "2026-13-45",
    "0001-01-01T00:00+14:00",
    "9999-12-31",
    "9999-12-31T23:59:59-14:00",
    "2026-06-15T02:00:00 00:00",
    "1,2",
    "1,91,1",
    "1,2,1e400",
    "1,1,180",
    "true",
    "\ud800",
    "x" * 5_000,
    "a " * 500,
    "-id",
    "password",
]


@pytest.mark.parametrize("model", FILTERSETS, ids=lambda model: model.__name__)
def test_answers_whatever_is_given(model):
    filterset = filterset_for(model)
    for text in JUNK:
        together = filterset(dict.fromkeys(filterset.base_filters, text), refuse_unknown=True)
        wrong = set(together.errors)
        assert not together.qs.exists() or not wrong
        valid = [name for name in filterset.base_filters if name not in wrong]
        # What a big table is asked for together is refused before the database sees it.
        for names in [[name] for name in valid] if filterset.size is Size.BIG else [valid]:
            list(filterset(dict.fromkeys(names, text)).qs[:2])
    assert "\x00" not in str(filterset({"a\x00": "1"}, refuse_unknown=True).errors)


@pytest.mark.parametrize("data", [{"q": ["a", "b"]}, {"q": 1}, {"q": None}, {"q": {}}])
def test_answers_data_that_are_no_texts(data):
    assert filterset_for(next(iter(FILTERSETS)))(data).qs is not None


@pytest.mark.parametrize("model", FILTERSETS, ids=lambda model: model.__name__)
def test_a_place_that_the_database_cannot_find_is_the_first_page(model):
    filterset = filterset_for(model)
    for name in filterset.orders():
        rows = filterset({"ordering": name})
        for text in ("a\x00b", "a\ud800"):
            for place in (f"after,{text}", f"before,{text},1", f"after,1,{text}"):
                assert rows.page(place).direction is None
        for text in ("9" * 31, "0001-01-01T00:00:00+23:59", "9999-12-31T00:00:00-23:59", "2026-01-01T00:00:00+23:59"):
            assert rows.page(f"after,{text},1").rows is not None
    first = filterset().page().rows
    assert filterset().page("after,a\x00b,1").rows == first


def test_a_place_along_an_index_may_be_any_number():
    file = RawDataFile.objects.first()
    rows = filterset_for(RawDataFile)({"instrument_module": str(file.instrument_module_id)})
    for key in (1, 2**63 - 1, 2**63, 2**64, 10**31, -(10**31)):
        assert rows.page(f"after,{key}").rows

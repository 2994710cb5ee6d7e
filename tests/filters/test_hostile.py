"""Whatever is given to a parameter, the filter set answers: with rows, or with what is wrong."""

import pytest

from opsdb.filters import FILTERSETS, Size, filterset_for

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

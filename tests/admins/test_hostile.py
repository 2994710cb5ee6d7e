"""Whatever is asked of the admin, by whoever, it answers: no request makes a server error."""

import string
from urllib.parse import quote, urlencode

import pytest
from django.urls import URLPattern, URLResolver
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from opsdb.admins.kit.confirmation import STAGE
from opsdb.testing.factories import FACTORIES

from .acting import ACTIONS
from .pages import ADMINS, MODELS, SITE, address, is_parent

JUNK = st.one_of(
    st.sampled_from(
        [
            "",
            "\x00",
            "a\x00b",
            "-1",
            "0",
            "9" * 40,
            "-" + "9" * 25,
            "1e400",
            "NaN",
            "null",
            "[]",
            '{"a": ',
            "019b0000-zzzz",
            "00000000-0000-0000-0000-000000000000",
            "'; DROP TABLE obs_unit; --",
            "%",
            "%00",
            "\\",
            '"',
            "../../etc/passwd",
            "<script>alert(1)</script>",
            "２０２６",
            "2026-13-45",
            "0000-00-00",
            "9999-12-31",
            "23:59:61",
            "true",
            "٣",
            "\ud7ff",
            "\u202e",
            "x" * 5_000,
        ]
    ),
    st.text(max_size=12),
    st.integers().map(str),
    st.uuids().map(str),
)
LOOKUPS = (
    "",
    "__exact",
    "__in",
    "__gt",
    "__gte",
    "__lt",
    "__isnull",
    "__range",
    "__icontains",
    "__regex",
    "__year",
    "__pk",
    "__x",
)
LIST_PARAMETERS = (
    "q",
    "o",
    "p",
    "all",
    "e",
    "_popup",
    "_to_field",
    "_changelist_filters",
    "after",
    "before",
    "page",
    "_facets",
)
PAGES = (
    "",
    "add/",
    "export/csv/",
    "export/json/",
    "export/{junk}/",
    "import/{kind}/",
    "{key}/change/",
    "{key}/delete/",
    "{key}/history/",
    "{key}/history/{junk}/restore/",
    "{key}/",
    "{junk}",
)
OTHERS = ("", "autocomplete/", "jsi18n/", "password_change/", "opsdb/", "r/{junk}/{junk}/")


def patterns():
    """Every route of the admin that takes no arguments, but those of Django's own admins."""

    def walk(found, prefix=""):
        for one in found:
            route = prefix + str(one.pattern)
            if isinstance(one, URLResolver):
                yield from walk(one.url_patterns, route)
            elif isinstance(one, URLPattern) and not set(route) & set("<^("):
                yield route

    return sorted(route for route in set(walk(SITE.urls[0])) if not route.startswith("auth/"))


@st.composite
def addresses(draw):
    """An address within the admin, its parts and its query as a hand could type them."""
    model = draw(st.sampled_from(MODELS))
    key = draw(st.one_of(st.just("{own}"), JUNK))
    if draw(st.integers(0, 9)) == 0:
        path = "/admin/" + draw(st.sampled_from([*OTHERS, *patterns()]))
    else:
        path = address(model, "changelist") + draw(st.sampled_from(PAGES))
    path = path.replace("{key}", key if key == "{own}" else quote(key, safe=""))
    path = path.replace("{junk}", quote(draw(JUNK), safe="")).replace(
        "{kind}", draw(st.sampled_from(["sources", "slots", "x"]))
    )
    names = [field.name for field in model._meta.get_fields()]
    parameter = st.one_of(
        st.sampled_from(LIST_PARAMETERS),
        st.builds(str.__add__, st.sampled_from(names), st.sampled_from(LOOKUPS)),
        st.builds(lambda *parts: "__".join(parts), st.sampled_from(names), st.sampled_from(names)),
        st.text(string.ascii_lowercase + "_", max_size=8),
    )
    query = draw(st.lists(st.tuples(parameter, JUNK), max_size=3))
    return model, path, urlencode(query, errors="replace")


@st.composite
def forms(draw, model):
    """What a hand could post: fields of the form, an action, formsets; each of them junk."""
    page = ADMINS[model]
    names = [
        *page.model_fields,
        *(f"{name}_{part}" for name in page.model_fields for part in (0, 1)),
        "_save",
        "_continue",
        "_saveasnew",
        "post",
        "index",
        "select_across",
        "form-TOTAL_FORMS",
        "form-INITIAL_FORMS",
        "_popup",
        "_to_field",
        "reason",
        STAGE,
        "opsdb_digest",
        "opsdb_from_row",
        "opsdb_signed",
        "on_conflict",
        "file",
        *(f"{inline.model._meta.model_name}_set-TOTAL_FORMS" for inline in page.inlines),
    ]
    data = dict(draw(st.lists(st.tuples(st.sampled_from(names), JUNK), max_size=8)))
    actions = [action.name for one, action in ACTIONS if one is model] + ["delete_selected"]
    if draw(st.booleans()):
        data["action"] = draw(st.one_of(st.sampled_from(actions), JUNK))
        data["_selected_action"] = draw(st.lists(st.one_of(st.just("{own}"), JUNK), max_size=3))
        data[STAGE] = draw(st.sampled_from(["", "look", "confirm", "x"]))
        fields = next((list(a.form.base_fields) for one, a in ACTIONS if one is model and a.name == data["action"]), [])
        data |= {name: draw(JUNK) for name in fields}
    return data


def own(value, row):
    """Put the key of a real row where one is asked for."""
    return [own(one, row) for one in value] if isinstance(value, list) else value.replace("{own}", str(row.pk))


@pytest.fixture
def answering(browser):
    browser.raise_request_exception = True
    return browser


def row_of(model):
    return FACTORIES[model]()


SETTINGS = settings(
    max_examples=100,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def ask(client, method, path, query, data=None):
    response = getattr(client, method)(f"{path}?{query}", data or {})
    assert response.status_code < 500, f"{method} {path}?{query} {data}"
    if response.streaming:
        b"".join(response.streaming_content)


@SETTINGS
@given(st.data())
def test_a_hundred_hostile_questions_are_answered(answering, data):
    model, path, query = data.draw(addresses())
    row = row_of(model) if "{own}" in path else None
    ask(answering, "get", own(path, row) if row else path, query)


@SETTINGS
@given(st.data())
def test_a_hundred_hostile_posts_are_answered(answering, data):
    model, path, query = data.draw(addresses())
    form = data.draw(forms(model))
    row = row_of(model)
    ask(answering, "post", own(path, row), query, {name: own(value, row) for name, value in form.items()})


def test_an_empty_name_of_a_field_is_none(answering):
    row = row_of(MODELS[0])
    for page in ("change", "delete"):
        ask(answering, "post", address(MODELS[0], page, row), "_to_field=", {"_to_field": ""})


@pytest.mark.parametrize("model", [model for model in MODELS if not is_parent(model)], ids=lambda model: model.__name__)
def test_a_form_full_of_junk_is_refused_and_not_failed_at(model, answering, bare_pages):
    page = ADMINS[model]
    row = row_of(model)
    for junk in ("\x00", "9" * 40, "x" * 300, "-1", "NaN", "[[["):
        data = dict.fromkeys(page.model_fields, junk) | {
            f"{name}_{n}": junk for name in page.model_fields for n in (0, 1)
        }
        shown = set()
        for path in (address(model, "add"), address(model, "change", row)):
            response = answering.post(path, data)
            assert response.status_code < 500
            if response.status_code == 200:
                form = response.context_data["adminform"].form
                for name in form.fields.keys() - shown:
                    form[name].as_widget()
                shown |= form.fields.keys()

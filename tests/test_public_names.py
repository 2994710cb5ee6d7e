"""What the API reference lists: every public name, with its meaning."""

import inspect
import re

import pytest

import opsdb.workflows
from tests.commands import ROOT
from tools.public_names import public_names

DOORS = [
    "opsdb.models",
    "opsdb.workflows",
    "opsdb.loaders",
    "opsdb.filters",
    "opsdb.access",
    "opsdb.events",
    "opsdb.errors",
    "opsdb.testing.factories",
    "opsdb.testing.nights",
    "opsdb.testing.databases",
]


def test_every_name_of_all_is_found():
    names = [one.name for one in public_names("opsdb.workflows")]
    assert sorted(names) == sorted(opsdb.workflows.__all__)
    assert len(public_names("opsdb.models")) > 90
    assert {one.name for one in public_names("opsdb.testing.nights")} >= {"make_night", "build_world", "World"}


@pytest.mark.parametrize("door", DOORS)
def test_every_public_function_and_class_of_workflows_has_a_docstring(door):
    # What the reference describes from elsewhere: enumerations, filter sets, factories.
    described = re.compile(r"FilterSet$|Factory$")
    silent = [
        one.name
        for one in public_names(door)
        if (inspect.isclass(one.value) or inspect.isroutine(one.value))
        and not (one.value.__doc__ or "").strip()
        and not described.search(one.name)
        and one.module != "opsdb.models.enums"
    ]
    assert silent == []


def test_every_front_door_has_a_page():
    """The build of the site fails for a name that its page lacks; here it is the page that might be missing."""
    extension = (ROOT / "tools" / "sphinx_reference.py").read_text()
    assert [door for door in DOORS if f'"{door}"' not in extension] == []
    pages = re.findall(r'^    "(api/\w+)": \(', extension, re.MULTILINE)
    assert [page for page in pages if not (ROOT / "docs" / f"{page}.md").exists()] == []
    assert len(pages) == 8

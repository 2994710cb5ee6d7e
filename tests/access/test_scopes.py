"""What a scope is said to do is what it does, and docs/access.md says it in the same words."""

import re

import pytest

from opsdb.permissions import (
    ACTIONS,
    ANY,
    CONTAINS,
    DOES,
    RESOURCES,
    covers,
    describe_scope,
    offered_scopes,
    permissions_named,
)
from tests.commands import ROOT


@pytest.mark.parametrize(
    ("scope", "meaning"),
    [
        ("*:*", "all that its user may do"),
        ("read:*", "view the rows of every table of ops-db"),
        ("read:observations", "view observations: what the telescope did for a unit, each time"),
        ("write:users", "add and change users, roles, API tokens"),
        ("*:products", "everything with software, pipelines, runs, data products"),
        ("approve:deletion_request", "approve or reject a deletion request of another person"),
        ("assess:executed_obs_unit", "judge the quality of an observation"),
        ("view:source", "view sources (this table only)"),
        ("change:executed_reduction_step", "change runs (this table only)"),
        ("add:rawdatafilephysicalcopy", "add copies of raw data files (this table only)"),
        ("*:archive", "everything with archive transfers, archive transfer logs, staging jobs"),
        ("nonsense", ""),
        ("read:nothing", ""),
    ],
)
def test_a_scope_is_described_in_plain_words(scope, meaning):
    assert describe_scope(scope) == meaning


def test_every_action_and_resource_that_stands_for_others_is_described():
    assert {*DOES} == {*ACTIONS, ANY}
    assert {*CONTAINS} == {*RESOURCES, ANY}
    assert [scope for scope in offered_scopes() if not describe_scope(scope)] == []
    assert describe_scope("read:planning").endswith(" more tables")


def test_an_action_does_what_is_said_of_it():
    verbs = {"view", "add", "change", "delete"}
    for action, stands_for in ACTIONS.items():
        assert {*re.findall(r"\w+", DOES[action])} & verbs == {*stands_for}
    assert covers(["write:data"], "opsdb.add_rawdatafile")
    assert not covers(["write:data"], "opsdb.view_rawdatafile") and not covers([], "opsdb.view_rawdatafile")
    assert permissions_named("read:*") > permissions_named("read:data")


def test_the_page_about_access_has_the_same_words():
    page = (ROOT / "docs" / "access.md").read_text()
    said = dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", page, re.MULTILINE))
    assert {name: said[name] for name in RESOURCES} == {name: CONTAINS[name] for name in RESOURCES}

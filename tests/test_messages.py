"""Every refusal has what to do beside what is wrong, and names locations and people as people call them."""

import ast
import re

from django.contrib.postgres.constraints import ExclusionConstraint
from django.db import models

from opsdb.admins.actions.switches import ENABLE
from opsdb.database.triggers import Refuses
from tests.commands import ROOT
from tests.models.schema import MODELS

SQL = sorted((ROOT / "opsdb" / "database" / "sql").glob("*.sql"))
WORKFLOWS = sorted((ROOT / "opsdb" / "workflows").rglob("*.py"))
LOADED = {path: path.read_text() for path in (*SQL, *WORKFLOWS)}
FUNCTION = re.compile(r"^CREATE OR REPLACE FUNCTION (\w+)\(.*?(?=^CREATE OR REPLACE|\Z)", re.DOTALL | re.MULTILINE)
FUNCTIONS = {found[1]: found[0] for path in SQL for found in FUNCTION.finditer(LOADED[path])}
ERRORS = {"OpsdbError", "NotFound", "Conflict", "Refused", "NoRoute", "NoRoom", "refuse"}
# What to do follows a semicolon, or is all that is said.
HAS_REMEDY = re.compile(r"; |: (give|describe|name) ")
A_LOCATION = re.compile(r"(^|_)(location|archive|buffer|origin|destination)$")
BARE_LOCATION = re.compile(r"\b\w*(?:location|place|archive|buffer)\.name\b")


def arguments_of(text, start):
    """The arguments of the call whose parenthesis is before ``start``."""
    depth, quoted, arguments = 0, False, [""]
    for sign in text[start:]:
        quoted ^= sign == "'"
        if not quoted:
            depth += (sign in "([") - (sign in ")]")
            if depth < 0:
                return [argument.strip() for argument in arguments]
            if sign == "," and not depth:
                arguments.append("")
                continue
        arguments[-1] += sign
    raise AssertionError(f"a call does not end: {text[start : start + 60]}")


REFUSALS = [
    (name, arguments_of(text, call.end()))
    for name, text in FUNCTIONS.items()
    for call in re.finditer(r"PERFORM opsdb_refuse\(", text)
]


def test_every_refusal_of_the_database_has_a_hint():
    assert len(REFUSALS) > 50
    assert [(name, arguments) for name, arguments in REFUSALS if len(arguments) < 4] == []
    assert [name for name, arguments in REFUSALS if re.fullmatch(r"''|NULL", arguments[3])] == []


def test_only_one_function_of_the_database_refuses():
    assert [name for name, text in FUNCTIONS.items() if "RAISE EXCEPTION" in text] == ["opsdb_refuse"]


def test_a_hint_is_a_sentence():
    hints = [text for _, arguments in REFUSALS for text in re.findall(r"^'([^']+)'$", arguments[3])]
    hints += [rule.hint for model in MODELS for rule in model._meta.constraints if isinstance(rule, Refuses)]
    assert len(hints) > 40
    assert [hint for hint in hints if not re.fullmatch(r"[A-Z].*\.", hint)] == []


def test_what_there_is_once_has_what_to_do_about_a_second():
    kinds = (models.UniqueConstraint, ExclusionConstraint)
    rules = [rule for model in MODELS for rule in model._meta.constraints if isinstance(rule, kinds)]
    assert len(rules) > 30
    assert [rule.name for rule in rules if "; " not in rule.violation_error_message] == []


def test_the_database_names_people_by_their_username():
    """Nothing puts a key of a user into a message, except where no such user exists."""
    for name, arguments in REFUSALS:
        values = re.sub(r"opsdb_(?:username|name_user)\([\w.:]+\)|'[^']*'", "", arguments[2])
        keys = re.findall(r"\b(?:actor|\w+_by_id)\b", values)
        assert keys == [] or "there is no user with the key" in arguments[2], name


def test_the_database_names_locations_with_their_site():
    assert [name for name, text in FUNCTIONS.items() if BARE_LOCATION.search(text)] == ["opsdb_name_location"]


def nodes(kind):
    """All nodes of a kind in the workflows, with where they are."""
    for path in WORKFLOWS:
        for node in ast.walk(ast.parse(LOADED[path])):
            if isinstance(node, kind):
                yield f"{path.name}:{node.lineno}", node


def text_of(node):
    """The strings within an expression, in their order."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    return "".join(map(text_of, ast.iter_child_nodes(node)))


def refused():
    """The texts that workflows refuse with, without their values."""
    for where, call in nodes(ast.Call):
        if getattr(call.func, "id", "") in ERRORS and call.args and (text := text_of(call.args[0]).rstrip(" .;")):
            yield where, text


def test_every_refusal_of_a_workflow_has_what_to_do():
    # What ends with a colon hands on the words of another refusal.
    said = [found for found in refused() if not found[1].endswith(":")]
    assert len(said) > 100
    assert [found for found in said if not HAS_REMEDY.search(found[1])] == []


def test_workflows_name_locations_with_their_site():
    bare = {
        where
        for where, part in nodes(ast.FormattedValue)
        if A_LOCATION.search(getattr(part.value, "attr", "") or getattr(part.value, "id", ""))
    }
    # It writes SQL.
    assert {where.partition(":")[0] for where in bare} == {"traffic.py"}
    in_sql = [
        path.name for path in WORKFLOWS if re.search(r"(?<!short_name \|\| '/' \|\| )location\.name \|\|", LOADED[path])
    ]
    assert in_sql == []


def test_one_word_for_bringing_something_into_use():
    """As the admin's action is called: *Enable*."""
    other = re.compile(r"\b(?:re|de)?activat(?:e|es|ed|ing)\b", re.IGNORECASE)
    texts = [(where, node.value) for where, node in nodes(ast.Constant) if isinstance(node.value, str)]
    texts += [(name, text) for name, arguments in REFUSALS for text in arguments]
    assert [found for found in texts if other.search(found[1])] == []
    assert str(ENABLE.label) == "Enable"


def test_no_refusal_of_a_workflow_names_a_function():
    function = re.compile(r"\b(?:call|by) \w+_\w+\b|\w+\(\)|opsdb\.workflows")
    assert [found for found in refused() if function.search(found[1])] == []

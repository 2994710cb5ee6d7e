"""``from opsdb.workflows import …``: every public name, once, one base of all errors, five verbs for each work."""

import ast
import inspect
import re
import subprocess
import sys
import typing
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages

import pytest
from django.contrib.auth.base_user import AbstractBaseUser

import opsdb.workflows
from opsdb.models import (
    DataLocation,
    DataProduct,
    DataTransfer,
    DataTransferPackage,
    DeletionRequest,
    ExecutedObsUnit,
    ExecutedReductionStep,
    FailureAcknowledgement,
    LongTermArchiveTransfer,
    PhysicalCopy,
    RawDataPackage,
    ReductionStep,
    StagingJob,
)
from opsdb.models.base import WorkItem

FOLDER = Path(opsdb.workflows.__file__).parent
FUNCTIONS = sorted(name for name in opsdb.workflows.__all__ if inspect.isfunction(getattr(opsdb.workflows, name)))
MODULES = sorted(module.name for module in walk_packages([str(FOLDER)], "opsdb.workflows."))
# The kinds of work: what is claimed in the plural, and what the other verbs take in the singular.
WORK = {
    RawDataPackage: ("packaging", "packaging"),
    DataTransferPackage: ("bundling", "bundling"),
    DataTransfer: ("transfers", "transfer"),
    LongTermArchiveTransfer: ("archive_transfers", "archive_transfer"),
    StagingJob: ("staging", "staging"),
    ExecutedReductionStep: ("runs", "run"),
    PhysicalCopy: ("deletions", "deletion"),
    "unpacking": ("unpacking", "unpacking"),
}
WITHOUT_HEARTBEAT = {ExecutedReductionStep, PhysicalCopy}


def public_functions(module):
    """The functions that a module defines and that are no helpers by their name."""
    return {
        name
        for name, value in vars(module).items()
        if inspect.isfunction(value) and value.__module__ == module.__name__ and not name.startswith("_")
    }


def test_every_name_can_be_imported_and_is_listed():
    for name in opsdb.workflows.__all__:
        assert getattr(opsdb.workflows, name) is not None
    assert len(set(opsdb.workflows.__all__)) == len(opsdb.workflows.__all__)
    assert set(opsdb.workflows.__all__) <= set(dir(opsdb.workflows))
    with pytest.raises(AttributeError, match="no attribute 'approve'"):
        opsdb.workflows.approve  # noqa: B018


def test_no_public_name_is_hidden_by_a_module():
    modules = {name.removeprefix("opsdb.workflows.").partition(".")[0] for name in MODULES}
    assert not modules & set(opsdb.workflows.__all__)


def test_what_modules_define_in_public_is_at_the_front_door():
    hidden = {
        f"{name}.{function}"
        for name in MODULES
        if not any(part.startswith("_") for part in name.split("."))
        for function in public_functions(import_module(name)) - set(opsdb.workflows.__all__)
    }
    # What the kinds of work share, and what explains the rows of one model.
    assert {
        name for name in hidden if not name.startswith(("opsdb.workflows.work.", "opsdb.workflows.explain."))
    } == set()


def test_every_function_is_a_verb_and_a_noun():
    assert [name for name in FUNCTIONS if "_" not in name] == ["attributed"]


def test_every_error_derives_from_one():
    for name in MODULES:
        for value in vars(import_module(name)).values():
            if isinstance(value, type) and issubclass(value, Exception) and value.__module__.startswith("opsdb."):
                assert issubclass(value, opsdb.workflows.OpsdbError), value
                assert value.__module__ == "opsdb.workflows.errors", value
                assert value.__name__ in opsdb.workflows.__all__, value


@pytest.mark.parametrize("name", FUNCTIONS)
def test_public_functions_are_annotated(name):
    function = inspect.unwrap(getattr(opsdb.workflows, name))
    signature = inspect.signature(function)
    assert signature.return_annotation is not inspect.Signature.empty
    for parameter in signature.parameters.values():
        assert parameter.annotation is not inspect.Parameter.empty, parameter
    if "user" in signature.parameters:
        assert_is_typed_user(function)


def assert_is_typed_user(function):
    names = vars(sys.modules[function.__module__]) | {"AbstractBaseUser": AbstractBaseUser}
    hint = eval(function.__annotations__["user"], names)  # noqa: S307 - the annotations of our own functions
    users = [part for part in typing.get_args(hint) or [hint] if inspect.isclass(part)]
    assert any(issubclass(part, AbstractBaseUser) for part in users), hint


@pytest.mark.parametrize("kind", WORK, ids=str)
def test_every_kind_of_work_has_the_five_verbs(kind):
    plural, singular = WORK[kind]
    expected = {f"claim_{plural}", *(f"{verb}_{singular}" for verb in ("heartbeat", "complete", "fail", "reset"))}
    if kind in WITHOUT_HEARTBEAT:
        expected.remove(f"heartbeat_{singular}")
    assert expected <= set(FUNCTIONS)
    table = opsdb.workflows.__doc__
    assert f"claim_{plural}" in table and singular in table


READS = re.compile(
    r"(choose|count|describe|explain|filter|find|format|get|group|has|list|measure|name|normalize|search|translate|validate)_"
)
# What the caller does within its own transaction, and locks.
OF_NO_ROW = {"attributed", "attributed_to", "record_new_copy", "set_actor"}


# How a docstring calls the rows of a model that it locks. "The row" is that of the first argument.
LOCKED_AS = {
    DataLocation: r"buffer|archive|location",
    DataProduct: r"product",
    DataTransfer: r"transfer",
    DeletionRequest: r"request",
    ExecutedObsUnit: r"\brow\b|execution",
    FailureAcknowledgement: r"\brow\b|acknowledgement",
    PhysicalCopy: r"\bcop(y|ies)\b",
    ReductionStep: r"\bsteps?\b",
    StagingJob: r"\bjobs?\b",
}


def models_locked_by(function):
    """The models of which the source of a function itself locks rows: ``Model.objects.….select_for_update()``."""
    names = vars(sys.modules[function.__module__])
    for call in ast.walk(ast.parse(inspect.getsource(function))):
        if isinstance(call, ast.Attribute) and call.attr == "select_for_update":
            base = call.value
            while isinstance(base, ast.Call | ast.Attribute):
                base = base.func if isinstance(base, ast.Call) else base.value
            model = names.get(base.id) if isinstance(base, ast.Name) else None
            if inspect.isclass(model):
                yield model


@pytest.mark.parametrize("name", sorted({name for name in FUNCTIONS if not READS.match(name)} - OF_NO_ROW))
def test_what_changes_rows_says_what_it_locks(name):
    """It names the rows that its own source locks by their model.

    Not seen are locks of the helpers that it calls, of querysets kept in a variable, and of the database's triggers;
    of these a function says something, and nothing compares what.
    """
    function = inspect.unwrap(getattr(opsdb.workflows, name))
    said = " ".join(re.findall(r"[^.]*\b[Ll]ock[^.]*", inspect.getdoc(function)))
    assert said
    for model in models_locked_by(function):
        assert re.search(LOCKED_AS[model], said), f"locks rows of {model.__name__}, and says:{said}"


def test_the_locks_of_functions_are_found():
    found = {model for name in FUNCTIONS for model in models_locked_by(inspect.unwrap(getattr(opsdb.workflows, name)))}
    assert found == LOCKED_AS.keys()


def test_every_work_item_is_a_kind_of_work():
    assert {model for model in WorkItem.__subclasses__() if not model._meta.abstract} <= set(WORK)


def test_older_than_is_a_period():
    questions = [
        opsdb.workflows.filter_stalled,
        type(PhysicalCopy.objects.all()).deletion_stalled,
        type(DataTransfer.objects.all()).unpacking_stalled,
    ]
    for question in questions:
        assert question.__annotations__["older_than"] in ("timedelta", timedelta)


def test_importing_the_door_imports_no_room():
    code = "import sys, opsdb.workflows; print(sorted(name for name in sys.modules if name.startswith('opsdb.')))"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "['opsdb.workflows']"


def test_the_stub_imports_every_name_under_its_own():
    stub = ast.parse((FOLDER / "__init__.pyi").read_text())
    for node in stub.body:
        assert isinstance(node, ast.ImportFrom) and node.level == 1
        assert all(alias.asname == alias.name for alias in node.names), node.module


@pytest.mark.parametrize("path", sorted(FOLDER.rglob("*.py")), ids=lambda path: str(path.relative_to(FOLDER)))
def test_a_module_is_one_topic(path):
    assert len(path.read_text().splitlines()) <= 450

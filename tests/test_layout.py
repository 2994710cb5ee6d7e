"""The layout of the code: one topic a file, one meaning a class name, dependencies one way and never in a circle."""

import ast
from collections import defaultdict
from graphlib import CycleError, TopologicalSorter
from importlib.metadata import distributions
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet

import opsdb

APP = Path(opsdb.__file__).parent
FILES = sorted(path for path in APP.rglob("*.py") if "migrations" not in path.parts)
LONGEST_FILE = 450
# What a part of the app may import of the others; each may also import itself.
ALLOWED = {
    "database": set(),
    "models": {"database"},
    "workflows": {"database", "models"},
    "loaders": {"database", "models", "workflows"},
    "reference": set(),
    "demonstration": {"database", "models", "workflows"},
    "embedded": set(),
    "filters": {"database", "models", "loaders"},
    "admins": {"database", "models", "workflows", "loaders", "errors", "filters", "schema"},
    "errors": {"database", "workflows"},
    "access": {"database", "models", "workflows"},
    "rest_framework": {"access", "errors", "models"},
    "schema": {"database", "models"},
    "migrations": {"database"},
    "testing": {"database", "models", "workflows", "loaders", "checks"},
}
# Modules beside the parts that any of them may import: settings, words and formats.
COMMON = {
    "conf",
    "formatting",
    "middleware",
    "normalization",
    "permissions",
    "earth",
    "positions",
    "row_labels",
    "svg",
    "tokens",
    "",
}


def name_of(path):
    parts = path.relative_to(APP.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {name_of(path): path for path in FILES}


def statements(tree):
    """Every statement that runs, also within functions; what only type checkers read does not."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.expr) or isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            continue
        yield node
        yield from statements(node)


def imports_of(module):
    """The modules of ours that a module imports, anywhere in it."""
    path = MODULES[module]
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for node in statements(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in MODULES)
        elif isinstance(node, ast.ImportFrom):
            base = package.rsplit(".", node.level - 1)[0] if node.level else ""
            source = ".".join(filter(None, [base, node.module])) if node.level else node.module
            for alias in node.names:
                if f"{source}.{alias.name}" in MODULES:
                    yield f"{source}.{alias.name}"
                elif source in MODULES:
                    yield source


@pytest.fixture(scope="module")
def imports():
    """What each module of ours imports of the others."""
    return {module: {other for other in imports_of(module) if other != module} for module in MODULES}


def part_of(module):
    """The part of the app that a module belongs to: its folder, or the module itself directly in the app."""
    return module.split(".")[1] if module.count(".") else ""


def test_the_reader_of_imports_sees_them(imports):
    assert "opsdb.database.checks" in imports["opsdb.models.base"]
    assert "opsdb.models" in imports["opsdb.workflows.states"] | imports["opsdb.workflows.observing"]


def test_no_modules_import_each_other_in_a_circle(imports):
    """A package's front door is one with what it re-exports only for those outside: inside, modules name each other."""
    try:
        [*TopologicalSorter(imports).static_order()]
    except CycleError as error:
        pytest.fail(" → ".join(error.args[1]))


def test_dependencies_point_one_way(imports):
    wrong = [
        f"{module} imports {other}"
        for module, others in imports.items()
        for other in others
        if (allowed := ALLOWED.get(part_of(module))) is not None
        and part_of(other) not in allowed | {part_of(module)} | COMMON
    ]
    assert wrong == []


def test_only_the_registration_imports_the_admins(imports):
    importers = {
        module
        for module, others in imports.items()
        if part_of(module) != "admins" and any(part_of(other) == "admins" for other in others)
    }
    assert importers <= {"opsdb.admin", "opsdb.templatetags.opsdb_pages"}


def test_a_file_is_one_topic():
    lines = {str(path.relative_to(APP)): len(path.read_text(encoding="utf-8").splitlines()) for path in FILES}
    assert {path: number for path, number in lines.items() if number > LONGEST_FILE} == {}


def test_a_class_name_means_one_thing():
    places = defaultdict(list)
    for path in FILES:
        for node in statements(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef) and node.name not in {"Meta", "Command", "Media", "Params"}:
                places[node.name].append(str(path.relative_to(APP)))
    assert {name: found for name, found in places.items() if len(found) > 1} == {}


def test_the_first_python_3_11_takes_the_versions_that_are_installed_together():
    pinned = dict(line.split("==") for line in (APP.parent / "constraints.txt").read_text().split())
    installed = {
        one.name: one.metadata["Requires-Python"] or ""
        for one in distributions()
        if pinned.get(one.name) == one.version
    }
    assert installed
    assert {name: needed for name, needed in installed.items() if not SpecifierSet(needed).contains("3.11.0")} == {}

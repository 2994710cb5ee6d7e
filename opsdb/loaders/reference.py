"""Reference data: YAML files that say which rows an instance has, and how they become rows.

A file holds, under the name of each model, a list of rows; a row gives fields of the model by their names.
References to other rows are written as their natural keys. Which fields exist and what they may hold is the
models' business alone: nothing here knows a model by name, except permissions, which are given as patterns.
Format: docs/reference-data.md.
"""

from __future__ import annotations

import difflib
from collections import Counter
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from math import isfinite
from pathlib import Path
from zlib import crc32

from django.apps import apps
from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.db import connection, models, transaction

from .errors import LoadError, Problems, listed, shown
from .files import read_lines
from .rows import try_to_save

REFERENCE_DIRECTORY = Path(__file__).resolve().parent.parent / "reference"
INDEX_NAME = "index.yaml"
APP_LABEL = "opsdb"
LOCK_NUMBER = crc32(b"opsdb reference data")


@dataclass(frozen=True)
class Entry:
    """One row as a file gives it; ``where`` is its path in the file, such as ``Telescope[0]``."""

    problems: Problems
    where: str
    lines: dict
    model: type[models.Model]
    values: dict

    def problem(self, message, field_name=None, expected=""):
        """Note a problem of this row, at one of its fields if it is about one."""
        place = f"{self.where}.{field_name}" if field_name else self.where
        self.problems.add(message, expected=expected, line=self.lines.get(place, self.lines[self.where]), column=place)


@dataclass(frozen=True)
class Change:
    """A field of an existing row that is not as the files want it."""

    model: str
    row: str
    field: str
    old: str
    new: str


@dataclass
class ReferenceLoad:
    """What a load did, or with ``dry_run`` would do. Models are counted by their names, in the files' order."""

    dry_run: bool
    created: dict[str, list[str]] = field(default_factory=dict)
    changed: Counter = field(default_factory=Counter)
    unchanged: Counter = field(default_factory=Counter)
    changes: list[Change] = field(default_factory=list)

    @property
    def changes_nothing(self) -> bool:
        """Whether the database already was as the files want it."""
        return not any(self.created.values()) and not self.changes


def load_reference(directory=None, *, dry_run=False) -> ReferenceLoad:
    """Bring the database to the state that the reference files describe; never delete a row.

    Rows are found by natural key, made if missing, and changed where a field that the file gives differs; fields
    that a file leaves out are left alone. All files are checked before anything is written, and everything is
    written in one transaction under an advisory lock, so that two loads at once end in one clean state.

    Args:
        directory: a folder with ``index.yaml``; without it, the reference data that come with the package.
        dry_run: do everything, report it, and undo it.

    Returns:
        What was created, changed and left as it was.

    Raises:
        LoadError: a file is wrong; it names file, line and path, and nothing was written.
    """
    entries = read_reference(directory or REFERENCE_DIRECTORY)
    result = ReferenceLoad(dry_run)
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK_NUMBER])
        for entry in entries:
            _apply(entry, result)
        _stop_if_any({id(entry.problems): entry.problems for entry in entries}.values())
        if dry_run:
            connection.check_constraints()
            transaction.set_rollback(True)
    return result


def read_reference(directory) -> list[Entry]:
    """Return the rows of all files that the index names, in its order, checked as far as that needs no database.

    Args:
        directory: a folder with ``index.yaml``.

    Raises:
        LoadError: a file can't be read, or names models, fields or values that can't be.
    """
    directory = Path(directory)
    entries = []
    problems_of_files = []
    for path in _indexed_files(directory):
        problems = Problems(path)
        problems_of_files.append(problems)
        document, lines = _read_yaml(path, problems)
        if not isinstance(document, dict):
            problems.stop("there are no models", expected="lists of rows under the names of models", line=1)
        for name, rows in document.items():
            entries += _entries(name, rows, lines, problems)
    for entry in entries:
        _check_fields(entry)
    _check_keys(entries)
    _stop_if_any(problems_of_files)
    return entries


def _stop_if_any(problems_of_files):
    found = [problem for problems in problems_of_files for problem in problems.found]
    if found:
        raise LoadError(found)


def _indexed_files(directory):
    path = directory / INDEX_NAME
    problems = Problems(path)
    document, lines = _read_yaml(path, problems)
    names = document.get("files") if isinstance(document, dict) and set(document) == {"files"} else None
    if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
        problems.stop("the index names no files", expected="'files:' with a list of file names", line=1)
    present = {file.name for file in directory.glob("*.yaml")}
    for position, name in enumerate(names):
        if name not in present:
            problems.add(
                f"there is no file {shown(name)} beside the index",
                expected="the name of a YAML file",
                line=lines[f"files[{position}]"],
            )
    for name in sorted(present - {INDEX_NAME, *names}):
        problems.add(f"{name} is not in the index", expected="every file of the folder", line=lines["files"])
    problems.stop_if_any()
    return [directory / name for name in names]


def _read_yaml(path, problems):
    """Return a YAML document and the line of everything in it, by path."""
    import yaml

    loader = yaml.SafeLoader("\n".join(read_lines(path)) + "\n")
    lines = {}
    try:
        node = loader.get_single_node()
        if node is None:
            problems.stop("this file is empty")
        _locate(node, "", lines, problems)
        problems.stop_if_any()
        return loader.construct_document(node), lines
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        reason = getattr(error, "problem", None) or str(error)
        problems.stop(f"this is no YAML: {reason}", line=mark.line + 1 if mark else None)
    except RecursionError:
        problems.stop("this YAML is nested too deeply")
    finally:
        loader.dispose()


def _locate(node, path, lines, problems):
    import yaml

    lines[path] = node.start_mark.line + 1
    if isinstance(node, yaml.SequenceNode):
        for position, item in enumerate(node.value):
            _locate(item, f"{path}[{position}]", lines, problems)
    elif isinstance(node, yaml.MappingNode):
        seen = set()
        for key, value in node.value:
            name = str(key.value)
            if name in seen:
                problems.add(f"{name} is given twice", line=key.start_mark.line + 1, column=path or None)
            seen.add(name)
            place = f"{path}.{name}" if path else name
            _locate(value, place, lines, problems)
            lines[place] = key.start_mark.line + 1


def _reference_models():
    return {
        model.__name__: model
        for model in apps.get_app_config(APP_LABEL).get_models()
        if getattr(model, "natural_key_fields", ()) and not model._meta.proxy
    }


def _entries(name, rows, lines, problems):
    known = _reference_models()
    model = known.get(name) if isinstance(name, str) else None
    if model is None:
        problems.add(
            f"{shown(name)} is no model of reference data",
            expected=_near(str(name), known),
            line=lines[str(name)],
        )
        return []
    if not isinstance(rows, list):
        problems.add("there is no list of rows", expected="a list", line=lines[name], column=name)
        return []
    entries = []
    for position, values in enumerate(rows):
        where = f"{name}[{position}]"
        if isinstance(values, dict):
            entries.append(Entry(problems, where, lines, model, values))
        else:
            problems.add("this is no row", expected="'field: value' pairs", line=lines[where], column=where)
    return entries


def _near(name, known):
    near = difflib.get_close_matches(name, known, 3, 0.5)
    return f"{' or '.join(near)}?" if near else f"one of {listed(known, 30)}"


def _writable_fields(model):
    options = model._meta
    own = [one for one in options.concrete_fields if one.editable and not one.primary_key and not one.auto_created]
    return {one.name: one for one in [*own, *options.many_to_many]}


def _check_fields(entry):
    fields = _writable_fields(entry.model)
    for name in entry.model.natural_key_fields:
        if name not in entry.values:
            entry.problem("the row needs this field, which is part of its natural key", name)
    for name, value in list(entry.values.items()):
        if name not in fields:
            entry.problem(f"{entry.model.__name__} has no field {shown(name)}", name, _near(str(name), fields))
        elif fields[name].many_to_many:
            if not isinstance(value, list):
                entry.problem("this is no list", name, "a list of natural keys")
        elif not fields[name].is_relation:
            _check_value(entry, fields[name], value)


def _check_value(entry, model_field, value):
    name = model_field.name
    wanted = _wanted_type(model_field)
    if value is not None and wanted and not _is_of(value, wanted[0]):
        entry.problem(f"{shown(value)} is no value for this field", name, wanted[1])
        return
    try:
        entry.values[name] = model_field.clean(value, None)
    except ValidationError as error:
        choices = [choice for choice, _ in model_field.flatchoices]
        entry.problem(" ".join(error.messages), name, f"one of {', '.join(map(str, choices))}" if choices else "")


def _wanted_type(model_field):
    if isinstance(model_field, models.BooleanField):
        return bool, "true or false"
    if isinstance(model_field, models.IntegerField):
        return int, "a whole number without quotes"
    if isinstance(model_field, models.FloatField):
        return (int, float), "a finite number without quotes"
    if isinstance(model_field, models.CharField | models.TextField):
        return str, "a text, in quotes if YAML takes it for something else"
    return None


def _is_of(value, wanted):
    if isinstance(value, float) and not isfinite(value):
        return False
    return isinstance(value, wanted) and (wanted is bool or not isinstance(value, bool))


def _check_keys(entries):
    seen = {}
    for entry in entries:
        key = (entry.model, *(str(entry.values.get(name)) for name in entry.model.natural_key_fields))
        if key in seen:
            first = seen[key]
            entry.problem(f"the same row is at {first.problems.path.name}, {first.where}")
        seen[key] = entry


def _apply(entry, result):
    name = entry.model.__name__
    created = result.created.setdefault(name, [])
    references = _references(entry)
    if references is None:
        return
    fields = _writable_fields(entry.model)
    members = {key: value for key, value in references.items() if fields[key].many_to_many}
    values = {key: value for key, value in {**entry.values, **references}.items() if key not in members}
    key = {part: values[part] for part in entry.model.natural_key_fields}
    label = " / ".join(map(str, key.values()))
    row = entry.model._default_manager.filter(**key).first()
    if row is None:
        if _save(entry, entry.model(**values), members, force_insert=True):
            created.append(label)
        return
    changes = [
        Change(name, label, one, _readable(getattr(row, one)), _readable(new))
        for one, new in values.items()
        if getattr(row, one) != new
    ]
    for one, new in members.items():
        old = set(getattr(row, one).all())
        if old != set(new):
            changes.append(Change(name, label, one, _readable(old - set(new)), _readable(set(new) - old)))
    if not changes:
        result.unchanged[name] += 1
        return
    changed = {change.field for change in changes}
    for one in changed - set(members):
        setattr(row, one, values[one])
    changed_members = {one: members[one] for one in changed & set(members)}
    if _save(entry, row, changed_members, update_fields=changed - set(members)):
        result.changed[name] += 1
        result.changes += changes


def _readable(value):
    if isinstance(value, set):
        return listed(getattr(one, "codename", one) for one in value)
    text = "nothing" if value is None or value == "" else str(value)
    return text if len(text) <= 80 else f"{text[:79]}…"


def _save(entry, row, members, **how):
    """Write a row; return whether it was accepted, with problems noted if not."""
    reasons = try_to_save(row, members, **how)
    for name, message in reasons:
        entry.problem(message, name)
    return not reasons


def _references(entry):
    """Return the rows that a row refers to, by field, or None when one of them is not there."""
    found = {}
    complete = True
    for name, model_field in _writable_fields(entry.model).items():
        if name not in entry.values or not model_field.is_relation:
            continue
        value = entry.values[name]
        try:
            if value is None and model_field.null:
                found[name] = None
            elif not model_field.many_to_many:
                found[name] = _by_natural_key(model_field.related_model, value)
            elif model_field.related_model is apps.get_model("auth", "Permission"):
                found[name] = [permission for pattern in value for permission in _permissions(pattern)]
            else:
                found[name] = [_by_natural_key(model_field.related_model, key) for key in value]
        except LookupError as error:
            entry.problem(*error.args[:1], field_name=name, expected=error.args[1])
            complete = False
    return found if complete else None


def _by_natural_key(model, key):
    from opsdb.models.base import natural_key_lookups

    parts = key if isinstance(key, list) else [key]
    lookups = natural_key_lookups(model)
    wanted = f"[{', '.join(lookups)}]" if len(lookups) > 1 else lookups[0]
    if len(parts) != len(lookups) or not all(isinstance(part, str | int) for part in parts):
        raise LookupError(f"{shown(key)} is no natural key of {model.__name__}", wanted)
    try:
        return model._default_manager.get_by_natural_key(*parts)
    except ObjectDoesNotExist:
        present = model._default_manager.values_list(*lookups)[:200]
        known = [" / ".join(map(str, one)) for one in present]
        raise LookupError(
            f"there is no {model.__name__} {shown(' / '.join(map(str, parts)))}",
            _near(" / ".join(map(str, parts)), known) if known else f"{model.__name__} rows before this one",
        ) from None


def _permissions(pattern):
    """Return the permissions that ``action:resource`` stands for.

    ``action`` is add, change, delete, view or ``*``; ``resource`` is a model, an area (the module of
    ``opsdb.models`` that declares the model) or ``*``.
    """
    Permission = apps.get_model("auth", "Permission")
    action, _, resource = str(pattern).partition(":")
    found = []
    for permission in Permission.objects.filter(content_type__app_label=APP_LABEL).select_related("content_type"):
        model = permission.content_type.model_class()
        if model is None:
            continue
        area = model.__module__.rpartition(".")[2]
        if fnmatchcase(permission.codename.partition("_")[0], action) and any(
            fnmatchcase(name, resource) for name in (permission.content_type.model, area)
        ):
            found.append(permission)
    if not found:
        raise LookupError(
            f"{shown(pattern)} matches no permission",
            "action:resource such as view:*, add:planning or change:obsunit",
        )
    return found

"""Writing the reference data of a database as files."""

from __future__ import annotations

import json
import os
import tempfile
from datetime import date
from pathlib import Path
from shutil import rmtree
from urllib.parse import urlsplit

from django.db import models

from opsdb.database.aliases import atomic, writing_connection
from opsdb.models.natural_keys import natural_key_lookups

from ..errors import LoadError, LoadProblem
from .reading import INDEX_NAME
from .schema import FOLDER, schemas
from .topics import TOPICS, Permissions, holds_permissions, reference_models, writable_fields

WIDTH = 110
UNUSUAL_LINE_BREAKS = set("\x85\u2028\u2029")


class _Key(list):
    """A natural key, which is written on one line."""


def export_reference(directory: str | Path) -> dict[str, int]:
    """Write the reference data of the database into a folder, as files that loading takes.

    Every field is written, so that loading the files with ``edit`` restores exactly this state. Rows are ordered by
    their natural keys, so that unchanged rows are written the same. The folder appears complete or not at all.

    Args:
        directory: a folder that is new or empty.

    Returns:
        The number of rows of each model.

    Raises:
        LoadError: the folder can't be written or holds something, or a row holds a secret.
    """
    target = Path(directory).absolute()
    try:
        if target.exists() and (not target.is_dir() or any(target.iterdir())):
            raise LoadError([LoadProblem(target, "this exists already and is not empty", "a new or empty folder")])
        target.parent.mkdir(parents=True, exist_ok=True)
        new = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
        try:
            counts = _write(new, target)
            new.chmod(0o755)
            os.replace(new, target)
        finally:
            rmtree(new, ignore_errors=True)
    except OSError as error:
        raise LoadError([LoadProblem(target, f"this can't be written: {error.strerror}")]) from error
    return counts


def _write(folder, target):
    counts = {}
    connection = writing_connection()
    is_outermost = not connection.in_atomic_block
    with atomic():
        if is_outermost:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        documents = _documents(target, counts)
    documents["index"] = {"files": [f"{topic}.yaml" for topic in TOPICS]}
    (folder / FOLDER).mkdir()
    for name, schema in schemas().items():
        (folder / FOLDER / name).write_text(as_published(schema), encoding="utf-8")
    for topic, document in documents.items():
        name = f"{topic}.yaml"
        schema = "index.json" if name == INDEX_NAME else "reference.json"
        text = f"# yaml-language-server: $schema={FOLDER}/{schema}\n{_as_yaml(document)}"
        (folder / name).write_text(text, encoding="utf-8")
    return counts


def as_published(schema: dict) -> str:
    """Return the content of a schema's file."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _documents(target, counts):
    known = reference_models()
    permissions = Permissions()
    documents = {}
    for topic, names in TOPICS.items():
        documents[topic] = {}
        for name in names:
            rows = _rows(known[name])
            documents[topic][name] = [_as_values(row, permissions, target / f"{topic}.yaml") for row in rows]
            counts[name] = len(rows)
    return documents


def _rows(model):
    """Return all rows in the order of their natural keys, with the rows that the keys of their references need."""
    relations = [field for field in writable_fields(model).values() if field.is_relation]
    lists = [
        models.Prefetch(
            field.name, field.related_model._default_manager.select_related(*(_chains(field.related_model) or [None]))
        )
        for field in relations
        if field.many_to_many and not holds_permissions(field)
    ]
    lists += [field.name for field in relations if holds_permissions(field)]
    keys = {field.name: field.related_model for field in relations if not field.many_to_many}
    joined = [*keys, *(f"{name}__{chain}" for name, related in keys.items() for chain in _chains(related))]
    rows = model._default_manager.order_by(*natural_key_lookups(model)).prefetch_related(*lists)
    return rows.select_related(*joined) if joined else rows


def _chains(model):
    """Return the relations that the natural key of a model follows."""
    return sorted({lookup.rpartition("__")[0] for lookup in natural_key_lookups(model)} - {""})


def _as_values(row, permissions, path):
    values = {}
    for name, field in writable_fields(type(row)).items():
        value = getattr(row, name)
        if holds_permissions(field):
            values[name] = permissions.patterns(set(value.all()))
        elif field.many_to_many:
            values[name] = sorted(_as_key(one) for one in value.all())
        elif field.is_relation:
            values[name] = None if value is None else _as_key(value)
        else:
            values[name] = value.isoformat() if isinstance(value, date) else value
        if isinstance(field, models.URLField) and "@" in urlsplit(value).netloc:
            message = f"{type(row).__name__} {row}: {name} holds a login, which must not leave the database"
            raise LoadError([LoadProblem(path, message, "a URL without one, and the login in the environment")])
    return values


def _as_key(row):
    parts = row.natural_key()
    return parts[0] if len(parts) == 1 else _Key(parts)


def _as_yaml(document):
    import yaml

    class Dumper(yaml.SafeDumper):
        def ignore_aliases(self, data):
            return True

        def increase_indent(self, flow=False, indentless=False):
            return super().increase_indent(flow, False)

    def on_one_line(dumper, key):
        return dumper.represent_sequence("tag:yaml.org,2002:seq", key, flow_style=True)

    def text(dumper, value):
        # Only double quotes escape these; YAML reads them as any line break elsewhere.
        style = '"' if UNUSUAL_LINE_BREAKS & set(value) else None
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)

    Dumper.add_representer(_Key, on_one_line)
    Dumper.add_representer(str, text)
    return yaml.dump(document, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=WIDTH)

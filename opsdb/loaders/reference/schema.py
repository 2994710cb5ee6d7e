"""The JSON schemas of the reference files, generated from the models, so that both agree.

They are published in ``opsdb/reference/schemas/`` and written beside every export, for editors that check YAML.
"""

from __future__ import annotations

from functools import cache

from django.db import models

from opsdb.models.base import first_paragraph
from opsdb.models.natural_keys import natural_key_lookups

from .topics import ArchiveMode, holds_permissions, reference_models, writable_fields

DIALECT = "https://json-schema.org/draft/2020-12/schema"
FOLDER = "schemas"


@cache
def schemas() -> dict[str, dict]:
    """Return the schema of the index and that of all other files, by file name."""
    return {"index.json": _index_schema(), "reference.json": _reference_schema()}


def _index_schema():
    name = {"type": "string", "minLength": 1, "description": "Name of a file of this folder."}
    sets = {
        "type": "object",
        "additionalProperties": False,
        "required": [mode.value for mode in ArchiveMode],
        "properties": {mode.value: {**name, "description": f"The file for {mode} mode."} for mode in ArchiveMode},
    }
    files = {"type": "array", "minItems": 1, "items": {"anyOf": [name, sets]}}
    return {
        "$schema": DIALECT,
        "title": "Index of reference data of ops-db",
        "type": "object",
        "additionalProperties": False,
        "required": ["files"],
        "properties": {"files": {**files, "description": "The files in the order in which they are loaded."}},
    }


def _reference_schema():
    known = reference_models()
    return {
        "$schema": DIALECT,
        "title": "Reference data of ops-db",
        "type": "object",
        "additionalProperties": False,
        "properties": {
            name: {
                "type": "array",
                "items": {"$ref": f"#/$defs/{name}"},
                "description": first_paragraph(model.__doc__),
            }
            for name, model in known.items()
        },
        "$defs": {name: _row_schema(model) for name, model in known.items()},
    }


def _row_schema(model):
    fields = writable_fields(model)
    return {
        "type": "object",
        "additionalProperties": False,
        "required": [
            name
            for name, field in fields.items()
            if name in model.natural_key_fields or not (field.blank or field.null or field.has_default())
        ],
        "properties": {name: _field_schema(field) for name, field in fields.items()},
    }


def _field_schema(field):
    if holds_permissions(field):
        schema = {"type": "array", "items": {"type": "string", "minLength": 1}}
    elif field.many_to_many:
        schema = {"type": "array", "items": _key_schema(field.related_model)}
    elif field.is_relation:
        schema = _key_schema(field.related_model)
    else:
        schema = _value_schema(field)
    if field.null:
        schema = _or_nothing(schema)
    return {**schema, "description": str(field.help_text)}


def _key_schema(model):
    """Return the schema of a natural key: one text, or a list of texts, with references resolved."""
    lookups = natural_key_lookups(model)
    if len(lookups) == 1:
        return {"type": "string", "minLength": 1, "title": f"the {lookups[0]} of one {model.__name__}"}
    return {
        "type": "array",
        "items": {"type": "string", "minLength": 1},
        "minItems": len(lookups),
        "maxItems": len(lookups),
        "title": f"the natural key of one {model.__name__}, [{', '.join(lookups)}]",
    }


def _value_schema(field):
    if field.choices:
        return {"enum": [value for value, _ in field.flatchoices] + ([""] if field.blank else [])}
    if isinstance(field, models.BooleanField):
        return {"type": "boolean"}
    if isinstance(field, models.IntegerField):
        return {"type": "integer"}
    if isinstance(field, models.FloatField):
        return {"type": "number"}
    if isinstance(field, models.DateField):
        return {"type": "string", "format": "date"}
    if isinstance(field, models.CharField | models.TextField):
        length = {"maxLength": field.max_length} if field.max_length else {}
        return {"type": "string", **length, **({} if field.blank else {"minLength": 1})}
    raise TypeError(f"{field} has no form in YAML")


def _or_nothing(schema):
    if "enum" in schema:
        return {**schema, "enum": [*schema["enum"], None]}
    return {**schema, "type": [schema["type"], "null"]}

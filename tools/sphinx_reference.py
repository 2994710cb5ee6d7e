"""A Sphinx extension: tables of contents, notebooks, and the pages of ``docs/api``, which list every public name.

Pages stay plain Markdown, which a viewer of repositories can show: what only the site needs is added when it is built.
"""

from __future__ import annotations

import inspect
import json
import re
from enum import Enum
from importlib import import_module
from typing import Any, NamedTuple

from django.db.models import Model
from django_filters import FilterSet
from pygments.lexers.special import TextLexer
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

from opsdb.models import enums
from opsdb.models.base import area_of, first_paragraph
from opsdb.models.meanings import MEANINGS, meanings_of
from opsdb.schema import describe_schema
from opsdb.schema.reading import AREAS
from opsdb.testing.factories.base import OpsFactory

from .public_names import PublicName, public_names

# The front doors whose names a page of docs/api lists.
DOORS = {
    "api/models": ("opsdb.models",),
    "api/workflows": ("opsdb.workflows",),
    "api/loaders": ("opsdb.loaders",),
    "api/filters": ("opsdb.filters",),
    "api/access": ("opsdb.access",),
    "api/events": ("opsdb.events",),
    "api/errors": ("opsdb.errors",),
    "api/testing": (
        "opsdb.testing.factories",
        "opsdb.testing.nights",
        "opsdb.testing.databases",
        "opsdb.testing.runner",
        "opsdb.testing.plugin",
    ),
}


PAGES_OF_TABLES = {f"schema/{area}" for area in AREAS}
# So that other pages can refer to a table by a name.
HEADING_OF_TABLE = re.compile(r"^## (\w+)$", re.MULTILINE)


class Contents(NamedTuple):
    """A part of the table of contents."""

    caption: str
    pages: tuple[str, ...]


def contents_of(page: str, config: Any) -> list[Contents]:
    """Return the table of contents of a page that has one; of the start page also what no other one names."""
    return [Contents(caption, tuple(pages)) for caption, pages in config.reference_contents.get(page, {}).items()]


def markdown_of(notebook: str) -> str:
    """Return a notebook of Jupyter as Markdown: its texts, and its code in blocks.

    Args:
        notebook: text of the file, in nbformat 4.
    """
    parts = []
    for cell in json.loads(notebook)["cells"]:
        text = "".join(cell["source"])
        parts.append(f"```python\n{text}\n```" if cell["cell_type"] == "code" else text)
    return "\n\n".join(parts) + "\n"


def show_notebooks(app: Sphinx, docname: str, source: list[str]) -> None:
    """Show a notebook as a page, from which its file can be downloaded."""
    name = app.env.doc2path(docname).name
    if name.endswith(".ipynb"):
        source[0] = f"{markdown_of(source[0])}\n{{download}}`Download this notebook <{name}>`\n"


def add_contents(app: Sphinx, docname: str, source: list[str]) -> None:
    """Add the table of contents of a page, and the public names of a page of the interface."""
    parts = contents_of(docname, app.config)
    if docname == app.config.root_doc:
        named = {
            page for contents in app.config.reference_contents.values() for some in contents.values() for page in some
        }
        if rest := sorted(app.env.found_docs - named - {docname}):
            parts.append(Contents("Further pages", tuple(rest)))
    for caption, pages in parts:
        source[0] += "\n".join(
            [
                "",
                "",
                "```{toctree}",
                ":hidden:",
                f":caption: {caption}",
                ":maxdepth: 2",
                "",
                *(f"/{page}" for page in pages),
                "```",
                "",
            ]
        )
    if docname in PAGES_OF_TABLES:
        source[0] = HEADING_OF_TABLE.sub(r"(table-\1)=\n## \1", source[0])
    if docname in DOORS:
        source[0] += "\n".join(_names_of(DOORS[docname]))


def _names_of(doors: tuple[str, ...]) -> list[str]:
    lines: list[str] = []
    for door in doors:
        module = ""
        for one in public_names(door):
            if one.module != module:
                module = one.module
                title = module.removeprefix(f"{door}.").lstrip("_").replace("._", ".")
                lines += ["", "", f"## {title}", "", *_about(module)]
            lines += ["", "```{eval-rst}", *_directive(door, one), "```"]
    return [*lines, ""]


def _about(module: str) -> list[str]:
    about = first_paragraph(import_module(module).__doc__ or "")
    return ["```{eval-rst}", about, "```"] if about else []


def _directive(door: str, one: PublicName) -> list[str]:
    full = f"{door}.{one.name}"
    if inspect.isclass(one.value):
        kind = "exception" if issubclass(one.value, BaseException) else "class"
        options = ["   :members:"]
        if issubclass(one.value, Enum | FilterSet):
            options = []
        return [f".. auto{kind}:: {full}", *options]
    kind = "function" if inspect.isroutine(one.value) else "data"
    return [f".. auto{kind}:: {full}"]


def describe(app: Sphinx, what: str, name: str, value: Any, options: Any, lines: list[str]) -> None:
    """Add to a docstring what is declared elsewhere: columns, values, filters."""
    if what == "data" and type(value).__doc__ and lines == inspect.cleandoc(type(value).__doc__ or "").splitlines():
        lines.clear()
    if not inspect.isclass(value):
        return
    if issubclass(value, Enum) and value in MEANINGS:
        purpose = MEANINGS[value][0]  # type: ignore[index]
        lines[:] = [_code(purpose), ""]
        lines += [f"- ``{member}``: {_code(meaning)}" for member, meaning in meanings_of(value).items()]  # type: ignore[arg-type]
        lines.append("")
    elif issubclass(value, Model):
        table = value._meta.db_table
        if table in describe_schema().tables():
            lines += ["", f"Table: :ref:`{table} <table-{table}>` of the area {area_of(value)}.", ""]
            lines += [f"- ``{field.name}``: {_plain(field.help_text)}" for field in value._meta.local_fields]
            lines.append("")
    elif issubclass(value, OpsFactory) and value._meta.model:
        traits = ", ".join(f"``{name}``" for name in value._meta.parameters)
        lines += [f"Makes a ``{value._meta.model.__name__}``." + (f" Traits: {traits}." if traits else "")]
    elif issubclass(value, FilterSet) and value._meta.model:
        if not lines or not any(lines):
            lines[:] = [f"Filters of {value._meta.model._meta.verbose_name_plural}."]
        lines += ["", "Parameters:", ""]
        for parameter, one in value.base_filters.items():
            lines.append(f"- ``{parameter}``: {_plain(one.extra.get('help_text') or one.label or '')}")
        lines.append("")


def _plain(text: object) -> str:
    return str(text).replace("\\", "\\\\").replace("*", "\\*").replace("`", "'").replace("|", "\\|").replace("_", "\\_")


def _code(text: str) -> str:
    return text.replace("`", "``")


def shorten(
    app: Sphinx, what: str, name: str, value: Any, options: Any, signature: str, returns: str
) -> tuple[str, str] | None:
    """Leave out the arguments of what is not called with arguments of its own: models, enumerations, filter sets."""
    if inspect.isclass(value) and (issubclass(value, Model | Enum | FilterSet) or hasattr(value, "_meta")):
        return "", ""
    return None


def demand_every_name(app: Sphinx, error: Exception | None) -> None:
    """Fail if a public name is not in the reference."""
    if error is not None or app.builder.format != "html":
        return
    known = app.env.get_domain("py").objects  # type: ignore[attr-defined]
    missing = [
        f"{door}.{one.name}"
        for doors in DOORS.values()
        for door in doors
        for one in public_names(door)
        if f"{door}.{one.name}" not in known
    ]
    if missing:
        raise ExtensionError(f"docs/api: these public names are missing: {', '.join(missing)}")
    undocumented = [name for name in enums.__all__ if getattr(enums, name) not in MEANINGS]
    if undocumented:
        raise ExtensionError(f"opsdb/models/meanings.py: no meaning of {', '.join(undocumented)}")


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension."""
    app.add_config_value("reference_contents", {}, "env")
    app.add_lexer("csv", TextLexer)
    app.connect("source-read", show_notebooks)
    app.connect("source-read", add_contents)
    app.connect("autodoc-process-docstring", describe)
    app.connect("autodoc-process-signature", shorten)
    app.connect("build-finished", demand_every_name)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

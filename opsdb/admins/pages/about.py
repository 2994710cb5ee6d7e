"""About a table: what a row and each column mean, and which constraints, indexes, relations and rules there are.

All of it comes from the models: no query is sent for it.
"""

from collections.abc import Iterable
from functools import cache, partial

from django.db.models import Model
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from opsdb.models import DataGrouping, Pipeline, ReductionStep
from opsdb.schema import describe_schema
from opsdb.schema.description import Enumeration, FilterRules, SchemaTable
from opsdb.schema.entities import table_diagram
from opsdb.schema.markdown import CRON, SPAN, operators
from opsdb.schema.states import state_diagram
from opsdb.svg import together

from .parts import Content, Facts, Figure, Section, Table, paragraph
from .viewer import AdminPage, Viewer


def as_html(text: str) -> SafeString:
    """Return a text of a docstring or comment, with what is between backquotes as code."""
    plain = " ".join(text.replace("``", "`").split())
    return together(
        format_html("<code>{}</code>", part[1:-1]) if SPAN.fullmatch(part) else part for part in SPAN.split(plain)
    )


def page_name(model: type[Model]) -> str:
    """Return the name of the page about the table of a model."""
    return f"about_{model._meta.model_name}"


def column_anchor(name: str) -> str:
    """Return the anchor of a column on the page about its table."""
    return f"column-{name}"


@cache
def page_about(model: type[Model]) -> AdminPage | None:
    """Return the page about the table of a model; None for a model whose table is not of ops-db."""
    if model._meta.app_label != "opsdb" or model._meta.swapped:
        return None
    name = page_name(model)

    def address_for(viewer: Viewer, row: Model) -> str | None:
        return viewer.page_url(name) if type(row) is model else None

    return AdminPage(
        name,
        ("about/",),
        lazy("About this table"),
        partial(view, model=model),
        (model,),
        in_navigation=False,
        about=address_for,
        of_table=True,
    )


def view(viewer: Viewer, *, model: type[Model]) -> Content:
    """Everything about the table of a model."""
    table = describe_schema().tables()[model._meta.db_table]
    link = _Links(viewer)
    sections = [
        _meaning(table, model, link),
        _columns(table, link),
        _relations(table, link),
        _constraints(table),
        _indexes(table),
        _rules(table),
        *(_enumeration(describe_schema().enumeration(name)) for name in _enumerations_of(table, model)),
        *([_filter_rules(describe_schema().filter_rules)] if model is DataGrouping else []),
        *([Section(_("Cron expressions"), (paragraph(as_html(CRON)),), "cron")] if model is Pipeline else []),
    ]
    title = _("About the table %(table)s") % {"table": table.name}
    links = [(model._meta.verbose_name_plural, viewer.list_url(model))] if viewer.list_url(model) else []
    return Content(title=title, links=links, sections=[section for section in sections if section is not None])


class _Links:
    """Tables as links to the pages about them, as far as the person may see them."""

    def __init__(self, viewer: Viewer) -> None:
        self.viewer = viewer
        self.models = {model._meta.db_table: model for model in viewer.site._registry if not model._meta.proxy}

    def url(self, table: str) -> str | None:
        model = self.models.get(table)
        return self.viewer.page_url(page_name(model)) if model else None

    def __call__(self, table: str) -> SafeString:
        url = self.url(table)
        return format_html('<a href="{}">{}</a>', url, table) if url else format_html("<code>{}</code>", table)


def _sentences(parts: Iterable) -> SafeString:
    """Return sentences with links in them, which are underlined."""
    return format_html('<span class="opsdb-meaning">{}</span>', together(parts))


def _code(text: str) -> SafeString | str:
    return format_html("<code>{}</code>", text) if text else ""


def _enumerations_of(table: SchemaTable, model: type[Model]) -> Iterable[str]:
    # Dimensions are in a JSON list, which no column can name.
    return (*table.enumerations, "GroupingDimension") if model is ReductionStep else table.enumerations


def _meaning(table, model, link):
    natural = sorted((column.natural_key, column.name) for column in table.columns if column.natural_key)
    logging = describe_schema().enumeration("ChangeLogging").values
    facts = Facts(
        [
            (_("table"), _code(table.name)),
            (_("model"), _code(f"opsdb.models.{model.__name__}")),
            (_("natural key"), together(_joined(_code(name) for _place, name in natural)) if natural else ""),
            (_("change log"), next((one.meaning for one in logging if one.value == table.change_logging), "")),
            (_("models of a part of its rows"), ", ".join(table.kinds)),
        ]
    )
    paragraphs = [paragraph(as_html(text)) for text in (table.meaning, *table.details.split("\n\n")) if text]
    drawing = table_diagram(describe_schema(), table, link.url, name="about-references")
    figure = Figure("about-references", _("What the table refers to"), drawing)
    return Section(_("What a row is"), (*paragraphs, facts, figure), "meaning")


def _joined(parts):
    for number, part in enumerate(parts):
        yield from (", ", part) if number else (part,)


def _columns(table, link):
    rows = []
    for column in table.columns:
        meaning = [as_html(column.meaning)]
        if column.references:
            meaning.append(format_html(" {} {}.", _("Refers to"), link(column.references)))
        if column.enumeration:
            values = format_html(' <a href="#{}">{}</a>.', column.enumeration.lower(), column.enumeration)
            meaning += [" ", _("Values:"), values]
        default = _code(column.default) if column.default != "next number" else _("next number")
        null = _("yes") if column.null else _("no")
        name = format_html('<code id="{}">{}</code>', column_anchor(column.name), column.name)
        rows.append((name, column.sql_type, null, default, column.unit, _sentences(meaning)))
    columns = (_("column"), _("type"), _("may be NULL"), _("default"), _("unit"), _("meaning"))
    return Section(_("Columns"), (Table(_("Columns"), columns, rows),), "columns")


def _relations(table, link):
    parts = []
    if table.referenced_by:
        rows = [
            (_sentences([link(one.table), ", ", _code(one.column)]), _code(one.backwards), one.on_delete)
            for one in table.referenced_by
        ]
        columns = (_("what refers to it"), _("name in Python"), _("when its row here is deleted"))
        parts.append(Table(_("What refers to it"), columns, rows))
    if table.links:
        rows = [
            (
                link(one.references if one.table == table.name else one.table),
                _code(one.field if one.table == table.name else f"{one.table}.{one.field}"),
                _code(one.through),
                as_html(one.meaning),
            )
            for one in table.links
        ]
        columns = (_("links with"), _("field"), _("table of the links"), _("meaning"))
        parts.append(Table(_("Links"), columns, rows))
    return Section(_("What refers to it, and links"), parts, "relations") if parts else None


def _constraints(table):
    rows = [(_code(one.name), as_html(one.message), _code(one.definition)) for one in table.constraints]
    columns = (_("constraint"), _("message"), _("definition"))
    return Section(_("Constraints"), (Table(_("Constraints"), columns, rows),), "constraints") if rows else None


def _indexes(table):
    rows = [(_code(one.name), "; ".join(one.serves), _code(one.definition)) for one in table.indexes]
    columns = (_("index"), _("questions that need it"), _("definition"))
    return Section(_("Indexes"), (Table(_("Indexes"), columns, rows),), "indexes") if rows else None


def _rules(table):
    rows = [(_code(one.name), one.events.replace('"', ""), as_html(one.sentence)) for one in table.rules]
    columns = (_("rule"), _("looked at"), _("what it keeps"))
    return Section(_("Rules"), (Table(_("Rules"), columns, rows),), "rules") if rows else None


def _enumeration(enumeration: Enumeration):
    parts = [paragraph(as_html(enumeration.purpose))]
    name = enumeration.name.lower()
    if enumeration.is_state_machine:
        drawing = state_diagram(enumeration, name=f"states-{name}")
        parts.append(Figure(f"states-{name}", _("Steps of %(name)s") % {"name": enumeration.name}, drawing))
        rows = [
            (_code(one.value), as_html(one.meaning), ", ".join(one.may_become) or _("final"))
            for one in enumeration.values
        ]
        columns = (_("value"), _("meaning"), _("what may follow"))
    else:
        rows = [(_code(one.value), one.label, as_html(one.meaning)) for one in enumeration.values]
        columns = (_("value"), _("name"), _("meaning"))
    return Section(enumeration.name, (*parts, Table(enumeration.name, columns, rows)), name)


def _filter_rules(rules: FilterRules):
    about = [paragraph(as_html(text.replace(":func:", ""))) for text in rules.about[1:]]
    signs = [(_code(name), as_html(meaning)) for name, meaning in operators(rules.most_values).items()]
    columns = [(_code(one.table), _code(one.column), one.kind, ", ".join(one.operators)) for one in rules.columns]
    return Section(
        _("Filter rules"),
        (
            *about,
            Table(_("Operators"), (_("operator"), _("holds where the column")), signs),
            Table(_("Columns that a rule may name"), (_("table"), _("column"), _("values"), _("operators")), columns),
        ),
        "filter-rules",
    )

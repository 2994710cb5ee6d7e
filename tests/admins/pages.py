"""The admin's pages by model, and what a person would type into their forms."""

from django.contrib import admin
from django.contrib.admin.utils import quote
from django.db import connection
from django.forms import CheckboxInput, MultiWidget, model_to_dict
from django.forms.models import _get_foreign_key
from django.urls import reverse

from opsdb.models import (
    ChangeLog,
    DataLocationUsage,
    DataProductPhysicalCopy,
    DataTransferLog,
    DataTransferPackage,
    DataTransferPackagePhysicalCopy,
    DeletionPolicy,
    ExecutedObsUnit,
    FailureAcknowledgement,
    FixityCheck,
    LongTermArchiveTransferLog,
    PhysicalCopy,
    RawDataFile,
    RawDataFilePhysicalCopy,
    RawDataPackage,
    RawDataPackagePhysicalCopy,
    StageActivity,
)
from opsdb.testing.factories import FACTORIES, DiskDataLocationFactory
from tests.databases import as_owner

SITE = admin.site
ADMINS = {model: page for model, page in SITE._registry.items() if model._meta.app_label == "opsdb"}
MODELS = list(ADMINS)
PAGES = ("changelist", "add", "change", "history", "delete")
# What is never deleted.
KEPT = [
    DataProductPhysicalCopy,
    DataTransferPackage,
    DataTransferPackagePhysicalCopy,
    ExecutedObsUnit,
    PhysicalCopy,
    RawDataFile,
    RawDataFilePhysicalCopy,
    RawDataPackage,
    RawDataPackagePhysicalCopy,
]
# What nobody changes by hand, and may at most add.
READ_ONLY = {
    ChangeLog: {"add", "delete"},
    DataLocationUsage: {"add", "delete"},
    StageActivity: {"add", "delete"},
    DataTransferLog: {"add", "delete"},
    DeletionPolicy: {"add", "delete"},
    FailureAcknowledgement: {"add", "delete"},
    FixityCheck: {"delete"},
    LongTermArchiveTransferLog: {"add", "delete"},
}
CLOSED = {**READ_ONLY, **{model: {"delete"} for model in KEPT}}


def _elsewhere():
    return {"data_location": DiskDataLocationFactory()}


# What a row needs beside the one that it belongs to.
DISTINCT = {
    DataProductPhysicalCopy: _elsewhere,
    DataTransferPackagePhysicalCopy: _elsewhere,
    RawDataFilePhysicalCopy: _elsewhere,
}


def name_of(model):
    return model.__name__


def address(model, page, row=None):
    """The address of one of the pages of a model."""
    needs_row = page in ("change", "history", "delete")
    return reverse(f"admin:opsdb_{model._meta.model_name}_{page}", args=[quote(row.pk)] if needs_row else [])


def is_parent(model):
    """Whether a model is the parent of joined subtypes."""
    return hasattr(model, "subtypes") and not hasattr(model, "subtype")


def open_pages(model):
    return [page for page in PAGES if page not in CLOSED.get(model, ())]


def with_surroundings(model, number):
    """Make this many rows, of which one, which is returned, gets as many parts and links as its form shows."""
    first = FACTORIES[model]()
    if not is_parent(model):
        for inline in ADMINS[model].inlines:
            parent = _get_foreign_key(model, inline.model, fk_name=inline.fk_name).name
            multiply(FACTORIES[inline.model](**{parent: first}, **DISTINCT.get(inline.model, dict)()), number)
        for field in model._meta.many_to_many:
            through = field.remote_field.through
            if through._meta.auto_created and field.related_model in FACTORIES:
                related = FACTORIES[field.related_model]()
                getattr(first, field.name).set([related])
                multiply(related, number)
                link(through, field, first, related)
    multiply(first.specific if is_parent(model) else first, number)
    return first


def tables_of(model):
    """The tables that hold the parts of a joined row, parents first."""
    model = model._meta.concrete_model
    return [model, *(parent for parent in model._meta.all_parents if parent._meta.concrete_model is parent)][::-1]


def multiply(row, number):
    """Make this many rows of one, by SQL past triggers and constraints, which the test's transaction restores."""
    uuids = row._meta.pk.get_internal_type() == "UUIDField"
    key = "gen_random_uuid()" if uuids else "%s + 1000000 + number"
    with as_owner(), connection.cursor() as cursor:
        for model in tables_of(type(row)):
            table, columns = model._meta.db_table, [field.column for field in model._meta.local_concrete_fields]
            loosen(cursor, table)
            columns.remove(model._meta.pk.column)
            names = "".join(f', "{column}"' for column in columns)
            cursor.execute(
                f'INSERT INTO "{table}" ("{model._meta.pk.column}"{names}) SELECT {key}{names} FROM "{table}", '
                f'generate_series(2, %s) AS number WHERE "{model._meta.pk.column}" = %s',
                [*([] if uuids else [row.pk]), number, row.pk],
            )


def loosen(cursor, table):
    """Let a table take rows that are alike, for the rest of the transaction."""
    with as_owner():
        _loosen(cursor, table)


def _loosen(cursor, table):
    # Or PostgreSQL refuses to alter a table that has checks to come.
    cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    cursor.execute(f'ALTER TABLE "{table}" DISABLE TRIGGER USER')
    cursor.execute(
        "SELECT conname FROM pg_constraint "
        "WHERE conrelid = to_regclass(quote_ident(%s)) AND contype IN ('c', 'u', 'x')",
        [table],
    )
    for (name,) in cursor.fetchall():
        cursor.execute(f'ALTER TABLE "{table}" DROP CONSTRAINT "{name}"')
    cursor.execute(
        "SELECT indexrelid::regclass FROM pg_index WHERE indrelid = to_regclass(quote_ident(%s)) "
        "AND indisunique AND NOT indisprimary",
        [table],
    )
    for (name,) in cursor.fetchall():
        cursor.execute(f"DROP INDEX {name}")


def link(through, field, first, related):
    """Link all rows of a table to one row."""
    own, other = field.m2m_column_name(), field.m2m_reverse_name()
    with connection.cursor() as cursor:
        loosen(cursor, through._meta.db_table)
        cursor.execute(
            f'INSERT INTO "{through._meta.db_table}" ("{own}", "{other}") '
            f'SELECT %s, "{related._meta.pk.column}" FROM "{related._meta.db_table}" '
            f'WHERE "{related._meta.pk.column}" <> %s',
            [first.pk, related.pk],
        )


def rows_of(response):
    """The rows of a list, for the page of which its filters have said what they offer."""
    listed = response.context_data["cl"]
    for spec in listed.filter_specs:
        list(spec.choices(listed))
    return list(listed.result_list)


def typed(form, row):
    """What a person types into a form to describe a row."""
    data, values = {}, model_to_dict(row, fields=list(form.fields))
    for name, field in form.fields.items():
        value = field.prepare_value(values.get(name))
        if isinstance(field.widget, MultiWidget):
            for index, part in enumerate(field.widget.decompress(value)):
                data[f"{name}_{index}"] = "" if part is None else str(part)
        elif isinstance(field.widget, CheckboxInput):
            data |= {name: "on"} if value else {}
        elif isinstance(value, list):
            data[name] = [getattr(one, "pk", one) for one in value]
        else:
            data[name] = "" if value is None else value
    return data


def submit(client, url, row, change=None, **inlines):
    """Send the form at an address with what describes a row, some of it changed, and rows of inlines by prefix.

    What is warned of is saved anyway.
    """
    page = client.get(url)
    data = typed(page.context_data["adminform"].form, row)
    for wrapped in page.context_data["inline_admin_formsets"]:
        prefix, initial = wrapped.formset.prefix, wrapped.formset.initial_form_count()
        added = inlines.get(prefix, [])
        data |= {f"{prefix}-TOTAL_FORMS": initial + len(added), f"{prefix}-INITIAL_FORMS": initial}
        for index, form in enumerate(wrapped.formset.initial_forms):
            data |= {f"{prefix}-{index}-{name}": value for name, value in typed(form, form.instance).items()}
            data |= {f"{prefix}-{index}-id": form.instance.pk, f"{prefix}-{index}-{wrapped.formset.fk.name}": row.pk}
        for index, values in enumerate(added, start=initial):
            data |= {f"{prefix}-{index}-{name}": value for name, value in values.items()}
    response = client.post(url, data | (change or {}))
    shown = getattr(response, "context_data", {})
    if "planning_agreed" in shown:
        agreed = {shown["planning_button"]: shown["planning_agreed"]}
        return client.post(url, data | (change or {}) | agreed)
    return response


def errors_of(response):
    """All that the form of a page complains about."""
    form = response.context_data["adminform"].form
    texts = [text for errors in form.errors.values() for text in errors]
    for wrapped in response.context_data["inline_admin_formsets"]:
        texts += wrapped.formset.non_form_errors()
        texts += [text for one in wrapped.formset.forms for errors in one.errors.values() for text in errors]
    return texts

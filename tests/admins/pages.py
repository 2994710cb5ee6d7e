"""The admin's pages by model, and what a person would type into their forms."""

from django.contrib import admin
from django.contrib.admin.utils import quote
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
    ExecutedReductionStep,
    FixityCheck,
    LongTermArchiveTransferLog,
    PhysicalCopy,
    RawDataFile,
    RawDataFilePhysicalCopy,
    RawDataPackage,
    RawDataPackagePhysicalCopy,
)
from tests.factories import FACTORIES, DiskDataLocationFactory

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
    DataTransferLog: {"add", "delete"},
    DeletionPolicy: {"add", "delete"},
    FixityCheck: {"delete"},
    LongTermArchiveTransferLog: {"add", "delete"},
}
CLOSED = {**READ_ONLY, **{model: {"delete"} for model in KEPT}}


def _elsewhere(index):
    return {"data_location": DiskDataLocationFactory()}


# What tells rows apart that belong to the same one.
DISTINCT = {
    DataProductPhysicalCopy: _elsewhere,
    DataTransferPackagePhysicalCopy: _elsewhere,
    RawDataFilePhysicalCopy: _elsewhere,
    ExecutedReductionStep: lambda index: {"sub_group_key": str(index)},
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
    """Make this many rows; the first of them gets as many parts and links as its form shows."""
    rows = FACTORIES[model].create_batch(number)
    first = rows[0]
    if is_parent(model):
        return rows
    for inline in ADMINS[model].inlines:
        parent = _get_foreign_key(model, inline.model, fk_name=inline.fk_name).name
        for index in range(number):
            FACTORIES[inline.model](**{parent: first}, **DISTINCT.get(inline.model, lambda index: {})(index))
    for field in model._meta.many_to_many:
        if field.remote_field.through._meta.auto_created and field.related_model in FACTORIES:
            getattr(first, field.name).set(FACTORIES[field.related_model].create_batch(number))
    return rows


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
    """Send the form at an address with what describes a row, some of it changed, and rows of inlines by prefix."""
    page = client.get(url)
    data = typed(page.context["adminform"].form, row)
    for wrapped in page.context["inline_admin_formsets"]:
        prefix, initial = wrapped.formset.prefix, wrapped.formset.initial_form_count()
        added = inlines.get(prefix, [])
        data |= {f"{prefix}-TOTAL_FORMS": initial + len(added), f"{prefix}-INITIAL_FORMS": initial}
        for index, form in enumerate(wrapped.formset.initial_forms):
            data |= {f"{prefix}-{index}-{name}": value for name, value in typed(form, form.instance).items()}
            data |= {f"{prefix}-{index}-id": form.instance.pk, f"{prefix}-{index}-{wrapped.formset.fk.name}": row.pk}
        for index, values in enumerate(added, start=initial):
            data |= {f"{prefix}-{index}-{name}": value for name, value in values.items()}
    return client.post(url, data | (change or {}))


def errors_of(response):
    """All that the form of a page complains about."""
    form = response.context["adminform"].form
    texts = [text for errors in form.errors.values() for text in errors]
    for wrapped in response.context["inline_admin_formsets"]:
        texts += wrapped.formset.non_form_errors()
        texts += [text for one in wrapped.formset.forms for errors in one.errors.values() for text in errors]
    return texts

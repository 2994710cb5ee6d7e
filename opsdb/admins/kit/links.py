"""Where the pages of a row and the lists of rows are."""

from typing import Any

from django.contrib.admin.options import BaseModelAdmin
from django.contrib.admin.templatetags.admin_urls import admin_urlname
from django.contrib.admin.utils import quote
from django.db.models import ForeignKey, Model
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode

from .names import named
from .values import Text


def link(row: Model, model_admin: BaseModelAdmin) -> Text:
    """Show another row as a link to its page, or as text when it has none."""
    if not model_admin.admin_site.is_registered(row._meta.model):
        return named(row)
    url = reverse(admin_urlname(row._meta, "change"), args=[quote(row.pk)], current_app=model_admin.admin_site.name)
    return format_html('<a href="{}">{}</a>', url, named(row))


def list_url(model: type[Model], lookups: dict[str, Any], model_admin: BaseModelAdmin) -> str | None:
    """Return the address of a list that is narrowed by lookups, or None when the model has no list."""
    if not model_admin.admin_site.is_registered(model):
        return None
    url = reverse(admin_urlname(model._meta, "changelist"), current_app=model_admin.admin_site.name)
    return f"{url}?{urlencode(lookups)}"


def parameter_of(field: ForeignKey, path: str | None = None) -> str:
    """Return the parameter of an address that narrows a list to the rows that refer to one row by a field."""
    return f"{path or field.name}__{field.target_field.name}__exact"


def narrowed_by(field: ForeignKey, row: Model) -> dict[str, Any]:
    """Return the parameters that narrow a list to the rows that refer to this one by a field."""
    return {parameter_of(field): row.pk}

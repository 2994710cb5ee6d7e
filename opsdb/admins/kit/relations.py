"""Reverse relations: which rows refer to a row, counted up to a limit, all in one query."""

from typing import NamedTuple

from django.contrib.admin.options import BaseModelAdmin
from django.contrib.admin.sites import AdminSite
from django.db.models import ForeignKey, IntegerField, Model, Subquery
from django.http import HttpRequest
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from .counting import UpTo
from .links import list_url, narrowed_by

LINKED_LIMIT = 1_000


class CountUpTo(Subquery):
    """The number of rows of a subquery, which has a limit."""

    template = "(SELECT COUNT(*) FROM (%(subquery)s) AS counted)"
    output_field = IntegerField()


class Referring(NamedTuple):
    """A link to the rows of one kind that refer to a row."""

    name: str
    url: str
    count: UpTo


def references_to(model: type[Model], admin_site: AdminSite) -> list[ForeignKey]:
    """Return the fields, of models with a list, that refer to a model or to a parent that it is joined to."""
    relations = (field for field in model._meta.get_fields(include_hidden=True) if field.auto_created)
    return [
        relation.field
        for relation in relations
        if not relation.concrete
        and not relation.field.remote_field.parent_link
        and admin_site.is_registered(relation.related_model)
    ]


def rows_referring_to(row: Model, model_admin: BaseModelAdmin, request: HttpRequest) -> list[Referring]:
    """Return the kinds of row that refer to this one and that this user may see, with the number of each."""
    site = model_admin.admin_site
    fields = [
        field
        for field in references_to(row._meta.model, site)
        if site.get_model_admin(field.model).has_view_permission(request)
    ]
    if not fields:
        return []
    counts = {
        f"count_{index}": CountUpTo(
            field.model._base_manager.filter(**{field.name: row.pk}).order_by().values("pk")[: LINKED_LIMIT + 1]
        )
        for index, field in enumerate(fields)
    }
    numbers = row._meta.model._base_manager.filter(pk=row.pk).values_list(*counts.values()).get()
    models = [field.model for field in fields]
    return [
        Referring(
            _name(field, models.count(field.model) > 1),
            list_url(field.model, narrowed_by(field, row), model_admin),
            UpTo(min(number, LINKED_LIMIT), number <= LINKED_LIMIT),
        )
        for field, number in zip(fields, numbers, strict=True)
    ]


def _name(field, is_one_of_several):
    plural = capfirst(field.model._meta.verbose_name_plural)
    return _("%(rows)s (by %(field)s)") % {"rows": plural, "field": field.verbose_name} if is_one_of_several else plural

"""Choices of a form by group, what fits the row first; plain controls, which need no script."""

from collections.abc import Callable, Iterable
from typing import Any

from django import forms
from django.contrib.admin.widgets import FilteredSelectMultiple
from django.db.models import Field, Model, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils.translation import gettext as _

from opsdb.models import Telescope

from .values import Text

MOST_CHOICES = 500
"""Choices of a control; of more the first are offered, and what was chosen."""


def plain_control(field: Field) -> forms.Widget:
    """Return a control that shows all choices of a reference without a script."""
    if field.many_to_many:
        return FilteredSelectMultiple(field.verbose_name, is_stacked=False)
    return forms.Select()


def offer(
    form: ModelForm,
    name: str,
    rows: QuerySet,
    group: Callable[[Any], Text],
    fits: Callable[[Any], bool] | None = None,
) -> None:
    """Let a field of a form offer rows in groups, those that fit in the first ones.

    Args:
        form: without the field nothing happens.
        name: of the field, which has a plain control.
        rows: the choices, in their order.
        group: returns the heading of a choice.
        fits: returns whether a choice fits; by default all do.
    """
    field = form.fields.get(name)
    if field is None:
        return
    found = list(rows[:MOST_CHOICES])
    chosen = _chosen(form, name)
    missing = chosen - {str(row.pk) for row in found}
    if missing:
        found += rows.model._default_manager.filter(pk__in=[key for key in missing if key.isdecimal()])[:MOST_CHOICES]
    groups: dict[Text, list[tuple[Any, str]]] = {}
    for row in sorted(found, key=lambda row: not fits(row)) if fits else found:
        heading = group(row) if fits is None or fits(row) else _("%(group)s (does not fit)") % {"group": group(row)}
        groups.setdefault(heading, []).append((row.pk, str(row)))
    if isinstance(field, forms.ModelMultipleChoiceField):
        # The two-sided control has no groups.
        field.choices = [(key, f"{heading} · {text}") for heading, rows in groups.items() for key, text in rows]
    else:
        field.choices = [("", "---------"), *((str(heading), rows) for heading, rows in groups.items())]


def _chosen(form, name) -> set[str]:
    """Return the keys of what is chosen, as the form was sent or the row has it."""
    value = form[name].value()
    values: Iterable[Any] = value if isinstance(value, list | tuple) else [value]
    return {str(one.pk if isinstance(one, Model) else one) for one in values if one not in (None, "")}


class OneTelescopeMixin:
    """Mixin of an admin whose new rows are of the only telescope, if there is only one."""

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        keys = [*Telescope.objects.order_by().values_list("pk", flat=True)[:2]]
        only = {"telescope": keys[0]} if len(keys) == 1 else {}
        return {**only, **super().get_changeform_initial_data(request)}

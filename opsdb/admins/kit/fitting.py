"""Choices of a form by group, what fits the row first; plain controls, which need no script."""

from collections.abc import Callable, Iterable
from typing import Any

from django import forms
from django.contrib.admin.widgets import FilteredSelectMultiple, RelatedFieldWidgetWrapper
from django.db.models import Case, Field, Model, Q, QuerySet, Value, When
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils.translation import gettext as _

from opsdb.filters.keys import is_key
from opsdb.models import Telescope

from .values import Text

MOST_CHOICES = 500
"""Choices of a control: those that fit, then the newest others, and what was chosen."""


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
    fits: Q | None = None,
) -> None:
    """Let a field of a form offer rows by group and name, those that fit in the first groups.

    Where more fit than a control can show, they are found by typing instead.

    Args:
        form: without the field nothing happens.
        name: of the field, which has a plain control.
        rows: the choices.
        group: returns the heading of a choice.
        fits: what holds of a choice that fits; by default all do.
    """
    field = form.fields.get(name)
    if field is None:
        return
    fitting = Value(True) if fits is None else Case(When(fits, then=True), default=False)
    rows = rows.annotate(opsdb_fits=fitting)
    found = list(rows.order_by("-opsdb_fits", "-pk")[: MOST_CHOICES + 1])
    if len(found) > MOST_CHOICES and found.pop().opsdb_fits and field.found_by_typing is not None:
        _find_by_typing(field)
        return
    chosen = _chosen(form, name)
    missing = chosen - {str(row.pk) for row in found}
    if missing:
        keys = [key for key in missing if is_key(rows.model, key)]
        others = rows.model._default_manager.filter(pk__in=keys).annotate(opsdb_fits=fitting)
        others.query.select_related = rows.query.select_related
        found += others[:MOST_CHOICES]
    groups: dict[Text, list[tuple[Any, str]]] = {}
    for row in sorted(found, key=lambda row: (not row.opsdb_fits, str(group(row)), str(row))):
        heading = group(row) if row.opsdb_fits else _("%(group)s (does not fit)") % {"group": group(row)}
        groups.setdefault(heading, []).append((row.pk, str(row)))
    if isinstance(field, forms.ModelMultipleChoiceField):
        # The two-sided control has no groups.
        field.choices = [(key, f"{heading} · {text}") for heading, rows in groups.items() for key, text in rows]
    else:
        field.choices = [("", "---------"), *((str(heading), rows) for heading, rows in groups.items())]


def _find_by_typing(field):
    """Take the control that a reference with more choices than a plain one can show has."""
    widget = field.found_by_typing
    widget.is_required = field.required
    if isinstance(field.widget, RelatedFieldWidgetWrapper):
        field.widget.widget = widget
    else:
        field.widget = widget
    # Setting it gives the widget its choices.
    field.queryset = field.queryset


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

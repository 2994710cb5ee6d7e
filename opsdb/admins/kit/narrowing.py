"""Descriptions of what narrows a list: by its filters, and by a link whose conditions no filter shows."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import FieldDoesNotExist
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from .values import Text


@dataclass(frozen=True)
class ListNote:
    """A note on the rows of a list.

    Attributes:
        text: in a sentence.
        url: address of another list, if there is one to go to.
        title: what that has.
        leaves_out: whether rows are left out of the list.
    """

    text: Text
    url: str = ""
    title: Text = ""
    leaves_out: bool = True


def notes_of(changes: ChangeList) -> Iterator[ListNote]:
    """Yield the notes on the rows of a list."""
    for spec in changes.filter_specs:
        if note := getattr(spec, "note", ""):
            yield ListNote(note)
    shown = {name for spec in changes.filter_specs for name in spec.expected_parameters()}
    for name in changes.get_filters_params():
        if name not in shown:
            values = changes.filter_params[name]
            url = changes.get_query_string(remove=[name])
            yield ListNote(_in_words(changes.model, name, values), url, _("Show all"))
    yield from getattr(changes.model_admin, "notes_on_list", lambda changes: ())(changes)


def _in_words(model, parameter, values):
    name, _separator, lookup = parameter.partition("__")
    try:
        field = model._meta.pk if name == "pk" else model._meta.get_field(name)
    except FieldDoesNotExist:
        return _("Only some rows are listed, which a link has chosen.")
    asked = [one for value in values for one in (value.split(",") if lookup == "in" else [value])]
    if lookup == "in" and field.primary_key:
        text = ngettext("Only %(number)s row is listed, which a link has chosen.",
                        "Only %(number)s rows are listed, which a link has chosen.", len(asked))  # fmt: skip
        return text % {"number": f"{len(asked):,}"}
    title = capfirst(str(field.verbose_name))
    labels = {str(value): str(label) for value, label in getattr(field, "flatchoices", ())}
    if lookup not in ("in", "exact", "") or not {*asked} <= labels.keys():
        return _("Only some rows are listed, which a link has chosen by: %(field)s.") % {"field": title}
    left_out = [label for value, label in labels.items() if value not in asked]
    if len(left_out) < len(asked):
        return _("%(field)s: without %(states)s.") % {"field": title, "states": ", ".join(left_out)}
    return _("%(field)s: only %(states)s.") % {"field": title, "states": ", ".join(labels[one] for one in asked)}

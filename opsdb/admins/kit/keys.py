"""Keys as people enter them: checked before they reach the database."""

from typing import Any

from django.contrib.admin.views.autocomplete import AutocompleteJsonView
from django.contrib.admin.widgets import AutocompleteSelect, AutocompleteSelectMultiple
from django.db.models import Model, QuerySet
from django.forms import ModelChoiceField
from django.urls import NoReverseMatch, reverse

from opsdb.filters.keys import is_key

from .names import called, places_in_choices

NAMES_URL = "opsdb_names_of_locations"


class NamedResults(AutocompleteJsonView):
    """What is found by typing, as people call it: a location with its site."""

    def get_queryset(self) -> QuerySet:
        rows = super().get_queryset()
        needed = places_in_choices(rows.model)
        return rows.select_related(*needed) if needed else rows

    def serialize_result(self, obj: Model, to_field_name: str) -> dict[str, Any]:
        return {**super().serialize_result(obj, to_field_name), "text": called(obj)}


def name_choices(field: ModelChoiceField) -> ModelChoiceField:
    """Let a field show its choices as people call them: locations with their sites. The number of queries stays."""
    needed = places_in_choices(field.queryset.model)
    if needed:
        field.queryset = field.queryset.select_related(*needed)
        field.label_from_instance = called
    return field


class _KeysOnly:
    """A control that shows a form again with what was typed in it, also where that is no key."""

    def optgroups(self, name, value, attr=None):
        model = self.choices.queryset.model
        return super().optgroups(name, [one for one in value if one in ("", None) or is_key(model, one)], attr)


class KeySelect(_KeysOnly, AutocompleteSelect):
    """A reference that is found by typing."""

    def get_url(self) -> str:
        """Return where names are looked up: of locations in a view that answers with their sites."""
        if places_in_choices(self.field.remote_field.model):
            try:
                return reverse(f"{self.admin_site.name}:{NAMES_URL}")
            except NoReverseMatch:  # a host project's admin of locations isn't ours
                pass
        return super().get_url()


class KeySelectMultiple(_KeysOnly, AutocompleteSelectMultiple):
    """Several references that are found by typing, each with a button of its own that takes it away."""

    def build_attrs(self, base_attrs: dict[str, Any], extra_attrs: dict[str, Any] | None = None) -> dict[str, Any]:
        return super().build_attrs(base_attrs, extra_attrs) | {"data-allow-clear": "false"}

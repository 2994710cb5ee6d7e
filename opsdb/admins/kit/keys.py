"""Keys as people enter them: checked before they reach the database."""

from typing import Any

from django.contrib.admin.widgets import AutocompleteSelect, AutocompleteSelectMultiple

from opsdb.filters.keys import is_key


class _KeysOnly:
    """A control that shows a form again with what was typed in it, also where that is no key."""

    def optgroups(self, name, value, attr=None):
        model = self.choices.queryset.model
        return super().optgroups(name, [one for one in value if one in ("", None) or is_key(model, one)], attr)


class KeySelect(_KeysOnly, AutocompleteSelect):
    """A reference that is found by typing."""


class KeySelectMultiple(_KeysOnly, AutocompleteSelectMultiple):
    """Several references that are found by typing, each with a button of its own that takes it away."""

    def build_attrs(self, base_attrs: dict[str, Any], extra_attrs: dict[str, Any] | None = None) -> dict[str, Any]:
        return super().build_attrs(base_attrs, extra_attrs) | {"data-allow-clear": "false"}

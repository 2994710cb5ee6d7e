"""Lists of texts in forms: one on each line, or chosen among given ones; never JSON."""

from collections.abc import Callable, Iterable
from typing import Any

from django import forms
from django.contrib.admin.widgets import AdminTextareaWidget, FilteredSelectMultiple
from django.db.models import Field

WRITTEN = ("aliases", "authors", "allowed_networks")
"""Fields that hold a list of texts of anybody's choice."""


class LinesField(forms.CharField):
    """A list of texts, one on each line."""

    def __init__(self, *, encoder: Any = None, decoder: Any = None, **options):
        options["widget"] = AdminTextareaWidget(attrs={"rows": 3, "class": "vLargeTextField opsdb-lines"})
        super().__init__(**options)

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(map(str, value)) if isinstance(value, list) else value

    def to_python(self, value: Any) -> list[str]:
        lines = (line.strip() for line in super().to_python(value).splitlines())
        return list(dict.fromkeys(line for line in lines if line))

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Return whether the lines differ from a list, whatever the ends of lines and blanks."""
        return not self.disabled and self.to_python(data) != [*(initial or ())]


class ChosenTextsSelect(FilteredSelectMultiple):
    """The admin's two-sided control, in a box of its own beside the label; what is typed is chosen by Tab."""

    class Media:
        # After what makes the control.
        js = ["admin/js/SelectFilter2.js", "opsdb/chosen.js"]

    template_name = "admin/opsdb/chosen_texts.html"


class ChosenTextsField(forms.MultipleChoiceField):
    """A list of texts, chosen among those that are known and those that a row has already.

    What else may stand in the list is for the model to refuse.
    """

    def __init__(self, *, encoder: Any = None, decoder: Any = None, **options):
        options["widget"] = ChosenTextsSelect(options.get("label") or "", is_stacked=False)
        super().__init__(**options)

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, list):
            known = {choice for choice, _label in self.choices}
            kept = [(one, one) for one in value if isinstance(one, str) and one not in known]
            self.widget.choices = [*self.choices, *kept]
        return value

    def valid_value(self, value: str) -> bool:
        return True


def texts_options(field: Field, choices: Callable[[], Iterable[tuple[str, str]]] | None) -> dict[str, Any]:
    """Return how a form takes a list of texts, as arguments of ``formfield``; empty for other fields.

    Args:
        field: of a model.
        choices: returns the texts that are known, with what people call them; by default any are written.
    """
    if choices is not None:
        return {"form_class": ChosenTextsField, "choices": choices}
    return {"form_class": LinesField} if field.name in WRITTEN else {}

"""Sizes in forms: typed with their unit, such as 500 TB."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from opsdb.formatting import format_exact_size, parse_size


class SizeField(forms.IntegerField):
    """A number of bytes that is typed and shown with its unit."""

    widget = forms.TextInput

    def __init__(self, **options):
        super().__init__(**options)
        # A text, because an input for numbers takes no unit.
        self.widget.attrs.update({"class": "vTextField", "placeholder": "500 TB"})

    def prepare_value(self, value: Any) -> Any:
        return format_exact_size(value) if isinstance(value, int) and value >= 0 else value

    def to_python(self, value: Any) -> int | None:
        if isinstance(value, str) and value.strip():
            try:
                value = parse_size(value)
            except ValueError as error:
                raise ValidationError(str(error), code="invalid") from None
        return super().to_python(value)

"""Coordinates in forms: typed in degrees or sexagesimal."""

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Field
from django.utils.translation import gettext as _

from opsdb.loaders.coordinates import HOURS, SEXAGESIMAL, AngleCell

COORDINATE = re.compile(r"(ra|dec|longitude|latitude)(_min|_max)?_deg")
RIGHT_ASCENSION = re.compile(r"ra(_min|_max)?_deg")


class CoordinateField(forms.FloatField):
    """An angle in degrees that is typed in degrees, in degrees with minutes and seconds, or in hours.

    Attributes:
        in_hours: whether ``05:35:17.3`` are hours; with a unit, such as ``5h35m17.3s`` or ``83d49m``, the unit decides.
        takes_hours: whether an angle may be given in hours at all.
    """

    widget = forms.TextInput

    def __init__(self, *, in_hours: bool = False, takes_hours: bool = False, **options):
        super().__init__(**options)
        self.in_hours, self.takes_hours = in_hours, takes_hours or in_hours
        # A text, because an input for numbers takes no colon.
        self.widget.input_type = "text"
        self.widget.attrs.update({"class": "vTextField opsdb-coordinate", "placeholder": self.example})

    @property
    def example(self) -> str:
        """What may be typed."""
        return "83.8221 or 05:35:17.3" if self.in_hours else "-5.3911 or -05:23:28"

    def to_python(self, value: Any) -> float | None:
        if not isinstance(value, str) or not value.strip():
            return super().to_python(value)
        try:
            angle, unit = AngleCell().read(value)
        except ValueError as error:
            raise ValidationError(_invalid(error, self.in_hours), code="invalid") from None
        if unit == HOURS and not self.takes_hours:
            raise ValidationError(_("Write degrees such as -5.3911 or -05:23:28, not hours."), code="invalid")
        hours = unit == HOURS or (unit == SEXAGESIMAL and self.in_hours)
        return angle * 15 if hours else angle


def _invalid(error, in_hours):
    expected = getattr(error, "expected", "")
    if expected:
        return _("The angle %(problem)s; write %(expected)s.") % {"problem": error.args[0], "expected": expected}
    if in_hours:
        return _("Write degrees such as 83.8221, or hours such as 05:35:17.3 or 5h35m17.3s.")
    return _("Write degrees such as -5.3911, -05:23:28 or -5d23m28s.")


def coordinate_options(field: Field) -> dict[str, Any]:
    """Return how the form of a model takes a coordinate, as arguments of ``formfield``; empty for other fields."""
    if not COORDINATE.fullmatch(field.name):
        return {}
    in_hours = RIGHT_ASCENSION.fullmatch(field.name) is not None
    return {"form_class": CoordinateField, "in_hours": in_hours}

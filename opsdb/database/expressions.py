"""The expressions that migrations name; they stay as long as the migrations do."""

from django.db import models


class IsFiniteTime(models.Func):
    """Whether a time is not infinite. The type is named, because PostgreSQL can't choose a function for a NULL."""

    function = "isfinite"
    template = "%(function)s((%(expressions)s)::timestamptz)"
    output_field = models.BooleanField()


class IsFiniteDate(IsFiniteTime):
    """Whether a date is not infinite."""

    template = "%(function)s((%(expressions)s)::date)"

"""A filter for JSON columns, so that filter sets of other projects may be made of ``fields = "__all__"``."""

from django import forms
from django.db import models
from django_filters import Filter, FilterSet
from django_filters.rest_framework import FilterSet as RestFilterSet


class JSONFilter(Filter):
    """Narrows by the whole value of a JSON column, given as JSON."""

    field_class = forms.JSONField


def register() -> None:
    """Register :class:`JSONFilter` as the default of django-filter for JSON columns, unless the project has another.

    Filter sets raise an error for a column without a default, and a package can add one only here.
    """
    for filterset in (FilterSet, RestFilterSet):
        filterset.FILTER_DEFAULTS.setdefault(models.JSONField, {"filter_class": JSONFilter})

"""Filters that list no unbounded table."""

from collections.abc import Iterable, Iterator
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin import FieldListFilter, ModelAdmin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.contrib.admin.widgets import AutocompleteSelect
from django.db.models import Field, Model, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _

from .links import parameter_of


def _indexed(model):
    """Yield the fields of each index that covers the rows of a model and ends with the key."""
    options = model._meta.concrete_model._meta
    # A proxy whose manager has a condition may have indexes of the rows that meet it.
    covering = (None, getattr(model._default_manager, "condition", None))
    for index in options.indexes:
        if index.condition in covering and index.fields[-1:] == [options.pk.name]:
            yield index.fields


def leading_fields(model: type[Model]) -> set[str]:
    """Return the fields of which an index gives the rows of one value in the order of the key."""
    return {fields[0] for fields in _indexed(model) if len(fields) == 2}


def index_led_by(model: type[Model], names: Iterable[str]) -> list[str] | None:
    """Return the fields of an index that gives the rows of one value of each of these fields in order, or None."""
    return next((fields for fields in _indexed(model) if {*fields[: len(names)]} == {*names}), None)


def only(*values) -> type[FieldListFilter]:
    """Return a filter that offers some of a field's choices: those that an index serves."""

    class Only(admin.ChoicesFieldListFilter):
        def choices(self, changelist: ChangeList):
            """Leave out the other choices."""
            labels = {str(label) for value, label in self.field.flatchoices if value in values}
            everything, *choices = super().choices(changelist)
            return [everything, *(choice for choice in choices if str(choice["display"]) in labels)]

    return Only


class LeadingFilter(admin.FieldListFilter):
    """Filters by one value of a field, along the index where there is one on the field and the key."""

    value = None
    """The only value that is asked for."""

    def __init__(
        self,
        field: Field,
        request: HttpRequest,
        params: dict[str, Any],
        model: type[Model],
        model_admin: ModelAdmin,
        field_path: str,
    ):
        self.model = model
        super().__init__(field, request, params, model, model_admin, field_path)

    @property
    def within(self) -> tuple[str, Any] | None:
        """The column and the value of it when an index gives what is asked for in the order of the key, else None."""
        if self.value is None or self.field.name not in leading_fields(self.model):
            return None
        return self.field.attname, getattr(self.field, "target_field", self.field).to_python(self.value)

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        """Narrow by a range of one value where an index on the field and the key can give the rows in order.

        Of an equality PostgreSQL would think that any walk along the key soon meets such rows.
        """
        if self.within is None:
            return super().queryset(request, queryset)
        return queryset.filter(**{f"{self.field.name}__gte": self.value, f"{self.field.name}__lte": self.value})


class ChoiceFilter(LeadingFilter, admin.ChoicesFieldListFilter):
    """Filters by one of a field's choices."""

    @property
    def value(self) -> Any:
        """The choice, unless several are asked for."""
        values = self.used_parameters.get(self.lookup_kwarg, ())
        return values[0] if len(self.used_parameters) == len(values) == 1 else None


class RelatedFilter(LeadingFilter):
    """Filters by a related row that is found by typing, so that its table may have any size."""

    template = "admin/opsdb/related_filter.html"

    def __init__(
        self,
        field: Field,
        request: HttpRequest,
        params: dict[str, Any],
        model: type[Model],
        model_admin: ModelAdmin,
        field_path: str,
    ):
        self.parameter = parameter_of(field, field_path)
        super().__init__(field, request, params, model, model_admin, field_path)
        self.model_admin = model_admin
        self.value = (self.used_parameters.get(self.parameter) or [None])[-1]
        if self.value is not None:
            self._require_a_key()

    def _require_a_key(self):
        try:
            self.field.target_field.to_python(self.value)
        except forms.ValidationError as error:
            raise IncorrectLookupParameters(error) from error

    def expected_parameters(self) -> list[str]:
        return [self.parameter]

    def has_output(self) -> bool:
        return True

    def choices(self, changelist: ChangeList) -> Iterator[dict[str, Any]]:
        """Prepare what the template shows; the only choice in the usual sense is none."""
        rows = self.field.related_model._default_manager.all()
        choice = forms.ModelChoiceField(rows, widget=AutocompleteSelect(self.field, self.model_admin.admin_site))
        self.control = choice.widget.render(
            self.parameter, self.value, {"id": f"filter-{self.field_path}", "aria-label": str(self.title)}
        )
        self.others = [
            (name, value)
            for name, values in changelist.filter_params.items()
            for value in values
            if name != self.parameter
        ]
        if changelist.query:
            self.others.append(("q", changelist.query))
        yield {
            "selected": self.value is None,
            "query_string": changelist.get_query_string(remove=[self.parameter]),
            "display": _("All"),
        }

"""Filters that list no unbounded table."""

from collections.abc import Iterator
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin import FieldListFilter, ModelAdmin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.db.models import Field, Model, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _

from opsdb.filters.indexes import leading_fields

from .keys import KeySelect, name_choices
from .links import parameter_of


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
        if self.value is None or self.field_path not in leading_fields(self.model):
            return None
        return self.field.attname, getattr(self.field, "target_field", self.field).to_python(self.value)

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        """Narrow by a range of one value where an index on the field and the key can give the rows in order.

        For an equality PostgreSQL would estimate that any walk along the key soon meets such rows.
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
        self.model_admin, self.request = model_admin, request
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

    def _shows_names(self):
        """Return whether the person may view the rows that are chosen from; otherwise only their own key is shown."""
        related = self.model_admin.admin_site._registry.get(self.field.related_model)
        return related is not None and related.has_view_permission(self.request)

    def choices(self, changelist: ChangeList) -> Iterator[dict[str, Any]]:
        """Prepare what the template shows; the only choice in the usual sense is none."""
        rows = self.field.related_model._default_manager.all()
        choice = forms.ModelChoiceField(rows, widget=KeySelect(self.field, self.model_admin.admin_site))
        if self._shows_names():
            choice = name_choices(choice)
        else:
            choice.label_from_instance = lambda row: str(row.pk)
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

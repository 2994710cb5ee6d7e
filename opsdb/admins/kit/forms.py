"""The form of a row, and the pages that change or delete one; they show what the database refuses."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.core.exceptions import NON_FIELD_ERRORS, ObjectDoesNotExist
from django.db import router
from django.db.models import Model, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse, QueryDict
from django.utils.translation import gettext as _

from opsdb.errors import REFUSED, Refusal, check_deferred_rules, refusal_of
from opsdb.models import DataLocation
from opsdb.row_labels import place_of

from .counting import DeletionCounts
from .dates import IsoDateTimeWidget
from .links import list_url
from .names import called, naming_of
from .relations import rows_referring_to
from .time_zones import ZONE, only_time_zone
from .values import Text

EDITABLE_LINKS = 100  # linked rows up to which a many-to-many field is an input


class TolerantErrorsMixin:
    """A form whose rows may complain about fields that it does not show."""

    def _update_errors(self, errors):
        if hasattr(errors, "error_dict"):
            for name in set(errors.error_dict) - set(self.fields) - {NON_FIELD_ERRORS}:
                errors.error_dict.setdefault(NON_FIELD_ERRORS, []).extend(errors.error_dict.pop(name))
        super()._update_errors(errors)


class UnchangedRowMixin:
    """A form whose row stays what it is until the form is saved."""

    def full_clean(self) -> None:
        """Take back from the row what was typed if anything is wrong: the page that shows the form again names it."""
        super().full_clean()
        if self.is_bound and self.errors and not self.instance._state.adding:
            with suppress(ObjectDoesNotExist):  # deleted meanwhile
                self.instance.refresh_from_db(fields=[field.attname for field in self.instance._meta.concrete_fields])


class OpsForm(UnchangedRowMixin, TolerantErrorsMixin, ModelForm):
    """The form of a row."""

    def clean(self) -> dict[str, Any]:
        """Keep the fractions of a second of times that were not edited: the inputs have none."""
        cleaned = super().clean()
        for name, value in self.cleaned_data.items():
            if isinstance(value, datetime) and name not in self.changed_data:
                self.cleaned_data[name] = getattr(self.instance, name)
        return cleaned


class _CalledRow:
    """A row that a message names as people call it."""

    def __init__(self, row: Model) -> None:
        self._row = row

    def __getattr__(self, name: str) -> Any:
        return getattr(self._row, name)

    def __str__(self) -> str:
        return place_of(self._row) if isinstance(self._row, DataLocation) else called(self._row)


def _as_called(row):
    return _CalledRow(row) if naming_of(type(row)) else row


def form_that_shows(form_class: type[ModelForm], refusal: Refusal) -> type[ModelForm]:
    """Return the form class with the refusal of the database when the same input was saved, unless it is wrong now."""

    class RefusedForm(form_class):
        def _post_clean(self):
            super()._post_clean()
            if not self.errors:
                self.add_error(refusal.field if refusal.field in self.fields else None, refusal.text)

    return RefusedForm


class FormMixin:
    """Mixin of an admin: its forms, and the page that deletes a row."""

    sections: Sequence[tuple[Text, Sequence[str]]] = ()
    """Headings of the form, each with its fields; those that none of them has come first."""

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> list:
        if obj is None:
            if self.fieldsets:
                return super().get_fieldsets(request, obj)
            return [(title, options) for title, options in self._under_headings(self._add_names) if options["fields"]]
        changeable = self.has_change_permission(request, obj)
        read_only = self._read_only_names(request, obj) if changeable else self.model_fields
        return [
            (title, {**options, "fields": [self._line(name, read_only) for name in options["fields"]]})
            for title, options in self._sections(request, obj)
            if options["fields"]
        ]

    def _line(self, name, read_only):
        return self.lines.get(name, name) if name in read_only else name

    @property
    def _add_names(self):
        return [name for name in self._main_names if self.model_fields[name].editable]

    def _sections(self, request, obj):
        if self.fieldsets:
            return super().get_fieldsets(request, obj)
        return [
            *self._under_headings([*self._state_names, *self._main_names]),
            (_("Progress"), {"fields": self._progress_names}),
            (_("Record"), {"fields": self._record_names}),
        ]

    def _under_headings(self, names):
        """Return the fields under their headings, those without one first."""
        placed = {name for _title, group in self.sections for name in group}
        sections = [(None, [name for name in names if name not in placed]), *self.sections]
        return [(title, {"fields": [name for name in group if name in names]}) for title, group in sections]

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> Sequence:
        if obj is None:
            return self.readonly_fields
        return [*self.readonly_fields, *self.shown(self._read_only_names(request, obj))]

    def _read_only_names(self, request, obj):
        """Names of the fields of an existing row that may not be edited."""
        known = request.__dict__.setdefault("opsdb_read_only", {})
        if obj.pk not in known:
            fixed = {*self._state_names, *self._progress_names, *self._record_names, *self._fixed_names}
            known[obj.pk] = [
                name
                for name, field in self.model_fields.items()
                if name in fixed or (field.many_to_many and self._has_too_many(obj, field))
            ]
        return known[obj.pk]

    def _has_too_many(self, obj, field):
        rows = getattr(obj, field.name).all()
        found = list(rows[: EDITABLE_LINKS + 1])
        if len(found) <= EDITABLE_LINKS:
            # The form asks for them again.
            rows._result_cache = found
            obj.__dict__.setdefault("_prefetched_objects_cache", {})[field.name] = rows
        return len(found) > EDITABLE_LINKS

    def get_form(
        self, request: HttpRequest, obj: Model | None = None, change: bool = False, **kwargs
    ) -> type[ModelForm]:
        form = super().get_form(request, obj, change=change, **kwargs)
        refusal = getattr(request, "opsdb_refusal", None)
        return form_that_shows(form, refusal) if refusal else form

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except REFUSED as error:
            request.opsdb_refusal = refusal_of(error)
            return super().changeform_view(request, object_id, form_url, extra_context)

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Model | None = None,
    ) -> HttpResponse:
        moments = [
            field.widget
            for field in context["adminform"].form.fields.values()
            if isinstance(field.widget, IsoDateTimeWidget)
        ]
        if moments:
            zone = getattr(obj, ZONE, None) if obj is not None else only_time_zone()
            for widget in moments:
                widget.zone = zone
        if obj is not None:
            context["subtitle"] = called(obj)
            context["referring"] = rows_referring_to(obj, self, request)
            context["show_delete"] = self.offers_deletion_of(obj)
        return super().render_change_form(request, context, add, change, form_url, obj)

    def response_add(self, request: HttpRequest, obj: Model, post_url_continue: str | None = None) -> HttpResponse:
        """Name the row in the message as everywhere else: a location behind its site."""
        return super().response_add(request, _as_called(obj), post_url_continue)

    def response_change(self, request: HttpRequest, obj: Model) -> HttpResponse:
        """Name the row in the message as everywhere else: a location behind its site."""
        return super().response_change(request, _as_called(obj))

    def save_related(self, request: HttpRequest, form: ModelForm, formsets: list, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        check_deferred_rules(router.db_for_write(self.model))

    # Deletion

    def offers_deletion_of(self, row: Model) -> bool:
        """Return whether the page of a row has the button that deletes it: not where a rule would refuse that."""
        return True

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return "DELETE" not in self._events_refused and super().has_delete_permission(request, obj)

    def get_deleted_objects(self, objs: QuerySet | list, request: HttpRequest) -> tuple:
        deletion = DeletionCounts(self.model, objs, lambda model, lookups: list_url(model, lookups, self))
        lacking = set() if self.has_delete_permission(request) else {self.opts.verbose_name}
        return deletion.names(), deletion.counts, lacking, deletion.protected

    def delete_model(self, request: HttpRequest, obj: Model) -> None:
        super().delete_model(request, obj)
        check_deferred_rules(router.db_for_write(self.model))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet) -> None:
        super().delete_queryset(request, queryset)
        check_deferred_rules(router.db_for_write(self.model))

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        try:
            return super().delete_view(request, object_id, extra_context)
        except REFUSED as error:
            self.message_user(request, refusal_of(error).text, messages.ERROR)
            # The same page again, as if it were asked for first.
            request.method, request.POST = "GET", QueryDict()
            return super().delete_view(request, object_id, extra_context)

"""The fields of a model: which are states, which a form may change, and how each is shown and entered."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any

from django.contrib.admin.widgets import AdminTextareaWidget, ForeignKeyRawIdWidget
from django.db import models
from django.db.models import Field, Model
from django.http import HttpRequest

from opsdb.database.labels import unit_of
from opsdb.models.base import WorkItem

from .columns import FieldColumn, column_for, name_column, states_of
from .coordinates import coordinate_options
from .dates import OVERRIDES
from .fitting import plain_control
from .forms import OpsForm
from .keys import KeySelect, KeySelectMultiple, name_choices
from .rules import events_refused, immutable_columns
from .sizes import SizeField
from .tags import texts_options
from .values import Text

AUDIT = ("created_at", "updated_at")
WORK = tuple(field.name for field in WorkItem._meta.get_fields() if field.name != "max_retries")


def inherited_names(model: type[Model]) -> set[str]:
    """Return the fields that a model has from abstract bases."""
    bases = (base for base in model.__mro__ if hasattr(base, "_meta") and base._meta.abstract)
    return {field.name for base in bases for field in base._meta.get_fields()}


class ModelFieldsMixin:
    """Mixin of admins and inlines: what they derive from their model."""

    owned: Sequence[str] = ()
    """Fields that a workflow sets, beside states and work items: never edited here."""
    facts: Sequence[str] = ()
    """Fields that are given when the row is made and not edited afterwards."""
    texts_offered: Mapping[str, Callable[[], Iterable[tuple[str, str]]]] = {}
    """For fields with a list of texts that are known: what returns them, each with what people call it."""
    help_texts: Mapping[str, Text] = {}
    """What the form explains otherwise than the column's comment does."""
    plain: Collection[str] = ()
    """References that are chosen from a plain list instead of found by typing."""
    hidden: Collection[str] = ()
    """Fields that are not shown at all."""

    form = OpsForm
    formfield_overrides = {
        **OVERRIDES,
        models.URLField: {"assume_scheme": "https"},
        models.TextField: {"widget": AdminTextareaWidget(attrs={"rows": 3})},
        models.JSONField: {"widget": AdminTextareaWidget(attrs={"rows": 3, "class": "vLargeTextField opsdb-code"})},
    }

    @cached_property
    def _events_refused(self):
        return events_refused(self.model)

    @cached_property
    def model_fields(self) -> dict[str, Field]:
        """The fields of a form by name: those that the class declares itself before those of its abstract bases."""
        options, inherited = self.model._meta, inherited_names(self.model)
        hidden = {*self.hidden, *([self.model.discriminator] if hasattr(self.model, "subtype") else [])}
        fields = [
            field
            for field in (*options.fields, *options.many_to_many)
            if field.name not in hidden
            and not (field.is_relation and getattr(field.remote_field, "parent_link", False))
            and not (field.many_to_many and not field.remote_field.through._meta.auto_created)
        ]
        return {field.name: field for field in sorted(fields, key=lambda field: field.name in inherited)}

    @cached_property
    def _state_names(self):
        return [name for name, field in self.model_fields.items() if states_of(field)]

    @cached_property
    def _progress_names(self):
        """What workflows write down beside the states."""
        work = WORK if issubclass(self.model, WorkItem) else ()
        names = {*work, *self.owned} - {*self._state_names}
        return [name for name in self.model_fields if name in names]

    @cached_property
    def _record_names(self):
        keys = [name for name, field in self.model_fields.items() if field.primary_key]
        return [*keys, *(name for name in AUDIT if name in self.model_fields)]

    @cached_property
    def _main_names(self):
        others = {*self._state_names, *self._progress_names, *self._record_names}
        return [name for name in self.model_fields if name not in others]

    @cached_property
    def _fixed_names(self):
        columns = immutable_columns(self.model)
        return {
            name
            for name, field in self.model_fields.items()
            if getattr(field, "column", None) in columns or name in self.facts or not field.editable
        }

    @cached_property
    def columns(self) -> dict[str, FieldColumn]:
        """The kit's columns by field name, for fields that Django would show less well."""
        columns = {
            name: column_for(field, self, sortable=self.sorts_by(name)) for name, field in self.model_fields.items()
        }
        return {name: column for name, column in columns.items() if column}

    @cached_property
    def lines(self) -> dict[str, FieldColumn]:
        """The kit's columns as lines of a form, by field name."""
        others = {
            name: column_for(field, self, in_form=True)
            for name, field in self.model_fields.items()
            if isinstance(field, models.DateTimeField) or field.choices
        }
        return self.columns | {name: column for name, column in others.items() if column}

    def sorts_by(self, name: str) -> bool:
        """Whether a list may be sorted by a field."""
        return not self.model_fields[name].many_to_many

    def shown(self, names: Iterable[str]) -> list:
        """Return names of fields, or the kit's lines of a form where there are any."""
        return [self.lines.get(name, name) for name in names]

    @cached_property
    def _name_column(self):
        return name_column(self.model, self.sorts_by)

    def listed(self, names: Iterable[str]) -> list:
        """Return names of fields, or the kit's columns where there are any; rows stand there as people call them."""
        column = self._name_column
        return [column if column and name == column.field.name else self.columns.get(name, name) for name in names]

    def get_autocomplete_fields(self, request: HttpRequest) -> list[str]:
        """Every reference whose rows can be searched for."""
        return [
            field.name
            for field in (*self.opts.fields, *self.opts.many_to_many)
            if field.is_relation and self._is_searchable(field.related_model, request)
        ]

    def _is_searchable(self, model, request):
        registered = self.admin_site.is_registered(model)
        return registered and bool(self.admin_site.get_model_admin(model).get_search_fields(request))

    def formfield_for_dbfield(self, db_field: Field, request: HttpRequest, **kwargs) -> Any:
        if isinstance(db_field, models.BigIntegerField) and unit_of(db_field.name) == "bytes":
            kwargs |= {"form_class": SizeField, "widget": SizeField.widget}
        if isinstance(db_field, models.FloatField):
            kwargs |= coordinate_options(db_field)
        if isinstance(db_field, models.JSONField):
            kwargs |= texts_options(db_field, self.texts_offered.get(db_field.name))
        if db_field.name in self.help_texts:
            kwargs["help_text"] = self.help_texts[db_field.name]
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def formfield_for_foreignkey(self, db_field: Field, request: HttpRequest, **kwargs) -> Any:
        found_by_typing = db_field.name in self.get_autocomplete_fields(request)
        part, widget = (db_field, KeySelect) if found_by_typing else (db_field.remote_field, ForeignKeyRawIdWidget)
        searching = widget(part, self.admin_site)
        kwargs.setdefault("widget", plain_control(db_field) if db_field.name in self.plain else searching)
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)
        if field is not None:
            field.found_by_typing = searching if found_by_typing else None
            name_choices(field)
        return field

    def formfield_for_manytomany(self, db_field: Field, request: HttpRequest, **kwargs) -> Any:
        searching = None
        if db_field.name in self.get_autocomplete_fields(request):
            searching = KeySelectMultiple(db_field, self.admin_site)
        control = plain_control(db_field) if db_field.name in self.plain else searching
        if control is not None:
            kwargs.setdefault("widget", control)
        field = super().formfield_for_manytomany(db_field, request, **kwargs)
        if field is not None:
            field.found_by_typing = searching
        return field

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return "UPDATE" not in self._events_refused and super().has_change_permission(request, obj)

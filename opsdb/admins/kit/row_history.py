"""The history of a row as the database wrote it, and the return to an earlier version as a new change."""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from django.contrib import messages
from django.contrib.admin.options import BaseModelAdmin
from django.contrib.admin.utils import quote, unquote
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import models, router, transaction
from django.db.models import Model
from django.forms import BaseForm, CheckboxInput, MultiWidget, model_to_dict
from django.forms.models import ModelForm
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.datastructures import MultiValueDict
from django.utils.text import capfirst
from django.utils.translation import gettext

from opsdb.models import ChangeLog, ChangeOperation
from opsdb.models.base import area_of
from opsdb.models.enums import ChangeLogging
from opsdb.workflows.attribution import attributed

from .orders import OrderForm, facts_of
from .refusals import REFUSED, Refusal
from .values import format_value

CHANGES_SHOWN = 100
MOST_NEWER = 1_000  # changes that are undone at most to get back to a version
BEFORE = "before"
# What people plan and set up; everything else is a fact, a state, or who may do what.
RESTORABLE_AREAS = {"observatory", "planning", "locations", "publications"}
RESTORABLE = {
    "DataTransferRoute",
    "DataGrouping",
    "Pipeline",
    "ReductionSoftware",
    "ReductionSoftwareVersion",
    "ReductionStep",
    "ReductionStepConfig",
}


@dataclass
class ChangedField:
    """One field of a change."""

    label: str
    before: object
    after: object


@dataclass
class Change:
    """One change of a row, in all its tables.

    Attributes:
        entry: the newest entry of the log that belongs to it; its key names the version.
        tables: the tables that it changed.
        who: the user's name, or the account at the database.
        lines: the fields that changed.
        restore_url: where this version can be brought back, if it can.
    """

    entry: ChangeLog
    who: str = ""
    tables: set[str] = field(default_factory=set)
    lines: list[ChangedField] = field(default_factory=list)
    restore_url: str = ""


def parts_of(model: type[Model]) -> list[type[Model]]:
    """Return the model itself and the parents that it is joined to: the tables that hold a row."""
    return [model._meta.concrete_model, *model._meta.all_parents]


def fields_by_column(model: type[Model]) -> dict:
    """Return the fields of a row by what the log calls them: columns, over all its tables, and many-to-many fields."""
    columns = {
        one.column: one
        for part in reversed(parts_of(model))
        for one in part._meta.local_concrete_fields
        if not (one.is_relation and one.remote_field.parent_link)
    }
    return columns | {one.name: one for one in model._meta.many_to_many}


def changes_of(row: Model, before: int | None = None, limit: int = CHANGES_SHOWN) -> tuple[list[Change], int | None]:
    """Return the newest changes of a row, over all its tables, and where the next page begins.

    Costs three queries, and one for each kind of row that the changed fields refer to.

    Args:
        row: the row.
        before: key of an entry; only older ones are returned.
        limit: most entries of the log that are looked at.
    """
    entries = ChangeLog.objects.of(row)
    if before is not None:
        entries = entries.filter(pk__lt=before)
    entries = list(entries[: limit + 1])
    following = entries[limit - 1].pk if len(entries) > limit else None
    entries = entries[:limit]
    fields, names = fields_by_column(type(row)), _names(entries, fields_by_column(type(row)))
    users = get_user_model()._base_manager.in_bulk({entry.user_id for entry in entries if entry.user_id})
    changes, values = [], []
    for entry in entries:
        if not changes or not _belongs_to(entry, changes[-1]):
            user = users.get(entry.user_id)
            who = user.get_username() if user else gettext("user %s") % entry.user_id if entry.user_id else ""
            changes.append(Change(entry, who or entry.database_user))
            values.append(({}, {}))
        changes[-1].tables.add(entry.table_name)
        old, new = values[-1]
        old.update(entry.before or {})
        new.update(entry.after or {})
    for change, (old, new) in zip(changes, values, strict=True):
        change.lines = [
            ChangedField(
                str(fields[column].verbose_name) if column in fields else column,
                _named(fields.get(column), old.get(column), names),
                _named(fields.get(column), new.get(column), names),
            )
            for column in dict.fromkeys([*fields, *old, *new])
            if (column in old or column in new)
            and old.get(column) != new.get(column)
            and column not in ("updated_at", "created_at", "id")
        ]
    return changes, following


def _belongs_to(entry, change):
    """Return whether an entry is about another table of the row that was changed together with it."""
    return change.entry.transaction_id == entry.transaction_id and entry.table_name not in change.tables


def _names(entries, fields):
    """Return the names of the rows that changed references point to, by model and key: a query for each model."""
    wanted = defaultdict(set)
    for entry in entries:
        for values in (entry.before or {}, entry.after or {}):
            for column, value in values.items():
                if value is not None and column in fields and fields[column].is_relation:
                    wanted[fields[column].related_model].add(value)
    return {
        (model, str(row.pk)): str(row)
        for model, keys in wanted.items()
        for row in model._base_manager.filter(pk__in=keys).select_related(*_needed(model))
    }


def _needed(model):
    """Return the references that the name of a row may read."""
    return [one.name for one in model._meta.concrete_fields if one.is_relation and not one.null] or [None]


def _named(one, value, names):
    if one is None or value is None:
        return "–" if value is None else str(value)
    if one.is_relation:
        return names.get((one.related_model, str(value)), gettext("%s, which is gone") % value)
    try:
        return format_value(one, one.to_python(value))
    except (ValidationError, TypeError, ValueError):
        return str(value)


def is_restorable(model: type[Model]) -> bool:
    """Return whether earlier versions of a model's rows can come back."""
    area = area_of(model)
    recorded = getattr(model, "change_logging", ChangeLogging.OFF) is ChangeLogging.ALL
    return recorded and (area in RESTORABLE_AREAS or model.__name__ in RESTORABLE)


class NotRestorableError(Exception):
    """An earlier version can't come back; the message says why."""


def values_at(row: Model, entry: ChangeLog) -> dict:
    """Return the fields that were different right after an entry of a row's log, with their values then.

    Raises:
        NotRestorableError: too much has happened since.
    """
    newer = list(ChangeLog.objects.of(row).filter(pk__gt=entry.pk)[: MOST_NEWER + 1])
    if len(newer) > MOST_NEWER:
        raise NotRestorableError(gettext("More than %s changes came after it.") % MOST_NEWER)
    fields, then = fields_by_column(type(row)), {}
    for later in newer:
        if later.operation != ChangeOperation.UPDATE:
            raise NotRestorableError(gettext("The row was deleted and made again after it."))
        for column, old in later.before.items():
            one = fields.get(column)
            if one is None:
                continue
            if not one.many_to_many:
                then[one.name] = (one.target_field if one.is_relation else one).to_python(old)
                continue
            # An entry says of one link that it was made or taken away.
            key = one.related_model._meta.pk
            links = then.setdefault(one.name, _links(row, one))
            links -= {key.to_python(later.after.get(column))}
            links |= {key.to_python(old)} - {None}
    return {
        name: value
        for name, value in then.items()
        if value != (_links(row, row._meta.get_field(name)) if isinstance(value, set) else facts_of(row)[name])
    }


def _links(row, one) -> set:
    """Return the keys of the rows that a many-to-many field links."""
    return {*getattr(row, one.name).order_by().values_list("pk", flat=True)}


def as_typed(form: BaseForm, values: dict[str, Any]) -> dict:
    """Return what a person would have to type into a form for these values."""
    data = {}
    for name, one in form.fields.items():
        value = values.get(name)
        if isinstance(one.widget, MultiWidget):
            parts = one.widget.decompress(value)
            data |= {f"{name}_{number}": "" if part is None else part.isoformat() for number, part in enumerate(parts)}
            continue
        value = one.prepare_value(sorted(value) if isinstance(value, set) else value)
        if isinstance(one.widget, CheckboxInput):
            data |= {name: "on"} if value else {}
        elif isinstance(value, list):
            data[name] = [getattr(part, "pk", part) for part in value]
        else:
            data[name] = "" if value is None else value
    return data


class HistoryMixin:
    """Mixin of an admin: the history of its rows, and their earlier versions."""

    def history_urls(self) -> list[tuple]:
        return [("<path:object_id>/history/<int:entry>/restore/", self.restore_view, "restore")]

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show who changed a row, when, by what and why, and what the change was, the newest first."""
        row = self._row_seen(request, object_id)
        if not isinstance(row, models.Model):
            return row
        before = request.GET.get(BEFORE, "")
        before = int(before) if before.isascii() and before.isdigit() and len(before) < 19 else None
        changes, following = changes_of(row, before)
        may_restore = is_restorable(self.model) and self.has_change_permission(request, row)
        if may_restore:
            newest = None if before else next(iter(changes), None)
            for change in changes:
                if change is not newest and change.entry.operation != ChangeOperation.DELETE:
                    change.restore_url = self.page_url("restore", quote(row.pk), change.entry.pk)
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("History: %s") % row,
            "subtitle": None,
            "opts": self.opts,
            "object": row,
            "media": self.media,
            "changes": changes,
            "change_logging": getattr(self.model, "change_logging", ChangeLogging.OFF).value,
            "following": following,
            "is_first": before is None,
            **(extra_context or {}),
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "admin/opsdb/history.html", context)

    def _row_seen(self, request, object_id):
        row = self.get_object(request, unquote(object_id))
        if row is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        if not self.has_view_or_change_permission(request, row):
            raise PermissionDenied
        return row

    def restore_view(self, request: HttpRequest, object_id: str, entry: int) -> HttpResponse:
        """Show what bringing an earlier version back would change or, once that is confirmed, do it by the form."""
        row = self._row_seen(request, object_id)
        if not isinstance(row, models.Model):
            return row
        if not self.has_change_permission(request, row):
            raise PermissionDenied
        found = ChangeLog.objects.of(row).filter(pk=entry).first() if entry < 2**63 else None
        if found is None:
            raise Http404
        try:
            restoration = Restoration(self, request, row, found)
        except NotRestorableError as reason:
            self.message_user(request, str(reason), messages.ERROR)
            return HttpResponseRedirect(self.page_url("history", quote(row.pk)))
        return restoration.answer()


class Restoration:
    """The return of a row to an earlier version: the page that shows it, and the change itself."""

    def __init__(self, model_admin: BaseModelAdmin, request: HttpRequest, row: Model, entry: ChangeLog):
        self.model_admin, self.request, self.row, self.entry = model_admin, request, row, entry
        if not is_restorable(type(row)):
            raise NotRestorableError(
                gettext("%s are facts or states, which no earlier version replaces: only plans and reference data are.")
                % capfirst(row._meta.verbose_name_plural)
            )
        then = values_at(row, entry)
        if not then:
            raise NotRestorableError(gettext("This version is the same as the present one."))
        self.form_class = model_admin.get_form(request, row, change=True)
        fields = self.form_class.base_fields
        self.restored = {name: value for name, value in then.items() if name in fields}
        self.kept = {name: value for name, value in then.items() if name not in fields}
        if not self.restored:
            labels = ", ".join(str(row._meta.get_field(name).verbose_name) for name in self.kept)
            raise NotRestorableError(gettext("Only %s differ: states and facts, which no form changes.") % labels)

    def answer(self) -> HttpResponse:
        request = self.request
        asked = request.method == "POST"
        reason, form, refusal = OrderForm(request.POST if asked else None), self._form(), ""
        if asked and reason.is_valid() and form.is_valid():
            try:
                return self._restore(form, reason.cleaned_data["reason"])
            except REFUSED as error:
                refusal = Refusal.of(error).text
                self.row.refresh_from_db()
        return self._page(reason, form, refusal)

    def _form(self) -> ModelForm:
        blank = self.form_class(instance=self.row)
        typed = as_typed(blank, model_to_dict(self.row, fields=list(blank.fields)) | self.restored)
        data = MultiValueDict({name: one if isinstance(one, list) else [one] for name, one in typed.items()})
        # Validation writes into its row, and the page still shows the present one.
        return self.form_class(data, instance=type(self.row)._base_manager.get(pk=self.row.pk))

    def _restore(self, form, reason):
        admin, request = self.model_admin, self.request
        told = gettext("version of %(when)s restored: %(reason)s") % {
            "when": f"{self.entry.changed_at:%Y-%m-%d %H:%M:%S}",
            "reason": reason,
        }
        with attributed(user=request.user, reason=told), transaction.atomic(using=router.db_for_write(admin.model)):
            row = admin.save_form(request, form, change=True)
            admin.save_model(request, row, form, change=True)
            admin.save_related(request, form, [], change=True)
            admin.log_change(request, row, told)
        admin.message_user(request, gettext("The earlier version of %s is back.") % row, messages.SUCCESS)
        return HttpResponseRedirect(admin.page_url("history", quote(row.pk)))

    def _page(self, reason, form, refusal):
        admin, row = self.model_admin, self.row
        lines = [self._line(name, value, form.errors.get(name, [])) for name, value in self.restored.items()]
        others = [text for name, texts in form.errors.items() if name not in self.restored for text in texts]
        context = {
            **admin.admin_site.each_context(self.request),
            "title": gettext("Restore: %s") % row,
            "subtitle": None,
            "opts": admin.opts,
            "object": row,
            "media": admin.media,
            "entry": self.entry,
            "lines": lines,
            "kept": [self._line(name, value, []) for name, value in self.kept.items()],
            "errors": [*([refusal] if refusal else []), *others],
            "can_restore": not form.errors,
            "form": reason,
        }
        self.request.current_app = admin.admin_site.name
        return TemplateResponse(self.request, "admin/opsdb/restore.html", context)

    def _line(self, name, value, errors):
        one = self.row._meta.get_field(name)
        return {
            "label": one.verbose_name,
            "present": self._shown(one, _links(self.row, one) if one.many_to_many else getattr(self.row, one.attname)),
            "then": self._shown(one, value),
            "errors": errors,
        }

    def _shown(self, one, value):
        if not one.is_relation or value is None:
            return format_value(one, value)
        keys = sorted(value) if isinstance(value, set) else [value]
        found = one.related_model._base_manager.select_related(*_needed(one.related_model)).in_bulk(keys)
        return ", ".join(str(found.get(key) or gettext("%s, which is gone") % key) for key in keys) or "–"

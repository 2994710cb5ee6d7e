"""The return of a row to an earlier version, as a new change that the ordinary form makes."""

import json
from hashlib import sha256
from typing import Any

from django.contrib import messages
from django.contrib.admin.options import BaseModelAdmin
from django.contrib.admin.utils import quote
from django.db import router, transaction
from django.db.models import Model
from django.forms import BaseForm, CheckboxInput, MultiWidget, model_to_dict
from django.forms.models import ModelForm
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.datastructures import MultiValueDict
from django.utils.text import capfirst
from django.utils.translation import gettext

from opsdb.errors import REFUSED, refusal_of
from opsdb.formatting import format_second
from opsdb.models import ChangeLog, ChangeOperation
from opsdb.models.base import area_of
from opsdb.models.enums import ChangeLogging
from opsdb.workflows import attributed

from .confirmation import DIFFERS, DIGEST
from .names import called
from .orders import OrderForm, facts_of
from .row_history import changes_of, fields_by_column, references_named
from .values import format_value

MOST_NEWER = 1_000  # changes that are undone at most to get back to a version
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


def is_restorable(model: type[Model]) -> bool:
    """Return whether earlier versions of a model's rows can come back."""
    area = area_of(model)
    recorded = getattr(model, "change_logging", ChangeLogging.OFF) is ChangeLogging.ALL
    return recorded and (area in RESTORABLE_AREAS or model.__name__ in RESTORABLE)


class NotRestorableError(Exception):
    """An earlier version can't be restored, as the message explains."""


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
        _take_back(row, later, fields, then)
    return _differing(row, then)


def _take_back(row, entry, fields, then):
    """Put into ``then`` the values before an update."""
    for column, old in entry.before.items():
        one = fields.get(column)
        if one is None:
            continue
        if not one.many_to_many:
            then[one.name] = (one.target_field if one.is_relation else one).to_python(old)
            continue
        # An entry records that one link was made or removed.
        key = one.related_model._meta.pk
        links = then.setdefault(one.name, _links(row, one))
        links -= {key.to_python(entry.after.get(column))}
        links |= {key.to_python(old)} - {None}


def _differing(row, then):
    return {
        name: value
        for name, value in then.items()
        if value != (_links(row, row._meta.get_field(name)) if isinstance(value, set) else facts_of(row)[name])
    }


def values_before(row: Model, entry: ChangeLog) -> dict:
    """Return the fields that a change of a row changed, with their values before, where these differ from the present.

    Args:
        row: the row.
        entry: the newest entry of the log that belongs to the change.

    Raises:
        NotRestorableError: the row was made or deleted by it.
    """
    (change, *older), following = changes_of(row, before=entry.pk + 1, limit=MOST_NEWER)
    if following is not None and not older:
        raise NotRestorableError(gettext("The change has more than %s entries; undo it by hand.") % MOST_NEWER)
    fields, then = fields_by_column(type(row)), {}
    for one in change.entries:
        if one.operation != ChangeOperation.UPDATE:
            raise NotRestorableError(gettext("The row was made or deleted by this change; delete it, or make it anew."))
        _take_back(row, one, fields, then)
    return _differing(row, then)


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


class _RowDiffers(Exception):
    """The row is not as it was looked at."""


def _as_text(value):
    return sorted(map(str, value)) if isinstance(value, set) else str(value)


class Restoration:
    """The return of a row to an earlier version, or of what one change changed: the page that shows it, and the change
    itself."""

    def __init__(
        self, model_admin: BaseModelAdmin, request: HttpRequest, row: Model, entry: ChangeLog, *, undoes: bool = False
    ):
        self.model_admin, self.request, self.row, self.entry = model_admin, request, row, entry
        self.undoes = undoes
        if not is_restorable(type(row)):
            raise NotRestorableError(
                gettext("%s are facts or states, which no earlier version replaces: only plans and reference data are.")
                % capfirst(row._meta.verbose_name_plural)
            )
        then = (values_before if undoes else values_at)(row, entry)
        if not then:
            same = gettext("What it changed is already as it was before.") if undoes else ""
            raise NotRestorableError(same or gettext("This version is the same as the present one."))
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
        if asked and request.POST.get(DIGEST) != self.seen:
            return self._page(reason, form, refusal, DIFFERS)
        if asked and reason.is_valid() and form.is_valid():
            try:
                return self._restore(form, reason.cleaned_data["reason"])
            except REFUSED as error:
                refusal = refusal_of(error).text
                self.row.refresh_from_db()
            except _RowDiffers:
                row = self.model_admin.get_object(request, quote(self.row.pk))
                if row is None:
                    raise Http404 from None
                return Restoration(self.model_admin, request, row, self.entry, undoes=self.undoes).answer()
        return self._page(reason, form, refusal)

    @property
    def seen(self) -> str:
        """What distinguishes two of these pages: the present values of the fields that differ, and those of then."""
        then = self.restored | self.kept
        lines = [[name, _as_text(self._present(name)), _as_text(then[name])] for name in sorted(then)]
        return sha256(json.dumps(lines).encode()).hexdigest()

    def _present(self, name):
        one = self.row._meta.get_field(name)
        return _links(self.row, one) if one.many_to_many else getattr(self.row, one.attname)

    def _form(self) -> ModelForm:
        blank = self.form_class(instance=self.row)
        typed = as_typed(blank, model_to_dict(self.row, fields=list(blank.fields)) | self.restored)
        data = MultiValueDict({name: one if isinstance(one, list) else [one] for name, one in typed.items()})
        # Validation writes into its row, and the page still shows the present one.
        return self.form_class(data, instance=type(self.row)._base_manager.get(pk=self.row.pk))

    def _restore(self, form, reason):
        admin, request = self.model_admin, self.request
        text = gettext("change of %(when)s UTC undone: %(reason)s") if self.undoes else ""
        message = (text or gettext("version of %(when)s UTC restored: %(reason)s")) % {
            "when": format_second(self.entry.changed_at),
            "reason": reason,
        }
        with attributed(user=request.user, reason=message), transaction.atomic(using=router.db_for_write(admin.model)):
            locked = type(self.row)._base_manager.select_for_update(no_key=True).filter(pk=self.row.pk).first()
            if locked is None or facts_of(locked) != facts_of(self.row):
                raise _RowDiffers
            row = admin.save_form(request, form, change=True)
            admin.save_model(request, row, form, change=True)
            admin.save_related(request, form, [], change=True)
            admin.log_change(request, row, message)
        done = gettext("The change of %s is undone.") if self.undoes else gettext("The earlier version of %s is back.")
        admin.message_user(request, done % row, messages.SUCCESS)
        return HttpResponseRedirect(admin.page_url("history", quote(row.pk)))

    def _page(self, reason, form, refusal, notice=""):
        admin, row = self.model_admin, self.row
        lines = [self._line(name, value, form.errors.get(name, [])) for name, value in self.restored.items()]
        others = [text for name, texts in form.errors.items() if name not in self.restored for text in texts]
        context = {
            **admin.admin_site.each_context(self.request),
            "title": (gettext("Undo: %s") if self.undoes else gettext("Restore: %s")) % called(row),
            "undoes": self.undoes,
            "subtitle": None,
            "opts": admin.opts,
            "object": row,
            "media": admin.media,
            "entry": self.entry,
            "lines": lines,
            "kept": [self._line(name, value, []) for name, value in self.kept.items()],
            "errors": [*([refusal] if refusal else []), *others],
            "can_restore": not form.errors,
            "notice": notice,
            "digest": self.seen,
            "form": reason,
        }
        self.request.current_app = admin.admin_site.name
        return TemplateResponse(self.request, "admin/opsdb/restore.html", context)

    def _line(self, name, value, errors):
        one = self.row._meta.get_field(name)
        return {
            "label": one.verbose_name,
            "present": self._shown(one, self._present(name)),
            "then": self._shown(one, value),
            "errors": errors,
        }

    def _shown(self, one, value):
        if not one.is_relation or value is None:
            return format_value(one, value)
        keys = sorted(value) if isinstance(value, set) else [value]
        found = one.related_model._base_manager.select_related(*references_named(one.related_model)).in_bulk(keys)
        names = (called(found[key]) if key in found else gettext("%s, which is gone") % key for key in keys)
        return ", ".join(names) or "–"

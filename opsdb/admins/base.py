"""The kit: what every admin of ops-db has in common, so that each one is declared in a few lines.

An admin says which columns its list has and what is special about it. From the model the kit derives the rest:
autocomplete for every reference, filters of bounded size, which lines of a form may be edited, how states, sizes and
times look, and that what the database refuses is said in the form.
"""

from datetime import datetime
from functools import cached_property

from django.contrib import admin, messages
from django.contrib.admin.templatetags.admin_urls import admin_urlname
from django.contrib.admin.utils import quote
from django.contrib.admin.views.main import ERROR_FLAG, PAGE_VAR, ChangeList
from django.contrib.admin.widgets import AdminTextareaWidget, AutocompleteSelect, ForeignKeyRawIdWidget
from django.core.exceptions import PermissionDenied
from django.db import models, router, transaction
from django.db.models import Exists, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce
from django.forms import BaseInlineFormSet, ModelForm
from django.http import HttpResponseRedirect, QueryDict
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from opsdb.database.triggers import AppendOnly, Immutable, NeverDeleted
from opsdb.models import Instrument, InstrumentModule, Observatory, Telescope
from opsdb.models.base import WorkItem, first_paragraph

from .kit.columns import ZONE, column_for, states_of
from .kit.counting import BoundedPaginator, Deletion
from .kit.filters import ChoiceFilter, LeadingFilter, RelatedFilter, index_led_by, leading_fields
from .kit.keys import KeySelect, KeySelectMultiple
from .kit.links import list_url, narrowed_by, parameter_of
from .kit.operating import Operated
from .kit.paging import LAST, LONGEST_QUERY_SECONDS, TOO_SLOW, Page, TooSlow, given_up_after
from .kit.refusals import REFUSED, Refusal, TolerantErrors, check_now, form_that_shows
from .kit.relations import rows_referring_to
from .kit.searching import any_of, conditions_of, described, keys_found, unquoted, words_of
from .pages.hooks import Answering

AUDIT = ("created_at", "updated_at")
EDITABLE_LINKS = 100  # linked rows up to which a many-to-many field is an input
FOUND_ROWS = 5_000  # of a big table, up to which what a search finds is looked up by its keys
INLINE_ROWS = 100
LISTED_ROWS = 20
TO_INSTRUMENT = "telescopes__instruments"
TO_MODULE = f"{TO_INSTRUMENT}__modules"
WORK = tuple(field.name for field in WorkItem._meta.get_fields() if field.name != "max_retries")


def triggers_of(model, kind):
    """Return the triggers of a kind that a model and the parents it is joined to declare."""
    for part in (model._meta.concrete_model, *model._meta.all_parents):
        yield from (trigger for trigger in part._meta.constraints if isinstance(trigger, kind))


def immutable_columns(model) -> set[str]:
    """Return the columns that the database lets nobody change."""
    return {column for trigger in triggers_of(model, Immutable) for column in trigger.columns}


def events_refused(model) -> set[str]:
    """Return ``UPDATE`` and ``DELETE`` where the database keeps a model's rows as they were written, or for good."""
    refused = set()
    for trigger in triggers_of(model, AppendOnly):
        refused |= {"UPDATE"} if trigger.deletable else {"UPDATE", "DELETE"}
    if any(triggers_of(model, NeverDeleted)):
        refused.add("DELETE")
    return refused


def inherited_names(model) -> set[str]:
    """Return the fields that a model has from abstract bases."""
    bases = (base for base in model.__mro__ if hasattr(base, "_meta") and base._meta.abstract)
    return {field.name for base in bases for field in base._meta.get_fields()}


def with_time_zone(rows):
    """Add the time zone of each row's observatory to a queryset: that of the row's telescope, else the only one."""
    model = rows.model
    ways = {Observatory: "pk", Telescope: "telescopes", Instrument: TO_INSTRUMENT, InstrumentModule: TO_MODULE}
    steps = [(ways[field.related_model], field) for field in model._meta.fields if field.related_model in ways]
    only = Observatory.objects.exclude(Exists(Observatory.objects.exclude(time_zone=OuterRef("time_zone"))))
    zones = [Observatory.objects.filter(**{way: OuterRef(field.attname)}) for way, field in steps] + [only]
    found = [Subquery(observatories.order_by().values("time_zone")[:1]) for observatories in zones]
    return rows.annotate(**{ZONE: Coalesce(*found) if len(found) > 1 else found[0]})


class OpsForm(TolerantErrors, ModelForm):
    """The form of a row."""

    def clean(self):
        """Keep the fractions of a second of times that nobody touched: the inputs have none."""
        cleaned = super().clean()
        for name, value in self.cleaned_data.items():
            if isinstance(value, datetime) and name not in self.changed_data:
                self.cleaned_data[name] = getattr(self.instance, name)
        return cleaned


class ModelFacts:
    """What an admin or an inline can tell from its model; shared by both."""

    owned = ()
    """Fields that a workflow sets, beside states and work items: never edited here."""
    facts = ()
    """Fields that are given when the row is made and not edited afterwards."""
    hidden = ()
    """Fields that are not shown at all."""

    form = OpsForm
    formfield_overrides = {
        models.URLField: {"assume_scheme": "https"},
        models.TextField: {"widget": AdminTextareaWidget(attrs={"rows": 3})},
        models.JSONField: {"widget": AdminTextareaWidget(attrs={"rows": 3, "class": "vLargeTextField opsdb-code"})},
    }

    @cached_property
    def _events_refused(self):
        return events_refused(self.model)

    @cached_property
    def model_fields(self):
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
    def columns(self):
        """The kit's columns by field name, for fields that Django would show less well."""
        columns = {
            name: column_for(field, self, sortable=self.sorts_by(name)) for name, field in self.model_fields.items()
        }
        return {name: column for name, column in columns.items() if column}

    def sorts_by(self, name) -> bool:
        """Whether a list may be sorted by a field."""
        return not self.model_fields[name].many_to_many

    def shown(self, names):
        """Return names of fields, or the kit's columns where there are any."""
        return [self.columns.get(name, name) for name in names]

    def get_autocomplete_fields(self, request):
        """Every reference whose rows can be searched for."""
        return [
            field.name
            for field in (*self.opts.fields, *self.opts.many_to_many)
            if field.is_relation and self._is_searchable(field.related_model, request)
        ]

    def _is_searchable(self, model, request):
        registered = self.admin_site.is_registered(model)
        return registered and bool(self.admin_site.get_model_admin(model).get_search_fields(request))

    def formfield_for_foreignkey(self, db_field, request, **kwargs):
        found_by_typing = db_field.name in self.get_autocomplete_fields(request)
        part, widget = (db_field, KeySelect) if found_by_typing else (db_field.remote_field, ForeignKeyRawIdWidget)
        kwargs.setdefault("widget", widget(part, self.admin_site))
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def formfield_for_manytomany(self, db_field, request, **kwargs):
        if db_field.name in self.get_autocomplete_fields(request):
            kwargs.setdefault("widget", KeySelectMultiple(db_field, self.admin_site))
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def has_change_permission(self, request, obj=None):
        return "UPDATE" not in self._events_refused and super().has_change_permission(request, obj)


class OpsChangeList(ChangeList):
    """A list that is sorted only by columns that may be, whatever the address asks for."""

    def get_ordering_field(self, field_name):
        allowed = self.sortable_by is None or field_name in self.sortable_by
        return super().get_ordering_field(field_name) if allowed else None


class KeyedChangeList(OpsChangeList):
    """A list of a big table, paged by key."""

    def get_ordering(self, request, queryset):
        """Return one column and, in the same direction, the key: one comparison then says what follows a row."""
        first = super().get_ordering(request, queryset)[0]
        sign, name = ("-" if first.startswith("-") else ""), first.removeprefix("-")
        key = self.lookup_opts.pk.name
        self.keys = [f"{sign}{key}"]
        if name not in ("pk", key):
            self.keys = [first, *([] if self.lookup_opts.get_field(name).unique else self.keys)]
        return self.keys

    def get_queryset(self, request, exclude_parameters=None):
        """Search, unless that takes too long."""
        if not self.query:
            return super().get_queryset(request, exclude_parameters)
        with given_up_after(LONGEST_QUERY_SECONDS, self.root_queryset.db):
            return super().get_queryset(request, exclude_parameters)

    def get_results(self, request):
        """Fetch the page and count the rows, unless that takes too long."""
        self.paginator = self.model_admin.get_paginator(request, self.queryset, self.list_per_page)
        asked = request.GET.get(PAGE_VAR, "")
        keys, within = self._along_an_index()
        self.page = Page(self.queryset, keys, asked, self.list_per_page, within)
        with given_up_after(LONGEST_QUERY_SECONDS, self.queryset.db):
            self.result_list = self.page.rows
            self.result_count = self.paginator.count
        self.full_result_count, self.show_full_result_count = None, False
        self.show_admin_actions, self.can_show_all, self.multi_page = True, False, False

    def _along_an_index(self):
        """Return the fields that sort the list, and what narrows it, so that an index gives it in order if one can."""
        key = self.lookup_opts.pk.name
        leading = {spec.field.name: spec.within for spec in self.filter_specs if isinstance(spec, LeadingFilter)}
        leading = {name: within for name, within in leading.items() if within}
        if self.keys[0].removeprefix("-") != key or not leading:
            return self.keys, ()
        fields = len(leading) > 1 and index_led_by(self.model, leading)
        if not fields:
            return self.keys, [next(iter(leading.values()))]
        sign = self.keys[0].removesuffix(key)
        within, order = fields[: len(leading)], fields[len(leading) :]
        return [f"{sign}{name}" for name in order], [leading[name] for name in within]

    def page_links(self):
        """Return name, text and address of the ways to other pages, the address None where there is none."""
        page = self.page
        places = [
            ("first", _("First"), page.has_previous and ""),
            ("prev", _("Previous"), page.has_previous and page.previous),
            ("next", _("Next"), page.has_next and page.next),
            ("last", _("Last"), page.has_next and LAST),
        ]
        return [
            (name, text, None if place is False else self.get_query_string({PAGE_VAR: place or None}))
            for name, text, place in places
        ]


class OpsAdmin(Operated, Answering, ModelFacts, admin.ModelAdmin):
    """Base of every admin."""

    big = False
    """The table grows with the observations: lists are sorted and narrowed only where an index serves."""
    sortable = ()
    """Columns that the list of a big table may be sorted by; none of them may be empty."""
    finders = ()
    """What a search looks at beside ``search_fields``."""

    paginator = BoundedPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    list_per_page = 50

    class Media:
        css = {"all": ["opsdb/admin.css"]}
        js = ["opsdb/admin.js"]

    @property
    def media(self):
        searching = AutocompleteSelect(self.opts.pk, self.admin_site).media
        return super().media + searching

    def get_queryset(self, request):
        return with_time_zone(super().get_queryset(request))

    # Lists

    def get_changelist(self, request, **kwargs):
        return KeyedChangeList if self.big else OpsChangeList

    @property
    def list_names(self):
        """Names of the list's columns."""
        return self.list_display

    def sorts_by(self, name):
        return super().sorts_by(name) and (not self.big or name in self.sortable)

    def get_list_display(self, request):
        first, *others = self.list_names
        # The first column is the link to the row, which can hold no other link.
        column = self.columns.get(first)
        return [first if column is None or column.field.is_relation else column, *self.shown(others)]

    def get_sortable_by(self, request):
        if not self.big:
            return None
        return [
            column
            for name, column in zip(self.list_names, self.get_list_display(request), strict=True)
            if name in self.sortable
        ]

    def get_ordering(self, request):
        if self.ordering:
            return self.ordering
        named = not self.big and next((name for name in ("name", "short_name") if name in self.model_fields), None)
        return [named] if named else ["-pk"]

    def get_list_select_related(self, request):
        needed = [name for shown in self.list_names for name in getattr(getattr(self, shown, None), "needs", [shown])]
        return [name for name in needed if "__" in name or self._is_reference(name)]

    def get_list_filter(self, request):
        names = [*(self.list_filter or ([] if self.big else self._bounded_names()))]
        # Links lead here from rows that this list can't always be narrowed by.
        names += [name for name in self.model_fields if name not in names and self._narrows(name, request)]
        return [self._with_filter(name) for name in names]

    def _with_filter(self, name):
        if self._is_reference(name):
            return name, RelatedFilter
        return (name, ChoiceFilter) if name in leading_fields(self.model) else name

    def _narrows(self, name, request):
        return self._is_reference(name) and parameter_of(self.model_fields[name]) in request.GET

    def _is_reference(self, name):
        field = self.model_fields.get(name)
        return field is not None and field.is_relation

    def _bounded_names(self):
        shown = [self.model_fields[name] for name in self.list_names if name in self.model_fields]
        return [field.name for field in shown if field.choices or isinstance(field, models.BooleanField)]

    def get_search_fields(self, request):
        return self.search_fields or ([] if self.big else self._text_names())

    def _text_names(self):
        return [
            name
            for name, field in self.model_fields.items()
            if isinstance(field, models.CharField) and not field.choices and name not in self._progress_names
        ]

    @property
    def search_help_text(self):
        """What can be searched for, said below the input."""
        if not self.get_search_fields(None):
            return None
        return _("Searches %(what)s.") % {"what": ", ".join(map(str, self.searched()))}

    def searched(self):
        """Names of what a search looks at."""
        paths = [described(self.model, path) for path in self.get_search_fields(None)]
        return [*paths, *(finder.described for finder in self.finders)]

    def get_search_results(self, request, queryset, search_term):
        fields = self.get_search_fields(request)
        # What a big table is searched for is whole or a beginning, blanks included.
        words = [unquoted(search_term)] if self.big and search_term else words_of(search_term)
        for word in words if fields else ():
            found = self.search_conditions(fields, word)
            queryset = self._found(queryset, found) if found else queryset.none()
        return queryset, False

    def _found(self, queryset, conditions):
        if not self.big:
            return queryset.filter(any_of(conditions))
        # PostgreSQL would gladly walk a table in the order of the list until it has a page of what it looks for.
        keys = keys_found(self.model._base_manager.all(), conditions, FOUND_ROWS + 1)
        return queryset.filter(any_of(conditions) if len(keys) > FOUND_ROWS else Q(pk__in=keys))

    def search_conditions(self, fields, word):
        """Return what a word of a search may mean; nothing when no row can match it."""
        return conditions_of(self.model, fields, word, self.finders)

    def get_actions(self, request, action_location=None):
        actions = super().get_actions(request, action_location)
        if self.big:
            actions.pop("delete_selected", None)
        return actions

    def changelist_view(self, request, extra_context=None):
        if request.method != "POST":
            try:
                return super().changelist_view(request, extra_context)
            except REFUSED:
                # A value that no column can hold, such as a text with a zero byte.
                return HttpResponseRedirect(f"{request.path}?{ERROR_FLAG}=1")
            except TooSlow:
                if not request.GET:
                    raise
                self.message_user(request, TOO_SLOW % {"seconds": LONGEST_QUERY_SECONDS}, messages.ERROR)
                return HttpResponseRedirect(request.path)
        try:
            with transaction.atomic(using=router.db_for_write(self.model)):
                return super().changelist_view(request, extra_context)
        except REFUSED as error:
            self.message_user(request, Refusal.of(error).text, messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())

    # Forms

    def get_inlines(self, request, obj):
        return [inline for inline in self.inlines if obj is not None or not issubclass(inline, ListInline)]

    def get_fieldsets(self, request, obj=None):
        if obj is None:
            return super().get_fieldsets(request, obj) if self.fieldsets else [(None, {"fields": self._add_names})]
        changeable = self.has_change_permission(request, obj)
        read_only = self._read_only_names(request, obj) if changeable else self.model_fields
        return [
            (title, {**options, "fields": [self._line(name, read_only) for name in options["fields"]]})
            for title, options in self._sections(request, obj)
            if options["fields"]
        ]

    def _line(self, name, read_only):
        return self.columns.get(name, name) if name in read_only else name

    @property
    def _add_names(self):
        return [name for name in self._main_names if self.model_fields[name].editable]

    def _sections(self, request, obj):
        if self.fieldsets:
            return super().get_fieldsets(request, obj)
        return [
            (None, {"fields": [*self._state_names, *self._main_names]}),
            (_("Progress"), {"fields": self._progress_names}),
            (_("Record"), {"fields": self._record_names}),
        ]

    def get_readonly_fields(self, request, obj=None):
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

    def get_form(self, request, obj=None, change=False, **kwargs):
        form = super().get_form(request, obj, change=change, **kwargs)
        refusal = getattr(request, "opsdb_refusal", None)
        return form_that_shows(form, refusal) if refusal else form

    def changeform_view(self, request, object_id=None, form_url="", extra_context=None):
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except REFUSED as error:
            request.opsdb_refusal = Refusal.of(error)
            return super().changeform_view(request, object_id, form_url, extra_context)

    def render_change_form(self, request, context, add=False, change=False, form_url="", obj=None):
        if obj is not None:
            context["referring"] = rows_referring_to(obj, self, request)
        return super().render_change_form(request, context, add, change, form_url, obj)

    def save_related(self, request, form, formsets, change):
        super().save_related(request, form, formsets, change)
        check_now(router.db_for_write(self.model))

    # Deletion

    def has_delete_permission(self, request, obj=None):
        return "DELETE" not in self._events_refused and super().has_delete_permission(request, obj)

    def get_deleted_objects(self, objs, request):
        deletion = Deletion(self.model, objs, lambda model, lookups: list_url(model, lookups, self))
        lacking = set() if self.has_delete_permission(request) else {self.opts.verbose_name}
        return deletion.names(), deletion.counts, lacking, deletion.protected

    def delete_model(self, request, obj):
        super().delete_model(request, obj)
        check_now(router.db_for_write(self.model))

    def delete_queryset(self, request, queryset):
        super().delete_queryset(request, queryset)
        check_now(router.db_for_write(self.model))

    def delete_view(self, request, object_id, extra_context=None):
        try:
            return super().delete_view(request, object_id, extra_context)
        except REFUSED as error:
            self.message_user(request, Refusal.of(error).text, messages.ERROR)
            # The same page again, as if it were asked for first.
            request.method, request.POST = "GET", QueryDict()
            return super().delete_view(request, object_id, extra_context)


class WrittenByTheDatabase:
    """Mixin for rows that nobody adds by hand."""

    def has_add_permission(self, request, obj=None):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False


class SpecificChangeList(OpsChangeList):
    """A list of joined parents that leads to the pages of their subtypes."""

    def url_for_result(self, result):
        return self.model_admin.subtype_url(result, "change")


class ParentAdmin(OpsAdmin):
    """Admin of a joined parent: lists rows of all subtypes and leads to the subtype's own pages."""

    def subtype_url(self, row, page):
        """Return the address of a row's page at its subtype."""
        subtype = self.model.subtypes()[getattr(row, self.model.discriminator)]
        return reverse(admin_urlname(subtype._meta, page), args=[quote(row.pk)], current_app=self.admin_site.name)

    def get_changelist(self, request, **kwargs):
        return SpecificChangeList

    def add_view(self, request, form_url="", extra_context=None):
        """Let the person choose the subtype: a parent alone is nothing."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        context = {
            **self.admin_site.each_context(request),
            "title": _("Add %(name)s") % {"name": self.opts.verbose_name},
            "opts": self.opts,
            "media": self.media,
            "is_popup": "_popup" in request.GET,
            "subtypes": list(self._addable(request)),
            **(extra_context or {}),
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "admin/opsdb/choose_subtype.html", context)

    def _addable(self, request):
        query = request.GET.urlencode()
        for model in self.model.subtypes().values():
            if self.admin_site.get_model_admin(model).has_add_permission(request):
                url = reverse(admin_urlname(model._meta, "add"), current_app=self.admin_site.name)
                yield {
                    "name": model._meta.verbose_name,
                    "description": first_paragraph(model.__doc__),
                    "url": f"{url}?{query}" if query else url,
                }

    def changeform_view(self, request, object_id=None, form_url="", extra_context=None):
        return self._at_subtype(request, object_id, "change")

    def delete_view(self, request, object_id, extra_context=None):
        return self._at_subtype(request, object_id, "delete")

    def history_view(self, request, object_id, extra_context=None):
        return self._at_subtype(request, object_id, "history")

    def _at_subtype(self, request, object_id, page):
        row = self.get_object(request, admin.utils.unquote(object_id))
        if row is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        query = request.GET.urlencode()
        url = self.subtype_url(row, page)
        return HttpResponseRedirect(f"{url}?{query}" if query else url)


class CappedFormSet(BaseInlineFormSet):
    """Rows of an inline, the first of them."""

    cap = INLINE_ROWS

    def get_queryset(self):
        if not hasattr(self, "_queryset"):
            rows = list(super().get_queryset()[: self.cap + 1])
            self.has_more = len(rows) > self.cap
            self._queryset = rows[: self.cap]
        return self._queryset

    @property
    def rest_url(self):
        """Address of the list of all, when not all are shown."""
        self.get_queryset()
        if not self.has_more:
            return None
        return list_url(self.model, narrowed_by(self.fk, self.instance), self.inline)


class CappedInline(ModelFacts, admin.TabularInline):
    """Base of every inline: shows no more rows than a form bears."""

    template = "admin/opsdb/capped_inline.html"
    formset = CappedFormSet
    cap = INLINE_ROWS
    extra = 0

    def get_formset(self, request, obj=None, **kwargs):
        formset = super().get_formset(request, obj, **kwargs)
        return type(formset.__name__, (formset,), {"cap": self.cap, "inline": self})

    def get_queryset(self, request):
        needed = [name for name in self.fields if self.model_fields[name].is_relation]
        rows = with_time_zone(super().get_queryset(request))
        return rows.select_related(*needed) if needed else rows

    def get_ordering(self, request):
        return self.ordering or ["pk"]

    def get_readonly_fields(self, request, obj=None):
        return []


class PartInline(CappedInline):
    """Parts that mean nothing without their whole, edited with it."""

    @cached_property
    def fields(self):
        return [
            name
            for name, field in self.model_fields.items()
            if field.editable and name not in self._record_names and not self._leads_to_whole(field)
        ]

    def _leads_to_whole(self, field):
        if self.fk_name:
            return field.name == self.fk_name
        return field.is_relation and issubclass(self.parent_model, field.related_model)


class LinkInline(PartInline):
    """Links that are made and removed, but not changed."""

    def has_change_permission(self, request, obj=None):
        return False


class ListInline(CappedInline):
    """The newest rows that belong to this one, to look at and to go to."""

    cap = LISTED_ROWS
    show_change_link = True
    can_delete = False

    def get_ordering(self, request):
        return self.ordering or ["-pk"]

    def has_add_permission(self, request, obj=None):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False

    def get_fieldsets(self, request, obj=None):
        return [(None, {"fields": self.shown(self.fields)})]

    def get_readonly_fields(self, request, obj=None):
        return self.shown(self.fields)


def listing(model, *fields, **options):
    """Return an inline that lists the rows of a model that belong to the row of the page."""
    return type(f"{model.__name__}List", (ListInline,), {"model": model, "fields": fields, **options})


def parts(model, base=PartInline, **options):
    """Return an inline that edits the parts of the row of the page."""
    return type(f"{model.__name__}Parts", (base,), {"model": model, **options})

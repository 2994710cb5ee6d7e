"""The base of every filter set: parameters by declaration, refusals with what would be right, and stable pages."""

import difflib
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any, ClassVar, Generic, TypeVar, cast

from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Field, Model, Q, QuerySet
from django.http import HttpRequest
from django.utils.functional import lazy
from django.utils.text import capfirst
from django.utils.text import get_text_list as text_list
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django_filters import FilterSet

from opsdb.models import ExecutedObsUnit

from .paging import KeyedPage
from .parameters import (
    ChoiceParameter,
    DateParameter,
    FlagParameter,
    KeyParameter,
    NumberParameter,
    OrderParameter,
    Parameter,
    ReferenceParameter,
    SearchParameter,
    SourceParameter,
    TextParameter,
    TimeParameter,
    WholeNumberParameter,
    key_name,
    names_of,
)
from .searching import (
    FOUND_ROWS,
    Finder,
    TooManyWordsError,
    any_of,
    conditions_of,
    described,
    keys_found,
    searched_words,
)
from .serving import Way, way_along

ModelT = TypeVar("ModelT", bound=Model)
MOST_EXECUTIONS = 1_000  # whose files or packages are listed together
SEARCH, ORDERING = "q", "ordering"
ENDS = {"after": ("gte", gettext_lazy("%(name)s, from")), "before": ("lt", gettext_lazy("%(name)s, before"))}
LIMITS = {"min": ("gte", gettext_lazy("%(name)s, at least")), "max": ("lte", gettext_lazy("%(name)s, at most"))}


class Size(Enum):
    """How a table grows, which decides what may be asked of it."""

    SMALL = "small"
    """With what people enter."""
    MEDIUM = "medium"
    """With the observations, but to no more than a hundredth of the raw files: parameters combine freely."""
    BIG = "big"
    """With the files: asked only where an index serves all parameters together."""


def _label_of(field: Field, text: object = "%(name)s") -> str:
    return str(text) % {"name": capfirst(str(field.verbose_name))}


label_of = lazy(_label_of, str)
"""Label of a parameter, in the language of whom it is shown to."""


class FilterForm(forms.Form):
    """The form of a filter set, which checks whether the values of all parameters can be combined."""

    filterset: "OpsFilterSet[Any]"

    def clean(self) -> dict[str, Any]:
        self.filterset.examine(self)
        return self.cleaned_data


def _encodable(value):
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value


def parameter_for(field: Field, **options: Any) -> Parameter:
    """Return the parameter that narrows by one value of a model's field."""
    options = {"field_name": field.name, "label": label_of(field), "help_text": field.help_text} | options
    if field.choices:
        return ChoiceParameter(choices=field.flatchoices, **options)
    if field.is_relation:
        related = field.related_model
        if field.related_model._meta.label == "opsdb.Source":
            return SourceParameter(**options)
        return (ReferenceParameter if names_of(related) else KeyParameter)(related=related, **options)
    if isinstance(field, models.BooleanField):
        return FlagParameter(**options)
    if isinstance(field, models.IntegerField):
        return WholeNumberParameter(validators=field.validators, **options)
    if isinstance(field, models.FloatField):
        return NumberParameter(**options)
    if isinstance(field, models.DateTimeField):
        return TimeParameter(**options)
    return DateParameter(**options) if isinstance(field, models.DateField) else TextParameter(**options)


class OpsFilterSet(FilterSet, Generic[ModelT]):
    """Base of every filter set.

    ``Meta.fields`` names the fields that are narrowed by one value; the attributes declare the rest. Where a value is
    wrong, or an unknown parameter is refused, the form has errors and :attr:`qs` has no rows.
    """

    size: ClassVar[Size] = Size.SMALL
    """How the table grows."""
    windows: ClassVar[Sequence[str]] = ()
    """Times and dates of which ``NAME_after`` and ``NAME_before`` give a range."""
    ranges: ClassVar[Sequence[str]] = ()
    """Numbers of which ``NAME_min`` and ``NAME_max`` give a range."""
    joined: ClassVar[Mapping[str, Parameter]] = {}
    """Parameters by name that look at related rows, beside those that are attributes."""
    few: ClassVar[Sequence[str]] = ()
    """Fields of a big table of which one value has few rows, to which an index leads."""
    usual: ClassVar[Mapping[str, Any]] = {}
    """Values of fields that most rows of a big table have."""
    search_fields: ClassVar[Sequence[str]] = ()
    """Lookups that free text is looked for in; by default the short texts of a small table."""
    finders: ClassVar[Sequence[Finder]] = ()
    """What free text is looked for in beside :attr:`search_fields`."""
    sortable: ClassVar[Sequence[str]] = ()
    """Fields beside the key that rows may be sorted by; none may be empty, and those of a table that grows have an
    index."""
    order: ClassVar[str] = ""
    """How rows are sorted by default; else by name where the table is small, and the newest first."""
    refuse_unknown: bool = False
    """Whether unknown parameters, and those given twice, are errors."""
    allowed: Sequence[str] = ()
    """Parameters of the host, such as ``page``, that are not unknown."""

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        queryset: QuerySet[ModelT] | None = None,
        *,
        request: HttpRequest | None = None,
        prefix: str | None = None,
        refuse_unknown: bool | None = None,
        allowed: Sequence[str] | None = None,
    ) -> None:
        """Prepare; nothing is queried yet.

        Args:
            data: the parameters, such as ``request.GET``; None for none.
            queryset: the rows to narrow, by default all.
            request: the request, for parameters of a subclass that need it.
            prefix: of the parameters' names.
            refuse_unknown: see the attribute.
            allowed: see the attribute.
        """
        if data is not None and not hasattr(data, "getlist"):
            # As Django does with an address: half a character can be sent neither to the database nor to a browser.
            data = {name: _encodable(value) for name, value in data.items()}
        super().__init__(data, queryset, request=request, prefix=prefix)
        if refuse_unknown is not None:
            self.refuse_unknown = refuse_unknown
        if allowed is not None:
            self.allowed = allowed
        self.asked: dict[str, Any] = {}
        self._keys: list[list[Any]] = []
        self._executions: list[Any] | None = None
        self._way = Way([], [self._key])

    @property
    def _key(self) -> str:
        return key_name(self.queryset.model)

    @classmethod
    def get_filters(cls) -> dict[str, Parameter]:
        """Return the parameters by name."""
        model = cls._meta.model
        if model is None:
            return {}
        found: dict[str, Parameter] = {}
        for name in cls._meta.fields:
            options = {"few": name in cls.few, "usual": cls.usual.get(name)}
            found[name] = cls.declared_filters.get(name) or parameter_for(model._meta.get_field(name), **options)
        found |= {**cls.declared_filters, **cls.joined}
        for names, ends in ((cls.windows, ENDS), (cls.ranges, LIMITS)):
            for name in names:
                field = model._meta.get_field(name)
                for end, (lookup, label) in ends.items():
                    found[f"{name}_{end}"] = one = parameter_for(
                        field, lookup_expr=lookup, label=label_of(field, label)
                    )
                    one.bound = end
        found |= cls._general()
        return found

    @classmethod
    def _general(cls):
        if cls.searched():
            text = lazy(lambda: _("Searches %(what)s.") % {"what": ", ".join(map(str, cls.described()))}, str)()
            yield SEARCH, SearchParameter("pk", label=gettext_lazy("Search"), help_text=text)
        choices = [(f"{sign}{name}", f"{sign}{name}") for name in cls.orders() for sign in ("", "-")]
        text = gettext_lazy("Field that sorts the rows, downwards after a minus sign; by default %(order)s.")
        default = cls.usual_order()
        yield (
            ORDERING,
            OrderParameter(
                "pk",
                label=gettext_lazy("Order"),
                choices=[("", gettext_lazy("usual")), *choices],
                help_text=lazy(lambda: str(text) % {"order": default}, str)(),
            ),
        )

    @classmethod
    def usual_order(cls) -> str:
        """Return how rows are sorted by default."""
        model = cls._meta.model
        named = {field.name for field in model._meta.fields} & {"name", "short_name"}
        return cls.order or (min(named) if named and cls.size is Size.SMALL else f"-{key_name(model)}")

    @classmethod
    def orders(cls) -> list[str]:
        """Return the fields that rows may be sorted by, the key first."""
        return [*dict.fromkeys((key_name(cls._meta.model), *cls.sortable))]

    @classmethod
    def searched(cls) -> Sequence[str]:
        """Return the lookups that free text is looked for in."""
        if cls.search_fields or cls.size is not Size.SMALL:
            return cls.search_fields
        fields = cls._meta.model._meta.fields
        return [field.name for field in fields if isinstance(field, models.CharField) and not field.choices]

    @classmethod
    def described(cls) -> list[str]:
        """Return in words what free text is looked for in."""
        paths = [described(cls._meta.model, path) for path in cls.searched()]
        return [*paths, *(finder.described for finder in cls.finders)]

    def get_form_class(self) -> type[FilterForm]:
        fields = {name: parameter.field for name, parameter in self.filters.items()}
        return cast(type[FilterForm], type(f"{type(self).__name__}Form", (FilterForm,), fields))

    @property
    def form(self) -> FilterForm:
        """The form of the parameters."""
        form = super().form
        form.filterset = self
        return form

    def is_valid(self) -> bool:
        """Whether no parameter is wrong; there may be none."""
        return not self.is_bound or not self.form.errors

    @property
    def qs(self) -> QuerySet[ModelT]:
        """The rows, sorted; none where a parameter is wrong."""
        if not hasattr(self, "_qs"):
            self._qs = self.filter_queryset(self.queryset.all())
        return self._qs

    def page(self, asked: str = "", size: int = 50) -> KeyedPage:
        """Return a page of the rows, which costs the same wherever in the table it is.

        Args:
            asked: the place, as ``next`` or ``previous`` of another page give it; empty for the first.
            size: the most rows of a page.
        """
        rows, way = self.qs, self._way
        within = [] if self._executions is not None else [(name, self._value_of(name)) for name in way.columns]
        names = [*([] if within else way.columns), *self._order]
        return KeyedPage(rows, [f"{self._sign}{name}" for name in names], asked, size, within, self.queryset)

    def examine(self, form: FilterForm) -> None:
        """Add to a form what is wrong with the values together."""
        if self.refuse_unknown:
            self._refuse_unknown(form)
        for name, value in list(form.cleaned_data.items()):
            if value is None or value == "":
                continue
            try:
                self.asked[name] = self._words(value) if name == SEARCH else self.filters[name].prepared(value)
            except (ValidationError, TooManyWordsError) as error:
                form.add_error(name, error if isinstance(error, ValidationError) else str(error))
        if form.errors:
            return
        for step in (self._resolve_executions, self._plan, self._look_up):
            try:
                step()
            except ValidationError as error:
                form.add_error(None, error)
                return

    def _refuse_unknown(self, form):
        known = [form.add_prefix(name) for name in form.fields]
        for name in self.data:
            if name in self.allowed:
                continue
            values = self.data.getlist(name) if hasattr(self.data, "getlist") else [self.data[name]]
            shown = name[:100].replace("\x00", "")
            if name not in known:
                near = difflib.get_close_matches(name, known, n=1)
                guess = _("did you mean “%(name)s”?") % {"name": near[0]} if near else _("leave it out.")
                form.add_error(None, _("Unknown parameter “%(name)s”: %(guess)s") % {"name": shown, "guess": guess})
            elif len(values) > 1:
                form.add_error(None, _("“%(name)s” is given several times: give it once.") % {"name": shown})

    def _words(self, text):
        return searched_words(text, whole=self.size is not Size.SMALL)

    def _resolve_executions(self):
        names = self._through_executions()
        if not names:
            return
        conditions = [self.filters[name].condition(self.asked[name], self.filters[name].executions) for name in names]
        executions = ExecutedObsUnit.objects.using(self.queryset.db).filter(*conditions).order_by()
        self._executions = list(executions.values_list("pk", flat=True)[: MOST_EXECUTIONS + 1])
        if len(self._executions) > MOST_EXECUTIONS:
            raise ValidationError(
                _("%(names)s: this is true of more than %(most)d observations; give a shorter time, or leave it out.")
                % {"names": self._labels(names), "most": MOST_EXECUTIONS}
            )

    def _through_executions(self):
        return [name for name in self.asked if self.filters[name].executions]

    def _labels(self, names):
        return text_list([str(self.filters[name].label) for name in names], _("and"))

    def _plan(self):
        """Find the index that serves what is asked of a big table."""
        if self.size is not Size.BIG or self._has_few():
            return
        along = {self._sorted_by.removeprefix("-")} - {self._key}
        if self._executions is not None:
            if along:
                self._refuse_together()
            self._way = Way(["executed_obs_unit"], [self._key])
            return
        along |= {self.filters[name].column for name in self.asked if self._bounds(name)}
        model = self.queryset.model
        values = {self.filters[name].column: value for name, value in self.asked.items() if self._narrows(name)}
        way = way_along(model, values, next(iter(along), None)) if len(along) < 2 and None not in values else None
        if way is None:
            self._refuse_together()
        self._way = way

    def _has_few(self):
        return any(self.filters[name].few or self._is_looked_up(name) for name in self.asked)

    def _bounds(self, name):
        return bool(self.filters[name].bound)

    def _narrows(self, name):
        parameter = self.filters[name]
        general = name in (SEARCH, ORDERING) or parameter.executions or parameter.bound
        return not general and self.asked[name] != parameter.usual

    def _refuse_together(self):
        names = [name for name in self.asked if name == ORDERING or self._bounds(name) or self._narrows(name)]
        names += self._through_executions()
        few = [str(one.label) for name, one in self.filters.items() if name == SEARCH or one.few]
        raise ValidationError(
            _("No index of the %(rows)s serves this: %(names)s. Leave something out, or give one of: %(few)s.")
            % {
                "rows": self.queryset.model._meta.verbose_name_plural,
                "names": self._labels(names),
                "few": ", ".join(few),
            }
        )

    def _look_up(self):
        """Find the keys of what can be called the same in a table that grows."""
        if self.size is Size.SMALL:
            return
        model = self.queryset.model
        rows = model._base_manager.using(self.queryset.db).all()
        for name in filter(self._is_looked_up, self.asked):
            value = self.asked[name]
            if name == SEARCH:
                conditions = conditions_of(model, self.searched(), value[0], self.finders)
            else:
                conditions = [self.filters[name].condition(value)]
            keys = keys_found(rows, conditions, FOUND_ROWS + 1) if conditions else []
            if len(keys) > FOUND_ROWS:
                text = _("%(name)s: this finds more than %(most)d rows; give more of it.")
                raise ValidationError(text % {"name": self.filters[name].label, "most": FOUND_ROWS})
            self._keys.append(keys)

    def _is_looked_up(self, name):
        return self.size is not Size.SMALL and (name == SEARCH or self.filters[name].is_looked_up)

    def filter_queryset(self, queryset: QuerySet[ModelT]) -> QuerySet[ModelT]:
        """Return the rows of a queryset that the parameters ask for, sorted."""
        if not self.is_valid():
            return queryset.none()
        for keys in self._keys:
            queryset = queryset.filter(pk__in=keys)
        for word in self.asked.get(SEARCH, ()) if self.size is Size.SMALL else ():
            found = conditions_of(queryset.model, self.searched(), word, self.finders)
            queryset = queryset.filter(any_of(found)) if found else queryset.none()
        if self._executions is not None:
            queryset = queryset.filter(executed_obs_unit__in=self._executions)
        queryset = queryset.filter(*self._conditions())
        return queryset.order_by(*(f"{self._sign}{name}" for name in (*self._way.columns, *self._order)))

    def _conditions(self):
        for name, value in self.asked.items():
            parameter = self.filters[name]
            if name in (SEARCH, ORDERING) or parameter.executions or self._is_looked_up(name):
                continue
            if parameter.column in self._way.columns and not parameter.bound and self._way.order == [self._key]:
                # For an equality PostgreSQL would estimate that any walk along the key soon meets such rows.
                yield Q(**{f"{parameter.column}__gte": value, f"{parameter.column}__lte": value})
            else:
                yield parameter.condition_met_once(value)

    def _value_of(self, column):
        return next(
            value for name, value in self.asked.items() if self.filters[name].column == column and self._narrows(name)
        )

    @property
    def _sorted_by(self):
        return self.asked.get(ORDERING) or self.usual_order()

    @property
    def _sign(self):
        return "-" if self._sorted_by.startswith("-") else ""

    @property
    def _order(self):
        """Names of the fields that sort the rows, the key last."""
        if self._way.order != [self._key] or self._way.columns:
            return self._way.order
        name = self._sorted_by.removeprefix("-")
        return [self._key] if name in ("pk", self._key) else [name, self._key]

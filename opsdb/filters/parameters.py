"""The kinds of parameters: what each accepts, and its condition on a row.

Every kind refuses what no column can hold, so that no value makes an error of the database.
"""

import math
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from django import forms
from django.contrib.admin.utils import lookup_spawns_duplicates
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Field, Model, Q
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django_filters import Filter

from opsdb.database.indexes import CHECKSUM_HEAD
from opsdb.models import ExecutedObsUnit, ExecutedObsUnitModuleConfiguration, FixedSource, Source
from opsdb.models.natural_keys import natural_key_lookups
from opsdb.normalization import parse_checksum

from .keys import is_key
from .searching import CHECKSUM_BEGINNING, ChecksumFinder, FileNameFinder

LONGEST_TEXT = 2_000
YES, NO = {"true", "1", "yes", "on"}, {"false", "0", "no", "off"}
SEPARATOR = "/"


class Parameter(Filter):
    """A parameter of a filter set.

    Attributes:
        few: whether the rows of a value are few and an index leads to them, so that anything may be asked beside it.
        usual: the value of most rows of a big table, to which no index leads because almost any walk meets it.
        executions: the lookup from an observation where this asks for rows by their observation; else empty.
    """

    field_class = forms.CharField
    bound = ""
    """The end of a range that this is, if it is one."""
    is_looked_up = False
    """Whether the keys of the rows are looked up first, because many may have the same value."""

    def __init__(
        self, field_name: str | None = None, lookup_expr: str | None = None, *, few: bool = False, usual: Any = None,
        executions: str = "", **options: Any,
    ) -> None:  # fmt: skip
        self.few, self.usual, self.executions = few, usual, executions
        if self.field_class is forms.CharField:
            options.setdefault("max_length", LONGEST_TEXT)
        super().__init__(field_name, lookup_expr, **options)

    @property
    def column(self) -> str | None:
        """Name of the row's own field that one value or an end of a range is asked of, or None."""
        own = "__" not in self.field_name and self.lookup_expr in ("exact", "gte", "lt", "lte")
        return self.field_name if own else None

    def prepared(self, value: Any) -> Any:
        """Return the value's meaning in the database.

        Raises:
            ValidationError: nothing.
        """
        return value

    def condition(self, value: Any, path: str | None = None) -> Q:
        """Return what must hold of a row.

        Args:
            value: as :meth:`prepared` returned it.
            path: lookup to the field, by default from the row of the filter set.
        """
        return Q(**{f"{path or self.field_name}__{self.lookup_expr}": value})

    def condition_met_once(self, value: Any) -> Q:
        """Return what must hold of a row, which is found once however many of its related rows meet it."""
        condition = self.condition(value)
        if not lookup_spawns_duplicates(self.model._meta, self.field_name):
            return condition
        return Q(pk__in=self.model._base_manager.filter(condition).values("pk"))


class TextParameter(Parameter):
    """A text, whole."""


class NameParameter(Parameter):
    """A text, whole, in any letter case."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **{"lookup_expr": "iexact", **options})


class ChoiceParameter(Parameter):
    """One of a field's choices."""

    field_class = forms.ChoiceField

    def __init__(self, *args: Any, choices: Sequence[tuple[Any, Any]], **options: Any) -> None:
        super().__init__(*args, choices=[("", gettext_lazy("any")), *choices], **options)


class _YesOrNoField(forms.Field):
    widget = forms.Select(
        choices=[("", gettext_lazy("any")), ("true", gettext_lazy("yes")), ("false", gettext_lazy("no"))]
    )

    def to_python(self, value):
        text = str(value or "").strip().lower()
        if text and text not in YES | NO:
            raise ValidationError(_("“%(value)s” is neither true nor false.") % {"value": text[:100]})
        return text in YES if text else None


class FlagParameter(Parameter):
    """Whether something holds: ``true`` or ``false``."""

    field_class = _YesOrNoField


class _TimeField(forms.Field):
    widget = forms.DateTimeInput(attrs={"placeholder": "2026-06-15T02:00:00Z"})

    def to_python(self, value):
        text = str(value or "").strip()
        if not text:
            return None
        try:
            # An address turns a plus sign into a blank.
            time = parse_datetime(re.sub(r"(:\d\d(?:\.\d+)?) (\d\d:?\d\d)$", r"\1+\2", text))
            day = None if time else parse_date(text)
            time = time or (day and datetime(day.year, day.month, day.day))
            if time:
                return (time if time.tzinfo else time.replace(tzinfo=UTC)).astimezone(UTC)
        except (ValueError, OverflowError):
            pass
        raise ValidationError(
            _("“%(value)s” is no time: give one such as 2026-06-15T02:00:00Z, or a date; both are UTC.")
            % {"value": text[:100]}
        )


class TimeParameter(Parameter):
    """A time or a date, ISO 8601, in UTC where it has no offset: the first moment, or the first after the last."""

    field_class = _TimeField


class _DateField(_TimeField):
    widget = forms.DateInput(attrs={"placeholder": "2026-06-15"})

    def to_python(self, value):
        time = super().to_python(value)
        return time.date() if time else None


class NightParameter(Parameter):
    """The night of an observation."""

    field_class = _DateField

    def prepared(self, value: Any) -> Any:
        try:
            return ExecutedObsUnit.objects.night(value)
        except OverflowError as error:
            raise ValidationError(_("“%(value)s” is no night.") % {"value": value}) from error

    def condition(self, value: Any, path: str | None = None) -> Q:
        return Q(**{f"{path or self.field_name}__in": value.values("pk")})


class DateParameter(Parameter):
    """A date."""

    field_class = _DateField


class NumberParameter(Parameter):
    """A number, as one end of a range or alone."""

    field_class = forms.FloatField


class WholeNumberParameter(Parameter):
    """A whole number that the column can hold."""

    field_class = forms.IntegerField


class _KeyField(forms.CharField):
    def __init__(self, *, related, **options):
        super().__init__(**options)
        self.related = related

    def clean(self, value):
        text = super().clean(value)
        if text and not is_key(self.related, text):
            kind = _key_of(self.related).get_internal_type()
            example = "019b0000-0000-7000-8000-000000000000" if kind == "UUIDField" else "12"
            raise ValidationError(
                _("“%(value)s” is no key of a %(row)s: give one such as %(example)s.")
                % {"value": text[:100], "row": self.related._meta.verbose_name, "example": example}
            )
        return _key_of(self.related).to_python(text) if text else None


def key_name(model: type[Model]) -> str:
    """Return the name of a model's key, which a subtype has from its parent."""
    return "id" if model._meta.pk.is_relation else model._meta.pk.name


def _key_of(model):
    key = model._meta.pk
    while key.is_relation:
        key = key.target_field
    return key


class KeyParameter(Parameter):
    """The key of a row."""

    field_class = _KeyField

    def __init__(self, *args: Any, related: type[Model], **options: Any) -> None:
        super().__init__(*args, related=related, **options)


def names_of(model: type[Model]) -> list[str]:
    """Return the lookups of a row's natural key, the row's own name last; none where rows have but keys."""
    if model is get_user_model():
        return [model.USERNAME_FIELD]
    if getattr(model, "natural_key_fields", None):
        lookups = natural_key_lookups(model)
        return lookups if all(isinstance(_last(model, one), models.CharField) for one in lookups) else lookups[:1]
    return ["name"] if any(field.name == "name" and field.unique for field in model._meta.fields) else []


def _last(model: type[Model], lookup: str) -> Field:
    *path, name = lookup.split("__")
    for part in path:
        model = model._meta.get_field(part).related_model
    return model._meta.get_field(name)


class ReferenceParameter(Parameter):
    """A related row by its name, alone or after those of what it belongs to (``site/name``), or by its key.

    Its table may have any size: rows are looked up, never listed.
    """

    def __init__(self, *args: Any, related: type[Model], **options: Any) -> None:
        self.related = related
        super().__init__(*args, **options)

    def prepared(self, value: str) -> Any:
        """Return the key of the row that is named; a name that is also a key is a name."""
        lookups = names_of(self.related)
        named = Q(**{lookups[-1]: value})
        for number in range(2, len(lookups) + 1):
            parts = value.split(SEPARATOR, number - 1)
            if len(parts) == number:
                named |= Q(**dict(zip(lookups[-number:], parts, strict=True)))
        key = _key_of(self.related).to_python(value) if is_key(self.related, value) else None
        found = list(self.related._default_manager.filter(named).order_by("pk").values_list("pk", flat=True)[:2])
        if len(found) > 1:
            raise ValidationError(
                _("Several of the %(rows)s are called “%(name)s”: give %(names)s, or the key.")
                % {"rows": self._rows, "name": value[:100], "names": SEPARATOR.join(_spoken(lookups))}
            )
        if found:
            return found[0]
        if key is not None and self.related._default_manager.filter(pk=key).exists():
            return key
        raise ValidationError(
            _("None of the %(rows)s is called “%(name)s” or has this key.") % {"rows": self._rows, "name": value[:100]}
        )

    @property
    def _rows(self):
        return self.related._meta.verbose_name_plural


def _spoken(lookups):
    return [lookup.rpartition("__")[0].split("__")[-1] or lookup for lookup in lookups]


class SourceParameter(ReferenceParameter):
    """A source by its name or alias, in any letter case, or by its key."""

    def __init__(self, *args: Any, related: type[Model] = Source, **options: Any) -> None:
        super().__init__(*args, related=related, **options)

    def prepared(self, value: str) -> Any:
        try:
            source = Source.objects.resolve(value)
        except Source.MultipleObjectsReturned as error:
            raise ValidationError(capfirst(str(error))) from error
        return source.pk if source else super().prepared(value)


class ModuleOfExecutionParameter(ReferenceParameter):
    """A module, or what it belongs to, that took part in an observation."""

    def condition(self, value: Any, path: str | None = None) -> Q:
        used = ExecutedObsUnitModuleConfiguration.objects.filter(**{f"module_configuration__{self.lookup}": value})
        return Q(**{f"{path or self.field_name}__in": used.values("executed_obs_unit")})

    def __init__(self, *args: Any, lookup: str = "instrument_module", **options: Any) -> None:
        self.lookup = lookup
        super().__init__(*args, **options)


class _ConeField(forms.CharField):
    def clean(self, value):
        text = super().clean(value)
        if not text:
            return None
        try:
            ra, dec, radius = map(float, text.replace(",", " ").split())
        except ValueError:
            ra = math.nan
        if not math.isfinite(ra):
            raise ValidationError(
                _("“%(value)s” is no circle: give right ascension, declination and radius in degrees, such as "
                  "83.82,-5.39,0.5.") % {"value": text[:100]}
            )  # fmt: skip
        try:
            FixedSource.objects.cone_search(ra, dec, radius)
        except ValueError as error:
            raise ValidationError(f"{capfirst(str(error))}.") from error
        return ra, dec, radius


class ConeParameter(Parameter):
    """A circle on the sky that holds the fixed source."""

    field_class = _ConeField

    def condition(self, value: Any, path: str | None = None) -> Q:
        return Q(**{f"{path or self.field_name}__in": FixedSource.objects.cone_search(*value).values("pk")})


class ChecksumParameter(Parameter):
    """A checksum, whole or its first digits, with or without the name of its algorithm."""

    def prepared(self, value: str) -> Any:
        understood = parse_checksum(value)
        if understood is None or not CHECKSUM_BEGINNING.fullmatch(understood.digits):
            text = _("“%(value)s” is no checksum: give at least %(digits)d of its digits.")
            raise ValidationError(text % {"value": value[:100], "digits": CHECKSUM_HEAD})
        return understood.digits

    def condition(self, value: Any, path: str | None = None) -> Q:
        return ChecksumFinder().condition(value)


class FileNameParameter(Parameter):
    """The name of a file or its whole path, in any letter case."""

    is_looked_up = True

    def prepared(self, value: str) -> Any:
        found = FileNameFinder().condition(value)
        if found is None:
            raise ValidationError(_("“%(value)s” is no name of a file.") % {"value": value[:100]})
        return found

    def condition(self, value: Any, path: str | None = None) -> Q:
        return value


class SearchParameter(Parameter):
    """Free text, interpreted as in the search of the admin."""


class OrderParameter(Parameter):
    """The field that sorts the rows, downwards after ``-``."""

    field_class = forms.ChoiceField

"""Dates and times as people write and choose them: one form, ISO 8601 in UTC, so that none can be taken for another."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.contrib import admin, messages
from django.contrib.admin import ModelAdmin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.contrib.admin.widgets import AdminDateWidget, AdminSplitDateTime, BaseAdminDateWidget, BaseAdminTimeWidget
from django.db import models
from django.db.models import Field, Model, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from .values import Text

DATE, TIME = "%Y-%m-%d", "%H:%M:%S"
DATES, TIMES = [DATE], [TIME, "%H:%M:%S.%f", "%H:%M"]
WRITE_DATE = lazy("Write the date as year-month-day, such as 2026-06-12; 12/06/2026 could be two days.")
WRITE_TIME = lazy("Write the time in UTC as hours:minutes or hours:minutes:seconds, such as 05:00.")


class UtcWidgetMixin:
    """Inputs of date and time that show UTC, whatever the project's time zone is."""

    def decompress(self, value: datetime | None) -> list[date | time | None]:
        """Return date and time in UTC."""
        with timezone.override(UTC):
            return super().decompress(value)


class UtcDateTimeWidget(UtcWidgetMixin, forms.SplitDateTimeWidget):
    """Two plain inputs of date and time."""


class HiddenIsoDateTimeWidget(UtcWidgetMixin, forms.SplitHiddenDateTimeWidget):
    """What a form had at first, as its inputs are written."""

    def __init__(self, attrs: dict[str, Any] | None = None):
        super().__init__(attrs, date_format=DATE, time_format=TIME)


class IsoDateTimeField(forms.SplitDateTimeField):
    """Date and time in UTC, in ISO form alone, whatever the project's time zone is."""

    hidden_widget = HiddenIsoDateTimeWidget
    default_error_messages = {"invalid_date": WRITE_DATE, "invalid_time": WRITE_TIME}

    def __init__(self, **kwargs):
        super().__init__(input_date_formats=DATES, input_time_formats=TIMES, **kwargs)

    def compress(self, data_list: list[Any]) -> datetime | None:
        """Return the moment that date and time are in UTC."""
        with timezone.override(UTC):
            return super().compress(data_list)


class IsoDateField(forms.DateField):
    """A date in ISO form alone."""

    default_error_messages = {"invalid": WRITE_DATE}

    def __init__(self, **kwargs):
        super().__init__(input_formats=DATES, **kwargs)


class IsoDateTimeWidget(UtcWidgetMixin, AdminSplitDateTime):
    """The admin's inputs of date and time, which show what is to be written, and the local time below.

    Attributes:
        zone: IANA name of the time zone of the observatory; None where there is none, or several.
    """

    template_name = "admin/opsdb/moment_input.html"
    zone: str | None = None

    def __init__(self, attrs: dict[str, Any] | None = None):
        super().__init__(attrs)
        parts = [
            BaseAdminDateWidget({"placeholder": "YYYY-MM-DD"}, DATE),
            BaseAdminTimeWidget({"placeholder": "hh:mm:ss"}, TIME),
        ]
        forms.MultiWidget.__init__(self, parts, attrs)

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        moment = _moment_of(value) if self.zone else None
        return {
            **context,
            "date_label": _("Date (UTC):"),
            "time_label": _("Time (UTC):"),
            "zone": self.zone,
            "local": f"{moment.astimezone(ZoneInfo(self.zone)):%Y-%m-%d %H:%M}" if moment else "",
        }


def _moment_of(value):
    """Return the time of a field, which a form that was sent back has as two texts; None if these are no time."""
    if isinstance(value, list | tuple):
        try:
            value = datetime.fromisoformat(" ".join(str(one or "") for one in value)).replace(tzinfo=UTC)
        except ValueError:
            return None
    return value if isinstance(value, datetime) else None


OVERRIDES = {
    models.DateTimeField: {"form_class": IsoDateTimeField, "widget": IsoDateTimeWidget},
    models.DateField: {
        "form_class": IsoDateField,
        "widget": AdminDateWidget(attrs={"placeholder": "YYYY-MM-DD"}, format=DATE),
    },
}


def utc_moment(label: Text, help_text: Text) -> IsoDateTimeField:
    """Return the field of a time in UTC in an action's form, which may stay empty."""
    return IsoDateTimeField(
        label=label,
        required=False,
        help_text=help_text,
        widget=UtcDateTimeWidget(
            date_format=DATE,
            time_format=TIME,
            date_attrs={"placeholder": "YYYY-MM-DD", "aria-label": format_lazy(lazy("{label}: date"), label=label)},
            time_attrs={"placeholder": "hh:mm:ss", "aria-label": format_lazy(lazy("{label}: time"), label=label)},
        ),
    )


def periods(now: datetime) -> Iterator[tuple[Text, datetime | None, datetime | None]]:
    """Return label, first moment and end of the periods that people ask for, in UTC.

    Nights are from noon to noon, weeks from Monday.
    """
    today = datetime.combine(now.astimezone(UTC).date(), time(0), tzinfo=UTC)
    month, monday = today.replace(day=1), today - timedelta(days=today.weekday())
    noon = today + timedelta(hours=12)
    morning = noon if now >= noon else noon - timedelta(days=1)
    yield _("Any time"), None, None
    yield _("Present night"), morning, morning + timedelta(days=1)
    yield _("Last night"), morning - timedelta(days=1), morning
    yield _("Today"), today, today + timedelta(days=1)
    yield _("Last 7 days"), today - timedelta(days=6), today + timedelta(days=1)
    yield _("Last week"), monday - timedelta(days=7), monday
    yield _("This month"), month, (month + timedelta(days=31)).replace(day=1)
    yield _("Last month"), *last_month(now)
    yield _("Next 7 days"), today, today + timedelta(days=7)


def last_month(now: datetime) -> tuple[datetime, datetime]:
    """Return the first moment of the month before this one, in UTC, and its end."""
    end = datetime.combine(now.astimezone(UTC).date().replace(day=1), time(0), tzinfo=UTC)
    return (end - timedelta(days=1)).replace(day=1), end


class PeriodFilter(admin.FieldListFilter):
    """Filters by a period: one of those that people often ask for, or from one date to before another."""

    template = "admin/opsdb/period_filter.html"

    def __init__(
        self,
        field: Field,
        request: HttpRequest,
        params: dict[str, Any],
        model: type[Model],
        model_admin: ModelAdmin,
        field_path: str,
    ):
        self.parameters = {"gte": f"{field_path}__gte", "lt": f"{field_path}__lt"}
        super().__init__(field, request, params, model, model_admin, field_path)
        given = {end: (self.used_parameters.get(name) or [""])[-1] for end, name in self.parameters.items()}
        try:
            self.ends = {end: _moment(text) for end, text in given.items() if text}
        except (ValueError, OverflowError) as error:
            messages.error(request, str(WRITE_DATE))
            raise IncorrectLookupParameters(error) from error

    def expected_parameters(self) -> list[str]:
        return [*self.parameters.values()]

    def has_output(self) -> bool:
        return True

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        """Narrow to the period."""
        has_time = isinstance(self.field, models.DateTimeField)
        ends = {self.parameters[end]: value if has_time else value.date() for end, value in self.ends.items()}
        return queryset.filter(**ends)

    def choices(self, changelist: ChangeList) -> Iterator[dict[str, Any]]:
        """Prepare the usual periods, and what the template shows for another one."""
        self.inputs = [
            (self.parameters["gte"], _("from"), _written(self.ends.get("gte"))),
            (self.parameters["lt"], _("before"), _written(self.ends.get("lt"))),
        ]
        self.others = [
            (name, value)
            for name, values in changelist.filter_params.items()
            for value in values
            if name not in self.parameters.values()
        ]
        if changelist.query:
            self.others.append(("q", changelist.query))
        for label, first, end in periods(timezone.now()):
            asked = {"gte": first, "lt": end} if first else {}
            yield {
                "selected": self.ends == asked,
                "display": label,
                "query_string": changelist.get_query_string(
                    {self.parameters[name]: _written(value) for name, value in asked.items()},
                    [*self.parameters.values()],
                ),
            }


def _moment(text: str) -> datetime:
    """Return the moment that a text names: a date, or a date and a time, in ISO form.

    Raises:
        ValueError: it names none.
        OverflowError: in UTC it is before the first year or after the last one.
    """
    if len(text) == len("2026-06-12"):
        return datetime.combine(date.fromisoformat(text), time(0), tzinfo=UTC)
    found = datetime.fromisoformat(text)
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


def _written(moment: datetime | None) -> str:
    if moment is None:
        return ""
    return f"{moment:%Y-%m-%d}" if moment.time() == time(0) else f"{moment:%Y-%m-%dT%H:%M:%SZ}"

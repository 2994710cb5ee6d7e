"""Trends and forecasts: how the data centre did over a period, and where it leads, as charts, tables and CSV.

The numbers are those of ``opsdb.workflows.trends``; a fixed number of queries, whatever the length of the period.
"""

import csv
from datetime import UTC, date, datetime, timedelta

from django.http import Http404, HttpResponse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from opsdb.models import PhysicalCopy, TimeAllocation

from ..parts import Content, Question, Section
from ..viewer import AdminPage, Viewer
from .kinds import KINDS
from .stages import STAGES

DEFAULT_DAYS = 30
LONGEST_DAYS = 3_660
# Of what can be calculated with.
FIRST_DAY, LAST_DAY = date(1900, 1, 1), date(9000, 1, 1)
DAY_HELP = lazy("Year-month-day.")
PERIODS = {
    7: lazy("last 7 days"),
    30: lazy("last 30 days"),
    90: lazy("last 90 days"),
    365: lazy("last year"),
}
MODELS = (*STAGES, PhysicalCopy, TimeAllocation)


class _BadPeriodError(ValueError):
    """A period that can't be shown; the message is for people."""


def view(viewer: Viewer, name: str = "") -> Content | HttpResponse:
    """All trends that the person may see, or one as CSV."""
    asked = {key: viewer.request.GET.get(key, "").strip() for key in ("days", "from", "to")}
    try:
        start, end = period_of(asked)
    except _BadPeriodError as error:
        return Content(questions=_questions(asked), message=str(error), status=400)
    if name:
        return _as_csv(viewer, name, start, end)
    query = {key: value for key, value in asked.items() if value}
    sections = [
        Section(kind.title, (*parts, _csv_link(viewer, kind, query)), kind.name)
        for kind in KINDS
        if kind.is_open_to(viewer) and (parts := kind.parts(viewer, start, end))
    ]
    title = _("Trends from %(start)s to %(end)s") % {"start": start, "end": end - timedelta(days=1)}
    message = "" if sections else _("You may see no trend as a whole: ask for the permission to view what it counts.")
    return Content(title=title, questions=_questions(asked), sections=sections, message=message)


def period_of(asked: dict[str, str]) -> tuple[date, date]:
    """Return first day and day after the last one of what was asked: so many days up to today, or from one to another.

    Raises:
        _BadPeriodError: there is no such period.
    """
    today = timezone.now().astimezone(UTC).date()
    first, last = (_day(asked[key]) for key in ("from", "to"))
    end = min(last or today, today) + timedelta(days=1)
    days = asked["days"] or str(DEFAULT_DAYS)
    # Of thousands of digits Python makes no number.
    if not days.isdecimal() or len(days) > len(str(LONGEST_DAYS)) or not 1 <= int(days) <= LONGEST_DAYS:
        raise _BadPeriodError(_("Give a number of days from 1 to %(most)s.") % {"most": LONGEST_DAYS})
    start = first or end - timedelta(days=int(days))
    if not start < end:
        raise _BadPeriodError(_("The period ends before it begins, or lies in the future."))
    if (end - start).days > LONGEST_DAYS:
        raise _BadPeriodError(_("The period has more than %(most)s days.") % {"most": LONGEST_DAYS})
    return start, end


def _day(text):
    if not text:
        return None
    try:
        day = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC).date()
        if not FIRST_DAY <= day <= LAST_DAY:
            raise ValueError
        return day
    except ValueError:
        raise _BadPeriodError(
            _("“%(text)s” is no day: write year, month and day, as in 2026-11-23.") % {"text": text}
        ) from None


def _questions(asked):
    choices = [(str(days), text) for days, text in PERIODS.items()]
    return [
        Question("days", _("Period"), asked["days"] or str(DEFAULT_DAYS), type="select", choices=choices),
        Question("from", _("or from"), asked["from"], type="text", help=DAY_HELP),
        Question("to", _("to, included"), asked["to"], type="text", help=DAY_HELP),
    ]


def _csv_link(viewer, kind, query):
    url = viewer.page_url("trends", f"{kind.name}.csv", **query)
    text = _("Every value as CSV: %(title)s") % {"title": kind.title}
    return format_html('<p class="opsdb-links"><a href="{}">{}</a></p>', url, text)


def _as_csv(viewer, name, start, end):
    kind = next((kind for kind in KINDS if kind.name == name.removesuffix(".csv")), None)
    if kind is None or not name.endswith(".csv") or not kind.is_open_to(viewer):
        raise Http404(_("There is no such trend."))
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{kind.name}_{start}_{end - timedelta(days=1)}.csv"'
    writer = csv.writer(response)
    writer.writerow(kind.columns)
    writer.writerows(kind.rows(viewer, start, end))
    return response


PAGE = AdminPage("trends", ("trends/", "trends/<str:name>"), lazy("Trends"), view, MODELS, beside_lists=False)

"""Burn-downs: what is left of allocated hours over a period, beside an even use of them."""

from collections.abc import Sequence
from datetime import date, timedelta

from django.utils.safestring import SafeString

from opsdb.svg import drawing, element, polyline

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 900, 240, 60, 20, 16, 26
DAYS_BETWEEN_LABELS = 31


def burn_down(
    *,
    name: str,
    title: str,
    description: str,
    period: tuple[date, date],
    hours: float,
    left: Sequence[tuple[date, float]],
    today: date,
) -> SafeString:
    """Return the drawing of what is left over a period.

    Args:
        name: unique on the page.
        title: what it is.
        description: what it shows.
        period: first day, and day after the last.
        hours: what was allocated, hours.
        left: day and what was left on it, hours, in the order of time; below 0 where more was used.
        today: where to put a mark, if it is within the period.
    """
    start, end = period
    lowest = min([0.0, *(value for _day, value in left)])

    def across(day):
        return LEFT + (day - start) / (end - start) * (WIDTH - LEFT - RIGHT)

    def down(value):
        return TOP + (hours - value) / (hours - lowest) * (HEIGHT - TOP - BOTTOM)

    parts = []
    for share in (0, 0.25, 0.5, 0.75, 1):
        y = down(hours * share)
        parts.append(element("line", x1=LEFT, x2=WIDTH - RIGHT, y1=y, y2=y, class_="opsdb-grid"))
        label = f"{hours * share:g} h"
        parts.append(element("text", label, x=LEFT - 6, y=y + 4, text_anchor="end", class_="opsdb-axis"))
    for day in _labelled(start, end):
        x = across(day)
        parts.append(element("line", x1=x, x2=x, y1=TOP, y2=HEIGHT - BOTTOM, class_="opsdb-grid"))
        text = f"{day:%Y-%m-%d}"
        parts.append(element("text", text, x=x + 3, y=HEIGHT - 8, class_="opsdb-axis"))
    parts.append(polyline([(across(start), down(hours)), (across(end), down(0))], class_="opsdb-burn-even"))
    parts.append(polyline([(across(day), down(value)) for day, value in left], class_="opsdb-burn-left"))
    if start <= today < end:
        x = across(today)
        parts.append(element("line", x1=x, x2=x, y1=TOP, y2=HEIGHT - BOTTOM, class_="opsdb-now"))
    return drawing(*parts, name=name, width=WIDTH, height=HEIGHT, title=title, description=description, has_links=False)


def _labelled(start, end):
    """The first day, and the first of months that leave room for a label."""
    yield start
    room = timedelta(days=max((end - start).days / 8, 1))
    last, day = start, start
    while day < end - room:
        day = (day.replace(day=1) + timedelta(days=DAYS_BETWEEN_LABELS)).replace(day=1)
        if day - last >= room and day < end - room:
            last = day
            yield day

"""Small charts over time: bars or a line above one axis of days, with levels such as a capacity."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from django.utils.safestring import SafeString

from opsdb.svg import drawing, element, polygon, polyline

WIDTH, HEIGHT = 420, 190
LEFT, RIGHT, TOP, BOTTOM = 62, 10, 14, 24
TICKS = 3
ONE_DAY = timedelta(days=1)


@dataclass(frozen=True)
class ChartColumn:
    """A value over some days, as a bar.

    Attributes:
        start: first day.
        days: how many.
        value: how high.
        part: what of it is filled; the rest is an outline. None fills all.
        description: for pointing at it.
        offset: days after the beginning of the first day at which it begins.
    """

    start: date
    days: float
    value: float
    part: float | None = None
    description: str = ""
    offset: float = 0


@dataclass(frozen=True)
class Level:
    """A value that others are compared with, over the whole time or some days.

    Attributes:
        value: how high.
        text: its label.
        start: first day; None from the beginning.
        days: how many.
    """

    value: float
    text: str = ""
    start: date | None = None
    days: float = 0


@dataclass(frozen=True)
class Chart:
    """What is drawn.

    Attributes:
        name: unique on the page.
        title: what it is.
        description: what it shows, in a sentence.
        start: first day.
        end: day after the last.
        write: writes a value at the axis.
        columns: bars.
        line: values at the ends of days.
        levels: what they are compared with.
        is_count: whether values are whole numbers.
    """

    name: str
    title: str
    description: str
    start: date
    end: date
    write: Callable[[float], str]
    columns: Sequence[ChartColumn] = ()
    line: Sequence[tuple[date, float]] = ()
    levels: Sequence[Level] = field(default_factory=tuple)
    is_count: bool = False

    def draw(self) -> SafeString:
        """Return the drawing."""
        highest = max(
            [column.value for column in self.columns]
            + [value for _, value in self.line]
            + [level.value for level in self.levels],
            default=0,
        )
        step = nice_step(highest / TICKS)
        if self.is_count:
            step = max(step, 1.0)
        top = max(math.ceil(highest / step - 1e-9), 1) * step
        return drawing(
            *self._values(step, top),
            *self._days(),
            *(self._column(column, top) for column in self.columns),
            *self._line(top),
            *(part for level in self.levels for part in self._level(level, top)),
            name=self.name,
            width=WIDTH,
            height=HEIGHT,
            title=self.title,
            description=self.description,
            has_links=False,
        )

    def across(self, day: date, more: float = 0) -> float:
        """Return where a day begins, left to right, or so many days after that."""
        share = ((day - self.start).days + more) / max((self.end - self.start).days, 1)
        return LEFT + min(max(share, 0.0), 1.0) * (WIDTH - LEFT - RIGHT)

    @staticmethod
    def up(value: float, top: float) -> float:
        """Return where a value is, from the top."""
        return TOP + (1 - value / top) * (HEIGHT - TOP - BOTTOM)

    def _values(self, step, top):
        for number in range(round(top / step) + 1):
            y = self.up(number * step, top)
            yield element("line", x1=LEFT, x2=WIDTH - RIGHT, y1=y, y2=y, class_="opsdb-grid")
            yield element(
                "text", self.write(number * step), x=LEFT - 6, y=y + 4, text_anchor="end", class_="opsdb-axis"
            )

    def _days(self):
        for day, text in day_ticks(self.start, self.end):
            x = self.across(day)
            yield element("line", x1=x, x2=x, y1=HEIGHT - BOTTOM, y2=HEIGHT - BOTTOM + 4, class_="opsdb-tick")
            anchor = "start" if x < LEFT + 20 else "end" if x > WIDTH - RIGHT - 20 else "middle"
            yield element("text", text, x=x, y=HEIGHT - 7, text_anchor=anchor, class_="opsdb-axis")

    def _column(self, column, top):
        left = self.across(column.start, column.offset)
        right = self.across(column.start, column.offset + column.days)
        gap = min((right - left) / 5, 3)
        parts = [(column.value, "opsdb-column")]
        if column.part is not None:
            parts = [(column.value, "opsdb-column-whole"), (column.part, "opsdb-column")]
        bars = [
            element(
                "rect",
                x=left + gap / 2,
                y=self.up(value, top),
                width=max(right - left - gap, 1.0),
                height=self.up(0, top) - self.up(value, top),
                class_=css,
            )
            for value, css in parts
            if value
        ]
        return element("g", element("title", column.description), *bars)

    def _line(self, top):
        if not self.line:
            return
        points = [(self.across(day, 1), self.up(value, top)) for day, value in self.line]
        floor = self.up(0, top)
        yield polygon([(points[0][0], floor), *points, (points[-1][0], floor)], class_="opsdb-area")
        yield polyline(points, class_="opsdb-line")

    def _level(self, level, top):
        begin = LEFT if level.start is None else self.across(level.start)
        end = WIDTH - RIGHT if level.start is None else self.across(level.start, level.days)
        y = self.up(level.value, top)
        yield element("line", x1=begin, x2=end, y1=y, y2=y, class_="opsdb-level")
        if level.text:
            yield element("text", level.text, x=end - 2, y=y - 3, text_anchor="end", class_="opsdb-axis")


def nice_step(least: float) -> float:
    """Return the next of 1, 2 and 5 times a power of ten."""
    if least <= 0:
        return 1.0
    unit = 10.0 ** math.floor(math.log10(least))
    return float(next(number * unit for number in (1, 2, 5, 10) if number * unit >= least * (1 - 1e-9)))


def day_ticks(start: date, end: date) -> Iterator[tuple[date, str]]:
    """Yield days to be named at an axis, and their names: days, Mondays, firsts of months or of years."""
    length = (end - start).days
    months = max(1, round(length / 180))
    day = start
    while day < end:
        if length <= 10:
            if length <= 6 or (day - start).days % 2 == 0:
                yield day, f"{day:%d %b}"
        elif length <= 75:
            if day.weekday() == 0 and (length <= 40 or day.isocalendar().week % 2 == 0):
                yield day, f"{day:%d %b}"
        elif length <= 1_500:
            if day.day == 1 and (day.month - 1) % months == 0:
                yield day, f"{day:%b}" if day.month > 1 else f"{day:%Y}"
        elif day.day == 1 and day.month == 1:
            yield day, f"{day:%Y}"
        day += ONE_DAY

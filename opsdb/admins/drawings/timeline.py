"""Time lines: lanes of bars above one axis of hours."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo

from django.utils.safestring import SafeString

from opsdb.svg import drawing, element, linked, shortened

WIDTH, LABELS, LANE, GAP, AXIS = 1200, 170, 30, 6, 20
LETTER = 6.4  # width of a letter in the drawing
RIGHT = 14


@dataclass(frozen=True)
class Bar:
    """Something that takes time.

    Attributes:
        start: when it begins.
        end: when it ends; None for what continues.
        kind: how it looks: ``planned``, ``completed``, ``running``, ``aborted``, ``failed`` or ``down``.
        text: its label, as far as there is room.
        description: all about it, for pointing at it and for screen readers.
        href: where it leads.
        icon: sign above it, so that its kind is not shown by colour alone.
    """

    start: datetime
    end: datetime | None
    kind: str
    text: str = ""
    description: str = ""
    href: str | None = None
    icon: str = ""


@dataclass(frozen=True)
class Lane:
    """Bars in one row.

    Attributes:
        label: what they have in common.
        bars: in any order.
        start: where the axis begins for this lane, if it has one of its own.
    """

    label: str
    bars: Sequence[Bar]
    start: datetime | None = None


@dataclass(frozen=True)
class Shade:
    """A time that is shaded behind all lanes, such as the night."""

    start: datetime
    end: datetime
    kind: str


@dataclass(frozen=True)
class Hours:
    """An axis of hours in a time zone, above or below the lanes."""

    name: str
    zone: tzinfo = UTC


@dataclass(frozen=True)
class TimeLine:
    """What is drawn.

    Attributes:
        name: unique on the page.
        title: what it is.
        description: what it shows.
        lanes: from top to bottom.
        start: where the axis begins.
        end: where it ends.
        shades: behind the lanes.
        top: hours above.
        bottom: hours below, if any.
        now: where to put a mark, if it is within.
    """

    name: str
    title: str
    description: str
    lanes: Sequence[Lane]
    start: datetime
    end: datetime
    shades: Sequence[Shade] = field(default_factory=tuple)
    top: Hours = field(default_factory=lambda: Hours("UTC"))
    bottom: Hours | None = None
    now: datetime | None = None

    def place(self, moment: datetime) -> float:
        """Return where a moment is, left to right, within the axis."""
        share = (moment - self.start) / (self.end - self.start)
        return LABELS + min(max(share, 0.0), 1.0) * (WIDTH - LABELS - RIGHT)

    def draw(self) -> SafeString:
        """Return the drawing."""
        height = AXIS + len(self.lanes) * (LANE + GAP) + GAP + (AXIS if self.bottom else 0)
        ground, floor = AXIS, height - (AXIS if self.bottom else 0)
        parts = [self._shade(shade, ground, floor) for shade in self.shades]
        parts += self._hours(self.top, AXIS - 6, ground, floor)
        if self.bottom:
            parts += self._hours(self.bottom, height - 5, None, None)
        for number, lane in enumerate(self.lanes):
            parts.append(self._lane(lane, AXIS + GAP + number * (LANE + GAP)))
        if self.now and self.start <= self.now <= self.end:
            x = self.place(self.now)
            parts.append(element("line", x1=x, x2=x, y1=ground, y2=floor, class_="opsdb-now"))
        return drawing(
            _hatch(self.name),
            *parts,
            name=self.name,
            width=WIDTH,
            height=height,
            title=self.title,
            description=self.description,
        )

    def _shade(self, shade, top, floor):
        left, right = self.place(shade.start), self.place(shade.end)
        return element(
            "rect", x=left, y=top, width=right - left, height=floor - top, class_=f"opsdb-shade-{shade.kind}"
        )

    def _hours(self, hours, baseline, line_top, line_floor):
        yield element("text", hours.name, x=LABELS - 12, y=baseline, text_anchor="end", class_="opsdb-axis")
        moment = self.start.astimezone(hours.zone).replace(minute=0, second=0, microsecond=0)
        step = 2 if self.end - self.start > timedelta(hours=13) else 1
        moment = moment.astimezone(UTC)
        while moment <= self.end:
            local = moment.astimezone(hours.zone)
            if moment >= self.start and local.hour % step == 0:
                x = self.place(moment)
                if line_top is not None:
                    yield element("line", x1=x, x2=x, y1=line_top, y2=line_floor, class_="opsdb-grid")
                yield element("text", f"{local:%H}", x=x, y=baseline, text_anchor="middle", class_="opsdb-axis")
            moment += timedelta(hours=1)

    def _lane(self, lane, top):
        shift = self.start - lane.start if lane.start else timedelta()
        label = element(
            "text",
            element("title", lane.label),
            shortened(lane.label, int(LABELS / LETTER) - 1),
            x=LABELS - 8,
            y=top + LANE - 9,
            text_anchor="end",
            class_="opsdb-lane",
        )
        ground = element("rect", x=LABELS, y=top, width=WIDTH - LABELS - RIGHT, height=LANE, class_="opsdb-lane-ground")
        return element(
            "g", ground, label, *(self._bar(bar, top, shift) for bar in lane.bars if self._is_within(bar, shift))
        )

    def _is_within(self, bar, shift):
        return bar.start + shift < self.end and (bar.end is None or bar.end + shift > self.start)

    def _bar(self, bar, top, shift):
        left = self.place(bar.start + shift)
        right = self.place(bar.end + shift if bar.end else self.end)
        width = max(right - left, 2.0)
        parts = [element("rect", x=left, y=top + 9, width=width, height=LANE - 9, rx=2, class_=f"opsdb-bar-{bar.kind}")]
        if bar.kind == "down":
            parts.append(
                element("rect", x=left, y=top + 9, width=width, height=LANE - 9, fill=f"url(#{self.name}-hatch)")
            )
        room = int((width - 6) / LETTER)
        if room >= 3 and bar.text:
            parts.append(
                element("text", shortened(bar.text, room), x=left + 4, y=top + LANE - 6, class_=f"opsdb-in-{bar.kind}")
            )
        if bar.icon:
            parts.append(
                element("text", bar.icon, x=left + width / 2, y=top + 8, text_anchor="middle", class_="opsdb-sign")
            )
        return linked(*parts, href=bar.href, label=bar.description)


def _hatch(name):
    line = element("path", d="M0,8 L8,0 M-2,2 L2,-2 M6,10 L10,6", class_="opsdb-hatch")
    pattern = element("pattern", line, id=f"{name}-hatch", width=8, height=8, patternUnits="userSpaceOnUse")
    return element("defs", pattern)

"""Diagrams of state machines: the states in a row, steps forwards above them and steps backwards below."""

from __future__ import annotations

from django.utils.safestring import SafeString

from opsdb.svg import drawing, element

from .description import Enumeration
from .entities import INK, PAPER, text_at

BOX, HEIGHT, BETWEEN, MARGIN, TRACK = 30, 34, 34, 16, 15
LETTER = 7.0
ARROW = 6
# As the badges of the admin are: background and text.
COLOURS = {
    "yellow": ("#fff1c2", "#5c4300"),
    "blue": ("#dcecfb", "#0b4a82"),
    "green": ("#d9f2e1", "#14532d"),
    "red": ("#fde1e1", "#8a1313"),
    "grey": ("#e8ebee", "#434b54"),
    "orange": ("#ffe3cc", "#7a3300"),
}
FORWARDS, BACKWARDS = "#1d4ed8", "#b45309"
Step = tuple[int, int]


def state_diagram(enumeration: Enumeration, *, name: str) -> SafeString:
    """Return the diagram of a state machine.

    Args:
        enumeration: with ``is_state_machine``.
        name: of the drawing, unique on the page.
    """
    order = {value.value: number for number, value in enumerate(enumeration.values)}
    steps = [(order[value.value], order[after]) for value in enumeration.values for after in value.may_become]
    direct = [step for step in steps if step[1] == step[0] + 1]
    above = _tracks([step for step in steps if step[1] > step[0] + 1])
    below = _tracks([step for step in steps if step[1] < step[0]])
    widths = [
        max(len(value.value) * LETTER + BOX, 12.0 * _ports(number, above, below))
        for number, value in enumerate(enumeration.values)
    ]
    lefts = [MARGIN + sum(widths[:number]) + BETWEEN * number for number in range(len(widths))]
    top = MARGIN + TRACK * (max(above.values(), default=-1) + 1) + (10 if above else 0)
    bottom = top + HEIGHT
    width = lefts[-1] + widths[-1] + MARGIN
    height = bottom + TRACK * (max(below.values(), default=-1) + 1) + (10 if below else 0) + MARGIN
    parts = [element("rect", width=width, height=height, fill=PAPER)]
    for start, end in direct:
        y = top + HEIGHT / 2
        parts.append(_arrow(f"M{lefts[start] + widths[start]:.1f},{y:.1f}", lefts[end], y, "right", FORWARDS))
    ports = {**_places(above, lefts, widths), **_places(below, lefts, widths)}
    for step, track in above.items():
        x1, x2 = ports[step]
        parts.append(
            _arrow(f"M{x1:.1f},{top:.1f} V{top - 10 - TRACK * track:.1f} H{x2:.1f}", x2, top, "down", FORWARDS)
        )
    for step, track in below.items():
        x1, x2 = ports[step]
        path = f"M{x1:.1f},{bottom:.1f} V{bottom + 10 + TRACK * track:.1f} H{x2:.1f}"
        parts.append(_arrow(path, x2, bottom, "up", BACKWARDS))
    for number, value in enumerate(enumeration.values):
        parts.append(_state(value.value, lefts[number], top, widths[number], value.colour, not value.may_become))
    return drawing(
        *parts,
        name=name,
        width=width,
        height=height,
        title=f"Steps of {enumeration.name}",
        description="; ".join(
            f"{value.value}: {', '.join(value.may_become) or 'final'}" for value in enumeration.values
        ),
        has_links=False,
        is_paper=True,
    )


def _tracks(steps: list[Step]) -> dict[Step, int]:
    """Give every step a height, short ones first, so that no two lines of one height meet."""
    tracks: dict[Step, int] = {}
    for step in sorted(steps, key=lambda one: (abs(one[1] - one[0]), one)):
        low, high = sorted(step)
        taken = {track for other, track in tracks.items() if not (max(other) < low or high < min(other))}
        tracks[step] = next(number for number in range(len(taken) + 1) if number not in taken)
    return tracks


def _ports(state: int, *sides: dict[Step, int]) -> int:
    return max(sum(step.count(state) for step in side) for side in sides) + 1


def _places(steps: dict[Step, int], lefts: list[float], widths: list[float]) -> dict[Step, tuple[float, float]]:
    """Return where each step leaves and enters, side by side along the edges of the boxes.

    Lines to the left come first, the long ones nearest to the middle of the box, so that lines of one box don't cross.
    """
    ends: dict[int, list[tuple[Step, int]]] = {}
    for step in steps:
        for end in (0, 1):
            ends.setdefault(step[end], []).append((step, end))
    places: dict[tuple[Step, int], float] = {}
    for state, found in ends.items():

        def side(one: tuple[Step, int], state: int = state) -> tuple[bool, int]:
            step, end = one
            other = step[1 - end]
            return (other > state, steps[step] if other < state else -steps[step])

        for number, one in enumerate(sorted(found, key=side)):
            places[one] = lefts[state] + widths[state] * (number + 1) / (len(found) + 1)
    return {step: (places[step, 0], places[step, 1]) for step in steps}


def _arrow(path: str, x: float, y: float, towards: str, colour: str) -> SafeString:
    back = {"right": (-ARROW, -4, -ARROW, 4), "down": (-4, -ARROW, 4, -ARROW), "up": (-4, ARROW, 4, ARROW)}[towards]
    head = f"M{x + back[0]:.1f},{y + back[1]:.1f} L{x:.1f},{y:.1f} L{x + back[2]:.1f},{y + back[3]:.1f} z"
    line = path + (f" H{x:.1f}" if towards == "right" else f" V{y:.1f}")
    return element(
        "g",
        element("path", d=line, fill="none", stroke=colour, stroke_width=1.3),
        element("path", d=head, fill=colour),
    )


def _state(state: str, left: float, top: float, width: float, colour: str, is_final: bool) -> SafeString:
    fill, text = COLOURS.get(colour, ("#ffffff", INK))
    parts = [element("rect", x=left, y=top, width=width, height=HEIGHT, rx=9, fill=fill, stroke=text, stroke_width=1.2)]
    if is_final:
        inner = {"x": left + 3, "y": top + 3, "width": width - 6, "height": HEIGHT - 6, "rx": 6}
        parts.append(element("rect", **inner, fill="none", stroke=text, stroke_width=1.0))
    middle = left + width / 2
    parts.append(text_at(state, middle, top + HEIGHT / 2 + 4, text_anchor="middle", fill=text, font_size=12.5))
    return element("g", *parts)

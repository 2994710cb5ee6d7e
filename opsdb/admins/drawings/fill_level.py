"""Bars that show how full a location is, and of what parts a whole consists."""

from collections.abc import Sequence

from django.utils.safestring import SafeString

from opsdb.svg import element

WIDTH, HEIGHT = 120, 12


def fill_bar(percent: float, threshold_percent: float | None = None) -> SafeString:
    """Return a bar that is filled so far; the number is shown beside it, so that it is hidden from screen readers.

    Args:
        percent: how full; more than 100 fills it all.
        threshold_percent: where to put a mark.
    """
    filled = min(max(percent, 0), 100) / 100 * WIDTH
    level = "red" if percent >= 95 else "orange" if percent >= 85 else "green"
    mark = ()
    if threshold_percent is not None:
        x = float(threshold_percent / 100 * WIDTH)
        mark = (element("line", x1=x, x2=x, y1=0, y2=HEIGHT, class_="opsdb-threshold"),)
    return element(
        "svg",
        element("rect", width=WIDTH, height=HEIGHT, rx=3, class_="opsdb-bar-ground"),
        element("rect", width=float(filled), height=HEIGHT, rx=3, class_=f"opsdb-bar-{level}"),
        *mark,
        viewBox=f"0 0 {WIDTH} {HEIGHT}",
        class_="opsdb-bar",
        aria_hidden="true",
    )


def share_bar(parts: Sequence[tuple[str, float]]) -> SafeString:
    """Return a bar of parts side by side; their numbers stand beside it, so that it is hidden from screen readers.

    Args:
        parts: colour (green, orange, red or blue) and share of the bar, 0 to 1; what does not fit is cut.
    """
    begin, drawn = 0.0, []
    for colour, share in parts:
        width = min(max(share, 0.0), 1.0 - begin) * WIDTH
        drawn.append(element("rect", x=begin * WIDTH, width=width, height=HEIGHT, class_=f"opsdb-bar-{colour}"))
        begin += width / WIDTH
    return element(
        "svg",
        element("rect", width=WIDTH, height=HEIGHT, rx=3, class_="opsdb-bar-ground"),
        *drawn,
        viewBox=f"0 0 {WIDTH} {HEIGHT}",
        class_="opsdb-bar",
        aria_hidden="true",
    )

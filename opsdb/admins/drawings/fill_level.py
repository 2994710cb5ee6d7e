"""Bars that show how full a location is."""

from django.utils.safestring import SafeString

from opsdb.svg import element

WIDTH, HEIGHT = 120, 12


def fill_bar(percent: float, threshold_percent: float | None = None) -> SafeString:
    """Return a bar that is filled so far; the number stands beside it, so that it is hidden from screen readers.

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

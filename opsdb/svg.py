"""SVG as text that is safe by construction: every value is escaped, and nothing in it is a style or a script."""

import html
from collections.abc import Iterable

from django.utils.functional import Promise
from django.utils.safestring import SafeString, mark_safe


def element(name: str, *children, **attributes) -> SafeString:
    """Return an element.

    Args:
        children: texts, which are escaped, and other elements.
        attributes: by name, with ``_`` for ``-`` (``class_`` for ``class``); None leaves one out, and numbers are
            rounded to a tenth.
    """
    given = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{_escaped(_number(value))}"'
        for key, value in attributes.items()
        if value is not None and value != ""
    )
    return mark_safe(f"<{name}{given}>{''.join(map(_escaped, children))}</{name}>")  # noqa: S308


def together(parts: Iterable) -> SafeString:
    """Return parts one after the other; what is not markup is escaped."""
    return mark_safe("".join(map(_escaped, parts)))  # noqa: S308


def _escaped(value):
    """As Django's ``conditional_escape``, whose look for lazy texts takes most of the time of a drawing."""
    if isinstance(value, Promise):
        value = str(value)
    return value.__html__() if hasattr(value, "__html__") else html.escape(str(value))


def _number(value):
    return f"{value:.1f}".removesuffix(".0") if isinstance(value, float) else value


def drawing(
    *children,
    name: str,
    width: float,
    height: float,
    title: str,
    description: str,
    has_links: bool = True,
    is_paper: bool = False,
) -> SafeString:
    """Return a whole drawing, with its title and description.

    Args:
        name: unique on the page.
        width: in the units of the children; it scales to the space there is.
        height: likewise.
        title: what it is.
        description: what it shows, in a sentence.
        has_links: whether something in it can be followed; if not, it is one image to a screen reader.
        is_paper: whether it has its own size, background and colours, in a file and on every page, instead of taking
            those of the page.
    """
    size = {"width": _number(float(width)), "height": _number(float(height))} if is_paper else {}
    return element(
        "svg",
        element("title", title, id=f"{name}-title"),
        element("desc", description, id=f"{name}-desc"),
        *children,
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {_number(float(width))} {_number(float(height))}",
        **size,
        class_=f"opsdb-drawing opsdb-{name}" + (" opsdb-paper" if is_paper else ""),
        role="group" if has_links else "img",
        aria_labelledby=f"{name}-title",
        aria_describedby=f"{name}-desc",
    )


def linked(*children, href: str | None, label: str, **attributes) -> SafeString:
    """Return children with a label for pointing at them, as a link where there is an address."""
    description = element("title", label)
    if href is None:
        return element("g", description, *children, **attributes)
    return element("a", description, *children, href=href, aria_label=label, **attributes)


def shortened(text: str, length: int) -> str:
    """Return a text cut to a number of letters."""
    return text if len(text) <= length else f"{text[: max(length - 1, 0)]}…"


def polyline(points: Iterable[tuple[float, float]], **attributes) -> SafeString:
    """Return a line through points."""
    return element("polyline", points=" ".join(f"{x:.1f},{y:.1f}" for x, y in points), **{"fill": "none", **attributes})


def polygon(points: Iterable[tuple[float, float]], **attributes) -> SafeString:
    """Return a closed shape."""
    return element("polygon", points=" ".join(f"{x:.1f},{y:.1f}" for x, y in points), **attributes)

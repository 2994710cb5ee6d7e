"""The page on filters names every filter set with its parameters.

When they change, write the table anew:

    WRITE_FILTERS=1 python -m pytest tests/filters/test_documentation.py
"""

import os

from opsdb.filters import FILTERSETS, Size
from tests.commands import ROOT

PAGE = ROOT / "docs" / "filters.md"
MARK = "<!-- Kept by tests/filters/test_documentation.py -->\n"


def line_of(filterset):
    names = {}
    for name in filterset.base_filters:
        if name != "ordering":
            stem, _, end = name.rpartition("_")
            ends = {"after": "after", "before": "after", "min": "min", "max": "min"}
            names.setdefault((stem, ends[end]) if stem and end in ends else (name, ""), []).append(end)
    shown = [f"`{stem}_{'`, `_'.join(ends)}`" if kind else f"`{stem}`" for (stem, kind), ends in names.items()]
    size = "" if filterset.size is Size.SMALL else filterset.size.value
    orders = [f"`{name}`" for name in filterset.orders()]
    return f"| `{filterset.__name__}` | {size} | {', '.join(shown)} | {', '.join(orders)} |"


def table():
    head = "\n| filter set | size | parameters | `ordering` |\n|---|---|---|---|\n"
    return head + "".join(f"{line_of(filterset)}\n" for filterset in FILTERSETS.values())


def test_the_page_names_every_parameter():
    text, mark, written = PAGE.read_text().partition(MARK)
    if os.environ.get("WRITE_FILTERS"):
        PAGE.write_text(text + mark + table())
        written = table()
    assert written == table()

"""Lists of sources as observatories write them, read as rows of a table of sources.

Formats: docs/formats/sources.md and docs/formats/source-lists.md.
"""

from .planner_list import read_planner_list
from .reading import read_list
from .recognizing import CSV, FORMATS, FYST, GIVEN_EQUINOX, TAB_SEPARATED, recognize, refuse_by_looks
from .tab_separated import read_header, read_tab_separated

__all__ = [
    "CSV",
    "FORMATS",
    "FYST",
    "GIVEN_EQUINOX",
    "TAB_SEPARATED",
    "read_header",
    "read_list",
    "read_planner_list",
    "read_tab_separated",
    "recognize",
    "refuse_by_looks",
]

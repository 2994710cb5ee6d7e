"""Lists of sources as observatories write them, read as rows of a table of sources.

Formats: docs/formats/sources.md and docs/formats/source-lists.md.
"""

from .planner_list import PLANNER_COLUMNS, read_planner_list
from .reading import read_list
from .recognizing import CSV, FORMATS, FYST, GIVEN_EQUINOX, TAB_SEPARATED, looks_like_list, recognize
from .tab_separated import read_header, read_tab_separated

__all__ = [
    "CSV",
    "FORMATS",
    "FYST",
    "GIVEN_EQUINOX",
    "PLANNER_COLUMNS",
    "TAB_SEPARATED",
    "looks_like_list",
    "read_header",
    "read_list",
    "read_planner_list",
    "read_tab_separated",
    "recognize",
]

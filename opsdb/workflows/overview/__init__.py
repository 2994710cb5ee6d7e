"""Overview: every stage, every location, what failed and what is stalled, at a cost that does not grow with the tables.

Rows are counted exactly up to :data:`EXACT_LIMIT`, always along an index; beyond that a number is an estimate from
PostgreSQL's statistics, or only a lower bound, and is marked so. The number of queries is fixed.
"""

from .queries import COUNTED, EXACT_LIMIT, WORK
from .reading import get_overview
from .results import Exactness, LocationVolume, Overview, RestState, RowCount, Stage, StageName, StateCount, Trouble

__all__ = [
    "COUNTED",
    "EXACT_LIMIT",
    "WORK",
    "Exactness",
    "LocationVolume",
    "Overview",
    "RestState",
    "RowCount",
    "Stage",
    "StageName",
    "StateCount",
    "Trouble",
    "get_overview",
]

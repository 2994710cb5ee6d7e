"""A filter set for every model that is listed: ``from opsdb.filters import RawDataFileFilterSet``.

Each module lists in its ``__all__`` what comes through here; :func:`filterset_for` finds the filter set of a model.
"""

# ruff: noqa: F403, I001 - the modules stand in the order of the areas
from .base import OpsFilterSet as OpsFilterSet, Size as Size
from .observatory import *
from .planning import *
from .execution import *
from .data import *
from .locations import *
from .copies import *
from .transfer import *
from .archive import *
from .reduction import *
from .publications import *
from .failures import *
from .history import *
from .registry import FILTERSETS as FILTERSETS, filterset_for as filterset_for

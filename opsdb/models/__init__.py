"""Every model and every enumeration of ops-db: ``from opsdb.models import ObsUnit, Status``.

Each module lists in its ``__all__`` what comes through here.
"""

# ruff: noqa: F401, F403, I001 - the modules stand in the order of the areas
from . import configured
from .enums import *
from .observatory import *
from .planning.programs import *
from .planning.sources import *
from .planning.configurations import *
from .planning.units import *
from .planning.schedule import *
from .planning.allocations import *
from .execution import *
from .data.transfer_packages import *
from .data.raw_packages import *
from .data.raw_files import *
from .data.obscore import *
from .data.obscore_view import *
from .locations import *
from .copies.physical_copies import *
from .copies.kinds import *
from .copies.fixity import *
from .copies.deletion import *
from .transfer import *
from .archive import *
from .failures import *
from .reduction.software import *
from .reduction.grouping import *
from .reduction.pipelines import *
from .reduction.runs import *
from .reduction.products import *
from .reduction.inputs import *
from .publications import *
from .access import *
from .history import *

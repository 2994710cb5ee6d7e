"""Reference data: YAML files that say which rows an instance has, how they become rows, and back again.

Format: docs/reference-data.md.
"""

from .export import export_reference
from .files import read_reference
from .plan import REFERENCE_DIRECTORY, STEPS, ReferenceLoad, Step, hold_lock, load_reference
from .topics import ArchiveMode, Mode

__all__ = [
    "REFERENCE_DIRECTORY",
    "STEPS",
    "ArchiveMode",
    "Mode",
    "ReferenceLoad",
    "Step",
    "export_reference",
    "hold_lock",
    "load_reference",
    "read_reference",
]

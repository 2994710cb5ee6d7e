"""Reference data: loading the YAML files that describe the rows of an instance, and writing them.

Format: docs/reference-data.md.
"""

from .applying import REFERENCE_DIRECTORY, STEPS, ReferenceLoad, ReferenceStep, hold_lock, load_reference
from .export import export_reference
from .reading import read_reference
from .topics import ArchiveMode, Mode

__all__ = [
    "REFERENCE_DIRECTORY",
    "STEPS",
    "ArchiveMode",
    "Mode",
    "ReferenceLoad",
    "ReferenceStep",
    "export_reference",
    "hold_lock",
    "load_reference",
    "read_reference",
]

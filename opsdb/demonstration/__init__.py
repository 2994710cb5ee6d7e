"""Realistic operations of the observatory, to try ops-db with."""

from .setting import CannotDemonstrate
from .simulation import Demonstration

__all__ = ["CannotDemonstrate", "Demonstration"]

"""A believable operation of the observatory, to try ops-db on."""

from .story import CannotDemonstrate, Story

__all__ = ["CannotDemonstrate", "Story"]

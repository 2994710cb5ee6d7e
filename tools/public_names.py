"""The public names of the package by the module that defines them, for the reference of the Python interface."""

from __future__ import annotations

import inspect
from importlib import import_module
from types import ModuleType
from typing import Any, NamedTuple

PACKAGE = "opsdb"


class PublicName(NamedTuple):
    """A name that projects may import.

    Attributes:
        name: as it is imported from the front door.
        module: that defines it.
        value: what it is.
    """

    name: str
    module: str
    value: Any


def public_names(front_door: str) -> list[PublicName]:
    """Return the public names of a module or package, those of one defining module together.

    Args:
        front_door: what they are imported from. Its ``__all__`` counts. Without one, it is every class and function
            that a package has of ours, or that a module defines.
    """
    door = import_module(front_door)
    found = [PublicName(name, _home(value, front_door), value) for name, value in _names(door)]
    order = {module: place for place, module in enumerate(dict.fromkeys(one.module for one in found))}
    return sorted(found, key=lambda one: order[one.module])


def _names(door: ModuleType) -> list[tuple[str, Any]]:
    listed = getattr(door, "__all__", None)
    if listed is not None:
        return [(name, getattr(door, name)) for name in listed]
    defined_in = f"{PACKAGE}." if hasattr(door, "__path__") else door.__name__
    return [
        (name, value)
        for name, value in vars(door).items()
        if not name.startswith("_")
        and (inspect.isclass(value) or inspect.isfunction(value))
        and value.__module__.startswith(defined_in)
    ]


def _home(value: Any, front_door: str) -> str:
    """The module that defines a class or a function; what is neither belongs to the front door."""
    if inspect.isclass(value) or inspect.isroutine(value):
        return str(value.__module__)
    return front_door

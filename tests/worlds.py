"""Worlds: rows that are expensive to make, made once for all tests of a module that ask for them.

A world lies in a transaction around those of the tests, each of which is undone on its own. A test that commits, or
that asks for no world or another one, finds none of it.
"""

import copy
from contextlib import ExitStack

import pytest
from django.db import transaction


class _Current:
    """The world that is in the database.

    Attributes:
        key: what made it for which module; None when there is none.
        made: what that returned.
    """

    def __init__(self):
        self.key = self.made = None
        self.stack = ExitStack()

    def begin(self, key, build):
        if self.key == key:
            return
        self.end()
        self.stack.enter_context(transaction.atomic())
        self.stack.callback(transaction.set_rollback, True)
        self.made = build()
        # What tests change at once has no checks to come.
        with transaction.get_connection().cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        self.key = key

    def end(self):
        self.key = self.made = None
        self.stack.close()


_current = _Current()


def shared_world(build):
    """Make a fixture of a function that makes rows and returns something of them, of which each test gets a copy."""

    def world(db):
        return copy.deepcopy(_current.made) if _current.key and _current.key[0] is build else build()

    world.build, world.__doc__ = build, build.__doc__
    return pytest.fixture(world, name=build.__name__)


def commits(item) -> bool:
    """Return whether a test commits, and so ends the world of its module."""
    marker = item.get_closest_marker("django_db")
    return bool(marker and marker.kwargs.get("transaction")) or "transactional_db" in item.fixturenames


def prepare(request) -> None:
    """Let a test find the world that it asks for, and no other.

    Args:
        request: of a fixture of the test.
    """
    fixtures = (found[-1].func for found in request.node._fixtureinfo.name2fixturedefs.values())
    build = next((fixture.build for fixture in fixtures if hasattr(fixture, "build")), None)
    if build is None or commits(request.node):
        end()
    else:
        _current.begin((build, request.node.path), build)


def leave_for(path) -> None:
    """Leave no world but that of the module at a path."""
    if _current.key and _current.key[1] != path:
        end()


def end() -> None:
    """Leave no world behind."""
    _current.end()

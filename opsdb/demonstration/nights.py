"""The nights of the story: their weather and what was executed, and how one is prepared while another is worked on."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from datetime import date
from random import Random

from django.db import connection, connections

from opsdb.models import ExecutedObsUnit
from opsdb.workflows import attributed

from .facts import MARK


class Night:
    """One night at the telescope.

    Attributes:
        random: the night's own chance, by which it is the same whatever else happens at its time.
        pwv_mm: precipitable water vapour of the night, mm.
        executed: pairs of an execution and the time at which it ends.
        raw_files: how many files its modules wrote.
    """

    def __init__(self, seed: int, date: date):
        self.random = Random(f"{seed} {date}")  # noqa: S311 - a story, no secret
        self.pwv_mm = self.random.lognormvariate(-0.4, 0.5)
        self.executed: list[tuple[ExecutedObsUnit, object]] = []
        self.raw_files = 0

    def conditions(self) -> dict:
        """Return the weather of an observation."""
        return {
            "mean_pwv_mm": round(self.pwv_mm * self.random.uniform(0.9, 1.1), 3),
            "conditions": {
                **MARK,
                "wind_speed_m_s": round(self.random.weibullvariate(8, 2), 1),
                "ambient_temperature_c": round(self.random.gauss(-6, 3), 1),
                "relative_humidity_percent": round(self.random.uniform(5, 60)),
            },
        }


def one_ahead(prepare: Callable, things: Iterable) -> Iterator:
    """Yield what is prepared of each thing; the next is prepared on a connection of its own while one is worked on.

    Within a transaction they are prepared one after another, as another connection would see nothing of it.

    Args:
        prepare: is called with each thing; changes are attributed as in the caller.
        things: what is prepared, in order.
    """
    if connection.in_atomic_block:
        yield from map(prepare, things)
        return

    def apart(thing):
        try:
            with attributed():
                return prepare(thing)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(max_workers=1) as worker:
        ahead = None
        for thing in things:
            coming = worker.submit(copy_context().run, apart, thing)
            if ahead:
                yield ahead.result()
            ahead = coming
        if ahead:
            yield ahead.result()

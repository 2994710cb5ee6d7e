"""Nights with their weather and executions, and preparing one while another is worked on."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from datetime import date, datetime
from random import Random
from typing import Any, TypeVar

from django.db import connections

from opsdb.database.aliases import writing_connection
from opsdb.models import ExecutedObsUnit
from opsdb.workflows import attributed

from .facts import MARK

Item = TypeVar("Item")
Prepared = TypeVar("Prepared")


class Night:
    """One night at the telescope.

    Its random numbers are its own: they depend neither on concurrent work nor on the day of the demonstration.

    Attributes:
        date: on whose evening it begins.
        ago: how many nights before the last one.
        is_brief: whether few observations are made, and no calibrations.
        random: its random numbers.
        pwv_mm: precipitable water vapour, in mm.
        executed: executions, and the times at which they end.
        raw_files: number of files that the modules wrote.
    """

    def __init__(self, seed: int, date: date, ago: int, is_brief: bool = False):
        self.date, self.ago, self.is_brief = date, ago, is_brief
        self.random = Random(f"{seed} {ago}")  # noqa: S311 - a simulation, no secret
        self.pwv_mm = self.random.lognormvariate(-0.4, 0.5)
        self.executed: list[tuple[ExecutedObsUnit, datetime]] = []
        self.raw_files = 0

    def conditions(self) -> dict[str, Any]:
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


def prepare_ahead(prepare: Callable[[Item], Prepared], items: Iterable[Item]) -> Iterator[Prepared]:
    """Yield the prepared items; the next one is prepared on another connection while one is worked on.

    Within a transaction they are prepared one after another, as another connection would not see its changes.

    Args:
        prepare: called with each item; its changes are attributed as those of the caller.
        items: in order.
    """
    if writing_connection().in_atomic_block:
        yield from map(prepare, items)
        return

    def separately(item):
        try:
            with attributed():
                return prepare(item)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(max_workers=1) as worker:
        ahead = None
        for item in items:
            coming = worker.submit(copy_context().run, separately, item)
            if ahead:
                yield ahead.result()
            ahead = coming
        if ahead:
            yield ahead.result()

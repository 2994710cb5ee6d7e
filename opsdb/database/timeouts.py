"""Queries that are given up when they take too long."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import OperationalError, connections, transaction

from opsdb.middleware import was_stopped


class TooSlowError(Exception):
    """A query was given up."""


@contextmanager
def given_up_after(seconds: float, using: str) -> Iterator[None]:
    """Give up each query of a block that takes longer.

    Raises:
        TooSlowError: one did.
    """
    try:
        with transaction.atomic(using=using), connections[using].cursor() as cursor:
            cursor.execute(
                "SELECT current_setting('statement_timeout'), set_config('statement_timeout', %s, true)",
                [f"{round(1000 * seconds)}ms"],
            )
            before, _now = cursor.fetchone()
            yield
            cursor.execute("SELECT set_config('statement_timeout', %s, true)", [before])
    except OperationalError as error:
        if not was_stopped(error):
            raise
        raise TooSlowError from error

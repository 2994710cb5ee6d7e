"""A slot that is refused because its time is taken: by which slots, and when the telescope is free."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.db import connections, router
from psycopg.pq import TransactionStatus

from opsdb.database.refusals import Refusal
from opsdb.formatting import format_moment
from opsdb.models import PreScheduledSlot

from .free_time import find_slot_conflict

# PostgreSQL's message of error 23P01: Key (…)=(["2026-11-23 02:00:00+00","2026-11-23 02:28:00+00"), 1) conflicts with …
_PERIOD = re.compile(r'=\(\["([^"]+)","([^"]+)"\), (\d+)\)')


def with_slots_in_the_way(refusal: Refusal, error: BaseException) -> Refusal:
    """Return the refusal of a slot whose time is taken with the times of the slots there and the next free time.

    Their units are not named: the person who asked for the slot may not see them.

    Args:
        refusal: by the rule that slots of a telescope don't overlap.
        error: what Django or psycopg raised for it.
    """
    cause: Any = error if hasattr(error, "sqlstate") else error.__cause__
    periods = _PERIOD.findall(cause.diag.message_detail or "")
    try:
        (start, end, telescope), (other_start, other_end, _same) = (
            (datetime.fromisoformat(one), datetime.fromisoformat(other), key) for one, other, key in periods
        )
    except ValueError:  # in a date style that isn't ISO's
        return refusal
    if _takes_queries() and (conflict := find_slot_conflict(int(telescope), start, end)):
        return replace(refusal, text=conflict.describe(with_units=False))
    sentence, _mark, remedy = refusal.text.partition(";")
    span = f"{format_moment(other_start)} to {format_moment(other_end)} UTC"
    return replace(refusal, text=f"{sentence}: {span};{remedy}")


def _takes_queries():
    connection = connections[router.db_for_write(PreScheduledSlot)]
    raw = connection.connection
    broken = raw is not None and raw.info.transaction_status == TransactionStatus.INERROR
    return not (broken or connection.needs_rollback)

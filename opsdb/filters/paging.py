"""Paging by key: a page of a table of any size costs what its first page costs.

A page is asked for by the row that it follows or precedes, never by a number: PostgreSQL goes to that row in an index
and reads on from there, where an OFFSET would read all that comes before. The address keeps the place in Django's own
parameter ``p``: ``after,KEY``, or ``after,VALUE,KEY`` where a column sorts the list, the same with ``before``, or
``last``. Anything else is the first page.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.core.exceptions import ValidationError
from django.db.models import BooleanField, F, Field, Func, Model, Q, QuerySet, Value
from django.db.models.lookups import GreaterThan, LessThan
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from opsdb import conf
from opsdb.database.functions import IsAmong
from opsdb.database.timeouts import TooSlowError
from opsdb.formatting import format_second
from opsdb.middleware import was_stopped
from opsdb.normalization import is_storable

AFTER, BEFORE, LAST = "after", "before", "last"
LONGEST_QUERY_SECONDS = 5
TOO_SLOW = gettext_lazy(
    "The list was given up after %(seconds)d s: no index serves this search and these filters together. "
    "Take one of them away."
)


def seconds_given(error: Exception) -> int | None:
    """Return the time limit of the query whose cancellation an error reports; None for another error."""
    if isinstance(error, TooSlowError):
        return LONGEST_QUERY_SECONDS
    return conf.get("OPSDB_STATEMENT_TIMEOUT_SECONDS") if was_stopped(error) else None


def _in_utc(value):
    """Return a value of an address, a time in UTC: PostgreSQL refuses offsets of 16 hours and more."""
    return value.astimezone(UTC) if isinstance(value, datetime) and value.tzinfo else value


def _row(*parts):
    return Func(*parts, function="ROW", output_field=BooleanField())


class KeyedPage:
    """Some rows of a list, and the ways to those before and after them."""

    def __init__(
        self,
        rows: QuerySet,
        order: Sequence[str],
        asked: str,
        size: int,
        within: Sequence[tuple[str, Any]] = (),
        every_row: QuerySet | None = None,
    ):
        """Prepare a page; the query comes with the first look at its rows.

        Args:
            rows: the queryset of all rows of the list.
            order: names of the fields that sort it, the last of them unique, all upwards or all with ``-`` downwards.
            asked: the place as the address gives it.
            size: the most rows of the page.
            within: names and values of fields that all rows share and that lead an index before the others.
            every_row: the rows before the list was narrowed. With it and ``within``, the keys of the page are found
                first, along the index, and what belongs to their rows afterwards: PostgreSQL takes few rows of many
                conditions for fewer than there are, and would join all of them before it sorts them.
        """
        self.within = within
        self.every_row = every_row
        self.all_rows = rows
        self.names = [name.removeprefix("-") for name in order]
        self.descending = order[-1].startswith("-")
        self.size = size
        self.direction, self.place = self._read(asked)

    @cached_property
    def fields(self) -> list[Field]:
        """The fields that sort the list."""
        return [self.all_rows.model._meta.get_field(name) for name in self.names]

    def _read(self, asked):
        direction, _comma, rest = asked.partition(",")
        if direction == LAST and not rest:
            return LAST, None
        texts = rest.rsplit(",", len(self.names) - 1)
        if direction not in (AFTER, BEFORE) or len(texts) != len(self.names) or not is_storable(rest):
            return None, None
        try:
            place = [_in_utc(field.to_python(text)) for field, text in zip(self.fields, texts, strict=True)]
        except (ValidationError, OverflowError):
            return None, None
        return (direction, place) if all(part not in (None, "") for part in place) else (None, None)

    @cached_property
    def rows(self) -> list[Model]:
        """The rows of the page, in the order of the list."""
        rows = self._fetch()
        if (self.direction == AFTER and not rows) or (self.direction == BEFORE and len(rows) <= self.size):
            # The list ends there: a whole page of that end is more useful than the few rows left.
            self.direction, self.place = (LAST if self.direction == AFTER else None), None
            rows = self._fetch()
        self._has_more = len(rows) > self.size
        rows = rows[: self.size]
        return rows[::-1] if self._is_backward else rows

    @property
    def _is_backward(self):
        return self.direction in (BEFORE, LAST)

    def _fetch(self):
        downwards = self.descending != self._is_backward
        names = [*(name for name, _value in self.within), *self.names]
        rows = self.all_rows.order_by(*(f"{'-' if downwards else ''}{name}" for name in names))
        if self.place:
            rows = rows.filter(self._beyond("lt" if downwards else "gt"))
        rows = rows[: self.size + 1]
        if self.within and self.every_row is not None:
            keys = ArraySubquery(rows.values("pk"))
            rows = self.every_row.filter(IsAmong(F("pk"), keys)).order_by(*rows.query.order_by)
        return list(rows)

    def _beyond(self, comparison):
        if self.within:
            place = [*self.within, *zip(self.names, self.place, strict=True)]
            compare = LessThan if comparison == "lt" else GreaterThan
            # One comparison of rows, because only from that does PostgreSQL find the start in the index.
            return Q(
                compare(_row(*(F(name) for name, _value in place)), _row(*(Value(value) for _name, value in place)))
            )
        *sorted_by, key = zip(self.names, self.place, strict=True)
        found = Q(**{f"{key[0]}__{comparison}": key[1]})
        for name, value in reversed(sorted_by):
            # From the first part alone PostgreSQL finds the start in an index on the column.
            found = Q(**{f"{name}__{comparison}e": value}) & (Q(**{f"{name}__{comparison}": value}) | found)
        return found

    @property
    def has_previous(self) -> bool:
        """Whether rows precede these."""
        return bool(self.rows) and (self._has_more if self._is_backward else self.direction == AFTER)

    @property
    def has_next(self) -> bool:
        """Whether rows follow these."""
        return bool(self.rows) and (self.direction == BEFORE if self._is_backward else self._has_more)

    @property
    def previous(self) -> str:
        """The parameter of the page before."""
        return self._address(BEFORE, self.rows[0])

    @property
    def next(self) -> str:
        """The parameter of the page after."""
        return self._address(AFTER, self.rows[-1])

    def _address(self, direction, row):
        return ",".join([direction, *(field.value_to_string(row) for field in self.fields)])

    @property
    def description(self) -> str:
        """Where in the list this page is, as far as can be known."""
        if not self.has_previous:
            return _("rows 1 to %(last)d") % {"last": len(self.rows)} if self.has_next else ""
        if not self.has_next:
            return _("the last %(number)d rows") % {"number": len(self.rows)}
        place = self.place[0]
        words = {
            "number": len(self.rows),
            "place": format_second(place) if isinstance(place, datetime) else place,
        }
        if self.direction == BEFORE:
            return _("%(number)d rows before %(place)s") % words
        return _("%(number)d rows after %(place)s") % words

"""Counts that cost the same on a table of any size, and what a deletion would take along."""

import json
from collections.abc import Callable
from functools import cached_property
from typing import Any, NamedTuple

from django.conf import settings
from django.core.paginator import Paginator
from django.db.models import Model
from django.db.models.deletion import CASCADE, PROTECT, RESTRICT, get_candidate_relations_to_delete
from django.db.models.query import QuerySet
from django.utils.html import format_html
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from .links import parameter_of

EXACT_LIMIT = 20_000
COUNTED_WHERE_EXPECTED = 5 * EXACT_LIMIT
DELETION_LIMIT = 1_000
NAMED_LIMIT = 100  # rows that the page of a bulk deletion names one by one


def grouped(number: int) -> str:
    """Return a number with its digits in groups of three."""
    return f"{number:,}"


class About(int):
    """An estimated number, shown as such."""

    def __str__(self):
        if settings.USE_THOUSAND_SEPARATOR:
            # Django regroups the digits of str() in this case, and would tear the words apart.
            return int.__repr__(self)
        for size, name in ((10**9, _("about %(number)s billion")), (10**6, _("about %(number)s million"))):
            if self >= size:
                return name % {"number": f"{self / size:.3g}"}
        return _("about %(number)s") % {"number": grouped(round(int(self), 3 - len(repr(self))))}

    def __repr__(self):
        return int.__repr__(self)


class UpTo(NamedTuple):
    """A count that stopped at its limit."""

    number: int
    exact: bool

    def __str__(self):
        number = grouped(self.number)
        return number if self.exact else _("more than %(number)s") % {"number": number}


def count_up_to(queryset: QuerySet, limit: int = DELETION_LIMIT) -> UpTo:
    """Count rows, but look at no more than one above the limit."""
    number = queryset.order_by()[: limit + 1].count()
    return UpTo(min(number, limit), number <= limit)


def estimate(queryset: QuerySet) -> int:
    """Return how many rows the planner expects."""
    plan = queryset.order_by().explain(format="json")
    # Django sends no query for some that are empty by construction.
    return int(json.loads(plan)[0]["Plan"]["Plan Rows"]) if plan else 0


class BoundedPaginator(Paginator):
    """Counts exactly up to a limit; beyond it, gives the planner's estimate."""

    exact_limit = EXACT_LIMIT

    @cached_property
    def count(self) -> int:
        """Number of rows: exact, or :class:`About`."""
        if not isinstance(self.object_list, QuerySet):
            return len(self.object_list)
        expected = estimate(self.object_list)
        # Where many are expected they may all be at the end of the table, after all that are not asked for.
        if expected <= COUNTED_WHERE_EXPECTED:
            found = count_up_to(self.object_list, self.exact_limit)
            if found.exact:
                return found.number
        return About(max(expected, self.exact_limit + 1))


class DeletionCounts:
    """Rows that are deleted together with some rows, and rows that forbid it: counted in the database, not loaded.

    Parts are deleted with their whole, so they need no permission of their own.
    """

    def __init__(
        self,
        model: type[Model],
        rows: QuerySet | list[Model],
        link_to_list: Callable[[type[Model], dict[str, Any]], str | None],
    ):
        """Count.

        Args:
            model: the model of the rows.
            rows: a queryset, or a list of rows.
            link_to_list: gives the address of a model's list for lookups, or None.
        """
        self.model = model._meta.concrete_model
        self.rows = rows
        self.link_to_list = link_to_list
        self.counts = {model._meta.verbose_name_plural: self._own_count()}
        self.protected = []
        self._look_into(self.model, self._keys())

    def _keys(self):
        return self.rows.values("pk") if isinstance(self.rows, QuerySet) else [row.pk for row in self.rows]

    def _own_count(self):
        return len(self.rows) if isinstance(self.rows, list) else count_up_to(self.rows)

    def names(self) -> list[str]:
        """The rows themselves, the first of very many."""
        return [f"{capfirst(row._meta.verbose_name)}: {row}" for row in self.rows[:NAMED_LIMIT]]

    def _look_into(self, model, keys, local_only=False):
        for relation in get_candidate_relations_to_delete(model._meta):
            inherited = relation.model._meta.concrete_model is not model
            if relation.field.remote_field.parent_link:
                if not inherited:
                    self._look_into(relation.related_model, keys, local_only=True)
            elif not (local_only and inherited):
                self._look_at(relation, keys)

    def _look_at(self, relation, keys):
        field, related = relation.field, relation.related_model
        found = related._base_manager.filter(**{f"{field.name}__in": keys})
        if relation.on_delete in (PROTECT, RESTRICT):
            count = count_up_to(found)
            if count.number:
                self.protected.append(self._protecting(related, field, count))
        elif relation.on_delete is CASCADE:
            count = count_up_to(found)
            if count.number:
                self.counts[self._part_name(related, field)] = count
                self._look_into(related, found.values("pk"))

    def _part_name(self, related, field):
        linked = related._meta.auto_created
        if not linked:
            return related._meta.verbose_name_plural
        return _("links to %(rows)s") % {"rows": linked._meta.verbose_name_plural}

    def _protecting(self, related, field, count):
        name = related._meta.verbose_name if count == (1, True) else related._meta.verbose_name_plural
        text = _("%(count)s %(rows)s (by their %(field)s)") % {
            "count": count,
            "rows": name,
            "field": field.verbose_name,
        }
        keys = self._keys()
        url = self.link_to_list(related, {parameter_of(field): keys[0]}) if keys and len(self.rows) == 1 else None
        return format_html('<a href="{}">{}</a>', url, text) if url else text

"""Parts of configurations and sources: tiles, parameters and azimuth ranges, which files describe as complete sets."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.db import models

from .entries import RowEntry, RowRules
from .errors import listed
from .loading import Loading
from .plan import SKIP, UPDATE
from .tables import TableRow

NEW_VERSION = "a new configuration_version"

Whole = tuple[TableRow, models.Model, bool, dict[tuple, TableRow]]
"""The row that names a whole, the whole, whether it was observed with, and its parts by the fields of their keys."""


class PartRules(RowRules):
    """Rules of tiles, parameters or azimuth ranges: rows that mean nothing without what they are parts of.

    Args:
        model: whose rows they are.
        key_fields: what identifies them; the first is what they are parts of.
        free: fields that may change after observations.
    """

    key_fields: tuple[str, ...] = ()

    def __init__(self, model: type[models.Model], *key_fields: str, free: Iterable[str] = ()):
        self.model, self.key_fields, self.free = model, key_fields, set(free)

    def part(self, key: tuple) -> str:
        """Return the name of a part within its whole."""
        return str(key[0])

    def label(self, entry: RowEntry) -> str:
        whole, *key = (entry.values[name] for name in self.key_fields)
        return f"{whole} / {self.part(key)}"


def write_parts(loading: Loading, rules: PartRules, wholes: Sequence[Whole]) -> None:
    """Write the parts of every whole as the files give them; others are removed.

    Args:
        loading: the load.
        rules: those of the parts.
        wholes: what they are parts of.

    Raises:
        LoadError: parts contradict existing ones, and the load may not change these.
    """
    owner, *rest = rules.key_fields
    there = {}
    for one in rules.model.objects.filter(**{f"{owner}__in": [whole for _, whole, _, _ in wholes]}):
        key = tuple(getattr(one, name) for name in rest)
        there.setdefault(getattr(one, f"{owner}_id"), {})[key] = one
    entries, gone = [], []
    for row, whole, executed, parts in wholes:
        wanted = {
            key: RowEntry(part, rules.model, {**part.values, **dict(zip(rest, key, strict=True)), owner: whole})
            for key, part in parts.items()
        }
        present = there.get(whole.pk, {})
        changes = _changes(rules, present, wanted)
        if changes and (present or executed) and not _may_change(loading, rules, row, whole, executed, changes):
            continue
        for key in present.keys() - wanted.keys():
            gone.append(present[key].pk)
            loading.plan.note(
                UPDATE, row, type(whole), str(whole), f"without {rules.model._meta.verbose_name} {rules.part(key)}"
            )
        entries += wanted.values()
    loading.problems.stop_if_any()
    rules.model.objects.filter(pk__in=gone).delete()
    loading.write(entries, rules)


def _changes(rules, present, wanted) -> dict[str, set]:
    """Return which fields of which parts would change, by a name for the part."""
    changes = {}
    for key in sorted(present.keys() | wanted.keys(), key=str):
        if key not in present or key not in wanted:
            changes[f"{rules.part(key)} {'added' if key in wanted else 'removed'}"] = {"*"}
        elif differences := rules.differences(present[key], wanted[key]):
            names = [name for name, _, _ in differences]
            changes[f"{rules.part(key)} with different {', '.join(names)}"] = set(names)
    return changes


def _may_change(loading, rules, row, whole, executed, changes):
    """Return whether parts that are there may become others, and note it if not."""
    how = loading.options["on_conflict"]
    what = f"{rules.model._meta.verbose_name_plural} of {whole}: {listed(changes)}"
    if how == "skip":
        loading.plan.note(SKIP, row, type(whole), str(whole), what)
        return False
    if executed and set().union(*changes.values()) - rules.free:
        row.problem(f"would change what was observed with: {what}", expected=NEW_VERSION)
        return False
    if how == "error":
        row.problem(f"different {what}", expected="the same, or --on-conflict skip or update")
        return False
    return True

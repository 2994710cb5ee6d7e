"""One load in its transaction: entries are compared with the database, and written in batches."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import partial
from itertools import pairwise
from typing import Any

from django.db import DatabaseError, models

from opsdb.database.aliases import atomic

from .entries import Difference, RowEntry, RowRules, format_value
from .errors import LoadProblems, shown
from .plan import CREATE, LEAVE, SKIP, UPDATE, LoadPlan
from .progress import Counted, Progress, no_progress
from .saving import insert_rows, set_members, try_to_save
from .spool import Spool, batches
from .tables import TableRow
from .text_files import LoadFile, path_of

ON_CONFLICT = ("error", "skip", "update")
BATCH_SIZE = 1000
COMPARED_AT_ONCE = 5000


class Loading:
    """One load in its transaction.

    Args:
        rules: those of the rows that are loaded.
        files: what is loaded.
        options: of the kind, complete; ``on_conflict`` among them is error, skip or update.
        plan: where to note what happens.
        progress: see :data:`opsdb.loaders.progress.Progress`.

    Attributes:
        problems: what is wrong; :meth:`problems_of` returns those of one file.
    """

    def __init__(
        self,
        rules: RowRules,
        files: Sequence[LoadFile],
        options: Mapping[str, Any],
        plan: LoadPlan,
        progress: Progress | None = None,
    ):
        self.rules, self.options, self.plan = rules, options, plan
        self.problems = LoadProblems(path_of(files[0]))
        self.progress = progress or no_progress

    def problems_of(self, file: LoadFile) -> LoadProblems:
        """Return the problems of a file of this load."""
        return LoadProblems(path_of(file), self.problems)

    def write(self, entries: Collection[RowEntry], rules: RowRules | None = None) -> None:
        """Create or update the rows that entries declare; existing rows are compared and left, skipped or updated.

        Args:
            entries: rows of one model, or of subtypes of one.
            rules: how they are matched and compared, if not by those of the load.

        Raises:
            LoadError: entries contradict each other, the database or, unless a conflict is settled, existing rows.
        """
        rules = rules or self.rules
        entries = self._without_repeats(rules, entries)
        new: dict[type[models.Model], Spool[RowEntry]] = {}
        # Not the rows themselves, which a list on disk would keep in memory.
        changed: Spool[tuple[RowEntry, Any, list[str]]] = Spool()
        for batch in batches(entries, COMPARED_AT_ONCE):
            present = rules.present(batch)
            for entry in batch:
                row = present.get(rules.key(entry))
                if row is None:
                    new.setdefault(entry.model, Spool()).append(entry)
                elif differences := self._differences(rules, row, entry):
                    if self._may_change(rules, entry, row, differences):
                        changed.append((entry, row.pk, [name for name, _, _ in differences]))
                else:
                    self.plan.note(LEAVE, entry.row, entry.model, rules.label(entry))
        self.problems.stop_if_any()
        # Updates come first, as they can make room for new rows.
        if changed:
            self._update(rules, changed)
        for group in new.values():
            rules.check(group)
        self.problems.stop_if_any()
        for model, group in new.items():
            self._create(rules, model, group)
        self.problems.stop_if_any()

    def create(self, row: models.Model, of: TableRow, label: str) -> bool:
        """Write one row that a file needs beside its own ones; return whether it was accepted.

        Args:
            row: a new instance.
            of: the row of the file that needs it.
            label: its name in plans and messages.
        """
        reasons = try_to_save(row, force_insert=True)
        for name, message in reasons:
            what = f"{row._meta.verbose_name} {label} can't be written"
            of.problem(f"{what}{f', {name}' if name else ''}: {message}")
        if not reasons:
            self.plan.note(CREATE, of, type(row), label)
            self.plan.written.setdefault(type(row), []).append(row.pk)
        return not reasons

    def _without_repeats(self, rules: RowRules, entries: Collection[RowEntry]) -> Collection[RowEntry]:
        # Hashes of the keys take little memory, and few keys, if any, are looked at again.
        ordered = sorted(hash(rules.key(entry)) for entry in entries)
        repeated = {one for one, other in pairwise(ordered) if one == other}
        if not repeated:
            return entries
        seen: dict[tuple, RowEntry] = {}
        for entry in entries:
            if hash(rules.key(entry)) not in repeated:
                continue
            first = seen.setdefault(rules.key(entry), entry)
            if first is not entry and not rules.is_same(first, entry, self.plan):
                is_same_file = first.row.problems.path == entry.row.problems.path
                where = f"line {first.row.line}" + ("" if is_same_file else f" of {first.row.problems.path.name}")
                entry.row.problem(f"{shown(rules.label(entry))} repeats {where}", expected="each row once")
        self.problems.stop_if_any()
        once: Spool[RowEntry] = Spool()
        for entry in entries:
            key = rules.key(entry)
            if hash(key) not in repeated:
                once.append(entry)
            elif key in seen:
                once.append(seen.pop(key))
        return once

    def _differences(self, rules: RowRules, row: models.Model, entry: RowEntry) -> list[Difference]:
        if type(row) is not entry.model:
            return [("type", row._meta.verbose_name, entry.model._meta.verbose_name)]
        return rules.differences(row, entry)

    def _may_change(
        self, rules: RowRules, entry: RowEntry, row: models.Model, differences: Sequence[Difference]
    ) -> bool:
        why = ", ".join(f"{name} {format_value(old)} → {format_value(new)}" for name, old, new in differences)
        how = self.options["on_conflict"]
        if how == "skip":
            self.plan.note(SKIP, entry.row, entry.model, rules.label(entry), why, partial(rules.facts, entry))
            return False
        if how == "error" or type(row) is not entry.model:
            entry.row.problem(
                f"{entry.model._meta.verbose_name} {shown(rules.label(entry))} exists with different values: {why}",
                expected="the same values" + ("" if how == "update" else ", or --on-conflict skip or update"),
            )
            return False
        self.plan.note(UPDATE, entry.row, entry.model, rules.label(entry), why, partial(rules.facts, entry))
        return True

    def _create(self, rules, model, entries):
        writing = Counted(batches(entries, BATCH_SIZE), -(-len(entries) // BATCH_SIZE))
        for batch in self.progress(writing, f"Writing {model._meta.verbose_name_plural}"):
            try:
                with atomic():
                    self._insert(model, batch)
            except DatabaseError:
                # The database names the row that it refuses only when rows are written one by one.
                for entry in batch:
                    rules.note_refusal(entry, try_to_save(entry.instance(), entry.members, force_insert=True))
            for entry in batch:
                self.plan.note(CREATE, entry.row, model, rules.label(entry), facts=partial(rules.facts, entry))
                self.plan.digest.update(_without_keys(sorted(entry.values.items())).encode())

    def _insert(self, model, entries):
        keys = insert_rows(model, [entry.values for entry in entries])
        self.plan.written.setdefault(model, []).extend(keys)
        for name in {name for entry in entries for name in entry.members}:
            field = model._meta.get_field(name)
            own, other = field.m2m_field_name(), field.m2m_reverse_field_name()
            links = [
                {own: key, other: member}
                for key, entry in zip(keys, entries, strict=True)
                for member in entry.members.get(name, ())
            ]
            if links:
                insert_rows(field.remote_field.through, links)

    def _update(self, rules, changed):
        refused = []
        writing = Counted(batches(changed, BATCH_SIZE), -(-len(changed) // BATCH_SIZE))
        for batch in self.progress(writing, "Updating"):
            refused += self._update_some(batch)
        for entry, row, members, names in self._refused_for_good(refused):
            rules.note_refusal(entry, try_to_save(row, members, update_fields=names))

    def _update_some(self, changed):
        """Update rows, those with the same changed fields at once; return what was refused."""
        keys: dict[type[models.Model], list[Any]] = {}
        for entry, key, _ in changed:
            keys.setdefault(entry.model, []).append(key)
        rows = {model: model._base_manager.in_bulk(some) for model, some in keys.items()}
        by_fields: dict[tuple, list[tuple]] = {}
        for entry, key, names in changed:
            row = rows[entry.model].get(key)
            if row is None:
                entry.row.problem("its row was deleted while the file was loaded", expected="the file loaded again")
                continue
            plain = tuple(name for name in names if name in entry.values)
            for name in plain:
                setattr(row, name, entry.values[name])
            members = {name: entry.members[name] for name in names if name in entry.members}
            by_fields.setdefault((entry.model, plain), []).append((entry, row, members))
        refused = []
        for (model, names), group in by_fields.items():
            self.plan.written.setdefault(model, []).extend(row.pk for _, row, _ in group)
            try:
                with atomic():
                    if names:
                        model._base_manager.bulk_update([row for _, row, _ in group], names, batch_size=BATCH_SIZE // 2)
                    for _, row, members in group:
                        set_members(row, members)
            except DatabaseError:
                refused += [(entry, row, members, names) for entry, row, members in group]
        return refused

    @staticmethod
    def _refused_for_good(refused):
        """Write rows one by one, and return those that are refused even when all others have made room for them."""
        tried = None
        while refused and len(refused) != tried:
            tried, left = len(refused), []
            # From either end in turn: when all rows move the same way, the foremost has to go first.
            for one in reversed(refused):
                _, row, members, names = one
                try:
                    with atomic():
                        row.save(update_fields=names)
                        set_members(row, members)
                except DatabaseError:
                    left.append(one)
            refused = left
        return refused


def _without_keys(value: Any) -> str:
    """Return a text for a value that is the same in the plan and in the load, whose new rows have other keys."""
    if isinstance(value, models.Model):
        return f"<{type(value).__name__}: {value}>"
    if isinstance(value, dict):
        return _without_keys(sorted(value.items(), key=repr))
    if isinstance(value, list | tuple):
        return f"({', '.join(map(_without_keys, value))})"
    return repr(value)

"""How files become rows: one transaction, a plan that says what happens to every row, all or nothing.

    plan = prepare("sources", ["list.csv"], on_conflict="update")   # everything is checked, nothing is written
    plan.counted("create"), plan.steps, plan.notes                  # what would happen
    plan.apply()                                                    # do exactly that

``load`` does both at once. A kind of file is a :class:`TableKind`, or a :class:`Kind` if its files are no tables;
``opsdb.loaders.kinds`` lists them.
"""

from __future__ import annotations

from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from zlib import crc32

from django.db import DatabaseError, connection, models, transaction

from .columns import Column, Reference
from .errors import LoadError, Problem, Problems, shown
from .files import path_of, readable_again
from .rows import try_to_save
from .tables import TableRow, read_table, write_table

CREATE, UPDATE, LEAVE, SKIP = "create", "update", "leave", "skip"
ON_CONFLICT = ("error", "skip", "update")
STEPS_KEPT = 200
BATCH_SIZE = 1000
LOCK_NUMBER = crc32(b"opsdb load")


@dataclass(frozen=True)
class Step:
    """What happens to one row, and why: ``what`` is create, update, leave or skip; ``model`` its verbose name."""

    what: str
    model: str
    label: str
    why: str = ""
    path: Path | None = None
    line: int | None = None

    def __str__(self):
        return f"{self.what} {self.model} {self.label}{f' ({self.why})' if self.why else ''}"


@dataclass
class Plan:
    """What a load would do, or with ``applied`` has done.

    Attributes:
        kind: name of the kind.
        files: names of the files.
        facts: numbers about the files, by what they count.
        totals: number of rows by what happens to them and verbose name of the model.
        steps: what happens to every row, the first ``STEPS_KEPT`` of every sort.
        notes: sentences on what is not an error, but should be known.
        applied: whether it was written.
    """

    kind: str
    files: tuple[str, ...]
    facts: dict[str, int] = field(default_factory=dict)
    totals: Counter = field(default_factory=Counter)
    steps: list[Step] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    applied: bool = False
    again: tuple = field(default=(), repr=False)
    digest: object = field(default_factory=sha256, repr=False, compare=False)

    def counted(self, what: str, model: str | None = None) -> int:
        """Return how many rows are created, updated, left or skipped, of one model or of all."""
        return sum(number for (one, name), number in self.totals.items() if one == what and model in (None, name))

    @property
    def changes_nothing(self) -> bool:
        """Whether the database already is as the files want it, as far as conflicts may be settled."""
        return not (self.counted(CREATE) or self.counted(UPDATE))

    def count(self, what: str, number: int) -> None:
        """Add to a number about the files."""
        self.facts[what] = self.facts.get(what, 0) + number

    def note(self, what, row, model, label, why="") -> None:
        """Add a step for a row of a file."""
        step = Step(what, model._meta.verbose_name, label, why, row.problems.path, row.line)
        self.digest.update(str(step).encode())
        self.totals[what, step.model] += 1
        if self.totals[what, step.model] <= STEPS_KEPT:
            self.steps.append(step)

    @property
    def fingerprint(self) -> str:
        """What a later :func:`load` is given as ``promised``, to do this plan or nothing."""
        return self.digest.hexdigest()

    def apply(self) -> Plan:
        """Write what the plan says, and return what was done.

        Raises:
            LoadError: the database or a file has changed so that something else would happen; nothing was written.
        """
        kind, files, options = self.again
        return _run(kind, files, options, commit=True, promised=self.fingerprint)


@dataclass(frozen=True)
class Option:
    """An option of a kind, as ``argparse`` takes it: its flag and the arguments of ``add_argument``."""

    flag: str
    how: dict

    @property
    def name(self) -> str:
        """Name in Python."""
        return self.flag.lstrip("-").replace("-", "_")


@dataclass
class Entry:
    """A row as a file wants it: the values of fields, and of many-to-many fields lists of rows."""

    row: TableRow
    model: type[models.Model]
    values: dict[str, object]
    members: dict[str, list] = field(default_factory=dict)

    def instance(self):
        """Return a new row with these values."""
        return self.model(**self.values)


class Kind:
    """A kind of file that can be loaded.

    Attributes:
        name: what the command calls it.
        help: what it brings, in a few words.
        description: what the files are, for the command's help.
        example: a command line.
        options: options besides those of every kind.
        model: what its rows are.
    """

    name: str
    help: str
    description = ""
    example: str
    options: tuple[Option, ...] = ()
    model: type[models.Model]

    def load(self, loading: Loading, files) -> None:
        """Read files and write rows through ``loading``, inside its transaction; note problems there."""
        raise NotImplementedError

    def key(self, entry: Entry) -> tuple:
        """Return what identifies the row among those of its model; rows of the database by their numbers."""
        return tuple(_plain(entry.values[name]) for name in self.key_fields)

    @property
    def key_fields(self) -> tuple[str, ...]:
        """The fields that identify a row."""
        return self.model.natural_key_fields

    def present(self, entries) -> dict[tuple, models.Model]:
        """Return the rows of the database that entries may be, by key."""
        found = self.model._default_manager.filter(self.among(entries))
        if hasattr(found, "specific"):
            found = found.specific()
        names = [self.model._meta.get_field(name).attname for name in self.key_fields]
        return {tuple(getattr(row, name) for name in names): row for row in found}

    def among(self, entries) -> models.Q:
        """Return a condition that no row fails which an entry may be, for one query."""
        condition = models.Q()
        for name in self.key_fields:
            values = {_plain(entry.values[name]) for entry in entries}
            if None not in values:
                condition &= models.Q(**{f"{name}__in": values})
        return condition

    def differences(self, present, entry: Entry) -> list[tuple[str, object, object]]:
        """Return field, old and new value of what an entry would change in the row that is there."""
        found = []
        for name, new in entry.values.items():
            attribute = present._meta.get_field(name).attname
            if getattr(present, attribute) != _plain(new):
                found.append((name, getattr(present, name), new))
        for name, new in entry.members.items():
            old = list(getattr(present, name).all())
            if set(old) != set(new):
                found.append((name, old, new))
        return found

    def label(self, entry: Entry) -> str:
        """Return what a person calls the row."""
        return " / ".join(_shown(entry.values[name]) for name in self.key_fields if entry.values[name] is not None)

    def check(self, loading: Loading, entries: list[Entry]) -> None:
        """Note problems that only show beside other rows; called with the entries that will be created."""


class TableKind(Kind):
    """A kind whose files are CSV tables with a header.

    Attributes:
        columns: what may be in the header.
    """

    columns: tuple[Column, ...]

    def load(self, loading, files):
        rows = []
        for file in files:
            rows += read_table(file, self.columns, loading.problems_of(file), loading.progress)
        loading.plan.count("rows read", len(rows))
        entries = self.entries(loading, rows)
        loading.problems.stop_if_any()
        loading.write(entries)

    def entries(self, loading, rows) -> list[Entry]:
        """Return what the rows stand for; by default a row of ``model`` each, columns being its fields."""
        many = {one.name for one in self.model._meta.many_to_many}
        entries = []
        for row in rows:
            given = {
                column.target: row.values[column.name]
                for column in self.columns
                if column.target and column.name in row.values
            }
            members = {name: given.pop(name) or [] for name in many & given.keys()}
            entries.append(Entry(row, self.model, given, members))
        return entries

    def export(self, queryset, stream) -> None:
        """Write the rows of a queryset as a file that :meth:`load` reads, and that changes nothing then.

        Args:
            queryset: rows of ``model``.
            stream: a text file opened with ``newline=""``.
        """
        if hasattr(queryset, "specific"):
            queryset = queryset.specific()
        references = [column for column in self.columns if isinstance(column.cell, Reference) and column.target]
        single = [
            "__".join([column.target, *lookup.split("__")[:-1]])
            for column in references
            if not column.cell.many
            for lookup in column.cell.lookups
        ]
        if single:
            queryset = queryset.select_related(*single)
        several = [column.target for column in references if column.cell.many]
        # A cursor that is left to the garbage collector would be closed in somebody else's transaction.
        with closing(queryset.prefetch_related(*several).iterator(BATCH_SIZE)) as rows:
            write_table(self.columns, map(self.values_of, rows), stream)

    def values_of(self, row) -> dict[str, object]:
        """Return the values of a row of the database by the names of columns."""
        return {column.name: getattr(row, column.target) for column in self.columns if column.target}


class Loading:
    """One load in its transaction: what was asked for, what is wrong, and what happens.

    Attributes:
        kind, options: what was asked for; ``on_conflict`` among the options is error, skip or update.
        problems: what is wrong; :meth:`problems_of` gives those of a file.
        plan: what happens.
        progress: wraps a list that takes long to go through, called with it and a description.
    """

    def __init__(self, kind, files, options, progress=None):
        self.kind, self.options = kind, options
        self.problems = Problems(path_of(files[0]))
        self.plan = Plan(kind.name, tuple(path_of(file).name for file in files))
        self.progress = progress or (lambda items, description: items)

    def problems_of(self, file) -> Problems:
        """Return the problems of a file of this load."""
        return Problems(path_of(file), self.problems)

    def write(self, entries, kind=None) -> None:
        """Create or update the rows that entries want; what is there is compared and left, skipped or updated.

        Args:
            entries: rows of one model, or of subtypes of one.
            kind: whose key and comparison count, if not the kind that is loaded.

        Raises:
            LoadError: entries contradict each other, the database or, without leave to settle it, what is there.
        """
        kind = kind or self.kind
        entries = self._once(kind, entries)
        present = kind.present(entries) if entries else {}
        new, changed = [], []
        for entry in entries:
            row = present.get(kind.key(entry))
            if row is None:
                new.append(entry)
            elif differences := self._differences(kind, row, entry):
                if self._may_change(kind, entry, row, differences):
                    changed.append((entry, row, [name for name, _, _ in differences]))
            else:
                self.plan.note(LEAVE, entry.row, entry.model, kind.label(entry))
        self.problems.stop_if_any()
        # First what makes room for others.
        if changed:
            self._update(kind, changed)
        kind.check(self, new)
        self.problems.stop_if_any()
        self._create(kind, new)
        self.problems.stop_if_any()

    def create(self, row, of: TableRow, label: str) -> bool:
        """Write one row that a file needs beside its own ones; return whether it was accepted.

        Args:
            row: a new instance.
            of: the row of the file that needs it.
            label: what a person calls it.
        """
        reasons = try_to_save(row, force_insert=True)
        for name, message in reasons:
            what = f"{row._meta.verbose_name} {label} can't be written"
            of.problem(f"{what}{f', {name}' if name else ''}: {message}")
        if not reasons:
            self.plan.note(CREATE, of, type(row), label)
        return not reasons

    def _once(self, kind, entries):
        seen, once = {}, []
        for entry in entries:
            key = kind.key(entry)
            if key in seen:
                first = seen[key].row
                where = f"line {first.line}" + (
                    "" if first.problems.path == entry.row.problems.path else f" of {first.problems.path.name}"
                )
                entry.row.problem(f"{shown(kind.label(entry))} is in {where} already", expected="every row once")
            else:
                seen[key] = entry
                once.append(entry)
        self.problems.stop_if_any()
        return once

    def _differences(self, kind, row, entry):
        if type(row) is not entry.model:
            return [("type", row._meta.verbose_name, entry.model._meta.verbose_name)]
        return kind.differences(row, entry)

    def _may_change(self, kind, entry, row, differences):
        why = ", ".join(f"{name} {_shown(old)} → {_shown(new)}" for name, old, new in differences)
        how = self.options["on_conflict"]
        if how == "skip":
            self.plan.note(SKIP, entry.row, entry.model, kind.label(entry), why)
            return False
        if how == "error" or type(row) is not entry.model:
            entry.row.problem(
                f"{entry.model._meta.verbose_name} {shown(kind.label(entry))} is there with other facts: {why}",
                expected="the same facts" + ("" if how == "update" else ", or --on-conflict skip or update"),
            )
            return False
        self.plan.note(UPDATE, entry.row, entry.model, kind.label(entry), why)
        return True

    def _create(self, kind, entries):
        by_model = {}
        for entry in entries:
            by_model.setdefault(entry.model, []).append(entry)
        for model, group in by_model.items():
            batches = [group[first : first + BATCH_SIZE] for first in range(0, len(group), BATCH_SIZE)]
            for batch in self.progress(batches, f"Writing {model._meta.verbose_name_plural}"):
                try:
                    with transaction.atomic():
                        self._insert(model, batch)
                except DatabaseError:
                    # Only one by one does the database say which row it refuses.
                    for entry in batch:
                        _explain(kind, entry, try_to_save(entry.instance(), entry.members, force_insert=True))
                for entry in batch:
                    self.plan.note(CREATE, entry.row, model, kind.label(entry))
                    self.plan.digest.update(repr(sorted(entry.values.items())).encode())

    def _insert(self, model, entries):
        rows = [entry.instance() for entry in entries]
        if parent := next(iter(model._meta.parents), None):
            shared = [one.name for one in parent._meta.local_concrete_fields if not one.primary_key]
            parents = [parent(**{name: getattr(row, name) for name in shared}) for row in rows]
            for row, made in zip(rows, parent._base_manager.bulk_create(parents), strict=True):
                row.pk = made.pk
            # What save() does for the table of a subtype, for many rows; bulk_create refuses subtypes.
            model._base_manager._insert(rows, fields=model._meta.local_concrete_fields, using=connection.alias)
        else:
            model._base_manager.bulk_create(rows)
        for name in {name for entry in entries for name in entry.members}:
            through = model._meta.get_field(name).remote_field.through
            own, other = (
                model._meta.get_field(name).m2m_field_name(),
                model._meta.get_field(name).m2m_reverse_field_name(),
            )
            through._base_manager.bulk_create(
                through(**{own: row, other: member})
                for row, entry in zip(rows, entries, strict=True)
                for member in entry.members.get(name, ())
            )

    def _update(self, kind, changed):
        by_fields = {}
        for entry, row, names in changed:
            plain = tuple(name for name in names if name in entry.values)
            for name in plain:
                setattr(row, name, entry.values[name])
            members = {name: entry.members[name] for name in names if name in entry.members}
            by_fields.setdefault((entry.model, plain), []).append((entry, row, members))
        refused = []
        for (model, names), group in self.progress(list(by_fields.items()), "Updating"):
            try:
                with transaction.atomic():
                    if names:
                        model._base_manager.bulk_update([row for _, row, _ in group], names, batch_size=BATCH_SIZE // 2)
                    for _, row, members in group:
                        _set_members(row, members)
            except DatabaseError:
                refused += [(entry, row, members, names) for entry, row, members in group]
        for entry, row, members, names in self._refused_for_good(refused):
            _explain(kind, entry, try_to_save(row, members, update_fields=names))

    @staticmethod
    def _refused_for_good(refused):
        """Write rows one by one, and return those that can't be when all others have moved out of their way."""
        tried = None
        while refused and len(refused) != tried:
            tried, left = len(refused), []
            # In turns from either end: when all rows move the same way, the foremost has to go first.
            for one in reversed(refused):
                _, row, members, names = one
                try:
                    with transaction.atomic():
                        row.save(update_fields=names)
                        _set_members(row, members)
                except DatabaseError:
                    left.append(one)
            refused = left
        return refused


def prepare(kind: str, files, *, progress=None, **options) -> Plan:
    """Check files and return what loading them would do; nothing is written.

    Args:
        kind: name of a kind, see :func:`opsdb.loaders.kinds.kinds`.
        files: paths, or open binary files such as uploads.
        progress: wraps a list that takes long to go through, called with it and a description.
        options: options of the kind by their names in Python, and ``on_conflict``: what becomes of a row that is
            there with other facts, ``error`` (default), ``skip`` or ``update``.

    Raises:
        LoadError: the files are wrong; ``problems`` says why, at most ``PROBLEM_LIMIT`` of them.
        TypeError: an option is unknown, or needed and missing.
    """
    return _run(kind, files, options, commit=False, progress=progress)


def load(kind: str, files, *, progress=None, promised: str | None = None, **options) -> Plan:
    """Load files, all of them or nothing, and return what was done; arguments and errors as in :func:`prepare`.

    Takes the advisory lock of loads, so that one at a time decides what is new.

    Args:
        promised: fingerprint of the plan that a person agreed to, perhaps in an earlier request; something else is
            refused.
    """
    return _run(kind, files, options, commit=True, progress=progress, promised=promised)


def export(kind: str, queryset, stream) -> None:
    """Write rows as a file of a kind, which loads again without a change.

    Args:
        kind: name of a kind of tables.
        queryset: rows of its model.
        stream: a text file opened with ``newline=""``.
    """
    from .kinds import kinds

    kinds()[kind].export(queryset, stream)


def _run(kind_name, files, options, *, commit, progress=None, promised=None):
    from .kinds import kinds

    kind = kinds()[kind_name]
    files = [files] if isinstance(files, str | Path) or hasattr(files, "read") else list(files)
    files = [readable_again(file) for file in files]
    loading = Loading(kind, files, complete(kind, options), progress)
    plan = loading.plan
    plan.again = (kind_name, files, options)
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK_NUMBER])
            # Triggers would go on with plans that the session made when a table was small.
            cursor.execute("DISCARD PLANS")
        kind.load(loading, files)
        loading.problems.stop_if_any()
        try:
            connection.check_constraints()
        except DatabaseError as error:
            loading.problems.stop(f"the database says: {str(error).splitlines()[0]}")
        if promised and plan.fingerprint != promised:
            raise LoadError([Problem(loading.problems.path, "this would not do what the plan says", "a new plan")])
        if not commit:
            transaction.set_rollback(True)
    plan.applied = commit
    return plan


def complete(kind: Kind, options: dict) -> dict:
    """Return the options of a load with the defaults of its kind.

    Raises:
        TypeError: an option is unknown, or needed and missing.
    """
    known = {option.name: option for option in kind.options}
    if unknown := options.keys() - known.keys() - {"on_conflict"}:
        raise TypeError(f"{kind.name} has no option {', '.join(sorted(unknown))}")
    completed = {"on_conflict": "error"}
    for name, option in known.items():
        completed[name] = option.how.get("default", False if option.how.get("action") == "store_true" else None)
        if option.how.get("required") and options.get(name) is None:
            raise TypeError(f"{kind.name} needs the option {name}")
    completed |= options
    if completed["on_conflict"] not in ON_CONFLICT:
        raise TypeError(f"on_conflict is one of {', '.join(ON_CONFLICT)}")
    return completed


def _set_members(row, members):
    for name, new in members.items():
        getattr(row, name).set(new)


def _explain(kind, entry, reasons):
    columns = {column.target: column.name for column in getattr(kind, "columns", ())}
    for name, message in reasons:
        entry.row.problem(f"{kind.label(entry)} can't be written: {message}", columns.get(name, name))


def _plain(value):
    return value.pk if isinstance(value, models.Model) else value


def _shown(value):
    if value is None or value == "" or value == []:
        return "nothing"
    if isinstance(value, float):
        return f"{value:.10g}"
    if isinstance(value, list):
        return ", ".join(sorted(map(_shown, value)))
    if hasattr(value, "natural_key"):
        return " / ".join(map(str, value.natural_key()))
    if hasattr(value, "strftime"):
        return value.strftime("%Y-%m-%d %H:%M:%S") if hasattr(value, "hour") else str(value)
    text = " ".join(str(value).split())
    return text if len(text) <= 80 else f"{text[:79]}…"

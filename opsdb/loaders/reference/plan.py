"""Bringing the database to the state that the reference files describe."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from zlib import crc32

from django.core.exceptions import ObjectDoesNotExist
from django.db import DatabaseError, connection, models, transaction

from opsdb.models.base import natural_key_lookups

from ..errors import LoadError, Problem, listed, shown
from ..rows import try_to_save
from .files import near, read_reference, stop_if_any
from .topics import IN_USE, ArchiveMode, Mode, Permissions, holds_permissions, writable_fields

REFERENCE_DIRECTORY = Path(__file__).resolve().parent.parent.parent / "reference"
LOCK_NUMBER = crc32(b"opsdb reference data")
REFERRERS_NAMED = 3
CREATE, CHANGE, DEACTIVATE, REMOVE = STEPS = ("create", "change", "deactivate", "remove")


@dataclass(frozen=True)
class Step:
    """Something that is done to a row; ``field``, ``old`` and ``new`` say what a change changes."""

    action: str
    model: str
    row: str
    field: str = ""
    old: str = ""
    new: str = ""


@dataclass
class ReferenceLoad:
    """What a load did, or with ``dry_run`` would do.

    Attributes:
        steps: everything that is done, in order; a step for each field that changes.
        done: how many rows, by action and model.
        left: how many rows of each model are as the files want them, or are not looked at.
        differing: how many rows of each model differ from the files and are left so, because only ``append`` is wanted.
        models: names of the models that the files name, in their order.
    """

    mode: Mode
    dry_run: bool
    steps: list[Step] = field(default_factory=list)
    done: Counter = field(default_factory=Counter)
    left: Counter = field(default_factory=Counter)
    differing: Counter = field(default_factory=Counter)
    models: list[str] = field(default_factory=list)

    @property
    def changes_nothing(self) -> bool:
        """Whether there is nothing to do."""
        return not self.steps

    def count(self, action: str) -> int:
        """Return the number of rows that this is done to."""
        return sum(number for (done, _), number in self.done.items() if done == action)

    def note(self, action, model, row, changes=()):
        """Note what is done to a row."""
        self.done[action, model] += 1
        self.steps += [Step(action, model, row, *change) for change in changes or [()]]


def hold_lock(waiting: Callable[[], None] = lambda: None) -> None:
    """Let no other load of reference data run until the transaction ends.

    Args:
        waiting: called when another one runs and has to be waited for.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK_NUMBER])
        if not cursor.fetchone()[0]:
            waiting()
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK_NUMBER])


def load_reference(
    directory=None,
    *,
    mode: Mode = Mode.APPEND,
    archive_mode: ArchiveMode | None = None,
    dry_run: bool = False,
    waiting: Callable[[], None] = lambda: None,
) -> ReferenceLoad:
    """Bring the database to the state that the reference files describe.

    Rows are found by natural key. All files are checked before anything is written, and everything is written in
    one transaction under an advisory lock, so that two loads at once end in one clean state.

    Args:
        directory: a folder with ``index.yaml``; without it, the reference data that come with the package.
        mode: ``append`` only makes rows that are missing, and gives roles that are built in the permissions that
            they lack. ``edit`` also changes fields that a file gives and that differ. ``prune`` also removes the
            rows of the models that the files name which the files don't have; those that something refers to are
            taken out of use, where their model knows that.
        archive_mode: which file of locations to take; without it, what the settings say.
        dry_run: do everything, report it, and undo it.
        waiting: called when another load runs and has to be waited for.

    Raises:
        LoadError: a file is wrong, or the database refuses a row, or what is to go is referred to; it names file,
            line and path, and nothing was written.
    """
    files = read_reference(directory or REFERENCE_DIRECTORY, archive_mode)
    with transaction.atomic():
        hold_lock(waiting)
        load = _Load(ReferenceLoad(Mode(mode), dry_run))
        for file in files:
            load.result.models += [one.__name__ for one in file.models if one.__name__ not in load.result.models]
            for entry in file.entries:
                load.apply(entry)
        stop_if_any(files)
        if load.result.mode == Mode.PRUNE:
            for file in reversed(files):
                for model in reversed(file.models):
                    load.prune(model, file)
            stop_if_any(files)
        try:
            connection.check_constraints()
        except DatabaseError as error:
            message = f"the database says: {str(error).splitlines()[0]}"
            raise LoadError([Problem(files[0].problems.path.parent, message)]) from error
        transaction.set_rollback(dry_run)
    return load.result


class _Load:
    """A load under way: what was done, and the rows and permissions that references have led to."""

    def __init__(self, result):
        self.result = result
        self.permissions = Permissions()
        self.found = {}
        self.named = set()

    def apply(self, entry):
        """Make or change the row of an entry, or note why that can't be."""
        references = self.references(entry)
        if references is None:
            return
        fields = writable_fields(entry.model)
        members = {name: rows for name, rows in references.items() if fields[name].many_to_many}
        values = {name: value for name, value in {**entry.values, **references}.items() if name not in members}
        key = {part: values[part] for part in entry.model.natural_key_fields}
        label = _label(entry.values[part] for part in key)
        row = entry.model._default_manager.filter(**key).first()
        if row is None:
            self.create(entry, key, values, members, label)
        else:
            self.named.add((entry.model, row.pk))
            self.change(entry, row, values, members, label)

    def create(self, entry, key, values, members, label):
        if other := _of_another_kind(entry.model, key):
            kind = type(other).__name__
            expected = f"another name, a {kind}, or the other --data-archive-mode"
            entry.problem(f"{label} is there already, as a {kind}", expected=expected)
            return
        row = entry.model(**values)
        if _save(entry, row, members, force_insert=True):
            self.named.add((entry.model, row.pk))
            self.result.note(CREATE, entry.model.__name__, label)

    def change(self, entry, row, values, members, label):
        name = entry.model.__name__
        differences = changes = _differences(row, values, members)
        if self.result.mode == Mode.APPEND:
            values, members = {}, _lacking_members(row, members)
            changes = _differences(row, values, members)
        self.result.differing[name] += changes != differences
        if not changes:
            self.result.left[name] += 1
            return
        changed = {one for one, *_ in changes}
        for one in changed - set(members):
            setattr(row, one, values[one])
        changed_members = {one: members[one] for one in changed & set(members)}
        if _save(entry, row, changed_members, update_fields=changed - set(members)):
            self.result.note(CHANGE, name, label, changes)

    def references(self, entry):
        """Return the rows that a row refers to, by field, or None when one of them is not there."""
        found = {}
        complete = True
        for name, model_field in writable_fields(entry.model).items():
            if name not in entry.values or not model_field.is_relation:
                continue
            value = entry.values[name]
            try:
                if value is None:
                    found[name] = None
                elif holds_permissions(model_field):
                    found[name] = set().union(*map(self.permissions.matching, value))
                elif model_field.many_to_many:
                    found[name] = [self.by_natural_key(model_field.related_model, key) for key in value]
                else:
                    found[name] = self.by_natural_key(model_field.related_model, value)
            except LookupError as error:
                entry.problem(error.args[0], name, error.args[1])
                complete = False
        return found if complete else None

    def by_natural_key(self, model, key):
        """Return the row with this natural key; once found, without a query."""
        parts = tuple(key) if isinstance(key, list) else (key,)
        if (model, parts) not in self.found:
            try:
                self.found[model, parts] = model._default_manager.get_by_natural_key(*parts)
            except ObjectDoesNotExist:
                label = _label([parts])
                present = model._default_manager.values_list(*natural_key_lookups(model))[:200]
                known = [_label([one]) for one in present]
                raise LookupError(
                    f"there is no {model.__name__} {shown(label)}",
                    near(label, known) if known else f"{model.__name__} rows before this one",
                ) from None
        return self.found[model, parts]

    def prune(self, model, file):
        """Remove the rows of a model that no file has, or take them out of use, or note why neither can be."""
        name = model.__name__
        kept = [pk for of, pk in self.named if of is model]
        for row in model._default_manager.exclude(pk__in=kept).order_by("pk"):
            label = _label([row.natural_key()])
            in_use = next((one for one in IN_USE if one in writable_fields(model)), None)
            referrers = _referrers(row)
            try:
                with transaction.atomic():
                    if not referrers:
                        row.delete()
                        self.result.note(REMOVE, name, label)
                    elif in_use is None:
                        file.problems.add(
                            f"{label} is in no file, but is referred to by {referrers}",
                            expected="it in a file, or nothing that refers to it",
                            line=file.lines[name],
                            column=name,
                        )
                    elif getattr(row, in_use):
                        setattr(row, in_use, False)
                        row.save(update_fields=[in_use])
                        self.result.note(
                            DEACTIVATE, name, label, [(in_use, "True", f"False; referred to by {referrers}")]
                        )
                    else:
                        self.result.left[name] += 1
            except DatabaseError as error:
                message = f"{label} can't go; the database says: {str(error).splitlines()[0]}"
                file.problems.add(message, line=file.lines[name], column=name)


def _label(parts):
    """Return a natural key as people read it."""
    lists = (part if isinstance(part, list | tuple) else [part] for part in parts)
    return " / ".join(str(part) for parts in lists for part in parts)


def _differences(row, values, members):
    """Return name, old and new value of the fields that are not as they are wanted, in words."""
    found = [
        (name, _readable(getattr(row, name)), _readable(new))
        for name, new in values.items()
        if getattr(row, name) != new
    ]
    for name, wanted in members.items():
        old, new = set(getattr(row, name).all()), set(wanted)
        if old != new:
            found.append((name, _readable(old - new), _readable(new - old)))
    return found


def _lacking_members(row, members):
    """Return the lists of a row that initialization keeps, with what they lack; others belong to the operators."""
    if not getattr(row, "builtin", False):
        return {}
    return {name: {*getattr(row, name).all(), *wanted} for name, wanted in members.items()}


def _of_another_kind(model, key):
    """Return the row of another subtype that has this natural key, if there is one."""
    for parent in model._meta.parents:
        if hasattr(parent, "discriminator") and (other := parent._default_manager.filter(**key).first()):
            return other.specific
    return None


def _referrers(row) -> str:
    """Return in words which rows refer to this one; empty if there are none. Parts and own lists don't count."""
    told = []
    for relation in row._meta.get_fields(include_hidden=True):
        if not relation.auto_created or relation.concrete or relation.related_model._meta.auto_created:
            continue
        if not relation.many_to_many and relation.on_delete is models.CASCADE:
            continue
        rows = relation.related_model._base_manager.filter(**{relation.field.name: row.pk})
        found = list(rows[: REFERRERS_NAMED + 1])
        told += [f"{one._meta.db_table} {one.pk} ({one})" for one in found[:REFERRERS_NAMED]]
        if len(found) > REFERRERS_NAMED:
            told[-1] += " and more"
    return ", ".join(told)


def _readable(value):
    if isinstance(value, set):
        return listed(getattr(one, "codename", one) for one in value)
    text = "nothing" if value is None or value == "" else str(value)
    return text if len(text) <= 80 else f"{text[:79]}…"


def _save(entry, row, members, **how):
    """Write a row; return whether it was accepted, with problems noted if not."""
    reasons = try_to_save(row, members, **how)
    for name, message in reasons:
        entry.problem(message, name)
    return not reasons

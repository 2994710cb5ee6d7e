"""Applying reference files to the database."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from zlib import crc32

from django.core.exceptions import ObjectDoesNotExist
from django.db import DatabaseError, models, transaction

from opsdb.database.aliases import atomic, writing_alias, writing_connection
from opsdb.models.natural_keys import natural_key_lookups
from opsdb.models.renaming import former_names_of

from ..errors import LoadError, LoadProblem, listed, shown
from ..saving import try_to_save
from .reading import ReferenceEntry, ReferenceFile, near, read_reference, stop_if_any
from .topics import IN_USE, ArchiveMode, Mode, Permissions, UnresolvedError, holds_permissions, writable_fields

REFERENCE_DIRECTORY = Path(__file__).resolve().parent.parent.parent / "reference"
LOCK_NUMBER = crc32(b"opsdb reference data")
REFERRERS_NAMED = 3
CREATE, CHANGE, DEACTIVATE, REMOVE = STEPS = ("create", "change", "deactivate", "remove")


@dataclass(frozen=True)
class ReferenceStep:
    """An action on a row; of a change also the field with its old and new value."""

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
        steps: all actions, in order; a step for each field that changes.
        done: number of rows, by action and model.
        left: number of rows of each model that already are as in the files, or are not compared.
        differing: number of rows of each model that differ from the files and stay so, because the mode is ``append``.
        renamed: model, name in the files and present name of the rows that were found by a name that they had.
        models: names of the models in the files, in their order.
    """

    mode: Mode
    dry_run: bool
    steps: list[ReferenceStep] = field(default_factory=list)
    done: Counter = field(default_factory=Counter)
    left: Counter = field(default_factory=Counter)
    differing: Counter = field(default_factory=Counter)
    renamed: list[tuple[str, str, str]] = field(default_factory=list)
    models: list[str] = field(default_factory=list)

    @property
    def changes_nothing(self) -> bool:
        """Whether there is nothing to do."""
        return not self.steps

    def count(self, action: str) -> int:
        """Return the number of rows with an action."""
        return sum(number for (done, _), number in self.done.items() if done == action)

    def note(self, action: str, model: str, row: str, changes: Sequence[tuple[str, str, str]] = ()) -> None:
        """Note an action on a row, with field, old and new value of every change."""
        self.done[action, model] += 1
        self.steps += [ReferenceStep(action, model, row, *change) for change in changes or [()]]


def hold_lock(waiting: Callable[[], None] = lambda: None) -> None:
    """Prevent other loads of reference data until the transaction ends.

    Args:
        waiting: called before waiting for another load.

    Locks: the advisory lock of reference data.
    """
    with writing_connection().cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK_NUMBER])
        if not cursor.fetchone()[0]:
            waiting()
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK_NUMBER])


def load_reference(
    directory: str | Path | None = None,
    *,
    mode: Mode = Mode.APPEND,
    archive_mode: ArchiveMode | None = None,
    dry_run: bool = False,
    waiting: Callable[[], None] = lambda: None,
) -> ReferenceLoad:
    """Make the database agree with the reference files. Idempotent.

    Rows are found by natural key; sites and locations that were renamed also by the names that they had, and then keep
    their present name in every mode. All files are checked before anything is written, and everything is written in
    one transaction.

    Args:
        directory: a folder with ``index.yaml``; by default the reference data of the package.
        mode: ``append`` only creates missing rows, and adds missing permissions to built-in roles. ``edit`` also
            changes fields that differ from the files. ``prune`` also removes rows that are not in the files, of the
            models that the files name; rows that something refers to become inactive, if their model has such a
            field.
        archive_mode: which file of locations to take; by default according to the settings.
        dry_run: roll everything back at the end.
        waiting: called before waiting for another load.

    Raises:
        LoadError: a file is wrong, the database refuses a row, or something refers to a row that should be removed;
            the message has file, line and path, and nothing was written.

    Locks: the advisory lock of reference data, so that two loads at once end in one clean state.
    """
    files = read_reference(directory or REFERENCE_DIRECTORY, archive_mode)
    with atomic():
        hold_lock(waiting)
        application = _Application(ReferenceLoad(Mode(mode), dry_run))
        for file in files:
            application.result.models += [
                one.__name__ for one in file.models if one.__name__ not in application.result.models
            ]
            for entry in file.entries:
                application.apply(entry)
        stop_if_any(files)
        if application.result.mode == Mode.PRUNE:
            for file in reversed(files):
                for model in reversed(file.models):
                    application.prune(model, file)
            stop_if_any(files)
        try:
            writing_connection().check_constraints()
        except DatabaseError as error:
            message = f"the database reports: {str(error).splitlines()[0]}"
            raise LoadError([LoadProblem(files[0].problems.path.parent, message)]) from error
        transaction.set_rollback(dry_run, using=writing_alias())
    return application.result


class _Application:
    """A load in progress: what was done, and the rows and permissions that references were resolved to.

    Attributes:
        found: the rows that were made or referred to, by model and natural key.
        named: model and primary key of the rows that the files have.
        was_empty: whether a model had no rows before its first entry.
    """

    def __init__(self, result):
        self.result = result
        self.permissions = Permissions()
        self.found = {}
        self.named = set()
        self.was_empty = {}

    def apply(self, entry: ReferenceEntry) -> None:
        """Create or change the row of an entry, or note why that is impossible."""
        references = self.references(entry)
        if references is None:
            return
        fields = writable_fields(entry.model)
        members = {name: rows for name, rows in references.items() if fields[name].many_to_many}
        values = {name: value for name, value in {**entry.values, **references}.items() if name not in members}
        key = {part: values[part] for part in entry.model.natural_key_fields}
        label = _label(entry.values[part] for part in key)
        row = self.by_key(entry.model, key)
        try:
            formerly = None if row or self.was_empty[entry.model] else _formerly(entry.model, key)
        except UnresolvedError as error:
            entry.problem(str(error), former_names_of(entry.model), error.expected)
            return
        if formerly:
            row = formerly
            # The name that an operator gave it stays, in every mode.
            values = {name: value for name, value in values.items() if name not in key}
            self.result.renamed.append((entry.model.__name__, label, _label([row.natural_key()])))
        if row is None:
            self.create(entry, key, values, members, label)
        else:
            self.named.add((entry.model, row.pk))
            self.change(entry, row, values, members, label)

    def by_key(self, model, key):
        """Return the row with a key, or None. No query looks for rows in a table that was empty."""
        if model not in self.was_empty:
            self.was_empty[model] = not model._default_manager.exists()
        if self.was_empty[model]:
            return self.found.get((model, model(**key).natural_key()))
        return model._default_manager.filter(**key).first()

    def create(self, entry, key, values, members, label):
        if other := _of_other_subtype(entry.model, key):
            kind = type(other).__name__
            expected = f"another name, a {kind}, or the other --data-archive-mode"
            entry.problem(f"{label} exists already, as a {kind}", expected=expected)
            return
        row = entry.model(**values)
        if _save(entry, row, members, force_insert=True):
            self.named.add((entry.model, row.pk))
            self.found[entry.model, row.natural_key()] = row
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
        """Return the rows that a row refers to, by field, or None if one of them is missing."""
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
            except UnresolvedError as error:
                entry.problem(str(error), name, error.expected)
                complete = False
        return found if complete else None

    def by_natural_key(self, model, key):
        """Return the row with a natural key, which is queried once."""
        parts = tuple(key) if isinstance(key, list) else (key,)
        if (model, parts) not in self.found:
            try:
                self.found[model, parts] = _get_by_any_name(model, parts)
            except ObjectDoesNotExist:
                label = _label([parts])
                present = model._default_manager.values_list(*natural_key_lookups(model))[:200]
                known = [_label([one]) for one in present]
                raise UnresolvedError(
                    f"unknown {model.__name__} {shown(label)}",
                    near(label, known) if known else f"{model.__name__} rows before this one",
                ) from None
        return self.found[model, parts]

    def prune(self, model: type[models.Model], file: ReferenceFile) -> None:
        """Remove the rows of a model that are in no file, or make them inactive, or note why neither is possible."""
        name = model.__name__
        kept = [pk for of, pk in self.named if of is model]
        for row in model._default_manager.exclude(pk__in=kept).order_by("pk"):
            label = _label([row.natural_key()])
            in_use = next((one for one in IN_USE if one in writable_fields(model)), None)
            referrers = _referrers(row)
            try:
                with atomic():
                    if not referrers:
                        row.delete()
                        self.result.note(REMOVE, name, label)
                    elif in_use is None:
                        file.problems.add(
                            f"{label} is in no file, but is referred to by {referrers}",
                            expected="a row in a file, or no rows that refer to it",
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
                message = f"{label} can't be removed; the database reports: {str(error).splitlines()[0]}"
                file.problems.add(message, line=file.lines[name], column=name)


def _formerly(model, key):
    """Return the row that had the name in this natural key, if there is one; its other parts are as they are.

    Raises:
        UnresolvedError: as :func:`_only`.
    """
    name = former_names_of(model)
    if name is None or name not in key:
        return None
    rest = {part: value for part, value in key.items() if part != name}
    rows = model._default_manager.filter(**rest, former_names__contains=[key[name]])
    return _only(rows, _label(key.values()))


def _get_by_any_name(model, parts):
    """Return the row with a natural key, each part of which may be a name that its row had before.

    Raises:
        ObjectDoesNotExist: there is none.
        UnresolvedError: as :func:`_only`.
    """
    try:
        return model._default_manager.get_by_natural_key(*parts)
    except ObjectDoesNotExist:
        named = models.Q()
        for lookup, part in zip(natural_key_lookups(model), parts, strict=True):
            path, _, column = lookup.rpartition("__")
            owner = model
            for step in filter(None, path.split("__")):
                owner = owner._meta.get_field(step).related_model
            either = models.Q(**{lookup: part})
            if former_names_of(owner) == column:
                either |= models.Q(**{f"{path}__former_names__contains".lstrip("_"): [part]})
            named &= either
        row = _only(model._default_manager.filter(named), _label([parts]))
        if row is None:
            raise
        return row


def _only(rows, label):
    """Return the row that had a name, or None if there is none.

    Raises:
        UnresolvedError: several rows had it.
    """
    found = list(rows.order_by("pk")[: REFERRERS_NAMED + 1])
    if len(found) < 2:
        return found[0] if found else None
    names = [_label([row.natural_key()]) for row in found[:REFERRERS_NAMED]]
    model = found[0]._meta.verbose_name
    raise UnresolvedError(
        f"{shown(label)} is a former name of several rows: {', '.join(names)}"
        f"{' and others' if len(found) > REFERRERS_NAMED else ''}",
        f"in the file the present name of the {model} that is meant, or that {model} to be given its old name again",
    )


def _label(parts):
    """Format a natural key."""
    lists = (part if isinstance(part, list | tuple) else [part] for part in parts)
    return " / ".join(str(part) for parts in lists for part in parts)


def _differences(row, values, members):
    """Return name, old and new value, formatted, of the fields that differ."""
    found = [
        (name, _format(getattr(row, name)), _format(new)) for name, new in values.items() if getattr(row, name) != new
    ]
    for name, wanted in members.items():
        old, new = set(getattr(row, name).all()), set(wanted)
        if old != new:
            found.append((name, _format(old - new), _format(new - old)))
    return found


def _lacking_members(row, members):
    """Return the lists of a built-in row with what they lack; other rows belong to the operators."""
    if not getattr(row, "builtin", False):
        return {}
    return {name: {*getattr(row, name).all(), *wanted} for name, wanted in members.items()}


def _of_other_subtype(model, key):
    """Return the row of another subtype that has this natural key, if there is one."""
    for parent in model._meta.parents:
        if hasattr(parent, "discriminator") and (other := parent._default_manager.filter(**key).first()):
            return other.specific
    return None


def _referrers(row) -> str:
    """Describe the rows that refer to this one, but for its parts and lists; an empty string if there are none."""
    described = []
    for relation in row._meta.get_fields(include_hidden=True):
        if not relation.auto_created or relation.concrete or relation.related_model._meta.auto_created:
            continue
        if not relation.many_to_many and relation.on_delete is models.CASCADE:
            continue
        rows = relation.related_model._base_manager.filter(**{relation.field.name: row.pk})
        found = list(rows[: REFERRERS_NAMED + 1])
        described += [f"{one._meta.db_table} {one.pk} ({one})" for one in found[:REFERRERS_NAMED]]
        if len(found) > REFERRERS_NAMED:
            described[-1] += " and more"
    return ", ".join(described)


def _format(value):
    if isinstance(value, set):
        return listed(getattr(one, "codename", one) for one in value)
    text = "nothing" if value is None or value == "" else str(value)
    return text if len(text) <= 80 else f"{text[:79]}…"


def _save(entry, row, members, **how):
    """Write a row; return whether it was accepted, and note the problems if not."""
    reasons = try_to_save(row, members, **how)
    for name, message in reasons:
        entry.problem(message, name)
    return not reasons

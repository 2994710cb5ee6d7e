"""What every model of ops-db has in common, declared once.

A concrete model gets from here: its table name (snake case of the class), comments on the table and on every column
(from the docstring and ``help_text``), the defaults of its fields in the database, a CHECK for every enumeration and
for every text that may not be blank, a trigger that keeps ``updated_at``, guards of its key and against emptying,
joined inheritance, and its natural key.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Collection, Sequence
from typing import Any, ClassVar, Self

from django.db import models, router
from django.db.models.base import ModelBase
from django.db.models.functions import Now
from django.utils import translation
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from opsdb.database.change_logging import Logged, LogsInBulk, LogsInserts, LogsLinks
from opsdb.database.checks import (
    Check,
    checksum_format,
    evaluate_checks,
    finite,
    finite_times,
    implies,
    not_negative,
    possible_size,
)
from opsdb.database.deconstruction import leave_out_texts
from opsdb.database.defaults import give_database_default
from opsdb.database.guards import KeyStays, LinkStays, NeverTruncated
from opsdb.database.indexes import IDENTIFIER_MAX_LENGTH, Index
from opsdb.database.labels import label, spoken
from opsdb.database.triggers import (
    MAKE_ANOTHER,
    NEVER_DELETED,
    AppendOnly,
    Immutable,
    KeepsUpdatedAt,
    NeverDeleted,
    Transitions,
    Trigger,
    subtype_triggers,
)

from .display import describe_row, row_as_html
from .enums import ChangeLogging, ChecksumAlgorithm, StateChoices, Status
from .managers import manager_of
from .natural_keys import natural_key_method
from .querysets import OpsQuerySet, SpecificQuerySet


def snake_case(name: str) -> str:
    """Return ``CamelCase`` as ``camel_case``; a run of capitals is a word (``S3DataLocation``: s3_data_location)."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def first_paragraph(text: str) -> str:
    """Return the first paragraph of a docstring on one line."""
    return " ".join(inspect.cleandoc(text).split("\n\n")[0].split())


def area_of(model: type[models.Model]) -> str:
    """Return the area of a model of ops-db: the module or package of ``opsdb.models`` that declares it."""
    return model.__module__.removeprefix("opsdb.models.").partition(".")[0]


class OpsModelBase(ModelBase):
    """Complete the declaration of a concrete model."""

    def __new__(mcs, name: str, bases: tuple[type, ...], attrs: dict[str, Any], **kwargs: Any) -> Any:
        meta = attrs.get("Meta")
        for field_name, field in attrs.items():
            _word(field_name, field)
        if not getattr(meta, "abstract", False) and not getattr(meta, "proxy", False):
            if meta is None:
                inherited = next((base.Meta for base in bases if hasattr(base, "Meta")), object)
                meta = attrs["Meta"] = type("Meta", (inherited,), {"__module__": attrs["__module__"]})
            meta.db_table = snake_case(name)
            meta.db_table_comment = first_paragraph(attrs["__doc__"])
        cls = super().__new__(mcs, name, bases, attrs, **kwargs)
        if not cls._meta.abstract and not cls._meta.proxy:
            _complete(cls)
        return cls


def _word(field_name: str, field: object) -> None:
    """Give a field a label made from its name, unless it has one."""
    if isinstance(field, models.Field) and not field._verbose_name:
        field.verbose_name = field._verbose_name = _(label(field_name))


def _complete(cls: Any) -> None:
    options = cls._meta
    # Texts of Django's own fields would follow the host project's language, and then the migrations would.
    with translation.override(None, deactivate=True):
        for field in options.local_fields:
            give_database_default(field)
            field.db_comment = field.db_comment or str(field.help_text or field.verbose_name)
    for field in (*options.local_fields, *options.local_many_to_many):
        leave_out_texts(field)
    options.constraints = [*options.constraints, *_implied_constraints(cls)]
    options.original_attrs["constraints"] = options.constraints
    for trigger in options.constraints:
        if isinstance(trigger, Trigger):
            trigger.watch(options.db_table)
    for named in (*options.constraints, *options.indexes):
        named.name = f"{options.db_table}_{named.name}"
        if len(named.name) > IDENTIFIER_MAX_LENGTH:
            raise ValueError(f"{named.name}: PostgreSQL cuts names after {IDENTIFIER_MAX_LENGTH} characters")
    if getattr(cls, "natural_key_fields", None):
        cls.natural_key = natural_key_method(cls)


def _implied_constraints(cls):
    options = cls._meta
    for field in options.local_fields:
        if not isinstance(field, models.CharField | models.TextField):
            continue
        if states := StateChoices.of(field):
            yield Transitions(field.name, states)
        if field.choices:
            allowed = [value for value, _ in field.flatchoices]
            yield Check(
                f"{field.column}_known",
                models.Q(**{f"{field.name}__in": allowed}),
                f"{capfirst(spoken(field.name))} must be one of: {', '.join(allowed)}.",
                field.name,
            )
        elif not field.blank:
            yield Check(
                f"{field.column}_not_blank",
                models.Q(**{f"{field.name}__regex": "[^[:space:]]"}),
                f"{capfirst(spoken(field.name))} must not be blank.",
                field.name,
            )
    floats = [field.name for field in options.local_fields if isinstance(field, models.FloatField)]
    if floats:
        yield finite(floats)
    times = [field for field in options.local_fields if isinstance(field, models.DateField)]
    if times:
        yield finite_times(times)
    if any(field.name == "updated_at" for field in options.local_fields):
        yield KeepsUpdatedAt()
    if cls.change_logging is ChangeLogging.CHANGES:
        yield LogsInserts()
    if cls.change_logging is not ChangeLogging.OFF:
        if event := getattr(cls, "logged_in_bulk", ""):
            yield Logged(" OR ".join(one for one in cls.change_logging.events.split(" OR ") if one != event))
            yield LogsInBulk(event)
        else:
            columns = [field.column for field in options.local_concrete_fields]
            yield Logged(cls.change_logging.events, columns, getattr(cls, "columns_not_logged", ()))
        for field in _links_of(cls):
            yield LogsLinks(options.db_table, field.name, field.m2m_db_table(), *_link_columns(field))
    yield from _guards(cls)
    parents = [parent for parent in options.parents if hasattr(parent, "discriminator")]
    if parents:
        yield from subtype_triggers(parents[0]._meta.db_table, cls.discriminator, cls.subtype)
    elif hasattr(cls, "discriminator"):
        yield Immutable(cls.discriminator)


def _guards(cls):
    """Yield what keeps the keys of a table and of its tables of links, and refuses to empty them."""
    kinds = {type(rule) for rule in cls._meta.constraints}
    if AppendOnly not in kinds:
        yield KeyStays(NEVER_DELETED if NeverDeleted in kinds else MAKE_ANOTHER)
    yield NeverTruncated()
    for field in _links_of(cls):
        yield LinkStays(*_link_columns(field), prefix=f"{field.name}_", table=field.m2m_db_table())
        yield NeverTruncated(prefix=f"{field.name}_", table=field.m2m_db_table())


def _links_of(cls):
    """Return the many-to-many fields whose tables of links Django makes."""
    links = []
    for field in cls._meta.local_many_to_many:
        through = field.remote_field.through
        # Our user's links have no model where the project has a user model of its own.
        if through is None or (not isinstance(through, str) and through._meta.auto_created):
            links.append(field)
    return links


def _link_columns(field: models.ManyToManyField[Any, Any]) -> tuple[str, str]:
    """Return the columns of a table of links that Django makes; the other model may not be declared yet."""
    other = field.remote_field.model
    other_name = other.rpartition(".")[2] if isinstance(other, str) else other.__name__
    return f"{field.model.__name__.lower()}_id", f"{other_name.lower()}_id"


class OpsModel(models.Model, metaclass=OpsModelBase):
    """Abstract base of every model of ops-db.

    Attributes:
        natural_key_fields: the fields by which people identify a row; references mean their own natural keys.
        change_logging: which changes the change log keeps.
        columns_not_logged: columns that the change log leaves out.
        logged_in_bulk: INSERT or UPDATE, where that comes by the thousand rows, and is logged by statement.
    """

    natural_key_fields: tuple[str, ...] = ()
    change_logging = ChangeLogging.ALL
    columns_not_logged: tuple[str, ...] = ()
    logged_in_bulk = ""

    objects = manager_of(OpsQuerySet)

    class Meta:
        abstract = True

    def __repr__(self) -> str:
        return describe_row(self)

    def _repr_html_(self) -> str:
        return row_as_html(self)

    def validate_constraints(self, exclude: Collection[str] | None = None) -> None:
        """Validate the constraints as Django does, but all CHECKs of a table with one query."""
        using = router.db_for_write(type(self), instance=self)
        self.evaluated_checks = evaluate_checks(self, exclude, using)
        try:
            super().validate_constraints(exclude)
        finally:
            del self.evaluated_checks


class Timestamped(OpsModel):
    """A row with the times at which it was made and last changed."""

    created_at = models.DateTimeField(
        db_default=Now(), editable=False, help_text=_("When the row was made (UTC), set by the database.")
    )
    updated_at = models.DateTimeField(
        db_default=Now(),
        editable=False,
        help_text=_("When the row was last changed (UTC), kept by the database."),
    )

    class Meta:
        abstract = True


class NumberedModel(Timestamped):
    """A row with a numeric key."""

    id = models.BigAutoField(primary_key=True, help_text=_("Number of the row."))

    class Meta:
        abstract = True


class SubtypedModel(NumberedModel):
    """Parent of joined inheritance: a table per subtype, named by a discriminator on the parent.

    A parent declares ``discriminator``, the field; a subtype declares ``subtype``, the value, and
    ``parent_ptr``, the link, whose column is ``id``.
    """

    discriminator: ClassVar[str]
    subtype: ClassVar[str]

    objects = manager_of(SpecificQuerySet)

    class Meta:
        abstract = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        subtype = getattr(self, "subtype", None)
        if subtype and self.__dict__.get(self.discriminator) == "":
            setattr(self, self.discriminator, subtype)

    @classmethod
    def subtypes(cls) -> dict[str, type[models.Model]]:
        """Return the model of every subtype by its value of the discriminator."""
        return {model.subtype: model for model in cls.__subclasses__() if not model._meta.proxy}

    @property
    def specific(self) -> Self:
        """This row as an instance of its subtype."""
        if hasattr(self, "subtype"):
            return self
        model = type(self).subtypes()[getattr(self, self.discriminator)]
        return getattr(self, model._meta.pk.remote_field.get_accessor_name())


def parent_link(parent: type[models.Model], help_text: Any) -> models.OneToOneField[Any, Any]:
    """Return the link of a subtype to its parent, stored in a column named ``id``."""
    return models.OneToOneField(
        parent,
        on_delete=models.CASCADE,
        parent_link=True,
        primary_key=True,
        db_column="id",
        help_text=help_text,
    )


class WorkItem(OpsModel):
    """Work that a worker claims, does, and completes or reports as failed."""

    status = models.CharField(
        max_length=16,
        choices=Status,
        default=Status.PENDING,
        help_text=_("State of the work, from pending to completed or failed."),
    )
    retry_count = models.IntegerField(default=0, help_text=_("Number of retries after failures."))
    max_retries = models.IntegerField(default=3, help_text=_("Number of retries before the work remains failed."))
    failure_message = models.TextField(
        blank=True, default="", help_text=_("Message of the last failure; long output stays in files.")
    )
    claimed_by = models.CharField(
        max_length=200, blank=True, default="", help_text=_("The worker that holds the work.")
    )
    scheduled_at = models.DateTimeField(null=True, blank=True, help_text=_("When it was handed to a queue (UTC)."))
    started_at = models.DateTimeField(null=True, blank=True, help_text=_("When a worker began (UTC)."))
    heartbeat_at = models.DateTimeField(null=True, blank=True, help_text=_("Last heartbeat of the worker (UTC)."))
    finished_at = models.DateTimeField(null=True, blank=True, help_text=_("When it was completed or given up (UTC)."))

    class Meta:
        abstract = True


def work_item_constraints() -> list[models.BaseConstraint]:
    """Return the constraints of a work item, new for every model that is one."""
    Q = models.Q
    finished = Q(status__in=[Status.COMPLETED, Status.FAILED])
    return [
        not_negative("retry_count"),
        not_negative("max_retries"),
        implies(
            "failed_has_message",
            Q(status=Status.FAILED),
            ~Q(failure_message=""),
            "Failed work must have a failure_message; give the error of the last attempt.",
            "failure_message",
        ),
        implies(
            "in_progress_has_start",
            Q(status=Status.IN_PROGRESS),
            Q(started_at__isnull=False),
            "Work in progress must have started_at; give the time at which a worker began.",
            "started_at",
        ),
        Check(
            "finished_at_when_finished",
            (finished & Q(finished_at__isnull=False)) | (~finished & Q(finished_at__isnull=True)),
            "Give finished_at of work that is completed or failed, and leave it empty before.",
            "finished_at",
        ),
    ]


def open_work(*fields: str, name: str = "open", field: str = "status", serves: Sequence[str] = ()) -> Index:
    """Return the partial index on the rows of a work item that remain to be done or have failed."""
    return Index(
        fields=[*fields, field, "created_at"],
        name=name,
        condition=models.Q(**{f"{field}__in": [*Status.open(), Status.FAILED]}),
        serves=serves,
    )


def disputed_work(serves: Sequence[str] = ()) -> Index:
    """Return the partial index on completed work that was reported a second time with another result."""
    disputed = models.Q(status=Status.COMPLETED) & ~models.Q(failure_message="")
    return Index(fields=["finished_at"], name="disputed", condition=disputed, serves=serves)


def claimable_work(serves: Sequence[str] = ()) -> Index:
    """Return the partial index in whose order workers claim work, whichever of two states it waits in."""
    claimable = models.Q(status__in=[*Status.claimable()])
    return Index(fields=["created_at", "id"], name="claimable", condition=claimable, serves=serves)


class Checksummed(OpsModel):
    """Content with a size and, once it was computed, a checksum."""

    size_bytes = models.BigIntegerField(null=True, blank=True, help_text=_("Size of the content in bytes."))
    checksum = models.CharField(
        max_length=128, null=True, blank=True, help_text=_("Checksum of the content, lower-case hexadecimal.")
    )
    checksum_algorithm = models.CharField(
        max_length=16,
        choices=ChecksumAlgorithm,
        default=ChecksumAlgorithm.SHA256,
        help_text=_("Hash function of the checksum."),
    )

    class Meta:
        abstract = True


def checksummed_constraints() -> list[models.BaseConstraint]:
    """Return the constraints of :class:`Checksummed`, new for every model that is one."""
    return [not_negative("size_bytes"), possible_size(), checksum_format()]

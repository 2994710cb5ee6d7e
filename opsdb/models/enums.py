"""Every enumeration of the schema. What is stored is the lower-case name.

State enumerations also define which state may follow which, and how a state is displayed: never by colour alone.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, NamedTuple

from django.db import models
from django.utils.translation import gettext_lazy as _

__all__ = [
    "LocationType",
    "StorageType",
    "RouteType",
    "Status",
    "WorkStage",
    "PackageState",
    "PhysicalCopyStatus",
    "RunStatus",
    "ObservationStatus",
    "DeletionRequestStatus",
    "TriggerType",
    "DataProductType",
    "Quality",
    "ProgramKind",
    "TransferKind",
    "CoordinateFrame",
    "VelocityFrame",
    "VelocityConvention",
    "ChecksumAlgorithm",
    "PublicationStatus",
    "SourceType",
    "ConfigurationType",
    "Sideband",
    "Verification",
    "LogLevel",
    "VersionPolicy",
    "GroupingDimension",
    "ChangeLogging",
    "ChangeOperation",
]


class Look(NamedTuple):
    """How a state looks: a colour name of the admin's palette and a symbol beside the text."""

    colour: str
    icon: str


WAITING = Look("yellow", "◔")
MOVING = Look("blue", "●")
DONE = Look("green", "✔")
FAILED = Look("red", "✘")
IDLE = Look("grey", "○")
WARNING = Look("orange", "▲")


class StateChoices(models.TextChoices):
    """A state machine: members in the order in which work passes through them."""

    @classmethod
    def of(cls, field: models.Field[Any, Any]) -> type[StateChoices] | None:
        """Return the state machine whose states a model field holds, or None."""
        choices = list(field.choices or ())
        return next((states for states in StateChoices.__subclasses__() if states.choices == choices), None)

    @classmethod
    def transitions(cls) -> dict[StateChoices, frozenset[StateChoices]]:
        """Return, for every state, the states that may follow it; an empty set marks a final state."""
        return {cls(state): frozenset(map(cls, after)) for state, after in cls._transition_table().items()}

    @classmethod
    def _transition_table(cls) -> dict[str, tuple[str, ...]]:
        raise NotImplementedError

    @classmethod
    def _looks(cls) -> dict[str, Look]:
        raise NotImplementedError

    @property
    def may_become(self) -> frozenset[StateChoices]:
        """The states that may follow this one."""
        return type(self).transitions()[self]

    @property
    def is_final(self) -> bool:
        """Whether nothing may follow this state."""
        return not self.may_become

    @property
    def order(self) -> int:
        """Position in the usual order of states, from 0."""
        return list(type(self)).index(self)

    @property
    def look(self) -> Look:
        """Colour and icon for people."""
        return type(self)._looks()[self.value]


class LocationType(models.TextChoices):
    SOURCE = "source", _("source")
    BUFFER = "buffer", _("buffer")
    LONG_TERM_ARCHIVE = "long_term_archive", _("long-term archive")
    PROCESSING = "processing", _("processing")


class StorageType(models.TextChoices):
    DISK = "disk", _("disk")
    S3 = "s3", _("S3")
    TAPE = "tape", _("tape")


class RouteType(models.TextChoices):
    DIRECT = "direct", _("direct")
    RELAY = "relay", _("relay")
    CUSTOM = "custom", _("custom")


class Status(StateChoices):
    PENDING = "pending", _("pending")
    SCHEDULED = "scheduled", _("scheduled")
    IN_PROGRESS = "in_progress", _("in progress")
    COMPLETED = "completed", _("completed")
    FAILED = "failed", _("failed")

    @classmethod
    def _transition_table(cls) -> dict[str, tuple[str, ...]]:
        return {
            "pending": ("scheduled", "in_progress", "failed"),
            "scheduled": ("in_progress", "pending", "failed"),
            "in_progress": ("completed", "pending", "failed"),
            "completed": (),
            "failed": ("pending",),
        }

    @classmethod
    def _looks(cls) -> dict[str, Look]:
        return {
            "pending": WAITING,
            "scheduled": WAITING,
            "in_progress": MOVING,
            "completed": DONE,
            "failed": FAILED,
        }

    @classmethod
    def claimable(cls) -> tuple[Status, ...]:
        """The states in which a worker may take the work."""
        return cls.PENDING, cls.SCHEDULED

    @classmethod
    def open(cls) -> tuple[Status, ...]:
        """The states in which work remains to be done."""
        return cls.PENDING, cls.SCHEDULED, cls.IN_PROGRESS


class WorkStage(models.TextChoices):
    """The kinds of work whose amount the database notes, in the order in which data pass them."""

    PACKAGING = "packaging", _("making packages")
    BUNDLING = "bundling", _("making bundles")
    TRANSFER = "transfer", _("transfers")
    UNPACKING = "unpacking", _("unpacking")
    ARCHIVING = "archiving", _("archiving")
    STAGING = "staging", _("staging")
    REDUCTION = "reduction", _("reduction runs")


class PackageState(StateChoices):
    WAITING = "waiting", _("waiting")
    TRANSFERRING = "transferring", _("transferring")
    ARCHIVED = "archived", _("archived")
    FAILED = "failed", _("failed")

    @classmethod
    def _transition_table(cls) -> dict[str, tuple[str, ...]]:
        return {
            "waiting": ("transferring", "archived", "failed"),
            "transferring": ("waiting", "archived", "failed"),
            "archived": (),
            "failed": ("waiting", "transferring"),
        }

    @classmethod
    def _looks(cls) -> dict[str, Look]:
        return {"waiting": WAITING, "transferring": MOVING, "archived": DONE, "failed": FAILED}


class PhysicalCopyStatus(StateChoices):
    PRESENT = "present", _("present")
    STAGED = "staged", _("staged")
    DELETION_POSSIBLE = "deletion_possible", _("deletion possible")
    DELETION_SCHEDULED = "deletion_scheduled", _("deletion scheduled")
    DELETION_IN_PROGRESS = "deletion_in_progress", _("deletion in progress")
    DELETED = "deleted", _("deleted")
    DELETION_FAILED = "deletion_failed", _("deletion failed")
    MISSING = "missing", _("missing")
    CORRUPT = "corrupt", _("corrupt")

    @classmethod
    def _transition_table(cls) -> dict[str, tuple[str, ...]]:
        return {
            "present": ("staged", "deletion_possible", "deletion_scheduled", "missing", "corrupt"),
            "staged": ("present", "deletion_scheduled", "missing"),
            "deletion_possible": ("deletion_scheduled", "present", "missing"),
            "deletion_scheduled": ("deletion_in_progress", "present"),
            "deletion_in_progress": ("deleted", "deletion_failed"),
            "deleted": ("present",),
            "deletion_failed": ("deletion_scheduled", "present"),
            "missing": ("present", "deleted"),
            "corrupt": ("deletion_scheduled", "present", "missing"),
        }

    @classmethod
    def _looks(cls) -> dict[str, Look]:
        return {
            "present": DONE,
            "staged": DONE,
            "deletion_possible": IDLE,
            "deletion_scheduled": WAITING,
            "deletion_in_progress": MOVING,
            "deleted": IDLE,
            "deletion_failed": FAILED,
            "missing": WARNING,
            "corrupt": FAILED,
        }

    @classmethod
    def readable(cls) -> tuple[PhysicalCopyStatus, ...]:
        """The states in which the bytes are there and not on their way out."""
        return cls.PRESENT, cls.STAGED, cls.DELETION_POSSIBLE


class RunStatus(StateChoices):
    PENDING = "pending", _("pending")
    STAGING_DATA = "staging_data", _("staging data")
    SUBMITTED = "submitted", _("submitted")
    RUNNING = "running", _("running")
    COLLECTING_RESULTS = "collecting_results", _("collecting results")
    COMPLETED = "completed", _("completed")
    FAILED = "failed", _("failed")
    CANCELLED = "cancelled", _("cancelled")

    @classmethod
    def _transition_table(cls) -> dict[str, tuple[str, ...]]:
        return {
            "pending": ("staging_data", "submitted", "failed", "cancelled"),
            "staging_data": ("submitted", "failed", "cancelled"),
            "submitted": ("running", "failed", "cancelled"),
            "running": ("collecting_results", "failed", "cancelled"),
            "collecting_results": ("completed", "failed"),
            "completed": (),
            "failed": ("pending",),
            "cancelled": (),
        }

    @classmethod
    def _looks(cls) -> dict[str, Look]:
        return {
            "pending": WAITING,
            "staging_data": MOVING,
            "submitted": WAITING,
            "running": MOVING,
            "collecting_results": MOVING,
            "completed": DONE,
            "failed": FAILED,
            "cancelled": IDLE,
        }

    @classmethod
    def open(cls) -> tuple[RunStatus, ...]:
        """The states in which a run still occupies its step and sub-group."""
        return cls.PENDING, cls.STAGING_DATA, cls.SUBMITTED, cls.RUNNING, cls.COLLECTING_RESULTS


class ObservationStatus(StateChoices):
    RUNNING = "running", _("running")
    COMPLETED = "completed", _("completed")
    ABORTED = "aborted", _("aborted")
    FAILED = "failed", _("failed")

    @classmethod
    def _transition_table(cls) -> dict[str, tuple[str, ...]]:
        return {"running": ("completed", "aborted", "failed"), "completed": (), "aborted": (), "failed": ()}

    @classmethod
    def _looks(cls) -> dict[str, Look]:
        return {"running": MOVING, "completed": DONE, "aborted": WARNING, "failed": FAILED}


class DeletionRequestStatus(StateChoices):
    REQUESTED = "requested", _("requested")
    APPROVED = "approved", _("approved")
    REJECTED = "rejected", _("rejected")
    EXECUTED = "executed", _("executed")

    @classmethod
    def _transition_table(cls) -> dict[str, tuple[str, ...]]:
        return {
            "requested": ("approved", "rejected"),
            "approved": ("executed", "rejected"),
            "rejected": (),
            "executed": (),
        }

    @classmethod
    def _looks(cls) -> dict[str, Look]:
        return {"requested": WAITING, "approved": MOVING, "rejected": FAILED, "executed": DONE}


class TriggerType(models.TextChoices):
    CONTINUOUS = "continuous", _("continuous")
    CRON = "cron", _("cron")
    MANUAL = "manual", _("manual")


class DataProductType(models.TextChoices):
    SCIENCE = "science", _("science")
    QA_METRIC = "qa_metric", _("QA metric")
    PLOT = "plot", _("plot")
    STATISTICS = "statistics", _("statistics")
    LOG = "log", _("log")


class Quality(models.TextChoices):
    UNASSESSED = "unassessed", _("unassessed")
    GOOD = "good", _("good")
    QUESTIONABLE = "questionable", _("questionable")
    BAD = "bad", _("bad")


class ProgramKind(models.TextChoices):
    SCIENCE = "science", _("science")
    TECHNICAL = "technical", _("technical")


class TransferKind(models.TextChoices):
    PRIMARY = "primary", _("primary")
    SECONDARY = "secondary", _("secondary")


class CoordinateFrame(models.TextChoices):
    ICRS = "icrs", _("ICRS")
    FK4 = "fk4", _("FK4")
    FK5 = "fk5", _("FK5")
    GALACTIC = "galactic", _("galactic")
    ECLIPTIC = "ecliptic", _("ecliptic")


class VelocityFrame(models.TextChoices):
    LSRK = "lsrk", _("kinematic local standard of rest")
    BARYCENTRIC = "barycentric", _("barycentric")
    HELIOCENTRIC = "heliocentric", _("heliocentric")


class VelocityConvention(models.TextChoices):
    RADIO = "radio", _("radio")
    OPTICAL = "optical", _("optical")
    REDSHIFT = "redshift", _("redshift")


class ChecksumAlgorithm(models.TextChoices):
    SHA256 = "sha256", _("SHA-256")
    SHA512 = "sha512", _("SHA-512")
    BLAKE2B = "blake2b", _("BLAKE2b")
    MD5 = "md5", _("MD5")
    XXH3 = "xxh3", _("XXH3")
    ADLER32 = "adler32", _("Adler-32")
    CRC32C = "crc32c", _("CRC-32C")


class PublicationStatus(models.TextChoices):
    IN_PREPARATION = "in_preparation", _("in preparation")
    SUBMITTED = "submitted", _("submitted")
    ACCEPTED = "accepted", _("accepted")
    PUBLISHED = "published", _("published")


class SourceType(models.TextChoices):
    FIXED = "fixed", _("fixed")
    SOLAR_SYSTEM = "solar_system", _("solar system")
    CONSTANT_ELEVATION = "constant_elevation", _("constant elevation")


class ConfigurationType(models.TextChoices):
    CHAI = "chai", _("CHAI")
    PRIME_CAM = "prime_cam", _("Prime-Cam")


class Sideband(models.TextChoices):
    LSB = "lsb", _("lower")
    USB = "usb", _("upper")
    DSB = "dsb", _("double")


class Verification(models.TextChoices):
    UNVERIFIED = "unverified", _("unverified")
    VERIFIED = "verified", _("verified")
    MISMATCH = "mismatch", _("mismatch")


class LogLevel(models.TextChoices):
    DEBUG = "debug", _("debug")
    INFO = "info", _("info")
    WARNING = "warning", _("warning")
    ERROR = "error", _("error")


class VersionPolicy(models.TextChoices):
    EXACT = "exact", _("exact")
    COMPATIBLE = "compatible", _("compatible")
    LATEST = "latest", _("latest")


class GroupingDimension(models.TextChoices):
    """What the packages of a data grouping can be split by, one run per value."""

    OBSERVING_PROGRAM = "observing_program", _("observing program")
    OBS_UNIT = "obs_unit", _("observation unit")
    EXECUTED_OBS_UNIT = "executed_obs_unit", _("observation")
    SOURCE = "source", _("source")
    INSTRUMENT_MODULE = "instrument_module", _("instrument module")
    NIGHT = "night", _("night")


class ChangeLogging(StrEnum):
    """Which changes of a table the change log keeps: all, or of a large table only the keys of new rows."""

    ALL = "all"
    CHANGES = "changes"
    OFF = "off"

    @property
    def events(self) -> str:
        """The events of a trigger that sees these changes."""
        return {"all": "INSERT OR UPDATE OR DELETE", "changes": "UPDATE OR DELETE", "off": ""}[self.value]


class ChangeOperation(models.TextChoices):
    INSERT = "insert", _("inserted")
    UPDATE = "update", _("changed")
    DELETE = "delete", _("deleted")
    INSERTS = "inserts", _("inserted together")

"""For every constraint that a model declares: how to break it, and what a person then reads.

Each table holds what the design says, not what the models say: a limit that is moved in a model by mistake
must fail here. What is the same for many models is a family; the rest stands under "One by one".
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from django.db import models
from django.db.models import Value
from django.db.models.functions import Cast
from django.utils.text import capfirst

import opsdb.models
from opsdb.database import labels
from opsdb.models import (
    ApiToken,
    AzimuthRange,
    ChaiInparParameter,
    ChaiModuleConfiguration,
    ChaiObservationConfiguration,
    ChaiTiling,
    ConstantElevationSource,
    DataGrouping,
    DataLocation,
    DataProduct,
    DataProductPhysicalCopy,
    DataRelease,
    DataTransfer,
    DataTransferPackage,
    DataTransferPackagePhysicalCopy,
    DataTransferRoute,
    DeletionPolicy,
    DeletionRequest,
    DeletionRequestItem,
    DiskDataLocation,
    Downtime,
    ExecutedObsUnit,
    ExecutedObsUnitModuleConfiguration,
    ExecutedReductionStep,
    ExecutedReductionStepInputPackage,
    ExecutedReductionStepInputProduct,
    FailureAcknowledgement,
    FixedSource,
    FixityCheck,
    Instrument,
    InstrumentModule,
    InstrumentModuleConfiguration,
    LongTermArchiveTransfer,
    ObservationConfiguration,
    Observatory,
    ObservingProgram,
    ObsMode,
    ObsUnit,
    PhysicalCopy,
    Pipeline,
    PreScheduledSlot,
    PrimeCamModuleConfiguration,
    PrimeCamObservationConfiguration,
    Publication,
    RawDataFile,
    RawDataFilePhysicalCopy,
    RawDataPackage,
    RawDataPackageMetadata,
    ReductionSoftware,
    ReductionSoftwareVersion,
    ReductionStep,
    ReductionStepConfig,
    ReductionStepDependency,
    Site,
    SolarSystemObject,
    Source,
    StagingJob,
    SubObservingProgram,
    TapeDataLocation,
    Telescope,
    TimeAllocation,
    User,
    enums,
)
from opsdb.models.renaming import former_names_of
from opsdb.testing.factories import FACTORIES
from opsdb.testing.factories.base import EPOCH, checksum

from .schema import DESIGN, MODELS

LATER = EPOCH + timedelta(hours=1)
JSON_NULL = Value(None, models.JSONField())
WORK_ITEMS = (DataTransferPackage, RawDataPackage, DataTransfer, LongTermArchiveTransfer, StagingJob)
CHECKSUMMED = (DataTransferPackage, RawDataPackage, RawDataFile, DataProduct, PhysicalCopy)


@dataclass(frozen=True)
class Same:
    """In changes of a row: the value of another of its fields."""

    name: str


@dataclass(frozen=True)
class New:
    """In changes of a row: a new row of this model."""

    model: type[models.Model]


@dataclass(frozen=True)
class Case:
    """A CHECK, with changes of a valid row that break it and changes that don't.

    model: whose rule it is.
    rule: name of the constraint, without the table's name.
    message: what a person reads.
    bad: changes to a valid row, each of which breaks the constraint.
    good: changes that don't break it.
    given: what makes the valid row, for the factory.
    behind: rules that also refuse these changes, and are asked first.
    """

    model: type[models.Model]
    rule: str
    message: str
    bad: tuple[dict[str, Any], ...]
    good: tuple[dict[str, Any], ...] = ()
    given: dict[str, Any] = field(default_factory=dict)
    behind: tuple[str, ...] = ()

    @property
    def name(self):
        """Full name of the constraint."""
        return f"{self.model._meta.db_table}_{self.rule}"


def spoken(name: str) -> str:
    words = labels.spoken(name)
    return words[0].upper() + words[1:]


def is_float(model, name) -> bool:
    return isinstance(model._meta.get_field(name), models.FloatField)


def just_below(model, name, value):
    return math.nextafter(value, -math.inf) if is_float(model, name) else value - 1


def just_above(model, name, value):
    return math.nextafter(value, math.inf) if is_float(model, name) else value + 1


def values(name, *values):
    return tuple({name: value} for value in values)


# Families

CLOSED, HALF_OPEN = False, True
RANGES = [
    (Telescope, "latitude_deg", -90, 90, "°", CLOSED),
    (Telescope, "longitude_deg", -180, 180, "°", CLOSED),
    (Telescope, "elevation_m", -500, 9000, " m", CLOSED),
    (Telescope, "elevation_min_deg", 0, 90, "°", CLOSED),
    (FixedSource, "ra_deg", 0, 360, "°", HALF_OPEN),
    (FixedSource, "dec_deg", -90, 90, "°", CLOSED),
    (FixedSource, "longitude_deg", -360, 360, "°", CLOSED),
    (FixedSource, "latitude_deg", -90, 90, "°", CLOSED),
    (FixedSource, "epoch_year", 1800, 2200, "", CLOSED),
    (FixedSource, "vlsr_km_s", -299_792.458, 299_792.458, " km/s", CLOSED),
    (ConstantElevationSource, "ra_min_deg", 0, 360, "°", HALF_OPEN),
    (ConstantElevationSource, "ra_max_deg", 0, 360, "°", CLOSED),
    (ConstantElevationSource, "dec_min_deg", -90, 90, "°", CLOSED),
    (ConstantElevationSource, "dec_max_deg", -90, 90, "°", CLOSED),
    (ConstantElevationSource, "elevation_deg", 0, 90, "°", CLOSED),
    (AzimuthRange, "azimuth_min_deg", -360, 720, "°", CLOSED),
    (AzimuthRange, "azimuth_max_deg", -360, 720, "°", CLOSED),
    (AzimuthRange, "lst_start_hours", 0, 24, " h", HALF_OPEN),
    (AzimuthRange, "lst_end_hours", 0, 24, " h", HALF_OPEN),
    (PrimeCamObservationConfiguration, "angle_deg", -360, 360, "°", CLOSED),
    (PrimeCamObservationConfiguration, "elevation_deg", 0, 90, "°", CLOSED),
    (ChaiTiling, "angle_deg", -360, 360, "°", CLOSED),
    (ObsUnit, "elevation_min_deg", 0, 90, "°", CLOSED),
    (ObsUnit, "elevation_max_deg", 0, 90, "°", CLOSED),
    (ObsUnit, "lst_start_hours", 0, 24, " h", HALF_OPEN),
    (ObsUnit, "lst_end_hours", 0, 24, " h", HALF_OPEN),
    (PreScheduledSlot, "azimuth_min_deg", -360, 720, "°", CLOSED),
    (PreScheduledSlot, "azimuth_max_deg", -360, 720, "°", CLOSED),
    (PreScheduledSlot, "azimuth_final_deg", -360, 720, "°", CLOSED),
    (PreScheduledSlot, "elevation_deg", 0, 90, "°", CLOSED),
    (ExecutedObsUnit, "mean_elevation_deg", -5, 95, "°", CLOSED),
    (ExecutedObsUnit, "mean_azimuth_deg", -360, 720, "°", CLOSED),
    (DataLocation, "deletion_threshold_percent", 0, 100, " per cent", CLOSED),
    (DataLocation, "retention_days", 0, 36_500, " days", CLOSED),
    (DataLocation, "fixity_interval_days", 1, 36_500, " days", CLOSED),
    (RawDataPackageMetadata, "calib_level", 0, 4, "", CLOSED),
    (RawDataPackageMetadata, "s_ra", 0, 360, "°", HALF_OPEN),
    (RawDataPackageMetadata, "s_dec", -90, 90, "°", CLOSED),
    (Publication, "year", 1900, 2200, "", CLOSED),
]
POSITIVE = {
    InstrumentModule: ["pixels", "frequency_min_ghz"],
    ChaiModuleConfiguration: ["line_frequency_ghz", "lo_frequency_ghz", "spectral_resolution_khz"],
    PrimeCamModuleConfiguration: ["band_center_ghz", "bandwidth_ghz", "readout_rate_hz"],
    ObservationConfiguration: ["version"],
    ChaiObservationConfiguration: ["integration_time_seconds"],
    PrimeCamObservationConfiguration: ["spacing_deg"],
    ChaiTiling: ["width_arcsec", "height_arcsec"],
    ObsUnit: ["rest_frequency_ghz", "version", "pwv_max_mm", "planned_duration_seconds", "requested_executions"],
    TimeAllocation: ["hours"],
    DataLocation: ["capacity_bytes"],
    RawDataPackage: ["part"],
    RawDataPackageMetadata: ["em_min"],
    ReductionStepConfig: ["cpu", "memory_gb", "time_hours"],
    DeletionPolicy: ["min_archive_copies"],
    DeletionRequest: ["limit"],
}
NOT_NEGATIVE = {
    ApiToken: ["usage_count"],
    PrimeCamModuleConfiguration: ["detector_count"],
    PrimeCamObservationConfiguration: ["width_deg", "height_deg", "velocity_deg_s"],
    ChaiTiling: ["tile_index"],
    PreScheduledSlot: ["subscan_index"],
    ExecutedObsUnit: ["mean_pwv_mm"],
    RawDataPackage: ["file_count"],
    RawDataPackageMetadata: ["s_fov", "access_estsize", "t_exptime"],
    DataTransfer: ["unpack_retry_count", "bytes_transferred"],
    ReductionStep: ["order", "cooldown_seconds", "max_retries"],
    ExecutedReductionStep: ["retry_count", "wall_time_seconds", "cpu_hours", "peak_memory_gb"],
    PhysicalCopy: ["retry_count", "unread_count"],
}
STRICT, EQUAL_ALLOWED = True, False
ORDERED = [
    (InstrumentModule, "frequency_min_ghz", "frequency_max_ghz", 100.0, 200.0, EQUAL_ALLOWED),
    (ConstantElevationSource, "dec_min_deg", "dec_max_deg", -5.0, 5.0, STRICT),
    (AzimuthRange, "azimuth_min_deg", "azimuth_max_deg", 10.0, 20.0, STRICT),
    (ObsUnit, "elevation_min_deg", "elevation_max_deg", 30.0, 60.0, EQUAL_ALLOWED),
    (PreScheduledSlot, "start_time", "end_time", EPOCH, LATER, STRICT),
    (PreScheduledSlot, "azimuth_min_deg", "azimuth_max_deg", 10.0, 20.0, EQUAL_ALLOWED),
    (TimeAllocation, "start_date", "end_date", date(2026, 1, 1), date(2026, 7, 1), STRICT),
    (Downtime, "start_time", "end_time", EPOCH, LATER, STRICT),
    (ExecutedObsUnit, "start_time", "end_time", EPOCH, LATER, STRICT),
    (RawDataPackageMetadata, "t_min", "t_max", 61_000.0, 61_001.0, EQUAL_ALLOWED),
    (RawDataPackageMetadata, "em_min", "em_max", 1e-3, 2e-3, EQUAL_ALLOWED),
]
OBJECTS = {
    User: ["preferences"],
    ObservationConfiguration: ["parameters"],
    ExecutedObsUnit: ["conditions"],
    RawDataPackageMetadata: ["extra"],
    ReductionStepConfig: ["parameters", "environment"],
    Pipeline: ["trigger_config"],
    DataProduct: ["quality_metrics"],
}
LISTS = {
    ApiToken: ["scopes", "allowed_networks"],
    **{model: ["former_names"] for model in MODELS if former_names_of(model) and not model._meta.parents},
    Source: ["aliases"],
    DataGrouping: ["filter_rules"],
    ReductionStep: ["group_by"],
    Publication: ["authors"],
}
GIVEN = {ExecutedObsUnit: {"completed": True}}


def ranges():
    for model, name, low, high, unit, below_high in RANGES:
        what = f"at least {low} and below {high}" if below_high else f"between {low} and {high}"
        inside = just_below(model, name, high) if below_high else high
        yield Case(
            model,
            f"{name}_range",
            f"{spoken(name)} must be {what}{unit}.",
            bad=values(name, just_below(model, name, low), just_above(model, name, inside)),
            good=values(name, low, inside),
            behind=tuple(
                f"{upper}_after_{lower}"
                for owner, lower, upper, *_ in ORDERED
                if owner is model and name in (lower, upper)
            ),
        )


def positives():
    for model, names in POSITIVE.items():
        for name in names:
            rule = "integration_time_positive" if name == "integration_time_seconds" else f"{name}_positive"
            yield Case(model, rule, f"{spoken(name)} must be above 0.", bad=values(name, 0, -1), good=values(name, 1))


def not_negatives():
    tables = [NOT_NEGATIVE]
    tables += [{model: ["retry_count", "max_retries"]} for model in WORK_ITEMS]
    tables += [{model: ["size_bytes"]} for model in CHECKSUMMED]
    for model in CHECKSUMMED:
        yield Case(
            model,
            "size_bytes_possible",
            "Size must be at most 1 PB (1,000,000,000,000,000 bytes).",
            bad=values("size_bytes", 10**15 + 1),
            good=values("size_bytes", 10**15),
        )
    for table in tables:
        for model, names in table.items():
            for name in names:
                yield Case(
                    model,
                    f"{name}_not_negative",
                    f"{spoken(name)} must be 0 or more.",
                    bad=values(name, just_below(model, name, 0)),
                    good=values(name, 0),
                )


def ordered():
    for model, low, high, one, other, strict in ORDERED:
        reverse, equal, right = {low: other, high: one}, {low: one, high: one}, {low: one, high: other}
        relation = "after" if isinstance(one, date) else "above"
        yield Case(
            model,
            f"{high}_after_{low}",
            f"{spoken(high)} must be {'' if strict else 'at or '}{relation} {labels.spoken(low)}.",
            bad=(reverse, equal) if strict else (reverse,),
            good=(right,) if strict else (right, equal),
            given=GIVEN.get(model, {}),
        )


def json_kinds():
    for model, names in OBJECTS.items():
        for name in names:
            yield Case(
                model,
                f"{name}_object",
                f'{spoken(name)} must be a JSON object, such as {{"key": 1}}.',
                bad=values(name, [], ["key"], "text", 3, True, JSON_NULL),
                good=values(name, {}, {"key": "1"}),
            )
    for model, names in LISTS.items():
        for name in names:
            yield Case(
                model,
                f"{name}_list",
                f'{spoken(name)} must be a JSON list, such as ["one", "two"].',
                bad=values(name, {}, {"one": "two"}, "read:all", 3, JSON_NULL),
                good=values(name, []),
                behind=() if model is DataGrouping else (f"{name}_entries",),
            )


def known():
    behind = {
        "checksum_algorithm": ("checksum_format",),
        "algorithm": ("expected_format", "actual_format"),  # of an unknown algorithm no checksum has the right length
        "route_type": ("ends_fit_type",),
        "status": ("end_time_when_ended", "decision_has_person"),
        "velocity_frame": ("given_velocity_complete",),
        "velocity_convention": ("given_velocity_complete",),
    }
    for model_name, fields in DESIGN["choices"].items():
        model = getattr(opsdb.models, model_name)
        for name, enum in fields.items():
            members = getattr(enums, enum).values
            max_length = model._meta.get_field(name).max_length
            yield Case(
                model,
                f"{name}_known",
                f"{spoken(name)} must be one of: {', '.join(members)}.",
                # A subtype fills an empty discriminator.
                bad=values(name, "nonsense"[:max_length], members[0].upper())
                + (() if name == getattr(model, "discriminator", None) else values(name, "")),
                behind=(*behind.get(name, ()), f"{name}_transition"),
            )


def not_blank():
    """Every text that a form demands is demanded by the database, too."""
    behind = {
        "relative_path": ("relative_path_inside",),
        "checksum": ("checksum_format",),
        "expected": ("expected_format",),
        "actual": ("actual_format",),
        "token_prefix": ("token_prefix_format",),
        "token_hash": ("token_hash_format",),
        "pepper_fingerprint": ("pepper_fingerprint_format",),
        "short_name": ("short_name_format",),
        "cause": ("cause_format",),
        "name": ("name_format",),
        "path": ("path_absolute",),
        "time_zone": ("time_zone_format",),
    }
    other_checksums = {"expected": checksum(1), "actual": checksum(2), "ok": False}
    for model in MODELS:
        for text in model._meta.local_fields:
            if isinstance(text, models.CharField | models.TextField) and not text.blank and not text.choices:
                yield Case(
                    model,
                    f"{text.column}_not_blank",
                    f"{spoken(text.name)} must not be blank.",
                    bad=tuple(
                        {**(other_checksums if model is FixityCheck else {}), text.name: blank}
                        for blank in ("", " "[: text.max_length], "\t\n "[: text.max_length])
                    ),
                    behind=behind.get(text.name, ()),
                )


def work_items():
    """A row says when work began and ended, and why it failed."""
    done = {"started_at": EPOCH, "finished_at": LATER}
    for model in WORK_ITEMS:
        sealed = {"sealed": True} if model in CHECKSUMMED else {}
        yield Case(
            model,
            "failed_has_message",
            "Failed work must have a failure_message; give the error of the last attempt.",
            bad=({"status": "failed", **done},),
            good=({"status": "failed", "failure_message": "disk full", **done},),
        )
        yield Case(
            model,
            "in_progress_has_start",
            "Work in progress must have started_at; give the time at which a worker began.",
            bad=({"status": "in_progress"},),
            good=({"status": "in_progress", "started_at": EPOCH},),
        )
        yield Case(
            model,
            "finished_at_when_finished",
            "Give finished_at of work that is completed or failed, and leave it empty before.",
            bad=(
                {"status": "completed"},
                {"status": "failed", "failure_message": "disk full"},
                *({"status": status, **done} for status in ("pending", "scheduled", "in_progress")),
            ),
            good=({"status": "completed", **done}, {"status": "in_progress", "started_at": EPOCH}),
            given=sealed,
            behind=("status_transition", "completed_is_true"),
        )


DIGITS = {"sha256": 64, "sha512": 128, "blake2b": 128, "md5": 32, "xxh3": 16, "adler32": 8, "crc32c": 8}


def checksums():
    message = "The checksum must be lower-case hexadecimal, as long as its algorithm makes it (sha256: 64 digits)."
    for model in CHECKSUMMED:
        yield Case(
            model,
            "checksum_format",
            message,
            bad=tuple(
                {"checksum": text, "checksum_algorithm": algorithm}
                for algorithm, digits in DIGITS.items()
                for text in ("a" * (digits - 1), "A" * digits, "g" * digits, "a" * (digits - 1) + "\n", "")
            ),
            good=(
                *({"checksum": "a" * digits, "checksum_algorithm": name} for name, digits in DIGITS.items()),
                {"checksum": "a" * 32, "checksum_algorithm": "xxh3"},
            ),
            behind=("checksum_not_blank",) if model is RawDataFile else (),
        )
    for one, other in (("expected", "actual"), ("actual", "expected")):
        yield Case(
            FixityCheck,
            f"{one}_format",
            message,
            bad=(
                {one: "a" * 63, other: checksum(1), "ok": False},
                {one: "A" * 64, other: checksum(1), "ok": False},
                {"algorithm": "md5", one: checksum(1), other: "a" * 32, "ok": False},
            ),
            good=({"algorithm": "md5", one: "a" * 32, other: "b" * 32, "ok": False},),
        )


def relative_paths():
    paths = ("/a", "a/", "a//b", "..", "../a", "a/..", "a/../b", ".", "./a", "a/.", "a\tb", "a\x7fb", "a\nb", "")
    for model in (DataTransferPackage, RawDataPackage, RawDataFile, DataProduct):
        yield Case(
            model,
            "relative_path_inside",
            "The path must be relative, without a leading, trailing or double slash, '.', '..' or control characters, "
            "and at most 2,600 bytes long.",
            bad=values("relative_path", *paths, "山" * 867),
            good=values("relative_path", "a", "a/b", "..a", "a..b/c...", ".hidden", "ä/b c", "a" * 1_000, "山" * 866),
        )


def spoken_list(names):
    *others, last = map(labels.spoken, names)
    return capfirst(f"{', '.join(others)} and {last}" if others else last)


FINITE = [model for model in MODELS if any(isinstance(f, models.FloatField) for f in model._meta.local_fields)]


def finite():
    for model in FINITE:
        names = [f.name for f in model._meta.local_fields if isinstance(f, models.FloatField)]
        others = tuple(
            constraint.name.removeprefix(f"{model._meta.db_table}_")
            for constraint in model._meta.constraints
            if isinstance(constraint, models.CheckConstraint) and not constraint.name.endswith("_finite")
        )
        yield Case(
            model,
            "finite",
            f"{spoken_list(names)} must be finite: neither NaN nor infinite.",
            bad=tuple({name: value} for name in names for value in (math.nan, math.inf, -math.inf)),
            behind=others,
        )


# What the database itself keeps can't be brought to be infinite.
KEPT_TIMES = ("updated_at", "arrived_at", "revoked_at")
TIMED = [model for model in MODELS if any(isinstance(f, models.DateField) for f in model._meta.local_fields)]


def finite_times():
    for model in TIMED:
        names = [f.name for f in model._meta.local_fields if isinstance(f, models.DateField)]
        given = [name for name in names if name not in ("created_at", "updated_at")]
        yield Case(
            model,
            "finite_times",
            f"{spoken_list(given or names)} must be finite.",
            bad=tuple(
                {name: Cast(Value(value), model._meta.get_field(name))}
                for name in names
                if name not in KEPT_TIMES
                for value in ("infinity", "-infinity")
            ),
            behind=tuple(
                constraint.name.removeprefix(f"{model._meta.db_table}_")
                for constraint in model._meta.constraints
                if not constraint.name.endswith("_finite_times")
            ),
        )


# One by one

DOIS = {
    "bad": values("doi", "doi 10.5281/zenodo.1", "https://example.org/10.5281/1", "10.1/x", "10.5281/", "10.5281/a b"),
    "good": values("doi", "", "10.5281/zenodo.1", "10.1051/0004-6361/202346111"),
    "message": "A DOI looks like 10.1234/abc.",
}
PATHS = ("data", "../data", "/data/..", "/data/../etc")
CRON = 'A cron trigger needs {"cron": "minute hour day month weekday"}, such as {"cron": "0 12 * * *"}.'
BAD_CRON = (
    "",
    "0 12 * *",
    "0 12 * * * *",
    "60 * * * *",
    "0 24 * * *",
    "0 0 0 * *",
    "0 0 32 * *",
    "0 0 * 13 *",
    "0 0 * * 8",
    "*/0 * * * *",
    "@daily",
    "0 12 * * *\n",
    "every day",
)
GOOD_CRON = ("* * * * *", "*/5 0-6,12 1 jan-mar mon,WED", "0 12 * * 7", "5-59/10 23 31 12 0")


def one_by_one():
    yield Case(
        Observatory,
        "time_zone_format",
        "Give an IANA name, such as America/Santiago.",
        bad=values("time_zone", "America/", "/UTC", "America Santiago", "a;b"),
        good=values("time_zone", "UTC", "Etc/GMT+4", "America/Argentina/Buenos_Aires"),
    )
    yield Case(
        ObservingProgram,
        "short_name_format",
        "The code must be letters, digits, '.', '_' or '-'.",
        bad=values("short_name", "G Eco", "-a", "a/b", "ä", "a\n"),
        good=values("short_name", "GEco", "DR4-GPS", "2026.1_a"),
    )
    yield Case(
        Site,
        "short_name_format",
        "The short name must be lower-case letters and digits.",
        bad=values("short_name", "CCAT", "a_b", "a-b", "a b", "a\n"),
        good=values("short_name", "ccat", "us2"),
    )
    yield Case(
        FailureAcknowledgement,
        "cause_format",
        "The key of a cause must be 16 hexadecimal digits.",
        bad=values("cause", "0", "A" * 16, "g" * 16, "0" * 15 + "\n"),
        good=values("cause", "0123456789abcdef"),
        behind=("immutable",),
    )
    yield Case(
        DataLocation,
        "name_format",
        "The name must be lower-case letters, digits and '_'.",
        bad=values("name", "Buffer", "a-b", "a b", "a/b", "a\n"),
        good=values("name", "buffer_1"),
    )
    yield Case(
        DataLocation,
        "instrument_only_at_source",
        "Only a source location belongs to an instrument; leave the instrument empty at any other.",
        bad=values("location_type", "buffer", "long_term_archive", "processing"),
        good=values("location_type", "source"),
        given={"source": True},
    )
    yield Case(
        DiskDataLocation,
        "path_absolute",
        "The path must be absolute and without '..'.",
        bad=values("path", *PATHS, ""),
        good=values("path", "/", "/data", "/data/..a"),
        behind=("path_not_blank",),
    )
    yield Case(
        TapeDataLocation,
        "mount_path_absolute",
        "The path must be absolute and without '..'.",
        bad=values("mount_path", *PATHS),
        good=values("mount_path", "", "/mnt/tape"),
    )
    yield Case(
        Source,
        "aliases_entries",
        "Aliases must be a list of non-empty texts.",
        bad=values("aliases", [""], [1], [None], ["M 42", 7], [{"a": "b"}], [["M 42"]], [[]]),
        good=values("aliases", ["M 42", "NGC 1976"]),
    )
    yield Case(
        Publication,
        "authors_entries",
        "Authors must be a list of non-empty texts.",
        bad=values("authors", [""], [1], [None], [["Noether, E."]]),
        good=values("authors", ["Noether, E.", "Leavitt, H. S."]),
    )
    yield Case(
        ApiToken,
        "scopes_entries",
        "Scopes must be a list of texts like read:observations or *:*.",
        bad=values("scopes", ["read"], ["read:"], [":all"], ["Read:all"], ["read:a:b"], ["read:a b"], [["read:all"]]),
        good=values("scopes", ["*:*"], ["read:s3_data_location", "write:*"]),
    )
    yield Case(
        ApiToken,
        "allowed_networks_entries",
        "Allowed networks must be a list of networks like 10.0.0.0/8.",
        bad=values("allowed_networks", ["home"], ["10.0.0.0/"], ["10.0.0.0/1234"], [["10.0.0.0/8"]], [10]),
        good=values("allowed_networks", ["10.0.0.0/8"], ["2001:db8::/32", "192.0.2.1"]),
    )
    yield Case(
        ReductionStep,
        "group_by_entries",
        "Group by must be a list of dimensions: observing_program, obs_unit, executed_obs_unit, source, "
        "instrument_module, night.",
        bad=values("group_by", ["weather"], ["night "], [""], [1], [["night"]]),
        good=values("group_by", ["night"], ["source", "instrument_module"]),
    )
    yield Case(
        ReductionStepConfig,
        "environment_values",
        "Environment: every value must be a text.",
        bad=values("environment", {"THREADS": 4}, {"A": None}, {"A": {"B": "C"}}, {"A": ["B"]}, {"A": []}),
        good=values("environment", {"THREADS": "4"}),
    )
    yield Case(
        ApiToken,
        "token_prefix_format",
        "The prefix is 8 characters of the secret.",
        bad=values("token_prefix", "short", ""),
        good=values("token_prefix", "Ab_-1234"),
    )
    yield Case(
        ApiToken,
        "token_hash_format",
        "The hash must be 64 lower-case hexadecimal digits.",
        bad=values("token_hash", "a" * 63, "A" * 64, "g" * 64, ""),
        good=values("token_hash", "a" * 64),
    )
    yield Case(
        ApiToken,
        "pepper_fingerprint_format",
        "The fingerprint must be 8 hexadecimal digits.",
        bad=values("pepper_fingerprint", "a" * 7, "A" * 8, "g" * 8, ""),
        good=values("pepper_fingerprint", "0123abcd"),
    )
    yield Case(
        ApiToken,
        "revoked_not_active",
        "A revoked token is not active; set active to false.",
        bad=({"revoked_at": EPOCH},),
        good=({"revoked_at": EPOCH, "active": False}, {"active": False}),
    )
    yield Case(
        FixedSource,
        "equinox_of_frame",
        "An equinox is Besselian in FK4 and Julian in FK5; ICRS and galactic positions have none.",
        bad=(
            {"frame": "icrs", "equinox": "J2000"},
            {"frame": "galactic", "equinox": "B1950"},
            {"frame": "fk4", "equinox": "J2000"},
            {"frame": "fk5", "equinox": "B1950"},
            {"frame": "fk5", "equinox": "2000"},
        ),
        good=(
            {"frame": "fk4", "equinox": "B1950"},
            {"frame": "fk5", "equinox": "J2000"},
            {"frame": "ecliptic", "equinox": "J2000"},
            {"frame": "fk4", "equinox": ""},
        ),
    )
    given = {"given_velocity": 1142.0, "velocity_frame": "heliocentric", "velocity_convention": "optical"}
    yield Case(
        FixedSource,
        "given_velocity_complete",
        "A given velocity needs its frame, its convention and vlsr_km_s; give all of them, or none.",
        bad=(given, *({**given, "vlsr_km_s": 1.0, name: None} for name in given)),
        good=({**given, "vlsr_km_s": 1137.0}, {"vlsr_km_s": 1137.0}),
    )
    yield Case(
        Downtime,
        "one_target",
        "Name exactly one of telescope, instrument and instrument module.",
        bad=(
            {"telescope": None},
            {"instrument": New(Instrument)},
            {"telescope": None, "instrument": New(Instrument), "instrument_module": New(InstrumentModule)},
        ),
        good=({"telescope": None, "instrument": New(Instrument)},),
    )
    yield Case(
        ExecutedObsUnit,
        "end_time_when_ended",
        "Give the end of an observation that has ended, and leave it empty while the observation is running.",
        bad=(
            *values("status", "completed", "aborted", "failed"),
            {"end_time": EPOCH + timedelta(days=100)},
        ),
        good=({"status": "failed", "end_time": EPOCH + timedelta(days=100)},),
    )
    for model, what in ((DataTransferPackage, "bundle"), (RawDataPackage, "package")):
        done = {"status": "completed", "started_at": EPOCH, "finished_at": LATER}
        yield Case(
            model,
            "completed_has_checksum",
            f"A completed {what} must have a size and a checksum; give both.",
            bad=(done, {**done, "size_bytes": 1}, {**done, "checksum": checksum(1)}),
            good=({**done, "size_bytes": 0, "checksum": checksum(1)},),
            behind=("status_transition",),
        )
    yield Case(
        RawDataPackage,
        "archived_has_checksum",
        "An archived package must have a size and a checksum; complete the package first.",
        bad=(
            {"state": "archived"},
            {"state": "archived", "size_bytes": 1},
            {"state": "archived", "checksum": checksum(1)},
        ),
        good=({"state": "archived", "size_bytes": 1, "checksum": checksum(1)},),
        behind=("archived_is_true",),
    )
    yield Case(
        RawDataPackageMetadata,
        "dataproduct_type_known",
        "Use a data product type of ObsCore 1.1: image, cube, spectrum, sed, timeseries, visibility, event, "
        "measurements.",
        bad=values("dataproduct_type", "movie", "Cube"),
        good=values("dataproduct_type", "", "cube", "timeseries"),
    )
    yield Case(
        DataTransferRoute,
        "ends_fit_type",
        "A relay route names a relay site, a custom route both locations, a direct route neither.",
        bad=(
            *values("route_type", "relay", "custom"),
            {"relay_site": New(Site)},
            {"origin_location": New(DataLocation)},
            {"destination_location": New(DataLocation)},
        ),
        good=({"route_type": "relay", "relay_site": New(Site)},),
    )
    yield Case(
        DataTransferRoute,
        "ends_fit_type",
        "A relay route names a relay site, a custom route both locations, a direct route neither.",
        bad=(*values("route_type", "direct", "custom"), {"relay_site": None}),
        given={"relay": True},
    )
    yield Case(
        DataTransferRoute,
        "ends_fit_type",
        "A relay route names a relay site, a custom route both locations, a direct route neither.",
        bad=(
            *values("route_type", "direct", "relay"),
            {"origin_location": None},
            {"destination_location": None},
        ),
        given={"custom": True},
    )
    yield Case(
        DataTransfer,
        "unpacked_has_time",
        "Completed unpacking must have unpacked_at; give the time at which it was completed.",
        bad=({"unpack_status": "completed"},),
        good=({"unpack_status": "completed", "unpacked_at": LATER},),
        given={"completed": True},
        behind=("unpack_status_transition",),
    )
    yield Case(
        DataTransfer,
        "unpack_failed_has_message",
        "Failed unpacking must have an unpack_failure_message; give the error of the last attempt.",
        bad=({"unpack_status": "failed"},),
        good=({"unpack_status": "failed", "unpack_failure_message": "not a tar"},),
        given={"completed": True},
    )
    yield Case(
        DataTransfer,
        "unpacked_after_arrival",
        "Only what has arrived can be unpacked; complete the transfer first.",
        bad=(
            {"unpack_status": "in_progress"},
            {"unpack_status": "completed", "unpacked_at": LATER},
        ),
        good=({"unpack_status": "scheduled"},),
        behind=("unpack_status_transition",),
    )
    yield Case(
        PhysicalCopy,
        "one_target",
        "A copy is of one file, package, bundle or product; give exactly one.",
        bad=(
            {"raw_data_package": None},
            {"raw_data_file": New(RawDataFile)},
            {"data_transfer_package": New(DataTransferPackage)},
            {"raw_data_package": None, "data_product": New(DataProduct), "raw_data_file": New(RawDataFile)},
        ),
        good=({"raw_data_package": None, "data_product": New(DataProduct)},),
    )
    proof = {"verified_at": EPOCH, "checksum": checksum(1)}
    yield Case(
        PhysicalCopy,
        "verified_has_proof",
        "A compared copy must have verified_at and a checksum; give the time and the result of the comparison.",
        bad=tuple(
            {"verification": verification, **part}
            for verification in ("verified", "mismatch")
            for part in ({}, {"verified_at": EPOCH}, {"checksum": checksum(1)})
        ),
        good=({"verification": "verified", **proof}, {"verification": "mismatch", **proof}, proof),
        behind=("verification_is_true", "verification_is_proven", "born_unverified"),
    )
    yield Case(
        PhysicalCopy,
        "deleted_has_time",
        "A deleted copy must have deleted_at; give the time of the deletion.",
        bad=({"status": "deleted"},),
        good=({"status": "deleted", "deleted_at": LATER},),
        behind=("deletion_is_safe", "status_transition"),
    )
    yield Case(
        PhysicalCopy,
        "deletion_failed_has_message",
        "A failed deletion must have a failure_message; give the error of the last attempt.",
        bad=({"status": "deletion_failed"},),
        good=({"status": "deletion_failed", "failure_message": "permission denied"},),
        behind=("status_transition",),
    )
    yield Case(
        FixityCheck,
        "ok_tells_truth",
        "Set ok to true exactly when the two checksums agree.",
        bad=(
            {"expected": checksum(1), "actual": checksum(2), "ok": True},
            {"expected": checksum(1), "actual": checksum(1), "ok": False},
            {"actual": None, "ok": True, "failure_message": "Input/output error"},
        ),
        good=(
            {"expected": checksum(1), "actual": checksum(2), "ok": False},
            {"actual": None, "ok": False, "failure_message": "Input/output error"},
        ),
    )
    yield Case(
        FixityCheck,
        "unread_has_message",
        "Give the checksum that was found or, of a copy that could not be read, the reason; not both.",
        bad=({"actual": None, "ok": False}, {"failure_message": "Input/output error"}),
        good=({"actual": None, "ok": False, "failure_message": "Input/output error"},),
    )
    yield Case(
        PhysicalCopy,
        "pause_after_unread",
        "Only a copy that could not be read has a next check; leave next_check_at empty.",
        bad=({"next_check_at": LATER},),
        good=({"next_check_at": LATER, "unread_count": 1},),
    )
    yield Case(
        DeletionRequest,
        "decision_has_person",
        "A decided request must have approved_by and decided_at; give the person and the time of the decision.",
        bad=({"approved_by": None}, {"decided_at": None}),
        given={"approved": True},
        behind=("decision_stays",),
    )
    yield Case(
        Pipeline,
        "cron_expression",
        CRON,
        bad=(
            {"trigger_config": {}},
            *({"trigger_config": {"cron": text}} for text in (*BAD_CRON, 5, None, ["0 12 * * *"])),
        ),
        good=(
            *({"trigger_config": {"cron": text}} for text in GOOD_CRON),
            {"trigger_type": "manual", "trigger_config": {}},
            {"trigger_type": "continuous", "trigger_config": {"cron": "never"}},
        ),
        given={"cron": True},
    )
    yield Case(
        ReductionSoftwareVersion,
        "image_digest_format",
        "A digest looks like sha256: and 64 hexadecimal digits.",
        bad=values("image_digest", "a" * 64, "sha256:" + "a" * 63, "sha256:" + "A" * 64, "latest"),
        good=values("image_digest", "", "sha256:" + "a" * 64),
    )
    yield Case(
        ReductionStep,
        "policy_has_version",
        "The policies exact and compatible start from a version; give pinned_version, or another policy.",
        bad=values("version_policy", "exact", "compatible"),
        good=values("version_policy", "latest"),
    )
    yield Case(
        ExecutedReductionStep,
        "failed_has_message",
        "A failed run must have a failure_message; give the error of the last attempt.",
        bad=({"status": "failed", "finished_at": LATER},),
        good=({"status": "failed", "failure_message": "out of memory"},),
    )
    yield Case(
        ExecutedReductionStep,
        "completed_has_end",
        "A completed run must have finished_at; give the time at which it ended.",
        bad=({"status": "completed"},),
        good=({"status": "completed", "finished_at": LATER},),
        behind=("status_transition",),
    )
    yield Case(
        DataTransferRoute,
        "destination_site_differs",
        "A route must end at another site than it begins; choose one.",
        bad=({"destination_site": Same("origin_site")}, {"origin_site": Same("destination_site")}),
    )
    yield Case(
        DataTransferRoute,
        "relay_differs",
        "The relay site must be another site than the two ends; choose another one.",
        bad=({"relay_site": Same("origin_site")}, {"relay_site": Same("destination_site")}),
        given={"relay": True},
    )
    for model in (DataTransfer, LongTermArchiveTransfer):
        yield Case(
            model,
            "destination_location_differs",
            "A transfer must end at another location than it starts; choose another one.",
            bad=({"origin_location": Same("destination_location")},),
        )
    yield Case(
        DeletionRequest,
        "second_person",
        "A request must be decided by another person than the one who asked; ask somebody who may approve it.",
        bad=({"approved_by": Same("requested_by")},),
        behind=("decision_stays",),
    )
    yield Case(
        DeletionPolicy,
        "one_row",
        "There is one deletion policy, with the id 1; change that one.",
        bad=values("id", 0, 2),
        good=values("id", 1),
    )
    yield Case(
        ReductionStepDependency,
        "depends_on_differs",
        "A step can't wait for itself; choose another step.",
        bad=({"depends_on": Same("step")},),
        behind=("no_cycle",),
    )
    yield Case(
        StagingJob,
        "released_is_over",
        "A released staging job is over; request the staging again.",
        bad=values("active", False),
        good=({"active": False, "status": "failed", "failure_message": "released", "finished_at": LATER},),
    )
    yield Case(
        DataTransfer,
        "depends_on_is_older",
        "A hop can only depend on one that was planned before it; choose an older transfer.",
        bad=({"depends_on_id": Same("id")}, {"depends_on": New(DataTransfer)}),
        behind=("hops_connect",),
    )
    yield Case(
        DataProduct,
        "superseded_by_differs",
        "A product can't supersede itself; choose another product.",
        bad=({"superseded_by_id": Same("id")},),
        good=({"superseded_by": New(DataProduct)},),
    )
    yield Case(DataRelease, "doi_format", **DOIS)
    yield Case(Publication, "doi_format", **DOIS)
    yield Case(
        Publication,
        "bibcode_format",
        "A bibcode has 19 characters and starts with the year.",
        bad=values("bibcode", "2023ApJS..264....7", "ApJS..264....7C2023", "2023ApJS..264....7 "),
        good=values("bibcode", "", "2023ApJS..264....7C", "2011A&A...529A..24M"),
    )


CASES = [
    case
    for family in (
        ranges,
        positives,
        not_negatives,
        ordered,
        json_kinds,
        known,
        not_blank,
        work_items,
        checksums,
        relative_paths,
        finite,
        finite_times,
        one_by_one,
    )
    for case in family()
]


# UNIQUE

ANY_DOI = "10.5281/zenodo.1"


@dataclass(frozen=True)
class UniqueCase:
    """A UNIQUE constraint: two rows that agree in all of ``fields`` can't both be there.

    given: what makes the first row, and the second beside the fields.
    free: values of fields with which rows may agree all the same.
    others: values for one of the fields, by the first row, where the factory's own would agree or not fit.
    """

    model: type[models.Model]
    rule: str
    fields: tuple[str, ...]
    message: str
    given: dict[str, Any] = field(default_factory=dict)
    free: dict[str, Any] = field(default_factory=dict)
    others: dict[str, Callable[[models.Model], Any]] = field(default_factory=dict)
    behind: tuple[str, ...] = ()

    @property
    def name(self):
        """Full name of the constraint."""
        return f"{self.model._meta.db_table}_{self.rule}"


UNIQUES = [
    UniqueCase(User, "unique_github_login", ("github_login",),
               "Another user has this GitHub login; give the login of this person.",
               free={"github_login": ""}),
    UniqueCase(ApiToken, "unique_name", ("user", "name"), "The user has a token of this name; choose another."),
    UniqueCase(Telescope, "unique_name", ("observatory", "name"),
               "The observatory has a telescope of this name; choose another."),
    UniqueCase(Telescope, "unique_short_name", ("short_name",),
               "There is a telescope of this short name; choose another."),
    UniqueCase(Instrument, "unique_name", ("telescope", "name"),
               "The telescope has an instrument of this name; choose another."),
    UniqueCase(InstrumentModule, "unique_name", ("instrument", "name"),
               "The instrument has a module of this name; choose another."),
    UniqueCase(InstrumentModuleConfiguration, "unique_name", ("instrument_module", "name"),
               "The module has a configuration of this name; choose another."),
    UniqueCase(SubObservingProgram, "unique_name", ("observing_program", "name"),
               "The program has a sub-program of this name; choose another."),
    UniqueCase(SubObservingProgram, "unique_short_name", ("observing_program", "short_name"),
               "The program has a sub-program of this code; choose another."),
    UniqueCase(ObservationConfiguration, "unique_version", ("name", "version"),
               "This version of the configuration exists; give another version.", others={"version": lambda first: 2}),
    UniqueCase(ChaiTiling, "unique_index", ("configuration", "tile_index"),
               "The configuration has a tile of this number; choose another."),
    UniqueCase(ChaiInparParameter, "unique_key", ("configuration", "key"),
               "The configuration has a parameter of this name; choose another."),
    UniqueCase(ObsUnit, "unique_name", ("observing_program", "name"),
               "The program has a unit of this name; choose another."),
    UniqueCase(PreScheduledSlot, "unique_start", ("telescope", "start_time"),
               "The telescope has a slot that starts then; "
               "choose another time, or change that slot.", behind=("no_overlap",)),
    UniqueCase(ExecutedObsUnitModuleConfiguration, "unique_pair", ("executed_obs_unit", "module_configuration"),
               "The observation has this configuration already; leave it as it is."),
    UniqueCase(ExecutedReductionStepInputPackage, "unique_pair", ("run", "raw_data_package"),
               "The run has this input already; leave it as it is."),
    UniqueCase(ExecutedReductionStepInputProduct, "unique_pair", ("run", "data_product"),
               "The run has this input already; leave it as it is."),
    UniqueCase(TimeAllocation, "unique_period", ("observing_program", "instrument", "period"),
               "The program has an allocation for this instrument and period; "
               "change that allocation, or choose another period."),
    UniqueCase(DataLocation, "unique_name", ("site", "name"), "The site has a location of this name; choose another."),
    UniqueCase(RawDataPackage, "unique_part", ("executed_obs_unit", "instrument_module", "part"),
               "The observation has a package of this number for this module; "
               "choose another number.", others={"part": lambda first: 2}),
    UniqueCase(RawDataPackageMetadata, "unique_publisher_did", ("obs_publisher_did",),
               "Another data set has this identifier; give each its own."),
    UniqueCase(RawDataFile, "unique_path", ("source_location", "relative_path"),
               "The location has a file of this path; choose another."),
    UniqueCase(DataTransfer, "unique_open", ("data_transfer_package", "destination_location"),
               (
                   "The bundle has an open or completed transfer to this location; "
                   "wait for that one, or choose another location."
               ),
               free={"status": "failed", "failure_message": "x", "finished_at": LATER}),
    UniqueCase(LongTermArchiveTransfer, "unique_destination", ("raw_data_package", "destination_location"),
               "The package has a transfer into this archive that is not completed; "
               "wait for that one, or reset it if it failed."),
    *(
        UniqueCase(proxy, f"unique_{target}", (target, "data_location"),
                   "The location has a copy of this; change that copy.",
                   others={"data_location": lambda first: FACTORIES[DataLocation]()})
        for proxy, target in (
            (RawDataFilePhysicalCopy, "raw_data_file"),
            (PhysicalCopy, "raw_data_package"),
            (DataTransferPackagePhysicalCopy, "data_transfer_package"),
            (DataProductPhysicalCopy, "data_product"),
        )
    ),
    UniqueCase(FailureAcknowledgement, "one_of_cause", ("cause",), "The cause has an acknowledgement; end that first."),
    UniqueCase(DeletionRequestItem, "unique_copy", ("deletion_request", "physical_copy"),
               (
                   "The request has this copy already; "
                   "leave it as it is."
               ),
               others={"deletion_request": lambda first: FACTORIES[DeletionRequest](
                   data_location=first.physical_copy.data_location)}),
    UniqueCase(ReductionSoftwareVersion, "unique_version", ("software", "version"),
               "The software has this version; give another version."),
    UniqueCase(ReductionStepConfig, "unique_name", ("software", "name"),
               "The software has a configuration of this name; choose another."),
    UniqueCase(ReductionStep, "unique_name", ("pipeline", "name"),
               "The pipeline has a step of this name; choose another."),
    UniqueCase(ReductionStepDependency, "unique_pair", ("step", "depends_on"),
               (
                   "The step waits for that one already; "
                   "leave it as it is."
               ),
               others={"step": lambda first: FACTORIES[ReductionStep](pipeline=first.step.pipeline)}),
    UniqueCase(ExecutedReductionStep, "unique_open", ("step", "sub_group_key"),
               "The step has an open run for this sub-group; wait for that run, or cancel it.",
               free={"status": "cancelled"}, others={"sub_group_key": lambda first: "another"}),
    UniqueCase(DataProduct, "unique_path", ("run", "relative_path"),
               "The run has a product of this path; choose another."),
    UniqueCase(DataRelease, "unique_version", ("name", "version"),
               "This version of the release exists; give another version.",
               others={"version": lambda first: "2.0"}),
    UniqueCase(DataRelease, "unique_doi", ("doi",), "Another release has this DOI; use that one.",
               given={"doi": ANY_DOI}, free={"doi": ""}),
    UniqueCase(Publication, "unique_doi", ("doi",), "Another publication has this DOI; use that one.",
               given={"doi": ANY_DOI}, free={"doi": ""}),
    UniqueCase(Publication, "unique_bibcode", ("bibcode",), "Another publication has this bibcode; use that one.",
               given={"bibcode": "2023ApJS..264....7C"}, free={"bibcode": ""}),
]  # fmt: skip

# Fields that are unique by themselves; Django says so in its own words.
UNIQUE_FIELDS = [
    (User, "username"),
    (ApiToken, "token_hash"),
    (Observatory, "name"),
    (Observatory, "short_name"),
    (ObservingProgram, "name"),
    (ObservingProgram, "short_name"),
    (Source, "name"),
    (SolarSystemObject, "naif_id"),
    (ObsMode, "name"),
    (Site, "name"),
    (Site, "short_name"),
    (DataTransferPackage, "name"),
    (RawDataPackage, "name"),
    (RawDataPackageMetadata, "raw_data_package"),
    (DataTransferRoute, "name"),
    (ReductionSoftware, "name"),
    (DataGrouping, "name"),
    (Pipeline, "name"),
]
UNIQUE_FIELDS_GIVEN = {SolarSystemObject: {"naif_id": 499}}

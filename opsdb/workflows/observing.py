"""Stage 0, observe: the telescope reports what it starts and how it ended, an observer assesses the quality.

All functions are idempotent.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.auth.base_user import AbstractBaseUser

from opsdb.database.aliases import atomic, writing_connection
from opsdb.database.identifiers import uuid7
from opsdb.models import (
    ExecutedObsUnit,
    InstrumentModuleConfiguration,
    ObservationStatus,
    ObsUnit,
    Quality,
    RawDataPackageMetadata,
)

from .attribution import attributed_to
from .errors import (
    Conflict,
    InvalidTransition,
    NotFound,
    OpsdbError,
    Refused,
    name_row,
    translate_integrity_errors,
)

# Which changes corrected the start. A change is no older than its row, so that no month before is read.
CORRECTIONS = """
SELECT id, changed_at FROM change_log
WHERE table_name = 'executed_obs_unit' AND row_id = %(execution)s::text
    AND changed_at BETWEEN %(since)s AND statement_timestamp() AND operation = 'update' AND after ? 'start_time'
ORDER BY id
"""
# Each file moves by what the start was corrected by since the file was registered, or was itself corrected last. Files
# and their changes are grouped, not joined: the planner takes the changes for few, and would compare each with each.
MOVE_FILES = """
WITH correction AS MATERIALIZED (
    SELECT id, changed_at,
        (after ->> 'start_time')::timestamptz - (before ->> 'start_time')::timestamptz AS by_time
    FROM change_log WHERE id = ANY (%(corrections)s) AND changed_at BETWEEN %(first)s AND %(last)s
), of_file AS (
    SELECT id, created_at, 0 AS last_change FROM raw_data_file
    WHERE executed_obs_unit_id = %(execution)s AND observed_at IS NOT NULL
    UNION ALL
    SELECT row_id::uuid, NULL, id FROM change_log
    WHERE table_name = 'raw_data_file' AND changed_at BETWEEN %(first)s AND statement_timestamp()
        AND operation = 'update' AND after ? 'observed_at'
        AND row_id = ANY (%(files)s)
)
UPDATE raw_data_file AS file SET observed_at = file.observed_at + moved.by_time
FROM (
    SELECT one.id AS file_id, sum(correction.by_time) AS by_time
    FROM (SELECT id, max(created_at) AS created_at, max(last_change) AS last_change FROM of_file GROUP BY id) AS one
    JOIN correction ON correction.id > one.last_change AND correction.changed_at > one.created_at
    GROUP BY one.id
) AS moved
WHERE moved.file_id = file.id AND moved.by_time <> interval '0'
"""
# What a person may have changed since the telescope reported it.
_ASSESSED = ("quality", "comment")


def start_observation(
    obs_unit: ObsUnit,
    *,
    start_time: datetime,
    id: UUID | None = None,
    module_configurations: Iterable[InstrumentModuleConfiguration] = (),
    **facts: Any,
) -> ExecutedObsUnit:
    """Record that the telescope has started to execute a unit, and return the observation.

    Idempotent with the same ``id``. Locks only the new row.

    Args:
        obs_unit: what is executed.
        start_time: when it started, aware.
        id: identifier made at the telescope; a new one when left out, and then the call is not idempotent.
        module_configurations: how the modules are set up; recorded by the first call.
        facts: other fields of the observation, such as ``observer`` or ``mean_pwv_mm``.

    Raises:
        Conflict: the id belongs to an observation with another unit, time or setup; the record stays as it is.
        OpsdbError: the time is naive.
        Refused: the time is in the future by more than 5 minutes, or before the telescope's first light.
    """
    if start_time.tzinfo is None:
        raise OpsdbError(f"executed_obs_unit: the start time {start_time} has no time zone; give it in UTC")
    with translate_integrity_errors(), atomic():
        execution, created = ExecutedObsUnit.objects.get_or_create(
            id=id or uuid7(), defaults={"obs_unit": obs_unit, "start_time": start_time, **facts}
        )
        if created:
            execution.module_configurations.set(module_configurations)
            return execution
    if (execution.obs_unit_id, execution.start_time) != (obs_unit.pk, start_time):
        raise Conflict(
            f"executed_obs_unit {execution.pk}: was started for obs_unit {execution.obs_unit_id} at "
            f"{execution.start_time.isoformat()}, not for obs_unit {obs_unit.pk} at {start_time.isoformat()}; report "
            "the other one with an id of its own"
        )
    used = {configuration.pk for configuration in execution.module_configurations.all()}
    if used != {configuration.pk for configuration in module_configurations}:
        given = sorted(configuration.pk for configuration in module_configurations)
        raise Conflict(
            f"executed_obs_unit {execution.pk}: was started with the module configurations {sorted(used)}, not "
            f"{given}; report what was reported first"
        )
    if execution.status == ObservationStatus.RUNNING:
        # finish_observation() may since have overwritten these values.
        _require_same(execution, facts)
    return execution


def _require_same(execution, facts):
    """Refuse a repeated report whose values differ from the record, except those that a person may have assessed."""
    for name, value in facts.items():
        recorded = getattr(execution, name)
        if name not in _ASSESSED and recorded != value:
            raise Conflict(
                f"executed_obs_unit {execution.pk}: {name} is recorded as {recorded!r}, not as {value!r}; report what "
                "was reported first, or have the record corrected"
            )


def finish_observation(
    id: UUID, *, end_time: datetime, status: ObservationStatus = ObservationStatus.COMPLETED, **facts: Any
) -> ExecutedObsUnit:
    """Record that an observation has ended, and return it.

    Idempotent. Locks the row of the observation.

    Args:
        id: identifier of the observation.
        end_time: when it ended, aware, after its start.
        status: completed, aborted or failed.
        facts: other fields of the observation, such as ``mean_elevation_deg`` or ``conditions``.

    Raises:
        NotFound: there is no such observation.
        Conflict: it has ended with another status or time, or the end is before its start.
        InvalidTransition: ``status`` is not a final state.
        OpsdbError: the time is naive.
        Refused: the time is in the future by more than 5 minutes.
    """
    if end_time.tzinfo is None:
        raise OpsdbError(f"executed_obs_unit {id}: the end time {end_time} has no time zone; give it in UTC")
    status = ObservationStatus(status)
    if status not in ObservationStatus.RUNNING.may_become:
        running = ObservationStatus.RUNNING
        raise InvalidTransition(f"executed_obs_unit {id}", "status", running, status, running.may_become)
    with translate_integrity_errors(), atomic():
        execution = ExecutedObsUnit.objects.select_for_update().filter(pk=id).first()
        if execution is None:
            raise NotFound(f"executed_obs_unit {id}: there is no such observation; start it first")
        if execution.status == ObservationStatus.RUNNING:
            if end_time <= execution.start_time:
                raise Conflict(
                    f"executed_obs_unit {id}: can't end at {end_time.isoformat()}, because it started at "
                    f"{execution.start_time.isoformat()}; give a later end, or have the start corrected"
                )
            for name, value in {"status": status, "end_time": end_time, **facts}.items():
                setattr(execution, name, value)
            execution.save(update_fields=["status", "end_time", *facts])
        elif (execution.status, execution.end_time) != (status, end_time):
            raise Conflict(
                f"executed_obs_unit {id}: has ended as {execution.status} at {execution.end_time.isoformat()}, "
                f"not as {status} at {end_time.isoformat()}; report what was reported first, or have the record "
                "corrected"
            )
        else:
            _require_same(execution, facts)
    return execution


def assess_observation(execution: ExecutedObsUnit, quality: Quality) -> ExecutedObsUnit:
    """Record an observer's assessment of an observation, and return it. It may be changed later. Locks the row.

    Args:
        execution: the observation, in any state.
        quality: a :class:`~opsdb.models.Quality`; ``unassessed`` withdraws the assessment.

    Raises:
        NotFound: there is no such observation.
        OpsdbError: there is no such quality.
    """
    name = name_row(ExecutedObsUnit, execution.pk)
    if quality not in Quality.values:
        raise OpsdbError(f"{name}: there is no quality {quality}; give one of {', '.join(Quality.values)}")
    if not ExecutedObsUnit.objects.filter(pk=execution.pk).update(quality=quality):
        raise NotFound(f"{name}: there is no such observation; check its key")
    execution.quality = quality
    return execution


def correct_observation(
    execution: ExecutedObsUnit,
    *,
    user: AbstractBaseUser | None,
    reason: str,
    start_time: datetime | None = None,
    end_time: datetime | None = None,
    obs_unit: ObsUnit | None = None,
    with_files: bool = False,
) -> ExecutedObsUnit:
    """Correct when an observation began and ended, or what was executed, and return it. For operators.

    For reports by a computer whose clock was wrong. The change log keeps what was reported, who corrected it and why.
    The times in the metadata of its packages follow; names and paths of packages stay. Idempotent. Locks the row.

    Args:
        execution: the observation; its key counts.
        user: the operator; ignored where the surrounding request names its user.
        reason: why it is corrected, not empty.
        start_time: when it began, aware; as it is when left out.
        end_time: when it ended, aware; as it is when left out.
        obs_unit: what was executed; as it is when left out.
        with_files: whether ``observed_at`` of its files keeps its distance from the start: it moves by as much as the
            start does now, and did by earlier corrections that left the files as they were.

    Raises:
        NotFound: there is no such observation.
        OpsdbError: the reason is empty, nothing is to be corrected, a time is naive, or files are to move without a
            start.
        Refused: it is still running and so has no end, or the times are impossible.
    """
    name = name_row(ExecutedObsUnit, execution.pk)
    if not reason.strip():
        raise OpsdbError(f"{name}: give the reason why it is corrected")
    given = {"start_time": start_time, "end_time": end_time, "obs_unit": obs_unit}
    changes = {field: value for field, value in given.items() if value is not None}
    if not changes:
        raise OpsdbError(f"{name}: give what is right: start_time, end_time or obs_unit")
    for moment in (start_time, end_time):
        if moment is not None and moment.tzinfo is None:
            raise OpsdbError(f"{name}: the time {moment} has no time zone; give it in UTC")
    if with_files and start_time is None:
        raise OpsdbError(f"{name}: its files move with its start, which is not given; give start_time")
    with attributed_to(user, reason), translate_integrity_errors(), atomic():
        found = ExecutedObsUnit.objects.select_for_update(no_key=True).filter(pk=execution.pk).first()
        if found is None:
            raise NotFound(f"{name}: there is no such observation; check its key")
        if end_time is not None and found.status == ObservationStatus.RUNNING:
            raise Refused(f"{name}: is still running; report its end first")
        start, end = changes.get("start_time", found.start_time), changes.get("end_time", found.end_time)
        if end is not None and end <= start:
            raise Refused(
                f"{name}: can't end at {end.isoformat()}, because it began at {start.isoformat()}; correct both"
            )
        _allow_correction(found)
        ExecutedObsUnit.objects.filter(pk=found.pk).update(**changes)
        if with_files:
            _move_files(found)
        for metadata in RawDataPackageMetadata.objects.filter(raw_data_package__executed_obs_unit=found):
            metadata.derive().save()
    execution.refresh_from_db()
    return execution


def _move_files(execution):
    """Move ``observed_at`` of the files of an execution by the corrections of its start that they have not followed."""
    with writing_connection().cursor() as cursor:
        cursor.execute(CORRECTIONS, {"execution": execution.pk, "since": execution.created_at})
        corrections = cursor.fetchall()
        if not corrections:
            return
        times = [changed_at for _, changed_at in corrections]
        # A list that the planner knows is looked up by hash or index; of a subquery's it would compare each key.
        files = [str(key) for key in execution.raw_data_files.values_list("pk", flat=True)]
        terms = {"corrections": [key for key, _ in corrections], "first": min(times), "last": max(times)}
        cursor.execute(MOVE_FILES, {"execution": execution.pk, "files": files, **terms})


def _allow_correction(execution):
    """Let the rest of this transaction correct what else stays as it was reported."""
    with writing_connection().cursor() as cursor:
        cursor.execute("SELECT set_config('opsdb.correction', %s, true)", [str(execution.pk)])

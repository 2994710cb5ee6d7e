"""Stage 0, observe: the telescope says what it begins and how it ended, an observer how good it is.

All calls can be replayed.
"""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from opsdb.database.identifiers import uuid7
from opsdb.models import ExecutedObsUnit, ObservationStatus, ObsUnit, Quality

from .errors import Conflict, InvalidTransition, NotFound, OpsdbError
from .states import name_of

JUDGED = ("quality", "comment")


def start_observation(
    obs_unit: ObsUnit,
    *,
    start_time: datetime,
    id: UUID | None = None,
    module_configurations=(),
    **facts,
) -> ExecutedObsUnit:
    """Record that the telescope has begun to execute a unit, and return the execution.

    The same call with the same id again changes nothing. Locks nothing but the new row.

    Args:
        obs_unit: what is executed.
        start_time: when it began, aware.
        id: identifier made at the telescope; a new one when left out, and then the call can't be replayed.
        module_configurations: how the modules are set up; recorded by the first call.
        facts: other fields of the execution, such as ``observer`` or ``mean_pwv_mm``.

    Raises:
        Conflict: the id belongs to an execution that was started otherwise; what is recorded stays.
        OpsdbError: the time is naive.
    """
    if start_time.tzinfo is None:
        raise OpsdbError(f"start_observation: the start time {start_time} needs a time zone")
    with transaction.atomic():
        execution, created = ExecutedObsUnit.objects.get_or_create(
            id=id or uuid7(), defaults={"obs_unit": obs_unit, "start_time": start_time, **facts}
        )
        if created:
            execution.module_configurations.set(module_configurations)
            return execution
    if (execution.obs_unit_id, execution.start_time) != (obs_unit.pk, start_time):
        raise Conflict(
            f"executed_obs_unit {execution.pk}: was started for obs_unit {execution.obs_unit_id} at "
            f"{execution.start_time.isoformat()}, not for obs_unit {obs_unit.pk} at {start_time.isoformat()}"
        )
    used = {configuration.pk for configuration in execution.module_configurations.all()}
    if used != {configuration.pk for configuration in module_configurations}:
        raise Conflict(f"executed_obs_unit {execution.pk}: was started with module configurations {sorted(used)}")
    if execution.status == ObservationStatus.RUNNING:
        # Its end may have said better.
        _require_same(execution, facts)
    return execution


def _require_same(execution, facts):
    """Refuse a replay that says something else than is recorded, unless a person may have judged it since."""
    for name, value in facts.items():
        recorded = getattr(execution, name)
        if name not in JUDGED and recorded != value:
            raise Conflict(
                f"executed_obs_unit {execution.pk}: {name} is recorded as {recorded!r}, not as {value!r}; report what "
                "was reported first, or have the record corrected"
            )


def finish_observation(
    id: UUID, *, end_time: datetime, status: ObservationStatus = ObservationStatus.COMPLETED, **facts
) -> ExecutedObsUnit:
    """Record that an execution has ended, and return it.

    The same call again changes nothing. Locks the row of the execution.

    Args:
        id: identifier of the execution.
        end_time: when it ended, aware, after its start.
        status: completed, aborted or failed.
        facts: other fields of the execution, such as ``mean_elevation_deg`` or ``conditions``.

    Raises:
        NotFound: there is no such execution.
        Conflict: it has ended otherwise, or before it began.
        InvalidTransition: ``status`` is no end.
        OpsdbError: the time is naive.
    """
    if end_time.tzinfo is None:
        raise OpsdbError(f"finish_observation: the end time {end_time} needs a time zone")
    status = ObservationStatus(status)
    if status not in ObservationStatus.RUNNING.may_become:
        running = ObservationStatus.RUNNING
        raise InvalidTransition(f"executed_obs_unit {id}", "status", running, status, running.may_become)
    with transaction.atomic():
        execution = ExecutedObsUnit.objects.select_for_update().filter(pk=id).first()
        if execution is None:
            raise NotFound(f"executed_obs_unit {id}: there is no such execution; start it first")
        if execution.status == ObservationStatus.RUNNING:
            if end_time <= execution.start_time:
                raise Conflict(
                    f"executed_obs_unit {id}: can't end at {end_time.isoformat()}, because it started at "
                    f"{execution.start_time.isoformat()}"
                )
            for name, value in {"status": status, "end_time": end_time, **facts}.items():
                setattr(execution, name, value)
            execution.save(update_fields=["status", "end_time", *facts])
        elif (execution.status, execution.end_time) != (status, end_time):
            raise Conflict(
                f"executed_obs_unit {id}: has ended as {execution.status} at {execution.end_time.isoformat()}, "
                f"not as {status} at {end_time.isoformat()}"
            )
        else:
            _require_same(execution, facts)
    return execution


def assess_observation(execution: ExecutedObsUnit, quality: Quality) -> ExecutedObsUnit:
    """Record an observer's judgement of an execution, and return it. It may be given again. Locks the row.

    Raises:
        NotFound: there is no such execution.
        OpsdbError: there is no such quality.
    """
    name = name_of(ExecutedObsUnit, execution.pk)
    if quality not in Quality.values:
        raise OpsdbError(f"{name}: the quality is one of {', '.join(Quality.values)}, not {quality}")
    if not ExecutedObsUnit.objects.filter(pk=execution.pk).update(quality=quality):
        raise NotFound(f"{name}: there is no such execution")
    execution.quality = quality
    return execution

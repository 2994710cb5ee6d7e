"""Parameters that look at related rows and that several filter sets share."""

from typing import Any

from django.db.models import Model
from django.utils.translation import gettext_lazy as _

from opsdb.models import (
    Instrument,
    InstrumentModule,
    ObservingProgram,
    ObsMode,
    ObsUnit,
    Quality,
    Site,
    SubObservingProgram,
)

from .parameters import (
    ChoiceParameter,
    ConeParameter,
    FileNameParameter,
    ModuleOfExecutionParameter,
    NightParameter,
    Parameter,
    ReferenceParameter,
    SourceParameter,
    TimeParameter,
)

NAMED = _("Its name, alone or after those of what it belongs to, or its key.")


def reference(path: str, related: type[Model], label: Any, **options: Any) -> Parameter:
    """Return a parameter for a related row that has a name."""
    return ReferenceParameter(path, related=related, label=label, **{"help_text": NAMED, **options})


def site(path: str, **options: Any) -> Parameter:
    """Return a parameter for a site."""
    return reference(path, Site, **{"label": _("Site"), **options})


def instrument(path: str, **options: Any) -> Parameter:
    """Return a parameter for an instrument."""
    return reference(path, Instrument, _("Instrument"), **options)


def module(path: str, **options: Any) -> Parameter:
    """Return a parameter for a module of an instrument."""
    return reference(path, InstrumentModule, _("Instrument module"), **options)


def program(path: str, **options: Any) -> Parameter:
    """Return a parameter for an observing program."""
    return reference(path, ObservingProgram, _("Observing program"), **options)


def source(path: str, **options: Any) -> Parameter:
    """Return a parameter for a source."""
    text = _("Name or alias of a source in any letter case, or its key.")
    return SourceParameter(path, label=_("Source"), help_text=text, **options)


def cone(path: str, **options: Any) -> Parameter:
    """Return a parameter for a circle on the sky."""
    text = _("RA, Dec (ICRS) and radius in degrees, separated by commas: 83.82,-5.39,0.5. Fixed sources alone.")
    return ConeParameter(path, label=_("Cone"), help_text=text, **options)


def file_name() -> Parameter:
    """Return a parameter for the name of a file."""
    text = _("Name of the file or its whole path, in any letter case.")
    return FileNameParameter("relative_path", label=_("File name"), help_text=text, few=True)


def of_units(prefix: str, executions: str | None = None) -> dict[str, Parameter]:
    """Return the parameters of what is planned for a row.

    Args:
        prefix: lookup from the row to its observation unit, ending with two underscores, or empty for the unit itself.
        executions: the same from the row's execution, where rows are asked for by their execution.
    """

    def path(name):
        way = {} if executions is None else {"executions": f"{executions}{name}"}
        return {"path": f"{prefix}{name}", **way}

    return {
        "observing_program": program(**path("observing_program")),
        "sub_observing_program": reference(
            related=SubObservingProgram, label=_("Sub observing program"), **path("sub_observing_program")
        ),
        "source": source(**path("source")),
        "cone": cone(**path("source")),
        "obs_mode": reference(related=ObsMode, label=_("Observing mode"), **path("obs_mode")),
    }


def of_executions() -> dict[str, Parameter]:
    """Return the parameters by which files and packages are asked for by their observation."""
    prefix, start = "executed_obs_unit__", "executed_obs_unit__start_time"

    def way(name):
        return {"executions": name}

    return {
        **of_units(f"{prefix}obs_unit__", "obs_unit__"),
        "obs_unit": reference(f"{prefix}obs_unit", ObsUnit, _("Observation unit"), **way("obs_unit")),
        "started_after": TimeParameter(
            start,
            "gte",
            label=_("Observation started, from"),
            help_text=_("Start of the observation (UTC)."),
            **way("start_time"),
        ),
        "started_before": TimeParameter(
            start,
            "lt",
            label=_("Observation started, before"),
            help_text=_("Start of the observation (UTC)."),
            **way("start_time"),
        ),
        "night": night("executed_obs_unit", **way("pk")),
        "quality": ChoiceParameter(
            f"{prefix}quality",
            choices=Quality.choices,
            label=_("Quality"),
            help_text=_("Judgement of the observer on the observation."),
            **way("quality"),
        ),
    }


def night(path: str, **options: Any) -> Parameter:
    """Return a parameter for the night of an observation."""
    text = _("Date on which the night began: from noon to noon (UTC).")
    return NightParameter(path, label=_("Night"), help_text=text, **options)


def modules_of_execution(path: str = "pk", **options: Any) -> dict[str, Parameter]:
    """Return the parameters for what took part in an observation."""
    text = _("What took part, as its configuration was reported.")
    return {
        "instrument_module": ModuleOfExecutionParameter(
            path,
            related=InstrumentModule,
            label=_("Instrument module"),
            help_text=text,
            lookup="instrument_module",
            **options,
        ),
        "instrument": ModuleOfExecutionParameter(
            path,
            related=Instrument,
            label=_("Instrument"),
            help_text=text,
            lookup="instrument_module__instrument",
            **options,
        ),
    }

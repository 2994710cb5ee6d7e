"""The index and the side bar: the lists of ops-db in groups, after the way of the data, instead of in one alphabet.

A list that belongs to another one, of a subtype or of parts, is shown with that one and not in the index. What a
person may see is decided before: Django lists only that.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.contrib.admin import AdminSite
from django.db.models import Model
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as lazy

from opsdb.models import (
    ApiToken,
    AzimuthRange,
    ChaiInparParameter,
    ChaiObservationConfiguration,
    ChaiTiling,
    ChangeLog,
    ConstantElevationSource,
    DataGrouping,
    DataLocation,
    DataLocationUsage,
    DataProduct,
    DataRelease,
    DataTransfer,
    DataTransferLog,
    DataTransferPackage,
    DataTransferRoute,
    DeletionPolicy,
    DeletionRequest,
    Downtime,
    ExecutedObsUnit,
    ExecutedReductionStep,
    FailureAcknowledgement,
    FixityCheck,
    Instrument,
    InstrumentModule,
    InstrumentModuleConfiguration,
    LongTermArchiveTransfer,
    LongTermArchiveTransferLog,
    ObservationConfiguration,
    Observatory,
    ObservingProgram,
    ObsMode,
    ObsUnit,
    PhysicalCopy,
    Pipeline,
    PreScheduledSlot,
    Publication,
    RawDataFile,
    RawDataPackage,
    RawDataPackageMetadata,
    ReductionSoftware,
    ReductionSoftwareVersion,
    ReductionStep,
    ReductionStepConfig,
    Role,
    Site,
    Source,
    StageActivity,
    StagingJob,
    SubObservingProgram,
    Telescope,
    TimeAllocation,
    User,
)

from .kit.importing import ImportMixin
from .kit.values import Text


@dataclass(frozen=True)
class Group:
    """Lists that are used for one purpose.

    Attributes:
        name: in addresses and in the browser's local storage.
        title: what people call it.
        models: whose lists, in this order.
    """

    name: str
    title: Text
    models: Sequence[type[Model]]


GROUPS = (
    Group(
        "plan",
        lazy("Plan"),
        (
            ObservingProgram,
            TimeAllocation,
            Source,
            ObsUnit,
            ObsMode,
            ObservationConfiguration,
            PreScheduledSlot,
            Downtime,
        ),
    ),
    Group("observe", lazy("Observe"), (ExecutedObsUnit, RawDataFile, RawDataPackage)),
    Group(
        "move",
        lazy("Move"),
        (DataTransferPackage, DataTransfer, DataTransferRoute, DataTransferLog, FailureAcknowledgement),
    ),
    Group(
        "keep",
        lazy("Keep"),
        (
            PhysicalCopy,
            LongTermArchiveTransfer,
            LongTermArchiveTransferLog,
            StagingJob,
            FixityCheck,
            DeletionRequest,
            DeletionPolicy,
        ),
    ),
    Group(
        "reduce",
        lazy("Reduce and publish"),
        (Pipeline, ExecutedReductionStep, DataProduct, DataGrouping, ReductionSoftware, DataRelease, Publication),
    ),
    Group(
        "sites",
        lazy("Sites and instruments"),
        (
            Site,
            DataLocation,
            Observatory,
            Telescope,
            Instrument,
            InstrumentModule,
            InstrumentModuleConfiguration,
        ),
    ),
    Group("access", lazy("Access and history"), (User, Role, ApiToken, ChangeLog)),
)
OTHERS = Group("others", lazy("Others"), ())

# Lists of parts, by what they are part of. Lists of subtypes belong to those of their parents.
WHOLES = {
    SubObservingProgram: ObservingProgram,
    AzimuthRange: ConstantElevationSource,
    ChaiTiling: ChaiObservationConfiguration,
    ChaiInparParameter: ChaiObservationConfiguration,
    RawDataPackageMetadata: RawDataPackage,
    DataLocationUsage: DataLocation,
    StageActivity: DataTransfer,
    ReductionStep: Pipeline,
    ReductionStepConfig: ReductionSoftware,
    ReductionSoftwareVersion: ReductionSoftware,
}
APP_LABEL = ObsUnit._meta.app_label
GROUP_OF = {model: group for group in GROUPS for model in group.models}


def whole_of(model: type[Model]) -> type[Model] | None:
    """Return the model whose list a list belongs to, or None where it belongs to none."""
    if model in WHOLES:
        return WHOLES[model]
    if model._meta.proxy:
        return model._meta.concrete_model
    return next((parent for parent in model._meta.parents if hasattr(parent, "subtypes")), None)


def lists_within(model: type[Model], registered: Iterable[type[Model]]) -> list[type[Model]]:
    """Return the models whose lists belong to that of a model: its subtypes, its parts, and the parts of those."""
    within = [other for other in registered if whole_of(other) is model]
    return [found for other in within for found in (other, *lists_within(other, registered))]


def grouped(app: dict, path: str) -> list[dict]:
    """Return the lists of ops-db in groups, for the template of Django's index and side bar.

    Args:
        app: the entry of ops-db in what ``AdminSite.get_app_list()`` returns to a person.
        path: that the person is at, whose list is marked.

    Returns:
        name, title and models of each group that is not empty, and whether the person is in it.
    """
    entries = {entry.get("model"): entry for entry in app["models"]}
    shown = {
        model: {**entry, "is_current": False} for model, entry in entries.items() if not _stands_within(model, entries)
    }
    for model, entry in entries.items():
        if entry.get("admin_url") and path.startswith(entry["admin_url"]):
            shown[_standing_for(model, entries)]["is_current"] = True
    groups = []
    for group in (*GROUPS, OTHERS):
        own = [model for model in shown if GROUP_OF.get(model, OTHERS) is group]
        order = {model: place for place, model in enumerate(group.models)}
        models = [shown[model] for model in sorted(own, key=lambda model: order.get(model, len(order)))]
        if models:
            is_current = any(entry["is_current"] for entry in models)
            groups.append({"name": group.name, "title": group.title, "models": models, "is_current": is_current})
    return groups


def import_url(site: AdminSite, model: type[Model], request: HttpRequest) -> str | None:
    """Return the address at which a person may import files of a list's rows, or None."""
    model_admin = site._registry.get(model)
    links = model_admin.import_links(request) if isinstance(model_admin, ImportMixin) else ()
    return next((url for _label, url in links), None)


def _stands_within(model, entries):
    whole = model and whole_of(model)
    return bool(whole in entries and entries[whole].get("admin_url"))


def _standing_for(model, entries):
    while _stands_within(model, entries):
        model = whole_of(model)
    return model

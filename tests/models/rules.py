"""For every rule that is a trigger: attempts to break it, and what the database then says."""

import json
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection, models

import opsdb.models
from opsdb.models import (
    ApiToken,
    ChaiModuleConfiguration,
    ChaiObservationConfiguration,
    ChangeLog,
    ConstantElevationSource,
    DataLocation,
    DataProduct,
    DataTransfer,
    DataTransferLog,
    DeletionRequest,
    DeletionRequestItem,
    DiskDataLocation,
    ExecutedObsUnit,
    ExecutedReductionStep,
    ExecutedReductionStepInputPackage,
    ExecutedReductionStepInputProduct,
    FailureAcknowledgement,
    FixedSource,
    FixityCheck,
    InstrumentModuleConfiguration,
    LongTermArchiveTransfer,
    LongTermArchiveTransferLog,
    ObservationConfiguration,
    PhysicalCopy,
    PrimeCamModuleConfiguration,
    PrimeCamObservationConfiguration,
    RawDataFile,
    RawDataPackage,
    ReductionSoftwareVersion,
    ReductionStep,
    ReductionStepConfig,
    S3DataLocation,
    SolarSystemObject,
    Source,
    SubObservingProgram,
    TapeDataLocation,
)
from opsdb.row_labels import place_of
from opsdb.testing.factories import (
    FACTORIES,
    DataProductFactory,
    DataProductPhysicalCopyFactory,
    DataTransferFactory,
    DataTransferPackageFactory,
    DataTransferPackagePhysicalCopyFactory,
    DataTransferRouteFactory,
    DeletionRequestItemFactory,
    DiskDataLocationFactory,
    ExecutedObsUnitFactory,
    ExecutedReductionStepFactory,
    InstrumentModuleFactory,
    LongTermArchiveTransferFactory,
    ObservingProgramFactory,
    ObsModeFactory,
    ObsUnitFactory,
    PhysicalCopyFactory,
    PipelineFactory,
    RawDataFileFactory,
    RawDataFilePhysicalCopyFactory,
    RawDataPackageFactory,
    RawDataPackagePhysicalCopyFactory,
    ReductionSoftwareVersionFactory,
    ReductionStepConfigFactory,
    ReductionStepDependencyFactory,
    ReductionStepFactory,
    RoleFactory,
    SiteFactory,
    StagingJobFactory,
    SubObservingProgramFactory,
    UserFactory,
)
from opsdb.testing.factories.base import EPOCH, checksum

from .schema import DESIGN, DESIGNED, MODELS

NEW_NUMBER = 1_000_000_000
NEW_UUID = UUID("01900000-0000-7000-8000-000000000001")

RULES: dict[str, list] = {}
# Tables whose rows know when they were changed last.
TOUCHED = [design["table"] for design in DESIGNED.values() if "timestamps" in design.get("parts", ())]


@dataclass(frozen=True)
class Attempt:
    """Ways to make one forbidden change, and the message of the database for each of them."""

    trials: tuple[Any, ...]
    message: str
    hint: str


def breaks(name):
    """Register a function that prepares an attempt to break this rule."""

    def register(attempt):
        RULES.setdefault(name, []).append(attempt)
        return attempt

    return register


def execute(statement, *parameters):
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)


def updates(row, **changes):
    """Change columns by ``update()`` and by plain SQL."""
    table = connection.ops.quote_name(row._meta.db_table)
    assignments = ", ".join(f'"{column}" = %s' for column in changes)
    return (
        lambda: type(row)._base_manager.filter(pk=row.pk).update(**changes),
        lambda: execute(f"UPDATE {table} SET {assignments} WHERE id = %s", *changes.values(), row.pk),
    )


def copies(row, **changes):
    """Insert a copy of a row with other values, by plain SQL."""
    table = connection.ops.quote_name(row._meta.db_table)
    new_key = NEW_UUID if isinstance(row._meta.pk, models.UUIDField) else NEW_NUMBER
    document = json.dumps({"id": new_key, **changes}, default=str)
    statement = f"INSERT INTO {table} SELECT (jsonb_populate_record({table}, %s)).* FROM {table} WHERE id = %s"
    return (lambda: execute(statement, document, row.pk),)


def deletes(row):
    """Delete a row by a queryset and by plain SQL."""
    table = connection.ops.quote_name(row._meta.db_table)
    rows = type(row)._base_manager.filter(pk=row.pk)
    return lambda: rows._raw_delete(rows.db), lambda: execute(f"DELETE FROM {table} WHERE id = %s", row.pk)


# Families

IMMUTABLE = {
    (ApiToken, "immutable"): ["user_id", "token_hash", "token_prefix", "pepper_fingerprint"],
    (InstrumentModuleConfiguration, "type_immutable"): ["type"],
    (SubObservingProgram, "observing_program_id_immutable"): ["observing_program_id"],
    (Source, "type_immutable"): ["type"],
    (ObservationConfiguration, "type_immutable"): ["type"],
    (ExecutedObsUnit, "immutable"): ["obs_unit_id", "start_time"],
    (DataLocation, "immutable"): ["location_type", "site_id"],
    (DataLocation, "storage_type_immutable"): ["storage_type"],
    (RawDataPackage, "immutable"): ["executed_obs_unit_id", "instrument_module_id", "part"],
    (RawDataFile, "immutable"): ["executed_obs_unit_id", "instrument_module_id", "source_location_id"],
    (DataTransfer, "immutable"): ["data_transfer_package_id", "origin_location_id", "destination_location_id"],
    (LongTermArchiveTransfer, "immutable"): ["raw_data_package_id", "destination_location_id"],
    (PhysicalCopy, "immutable"): [
        "data_location_id",
        "raw_data_file_id",
        "raw_data_package_id",
        "data_transfer_package_id",
        "data_product_id",
        "created_at",
    ],
    (DeletionRequest, "immutable"): ["data_location_id", "requested_by_id"],
    (FailureAcknowledgement, "immutable"): [
        "cause",
        "message",
        "place",
        "reason",
        "informed",
        "until",
        "acknowledged_by_id",
        "created_at",
    ],
    (DeletionRequestItem, "immutable"): ["deletion_request_id", "physical_copy_id"],
    (ReductionSoftwareVersion, "software_id_immutable"): ["software_id"],
    (ReductionStepConfig, "software_id_immutable"): ["software_id"],
    (ReductionStep, "immutable"): ["pipeline_id", "software_id"],
    (ExecutedReductionStep, "step_id_immutable"): ["step_id"],
    (DataProduct, "run_id_immutable"): ["run_id"],
    (ExecutedReductionStepInputPackage, "immutable"): ["run_id", "raw_data_package_id"],
    (ExecutedReductionStepInputProduct, "immutable"): ["run_id", "data_product_id"],
}
OTHER_VALUES = {
    "place": "cologne/buffer",
    "message": "no route to host",
    "reason": "it is known",
    "informed": "the storage team",
    "created_at": EPOCH,
    "part": 2,
    "pepper_fingerprint": "0" * 8,
    "location_type": "processing",
    "storage_type": "tape",
    "type": "prime_cam",
    "raw_data_file_id": NEW_UUID,
    "data_transfer_package_id": NEW_UUID,
    "data_product_id": NEW_NUMBER,
}
# What makes another row fit, so that no other rule refuses its values.
AS_NEAR = {DeletionRequestItem: lambda item: {"deletion_request__data_location": item.deletion_request.data_location}}
SUBTYPES = {
    "source": (
        "type",
        {FixedSource: "fixed", SolarSystemObject: "solar_system", ConstantElevationSource: "constant_elevation"},
    ),
    "data_location": ("storage_type", {DiskDataLocation: "disk", S3DataLocation: "s3", TapeDataLocation: "tape"}),
    "instrument_module_configuration": (
        "type",
        {ChaiModuleConfiguration: "chai", PrimeCamModuleConfiguration: "prime_cam"},
    ),
    "observation_configuration": (
        "type",
        {ChaiObservationConfiguration: "chai", PrimeCamObservationConfiguration: "prime_cam"},
    ),
}
APPEND_ONLY = {
    DataTransferLog: "a log line is never changed",
    LongTermArchiveTransferLog: "a log line is never changed",
    FixityCheck: "a fixity check is never changed or removed",
    ChangeLog: "history is never changed or removed",
}


def _immutable(model, rule, column, columns):
    table = model._meta.db_table

    @breaks(f"{table}_{rule}")
    def attempt():
        row = FACTORIES[model]()
        other = FACTORIES[model](**AS_NEAR.get(model, lambda row: {})(row))
        value = "solar_system" if model is Source else OTHER_VALUES.get(column, getattr(other, column))
        changes = {column: value}
        if column == "software_id" and model is ReductionStep:
            changes["config_id"] = other.config_id
        return Attempt(
            updates(row, **changes),
            f"{table} {row.pk}: {', '.join(columns)} cannot be changed once set",
            HINTS.get(model) or _hint(model),
        )

    attempt.__name__ = column


HINTS = {
    DeletionRequest: "Make another request, signed in as the user who asks.",
    ExecutedObsUnit: "Have an operator correct what was reported wrongly, with a reason (Correct in the admin).",
}


def _hint(model):
    if model.__name__ in DESIGN["never_deleted"]:
        return "Make a new row instead; this one stays, because it is never deleted."
    return "Make a new row instead, and delete this one if nothing refers to it."


for (_model, _rule), _columns in IMMUTABLE.items():
    for _column in _columns:
        _immutable(_model, _rule, _column, _columns)


def _key(model):
    table = model._meta.db_table

    @breaks(f"{table}_id_immutable")
    def attempt():
        row = FACTORIES[model]()
        key = NEW_UUID if isinstance(row._meta.pk, models.UUIDField) else NEW_NUMBER
        trials = [lambda: execute(f'UPDATE "{table}" SET id = %s WHERE id = %s', key, row.pk)]
        # A queryset of a subtype changes the key of the parent's row.
        if not model._meta.parents:
            trials.append(lambda: model._base_manager.filter(pk=row.pk).update(id=key))
        return Attempt(tuple(trials), f"{table} {row.pk}: id cannot be changed once set", _hint(model))


for _model in MODELS:
    if _model not in APPEND_ONLY:
        _key(_model)


def _subtype(parent, discriminator, model, value, other_model, other_value):
    table = model._meta.db_table
    parent_first = f"Insert the row of {parent} with {discriminator} {value} and the same id first."

    @breaks(f"{table}_subtype")
    def parent_of_another_subtype():
        row, stranger = FACTORIES[model](), FACTORIES[other_model]()
        return Attempt(
            copies(row, id=stranger.pk),
            f"{table} {stranger.pk}: its {parent} must have the {discriminator} {value}, but it has {other_value}",
            parent_first,
        )

    @breaks(f"{table}_subtype")
    def no_parent():
        row = FACTORIES[model]()
        return Attempt(
            copies(row),
            f"{table} {NEW_NUMBER}: its {parent} must have the {discriminator} {value}, but there is none",
            parent_first,
        )

    @breaks(f"{table}_stays_with_parent")
    def deleted_without_its_parent():
        row = FACTORIES[model]()
        return Attempt(
            deletes(row),
            f"{table} {row.pk}: cannot be deleted while its {parent} row stays",
            f"Delete the {parent} row too, in the same transaction.",
        )


for _parent, (_discriminator, _subtypes) in SUBTYPES.items():
    _names = [*_subtypes]
    for _number, (_model, _value) in enumerate(_subtypes.items()):
        _other = _names[_number - 1]
        _subtype(_parent, _discriminator, _model, _value, _other, _subtypes[_other])


def _parent_alone(model):
    table = model._meta.db_table
    discriminator = model.discriminator

    @breaks(f"{table}_subtype_exists")
    def parent_alone():
        row = FACTORIES[model]()
        return Attempt(
            copies(row, name="alone"),
            f"{table} {NEW_NUMBER}: has the {discriminator} {getattr(row, discriminator)}, but no row in "
            f"{row.subtypes()[getattr(row, discriminator)]._meta.db_table}",
            "Insert that row too, with the same id and in the same transaction.",
        )

    @breaks(f"{table}_subtype_exists")
    def parent_alone_made_by_django():
        row = FACTORIES[model]()
        fields = {field.attname: getattr(row, field.attname) for field in model._meta.local_fields}
        fields |= {"id": NEW_NUMBER, "name": "alone"}
        return Attempt(
            (lambda: model._base_manager.create(**fields),),
            f"{table} {NEW_NUMBER}: has the {discriminator} {getattr(row, discriminator)}, but no row in "
            f"{row.subtypes()[getattr(row, discriminator)]._meta.db_table}",
            "Insert that row too, with the same id and in the same transaction.",
        )


for _model in (Source, DataLocation, InstrumentModuleConfiguration, ObservationConfiguration):
    _parent_alone(_model)


CORRECTED_BY_ANOTHER = "Leave it as it is, and record what is right now as another row."


def _append_only(model, message):
    table = model._meta.db_table

    @breaks(f"{table}_append_only")
    def changed():
        row = FACTORIES[model]()
        column = next(field.column for field in model._meta.local_fields if field.get_internal_type() == "CharField")
        return Attempt(updates(row, **{column: "x"}), f"{table} {row.pk}: {message}", CORRECTED_BY_ANOTHER)

    if "removed" in message:

        @breaks(f"{table}_append_only")
        def removed():
            row = FACTORIES[model]()
            return Attempt(deletes(row), f"{table} {row.pk}: {message}", CORRECTED_BY_ANOTHER)


for _model, _message in APPEND_ONLY.items():
    _append_only(_model, _message)


def _never_deleted(name, what):
    table = DESIGNED[name]["table"]

    @breaks(f"{table}_never_deleted")
    def deleted():
        row = FACTORIES[getattr(opsdb.models, name)]()
        return Attempt(
            deletes(row),
            f"{table} {row.pk}: {what} is never deleted",
            "Leave it; what has changed is recorded by its state, or by another row.",
        )


for _name, _what in DESIGN["never_deleted"].items():
    _never_deleted(_name, _what)


OTHER_FACTS = {
    "checksum": checksum(2**40),  # beyond the numbers of factories
    "checksum_algorithm": "blake2b",
    "size_bytes": 1,
    "relative_path": "elsewhere",
    "file_count": 9,
}


def _frozen(factory, fact, facts):
    target = factory._meta.model.objects.target

    @breaks(f"{target}_facts_frozen")
    def attempt():
        row = getattr(factory(verified=True), target)
        return Attempt(
            updates(row, **{fact: OTHER_FACTS[fact]}),
            f"{target} {row.pk}: {', '.join(facts)} cannot be changed, because a copy was verified against them",
            "Leave them as they are; bytes that differ are recorded as a fixity check of their copy.",
        )

    attempt.__name__ = fact


for _factory, _name in (
    (RawDataFilePhysicalCopyFactory, "RawDataFile"),
    (RawDataPackagePhysicalCopyFactory, "RawDataPackage"),
    (DataTransferPackagePhysicalCopyFactory, "DataTransferPackage"),
    (DataProductPhysicalCopyFactory, "DataProduct"),
):
    for _fact in DESIGN["frozen"][_name]:
        _frozen(_factory, _fact, DESIGN["frozen"][_name])


def _location_type(factory, field, wanted):
    table = factory._meta.model._meta.db_table

    def expected(key, location):
        return (
            f"{table} {key}: {field} must be a {wanted} location, but {place_of(location)} is a "
            f"{location.location_type} location",
            f"Choose a location whose type is {wanted}.",
        )

    @breaks(f"{table}_{field}_type")
    def changed_to_a_buffer():
        row, location = factory(), DiskDataLocationFactory()
        return Attempt(updates(row, **{f"{field}_id": location.pk}), *expected(row.pk, location))

    @breaks(f"{table}_{field}_type")
    def made_at_a_source():
        row, location = factory(), DiskDataLocationFactory(source=True)
        other = {"name": "copy"} if table == "pipeline" else {}
        return Attempt(copies(row, **other, **{f"{field}_id": location.pk}), *expected(NEW_NUMBER, location))


for _factory, _field, _wanted in (
    (StagingJobFactory, "destination_location", "processing"),
    (PipelineFactory, "processing_location", "processing"),
):
    _location_type(_factory, _field, _wanted)


# One by one


@breaks("long_term_archive_transfer_destination_location_type")
def archived_to_a_buffer():
    row, location = LongTermArchiveTransferFactory(), DiskDataLocationFactory()
    return Attempt(
        copies(row, destination_location_id=location.pk),
        f"long_term_archive_transfer {NEW_NUMBER}: destination_location must be a long_term_archive location, "
        f"but {place_of(location)} is a buffer location",
        "Choose a location whose type is long_term_archive.",
    )


SERVICES_SIGN_IN_BY_TOKENS = (
    "Programs sign in by tokens; take the user out of the role service first, or make another for the person."
)


def _no_service(user):
    return f"user {user.username}: whoever is in the role service can be neither staff nor superuser"


def _service_is_made(privilege):
    @breaks("user_service_is_no_staff")
    def attempt():
        user = UserFactory(groups=[RoleFactory(name="service")])
        return Attempt(updates(user, **{privilege: True}), _no_service(user), SERVICES_SIGN_IN_BY_TOKENS)

    attempt.__name__ = privilege


def _joins_services(privilege):
    @breaks("user_groups_keep_staff_from_service")
    def attempt():
        user, role = UserFactory(**{privilege: True}), RoleFactory(name="service")
        statement = "INSERT INTO user_groups (user_id, group_id) VALUES (%s, %s)"
        return Attempt(
            (lambda: user.groups.add(role), lambda: execute(statement, user.pk, role.pk)),
            _no_service(user),
            SERVICES_SIGN_IN_BY_TOKENS,
        )

    attempt.__name__ = privilege


for _privilege in ("is_staff", "is_superuser"):
    _service_is_made(_privilege)
    _joins_services(_privilege)


SOURCE_NEEDED = "Give it a source, or choose a mode that looks at nothing on the sky."


@breaks("obs_unit_source_needed")
def source_taken_from_a_unit():
    unit = ObsUnitFactory()
    message = f"obs_unit {unit.pk}: a unit in mode {unit.obs_mode.name} needs a source"
    return Attempt(updates(unit, source_id=None), message, SOURCE_NEEDED)


@breaks("obs_unit_source_needed")
def mode_of_a_unit_comes_to_need_a_source():
    unit, mode = ObsUnitFactory(without_source=True), ObsModeFactory()
    message = f"obs_unit {unit.pk}: a unit in mode {mode.name} needs a source"
    return Attempt(updates(unit, obs_mode_id=mode.pk), message, SOURCE_NEEDED)


@breaks("obs_unit_source_needed")
def unit_made_without_source():
    unit = ObsUnitFactory()
    message = f"obs_unit {NEW_NUMBER}: a unit in mode {unit.obs_mode.name} needs a source"
    return Attempt(copies(unit, name="copy", source_id=None), message, SOURCE_NEEDED)


@breaks("obs_mode_units_have_source")
def mode_comes_to_need_a_source():
    unit = ObsUnitFactory(without_source=True)
    return Attempt(
        updates(unit.obs_mode, needs_source=True),
        f"obs_mode {unit.obs_mode.pk}: cannot be set to need a source, because obs_unit {unit.pk} has none",
        "Give all units of this mode a source first.",
    )


OWN_PROGRAM = "the sub-program must be a part of the unit's own observing program"
CHOOSE_OWN = "Choose a sub-program of that program, or none."


@breaks("obs_unit_sub_observing_program_same_observing_program")
def sub_program_of_another_program():
    unit, sub_program = ObsUnitFactory(), SubObservingProgramFactory()
    trials = updates(unit, sub_observing_program_id=sub_program.pk)
    return Attempt(trials, f"obs_unit {unit.pk}: {OWN_PROGRAM}", CHOOSE_OWN)


@breaks("obs_unit_sub_observing_program_same_observing_program")
def program_changed_but_not_sub_program():
    unit, program = ObsUnitFactory(in_sub_program=True), ObservingProgramFactory()
    trials = updates(unit, observing_program_id=program.pk)
    return Attempt(trials, f"obs_unit {unit.pk}: {OWN_PROGRAM}", CHOOSE_OWN)


@breaks("obs_unit_sub_observing_program_same_observing_program")
def unit_made_in_sub_program_of_another_program():
    unit, program = ObsUnitFactory(in_sub_program=True), ObservingProgramFactory()
    trials = copies(unit, observing_program_id=program.pk)
    return Attempt(trials, f"obs_unit {NEW_NUMBER}: {OWN_PROGRAM}", CHOOSE_OWN)


AT_SOURCE = "Register files at the location that the instrument writes to."


@breaks("raw_data_file_source_location_type")
def file_at_a_buffer():
    file, location = RawDataFileFactory(), DiskDataLocationFactory()
    return Attempt(
        copies(file, source_location_id=location.pk),
        f"raw_data_file {NEW_UUID}: source_location must be a source location, but {place_of(location)} "
        "is a buffer location",
        AT_SOURCE,
    )


@breaks("raw_data_file_source_location_type")
def one_of_many_files_at_an_archive():
    files = RawDataFileFactory.create_batch(2)
    archive = DiskDataLocationFactory(archive=True)
    for number, file in enumerate(files):
        file.pk = UUID(int=number, version=4)
        file.relative_path = f"copy{number}"
    files[1].source_location = archive
    return Attempt(
        (lambda: RawDataFile.objects.bulk_create(files),),
        f"raw_data_file {files[1].pk}: source_location must be a source location, but {place_of(archive)} "
        "is a long_term_archive location",
        AT_SOURCE,
    )


STRANGE = "is of another observation or module"
CHOOSE_PACKAGE = "Choose a package of the same observation and module, or leave raw_data_package_id empty."


@breaks("raw_data_file_package_of_same_execution")
def package_of_another_execution():
    file = RawDataFileFactory()
    package = RawDataPackageFactory(instrument_module=file.instrument_module)
    trials = updates(file, raw_data_package_id=package.pk)
    return Attempt(trials, f"raw_data_file {file.pk}: raw_data_package {package.pk} {STRANGE}", CHOOSE_PACKAGE)


@breaks("raw_data_file_package_of_same_execution")
def package_of_another_module():
    file = RawDataFileFactory()
    package = RawDataPackageFactory(executed_obs_unit=file.executed_obs_unit)
    trials = updates(file, raw_data_package_id=package.pk)
    return Attempt(trials, f"raw_data_file {file.pk}: raw_data_package {package.pk} {STRANGE}", CHOOSE_PACKAGE)


@breaks("raw_data_file_package_entered_of_same_execution")
def file_made_in_package_of_another_execution():
    file = RawDataFileFactory(packaged=True)
    changes = {"relative_path": "copy", "executed_obs_unit_id": ExecutedObsUnitFactory().pk}
    message = f"raw_data_file {NEW_UUID}: raw_data_package {file.raw_data_package_id} {STRANGE}"
    return Attempt(copies(file, **changes), message, CHOOSE_PACKAGE)


@breaks("raw_data_file_package_entered_of_same_execution")
def file_made_in_package_of_another_module():
    file = RawDataFileFactory(packaged=True)
    changes = {"relative_path": "copy", "instrument_module_id": InstrumentModuleFactory().pk}
    message = f"raw_data_file {NEW_UUID}: raw_data_package {file.raw_data_package_id} {STRANGE}"
    return Attempt(copies(file, **changes), message, CHOOSE_PACKAGE)


AT_ENDS = "Choose a location of that site."


@breaks("data_transfer_route_locations_at_ends")
def route_from_a_location_elsewhere():
    route, location = DataTransferRouteFactory(custom=True), DiskDataLocationFactory()
    message = f"data_transfer_route {route.pk}: its origin_location {place_of(location)} is not at its origin site"
    return Attempt(updates(route, origin_location_id=location.pk), message, AT_ENDS)


@breaks("data_transfer_route_locations_at_ends")
def route_to_a_location_elsewhere():
    route, location = DataTransferRouteFactory(custom=True), DiskDataLocationFactory()
    name = place_of(location)
    message = f"data_transfer_route {NEW_NUMBER}: its destination_location {name} is not at its destination site"
    return Attempt(copies(route, name="copy", destination_location_id=location.pk), message, AT_ENDS)


@breaks("data_transfer_route_locations_at_ends")
def route_moved_away_from_its_location():
    route, site = DataTransferRouteFactory(custom=True), SiteFactory()
    name = place_of(route.destination_location)
    message = f"data_transfer_route {route.pk}: its destination_location {name} is not at its destination site"
    return Attempt(updates(route, destination_site_id=site.pk), message, AT_ENDS)


HOP = "the hop before it, does not bring the same bundle to where this one starts"
CHOOSE_HOP = "Choose a transfer of that bundle that ends at the origin of this one, or leave depends_on_id empty."


@breaks("data_transfer_hops_connect")
def hop_from_elsewhere():
    first = DataTransferFactory()
    second = DataTransferFactory(
        data_transfer_package=first.data_transfer_package, origin_location=DiskDataLocationFactory()
    )
    return Attempt(
        updates(second, depends_on_id=first.pk),
        f"data_transfer {second.pk}: data_transfer {first.pk}, {HOP}",
        CHOOSE_HOP,
    )


@breaks("data_transfer_hops_connect")
def hop_of_another_package():
    first = DataTransferFactory()
    second = DataTransferFactory(
        data_transfer_package=DataTransferPackageFactory(), origin_location=first.destination_location
    )
    return Attempt(
        updates(second, depends_on_id=first.pk),
        f"data_transfer {second.pk}: data_transfer {first.pk}, {HOP}",
        CHOOSE_HOP,
    )


@breaks("data_transfer_hops_connect")
def hop_made_after_one_to_elsewhere():
    first = DataTransferFactory()
    location = DiskDataLocationFactory()
    return Attempt(
        copies(first, destination_location_id=location.pk, depends_on_id=first.pk),
        f"data_transfer {NEW_NUMBER}: data_transfer {first.pk}, {HOP}",
        CHOOSE_HOP,
    )


def relay():
    """Two hops of a relay."""
    first = DataTransferFactory()
    return first, DataTransferFactory(
        data_transfer_package=first.data_transfer_package,
        origin_location=first.destination_location,
        depends_on=first,
    )


@breaks("data_transfer_waits_for_hop")
def hop_begun_before_the_one_before_it():
    first, second = relay()
    return Attempt(
        updates(second, status="in_progress", started_at=EPOCH),
        f"data_transfer {second.pk}: cannot become in_progress yet, because data_transfer {first.pk}, the hop before "
        "it, is pending",
        "Wait until that hop is completed; if it has failed, reset it.",
    )


@breaks("data_transfer_waits_for_hop")
def hop_that_waits_for_nothing_yet_and_has_begun():
    first = DataTransferFactory()
    second = DataTransferFactory(
        data_transfer_package=first.data_transfer_package, origin_location=first.destination_location, in_progress=True
    )
    return Attempt(
        updates(second, depends_on_id=first.pk),
        f"data_transfer {second.pk}: cannot become in_progress yet, because data_transfer {first.pk}, the hop before "
        "it, is pending",
        "Wait until that hop is completed; if it has failed, reset it.",
    )


@breaks("data_transfer_waits_for_hop")
def hop_made_as_begun_before_the_one_before_it():
    first, second = relay()
    type(second).objects.filter(pk=second.pk).update(status="failed", failure_message="x", finished_at=EPOCH)
    return Attempt(
        copies(second, status="completed", finished_at=EPOCH),
        f"data_transfer {NEW_NUMBER}: cannot become completed yet, because data_transfer {first.pk}, the hop before "
        "it, is pending",
        "Wait until that hop is completed; if it has failed, reset it.",
    )


@breaks("data_transfer_hop_stays")
def hop_taken_from_the_one_before_it():
    _, second = relay()
    return Attempt(
        updates(second, depends_on_id=None),
        f"data_transfer {second.pk}: depends_on_id cannot be changed once set",
        "Plan another transfer.",
    )


@breaks("data_product_superseded_in_line")
def products_that_supersede_each_other():
    products = DataProductFactory.create_batch(3)
    for product, later in zip(products, products[1:], strict=False):
        updates(product, superseded_by_id=later.pk)[0]()
    first, *_, last = products
    return Attempt(
        updates(last, superseded_by_id=first.pk),
        f"data_product {last.pk}: would supersede itself, by way of data_product {products[1].pk}",
        "Name a product that it does not supersede.",
    )


@breaks("data_product_superseded_in_line")
def product_made_as_superseded_by_what_it_supersedes():
    product = DataProductFactory()
    supersede, _ = updates(product, superseded_by_id=NEW_NUMBER)
    (make,) = copies(product, name="copy", relative_path="copy", superseded_by_id=product.pk)

    def both():
        execute("SET CONSTRAINTS ALL DEFERRED")
        supersede()
        make()

    return Attempt(
        (both,),
        f"data_product {NEW_NUMBER}: would supersede itself, by way of data_product {product.pk}",
        "Name a product that it does not supersede.",
    )


@breaks("deletion_request_item_copy_at_location")
def item_at_another_location():
    item, copy = DeletionRequestItemFactory(), PhysicalCopyFactory()
    message = f"deletion_request {item.deletion_request_id}: physical_copy {copy.pk} is at another location"
    return Attempt(
        (*updates(item, physical_copy_id=copy.pk), *copies(item, physical_copy_id=copy.pk)),
        message,
        "Leave the copy out, or make another request at its location.",
    )


@breaks("reduction_step_config_same_software")
def configuration_of_another_program():
    step, config = ReductionStepFactory(), ReductionStepConfigFactory()
    message = f"reduction_step {step.pk}: its configuration must be one of the same software"
    return Attempt(updates(step, config_id=config.pk), message, "Choose a configuration of that software.")


@breaks("reduction_step_config_same_software")
def step_made_with_configuration_of_another_program():
    step, config = ReductionStepFactory(), ReductionStepConfigFactory()
    message = f"reduction_step {NEW_NUMBER}: its configuration must be one of the same software"
    trials = copies(step, name="copy", config_id=config.pk)
    return Attempt(trials, message, "Choose a configuration of that software.")


@breaks("reduction_step_pinned_version_same_software")
def version_of_another_program():
    step, version = ReductionStepFactory(), ReductionSoftwareVersionFactory()
    message = f"reduction_step {step.pk}: its version must be one of the same software"
    return Attempt(updates(step, pinned_version_id=version.pk), message, "Choose a version of that software, or none.")


@breaks("reduction_step_pinned_version_same_software")
def step_made_with_version_of_another_program():
    step, version = ReductionStepFactory(), ReductionSoftwareVersionFactory()
    message = f"reduction_step {NEW_NUMBER}: its version must be one of the same software"
    trials = copies(step, name="copy", pinned_version_id=version.pk)
    return Attempt(trials, message, "Choose a version of that software, or none.")


@breaks("reduction_step_dependency_same_pipeline")
def waits_for_a_step_of_another_pipeline():
    dependency, other = ReductionStepDependencyFactory(), ReductionStepFactory()
    message = (
        f"reduction_step {dependency.step_id}: cannot wait for reduction_step {other.pk}, which is in another pipeline"
    )
    return Attempt(
        (*updates(dependency, depends_on_id=other.pk), *copies(dependency, depends_on_id=other.pk)),
        message,
        "Choose a step of the same pipeline.",
    )


def chain(length):
    """Steps of one pipeline, each of which waits for the one before."""
    pipeline = PipelineFactory()
    steps = ReductionStepFactory.create_batch(length, pipeline=pipeline)
    links = [
        ReductionStepDependencyFactory(step=step, depends_on=before)
        for before, step in zip(steps, steps[1:], strict=False)
    ]
    return steps, links


NO_CIRCLE = "Choose a step that does not wait for this one."


def _circle(length):
    @breaks("reduction_step_dependency_no_cycle")
    def attempt():
        steps, links = chain(length)
        first, last = steps[0], steps[-1]
        message = f"reduction_step {first.pk}: would wait for itself, by way of reduction_step {last.pk}"
        return Attempt(
            (
                *copies(links[0], step_id=first.pk, depends_on_id=last.pk),
                lambda: first.depends_on.add(last),
            ),
            message,
            NO_CIRCLE,
        )

    attempt.__name__ = f"circle_of_{length}"


for _length in (2, 3, 5):
    _circle(_length)


@breaks("reduction_step_dependency_no_cycle")
def link_turned_into_a_circle():
    steps, links = chain(3)
    free = ReductionStepFactory(pipeline=steps[0].pipeline)
    link = ReductionStepDependencyFactory(step=steps[0], depends_on=free)
    message = f"reduction_step {steps[0].pk}: would wait for itself, by way of reduction_step {steps[2].pk}"
    return Attempt(updates(link, depends_on_id=steps[2].pk), message, NO_CIRCLE)


OTHER_SOFTWARE = "is not one of the software of its step"


@breaks("executed_reduction_step_version_of_software")
def run_of_a_version_of_another_program():
    run, version = ExecutedReductionStepFactory(), ReductionSoftwareVersionFactory()
    message = f"executed_reduction_step {run.pk}: reduction_software_version {version.pk} {OTHER_SOFTWARE}"
    return Attempt(
        updates(run, software_version_id=version.pk), message, "Choose a version of the software of its step."
    )


@breaks("executed_reduction_step_version_of_software")
def run_made_with_a_version_of_another_program():
    run, version = ExecutedReductionStepFactory(), ReductionSoftwareVersionFactory()
    message = f"executed_reduction_step {NEW_NUMBER}: reduction_software_version {version.pk} {OTHER_SOFTWARE}"
    trials = copies(run, sub_group_key="copy", software_version_id=version.pk)
    return Attempt(trials, message, "Choose a version of the software of its step.")

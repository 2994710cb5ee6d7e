# The public names by module, in the order in which data pass the stages. ``__init__.py`` imports a module when one of
# its names is first used.
# ruff: noqa: I001
from .errors import (
    Ambiguous as Ambiguous,
    CompletionConflict as CompletionConflict,
    Conflict as Conflict,
    InvalidTransition as InvalidTransition,
    ClaimEnded as ClaimEnded,
    LostClaim as LostClaim,
    NoRoom as NoRoom,
    NoRoute as NoRoute,
    NotFound as NotFound,
    OpsdbError as OpsdbError,
    ReconciliationAborted as ReconciliationAborted,
    Refused as Refused,
    RegistrationRefused as RegistrationRefused,
    name_row as name_row,
    translate_check_errors as translate_check_errors,
    translate_integrity_errors as translate_integrity_errors,
)
from .attribution import (
    attributed as attributed,
    attributed_to as attributed_to,
    has_actor as has_actor,
    name_actor as name_actor,
    set_actor as set_actor,
)
from .states import (
    move_state as move_state,
)
from .observing import (
    assess_observation as assess_observation,
    correct_observation as correct_observation,
    finish_observation as finish_observation,
    start_observation as start_observation,
)
from .registration import (
    RawFileReport as RawFileReport,
    Registration as Registration,
    register_raw_data_files as register_raw_data_files,
)
from .packaging import (
    claim_packaging as claim_packaging,
    complete_packaging as complete_packaging,
    correct_packaging as correct_packaging,
    fail_packaging as fail_packaging,
    heartbeat_packaging as heartbeat_packaging,
    package_raw_data_files as package_raw_data_files,
    reset_packaging as reset_packaging,
)
from .bundling import (
    bundle_raw_data_packages as bundle_raw_data_packages,
    claim_bundling as claim_bundling,
    complete_bundling as complete_bundling,
    correct_bundling as correct_bundling,
    fail_bundling as fail_bundling,
    heartbeat_bundling as heartbeat_bundling,
    reset_bundling as reset_bundling,
)
from .room import (
    Room as Room,
    count_booked_bytes as count_booked_bytes,
    count_free_bytes as count_free_bytes,
    describe_lack as describe_lack,
    find_time_of_room as find_time_of_room,
)
from .routing import (
    Hop as Hop,
    Network as Network,
    choose_buffer as choose_buffer,
    resolve_route as resolve_route,
)
from .transferring import (
    claim_transfers as claim_transfers,
    complete_transfer as complete_transfer,
    fail_transfer as fail_transfer,
    heartbeat_transfer as heartbeat_transfer,
    plan_transfers as plan_transfers,
    reroute_transfer as reroute_transfer,
    reset_transfer as reset_transfer,
)
from .unpacking import (
    claim_unpacking as claim_unpacking,
    complete_unpacking as complete_unpacking,
    fail_unpacking as fail_unpacking,
    heartbeat_unpacking as heartbeat_unpacking,
    reset_unpacking as reset_unpacking,
)
from .archiving import (
    claim_archive_transfers as claim_archive_transfers,
    complete_archive_transfer as complete_archive_transfer,
    fail_archive_transfer as fail_archive_transfer,
    heartbeat_archive_transfer as heartbeat_archive_transfer,
    plan_archiving as plan_archiving,
    reset_archive_transfer as reset_archive_transfer,
)
from .staging import (
    claim_staging as claim_staging,
    complete_staging as complete_staging,
    expire_staging as expire_staging,
    fail_staging as fail_staging,
    heartbeat_staging as heartbeat_staging,
    list_missing_content as list_missing_content,
    release_staging as release_staging,
    request_staging as request_staging,
    reset_staging as reset_staging,
)
from .planning import (
    list_due_pipelines as list_due_pipelines,
    plan_runs as plan_runs,
)
from .planning_warnings import (
    PlanningProblem as PlanningProblem,
    PlanningWarning as PlanningWarning,
    find_planning_warnings as find_planning_warnings,
)
from .downtime_slots import (
    AffectedSlots as AffectedSlots,
    find_affected_slots as find_affected_slots,
)
from .free_time import (
    SlotConflict as SlotConflict,
    find_slot_conflict as find_slot_conflict,
)
from .versions import (
    choose_software_version as choose_software_version,
)
from .runs import (
    begin_run as begin_run,
    cancel_run as cancel_run,
    claim_runs as claim_runs,
    collect_run as collect_run,
    complete_run as complete_run,
    fail_run as fail_run,
    list_missing_inputs as list_missing_inputs,
    reset_run as reset_run,
    start_run as start_run,
    submit_run as submit_run,
)
from .run_inputs import (
    use_newer_products as use_newer_products,
)
from .products import (
    register_data_product as register_data_product,
    supersede_product as supersede_product,
)
from .publishing import (
    add_to_release as add_to_release,
    create_publication as create_publication,
    create_release as create_release,
    link_publication as link_publication,
    publish_publication as publish_publication,
    publish_release as publish_release,
)
from .arrivals import (
    record_arrival as record_arrival,
    record_arrivals as record_arrivals,
    record_new_copy as record_new_copy,
)
from ._reports import (
    CopyReport as CopyReport,
)
from .work import (
    filter_stalled as filter_stalled,
)
from .restoring import (
    remake_product as remake_product,
    restore_copy as restore_copy,
)
from .repairing import (
    plan_repairs as plan_repairs,
    repair_copy as repair_copy,
    repair_package as repair_package,
)
from .fixity import (
    fail_fixity as fail_fixity,
    list_due_fixity_checks as list_due_fixity_checks,
    record_fixity as record_fixity,
    request_verification as request_verification,
)
from .reconciliation import (
    ListedFile as ListedFile,
    Reconciliation as Reconciliation,
    reconcile_location as reconcile_location,
)
from .deletion import (
    DeletionVerdict as DeletionVerdict,
    Deletions as Deletions,
    cancel_deletion as cancel_deletion,
    claim_deletions as claim_deletions,
    complete_deletion as complete_deletion,
    complete_deletions as complete_deletions,
    explain_deletion as explain_deletion,
    fail_deletion as fail_deletion,
    name_deletion_rule as name_deletion_rule,
    reset_deletion as reset_deletion,
    schedule_deletion as schedule_deletion,
    write_off_copy as write_off_copy,
)
from .deletion_requests import (
    DecisionRights as DecisionRights,
    RequestedDeletion as RequestedDeletion,
    approve_deletion as approve_deletion,
    execute_deletion_request as execute_deletion_request,
    find_decision_rights as find_decision_rights,
    reject_deletion as reject_deletion,
    request_deletion as request_deletion,
)
from .deletion_policy import (
    store_deletion_policy as store_deletion_policy,
)
from .switching import (
    enable_resource as enable_resource,
    get_switch_field as get_switch_field,
    pause_resource as pause_resource,
)
from .finding import (
    find_row as find_row,
)
from .searching import (
    Match as Match,
    MatchedBy as MatchedBy,
    SearchHit as SearchHit,
    SearchResult as SearchResult,
    search_rows as search_rows,
)
from .where import (
    CopyFound as CopyFound,
    Whereabouts as Whereabouts,
    find_copies as find_copies,
)
from .journeys import (
    JourneyStage as JourneyStage,
    JourneyState as JourneyState,
    JourneyStep as JourneyStep,
    trace_journey as trace_journey,
)
from .execution_data import (
    ExecutionData as ExecutionData,
    ExecutionsData as ExecutionsData,
    summarize_execution_data as summarize_execution_data,
)
from .observing_progress import (
    AllocationUse as AllocationUse,
    ProgramTime as ProgramTime,
    TimeUse as TimeUse,
    UnitProgress as UnitProgress,
    list_unit_progress as list_unit_progress,
    measure_program_time as measure_program_time,
)
from .location_stock import (
    HeldBack as HeldBack,
    LocationStock as LocationStock,
    measure_location as measure_location,
)
from .explain import (
    Explanation as Explanation,
    explain_row as explain_row,
)
from .overview import (
    Exactness as Exactness,
    LocationVolume as LocationVolume,
    Overview as Overview,
    RestState as RestState,
    RowCount as RowCount,
    Stage as Stage,
    StageName as StageName,
    StateCount as StateCount,
    Trouble as Trouble,
    get_overview as get_overview,
)
from .failures import (
    Failure as Failure,
    FailureGroup as FailureGroup,
    FailureKind as FailureKind,
    FailureList as FailureList,
    Remedy as Remedy,
    group_failures as group_failures,
    list_failures as list_failures,
    normalize_message as normalize_message,
)
from .acknowledging import (
    acknowledge_failures as acknowledge_failures,
    list_acknowledgements as list_acknowledgements,
    withdraw_acknowledgement as withdraw_acknowledgement,
)
from .traffic import (
    TRAFFIC_STATUSES as TRAFFIC_STATUSES,
    Traffic as Traffic,
    list_open_traffic as list_open_traffic,
)
from .trends import (
    DRAIN_DAYS as DRAIN_DAYS,
    GROWTH_DAYS as GROWTH_DAYS,
    ArchiveDelay as ArchiveDelay,
    DayVolume as DayVolume,
    ProgramWeek as ProgramWeek,
    WholeAllocation as WholeAllocation,
    StageBacklog as StageBacklog,
    StageFailures as StageFailures,
    TrafficRate as TrafficRate,
    VolumeTrend as VolumeTrend,
    count_stage_failures as count_stage_failures,
    measure_archive_delays as measure_archive_delays,
    measure_backlogs as measure_backlogs,
    measure_observing_time as measure_observing_time,
    measure_traffic_rates as measure_traffic_rates,
    measure_volumes as measure_volumes,
)
from .queues import (
    Operation as Operation,
    Queue as Queue,
    format_queue_name as format_queue_name,
    list_queues as list_queues,
)
from .integrity import validate_rules as validate_rules
from .topology import (
    Severity as Severity,
    TopologyProblem as TopologyProblem,
    validate_topology as validate_topology,
)
from .work import settle_conflict as settle_conflict

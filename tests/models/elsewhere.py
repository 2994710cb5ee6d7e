"""Rules that need a story of their own: the tests that try them, by their full name."""

from opsdb.models import DataLocation, Site
from opsdb.models.renaming import former_names_of

from .schema import DESIGN, DESIGNED, LINK_TABLES, MODELS

TRANSITIONS = [
    f"{DESIGNED[model]['table']}_{field}_transition"
    for model, fields in DESIGN["choices"].items()
    for field, enum in fields.items()
    if enum in DESIGN["transitions"]
]
# Which changes of a table the change log keeps.
RECORDED = {model: DESIGN["recording"].get(model.__name__, ["insert", "update", "delete"]) for model in MODELS}


def history_of(model):
    """Return the names of the triggers that write down what changes."""
    names = {f"{model._meta.db_table}_history{of}" for of in ("", "_of_updates", "_of_inserts")}
    return [rule.name for rule in model._meta.constraints if rule.name in names]


HISTORY = [name for model, operations in RECORDED.items() if operations for name in history_of(model)]
KEYS_OF_NEW_ROWS = [
    rule.name for model in MODELS for rule in model._meta.constraints if rule.name.endswith("_history_of_keys")
]
NOTED = [rule.name for model in MODELS for rule in model._meta.constraints if "_activity_of_" in rule.name]
# What happened is never deleted, and history never emptied.
NEVER_DELETED = {DESIGNED[name]["table"]: what for name, what in DESIGN["never_deleted"].items()}
LINKS = [
    f"{link._meta.auto_created._meta.db_table}_{field.name}"
    for link in LINK_TABLES
    for field in link._meta.auto_created._meta.local_many_to_many
    if field.remote_field.through is link
]
NEVER_TRUNCATED = [f"{name}_never_truncated" for name in (*(model._meta.db_table for model in MODELS), *LINKS)]

ACKNOWLEDGING = "tests.workflows.test_acknowledging.test_"
REQUESTS = "tests.workflows.test_deletion_requests.test_"
DELETION = "tests.workflows.test_deletion_rules.test_"
TRIED_BY = {
    "tests.models.test_access.test_a_revoked_token_stays_so": ["api_token_revoked_in_person"],
    "tests.workflows.test_state_machines.test_update_plain_sql_and_move_follow_the_table": TRANSITIONS,
    "tests.models.test_constraints.test_the_database_writes_down_what_changes": HISTORY,
    "tests.test_events.test_new_rows_of_large_tables_are_recorded_by_their_keys": KEYS_OF_NEW_ROWS,
    "tests.test_migrations.test_what_is_guarded_is_never_emptied": NEVER_TRUNCATED,
    "tests.database.test_activity.test_notes_agree_with_the_rows_whatever_becomes_of_them": NOTED,
    "tests.database.test_keys.test_a_link_stays_as_it_is": [f"{name}_link_immutable" for name in LINKS],
    "tests.workflows.test_grouping.test_a_bad_rule_is_refused_with_its_index_and_what_is_wrong": [
        "data_grouping_rules_are_known"
    ],
    f"{DELETION}rule_2_a_doubtful_archive_copy_counts_for_nothing": ["physical_copy_deletion_is_safe"],
    f"{DELETION}a_copy_is_not_born_on_its_way_out": ["physical_copy_born_present"],
    f"{DELETION}the_retention_counts_from_when_the_bytes_came_whatever_a_row_says": [
        "physical_copy_arrives_now",
        "physical_copy_arrival_stays",
    ],
    f"{DELETION}the_retention_begins_again_for_bytes_that_come_again": ["physical_copy_comes_back"],
    f"{DELETION}a_checksum_that_differs_never_counts_as_verified": ["physical_copy_verification_is_true"],
    f"{DELETION}update_does_not_verify_what_nobody_compared": ["physical_copy_verification_is_proven"],
    "tests.workflows.test_deletion.test_plain_updates_race_as_safely_as_workflows": [
        "physical_copy_doubt_waits_for_deletion"
    ],
    "tests.database.test_born_verified.test_no_copy_is_born_verified_or_in_doubt": ["physical_copy_born_unverified"],
    "tests.database.test_born_verified.test_a_check_has_a_possible_time": ["fixity_check_time_possible"],
    "tests.database.test_born_verified.test_a_check_that_differs_takes_the_verification_away": [
        "fixity_check_difference_is_doubt"
    ],
    "tests.workflows.test_unreadable.test_plain_sql_that_records_an_unread_copy_takes_its_verification_too": [
        "fixity_check_unread_is_doubt"
    ],
    "tests.workflows.test_unreadable.test_the_pause_doubles_and_ends_when_it_can_be_read": ["physical_copy_read_again"],
    "tests.loaders.test_renamed.test_what_stands_on_the_mountain_and_is_planned_may_be_renamed": [
        f"{model._meta.db_table}_keeps_former_names"
        for model in MODELS
        if former_names_of(model) and model not in (Site, DataLocation) and not model._meta.parents
    ],
    "tests.loaders.test_renamed.test_a_renamed_location_and_site_stay_what_they_are_in_every_mode": [
        "site_keeps_former_names",
        "data_location_keeps_former_names",
    ],
    "tests.loaders.test_renamed.test_two_locations_of_a_site_are_not_the_same_folder": [
        "disk_data_location_one_per_folder"
    ],
    "tests.workflows.test_hostile_reports.test_an_execution_is_neither_in_the_future_nor_before_first_light": [
        "executed_obs_unit_not_in_future",
        "executed_obs_unit_end_not_in_future",
        "executed_obs_unit_after_first_light",
    ],
    "tests.workflows.test_hostile_reports.test_a_file_of_another_instrument_or_at_a_place_out_of_use_is_refused": [
        "raw_data_file_written_by_its_instrument"
    ],
    "tests.workflows.test_hostile_reports.test_no_file_was_observed_in_the_future": ["raw_data_file_not_in_future"],
    "tests.workflows.test_hostile_reports.test_no_file_was_observed_before_first_light": [
        "raw_data_file_after_first_light",
        "raw_data_file_corrected_after_first_light",
    ],
    "tests.workflows.test_repairs.test_the_database_takes_no_second_transfer_of_what_an_archive_holds_well": [
        "long_term_archive_transfer_again_is_repair"
    ],
    "tests.database.test_archived_facts.test_facts_of_an_archived_file_stay_while_all_copies_are_in_doubt": [
        "raw_data_file_archived_stays"
    ],
    "tests.database.test_archived_facts.test_facts_of_an_archived_package_stay_while_all_copies_are_in_doubt": [
        "raw_data_package_archived_stays"
    ],
    f"{DELETION}a_package_is_not_archived_without_a_verified_archive_copy": ["raw_data_package_archived_is_true"],
    f"{DELETION}an_archive_transfer_is_not_completed_without_a_verified_copy_there": [
        "long_term_archive_transfer_completed_is_true"
    ],
    f"{DELETION}nothing_enters_or_leaves_a_package_that_was_made": [
        "raw_data_file_package_entered",
        "raw_data_file_package_still_open",
    ],
    f"{DELETION}nothing_enters_or_leaves_a_bundle_that_was_made": [
        "raw_data_package_bundle_entered",
        "raw_data_package_bundle_still_open",
    ],
    "tests.workflows.test_packaging.test_packages_whose_making_failed_for_good_are_failed_until_it_is_reset": [
        "raw_data_package_fails_with_its_making",
        "data_transfer_package_packages_fail_with_it",
    ],
    f"{DELETION}what_an_active_staging_job_needs_cannot_be_taken_from_it": [
        "staging_job_raw_data_packages_stay",
        "staging_job_data_products_stay",
    ],
    f"{DELETION}the_inputs_of_a_run_that_has_begun_cannot_be_taken_from_it": [
        "executed_reduction_step_input_packages_stay",
        "executed_reduction_step_input_products_stay",
    ],
    f"{DELETION}what_a_completed_run_was_cannot_be_rewritten": ["executed_reduction_step_what_ran_stays"],
    "tests.workflows.test_deletion.test_no_transfer_is_planned_from_bytes_that_a_worker_is_deleting": [
        "data_transfer_reads_what_stays",
        "long_term_archive_transfer_reads_what_stays",
    ],
    "tests.workflows.test_deletion.test_a_failed_transfer_is_not_tried_again_from_bytes_that_a_worker_is_deleting": [
        "data_transfer_again_reads_what_stays",
        "long_term_archive_transfer_again_reads_what_stays",
    ],
    "tests.workflows.test_deletion.test_a_deletion_waits_for_a_reader_that_is_being_planned_and_then_sees_it": [
        "staging_job_raw_data_packages_wait",
        "staging_job_data_products_wait",
        "executed_reduction_step_input_packages_wait",
        "executed_reduction_step_input_products_wait",
    ],
    f"{ACKNOWLEDGING}nobody_acknowledges_in_the_name_of_another_or_what_has_ended": [
        "failure_acknowledgement_made_in_person"
    ],
    f"{ACKNOWLEDGING}an_acknowledgement_ends_once_and_the_database_sets_when": ["failure_acknowledgement_ends_once"],
    f"{DELETION}a_request_is_not_born_decided": ["deletion_request_born_requested"],
    f"{REQUESTS}nobody_asks_in_the_name_of_another": ["deletion_request_filed_in_person"],
    f"{REQUESTS}only_who_asked_edits_and_withdraws": [
        "deletion_request_edited_in_person",
        "deletion_request_withdrawn_in_person",
    ],
    f"{REQUESTS}the_times_are_those_of_the_database": ["deletion_request_executed_now"],
    f"{DELETION}nobody_decides_in_the_name_of_another": ["deletion_request_decided_in_person"],
    f"{DELETION}nothing_of_a_request_changes_with_or_after_the_decision": [
        "deletion_request_terms_stay",
        "deletion_request_decision_stays",
        "deletion_request_stays_after_decision",
        "deletion_request_item_stays_after_decision",
    ],
    f"{DELETION}a_request_holds_no_more_than_its_limit": ["deletion_request_item_within_limit"],
    f"{DELETION}where_to_look_for_copies_that_may_go_is_kept_by_the_database": [
        "physical_copy_candidate_when_made",
        "physical_copy_candidate_stays",
        "raw_data_package_archived_marks_candidates",
    ],
    "tests.workflows.test_history.test_every_table_of_links_is_recorded_with_the_right_columns": [
        f"{name}_history" for name in LINKS
    ],
    "tests.models.test_inheritance.test_a_change_of_the_subtype_is_a_change_of_its_parent": [
        f"{model._meta.db_table}_touch_parent" for model in MODELS if hasattr(model, "subtype")
    ],
    "tests.workflows.test_deletion.test_a_deletion_waits_for_a_release_of_the_product_and_then_sees_it": [
        "data_release_products_wait",
        "publication_products_wait",
    ],
    "tests.models.test_locations.test_what_a_location_holds_is_counted": [
        "physical_copy_usage_of_inserts",
        "physical_copy_usage_of_updates",
    ],
}

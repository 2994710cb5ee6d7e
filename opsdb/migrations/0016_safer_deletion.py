import opsdb.models.constraints
from opsdb.models.migrating import ChangeConstraints
from django.db import IntegrityError, migrations, models


# Past the triggers: what is marked is no change that anybody made.
MARK_CANDIDATES = """
ALTER TABLE physical_copy DISABLE TRIGGER USER;
UPDATE physical_copy SET deletion_candidate = true WHERE data_product_id IS NOT NULL
OR raw_data_package_id IN (SELECT id FROM raw_data_package WHERE state = 'archived')
OR raw_data_file_id IN (SELECT file.id FROM raw_data_file AS file
    JOIN raw_data_package AS package ON package.id = file.raw_data_package_id WHERE package.state = 'archived')
OR data_transfer_package_id IN (SELECT data_transfer_package_id FROM raw_data_package WHERE state = 'archived');
ALTER TABLE physical_copy ENABLE TRIGGER USER
"""
# A released job that was reset could not be claimed any more, and held its data.
END_RELEASED_JOBS = """
UPDATE staging_job SET status = 'failed', failure_message = 'released before it was staged', claimed_by = '',
    finished_at = statement_timestamp()
WHERE NOT active AND status IN ('pending', 'scheduled', 'in_progress')
"""

SHOWN = 5


def name_rows_that_break_a_check(apps, schema_editor):
    """Say which rows have to be corrected first: PostgreSQL names only the constraint.

    Raises:
        IntegrityError: there are such rows.
    """
    found = []
    many = (operation for operation in Migration.operations if isinstance(operation, ChangeConstraints))
    for operation in (operation for changes in many for operation in changes.operations):
        check = getattr(operation, "constraint", None)
        if not isinstance(check, models.CheckConstraint):
            continue
        model = apps.get_model("opsdb", operation.model_name)
        # A project with a user model of its own has no table for ours.
        if model._meta.swapped:
            continue
        holds = models.ExpressionWrapper(check.condition, output_field=models.BooleanField())
        rows = model._base_manager.using(schema_editor.connection.alias).alias(holds=holds).filter(holds=False)
        if keys := [str(key) for key in rows.order_by().values_list("pk", flat=True)[: SHOWN + 1]]:
            listed = ", ".join(keys[:SHOWN]) + (" and more" if keys[SHOWN:] else "")
            found.append(f"{model._meta.db_table} {listed}: {check.violation_error_message.rstrip('.')}")
    if found:
        raise IntegrityError(f"rows break a new rule; correct them, then migrate again: {'; '.join(found)}")


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("opsdb", "0015_repairs"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="deletionrequest",
            options={
                "permissions": [
                    ("approve_deletionrequest", "Can approve or reject a deletion request of another person"),
                    ("execute_deletionrequest", "Can execute an approved deletion request"),
                ]
            },
        ),
        ChangeConstraints(
            [
                migrations.RemoveConstraint(
                    model_name="apitoken",
                    name="api_token_name_not_blank",
                ),
                migrations.RemoveConstraint(
                    model_name="apitoken",
                    name="api_token_token_prefix_not_blank",
                ),
                migrations.RemoveConstraint(
                    model_name="apitoken",
                    name="api_token_token_hash_not_blank",
                ),
                migrations.RemoveConstraint(
                    model_name="chaiinparparameter",
                    name="chai_inpar_parameter_key_not_blank",
                ),
                migrations.RemoveConstraint(
                    model_name="chaimoduleconfiguration",
                    name="chai_module_configuration_line_id_not_blank",
                ),
                migrations.RemoveConstraint(
                    model_name="changelog",
                    name="change_log_table_name_not_blank",
                ),
                migrations.RemoveConstraint(
                    model_name="changelog",
                    name="change_log_row_id_not_blank",
                ),
                migrations.RemoveConstraint(
                    model_name="changelog",
                    name="change_log_database_user_not_blank",
                ),
                migrations.RemoveConstraint(
                    model_name="datagrouping",
                    name="data_grouping_name_not_blank",
                ),
                migrations.RemoveConstraint(
                    model_name="datalocation",
                    name="data_location_name_not_blank",
                ),
                migrations.RemoveConstraint(
                    model_name="dataproduct",
                    name="data_product_name_not_blank",
                ),
                migrations.RemoveConstraint(
                    model_name="dataproduct",
                    name="data_product_relative_path_not_blank",
                ),
                migrations.RemoveConstraint(
                    model_name="datarelease",
                    name="data_release_name_not_blank",
                ),
                migrations.RemoveConstraint(
                    model_name="datarelease",
                    name="data_release_version_not_blank",
                ),
                migrations.RemoveConstraint(
                    model_name="datatransfer",
                    name="data_transfer_method_not_blank",
                ),
                migrations.RemoveConstraint(
                    model_name="datatransferlog",
                    name="data_transfer_log_message_not_blank",
                ),
                migrations.RemoveConstraint(
                    model_name="datatransferpackage",
                    name="data_transfer_package_name_not_blank",
                ),
                migrations.RemoveConstraint(
                    model_name="datatransferpackage",
                    name="data_transfer_package_relative_path_not_blank",
                ),
                migrations.RemoveConstraint(
                    model_name="datatransferpackage",
                    name="data_transfer_package_id_immutable",
                ),
                migrations.RemoveConstraint(
                    model_name="datatransferroute",
                    name="data_transfer_route_name_not_blank",
                ),
                migrations.RemoveConstraint(
                    model_name="datatransferroute",
                    name="data_transfer_route_method_not_blank",
                ),
                migrations.RemoveConstraint(
                    model_name="deletionrequest",
                    name="deletion_request_reason_not_blank",
                ),
                migrations.RemoveConstraint(
                    model_name="diskdatalocation",
                    name="disk_data_location_path_not_blank",
                ),
                migrations.RemoveConstraint(
                    model_name="downtime",
                    name="downtime_reason_not_blank",
                ),
                migrations.RemoveConstraint(
                    model_name="executedobsunit",
                    name="executed_obs_unit_id_immutable",
                ),
                migrations.RemoveConstraint(
                    model_name="fixitycheck",
                    name="fixity_check_expected_not_blank",
                ),
                migrations.RemoveConstraint(
                    model_name="fixitycheck",
                    name="fixity_check_actual_not_blank",
                ),
                migrations.RemoveConstraint(
                    model_name="instrument",
                    name="instrument_name_not_blank",
                ),
                migrations.RemoveConstraint(
                    model_name="instrumentmodule",
                    name="instrument_module_name_not_blank",
                ),
                migrations.RemoveConstraint(
                    model_name="instrumentmoduleconfiguration",
                    name="instrument_module_configuration_name_not_blank",
                ),
                migrations.RemoveConstraint(
                    model_name="longtermarchivetransferlog",
                    name="long_term_archive_transfer_log_message_not_blank",
                ),
                migrations.RemoveConstraint(
                    model_name="observationconfiguration",
                    name="observation_configuration_name_not_blank",
                ),
                migrations.RemoveConstraint(
                    model_name="observatory",
                    name="observatory_name_not_blank",
                ),
                migrations.RemoveConstraint(
                    model_name="observatory",
                    name="observatory_short_name_not_blank",
                ),
                migrations.RemoveConstraint(
                    model_name="observatory",
                    name="observatory_time_zone_not_blank",
                ),
                migrations.RemoveConstraint(
                    model_name="observingprogram",
                    name="observing_program_name_not_blank",
                ),
                migrations.RemoveConstraint(
                    model_name="observingprogram",
                    name="observing_program_short_name_not_blank",
                ),
                migrations.RemoveConstraint(
                    model_name="obsmode",
                    name="obs_mode_name_not_blank",
                ),
                migrations.RemoveConstraint(
                    model_name="obsunit",
                    name="obs_unit_name_not_blank",
                ),
                migrations.RemoveConstraint(
                    model_name="physicalcopy",
                    name="physical_copy_deletion_is_safe",
                ),
                migrations.RemoveConstraint(
                    model_name="physicalcopy",
                    name="physical_copy_id_immutable",
                ),
                migrations.RemoveConstraint(
                    model_name="physicalcopy",
                    name="physical_copy_history",
                ),
                migrations.RemoveConstraint(
                    model_name="pipeline",
                    name="pipeline_name_not_blank",
                ),
                migrations.RemoveConstraint(
                    model_name="primecamobservationconfiguration",
                    name="prime_cam_observation_configuration_scan_type_not_blank",
                ),
                migrations.RemoveConstraint(
                    model_name="publication",
                    name="publication_title_not_blank",
                ),
                migrations.RemoveConstraint(
                    model_name="rawdatafile",
                    name="raw_data_file_relative_path_not_blank",
                ),
                migrations.RemoveConstraint(
                    model_name="rawdatafile",
                    name="raw_data_file_checksum_not_blank",
                ),
                migrations.RemoveConstraint(
                    model_name="rawdatafile",
                    name="raw_data_file_id_immutable",
                ),
                migrations.RemoveConstraint(
                    model_name="rawdatapackage",
                    name="raw_data_package_name_not_blank",
                ),
                migrations.RemoveConstraint(
                    model_name="rawdatapackage",
                    name="raw_data_package_relative_path_not_blank",
                ),
                migrations.RemoveConstraint(
                    model_name="rawdatapackage",
                    name="raw_data_package_id_immutable",
                ),
                migrations.RemoveConstraint(
                    model_name="rawdatapackagemetadata",
                    name="raw_data_package_metadata_obs_collection_not_blank",
                ),
                migrations.RemoveConstraint(
                    model_name="rawdatapackagemetadata",
                    name="raw_data_package_metadata_obs_id_not_blank",
                ),
                migrations.RemoveConstraint(
                    model_name="rawdatapackagemetadata",
                    name="raw_data_package_metadata_obs_publisher_did_not_blank",
                ),
                migrations.RemoveConstraint(
                    model_name="reductionsoftware",
                    name="reduction_software_name_not_blank",
                ),
                migrations.RemoveConstraint(
                    model_name="reductionsoftwareversion",
                    name="reduction_software_version_version_not_blank",
                ),
                migrations.RemoveConstraint(
                    model_name="reductionstep",
                    name="reduction_step_name_not_blank",
                ),
                migrations.RemoveConstraint(
                    model_name="reductionstepconfig",
                    name="reduction_step_config_name_not_blank",
                ),
                migrations.RemoveConstraint(
                    model_name="reductionstepdependency",
                    name="reduction_step_dependency_no_cycle",
                ),
                migrations.RemoveConstraint(
                    model_name="s3datalocation",
                    name="s3_data_location_bucket_not_blank",
                ),
                migrations.RemoveConstraint(
                    model_name="site",
                    name="site_name_not_blank",
                ),
                migrations.RemoveConstraint(
                    model_name="site",
                    name="site_short_name_not_blank",
                ),
                migrations.RemoveConstraint(
                    model_name="solarsystemobject",
                    name="solar_system_object_ephemeris_name_not_blank",
                ),
                migrations.RemoveConstraint(
                    model_name="source",
                    name="source_name_not_blank",
                ),
                migrations.RemoveConstraint(
                    model_name="subobservingprogram",
                    name="sub_observing_program_name_not_blank",
                ),
                migrations.RemoveConstraint(
                    model_name="subobservingprogram",
                    name="sub_observing_program_short_name_not_blank",
                ),
                migrations.RemoveConstraint(
                    model_name="tapedatalocation",
                    name="tape_data_location_library_not_blank",
                ),
                migrations.RemoveConstraint(
                    model_name="telescope",
                    name="telescope_name_not_blank",
                ),
                migrations.RemoveConstraint(
                    model_name="telescope",
                    name="telescope_short_name_not_blank",
                ),
                migrations.RemoveConstraint(
                    model_name="timeallocation",
                    name="time_allocation_period_not_blank",
                ),
                migrations.RemoveConstraint(
                    model_name="user",
                    name="user_username_not_blank",
                ),
                migrations.RemoveConstraint(
                    model_name="user",
                    name="user_password_not_blank",
                ),
            ]
        ),
        migrations.AddField(
            model_name="physicalcopy",
            name="deletion_candidate",
            field=models.BooleanField(
                blank=True,
                db_comment="Whether an archive has some of its content, or it is a product: where to look for copies that may go; kept by the database.",
                default=False,
                editable=False,
                help_text="Whether an archive has some of its content, or it is a product: where to look for copies that may go; kept by the database.",
                verbose_name="deletion candidate",
            ),
            preserve_default=False,
        ),
        migrations.RunSQL(MARK_CANDIDATES, migrations.RunSQL.noop),
        migrations.RunSQL(END_RELEASED_JOBS, migrations.RunSQL.noop),
        migrations.RunPython(name_rows_that_break_a_check, migrations.RunPython.noop),
        migrations.AddIndex(
            model_name="physicalcopy",
            index=models.Index(
                condition=models.Q(
                    ("deletion_candidate", True), ("status__in", ("present", "staged", "deletion_possible", "corrupt"))
                ),
                fields=["data_location", "status", "arrived_at", "id"],
                name="physical_copy_candidates",
            ),
        ),
        ChangeConstraints(
            [
                migrations.AddConstraint(
                    model_name="apitoken",
                    constraint=models.CheckConstraint(
                        condition=models.Q(("name__regex", "[^[:space:]]")),
                        name="api_token_name_not_blank",
                        violation_error_message="Name must not be blank.",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="apitoken",
                    constraint=models.CheckConstraint(
                        condition=models.Q(("token_prefix__regex", "[^[:space:]]")),
                        name="api_token_token_prefix_not_blank",
                        violation_error_message="Token prefix must not be blank.",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="apitoken",
                    constraint=models.CheckConstraint(
                        condition=models.Q(("token_hash__regex", "[^[:space:]]")),
                        name="api_token_token_hash_not_blank",
                        violation_error_message="Token hash must not be blank.",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="apitoken",
                    constraint=models.CheckConstraint(
                        condition=models.Q(
                            models.Func(
                                models.F("created_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                            models.Func(
                                models.F("updated_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                            models.Func(
                                models.F("expires_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                            models.Func(
                                models.F("last_used_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                            models.Func(
                                models.F("revoked_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                        ),
                        name="api_token_finite_times",
                        violation_error_message="Times and dates must be finite.",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="azimuthrange",
                    constraint=models.CheckConstraint(
                        condition=models.Q(
                            models.Func(
                                models.F("created_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                            models.Func(
                                models.F("updated_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                        ),
                        name="azimuth_range_finite_times",
                        violation_error_message="Times and dates must be finite.",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="chaiinparparameter",
                    constraint=models.CheckConstraint(
                        condition=models.Q(("key__regex", "[^[:space:]]")),
                        name="chai_inpar_parameter_key_not_blank",
                        violation_error_message="Key must not be blank.",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="chaiinparparameter",
                    constraint=models.CheckConstraint(
                        condition=models.Q(
                            models.Func(
                                models.F("created_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                            models.Func(
                                models.F("updated_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                        ),
                        name="chai_inpar_parameter_finite_times",
                        violation_error_message="Times and dates must be finite.",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="chaimoduleconfiguration",
                    constraint=models.CheckConstraint(
                        condition=models.Q(("line_id__regex", "[^[:space:]]")),
                        name="chai_module_configuration_line_id_not_blank",
                        violation_error_message="Line ID must not be blank.",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="chaimoduleconfiguration",
                    constraint=opsdb.models.constraints.Rule(
                        body="UPDATE instrument_module_configuration SET id = id WHERE id = NEW.id;\nRETURN NULL;",
                        events="UPDATE",
                        name="chai_module_configuration_touch_parent",
                        timing="AFTER",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="chaiobservationconfiguration",
                    constraint=opsdb.models.constraints.Rule(
                        body="UPDATE observation_configuration SET id = id WHERE id = NEW.id;\nRETURN NULL;",
                        events="UPDATE",
                        name="chai_observation_configuration_touch_parent",
                        timing="AFTER",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="chaitiling",
                    constraint=models.CheckConstraint(
                        condition=models.Q(
                            models.Func(
                                models.F("created_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                            models.Func(
                                models.F("updated_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                        ),
                        name="chai_tiling_finite_times",
                        violation_error_message="Times and dates must be finite.",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="changelog",
                    constraint=models.CheckConstraint(
                        condition=models.Q(("table_name__regex", "[^[:space:]]")),
                        name="change_log_table_name_not_blank",
                        violation_error_message="Table name must not be blank.",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="changelog",
                    constraint=models.CheckConstraint(
                        condition=models.Q(("row_id__regex", "[^[:space:]]")),
                        name="change_log_row_id_not_blank",
                        violation_error_message="Row ID must not be blank.",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="changelog",
                    constraint=models.CheckConstraint(
                        condition=models.Q(("database_user__regex", "[^[:space:]]")),
                        name="change_log_database_user_not_blank",
                        violation_error_message="Database user must not be blank.",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="changelog",
                    constraint=models.CheckConstraint(
                        condition=models.Q(
                            models.Func(
                                models.F("changed_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            )
                        ),
                        name="change_log_finite_times",
                        violation_error_message="Times and dates must be finite.",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="constantelevationsource",
                    constraint=opsdb.models.constraints.Rule(
                        body="UPDATE source SET id = id WHERE id = NEW.id;\nRETURN NULL;",
                        events="UPDATE",
                        name="constant_elevation_source_touch_parent",
                        timing="AFTER",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="datagrouping",
                    constraint=models.CheckConstraint(
                        condition=models.Q(("name__regex", "[^[:space:]]")),
                        name="data_grouping_name_not_blank",
                        violation_error_message="Name must not be blank.",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="datagrouping",
                    constraint=models.CheckConstraint(
                        condition=models.Q(
                            models.Func(
                                models.F("created_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                            models.Func(
                                models.F("updated_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                        ),
                        name="data_grouping_finite_times",
                        violation_error_message="Times and dates must be finite.",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="datalocation",
                    constraint=models.CheckConstraint(
                        condition=models.Q(("name__regex", "[^[:space:]]")),
                        name="data_location_name_not_blank",
                        violation_error_message="Name must not be blank.",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="datalocation",
                    constraint=models.CheckConstraint(
                        condition=models.Q(
                            models.Func(
                                models.F("created_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                            models.Func(
                                models.F("updated_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                        ),
                        name="data_location_finite_times",
                        violation_error_message="Times and dates must be finite.",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="dataproduct",
                    constraint=opsdb.models.constraints.Rule(
                        body="WHILE later IS NOT NULL LOOP\nlatest = later;\nSELECT superseded_by_id INTO later FROM data_product WHERE id = latest FOR NO KEY UPDATE;\nIF later = NEW.id THEN\nRAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = 'data_product ' || NEW.id || ': would supersede itself, by way of data_product ' || latest, HINT = 'Name a product that it does not supersede.';\nEND IF;\nEND LOOP;\nRETURN NEW;",
                        declare="later bigint := NEW.superseded_by_id; latest bigint;",
                        events="INSERT OR UPDATE OF superseded_by_id",
                        name="data_product_superseded_in_line",
                        when="NEW.superseded_by_id IS NOT NULL AND NEW.superseded_by_id <> NEW.id",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="dataproduct",
                    constraint=opsdb.models.constraints.Rule(
                        body="IF false OR EXISTS (SELECT FROM physical_copy WHERE data_product_id = OLD.id AND verification = 'verified') THEN\nRAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = TG_TABLE_NAME || ' ' || OLD.id || ': checksum, checksum_algorithm, size_bytes, relative_path cannot be changed, because a copy was verified against them';\nEND IF;\nRETURN NEW;",
                        events="UPDATE",
                        name="data_product_facts_frozen",
                        when='OLD."checksum" IS DISTINCT FROM NEW."checksum" OR OLD."checksum_algorithm" IS DISTINCT FROM NEW."checksum_algorithm" OR OLD."size_bytes" IS DISTINCT FROM NEW."size_bytes" OR OLD."relative_path" IS DISTINCT FROM NEW."relative_path"',
                    ),
                ),
                migrations.AddConstraint(
                    model_name="dataproduct",
                    constraint=models.CheckConstraint(
                        condition=models.Q(("name__regex", "[^[:space:]]")),
                        name="data_product_name_not_blank",
                        violation_error_message="Name must not be blank.",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="dataproduct",
                    constraint=models.CheckConstraint(
                        condition=models.Q(("relative_path__regex", "[^[:space:]]")),
                        name="data_product_relative_path_not_blank",
                        violation_error_message="Relative path must not be blank.",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="dataproduct",
                    constraint=models.CheckConstraint(
                        condition=models.Q(
                            models.Func(
                                models.F("created_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                            models.Func(
                                models.F("updated_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                        ),
                        name="data_product_finite_times",
                        violation_error_message="Times and dates must be finite.",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="datarelease",
                    constraint=opsdb.models.constraints.Rule(
                        body="PERFORM FROM data_product WHERE id = NEW.dataproduct_id FOR KEY SHARE;\nRETURN NEW;",
                        events="INSERT",
                        name="data_release_products_wait",
                        table="data_release_products",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="datarelease",
                    constraint=models.CheckConstraint(
                        condition=models.Q(("name__regex", "[^[:space:]]")),
                        name="data_release_name_not_blank",
                        violation_error_message="Name must not be blank.",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="datarelease",
                    constraint=models.CheckConstraint(
                        condition=models.Q(("version__regex", "[^[:space:]]")),
                        name="data_release_version_not_blank",
                        violation_error_message="Version must not be blank.",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="datarelease",
                    constraint=models.CheckConstraint(
                        condition=models.Q(
                            models.Func(
                                models.F("created_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                            models.Func(
                                models.F("updated_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                            models.Func(
                                models.F("released_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                        ),
                        name="data_release_finite_times",
                        violation_error_message="Times and dates must be finite.",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="datarelease",
                    constraint=opsdb.models.constraints.Rule(
                        body="PERFORM opsdb_record_change('data_release', 'update', jsonb_build_object('id', coalesce(NEW.datarelease_id, OLD.datarelease_id), 'products', OLD.dataproduct_id), jsonb_build_object('id', coalesce(NEW.datarelease_id, OLD.datarelease_id), 'products', NEW.dataproduct_id));\nRETURN NULL;",
                        events="INSERT OR UPDATE OR DELETE",
                        name="data_release_products_history",
                        table="data_release_products",
                        timing="AFTER",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="datarelease",
                    constraint=opsdb.models.constraints.Rule(
                        body="PERFORM opsdb_record_change('data_release', 'update', jsonb_build_object('id', coalesce(NEW.datarelease_id, OLD.datarelease_id), 'programs', OLD.observingprogram_id), jsonb_build_object('id', coalesce(NEW.datarelease_id, OLD.datarelease_id), 'programs', NEW.observingprogram_id));\nRETURN NULL;",
                        events="INSERT OR UPDATE OR DELETE",
                        name="data_release_programs_history",
                        table="data_release_programs",
                        timing="AFTER",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="datatransfer",
                    constraint=opsdb.models.constraints.Rule(
                        body="SELECT status INTO state FROM data_transfer WHERE id = NEW.depends_on_id FOR SHARE;\nIF state <> 'completed' THEN\nRAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = 'data_transfer ' || NEW.id || ': cannot be ' || NEW.status || ' before data_transfer ' || NEW.depends_on_id || ', the hop before it, which is ' || state, HINT = 'Complete that hop first.';\nEND IF;\nRETURN NEW;",
                        declare="state text;",
                        events="INSERT OR UPDATE OF status, depends_on_id",
                        name="data_transfer_waits_for_hop",
                        when="NEW.depends_on_id IS NOT NULL AND NEW.status IN ('in_progress', 'completed')",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="datatransfer",
                    constraint=opsdb.models.constraints.Rule(
                        body="RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = 'data_transfer ' || OLD.id || ': depends_on_id cannot be changed once set', HINT = 'Plan another transfer.';",
                        events="UPDATE OF depends_on_id",
                        name="data_transfer_hop_stays",
                        when="OLD.depends_on_id IS NOT NULL AND OLD.depends_on_id IS DISTINCT FROM NEW.depends_on_id",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="datatransfer",
                    constraint=models.CheckConstraint(
                        condition=models.Q(("depends_on__lt", models.F("id"))),
                        name="data_transfer_depends_on_is_older",
                        violation_error_message="A hop depends on one that was planned before it.",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="datatransfer",
                    constraint=models.CheckConstraint(
                        condition=models.Q(("method__regex", "[^[:space:]]")),
                        name="data_transfer_method_not_blank",
                        violation_error_message="Method must not be blank.",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="datatransfer",
                    constraint=models.CheckConstraint(
                        condition=models.Q(
                            models.Func(
                                models.F("created_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                            models.Func(
                                models.F("updated_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                            models.Func(
                                models.F("scheduled_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                            models.Func(
                                models.F("started_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                            models.Func(
                                models.F("heartbeat_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                            models.Func(
                                models.F("finished_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                            models.Func(
                                models.F("unpack_heartbeat_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                            models.Func(
                                models.F("unpacked_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                        ),
                        name="data_transfer_finite_times",
                        violation_error_message="Times and dates must be finite.",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="datatransferlog",
                    constraint=models.CheckConstraint(
                        condition=models.Q(("message__regex", "[^[:space:]]")),
                        name="data_transfer_log_message_not_blank",
                        violation_error_message="Message must not be blank.",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="datatransferlog",
                    constraint=models.CheckConstraint(
                        condition=models.Q(
                            models.Func(
                                models.F("logged_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            )
                        ),
                        name="data_transfer_log_finite_times",
                        violation_error_message="Times and dates must be finite.",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="datatransferpackage",
                    constraint=opsdb.models.constraints.Rule(
                        body="RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = TG_TABLE_NAME || ' ' || OLD.\"id\" || ': id cannot be changed once set', HINT = 'Make a new row instead; this one stays, because it is never deleted.';",
                        events="UPDATE",
                        name="data_transfer_package_id_immutable",
                        when='OLD."id" IS DISTINCT FROM NEW."id"',
                    ),
                ),
                migrations.AddConstraint(
                    model_name="datatransferpackage",
                    constraint=models.CheckConstraint(
                        condition=models.Q(("name__regex", "[^[:space:]]")),
                        name="data_transfer_package_name_not_blank",
                        violation_error_message="Name must not be blank.",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="datatransferpackage",
                    constraint=models.CheckConstraint(
                        condition=models.Q(("relative_path__regex", "[^[:space:]]")),
                        name="data_transfer_package_relative_path_not_blank",
                        violation_error_message="Relative path must not be blank.",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="datatransferpackage",
                    constraint=models.CheckConstraint(
                        condition=models.Q(
                            models.Func(
                                models.F("created_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                            models.Func(
                                models.F("updated_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                            models.Func(
                                models.F("scheduled_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                            models.Func(
                                models.F("started_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                            models.Func(
                                models.F("heartbeat_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                            models.Func(
                                models.F("finished_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                        ),
                        name="data_transfer_package_finite_times",
                        violation_error_message="Times and dates must be finite.",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="datatransferroute",
                    constraint=models.CheckConstraint(
                        condition=models.Q(("name__regex", "[^[:space:]]")),
                        name="data_transfer_route_name_not_blank",
                        violation_error_message="Name must not be blank.",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="datatransferroute",
                    constraint=models.CheckConstraint(
                        condition=models.Q(("method__regex", "[^[:space:]]")),
                        name="data_transfer_route_method_not_blank",
                        violation_error_message="Method must not be blank.",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="datatransferroute",
                    constraint=models.CheckConstraint(
                        condition=models.Q(
                            models.Func(
                                models.F("created_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                            models.Func(
                                models.F("updated_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                        ),
                        name="data_transfer_route_finite_times",
                        violation_error_message="Times and dates must be finite.",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="deletionpolicy",
                    constraint=models.CheckConstraint(
                        condition=models.Q(
                            models.Func(
                                models.F("created_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                            models.Func(
                                models.F("updated_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                        ),
                        name="deletion_policy_finite_times",
                        violation_error_message="Times and dates must be finite.",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="deletionrequest",
                    constraint=models.CheckConstraint(
                        condition=models.Q(("reason__regex", "[^[:space:]]")),
                        name="deletion_request_reason_not_blank",
                        violation_error_message="Reason must not be blank.",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="deletionrequest",
                    constraint=models.CheckConstraint(
                        condition=models.Q(
                            models.Func(
                                models.F("created_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                            models.Func(
                                models.F("updated_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                            models.Func(
                                models.F("decided_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                            models.Func(
                                models.F("executed_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                        ),
                        name="deletion_request_finite_times",
                        violation_error_message="Times and dates must be finite.",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="diskdatalocation",
                    constraint=models.CheckConstraint(
                        condition=models.Q(("path__regex", "[^[:space:]]")),
                        name="disk_data_location_path_not_blank",
                        violation_error_message="Path must not be blank.",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="diskdatalocation",
                    constraint=opsdb.models.constraints.Rule(
                        body="UPDATE data_location SET id = id WHERE id = NEW.id;\nRETURN NULL;",
                        events="UPDATE",
                        name="disk_data_location_touch_parent",
                        timing="AFTER",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="downtime",
                    constraint=models.CheckConstraint(
                        condition=models.Q(("reason__regex", "[^[:space:]]")),
                        name="downtime_reason_not_blank",
                        violation_error_message="Reason must not be blank.",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="downtime",
                    constraint=models.CheckConstraint(
                        condition=models.Q(
                            models.Func(
                                models.F("created_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                            models.Func(
                                models.F("updated_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                            models.Func(
                                models.F("start_time"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                            models.Func(
                                models.F("end_time"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                        ),
                        name="downtime_finite_times",
                        violation_error_message="Times and dates must be finite.",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="executedobsunit",
                    constraint=opsdb.models.constraints.Rule(
                        body="RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = TG_TABLE_NAME || ' ' || OLD.\"id\" || ': id cannot be changed once set', HINT = 'Make a new row instead; this one stays, because it is never deleted.';",
                        events="UPDATE",
                        name="executed_obs_unit_id_immutable",
                        when='OLD."id" IS DISTINCT FROM NEW."id"',
                    ),
                ),
                migrations.AddConstraint(
                    model_name="executedobsunit",
                    constraint=models.CheckConstraint(
                        condition=models.Q(
                            models.Func(
                                models.F("created_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                            models.Func(
                                models.F("updated_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                            models.Func(
                                models.F("start_time"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                            models.Func(
                                models.F("end_time"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                        ),
                        name="executed_obs_unit_finite_times",
                        violation_error_message="Times and dates must be finite.",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="executedreductionstep",
                    constraint=models.CheckConstraint(
                        condition=models.Q(
                            models.Func(
                                models.F("created_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                            models.Func(
                                models.F("updated_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                            models.Func(
                                models.F("submitted_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                            models.Func(
                                models.F("started_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                            models.Func(
                                models.F("finished_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                        ),
                        name="executed_reduction_step_finite_times",
                        violation_error_message="Times and dates must be finite.",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="fixedsource",
                    constraint=opsdb.models.constraints.Rule(
                        body="UPDATE source SET id = id WHERE id = NEW.id;\nRETURN NULL;",
                        events="UPDATE",
                        name="fixed_source_touch_parent",
                        timing="AFTER",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="fixitycheck",
                    constraint=models.CheckConstraint(
                        condition=models.Q(("expected__regex", "[^[:space:]]")),
                        name="fixity_check_expected_not_blank",
                        violation_error_message="Expected must not be blank.",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="fixitycheck",
                    constraint=models.CheckConstraint(
                        condition=models.Q(("actual__regex", "[^[:space:]]")),
                        name="fixity_check_actual_not_blank",
                        violation_error_message="Actual must not be blank.",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="fixitycheck",
                    constraint=models.CheckConstraint(
                        condition=models.Q(
                            models.Func(
                                models.F("created_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                            models.Func(
                                models.F("updated_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                            models.Func(
                                models.F("checked_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                        ),
                        name="fixity_check_finite_times",
                        violation_error_message="Times and dates must be finite.",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="instrument",
                    constraint=models.CheckConstraint(
                        condition=models.Q(("name__regex", "[^[:space:]]")),
                        name="instrument_name_not_blank",
                        violation_error_message="Name must not be blank.",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="instrument",
                    constraint=models.CheckConstraint(
                        condition=models.Q(
                            models.Func(
                                models.F("created_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                            models.Func(
                                models.F("updated_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                        ),
                        name="instrument_finite_times",
                        violation_error_message="Times and dates must be finite.",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="instrumentmodule",
                    constraint=models.CheckConstraint(
                        condition=models.Q(("name__regex", "[^[:space:]]")),
                        name="instrument_module_name_not_blank",
                        violation_error_message="Name must not be blank.",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="instrumentmodule",
                    constraint=models.CheckConstraint(
                        condition=models.Q(
                            models.Func(
                                models.F("created_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                            models.Func(
                                models.F("updated_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                        ),
                        name="instrument_module_finite_times",
                        violation_error_message="Times and dates must be finite.",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="instrumentmoduleconfiguration",
                    constraint=models.CheckConstraint(
                        condition=models.Q(("name__regex", "[^[:space:]]")),
                        name="instrument_module_configuration_name_not_blank",
                        violation_error_message="Name must not be blank.",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="instrumentmoduleconfiguration",
                    constraint=models.CheckConstraint(
                        condition=models.Q(
                            models.Func(
                                models.F("created_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                            models.Func(
                                models.F("updated_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                        ),
                        name="instrument_module_configuration_finite_times",
                        violation_error_message="Times and dates must be finite.",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="longtermarchivetransfer",
                    constraint=models.CheckConstraint(
                        condition=models.Q(
                            models.Func(
                                models.F("created_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                            models.Func(
                                models.F("updated_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                            models.Func(
                                models.F("scheduled_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                            models.Func(
                                models.F("started_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                            models.Func(
                                models.F("heartbeat_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                            models.Func(
                                models.F("finished_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                        ),
                        name="long_term_archive_transfer_finite_times",
                        violation_error_message="Times and dates must be finite.",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="longtermarchivetransferlog",
                    constraint=models.CheckConstraint(
                        condition=models.Q(("message__regex", "[^[:space:]]")),
                        name="long_term_archive_transfer_log_message_not_blank",
                        violation_error_message="Message must not be blank.",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="longtermarchivetransferlog",
                    constraint=models.CheckConstraint(
                        condition=models.Q(
                            models.Func(
                                models.F("logged_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            )
                        ),
                        name="long_term_archive_transfer_log_finite_times",
                        violation_error_message="Times and dates must be finite.",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="observationconfiguration",
                    constraint=models.CheckConstraint(
                        condition=models.Q(("name__regex", "[^[:space:]]")),
                        name="observation_configuration_name_not_blank",
                        violation_error_message="Name must not be blank.",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="observationconfiguration",
                    constraint=models.CheckConstraint(
                        condition=models.Q(
                            models.Func(
                                models.F("created_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                            models.Func(
                                models.F("updated_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                        ),
                        name="observation_configuration_finite_times",
                        violation_error_message="Times and dates must be finite.",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="observatory",
                    constraint=models.CheckConstraint(
                        condition=models.Q(("name__regex", "[^[:space:]]")),
                        name="observatory_name_not_blank",
                        violation_error_message="Name must not be blank.",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="observatory",
                    constraint=models.CheckConstraint(
                        condition=models.Q(("short_name__regex", "[^[:space:]]")),
                        name="observatory_short_name_not_blank",
                        violation_error_message="Short name must not be blank.",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="observatory",
                    constraint=models.CheckConstraint(
                        condition=models.Q(("time_zone__regex", "[^[:space:]]")),
                        name="observatory_time_zone_not_blank",
                        violation_error_message="Time zone must not be blank.",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="observatory",
                    constraint=models.CheckConstraint(
                        condition=models.Q(
                            models.Func(
                                models.F("created_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                            models.Func(
                                models.F("updated_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                        ),
                        name="observatory_finite_times",
                        violation_error_message="Times and dates must be finite.",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="observingprogram",
                    constraint=models.CheckConstraint(
                        condition=models.Q(("name__regex", "[^[:space:]]")),
                        name="observing_program_name_not_blank",
                        violation_error_message="Name must not be blank.",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="observingprogram",
                    constraint=models.CheckConstraint(
                        condition=models.Q(("short_name__regex", "[^[:space:]]")),
                        name="observing_program_short_name_not_blank",
                        violation_error_message="Short name must not be blank.",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="observingprogram",
                    constraint=models.CheckConstraint(
                        condition=models.Q(
                            models.Func(
                                models.F("created_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                            models.Func(
                                models.F("updated_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                        ),
                        name="observing_program_finite_times",
                        violation_error_message="Times and dates must be finite.",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="observingprogram",
                    constraint=opsdb.models.constraints.Rule(
                        body="PERFORM opsdb_record_change('observing_program', 'update', jsonb_build_object('id', coalesce(NEW.observingprogram_id, OLD.observingprogram_id), 'instruments', OLD.instrument_id), jsonb_build_object('id', coalesce(NEW.observingprogram_id, OLD.observingprogram_id), 'instruments', NEW.instrument_id));\nRETURN NULL;",
                        events="INSERT OR UPDATE OR DELETE",
                        name="observing_program_instruments_history",
                        table="observing_program_instruments",
                        timing="AFTER",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="obsmode",
                    constraint=models.CheckConstraint(
                        condition=models.Q(("name__regex", "[^[:space:]]")),
                        name="obs_mode_name_not_blank",
                        violation_error_message="Name must not be blank.",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="obsmode",
                    constraint=models.CheckConstraint(
                        condition=models.Q(
                            models.Func(
                                models.F("created_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                            models.Func(
                                models.F("updated_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                        ),
                        name="obs_mode_finite_times",
                        violation_error_message="Times and dates must be finite.",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="obsunit",
                    constraint=models.CheckConstraint(
                        condition=models.Q(("name__regex", "[^[:space:]]")),
                        name="obs_unit_name_not_blank",
                        violation_error_message="Name must not be blank.",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="obsunit",
                    constraint=models.CheckConstraint(
                        condition=models.Q(
                            models.Func(
                                models.F("created_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                            models.Func(
                                models.F("updated_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                        ),
                        name="obs_unit_finite_times",
                        violation_error_message="Times and dates must be finite.",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="obsunit",
                    constraint=opsdb.models.constraints.Rule(
                        body="PERFORM opsdb_record_change('obs_unit', 'update', jsonb_build_object('id', coalesce(NEW.obsunit_id, OLD.obsunit_id), 'module_configurations', OLD.instrumentmoduleconfiguration_id), jsonb_build_object('id', coalesce(NEW.obsunit_id, OLD.obsunit_id), 'module_configurations', NEW.instrumentmoduleconfiguration_id));\nRETURN NULL;",
                        events="INSERT OR UPDATE OR DELETE",
                        name="obs_unit_module_configurations_history",
                        table="obs_unit_module_configurations",
                        timing="AFTER",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="physicalcopy",
                    constraint=opsdb.models.constraints.Rule(
                        body="IF current_setting('transaction_isolation') NOT IN ('read committed', 'read uncommitted') THEN\nRAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = 'physical_copy ' || OLD.id || ': a ' || current_setting('transaction_isolation') || ' transaction does not see what has become doubtful meanwhile', HINT = 'Delete in a READ COMMITTED transaction.';\nEND IF;\nIF NEW.data_transfer_package_id IS NOT NULL THEN\nPERFORM FROM data_transfer_package WHERE id = NEW.data_transfer_package_id FOR UPDATE;\nPERFORM FROM raw_data_package WHERE data_transfer_package_id = NEW.data_transfer_package_id ORDER BY id FOR UPDATE;\nELSIF NEW.raw_data_package_id IS NOT NULL THEN\nPERFORM FROM raw_data_package WHERE id = NEW.raw_data_package_id FOR UPDATE;\nELSIF NEW.raw_data_file_id IS NOT NULL THEN\nPERFORM FROM raw_data_package WHERE id = (SELECT raw_data_package_id FROM raw_data_file\nWHERE id = NEW.raw_data_file_id) FOR UPDATE;\nIF NOT FOUND THEN\nPERFORM FROM raw_data_file WHERE id = NEW.raw_data_file_id FOR UPDATE;\nEND IF;\nELSE\nPERFORM FROM data_product WHERE id = NEW.data_product_id FOR UPDATE;\nEND IF;\nSELECT * INTO blocker FROM opsdb_deletion_blocker(OLD.id);\nIF blocker.rule IS NOT NULL THEN\nRAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = 'physical_copy ' || OLD.id || ': deletion rule ' || blocker.rule || ': ' || blocker.why;\nEND IF;\nRETURN NEW;",
                        declare="blocker record;",
                        events="UPDATE OF status",
                        helper=(
                            "opsdb_deletion_blocker(bigint)",
                            "CREATE FUNCTION opsdb_deletion_blocker(copy_id bigint, OUT rule integer, OUT held_by text, OUT why text)\nLANGUAGE plpgsql STABLE COST 10000 AS $helper$\nDECLARE\ncandidate record;\nplace record;\npackage record;\npackage_ids uuid[];\nneeded integer;\nsafe integer;\ndoubt text;\nheld numeric;\nBEGIN\nSELECT * INTO candidate FROM physical_copy WHERE id = copy_id;\nSELECT * INTO place FROM data_location WHERE id = candidate.data_location_id;\nIF place.location_type = 'long_term_archive' THEN\nrule = 1;\nheld_by = 'data_location ' || place.id;\nwhy = 'copies in the long-term archive ' || place.name || ' are permanent';\nRETURN;\nEND IF;\nIF candidate.raw_data_package_id IS NOT NULL THEN\npackage_ids = ARRAY[candidate.raw_data_package_id];\nELSIF candidate.raw_data_file_id IS NOT NULL THEN\nSELECT array_agg(raw_data_package_id) INTO package_ids FROM raw_data_file\nWHERE id = candidate.raw_data_file_id AND raw_data_package_id IS NOT NULL;\nELSIF candidate.data_transfer_package_id IS NOT NULL THEN\nSELECT array_agg(id) INTO package_ids FROM raw_data_package\nWHERE data_transfer_package_id = candidate.data_transfer_package_id;\nEND IF;\nIF candidate.data_product_id IS NOT NULL AND NOT EXISTS (SELECT FROM physical_copy AS other\nWHERE other.data_product_id = candidate.data_product_id AND other.data_location_id <> place.id\nAND other.status IN ('present', 'staged', 'deletion_possible') AND other.verification <> 'mismatch') THEN\nSELECT 'data_product ' || product.id || ' has no other copy that can be read, and ' || CASE\nWHEN product.superseded_by_id IS NULL THEN 'nothing supersedes it'\nWHEN EXISTS (SELECT FROM data_release_products WHERE dataproduct_id = product.id)\nTHEN 'data_release ' || (SELECT min(datarelease_id) FROM data_release_products WHERE dataproduct_id = product.id)\n|| ' holds it'\nWHEN EXISTS (SELECT FROM publication_products WHERE dataproduct_id = product.id)\nTHEN 'publication ' || (SELECT min(publication_id) FROM publication_products WHERE dataproduct_id = product.id)\n|| ' uses it'\nEND INTO doubt FROM data_product AS product WHERE product.id = candidate.data_product_id;\nIF doubt IS NOT NULL THEN\nrule = 2;\nheld_by = 'data_product ' || candidate.data_product_id;\nwhy = doubt;\nRETURN;\nEND IF;\nEND IF;\nIF package_ids IS NULL AND candidate.data_product_id IS NULL THEN\nheld_by = CASE WHEN candidate.raw_data_file_id IS NOT NULL THEN 'raw_data_file ' || candidate.raw_data_file_id\nELSE 'data_transfer_package ' || candidate.data_transfer_package_id END;\nIF place.location_type <> 'processing' OR NOT EXISTS (SELECT FROM physical_copy AS other\nWHERE other.raw_data_file_id = candidate.raw_data_file_id AND other.data_location_id <> place.id\nAND other.status IN ('present', 'staged', 'deletion_possible') AND other.verification <> 'mismatch') THEN\nrule = 2;\nwhy = held_by || ' is in no raw data package that could be safe in an archive';\nRETURN;\nEND IF;\nheld_by = NULL;\nEND IF;\nSELECT coalesce(max(min_archive_copies), 1) INTO needed FROM deletion_policy;\nFOR package IN SELECT * FROM raw_data_package WHERE id = ANY (package_ids) ORDER BY id LOOP\ndoubt = NULL;\nIF package.state <> 'archived' THEN\ndoubt = 'raw_data_package ' || package.id || ' is ' || package.state || ', not archived';\nELSE\nSELECT count(*) INTO safe FROM physical_copy AS archived\nJOIN data_location ON data_location.id = archived.data_location_id\nWHERE archived.raw_data_package_id = package.id\nAND data_location.location_type = 'long_term_archive'\nAND archived.status = 'present' AND archived.verification = 'verified'\nAND archived.checksum = package.checksum AND archived.checksum_algorithm = package.checksum_algorithm;\nIF safe < needed THEN\ndoubt = 'raw_data_package ' || package.id || ' has ' || safe\n|| ' verified archive copies elsewhere, and needs ' || needed;\nEND IF;\nEND IF;\nIF doubt IS NOT NULL AND place.location_type = 'processing' AND (\nEXISTS (SELECT FROM physical_copy AS other WHERE other.raw_data_package_id = package.id\nAND other.data_location_id <> place.id AND other.status IN ('present', 'staged', 'deletion_possible') AND other.verification <> 'mismatch')\nOR EXISTS (SELECT FROM physical_copy AS other WHERE other.raw_data_file_id = candidate.raw_data_file_id\nAND other.data_location_id <> place.id AND other.status IN ('present', 'staged', 'deletion_possible') AND other.verification <> 'mismatch')\nOR EXISTS (SELECT FROM physical_copy AS other\nWHERE other.data_transfer_package_id = candidate.data_transfer_package_id\nAND other.data_location_id <> place.id AND other.status IN ('present', 'staged', 'deletion_possible') AND other.verification <> 'mismatch')) THEN\ndoubt = NULL;\nEND IF;\nIF doubt IS NOT NULL THEN\nrule = 2;\nheld_by = 'raw_data_package ' || package.id;\nwhy = doubt;\nRETURN;\nEND IF;\nEND LOOP;\nIF candidate.status = 'missing' THEN\nRETURN;\nEND IF;\nIF candidate.data_transfer_package_id IS NOT NULL THEN\nSELECT 'data_transfer ' || id INTO held_by FROM data_transfer\nWHERE data_transfer_package_id = candidate.data_transfer_package_id AND origin_location_id = place.id\nAND status IN ('pending', 'scheduled', 'in_progress') ORDER BY id LIMIT 1;\nIF held_by IS NOT NULL THEN\nrule = 3;\nwhy = held_by || ' still needs it';\nRETURN;\nEND IF;\nSELECT 'data_transfer ' || id INTO held_by FROM data_transfer\nWHERE data_transfer_package_id = candidate.data_transfer_package_id AND destination_location_id = place.id\nAND status <> 'failed' AND unpack_status <> 'completed' ORDER BY id LIMIT 1;\nIF held_by IS NOT NULL THEN\nrule = 3;\nwhy = held_by || ' has not been unpacked and still needs it';\nRETURN;\nEND IF;\nEND IF;\nIF candidate.raw_data_package_id IS NOT NULL THEN\nSELECT 'long_term_archive_transfer ' || id INTO held_by FROM long_term_archive_transfer\nWHERE raw_data_package_id = candidate.raw_data_package_id AND status IN ('pending', 'scheduled', 'in_progress')\nAND coalesce(origin_location_id, place.id) = place.id ORDER BY id LIMIT 1;\nIF held_by IS NOT NULL THEN\nrule = 3;\nwhy = held_by || ' still needs it';\nRETURN;\nEND IF;\nSELECT 'data_transfer_package ' || bundle.id INTO held_by FROM data_transfer_package AS bundle\nJOIN raw_data_package ON raw_data_package.data_transfer_package_id = bundle.id\nWHERE raw_data_package.id = candidate.raw_data_package_id AND bundle.status IN ('pending', 'scheduled', 'in_progress')\nAND bundle.origin_location_id = place.id;\nIF held_by IS NOT NULL THEN\nrule = 3;\nwhy = held_by || ' still needs it';\nRETURN;\nEND IF;\nSELECT 'staging_job ' || job.id INTO held_by FROM staging_job_raw_data_packages AS staged\nJOIN staging_job AS job ON job.id = staged.stagingjob_id\nWHERE staged.rawdatapackage_id = candidate.raw_data_package_id AND job.status IN ('pending', 'scheduled', 'in_progress')\nORDER BY job.id LIMIT 1;\nIF held_by IS NOT NULL THEN\nrule = 3;\nwhy = held_by || ' still needs it';\nRETURN;\nEND IF;\nEND IF;\nIF candidate.data_product_id IS NOT NULL THEN\nSELECT 'staging_job ' || job.id INTO held_by FROM staging_job_data_products AS staged\nJOIN staging_job AS job ON job.id = staged.stagingjob_id\nWHERE staged.dataproduct_id = candidate.data_product_id AND job.status IN ('pending', 'scheduled', 'in_progress') ORDER BY job.id LIMIT 1;\nIF held_by IS NOT NULL THEN\nrule = 3;\nwhy = held_by || ' still needs it';\nRETURN;\nEND IF;\nEND IF;\nIF place.location_type = 'processing' THEN\nSELECT 'staging_job ' || job.id INTO held_by FROM staging_job_raw_data_packages AS staged\nJOIN staging_job AS job ON job.id = staged.stagingjob_id\nWHERE staged.rawdatapackage_id = ANY (package_ids) AND job.active AND job.destination_location_id = place.id\nORDER BY job.id LIMIT 1;\nIF held_by IS NOT NULL THEN\nrule = 4;\nwhy = held_by || ' still needs it there';\nRETURN;\nEND IF;\nSELECT 'staging_job ' || job.id INTO held_by FROM staging_job_data_products AS staged\nJOIN staging_job AS job ON job.id = staged.stagingjob_id\nWHERE staged.dataproduct_id = candidate.data_product_id AND job.active AND job.destination_location_id = place.id\nORDER BY job.id LIMIT 1;\nIF held_by IS NOT NULL THEN\nrule = 4;\nwhy = held_by || ' still needs it there';\nRETURN;\nEND IF;\nSELECT 'executed_reduction_step ' || run.id INTO held_by FROM executed_reduction_step_input_package AS input\nJOIN executed_reduction_step AS run ON run.id = input.run_id\nWHERE input.raw_data_package_id = ANY (package_ids) AND run.status IN ('pending', 'staging_data', 'submitted', 'running', 'collecting_results') ORDER BY run.id LIMIT 1;\nIF held_by IS NOT NULL THEN\nrule = 4;\nwhy = held_by || ' still needs it there';\nRETURN;\nEND IF;\nSELECT 'executed_reduction_step ' || run.id INTO held_by FROM executed_reduction_step_input_product AS input\nJOIN executed_reduction_step AS run ON run.id = input.run_id\nWHERE input.data_product_id = candidate.data_product_id AND run.status IN ('pending', 'staging_data', 'submitted', 'running', 'collecting_results') ORDER BY run.id LIMIT 1;\nIF held_by IS NOT NULL THEN\nrule = 4;\nwhy = held_by || ' still needs it there';\nRETURN;\nEND IF;\nEND IF;\nIF candidate.arrived_at + make_interval(days => place.retention_days) <= statement_timestamp() THEN\nRETURN;\nEND IF;\nIF EXISTS (SELECT FROM deletion_request_item AS item JOIN deletion_request AS request\nON request.id = item.deletion_request_id WHERE item.physical_copy_id = candidate.id AND request.overrides_retention\nAND (request.status = 'approved' OR (request.status = 'executed'\nAND candidate.status IN ('deletion_scheduled', 'deletion_failed')))) THEN\nRETURN;\nEND IF;\nIF place.capacity_bytes IS NOT NULL AND place.deletion_threshold_percent IS NOT NULL THEN\nSELECT coalesce(sum(bytes), 0) INTO held FROM data_location_usage WHERE data_location_id = place.id;\nIF held * 100 > place.capacity_bytes * place.deletion_threshold_percent::numeric THEN\nRETURN;\nEND IF;\nEND IF;\nrule = 5;\nheld_by = 'data_location ' || place.id;\nwhy = CASE WHEN place.retention_days IS NULL THEN 'location ' || place.name || ' keeps its data' ELSE 'the retention of ' || place.retention_days || ' days at location ' || place.name || ' has not passed' END || ', it is not over its fill threshold, and no approved request overrides that';\nRETURN;\nEND\n$helper$",
                        ),
                        name="physical_copy_deletion_is_safe",
                        when="OLD.status IS DISTINCT FROM NEW.status AND (NEW.status IN ('deletion_possible', 'deletion_scheduled', 'deletion_in_progress') OR (NEW.status = 'deleted' AND OLD.status <> 'deletion_in_progress'))",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="physicalcopy",
                    constraint=opsdb.models.constraints.Rule(
                        body="IF NEW.data_product_id IS NOT NULL THEN\nNEW.deletion_candidate = true;\nELSE\nPERFORM FROM raw_data_package WHERE id = NEW.raw_data_package_id\nOR id = (SELECT raw_data_package_id FROM raw_data_file WHERE id = NEW.raw_data_file_id)\nOR data_transfer_package_id = NEW.data_transfer_package_id ORDER BY id FOR SHARE;\nNEW.deletion_candidate = EXISTS (SELECT FROM raw_data_package WHERE state = 'archived'\nAND (id = NEW.raw_data_package_id\nOR id = (SELECT raw_data_package_id FROM raw_data_file WHERE id = NEW.raw_data_file_id)\nOR data_transfer_package_id = NEW.data_transfer_package_id));\nEND IF;\nRETURN NEW;",
                        events="INSERT",
                        name="physical_copy_candidate_when_made",
                        when="NEW.deletion_candidate IS NULL",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="physicalcopy",
                    constraint=opsdb.models.constraints.Rule(
                        body="NEW.deletion_candidate = true;\nRETURN NEW;",
                        events="UPDATE OF deletion_candidate",
                        name="physical_copy_candidate_stays",
                        when="OLD.deletion_candidate AND NEW.deletion_candidate IS DISTINCT FROM true",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="physicalcopy",
                    constraint=opsdb.models.constraints.Rule(
                        body="RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = TG_TABLE_NAME || ' ' || OLD.\"id\" || ': id cannot be changed once set', HINT = 'Make a new row instead; this one stays, because it is never deleted.';",
                        events="UPDATE",
                        name="physical_copy_id_immutable",
                        when='OLD."id" IS DISTINCT FROM NEW."id"',
                    ),
                ),
                migrations.AddConstraint(
                    model_name="physicalcopy",
                    constraint=models.CheckConstraint(
                        condition=models.Q(
                            models.Func(
                                models.F("created_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                            models.Func(
                                models.F("updated_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                            models.Func(
                                models.F("arrived_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                            models.Func(
                                models.F("verified_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                            models.Func(
                                models.F("deletion_requested_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                            models.Func(
                                models.F("deleted_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                        ),
                        name="physical_copy_finite_times",
                        violation_error_message="Times and dates must be finite.",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="physicalcopy",
                    constraint=opsdb.models.constraints.Rule(
                        body="PERFORM opsdb_record_change(TG_TABLE_NAME, lower(TG_OP), to_jsonb(OLD) - 'deletion_candidate', to_jsonb(NEW) - 'deletion_candidate');\nRETURN NULL;",
                        events='UPDATE OF "created_at", "updated_at", "id", "data_location_id", "status", "raw_data_file_id", "raw_data_package_id", "data_transfer_package_id", "data_product_id", "size_bytes", "checksum", "checksum_algorithm", "arrived_at", "verified_at", "verification", "retry_count", "failure_message", "deletion_requested_at", "deleted_at" OR DELETE',
                        name="physical_copy_history",
                        timing="AFTER",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="pipeline",
                    constraint=models.CheckConstraint(
                        condition=models.Q(("name__regex", "[^[:space:]]")),
                        name="pipeline_name_not_blank",
                        violation_error_message="Name must not be blank.",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="pipeline",
                    constraint=models.CheckConstraint(
                        condition=models.Q(
                            models.Func(
                                models.F("created_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                            models.Func(
                                models.F("updated_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                            models.Func(
                                models.F("last_planned_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                        ),
                        name="pipeline_finite_times",
                        violation_error_message="Times and dates must be finite.",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="prescheduledslot",
                    constraint=models.CheckConstraint(
                        condition=models.Q(
                            models.Func(
                                models.F("created_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                            models.Func(
                                models.F("updated_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                            models.Func(
                                models.F("start_time"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                            models.Func(
                                models.F("end_time"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                        ),
                        name="pre_scheduled_slot_finite_times",
                        violation_error_message="Times and dates must be finite.",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="primecammoduleconfiguration",
                    constraint=opsdb.models.constraints.Rule(
                        body="UPDATE instrument_module_configuration SET id = id WHERE id = NEW.id;\nRETURN NULL;",
                        events="UPDATE",
                        name="prime_cam_module_configuration_touch_parent",
                        timing="AFTER",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="primecamobservationconfiguration",
                    constraint=models.CheckConstraint(
                        condition=models.Q(("scan_type__regex", "[^[:space:]]")),
                        name="prime_cam_observation_configuration_scan_type_not_blank",
                        violation_error_message="Scan type must not be blank.",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="primecamobservationconfiguration",
                    constraint=opsdb.models.constraints.Rule(
                        body="UPDATE observation_configuration SET id = id WHERE id = NEW.id;\nRETURN NULL;",
                        events="UPDATE",
                        name="prime_cam_observation_configuration_touch_parent",
                        timing="AFTER",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="publication",
                    constraint=opsdb.models.constraints.Rule(
                        body="PERFORM FROM data_product WHERE id = NEW.dataproduct_id FOR KEY SHARE;\nRETURN NEW;",
                        events="INSERT",
                        name="publication_products_wait",
                        table="publication_products",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="publication",
                    constraint=models.CheckConstraint(
                        condition=models.Q(("title__regex", "[^[:space:]]")),
                        name="publication_title_not_blank",
                        violation_error_message="Title must not be blank.",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="publication",
                    constraint=models.CheckConstraint(
                        condition=models.Q(
                            models.Func(
                                models.F("created_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                            models.Func(
                                models.F("updated_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                        ),
                        name="publication_finite_times",
                        violation_error_message="Times and dates must be finite.",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="publication",
                    constraint=opsdb.models.constraints.Rule(
                        body="PERFORM opsdb_record_change('publication', 'update', jsonb_build_object('id', coalesce(NEW.publication_id, OLD.publication_id), 'programs', OLD.observingprogram_id), jsonb_build_object('id', coalesce(NEW.publication_id, OLD.publication_id), 'programs', NEW.observingprogram_id));\nRETURN NULL;",
                        events="INSERT OR UPDATE OR DELETE",
                        name="publication_programs_history",
                        table="publication_programs",
                        timing="AFTER",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="publication",
                    constraint=opsdb.models.constraints.Rule(
                        body="PERFORM opsdb_record_change('publication', 'update', jsonb_build_object('id', coalesce(NEW.publication_id, OLD.publication_id), 'releases', OLD.datarelease_id), jsonb_build_object('id', coalesce(NEW.publication_id, OLD.publication_id), 'releases', NEW.datarelease_id));\nRETURN NULL;",
                        events="INSERT OR UPDATE OR DELETE",
                        name="publication_releases_history",
                        table="publication_releases",
                        timing="AFTER",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="publication",
                    constraint=opsdb.models.constraints.Rule(
                        body="PERFORM opsdb_record_change('publication', 'update', jsonb_build_object('id', coalesce(NEW.publication_id, OLD.publication_id), 'products', OLD.dataproduct_id), jsonb_build_object('id', coalesce(NEW.publication_id, OLD.publication_id), 'products', NEW.dataproduct_id));\nRETURN NULL;",
                        events="INSERT OR UPDATE OR DELETE",
                        name="publication_products_history",
                        table="publication_products",
                        timing="AFTER",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="rawdatafile",
                    constraint=opsdb.models.constraints.Rule(
                        body="RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = TG_TABLE_NAME || ' ' || OLD.\"id\" || ': id cannot be changed once set', HINT = 'Make a new row instead; this one stays, because it is never deleted.';",
                        events="UPDATE",
                        name="raw_data_file_id_immutable",
                        when='OLD."id" IS DISTINCT FROM NEW."id"',
                    ),
                ),
                migrations.AddConstraint(
                    model_name="rawdatafile",
                    constraint=models.CheckConstraint(
                        condition=models.Q(("relative_path__regex", "[^[:space:]]")),
                        name="raw_data_file_relative_path_not_blank",
                        violation_error_message="Relative path must not be blank.",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="rawdatafile",
                    constraint=models.CheckConstraint(
                        condition=models.Q(("checksum__regex", "[^[:space:]]")),
                        name="raw_data_file_checksum_not_blank",
                        violation_error_message="Checksum must not be blank.",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="rawdatafile",
                    constraint=models.CheckConstraint(
                        condition=models.Q(
                            models.Func(
                                models.F("created_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                            models.Func(
                                models.F("updated_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                            models.Func(
                                models.F("observed_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                        ),
                        name="raw_data_file_finite_times",
                        violation_error_message="Times and dates must be finite.",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="rawdatapackage",
                    constraint=opsdb.models.constraints.Rule(
                        body="UPDATE physical_copy SET deletion_candidate = true WHERE NOT deletion_candidate AND raw_data_file_id IN (SELECT id FROM raw_data_file WHERE raw_data_package_id = NEW.id);\nUPDATE physical_copy SET deletion_candidate = true WHERE NOT deletion_candidate AND raw_data_package_id = NEW.id;\nUPDATE physical_copy SET deletion_candidate = true WHERE NOT deletion_candidate AND data_transfer_package_id = NEW.data_transfer_package_id;\nRETURN NULL;",
                        events="UPDATE OF state",
                        name="raw_data_package_archived_marks_candidates",
                        timing="AFTER",
                        when="OLD.state <> 'archived' AND NEW.state = 'archived'",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="rawdatapackage",
                    constraint=opsdb.models.constraints.Rule(
                        body="RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = TG_TABLE_NAME || ' ' || OLD.\"id\" || ': id cannot be changed once set', HINT = 'Make a new row instead; this one stays, because it is never deleted.';",
                        events="UPDATE",
                        name="raw_data_package_id_immutable",
                        when='OLD."id" IS DISTINCT FROM NEW."id"',
                    ),
                ),
                migrations.AddConstraint(
                    model_name="rawdatapackage",
                    constraint=models.CheckConstraint(
                        condition=models.Q(("name__regex", "[^[:space:]]")),
                        name="raw_data_package_name_not_blank",
                        violation_error_message="Name must not be blank.",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="rawdatapackage",
                    constraint=models.CheckConstraint(
                        condition=models.Q(("relative_path__regex", "[^[:space:]]")),
                        name="raw_data_package_relative_path_not_blank",
                        violation_error_message="Relative path must not be blank.",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="rawdatapackage",
                    constraint=models.CheckConstraint(
                        condition=models.Q(
                            models.Func(
                                models.F("created_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                            models.Func(
                                models.F("updated_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                            models.Func(
                                models.F("scheduled_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                            models.Func(
                                models.F("started_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                            models.Func(
                                models.F("heartbeat_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                            models.Func(
                                models.F("finished_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                        ),
                        name="raw_data_package_finite_times",
                        violation_error_message="Times and dates must be finite.",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="rawdatapackagemetadata",
                    constraint=models.CheckConstraint(
                        condition=models.Q(("obs_collection__regex", "[^[:space:]]")),
                        name="raw_data_package_metadata_obs_collection_not_blank",
                        violation_error_message="Observation collection must not be blank.",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="rawdatapackagemetadata",
                    constraint=models.CheckConstraint(
                        condition=models.Q(("obs_id__regex", "[^[:space:]]")),
                        name="raw_data_package_metadata_obs_id_not_blank",
                        violation_error_message="Observation ID must not be blank.",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="rawdatapackagemetadata",
                    constraint=models.CheckConstraint(
                        condition=models.Q(("obs_publisher_did__regex", "[^[:space:]]")),
                        name="raw_data_package_metadata_obs_publisher_did_not_blank",
                        violation_error_message="Observation publisher did must not be blank.",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="rawdatapackagemetadata",
                    constraint=models.CheckConstraint(
                        condition=models.Q(
                            models.Func(
                                models.F("created_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                            models.Func(
                                models.F("updated_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                        ),
                        name="raw_data_package_metadata_finite_times",
                        violation_error_message="Times and dates must be finite.",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="reductionsoftware",
                    constraint=models.CheckConstraint(
                        condition=models.Q(("name__regex", "[^[:space:]]")),
                        name="reduction_software_name_not_blank",
                        violation_error_message="Name must not be blank.",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="reductionsoftware",
                    constraint=models.CheckConstraint(
                        condition=models.Q(
                            models.Func(
                                models.F("created_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                            models.Func(
                                models.F("updated_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                        ),
                        name="reduction_software_finite_times",
                        violation_error_message="Times and dates must be finite.",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="reductionsoftwareversion",
                    constraint=models.CheckConstraint(
                        condition=models.Q(("version__regex", "[^[:space:]]")),
                        name="reduction_software_version_version_not_blank",
                        violation_error_message="Version must not be blank.",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="reductionsoftwareversion",
                    constraint=models.CheckConstraint(
                        condition=models.Q(
                            models.Func(
                                models.F("created_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                            models.Func(
                                models.F("updated_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                            models.Func(
                                models.F("released_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                        ),
                        name="reduction_software_version_finite_times",
                        violation_error_message="Times and dates must be finite.",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="reductionstep",
                    constraint=models.CheckConstraint(
                        condition=models.Q(("name__regex", "[^[:space:]]")),
                        name="reduction_step_name_not_blank",
                        violation_error_message="Name must not be blank.",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="reductionstep",
                    constraint=models.CheckConstraint(
                        condition=models.Q(
                            models.Func(
                                models.F("created_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                            models.Func(
                                models.F("updated_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                        ),
                        name="reduction_step_finite_times",
                        violation_error_message="Times and dates must be finite.",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="reductionstepconfig",
                    constraint=models.CheckConstraint(
                        condition=models.Q(("name__regex", "[^[:space:]]")),
                        name="reduction_step_config_name_not_blank",
                        violation_error_message="Name must not be blank.",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="reductionstepconfig",
                    constraint=models.CheckConstraint(
                        condition=models.Q(
                            models.Func(
                                models.F("created_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                            models.Func(
                                models.F("updated_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                        ),
                        name="reduction_step_config_finite_times",
                        violation_error_message="Times and dates must be finite.",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="reductionstepdependency",
                    constraint=opsdb.models.constraints.Rule(
                        body="UPDATE pipeline SET id = id\nWHERE id = (SELECT pipeline_id FROM reduction_step WHERE id = NEW.step_id);\nIF EXISTS (WITH RECURSIVE before(id) AS (\nSELECT NEW.depends_on_id\nUNION SELECT waits.depends_on_id FROM reduction_step_dependency AS waits\nJOIN before ON waits.step_id = before.id WHERE waits.id <> NEW.id)\nSELECT FROM before WHERE id = NEW.step_id) THEN\nRAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = 'reduction_step ' || NEW.step_id || ': would wait for itself, by way of reduction_step ' || NEW.depends_on_id;\nEND IF;\nRETURN NEW;",
                        name="reduction_step_dependency_no_cycle",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="s3datalocation",
                    constraint=models.CheckConstraint(
                        condition=models.Q(("bucket__regex", "[^[:space:]]")),
                        name="s3_data_location_bucket_not_blank",
                        violation_error_message="Bucket must not be blank.",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="s3datalocation",
                    constraint=opsdb.models.constraints.Rule(
                        body="UPDATE data_location SET id = id WHERE id = NEW.id;\nRETURN NULL;",
                        events="UPDATE",
                        name="s3_data_location_touch_parent",
                        timing="AFTER",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="site",
                    constraint=models.CheckConstraint(
                        condition=models.Q(("name__regex", "[^[:space:]]")),
                        name="site_name_not_blank",
                        violation_error_message="Name must not be blank.",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="site",
                    constraint=models.CheckConstraint(
                        condition=models.Q(("short_name__regex", "[^[:space:]]")),
                        name="site_short_name_not_blank",
                        violation_error_message="Short name must not be blank.",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="site",
                    constraint=models.CheckConstraint(
                        condition=models.Q(
                            models.Func(
                                models.F("created_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                            models.Func(
                                models.F("updated_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                        ),
                        name="site_finite_times",
                        violation_error_message="Times and dates must be finite.",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="solarsystemobject",
                    constraint=models.CheckConstraint(
                        condition=models.Q(("ephemeris_name__regex", "[^[:space:]]")),
                        name="solar_system_object_ephemeris_name_not_blank",
                        violation_error_message="Ephemeris name must not be blank.",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="solarsystemobject",
                    constraint=opsdb.models.constraints.Rule(
                        body="UPDATE source SET id = id WHERE id = NEW.id;\nRETURN NULL;",
                        events="UPDATE",
                        name="solar_system_object_touch_parent",
                        timing="AFTER",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="source",
                    constraint=models.CheckConstraint(
                        condition=models.Q(("name__regex", "[^[:space:]]")),
                        name="source_name_not_blank",
                        violation_error_message="Name must not be blank.",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="source",
                    constraint=models.CheckConstraint(
                        condition=models.Q(
                            models.Func(
                                models.F("created_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                            models.Func(
                                models.F("updated_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                        ),
                        name="source_finite_times",
                        violation_error_message="Times and dates must be finite.",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="stagingjob",
                    constraint=models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("active", False), _negated=True),
                            models.Q(("status__in", ("pending", "scheduled", "in_progress")), _negated=True),
                            _connector="OR",
                        ),
                        name="staging_job_released_is_over",
                        violation_error_message="A released job is over: ask for the data again.",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="stagingjob",
                    constraint=models.CheckConstraint(
                        condition=models.Q(
                            models.Func(
                                models.F("created_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                            models.Func(
                                models.F("updated_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                            models.Func(
                                models.F("scheduled_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                            models.Func(
                                models.F("started_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                            models.Func(
                                models.F("heartbeat_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                            models.Func(
                                models.F("finished_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                            models.Func(
                                models.F("expires_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                        ),
                        name="staging_job_finite_times",
                        violation_error_message="Times and dates must be finite.",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="stagingjob",
                    constraint=opsdb.models.constraints.Rule(
                        body="PERFORM opsdb_record_change('staging_job', 'update', jsonb_build_object('id', coalesce(NEW.stagingjob_id, OLD.stagingjob_id), 'raw_data_packages', OLD.rawdatapackage_id), jsonb_build_object('id', coalesce(NEW.stagingjob_id, OLD.stagingjob_id), 'raw_data_packages', NEW.rawdatapackage_id));\nRETURN NULL;",
                        events="INSERT OR UPDATE OR DELETE",
                        name="staging_job_raw_data_packages_history",
                        table="staging_job_raw_data_packages",
                        timing="AFTER",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="stagingjob",
                    constraint=opsdb.models.constraints.Rule(
                        body="PERFORM opsdb_record_change('staging_job', 'update', jsonb_build_object('id', coalesce(NEW.stagingjob_id, OLD.stagingjob_id), 'data_products', OLD.dataproduct_id), jsonb_build_object('id', coalesce(NEW.stagingjob_id, OLD.stagingjob_id), 'data_products', NEW.dataproduct_id));\nRETURN NULL;",
                        events="INSERT OR UPDATE OR DELETE",
                        name="staging_job_data_products_history",
                        table="staging_job_data_products",
                        timing="AFTER",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="subobservingprogram",
                    constraint=models.CheckConstraint(
                        condition=models.Q(("name__regex", "[^[:space:]]")),
                        name="sub_observing_program_name_not_blank",
                        violation_error_message="Name must not be blank.",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="subobservingprogram",
                    constraint=models.CheckConstraint(
                        condition=models.Q(("short_name__regex", "[^[:space:]]")),
                        name="sub_observing_program_short_name_not_blank",
                        violation_error_message="Short name must not be blank.",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="subobservingprogram",
                    constraint=models.CheckConstraint(
                        condition=models.Q(
                            models.Func(
                                models.F("created_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                            models.Func(
                                models.F("updated_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                        ),
                        name="sub_observing_program_finite_times",
                        violation_error_message="Times and dates must be finite.",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="tapedatalocation",
                    constraint=models.CheckConstraint(
                        condition=models.Q(("library__regex", "[^[:space:]]")),
                        name="tape_data_location_library_not_blank",
                        violation_error_message="Library must not be blank.",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="tapedatalocation",
                    constraint=opsdb.models.constraints.Rule(
                        body="UPDATE data_location SET id = id WHERE id = NEW.id;\nRETURN NULL;",
                        events="UPDATE",
                        name="tape_data_location_touch_parent",
                        timing="AFTER",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="telescope",
                    constraint=models.CheckConstraint(
                        condition=models.Q(("name__regex", "[^[:space:]]")),
                        name="telescope_name_not_blank",
                        violation_error_message="Name must not be blank.",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="telescope",
                    constraint=models.CheckConstraint(
                        condition=models.Q(("short_name__regex", "[^[:space:]]")),
                        name="telescope_short_name_not_blank",
                        violation_error_message="Short name must not be blank.",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="telescope",
                    constraint=models.CheckConstraint(
                        condition=models.Q(
                            models.Func(
                                models.F("created_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                            models.Func(
                                models.F("updated_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                        ),
                        name="telescope_finite_times",
                        violation_error_message="Times and dates must be finite.",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="timeallocation",
                    constraint=models.CheckConstraint(
                        condition=models.Q(("period__regex", "[^[:space:]]")),
                        name="time_allocation_period_not_blank",
                        violation_error_message="Period must not be blank.",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="timeallocation",
                    constraint=models.CheckConstraint(
                        condition=models.Q(
                            models.Func(
                                models.F("created_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                            models.Func(
                                models.F("updated_at"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                            models.Func(
                                models.F("start_date"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::date)",
                            ),
                            models.Func(
                                models.F("end_date"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::date)",
                            ),
                        ),
                        name="time_allocation_finite_times",
                        violation_error_message="Times and dates must be finite.",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="user",
                    constraint=models.CheckConstraint(
                        condition=models.Q(("username__regex", "[^[:space:]]")),
                        name="user_username_not_blank",
                        violation_error_message="Username must not be blank.",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="user",
                    constraint=models.CheckConstraint(
                        condition=models.Q(("password__regex", "[^[:space:]]")),
                        name="user_password_not_blank",
                        violation_error_message="Password must not be blank.",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="user",
                    constraint=models.CheckConstraint(
                        condition=models.Q(
                            models.Func(
                                models.F("last_login"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                            models.Func(
                                models.F("date_joined"),
                                function="isfinite",
                                output_field=models.BooleanField(),
                                template="%(function)s((%(expressions)s)::timestamptz)",
                            ),
                        ),
                        name="user_finite_times",
                        violation_error_message="Times and dates must be finite.",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="user",
                    constraint=opsdb.models.constraints.Rule(
                        body="PERFORM opsdb_record_change('user', 'update', jsonb_build_object('id', coalesce(NEW.user_id, OLD.user_id), 'groups', OLD.group_id), jsonb_build_object('id', coalesce(NEW.user_id, OLD.user_id), 'groups', NEW.group_id));\nRETURN NULL;",
                        events="INSERT OR UPDATE OR DELETE",
                        name="user_groups_history",
                        table="user_groups",
                        timing="AFTER",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="user",
                    constraint=opsdb.models.constraints.Rule(
                        body="PERFORM opsdb_record_change('user', 'update', jsonb_build_object('id', coalesce(NEW.user_id, OLD.user_id), 'user_permissions', OLD.permission_id), jsonb_build_object('id', coalesce(NEW.user_id, OLD.user_id), 'user_permissions', NEW.permission_id));\nRETURN NULL;",
                        events="INSERT OR UPDATE OR DELETE",
                        name="user_user_permissions_history",
                        table="user_user_permissions",
                        timing="AFTER",
                    ),
                ),
            ]
        ),
    ]

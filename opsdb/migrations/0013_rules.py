import opsdb.models.constraints
from django.db import migrations


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("opsdb", "0012_history"),
    ]

    operations = [
        migrations.AddConstraint(
            model_name="apitoken",
            constraint=opsdb.models.constraints.Rule(
                body="RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = TG_TABLE_NAME || ' ' || OLD.\"id\" || ': user_id, token_hash, token_prefix cannot be changed once set', HINT = 'Make a new row instead, and delete this one if nothing refers to it.';",
                events="UPDATE",
                name="api_token_immutable",
                when='OLD."user_id" IS DISTINCT FROM NEW."user_id" OR OLD."token_hash" IS DISTINCT FROM NEW."token_hash" OR OLD."token_prefix" IS DISTINCT FROM NEW."token_prefix"',
            ),
        ),
        migrations.AddConstraint(
            model_name="apitoken",
            constraint=opsdb.models.constraints.Rule(
                body="NEW.updated_at = statement_timestamp();\nRETURN NEW;", events="UPDATE", name="api_token_touch"
            ),
        ),
        migrations.AddConstraint(
            model_name="observatory",
            constraint=opsdb.models.constraints.Rule(
                body="NEW.updated_at = statement_timestamp();\nRETURN NEW;", events="UPDATE", name="observatory_touch"
            ),
        ),
        migrations.AddConstraint(
            model_name="telescope",
            constraint=opsdb.models.constraints.Rule(
                body="NEW.updated_at = statement_timestamp();\nRETURN NEW;", events="UPDATE", name="telescope_touch"
            ),
        ),
        migrations.AddConstraint(
            model_name="instrument",
            constraint=opsdb.models.constraints.Rule(
                body="NEW.updated_at = statement_timestamp();\nRETURN NEW;", events="UPDATE", name="instrument_touch"
            ),
        ),
        migrations.AddConstraint(
            model_name="instrumentmodule",
            constraint=opsdb.models.constraints.Rule(
                body="NEW.updated_at = statement_timestamp();\nRETURN NEW;",
                events="UPDATE",
                name="instrument_module_touch",
            ),
        ),
        migrations.AddConstraint(
            model_name="instrumentmoduleconfiguration",
            constraint=opsdb.models.constraints.Rule(
                body="IF EXISTS (SELECT FROM instrument_module_configuration WHERE id = NEW.id) AND NOT ((NEW.type = 'chai' AND EXISTS (SELECT FROM chai_module_configuration WHERE id = NEW.id)) OR (NEW.type = 'prime_cam' AND EXISTS (SELECT FROM prime_cam_module_configuration WHERE id = NEW.id))) THEN\nRAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = TG_TABLE_NAME || ' ' || NEW.id || ': a row of type ' || NEW.type || ' needs its own row in the table of that subtype', HINT = 'Create the subtype, not the parent.';\nEND IF;\nRETURN NULL;",
                deferred=True,
                events="INSERT",
                name="instrument_module_configuration_subtype_exists",
                timing="AFTER",
            ),
        ),
        migrations.AddConstraint(
            model_name="instrumentmoduleconfiguration",
            constraint=opsdb.models.constraints.Rule(
                body="NEW.updated_at = statement_timestamp();\nRETURN NEW;",
                events="UPDATE",
                name="instrument_module_configuration_touch",
            ),
        ),
        migrations.AddConstraint(
            model_name="instrumentmoduleconfiguration",
            constraint=opsdb.models.constraints.Rule(
                body="RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = TG_TABLE_NAME || ' ' || OLD.\"id\" || ': type cannot be changed once set', HINT = 'Make a new row instead, and delete this one if nothing refers to it.';",
                events="UPDATE",
                name="instrument_module_configuration_type_immutable",
                when='OLD."type" IS DISTINCT FROM NEW."type"',
            ),
        ),
        migrations.AddConstraint(
            model_name="chaimoduleconfiguration",
            constraint=opsdb.models.constraints.Rule(
                body="SELECT type INTO found FROM instrument_module_configuration WHERE id = NEW.id;\nIF found IS DISTINCT FROM 'chai' THEN\nRAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = TG_TABLE_NAME || ' ' || NEW.id || ': its instrument_module_configuration must have the type chai, but has ' || coalesce(found, 'no row');\nEND IF;\nRETURN NEW;",
                declare="found text;",
                events="INSERT OR UPDATE OF id",
                name="chai_module_configuration_subtype",
            ),
        ),
        migrations.AddConstraint(
            model_name="chaimoduleconfiguration",
            constraint=opsdb.models.constraints.Rule(
                body="IF EXISTS (SELECT FROM instrument_module_configuration WHERE id = OLD.id) THEN\nRAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = TG_TABLE_NAME || ' ' || OLD.id || ': delete the instrument_module_configuration row too';\nEND IF;\nRETURN NULL;",
                deferred=True,
                events="DELETE",
                name="chai_module_configuration_stays_with_parent",
                timing="AFTER",
            ),
        ),
        migrations.AddConstraint(
            model_name="primecammoduleconfiguration",
            constraint=opsdb.models.constraints.Rule(
                body="SELECT type INTO found FROM instrument_module_configuration WHERE id = NEW.id;\nIF found IS DISTINCT FROM 'prime_cam' THEN\nRAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = TG_TABLE_NAME || ' ' || NEW.id || ': its instrument_module_configuration must have the type prime_cam, but has ' || coalesce(found, 'no row');\nEND IF;\nRETURN NEW;",
                declare="found text;",
                events="INSERT OR UPDATE OF id",
                name="prime_cam_module_configuration_subtype",
            ),
        ),
        migrations.AddConstraint(
            model_name="primecammoduleconfiguration",
            constraint=opsdb.models.constraints.Rule(
                body="IF EXISTS (SELECT FROM instrument_module_configuration WHERE id = OLD.id) THEN\nRAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = TG_TABLE_NAME || ' ' || OLD.id || ': delete the instrument_module_configuration row too';\nEND IF;\nRETURN NULL;",
                deferred=True,
                events="DELETE",
                name="prime_cam_module_configuration_stays_with_parent",
                timing="AFTER",
            ),
        ),
        migrations.AddConstraint(
            model_name="observingprogram",
            constraint=opsdb.models.constraints.Rule(
                body="NEW.updated_at = statement_timestamp();\nRETURN NEW;",
                events="UPDATE",
                name="observing_program_touch",
            ),
        ),
        migrations.AddConstraint(
            model_name="subobservingprogram",
            constraint=opsdb.models.constraints.Rule(
                body="RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = TG_TABLE_NAME || ' ' || OLD.\"id\" || ': observing_program_id cannot be changed once set', HINT = 'Make a new row instead, and delete this one if nothing refers to it.';",
                events="UPDATE",
                name="sub_observing_program_observing_program_id_immutable",
                when='OLD."observing_program_id" IS DISTINCT FROM NEW."observing_program_id"',
            ),
        ),
        migrations.AddConstraint(
            model_name="subobservingprogram",
            constraint=opsdb.models.constraints.Rule(
                body="NEW.updated_at = statement_timestamp();\nRETURN NEW;",
                events="UPDATE",
                name="sub_observing_program_touch",
            ),
        ),
        migrations.AddConstraint(
            model_name="source",
            constraint=opsdb.models.constraints.Rule(
                body="IF EXISTS (SELECT FROM source WHERE id = NEW.id) AND NOT ((NEW.type = 'fixed' AND EXISTS (SELECT FROM fixed_source WHERE id = NEW.id)) OR (NEW.type = 'solar_system' AND EXISTS (SELECT FROM solar_system_object WHERE id = NEW.id)) OR (NEW.type = 'constant_elevation' AND EXISTS (SELECT FROM constant_elevation_source WHERE id = NEW.id))) THEN\nRAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = TG_TABLE_NAME || ' ' || NEW.id || ': a row of type ' || NEW.type || ' needs its own row in the table of that subtype', HINT = 'Create the subtype, not the parent.';\nEND IF;\nRETURN NULL;",
                deferred=True,
                events="INSERT",
                name="source_subtype_exists",
                timing="AFTER",
            ),
        ),
        migrations.AddConstraint(
            model_name="source",
            constraint=opsdb.models.constraints.Rule(
                body="NEW.updated_at = statement_timestamp();\nRETURN NEW;", events="UPDATE", name="source_touch"
            ),
        ),
        migrations.AddConstraint(
            model_name="source",
            constraint=opsdb.models.constraints.Rule(
                body="RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = TG_TABLE_NAME || ' ' || OLD.\"id\" || ': type cannot be changed once set', HINT = 'Make a new row instead, and delete this one if nothing refers to it.';",
                events="UPDATE",
                name="source_type_immutable",
                when='OLD."type" IS DISTINCT FROM NEW."type"',
            ),
        ),
        migrations.AddConstraint(
            model_name="fixedsource",
            constraint=opsdb.models.constraints.Rule(
                body="SELECT type INTO found FROM source WHERE id = NEW.id;\nIF found IS DISTINCT FROM 'fixed' THEN\nRAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = TG_TABLE_NAME || ' ' || NEW.id || ': its source must have the type fixed, but has ' || coalesce(found, 'no row');\nEND IF;\nRETURN NEW;",
                declare="found text;",
                events="INSERT OR UPDATE OF id",
                name="fixed_source_subtype",
            ),
        ),
        migrations.AddConstraint(
            model_name="fixedsource",
            constraint=opsdb.models.constraints.Rule(
                body="IF EXISTS (SELECT FROM source WHERE id = OLD.id) THEN\nRAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = TG_TABLE_NAME || ' ' || OLD.id || ': delete the source row too';\nEND IF;\nRETURN NULL;",
                deferred=True,
                events="DELETE",
                name="fixed_source_stays_with_parent",
                timing="AFTER",
            ),
        ),
        migrations.AddConstraint(
            model_name="solarsystemobject",
            constraint=opsdb.models.constraints.Rule(
                body="SELECT type INTO found FROM source WHERE id = NEW.id;\nIF found IS DISTINCT FROM 'solar_system' THEN\nRAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = TG_TABLE_NAME || ' ' || NEW.id || ': its source must have the type solar_system, but has ' || coalesce(found, 'no row');\nEND IF;\nRETURN NEW;",
                declare="found text;",
                events="INSERT OR UPDATE OF id",
                name="solar_system_object_subtype",
            ),
        ),
        migrations.AddConstraint(
            model_name="solarsystemobject",
            constraint=opsdb.models.constraints.Rule(
                body="IF EXISTS (SELECT FROM source WHERE id = OLD.id) THEN\nRAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = TG_TABLE_NAME || ' ' || OLD.id || ': delete the source row too';\nEND IF;\nRETURN NULL;",
                deferred=True,
                events="DELETE",
                name="solar_system_object_stays_with_parent",
                timing="AFTER",
            ),
        ),
        migrations.AddConstraint(
            model_name="constantelevationsource",
            constraint=opsdb.models.constraints.Rule(
                body="SELECT type INTO found FROM source WHERE id = NEW.id;\nIF found IS DISTINCT FROM 'constant_elevation' THEN\nRAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = TG_TABLE_NAME || ' ' || NEW.id || ': its source must have the type constant_elevation, but has ' || coalesce(found, 'no row');\nEND IF;\nRETURN NEW;",
                declare="found text;",
                events="INSERT OR UPDATE OF id",
                name="constant_elevation_source_subtype",
            ),
        ),
        migrations.AddConstraint(
            model_name="constantelevationsource",
            constraint=opsdb.models.constraints.Rule(
                body="IF EXISTS (SELECT FROM source WHERE id = OLD.id) THEN\nRAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = TG_TABLE_NAME || ' ' || OLD.id || ': delete the source row too';\nEND IF;\nRETURN NULL;",
                deferred=True,
                events="DELETE",
                name="constant_elevation_source_stays_with_parent",
                timing="AFTER",
            ),
        ),
        migrations.AddConstraint(
            model_name="azimuthrange",
            constraint=opsdb.models.constraints.Rule(
                body="NEW.updated_at = statement_timestamp();\nRETURN NEW;", events="UPDATE", name="azimuth_range_touch"
            ),
        ),
        migrations.AddConstraint(
            model_name="obsmode",
            constraint=opsdb.models.constraints.Rule(
                body="SELECT id INTO unit FROM obs_unit WHERE obs_mode_id = NEW.id AND source_id IS NULL LIMIT 1;\nIF FOUND THEN\nRAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = 'obs_mode ' || NEW.id || ': cannot come to need a source, because obs_unit ' || unit || ' has none', HINT = 'Give those units a source first.';\nEND IF;\nRETURN NEW;",
                declare="unit bigint;",
                events='UPDATE OF "needs_source"',
                name="obs_mode_units_have_source",
                when="NEW.needs_source AND NOT OLD.needs_source",
            ),
        ),
        migrations.AddConstraint(
            model_name="obsmode",
            constraint=opsdb.models.constraints.Rule(
                body="NEW.updated_at = statement_timestamp();\nRETURN NEW;", events="UPDATE", name="obs_mode_touch"
            ),
        ),
        migrations.AddConstraint(
            model_name="observationconfiguration",
            constraint=opsdb.models.constraints.Rule(
                body="IF EXISTS (SELECT FROM observation_configuration WHERE id = NEW.id) AND NOT ((NEW.type = 'chai' AND EXISTS (SELECT FROM chai_observation_configuration WHERE id = NEW.id)) OR (NEW.type = 'prime_cam' AND EXISTS (SELECT FROM prime_cam_observation_configuration WHERE id = NEW.id))) THEN\nRAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = TG_TABLE_NAME || ' ' || NEW.id || ': a row of type ' || NEW.type || ' needs its own row in the table of that subtype', HINT = 'Create the subtype, not the parent.';\nEND IF;\nRETURN NULL;",
                deferred=True,
                events="INSERT",
                name="observation_configuration_subtype_exists",
                timing="AFTER",
            ),
        ),
        migrations.AddConstraint(
            model_name="observationconfiguration",
            constraint=opsdb.models.constraints.Rule(
                body="NEW.updated_at = statement_timestamp();\nRETURN NEW;",
                events="UPDATE",
                name="observation_configuration_touch",
            ),
        ),
        migrations.AddConstraint(
            model_name="observationconfiguration",
            constraint=opsdb.models.constraints.Rule(
                body="RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = TG_TABLE_NAME || ' ' || OLD.\"id\" || ': type cannot be changed once set', HINT = 'Make a new row instead, and delete this one if nothing refers to it.';",
                events="UPDATE",
                name="observation_configuration_type_immutable",
                when='OLD."type" IS DISTINCT FROM NEW."type"',
            ),
        ),
        migrations.AddConstraint(
            model_name="chaiobservationconfiguration",
            constraint=opsdb.models.constraints.Rule(
                body="SELECT type INTO found FROM observation_configuration WHERE id = NEW.id;\nIF found IS DISTINCT FROM 'chai' THEN\nRAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = TG_TABLE_NAME || ' ' || NEW.id || ': its observation_configuration must have the type chai, but has ' || coalesce(found, 'no row');\nEND IF;\nRETURN NEW;",
                declare="found text;",
                events="INSERT OR UPDATE OF id",
                name="chai_observation_configuration_subtype",
            ),
        ),
        migrations.AddConstraint(
            model_name="chaiobservationconfiguration",
            constraint=opsdb.models.constraints.Rule(
                body="IF EXISTS (SELECT FROM observation_configuration WHERE id = OLD.id) THEN\nRAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = TG_TABLE_NAME || ' ' || OLD.id || ': delete the observation_configuration row too';\nEND IF;\nRETURN NULL;",
                deferred=True,
                events="DELETE",
                name="chai_observation_configuration_stays_with_parent",
                timing="AFTER",
            ),
        ),
        migrations.AddConstraint(
            model_name="primecamobservationconfiguration",
            constraint=opsdb.models.constraints.Rule(
                body="SELECT type INTO found FROM observation_configuration WHERE id = NEW.id;\nIF found IS DISTINCT FROM 'prime_cam' THEN\nRAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = TG_TABLE_NAME || ' ' || NEW.id || ': its observation_configuration must have the type prime_cam, but has ' || coalesce(found, 'no row');\nEND IF;\nRETURN NEW;",
                declare="found text;",
                events="INSERT OR UPDATE OF id",
                name="prime_cam_observation_configuration_subtype",
            ),
        ),
        migrations.AddConstraint(
            model_name="primecamobservationconfiguration",
            constraint=opsdb.models.constraints.Rule(
                body="IF EXISTS (SELECT FROM observation_configuration WHERE id = OLD.id) THEN\nRAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = TG_TABLE_NAME || ' ' || OLD.id || ': delete the observation_configuration row too';\nEND IF;\nRETURN NULL;",
                deferred=True,
                events="DELETE",
                name="prime_cam_observation_configuration_stays_with_parent",
                timing="AFTER",
            ),
        ),
        migrations.AddConstraint(
            model_name="chaitiling",
            constraint=opsdb.models.constraints.Rule(
                body="NEW.updated_at = statement_timestamp();\nRETURN NEW;", events="UPDATE", name="chai_tiling_touch"
            ),
        ),
        migrations.AddConstraint(
            model_name="chaiinparparameter",
            constraint=opsdb.models.constraints.Rule(
                body="NEW.updated_at = statement_timestamp();\nRETURN NEW;",
                events="UPDATE",
                name="chai_inpar_parameter_touch",
            ),
        ),
        migrations.AddConstraint(
            model_name="obsunit",
            constraint=opsdb.models.constraints.Rule(
                body="IF NOT EXISTS (SELECT FROM sub_observing_program WHERE id = NEW.\"sub_observing_program_id\" AND \"observing_program_id\" = NEW.\"observing_program_id\") THEN\nRAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = TG_TABLE_NAME || ' ' || NEW.id || ': the sub-program must be a part of the unit''s own observing program';\nEND IF;\nRETURN NEW;",
                events='INSERT OR UPDATE OF "sub_observing_program_id", "observing_program_id"',
                name="obs_unit_sub_observing_program_same_observing_program",
                when='NEW."sub_observing_program_id" IS NOT NULL',
            ),
        ),
        migrations.AddConstraint(
            model_name="obsunit",
            constraint=opsdb.models.constraints.Rule(
                body="SELECT name, needs_source INTO mode FROM obs_mode WHERE id = NEW.obs_mode_id FOR SHARE;\nIF mode.needs_source THEN\nRAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = 'obs_unit ' || NEW.id || ': a unit in mode ' || mode.name || ' needs a source', HINT = 'Give it a source, or choose a mode that looks at nothing on the sky.';\nEND IF;\nRETURN NEW;",
                declare="mode record;",
                events='INSERT OR UPDATE OF "source_id", "obs_mode_id"',
                name="obs_unit_source_needed",
                when="NEW.source_id IS NULL",
            ),
        ),
        migrations.AddConstraint(
            model_name="obsunit",
            constraint=opsdb.models.constraints.Rule(
                body="NEW.updated_at = statement_timestamp();\nRETURN NEW;", events="UPDATE", name="obs_unit_touch"
            ),
        ),
        migrations.AddConstraint(
            model_name="prescheduledslot",
            constraint=opsdb.models.constraints.Rule(
                body="NEW.updated_at = statement_timestamp();\nRETURN NEW;",
                events="UPDATE",
                name="pre_scheduled_slot_touch",
            ),
        ),
        migrations.AddConstraint(
            model_name="timeallocation",
            constraint=opsdb.models.constraints.Rule(
                body="NEW.updated_at = statement_timestamp();\nRETURN NEW;",
                events="UPDATE",
                name="time_allocation_touch",
            ),
        ),
        migrations.AddConstraint(
            model_name="downtime",
            constraint=opsdb.models.constraints.Rule(
                body="NEW.updated_at = statement_timestamp();\nRETURN NEW;", events="UPDATE", name="downtime_touch"
            ),
        ),
        migrations.AddConstraint(
            model_name="executedobsunit",
            constraint=opsdb.models.constraints.Rule(
                body="RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = TG_TABLE_NAME || ' ' || OLD.\"id\" || ': obs_unit_id, start_time cannot be changed once set', HINT = 'Make a new row instead, and delete this one if nothing refers to it.';",
                events="UPDATE",
                name="executed_obs_unit_immutable",
                when='OLD."obs_unit_id" IS DISTINCT FROM NEW."obs_unit_id" OR OLD."start_time" IS DISTINCT FROM NEW."start_time"',
            ),
        ),
        migrations.AddConstraint(
            model_name="executedobsunit",
            constraint=opsdb.models.constraints.Rule(
                body="NEW.updated_at = statement_timestamp();\nRETURN NEW;",
                events="UPDATE",
                name="executed_obs_unit_touch",
            ),
        ),
        migrations.AddConstraint(
            model_name="site",
            constraint=opsdb.models.constraints.Rule(
                body="NEW.updated_at = statement_timestamp();\nRETURN NEW;", events="UPDATE", name="site_touch"
            ),
        ),
        migrations.AddConstraint(
            model_name="datalocation",
            constraint=opsdb.models.constraints.Rule(
                body="RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = TG_TABLE_NAME || ' ' || OLD.\"id\" || ': location_type, site_id cannot be changed once set', HINT = 'Make a new row instead, and delete this one if nothing refers to it.';",
                events="UPDATE",
                name="data_location_immutable",
                when='OLD."location_type" IS DISTINCT FROM NEW."location_type" OR OLD."site_id" IS DISTINCT FROM NEW."site_id"',
            ),
        ),
        migrations.AddConstraint(
            model_name="datalocation",
            constraint=opsdb.models.constraints.Rule(
                body="IF EXISTS (SELECT FROM data_location WHERE id = NEW.id) AND NOT ((NEW.storage_type = 'disk' AND EXISTS (SELECT FROM disk_data_location WHERE id = NEW.id)) OR (NEW.storage_type = 's3' AND EXISTS (SELECT FROM s3_data_location WHERE id = NEW.id)) OR (NEW.storage_type = 'tape' AND EXISTS (SELECT FROM tape_data_location WHERE id = NEW.id))) THEN\nRAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = TG_TABLE_NAME || ' ' || NEW.id || ': a row of storage_type ' || NEW.storage_type || ' needs its own row in the table of that subtype', HINT = 'Create the subtype, not the parent.';\nEND IF;\nRETURN NULL;",
                deferred=True,
                events="INSERT",
                name="data_location_subtype_exists",
                timing="AFTER",
            ),
        ),
        migrations.AddConstraint(
            model_name="datalocation",
            constraint=opsdb.models.constraints.Rule(
                body="NEW.updated_at = statement_timestamp();\nRETURN NEW;", events="UPDATE", name="data_location_touch"
            ),
        ),
        migrations.AddConstraint(
            model_name="datalocation",
            constraint=opsdb.models.constraints.Rule(
                body="RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = TG_TABLE_NAME || ' ' || OLD.\"id\" || ': storage_type cannot be changed once set', HINT = 'Make a new row instead, and delete this one if nothing refers to it.';",
                events="UPDATE",
                name="data_location_storage_type_immutable",
                when='OLD."storage_type" IS DISTINCT FROM NEW."storage_type"',
            ),
        ),
        migrations.AddConstraint(
            model_name="diskdatalocation",
            constraint=opsdb.models.constraints.Rule(
                body="SELECT storage_type INTO found FROM data_location WHERE id = NEW.id;\nIF found IS DISTINCT FROM 'disk' THEN\nRAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = TG_TABLE_NAME || ' ' || NEW.id || ': its data_location must have the storage_type disk, but has ' || coalesce(found, 'no row');\nEND IF;\nRETURN NEW;",
                declare="found text;",
                events="INSERT OR UPDATE OF id",
                name="disk_data_location_subtype",
            ),
        ),
        migrations.AddConstraint(
            model_name="diskdatalocation",
            constraint=opsdb.models.constraints.Rule(
                body="IF EXISTS (SELECT FROM data_location WHERE id = OLD.id) THEN\nRAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = TG_TABLE_NAME || ' ' || OLD.id || ': delete the data_location row too';\nEND IF;\nRETURN NULL;",
                deferred=True,
                events="DELETE",
                name="disk_data_location_stays_with_parent",
                timing="AFTER",
            ),
        ),
        migrations.AddConstraint(
            model_name="s3datalocation",
            constraint=opsdb.models.constraints.Rule(
                body="SELECT storage_type INTO found FROM data_location WHERE id = NEW.id;\nIF found IS DISTINCT FROM 's3' THEN\nRAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = TG_TABLE_NAME || ' ' || NEW.id || ': its data_location must have the storage_type s3, but has ' || coalesce(found, 'no row');\nEND IF;\nRETURN NEW;",
                declare="found text;",
                events="INSERT OR UPDATE OF id",
                name="s3_data_location_subtype",
            ),
        ),
        migrations.AddConstraint(
            model_name="s3datalocation",
            constraint=opsdb.models.constraints.Rule(
                body="IF EXISTS (SELECT FROM data_location WHERE id = OLD.id) THEN\nRAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = TG_TABLE_NAME || ' ' || OLD.id || ': delete the data_location row too';\nEND IF;\nRETURN NULL;",
                deferred=True,
                events="DELETE",
                name="s3_data_location_stays_with_parent",
                timing="AFTER",
            ),
        ),
        migrations.AddConstraint(
            model_name="tapedatalocation",
            constraint=opsdb.models.constraints.Rule(
                body="SELECT storage_type INTO found FROM data_location WHERE id = NEW.id;\nIF found IS DISTINCT FROM 'tape' THEN\nRAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = TG_TABLE_NAME || ' ' || NEW.id || ': its data_location must have the storage_type tape, but has ' || coalesce(found, 'no row');\nEND IF;\nRETURN NEW;",
                declare="found text;",
                events="INSERT OR UPDATE OF id",
                name="tape_data_location_subtype",
            ),
        ),
        migrations.AddConstraint(
            model_name="tapedatalocation",
            constraint=opsdb.models.constraints.Rule(
                body="IF EXISTS (SELECT FROM data_location WHERE id = OLD.id) THEN\nRAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = TG_TABLE_NAME || ' ' || OLD.id || ': delete the data_location row too';\nEND IF;\nRETURN NULL;",
                deferred=True,
                events="DELETE",
                name="tape_data_location_stays_with_parent",
                timing="AFTER",
            ),
        ),
        migrations.AddConstraint(
            model_name="datatransferpackage",
            constraint=opsdb.models.constraints.Rule(
                body="NEW.updated_at = statement_timestamp();\nRETURN NEW;",
                events="UPDATE",
                name="data_transfer_package_touch",
            ),
        ),
        migrations.AddConstraint(
            model_name="rawdatapackage",
            constraint=opsdb.models.constraints.Rule(
                body="RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = TG_TABLE_NAME || ' ' || OLD.\"id\" || ': executed_obs_unit_id, instrument_module_id, part cannot be changed once set', HINT = 'Make a new row instead, and delete this one if nothing refers to it.';",
                events="UPDATE",
                name="raw_data_package_immutable",
                when='OLD."executed_obs_unit_id" IS DISTINCT FROM NEW."executed_obs_unit_id" OR OLD."instrument_module_id" IS DISTINCT FROM NEW."instrument_module_id" OR OLD."part" IS DISTINCT FROM NEW."part"',
            ),
        ),
        migrations.AddConstraint(
            model_name="rawdatapackage",
            constraint=opsdb.models.constraints.Rule(
                body="NEW.updated_at = statement_timestamp();\nRETURN NEW;",
                events="UPDATE",
                name="raw_data_package_touch",
            ),
        ),
        migrations.AddConstraint(
            model_name="rawdatafile",
            constraint=opsdb.models.constraints.Rule(
                body="RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = TG_TABLE_NAME || ' ' || OLD.\"id\" || ': executed_obs_unit_id, instrument_module_id, source_location_id cannot be changed once set', HINT = 'Make a new row instead, and delete this one if nothing refers to it.';",
                events="UPDATE",
                name="raw_data_file_immutable",
                when='OLD."executed_obs_unit_id" IS DISTINCT FROM NEW."executed_obs_unit_id" OR OLD."instrument_module_id" IS DISTINCT FROM NEW."instrument_module_id" OR OLD."source_location_id" IS DISTINCT FROM NEW."source_location_id"',
            ),
        ),
        migrations.AddConstraint(
            model_name="rawdatafile",
            constraint=opsdb.models.constraints.Rule(
                body="SELECT data_location.name, data_location.location_type, any_file.id INTO wrong\nFROM (SELECT DISTINCT ON (source_location_id) source_location_id, id FROM added) AS any_file\nJOIN data_location ON data_location.id = any_file.source_location_id\nWHERE data_location.location_type <> 'source' LIMIT 1;\nIF FOUND THEN\nRAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = 'raw_data_file ' || wrong.id || ': source_location must be a source location, but ' || wrong.name || ' is a ' || wrong.location_type || ' location', HINT = 'Register files at the location that the instrument writes to.';\nEND IF;\nRETURN NULL;",
                declare="wrong record;",
                events="INSERT",
                level="STATEMENT",
                name="raw_data_file_source_location_type",
                referencing="NEW TABLE AS added",
                timing="AFTER",
            ),
        ),
        migrations.AddConstraint(
            model_name="rawdatafile",
            constraint=opsdb.models.constraints.Rule(
                body="IF NOT EXISTS (SELECT FROM raw_data_package WHERE id = NEW.raw_data_package_id\nAND executed_obs_unit_id = NEW.executed_obs_unit_id\nAND instrument_module_id = NEW.instrument_module_id) THEN\nRAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = 'raw_data_file ' || NEW.id || ': its package must be of the same execution and module';\nEND IF;\nRETURN NEW;",
                events='INSERT OR UPDATE OF "raw_data_package_id"',
                name="raw_data_file_package_of_same_execution",
                when="NEW.raw_data_package_id IS NOT NULL",
            ),
        ),
        migrations.AddConstraint(
            model_name="rawdatafile",
            constraint=opsdb.models.constraints.Rule(
                body="NEW.updated_at = statement_timestamp();\nRETURN NEW;", events="UPDATE", name="raw_data_file_touch"
            ),
        ),
        migrations.AddConstraint(
            model_name="rawdatapackagemetadata",
            constraint=opsdb.models.constraints.Rule(
                body="NEW.updated_at = statement_timestamp();\nRETURN NEW;",
                events="UPDATE",
                name="raw_data_package_metadata_touch",
            ),
        ),
        migrations.AddConstraint(
            model_name="datatransferroute",
            constraint=opsdb.models.constraints.Rule(
                body="SELECT name INTO wrong FROM data_location\nWHERE (id = NEW.origin_location_id AND site_id <> NEW.origin_site_id)\nOR (id = NEW.destination_location_id AND site_id <> NEW.destination_site_id) LIMIT 1;\nIF FOUND THEN\nRAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = 'data_transfer_route ' || NEW.id || ': location ' || wrong || ' is not at that end of the route', HINT = 'Choose locations of the origin site and of the destination site.';\nEND IF;\nRETURN NEW;",
                declare="wrong text;",
                name="data_transfer_route_locations_at_ends",
                when="NEW.route_type = 'custom'",
            ),
        ),
        migrations.AddConstraint(
            model_name="datatransferroute",
            constraint=opsdb.models.constraints.Rule(
                body="NEW.updated_at = statement_timestamp();\nRETURN NEW;",
                events="UPDATE",
                name="data_transfer_route_touch",
            ),
        ),
        migrations.AddConstraint(
            model_name="datatransfer",
            constraint=opsdb.models.constraints.Rule(
                body="RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = TG_TABLE_NAME || ' ' || OLD.\"id\" || ': data_transfer_package_id, origin_location_id, destination_location_id cannot be changed once set', HINT = 'Make a new row instead, and delete this one if nothing refers to it.';",
                events="UPDATE",
                name="data_transfer_immutable",
                when='OLD."data_transfer_package_id" IS DISTINCT FROM NEW."data_transfer_package_id" OR OLD."origin_location_id" IS DISTINCT FROM NEW."origin_location_id" OR OLD."destination_location_id" IS DISTINCT FROM NEW."destination_location_id"',
            ),
        ),
        migrations.AddConstraint(
            model_name="datatransfer",
            constraint=opsdb.models.constraints.Rule(
                body="IF NOT EXISTS (SELECT FROM data_transfer WHERE id = NEW.depends_on_id\nAND data_transfer_package_id = NEW.data_transfer_package_id\nAND destination_location_id = NEW.origin_location_id) THEN\nRAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = 'data_transfer ' || NEW.id || ': the hop before must bring the same package to where this one starts';\nEND IF;\nRETURN NEW;",
                events='INSERT OR UPDATE OF "depends_on_id"',
                name="data_transfer_hops_connect",
                when="NEW.depends_on_id IS NOT NULL",
            ),
        ),
        migrations.AddConstraint(
            model_name="datatransfer",
            constraint=opsdb.models.constraints.Rule(
                body="NEW.updated_at = statement_timestamp();\nRETURN NEW;", events="UPDATE", name="data_transfer_touch"
            ),
        ),
        migrations.AddConstraint(
            model_name="datatransferlog",
            constraint=opsdb.models.constraints.Rule(
                body="RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = TG_TABLE_NAME || ' ' || OLD.id || ': a log line is never changed';",
                events="UPDATE",
                name="data_transfer_log_append_only",
            ),
        ),
        migrations.AddConstraint(
            model_name="longtermarchivetransfer",
            constraint=opsdb.models.constraints.Rule(
                body="SELECT name, location_type INTO found FROM data_location WHERE id = NEW.destination_location_id;\nIF found.location_type <> 'long_term_archive' THEN\nRAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = TG_TABLE_NAME || ' ' || NEW.id || ': destination_location must be a long_term_archive location, but ' || found.name || ' is a ' || found.location_type || ' location', HINT = 'Choose a location whose type is long_term_archive.';\nEND IF;\nRETURN NEW;",
                declare="found record;",
                events='INSERT OR UPDATE OF "destination_location_id"',
                name="long_term_archive_transfer_destination_location_type",
            ),
        ),
        migrations.AddConstraint(
            model_name="longtermarchivetransfer",
            constraint=opsdb.models.constraints.Rule(
                body="RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = TG_TABLE_NAME || ' ' || OLD.\"id\" || ': raw_data_package_id, destination_location_id cannot be changed once set', HINT = 'Make a new row instead, and delete this one if nothing refers to it.';",
                events="UPDATE",
                name="long_term_archive_transfer_immutable",
                when='OLD."raw_data_package_id" IS DISTINCT FROM NEW."raw_data_package_id" OR OLD."destination_location_id" IS DISTINCT FROM NEW."destination_location_id"',
            ),
        ),
        migrations.AddConstraint(
            model_name="longtermarchivetransfer",
            constraint=opsdb.models.constraints.Rule(
                body="NEW.updated_at = statement_timestamp();\nRETURN NEW;",
                events="UPDATE",
                name="long_term_archive_transfer_touch",
            ),
        ),
        migrations.AddConstraint(
            model_name="longtermarchivetransferlog",
            constraint=opsdb.models.constraints.Rule(
                body="RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = TG_TABLE_NAME || ' ' || OLD.id || ': a log line is never changed';",
                events="UPDATE",
                name="long_term_archive_transfer_log_append_only",
            ),
        ),
        migrations.AddConstraint(
            model_name="stagingjob",
            constraint=opsdb.models.constraints.Rule(
                body="SELECT name, location_type INTO found FROM data_location WHERE id = NEW.destination_location_id;\nIF found.location_type <> 'processing' THEN\nRAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = TG_TABLE_NAME || ' ' || NEW.id || ': destination_location must be a processing location, but ' || found.name || ' is a ' || found.location_type || ' location', HINT = 'Choose a location whose type is processing.';\nEND IF;\nRETURN NEW;",
                declare="found record;",
                events='INSERT OR UPDATE OF "destination_location_id"',
                name="staging_job_destination_location_type",
            ),
        ),
        migrations.AddConstraint(
            model_name="stagingjob",
            constraint=opsdb.models.constraints.Rule(
                body="NEW.updated_at = statement_timestamp();\nRETURN NEW;", events="UPDATE", name="staging_job_touch"
            ),
        ),
        migrations.AddConstraint(
            model_name="reductionsoftware",
            constraint=opsdb.models.constraints.Rule(
                body="NEW.updated_at = statement_timestamp();\nRETURN NEW;",
                events="UPDATE",
                name="reduction_software_touch",
            ),
        ),
        migrations.AddConstraint(
            model_name="reductionsoftwareversion",
            constraint=opsdb.models.constraints.Rule(
                body="RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = TG_TABLE_NAME || ' ' || OLD.\"id\" || ': software_id cannot be changed once set', HINT = 'Make a new row instead, and delete this one if nothing refers to it.';",
                events="UPDATE",
                name="reduction_software_version_software_id_immutable",
                when='OLD."software_id" IS DISTINCT FROM NEW."software_id"',
            ),
        ),
        migrations.AddConstraint(
            model_name="reductionsoftwareversion",
            constraint=opsdb.models.constraints.Rule(
                body="NEW.updated_at = statement_timestamp();\nRETURN NEW;",
                events="UPDATE",
                name="reduction_software_version_touch",
            ),
        ),
        migrations.AddConstraint(
            model_name="reductionstepconfig",
            constraint=opsdb.models.constraints.Rule(
                body="RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = TG_TABLE_NAME || ' ' || OLD.\"id\" || ': software_id cannot be changed once set', HINT = 'Make a new row instead, and delete this one if nothing refers to it.';",
                events="UPDATE",
                name="reduction_step_config_software_id_immutable",
                when='OLD."software_id" IS DISTINCT FROM NEW."software_id"',
            ),
        ),
        migrations.AddConstraint(
            model_name="reductionstepconfig",
            constraint=opsdb.models.constraints.Rule(
                body="NEW.updated_at = statement_timestamp();\nRETURN NEW;",
                events="UPDATE",
                name="reduction_step_config_touch",
            ),
        ),
        migrations.AddConstraint(
            model_name="datagrouping",
            constraint=opsdb.models.constraints.Rule(
                body="NEW.updated_at = statement_timestamp();\nRETURN NEW;", events="UPDATE", name="data_grouping_touch"
            ),
        ),
        migrations.AddConstraint(
            model_name="pipeline",
            constraint=opsdb.models.constraints.Rule(
                body="SELECT name, location_type INTO found FROM data_location WHERE id = NEW.processing_location_id;\nIF found.location_type <> 'processing' THEN\nRAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = TG_TABLE_NAME || ' ' || NEW.id || ': processing_location must be a processing location, but ' || found.name || ' is a ' || found.location_type || ' location', HINT = 'Choose a location whose type is processing.';\nEND IF;\nRETURN NEW;",
                declare="found record;",
                events='INSERT OR UPDATE OF "processing_location_id"',
                name="pipeline_processing_location_type",
            ),
        ),
        migrations.AddConstraint(
            model_name="pipeline",
            constraint=opsdb.models.constraints.Rule(
                body="NEW.updated_at = statement_timestamp();\nRETURN NEW;", events="UPDATE", name="pipeline_touch"
            ),
        ),
        migrations.AddConstraint(
            model_name="reductionstep",
            constraint=opsdb.models.constraints.Rule(
                body="IF NOT EXISTS (SELECT FROM reduction_step_config WHERE id = NEW.\"config_id\" AND \"software_id\" = NEW.\"software_id\") THEN\nRAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = TG_TABLE_NAME || ' ' || NEW.id || ': its configuration must be one of the same software';\nEND IF;\nRETURN NEW;",
                events='INSERT OR UPDATE OF "config_id", "software_id"',
                name="reduction_step_config_same_software",
                when='NEW."config_id" IS NOT NULL',
            ),
        ),
        migrations.AddConstraint(
            model_name="reductionstep",
            constraint=opsdb.models.constraints.Rule(
                body="IF NOT EXISTS (SELECT FROM reduction_software_version WHERE id = NEW.\"pinned_version_id\" AND \"software_id\" = NEW.\"software_id\") THEN\nRAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = TG_TABLE_NAME || ' ' || NEW.id || ': its version must be one of the same software';\nEND IF;\nRETURN NEW;",
                events='INSERT OR UPDATE OF "pinned_version_id", "software_id"',
                name="reduction_step_pinned_version_same_software",
                when='NEW."pinned_version_id" IS NOT NULL',
            ),
        ),
        migrations.AddConstraint(
            model_name="reductionstep",
            constraint=opsdb.models.constraints.Rule(
                body="RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = TG_TABLE_NAME || ' ' || OLD.\"id\" || ': pipeline_id, software_id cannot be changed once set', HINT = 'Make a new row instead, and delete this one if nothing refers to it.';",
                events="UPDATE",
                name="reduction_step_immutable",
                when='OLD."pipeline_id" IS DISTINCT FROM NEW."pipeline_id" OR OLD."software_id" IS DISTINCT FROM NEW."software_id"',
            ),
        ),
        migrations.AddConstraint(
            model_name="reductionstep",
            constraint=opsdb.models.constraints.Rule(
                body="NEW.updated_at = statement_timestamp();\nRETURN NEW;",
                events="UPDATE",
                name="reduction_step_touch",
            ),
        ),
        migrations.AddConstraint(
            model_name="reductionstepdependency",
            constraint=opsdb.models.constraints.Rule(
                body="IF (SELECT pipeline_id FROM reduction_step WHERE id = NEW.step_id)\n<> (SELECT pipeline_id FROM reduction_step WHERE id = NEW.depends_on_id) THEN\nRAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = 'reduction_step ' || NEW.step_id || ': can only wait for a step of its own pipeline';\nEND IF;\nRETURN NEW;",
                name="reduction_step_dependency_same_pipeline",
            ),
        ),
        migrations.AddConstraint(
            model_name="reductionstepdependency",
            constraint=opsdb.models.constraints.Rule(
                body="PERFORM FROM pipeline JOIN reduction_step ON reduction_step.pipeline_id = pipeline.id\nWHERE reduction_step.id = NEW.step_id FOR NO KEY UPDATE OF pipeline;\nIF EXISTS (WITH RECURSIVE before(id) AS (\nSELECT NEW.depends_on_id\nUNION SELECT waits.depends_on_id FROM reduction_step_dependency AS waits\nJOIN before ON waits.step_id = before.id WHERE waits.id <> NEW.id)\nSELECT FROM before WHERE id = NEW.step_id) THEN\nRAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = 'reduction_step ' || NEW.step_id || ': would wait for itself, by way of reduction_step ' || NEW.depends_on_id;\nEND IF;\nRETURN NEW;",
                name="reduction_step_dependency_no_cycle",
            ),
        ),
        migrations.AddConstraint(
            model_name="executedreductionstep",
            constraint=opsdb.models.constraints.Rule(
                body="IF NOT EXISTS (SELECT FROM reduction_step JOIN reduction_software_version\nON reduction_software_version.software_id = reduction_step.software_id\nWHERE reduction_step.id = NEW.step_id\nAND reduction_software_version.id = NEW.software_version_id) THEN\nRAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = 'executed_reduction_step ' || NEW.id || ': its version must be one of the software of its step';\nEND IF;\nRETURN NEW;",
                events='INSERT OR UPDATE OF "software_version_id"',
                name="executed_reduction_step_version_of_software",
                when="NEW.software_version_id IS NOT NULL",
            ),
        ),
        migrations.AddConstraint(
            model_name="executedreductionstep",
            constraint=opsdb.models.constraints.Rule(
                body="RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = TG_TABLE_NAME || ' ' || OLD.\"id\" || ': step_id cannot be changed once set', HINT = 'Make a new row instead, and delete this one if nothing refers to it.';",
                events="UPDATE",
                name="executed_reduction_step_step_id_immutable",
                when='OLD."step_id" IS DISTINCT FROM NEW."step_id"',
            ),
        ),
        migrations.AddConstraint(
            model_name="executedreductionstep",
            constraint=opsdb.models.constraints.Rule(
                body="NEW.updated_at = statement_timestamp();\nRETURN NEW;",
                events="UPDATE",
                name="executed_reduction_step_touch",
            ),
        ),
        migrations.AddConstraint(
            model_name="dataproduct",
            constraint=opsdb.models.constraints.Rule(
                body="RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = TG_TABLE_NAME || ' ' || OLD.\"id\" || ': run_id cannot be changed once set', HINT = 'Make a new row instead, and delete this one if nothing refers to it.';",
                events="UPDATE",
                name="data_product_run_id_immutable",
                when='OLD."run_id" IS DISTINCT FROM NEW."run_id"',
            ),
        ),
        migrations.AddConstraint(
            model_name="dataproduct",
            constraint=opsdb.models.constraints.Rule(
                body="NEW.updated_at = statement_timestamp();\nRETURN NEW;", events="UPDATE", name="data_product_touch"
            ),
        ),
        migrations.AddConstraint(
            model_name="physicalcopy",
            constraint=opsdb.models.constraints.Rule(
                body="RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = TG_TABLE_NAME || ' ' || OLD.\"id\" || ': data_location_id, raw_data_file_id, raw_data_package_id, data_transfer_package_id, data_product_id cannot be changed once set', HINT = 'Make a new row instead, and delete this one if nothing refers to it.';",
                events="UPDATE",
                name="physical_copy_immutable",
                when='OLD."data_location_id" IS DISTINCT FROM NEW."data_location_id" OR OLD."raw_data_file_id" IS DISTINCT FROM NEW."raw_data_file_id" OR OLD."raw_data_package_id" IS DISTINCT FROM NEW."raw_data_package_id" OR OLD."data_transfer_package_id" IS DISTINCT FROM NEW."data_transfer_package_id" OR OLD."data_product_id" IS DISTINCT FROM NEW."data_product_id"',
            ),
        ),
        migrations.AddConstraint(
            model_name="physicalcopy",
            constraint=opsdb.models.constraints.Rule(
                body="NEW.updated_at = statement_timestamp();\nRETURN NEW;", events="UPDATE", name="physical_copy_touch"
            ),
        ),
        migrations.AddConstraint(
            model_name="fixitycheck",
            constraint=opsdb.models.constraints.Rule(
                body="RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = TG_TABLE_NAME || ' ' || OLD.id || ': a fixity check is never changed or removed';",
                events="UPDATE OR DELETE",
                name="fixity_check_append_only",
            ),
        ),
        migrations.AddConstraint(
            model_name="fixitycheck",
            constraint=opsdb.models.constraints.Rule(
                body="NEW.updated_at = statement_timestamp();\nRETURN NEW;", events="UPDATE", name="fixity_check_touch"
            ),
        ),
        migrations.AddConstraint(
            model_name="deletionrequest",
            constraint=opsdb.models.constraints.Rule(
                body="RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = TG_TABLE_NAME || ' ' || OLD.\"id\" || ': data_location_id, requested_by_id cannot be changed once set', HINT = 'Make a new row instead, and delete this one if nothing refers to it.';",
                events="UPDATE",
                name="deletion_request_immutable",
                when='OLD."data_location_id" IS DISTINCT FROM NEW."data_location_id" OR OLD."requested_by_id" IS DISTINCT FROM NEW."requested_by_id"',
            ),
        ),
        migrations.AddConstraint(
            model_name="deletionrequest",
            constraint=opsdb.models.constraints.Rule(
                body="NEW.updated_at = statement_timestamp();\nRETURN NEW;",
                events="UPDATE",
                name="deletion_request_touch",
            ),
        ),
        migrations.AddConstraint(
            model_name="deletionrequestitem",
            constraint=opsdb.models.constraints.Rule(
                body="IF (SELECT data_location_id FROM deletion_request WHERE id = NEW.deletion_request_id)\n<> (SELECT data_location_id FROM physical_copy WHERE id = NEW.physical_copy_id) THEN\nRAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = 'deletion_request ' || NEW.deletion_request_id || ': physical_copy ' || NEW.physical_copy_id || ' is at another location';\nEND IF;\nRETURN NEW;",
                name="deletion_request_item_copy_at_location",
            ),
        ),
        migrations.AddConstraint(
            model_name="datarelease",
            constraint=opsdb.models.constraints.Rule(
                body="NEW.updated_at = statement_timestamp();\nRETURN NEW;", events="UPDATE", name="data_release_touch"
            ),
        ),
        migrations.AddConstraint(
            model_name="publication",
            constraint=opsdb.models.constraints.Rule(
                body="NEW.updated_at = statement_timestamp();\nRETURN NEW;", events="UPDATE", name="publication_touch"
            ),
        ),
        migrations.AddConstraint(
            model_name="changelog",
            constraint=opsdb.models.constraints.Rule(
                body="RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = TG_TABLE_NAME || ' ' || OLD.id || ': history is never changed or removed';",
                events="UPDATE OR DELETE",
                name="change_log_append_only",
            ),
        ),
    ]

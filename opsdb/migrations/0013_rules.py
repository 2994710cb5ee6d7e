import opsdb.models.constraints
from django.db import migrations


# Writes a row of the change log. Secrets are noted as changed, never as they are; who, by what and why come from
# settings of the transaction.
RECORD_CHANGE = """
CREATE FUNCTION opsdb_record_change(changed_table text, what text, old_row jsonb, new_row jsonb)
RETURNS void LANGUAGE plpgsql AS $record$
DECLARE
    old_values jsonb := old_row;
    new_values jsonb := new_row;
    actor change_log.user_id%TYPE := nullif(current_setting('opsdb.user_id', true), '');
    secret text;
BEGIN
    IF what = 'update' THEN
        SELECT jsonb_object_agg(key, value), jsonb_object_agg(key, new_row -> key)
        INTO old_values, new_values
        FROM jsonb_each(old_row)
        WHERE value IS DISTINCT FROM new_row -> key AND key NOT IN ('updated_at', 'heartbeat_at', 'unpack_heartbeat_at');
        IF old_values IS NULL THEN
            RETURN;
        END IF;
    END IF;
    IF old_values ?| ARRAY['password', 'token_hash'] OR new_values ?| ARRAY['password', 'token_hash'] THEN
        FOREACH secret IN ARRAY ARRAY['password', 'token_hash'] LOOP
            IF old_values ? secret THEN
                old_values = old_values || jsonb_build_object(secret, '(hidden)');
            END IF;
            IF new_values ? secret THEN
                new_values = new_values || jsonb_build_object(secret, '(hidden)');
            END IF;
        END LOOP;
    END IF;
    INSERT INTO change_log (changed_at, table_name, row_id, operation, before, after,
                            user_id, origin, reason, database_user, transaction_id)
    VALUES (clock_timestamp(), changed_table, coalesce(new_row, old_row) ->> 'id', what, old_values, new_values,
            actor, coalesce(current_setting('opsdb.origin', true), ''), coalesce(current_setting('opsdb.reason', true), ''),
            session_user, pg_current_xact_id()::text::bigint);
END
$record$
"""


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("opsdb", "0012_history"),
    ]

    operations = [
        migrations.RunSQL(
            sql=RECORD_CHANGE,
            reverse_sql="DROP FUNCTION opsdb_record_change(text, text, jsonb, jsonb)",
        ),
        migrations.AddConstraint(
            model_name="user",
            constraint=opsdb.models.constraints.Rule(
                body="PERFORM opsdb_record_change(TG_TABLE_NAME, lower(TG_OP), to_jsonb(OLD), to_jsonb(NEW));\nRETURN NULL;",
                events="INSERT OR UPDATE OR DELETE",
                name="user_history",
                timing="AFTER",
            ),
        ),
        migrations.AddConstraint(
            model_name="role",
            constraint=opsdb.models.constraints.Rule(
                body="PERFORM opsdb_record_change(TG_TABLE_NAME, lower(TG_OP), to_jsonb(OLD), to_jsonb(NEW));\nRETURN NULL;",
                events="INSERT OR UPDATE OR DELETE",
                name="role_history",
                timing="AFTER",
            ),
        ),
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
            model_name="apitoken",
            constraint=opsdb.models.constraints.Rule(
                body="PERFORM opsdb_record_change(TG_TABLE_NAME, lower(TG_OP), to_jsonb(OLD), to_jsonb(NEW));\nRETURN NULL;",
                events="INSERT OR UPDATE OR DELETE",
                name="api_token_history",
                timing="AFTER",
            ),
        ),
        migrations.AddConstraint(
            model_name="observatory",
            constraint=opsdb.models.constraints.Rule(
                body="NEW.updated_at = statement_timestamp();\nRETURN NEW;", events="UPDATE", name="observatory_touch"
            ),
        ),
        migrations.AddConstraint(
            model_name="observatory",
            constraint=opsdb.models.constraints.Rule(
                body="PERFORM opsdb_record_change(TG_TABLE_NAME, lower(TG_OP), to_jsonb(OLD), to_jsonb(NEW));\nRETURN NULL;",
                events="INSERT OR UPDATE OR DELETE",
                name="observatory_history",
                timing="AFTER",
            ),
        ),
        migrations.AddConstraint(
            model_name="telescope",
            constraint=opsdb.models.constraints.Rule(
                body="NEW.updated_at = statement_timestamp();\nRETURN NEW;", events="UPDATE", name="telescope_touch"
            ),
        ),
        migrations.AddConstraint(
            model_name="telescope",
            constraint=opsdb.models.constraints.Rule(
                body="PERFORM opsdb_record_change(TG_TABLE_NAME, lower(TG_OP), to_jsonb(OLD), to_jsonb(NEW));\nRETURN NULL;",
                events="INSERT OR UPDATE OR DELETE",
                name="telescope_history",
                timing="AFTER",
            ),
        ),
        migrations.AddConstraint(
            model_name="instrument",
            constraint=opsdb.models.constraints.Rule(
                body="NEW.updated_at = statement_timestamp();\nRETURN NEW;", events="UPDATE", name="instrument_touch"
            ),
        ),
        migrations.AddConstraint(
            model_name="instrument",
            constraint=opsdb.models.constraints.Rule(
                body="PERFORM opsdb_record_change(TG_TABLE_NAME, lower(TG_OP), to_jsonb(OLD), to_jsonb(NEW));\nRETURN NULL;",
                events="INSERT OR UPDATE OR DELETE",
                name="instrument_history",
                timing="AFTER",
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
            model_name="instrumentmodule",
            constraint=opsdb.models.constraints.Rule(
                body="PERFORM opsdb_record_change(TG_TABLE_NAME, lower(TG_OP), to_jsonb(OLD), to_jsonb(NEW));\nRETURN NULL;",
                events="INSERT OR UPDATE OR DELETE",
                name="instrument_module_history",
                timing="AFTER",
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
                body="PERFORM opsdb_record_change(TG_TABLE_NAME, lower(TG_OP), to_jsonb(OLD), to_jsonb(NEW));\nRETURN NULL;",
                events="INSERT OR UPDATE OR DELETE",
                name="instrument_module_configuration_history",
                timing="AFTER",
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
                body="PERFORM opsdb_record_change(TG_TABLE_NAME, lower(TG_OP), to_jsonb(OLD), to_jsonb(NEW));\nRETURN NULL;",
                events="INSERT OR UPDATE OR DELETE",
                name="chai_module_configuration_history",
                timing="AFTER",
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
                body="PERFORM opsdb_record_change(TG_TABLE_NAME, lower(TG_OP), to_jsonb(OLD), to_jsonb(NEW));\nRETURN NULL;",
                events="INSERT OR UPDATE OR DELETE",
                name="prime_cam_module_configuration_history",
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
            model_name="observingprogram",
            constraint=opsdb.models.constraints.Rule(
                body="PERFORM opsdb_record_change(TG_TABLE_NAME, lower(TG_OP), to_jsonb(OLD), to_jsonb(NEW));\nRETURN NULL;",
                events="INSERT OR UPDATE OR DELETE",
                name="observing_program_history",
                timing="AFTER",
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
            model_name="subobservingprogram",
            constraint=opsdb.models.constraints.Rule(
                body="PERFORM opsdb_record_change(TG_TABLE_NAME, lower(TG_OP), to_jsonb(OLD), to_jsonb(NEW));\nRETURN NULL;",
                events="INSERT OR UPDATE OR DELETE",
                name="sub_observing_program_history",
                timing="AFTER",
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
                body="PERFORM opsdb_record_change(TG_TABLE_NAME, lower(TG_OP), to_jsonb(OLD), to_jsonb(NEW));\nRETURN NULL;",
                events="INSERT OR UPDATE OR DELETE",
                name="source_history",
                timing="AFTER",
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
                body="PERFORM opsdb_record_change(TG_TABLE_NAME, lower(TG_OP), to_jsonb(OLD), to_jsonb(NEW));\nRETURN NULL;",
                events="INSERT OR UPDATE OR DELETE",
                name="fixed_source_history",
                timing="AFTER",
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
                body="PERFORM opsdb_record_change(TG_TABLE_NAME, lower(TG_OP), to_jsonb(OLD), to_jsonb(NEW));\nRETURN NULL;",
                events="INSERT OR UPDATE OR DELETE",
                name="solar_system_object_history",
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
                body="PERFORM opsdb_record_change(TG_TABLE_NAME, lower(TG_OP), to_jsonb(OLD), to_jsonb(NEW));\nRETURN NULL;",
                events="INSERT OR UPDATE OR DELETE",
                name="constant_elevation_source_history",
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
            model_name="azimuthrange",
            constraint=opsdb.models.constraints.Rule(
                body="PERFORM opsdb_record_change(TG_TABLE_NAME, lower(TG_OP), to_jsonb(OLD), to_jsonb(NEW));\nRETURN NULL;",
                events="INSERT OR UPDATE OR DELETE",
                name="azimuth_range_history",
                timing="AFTER",
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
            model_name="obsmode",
            constraint=opsdb.models.constraints.Rule(
                body="PERFORM opsdb_record_change(TG_TABLE_NAME, lower(TG_OP), to_jsonb(OLD), to_jsonb(NEW));\nRETURN NULL;",
                events="INSERT OR UPDATE OR DELETE",
                name="obs_mode_history",
                timing="AFTER",
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
                body="PERFORM opsdb_record_change(TG_TABLE_NAME, lower(TG_OP), to_jsonb(OLD), to_jsonb(NEW));\nRETURN NULL;",
                events="INSERT OR UPDATE OR DELETE",
                name="observation_configuration_history",
                timing="AFTER",
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
                body="PERFORM opsdb_record_change(TG_TABLE_NAME, lower(TG_OP), to_jsonb(OLD), to_jsonb(NEW));\nRETURN NULL;",
                events="INSERT OR UPDATE OR DELETE",
                name="chai_observation_configuration_history",
                timing="AFTER",
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
                body="PERFORM opsdb_record_change(TG_TABLE_NAME, lower(TG_OP), to_jsonb(OLD), to_jsonb(NEW));\nRETURN NULL;",
                events="INSERT OR UPDATE OR DELETE",
                name="prime_cam_observation_configuration_history",
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
            model_name="chaitiling",
            constraint=opsdb.models.constraints.Rule(
                body="PERFORM opsdb_record_change(TG_TABLE_NAME, lower(TG_OP), to_jsonb(OLD), to_jsonb(NEW));\nRETURN NULL;",
                events="INSERT OR UPDATE OR DELETE",
                name="chai_tiling_history",
                timing="AFTER",
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
            model_name="chaiinparparameter",
            constraint=opsdb.models.constraints.Rule(
                body="PERFORM opsdb_record_change(TG_TABLE_NAME, lower(TG_OP), to_jsonb(OLD), to_jsonb(NEW));\nRETURN NULL;",
                events="INSERT OR UPDATE OR DELETE",
                name="chai_inpar_parameter_history",
                timing="AFTER",
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
            model_name="obsunit",
            constraint=opsdb.models.constraints.Rule(
                body="PERFORM opsdb_record_change(TG_TABLE_NAME, lower(TG_OP), to_jsonb(OLD), to_jsonb(NEW));\nRETURN NULL;",
                events="INSERT OR UPDATE OR DELETE",
                name="obs_unit_history",
                timing="AFTER",
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
            model_name="prescheduledslot",
            constraint=opsdb.models.constraints.Rule(
                body="PERFORM opsdb_record_change(TG_TABLE_NAME, lower(TG_OP), to_jsonb(OLD), to_jsonb(NEW));\nRETURN NULL;",
                events="INSERT OR UPDATE OR DELETE",
                name="pre_scheduled_slot_history",
                timing="AFTER",
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
            model_name="timeallocation",
            constraint=opsdb.models.constraints.Rule(
                body="PERFORM opsdb_record_change(TG_TABLE_NAME, lower(TG_OP), to_jsonb(OLD), to_jsonb(NEW));\nRETURN NULL;",
                events="INSERT OR UPDATE OR DELETE",
                name="time_allocation_history",
                timing="AFTER",
            ),
        ),
        migrations.AddConstraint(
            model_name="downtime",
            constraint=opsdb.models.constraints.Rule(
                body="NEW.updated_at = statement_timestamp();\nRETURN NEW;", events="UPDATE", name="downtime_touch"
            ),
        ),
        migrations.AddConstraint(
            model_name="downtime",
            constraint=opsdb.models.constraints.Rule(
                body="PERFORM opsdb_record_change(TG_TABLE_NAME, lower(TG_OP), to_jsonb(OLD), to_jsonb(NEW));\nRETURN NULL;",
                events="INSERT OR UPDATE OR DELETE",
                name="downtime_history",
                timing="AFTER",
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
                body="RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = TG_TABLE_NAME || ' ' || OLD.\"id\" || ': id cannot be changed once set', HINT = 'Make a new row instead, and delete this one if nothing refers to it.';",
                events="UPDATE",
                name="executed_obs_unit_id_immutable",
                when='OLD."id" IS DISTINCT FROM NEW."id"',
            ),
        ),
        migrations.AddConstraint(
            model_name="executedobsunit",
            constraint=opsdb.models.constraints.Rule(
                body="RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = TG_TABLE_NAME || ' ' || OLD.id || ': an execution is never deleted';",
                events="DELETE",
                name="executed_obs_unit_never_deleted",
            ),
        ),
        migrations.AddConstraint(
            model_name="executedobsunit",
            constraint=opsdb.models.constraints.Rule(
                body="RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = TG_TABLE_NAME || ': is never emptied';",
                events="TRUNCATE",
                level="STATEMENT",
                name="executed_obs_unit_never_truncated",
            ),
        ),
        migrations.AddConstraint(
            model_name="executedobsunit",
            constraint=opsdb.models.constraints.Rule(
                body="IF NOT ((OLD.status = 'running' AND NEW.status IN ('aborted', 'completed', 'failed'))) THEN\nRAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = TG_TABLE_NAME || ' ' || OLD.id || ': status cannot go from ' || OLD.status || ' to ' || NEW.status || '; it can become: ' || CASE OLD.status WHEN 'running' THEN 'completed, aborted, failed' WHEN 'completed' THEN 'nothing, it is final' WHEN 'aborted' THEN 'nothing, it is final' WHEN 'failed' THEN 'nothing, it is final' END;\nEND IF;\nRETURN NEW;",
                events="UPDATE OF status",
                name="executed_obs_unit_status_transition",
                when="OLD.status IS DISTINCT FROM NEW.status",
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
            model_name="executedobsunit",
            constraint=opsdb.models.constraints.Rule(
                body="PERFORM opsdb_record_change(TG_TABLE_NAME, lower(TG_OP), to_jsonb(OLD), to_jsonb(NEW));\nRETURN NULL;",
                events="UPDATE OR DELETE",
                name="executed_obs_unit_history",
                timing="AFTER",
            ),
        ),
        migrations.AddConstraint(
            model_name="executedobsunitmoduleconfiguration",
            constraint=opsdb.models.constraints.Rule(
                body="PERFORM opsdb_record_change(TG_TABLE_NAME, lower(TG_OP), to_jsonb(OLD), to_jsonb(NEW));\nRETURN NULL;",
                events="INSERT OR UPDATE OR DELETE",
                name="executed_obs_unit_module_configuration_history",
                timing="AFTER",
            ),
        ),
        migrations.AddConstraint(
            model_name="site",
            constraint=opsdb.models.constraints.Rule(
                body="NEW.updated_at = statement_timestamp();\nRETURN NEW;", events="UPDATE", name="site_touch"
            ),
        ),
        migrations.AddConstraint(
            model_name="site",
            constraint=opsdb.models.constraints.Rule(
                body="PERFORM opsdb_record_change(TG_TABLE_NAME, lower(TG_OP), to_jsonb(OLD), to_jsonb(NEW));\nRETURN NULL;",
                events="INSERT OR UPDATE OR DELETE",
                name="site_history",
                timing="AFTER",
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
                body="PERFORM opsdb_record_change(TG_TABLE_NAME, lower(TG_OP), to_jsonb(OLD), to_jsonb(NEW));\nRETURN NULL;",
                events="INSERT OR UPDATE OR DELETE",
                name="data_location_history",
                timing="AFTER",
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
                body="PERFORM opsdb_record_change(TG_TABLE_NAME, lower(TG_OP), to_jsonb(OLD), to_jsonb(NEW));\nRETURN NULL;",
                events="INSERT OR UPDATE OR DELETE",
                name="disk_data_location_history",
                timing="AFTER",
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
                body="PERFORM opsdb_record_change(TG_TABLE_NAME, lower(TG_OP), to_jsonb(OLD), to_jsonb(NEW));\nRETURN NULL;",
                events="INSERT OR UPDATE OR DELETE",
                name="s3_data_location_history",
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
                body="PERFORM opsdb_record_change(TG_TABLE_NAME, lower(TG_OP), to_jsonb(OLD), to_jsonb(NEW));\nRETURN NULL;",
                events="INSERT OR UPDATE OR DELETE",
                name="tape_data_location_history",
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
                body="IF false OR EXISTS (SELECT FROM physical_copy WHERE data_transfer_package_id = OLD.id AND verification = 'verified') THEN\nRAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = TG_TABLE_NAME || ' ' || OLD.id || ': checksum, checksum_algorithm, size_bytes, relative_path cannot be changed, because a copy was verified against them';\nEND IF;\nRETURN NEW;",
                events="UPDATE",
                name="data_transfer_package_facts_frozen",
                when='OLD."checksum" IS DISTINCT FROM NEW."checksum" OR OLD."checksum_algorithm" IS DISTINCT FROM NEW."checksum_algorithm" OR OLD."size_bytes" IS DISTINCT FROM NEW."size_bytes" OR OLD."relative_path" IS DISTINCT FROM NEW."relative_path"',
            ),
        ),
        migrations.AddConstraint(
            model_name="datatransferpackage",
            constraint=opsdb.models.constraints.Rule(
                body="RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = TG_TABLE_NAME || ' ' || OLD.\"id\" || ': id cannot be changed once set', HINT = 'Make a new row instead, and delete this one if nothing refers to it.';",
                events="UPDATE",
                name="data_transfer_package_id_immutable",
                when='OLD."id" IS DISTINCT FROM NEW."id"',
            ),
        ),
        migrations.AddConstraint(
            model_name="datatransferpackage",
            constraint=opsdb.models.constraints.Rule(
                body="RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = TG_TABLE_NAME || ' ' || OLD.id || ': a data transfer package is never deleted';",
                events="DELETE",
                name="data_transfer_package_never_deleted",
            ),
        ),
        migrations.AddConstraint(
            model_name="datatransferpackage",
            constraint=opsdb.models.constraints.Rule(
                body="RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = TG_TABLE_NAME || ': is never emptied';",
                events="TRUNCATE",
                level="STATEMENT",
                name="data_transfer_package_never_truncated",
            ),
        ),
        migrations.AddConstraint(
            model_name="datatransferpackage",
            constraint=opsdb.models.constraints.Rule(
                body="IF NOT ((OLD.status = 'pending' AND NEW.status IN ('failed', 'in_progress', 'scheduled')) OR (OLD.status = 'scheduled' AND NEW.status IN ('failed', 'in_progress', 'pending')) OR (OLD.status = 'in_progress' AND NEW.status IN ('completed', 'failed', 'pending')) OR (OLD.status = 'failed' AND NEW.status IN ('pending'))) THEN\nRAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = TG_TABLE_NAME || ' ' || OLD.id || ': status cannot go from ' || OLD.status || ' to ' || NEW.status || '; it can become: ' || CASE OLD.status WHEN 'pending' THEN 'scheduled, in_progress, failed' WHEN 'scheduled' THEN 'pending, in_progress, failed' WHEN 'in_progress' THEN 'pending, completed, failed' WHEN 'completed' THEN 'nothing, it is final' WHEN 'failed' THEN 'pending' END;\nEND IF;\nRETURN NEW;",
                events="UPDATE OF status",
                name="data_transfer_package_status_transition",
                when="OLD.status IS DISTINCT FROM NEW.status",
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
            model_name="datatransferpackage",
            constraint=opsdb.models.constraints.Rule(
                body="PERFORM opsdb_record_change(TG_TABLE_NAME, lower(TG_OP), to_jsonb(OLD), to_jsonb(NEW));\nRETURN NULL;",
                events="UPDATE OR DELETE",
                name="data_transfer_package_history",
                timing="AFTER",
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
                body="IF OLD.state = 'archived' OR EXISTS (SELECT FROM physical_copy WHERE raw_data_package_id = OLD.id AND verification = 'verified') THEN\nRAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = TG_TABLE_NAME || ' ' || OLD.id || ': checksum, checksum_algorithm, size_bytes, relative_path, file_count cannot be changed, because a copy was verified against them';\nEND IF;\nRETURN NEW;",
                events="UPDATE",
                name="raw_data_package_facts_frozen",
                when='OLD."checksum" IS DISTINCT FROM NEW."checksum" OR OLD."checksum_algorithm" IS DISTINCT FROM NEW."checksum_algorithm" OR OLD."size_bytes" IS DISTINCT FROM NEW."size_bytes" OR OLD."relative_path" IS DISTINCT FROM NEW."relative_path" OR OLD."file_count" IS DISTINCT FROM NEW."file_count"',
            ),
        ),
        migrations.AddConstraint(
            model_name="rawdatapackage",
            constraint=opsdb.models.constraints.Rule(
                body="PERFORM FROM data_transfer_package WHERE id = NEW.data_transfer_package_id ORDER BY id FOR NO KEY UPDATE;\nSELECT id INTO made FROM data_transfer_package WHERE id = NEW.data_transfer_package_id AND (status = 'completed') ORDER BY id LIMIT 1;\nIF FOUND THEN\nRAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = TG_TABLE_NAME || ' ' || NEW.id || ': cannot enter or leave data_transfer_package ' || made || ', which has been made';\nEND IF;\nRETURN NEW;",
                declare="made text;",
                events="INSERT",
                name="raw_data_package_bundle_entered",
                when="NEW.data_transfer_package_id IS NOT NULL",
            ),
        ),
        migrations.AddConstraint(
            model_name="rawdatapackage",
            constraint=opsdb.models.constraints.Rule(
                body="PERFORM FROM data_transfer_package WHERE id IN (OLD.data_transfer_package_id, NEW.data_transfer_package_id) ORDER BY id FOR NO KEY UPDATE;\nSELECT id INTO made FROM data_transfer_package WHERE id IN (OLD.data_transfer_package_id, NEW.data_transfer_package_id) AND (status = 'completed') ORDER BY id LIMIT 1;\nIF FOUND THEN\nRAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = TG_TABLE_NAME || ' ' || NEW.id || ': cannot enter or leave data_transfer_package ' || made || ', which has been made';\nEND IF;\nRETURN NEW;",
                declare="made text;",
                events="UPDATE OF data_transfer_package_id",
                name="raw_data_package_bundle_still_open",
                when="OLD.data_transfer_package_id IS DISTINCT FROM NEW.data_transfer_package_id",
            ),
        ),
        migrations.AddConstraint(
            model_name="rawdatapackage",
            constraint=opsdb.models.constraints.Rule(
                body="IF NOT EXISTS (SELECT FROM physical_copy AS archived\nJOIN data_location ON data_location.id = archived.data_location_id\nJOIN raw_data_package AS package ON package.id = archived.raw_data_package_id\nWHERE package.id = NEW.id AND data_location.location_type = 'long_term_archive' \nAND archived.status = 'present' AND archived.verification = 'verified'\nAND archived.checksum = package.checksum AND archived.checksum_algorithm = package.checksum_algorithm) THEN\nRAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = 'raw_data_package ' || NEW.id || ': cannot be archived without a verified copy in a long-term archive';\nEND IF;\nRETURN NULL;",
                events="INSERT OR UPDATE OF state",
                name="raw_data_package_archived_is_true",
                timing="AFTER",
                when="NEW.state = 'archived'",
            ),
        ),
        migrations.AddConstraint(
            model_name="rawdatapackage",
            constraint=opsdb.models.constraints.Rule(
                body="RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = TG_TABLE_NAME || ' ' || OLD.\"id\" || ': id cannot be changed once set', HINT = 'Make a new row instead, and delete this one if nothing refers to it.';",
                events="UPDATE",
                name="raw_data_package_id_immutable",
                when='OLD."id" IS DISTINCT FROM NEW."id"',
            ),
        ),
        migrations.AddConstraint(
            model_name="rawdatapackage",
            constraint=opsdb.models.constraints.Rule(
                body="RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = TG_TABLE_NAME || ' ' || OLD.id || ': a raw data package is never deleted';",
                events="DELETE",
                name="raw_data_package_never_deleted",
            ),
        ),
        migrations.AddConstraint(
            model_name="rawdatapackage",
            constraint=opsdb.models.constraints.Rule(
                body="RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = TG_TABLE_NAME || ': is never emptied';",
                events="TRUNCATE",
                level="STATEMENT",
                name="raw_data_package_never_truncated",
            ),
        ),
        migrations.AddConstraint(
            model_name="rawdatapackage",
            constraint=opsdb.models.constraints.Rule(
                body="IF NOT ((OLD.status = 'pending' AND NEW.status IN ('failed', 'in_progress', 'scheduled')) OR (OLD.status = 'scheduled' AND NEW.status IN ('failed', 'in_progress', 'pending')) OR (OLD.status = 'in_progress' AND NEW.status IN ('completed', 'failed', 'pending')) OR (OLD.status = 'failed' AND NEW.status IN ('pending'))) THEN\nRAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = TG_TABLE_NAME || ' ' || OLD.id || ': status cannot go from ' || OLD.status || ' to ' || NEW.status || '; it can become: ' || CASE OLD.status WHEN 'pending' THEN 'scheduled, in_progress, failed' WHEN 'scheduled' THEN 'pending, in_progress, failed' WHEN 'in_progress' THEN 'pending, completed, failed' WHEN 'completed' THEN 'nothing, it is final' WHEN 'failed' THEN 'pending' END;\nEND IF;\nRETURN NEW;",
                events="UPDATE OF status",
                name="raw_data_package_status_transition",
                when="OLD.status IS DISTINCT FROM NEW.status",
            ),
        ),
        migrations.AddConstraint(
            model_name="rawdatapackage",
            constraint=opsdb.models.constraints.Rule(
                body="IF NOT ((OLD.state = 'waiting' AND NEW.state IN ('archived', 'failed', 'transferring')) OR (OLD.state = 'transferring' AND NEW.state IN ('archived', 'failed', 'waiting')) OR (OLD.state = 'failed' AND NEW.state IN ('transferring', 'waiting'))) THEN\nRAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = TG_TABLE_NAME || ' ' || OLD.id || ': state cannot go from ' || OLD.state || ' to ' || NEW.state || '; it can become: ' || CASE OLD.state WHEN 'waiting' THEN 'transferring, archived, failed' WHEN 'transferring' THEN 'waiting, archived, failed' WHEN 'archived' THEN 'nothing, it is final' WHEN 'failed' THEN 'waiting, transferring' END;\nEND IF;\nRETURN NEW;",
                events="UPDATE OF state",
                name="raw_data_package_state_transition",
                when="OLD.state IS DISTINCT FROM NEW.state",
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
            model_name="rawdatapackage",
            constraint=opsdb.models.constraints.Rule(
                body="PERFORM opsdb_record_change(TG_TABLE_NAME, lower(TG_OP), to_jsonb(OLD), to_jsonb(NEW));\nRETURN NULL;",
                events="UPDATE OR DELETE",
                name="raw_data_package_history",
                timing="AFTER",
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
                body="IF EXISTS (SELECT FROM physical_copy WHERE raw_data_package_id = OLD.raw_data_package_id AND verification = 'verified') OR EXISTS (SELECT FROM physical_copy WHERE raw_data_file_id = OLD.id AND verification = 'verified') THEN\nRAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = TG_TABLE_NAME || ' ' || OLD.id || ': checksum, checksum_algorithm, size_bytes, relative_path cannot be changed, because a copy was verified against them';\nEND IF;\nRETURN NEW;",
                events="UPDATE",
                name="raw_data_file_facts_frozen",
                when='OLD."checksum" IS DISTINCT FROM NEW."checksum" OR OLD."checksum_algorithm" IS DISTINCT FROM NEW."checksum_algorithm" OR OLD."size_bytes" IS DISTINCT FROM NEW."size_bytes" OR OLD."relative_path" IS DISTINCT FROM NEW."relative_path"',
            ),
        ),
        migrations.AddConstraint(
            model_name="rawdatafile",
            constraint=opsdb.models.constraints.Rule(
                body="RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = TG_TABLE_NAME || ' ' || OLD.\"id\" || ': id cannot be changed once set', HINT = 'Make a new row instead, and delete this one if nothing refers to it.';",
                events="UPDATE",
                name="raw_data_file_id_immutable",
                when='OLD."id" IS DISTINCT FROM NEW."id"',
            ),
        ),
        migrations.AddConstraint(
            model_name="rawdatafile",
            constraint=opsdb.models.constraints.Rule(
                body="RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = TG_TABLE_NAME || ' ' || OLD.id || ': a raw data file is never deleted';",
                events="DELETE",
                name="raw_data_file_never_deleted",
            ),
        ),
        migrations.AddConstraint(
            model_name="rawdatafile",
            constraint=opsdb.models.constraints.Rule(
                body="RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = TG_TABLE_NAME || ': is never emptied';",
                events="TRUNCATE",
                level="STATEMENT",
                name="raw_data_file_never_truncated",
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
                body="PERFORM FROM raw_data_package WHERE id = NEW.raw_data_package_id ORDER BY id FOR NO KEY UPDATE;\nSELECT id INTO made FROM raw_data_package WHERE id = NEW.raw_data_package_id AND (status = 'completed' OR state = 'archived') ORDER BY id LIMIT 1;\nIF FOUND THEN\nRAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = TG_TABLE_NAME || ' ' || NEW.id || ': cannot enter or leave raw_data_package ' || made || ', which has been made';\nEND IF;\nRETURN NEW;",
                declare="made text;",
                events="INSERT",
                name="raw_data_file_package_entered",
                when="NEW.raw_data_package_id IS NOT NULL",
            ),
        ),
        migrations.AddConstraint(
            model_name="rawdatafile",
            constraint=opsdb.models.constraints.Rule(
                body="PERFORM FROM raw_data_package WHERE id IN (OLD.raw_data_package_id, NEW.raw_data_package_id) ORDER BY id FOR NO KEY UPDATE;\nSELECT id INTO made FROM raw_data_package WHERE id IN (OLD.raw_data_package_id, NEW.raw_data_package_id) AND (status = 'completed' OR state = 'archived') ORDER BY id LIMIT 1;\nIF FOUND THEN\nRAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = TG_TABLE_NAME || ' ' || NEW.id || ': cannot enter or leave raw_data_package ' || made || ', which has been made';\nEND IF;\nRETURN NEW;",
                declare="made text;",
                events="UPDATE OF raw_data_package_id",
                name="raw_data_file_package_still_open",
                when="OLD.raw_data_package_id IS DISTINCT FROM NEW.raw_data_package_id",
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
            model_name="rawdatafile",
            constraint=opsdb.models.constraints.Rule(
                body="PERFORM opsdb_record_change(TG_TABLE_NAME, lower(TG_OP), to_jsonb(OLD), to_jsonb(NEW));\nRETURN NULL;",
                events="UPDATE OR DELETE",
                name="raw_data_file_history",
                timing="AFTER",
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
            model_name="rawdatapackagemetadata",
            constraint=opsdb.models.constraints.Rule(
                body="PERFORM opsdb_record_change(TG_TABLE_NAME, lower(TG_OP), to_jsonb(OLD), to_jsonb(NEW));\nRETURN NULL;",
                events="UPDATE OR DELETE",
                name="raw_data_package_metadata_history",
                timing="AFTER",
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
            model_name="datatransferroute",
            constraint=opsdb.models.constraints.Rule(
                body="PERFORM opsdb_record_change(TG_TABLE_NAME, lower(TG_OP), to_jsonb(OLD), to_jsonb(NEW));\nRETURN NULL;",
                events="INSERT OR UPDATE OR DELETE",
                name="data_transfer_route_history",
                timing="AFTER",
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
                body="PERFORM FROM data_transfer_package WHERE id = NEW.data_transfer_package_id FOR KEY SHARE;\nIF EXISTS (SELECT FROM physical_copy WHERE data_transfer_package_id = NEW.data_transfer_package_id\nAND data_location_id = NEW.origin_location_id AND status = 'deletion_in_progress') THEN\nRAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = TG_TABLE_NAME || ' ' || NEW.id || ': the copy of data_transfer_package ' || NEW.data_transfer_package_id || ' that it would read is being deleted', HINT = 'Read it from another location.';\nEND IF;\nRETURN NEW;",
                events="INSERT",
                name="data_transfer_reads_what_stays",
                when="NEW.status IN ('pending', 'scheduled', 'in_progress')",
            ),
        ),
        migrations.AddConstraint(
            model_name="datatransfer",
            constraint=opsdb.models.constraints.Rule(
                body="PERFORM FROM data_transfer_package WHERE id = NEW.data_transfer_package_id FOR KEY SHARE;\nIF EXISTS (SELECT FROM physical_copy WHERE data_transfer_package_id = NEW.data_transfer_package_id\nAND data_location_id = NEW.origin_location_id AND status = 'deletion_in_progress') THEN\nRAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = TG_TABLE_NAME || ' ' || NEW.id || ': the copy of data_transfer_package ' || NEW.data_transfer_package_id || ' that it would read is being deleted', HINT = 'Read it from another location.';\nEND IF;\nRETURN NEW;",
                events="UPDATE OF status",
                name="data_transfer_again_reads_what_stays",
                when="OLD.status = 'failed' AND NEW.status IN ('pending', 'scheduled', 'in_progress')",
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
                body="IF NOT ((OLD.status = 'pending' AND NEW.status IN ('failed', 'in_progress', 'scheduled')) OR (OLD.status = 'scheduled' AND NEW.status IN ('failed', 'in_progress', 'pending')) OR (OLD.status = 'in_progress' AND NEW.status IN ('completed', 'failed', 'pending')) OR (OLD.status = 'failed' AND NEW.status IN ('pending'))) THEN\nRAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = TG_TABLE_NAME || ' ' || OLD.id || ': status cannot go from ' || OLD.status || ' to ' || NEW.status || '; it can become: ' || CASE OLD.status WHEN 'pending' THEN 'scheduled, in_progress, failed' WHEN 'scheduled' THEN 'pending, in_progress, failed' WHEN 'in_progress' THEN 'pending, completed, failed' WHEN 'completed' THEN 'nothing, it is final' WHEN 'failed' THEN 'pending' END;\nEND IF;\nRETURN NEW;",
                events="UPDATE OF status",
                name="data_transfer_status_transition",
                when="OLD.status IS DISTINCT FROM NEW.status",
            ),
        ),
        migrations.AddConstraint(
            model_name="datatransfer",
            constraint=opsdb.models.constraints.Rule(
                body="IF NOT ((OLD.unpack_status = 'pending' AND NEW.unpack_status IN ('failed', 'in_progress', 'scheduled')) OR (OLD.unpack_status = 'scheduled' AND NEW.unpack_status IN ('failed', 'in_progress', 'pending')) OR (OLD.unpack_status = 'in_progress' AND NEW.unpack_status IN ('completed', 'failed', 'pending')) OR (OLD.unpack_status = 'failed' AND NEW.unpack_status IN ('pending'))) THEN\nRAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = TG_TABLE_NAME || ' ' || OLD.id || ': unpack_status cannot go from ' || OLD.unpack_status || ' to ' || NEW.unpack_status || '; it can become: ' || CASE OLD.unpack_status WHEN 'pending' THEN 'scheduled, in_progress, failed' WHEN 'scheduled' THEN 'pending, in_progress, failed' WHEN 'in_progress' THEN 'pending, completed, failed' WHEN 'completed' THEN 'nothing, it is final' WHEN 'failed' THEN 'pending' END;\nEND IF;\nRETURN NEW;",
                events="UPDATE OF unpack_status",
                name="data_transfer_unpack_status_transition",
                when="OLD.unpack_status IS DISTINCT FROM NEW.unpack_status",
            ),
        ),
        migrations.AddConstraint(
            model_name="datatransfer",
            constraint=opsdb.models.constraints.Rule(
                body="NEW.updated_at = statement_timestamp();\nRETURN NEW;", events="UPDATE", name="data_transfer_touch"
            ),
        ),
        migrations.AddConstraint(
            model_name="datatransfer",
            constraint=opsdb.models.constraints.Rule(
                body="PERFORM opsdb_record_change(TG_TABLE_NAME, lower(TG_OP), to_jsonb(OLD), to_jsonb(NEW));\nRETURN NULL;",
                events="UPDATE OR DELETE",
                name="data_transfer_history",
                timing="AFTER",
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
                body="IF NOT EXISTS (SELECT FROM physical_copy AS archived\nJOIN data_location ON data_location.id = archived.data_location_id\nJOIN raw_data_package AS package ON package.id = archived.raw_data_package_id\nWHERE package.id = NEW.raw_data_package_id AND data_location.location_type = 'long_term_archive' AND archived.data_location_id = NEW.destination_location_id\nAND archived.status = 'present' AND archived.verification = 'verified'\nAND archived.checksum = package.checksum AND archived.checksum_algorithm = package.checksum_algorithm) THEN\nRAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = 'long_term_archive_transfer ' || NEW.id || ': cannot be completed without a verified copy at its destination';\nEND IF;\nRETURN NEW;",
                events="INSERT OR UPDATE OF status",
                name="long_term_archive_transfer_completed_is_true",
                when="NEW.status = 'completed'",
            ),
        ),
        migrations.AddConstraint(
            model_name="longtermarchivetransfer",
            constraint=opsdb.models.constraints.Rule(
                body="PERFORM FROM raw_data_package WHERE id = NEW.raw_data_package_id FOR KEY SHARE;\nIF EXISTS (SELECT FROM physical_copy WHERE raw_data_package_id = NEW.raw_data_package_id\nAND data_location_id = NEW.origin_location_id AND status = 'deletion_in_progress') THEN\nRAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = TG_TABLE_NAME || ' ' || NEW.id || ': the copy of raw_data_package ' || NEW.raw_data_package_id || ' that it would read is being deleted', HINT = 'Read it from another location.';\nEND IF;\nRETURN NEW;",
                events="INSERT",
                name="long_term_archive_transfer_reads_what_stays",
                when="NEW.status IN ('pending', 'scheduled', 'in_progress')",
            ),
        ),
        migrations.AddConstraint(
            model_name="longtermarchivetransfer",
            constraint=opsdb.models.constraints.Rule(
                body="PERFORM FROM raw_data_package WHERE id = NEW.raw_data_package_id FOR KEY SHARE;\nIF EXISTS (SELECT FROM physical_copy WHERE raw_data_package_id = NEW.raw_data_package_id\nAND data_location_id = NEW.origin_location_id AND status = 'deletion_in_progress') THEN\nRAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = TG_TABLE_NAME || ' ' || NEW.id || ': the copy of raw_data_package ' || NEW.raw_data_package_id || ' that it would read is being deleted', HINT = 'Read it from another location.';\nEND IF;\nRETURN NEW;",
                events="UPDATE OF status",
                name="long_term_archive_transfer_again_reads_what_stays",
                when="OLD.status = 'failed' AND NEW.status IN ('pending', 'scheduled', 'in_progress')",
            ),
        ),
        migrations.AddConstraint(
            model_name="longtermarchivetransfer",
            constraint=opsdb.models.constraints.Rule(
                body="IF NOT ((OLD.status = 'pending' AND NEW.status IN ('failed', 'in_progress', 'scheduled')) OR (OLD.status = 'scheduled' AND NEW.status IN ('failed', 'in_progress', 'pending')) OR (OLD.status = 'in_progress' AND NEW.status IN ('completed', 'failed', 'pending')) OR (OLD.status = 'failed' AND NEW.status IN ('pending'))) THEN\nRAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = TG_TABLE_NAME || ' ' || OLD.id || ': status cannot go from ' || OLD.status || ' to ' || NEW.status || '; it can become: ' || CASE OLD.status WHEN 'pending' THEN 'scheduled, in_progress, failed' WHEN 'scheduled' THEN 'pending, in_progress, failed' WHEN 'in_progress' THEN 'pending, completed, failed' WHEN 'completed' THEN 'nothing, it is final' WHEN 'failed' THEN 'pending' END;\nEND IF;\nRETURN NEW;",
                events="UPDATE OF status",
                name="long_term_archive_transfer_status_transition",
                when="OLD.status IS DISTINCT FROM NEW.status",
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
            model_name="longtermarchivetransfer",
            constraint=opsdb.models.constraints.Rule(
                body="PERFORM opsdb_record_change(TG_TABLE_NAME, lower(TG_OP), to_jsonb(OLD), to_jsonb(NEW));\nRETURN NULL;",
                events="UPDATE OR DELETE",
                name="long_term_archive_transfer_history",
                timing="AFTER",
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
                body="PERFORM FROM raw_data_package WHERE id = NEW.rawdatapackage_id FOR KEY SHARE;\nRETURN NEW;",
                events="INSERT",
                name="staging_job_raw_data_packages_wait",
                table="staging_job_raw_data_packages",
            ),
        ),
        migrations.AddConstraint(
            model_name="stagingjob",
            constraint=opsdb.models.constraints.Rule(
                body="IF EXISTS (SELECT FROM staging_job WHERE id = OLD.stagingjob_id AND active) THEN\nRAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = 'staging_job ' || OLD.stagingjob_id || ': raw_data_package ' || OLD.rawdatapackage_id || ' cannot be taken from it while its data are needed', HINT = 'Make the job inactive first.';\nEND IF;\nRETURN coalesce(NEW, OLD);",
                events="UPDATE OR DELETE",
                name="staging_job_raw_data_packages_stay",
                table="staging_job_raw_data_packages",
            ),
        ),
        migrations.AddConstraint(
            model_name="stagingjob",
            constraint=opsdb.models.constraints.Rule(
                body="PERFORM FROM data_product WHERE id = NEW.dataproduct_id FOR KEY SHARE;\nRETURN NEW;",
                events="INSERT",
                name="staging_job_data_products_wait",
                table="staging_job_data_products",
            ),
        ),
        migrations.AddConstraint(
            model_name="stagingjob",
            constraint=opsdb.models.constraints.Rule(
                body="IF EXISTS (SELECT FROM staging_job WHERE id = OLD.stagingjob_id AND active) THEN\nRAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = 'staging_job ' || OLD.stagingjob_id || ': data_product ' || OLD.dataproduct_id || ' cannot be taken from it while its data are needed', HINT = 'Make the job inactive first.';\nEND IF;\nRETURN coalesce(NEW, OLD);",
                events="UPDATE OR DELETE",
                name="staging_job_data_products_stay",
                table="staging_job_data_products",
            ),
        ),
        migrations.AddConstraint(
            model_name="stagingjob",
            constraint=opsdb.models.constraints.Rule(
                body="IF NOT ((OLD.status = 'pending' AND NEW.status IN ('failed', 'in_progress', 'scheduled')) OR (OLD.status = 'scheduled' AND NEW.status IN ('failed', 'in_progress', 'pending')) OR (OLD.status = 'in_progress' AND NEW.status IN ('completed', 'failed', 'pending')) OR (OLD.status = 'failed' AND NEW.status IN ('pending'))) THEN\nRAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = TG_TABLE_NAME || ' ' || OLD.id || ': status cannot go from ' || OLD.status || ' to ' || NEW.status || '; it can become: ' || CASE OLD.status WHEN 'pending' THEN 'scheduled, in_progress, failed' WHEN 'scheduled' THEN 'pending, in_progress, failed' WHEN 'in_progress' THEN 'pending, completed, failed' WHEN 'completed' THEN 'nothing, it is final' WHEN 'failed' THEN 'pending' END;\nEND IF;\nRETURN NEW;",
                events="UPDATE OF status",
                name="staging_job_status_transition",
                when="OLD.status IS DISTINCT FROM NEW.status",
            ),
        ),
        migrations.AddConstraint(
            model_name="stagingjob",
            constraint=opsdb.models.constraints.Rule(
                body="NEW.updated_at = statement_timestamp();\nRETURN NEW;", events="UPDATE", name="staging_job_touch"
            ),
        ),
        migrations.AddConstraint(
            model_name="stagingjob",
            constraint=opsdb.models.constraints.Rule(
                body="PERFORM opsdb_record_change(TG_TABLE_NAME, lower(TG_OP), to_jsonb(OLD), to_jsonb(NEW));\nRETURN NULL;",
                events="INSERT OR UPDATE OR DELETE",
                name="staging_job_history",
                timing="AFTER",
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
            model_name="reductionsoftware",
            constraint=opsdb.models.constraints.Rule(
                body="PERFORM opsdb_record_change(TG_TABLE_NAME, lower(TG_OP), to_jsonb(OLD), to_jsonb(NEW));\nRETURN NULL;",
                events="INSERT OR UPDATE OR DELETE",
                name="reduction_software_history",
                timing="AFTER",
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
            model_name="reductionsoftwareversion",
            constraint=opsdb.models.constraints.Rule(
                body="PERFORM opsdb_record_change(TG_TABLE_NAME, lower(TG_OP), to_jsonb(OLD), to_jsonb(NEW));\nRETURN NULL;",
                events="INSERT OR UPDATE OR DELETE",
                name="reduction_software_version_history",
                timing="AFTER",
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
            model_name="reductionstepconfig",
            constraint=opsdb.models.constraints.Rule(
                body="PERFORM opsdb_record_change(TG_TABLE_NAME, lower(TG_OP), to_jsonb(OLD), to_jsonb(NEW));\nRETURN NULL;",
                events="INSERT OR UPDATE OR DELETE",
                name="reduction_step_config_history",
                timing="AFTER",
            ),
        ),
        migrations.AddConstraint(
            model_name="datagrouping",
            constraint=opsdb.models.constraints.Rule(
                body="IF jsonb_array_length(NEW.filter_rules) > 50 THEN\nRAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = 'data_grouping ' || NEW.id || ': has more than 50 filter rules';\nEND IF;\nFOR item IN SELECT value, ordinality - 1 AS index\nFROM jsonb_array_elements(NEW.filter_rules) WITH ORDINALITY LOOP\nrule = item.value;\nproblem = CASE\nWHEN jsonb_typeof(rule) <> 'object' THEN 'must be an object (table, column, operator, value)'\nWHEN NOT rule ?& ARRAY['table', 'column', 'operator', 'value'] THEN 'must have table, column, operator and value'\nWHEN EXISTS (SELECT FROM jsonb_object_keys(rule) AS key WHERE key NOT IN ('table', 'column', 'operator', 'value', 'json_path')) THEN 'has an unknown key'\nWHEN jsonb_typeof(rule -> 'table') <> 'string' OR NOT known ? (rule ->> 'table')\nTHEN concat('there is no table ', left(rule ->> 'table', 60), ' that a rule may name')\nWHEN jsonb_typeof(rule -> 'column') <> 'string' OR NOT known -> (rule ->> 'table') ? (rule ->> 'column')\nTHEN concat('there is no column ', left(rule ->> 'column', 60), ' in ', rule ->> 'table', ' that a rule may name')\nWHEN jsonb_typeof(rule -> 'operator') <> 'string' OR (rule ->> 'operator') NOT IN ('eq', 'neq', 'in', 'not_in', 'gt', 'gte', 'lt', 'lte', 'like')\nTHEN concat('there is no operator ', left(rule ->> 'operator', 60))\nEND;\nIF problem IS NOT NULL THEN\nRAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = 'data_grouping ' || NEW.id || ': filter_rules[' || item.index || ']: ' || problem;\nEND IF;\nEND LOOP;\nRETURN NEW;",
                declare='known jsonb = \'{"raw_data_package": ["created_at", "updated_at", "status", "size_bytes", "checksum", "checksum_algorithm", "id", "executed_obs_unit_id", "instrument_module_id", "part", "name", "relative_path", "file_count", "state", "data_transfer_package_id"], "executed_obs_unit": ["created_at", "updated_at", "id", "obs_unit_id", "status", "start_time", "end_time", "quality", "mean_pwv_mm", "mean_elevation_deg", "mean_azimuth_deg", "conditions", "comment"], "obs_unit": ["created_at", "updated_at", "id", "observing_program_id", "sub_observing_program_id", "source_id", "obs_mode_id", "configuration_id", "name", "line_id", "version", "priority", "available", "elevation_min_deg", "elevation_max_deg", "pwv_max_mm", "planned_duration_seconds", "requested_executions", "lst_start_hours", "lst_end_hours", "comment"], "source": ["created_at", "updated_at", "id", "name", "type", "aliases", "comment"], "instrument_module": ["created_at", "updated_at", "id", "instrument_id", "name", "description", "available", "pixels", "frequency_min_ghz", "frequency_max_ghz"], "raw_data_package_metadata": ["created_at", "updated_at", "id", "raw_data_package_id", "dataproduct_type", "calib_level", "obs_collection", "obs_id", "obs_publisher_did", "access_url", "access_format", "access_estsize", "target_name", "s_ra", "s_dec", "s_fov", "s_region", "s_resolution", "s_xel1", "s_xel2", "t_min", "t_max", "t_exptime", "t_resolution", "t_xel", "em_min", "em_max", "em_res_power", "em_xel", "o_ucd", "pol_states", "pol_xel", "facility_name", "instrument_name", "extra"]}\'; item record; rule jsonb; problem text;',
                events='INSERT OR UPDATE OF "filter_rules"',
                name="data_grouping_rules_are_known",
                when="jsonb_typeof(NEW.filter_rules) = 'array'",
            ),
        ),
        migrations.AddConstraint(
            model_name="datagrouping",
            constraint=opsdb.models.constraints.Rule(
                body="NEW.updated_at = statement_timestamp();\nRETURN NEW;", events="UPDATE", name="data_grouping_touch"
            ),
        ),
        migrations.AddConstraint(
            model_name="datagrouping",
            constraint=opsdb.models.constraints.Rule(
                body="PERFORM opsdb_record_change(TG_TABLE_NAME, lower(TG_OP), to_jsonb(OLD), to_jsonb(NEW));\nRETURN NULL;",
                events="INSERT OR UPDATE OR DELETE",
                name="data_grouping_history",
                timing="AFTER",
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
            model_name="pipeline",
            constraint=opsdb.models.constraints.Rule(
                body="PERFORM opsdb_record_change(TG_TABLE_NAME, lower(TG_OP), to_jsonb(OLD), to_jsonb(NEW));\nRETURN NULL;",
                events="INSERT OR UPDATE OR DELETE",
                name="pipeline_history",
                timing="AFTER",
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
            model_name="reductionstep",
            constraint=opsdb.models.constraints.Rule(
                body="PERFORM opsdb_record_change(TG_TABLE_NAME, lower(TG_OP), to_jsonb(OLD), to_jsonb(NEW));\nRETURN NULL;",
                events="INSERT OR UPDATE OR DELETE",
                name="reduction_step_history",
                timing="AFTER",
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
            model_name="reductionstepdependency",
            constraint=opsdb.models.constraints.Rule(
                body="PERFORM opsdb_record_change(TG_TABLE_NAME, lower(TG_OP), to_jsonb(OLD), to_jsonb(NEW));\nRETURN NULL;",
                events="INSERT OR UPDATE OR DELETE",
                name="reduction_step_dependency_history",
                timing="AFTER",
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
                body="RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = 'executed_reduction_step ' || OLD.id || ': software_version_id, sub_group_key cannot be changed, because the run is completed';",
                events="UPDATE",
                name="executed_reduction_step_what_ran_stays",
                when="OLD.status = 'completed' AND (OLD.software_version_id IS DISTINCT FROM NEW.software_version_id OR OLD.sub_group_key <> NEW.sub_group_key)",
            ),
        ),
        migrations.AddConstraint(
            model_name="executedreductionstep",
            constraint=opsdb.models.constraints.Rule(
                body="PERFORM FROM raw_data_package WHERE id = NEW.raw_data_package_id FOR KEY SHARE;\nRETURN NEW;",
                events="INSERT",
                name="executed_reduction_step_input_packages_wait",
                table="executed_reduction_step_input_package",
            ),
        ),
        migrations.AddConstraint(
            model_name="executedreductionstep",
            constraint=opsdb.models.constraints.Rule(
                body="IF EXISTS (SELECT FROM executed_reduction_step WHERE id = OLD.run_id AND status IN ('staging_data', 'submitted', 'running', 'collecting_results', 'completed')) THEN\nRAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = 'executed_reduction_step ' || OLD.run_id || ': raw_data_package ' || OLD.raw_data_package_id || ' cannot be taken from it once it has begun', HINT = 'Make another run.';\nEND IF;\nRETURN coalesce(NEW, OLD);",
                events="UPDATE OR DELETE",
                name="executed_reduction_step_input_packages_stay",
                table="executed_reduction_step_input_package",
            ),
        ),
        migrations.AddConstraint(
            model_name="executedreductionstep",
            constraint=opsdb.models.constraints.Rule(
                body="PERFORM FROM data_product WHERE id = NEW.data_product_id FOR KEY SHARE;\nRETURN NEW;",
                events="INSERT",
                name="executed_reduction_step_input_products_wait",
                table="executed_reduction_step_input_product",
            ),
        ),
        migrations.AddConstraint(
            model_name="executedreductionstep",
            constraint=opsdb.models.constraints.Rule(
                body="IF EXISTS (SELECT FROM executed_reduction_step WHERE id = OLD.run_id AND status IN ('staging_data', 'submitted', 'running', 'collecting_results', 'completed')) THEN\nRAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = 'executed_reduction_step ' || OLD.run_id || ': data_product ' || OLD.data_product_id || ' cannot be taken from it once it has begun', HINT = 'Make another run.';\nEND IF;\nRETURN coalesce(NEW, OLD);",
                events="UPDATE OR DELETE",
                name="executed_reduction_step_input_products_stay",
                table="executed_reduction_step_input_product",
            ),
        ),
        migrations.AddConstraint(
            model_name="executedreductionstep",
            constraint=opsdb.models.constraints.Rule(
                body="IF NOT ((OLD.status = 'pending' AND NEW.status IN ('cancelled', 'failed', 'staging_data', 'submitted')) OR (OLD.status = 'staging_data' AND NEW.status IN ('cancelled', 'failed', 'submitted')) OR (OLD.status = 'submitted' AND NEW.status IN ('cancelled', 'failed', 'running')) OR (OLD.status = 'running' AND NEW.status IN ('cancelled', 'collecting_results', 'failed')) OR (OLD.status = 'collecting_results' AND NEW.status IN ('completed', 'failed')) OR (OLD.status = 'failed' AND NEW.status IN ('pending'))) THEN\nRAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = TG_TABLE_NAME || ' ' || OLD.id || ': status cannot go from ' || OLD.status || ' to ' || NEW.status || '; it can become: ' || CASE OLD.status WHEN 'pending' THEN 'staging_data, submitted, failed, cancelled' WHEN 'staging_data' THEN 'submitted, failed, cancelled' WHEN 'submitted' THEN 'running, failed, cancelled' WHEN 'running' THEN 'collecting_results, failed, cancelled' WHEN 'collecting_results' THEN 'completed, failed' WHEN 'completed' THEN 'nothing, it is final' WHEN 'failed' THEN 'pending' WHEN 'cancelled' THEN 'nothing, it is final' END;\nEND IF;\nRETURN NEW;",
                events="UPDATE OF status",
                name="executed_reduction_step_status_transition",
                when="OLD.status IS DISTINCT FROM NEW.status",
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
            model_name="executedreductionstep",
            constraint=opsdb.models.constraints.Rule(
                body="PERFORM opsdb_record_change(TG_TABLE_NAME, lower(TG_OP), to_jsonb(OLD), to_jsonb(NEW));\nRETURN NULL;",
                events="INSERT OR UPDATE OR DELETE",
                name="executed_reduction_step_history",
                timing="AFTER",
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
            model_name="dataproduct",
            constraint=opsdb.models.constraints.Rule(
                body="PERFORM opsdb_record_change(TG_TABLE_NAME, lower(TG_OP), to_jsonb(OLD), to_jsonb(NEW));\nRETURN NULL;",
                events="INSERT OR UPDATE OR DELETE",
                name="data_product_history",
                timing="AFTER",
            ),
        ),
        migrations.AddConstraint(
            model_name="executedreductionstepinputpackage",
            constraint=opsdb.models.constraints.Rule(
                body="PERFORM opsdb_record_change(TG_TABLE_NAME, lower(TG_OP), to_jsonb(OLD), to_jsonb(NEW));\nRETURN NULL;",
                events="INSERT OR UPDATE OR DELETE",
                name="executed_reduction_step_input_package_history",
                timing="AFTER",
            ),
        ),
        migrations.AddConstraint(
            model_name="executedreductionstepinputproduct",
            constraint=opsdb.models.constraints.Rule(
                body="PERFORM opsdb_record_change(TG_TABLE_NAME, lower(TG_OP), to_jsonb(OLD), to_jsonb(NEW));\nRETURN NULL;",
                events="INSERT OR UPDATE OR DELETE",
                name="executed_reduction_step_input_product_history",
                timing="AFTER",
            ),
        ),
        migrations.AddConstraint(
            model_name="physicalcopy",
            constraint=opsdb.models.constraints.Rule(
                body="RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = TG_TABLE_NAME || ' ' || OLD.\"id\" || ': data_location_id, raw_data_file_id, raw_data_package_id, data_transfer_package_id, data_product_id, created_at cannot be changed once set', HINT = 'Make a new row instead, and delete this one if nothing refers to it.';",
                events="UPDATE",
                name="physical_copy_immutable",
                when='OLD."data_location_id" IS DISTINCT FROM NEW."data_location_id" OR OLD."raw_data_file_id" IS DISTINCT FROM NEW."raw_data_file_id" OR OLD."raw_data_package_id" IS DISTINCT FROM NEW."raw_data_package_id" OR OLD."data_transfer_package_id" IS DISTINCT FROM NEW."data_transfer_package_id" OR OLD."data_product_id" IS DISTINCT FROM NEW."data_product_id" OR OLD."created_at" IS DISTINCT FROM NEW."created_at"',
            ),
        ),
        migrations.AddConstraint(
            model_name="physicalcopy",
            constraint=opsdb.models.constraints.Rule(
                body="RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = 'physical_copy ' || NEW.id || ': a new copy is present or staged, not ' || NEW.status, HINT = 'Register the copy as present; it takes its way from there.';",
                events="INSERT",
                name="physical_copy_born_present",
                when="NEW.status NOT IN ('present', 'staged')",
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
                    "CREATE FUNCTION opsdb_deletion_blocker(copy_id bigint, OUT rule integer, OUT held_by text, OUT why text)\nLANGUAGE plpgsql STABLE COST 10000 AS $helper$\nDECLARE\ncandidate record;\nplace record;\npackage record;\npackage_ids uuid[];\nneeded integer;\nsafe integer;\ndoubt text;\nheld numeric;\nBEGIN\nSELECT * INTO candidate FROM physical_copy WHERE id = copy_id;\nSELECT * INTO place FROM data_location WHERE id = candidate.data_location_id;\nIF place.location_type = 'long_term_archive' THEN\nrule = 1;\nheld_by = 'data_location ' || place.id;\nwhy = 'copies in the long-term archive ' || place.name || ' are permanent';\nRETURN;\nEND IF;\nIF candidate.raw_data_package_id IS NOT NULL THEN\npackage_ids = ARRAY[candidate.raw_data_package_id];\nELSIF candidate.raw_data_file_id IS NOT NULL THEN\nSELECT array_agg(raw_data_package_id) INTO package_ids FROM raw_data_file\nWHERE id = candidate.raw_data_file_id AND raw_data_package_id IS NOT NULL;\nELSIF candidate.data_transfer_package_id IS NOT NULL THEN\nSELECT array_agg(id) INTO package_ids FROM raw_data_package\nWHERE data_transfer_package_id = candidate.data_transfer_package_id;\nEND IF;\nIF package_ids IS NULL AND (place.location_type <> 'processing' OR candidate.data_product_id IS NULL) THEN\nheld_by = CASE WHEN candidate.raw_data_file_id IS NOT NULL THEN 'raw_data_file ' || candidate.raw_data_file_id\nWHEN candidate.data_transfer_package_id IS NOT NULL\nTHEN 'data_transfer_package ' || candidate.data_transfer_package_id\nELSE 'data_product ' || candidate.data_product_id END;\nIF place.location_type <> 'processing' OR NOT EXISTS (SELECT FROM physical_copy AS other\nWHERE other.raw_data_file_id = candidate.raw_data_file_id AND other.data_location_id <> place.id\nAND other.status IN ('present', 'staged', 'deletion_possible') AND other.verification <> 'mismatch') THEN\nrule = 2;\nwhy = held_by || ' is in no raw data package that could be safe in an archive';\nRETURN;\nEND IF;\nheld_by = NULL;\nEND IF;\nSELECT coalesce(max(min_archive_copies), 1) INTO needed FROM deletion_policy;\nFOR package IN SELECT * FROM raw_data_package WHERE id = ANY (package_ids) ORDER BY id LOOP\ndoubt = NULL;\nIF package.state <> 'archived' THEN\ndoubt = 'raw_data_package ' || package.id || ' is ' || package.state || ', not archived';\nELSE\nSELECT count(*) INTO safe FROM physical_copy AS archived\nJOIN data_location ON data_location.id = archived.data_location_id\nWHERE archived.raw_data_package_id = package.id\nAND data_location.location_type = 'long_term_archive'\nAND archived.status = 'present' AND archived.verification = 'verified'\nAND archived.checksum = package.checksum AND archived.checksum_algorithm = package.checksum_algorithm;\nIF safe < needed THEN\ndoubt = 'raw_data_package ' || package.id || ' has ' || safe\n|| ' verified archive copies elsewhere, and needs ' || needed;\nEND IF;\nEND IF;\nIF doubt IS NOT NULL AND place.location_type = 'processing' AND (\nEXISTS (SELECT FROM physical_copy AS other WHERE other.raw_data_package_id = package.id\nAND other.data_location_id <> place.id AND other.status IN ('present', 'staged', 'deletion_possible') AND other.verification <> 'mismatch')\nOR EXISTS (SELECT FROM physical_copy AS other WHERE other.raw_data_file_id = candidate.raw_data_file_id\nAND other.data_location_id <> place.id AND other.status IN ('present', 'staged', 'deletion_possible') AND other.verification <> 'mismatch')\nOR EXISTS (SELECT FROM physical_copy AS other\nWHERE other.data_transfer_package_id = candidate.data_transfer_package_id\nAND other.data_location_id <> place.id AND other.status IN ('present', 'staged', 'deletion_possible') AND other.verification <> 'mismatch')) THEN\ndoubt = NULL;\nEND IF;\nIF doubt IS NOT NULL THEN\nrule = 2;\nheld_by = 'raw_data_package ' || package.id;\nwhy = doubt;\nRETURN;\nEND IF;\nEND LOOP;\nIF candidate.status = 'missing' THEN\nRETURN;\nEND IF;\nIF candidate.data_transfer_package_id IS NOT NULL THEN\nSELECT 'data_transfer ' || id INTO held_by FROM data_transfer\nWHERE data_transfer_package_id = candidate.data_transfer_package_id AND origin_location_id = place.id\nAND status IN ('pending', 'scheduled', 'in_progress') ORDER BY id LIMIT 1;\nIF held_by IS NOT NULL THEN\nrule = 3;\nwhy = held_by || ' still needs it';\nRETURN;\nEND IF;\nSELECT 'data_transfer ' || id INTO held_by FROM data_transfer\nWHERE data_transfer_package_id = candidate.data_transfer_package_id AND destination_location_id = place.id\nAND status <> 'failed' AND unpack_status <> 'completed' ORDER BY id LIMIT 1;\nIF held_by IS NOT NULL THEN\nrule = 3;\nwhy = held_by || ' has not been unpacked and still needs it';\nRETURN;\nEND IF;\nEND IF;\nIF candidate.raw_data_package_id IS NOT NULL THEN\nSELECT 'long_term_archive_transfer ' || id INTO held_by FROM long_term_archive_transfer\nWHERE raw_data_package_id = candidate.raw_data_package_id AND status IN ('pending', 'scheduled', 'in_progress')\nAND coalesce(origin_location_id, place.id) = place.id ORDER BY id LIMIT 1;\nIF held_by IS NOT NULL THEN\nrule = 3;\nwhy = held_by || ' still needs it';\nRETURN;\nEND IF;\nSELECT 'data_transfer_package ' || bundle.id INTO held_by FROM data_transfer_package AS bundle\nJOIN raw_data_package ON raw_data_package.data_transfer_package_id = bundle.id\nWHERE raw_data_package.id = candidate.raw_data_package_id AND bundle.status IN ('pending', 'scheduled', 'in_progress')\nAND bundle.origin_location_id = place.id;\nIF held_by IS NOT NULL THEN\nrule = 3;\nwhy = held_by || ' still needs it';\nRETURN;\nEND IF;\nSELECT 'staging_job ' || job.id INTO held_by FROM staging_job_raw_data_packages AS staged\nJOIN staging_job AS job ON job.id = staged.stagingjob_id\nWHERE staged.rawdatapackage_id = candidate.raw_data_package_id AND job.status IN ('pending', 'scheduled', 'in_progress')\nORDER BY job.id LIMIT 1;\nIF held_by IS NOT NULL THEN\nrule = 3;\nwhy = held_by || ' still needs it';\nRETURN;\nEND IF;\nEND IF;\nIF candidate.data_product_id IS NOT NULL THEN\nSELECT 'staging_job ' || job.id INTO held_by FROM staging_job_data_products AS staged\nJOIN staging_job AS job ON job.id = staged.stagingjob_id\nWHERE staged.dataproduct_id = candidate.data_product_id AND job.status IN ('pending', 'scheduled', 'in_progress') ORDER BY job.id LIMIT 1;\nIF held_by IS NOT NULL THEN\nrule = 3;\nwhy = held_by || ' still needs it';\nRETURN;\nEND IF;\nEND IF;\nIF place.location_type = 'processing' THEN\nSELECT 'staging_job ' || job.id INTO held_by FROM staging_job_raw_data_packages AS staged\nJOIN staging_job AS job ON job.id = staged.stagingjob_id\nWHERE staged.rawdatapackage_id = ANY (package_ids) AND job.active AND job.destination_location_id = place.id\nORDER BY job.id LIMIT 1;\nIF held_by IS NOT NULL THEN\nrule = 4;\nwhy = held_by || ' still needs it there';\nRETURN;\nEND IF;\nSELECT 'staging_job ' || job.id INTO held_by FROM staging_job_data_products AS staged\nJOIN staging_job AS job ON job.id = staged.stagingjob_id\nWHERE staged.dataproduct_id = candidate.data_product_id AND job.active AND job.destination_location_id = place.id\nORDER BY job.id LIMIT 1;\nIF held_by IS NOT NULL THEN\nrule = 4;\nwhy = held_by || ' still needs it there';\nRETURN;\nEND IF;\nSELECT 'executed_reduction_step ' || run.id INTO held_by FROM executed_reduction_step_input_package AS input\nJOIN executed_reduction_step AS run ON run.id = input.run_id\nWHERE input.raw_data_package_id = ANY (package_ids) AND run.status IN ('pending', 'staging_data', 'submitted', 'running', 'collecting_results') ORDER BY run.id LIMIT 1;\nIF held_by IS NOT NULL THEN\nrule = 4;\nwhy = held_by || ' still needs it there';\nRETURN;\nEND IF;\nSELECT 'executed_reduction_step ' || run.id INTO held_by FROM executed_reduction_step_input_product AS input\nJOIN executed_reduction_step AS run ON run.id = input.run_id\nWHERE input.data_product_id = candidate.data_product_id AND run.status IN ('pending', 'staging_data', 'submitted', 'running', 'collecting_results') ORDER BY run.id LIMIT 1;\nIF held_by IS NOT NULL THEN\nrule = 4;\nwhy = held_by || ' still needs it there';\nRETURN;\nEND IF;\nEND IF;\nIF candidate.arrived_at + make_interval(days => place.retention_days) <= statement_timestamp() THEN\nRETURN;\nEND IF;\nIF EXISTS (SELECT FROM deletion_request_item AS item JOIN deletion_request AS request\nON request.id = item.deletion_request_id WHERE item.physical_copy_id = candidate.id AND request.overrides_retention\nAND (request.status = 'approved' OR (request.status = 'executed'\nAND candidate.status IN ('deletion_scheduled', 'deletion_failed')))) THEN\nRETURN;\nEND IF;\nIF place.capacity_bytes IS NOT NULL AND place.deletion_threshold_percent IS NOT NULL THEN\nSELECT coalesce(sum(bytes), 0) INTO held FROM data_location_usage WHERE data_location_id = place.id;\nIF held * 100 > place.capacity_bytes * place.deletion_threshold_percent::numeric THEN\nRETURN;\nEND IF;\nEND IF;\nrule = 5;\nheld_by = 'data_location ' || place.id;\nwhy = CASE WHEN place.retention_days IS NULL THEN 'location ' || place.name || ' keeps its data' ELSE 'the retention of ' || place.retention_days || ' days at location ' || place.name || ' has not passed' END || ', it is not over its fill threshold, and no approved request overrides that';\nRETURN;\nEND\n$helper$",
                ),
                name="physical_copy_deletion_is_safe",
                when="OLD.status IS DISTINCT FROM NEW.status AND (NEW.status IN ('deletion_possible', 'deletion_scheduled', 'deletion_in_progress') OR (NEW.status = 'deleted' AND OLD.status <> 'deletion_in_progress'))",
            ),
        ),
        migrations.AddConstraint(
            model_name="physicalcopy",
            constraint=opsdb.models.constraints.Rule(
                body="NEW.arrived_at = statement_timestamp();\nRETURN NEW;",
                events="INSERT",
                name="physical_copy_arrives_now",
                when="NEW.arrived_at <> statement_timestamp()",
            ),
        ),
        migrations.AddConstraint(
            model_name="physicalcopy",
            constraint=opsdb.models.constraints.Rule(
                body="NEW.arrived_at = OLD.arrived_at;\nRETURN NEW;",
                events="UPDATE",
                name="physical_copy_arrival_stays",
                when="OLD.arrived_at <> NEW.arrived_at",
            ),
        ),
        migrations.AddConstraint(
            model_name="physicalcopy",
            constraint=opsdb.models.constraints.Rule(
                body="IF OLD.status <> 'corrupt' THEN\nNEW.arrived_at = statement_timestamp();\nEND IF;\nIF NEW.verification = 'verified' AND NEW.verified_at IS NOT DISTINCT FROM OLD.verified_at THEN\nNEW.verification = 'unverified';\nEND IF;\nRETURN NEW;",
                events="UPDATE OF status",
                name="physical_copy_comes_back",
                when="OLD.status IN ('deleted', 'missing', 'corrupt') AND NEW.status IN ('present', 'staged')",
            ),
        ),
        migrations.AddConstraint(
            model_name="physicalcopy",
            constraint=opsdb.models.constraints.Rule(
                body="IF NEW.raw_data_file_id IS NOT NULL THEN\nSELECT checksum, checksum_algorithm, size_bytes INTO wanted FROM raw_data_file WHERE id = NEW.raw_data_file_id FOR NO KEY UPDATE;\nELSIF NEW.raw_data_package_id IS NOT NULL THEN\nSELECT checksum, checksum_algorithm, size_bytes INTO wanted FROM raw_data_package WHERE id = NEW.raw_data_package_id FOR NO KEY UPDATE;\nELSIF NEW.data_transfer_package_id IS NOT NULL THEN\nSELECT checksum, checksum_algorithm, size_bytes INTO wanted FROM data_transfer_package WHERE id = NEW.data_transfer_package_id FOR NO KEY UPDATE;\nELSE\nSELECT checksum, checksum_algorithm, size_bytes INTO wanted FROM data_product WHERE id = NEW.data_product_id FOR NO KEY UPDATE;\nEND IF;\nIF wanted.checksum IS DISTINCT FROM NEW.checksum OR wanted.checksum_algorithm <> NEW.checksum_algorithm OR NEW.size_bytes <> wanted.size_bytes THEN\nRAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = 'physical_copy ' || NEW.id || ': cannot be verified, because its checksum ' || NEW.checksum_algorithm || ' ' || coalesce(NEW.checksum, 'none') || coalesce(' of ' || NEW.size_bytes || ' bytes', '') || ' is not ' || wanted.checksum_algorithm || ' ' || coalesce(wanted.checksum, 'none') || coalesce(' of ' || wanted.size_bytes || ' bytes', ''), HINT = 'Record what was found as a mismatch.';\nEND IF;\nRETURN NEW;",
                declare="wanted record;",
                events="INSERT OR UPDATE OF verification, checksum, checksum_algorithm, size_bytes",
                name="physical_copy_verification_is_true",
                when="NEW.verification = 'verified'",
            ),
        ),
        migrations.AddConstraint(
            model_name="physicalcopy",
            constraint=opsdb.models.constraints.Rule(
                body="IF NEW.verified_at <= OLD.verified_at OR NOT EXISTS (SELECT FROM fixity_check\nWHERE copy_id = NEW.id AND ok AND checked_at = NEW.verified_at\nAND actual = NEW.checksum AND algorithm = NEW.checksum_algorithm) THEN\nRAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = 'physical_copy ' || NEW.id || ': cannot be called verified at ' || coalesce(NEW.verified_at::text, 'no time') || ' without a new fixity check of that time that agrees', HINT = 'Record the fixity check first.';\nEND IF;\nRETURN NEW;",
                events="UPDATE OF verification, verified_at",
                name="physical_copy_verification_is_proven",
                when="NEW.verification = 'verified' AND (OLD.verification <> 'verified' OR OLD.verified_at IS DISTINCT FROM NEW.verified_at)",
            ),
        ),
        migrations.AddConstraint(
            model_name="physicalcopy",
            constraint=opsdb.models.constraints.Rule(
                body="IF OLD.data_transfer_package_id IS NOT NULL THEN\nPERFORM FROM data_transfer_package WHERE id = OLD.data_transfer_package_id FOR NO KEY UPDATE;\nPERFORM FROM raw_data_package WHERE data_transfer_package_id = OLD.data_transfer_package_id ORDER BY id FOR NO KEY UPDATE;\nELSIF OLD.raw_data_package_id IS NOT NULL THEN\nPERFORM FROM raw_data_package WHERE id = OLD.raw_data_package_id FOR NO KEY UPDATE;\nELSIF OLD.raw_data_file_id IS NOT NULL THEN\nPERFORM FROM raw_data_package WHERE id = (SELECT raw_data_package_id FROM raw_data_file\nWHERE id = OLD.raw_data_file_id) FOR NO KEY UPDATE;\nIF NOT FOUND THEN\nPERFORM FROM raw_data_file WHERE id = OLD.raw_data_file_id FOR NO KEY UPDATE;\nEND IF;\nELSE\nPERFORM FROM data_product WHERE id = OLD.data_product_id FOR NO KEY UPDATE;\nEND IF;\nRETURN NEW;",
                events="UPDATE OF status, verification",
                name="physical_copy_doubt_waits_for_deletion",
                when="(OLD.status IN ('present', 'staged', 'deletion_possible') AND NEW.status IN ('missing', 'corrupt')) OR (OLD.verification = 'verified' AND NEW.verification <> 'verified') OR (OLD.verification <> 'mismatch' AND NEW.verification = 'mismatch')",
            ),
        ),
        migrations.AddConstraint(
            model_name="physicalcopy",
            constraint=opsdb.models.constraints.Rule(
                body="INSERT INTO data_location_usage (data_location_id, copies, bytes)\nSELECT data_location_id, sum(copies), sum(bytes) FROM (SELECT data_location_id, 1 AS copies, coalesce(size_bytes, 0) AS bytes FROM new_rows WHERE status NOT IN ('deleted', 'missing')) AS part\nGROUP BY data_location_id HAVING sum(copies) <> 0 OR sum(bytes) <> 0;\nIF FOUND AND random() < 0.02 AND current_setting('transaction_isolation') = 'read committed' THEN\nWITH folded AS (DELETE FROM data_location_usage WHERE id IN (SELECT id FROM data_location_usage\nWHERE data_location_id IN (SELECT data_location_id FROM new_rows) ORDER BY id FOR UPDATE SKIP LOCKED)\nRETURNING data_location_id, copies, bytes)\nINSERT INTO data_location_usage (data_location_id, copies, bytes)\nSELECT data_location_id, sum(copies), sum(bytes) FROM folded GROUP BY data_location_id;\nEND IF;\nRETURN NULL;",
                events="INSERT",
                level="STATEMENT",
                name="physical_copy_usage_of_inserts",
                referencing="NEW TABLE AS new_rows",
                timing="AFTER",
            ),
        ),
        migrations.AddConstraint(
            model_name="physicalcopy",
            constraint=opsdb.models.constraints.Rule(
                body="INSERT INTO data_location_usage (data_location_id, copies, bytes)\nSELECT data_location_id, sum(copies), sum(bytes) FROM (SELECT data_location_id, 1 AS copies, coalesce(size_bytes, 0) AS bytes FROM new_rows WHERE status NOT IN ('deleted', 'missing') UNION ALL SELECT data_location_id, -1 AS copies, -coalesce(size_bytes, 0) AS bytes FROM old_rows WHERE status NOT IN ('deleted', 'missing')) AS part\nGROUP BY data_location_id HAVING sum(copies) <> 0 OR sum(bytes) <> 0;\nIF FOUND AND random() < 0.02 AND current_setting('transaction_isolation') = 'read committed' THEN\nWITH folded AS (DELETE FROM data_location_usage WHERE id IN (SELECT id FROM data_location_usage\nWHERE data_location_id IN (SELECT data_location_id FROM new_rows) ORDER BY id FOR UPDATE SKIP LOCKED)\nRETURNING data_location_id, copies, bytes)\nINSERT INTO data_location_usage (data_location_id, copies, bytes)\nSELECT data_location_id, sum(copies), sum(bytes) FROM folded GROUP BY data_location_id;\nEND IF;\nRETURN NULL;",
                events="UPDATE",
                level="STATEMENT",
                name="physical_copy_usage_of_updates",
                referencing="OLD TABLE AS old_rows NEW TABLE AS new_rows",
                timing="AFTER",
            ),
        ),
        migrations.AddConstraint(
            model_name="physicalcopy",
            constraint=opsdb.models.constraints.Rule(
                body="RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = TG_TABLE_NAME || ' ' || OLD.\"id\" || ': id cannot be changed once set', HINT = 'Make a new row instead, and delete this one if nothing refers to it.';",
                events="UPDATE",
                name="physical_copy_id_immutable",
                when='OLD."id" IS DISTINCT FROM NEW."id"',
            ),
        ),
        migrations.AddConstraint(
            model_name="physicalcopy",
            constraint=opsdb.models.constraints.Rule(
                body="RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = TG_TABLE_NAME || ' ' || OLD.id || ': the record of a copy is never deleted';",
                events="DELETE",
                name="physical_copy_never_deleted",
            ),
        ),
        migrations.AddConstraint(
            model_name="physicalcopy",
            constraint=opsdb.models.constraints.Rule(
                body="RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = TG_TABLE_NAME || ': is never emptied';",
                events="TRUNCATE",
                level="STATEMENT",
                name="physical_copy_never_truncated",
            ),
        ),
        migrations.AddConstraint(
            model_name="physicalcopy",
            constraint=opsdb.models.constraints.Rule(
                body="IF NOT ((OLD.status = 'present' AND NEW.status IN ('corrupt', 'deletion_possible', 'deletion_scheduled', 'missing', 'staged')) OR (OLD.status = 'staged' AND NEW.status IN ('deletion_scheduled', 'missing', 'present')) OR (OLD.status = 'deletion_possible' AND NEW.status IN ('deletion_scheduled', 'missing', 'present')) OR (OLD.status = 'deletion_scheduled' AND NEW.status IN ('deletion_in_progress', 'present')) OR (OLD.status = 'deletion_in_progress' AND NEW.status IN ('deleted', 'deletion_failed')) OR (OLD.status = 'deleted' AND NEW.status IN ('present')) OR (OLD.status = 'deletion_failed' AND NEW.status IN ('deletion_scheduled', 'present')) OR (OLD.status = 'missing' AND NEW.status IN ('deleted', 'present')) OR (OLD.status = 'corrupt' AND NEW.status IN ('deletion_scheduled', 'missing', 'present'))) THEN\nRAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = TG_TABLE_NAME || ' ' || OLD.id || ': status cannot go from ' || OLD.status || ' to ' || NEW.status || '; it can become: ' || CASE OLD.status WHEN 'present' THEN 'staged, deletion_possible, deletion_scheduled, missing, corrupt' WHEN 'staged' THEN 'present, deletion_scheduled, missing' WHEN 'deletion_possible' THEN 'present, deletion_scheduled, missing' WHEN 'deletion_scheduled' THEN 'present, deletion_in_progress' WHEN 'deletion_in_progress' THEN 'deleted, deletion_failed' WHEN 'deleted' THEN 'present' WHEN 'deletion_failed' THEN 'present, deletion_scheduled' WHEN 'missing' THEN 'present, deleted' WHEN 'corrupt' THEN 'present, deletion_scheduled, missing' END;\nEND IF;\nRETURN NEW;",
                events="UPDATE OF status",
                name="physical_copy_status_transition",
                when="OLD.status IS DISTINCT FROM NEW.status",
            ),
        ),
        migrations.AddConstraint(
            model_name="physicalcopy",
            constraint=opsdb.models.constraints.Rule(
                body="NEW.updated_at = statement_timestamp();\nRETURN NEW;", events="UPDATE", name="physical_copy_touch"
            ),
        ),
        migrations.AddConstraint(
            model_name="physicalcopy",
            constraint=opsdb.models.constraints.Rule(
                body="PERFORM opsdb_record_change(TG_TABLE_NAME, lower(TG_OP), to_jsonb(OLD), to_jsonb(NEW));\nRETURN NULL;",
                events="UPDATE OR DELETE",
                name="physical_copy_history",
                timing="AFTER",
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
                body="RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = TG_TABLE_NAME || ': is never emptied';",
                events="TRUNCATE",
                level="STATEMENT",
                name="fixity_check_never_truncated",
            ),
        ),
        migrations.AddConstraint(
            model_name="fixitycheck",
            constraint=opsdb.models.constraints.Rule(
                body="NEW.updated_at = statement_timestamp();\nRETURN NEW;", events="UPDATE", name="fixity_check_touch"
            ),
        ),
        migrations.AddConstraint(
            model_name="deletionpolicy",
            constraint=opsdb.models.constraints.Rule(
                body="NEW.updated_at = statement_timestamp();\nRETURN NEW;",
                events="UPDATE",
                name="deletion_policy_touch",
            ),
        ),
        migrations.AddConstraint(
            model_name="deletionpolicy",
            constraint=opsdb.models.constraints.Rule(
                body="PERFORM opsdb_record_change(TG_TABLE_NAME, lower(TG_OP), to_jsonb(OLD), to_jsonb(NEW));\nRETURN NULL;",
                events="INSERT OR UPDATE OR DELETE",
                name="deletion_policy_history",
                timing="AFTER",
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
                body="RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = 'deletion_request ' || NEW.id || ': a new request is requested and not decided, not ' || NEW.status, HINT = 'Another person decides it then.';",
                events="INSERT",
                name="deletion_request_born_requested",
                when="NEW.status <> 'requested' OR NEW.approved_by_id IS NOT NULL",
            ),
        ),
        migrations.AddConstraint(
            model_name="deletionrequest",
            constraint=opsdb.models.constraints.Rule(
                body="RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = 'deletion_request ' || OLD.id || ': reason, limit, overrides_retention cannot be changed once it is decided', HINT = 'Make a new request.';",
                events="UPDATE",
                name="deletion_request_terms_stay",
                when='(OLD."reason" IS DISTINCT FROM NEW."reason" OR OLD."limit" IS DISTINCT FROM NEW."limit" OR OLD."overrides_retention" IS DISTINCT FROM NEW."overrides_retention") AND (OLD.status <> \'requested\' OR NEW.status <> \'requested\')',
            ),
        ),
        migrations.AddConstraint(
            model_name="deletionrequest",
            constraint=opsdb.models.constraints.Rule(
                body="RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = 'deletion_request ' || OLD.id || ': who decided it, and when, is set with the decision alone', HINT = 'Approve or reject it.';",
                events="UPDATE",
                name="deletion_request_decision_stays",
                when="(OLD.approved_by_id IS DISTINCT FROM NEW.approved_by_id OR OLD.decided_at IS DISTINCT FROM NEW.decided_at) AND (OLD.status = NEW.status OR NEW.status NOT IN ('approved', 'rejected'))",
            ),
        ),
        migrations.AddConstraint(
            model_name="deletionrequest",
            constraint=opsdb.models.constraints.Rule(
                body="IF actor <> NEW.approved_by_id::text THEN\nRAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = 'deletion_request ' || OLD.id || ': user ' || actor || ' cannot decide it in the name of user ' || NEW.approved_by_id;\nEND IF;\nRETURN NEW;",
                declare="actor text := nullif(current_setting('opsdb.user_id', true), '');",
                events="UPDATE",
                name="deletion_request_decided_in_person",
                when="OLD.status <> NEW.status AND NEW.status IN ('approved', 'rejected')",
            ),
        ),
        migrations.AddConstraint(
            model_name="deletionrequest",
            constraint=opsdb.models.constraints.Rule(
                body="RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = 'deletion_request ' || OLD.id || ': is ' || OLD.status || ', and what was decided is never deleted';",
                events="DELETE",
                name="deletion_request_stays_after_decision",
                when="OLD.status <> 'requested'",
            ),
        ),
        migrations.AddConstraint(
            model_name="deletionrequest",
            constraint=opsdb.models.constraints.Rule(
                body="IF NOT ((OLD.status = 'requested' AND NEW.status IN ('approved', 'rejected')) OR (OLD.status = 'approved' AND NEW.status IN ('executed', 'rejected'))) THEN\nRAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = TG_TABLE_NAME || ' ' || OLD.id || ': status cannot go from ' || OLD.status || ' to ' || NEW.status || '; it can become: ' || CASE OLD.status WHEN 'requested' THEN 'approved, rejected' WHEN 'approved' THEN 'rejected, executed' WHEN 'rejected' THEN 'nothing, it is final' WHEN 'executed' THEN 'nothing, it is final' END;\nEND IF;\nRETURN NEW;",
                events="UPDATE OF status",
                name="deletion_request_status_transition",
                when="OLD.status IS DISTINCT FROM NEW.status",
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
            model_name="deletionrequest",
            constraint=opsdb.models.constraints.Rule(
                body="PERFORM opsdb_record_change(TG_TABLE_NAME, lower(TG_OP), to_jsonb(OLD), to_jsonb(NEW));\nRETURN NULL;",
                events="INSERT OR UPDATE OR DELETE",
                name="deletion_request_history",
                timing="AFTER",
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
            model_name="deletionrequestitem",
            constraint=opsdb.models.constraints.Rule(
                body="FOR request IN SELECT * FROM deletion_request\nWHERE id IN (SELECT deletion_request_id FROM added) ORDER BY id FOR UPDATE LOOP\nIF request.status <> 'requested' THEN\nRAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = 'deletion_request ' || request.id || ': is ' || request.status || ', no copy can be added to it', HINT = 'Make a new request.';\nEND IF;\nSELECT count(*) INTO number FROM deletion_request_item WHERE deletion_request_id = request.id;\nIF number > request.\"limit\" THEN\nRAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = 'deletion_request ' || request.id || ': has ' || number || ' copies, and its limit is ' || request.\"limit\";\nEND IF;\nEND LOOP;\nRETURN NULL;",
                declare="request record; number bigint;",
                events="INSERT",
                level="STATEMENT",
                name="deletion_request_item_within_limit",
                referencing="NEW TABLE AS added",
                timing="AFTER",
            ),
        ),
        migrations.AddConstraint(
            model_name="deletionrequestitem",
            constraint=opsdb.models.constraints.Rule(
                body="RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = TG_TABLE_NAME || ' ' || OLD.\"id\" || ': deletion_request_id, physical_copy_id cannot be changed once set', HINT = 'Make a new row instead, and delete this one if nothing refers to it.';",
                events="UPDATE",
                name="deletion_request_item_immutable",
                when='OLD."deletion_request_id" IS DISTINCT FROM NEW."deletion_request_id" OR OLD."physical_copy_id" IS DISTINCT FROM NEW."physical_copy_id"',
            ),
        ),
        migrations.AddConstraint(
            model_name="deletionrequestitem",
            constraint=opsdb.models.constraints.Rule(
                body="SELECT status INTO state FROM deletion_request WHERE id = OLD.deletion_request_id FOR UPDATE;\nIF state <> 'requested' THEN\nRAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = 'deletion_request ' || OLD.deletion_request_id || ': is ' || state || ', physical_copy ' || OLD.physical_copy_id || ' cannot be taken from it', HINT = 'Reject it, and make a new request.';\nEND IF;\nRETURN OLD;",
                declare="state text;",
                events="DELETE",
                name="deletion_request_item_stays_after_decision",
            ),
        ),
        migrations.AddConstraint(
            model_name="deletionrequestitem",
            constraint=opsdb.models.constraints.Rule(
                body="PERFORM opsdb_record_change(TG_TABLE_NAME, lower(TG_OP), to_jsonb(OLD), to_jsonb(NEW));\nRETURN NULL;",
                events="INSERT OR UPDATE OR DELETE",
                name="deletion_request_item_history",
                timing="AFTER",
            ),
        ),
        migrations.AddConstraint(
            model_name="datarelease",
            constraint=opsdb.models.constraints.Rule(
                body="NEW.updated_at = statement_timestamp();\nRETURN NEW;", events="UPDATE", name="data_release_touch"
            ),
        ),
        migrations.AddConstraint(
            model_name="datarelease",
            constraint=opsdb.models.constraints.Rule(
                body="PERFORM opsdb_record_change(TG_TABLE_NAME, lower(TG_OP), to_jsonb(OLD), to_jsonb(NEW));\nRETURN NULL;",
                events="INSERT OR UPDATE OR DELETE",
                name="data_release_history",
                timing="AFTER",
            ),
        ),
        migrations.AddConstraint(
            model_name="publication",
            constraint=opsdb.models.constraints.Rule(
                body="NEW.updated_at = statement_timestamp();\nRETURN NEW;", events="UPDATE", name="publication_touch"
            ),
        ),
        migrations.AddConstraint(
            model_name="publication",
            constraint=opsdb.models.constraints.Rule(
                body="PERFORM opsdb_record_change(TG_TABLE_NAME, lower(TG_OP), to_jsonb(OLD), to_jsonb(NEW));\nRETURN NULL;",
                events="INSERT OR UPDATE OR DELETE",
                name="publication_history",
                timing="AFTER",
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
        migrations.AddConstraint(
            model_name="changelog",
            constraint=opsdb.models.constraints.Rule(
                body="RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, MESSAGE = TG_TABLE_NAME || ': is never emptied';",
                events="TRUNCATE",
                level="STATEMENT",
                name="change_log_never_truncated",
            ),
        ),
    ]

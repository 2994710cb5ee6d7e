-- observatory
CREATE TRIGGER "observatory_keeps_former_names" BEFORE UPDATE OF short_name, former_names ON "observatory" FOR EACH ROW WHEN (OLD."short_name" IS DISTINCT FROM NEW."short_name" OR OLD."former_names" IS DISTINCT FROM NEW."former_names") EXECUTE FUNCTION opsdb_keep_former_names('short_name');
CREATE TRIGGER "observatory_touch" BEFORE UPDATE ON "observatory" FOR EACH ROW EXECUTE FUNCTION opsdb_keep_updated_at();
CREATE TRIGGER "observatory_history" AFTER INSERT OR UPDATE OR DELETE ON "observatory" FOR EACH ROW EXECUTE FUNCTION opsdb_log_change();
CREATE TRIGGER "observatory_id_immutable" BEFORE UPDATE OF "id" ON "observatory" FOR EACH ROW WHEN (OLD."id" IS DISTINCT FROM NEW."id") EXECUTE FUNCTION opsdb_refuse_change('id', 'Make a new row instead, and delete this one if nothing refers to it.');
CREATE TRIGGER "observatory_never_truncated" BEFORE TRUNCATE ON "observatory" FOR EACH STATEMENT EXECUTE FUNCTION opsdb_refuse_truncation();

-- observingprogram
CREATE TRIGGER "observing_program_keeps_former_names" BEFORE UPDATE OF short_name, former_names ON "observing_program" FOR EACH ROW WHEN (OLD."short_name" IS DISTINCT FROM NEW."short_name" OR OLD."former_names" IS DISTINCT FROM NEW."former_names") EXECUTE FUNCTION opsdb_keep_former_names('short_name');
CREATE TRIGGER "observing_program_touch" BEFORE UPDATE ON "observing_program" FOR EACH ROW EXECUTE FUNCTION opsdb_keep_updated_at();
CREATE TRIGGER "observing_program_history" AFTER INSERT OR UPDATE OR DELETE ON "observing_program" FOR EACH ROW EXECUTE FUNCTION opsdb_log_change();
CREATE TRIGGER "observing_program_instruments_history" AFTER INSERT OR UPDATE OR DELETE ON "observing_program_instruments" FOR EACH ROW EXECUTE FUNCTION opsdb_log_link('observing_program', 'instruments', 'observingprogram_id', 'instrument_id');
CREATE TRIGGER "observing_program_id_immutable" BEFORE UPDATE OF "id" ON "observing_program" FOR EACH ROW WHEN (OLD."id" IS DISTINCT FROM NEW."id") EXECUTE FUNCTION opsdb_refuse_change('id', 'Make a new row instead, and delete this one if nothing refers to it.');
CREATE TRIGGER "observing_program_never_truncated" BEFORE TRUNCATE ON "observing_program" FOR EACH STATEMENT EXECUTE FUNCTION opsdb_refuse_truncation();
CREATE TRIGGER "observing_program_instruments_id_immutable" BEFORE UPDATE OF "id" ON "observing_program_instruments" FOR EACH ROW WHEN (OLD."id" IS DISTINCT FROM NEW."id") EXECUTE FUNCTION opsdb_refuse_change('id', 'Make a new row instead, and delete this one if nothing refers to it.');
CREATE TRIGGER "observing_program_instruments_never_truncated" BEFORE TRUNCATE ON "observing_program_instruments" FOR EACH STATEMENT EXECUTE FUNCTION opsdb_refuse_truncation();

-- source
CREATE CONSTRAINT TRIGGER "source_subtype_exists" AFTER INSERT ON "source" DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION opsdb_require_subtype('type', '{"fixed": "fixed_source", "solar_system": "solar_system_object", "constant_elevation": "constant_elevation_source"}');
CREATE TRIGGER "source_touch" BEFORE UPDATE ON "source" FOR EACH ROW EXECUTE FUNCTION opsdb_keep_updated_at();
CREATE TRIGGER "source_history" AFTER UPDATE OR DELETE ON "source" FOR EACH ROW EXECUTE FUNCTION opsdb_log_change();
CREATE TRIGGER "source_history_of_inserts" AFTER INSERT ON "source" REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION opsdb_log_bulk_insert();
CREATE TRIGGER "source_id_immutable" BEFORE UPDATE OF "id" ON "source" FOR EACH ROW WHEN (OLD."id" IS DISTINCT FROM NEW."id") EXECUTE FUNCTION opsdb_refuse_change('id', 'Make a new row instead, and delete this one if nothing refers to it.');
CREATE TRIGGER "source_never_truncated" BEFORE TRUNCATE ON "source" FOR EACH STATEMENT EXECUTE FUNCTION opsdb_refuse_truncation();
CREATE TRIGGER "source_type_immutable" BEFORE UPDATE ON "source" FOR EACH ROW WHEN (OLD."type" IS DISTINCT FROM NEW."type") EXECUTE FUNCTION opsdb_refuse_change('type', 'Make a new row instead, and delete this one if nothing refers to it.');

-- obsmode
CREATE TRIGGER "obs_mode_units_have_source" BEFORE UPDATE OF "needs_source" ON "obs_mode" FOR EACH ROW WHEN (NEW.needs_source AND NOT OLD.needs_source) EXECUTE FUNCTION opsdb_mode_units_have_source();
CREATE TRIGGER "obs_mode_keeps_former_names" BEFORE UPDATE OF name, former_names ON "obs_mode" FOR EACH ROW WHEN (OLD."name" IS DISTINCT FROM NEW."name" OR OLD."former_names" IS DISTINCT FROM NEW."former_names") EXECUTE FUNCTION opsdb_keep_former_names('name');
CREATE TRIGGER "obs_mode_touch" BEFORE UPDATE ON "obs_mode" FOR EACH ROW EXECUTE FUNCTION opsdb_keep_updated_at();
CREATE TRIGGER "obs_mode_history" AFTER INSERT OR UPDATE OR DELETE ON "obs_mode" FOR EACH ROW EXECUTE FUNCTION opsdb_log_change();
CREATE TRIGGER "obs_mode_id_immutable" BEFORE UPDATE OF "id" ON "obs_mode" FOR EACH ROW WHEN (OLD."id" IS DISTINCT FROM NEW."id") EXECUTE FUNCTION opsdb_refuse_change('id', 'Make a new row instead, and delete this one if nothing refers to it.');
CREATE TRIGGER "obs_mode_never_truncated" BEFORE TRUNCATE ON "obs_mode" FOR EACH STATEMENT EXECUTE FUNCTION opsdb_refuse_truncation();

-- observationconfiguration
CREATE CONSTRAINT TRIGGER "observation_configuration_subtype_exists" AFTER INSERT ON "observation_configuration" DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION opsdb_require_subtype('type', '{"chai": "chai_observation_configuration", "prime_cam": "prime_cam_observation_configuration"}');
CREATE TRIGGER "observation_configuration_touch" BEFORE UPDATE ON "observation_configuration" FOR EACH ROW EXECUTE FUNCTION opsdb_keep_updated_at();
CREATE TRIGGER "observation_configuration_history" AFTER INSERT OR UPDATE OR DELETE ON "observation_configuration" FOR EACH ROW EXECUTE FUNCTION opsdb_log_change();
CREATE TRIGGER "observation_configuration_id_immutable" BEFORE UPDATE OF "id" ON "observation_configuration" FOR EACH ROW WHEN (OLD."id" IS DISTINCT FROM NEW."id") EXECUTE FUNCTION opsdb_refuse_change('id', 'Make a new row instead, and delete this one if nothing refers to it.');
CREATE TRIGGER "observation_configuration_never_truncated" BEFORE TRUNCATE ON "observation_configuration" FOR EACH STATEMENT EXECUTE FUNCTION opsdb_refuse_truncation();
CREATE TRIGGER "observation_configuration_type_immutable" BEFORE UPDATE ON "observation_configuration" FOR EACH ROW WHEN (OLD."type" IS DISTINCT FROM NEW."type") EXECUTE FUNCTION opsdb_refuse_change('type', 'Make a new row instead, and delete this one if nothing refers to it.');

-- user
CREATE TRIGGER "user_service_is_no_staff" BEFORE INSERT OR UPDATE OF "is_staff", "is_superuser" ON "user" FOR EACH ROW WHEN (NEW.is_staff OR NEW.is_superuser) EXECUTE FUNCTION opsdb_staff_is_no_service();
CREATE TRIGGER "user_groups_keep_staff_from_service" BEFORE INSERT OR UPDATE ON "user_groups" FOR EACH ROW EXECUTE FUNCTION opsdb_service_is_no_staff();
CREATE TRIGGER "user_history" AFTER INSERT OR UPDATE OR DELETE ON "user" FOR EACH ROW EXECUTE FUNCTION opsdb_log_change();
CREATE TRIGGER "user_groups_history" AFTER INSERT OR UPDATE OR DELETE ON "user_groups" FOR EACH ROW EXECUTE FUNCTION opsdb_log_link('user', 'groups', 'user_id', 'group_id');
CREATE TRIGGER "user_user_permissions_history" AFTER INSERT OR UPDATE OR DELETE ON "user_user_permissions" FOR EACH ROW EXECUTE FUNCTION opsdb_log_link('user', 'user_permissions', 'user_id', 'permission_id');
CREATE TRIGGER "user_id_immutable" BEFORE UPDATE OF "id" ON "user" FOR EACH ROW WHEN (OLD."id" IS DISTINCT FROM NEW."id") EXECUTE FUNCTION opsdb_refuse_change('id', 'Make a new row instead, and delete this one if nothing refers to it.');
CREATE TRIGGER "user_never_truncated" BEFORE TRUNCATE ON "user" FOR EACH STATEMENT EXECUTE FUNCTION opsdb_refuse_truncation();
CREATE TRIGGER "user_groups_id_immutable" BEFORE UPDATE OF "id" ON "user_groups" FOR EACH ROW WHEN (OLD."id" IS DISTINCT FROM NEW."id") EXECUTE FUNCTION opsdb_refuse_change('id', 'Make a new row instead, and delete this one if nothing refers to it.');
CREATE TRIGGER "user_groups_never_truncated" BEFORE TRUNCATE ON "user_groups" FOR EACH STATEMENT EXECUTE FUNCTION opsdb_refuse_truncation();
CREATE TRIGGER "user_user_permissions_id_immutable" BEFORE UPDATE OF "id" ON "user_user_permissions" FOR EACH ROW WHEN (OLD."id" IS DISTINCT FROM NEW."id") EXECUTE FUNCTION opsdb_refuse_change('id', 'Make a new row instead, and delete this one if nothing refers to it.');
CREATE TRIGGER "user_user_permissions_never_truncated" BEFORE TRUNCATE ON "user_user_permissions" FOR EACH STATEMENT EXECUTE FUNCTION opsdb_refuse_truncation();

-- site
CREATE TRIGGER "site_keeps_former_names" BEFORE UPDATE OF short_name, former_names ON "site" FOR EACH ROW WHEN (OLD."short_name" IS DISTINCT FROM NEW."short_name" OR OLD."former_names" IS DISTINCT FROM NEW."former_names") EXECUTE FUNCTION opsdb_keep_former_names('short_name');
CREATE TRIGGER "site_touch" BEFORE UPDATE ON "site" FOR EACH ROW EXECUTE FUNCTION opsdb_keep_updated_at();
CREATE TRIGGER "site_history" AFTER INSERT OR UPDATE OR DELETE ON "site" FOR EACH ROW EXECUTE FUNCTION opsdb_log_change();
CREATE TRIGGER "site_id_immutable" BEFORE UPDATE OF "id" ON "site" FOR EACH ROW WHEN (OLD."id" IS DISTINCT FROM NEW."id") EXECUTE FUNCTION opsdb_refuse_change('id', 'Make a new row instead, and delete this one if nothing refers to it.');
CREATE TRIGGER "site_never_truncated" BEFORE TRUNCATE ON "site" FOR EACH STATEMENT EXECUTE FUNCTION opsdb_refuse_truncation();

-- deletionpolicy
CREATE TRIGGER "deletion_policy_never_deleted" BEFORE DELETE ON "deletion_policy" FOR EACH ROW EXECUTE FUNCTION opsdb_refuse_deletion('the deletion policy', 'Leave it; what has changed is recorded by its state, or by another row.');
CREATE TRIGGER "deletion_policy_touch" BEFORE UPDATE ON "deletion_policy" FOR EACH ROW EXECUTE FUNCTION opsdb_keep_updated_at();
CREATE TRIGGER "deletion_policy_history" AFTER INSERT OR UPDATE OR DELETE ON "deletion_policy" FOR EACH ROW EXECUTE FUNCTION opsdb_log_change();
CREATE TRIGGER "deletion_policy_id_immutable" BEFORE UPDATE OF "id" ON "deletion_policy" FOR EACH ROW WHEN (OLD."id" IS DISTINCT FROM NEW."id") EXECUTE FUNCTION opsdb_refuse_change('id', 'Make a new row instead; this one stays, because it is never deleted.');
CREATE TRIGGER "deletion_policy_never_truncated" BEFORE TRUNCATE ON "deletion_policy" FOR EACH STATEMENT EXECUTE FUNCTION opsdb_refuse_truncation();

-- reductionsoftware
CREATE TRIGGER "reduction_software_touch" BEFORE UPDATE ON "reduction_software" FOR EACH ROW EXECUTE FUNCTION opsdb_keep_updated_at();
CREATE TRIGGER "reduction_software_history" AFTER INSERT OR UPDATE OR DELETE ON "reduction_software" FOR EACH ROW EXECUTE FUNCTION opsdb_log_change();
CREATE TRIGGER "reduction_software_id_immutable" BEFORE UPDATE OF "id" ON "reduction_software" FOR EACH ROW WHEN (OLD."id" IS DISTINCT FROM NEW."id") EXECUTE FUNCTION opsdb_refuse_change('id', 'Make a new row instead, and delete this one if nothing refers to it.');
CREATE TRIGGER "reduction_software_never_truncated" BEFORE TRUNCATE ON "reduction_software" FOR EACH STATEMENT EXECUTE FUNCTION opsdb_refuse_truncation();

-- datarelease
CREATE TRIGGER "data_release_products_wait" BEFORE INSERT ON "data_release_products" FOR EACH ROW EXECUTE FUNCTION opsdb_link_waits_for_deletion('data_product', 'dataproduct_id');
CREATE TRIGGER "data_release_touch" BEFORE UPDATE ON "data_release" FOR EACH ROW EXECUTE FUNCTION opsdb_keep_updated_at();
CREATE TRIGGER "data_release_history" AFTER INSERT OR UPDATE OR DELETE ON "data_release" FOR EACH ROW EXECUTE FUNCTION opsdb_log_change();
CREATE TRIGGER "data_release_products_history" AFTER INSERT OR UPDATE OR DELETE ON "data_release_products" FOR EACH ROW EXECUTE FUNCTION opsdb_log_link('data_release', 'products', 'datarelease_id', 'dataproduct_id');
CREATE TRIGGER "data_release_programs_history" AFTER INSERT OR UPDATE OR DELETE ON "data_release_programs" FOR EACH ROW EXECUTE FUNCTION opsdb_log_link('data_release', 'programs', 'datarelease_id', 'observingprogram_id');
CREATE TRIGGER "data_release_id_immutable" BEFORE UPDATE OF "id" ON "data_release" FOR EACH ROW WHEN (OLD."id" IS DISTINCT FROM NEW."id") EXECUTE FUNCTION opsdb_refuse_change('id', 'Make a new row instead, and delete this one if nothing refers to it.');
CREATE TRIGGER "data_release_never_truncated" BEFORE TRUNCATE ON "data_release" FOR EACH STATEMENT EXECUTE FUNCTION opsdb_refuse_truncation();
CREATE TRIGGER "data_release_products_id_immutable" BEFORE UPDATE OF "id" ON "data_release_products" FOR EACH ROW WHEN (OLD."id" IS DISTINCT FROM NEW."id") EXECUTE FUNCTION opsdb_refuse_change('id', 'Make a new row instead, and delete this one if nothing refers to it.');
CREATE TRIGGER "data_release_products_never_truncated" BEFORE TRUNCATE ON "data_release_products" FOR EACH STATEMENT EXECUTE FUNCTION opsdb_refuse_truncation();
CREATE TRIGGER "data_release_programs_id_immutable" BEFORE UPDATE OF "id" ON "data_release_programs" FOR EACH ROW WHEN (OLD."id" IS DISTINCT FROM NEW."id") EXECUTE FUNCTION opsdb_refuse_change('id', 'Make a new row instead, and delete this one if nothing refers to it.');
CREATE TRIGGER "data_release_programs_never_truncated" BEFORE TRUNCATE ON "data_release_programs" FOR EACH STATEMENT EXECUTE FUNCTION opsdb_refuse_truncation();

-- publication
CREATE TRIGGER "publication_products_wait" BEFORE INSERT ON "publication_products" FOR EACH ROW EXECUTE FUNCTION opsdb_link_waits_for_deletion('data_product', 'dataproduct_id');
CREATE TRIGGER "publication_touch" BEFORE UPDATE ON "publication" FOR EACH ROW EXECUTE FUNCTION opsdb_keep_updated_at();
CREATE TRIGGER "publication_history" AFTER INSERT OR UPDATE OR DELETE ON "publication" FOR EACH ROW EXECUTE FUNCTION opsdb_log_change();
CREATE TRIGGER "publication_programs_history" AFTER INSERT OR UPDATE OR DELETE ON "publication_programs" FOR EACH ROW EXECUTE FUNCTION opsdb_log_link('publication', 'programs', 'publication_id', 'observingprogram_id');
CREATE TRIGGER "publication_releases_history" AFTER INSERT OR UPDATE OR DELETE ON "publication_releases" FOR EACH ROW EXECUTE FUNCTION opsdb_log_link('publication', 'releases', 'publication_id', 'datarelease_id');
CREATE TRIGGER "publication_products_history" AFTER INSERT OR UPDATE OR DELETE ON "publication_products" FOR EACH ROW EXECUTE FUNCTION opsdb_log_link('publication', 'products', 'publication_id', 'dataproduct_id');
CREATE TRIGGER "publication_id_immutable" BEFORE UPDATE OF "id" ON "publication" FOR EACH ROW WHEN (OLD."id" IS DISTINCT FROM NEW."id") EXECUTE FUNCTION opsdb_refuse_change('id', 'Make a new row instead, and delete this one if nothing refers to it.');
CREATE TRIGGER "publication_never_truncated" BEFORE TRUNCATE ON "publication" FOR EACH STATEMENT EXECUTE FUNCTION opsdb_refuse_truncation();
CREATE TRIGGER "publication_programs_id_immutable" BEFORE UPDATE OF "id" ON "publication_programs" FOR EACH ROW WHEN (OLD."id" IS DISTINCT FROM NEW."id") EXECUTE FUNCTION opsdb_refuse_change('id', 'Make a new row instead, and delete this one if nothing refers to it.');
CREATE TRIGGER "publication_programs_never_truncated" BEFORE TRUNCATE ON "publication_programs" FOR EACH STATEMENT EXECUTE FUNCTION opsdb_refuse_truncation();
CREATE TRIGGER "publication_releases_id_immutable" BEFORE UPDATE OF "id" ON "publication_releases" FOR EACH ROW WHEN (OLD."id" IS DISTINCT FROM NEW."id") EXECUTE FUNCTION opsdb_refuse_change('id', 'Make a new row instead, and delete this one if nothing refers to it.');
CREATE TRIGGER "publication_releases_never_truncated" BEFORE TRUNCATE ON "publication_releases" FOR EACH STATEMENT EXECUTE FUNCTION opsdb_refuse_truncation();
CREATE TRIGGER "publication_products_id_immutable" BEFORE UPDATE OF "id" ON "publication_products" FOR EACH ROW WHEN (OLD."id" IS DISTINCT FROM NEW."id") EXECUTE FUNCTION opsdb_refuse_change('id', 'Make a new row instead, and delete this one if nothing refers to it.');
CREATE TRIGGER "publication_products_never_truncated" BEFORE TRUNCATE ON "publication_products" FOR EACH STATEMENT EXECUTE FUNCTION opsdb_refuse_truncation();

-- role
CREATE TRIGGER "role_history" AFTER INSERT OR UPDATE OR DELETE ON "role" FOR EACH ROW EXECUTE FUNCTION opsdb_log_change();
CREATE TRIGGER "role_id_immutable" BEFORE UPDATE OF "id" ON "role" FOR EACH ROW WHEN (OLD."id" IS DISTINCT FROM NEW."id") EXECUTE FUNCTION opsdb_refuse_change('id', 'Make a new row instead, and delete this one if nothing refers to it.');
CREATE TRIGGER "role_never_truncated" BEFORE TRUNCATE ON "role" FOR EACH STATEMENT EXECUTE FUNCTION opsdb_refuse_truncation();

-- telescope
CREATE TRIGGER "telescope_keeps_former_names" BEFORE UPDATE OF name, former_names ON "telescope" FOR EACH ROW WHEN (OLD."name" IS DISTINCT FROM NEW."name" OR OLD."former_names" IS DISTINCT FROM NEW."former_names") EXECUTE FUNCTION opsdb_keep_former_names('name');
CREATE TRIGGER "telescope_touch" BEFORE UPDATE ON "telescope" FOR EACH ROW EXECUTE FUNCTION opsdb_keep_updated_at();
CREATE TRIGGER "telescope_history" AFTER INSERT OR UPDATE OR DELETE ON "telescope" FOR EACH ROW EXECUTE FUNCTION opsdb_log_change();
CREATE TRIGGER "telescope_id_immutable" BEFORE UPDATE OF "id" ON "telescope" FOR EACH ROW WHEN (OLD."id" IS DISTINCT FROM NEW."id") EXECUTE FUNCTION opsdb_refuse_change('id', 'Make a new row instead, and delete this one if nothing refers to it.');
CREATE TRIGGER "telescope_never_truncated" BEFORE TRUNCATE ON "telescope" FOR EACH STATEMENT EXECUTE FUNCTION opsdb_refuse_truncation();

-- subobservingprogram
CREATE TRIGGER "sub_observing_program_keeps_former_names" BEFORE UPDATE OF short_name, former_names ON "sub_observing_program" FOR EACH ROW WHEN (OLD."short_name" IS DISTINCT FROM NEW."short_name" OR OLD."former_names" IS DISTINCT FROM NEW."former_names") EXECUTE FUNCTION opsdb_keep_former_names('short_name');
CREATE TRIGGER "sub_observing_program_observing_program_id_immutable" BEFORE UPDATE ON "sub_observing_program" FOR EACH ROW WHEN (OLD."observing_program_id" IS DISTINCT FROM NEW."observing_program_id") EXECUTE FUNCTION opsdb_refuse_change('observing_program_id', 'Make a new row instead, and delete this one if nothing refers to it.');
CREATE TRIGGER "sub_observing_program_touch" BEFORE UPDATE ON "sub_observing_program" FOR EACH ROW EXECUTE FUNCTION opsdb_keep_updated_at();
CREATE TRIGGER "sub_observing_program_history" AFTER INSERT OR UPDATE OR DELETE ON "sub_observing_program" FOR EACH ROW EXECUTE FUNCTION opsdb_log_change();
CREATE TRIGGER "sub_observing_program_id_immutable" BEFORE UPDATE OF "id" ON "sub_observing_program" FOR EACH ROW WHEN (OLD."id" IS DISTINCT FROM NEW."id") EXECUTE FUNCTION opsdb_refuse_change('id', 'Make a new row instead, and delete this one if nothing refers to it.');
CREATE TRIGGER "sub_observing_program_never_truncated" BEFORE TRUNCATE ON "sub_observing_program" FOR EACH STATEMENT EXECUTE FUNCTION opsdb_refuse_truncation();

-- fixedsource
CREATE TRIGGER "fixed_source_history" AFTER UPDATE OR DELETE ON "fixed_source" FOR EACH ROW EXECUTE FUNCTION opsdb_log_change();
CREATE TRIGGER "fixed_source_history_of_inserts" AFTER INSERT ON "fixed_source" REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION opsdb_log_bulk_insert();
CREATE TRIGGER "fixed_source_id_immutable" BEFORE UPDATE OF "id" ON "fixed_source" FOR EACH ROW WHEN (OLD."id" IS DISTINCT FROM NEW."id") EXECUTE FUNCTION opsdb_refuse_change('id', 'Make a new row instead, and delete this one if nothing refers to it.');
CREATE TRIGGER "fixed_source_never_truncated" BEFORE TRUNCATE ON "fixed_source" FOR EACH STATEMENT EXECUTE FUNCTION opsdb_refuse_truncation();
CREATE TRIGGER "fixed_source_subtype" AFTER INSERT ON "fixed_source" REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION opsdb_require_parent('source', 'type', 'fixed');
CREATE CONSTRAINT TRIGGER "fixed_source_stays_with_parent" AFTER DELETE ON "fixed_source" DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION opsdb_stay_with_parent('source');
CREATE TRIGGER "fixed_source_touch_parent" AFTER UPDATE ON "fixed_source" FOR EACH ROW EXECUTE FUNCTION opsdb_touch_parent('source');

-- solarsystemobject
CREATE TRIGGER "solar_system_object_history" AFTER UPDATE OR DELETE ON "solar_system_object" FOR EACH ROW EXECUTE FUNCTION opsdb_log_change();
CREATE TRIGGER "solar_system_object_history_of_inserts" AFTER INSERT ON "solar_system_object" REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION opsdb_log_bulk_insert();
CREATE TRIGGER "solar_system_object_id_immutable" BEFORE UPDATE OF "id" ON "solar_system_object" FOR EACH ROW WHEN (OLD."id" IS DISTINCT FROM NEW."id") EXECUTE FUNCTION opsdb_refuse_change('id', 'Make a new row instead, and delete this one if nothing refers to it.');
CREATE TRIGGER "solar_system_object_never_truncated" BEFORE TRUNCATE ON "solar_system_object" FOR EACH STATEMENT EXECUTE FUNCTION opsdb_refuse_truncation();
CREATE TRIGGER "solar_system_object_subtype" AFTER INSERT ON "solar_system_object" REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION opsdb_require_parent('source', 'type', 'solar_system');
CREATE CONSTRAINT TRIGGER "solar_system_object_stays_with_parent" AFTER DELETE ON "solar_system_object" DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION opsdb_stay_with_parent('source');
CREATE TRIGGER "solar_system_object_touch_parent" AFTER UPDATE ON "solar_system_object" FOR EACH ROW EXECUTE FUNCTION opsdb_touch_parent('source');

-- constantelevationsource
CREATE TRIGGER "constant_elevation_source_history" AFTER UPDATE OR DELETE ON "constant_elevation_source" FOR EACH ROW EXECUTE FUNCTION opsdb_log_change();
CREATE TRIGGER "constant_elevation_source_history_of_inserts" AFTER INSERT ON "constant_elevation_source" REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION opsdb_log_bulk_insert();
CREATE TRIGGER "constant_elevation_source_id_immutable" BEFORE UPDATE OF "id" ON "constant_elevation_source" FOR EACH ROW WHEN (OLD."id" IS DISTINCT FROM NEW."id") EXECUTE FUNCTION opsdb_refuse_change('id', 'Make a new row instead, and delete this one if nothing refers to it.');
CREATE TRIGGER "constant_elevation_source_never_truncated" BEFORE TRUNCATE ON "constant_elevation_source" FOR EACH STATEMENT EXECUTE FUNCTION opsdb_refuse_truncation();
CREATE TRIGGER "constant_elevation_source_subtype" AFTER INSERT ON "constant_elevation_source" REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION opsdb_require_parent('source', 'type', 'constant_elevation');
CREATE CONSTRAINT TRIGGER "constant_elevation_source_stays_with_parent" AFTER DELETE ON "constant_elevation_source" DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION opsdb_stay_with_parent('source');
CREATE TRIGGER "constant_elevation_source_touch_parent" AFTER UPDATE ON "constant_elevation_source" FOR EACH ROW EXECUTE FUNCTION opsdb_touch_parent('source');

-- chaiobservationconfiguration
CREATE TRIGGER "chai_observation_configuration_history" AFTER INSERT OR UPDATE OR DELETE ON "chai_observation_configuration" FOR EACH ROW EXECUTE FUNCTION opsdb_log_change();
CREATE TRIGGER "chai_observation_configuration_id_immutable" BEFORE UPDATE OF "id" ON "chai_observation_configuration" FOR EACH ROW WHEN (OLD."id" IS DISTINCT FROM NEW."id") EXECUTE FUNCTION opsdb_refuse_change('id', 'Make a new row instead, and delete this one if nothing refers to it.');
CREATE TRIGGER "chai_observation_configuration_never_truncated" BEFORE TRUNCATE ON "chai_observation_configuration" FOR EACH STATEMENT EXECUTE FUNCTION opsdb_refuse_truncation();
CREATE TRIGGER "chai_observation_configuration_subtype" AFTER INSERT ON "chai_observation_configuration" REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION opsdb_require_parent('observation_configuration', 'type', 'chai');
CREATE CONSTRAINT TRIGGER "chai_observation_configuration_stays_with_parent" AFTER DELETE ON "chai_observation_configuration" DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION opsdb_stay_with_parent('observation_configuration');
CREATE TRIGGER "chai_observation_configuration_touch_parent" AFTER UPDATE ON "chai_observation_configuration" FOR EACH ROW EXECUTE FUNCTION opsdb_touch_parent('observation_configuration');

-- primecamobservationconfiguration
CREATE TRIGGER "prime_cam_observation_configuration_history" AFTER INSERT OR UPDATE OR DELETE ON "prime_cam_observation_configuration" FOR EACH ROW EXECUTE FUNCTION opsdb_log_change();
CREATE TRIGGER "prime_cam_observation_configuration_id_immutable" BEFORE UPDATE OF "id" ON "prime_cam_observation_configuration" FOR EACH ROW WHEN (OLD."id" IS DISTINCT FROM NEW."id") EXECUTE FUNCTION opsdb_refuse_change('id', 'Make a new row instead, and delete this one if nothing refers to it.');
CREATE TRIGGER "prime_cam_observation_configuration_never_truncated" BEFORE TRUNCATE ON "prime_cam_observation_configuration" FOR EACH STATEMENT EXECUTE FUNCTION opsdb_refuse_truncation();
CREATE TRIGGER "prime_cam_observation_configuration_subtype" AFTER INSERT ON "prime_cam_observation_configuration" REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION opsdb_require_parent('observation_configuration', 'type', 'prime_cam');
CREATE CONSTRAINT TRIGGER "prime_cam_observation_configuration_stays_with_parent" AFTER DELETE ON "prime_cam_observation_configuration" DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION opsdb_stay_with_parent('observation_configuration');
CREATE TRIGGER "prime_cam_observation_configuration_touch_parent" AFTER UPDATE ON "prime_cam_observation_configuration" FOR EACH ROW EXECUTE FUNCTION opsdb_touch_parent('observation_configuration');

-- failureacknowledgement
CREATE TRIGGER "failure_acknowledgement_made_in_person" BEFORE INSERT ON "failure_acknowledgement" FOR EACH ROW EXECUTE FUNCTION opsdb_acknowledge_in_person();
CREATE TRIGGER "failure_acknowledgement_ends_once" BEFORE UPDATE OF ended_at ON "failure_acknowledgement" FOR EACH ROW WHEN (OLD.ended_at IS DISTINCT FROM NEW.ended_at) EXECUTE FUNCTION opsdb_end_acknowledgement();
CREATE TRIGGER "failure_acknowledgement_immutable" BEFORE UPDATE ON "failure_acknowledgement" FOR EACH ROW WHEN (OLD."cause" IS DISTINCT FROM NEW."cause" OR OLD."message" IS DISTINCT FROM NEW."message" OR OLD."place" IS DISTINCT FROM NEW."place" OR OLD."reason" IS DISTINCT FROM NEW."reason" OR OLD."informed" IS DISTINCT FROM NEW."informed" OR OLD."until" IS DISTINCT FROM NEW."until" OR OLD."acknowledged_by_id" IS DISTINCT FROM NEW."acknowledged_by_id" OR OLD."created_at" IS DISTINCT FROM NEW."created_at") EXECUTE FUNCTION opsdb_refuse_change('cause, message, place, reason, informed, until, acknowledged_by_id, created_at', 'Make a new row instead; this one stays, because it is never deleted.');
CREATE TRIGGER "failure_acknowledgement_never_deleted" BEFORE DELETE ON "failure_acknowledgement" FOR EACH ROW EXECUTE FUNCTION opsdb_refuse_deletion('an acknowledgement', 'Leave it; what has changed is recorded by its state, or by another row.');
CREATE TRIGGER "failure_acknowledgement_touch" BEFORE UPDATE ON "failure_acknowledgement" FOR EACH ROW EXECUTE FUNCTION opsdb_keep_updated_at();
CREATE TRIGGER "failure_acknowledgement_history" AFTER INSERT OR UPDATE OR DELETE ON "failure_acknowledgement" FOR EACH ROW EXECUTE FUNCTION opsdb_log_change();
CREATE TRIGGER "failure_acknowledgement_id_immutable" BEFORE UPDATE OF "id" ON "failure_acknowledgement" FOR EACH ROW WHEN (OLD."id" IS DISTINCT FROM NEW."id") EXECUTE FUNCTION opsdb_refuse_change('id', 'Make a new row instead; this one stays, because it is never deleted.');
CREATE TRIGGER "failure_acknowledgement_never_truncated" BEFORE TRUNCATE ON "failure_acknowledgement" FOR EACH STATEMENT EXECUTE FUNCTION opsdb_refuse_truncation();

-- apitoken
CREATE TRIGGER "api_token_immutable" BEFORE UPDATE ON "api_token" FOR EACH ROW WHEN (OLD."user_id" IS DISTINCT FROM NEW."user_id" OR OLD."token_hash" IS DISTINCT FROM NEW."token_hash" OR OLD."token_prefix" IS DISTINCT FROM NEW."token_prefix" OR OLD."pepper_fingerprint" IS DISTINCT FROM NEW."pepper_fingerprint") EXECUTE FUNCTION opsdb_refuse_change('user_id, token_hash, token_prefix, pepper_fingerprint', 'Make a new row instead, and delete this one if nothing refers to it.');
CREATE TRIGGER "api_token_revoked_in_person" BEFORE INSERT OR UPDATE ON "api_token" FOR EACH ROW EXECUTE FUNCTION opsdb_revoke_in_person();
CREATE TRIGGER "api_token_touch" BEFORE UPDATE ON "api_token" FOR EACH ROW EXECUTE FUNCTION opsdb_keep_updated_at();
CREATE TRIGGER "api_token_history" AFTER INSERT OR UPDATE OF "created_at", "updated_at", "id", "user_id", "name", "token_prefix", "token_hash", "pepper_fingerprint", "scopes", "active", "expires_at", "allowed_networks", "revoked_at", "revoked_by_id" OR DELETE ON "api_token" FOR EACH ROW EXECUTE FUNCTION opsdb_log_change('usage_count', 'last_used_at', 'last_used_ip');
CREATE TRIGGER "api_token_id_immutable" BEFORE UPDATE OF "id" ON "api_token" FOR EACH ROW WHEN (OLD."id" IS DISTINCT FROM NEW."id") EXECUTE FUNCTION opsdb_refuse_change('id', 'Make a new row instead, and delete this one if nothing refers to it.');
CREATE TRIGGER "api_token_never_truncated" BEFORE TRUNCATE ON "api_token" FOR EACH STATEMENT EXECUTE FUNCTION opsdb_refuse_truncation();

-- changelog
CREATE TRIGGER "change_log_append_only" BEFORE UPDATE OR DELETE ON "change_log" FOR EACH ROW EXECUTE FUNCTION opsdb_refuse_rewriting('history', 'never changed or removed', 'Leave it as it is, and record what is right now as another row.');
CREATE TRIGGER "change_log_never_truncated" BEFORE TRUNCATE ON "change_log" FOR EACH STATEMENT EXECUTE FUNCTION opsdb_refuse_truncation();

-- reductionsoftwareversion
CREATE TRIGGER "reduction_software_version_software_id_immutable" BEFORE UPDATE ON "reduction_software_version" FOR EACH ROW WHEN (OLD."software_id" IS DISTINCT FROM NEW."software_id") EXECUTE FUNCTION opsdb_refuse_change('software_id', 'Make a new row instead, and delete this one if nothing refers to it.');
CREATE TRIGGER "reduction_software_version_touch" BEFORE UPDATE ON "reduction_software_version" FOR EACH ROW EXECUTE FUNCTION opsdb_keep_updated_at();
CREATE TRIGGER "reduction_software_version_history" AFTER INSERT OR UPDATE OR DELETE ON "reduction_software_version" FOR EACH ROW EXECUTE FUNCTION opsdb_log_change();
CREATE TRIGGER "reduction_software_version_id_immutable" BEFORE UPDATE OF "id" ON "reduction_software_version" FOR EACH ROW WHEN (OLD."id" IS DISTINCT FROM NEW."id") EXECUTE FUNCTION opsdb_refuse_change('id', 'Make a new row instead, and delete this one if nothing refers to it.');
CREATE TRIGGER "reduction_software_version_never_truncated" BEFORE TRUNCATE ON "reduction_software_version" FOR EACH STATEMENT EXECUTE FUNCTION opsdb_refuse_truncation();

-- reductionstepconfig
CREATE TRIGGER "reduction_step_config_software_id_immutable" BEFORE UPDATE ON "reduction_step_config" FOR EACH ROW WHEN (OLD."software_id" IS DISTINCT FROM NEW."software_id") EXECUTE FUNCTION opsdb_refuse_change('software_id', 'Make a new row instead, and delete this one if nothing refers to it.');
CREATE TRIGGER "reduction_step_config_touch" BEFORE UPDATE ON "reduction_step_config" FOR EACH ROW EXECUTE FUNCTION opsdb_keep_updated_at();
CREATE TRIGGER "reduction_step_config_history" AFTER INSERT OR UPDATE OR DELETE ON "reduction_step_config" FOR EACH ROW EXECUTE FUNCTION opsdb_log_change();
CREATE TRIGGER "reduction_step_config_id_immutable" BEFORE UPDATE OF "id" ON "reduction_step_config" FOR EACH ROW WHEN (OLD."id" IS DISTINCT FROM NEW."id") EXECUTE FUNCTION opsdb_refuse_change('id', 'Make a new row instead, and delete this one if nothing refers to it.');
CREATE TRIGGER "reduction_step_config_never_truncated" BEFORE TRUNCATE ON "reduction_step_config" FOR EACH STATEMENT EXECUTE FUNCTION opsdb_refuse_truncation();

-- instrument
CREATE TRIGGER "instrument_keeps_former_names" BEFORE UPDATE OF name, former_names ON "instrument" FOR EACH ROW WHEN (OLD."name" IS DISTINCT FROM NEW."name" OR OLD."former_names" IS DISTINCT FROM NEW."former_names") EXECUTE FUNCTION opsdb_keep_former_names('name');
CREATE TRIGGER "instrument_touch" BEFORE UPDATE ON "instrument" FOR EACH ROW EXECUTE FUNCTION opsdb_keep_updated_at();
CREATE TRIGGER "instrument_history" AFTER INSERT OR UPDATE OR DELETE ON "instrument" FOR EACH ROW EXECUTE FUNCTION opsdb_log_change();
CREATE TRIGGER "instrument_id_immutable" BEFORE UPDATE OF "id" ON "instrument" FOR EACH ROW WHEN (OLD."id" IS DISTINCT FROM NEW."id") EXECUTE FUNCTION opsdb_refuse_change('id', 'Make a new row instead, and delete this one if nothing refers to it.');
CREATE TRIGGER "instrument_never_truncated" BEFORE TRUNCATE ON "instrument" FOR EACH STATEMENT EXECUTE FUNCTION opsdb_refuse_truncation();

-- obsunit
CREATE TRIGGER "obs_unit_sub_observing_program_same_observing_program" BEFORE INSERT OR UPDATE OF "sub_observing_program_id", "observing_program_id" ON "obs_unit" FOR EACH ROW WHEN (NEW."sub_observing_program_id" IS NOT NULL) EXECUTE FUNCTION opsdb_require_same_owner('sub_observing_program_id', 'sub_observing_program', 'observing_program_id', 'the sub-program must be a part of the unit''s own observing program', 'Choose a sub-program of that program, or none.');
CREATE TRIGGER "obs_unit_source_needed" BEFORE INSERT OR UPDATE OF "source_id", "obs_mode_id" ON "obs_unit" FOR EACH ROW WHEN (NEW.source_id IS NULL) EXECUTE FUNCTION opsdb_unit_needs_source();
CREATE TRIGGER "obs_unit_touch" BEFORE UPDATE ON "obs_unit" FOR EACH ROW EXECUTE FUNCTION opsdb_keep_updated_at();
CREATE TRIGGER "obs_unit_history" AFTER UPDATE OR DELETE ON "obs_unit" FOR EACH ROW EXECUTE FUNCTION opsdb_log_change();
CREATE TRIGGER "obs_unit_history_of_inserts" AFTER INSERT ON "obs_unit" REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION opsdb_log_bulk_insert();
CREATE TRIGGER "obs_unit_module_configurations_history" AFTER INSERT OR UPDATE OR DELETE ON "obs_unit_module_configurations" FOR EACH ROW EXECUTE FUNCTION opsdb_log_link('obs_unit', 'module_configurations', 'obsunit_id', 'instrumentmoduleconfiguration_id');
CREATE TRIGGER "obs_unit_id_immutable" BEFORE UPDATE OF "id" ON "obs_unit" FOR EACH ROW WHEN (OLD."id" IS DISTINCT FROM NEW."id") EXECUTE FUNCTION opsdb_refuse_change('id', 'Make a new row instead, and delete this one if nothing refers to it.');
CREATE TRIGGER "obs_unit_never_truncated" BEFORE TRUNCATE ON "obs_unit" FOR EACH STATEMENT EXECUTE FUNCTION opsdb_refuse_truncation();
CREATE TRIGGER "obs_unit_module_configurations_id_immutable" BEFORE UPDATE OF "id" ON "obs_unit_module_configurations" FOR EACH ROW WHEN (OLD."id" IS DISTINCT FROM NEW."id") EXECUTE FUNCTION opsdb_refuse_change('id', 'Make a new row instead, and delete this one if nothing refers to it.');
CREATE TRIGGER "obs_unit_module_configurations_never_truncated" BEFORE TRUNCATE ON "obs_unit_module_configurations" FOR EACH STATEMENT EXECUTE FUNCTION opsdb_refuse_truncation();

-- azimuthrange
CREATE TRIGGER "azimuth_range_touch" BEFORE UPDATE ON "azimuth_range" FOR EACH ROW EXECUTE FUNCTION opsdb_keep_updated_at();
CREATE TRIGGER "azimuth_range_history" AFTER INSERT OR UPDATE OR DELETE ON "azimuth_range" FOR EACH ROW EXECUTE FUNCTION opsdb_log_change();
CREATE TRIGGER "azimuth_range_id_immutable" BEFORE UPDATE OF "id" ON "azimuth_range" FOR EACH ROW WHEN (OLD."id" IS DISTINCT FROM NEW."id") EXECUTE FUNCTION opsdb_refuse_change('id', 'Make a new row instead, and delete this one if nothing refers to it.');
CREATE TRIGGER "azimuth_range_never_truncated" BEFORE TRUNCATE ON "azimuth_range" FOR EACH STATEMENT EXECUTE FUNCTION opsdb_refuse_truncation();

-- chaitiling
CREATE TRIGGER "chai_tiling_touch" BEFORE UPDATE ON "chai_tiling" FOR EACH ROW EXECUTE FUNCTION opsdb_keep_updated_at();
CREATE TRIGGER "chai_tiling_history" AFTER INSERT OR UPDATE OR DELETE ON "chai_tiling" FOR EACH ROW EXECUTE FUNCTION opsdb_log_change();
CREATE TRIGGER "chai_tiling_id_immutable" BEFORE UPDATE OF "id" ON "chai_tiling" FOR EACH ROW WHEN (OLD."id" IS DISTINCT FROM NEW."id") EXECUTE FUNCTION opsdb_refuse_change('id', 'Make a new row instead, and delete this one if nothing refers to it.');
CREATE TRIGGER "chai_tiling_never_truncated" BEFORE TRUNCATE ON "chai_tiling" FOR EACH STATEMENT EXECUTE FUNCTION opsdb_refuse_truncation();

-- chaiinparparameter
CREATE TRIGGER "chai_inpar_parameter_touch" BEFORE UPDATE ON "chai_inpar_parameter" FOR EACH ROW EXECUTE FUNCTION opsdb_keep_updated_at();
CREATE TRIGGER "chai_inpar_parameter_history" AFTER INSERT OR UPDATE OR DELETE ON "chai_inpar_parameter" FOR EACH ROW EXECUTE FUNCTION opsdb_log_change();
CREATE TRIGGER "chai_inpar_parameter_id_immutable" BEFORE UPDATE OF "id" ON "chai_inpar_parameter" FOR EACH ROW WHEN (OLD."id" IS DISTINCT FROM NEW."id") EXECUTE FUNCTION opsdb_refuse_change('id', 'Make a new row instead, and delete this one if nothing refers to it.');
CREATE TRIGGER "chai_inpar_parameter_never_truncated" BEFORE TRUNCATE ON "chai_inpar_parameter" FOR EACH STATEMENT EXECUTE FUNCTION opsdb_refuse_truncation();

-- instrumentmodule
CREATE TRIGGER "instrument_module_keeps_former_names" BEFORE UPDATE OF name, former_names ON "instrument_module" FOR EACH ROW WHEN (OLD."name" IS DISTINCT FROM NEW."name" OR OLD."former_names" IS DISTINCT FROM NEW."former_names") EXECUTE FUNCTION opsdb_keep_former_names('name');
CREATE TRIGGER "instrument_module_touch" BEFORE UPDATE ON "instrument_module" FOR EACH ROW EXECUTE FUNCTION opsdb_keep_updated_at();
CREATE TRIGGER "instrument_module_history" AFTER INSERT OR UPDATE OR DELETE ON "instrument_module" FOR EACH ROW EXECUTE FUNCTION opsdb_log_change();
CREATE TRIGGER "instrument_module_id_immutable" BEFORE UPDATE OF "id" ON "instrument_module" FOR EACH ROW WHEN (OLD."id" IS DISTINCT FROM NEW."id") EXECUTE FUNCTION opsdb_refuse_change('id', 'Make a new row instead, and delete this one if nothing refers to it.');
CREATE TRIGGER "instrument_module_never_truncated" BEFORE TRUNCATE ON "instrument_module" FOR EACH STATEMENT EXECUTE FUNCTION opsdb_refuse_truncation();

-- timeallocation
CREATE TRIGGER "time_allocation_touch" BEFORE UPDATE ON "time_allocation" FOR EACH ROW EXECUTE FUNCTION opsdb_keep_updated_at();
CREATE TRIGGER "time_allocation_history" AFTER INSERT OR UPDATE OR DELETE ON "time_allocation" FOR EACH ROW EXECUTE FUNCTION opsdb_log_change();
CREATE TRIGGER "time_allocation_id_immutable" BEFORE UPDATE OF "id" ON "time_allocation" FOR EACH ROW WHEN (OLD."id" IS DISTINCT FROM NEW."id") EXECUTE FUNCTION opsdb_refuse_change('id', 'Make a new row instead, and delete this one if nothing refers to it.');
CREATE TRIGGER "time_allocation_never_truncated" BEFORE TRUNCATE ON "time_allocation" FOR EACH STATEMENT EXECUTE FUNCTION opsdb_refuse_truncation();

-- datalocation
CREATE TRIGGER "data_location_immutable" BEFORE UPDATE ON "data_location" FOR EACH ROW WHEN (OLD."location_type" IS DISTINCT FROM NEW."location_type" OR OLD."site_id" IS DISTINCT FROM NEW."site_id") EXECUTE FUNCTION opsdb_refuse_change('location_type, site_id', 'Make a new row instead, and delete this one if nothing refers to it.');
CREATE TRIGGER "data_location_keeps_former_names" BEFORE UPDATE OF name, former_names ON "data_location" FOR EACH ROW WHEN (OLD."name" IS DISTINCT FROM NEW."name" OR OLD."former_names" IS DISTINCT FROM NEW."former_names") EXECUTE FUNCTION opsdb_keep_former_names('name');
CREATE CONSTRAINT TRIGGER "data_location_subtype_exists" AFTER INSERT ON "data_location" DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION opsdb_require_subtype('storage_type', '{"disk": "disk_data_location", "s3": "s3_data_location", "tape": "tape_data_location"}');
CREATE TRIGGER "data_location_touch" BEFORE UPDATE ON "data_location" FOR EACH ROW EXECUTE FUNCTION opsdb_keep_updated_at();
CREATE TRIGGER "data_location_history" AFTER INSERT OR UPDATE OR DELETE ON "data_location" FOR EACH ROW EXECUTE FUNCTION opsdb_log_change();
CREATE TRIGGER "data_location_id_immutable" BEFORE UPDATE OF "id" ON "data_location" FOR EACH ROW WHEN (OLD."id" IS DISTINCT FROM NEW."id") EXECUTE FUNCTION opsdb_refuse_change('id', 'Make a new row instead, and delete this one if nothing refers to it.');
CREATE TRIGGER "data_location_never_truncated" BEFORE TRUNCATE ON "data_location" FOR EACH STATEMENT EXECUTE FUNCTION opsdb_refuse_truncation();
CREATE TRIGGER "data_location_storage_type_immutable" BEFORE UPDATE ON "data_location" FOR EACH ROW WHEN (OLD."storage_type" IS DISTINCT FROM NEW."storage_type") EXECUTE FUNCTION opsdb_refuse_change('storage_type', 'Make a new row instead, and delete this one if nothing refers to it.');

-- prescheduledslot
CREATE TRIGGER "pre_scheduled_slot_touch" BEFORE UPDATE ON "pre_scheduled_slot" FOR EACH ROW EXECUTE FUNCTION opsdb_keep_updated_at();
CREATE TRIGGER "pre_scheduled_slot_history" AFTER UPDATE OR DELETE ON "pre_scheduled_slot" FOR EACH ROW EXECUTE FUNCTION opsdb_log_change();
CREATE TRIGGER "pre_scheduled_slot_history_of_inserts" AFTER INSERT ON "pre_scheduled_slot" REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION opsdb_log_bulk_insert();
CREATE TRIGGER "pre_scheduled_slot_id_immutable" BEFORE UPDATE OF "id" ON "pre_scheduled_slot" FOR EACH ROW WHEN (OLD."id" IS DISTINCT FROM NEW."id") EXECUTE FUNCTION opsdb_refuse_change('id', 'Make a new row instead, and delete this one if nothing refers to it.');
CREATE TRIGGER "pre_scheduled_slot_never_truncated" BEFORE TRUNCATE ON "pre_scheduled_slot" FOR EACH STATEMENT EXECUTE FUNCTION opsdb_refuse_truncation();

-- executedobsunit
CREATE TRIGGER "executed_obs_unit_immutable" BEFORE UPDATE ON "executed_obs_unit" FOR EACH ROW WHEN ((OLD."obs_unit_id" IS DISTINCT FROM NEW."obs_unit_id" OR OLD."start_time" IS DISTINCT FROM NEW."start_time") AND (opsdb_is_correction(OLD.id)) IS NOT TRUE) EXECUTE FUNCTION opsdb_refuse_change('obs_unit_id, start_time', 'Have an operator correct what was reported wrongly, with a reason (Correct in the admin).');
CREATE TRIGGER "executed_obs_unit_not_in_future" BEFORE INSERT OR UPDATE OF start_time ON "executed_obs_unit" FOR EACH ROW WHEN (NEW.start_time > statement_timestamp() + opsdb_clock_skew()) EXECUTE FUNCTION opsdb_refuse_row('executed_obs_unit {new.id}: cannot have begun at {new.start_time}, which is in the future', 'Set the clock of the telescope''s computer, and report the right time.');
CREATE TRIGGER "executed_obs_unit_end_not_in_future" BEFORE INSERT OR UPDATE OF end_time ON "executed_obs_unit" FOR EACH ROW WHEN (NEW.end_time > statement_timestamp() + opsdb_clock_skew()) EXECUTE FUNCTION opsdb_refuse_row('executed_obs_unit {new.id}: cannot have ended at {new.end_time}, which is in the future', 'Set the clock of the telescope''s computer, and report the right time.');
CREATE TRIGGER "executed_obs_unit_after_first_light" BEFORE INSERT OR UPDATE OF start_time ON "executed_obs_unit" FOR EACH ROW EXECUTE FUNCTION opsdb_after_first_light();
CREATE TRIGGER "executed_obs_unit_never_deleted" BEFORE DELETE ON "executed_obs_unit" FOR EACH ROW EXECUTE FUNCTION opsdb_refuse_deletion('an observation', 'Leave it; what has changed is recorded by its state, or by another row.');
CREATE TRIGGER "executed_obs_unit_status_transition" BEFORE UPDATE OF status ON "executed_obs_unit" FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status AND OLD.status || '>' || NEW.status <> ALL ('{running>completed,running>aborted,running>failed}')) EXECUTE FUNCTION opsdb_refuse_transition('status', '{"running": "It can become: completed, aborted, failed.", "completed": "Leave it: completed is final.", "aborted": "Leave it: aborted is final.", "failed": "Leave it: failed is final."}');
CREATE TRIGGER "executed_obs_unit_touch" BEFORE UPDATE ON "executed_obs_unit" FOR EACH ROW EXECUTE FUNCTION opsdb_keep_updated_at();
CREATE TRIGGER "executed_obs_unit_history_of_keys" AFTER INSERT ON "executed_obs_unit" REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION opsdb_log_inserted_keys();
CREATE TRIGGER "executed_obs_unit_history" AFTER UPDATE OR DELETE ON "executed_obs_unit" FOR EACH ROW EXECUTE FUNCTION opsdb_log_change();
CREATE TRIGGER "executed_obs_unit_id_immutable" BEFORE UPDATE OF "id" ON "executed_obs_unit" FOR EACH ROW WHEN (OLD."id" IS DISTINCT FROM NEW."id") EXECUTE FUNCTION opsdb_refuse_change('id', 'Make a new row instead; this one stays, because it is never deleted.');
CREATE TRIGGER "executed_obs_unit_never_truncated" BEFORE TRUNCATE ON "executed_obs_unit" FOR EACH STATEMENT EXECUTE FUNCTION opsdb_refuse_truncation();

-- instrumentmoduleconfiguration
CREATE TRIGGER "instrument_module_configuration_keeps_former_names" BEFORE UPDATE OF name, former_names ON "instrument_module_configuration" FOR EACH ROW WHEN (OLD."name" IS DISTINCT FROM NEW."name" OR OLD."former_names" IS DISTINCT FROM NEW."former_names") EXECUTE FUNCTION opsdb_keep_former_names('name');
CREATE CONSTRAINT TRIGGER "instrument_module_configuration_subtype_exists" AFTER INSERT ON "instrument_module_configuration" DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION opsdb_require_subtype('type', '{"chai": "chai_module_configuration", "prime_cam": "prime_cam_module_configuration"}');
CREATE TRIGGER "instrument_module_configuration_touch" BEFORE UPDATE ON "instrument_module_configuration" FOR EACH ROW EXECUTE FUNCTION opsdb_keep_updated_at();
CREATE TRIGGER "instrument_module_configuration_history" AFTER INSERT OR UPDATE OR DELETE ON "instrument_module_configuration" FOR EACH ROW EXECUTE FUNCTION opsdb_log_change();
CREATE TRIGGER "instrument_module_configuration_id_immutable" BEFORE UPDATE OF "id" ON "instrument_module_configuration" FOR EACH ROW WHEN (OLD."id" IS DISTINCT FROM NEW."id") EXECUTE FUNCTION opsdb_refuse_change('id', 'Make a new row instead, and delete this one if nothing refers to it.');
CREATE TRIGGER "instrument_module_configuration_never_truncated" BEFORE TRUNCATE ON "instrument_module_configuration" FOR EACH STATEMENT EXECUTE FUNCTION opsdb_refuse_truncation();
CREATE TRIGGER "instrument_module_configuration_type_immutable" BEFORE UPDATE ON "instrument_module_configuration" FOR EACH ROW WHEN (OLD."type" IS DISTINCT FROM NEW."type") EXECUTE FUNCTION opsdb_refuse_change('type', 'Make a new row instead, and delete this one if nothing refers to it.');

-- downtime
CREATE TRIGGER "downtime_touch" BEFORE UPDATE ON "downtime" FOR EACH ROW EXECUTE FUNCTION opsdb_keep_updated_at();
CREATE TRIGGER "downtime_history" AFTER INSERT OR UPDATE OR DELETE ON "downtime" FOR EACH ROW EXECUTE FUNCTION opsdb_log_change();
CREATE TRIGGER "downtime_id_immutable" BEFORE UPDATE OF "id" ON "downtime" FOR EACH ROW WHEN (OLD."id" IS DISTINCT FROM NEW."id") EXECUTE FUNCTION opsdb_refuse_change('id', 'Make a new row instead, and delete this one if nothing refers to it.');
CREATE TRIGGER "downtime_never_truncated" BEFORE TRUNCATE ON "downtime" FOR EACH STATEMENT EXECUTE FUNCTION opsdb_refuse_truncation();

-- datagrouping
CREATE TRIGGER "data_grouping_rules_are_known" BEFORE INSERT OR UPDATE OF "filter_rules" ON "data_grouping" FOR EACH ROW WHEN (jsonb_typeof(NEW.filter_rules) = 'array') EXECUTE FUNCTION opsdb_grouping_rules_are_known('{"raw_data_package": ["created_at", "updated_at", "status", "size_bytes", "checksum", "checksum_algorithm", "id", "executed_obs_unit_id", "instrument_module_id", "part", "name", "relative_path", "file_count", "state", "data_transfer_package_id"], "executed_obs_unit": ["created_at", "updated_at", "id", "obs_unit_id", "status", "start_time", "end_time", "quality", "mean_pwv_mm", "mean_elevation_deg", "mean_azimuth_deg", "conditions", "comment"], "obs_unit": ["created_at", "updated_at", "id", "observing_program_id", "sub_observing_program_id", "source_id", "obs_mode_id", "configuration_id", "name", "line_id", "rest_frequency_ghz", "version", "priority", "available", "elevation_min_deg", "elevation_max_deg", "pwv_max_mm", "planned_duration_seconds", "requested_executions", "lst_start_hours", "lst_end_hours", "comment"], "source": ["created_at", "updated_at", "id", "name", "type", "aliases", "comment"], "instrument_module": ["created_at", "updated_at", "id", "instrument_id", "name", "former_names", "description", "available", "pixels", "frequency_min_ghz", "frequency_max_ghz"], "raw_data_package_metadata": ["created_at", "updated_at", "id", "raw_data_package_id", "dataproduct_type", "calib_level", "obs_collection", "obs_id", "obs_publisher_did", "access_url", "access_format", "access_estsize", "target_name", "s_ra", "s_dec", "s_fov", "s_region", "s_resolution", "s_xel1", "s_xel2", "t_min", "t_max", "t_exptime", "t_resolution", "t_xel", "em_min", "em_max", "em_res_power", "em_xel", "o_ucd", "pol_states", "pol_xel", "facility_name", "instrument_name", "extra"]}', '{table,column,operator,value,json_path}', '{eq,neq,in,not_in,gt,gte,lt,lte,like}', '50');
CREATE TRIGGER "data_grouping_touch" BEFORE UPDATE ON "data_grouping" FOR EACH ROW EXECUTE FUNCTION opsdb_keep_updated_at();
CREATE TRIGGER "data_grouping_history" AFTER INSERT OR UPDATE OR DELETE ON "data_grouping" FOR EACH ROW EXECUTE FUNCTION opsdb_log_change();
CREATE TRIGGER "data_grouping_id_immutable" BEFORE UPDATE OF "id" ON "data_grouping" FOR EACH ROW WHEN (OLD."id" IS DISTINCT FROM NEW."id") EXECUTE FUNCTION opsdb_refuse_change('id', 'Make a new row instead, and delete this one if nothing refers to it.');
CREATE TRIGGER "data_grouping_never_truncated" BEFORE TRUNCATE ON "data_grouping" FOR EACH STATEMENT EXECUTE FUNCTION opsdb_refuse_truncation();

-- diskdatalocation
CREATE TRIGGER "disk_data_location_one_per_folder" BEFORE INSERT OR UPDATE OF host, path ON "disk_data_location" FOR EACH ROW EXECUTE FUNCTION opsdb_one_location_per_folder();
CREATE TRIGGER "disk_data_location_history" AFTER INSERT OR UPDATE OR DELETE ON "disk_data_location" FOR EACH ROW EXECUTE FUNCTION opsdb_log_change();
CREATE TRIGGER "disk_data_location_id_immutable" BEFORE UPDATE OF "id" ON "disk_data_location" FOR EACH ROW WHEN (OLD."id" IS DISTINCT FROM NEW."id") EXECUTE FUNCTION opsdb_refuse_change('id', 'Make a new row instead, and delete this one if nothing refers to it.');
CREATE TRIGGER "disk_data_location_never_truncated" BEFORE TRUNCATE ON "disk_data_location" FOR EACH STATEMENT EXECUTE FUNCTION opsdb_refuse_truncation();
CREATE TRIGGER "disk_data_location_subtype" AFTER INSERT ON "disk_data_location" REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION opsdb_require_parent('data_location', 'storage_type', 'disk');
CREATE CONSTRAINT TRIGGER "disk_data_location_stays_with_parent" AFTER DELETE ON "disk_data_location" DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION opsdb_stay_with_parent('data_location');
CREATE TRIGGER "disk_data_location_touch_parent" AFTER UPDATE ON "disk_data_location" FOR EACH ROW EXECUTE FUNCTION opsdb_touch_parent('data_location');

-- s3datalocation
CREATE TRIGGER "s3_data_location_history" AFTER INSERT OR UPDATE OR DELETE ON "s3_data_location" FOR EACH ROW EXECUTE FUNCTION opsdb_log_change();
CREATE TRIGGER "s3_data_location_id_immutable" BEFORE UPDATE OF "id" ON "s3_data_location" FOR EACH ROW WHEN (OLD."id" IS DISTINCT FROM NEW."id") EXECUTE FUNCTION opsdb_refuse_change('id', 'Make a new row instead, and delete this one if nothing refers to it.');
CREATE TRIGGER "s3_data_location_never_truncated" BEFORE TRUNCATE ON "s3_data_location" FOR EACH STATEMENT EXECUTE FUNCTION opsdb_refuse_truncation();
CREATE TRIGGER "s3_data_location_subtype" AFTER INSERT ON "s3_data_location" REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION opsdb_require_parent('data_location', 'storage_type', 's3');
CREATE CONSTRAINT TRIGGER "s3_data_location_stays_with_parent" AFTER DELETE ON "s3_data_location" DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION opsdb_stay_with_parent('data_location');
CREATE TRIGGER "s3_data_location_touch_parent" AFTER UPDATE ON "s3_data_location" FOR EACH ROW EXECUTE FUNCTION opsdb_touch_parent('data_location');

-- tapedatalocation
CREATE TRIGGER "tape_data_location_history" AFTER INSERT OR UPDATE OR DELETE ON "tape_data_location" FOR EACH ROW EXECUTE FUNCTION opsdb_log_change();
CREATE TRIGGER "tape_data_location_id_immutable" BEFORE UPDATE OF "id" ON "tape_data_location" FOR EACH ROW WHEN (OLD."id" IS DISTINCT FROM NEW."id") EXECUTE FUNCTION opsdb_refuse_change('id', 'Make a new row instead, and delete this one if nothing refers to it.');
CREATE TRIGGER "tape_data_location_never_truncated" BEFORE TRUNCATE ON "tape_data_location" FOR EACH STATEMENT EXECUTE FUNCTION opsdb_refuse_truncation();
CREATE TRIGGER "tape_data_location_subtype" AFTER INSERT ON "tape_data_location" REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION opsdb_require_parent('data_location', 'storage_type', 'tape');
CREATE CONSTRAINT TRIGGER "tape_data_location_stays_with_parent" AFTER DELETE ON "tape_data_location" DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION opsdb_stay_with_parent('data_location');
CREATE TRIGGER "tape_data_location_touch_parent" AFTER UPDATE ON "tape_data_location" FOR EACH ROW EXECUTE FUNCTION opsdb_touch_parent('data_location');

-- datalocationusage
CREATE TRIGGER "data_location_usage_id_immutable" BEFORE UPDATE OF "id" ON "data_location_usage" FOR EACH ROW WHEN (OLD."id" IS DISTINCT FROM NEW."id") EXECUTE FUNCTION opsdb_refuse_change('id', 'Make a new row instead, and delete this one if nothing refers to it.');
CREATE TRIGGER "data_location_usage_never_truncated" BEFORE TRUNCATE ON "data_location_usage" FOR EACH STATEMENT EXECUTE FUNCTION opsdb_refuse_truncation();

-- datatransferpackage
CREATE TRIGGER "data_transfer_package_activity_of_inserts" AFTER INSERT ON "data_transfer_package" REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION opsdb_note_activity('bundling');
CREATE TRIGGER "data_transfer_package_activity_of_updates" AFTER UPDATE ON "data_transfer_package" REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION opsdb_note_activity('bundling');
CREATE TRIGGER "data_transfer_package_facts_frozen" BEFORE UPDATE ON "data_transfer_package" FOR EACH ROW WHEN (OLD."checksum" IS DISTINCT FROM NEW."checksum" OR OLD."checksum_algorithm" IS DISTINCT FROM NEW."checksum_algorithm" OR OLD."size_bytes" IS DISTINCT FROM NEW."size_bytes" OR OLD."relative_path" IS DISTINCT FROM NEW."relative_path") EXECUTE FUNCTION opsdb_refuse_change_once_verified('checksum, checksum_algorithm, size_bytes, relative_path', 'data_transfer_package_id');
CREATE TRIGGER "data_transfer_package_packages_fail_with_it" AFTER UPDATE OF status ON "data_transfer_package" FOR EACH ROW WHEN (OLD.status <> NEW.status AND 'failed' IN (OLD.status, NEW.status)) EXECUTE FUNCTION opsdb_fail_packages_with_bundle();
CREATE TRIGGER "data_transfer_package_never_deleted" BEFORE DELETE ON "data_transfer_package" FOR EACH ROW EXECUTE FUNCTION opsdb_refuse_deletion('a bundle', 'Leave it; what has changed is recorded by its state, or by another row.');
CREATE TRIGGER "data_transfer_package_status_transition" BEFORE UPDATE OF status ON "data_transfer_package" FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status AND OLD.status || '>' || NEW.status <> ALL ('{pending>scheduled,pending>in_progress,pending>failed,scheduled>pending,scheduled>in_progress,scheduled>failed,in_progress>pending,in_progress>completed,in_progress>failed,failed>pending}')) EXECUTE FUNCTION opsdb_refuse_transition('status', '{"pending": "It can become: scheduled, in_progress, failed.", "scheduled": "It can become: pending, in_progress, failed.", "in_progress": "It can become: pending, completed, failed.", "completed": "Leave it: completed is final.", "failed": "It can become: pending."}');
CREATE TRIGGER "data_transfer_package_touch" BEFORE UPDATE ON "data_transfer_package" FOR EACH ROW EXECUTE FUNCTION opsdb_keep_updated_at();
CREATE TRIGGER "data_transfer_package_history_of_keys" AFTER INSERT ON "data_transfer_package" REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION opsdb_log_inserted_keys();
CREATE TRIGGER "data_transfer_package_history" AFTER UPDATE OR DELETE ON "data_transfer_package" FOR EACH ROW EXECUTE FUNCTION opsdb_log_change();
CREATE TRIGGER "data_transfer_package_id_immutable" BEFORE UPDATE OF "id" ON "data_transfer_package" FOR EACH ROW WHEN (OLD."id" IS DISTINCT FROM NEW."id") EXECUTE FUNCTION opsdb_refuse_change('id', 'Make a new row instead; this one stays, because it is never deleted.');
CREATE TRIGGER "data_transfer_package_never_truncated" BEFORE TRUNCATE ON "data_transfer_package" FOR EACH STATEMENT EXECUTE FUNCTION opsdb_refuse_truncation();

-- deletionrequest
CREATE TRIGGER "deletion_request_immutable" BEFORE UPDATE ON "deletion_request" FOR EACH ROW WHEN (OLD."data_location_id" IS DISTINCT FROM NEW."data_location_id" OR OLD."requested_by_id" IS DISTINCT FROM NEW."requested_by_id") EXECUTE FUNCTION opsdb_refuse_change('data_location_id, requested_by_id', 'Make another request, signed in as the user who asks.');
CREATE TRIGGER "deletion_request_born_requested" BEFORE INSERT ON "deletion_request" FOR EACH ROW WHEN (NEW.status <> 'requested' OR NEW.approved_by_id IS NOT NULL) EXECUTE FUNCTION opsdb_refuse_row('deletion_request {new.id}: a new request cannot be {new.status}, or decided already', 'Make it with the status requested, and leave approved_by_id empty; another person then decides it.');
CREATE TRIGGER "deletion_request_terms_stay" BEFORE UPDATE ON "deletion_request" FOR EACH ROW WHEN ((OLD."reason" IS DISTINCT FROM NEW."reason" OR OLD."limit" IS DISTINCT FROM NEW."limit" OR OLD."overrides_retention" IS DISTINCT FROM NEW."overrides_retention") AND (OLD.status <> 'requested' OR NEW.status <> 'requested')) EXECUTE FUNCTION opsdb_refuse_row('deletion_request {old.id}: reason, limit, overrides_retention cannot be changed once it is decided', 'Make a new request with the right ones.');
CREATE TRIGGER "deletion_request_decision_stays" BEFORE UPDATE ON "deletion_request" FOR EACH ROW WHEN ((OLD."approved_by_id" IS DISTINCT FROM NEW."approved_by_id" OR OLD."decided_at" IS DISTINCT FROM NEW."decided_at") AND (OLD.status = NEW.status OR NEW.status NOT IN ('approved', 'rejected'))) EXECUTE FUNCTION opsdb_refuse_row('deletion_request {old.id}: approved_by_id and decided_at cannot be changed without a decision', 'Leave them as they are; they are set when the request is approved or rejected.');
CREATE TRIGGER "deletion_request_decided_in_person" BEFORE UPDATE ON "deletion_request" FOR EACH ROW WHEN (OLD.status <> NEW.status AND NEW.status IN ('approved', 'rejected')) EXECUTE FUNCTION opsdb_decide_in_person();
CREATE TRIGGER "deletion_request_filed_in_person" BEFORE INSERT ON "deletion_request" FOR EACH ROW EXECUTE FUNCTION opsdb_file_in_person();
CREATE TRIGGER "deletion_request_edited_in_person" BEFORE UPDATE ON "deletion_request" FOR EACH ROW WHEN ((OLD."reason" IS DISTINCT FROM NEW."reason" OR OLD."limit" IS DISTINCT FROM NEW."limit" OR OLD."overrides_retention" IS DISTINCT FROM NEW."overrides_retention") AND OLD.status = 'requested' AND NEW.status = 'requested') EXECUTE FUNCTION opsdb_edit_in_person();
CREATE TRIGGER "deletion_request_withdrawn_in_person" BEFORE DELETE ON "deletion_request" FOR EACH ROW WHEN (OLD.status = 'requested') EXECUTE FUNCTION opsdb_edit_in_person();
CREATE TRIGGER "deletion_request_executed_now" BEFORE UPDATE ON "deletion_request" FOR EACH ROW WHEN (OLD.status <> NEW.status AND NEW.status = 'executed') EXECUTE FUNCTION opsdb_execute_now();
CREATE TRIGGER "deletion_request_stays_after_decision" BEFORE DELETE ON "deletion_request" FOR EACH ROW WHEN (OLD.status <> 'requested') EXECUTE FUNCTION opsdb_refuse_row('deletion_request {old.id}: is {old.status}, so it is never deleted', 'Leave it as it is; an approved request can be rejected until it is executed.');
CREATE TRIGGER "deletion_request_status_transition" BEFORE UPDATE OF status ON "deletion_request" FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status AND OLD.status || '>' || NEW.status <> ALL ('{requested>approved,requested>rejected,approved>rejected,approved>executed}')) EXECUTE FUNCTION opsdb_refuse_transition('status', '{"requested": "It can become: approved, rejected.", "approved": "It can become: rejected, executed.", "rejected": "Leave it: rejected is final.", "executed": "Leave it: executed is final."}');
CREATE TRIGGER "deletion_request_touch" BEFORE UPDATE ON "deletion_request" FOR EACH ROW EXECUTE FUNCTION opsdb_keep_updated_at();
CREATE TRIGGER "deletion_request_history" AFTER INSERT OR UPDATE OR DELETE ON "deletion_request" FOR EACH ROW EXECUTE FUNCTION opsdb_log_change();
CREATE TRIGGER "deletion_request_id_immutable" BEFORE UPDATE OF "id" ON "deletion_request" FOR EACH ROW WHEN (OLD."id" IS DISTINCT FROM NEW."id") EXECUTE FUNCTION opsdb_refuse_change('id', 'Make a new row instead, and delete this one if nothing refers to it.');
CREATE TRIGGER "deletion_request_never_truncated" BEFORE TRUNCATE ON "deletion_request" FOR EACH STATEMENT EXECUTE FUNCTION opsdb_refuse_truncation();

-- datatransferroute
CREATE TRIGGER "data_transfer_route_locations_at_ends" BEFORE INSERT OR UPDATE ON "data_transfer_route" FOR EACH ROW WHEN (NEW.route_type = 'custom') EXECUTE FUNCTION opsdb_route_locations_at_ends();
CREATE TRIGGER "data_transfer_route_keeps_former_names" BEFORE UPDATE OF name, former_names ON "data_transfer_route" FOR EACH ROW WHEN (OLD."name" IS DISTINCT FROM NEW."name" OR OLD."former_names" IS DISTINCT FROM NEW."former_names") EXECUTE FUNCTION opsdb_keep_former_names('name');
CREATE TRIGGER "data_transfer_route_touch" BEFORE UPDATE ON "data_transfer_route" FOR EACH ROW EXECUTE FUNCTION opsdb_keep_updated_at();
CREATE TRIGGER "data_transfer_route_history" AFTER INSERT OR UPDATE OR DELETE ON "data_transfer_route" FOR EACH ROW EXECUTE FUNCTION opsdb_log_change();
CREATE TRIGGER "data_transfer_route_id_immutable" BEFORE UPDATE OF "id" ON "data_transfer_route" FOR EACH ROW WHEN (OLD."id" IS DISTINCT FROM NEW."id") EXECUTE FUNCTION opsdb_refuse_change('id', 'Make a new row instead, and delete this one if nothing refers to it.');
CREATE TRIGGER "data_transfer_route_never_truncated" BEFORE TRUNCATE ON "data_transfer_route" FOR EACH STATEMENT EXECUTE FUNCTION opsdb_refuse_truncation();

-- stageactivity
CREATE TRIGGER "stage_activity_id_immutable" BEFORE UPDATE OF "id" ON "stage_activity" FOR EACH ROW WHEN (OLD."id" IS DISTINCT FROM NEW."id") EXECUTE FUNCTION opsdb_refuse_change('id', 'Make a new row instead, and delete this one if nothing refers to it.');
CREATE TRIGGER "stage_activity_never_truncated" BEFORE TRUNCATE ON "stage_activity" FOR EACH STATEMENT EXECUTE FUNCTION opsdb_refuse_truncation();

-- stagingjob
CREATE TRIGGER "staging_job_activity_of_inserts" AFTER INSERT ON "staging_job" REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION opsdb_note_activity('staging');
CREATE TRIGGER "staging_job_activity_of_updates" AFTER UPDATE ON "staging_job" REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION opsdb_note_activity('staging');
CREATE TRIGGER "staging_job_activity_of_deletes" AFTER DELETE ON "staging_job" REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION opsdb_note_activity('staging');
CREATE TRIGGER "staging_job_destination_location_type" BEFORE INSERT OR UPDATE OF "destination_location_id" ON "staging_job" FOR EACH ROW EXECUTE FUNCTION opsdb_require_location_type('destination_location', 'processing');
CREATE TRIGGER "staging_job_raw_data_packages_wait" BEFORE INSERT ON "staging_job_raw_data_packages" FOR EACH ROW EXECUTE FUNCTION opsdb_link_waits_for_deletion('raw_data_package', 'rawdatapackage_id');
CREATE TRIGGER "staging_job_raw_data_packages_stay" BEFORE UPDATE OR DELETE ON "staging_job_raw_data_packages" FOR EACH ROW EXECUTE FUNCTION opsdb_keep_staged('raw_data_package', 'rawdatapackage_id');
CREATE TRIGGER "staging_job_data_products_wait" BEFORE INSERT ON "staging_job_data_products" FOR EACH ROW EXECUTE FUNCTION opsdb_link_waits_for_deletion('data_product', 'dataproduct_id');
CREATE TRIGGER "staging_job_data_products_stay" BEFORE UPDATE OR DELETE ON "staging_job_data_products" FOR EACH ROW EXECUTE FUNCTION opsdb_keep_staged('data_product', 'dataproduct_id');
CREATE TRIGGER "staging_job_status_transition" BEFORE UPDATE OF status ON "staging_job" FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status AND OLD.status || '>' || NEW.status <> ALL ('{pending>scheduled,pending>in_progress,pending>failed,scheduled>pending,scheduled>in_progress,scheduled>failed,in_progress>pending,in_progress>completed,in_progress>failed,failed>pending}')) EXECUTE FUNCTION opsdb_refuse_transition('status', '{"pending": "It can become: scheduled, in_progress, failed.", "scheduled": "It can become: pending, in_progress, failed.", "in_progress": "It can become: pending, completed, failed.", "completed": "Leave it: completed is final.", "failed": "It can become: pending."}');
CREATE TRIGGER "staging_job_touch" BEFORE UPDATE ON "staging_job" FOR EACH ROW EXECUTE FUNCTION opsdb_keep_updated_at();
CREATE TRIGGER "staging_job_history" AFTER INSERT OR UPDATE OR DELETE ON "staging_job" FOR EACH ROW EXECUTE FUNCTION opsdb_log_change();
CREATE TRIGGER "staging_job_raw_data_packages_history" AFTER INSERT OR UPDATE OR DELETE ON "staging_job_raw_data_packages" FOR EACH ROW EXECUTE FUNCTION opsdb_log_link('staging_job', 'raw_data_packages', 'stagingjob_id', 'rawdatapackage_id');
CREATE TRIGGER "staging_job_data_products_history" AFTER INSERT OR UPDATE OR DELETE ON "staging_job_data_products" FOR EACH ROW EXECUTE FUNCTION opsdb_log_link('staging_job', 'data_products', 'stagingjob_id', 'dataproduct_id');
CREATE TRIGGER "staging_job_id_immutable" BEFORE UPDATE OF "id" ON "staging_job" FOR EACH ROW WHEN (OLD."id" IS DISTINCT FROM NEW."id") EXECUTE FUNCTION opsdb_refuse_change('id', 'Make a new row instead, and delete this one if nothing refers to it.');
CREATE TRIGGER "staging_job_never_truncated" BEFORE TRUNCATE ON "staging_job" FOR EACH STATEMENT EXECUTE FUNCTION opsdb_refuse_truncation();
CREATE TRIGGER "staging_job_raw_data_packages_id_immutable" BEFORE UPDATE OF "id" ON "staging_job_raw_data_packages" FOR EACH ROW WHEN (OLD."id" IS DISTINCT FROM NEW."id") EXECUTE FUNCTION opsdb_refuse_change('id', 'Make a new row instead, and delete this one if nothing refers to it.');
CREATE TRIGGER "staging_job_raw_data_packages_never_truncated" BEFORE TRUNCATE ON "staging_job_raw_data_packages" FOR EACH STATEMENT EXECUTE FUNCTION opsdb_refuse_truncation();
CREATE TRIGGER "staging_job_data_products_id_immutable" BEFORE UPDATE OF "id" ON "staging_job_data_products" FOR EACH ROW WHEN (OLD."id" IS DISTINCT FROM NEW."id") EXECUTE FUNCTION opsdb_refuse_change('id', 'Make a new row instead, and delete this one if nothing refers to it.');
CREATE TRIGGER "staging_job_data_products_never_truncated" BEFORE TRUNCATE ON "staging_job_data_products" FOR EACH STATEMENT EXECUTE FUNCTION opsdb_refuse_truncation();

-- chaimoduleconfiguration
CREATE TRIGGER "chai_module_configuration_history" AFTER INSERT OR UPDATE OR DELETE ON "chai_module_configuration" FOR EACH ROW EXECUTE FUNCTION opsdb_log_change();
CREATE TRIGGER "chai_module_configuration_id_immutable" BEFORE UPDATE OF "id" ON "chai_module_configuration" FOR EACH ROW WHEN (OLD."id" IS DISTINCT FROM NEW."id") EXECUTE FUNCTION opsdb_refuse_change('id', 'Make a new row instead, and delete this one if nothing refers to it.');
CREATE TRIGGER "chai_module_configuration_never_truncated" BEFORE TRUNCATE ON "chai_module_configuration" FOR EACH STATEMENT EXECUTE FUNCTION opsdb_refuse_truncation();
CREATE TRIGGER "chai_module_configuration_subtype" AFTER INSERT ON "chai_module_configuration" REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION opsdb_require_parent('instrument_module_configuration', 'type', 'chai');
CREATE CONSTRAINT TRIGGER "chai_module_configuration_stays_with_parent" AFTER DELETE ON "chai_module_configuration" DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION opsdb_stay_with_parent('instrument_module_configuration');
CREATE TRIGGER "chai_module_configuration_touch_parent" AFTER UPDATE ON "chai_module_configuration" FOR EACH ROW EXECUTE FUNCTION opsdb_touch_parent('instrument_module_configuration');

-- primecammoduleconfiguration
CREATE TRIGGER "prime_cam_module_configuration_history" AFTER INSERT OR UPDATE OR DELETE ON "prime_cam_module_configuration" FOR EACH ROW EXECUTE FUNCTION opsdb_log_change();
CREATE TRIGGER "prime_cam_module_configuration_id_immutable" BEFORE UPDATE OF "id" ON "prime_cam_module_configuration" FOR EACH ROW WHEN (OLD."id" IS DISTINCT FROM NEW."id") EXECUTE FUNCTION opsdb_refuse_change('id', 'Make a new row instead, and delete this one if nothing refers to it.');
CREATE TRIGGER "prime_cam_module_configuration_never_truncated" BEFORE TRUNCATE ON "prime_cam_module_configuration" FOR EACH STATEMENT EXECUTE FUNCTION opsdb_refuse_truncation();
CREATE TRIGGER "prime_cam_module_configuration_subtype" AFTER INSERT ON "prime_cam_module_configuration" REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION opsdb_require_parent('instrument_module_configuration', 'type', 'prime_cam');
CREATE CONSTRAINT TRIGGER "prime_cam_module_configuration_stays_with_parent" AFTER DELETE ON "prime_cam_module_configuration" DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION opsdb_stay_with_parent('instrument_module_configuration');
CREATE TRIGGER "prime_cam_module_configuration_touch_parent" AFTER UPDATE ON "prime_cam_module_configuration" FOR EACH ROW EXECUTE FUNCTION opsdb_touch_parent('instrument_module_configuration');

-- executedobsunitmoduleconfiguration
CREATE TRIGGER "executed_obs_unit_module_configuration_history" AFTER INSERT OR UPDATE OR DELETE ON "executed_obs_unit_module_configuration" FOR EACH ROW EXECUTE FUNCTION opsdb_log_change();
CREATE TRIGGER "executed_obs_unit_module_configuration_id_immutable" BEFORE UPDATE OF "id" ON "executed_obs_unit_module_configuration" FOR EACH ROW WHEN (OLD."id" IS DISTINCT FROM NEW."id") EXECUTE FUNCTION opsdb_refuse_change('id', 'Make a new row instead, and delete this one if nothing refers to it.');
CREATE TRIGGER "executed_obs_unit_module_configuration_never_truncated" BEFORE TRUNCATE ON "executed_obs_unit_module_configuration" FOR EACH STATEMENT EXECUTE FUNCTION opsdb_refuse_truncation();

-- pipeline
CREATE TRIGGER "pipeline_processing_location_type" BEFORE INSERT OR UPDATE OF "processing_location_id" ON "pipeline" FOR EACH ROW EXECUTE FUNCTION opsdb_require_location_type('processing_location', 'processing');
CREATE TRIGGER "pipeline_touch" BEFORE UPDATE ON "pipeline" FOR EACH ROW EXECUTE FUNCTION opsdb_keep_updated_at();
CREATE TRIGGER "pipeline_history" AFTER INSERT OR UPDATE OR DELETE ON "pipeline" FOR EACH ROW EXECUTE FUNCTION opsdb_log_change();
CREATE TRIGGER "pipeline_id_immutable" BEFORE UPDATE OF "id" ON "pipeline" FOR EACH ROW WHEN (OLD."id" IS DISTINCT FROM NEW."id") EXECUTE FUNCTION opsdb_refuse_change('id', 'Make a new row instead, and delete this one if nothing refers to it.');
CREATE TRIGGER "pipeline_never_truncated" BEFORE TRUNCATE ON "pipeline" FOR EACH STATEMENT EXECUTE FUNCTION opsdb_refuse_truncation();

-- rawdatapackage
CREATE TRIGGER "raw_data_package_activity_of_inserts" AFTER INSERT ON "raw_data_package" REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION opsdb_note_activity('packaging');
CREATE TRIGGER "raw_data_package_activity_of_updates" AFTER UPDATE ON "raw_data_package" REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION opsdb_note_activity('packaging');
CREATE TRIGGER "raw_data_package_immutable" BEFORE UPDATE ON "raw_data_package" FOR EACH ROW WHEN (OLD."executed_obs_unit_id" IS DISTINCT FROM NEW."executed_obs_unit_id" OR OLD."instrument_module_id" IS DISTINCT FROM NEW."instrument_module_id" OR OLD."part" IS DISTINCT FROM NEW."part") EXECUTE FUNCTION opsdb_refuse_change('executed_obs_unit_id, instrument_module_id, part', 'Make a new row instead; this one stays, because it is never deleted.');
CREATE TRIGGER "raw_data_package_facts_frozen" BEFORE UPDATE ON "raw_data_package" FOR EACH ROW WHEN (OLD."checksum" IS DISTINCT FROM NEW."checksum" OR OLD."checksum_algorithm" IS DISTINCT FROM NEW."checksum_algorithm" OR OLD."size_bytes" IS DISTINCT FROM NEW."size_bytes" OR OLD."relative_path" IS DISTINCT FROM NEW."relative_path" OR OLD."file_count" IS DISTINCT FROM NEW."file_count") EXECUTE FUNCTION opsdb_refuse_change_once_verified('checksum, checksum_algorithm, size_bytes, relative_path, file_count', 'raw_data_package_id');
CREATE TRIGGER "raw_data_package_archived_stays" BEFORE UPDATE ON "raw_data_package" FOR EACH ROW WHEN (OLD.state = 'archived' AND (OLD."checksum" IS DISTINCT FROM NEW."checksum" OR OLD."checksum_algorithm" IS DISTINCT FROM NEW."checksum_algorithm" OR OLD."size_bytes" IS DISTINCT FROM NEW."size_bytes" OR OLD."relative_path" IS DISTINCT FROM NEW."relative_path" OR OLD."file_count" IS DISTINCT FROM NEW."file_count" OR OLD."name" IS DISTINCT FROM NEW."name")) EXECUTE FUNCTION opsdb_refuse_row('raw_data_package {old.id}: checksum, checksum_algorithm, size_bytes, relative_path, file_count, name cannot be changed, because it was archived', 'Leave them as they are; bytes that differ are recorded as a fixity check of their copy.');
CREATE TRIGGER "raw_data_package_bundle_entered" BEFORE INSERT ON "raw_data_package" FOR EACH ROW WHEN (NEW.data_transfer_package_id IS NOT NULL) EXECUTE FUNCTION opsdb_bundle_is_open();
CREATE TRIGGER "raw_data_package_bundle_still_open" BEFORE UPDATE OF data_transfer_package_id ON "raw_data_package" FOR EACH ROW WHEN (OLD.data_transfer_package_id IS DISTINCT FROM NEW.data_transfer_package_id) EXECUTE FUNCTION opsdb_bundle_is_open();
CREATE TRIGGER "raw_data_package_archived_is_true" AFTER INSERT OR UPDATE OF state ON "raw_data_package" FOR EACH ROW WHEN (NEW.state = 'archived') EXECUTE FUNCTION opsdb_archived_is_true();
CREATE TRIGGER "raw_data_package_fails_with_its_making" BEFORE UPDATE OF status ON "raw_data_package" FOR EACH ROW WHEN ((OLD.status <> 'failed' AND NEW.status = 'failed' AND NEW.state = 'waiting') OR (OLD.status = 'failed' AND NEW.status <> 'failed' AND NEW.state = 'failed')) EXECUTE FUNCTION opsdb_fail_with_making();
CREATE TRIGGER "raw_data_package_archived_marks_candidates" AFTER UPDATE OF state ON "raw_data_package" FOR EACH ROW WHEN (OLD.state <> 'archived' AND NEW.state = 'archived') EXECUTE FUNCTION opsdb_mark_archived_candidates();
CREATE TRIGGER "raw_data_package_never_deleted" BEFORE DELETE ON "raw_data_package" FOR EACH ROW EXECUTE FUNCTION opsdb_refuse_deletion('a package', 'Leave it; what has changed is recorded by its state, or by another row.');
CREATE TRIGGER "raw_data_package_status_transition" BEFORE UPDATE OF status ON "raw_data_package" FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status AND OLD.status || '>' || NEW.status <> ALL ('{pending>scheduled,pending>in_progress,pending>failed,scheduled>pending,scheduled>in_progress,scheduled>failed,in_progress>pending,in_progress>completed,in_progress>failed,failed>pending}')) EXECUTE FUNCTION opsdb_refuse_transition('status', '{"pending": "It can become: scheduled, in_progress, failed.", "scheduled": "It can become: pending, in_progress, failed.", "in_progress": "It can become: pending, completed, failed.", "completed": "Leave it: completed is final.", "failed": "It can become: pending."}');
CREATE TRIGGER "raw_data_package_state_transition" BEFORE UPDATE OF state ON "raw_data_package" FOR EACH ROW WHEN (OLD.state IS DISTINCT FROM NEW.state AND OLD.state || '>' || NEW.state <> ALL ('{waiting>transferring,waiting>archived,waiting>failed,transferring>waiting,transferring>archived,transferring>failed,failed>waiting,failed>transferring}')) EXECUTE FUNCTION opsdb_refuse_transition('state', '{"waiting": "It can become: transferring, archived, failed.", "transferring": "It can become: waiting, archived, failed.", "archived": "Leave it: archived is final.", "failed": "It can become: waiting, transferring."}');
CREATE TRIGGER "raw_data_package_touch" BEFORE UPDATE ON "raw_data_package" FOR EACH ROW EXECUTE FUNCTION opsdb_keep_updated_at();
CREATE TRIGGER "raw_data_package_history_of_keys" AFTER INSERT ON "raw_data_package" REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION opsdb_log_inserted_keys();
CREATE TRIGGER "raw_data_package_history" AFTER UPDATE OR DELETE ON "raw_data_package" FOR EACH ROW EXECUTE FUNCTION opsdb_log_change();
CREATE TRIGGER "raw_data_package_id_immutable" BEFORE UPDATE OF "id" ON "raw_data_package" FOR EACH ROW WHEN (OLD."id" IS DISTINCT FROM NEW."id") EXECUTE FUNCTION opsdb_refuse_change('id', 'Make a new row instead; this one stays, because it is never deleted.');
CREATE TRIGGER "raw_data_package_never_truncated" BEFORE TRUNCATE ON "raw_data_package" FOR EACH STATEMENT EXECUTE FUNCTION opsdb_refuse_truncation();

-- datatransfer
CREATE TRIGGER "data_transfer_activity_of_inserts" AFTER INSERT ON "data_transfer" REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION opsdb_note_activity('transfer', 'unpacking');
CREATE TRIGGER "data_transfer_activity_of_updates" AFTER UPDATE ON "data_transfer" REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION opsdb_note_activity('transfer', 'unpacking');
CREATE TRIGGER "data_transfer_activity_of_deletes" AFTER DELETE ON "data_transfer" REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION opsdb_note_activity('transfer', 'unpacking');
CREATE TRIGGER "data_transfer_immutable" BEFORE UPDATE ON "data_transfer" FOR EACH ROW WHEN (OLD."data_transfer_package_id" IS DISTINCT FROM NEW."data_transfer_package_id" OR OLD."origin_location_id" IS DISTINCT FROM NEW."origin_location_id" OR OLD."destination_location_id" IS DISTINCT FROM NEW."destination_location_id") EXECUTE FUNCTION opsdb_refuse_change('data_transfer_package_id, origin_location_id, destination_location_id', 'Make a new row instead, and delete this one if nothing refers to it.');
CREATE TRIGGER "data_transfer_reads_what_stays" BEFORE INSERT ON "data_transfer" FOR EACH ROW WHEN (opsdb_is_open_work(NEW.status)) EXECUTE FUNCTION opsdb_read_what_stays('data_transfer_package');
CREATE TRIGGER "data_transfer_again_reads_what_stays" BEFORE UPDATE OF status ON "data_transfer" FOR EACH ROW WHEN (OLD.status = 'failed' AND opsdb_is_open_work(NEW.status)) EXECUTE FUNCTION opsdb_read_what_stays('data_transfer_package');
CREATE TRIGGER "data_transfer_waits_for_hop" BEFORE INSERT OR UPDATE OF status, depends_on_id ON "data_transfer" FOR EACH ROW WHEN (NEW.depends_on_id IS NOT NULL AND NEW.status IN ('in_progress', 'completed')) EXECUTE FUNCTION opsdb_wait_for_hop();
CREATE TRIGGER "data_transfer_hop_stays" BEFORE UPDATE OF depends_on_id ON "data_transfer" FOR EACH ROW WHEN (OLD.depends_on_id IS NOT NULL AND OLD.depends_on_id IS DISTINCT FROM NEW.depends_on_id) EXECUTE FUNCTION opsdb_refuse_row('data_transfer {old.id}: depends_on_id cannot be changed once set', 'Plan another transfer.');
CREATE TRIGGER "data_transfer_hops_connect" BEFORE INSERT OR UPDATE OF "depends_on_id" ON "data_transfer" FOR EACH ROW WHEN (NEW.depends_on_id IS NOT NULL) EXECUTE FUNCTION opsdb_connect_hops();
CREATE TRIGGER "data_transfer_status_transition" BEFORE UPDATE OF status ON "data_transfer" FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status AND OLD.status || '>' || NEW.status <> ALL ('{pending>scheduled,pending>in_progress,pending>failed,scheduled>pending,scheduled>in_progress,scheduled>failed,in_progress>pending,in_progress>completed,in_progress>failed,failed>pending}')) EXECUTE FUNCTION opsdb_refuse_transition('status', '{"pending": "It can become: scheduled, in_progress, failed.", "scheduled": "It can become: pending, in_progress, failed.", "in_progress": "It can become: pending, completed, failed.", "completed": "Leave it: completed is final.", "failed": "It can become: pending."}');
CREATE TRIGGER "data_transfer_unpack_status_transition" BEFORE UPDATE OF unpack_status ON "data_transfer" FOR EACH ROW WHEN (OLD.unpack_status IS DISTINCT FROM NEW.unpack_status AND OLD.unpack_status || '>' || NEW.unpack_status <> ALL ('{pending>scheduled,pending>in_progress,pending>failed,scheduled>pending,scheduled>in_progress,scheduled>failed,in_progress>pending,in_progress>completed,in_progress>failed,failed>pending}')) EXECUTE FUNCTION opsdb_refuse_transition('unpack_status', '{"pending": "It can become: scheduled, in_progress, failed.", "scheduled": "It can become: pending, in_progress, failed.", "in_progress": "It can become: pending, completed, failed.", "completed": "Leave it: completed is final.", "failed": "It can become: pending."}');
CREATE TRIGGER "data_transfer_touch" BEFORE UPDATE ON "data_transfer" FOR EACH ROW EXECUTE FUNCTION opsdb_keep_updated_at();
CREATE TRIGGER "data_transfer_history_of_keys" AFTER INSERT ON "data_transfer" REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION opsdb_log_inserted_keys();
CREATE TRIGGER "data_transfer_history" AFTER UPDATE OR DELETE ON "data_transfer" FOR EACH ROW EXECUTE FUNCTION opsdb_log_change();
CREATE TRIGGER "data_transfer_id_immutable" BEFORE UPDATE OF "id" ON "data_transfer" FOR EACH ROW WHEN (OLD."id" IS DISTINCT FROM NEW."id") EXECUTE FUNCTION opsdb_refuse_change('id', 'Make a new row instead, and delete this one if nothing refers to it.');
CREATE TRIGGER "data_transfer_never_truncated" BEFORE TRUNCATE ON "data_transfer" FOR EACH STATEMENT EXECUTE FUNCTION opsdb_refuse_truncation();

-- reductionstep
CREATE TRIGGER "reduction_step_config_same_software" BEFORE INSERT OR UPDATE OF "config_id", "software_id" ON "reduction_step" FOR EACH ROW WHEN (NEW."config_id" IS NOT NULL) EXECUTE FUNCTION opsdb_require_same_owner('config_id', 'reduction_step_config', 'software_id', 'its configuration must be one of the same software', 'Choose a configuration of that software.');
CREATE TRIGGER "reduction_step_pinned_version_same_software" BEFORE INSERT OR UPDATE OF "pinned_version_id", "software_id" ON "reduction_step" FOR EACH ROW WHEN (NEW."pinned_version_id" IS NOT NULL) EXECUTE FUNCTION opsdb_require_same_owner('pinned_version_id', 'reduction_software_version', 'software_id', 'its version must be one of the same software', 'Choose a version of that software, or none.');
CREATE TRIGGER "reduction_step_immutable" BEFORE UPDATE ON "reduction_step" FOR EACH ROW WHEN (OLD."pipeline_id" IS DISTINCT FROM NEW."pipeline_id" OR OLD."software_id" IS DISTINCT FROM NEW."software_id") EXECUTE FUNCTION opsdb_refuse_change('pipeline_id, software_id', 'Make a new row instead, and delete this one if nothing refers to it.');
CREATE TRIGGER "reduction_step_touch" BEFORE UPDATE ON "reduction_step" FOR EACH ROW EXECUTE FUNCTION opsdb_keep_updated_at();
CREATE TRIGGER "reduction_step_history" AFTER INSERT OR UPDATE OR DELETE ON "reduction_step" FOR EACH ROW EXECUTE FUNCTION opsdb_log_change();
CREATE TRIGGER "reduction_step_id_immutable" BEFORE UPDATE OF "id" ON "reduction_step" FOR EACH ROW WHEN (OLD."id" IS DISTINCT FROM NEW."id") EXECUTE FUNCTION opsdb_refuse_change('id', 'Make a new row instead, and delete this one if nothing refers to it.');
CREATE TRIGGER "reduction_step_never_truncated" BEFORE TRUNCATE ON "reduction_step" FOR EACH STATEMENT EXECUTE FUNCTION opsdb_refuse_truncation();

-- rawdatafile
CREATE TRIGGER "raw_data_file_immutable" BEFORE UPDATE ON "raw_data_file" FOR EACH ROW WHEN (OLD."executed_obs_unit_id" IS DISTINCT FROM NEW."executed_obs_unit_id" OR OLD."instrument_module_id" IS DISTINCT FROM NEW."instrument_module_id" OR OLD."source_location_id" IS DISTINCT FROM NEW."source_location_id") EXECUTE FUNCTION opsdb_refuse_change('executed_obs_unit_id, instrument_module_id, source_location_id', 'Make a new row instead; this one stays, because it is never deleted.');
CREATE TRIGGER "raw_data_file_facts_frozen" BEFORE UPDATE ON "raw_data_file" FOR EACH ROW WHEN (OLD."checksum" IS DISTINCT FROM NEW."checksum" OR OLD."checksum_algorithm" IS DISTINCT FROM NEW."checksum_algorithm" OR OLD."size_bytes" IS DISTINCT FROM NEW."size_bytes" OR OLD."relative_path" IS DISTINCT FROM NEW."relative_path") EXECUTE FUNCTION opsdb_refuse_change_once_verified('checksum, checksum_algorithm, size_bytes, relative_path', 'raw_data_file_id');
CREATE TRIGGER "raw_data_file_archived_stays" BEFORE UPDATE ON "raw_data_file" FOR EACH ROW WHEN (OLD.raw_data_package_id IS NOT NULL AND (OLD."checksum" IS DISTINCT FROM NEW."checksum" OR OLD."checksum_algorithm" IS DISTINCT FROM NEW."checksum_algorithm" OR OLD."size_bytes" IS DISTINCT FROM NEW."size_bytes" OR OLD."relative_path" IS DISTINCT FROM NEW."relative_path")) EXECUTE FUNCTION opsdb_archived_file_stays('checksum, checksum_algorithm, size_bytes, relative_path');
CREATE TRIGGER "raw_data_file_never_deleted" BEFORE DELETE ON "raw_data_file" FOR EACH ROW EXECUTE FUNCTION opsdb_refuse_deletion('a raw data file', 'Leave it; what has changed is recorded by its state, or by another row.');
CREATE TRIGGER "raw_data_file_not_in_future" BEFORE INSERT OR UPDATE OF observed_at ON "raw_data_file" FOR EACH ROW WHEN (NEW.observed_at > statement_timestamp() + opsdb_clock_skew()) EXECUTE FUNCTION opsdb_refuse_row('raw_data_file {new.id}: cannot have been observed at {new.observed_at}, which is in the future', 'Set the clock of the instrument, and report the right time.');
CREATE TRIGGER "raw_data_file_after_first_light" AFTER INSERT ON "raw_data_file" REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION opsdb_files_after_first_light();
CREATE TRIGGER "raw_data_file_corrected_after_first_light" BEFORE UPDATE OF observed_at ON "raw_data_file" FOR EACH ROW EXECUTE FUNCTION opsdb_files_after_first_light();
CREATE TRIGGER "raw_data_file_written_by_its_instrument" AFTER INSERT ON "raw_data_file" REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION opsdb_require_own_instrument();
CREATE TRIGGER "raw_data_file_source_location_type" AFTER INSERT ON "raw_data_file" REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION opsdb_require_source_locations();
CREATE TRIGGER "raw_data_file_package_entered" BEFORE INSERT ON "raw_data_file" FOR EACH ROW WHEN (NEW.raw_data_package_id IS NOT NULL) EXECUTE FUNCTION opsdb_package_is_open();
CREATE TRIGGER "raw_data_file_package_still_open" AFTER UPDATE ON "raw_data_file" REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION opsdb_packages_are_open();
CREATE TRIGGER "raw_data_file_package_entered_of_same_execution" BEFORE INSERT ON "raw_data_file" FOR EACH ROW WHEN (NEW.raw_data_package_id IS NOT NULL) EXECUTE FUNCTION opsdb_package_of_same_execution();
CREATE TRIGGER "raw_data_file_package_of_same_execution" AFTER UPDATE ON "raw_data_file" REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION opsdb_packages_of_same_execution();
CREATE TRIGGER "raw_data_file_touch" BEFORE UPDATE ON "raw_data_file" FOR EACH ROW EXECUTE FUNCTION opsdb_keep_updated_at();
CREATE TRIGGER "raw_data_file_history_of_keys" AFTER INSERT ON "raw_data_file" REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION opsdb_log_inserted_keys();
CREATE TRIGGER "raw_data_file_history" AFTER DELETE ON "raw_data_file" FOR EACH ROW EXECUTE FUNCTION opsdb_log_change();
CREATE TRIGGER "raw_data_file_history_of_updates" AFTER UPDATE ON "raw_data_file" REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION opsdb_log_bulk_update();
CREATE TRIGGER "raw_data_file_id_immutable" BEFORE UPDATE OF "id" ON "raw_data_file" FOR EACH ROW WHEN (OLD."id" IS DISTINCT FROM NEW."id") EXECUTE FUNCTION opsdb_refuse_change('id', 'Make a new row instead; this one stays, because it is never deleted.');
CREATE TRIGGER "raw_data_file_never_truncated" BEFORE TRUNCATE ON "raw_data_file" FOR EACH STATEMENT EXECUTE FUNCTION opsdb_refuse_truncation();

-- rawdatapackagemetadata
CREATE TRIGGER "raw_data_package_metadata_touch" BEFORE UPDATE ON "raw_data_package_metadata" FOR EACH ROW EXECUTE FUNCTION opsdb_keep_updated_at();
CREATE TRIGGER "raw_data_package_metadata_history_of_keys" AFTER INSERT ON "raw_data_package_metadata" REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION opsdb_log_inserted_keys();
CREATE TRIGGER "raw_data_package_metadata_history" AFTER UPDATE OR DELETE ON "raw_data_package_metadata" FOR EACH ROW EXECUTE FUNCTION opsdb_log_change();
CREATE TRIGGER "raw_data_package_metadata_id_immutable" BEFORE UPDATE OF "id" ON "raw_data_package_metadata" FOR EACH ROW WHEN (OLD."id" IS DISTINCT FROM NEW."id") EXECUTE FUNCTION opsdb_refuse_change('id', 'Make a new row instead, and delete this one if nothing refers to it.');
CREATE TRIGGER "raw_data_package_metadata_never_truncated" BEFORE TRUNCATE ON "raw_data_package_metadata" FOR EACH STATEMENT EXECUTE FUNCTION opsdb_refuse_truncation();

-- longtermarchivetransfer
CREATE TRIGGER "long_term_archive_transfer_activity_of_inserts" AFTER INSERT ON "long_term_archive_transfer" REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION opsdb_note_activity('archiving');
CREATE TRIGGER "long_term_archive_transfer_activity_of_updates" AFTER UPDATE ON "long_term_archive_transfer" REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION opsdb_note_activity('archiving');
CREATE TRIGGER "long_term_archive_transfer_activity_of_deletes" AFTER DELETE ON "long_term_archive_transfer" REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION opsdb_note_activity('archiving');
CREATE TRIGGER "long_term_archive_transfer_destination_location_type" BEFORE INSERT OR UPDATE OF "destination_location_id" ON "long_term_archive_transfer" FOR EACH ROW EXECUTE FUNCTION opsdb_require_location_type('destination_location', 'long_term_archive');
CREATE TRIGGER "long_term_archive_transfer_immutable" BEFORE UPDATE ON "long_term_archive_transfer" FOR EACH ROW WHEN (OLD."raw_data_package_id" IS DISTINCT FROM NEW."raw_data_package_id" OR OLD."destination_location_id" IS DISTINCT FROM NEW."destination_location_id") EXECUTE FUNCTION opsdb_refuse_change('raw_data_package_id, destination_location_id', 'Make a new row instead, and delete this one if nothing refers to it.');
CREATE TRIGGER "long_term_archive_transfer_again_is_repair" BEFORE INSERT ON "long_term_archive_transfer" FOR EACH ROW EXECUTE FUNCTION opsdb_archive_again_is_repair();
CREATE TRIGGER "long_term_archive_transfer_completed_is_true" BEFORE INSERT OR UPDATE OF status ON "long_term_archive_transfer" FOR EACH ROW WHEN (NEW.status = 'completed') EXECUTE FUNCTION opsdb_archive_transfer_is_true();
CREATE TRIGGER "long_term_archive_transfer_reads_what_stays" BEFORE INSERT ON "long_term_archive_transfer" FOR EACH ROW WHEN (opsdb_is_open_work(NEW.status)) EXECUTE FUNCTION opsdb_read_what_stays('raw_data_package');
CREATE TRIGGER "long_term_archive_transfer_again_reads_what_stays" BEFORE UPDATE OF status ON "long_term_archive_transfer" FOR EACH ROW WHEN (OLD.status = 'failed' AND opsdb_is_open_work(NEW.status)) EXECUTE FUNCTION opsdb_read_what_stays('raw_data_package');
CREATE TRIGGER "long_term_archive_transfer_status_transition" BEFORE UPDATE OF status ON "long_term_archive_transfer" FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status AND OLD.status || '>' || NEW.status <> ALL ('{pending>scheduled,pending>in_progress,pending>failed,scheduled>pending,scheduled>in_progress,scheduled>failed,in_progress>pending,in_progress>completed,in_progress>failed,failed>pending}')) EXECUTE FUNCTION opsdb_refuse_transition('status', '{"pending": "It can become: scheduled, in_progress, failed.", "scheduled": "It can become: pending, in_progress, failed.", "in_progress": "It can become: pending, completed, failed.", "completed": "Leave it: completed is final.", "failed": "It can become: pending."}');
CREATE TRIGGER "long_term_archive_transfer_touch" BEFORE UPDATE ON "long_term_archive_transfer" FOR EACH ROW EXECUTE FUNCTION opsdb_keep_updated_at();
CREATE TRIGGER "long_term_archive_transfer_history_of_keys" AFTER INSERT ON "long_term_archive_transfer" REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION opsdb_log_inserted_keys();
CREATE TRIGGER "long_term_archive_transfer_history" AFTER UPDATE OR DELETE ON "long_term_archive_transfer" FOR EACH ROW EXECUTE FUNCTION opsdb_log_change();
CREATE TRIGGER "long_term_archive_transfer_id_immutable" BEFORE UPDATE OF "id" ON "long_term_archive_transfer" FOR EACH ROW WHEN (OLD."id" IS DISTINCT FROM NEW."id") EXECUTE FUNCTION opsdb_refuse_change('id', 'Make a new row instead, and delete this one if nothing refers to it.');
CREATE TRIGGER "long_term_archive_transfer_never_truncated" BEFORE TRUNCATE ON "long_term_archive_transfer" FOR EACH STATEMENT EXECUTE FUNCTION opsdb_refuse_truncation();

-- datatransferlog
CREATE TRIGGER "data_transfer_log_append_only" BEFORE UPDATE ON "data_transfer_log" FOR EACH ROW EXECUTE FUNCTION opsdb_refuse_rewriting('a log line', 'never changed', 'Leave it as it is, and record what is right now as another row.');
CREATE TRIGGER "data_transfer_log_never_truncated" BEFORE TRUNCATE ON "data_transfer_log" FOR EACH STATEMENT EXECUTE FUNCTION opsdb_refuse_truncation();

-- reductionstepdependency
CREATE TRIGGER "reduction_step_dependency_same_pipeline" BEFORE INSERT OR UPDATE ON "reduction_step_dependency" FOR EACH ROW EXECUTE FUNCTION opsdb_step_waits_in_pipeline();
CREATE TRIGGER "reduction_step_dependency_no_cycle" BEFORE INSERT OR UPDATE ON "reduction_step_dependency" FOR EACH ROW EXECUTE FUNCTION opsdb_steps_make_no_cycle();
CREATE TRIGGER "reduction_step_dependency_history" AFTER INSERT OR UPDATE OR DELETE ON "reduction_step_dependency" FOR EACH ROW EXECUTE FUNCTION opsdb_log_change();
CREATE TRIGGER "reduction_step_dependency_id_immutable" BEFORE UPDATE OF "id" ON "reduction_step_dependency" FOR EACH ROW WHEN (OLD."id" IS DISTINCT FROM NEW."id") EXECUTE FUNCTION opsdb_refuse_change('id', 'Make a new row instead, and delete this one if nothing refers to it.');
CREATE TRIGGER "reduction_step_dependency_never_truncated" BEFORE TRUNCATE ON "reduction_step_dependency" FOR EACH STATEMENT EXECUTE FUNCTION opsdb_refuse_truncation();

-- executedreductionstep
CREATE TRIGGER "executed_reduction_step_activity_of_inserts" AFTER INSERT ON "executed_reduction_step" REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION opsdb_note_activity('reduction');
CREATE TRIGGER "executed_reduction_step_activity_of_updates" AFTER UPDATE ON "executed_reduction_step" REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION opsdb_note_activity('reduction');
CREATE TRIGGER "executed_reduction_step_activity_of_deletes" AFTER DELETE ON "executed_reduction_step" REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION opsdb_note_activity('reduction');
CREATE TRIGGER "executed_reduction_step_version_of_software" BEFORE INSERT OR UPDATE OF "software_version_id" ON "executed_reduction_step" FOR EACH ROW WHEN (NEW.software_version_id IS NOT NULL) EXECUTE FUNCTION opsdb_run_version_of_software();
CREATE TRIGGER "executed_reduction_step_step_id_immutable" BEFORE UPDATE ON "executed_reduction_step" FOR EACH ROW WHEN (OLD."step_id" IS DISTINCT FROM NEW."step_id") EXECUTE FUNCTION opsdb_refuse_change('step_id', 'Make a new row instead, and delete this one if nothing refers to it.');
CREATE TRIGGER "executed_reduction_step_what_ran_stays" BEFORE UPDATE ON "executed_reduction_step" FOR EACH ROW WHEN (OLD.status = 'completed' AND (OLD.software_version_id IS DISTINCT FROM NEW.software_version_id OR OLD.sub_group_key <> NEW.sub_group_key)) EXECUTE FUNCTION opsdb_refuse_row('executed_reduction_step {old.id}: software_version_id, sub_group_key cannot be changed, because the run is completed', 'Plan another run.');
CREATE TRIGGER "executed_reduction_step_input_packages_wait" BEFORE INSERT ON "executed_reduction_step_input_package" FOR EACH ROW EXECUTE FUNCTION opsdb_link_waits_for_deletion('raw_data_package', 'raw_data_package_id');
CREATE TRIGGER "executed_reduction_step_input_packages_stay" BEFORE UPDATE OR DELETE ON "executed_reduction_step_input_package" FOR EACH ROW EXECUTE FUNCTION opsdb_keep_inputs('raw_data_package', 'raw_data_package_id');
CREATE TRIGGER "executed_reduction_step_input_products_wait" BEFORE INSERT ON "executed_reduction_step_input_product" FOR EACH ROW EXECUTE FUNCTION opsdb_link_waits_for_deletion('data_product', 'data_product_id');
CREATE TRIGGER "executed_reduction_step_input_products_stay" BEFORE UPDATE OR DELETE ON "executed_reduction_step_input_product" FOR EACH ROW EXECUTE FUNCTION opsdb_keep_inputs('data_product', 'data_product_id');
CREATE TRIGGER "executed_reduction_step_status_transition" BEFORE UPDATE OF status ON "executed_reduction_step" FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status AND OLD.status || '>' || NEW.status <> ALL ('{pending>staging_data,pending>submitted,pending>failed,pending>cancelled,staging_data>submitted,staging_data>failed,staging_data>cancelled,submitted>running,submitted>failed,submitted>cancelled,running>collecting_results,running>failed,running>cancelled,collecting_results>completed,collecting_results>failed,failed>pending}')) EXECUTE FUNCTION opsdb_refuse_transition('status', '{"pending": "It can become: staging_data, submitted, failed, cancelled.", "staging_data": "It can become: submitted, failed, cancelled.", "submitted": "It can become: running, failed, cancelled.", "running": "It can become: collecting_results, failed, cancelled.", "collecting_results": "It can become: completed, failed.", "completed": "Leave it: completed is final.", "failed": "It can become: pending.", "cancelled": "Leave it: cancelled is final."}');
CREATE TRIGGER "executed_reduction_step_touch" BEFORE UPDATE ON "executed_reduction_step" FOR EACH ROW EXECUTE FUNCTION opsdb_keep_updated_at();
CREATE TRIGGER "executed_reduction_step_history" AFTER INSERT OR UPDATE OR DELETE ON "executed_reduction_step" FOR EACH ROW EXECUTE FUNCTION opsdb_log_change();
CREATE TRIGGER "executed_reduction_step_id_immutable" BEFORE UPDATE OF "id" ON "executed_reduction_step" FOR EACH ROW WHEN (OLD."id" IS DISTINCT FROM NEW."id") EXECUTE FUNCTION opsdb_refuse_change('id', 'Make a new row instead, and delete this one if nothing refers to it.');
CREATE TRIGGER "executed_reduction_step_never_truncated" BEFORE TRUNCATE ON "executed_reduction_step" FOR EACH STATEMENT EXECUTE FUNCTION opsdb_refuse_truncation();

-- longtermarchivetransferlog
CREATE TRIGGER "long_term_archive_transfer_log_append_only" BEFORE UPDATE ON "long_term_archive_transfer_log" FOR EACH ROW EXECUTE FUNCTION opsdb_refuse_rewriting('a log line', 'never changed', 'Leave it as it is, and record what is right now as another row.');
CREATE TRIGGER "long_term_archive_transfer_log_never_truncated" BEFORE TRUNCATE ON "long_term_archive_transfer_log" FOR EACH STATEMENT EXECUTE FUNCTION opsdb_refuse_truncation();

-- dataproduct
CREATE TRIGGER "data_product_superseded_in_line" BEFORE INSERT OR UPDATE OF superseded_by_id ON "data_product" FOR EACH ROW WHEN (NEW.superseded_by_id IS NOT NULL AND NEW.superseded_by_id <> NEW.id) EXECUTE FUNCTION opsdb_superseded_in_line();
CREATE TRIGGER "data_product_run_id_immutable" BEFORE UPDATE ON "data_product" FOR EACH ROW WHEN (OLD."run_id" IS DISTINCT FROM NEW."run_id") EXECUTE FUNCTION opsdb_refuse_change('run_id', 'Make a new row instead, and delete this one if nothing refers to it.');
CREATE TRIGGER "data_product_facts_frozen" BEFORE UPDATE ON "data_product" FOR EACH ROW WHEN (OLD."checksum" IS DISTINCT FROM NEW."checksum" OR OLD."checksum_algorithm" IS DISTINCT FROM NEW."checksum_algorithm" OR OLD."size_bytes" IS DISTINCT FROM NEW."size_bytes" OR OLD."relative_path" IS DISTINCT FROM NEW."relative_path") EXECUTE FUNCTION opsdb_refuse_change_once_verified('checksum, checksum_algorithm, size_bytes, relative_path', 'data_product_id');
CREATE TRIGGER "data_product_touch" BEFORE UPDATE ON "data_product" FOR EACH ROW EXECUTE FUNCTION opsdb_keep_updated_at();
CREATE TRIGGER "data_product_history" AFTER INSERT OR UPDATE OR DELETE ON "data_product" FOR EACH ROW EXECUTE FUNCTION opsdb_log_change();
CREATE TRIGGER "data_product_id_immutable" BEFORE UPDATE OF "id" ON "data_product" FOR EACH ROW WHEN (OLD."id" IS DISTINCT FROM NEW."id") EXECUTE FUNCTION opsdb_refuse_change('id', 'Make a new row instead, and delete this one if nothing refers to it.');
CREATE TRIGGER "data_product_never_truncated" BEFORE TRUNCATE ON "data_product" FOR EACH STATEMENT EXECUTE FUNCTION opsdb_refuse_truncation();

-- executedreductionstepinputpackage
CREATE TRIGGER "executed_reduction_step_input_package_history" AFTER INSERT OR UPDATE OR DELETE ON "executed_reduction_step_input_package" FOR EACH ROW EXECUTE FUNCTION opsdb_log_change();
CREATE TRIGGER "executed_reduction_step_input_package_id_immutable" BEFORE UPDATE OF "id" ON "executed_reduction_step_input_package" FOR EACH ROW WHEN (OLD."id" IS DISTINCT FROM NEW."id") EXECUTE FUNCTION opsdb_refuse_change('id', 'Make a new row instead, and delete this one if nothing refers to it.');
CREATE TRIGGER "executed_reduction_step_input_package_never_truncated" BEFORE TRUNCATE ON "executed_reduction_step_input_package" FOR EACH STATEMENT EXECUTE FUNCTION opsdb_refuse_truncation();

-- physicalcopy
CREATE TRIGGER "physical_copy_immutable" BEFORE UPDATE ON "physical_copy" FOR EACH ROW WHEN (OLD."data_location_id" IS DISTINCT FROM NEW."data_location_id" OR OLD."raw_data_file_id" IS DISTINCT FROM NEW."raw_data_file_id" OR OLD."raw_data_package_id" IS DISTINCT FROM NEW."raw_data_package_id" OR OLD."data_transfer_package_id" IS DISTINCT FROM NEW."data_transfer_package_id" OR OLD."data_product_id" IS DISTINCT FROM NEW."data_product_id" OR OLD."created_at" IS DISTINCT FROM NEW."created_at") EXECUTE FUNCTION opsdb_refuse_change('data_location_id, raw_data_file_id, raw_data_package_id, data_transfer_package_id, data_product_id, created_at', 'Make a new row instead; this one stays, because it is never deleted.');
CREATE TRIGGER "physical_copy_born_present" BEFORE INSERT ON "physical_copy" FOR EACH ROW WHEN (NEW.status NOT IN ('present', 'staged')) EXECUTE FUNCTION opsdb_refuse_row('physical_copy {new.id}: a new copy is present or staged, not {new.status}', 'Register the copy as present or staged; its state changes from there.');
CREATE TRIGGER "physical_copy_born_unverified" BEFORE INSERT ON "physical_copy" FOR EACH ROW WHEN (NEW.verification <> 'unverified' OR NEW.verified_at IS NOT NULL) EXECUTE FUNCTION opsdb_refuse_row('physical_copy {new.id}: a new copy is unverified, because nothing has been compared with it', 'Record a fixity check of it; then it is verified.');
CREATE TRIGGER "physical_copy_deletion_is_safe" BEFORE UPDATE OF status ON "physical_copy" FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status AND (NEW.status IN ('deletion_possible', 'deletion_scheduled', 'deletion_in_progress') OR (NEW.status = 'deleted' AND OLD.status <> 'deletion_in_progress'))) EXECUTE FUNCTION opsdb_deletion_is_safe();
CREATE TRIGGER "physical_copy_arrives_now" BEFORE INSERT ON "physical_copy" FOR EACH ROW WHEN (NEW.arrived_at <> statement_timestamp()) EXECUTE FUNCTION opsdb_arrive_now();
CREATE TRIGGER "physical_copy_arrival_stays" BEFORE UPDATE ON "physical_copy" FOR EACH ROW WHEN (OLD.arrived_at <> NEW.arrived_at) EXECUTE FUNCTION opsdb_keep_arrival();
CREATE TRIGGER "physical_copy_comes_back" BEFORE UPDATE OF status ON "physical_copy" FOR EACH ROW WHEN (OLD.status IN ('deleted', 'missing', 'corrupt') AND NEW.status IN ('present', 'staged')) EXECUTE FUNCTION opsdb_come_back();
CREATE TRIGGER "physical_copy_read_again" BEFORE UPDATE OF verification, verified_at ON "physical_copy" FOR EACH ROW WHEN (OLD.unread_count > 0 AND NEW.unread_count = OLD.unread_count AND NEW.verification <> 'unverified' AND NEW.verified_at IS DISTINCT FROM OLD.verified_at) EXECUTE FUNCTION opsdb_read_again();
CREATE TRIGGER "physical_copy_candidate_when_made" BEFORE INSERT ON "physical_copy" FOR EACH ROW WHEN (NEW.deletion_candidate IS NULL) EXECUTE FUNCTION opsdb_mark_new_candidate();
CREATE TRIGGER "physical_copy_candidate_stays" BEFORE UPDATE OF deletion_candidate ON "physical_copy" FOR EACH ROW WHEN (OLD.deletion_candidate AND NEW.deletion_candidate IS DISTINCT FROM true) EXECUTE FUNCTION opsdb_keep_candidate();
CREATE TRIGGER "physical_copy_verification_is_true" BEFORE UPDATE OF verification, checksum, checksum_algorithm, size_bytes ON "physical_copy" FOR EACH ROW WHEN (NEW.verification = 'verified') EXECUTE FUNCTION opsdb_verification_is_true();
CREATE TRIGGER "physical_copy_verification_is_proven" BEFORE UPDATE OF verification, verified_at ON "physical_copy" FOR EACH ROW WHEN (NEW.verification = 'verified' AND (OLD.verification <> 'verified' OR OLD.verified_at IS DISTINCT FROM NEW.verified_at)) EXECUTE FUNCTION opsdb_verification_is_proven();
CREATE TRIGGER "physical_copy_doubt_waits_for_deletion" BEFORE UPDATE OF status, verification ON "physical_copy" FOR EACH ROW WHEN ((opsdb_is_readable(OLD.status, OLD.verification) AND NEW.status IN ('missing', 'corrupt')) OR (OLD.verification = 'verified' AND NEW.verification <> 'verified') OR (OLD.verification <> 'mismatch' AND NEW.verification = 'mismatch')) EXECUTE FUNCTION opsdb_wait_for_deletion();
CREATE TRIGGER "physical_copy_usage_of_inserts" AFTER INSERT ON "physical_copy" REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION opsdb_count_inserted_usage();
CREATE TRIGGER "physical_copy_usage_of_updates" AFTER UPDATE ON "physical_copy" REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION opsdb_count_updated_usage();
CREATE TRIGGER "physical_copy_never_deleted" BEFORE DELETE ON "physical_copy" FOR EACH ROW EXECUTE FUNCTION opsdb_refuse_deletion('the record of a copy', 'Leave it; what has changed is recorded by its state, or by another row.');
CREATE TRIGGER "physical_copy_status_transition" BEFORE UPDATE OF status ON "physical_copy" FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status AND OLD.status || '>' || NEW.status <> ALL ('{present>staged,present>deletion_possible,present>deletion_scheduled,present>missing,present>corrupt,staged>present,staged>deletion_scheduled,staged>missing,deletion_possible>present,deletion_possible>deletion_scheduled,deletion_possible>missing,deletion_scheduled>present,deletion_scheduled>deletion_in_progress,deletion_in_progress>deleted,deletion_in_progress>deletion_failed,deleted>present,deletion_failed>present,deletion_failed>deletion_scheduled,missing>present,missing>deleted,corrupt>present,corrupt>deletion_scheduled,corrupt>missing}')) EXECUTE FUNCTION opsdb_refuse_transition('status', '{"present": "It can become: staged, deletion_possible, deletion_scheduled, missing, corrupt.", "staged": "It can become: present, deletion_scheduled, missing.", "deletion_possible": "It can become: present, deletion_scheduled, missing.", "deletion_scheduled": "It can become: present, deletion_in_progress.", "deletion_in_progress": "It can become: deleted, deletion_failed.", "deleted": "It can become: present.", "deletion_failed": "It can become: present, deletion_scheduled.", "missing": "It can become: present, deleted.", "corrupt": "It can become: present, deletion_scheduled, missing."}');
CREATE TRIGGER "physical_copy_touch" BEFORE UPDATE ON "physical_copy" FOR EACH ROW EXECUTE FUNCTION opsdb_keep_updated_at();
CREATE TRIGGER "physical_copy_history_of_keys" AFTER INSERT ON "physical_copy" REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION opsdb_log_inserted_keys();
CREATE TRIGGER "physical_copy_history" AFTER UPDATE OF "created_at", "updated_at", "id", "data_location_id", "status", "raw_data_file_id", "raw_data_package_id", "data_transfer_package_id", "data_product_id", "size_bytes", "checksum", "checksum_algorithm", "arrived_at", "verified_at", "verification", "unread_count", "next_check_at", "retry_count", "failure_message", "deletion_requested_at", "deleted_at" OR DELETE ON "physical_copy" FOR EACH ROW EXECUTE FUNCTION opsdb_log_change('deletion_candidate');
CREATE TRIGGER "physical_copy_id_immutable" BEFORE UPDATE OF "id" ON "physical_copy" FOR EACH ROW WHEN (OLD."id" IS DISTINCT FROM NEW."id") EXECUTE FUNCTION opsdb_refuse_change('id', 'Make a new row instead; this one stays, because it is never deleted.');
CREATE TRIGGER "physical_copy_never_truncated" BEFORE TRUNCATE ON "physical_copy" FOR EACH STATEMENT EXECUTE FUNCTION opsdb_refuse_truncation();

-- executedreductionstepinputproduct
CREATE TRIGGER "executed_reduction_step_input_product_history" AFTER INSERT OR UPDATE OR DELETE ON "executed_reduction_step_input_product" FOR EACH ROW EXECUTE FUNCTION opsdb_log_change();
CREATE TRIGGER "executed_reduction_step_input_product_id_immutable" BEFORE UPDATE OF "id" ON "executed_reduction_step_input_product" FOR EACH ROW WHEN (OLD."id" IS DISTINCT FROM NEW."id") EXECUTE FUNCTION opsdb_refuse_change('id', 'Make a new row instead, and delete this one if nothing refers to it.');
CREATE TRIGGER "executed_reduction_step_input_product_never_truncated" BEFORE TRUNCATE ON "executed_reduction_step_input_product" FOR EACH STATEMENT EXECUTE FUNCTION opsdb_refuse_truncation();

-- fixitycheck
CREATE TRIGGER "fixity_check_append_only" BEFORE UPDATE OR DELETE ON "fixity_check" FOR EACH ROW EXECUTE FUNCTION opsdb_refuse_rewriting('a fixity check', 'never changed or removed', 'Leave it as it is, and record what is right now as another row.');
CREATE TRIGGER "fixity_check_time_possible" BEFORE INSERT ON "fixity_check" FOR EACH ROW EXECUTE FUNCTION opsdb_check_has_possible_time();
CREATE TRIGGER "fixity_check_difference_is_doubt" AFTER INSERT ON "fixity_check" FOR EACH ROW WHEN (NOT NEW.ok AND NEW.actual IS NOT NULL) EXECUTE FUNCTION opsdb_doubt_what_differs();
CREATE TRIGGER "fixity_check_unread_is_doubt" AFTER INSERT ON "fixity_check" FOR EACH ROW WHEN (NEW.actual IS NULL) EXECUTE FUNCTION opsdb_doubt_what_is_unread();
CREATE TRIGGER "fixity_check_touch" BEFORE UPDATE ON "fixity_check" FOR EACH ROW EXECUTE FUNCTION opsdb_keep_updated_at();
CREATE TRIGGER "fixity_check_never_truncated" BEFORE TRUNCATE ON "fixity_check" FOR EACH STATEMENT EXECUTE FUNCTION opsdb_refuse_truncation();

-- deletionrequestitem
CREATE TRIGGER "deletion_request_item_copy_at_location" BEFORE INSERT OR UPDATE ON "deletion_request_item" FOR EACH ROW EXECUTE FUNCTION opsdb_copy_at_location();
CREATE TRIGGER "deletion_request_item_within_limit" AFTER INSERT ON "deletion_request_item" REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION opsdb_keep_within_limit();
CREATE TRIGGER "deletion_request_item_immutable" BEFORE UPDATE ON "deletion_request_item" FOR EACH ROW WHEN (OLD."deletion_request_id" IS DISTINCT FROM NEW."deletion_request_id" OR OLD."physical_copy_id" IS DISTINCT FROM NEW."physical_copy_id") EXECUTE FUNCTION opsdb_refuse_change('deletion_request_id, physical_copy_id', 'Make a new row instead, and delete this one if nothing refers to it.');
CREATE TRIGGER "deletion_request_item_stays_after_decision" BEFORE DELETE ON "deletion_request_item" FOR EACH ROW EXECUTE FUNCTION opsdb_keep_decided_items();
CREATE TRIGGER "deletion_request_item_history" AFTER INSERT OR UPDATE OR DELETE ON "deletion_request_item" FOR EACH ROW EXECUTE FUNCTION opsdb_log_change();
CREATE TRIGGER "deletion_request_item_id_immutable" BEFORE UPDATE OF "id" ON "deletion_request_item" FOR EACH ROW WHEN (OLD."id" IS DISTINCT FROM NEW."id") EXECUTE FUNCTION opsdb_refuse_change('id', 'Make a new row instead, and delete this one if nothing refers to it.');
CREATE TRIGGER "deletion_request_item_never_truncated" BEFORE TRUNCATE ON "deletion_request_item" FOR EACH STATEMENT EXECUTE FUNCTION opsdb_refuse_truncation();

-- tables without a model of the app
CREATE TRIGGER "auth_group_id_immutable" BEFORE UPDATE OF "id" ON "auth_group" FOR EACH ROW WHEN (OLD."id" IS DISTINCT FROM NEW."id") EXECUTE FUNCTION opsdb_refuse_change('id', 'Make a new row instead, and delete this one if nothing refers to it.');
CREATE TRIGGER "auth_group_never_truncated" BEFORE TRUNCATE ON "auth_group" FOR EACH STATEMENT EXECUTE FUNCTION opsdb_refuse_truncation();
CREATE TRIGGER "auth_group_permissions_id_immutable" BEFORE UPDATE OF "id" ON "auth_group_permissions" FOR EACH ROW WHEN (OLD."id" IS DISTINCT FROM NEW."id") EXECUTE FUNCTION opsdb_refuse_change('id', 'Make a new row instead, and delete this one if nothing refers to it.');
CREATE TRIGGER "auth_group_permissions_never_truncated" BEFORE TRUNCATE ON "auth_group_permissions" FOR EACH STATEMENT EXECUTE FUNCTION opsdb_refuse_truncation();
CREATE TRIGGER "auth_permission_id_immutable" BEFORE UPDATE OF "id" ON "auth_permission" FOR EACH ROW WHEN (OLD."id" IS DISTINCT FROM NEW."id") EXECUTE FUNCTION opsdb_refuse_change('id', 'Make a new row instead, and delete this one if nothing refers to it.');
CREATE TRIGGER "auth_permission_never_truncated" BEFORE TRUNCATE ON "auth_permission" FOR EACH STATEMENT EXECUTE FUNCTION opsdb_refuse_truncation();
CREATE TRIGGER "django_content_type_id_immutable" BEFORE UPDATE OF "id" ON "django_content_type" FOR EACH ROW WHEN (OLD."id" IS DISTINCT FROM NEW."id") EXECUTE FUNCTION opsdb_refuse_change('id', 'Make a new row instead, and delete this one if nothing refers to it.');
CREATE TRIGGER "django_content_type_never_truncated" BEFORE TRUNCATE ON "django_content_type" FOR EACH STATEMENT EXECUTE FUNCTION opsdb_refuse_truncation();
CREATE TRIGGER "auth_group_permissions_history" AFTER INSERT OR UPDATE OR DELETE ON "auth_group_permissions" FOR EACH ROW EXECUTE FUNCTION opsdb_log_link('role', 'permissions', 'group_id', 'permission_id');
CREATE TRIGGER "change_log_default_never_truncated" BEFORE TRUNCATE ON "change_log_default" FOR EACH STATEMENT EXECUTE FUNCTION opsdb_refuse_truncation();
CREATE CONSTRAINT TRIGGER "change_log_default_months" AFTER INSERT ON "change_log_default" DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION opsdb_make_months_in_time();

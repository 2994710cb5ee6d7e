-- Packages and their contents: what was made holds what it holds.

CREATE OR REPLACE FUNCTION opsdb_package_is_open() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
-- A raw data file enters or leaves a raw data package only before that is made. Locks it, so that it isn't meanwhile.
DECLARE
    made uuid;
BEGIN
    PERFORM FROM raw_data_package
    WHERE id IN (OLD.raw_data_package_id, NEW.raw_data_package_id) ORDER BY id FOR NO KEY UPDATE;
    SELECT id INTO made FROM raw_data_package
    WHERE id IN (OLD.raw_data_package_id, NEW.raw_data_package_id) AND (status = 'completed' OR state = 'archived')
    ORDER BY id LIMIT 1;
    IF FOUND THEN
        PERFORM opsdb_refuse(
            TG_NAME, TG_TABLE_NAME,
            format('%s %s: cannot enter or leave raw_data_package %s, which has been made', TG_TABLE_NAME, NEW.id, made)
        );
    END IF;
    RETURN NEW;
END
$$;

CREATE OR REPLACE FUNCTION opsdb_bundle_is_open() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
-- A raw data package enters or leaves a data transfer package only before that is made. Locks it likewise.
DECLARE
    made uuid;
BEGIN
    PERFORM FROM data_transfer_package
    WHERE id IN (OLD.data_transfer_package_id, NEW.data_transfer_package_id) ORDER BY id FOR NO KEY UPDATE;
    SELECT id INTO made FROM data_transfer_package
    WHERE id IN (OLD.data_transfer_package_id, NEW.data_transfer_package_id) AND status = 'completed'
    ORDER BY id LIMIT 1;
    IF FOUND THEN
        PERFORM opsdb_refuse(
            TG_NAME, TG_TABLE_NAME,
            format(
                '%s %s: cannot enter or leave data_transfer_package %s, which has been made',
                TG_TABLE_NAME, NEW.id, made
            )
        );
    END IF;
    RETURN NEW;
END
$$;

CREATE OR REPLACE FUNCTION opsdb_package_of_same_execution() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
-- A raw data package holds files of one execution and one instrument module.
BEGIN
    IF NOT EXISTS (
        SELECT FROM raw_data_package
        WHERE id = NEW.raw_data_package_id
            AND executed_obs_unit_id = NEW.executed_obs_unit_id
            AND instrument_module_id = NEW.instrument_module_id
    ) THEN
        PERFORM opsdb_refuse(
            TG_NAME, TG_TABLE_NAME,
            format('raw_data_file %s: its package must be of the same execution and module', NEW.id)
        );
    END IF;
    RETURN NEW;
END
$$;

CREATE OR REPLACE FUNCTION opsdb_fail_with_making() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
-- A package whose tar nobody could make is failed until it is made again.
BEGIN
    NEW.state = CASE NEW.status WHEN 'failed' THEN 'failed' ELSE 'waiting' END;
    RETURN NEW;
END
$$;

CREATE OR REPLACE FUNCTION opsdb_fail_packages_with_bundle() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
-- The packages of a bundle that nobody could make are failed until the bundle is made again.
DECLARE
    before text = CASE NEW.status WHEN 'failed' THEN 'waiting' ELSE 'failed' END;
    after text = CASE NEW.status WHEN 'failed' THEN 'failed' ELSE 'waiting' END;
BEGIN
    PERFORM FROM raw_data_package WHERE data_transfer_package_id = NEW.id ORDER BY id FOR NO KEY UPDATE;
    UPDATE raw_data_package SET state = after WHERE data_transfer_package_id = NEW.id AND state = before;
    RETURN NULL;
END
$$;

-- Packages and their contents: what was made holds what it holds.

CREATE OR REPLACE FUNCTION opsdb_package_is_open() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
-- A new raw data file enters a raw data package only before that is made. Locks it, so that it isn't meanwhile.
DECLARE
    made uuid;
BEGIN
    PERFORM FROM raw_data_package WHERE id = NEW.raw_data_package_id FOR NO KEY UPDATE;
    SELECT id INTO made FROM raw_data_package
    WHERE id = NEW.raw_data_package_id AND (status = 'completed' OR state = 'archived');
    IF FOUND THEN
        PERFORM opsdb_refuse(
            TG_NAME, TG_TABLE_NAME,
            format(
                '%s %s: cannot enter or leave raw_data_package %s, because its tar has been made',
                TG_TABLE_NAME, NEW.id, made
            ),
            'Leave raw_data_package_id as it is; a file that is in no package enters the next one that is made.'
        );
    END IF;
    RETURN NEW;
END
$$;

CREATE OR REPLACE FUNCTION opsdb_packages_are_open() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
-- Raw data files enter or leave raw data packages only before these are made. Looked at once a statement, whatever the
-- number of files. Locks the packages, so that they aren't made meanwhile.
-- The query is planned at each call: a plan that was kept for few rows is quadratic for many.
DECLARE
    moved uuid[];
    moved_file uuid;
    made uuid;
BEGIN
    EXECUTE $query$
        SELECT array_agg(DISTINCT package) FROM (
            SELECT unnest(ARRAY[old_rows.raw_data_package_id, new_rows.raw_data_package_id]) AS package
            FROM old_rows JOIN new_rows USING (id)
            WHERE old_rows.raw_data_package_id IS DISTINCT FROM new_rows.raw_data_package_id
        ) AS moves
        WHERE package IS NOT NULL
    $query$ INTO moved;
    IF moved IS NULL THEN
        RETURN NULL;
    END IF;
    PERFORM FROM raw_data_package WHERE id = ANY (moved) ORDER BY id FOR NO KEY UPDATE;
    SELECT id INTO made FROM raw_data_package
    WHERE id = ANY (moved) AND (status = 'completed' OR state = 'archived')
    ORDER BY id LIMIT 1;
    IF FOUND THEN
        EXECUTE $query$
            SELECT id FROM old_rows JOIN new_rows USING (id)
            WHERE old_rows.raw_data_package_id IS DISTINCT FROM new_rows.raw_data_package_id
                AND $1 IN (old_rows.raw_data_package_id, new_rows.raw_data_package_id)
            ORDER BY id LIMIT 1
        $query$ INTO moved_file USING made;
        PERFORM opsdb_refuse(
            TG_NAME, TG_TABLE_NAME,
            format(
                '%s %s: cannot enter or leave raw_data_package %s, because its tar has been made',
                TG_TABLE_NAME, moved_file, made
            ),
            'Leave raw_data_package_id as it is; a file that is in no package enters the next one that is made.'
        );
    END IF;
    RETURN NULL;
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
                '%s %s: cannot enter or leave data_transfer_package %s, because its tar has been made',
                TG_TABLE_NAME, NEW.id, made
            ),
            'Leave data_transfer_package_id as it is; a package that is in no bundle enters the next one that is made.'
        );
    END IF;
    RETURN NEW;
END
$$;

CREATE OR REPLACE FUNCTION opsdb_package_of_same_execution() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
-- A raw data package holds files of one observation and one instrument module; for new files.
BEGIN
    IF NOT EXISTS (
        SELECT FROM raw_data_package
        WHERE id = NEW.raw_data_package_id
            AND executed_obs_unit_id = NEW.executed_obs_unit_id
            AND instrument_module_id = NEW.instrument_module_id
    ) THEN
        PERFORM opsdb_refuse(
            TG_NAME, TG_TABLE_NAME,
            format(
                'raw_data_file %s: raw_data_package %s is of another observation or module',
                NEW.id, NEW.raw_data_package_id
            ),
            'Choose a package of the same observation and module, or leave raw_data_package_id empty.'
        );
    END IF;
    RETURN NEW;
END
$$;

CREATE OR REPLACE FUNCTION opsdb_packages_of_same_execution() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
-- A raw data package holds files of one observation and one instrument module; for files that enter one, looked at once
-- a statement. The query is planned at each call: a plan that was kept for few rows is quadratic for many.
DECLARE
    wrong record;
BEGIN
    EXECUTE $query$
        SELECT new_rows.id, new_rows.raw_data_package_id FROM new_rows JOIN old_rows USING (id)
        LEFT JOIN raw_data_package AS package ON package.id = new_rows.raw_data_package_id
        WHERE new_rows.raw_data_package_id IS DISTINCT FROM old_rows.raw_data_package_id
            AND new_rows.raw_data_package_id IS NOT NULL
            AND (package.executed_obs_unit_id, package.instrument_module_id)
            IS DISTINCT FROM (new_rows.executed_obs_unit_id, new_rows.instrument_module_id)
        ORDER BY new_rows.id LIMIT 1
    $query$ INTO wrong;
    IF wrong.id IS NOT NULL THEN
        PERFORM opsdb_refuse(
            TG_NAME, TG_TABLE_NAME,
            format(
                'raw_data_file %s: raw_data_package %s is of another observation or module',
                wrong.id, wrong.raw_data_package_id
            ),
            'Choose a package of the same observation and module, or leave raw_data_package_id empty.'
        );
    END IF;
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION opsdb_fail_with_making() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
-- A package whose packaging failed is failed until it is made again.
BEGIN
    NEW.state = CASE NEW.status WHEN 'failed' THEN 'failed' ELSE 'waiting' END;
    RETURN NEW;
END
$$;

CREATE OR REPLACE FUNCTION opsdb_fail_packages_with_bundle() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
-- The packages of a bundle whose bundling failed are failed until the bundle is made again.
DECLARE
    before text = CASE NEW.status WHEN 'failed' THEN 'waiting' ELSE 'failed' END;
    after text = CASE NEW.status WHEN 'failed' THEN 'failed' ELSE 'waiting' END;
BEGIN
    PERFORM FROM raw_data_package WHERE data_transfer_package_id = NEW.id ORDER BY id FOR NO KEY UPDATE;
    UPDATE raw_data_package SET state = after WHERE data_transfer_package_id = NEW.id AND state = before;
    RETURN NULL;
END
$$;

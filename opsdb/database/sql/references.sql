-- References that must lead to a certain kind of row. No lock is needed: what is compared can't change once set,
-- and the foreign key holds the row itself.

CREATE OR REPLACE FUNCTION opsdb_require_row(rule name, called text, other_table name, key bigint) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
-- Refuses a row (of table and key) that refers to another which is inserted later in the transaction, at whose end the
-- foreign keys are checked: its rule could not be applied. A NULL refers to nothing.
DECLARE
    is_there boolean;
BEGIN
    EXECUTE format('SELECT EXISTS (SELECT FROM %I WHERE id = %L)', other_table, key) INTO is_there;
    IF key IS NOT NULL AND NOT is_there THEN
        PERFORM opsdb_refuse(
            rule, split_part(called, ' ', 1), format('%s: there is no %s %s', called, other_table, key),
            'Insert that row first, or choose another one.'
        );
    END IF;
END
$$;

CREATE OR REPLACE FUNCTION opsdb_require_location_type() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
-- A reference leads to a location of one type only.
-- TG_ARGV: the reference, without _id; the type.
DECLARE
    location record;
    location_id bigint = to_jsonb(NEW) ->> (TG_ARGV[0] || '_id');
BEGIN
    PERFORM opsdb_require_row(TG_NAME, TG_TABLE_NAME || ' ' || NEW.id, 'data_location', location_id);
    SELECT id, location_type INTO location FROM data_location WHERE id = location_id;
    IF location.location_type <> TG_ARGV[1] THEN
        PERFORM opsdb_refuse(
            TG_NAME, TG_TABLE_NAME,
            format(
                '%s %s: %s must be a %s location, but %s is a %s location',
                TG_TABLE_NAME, NEW.id, TG_ARGV[0], TG_ARGV[1], opsdb_name_location(location.id), location.location_type
            ),
            format('Choose a location whose type is %s.', TG_ARGV[1])
        );
    END IF;
    RETURN NEW;
END
$$;

CREATE OR REPLACE FUNCTION opsdb_require_source_locations() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
-- Raw data files are registered at the source location that an instrument writes to; looked at once a statement.
DECLARE
    wrong record;
BEGIN
    SELECT source_location_id, data_location.location_type, any_file.id INTO wrong
    FROM (SELECT DISTINCT ON (source_location_id) source_location_id, id FROM added) AS any_file
    LEFT JOIN data_location ON data_location.id = any_file.source_location_id
    WHERE data_location.location_type IS DISTINCT FROM 'source'
    LIMIT 1;
    IF FOUND THEN
        PERFORM opsdb_require_row(TG_NAME, 'raw_data_file ' || wrong.id, 'data_location', wrong.source_location_id);
        PERFORM opsdb_refuse(
            TG_NAME, TG_TABLE_NAME,
            format(
                'raw_data_file %s: source_location must be a source location, but %s is a %s location',
                wrong.id, opsdb_name_location(wrong.source_location_id), wrong.location_type
            ),
            'Register files at the location that the instrument writes to.'
        );
    END IF;
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION opsdb_require_own_instrument() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
-- At the source location of an instrument its own modules write; looked at once a statement.
DECLARE
    wrong record;
BEGIN
    SELECT any_file.*, module.name AS module, place.id AS place_id, instrument.name AS instrument INTO wrong
    FROM (
        SELECT DISTINCT ON (source_location_id, instrument_module_id) source_location_id, instrument_module_id, id
        FROM added
    ) AS any_file
    JOIN data_location AS place ON place.id = any_file.source_location_id
    LEFT JOIN instrument_module AS module ON module.id = any_file.instrument_module_id
    LEFT JOIN instrument ON instrument.id = place.instrument_id
    WHERE module.instrument_id IS DISTINCT FROM place.instrument_id AND place.instrument_id IS NOT NULL
    LIMIT 1;
    IF FOUND THEN
        PERFORM opsdb_require_row(
            TG_NAME, 'raw_data_file ' || wrong.id, 'instrument_module', wrong.instrument_module_id
        );
        PERFORM opsdb_refuse(
            TG_NAME, TG_TABLE_NAME,
            format(
                'raw_data_file %s: module %s does not belong to %s, which writes to %s',
                wrong.id, wrong.module, wrong.instrument, opsdb_name_location(wrong.place_id)
            ),
            'Register files at the source location of the instrument that wrote them.'
        );
    END IF;
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION opsdb_require_same_owner() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
-- A reference leads to a row that belongs to the same owner as this row.
-- TG_ARGV: the column of the reference; the table it leads to; the column that names the owner, in both tables;
-- the message; hint.
DECLARE
    this jsonb = to_jsonb(NEW);
    same boolean;
BEGIN
    EXECUTE format(
        'SELECT EXISTS (SELECT FROM %I WHERE id = %L AND %I = %L)',
        TG_ARGV[1], this ->> TG_ARGV[0], TG_ARGV[2], this ->> TG_ARGV[2]
    ) INTO same;
    IF NOT same THEN
        PERFORM opsdb_refuse(
            TG_NAME, TG_TABLE_NAME, format('%s %s: %s', TG_TABLE_NAME, NEW.id, TG_ARGV[3]), TG_ARGV[4]
        );
    END IF;
    RETURN NEW;
END
$$;

CREATE OR REPLACE FUNCTION opsdb_keep_former_names() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
-- A row that gets another name is still found by the names that it had.
-- TG_ARGV: the column of the name.
DECLARE
    before text = to_jsonb(OLD) ->> TG_ARGV[0];
    after text = to_jsonb(NEW) ->> TG_ARGV[0];
BEGIN
    IF after IS DISTINCT FROM before THEN
        NEW.former_names = (OLD.former_names - after - before) || to_jsonb(before);
    ELSIF NEW.former_names <@ OLD.former_names THEN
        -- A program may write what it has read before the row got its name.
        NEW.former_names = OLD.former_names;
    END IF;
    RETURN NEW;
END
$$;

CREATE OR REPLACE FUNCTION opsdb_one_location_per_folder() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
-- Two locations of a site never are the same folder: each would count and delete what the other holds. Locks the site,
-- so that of two that are made at once the second sees the first.
DECLARE
    other record;
BEGIN
    PERFORM FROM site WHERE id = (SELECT site_id FROM data_location WHERE id = NEW.id) FOR NO KEY UPDATE;
    SELECT place.id INTO other
    FROM disk_data_location AS disk
    JOIN data_location AS place ON place.id = disk.id
    WHERE place.site_id = (SELECT site_id FROM data_location WHERE id = NEW.id)
        AND disk.id <> NEW.id
        AND lower(disk.host) = lower(NEW.host)
        AND rtrim(disk.path, '/') = rtrim(NEW.path, '/')
    LIMIT 1;
    IF FOUND THEN
        PERFORM opsdb_refuse(
            TG_NAME, TG_TABLE_NAME,
            format(
                'disk_data_location %s: has the same host and folder as data_location %s (%s): %s',
                NEW.id, other.id, opsdb_name_location(other.id), NEW.path
            ),
            'Give this one a folder of its own; if it is that location under another name, rename that one instead.'
        );
    END IF;
    RETURN NEW;
END
$$;

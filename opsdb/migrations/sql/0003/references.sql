-- References that must lead to a certain kind of row. No lock is needed: what is compared can't change once set,
-- and the foreign key holds the row itself.

CREATE OR REPLACE FUNCTION opsdb_require_location_type() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
-- A reference leads to a location of one type only.
-- TG_ARGV: the reference, without _id; the type.
DECLARE
    location record;
BEGIN
    SELECT id, location_type INTO location FROM data_location
    WHERE id = (to_jsonb(NEW) ->> (TG_ARGV[0] || '_id'))::bigint;
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
    JOIN data_location ON data_location.id = any_file.source_location_id
    WHERE data_location.location_type <> 'source'
    LIMIT 1;
    IF FOUND THEN
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
    SELECT any_file.id, module.name AS module, place.id AS place_id, instrument.name AS instrument INTO wrong
    FROM (
        SELECT DISTINCT ON (source_location_id, instrument_module_id) source_location_id, instrument_module_id, id
        FROM added
    ) AS any_file
    JOIN data_location AS place ON place.id = any_file.source_location_id
    JOIN instrument_module AS module ON module.id = any_file.instrument_module_id
    JOIN instrument ON instrument.id = place.instrument_id
    WHERE module.instrument_id <> place.instrument_id
    LIMIT 1;
    IF FOUND THEN
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

-- References that must lead to a certain kind of row. No lock is needed: what is compared can't change once set,
-- and the foreign key holds the row itself.

CREATE OR REPLACE FUNCTION opsdb_require_location_type() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
-- A reference leads to a location of one type only.
-- TG_ARGV: the reference, without _id; the type.
DECLARE
    location record;
BEGIN
    SELECT name, location_type INTO location FROM data_location
    WHERE id = (to_jsonb(NEW) ->> (TG_ARGV[0] || '_id'))::bigint;
    IF location.location_type <> TG_ARGV[1] THEN
        PERFORM opsdb_refuse(
            TG_NAME, TG_TABLE_NAME,
            format(
                '%s %s: %s must be a %s location, but %s is a %s location',
                TG_TABLE_NAME, NEW.id, TG_ARGV[0], TG_ARGV[1], location.name, location.location_type
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
    SELECT data_location.name, data_location.location_type, any_file.id INTO wrong
    FROM (SELECT DISTINCT ON (source_location_id) source_location_id, id FROM added) AS any_file
    JOIN data_location ON data_location.id = any_file.source_location_id
    WHERE data_location.location_type <> 'source'
    LIMIT 1;
    IF FOUND THEN
        PERFORM opsdb_refuse(
            TG_NAME, TG_TABLE_NAME,
            format(
                'raw_data_file %s: source_location must be a source location, but %s is a %s location',
                wrong.id, wrong.name, wrong.location_type
            ),
            'Register files at the location that the instrument writes to.'
        );
    END IF;
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION opsdb_require_same_owner() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
-- A reference leads to a row that belongs to the same owner as this row.
-- TG_ARGV: the column of the reference; the table it leads to; the column that names the owner, in both tables;
-- the message.
DECLARE
    this jsonb = to_jsonb(NEW);
    same boolean;
BEGIN
    EXECUTE format(
        'SELECT EXISTS (SELECT FROM %I WHERE id = %L AND %I = %L)',
        TG_ARGV[1], this ->> TG_ARGV[0], TG_ARGV[2], this ->> TG_ARGV[2]
    ) INTO same;
    IF NOT same THEN
        PERFORM opsdb_refuse(TG_NAME, TG_TABLE_NAME, format('%s %s: %s', TG_TABLE_NAME, NEW.id, TG_ARGV[3]));
    END IF;
    RETURN NEW;
END
$$;

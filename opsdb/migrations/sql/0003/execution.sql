-- When executions can have happened, and how what was reported wrongly is corrected.

CREATE OR REPLACE FUNCTION opsdb_is_correction(row_id uuid) RETURNS boolean
LANGUAGE sql STABLE
-- Whether this transaction corrects a row, for a reason that the change log keeps.
RETURN coalesce(
    current_setting('opsdb.correction', true) = row_id::text
    AND current_setting('opsdb.reason', true) ~ '[^[:space:]]',
    false
);

CREATE OR REPLACE FUNCTION opsdb_first_light() RETURNS date
LANGUAGE sql STABLE
-- The first light of the oldest telescope; NULL while one has none, so that any time is accepted.
BEGIN ATOMIC
    SELECT min(first_light) FROM telescope HAVING bool_and(first_light IS NOT NULL);
END;

CREATE OR REPLACE FUNCTION opsdb_after_first_light() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
-- No execution began before the first light of the oldest telescope.
DECLARE
    earliest date = opsdb_first_light();
BEGIN
    IF NEW.start_time < earliest::timestamp AT TIME ZONE 'UTC' THEN
        PERFORM opsdb_refuse(
            TG_NAME, TG_TABLE_NAME,
            format(
                'executed_obs_unit %s: cannot have begun at %s, before the first light of the telescope on %s',
                NEW.id, NEW.start_time, earliest
            ),
            'Set the clock of the telescope''s computer, and report the right time; or correct first_light.'
        );
    END IF;
    RETURN NEW;
END
$$;

CREATE OR REPLACE FUNCTION opsdb_files_after_first_light() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
-- No file was observed before the first light of the oldest telescope. Of a statement, its rows are called added.
DECLARE
    earliest date = opsdb_first_light();
    early raw_data_file;
BEGIN
    IF TG_LEVEL = 'ROW' THEN
        early = NEW;
    ELSE
        SELECT * INTO early FROM added ORDER BY observed_at LIMIT 1;
    END IF;
    IF early.observed_at < earliest::timestamp AT TIME ZONE 'UTC' THEN
        PERFORM opsdb_refuse(
            TG_NAME, TG_TABLE_NAME,
            format(
                'raw_data_file %s: cannot have been observed at %s, before the first light of the telescope on %s',
                early.id, early.observed_at, earliest
            ),
            'Set the clock of the instrument, and report the right time; or correct first_light.'
        );
    END IF;
    RETURN CASE TG_LEVEL WHEN 'ROW' THEN NEW END;
END
$$;

-- Units whose mode observes a source have one.

CREATE OR REPLACE FUNCTION opsdb_unit_needs_source() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
-- A unit without a source is in a mode that needs none. Locks the mode, so that it doesn't come to need one meanwhile.
DECLARE
    mode record;
BEGIN
    PERFORM opsdb_require_row(TG_NAME, TG_TABLE_NAME || ' ' || NEW.id, 'obs_mode', NEW.obs_mode_id);
    SELECT name, needs_source INTO mode FROM obs_mode WHERE id = NEW.obs_mode_id FOR SHARE;
    IF mode.needs_source THEN
        PERFORM opsdb_refuse(
            TG_NAME, TG_TABLE_NAME,
            format('obs_unit %s: a unit in mode %s needs a source', NEW.id, mode.name),
            'Give it a source, or choose a mode that looks at nothing on the sky.',
            'source_id'
        );
    END IF;
    RETURN NEW;
END
$$;

CREATE OR REPLACE FUNCTION opsdb_mode_units_have_source() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
-- A mode comes to need a source only when all of its units have one.
DECLARE
    unit bigint;
BEGIN
    SELECT id INTO unit FROM obs_unit WHERE obs_mode_id = NEW.id AND source_id IS NULL LIMIT 1;
    IF FOUND THEN
        PERFORM opsdb_refuse(
            TG_NAME, TG_TABLE_NAME,
            format('obs_mode %s: cannot be set to need a source, because obs_unit %s has none', NEW.id, unit),
            'Give all units of this mode a source first.'
        );
    END IF;
    RETURN NEW;
END
$$;

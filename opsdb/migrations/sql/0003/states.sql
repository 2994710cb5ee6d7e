-- State machines: what may follow what is declared with the enumeration and frozen in the trigger.

CREATE OR REPLACE FUNCTION opsdb_refuse_transition() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
-- Refuses a step that the state machine does not have; the trigger's WHEN clause lists the steps that it has.
-- TG_ARGV: the column; a JSON object that holds, for every state, a sentence about what may follow it.
DECLARE
    before text = to_jsonb(OLD) ->> TG_ARGV[0];
    after text = to_jsonb(NEW) ->> TG_ARGV[0];
BEGIN
    PERFORM opsdb_refuse(
        TG_NAME, TG_TABLE_NAME,
        format('%s %s: %s cannot go from %s to %s', TG_TABLE_NAME, OLD.id, TG_ARGV[0], before, after),
        TG_ARGV[1]::jsonb ->> before
    );
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION opsdb_is_open_work(status text) RETURNS boolean
LANGUAGE sql IMMUTABLE
-- Whether a work item remains to be done.
RETURN status IN ('pending', 'scheduled', 'in_progress');

CREATE OR REPLACE FUNCTION opsdb_is_open_run(status text) RETURNS boolean
LANGUAGE sql IMMUTABLE
-- Whether a run of a reduction step has not ended.
RETURN status IN ('pending', 'staging_data', 'submitted', 'running', 'collecting_results');

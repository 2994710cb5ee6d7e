-- Links that hold copies back from deletion: what a staging job needs, a run reads, or a release holds.

CREATE OR REPLACE FUNCTION opsdb_link_waits_for_deletion() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
-- A new link waits for a deletion of what it links; the deletion's next step then sees the link.
-- TG_ARGV: table of what is linked; the link's column for it.
BEGIN
    EXECUTE format('SELECT FROM %I WHERE id = %L FOR KEY SHARE', TG_ARGV[0], to_jsonb(NEW) ->> TG_ARGV[1]);
    RETURN NEW;
END
$$;

CREATE OR REPLACE FUNCTION opsdb_keep_staged() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
-- What an active staging job needs is not taken from it.
-- TG_ARGV: table of what is linked; the link's column for it.
BEGIN
    IF EXISTS (SELECT FROM staging_job WHERE id = OLD.stagingjob_id AND active) THEN
        PERFORM opsdb_refuse(
            TG_NAME, TG_TABLE_NAME,
            format(
                'staging_job %s: %s %s cannot be taken from it while the job is active',
                OLD.stagingjob_id, TG_ARGV[0], to_jsonb(OLD) ->> TG_ARGV[1]
            ),
            'Release the job first, if its data are no longer needed.'
        );
    END IF;
    RETURN coalesce(NEW, OLD);
END
$$;

CREATE OR REPLACE FUNCTION opsdb_keep_inputs() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
-- What a run reads or has read is not taken from it: it holds back deletions, and products are traced along it.
-- TG_ARGV: table of what is linked; the link's column for it.
BEGIN
    IF EXISTS (
        SELECT FROM executed_reduction_step
        WHERE id = OLD.run_id
            AND (status = 'completed' OR (status <> 'pending' AND opsdb_is_open_run(status)))
    ) THEN
        PERFORM opsdb_refuse(
            TG_NAME, TG_TABLE_NAME,
            format(
                'executed_reduction_step %s: %s %s cannot be taken from it, because the run has begun',
                OLD.run_id, TG_ARGV[0], to_jsonb(OLD) ->> TG_ARGV[1]
            ),
            'Plan another run with the right inputs.'
        );
    END IF;
    RETURN coalesce(NEW, OLD);
END
$$;

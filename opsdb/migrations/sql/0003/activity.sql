-- What the stages did, by hour or day: every statement notes what it adds, completes and sees fail, so that trends
-- over a year are short sums. Only these functions write the notes.

CREATE OR REPLACE FUNCTION opsdb_archive_delay_step(work jsonb) RETURNS integer
LANGUAGE sql STABLE SET search_path FROM CURRENT AS $$
-- The step of the time from the end of an observation to its verified copy in an archive: step n is from 2^(n/8)
-- minutes to 2^((n+1)/8). NULL for a repair, which brings a package into an archive that has had it.
    SELECT floor(
        8 * log(2, greatest(extract(epoch FROM (work ->> 'finished_at')::timestamptz - execution.end_time) / 60, 1))
    )::integer
    FROM raw_data_package AS package
    JOIN executed_obs_unit AS execution ON execution.id = package.executed_obs_unit_id
    WHERE package.id = (work ->> 'raw_data_package_id')::uuid
        AND NOT EXISTS (
            SELECT FROM long_term_archive_transfer AS earlier
            WHERE earlier.raw_data_package_id = package.id
                AND earlier.destination_location_id = (work ->> 'destination_location_id')::bigint
                AND earlier.id < (work ->> 'id')::bigint
        )
$$;

CREATE OR REPLACE FUNCTION opsdb_activity_of(stage text, work jsonb)
RETURNS TABLE (moment timestamptz, delay_step integer, added bigint, completed bigint, bytes numeric)
LANGUAGE sql STABLE
-- What a row of work counts as: an item when it was made, and a completed one, with its bytes, when it was finished.
-- The unpacking of a transfer is made when that has arrived. A cancelled run is finished too.
BEGIN ATOMIC
    SELECT
        (work ->> CASE stage WHEN 'unpacking' THEN 'finished_at' ELSE 'created_at' END)::timestamptz,
        NULL::integer, 1::bigint, 0::bigint, 0::numeric
    WHERE stage <> 'unpacking' OR work ->> 'status' = 'completed'
    UNION ALL
    SELECT
        coalesce(
            work ->> CASE stage WHEN 'unpacking' THEN 'unpacked_at' ELSE 'finished_at' END, work ->> 'updated_at'
        )::timestamptz,
        CASE stage WHEN 'archiving' THEN opsdb_archive_delay_step(work) END, 0, 1,
        CASE
            WHEN stage <> 'unpacking' THEN coalesce(work ->> 'size_bytes', work ->> 'bytes_transferred', '0')::numeric
            ELSE 0
        END
    WHERE work ->> CASE stage WHEN 'unpacking' THEN 'unpack_status' ELSE 'status' END IN ('completed', 'cancelled');
END;

CREATE OR REPLACE FUNCTION opsdb_has_failed(stage text, work jsonb) RETURNS boolean
LANGUAGE sql IMMUTABLE
-- Whether work has failed for good.
RETURN work ->> CASE stage WHEN 'unpacking' THEN 'unpack_status' ELSE 'status' END = 'failed';

CREATE OR REPLACE FUNCTION opsdb_failed_at(stage text, before jsonb, after jsonb) RETURNS timestamptz
LANGUAGE sql STABLE
-- When work failed for good; an unpacking has no column for that.
RETURN CASE stage
    WHEN 'unpacking' THEN coalesce(before ->> 'unpack_heartbeat_at', after ->> 'updated_at')
    ELSE coalesce(after ->> 'finished_at', after ->> 'updated_at')
END::timestamptz;

CREATE OR REPLACE FUNCTION opsdb_failures_between(stage text, before jsonb, after jsonb)
RETURNS TABLE (moment timestamptz, failures bigint)
LANGUAGE sql STABLE
-- The attempts that an update finds failed: each that is tried again, at its last heartbeat, and the one after which
-- nothing is tried again, when it was given up. A failure stays counted when the work is reset.
BEGIN ATOMIC
    SELECT
        coalesce(
            before ->> CASE stage WHEN 'unpacking' THEN 'unpack_heartbeat_at' ELSE 'heartbeat_at' END,
            before ->> 'started_at', after ->> 'updated_at'
        )::timestamptz,
        (after ->> retries)::bigint - (before ->> retries)::bigint
    FROM (SELECT CASE stage WHEN 'unpacking' THEN 'unpack_retry_count' ELSE 'retry_count' END AS retries) AS counted
    -- A run has failed first, which is counted below, and is then tried again.
    WHERE (after ->> retries)::bigint > (before ->> retries)::bigint AND NOT opsdb_has_failed(stage, before)
    UNION ALL
    SELECT opsdb_failed_at(stage, before, after), 1
    WHERE opsdb_has_failed(stage, after) AND NOT opsdb_has_failed(stage, before)
    UNION ALL
    SELECT part.moment, part.failures
    FROM (
        VALUES ((before ->> 'finished_at')::timestamptz, -1), ((after ->> 'finished_at')::timestamptz, 1)
    ) AS part (moment, failures)
    WHERE stage <> 'unpacking'
        AND opsdb_has_failed(stage, before) AND opsdb_has_failed(stage, after)
        AND before ->> 'finished_at' <> after ->> 'finished_at';
END;

CREATE OR REPLACE FUNCTION opsdb_fold_activity(folded_stages text[], since timestamptz) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
-- Now and then, folds the notes of stages into one for each time, way and delay; leaves those that others are
-- folding to them.
BEGIN
    IF random() >= 0.02 OR current_setting('transaction_isolation') <> 'read committed' THEN
        RETURN;
    END IF;
    WITH folded AS (
        DELETE FROM stage_activity
        WHERE id IN (
            SELECT id FROM stage_activity
            WHERE stage = ANY (folded_stages) AND begins_at >= since ORDER BY id FOR UPDATE SKIP LOCKED
        )
        RETURNING *
    )
    INSERT INTO stage_activity (
        stage, begins_at, origin_location_id, destination_location_id, delay_step, added, completed, failures, bytes
    )
    SELECT
        stage, begins_at, origin_location_id, destination_location_id, delay_step,
        sum(added), sum(completed), sum(failures), sum(bytes)
    FROM folded GROUP BY 1, 2, 3, 4, 5;
END
$$;

CREATE OR REPLACE FUNCTION opsdb_write_activity(stages text[], before jsonb[], after jsonb[]) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
-- Notes by how much the counts of rows of work have changed. Hours are kept of transfers, days of all else.
BEGIN
    INSERT INTO stage_activity (
        stage, begins_at, origin_location_id, destination_location_id, delay_step, added, completed, failures, bytes
    )
    SELECT
        named.stage,
        date_trunc(CASE named.stage WHEN 'transfer' THEN 'hour' ELSE 'day' END, part.moment, 'UTC'),
        (part.work ->> 'origin_location_id')::bigint,
        (part.work ->> 'destination_location_id')::bigint,
        part.delay_step, sum(part.added), sum(part.completed), sum(part.failures), sum(part.bytes)
    FROM unnest(stages) AS named (stage)
    CROSS JOIN LATERAL (
        SELECT work, of_work.moment, delay_step, added, completed, 0::bigint AS failures, bytes
        FROM unnest(after) AS work CROSS JOIN LATERAL opsdb_activity_of(named.stage, work) AS of_work
        UNION ALL
        SELECT work, of_work.moment, delay_step, -added, -completed, 0, -bytes
        FROM unnest(before) AS work CROSS JOIN LATERAL opsdb_activity_of(named.stage, work) AS of_work
        UNION ALL
        SELECT pair.new_work, failed.moment, NULL, 0, 0, failed.failures, 0
        FROM unnest(before, after) AS pair (old_work, new_work)
        CROSS JOIN LATERAL opsdb_failures_between(named.stage, pair.old_work, pair.new_work) AS failed
    ) AS part
    GROUP BY 1, 2, 3, 4, 5
    HAVING sum(part.added) <> 0 OR sum(part.completed) <> 0 OR sum(part.failures) <> 0 OR sum(part.bytes) <> 0;
    IF FOUND THEN
        PERFORM opsdb_fold_activity(stages, date_trunc('day', statement_timestamp(), 'UTC') - interval '1 day');
    END IF;
END
$$;

CREATE OR REPLACE FUNCTION opsdb_note_activity() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
-- Notes what a statement adds, completes and records as failed; nothing for one that only renews heartbeats.
-- TG_ARGV: the stages whose work a row is.
DECLARE
    before jsonb[] = '{}';
    after jsonb[] = '{}';
BEGIN
    IF TG_OP <> 'INSERT' THEN
        before = ARRAY(SELECT to_jsonb(old_rows) FROM old_rows ORDER BY id);
    END IF;
    IF TG_OP <> 'DELETE' THEN
        after = ARRAY(SELECT to_jsonb(new_rows) FROM new_rows ORDER BY id);
    END IF;
    PERFORM opsdb_write_activity(TG_ARGV::text[], before, after);
    RETURN NULL;
END
$$;

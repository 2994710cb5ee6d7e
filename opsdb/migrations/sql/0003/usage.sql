-- How full a location is, and was: every statement notes by day what it adds and takes, so that the fill level is a
-- short sum. Only these functions write the notes.

CREATE OR REPLACE FUNCTION opsdb_location_is_full(location_id bigint) RETURNS boolean
LANGUAGE sql STABLE SET search_path FROM CURRENT AS $$
-- Whether a location is filled above its threshold; never where it has no capacity or no threshold, nor by so much more
-- than it can hold that a size must be wrong, which would let data be deleted before their retention has passed.
    SELECT coalesce((
        SELECT coalesce(sum(usage.bytes), 0) * 100
            > location.capacity_bytes * location.deletion_threshold_percent::numeric
            AND coalesce(sum(usage.bytes), 0) < location.capacity_bytes::numeric * 2
        FROM data_location_usage AS usage
        WHERE usage.data_location_id = location.id
    ), false)
    FROM data_location AS location
    WHERE location.id = location_id
$$;

CREATE OR REPLACE FUNCTION opsdb_fold_usage(location_ids bigint[]) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
-- Now and then, folds the notes of a location on a day into one each; leaves those that others are folding to them.
BEGIN
    IF random() >= 0.02 OR current_setting('transaction_isolation') <> 'read committed' THEN
        RETURN;
    END IF;
    WITH folded AS (
        DELETE FROM data_location_usage
        WHERE id IN (
            SELECT id FROM data_location_usage
            WHERE (data_location_id, day) IN (
                SELECT data_location_id, day FROM data_location_usage
                WHERE data_location_id = ANY (location_ids)
                GROUP BY data_location_id, day HAVING count(*) > 1
            )
            ORDER BY id FOR UPDATE SKIP LOCKED
        )
        RETURNING data_location_id, day, copies, bytes, arrived_bytes
    )
    INSERT INTO data_location_usage (data_location_id, day, copies, bytes, arrived_bytes)
    SELECT data_location_id, day, sum(copies), sum(bytes), sum(arrived_bytes)
    FROM folded GROUP BY data_location_id, day;
END
$$;

CREATE OR REPLACE FUNCTION opsdb_count_inserted_usage() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
-- Notes the copies and bytes that a statement adds to each location.
BEGIN
    INSERT INTO data_location_usage (data_location_id, day, copies, bytes, arrived_bytes)
    SELECT
        data_location_id, (arrived_at AT TIME ZONE 'UTC')::date, count(*),
        sum(coalesce(size_bytes, 0)), sum(coalesce(size_bytes, 0))
    FROM new_rows
    WHERE status NOT IN ('deleted', 'missing')
    GROUP BY 1, 2;
    IF FOUND THEN
        PERFORM opsdb_fold_usage((SELECT array_agg(DISTINCT data_location_id) FROM new_rows));
    END IF;
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION opsdb_count_updated_usage() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
-- Notes what an update adds to each location or takes from it. A copy counts on the day of its arrival; when it is
-- gone, it is taken off on the day of its deletion, or of the last change of a copy that is missing.
BEGIN
    INSERT INTO data_location_usage (data_location_id, day, copies, bytes, arrived_bytes)
    SELECT data_location_id, (moment AT TIME ZONE 'UTC')::date, sum(copies), sum(bytes), sum(arrived_bytes)
    FROM (
        SELECT
            data_location_id, arrived_at AS moment, 1 AS copies,
            coalesce(size_bytes, 0) AS bytes, coalesce(size_bytes, 0) AS arrived_bytes
        FROM new_rows
        UNION ALL
        SELECT data_location_id, arrived_at, -1, -coalesce(size_bytes, 0), -coalesce(size_bytes, 0)
        FROM old_rows
        UNION ALL
        SELECT
            data_location_id, CASE status WHEN 'deleted' THEN deleted_at ELSE updated_at END, -1,
            -coalesce(size_bytes, 0), 0
        FROM new_rows WHERE status IN ('deleted', 'missing')
        UNION ALL
        SELECT
            data_location_id, CASE status WHEN 'deleted' THEN deleted_at ELSE updated_at END, 1,
            coalesce(size_bytes, 0), 0
        FROM old_rows WHERE status IN ('deleted', 'missing')
    ) AS part
    GROUP BY 1, 2
    HAVING sum(copies) <> 0 OR sum(bytes) <> 0 OR sum(arrived_bytes) <> 0;
    IF FOUND THEN
        PERFORM opsdb_fold_usage((SELECT array_agg(DISTINCT data_location_id) FROM new_rows));
    END IF;
    RETURN NULL;
END
$$;

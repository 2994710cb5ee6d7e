-- The change log: every change with what it changed, who made it and why, written by the database itself, so that
-- update(), bulk statements and plain SQL are covered. Clients name the actor by the settings opsdb.user_id,
-- opsdb.origin and opsdb.reason of their transaction. The functions that write it run with the rights of the owner,
-- so that no other role needs a right to write it.

CREATE OR REPLACE FUNCTION opsdb_difference(old_row jsonb, new_row jsonb) RETURNS TABLE (before jsonb, after jsonb)
LANGUAGE sql IMMUTABLE
-- What an update changed, as the change log keeps it: one row, of NULLs when nothing differs.
-- OFFSET 0 has each argument evaluated once, also where PostgreSQL inlines the function.
BEGIN ATOMIC
    SELECT jsonb_object_agg(key, value), jsonb_object_agg(key, given.now -> key)
    FROM (SELECT new_row AS now OFFSET 0) AS given, jsonb_each(old_row)
    WHERE value IS DISTINCT FROM given.now -> key AND key NOT IN ('updated_at', 'heartbeat_at', 'unpack_heartbeat_at');
END;

CREATE OR REPLACE FUNCTION opsdb_recorded_actor(deleted_user text DEFAULT NULL) RETURNS text
LANGUAGE plpgsql STABLE SET search_path FROM CURRENT AS $$
-- The key of the user who acts in this transaction, NULL when none is named; a user that does not exist is refused.
-- The user whose row was deleted by this very change did exist.
DECLARE
    actor text = opsdb_acting_user();
BEGIN
    IF actor IS NOT NULL AND actor IS DISTINCT FROM deleted_user AND opsdb_username(actor) IS NULL THEN
        PERFORM opsdb_refuse(
            'change_log_actor_exists', 'change_log',
            format('change_log: there is no user with the key %s, whom opsdb.user_id names as the acting user', actor),
            'Set opsdb.user_id to the key of an existing user, or leave it empty.'
        );
    END IF;
    RETURN actor;
END
$$;

CREATE OR REPLACE FUNCTION opsdb_notify(changed_table text) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
-- Notifies those who follow changes, at the commit: once a transaction and table, which PostgreSQL sees to.
BEGIN
    IF current_setting('opsdb.notify', true) IS DISTINCT FROM 'off' THEN
        PERFORM pg_notify('opsdb', changed_table);
    END IF;
END
$$;

CREATE OR REPLACE FUNCTION opsdb_record_change(changed_table text, what text, old_row jsonb, new_row jsonb)
RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
-- Writes one change into the change log, without the values of secrets.
DECLARE
    old_values jsonb = old_row;
    new_values jsonb = new_row;
    actor change_log.user_id%TYPE;
    secret text;
BEGIN
    IF what = 'update' THEN
        SELECT before, after INTO old_values, new_values FROM opsdb_difference(old_row, new_row);
        IF old_values IS NULL THEN
            RETURN;
        END IF;
    END IF;
    IF old_values ?| ARRAY['password', 'token_hash'] OR new_values ?| ARRAY['password', 'token_hash'] THEN
        FOREACH secret IN ARRAY ARRAY['password', 'token_hash'] LOOP
            IF old_values ? secret THEN
                old_values = old_values || jsonb_build_object(secret, '(hidden)');
            END IF;
            IF new_values ? secret THEN
                new_values = new_values || jsonb_build_object(secret, '(hidden)');
            END IF;
        END LOOP;
    END IF;
    actor = opsdb_recorded_actor(CASE WHEN what = 'delete' AND changed_table = 'user' THEN old_row ->> 'id' END);
    INSERT INTO change_log (
        changed_at, table_name, row_id, operation, before, after,
        user_id, origin, reason,
        database_user, transaction_id
    ) VALUES (
        clock_timestamp(), changed_table, coalesce(new_row, old_row) ->> 'id', what, old_values, new_values,
        actor, coalesce(current_setting('opsdb.origin', true), ''), coalesce(current_setting('opsdb.reason', true), ''),
        session_user, pg_current_xact_id()::text::bigint
    );
    PERFORM opsdb_notify(changed_table);
END
$$;

CREATE OR REPLACE FUNCTION opsdb_log_change() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
-- Writes a change of a row into the change log.
-- TG_ARGV: columns that the database derives and the log leaves out.
BEGIN
    IF TG_NARGS = 0 THEN
        PERFORM opsdb_record_change(TG_TABLE_NAME, lower(TG_OP), to_jsonb(OLD), to_jsonb(NEW));
    ELSE
        PERFORM opsdb_record_change(
            TG_TABLE_NAME, lower(TG_OP), to_jsonb(OLD) - TG_ARGV::text[], to_jsonb(NEW) - TG_ARGV::text[]
        );
    END IF;
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION opsdb_log_bulk_update() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
-- Writes what one statement updated into the change log, for a fraction of the cost of a trigger per row: of many rows
-- only the columns that change in any of them are compared one by one.
-- For tables whose rows change by the thousand, hold no secrets and keep their ids.
-- The queries are planned at each call: a plan that was kept for few rows is quadratic for many.
DECLARE
    actor change_log.user_id%TYPE = opsdb_recorded_actor();
    many_rows constant integer = 50;
    comparisons text;
    changed text[];
    difference text = 'SELECT * FROM opsdb_difference(to_jsonb(old_rows), to_jsonb(new_rows))';
    written bigint;
BEGIN
    IF (SELECT count(*) FROM (SELECT FROM new_rows LIMIT many_rows) AS first_rows) = many_rows THEN
        SELECT string_agg(
            format('CASE WHEN bool_or(old_rows.%1$I IS DISTINCT FROM new_rows.%1$I) THEN %1$L END', attname), ', '
            ORDER BY attnum
        ) INTO comparisons
        FROM pg_attribute
        WHERE attrelid = TG_RELID AND attnum > 0 AND NOT attisdropped
            AND attname NOT IN ('updated_at', 'heartbeat_at', 'unpack_heartbeat_at');
        EXECUTE format(
            'SELECT array_remove(ARRAY[%s]::text[], NULL) FROM old_rows JOIN new_rows USING (id)', comparisons
        ) INTO changed;
        IF changed = '{}' THEN
            RETURN NULL;
        END IF;
        IF cardinality(changed) = 1 THEN
            difference = format(
                'SELECT jsonb_build_object(%1$L, old_rows.%1$I), jsonb_build_object(%1$L, new_rows.%1$I) '
                'WHERE old_rows.%1$I IS DISTINCT FROM new_rows.%1$I',
                changed[1]
            );
        ELSE
            SELECT format(
                'SELECT * FROM opsdb_difference(jsonb_build_object(%s), jsonb_build_object(%s))',
                string_agg(format('%1$L, old_rows.%1$I', name), ', '),
                string_agg(format('%1$L, new_rows.%1$I', name), ', ')
            ) INTO difference
            FROM unnest(changed) AS name;
        END IF;
    END IF;
    EXECUTE format(
        $query$
            INSERT INTO change_log (
                changed_at, table_name, row_id, operation, before, after,
                user_id, origin, reason, database_user, transaction_id
            )
            SELECT
                clock_timestamp(), $1, new_rows.id::text, 'update', difference.before, difference.after,
                $2, $3, $4, session_user, pg_current_xact_id()::text::bigint
            FROM old_rows
            JOIN new_rows USING (id)
            CROSS JOIN LATERAL (%s) AS difference (before, after)
            WHERE difference.before IS NOT NULL
        $query$,
        difference
    ) USING
        TG_TABLE_NAME,
        actor,
        coalesce(current_setting('opsdb.origin', true), ''),
        coalesce(current_setting('opsdb.reason', true), '');
    GET DIAGNOSTICS written = ROW_COUNT;
    IF written > 0 THEN
        PERFORM opsdb_notify(TG_TABLE_NAME);
    END IF;
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION opsdb_log_bulk_insert() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
-- Writes what one statement inserted into the change log, for a fraction of the cost of a trigger per row.
-- For tables that hold no secrets.
DECLARE
    actor change_log.user_id%TYPE = opsdb_recorded_actor();
    given_origin text = coalesce(current_setting('opsdb.origin', true), '');
    given_reason text = coalesce(current_setting('opsdb.reason', true), '');
BEGIN
    INSERT INTO change_log (
        changed_at, table_name, row_id, operation, after,
        user_id, origin, reason, database_user, transaction_id
    )
    SELECT
        clock_timestamp(), TG_TABLE_NAME, new_rows.id::text, 'insert', to_jsonb(new_rows),
        actor, given_origin, given_reason, session_user, pg_current_xact_id()::text::bigint
    FROM new_rows;
    IF FOUND THEN
        PERFORM opsdb_notify(TG_TABLE_NAME);
    END IF;
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION opsdb_log_inserted_keys() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
-- Writes the keys of what one statement inserted into the change log, at most a thousand an entry.
-- For large tables, of which the log has no copy.
DECLARE
    keys_at_once constant integer = 1000;
    actor change_log.user_id%TYPE = opsdb_recorded_actor();
    given_origin text = coalesce(current_setting('opsdb.origin', true), '');
    given_reason text = coalesce(current_setting('opsdb.reason', true), '');
BEGIN
    INSERT INTO change_log (
        changed_at, table_name, row_id, operation, after,
        user_id, origin, reason, database_user, transaction_id
    )
    SELECT
        clock_timestamp(), TG_TABLE_NAME, '', 'inserts', jsonb_build_object('id', jsonb_agg(id)),
        actor, given_origin, given_reason, session_user, pg_current_xact_id()::text::bigint
    FROM (SELECT id, (row_number() OVER () - 1) / keys_at_once AS part FROM new_rows) AS numbered
    GROUP BY part;
    IF FOUND THEN
        PERFORM opsdb_notify(TG_TABLE_NAME);
    END IF;
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION opsdb_log_link() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
-- Writes a link that is made or taken into the change log, as a change of the row that has the links.
-- TG_ARGV: table of that row; name of the links; the link's column for the row, and for what is linked.
DECLARE
    old_link jsonb = to_jsonb(OLD);
    new_link jsonb = to_jsonb(NEW);
    owner jsonb = coalesce(new_link, old_link) -> TG_ARGV[2];
BEGIN
    PERFORM opsdb_record_change(
        TG_ARGV[0], 'update',
        jsonb_build_object('id', owner, TG_ARGV[1], old_link -> TG_ARGV[3]),
        jsonb_build_object('id', owner, TG_ARGV[1], new_link -> TG_ARGV[3])
    );
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION opsdb_make_month(first_day date) RETURNS integer
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
-- The change log has a partition for a month (UTC); the number of those made is returned, 0 if there is one.
DECLARE
    month_start timestamptz = first_day::timestamp AT TIME ZONE 'UTC';
    month_end timestamptz = (first_day + interval '1 month') AT TIME ZONE 'UTC';
    partition_name text = 'change_log_' || to_char(first_day, 'YYYY_MM');
BEGIN
    IF EXISTS (
        SELECT FROM pg_inherits JOIN pg_class ON pg_class.oid = pg_inherits.inhrelid
        WHERE pg_inherits.inhparent = 'change_log'::regclass AND pg_class.relname = partition_name
    ) THEN
        RETURN 0;
    END IF;
    EXECUTE format(
        'CREATE TABLE %1$I.%2$I PARTITION OF %1$I.change_log FOR VALUES FROM (%3$L) TO (%4$L)',
        current_schema(), partition_name, month_start, month_end
    );
    EXECUTE format(
        'COMMENT ON TABLE %I.%I IS %L',
        current_schema(), partition_name, 'Changes of ' || to_char(first_day, 'YYYY-MM') || ', UTC.'
    );
    EXECUTE format(
        'CREATE TRIGGER %2$I BEFORE TRUNCATE ON %1$I.%3$I FOR EACH STATEMENT '
        'EXECUTE FUNCTION %1$I.opsdb_refuse_truncation()',
        current_schema(), partition_name || '_never_truncated', partition_name
    );
    RETURN 1;
END
$$;

CREATE OR REPLACE FUNCTION opsdb_make_months() RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
-- The change log has a partition for this month (UTC) and each of the next 24; the number of those made is returned.
-- A month of which the default partition holds changes stays there, until opsdb_migrate moves them.
DECLARE
    this_month timestamp = date_trunc('month', clock_timestamp() AT TIME ZONE 'UTC');
    month timestamp;
    made integer = 0;
BEGIN
    FOR month IN SELECT this_month + make_interval(months => number) FROM generate_series(0, 24) AS number LOOP
        IF NOT EXISTS (
            SELECT FROM change_log_default
            WHERE changed_at >= month AT TIME ZONE 'UTC'
                AND changed_at < (month + interval '1 month') AT TIME ZONE 'UTC'
        ) THEN
            made = made + opsdb_make_month(month::date);
        END IF;
    END LOOP;
    RETURN made;
END
$$;

CREATE OR REPLACE FUNCTION opsdb_make_months_in_time() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
-- A change for which no month was made is in the default partition; the months after it are made when its transaction
-- ends, by one transaction, and only if nobody would have to wait for it. The change is recorded whatever happens.
BEGIN
    IF pg_try_advisory_xact_lock(hashtext('opsdb months of the change log')) THEN
        PERFORM set_config('lock_timeout', '100ms', true);
        PERFORM opsdb_make_months();
    END IF;
    RETURN NULL;
EXCEPTION
    WHEN OTHERS THEN
        RAISE WARNING 'change_log: the partitions of the next months could not be made (%); run opsdb_migrate', SQLERRM;
        RETURN NULL;
END
$$;

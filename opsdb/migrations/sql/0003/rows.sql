-- What may happen to a row, whatever table it is in: how a refusal looks, columns that stay, rows that are never
-- changed, deleted or emptied. Every trigger function here is used by many tables and takes what differs from TG_ARGV.

CREATE OR REPLACE FUNCTION opsdb_refuse(
    rule name, table_name name, message text, hint text, column_name text DEFAULT NULL
) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
-- Refuses a row as a violated check, so that clients get an integrity error with rule, table, message, and what to do.
BEGIN
    IF column_name IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = rule, TABLE = table_name, MESSAGE = message,
            HINT = coalesce(hint, '');
    ELSE
        RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = rule, TABLE = table_name, MESSAGE = message,
            HINT = coalesce(hint, ''), COLUMN = column_name;
    END IF;
END
$$;

CREATE OR REPLACE FUNCTION opsdb_name_location(location_id bigint) RETURNS text
LANGUAGE sql STABLE SET search_path FROM CURRENT AS $$
-- How messages name a location: site/location, because a name is one of its site only.
    SELECT site.short_name || '/' || data_location.name
    FROM data_location JOIN site ON site.id = data_location.site_id
    WHERE data_location.id = location_id
$$;

CREATE OR REPLACE FUNCTION opsdb_refuse_row() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
-- Refuses every row that reaches it: the condition is the trigger's WHEN clause.
-- TG_ARGV: message, with {old.column} and {new.column} for values; hint.
DECLARE
    message text = TG_ARGV[0];
    old_row jsonb = to_jsonb(OLD);
    new_row jsonb = to_jsonb(NEW);
    place text[];
BEGIN
    FOR place IN SELECT regexp_matches(TG_ARGV[0], '\{(old|new)\.(\w+)\}', 'g') LOOP
        message = replace(
            message,
            '{' || place[1] || '.' || place[2] || '}',
            coalesce(CASE place[1] WHEN 'old' THEN old_row ELSE new_row END ->> place[2], 'empty')
        );
    END LOOP;
    PERFORM opsdb_refuse(TG_NAME, TG_TABLE_NAME, message, TG_ARGV[1]);
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION opsdb_refuse_change() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
-- Columns that other rows and other rules build on stay as they were set; the trigger's WHEN clause compares them.
-- TG_ARGV: the columns; hint.
BEGIN
    PERFORM opsdb_refuse(
        TG_NAME, TG_TABLE_NAME,
        format('%s %s: %s cannot be changed once set', TG_TABLE_NAME, to_jsonb(OLD) ->> 'id', TG_ARGV[0]),
        TG_ARGV[1]
    );
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION opsdb_refuse_rewriting() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
-- Rows that record what happened are appended to and never rewritten. A partition is named as the whole table.
-- TG_ARGV: what the row is; how it stays, such as "never changed or removed"; hint.
DECLARE
    whole name = coalesce((SELECT relname FROM pg_class WHERE oid = pg_partition_root(TG_RELID)), TG_TABLE_NAME);
BEGIN
    PERFORM opsdb_refuse(TG_NAME, whole, format('%s %s: %s is %s', whole, OLD.id, TG_ARGV[0], TG_ARGV[1]), TG_ARGV[2]);
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION opsdb_refuse_deletion() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
-- What happened at the telescope, and every copy of it, keeps its row for good.
-- TG_ARGV: what the row is; hint.
BEGIN
    PERFORM opsdb_refuse(
        TG_NAME, TG_TABLE_NAME, format('%s %s: %s is never deleted', TG_TABLE_NAME, OLD.id, TG_ARGV[0]), TG_ARGV[1]
    );
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION opsdb_refuse_truncation() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
-- TRUNCATE passes by the triggers of rows, so that it needs a guard of its own.
BEGIN
    PERFORM opsdb_refuse(
        TG_NAME, TG_TABLE_NAME, TG_TABLE_NAME || ': is never emptied',
        'Delete single rows, where their table allows it; to begin anew, make another database.'
    );
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION opsdb_keep_updated_at() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
-- Keeps updated_at right whatever changes the row: a form, update() or plain SQL.
BEGIN
    NEW.updated_at = statement_timestamp();
    RETURN NEW;
END
$$;

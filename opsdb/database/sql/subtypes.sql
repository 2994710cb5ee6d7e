-- Joined inheritance: the row of a subtype and the row of its parent have the same id, agree in the discriminator,
-- and are inserted and deleted together.

CREATE OR REPLACE FUNCTION opsdb_require_parent() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
-- The row of a subtype needs a parent that names this subtype; looked at once a statement.
-- TG_ARGV: table of the parent; its discriminator; the subtype.
DECLARE
    wrong record;
BEGIN
    EXECUTE format(
        'SELECT added.id, parent.%1$I::text AS found_type FROM added LEFT JOIN %2$I AS parent ON parent.id = added.id '
        'WHERE parent.%1$I IS DISTINCT FROM $1 ORDER BY added.id LIMIT 1',
        TG_ARGV[1], TG_ARGV[0]
    ) INTO wrong USING TG_ARGV[2];
    IF wrong.id IS NOT NULL THEN
        PERFORM opsdb_refuse(
            TG_NAME, TG_TABLE_NAME,
            format(
                '%s %s: its %s must have the %s %s, but %s',
                TG_TABLE_NAME, wrong.id, TG_ARGV[0], TG_ARGV[1], TG_ARGV[2],
                coalesce('it has ' || wrong.found_type, 'there is none')
            ),
            format('Insert the row of %s with %s %s and the same id first.', TG_ARGV[0], TG_ARGV[1], TG_ARGV[2])
        );
    END IF;
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION opsdb_stay_with_parent() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
-- The row of a subtype is not deleted alone.
-- TG_ARGV: table of the parent.
DECLARE
    parent_stays boolean;
BEGIN
    EXECUTE format('SELECT EXISTS (SELECT FROM %I WHERE id = $1)', TG_ARGV[0]) INTO parent_stays USING OLD.id;
    IF parent_stays THEN
        PERFORM opsdb_refuse(
            TG_NAME, TG_TABLE_NAME,
            format('%s %s: cannot be deleted while its %s row stays', TG_TABLE_NAME, OLD.id, TG_ARGV[0]),
            format('Delete the %s row too, in the same transaction.', TG_ARGV[0])
        );
    END IF;
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION opsdb_touch_parent() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
-- Changes the parent's updated_at with the row of the subtype, too.
-- TG_ARGV: table of the parent.
BEGIN
    EXECUTE format('UPDATE %I SET id = id WHERE id = $1', TG_ARGV[0]) USING NEW.id;
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION opsdb_require_subtype() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
-- A parent has the row of its subtype when the transaction ends.
-- TG_ARGV: the discriminator; a JSON object that names the table of every subtype.
DECLARE
    subtype text = to_jsonb(NEW) ->> TG_ARGV[0];
    subtype_table text = TG_ARGV[1]::jsonb ->> subtype;
    parent_stays boolean;
    has_own_row boolean = false;
BEGIN
    IF subtype_table IS NOT NULL THEN
        EXECUTE format('SELECT EXISTS (SELECT FROM %I WHERE id = $1)', subtype_table) INTO has_own_row USING NEW.id;
    END IF;
    IF has_own_row THEN
        RETURN NULL;
    END IF;
    EXECUTE format('SELECT EXISTS (SELECT FROM %I WHERE id = $1)', TG_TABLE_NAME) INTO parent_stays USING NEW.id;
    IF parent_stays THEN
        PERFORM opsdb_refuse(
            TG_NAME, TG_TABLE_NAME,
            format(
                '%s %s: has the %s %s, but no row in %s',
                TG_TABLE_NAME, NEW.id, TG_ARGV[0], subtype, coalesce(subtype_table, 'the table of that subtype')
            ),
            'Insert that row too, with the same id and in the same transaction.'
        );
    END IF;
    RETURN NULL;
END
$$;

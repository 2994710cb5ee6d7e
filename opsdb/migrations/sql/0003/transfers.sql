-- Routes and transfers: where a route ends, what a transfer reads, and the hops of a relay.

CREATE OR REPLACE FUNCTION opsdb_route_locations_at_ends() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
-- The locations of a custom route are at the sites of its ends.
DECLARE
    wrong record;
BEGIN
    PERFORM opsdb_require_row(TG_NAME, TG_TABLE_NAME || ' ' || NEW.id, 'data_location', NEW.origin_location_id);
    PERFORM opsdb_require_row(TG_NAME, TG_TABLE_NAME || ' ' || NEW.id, 'data_location', NEW.destination_location_id);
    SELECT id, CASE id WHEN NEW.origin_location_id THEN 'origin' ELSE 'destination' END AS end_of INTO wrong
    FROM data_location
    WHERE (id = NEW.origin_location_id AND site_id <> NEW.origin_site_id)
        OR (id = NEW.destination_location_id AND site_id <> NEW.destination_site_id)
    LIMIT 1;
    IF FOUND THEN
        PERFORM opsdb_refuse(
            TG_NAME, TG_TABLE_NAME,
            format(
                'data_transfer_route %1$s: its %2$s_location %3$s is not at its %2$s site',
                NEW.id, wrong.end_of, opsdb_name_location(wrong.id)
            ),
            'Choose a location of that site.'
        );
    END IF;
    RETURN NEW;
END
$$;

CREATE OR REPLACE FUNCTION opsdb_read_what_stays() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
-- A transfer that is planned, or tried again, waits for a deletion of the copy that it would read, and sees it.
-- TG_ARGV: table of what is transferred.
DECLARE
    content uuid = to_jsonb(NEW) ->> (TG_ARGV[0] || '_id');
    is_deleted boolean;
BEGIN
    EXECUTE format('SELECT FROM %I WHERE id = $1 FOR KEY SHARE', TG_ARGV[0]) USING content;
    EXECUTE format(
        'SELECT EXISTS (SELECT FROM physical_copy WHERE %I = $1 AND data_location_id = $2 AND status = %L)',
        TG_ARGV[0] || '_id', 'deletion_in_progress'
    ) INTO is_deleted USING content, NEW.origin_location_id;
    IF is_deleted THEN
        PERFORM opsdb_refuse(
            TG_NAME, TG_TABLE_NAME,
            format(
                '%s %s: the copy of %s %s at %s, which it would read, is being deleted',
                TG_TABLE_NAME, NEW.id, TG_ARGV[0], content, opsdb_name_location(NEW.origin_location_id)
            ),
            'Plan a transfer from another location that has a copy.'
        );
    END IF;
    RETURN NEW;
END
$$;

CREATE OR REPLACE FUNCTION opsdb_wait_for_hop() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
-- A hop of a relay begins when the one before it is completed.
DECLARE
    state text;
BEGIN
    SELECT status INTO state FROM data_transfer WHERE id = NEW.depends_on_id FOR SHARE;
    IF state <> 'completed' THEN
        PERFORM opsdb_refuse(
            TG_NAME, TG_TABLE_NAME,
            format(
                'data_transfer %s: cannot become %s yet, because data_transfer %s, the hop before it, is %s',
                NEW.id, NEW.status, NEW.depends_on_id, state
            ),
            'Wait until that hop is completed; if it has failed, reset it.'
        );
    END IF;
    RETURN NEW;
END
$$;

CREATE OR REPLACE FUNCTION opsdb_connect_hops() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
-- The hop before brings the same package to where this one starts.
BEGIN
    IF NOT EXISTS (
        SELECT FROM data_transfer
        WHERE id = NEW.depends_on_id
            AND data_transfer_package_id = NEW.data_transfer_package_id
            AND destination_location_id = NEW.origin_location_id
    ) THEN
        PERFORM opsdb_refuse(
            TG_NAME, TG_TABLE_NAME,
            format(
                'data_transfer %s: data_transfer %s, the hop before it, does not bring the same bundle to where this '
                'one starts', NEW.id, NEW.depends_on_id
            ),
            'Choose a transfer of that bundle that ends at the origin of this one, or leave depends_on_id empty.'
        );
    END IF;
    RETURN NEW;
END
$$;

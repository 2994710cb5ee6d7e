-- Requests for deletion: asked for by one person, decided by another, and kept as they were decided.

CREATE OR REPLACE FUNCTION opsdb_decide_in_person() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
-- Whoever decides a request is the one who is logged in.
DECLARE
    actor text = nullif(current_setting('opsdb.user_id', true), '');
BEGIN
    IF actor <> NEW.approved_by_id::text THEN
        PERFORM opsdb_refuse(
            TG_NAME, TG_TABLE_NAME,
            'deletion_request ' || OLD.id || ': user ' || actor || ' cannot decide it in the name of user '
            || NEW.approved_by_id
        );
    END IF;
    RETURN NEW;
END
$$;

CREATE OR REPLACE FUNCTION opsdb_copy_at_location() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
-- The copies of a request are at the request's location.
BEGIN
    IF (SELECT data_location_id FROM deletion_request WHERE id = NEW.deletion_request_id)
        <> (SELECT data_location_id FROM physical_copy WHERE id = NEW.physical_copy_id)
    THEN
        PERFORM opsdb_refuse(
            TG_NAME, TG_TABLE_NAME,
            format(
                'deletion_request %s: physical_copy %s is at another location',
                NEW.deletion_request_id, NEW.physical_copy_id
            )
        );
    END IF;
    RETURN NEW;
END
$$;

CREATE OR REPLACE FUNCTION opsdb_keep_within_limit() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
-- Copies are added to a request before it is decided, and no more than its limit.
DECLARE
    request record;
    number bigint;
BEGIN
    FOR request IN
        SELECT * FROM deletion_request
        WHERE id IN (SELECT deletion_request_id FROM added) ORDER BY id FOR UPDATE
    LOOP
        IF request.status <> 'requested' THEN
            PERFORM opsdb_refuse(
                TG_NAME, TG_TABLE_NAME,
                format('deletion_request %s: is %s, no copy can be added to it', request.id, request.status),
                'Make a new request.'
            );
        END IF;
        SELECT count(*) INTO number FROM deletion_request_item WHERE deletion_request_id = request.id;
        IF number > request."limit" THEN
            PERFORM opsdb_refuse(
                TG_NAME, TG_TABLE_NAME,
                format('deletion_request %s: has %s copies, and its limit is %s', request.id, number, request."limit")
            );
        END IF;
    END LOOP;
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION opsdb_keep_decided_items() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
-- No copy is taken from a request that was decided.
DECLARE
    state text;
BEGIN
    SELECT status INTO state FROM deletion_request WHERE id = OLD.deletion_request_id FOR UPDATE;
    IF state <> 'requested' THEN
        PERFORM opsdb_refuse(
            TG_NAME, TG_TABLE_NAME,
            format(
                'deletion_request %s: is %s, physical_copy %s cannot be taken from it',
                OLD.deletion_request_id, state, OLD.physical_copy_id
            ),
            'Reject it, and make a new request.'
        );
    END IF;
    RETURN OLD;
END
$$;

-- Requests for deletion: asked for by one person, decided by another, and kept as they were decided. Who acts is the
-- user of the transaction (opsdb.user_id); where none is known, nothing is requested and nothing decided.

CREATE OR REPLACE FUNCTION opsdb_acting_user() RETURNS text
LANGUAGE sql STABLE
-- The key of the user who acts in this transaction; NULL when none is known.
RETURN nullif(current_setting('opsdb.user_id', true), '');

CREATE OR REPLACE FUNCTION opsdb_name_user(user_key text) RETURNS text
LANGUAGE sql STABLE SET search_path FROM CURRENT AS $$
-- How messages name a user: by the username, or by the key where there is no such user.
    SELECT coalesce('user ' || opsdb_username(user_key), 'the unknown user with the key ' || user_key, 'nobody')
$$;

CREATE OR REPLACE FUNCTION opsdb_name_actor() RETURNS text
LANGUAGE sql STABLE SET search_path FROM CURRENT AS $$
-- How messages name the user who acts in this transaction.
    SELECT CASE WHEN opsdb_acting_user() IS NULL THEN 'an unknown user' ELSE opsdb_name_user(opsdb_acting_user()) END
$$;

CREATE OR REPLACE FUNCTION opsdb_require_requester(rule name, request_id bigint, requester text, what text)
RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
-- Only the person who made a request changes it, so that nobody approves terms of their own.
DECLARE
    actor text = opsdb_acting_user();
BEGIN
    IF actor IS DISTINCT FROM requester THEN
        PERFORM opsdb_refuse(
            rule, 'deletion_request',
            format(
                'deletion_request %s: %s cannot %s; only %s, who asked, can',
                request_id, opsdb_name_actor(), what, opsdb_name_user(requester)
            ),
            'Ask that user to do it; or have the request rejected, and make one of your own.'
        );
    END IF;
END
$$;

CREATE OR REPLACE FUNCTION opsdb_file_in_person() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
-- The person who makes a request is the one who is logged in; the database sets the person and the time.
DECLARE
    actor text = opsdb_acting_user();
BEGIN
    IF actor IS NULL THEN
        PERFORM opsdb_refuse(
            TG_NAME, TG_TABLE_NAME,
            'deletion_request ' || NEW.id || ': cannot be made without an acting user',
            'Sign in; a program sets the acting user, opsdb.user_id, in its transaction.'
        );
    END IF;
    NEW.requested_by_id = coalesce(NEW.requested_by_id::text, actor);
    IF NEW.requested_by_id::text <> actor THEN
        PERFORM opsdb_refuse(
            TG_NAME, TG_TABLE_NAME,
            format(
                'deletion_request %s: %s cannot ask for it in the name of %s',
                NEW.id, opsdb_name_actor(), opsdb_name_user(NEW.requested_by_id::text)
            ),
            'Sign in as that user, or leave requested_by_id empty: it is set to the signed-in user.'
        );
    END IF;
    NEW.created_at = statement_timestamp();
    RETURN NEW;
END
$$;

CREATE OR REPLACE FUNCTION opsdb_edit_in_person() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
-- Only the person who asked edits a request, or takes it back.
BEGIN
    PERFORM opsdb_require_requester(
        TG_NAME, OLD.id, OLD.requested_by_id::text, CASE TG_OP WHEN 'UPDATE' THEN 'edit it' ELSE 'delete it' END
    );
    RETURN coalesce(NEW, OLD);
END
$$;

CREATE OR REPLACE FUNCTION opsdb_why_not_decide(decider text, requester text, asked_at timestamptz, called text)
RETURNS text
LANGUAGE plpgsql STABLE SET search_path FROM CURRENT AS $$
-- Why a person cannot decide the request of another one, who is called so in the text; NULL when they can.
-- The decider's account is older than the request, and neither it nor its rights were given by the one who made the
-- request.
DECLARE
    reason text;
BEGIN
    SELECT 'the account ' || CASE
        WHEN change.operation = 'insert' AND change.changed_at > asked_at THEN 'was created after the request'
        WHEN change.operation = 'insert' THEN 'was created by ' || called
        ELSE 'got rights or its password from ' || called
    END INTO reason
    FROM change_log AS change
    WHERE change.table_name = 'user' AND change.row_id = decider AND (
        (change.operation = 'insert' AND change.changed_at > asked_at)
        OR (
            change.user_id::text = requester
            AND (
                change.operation = 'insert'
                OR change.after ?| ARRAY[
                    'password', 'groups', 'user_permissions', 'is_superuser', 'is_staff', 'is_active'
                ]
            )
        )
    )
    ORDER BY change.id LIMIT 1;
    -- A host project with a user model of its own has other tables of links.
    IF reason IS NULL AND to_regclass('user_groups') IS NOT NULL THEN
        IF EXISTS (
            SELECT FROM user_groups AS link
            JOIN change_log AS change ON change.table_name = 'role' AND change.row_id = link.group_id::text
            WHERE link.user_id::text = decider AND change.user_id::text = requester AND change.after ? 'permissions'
        ) THEN
            reason = 'a role of the account got permissions from ' || called;
        END IF;
    END IF;
    RETURN reason;
END
$$;

CREATE OR REPLACE FUNCTION opsdb_decide_in_person() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
-- The decider is the one who is logged in. Their account is older than the request, and neither it nor its rights were
-- given by the one who made the request. The database sets the person and the time.
DECLARE
    actor text = opsdb_acting_user();
    reason text;
BEGIN
    IF actor IS NULL THEN
        PERFORM opsdb_refuse(
            TG_NAME, TG_TABLE_NAME,
            'deletion_request ' || OLD.id || ': cannot be decided without an acting user',
            'Sign in; a program sets the acting user, opsdb.user_id, in its transaction.'
        );
    END IF;
    NEW.approved_by_id = coalesce(NEW.approved_by_id::text, actor);
    IF NEW.approved_by_id::text <> actor THEN
        PERFORM opsdb_refuse(
            TG_NAME, TG_TABLE_NAME,
            format(
                'deletion_request %s: %s cannot decide it in the name of %s',
                OLD.id, opsdb_name_actor(), opsdb_name_user(NEW.approved_by_id::text)
            ),
            'Sign in as that user, or leave approved_by_id empty: it is set to the signed-in user.'
        );
    END IF;
    reason = opsdb_why_not_decide(
        actor, OLD.requested_by_id::text, OLD.created_at, opsdb_name_user(OLD.requested_by_id::text) || ', who asked'
    );
    IF reason IS NOT NULL THEN
        PERFORM opsdb_refuse(
            TG_NAME, TG_TABLE_NAME,
            format('deletion_request %s: %s cannot decide it, because %s', OLD.id, opsdb_name_actor(), reason),
            'Ask another person who has the permission to approve it.'
        );
    END IF;
    NEW.decided_at = statement_timestamp();
    RETURN NEW;
END
$$;

CREATE OR REPLACE FUNCTION opsdb_execute_now() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
-- The time of an execution is the database's.
BEGIN
    NEW.executed_at = statement_timestamp();
    RETURN NEW;
END
$$;

CREATE OR REPLACE FUNCTION opsdb_copy_at_location() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
-- The copies of a request are at the request's location.
BEGIN
    PERFORM opsdb_require_row(TG_NAME, TG_TABLE_NAME || ' ' || NEW.id, 'deletion_request', NEW.deletion_request_id);
    IF (SELECT data_location_id FROM deletion_request WHERE id = NEW.deletion_request_id)
        IS DISTINCT FROM (SELECT data_location_id FROM physical_copy WHERE id = NEW.physical_copy_id)
    THEN
        PERFORM opsdb_refuse(
            TG_NAME, TG_TABLE_NAME,
            format(
                'deletion_request %s: physical_copy %s is at another location',
                NEW.deletion_request_id, NEW.physical_copy_id
            ),
            'Leave the copy out, or make another request at its location.'
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
                format('deletion_request %s: is %s, so no copy can be added to it', request.id, request.status),
                'Make a new request for these copies.'
            );
        END IF;
        PERFORM opsdb_require_requester(TG_NAME, request.id, request.requested_by_id::text, 'add copies to it');
        SELECT count(*) INTO number FROM deletion_request_item WHERE deletion_request_id = request.id;
        IF number > request."limit" THEN
            PERFORM opsdb_refuse(
                TG_NAME, TG_TABLE_NAME,
                format('deletion_request %s: has %s copies, and its limit is %s', request.id, number, request."limit"),
                'Leave copies out, or make another request for them.'
            );
        END IF;
    END LOOP;
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION opsdb_keep_decided_items() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
-- No copy is taken from a request that was decided, and from another only by the one who asked.
DECLARE
    request record;
BEGIN
    SELECT status, requested_by_id INTO request
    FROM deletion_request WHERE id = OLD.deletion_request_id FOR UPDATE;
    IF request.status <> 'requested' THEN
        PERFORM opsdb_refuse(
            TG_NAME, TG_TABLE_NAME,
            format(
                'deletion_request %s: is %s, so physical_copy %s cannot be taken from it',
                OLD.deletion_request_id, request.status, OLD.physical_copy_id
            ),
            CASE request.status
                WHEN 'approved' THEN 'Reject it, and make a new request.'
                WHEN 'executed' THEN 'Cancel the deletion of that copy, if its bytes are still there.'
                ELSE 'Leave it; none of its copies is deleted because of it.'
            END
        );
    END IF;
    -- A request that is deleted takes its items with it, and has been checked itself.
    IF request.requested_by_id IS NOT NULL THEN
        PERFORM opsdb_require_requester(
            TG_NAME, OLD.deletion_request_id, request.requested_by_id::text, 'take copies from it'
        );
    END IF;
    RETURN OLD;
END
$$;

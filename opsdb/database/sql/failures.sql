-- Acknowledgements of failures: made by who is logged in, for a limited time, and ended once.

CREATE OR REPLACE FUNCTION opsdb_acknowledge_in_person() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
-- The acting user acknowledges failures, in no other name, not for the past, and for 90 days at most.
DECLARE
    actor text = opsdb_acting_user();
BEGIN
    IF NEW.acknowledged_by_id IS NULL THEN
        PERFORM opsdb_refuse(
            TG_NAME, TG_TABLE_NAME,
            format('failure_acknowledgement %s: acknowledged_by_id must be given', NEW.id),
            'Give the user who is signed in, whom a program sets as opsdb.user_id in its transaction.'
        );
    END IF;
    IF actor IS DISTINCT FROM NEW.acknowledged_by_id::text THEN
        PERFORM opsdb_refuse(
            TG_NAME, TG_TABLE_NAME,
            format(
                'failure_acknowledgement %s: %s cannot acknowledge in the name of %s',
                NEW.id, opsdb_name_actor(), opsdb_name_user(NEW.acknowledged_by_id::text)
            ),
            'Sign in as that user, or acknowledge in your own name.'
        );
    END IF;
    IF NEW.ended_at IS NOT NULL THEN
        PERFORM opsdb_refuse(
            TG_NAME, TG_TABLE_NAME,
            format('failure_acknowledgement %s: a new acknowledgement cannot have ended', NEW.id),
            'Leave ended_at empty.'
        );
    END IF;
    -- A CHECK refuses what is no time at all.
    IF isfinite(NEW.until)
        AND (NEW.until <= statement_timestamp() OR NEW.until > statement_timestamp() + interval '90 days')
    THEN
        PERFORM opsdb_refuse(
            TG_NAME, TG_TABLE_NAME,
            format(
                'failure_acknowledgement %s: cannot hold until %s, which is not in the next 90 days', NEW.id, NEW.until
            ),
            'Give a time in the next 90 days; the failures can be acknowledged again then.'
        );
    END IF;
    IF isfinite(NEW.created_at) THEN
        NEW.created_at = statement_timestamp();
    END IF;
    RETURN NEW;
END
$$;

CREATE OR REPLACE FUNCTION opsdb_end_acknowledgement() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
-- An acknowledgement ends once, by the acting user; the database sets the time.
BEGIN
    IF opsdb_acting_user() IS NULL THEN
        PERFORM opsdb_refuse(
            TG_NAME, TG_TABLE_NAME,
            format('failure_acknowledgement %s: cannot be ended without an acting user', OLD.id),
            'Sign in; a program sets the acting user, opsdb.user_id, in its transaction.'
        );
    END IF;
    IF OLD.ended_at IS NOT NULL THEN
        PERFORM opsdb_refuse(
            TG_NAME, TG_TABLE_NAME,
            format('failure_acknowledgement %s: has ended, so it cannot be changed', OLD.id),
            'Acknowledge the failures again.'
        );
    END IF;
    -- A CHECK refuses what is no time at all.
    IF isfinite(NEW.ended_at) THEN
        NEW.ended_at = statement_timestamp();
    END IF;
    RETURN NEW;
END
$$;

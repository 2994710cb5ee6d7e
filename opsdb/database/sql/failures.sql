-- Acknowledgements of failures: made by who is logged in, for a limited time, and ended once.

CREATE OR REPLACE FUNCTION opsdb_acknowledge_in_person() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
-- Nobody acknowledges failures in the name of somebody else, for the past, or for longer than 90 days.
DECLARE
    actor text = opsdb_acting_user();
BEGIN
    IF actor <> NEW.acknowledged_by_id::text THEN
        PERFORM opsdb_refuse(
            TG_NAME, TG_TABLE_NAME,
            format(
                'failure_acknowledgement %s: user %s cannot acknowledge in the name of user %s',
                NEW.id, actor, NEW.acknowledged_by_id
            )
        );
    END IF;
    IF NEW.ended_at IS NOT NULL THEN
        PERFORM opsdb_refuse(
            TG_NAME, TG_TABLE_NAME,
            format('failure_acknowledgement %s: a new one has not ended', NEW.id),
            'End it afterwards.'
        );
    END IF;
    -- A CHECK refuses what is no time at all.
    IF isfinite(NEW.until)
        AND (NEW.until <= statement_timestamp() OR NEW.until > statement_timestamp() + interval '90 days')
    THEN
        PERFORM opsdb_refuse(
            TG_NAME, TG_TABLE_NAME,
            format('failure_acknowledgement %s: cannot hold until %s', NEW.id, NEW.until),
            'Give a time in the next 90 days; it can be acknowledged again then.'
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
-- An acknowledgement ends once; the database sets when.
BEGIN
    IF OLD.ended_at IS NOT NULL THEN
        PERFORM opsdb_refuse(
            TG_NAME, TG_TABLE_NAME,
            format('failure_acknowledgement %s: has ended', OLD.id),
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

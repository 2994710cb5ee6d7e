-- Users, roles and tokens.

CREATE OR REPLACE FUNCTION opsdb_token_is_usable(
    active boolean, expires_at timestamptz, revoked_at timestamptz, moment timestamptz
) RETURNS boolean
LANGUAGE sql IMMUTABLE
-- Whether a token is active, not revoked, and not expired at a moment.
RETURN active AND revoked_at IS NULL AND coalesce(expires_at > moment, true);

CREATE OR REPLACE FUNCTION opsdb_usable_token(hashes text[]) RETURNS api_token
LANGUAGE plpgsql STABLE SET search_path FROM CURRENT AS $$
-- The token with one of these hashes, if it is usable at this moment; else NULL. Its plan is kept by the session, as
-- planning takes longer than the look-up, and a pooler allows no prepared statements.
DECLARE
    one_hash text;
    token api_token;
BEGIN
    FOREACH one_hash IN ARRAY hashes LOOP
        SELECT * INTO token FROM api_token
        WHERE token_hash = one_hash
            AND opsdb_token_is_usable(active, expires_at, revoked_at, statement_timestamp());
        IF FOUND THEN
            RETURN token;
        END IF;
    END LOOP;
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION opsdb_staff_is_no_service() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
-- A user in the role service becomes neither staff nor superuser, so that no program's user gets into the admin.
BEGIN
    IF EXISTS (
        SELECT FROM user_groups AS link
        JOIN auth_group ON auth_group.id = link.group_id
        WHERE link.user_id = NEW.id AND auth_group.name = 'service'
    ) THEN
        PERFORM opsdb_refuse_service_as_staff(
            TG_NAME, TG_TABLE_NAME, NEW.username, CASE WHEN NEW.is_staff THEN 'is_staff' ELSE 'is_superuser' END
        );
    END IF;
    RETURN NEW;
END
$$;

CREATE OR REPLACE FUNCTION opsdb_service_is_no_staff() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
-- Staff and superusers don't join the role service. Locks the user's row, as a change of it does: of the two at once,
-- the second sees the first.
DECLARE
    member record;
BEGIN
    SELECT username, is_staff OR is_superuser AS privileged INTO member FROM "user"
    WHERE id = NEW.user_id AND EXISTS (SELECT FROM auth_group WHERE id = NEW.group_id AND name = 'service')
    FOR NO KEY UPDATE;
    IF member.privileged THEN
        PERFORM opsdb_refuse_service_as_staff(TG_NAME, TG_TABLE_NAME, member.username, 'groups');
    END IF;
    RETURN NEW;
END
$$;

CREATE OR REPLACE FUNCTION opsdb_refuse_service_as_staff(rule name, table_name name, username text, column_name text)
RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
-- Keeps staff and the role service apart.
BEGIN
    PERFORM opsdb_refuse(
        rule, table_name,
        format('user %s: whoever is in the role service can be neither staff nor superuser', username),
        'Programs sign in by tokens; take the user out of the role service first, or make another for the person.',
        column_name
    );
END
$$;

CREATE OR REPLACE FUNCTION opsdb_revoke_in_person() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
-- Records when a token is revoked, and by which acting user; a revoked token stays revoked.
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.revoked_at IS NOT NULL THEN
        IF NEW.revoked_at IS DISTINCT FROM OLD.revoked_at
            OR NEW.revoked_by_id IS DISTINCT FROM OLD.revoked_by_id
        THEN
            PERFORM opsdb_refuse(
                TG_NAME, TG_TABLE_NAME, 'api_token ' || OLD.id || ': was revoked for good', 'Make another token.',
                'revoked_at'
            );
        END IF;
    ELSIF NEW.revoked_at IS NOT NULL THEN
        NEW.revoked_at = statement_timestamp();
        NEW.revoked_by_id = opsdb_acting_user();
    ELSE
        NEW.revoked_by_id = NULL;
    END IF;
    RETURN NEW;
END
$$;

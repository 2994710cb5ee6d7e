-- What it takes to call a copy verified, and a package archived.

CREATE OR REPLACE FUNCTION opsdb_verification_is_true() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
-- A verified copy has the checksum and the size of what it is a copy of. Locks that row, so that its checksum stays
-- as it is, and waits for a deletion that counts this copy.
DECLARE
    wanted record;
BEGIN
    IF NEW.raw_data_file_id IS NOT NULL THEN
        SELECT checksum, checksum_algorithm, size_bytes INTO wanted
        FROM raw_data_file WHERE id = NEW.raw_data_file_id FOR NO KEY UPDATE;
    ELSIF NEW.raw_data_package_id IS NOT NULL THEN
        SELECT checksum, checksum_algorithm, size_bytes INTO wanted
        FROM raw_data_package WHERE id = NEW.raw_data_package_id FOR NO KEY UPDATE;
    ELSIF NEW.data_transfer_package_id IS NOT NULL THEN
        SELECT checksum, checksum_algorithm, size_bytes INTO wanted
        FROM data_transfer_package WHERE id = NEW.data_transfer_package_id FOR NO KEY UPDATE;
    ELSE
        SELECT checksum, checksum_algorithm, size_bytes INTO wanted
        FROM data_product WHERE id = NEW.data_product_id FOR NO KEY UPDATE;
    END IF;
    IF wanted.checksum IS DISTINCT FROM NEW.checksum
        OR wanted.checksum_algorithm <> NEW.checksum_algorithm
        OR NEW.size_bytes <> wanted.size_bytes
    THEN
        PERFORM opsdb_refuse(
            TG_NAME, TG_TABLE_NAME,
            'physical_copy ' || NEW.id || ': cannot be verified, because its checksum '
            || NEW.checksum_algorithm || ' ' || coalesce(NEW.checksum, 'none')
            || coalesce(' of ' || NEW.size_bytes || ' bytes', '')
            || ' is not ' || wanted.checksum_algorithm || ' ' || coalesce(wanted.checksum, 'none')
            || coalesce(' of ' || wanted.size_bytes || ' bytes', ''),
            'Record what was found as a mismatch.'
        );
    END IF;
    RETURN NEW;
END
$$;

CREATE OR REPLACE FUNCTION opsdb_verification_is_proven() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
-- A copy that is verified later, or again, has a fixity check of that time that agrees.
BEGIN
    IF NEW.verified_at <= OLD.verified_at OR NOT EXISTS (
        SELECT FROM fixity_check
        WHERE copy_id = NEW.id
            AND ok
            AND checked_at = NEW.verified_at
            AND actual = NEW.checksum
            AND algorithm = NEW.checksum_algorithm
    ) THEN
        PERFORM opsdb_refuse(
            TG_NAME, TG_TABLE_NAME,
            format(
                'physical_copy %s: cannot be called verified at %s without a new fixity check of that time that agrees',
                NEW.id, coalesce(NEW.verified_at::text, 'no time')
            ),
            'Record the fixity check first.'
        );
    END IF;
    RETURN NEW;
END
$$;

CREATE OR REPLACE FUNCTION opsdb_refuse_change_once_verified() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
-- The columns that a copy was verified against stay: no copy, and no archive, vouches for anything else. A file stays
-- also for the package that it is in.
-- TG_ARGV: the columns; the column of physical_copy that leads to this table.
DECLARE
    this jsonb = to_jsonb(OLD);
    is_verified boolean;
BEGIN
    EXECUTE format(
        'SELECT EXISTS (SELECT FROM physical_copy WHERE %I = %L AND verification = %L)',
        TG_ARGV[1], this ->> 'id', 'verified'
    ) INTO is_verified;
    IF is_verified OR this ->> 'state' = 'archived' OR EXISTS (
        SELECT FROM physical_copy
        WHERE raw_data_package_id = (this ->> 'raw_data_package_id')::uuid AND verification = 'verified'
    ) THEN
        PERFORM opsdb_refuse(
            TG_NAME, TG_TABLE_NAME,
            format(
                '%s %s: %s cannot be changed, because a copy was verified against them',
                TG_TABLE_NAME, OLD.id, TG_ARGV[0]
            )
        );
    END IF;
    RETURN NEW;
END
$$;

CREATE OR REPLACE FUNCTION opsdb_archived_is_true() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
-- An archived package has a safe copy in an archive.
BEGIN
    IF NOT EXISTS (
        SELECT FROM physical_copy AS copy
        WHERE copy.raw_data_package_id = NEW.id AND opsdb_is_safe_archive_copy(copy.id)
    ) THEN
        PERFORM opsdb_refuse(
            TG_NAME, TG_TABLE_NAME,
            format('raw_data_package %s: cannot be archived without a verified copy in a long-term archive', NEW.id)
        );
    END IF;
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION opsdb_archive_transfer_is_true() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
-- A completed archive transfer has left a safe copy at its destination.
BEGIN
    IF NOT EXISTS (
        SELECT FROM physical_copy AS copy
        WHERE copy.raw_data_package_id = NEW.raw_data_package_id
            AND copy.data_location_id = NEW.destination_location_id
            AND opsdb_is_safe_archive_copy(copy.id)
    ) THEN
        PERFORM opsdb_refuse(
            TG_NAME, TG_TABLE_NAME,
            format(
                'long_term_archive_transfer %s: cannot be completed without a verified copy at its destination', NEW.id
            )
        );
    END IF;
    RETURN NEW;
END
$$;

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
            'Record what was found as a fixity check; it then counts as a mismatch.'
        );
    END IF;
    RETURN NEW;
END
$$;

CREATE OR REPLACE FUNCTION opsdb_verification_is_proven() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
-- A copy is verified by a fixity check of that time that agrees, of the bytes that are there now, and that no check
-- contradicts: neither one of a later time nor one that was recorded later, in whatever order the reports came.
DECLARE
    named text = format('physical_copy %s: cannot be called verified', NEW.id)
        || coalesce(' at ' || NEW.verified_at, '');
    proof bigint;
    contradiction record;
BEGIN
    SELECT id INTO proof FROM fixity_check
    WHERE copy_id = NEW.id
        AND ok
        AND checked_at = NEW.verified_at
        AND actual = NEW.checksum
        AND algorithm = NEW.checksum_algorithm
    ORDER BY id DESC LIMIT 1;
    IF NOT FOUND OR NEW.verified_at <= OLD.verified_at THEN
        PERFORM opsdb_refuse(
            TG_NAME, TG_TABLE_NAME,
            named || CASE
                WHEN NEW.verified_at IS NULL THEN ' without the time of a fixity check that agrees'
                ELSE ' without a new fixity check of that time that agrees'
            END,
            'Record a fixity check, which sets the verification itself.'
        );
    END IF;
    IF NEW.verified_at < NEW.arrived_at - opsdb_clock_skew() THEN
        PERFORM opsdb_refuse(
            TG_NAME, TG_TABLE_NAME, named || ', because its bytes arrived later, at ' || NEW.arrived_at,
            'Compute the checksum of what is there now, and record it as a fixity check.'
        );
    END IF;
    SELECT id, checked_at INTO contradiction FROM fixity_check
    WHERE copy_id = NEW.id AND NOT ok AND (id > proof OR checked_at > NEW.verified_at)
    ORDER BY id DESC LIMIT 1;
    IF FOUND THEN
        PERFORM opsdb_refuse(
            TG_NAME, TG_TABLE_NAME,
            format(
                '%s, because fixity_check %s of %s found a difference, or could not read it',
                named, contradiction.id, contradiction.checked_at
            ),
            'Compute the checksum again, and record it as a fixity check.'
        );
    END IF;
    RETURN NEW;
END
$$;

CREATE OR REPLACE FUNCTION opsdb_clock_skew() RETURNS interval
LANGUAGE sql IMMUTABLE
-- How far the clock of a worker may be from that of the database.
RETURN interval '5 minutes';

CREATE OR REPLACE FUNCTION opsdb_check_has_possible_time() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
-- No check has a future time, and none that agrees has a time before the arrival: it would be of other bytes.
-- One that differs is recorded whatever its time, because a false doubt causes no loss.
DECLARE
    arrival timestamptz;
BEGIN
    IF NEW.checked_at > statement_timestamp() + opsdb_clock_skew() THEN
        PERFORM opsdb_refuse(
            TG_NAME, TG_TABLE_NAME,
            format(
                'fixity_check %s: physical_copy %s cannot have been checked at %s, which is in the future',
                NEW.id, NEW.copy_id, NEW.checked_at
            ),
            'Report when the checksum was computed, by a clock that is right.'
        );
    END IF;
    IF NEW.ok THEN
        SELECT arrived_at INTO arrival FROM physical_copy WHERE id = NEW.copy_id;
        IF NEW.checked_at < arrival - opsdb_clock_skew() THEN
            PERFORM opsdb_refuse(
                TG_NAME, TG_TABLE_NAME,
                format(
                    'fixity_check %s: physical_copy %s cannot have agreed at %s, because its bytes arrived later, at '
                    '%s', NEW.id, NEW.copy_id, NEW.checked_at, arrival
                ),
                'Compute the checksum of what is there now, and report when that was.'
            );
        END IF;
    END IF;
    RETURN NEW;
END
$$;

CREATE OR REPLACE FUNCTION opsdb_doubt_what_differs() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
-- A check that differs revokes the verification, whatever its time and whoever recorded it.
BEGIN
    UPDATE physical_copy
    SET verification = 'mismatch',
        checksum = NEW.actual,
        checksum_algorithm = NEW.algorithm,
        verified_at = greatest(verified_at, NEW.checked_at)
    WHERE id = NEW.copy_id AND verification <> 'mismatch';
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION opsdb_pause_after_unread(unread_count integer) RETURNS interval
LANGUAGE sql IMMUTABLE
-- How long a copy that could not be read so many times in a row waits until it is tried again: an hour, and twice as
-- long each time, up to 30 days.
RETURN least(interval '1 hour' * power(2, least(unread_count, 20) - 1), interval '30 days');

CREATE OR REPLACE FUNCTION opsdb_doubt_what_is_unread() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
-- A copy that could not be read is not verified, whoever checked it. It is checked again after a pause that grows, so
-- that it delays no other check.
BEGIN
    UPDATE physical_copy
    SET verification = CASE verification WHEN 'mismatch' THEN 'mismatch' ELSE 'unverified' END,
        unread_count = unread_count + 1,
        next_check_at = statement_timestamp() + opsdb_pause_after_unread(unread_count + 1)
    WHERE id = NEW.copy_id;
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION opsdb_read_again() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
-- A copy that was compared could be read.
BEGIN
    NEW.unread_count = 0;
    NEW.next_check_at = NULL;
    RETURN NEW;
END
$$;

CREATE OR REPLACE FUNCTION opsdb_archived_file_stays() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
-- What is recorded of a file in an archived package stays for good, also while all copies are in doubt. Locks the
-- package, so that it isn't archived meanwhile.
-- TG_ARGV: the columns.
DECLARE
    package record;
BEGIN
    SELECT id, state INTO package FROM raw_data_package WHERE id = OLD.raw_data_package_id FOR SHARE;
    IF package.state = 'archived' THEN
        PERFORM opsdb_refuse(
            TG_NAME, TG_TABLE_NAME,
            format(
                '%s %s: %s cannot be changed, because raw_data_package %s was archived',
                TG_TABLE_NAME, OLD.id, TG_ARGV[0], package.id
            ),
            'Leave them as they are; bytes that differ are recorded as a fixity check of their copy.'
        );
    END IF;
    RETURN NEW;
END
$$;

CREATE OR REPLACE FUNCTION opsdb_refuse_change_once_verified() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
-- The columns that a copy was verified against do not change: its verification is valid for these values only. The
-- columns of a file do not change either while a package that holds it has a verified copy.
-- TG_ARGV: the columns; the column of physical_copy that leads to this table.
DECLARE
    this jsonb = to_jsonb(OLD);
    is_verified boolean;
BEGIN
    PERFORM opsdb_require_read_committed(
        TG_NAME, TG_TABLE_NAME || ' ' || OLD.id, 'were verified', 'Change it in a READ COMMITTED transaction.'
    );
    EXECUTE format(
        'SELECT EXISTS (SELECT FROM physical_copy WHERE %I = %L AND verification = %L)',
        TG_ARGV[1], this ->> 'id', 'verified'
    ) INTO is_verified;
    IF is_verified OR EXISTS (
        SELECT FROM physical_copy
        WHERE raw_data_package_id = (this ->> 'raw_data_package_id')::uuid AND verification = 'verified'
    ) THEN
        PERFORM opsdb_refuse(
            TG_NAME, TG_TABLE_NAME,
            format(
                '%s %s: %s cannot be changed, because a copy was verified against them',
                TG_TABLE_NAME, OLD.id, TG_ARGV[0]
            ),
            'Leave them as they are; bytes that differ are recorded as a fixity check of their copy.'
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
            format('raw_data_package %s: cannot be archived without a verified copy in a long-term archive', NEW.id),
            'Complete its transfer into an archive first, with the checksum of what has arrived.'
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
                'long_term_archive_transfer %s: cannot be completed without a verified copy at %s',
                NEW.id, opsdb_name_location(NEW.destination_location_id)
            ),
            'Report the checksum of what has arrived there with the completion.'
        );
    END IF;
    RETURN NEW;
END
$$;

CREATE OR REPLACE FUNCTION opsdb_archive_again_is_repair() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
-- A package is not archived again where a verified copy of it is.
DECLARE
    good bigint;
BEGIN
    SELECT copy.id INTO good FROM physical_copy AS copy
    WHERE copy.raw_data_package_id = NEW.raw_data_package_id
        AND copy.data_location_id = NEW.destination_location_id
        AND NEW.status <> 'completed'
        AND opsdb_is_safe_archive_copy(copy.id);
    IF FOUND THEN
        PERFORM opsdb_refuse(
            TG_NAME, TG_TABLE_NAME,
            format(
                'long_term_archive_transfer %s: %s has a verified copy of raw_data_package %s, physical_copy %s',
                NEW.id, opsdb_name_location(NEW.destination_location_id), NEW.raw_data_package_id, good
            ),
            'Plan a transfer only into an archive that has no verified copy.'
        );
    END IF;
    RETURN NEW;
END
$$;

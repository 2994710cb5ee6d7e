-- Physical copies: which can be read, which count as safe, what they are copies of, and when they came.

CREATE OR REPLACE FUNCTION opsdb_is_readable(status text, verification text) RETURNS boolean
LANGUAGE sql IMMUTABLE
-- Whether a copy can be read from: there, not on its way out, and not known to differ.
RETURN status IN ('present', 'staged', 'deletion_possible') AND verification <> 'mismatch';

CREATE OR REPLACE FUNCTION opsdb_is_safe_archive_copy(copy_id bigint) RETURNS boolean
LANGUAGE sql STABLE SET search_path FROM CURRENT AS $$
-- Whether a copy of a raw data package is one that others may be deleted for: present in a long-term archive, and
-- verified with the checksum of the package.
    SELECT EXISTS (
        SELECT FROM physical_copy AS archived
        JOIN data_location ON data_location.id = archived.data_location_id
        JOIN raw_data_package AS package ON package.id = archived.raw_data_package_id
        WHERE archived.id = copy_id
            AND data_location.location_type = 'long_term_archive'
            AND archived.status = 'present'
            AND archived.verification = 'verified'
            AND archived.checksum = package.checksum
            AND archived.checksum_algorithm = package.checksum_algorithm
    )
$$;

CREATE OR REPLACE FUNCTION opsdb_is_readable_elsewhere(candidate physical_copy) RETURNS boolean
LANGUAGE sql STABLE SET search_path FROM CURRENT AS $$
-- Whether another location has a readable copy of the same file, package or product.
    SELECT EXISTS (
        SELECT FROM physical_copy AS other
        WHERE other.raw_data_file_id = candidate.raw_data_file_id
            AND other.data_location_id <> candidate.data_location_id
            AND opsdb_is_readable(other.status, other.verification)
    ) OR EXISTS (
        SELECT FROM physical_copy AS other
        WHERE other.raw_data_package_id = candidate.raw_data_package_id
            AND other.data_location_id <> candidate.data_location_id
            AND opsdb_is_readable(other.status, other.verification)
    ) OR EXISTS (
        SELECT FROM physical_copy AS other
        WHERE other.data_transfer_package_id = candidate.data_transfer_package_id
            AND other.data_location_id <> candidate.data_location_id
            AND opsdb_is_readable(other.status, other.verification)
    ) OR EXISTS (
        SELECT FROM physical_copy AS other
        WHERE other.data_product_id = candidate.data_product_id
            AND other.data_location_id <> candidate.data_location_id
            AND opsdb_is_readable(other.status, other.verification)
    )
$$;

CREATE OR REPLACE FUNCTION opsdb_raw_packages_of(candidate physical_copy) RETURNS uuid[]
LANGUAGE plpgsql STABLE SET search_path FROM CURRENT AS $$
-- The raw data packages whose data a copy holds: itself, the one that its file is in, or those in its transfer
-- package; NULL when there are none.
BEGIN
    IF candidate.raw_data_package_id IS NOT NULL THEN
        RETURN ARRAY[candidate.raw_data_package_id];
    ELSIF candidate.raw_data_file_id IS NOT NULL THEN
        RETURN (
            SELECT array_agg(raw_data_package_id) FROM raw_data_file
            WHERE id = candidate.raw_data_file_id AND raw_data_package_id IS NOT NULL
        );
    ELSIF candidate.data_transfer_package_id IS NOT NULL THEN
        RETURN (
            SELECT array_agg(id) FROM raw_data_package
            WHERE data_transfer_package_id = candidate.data_transfer_package_id
        );
    END IF;
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION opsdb_lock_contents(copy_ids bigint[], for_deletion boolean) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
-- Locks what copies are copies of, in the one order that all transactions keep: transfer packages, raw packages, raw
-- files that are in no package, products, each by their key. Whoever locks the copies too does that first.
DECLARE
    bundles uuid[];
    packages uuid[];
    files uuid[];
    products bigint[];
BEGIN
    bundles = ARRAY(SELECT data_transfer_package_id FROM physical_copy WHERE id = ANY (copy_ids));
    IF for_deletion THEN
        PERFORM FROM data_transfer_package WHERE id = ANY (bundles) ORDER BY id FOR UPDATE;
    ELSE
        PERFORM FROM data_transfer_package WHERE id = ANY (bundles) ORDER BY id FOR NO KEY UPDATE;
    END IF;

    packages = ARRAY(
        SELECT raw_data_package_id FROM physical_copy WHERE id = ANY (copy_ids)
        UNION
        SELECT file.raw_data_package_id FROM physical_copy AS copy
        JOIN raw_data_file AS file ON file.id = copy.raw_data_file_id
        WHERE copy.id = ANY (copy_ids)
        UNION
        SELECT id FROM raw_data_package WHERE data_transfer_package_id = ANY (bundles)
    );
    IF for_deletion THEN
        PERFORM FROM raw_data_package WHERE id = ANY (packages) ORDER BY id FOR UPDATE;
    ELSE
        PERFORM FROM raw_data_package WHERE id = ANY (packages) ORDER BY id FOR NO KEY UPDATE;
    END IF;

    files = ARRAY(SELECT raw_data_file_id FROM physical_copy WHERE id = ANY (copy_ids));
    IF for_deletion THEN
        PERFORM FROM raw_data_file WHERE id = ANY (files) AND raw_data_package_id IS NULL ORDER BY id FOR UPDATE;
    ELSE
        PERFORM FROM raw_data_file WHERE id = ANY (files) AND raw_data_package_id IS NULL ORDER BY id FOR NO KEY UPDATE;
    END IF;

    products = ARRAY(SELECT data_product_id FROM physical_copy WHERE id = ANY (copy_ids));
    IF for_deletion THEN
        PERFORM FROM data_product WHERE id = ANY (products) ORDER BY id FOR UPDATE;
    ELSE
        PERFORM FROM data_product WHERE id = ANY (products) ORDER BY id FOR NO KEY UPDATE;
    END IF;
END
$$;

CREATE OR REPLACE FUNCTION opsdb_arrive_now() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
-- The retention counts from when the bytes arrived, which is when the database first hears of them.
BEGIN
    NEW.arrived_at = statement_timestamp();
    RETURN NEW;
END
$$;

CREATE OR REPLACE FUNCTION opsdb_keep_arrival() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
-- Nobody moves the time of an arrival.
BEGIN
    NEW.arrived_at = OLD.arrived_at;
    RETURN NEW;
END
$$;

CREATE OR REPLACE FUNCTION opsdb_come_back() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
-- Bytes that came back arrived anew, and are not verified by what was compared before.
BEGIN
    IF OLD.status <> 'corrupt' THEN
        NEW.arrived_at = statement_timestamp();
    END IF;
    IF NEW.verification = 'verified' AND NEW.verified_at IS NOT DISTINCT FROM OLD.verified_at THEN
        NEW.verification = 'unverified';
    END IF;
    RETURN NEW;
END
$$;

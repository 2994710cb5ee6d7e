-- Physical copies: which can be read, which count as safe, what they are copies of, and when they came.

CREATE OR REPLACE FUNCTION opsdb_is_readable(status text, verification text) RETURNS boolean
LANGUAGE sql IMMUTABLE
-- Whether a copy can be read from: there, not being deleted, and without a mismatch.
RETURN status IN ('present', 'staged', 'deletion_possible') AND verification <> 'mismatch';

CREATE OR REPLACE FUNCTION opsdb_is_safe_copy(copy_id bigint) RETURNS boolean
LANGUAGE sql STABLE SET search_path FROM CURRENT AS $$
-- Whether a copy is one that others may be deleted for: it can be read, it is verified with the checksum of what it is
-- a copy of, and its location is active. An archive that takes no new data keeps what it has, and counts.
    SELECT EXISTS (
        SELECT FROM physical_copy AS copy
        JOIN data_location AS place ON place.id = copy.data_location_id
        LEFT JOIN raw_data_file AS file ON file.id = copy.raw_data_file_id
        LEFT JOIN raw_data_package AS package ON package.id = copy.raw_data_package_id
        LEFT JOIN data_transfer_package AS bundle ON bundle.id = copy.data_transfer_package_id
        LEFT JOIN data_product AS product ON product.id = copy.data_product_id
        WHERE copy.id = copy_id
            AND opsdb_is_readable(copy.status, copy.verification)
            AND copy.verification = 'verified'
            AND (place.active OR place.location_type = 'long_term_archive')
            AND copy.checksum = coalesce(file.checksum, package.checksum, bundle.checksum, product.checksum)
            AND copy.checksum_algorithm = coalesce(
                file.checksum_algorithm, package.checksum_algorithm,
                bundle.checksum_algorithm, product.checksum_algorithm
            )
    )
$$;

CREATE OR REPLACE FUNCTION opsdb_is_safe_archive_copy(copy_id bigint) RETURNS boolean
LANGUAGE sql STABLE SET search_path FROM CURRENT AS $$
-- Whether a copy is safe and present in a long-term archive.
    SELECT EXISTS (
        SELECT FROM physical_copy AS archived
        JOIN data_location ON data_location.id = archived.data_location_id
        WHERE archived.id = copy_id
            AND data_location.location_type = 'long_term_archive'
            AND archived.status = 'present'
            AND opsdb_is_safe_copy(archived.id)
    )
$$;

CREATE OR REPLACE FUNCTION opsdb_is_safe_elsewhere(candidate physical_copy) RETURNS boolean
LANGUAGE sql STABLE SET search_path FROM CURRENT AS $$
-- Whether another location has a safe copy of the same file, package, bundle or product.
    SELECT EXISTS (
        SELECT FROM (
            SELECT id, data_location_id FROM physical_copy WHERE raw_data_file_id = candidate.raw_data_file_id
            UNION ALL
            SELECT id, data_location_id FROM physical_copy WHERE raw_data_package_id = candidate.raw_data_package_id
            UNION ALL
            SELECT id, data_location_id FROM physical_copy
            WHERE data_transfer_package_id = candidate.data_transfer_package_id
            UNION ALL
            SELECT id, data_location_id FROM physical_copy WHERE data_product_id = candidate.data_product_id
        ) AS other
        WHERE other.data_location_id <> candidate.data_location_id AND opsdb_is_safe_copy(other.id)
    )
$$;

CREATE OR REPLACE FUNCTION opsdb_superseding_products(product_ids bigint[]) RETURNS bigint[]
LANGUAGE sql STABLE SET search_path FROM CURRENT AS $$
-- Products, and all that supersede them, each by the next.
    WITH RECURSIVE later(id) AS (
        SELECT unnest(product_ids)
        UNION
        SELECT product.superseded_by_id FROM data_product AS product
        JOIN later ON later.id = product.id
        WHERE product.superseded_by_id IS NOT NULL
    )
    SELECT array_agg(id ORDER BY id) FROM later WHERE id IS NOT NULL
$$;

CREATE OR REPLACE FUNCTION opsdb_raw_packages_of(candidate physical_copy) RETURNS uuid[]
LANGUAGE plpgsql STABLE SET search_path FROM CURRENT AS $$
-- The raw data packages whose data a copy holds, in the order of their keys: itself, the one that its file is in, or
-- those in its transfer package; NULL when there are none.
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
            SELECT array_agg(id ORDER BY id) FROM raw_data_package
            WHERE data_transfer_package_id = candidate.data_transfer_package_id
        );
    END IF;
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION opsdb_lock_contents(copy_ids bigint[], for_deletion boolean) RETURNS void
LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan SET search_path FROM CURRENT AS $$
-- Locks what copies are copies of, in the one order that all transactions keep: transfer packages, raw packages, raw
-- files that are in no package, products, each by their key. Whoever locks the copies too does that first. A deletion
-- relies on the products that supersede a product, and locks them with it. One plan serves all keys: PostgreSQL would
-- otherwise plan for those of each call anew, which takes longer than to lock them.
DECLARE
    bundles uuid[];
    packages uuid[];
    files uuid[];
    products bigint[];
    locked bigint[] = '{}';
BEGIN
    -- What a copy is a copy of never changes.
    SELECT
        array_agg(data_transfer_package_id) FILTER (WHERE data_transfer_package_id IS NOT NULL),
        array_agg(raw_data_package_id) FILTER (WHERE raw_data_package_id IS NOT NULL),
        array_agg(raw_data_file_id) FILTER (WHERE raw_data_file_id IS NOT NULL),
        array_agg(data_product_id) FILTER (WHERE data_product_id IS NOT NULL)
    INTO bundles, packages, files, products
    FROM physical_copy WHERE id = ANY (copy_ids);

    IF bundles IS NOT NULL THEN
        IF for_deletion THEN
            PERFORM FROM data_transfer_package WHERE id = ANY (bundles) ORDER BY id FOR UPDATE;
        ELSE
            PERFORM FROM data_transfer_package WHERE id = ANY (bundles) ORDER BY id FOR NO KEY UPDATE;
        END IF;
        packages = packages || ARRAY(SELECT id FROM raw_data_package WHERE data_transfer_package_id = ANY (bundles));
    END IF;

    IF files IS NOT NULL THEN
        packages = packages || ARRAY(SELECT DISTINCT raw_data_package_id FROM raw_data_file WHERE id = ANY (files));
    END IF;
    IF packages IS NOT NULL THEN
        IF for_deletion THEN
            PERFORM FROM raw_data_package WHERE id = ANY (packages) ORDER BY id FOR UPDATE;
        ELSE
            PERFORM FROM raw_data_package WHERE id = ANY (packages) ORDER BY id FOR NO KEY UPDATE;
        END IF;
    END IF;

    IF files IS NOT NULL THEN
        IF for_deletion THEN
            PERFORM FROM raw_data_file WHERE id = ANY (files) AND raw_data_package_id IS NULL ORDER BY id FOR UPDATE;
        ELSE
            PERFORM FROM raw_data_file WHERE id = ANY (files) AND raw_data_package_id IS NULL
            ORDER BY id FOR NO KEY UPDATE;
        END IF;
    END IF;

    IF for_deletion THEN
        -- Until nothing has come to supersede them while they were being locked.
        WHILE NOT products <@ locked LOOP
            locked = opsdb_superseding_products(products);
            PERFORM FROM data_product WHERE id = ANY (locked) ORDER BY id FOR UPDATE;
            products = opsdb_superseding_products(products);
        END LOOP;
    ELSIF products IS NOT NULL THEN
        PERFORM FROM data_product WHERE id = ANY (products) ORDER BY id FOR NO KEY UPDATE;
    END IF;
END
$$;

CREATE OR REPLACE FUNCTION opsdb_arrive_now() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
-- The retention counts from the arrival, which is the time at which the copy is first recorded.
BEGIN
    NEW.arrived_at = statement_timestamp();
    RETURN NEW;
END
$$;

CREATE OR REPLACE FUNCTION opsdb_keep_arrival() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
-- The time of an arrival does not change.
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
    NEW.unread_count = 0;
    NEW.next_check_at = NULL;
    RETURN NEW;
END
$$;

CREATE OR REPLACE FUNCTION opsdb_require_read_committed(rule name, called text, what text, hint text) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
-- Refuses a change that depends on what others have committed meanwhile in a transaction that does not see it.
BEGIN
    IF current_setting('transaction_isolation') NOT IN ('read committed', 'read uncommitted') THEN
        PERFORM opsdb_refuse(
            rule, split_part(called, ' ', 1),
            called || ': a ' || current_setting('transaction_isolation')
                || ' transaction does not see which copies ' || what || ' meanwhile',
            hint
        );
    END IF;
END
$$;

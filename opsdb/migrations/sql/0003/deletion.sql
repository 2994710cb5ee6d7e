-- The five rules of deletion. Workers delete bytes, but only the database decides which:
--
--   1. Copies in a long-term archive are permanent.
--   2. The content stays safe elsewhere. Only a safe copy counts: one that can be read, at an active location or in an
--      archive, and verified with the checksum of what it is a copy of (opsdb_is_safe_copy in copies.sql). A copy that
--      is unverified or in doubt allows no deletion.
--      - Raw data (a file, a package, a bundle): each raw data package that holds it, or that it holds, is archived and
--        has as many safe copies in archives as the deletion policy asks for.
--      - Raw data at a processing location: a safe copy at another location is also enough, of the same file, package
--        or bundle, or of each of those packages.
--      - A data product: another location has a safe copy of it; or the product is superseded, and neither released nor
--        published, and the last product that supersedes it has a safe copy itself.
--   3. Nothing that is open reads from the copy, and what it carries is unpacked.
--   4. At a processing location, no active staging job and no open run needs it.
--   5. The retention of the location has passed, or the location is too full, or an approved request overrides it.
--
-- A missing copy has no bytes to read or to keep, so that only rules 1 and 2 decide whether its loss may be recorded
-- as a deletion. Once a worker deletes, nothing holds back the report of how that ended.
--
-- Each rule is a function that returns the row that holds a copy back, and why; NULLs when the copy can be deleted.

CREATE OR REPLACE FUNCTION opsdb_deletion_rule_1(
    candidate physical_copy, place data_location, OUT held_by text, OUT why text
)
LANGUAGE plpgsql STABLE SET search_path FROM CURRENT AS $$
-- Rule 1: copies in a long-term archive are permanent.
BEGIN
    IF place.location_type = 'long_term_archive' THEN
        held_by = 'data_location ' || place.id;
        why = 'copies in the archive ' || opsdb_name_location(place.id) || ' are permanent';
    END IF;
END
$$;

CREATE OR REPLACE FUNCTION opsdb_deletion_rule_2(
    candidate physical_copy, place data_location, OUT held_by text, OUT why text
)
LANGUAGE plpgsql STABLE SET search_path FROM CURRENT AS $$
-- Rule 2: something else still holds what the copy holds.
DECLARE
    package_ids uuid[] = opsdb_raw_packages_of(candidate);
    package_id uuid;
    package_state text;
    needed integer;
    safe integer;
BEGIN
    -- Without another safe copy a product is deleted only when a safe one supersedes it and it is unpublished.
    IF candidate.data_product_id IS NOT NULL THEN
        IF NOT opsdb_is_safe_elsewhere(candidate) THEN
            why = 'data_product ' || candidate.data_product_id || ' has no other verified copy, and '
                || opsdb_why_product_is_kept(candidate.data_product_id);
        END IF;
        IF why IS NOT NULL THEN
            held_by = 'data_product ' || candidate.data_product_id;
        END IF;
        RETURN;
    END IF;

    -- What is in no package is in no archive; at a processing location it is deleted when there is another safe copy.
    IF package_ids IS NULL THEN
        IF candidate.raw_data_file_id IS NOT NULL
            AND place.location_type = 'processing'
            AND opsdb_is_safe_elsewhere(candidate)
        THEN
            RETURN;
        END IF;
        held_by = CASE
            WHEN candidate.raw_data_file_id IS NOT NULL THEN 'raw_data_file ' || candidate.raw_data_file_id
            ELSE 'data_transfer_package ' || candidate.data_transfer_package_id
        END;
        why = held_by || CASE
            WHEN candidate.raw_data_file_id IS NOT NULL THEN ' is in no raw data package, so no archive holds it'
            ELSE ' holds no raw data package, so no archive holds its content'
        END;
        RETURN;
    END IF;

    -- Every package is archived and has enough safe copies; at a processing location one safe copy elsewhere will do.
    SELECT min_archive_copies INTO needed FROM deletion_policy;
    IF NOT FOUND THEN
        held_by = 'deletion_policy 1';
        why = 'there is no deletion_policy row with the required number of archive copies';
        RETURN;
    END IF;
    FOREACH package_id IN ARRAY package_ids LOOP
        SELECT state INTO package_state FROM raw_data_package WHERE id = package_id;
        IF package_state <> 'archived' THEN
            why = 'raw_data_package ' || package_id || ' is ' || package_state || ', not archived';
        ELSE
            SELECT count(*) INTO safe FROM physical_copy AS copy
            WHERE copy.raw_data_package_id = package_id AND opsdb_is_safe_archive_copy(copy.id);
            IF safe < needed THEN
                why = 'raw_data_package ' || package_id || ' has ' || safe
                    || ' verified archive copies elsewhere, and needs ' || needed;
            END IF;
        END IF;
        IF why IS NOT NULL AND place.location_type = 'processing' AND (
            opsdb_is_safe_elsewhere(candidate)
            OR EXISTS (
                SELECT FROM physical_copy AS other
                WHERE other.raw_data_package_id = package_id
                    AND other.data_location_id <> place.id
                    AND opsdb_is_safe_copy(other.id)
            )
        ) THEN
            why = NULL;
        END IF;
        IF why IS NOT NULL THEN
            held_by = 'raw_data_package ' || package_id;
            RETURN;
        END IF;
    END LOOP;
END
$$;

CREATE OR REPLACE FUNCTION opsdb_why_product_is_kept(product_id bigint) RETURNS text
LANGUAGE sql STABLE SET search_path FROM CURRENT AS $$
-- Why a data product must keep a safe copy; NULL when it is superseded by one that has a safe copy, and neither
-- released nor published. What supersedes it is the last of the chain, which nothing supersedes.
    SELECT CASE
        WHEN product.superseded_by_id IS NULL THEN 'nothing supersedes it'
        WHEN release.id IS NOT NULL THEN 'data_release ' || release.id || ' holds it'
        WHEN publication.id IS NOT NULL THEN 'publication ' || publication.id || ' uses it'
        WHEN NOT EXISTS (
            SELECT FROM physical_copy WHERE data_product_id = latest.id AND opsdb_is_safe_copy(physical_copy.id)
        ) THEN 'data_product ' || latest.id || ', which supersedes it, has no verified copy'
    END
    FROM data_product AS product
    CROSS JOIN LATERAL (
        SELECT min(datarelease_id) AS id FROM data_release_products WHERE dataproduct_id = product.id
    ) AS release
    CROSS JOIN LATERAL (
        SELECT min(publication_id) AS id FROM publication_products WHERE dataproduct_id = product.id
    ) AS publication
    LEFT JOIN data_product AS latest
        ON latest.id = ANY (opsdb_superseding_products(ARRAY[product.id])) AND latest.superseded_by_id IS NULL
    WHERE product.id = product_id
$$;

CREATE OR REPLACE FUNCTION opsdb_deletion_rule_3(
    candidate physical_copy, place data_location, OUT held_by text, OUT why text
)
LANGUAGE plpgsql STABLE SET search_path FROM CURRENT AS $$
-- Rule 3: nothing that is open reads from the copy, and what it carries is unpacked.
BEGIN
    IF candidate.data_transfer_package_id IS NOT NULL THEN
        SELECT 'data_transfer ' || transfer.id INTO held_by FROM data_transfer AS transfer
        WHERE transfer.data_transfer_package_id = candidate.data_transfer_package_id
            AND transfer.origin_location_id = place.id
            AND opsdb_is_open_work(transfer.status)
        ORDER BY transfer.id LIMIT 1;
        IF FOUND THEN
            why = held_by || ' still needs it';
            RETURN;
        END IF;
        SELECT 'data_transfer ' || transfer.id INTO held_by FROM data_transfer AS transfer
        WHERE transfer.data_transfer_package_id = candidate.data_transfer_package_id
            AND transfer.destination_location_id = place.id
            AND transfer.status <> 'failed'
            AND transfer.unpack_status <> 'completed'
        ORDER BY transfer.id LIMIT 1;
        IF FOUND THEN
            why = held_by || ' has not been unpacked and still needs it';
            RETURN;
        END IF;
    ELSIF candidate.raw_data_package_id IS NOT NULL THEN
        SELECT 'long_term_archive_transfer ' || transfer.id INTO held_by FROM long_term_archive_transfer AS transfer
        WHERE transfer.raw_data_package_id = candidate.raw_data_package_id
            AND coalesce(transfer.origin_location_id, place.id) = place.id
            AND opsdb_is_open_work(transfer.status)
        ORDER BY transfer.id LIMIT 1;
        IF NOT FOUND THEN
            SELECT 'data_transfer_package ' || bundle.id INTO held_by FROM data_transfer_package AS bundle
            JOIN raw_data_package ON raw_data_package.data_transfer_package_id = bundle.id
            WHERE raw_data_package.id = candidate.raw_data_package_id
                AND bundle.origin_location_id = place.id
                AND opsdb_is_open_work(bundle.status);
        END IF;
        IF NOT FOUND THEN
            SELECT 'staging_job ' || job.id INTO held_by FROM staging_job_raw_data_packages AS staged
            JOIN staging_job AS job ON job.id = staged.stagingjob_id
            WHERE staged.rawdatapackage_id = candidate.raw_data_package_id AND opsdb_is_open_work(job.status)
            ORDER BY job.id LIMIT 1;
        END IF;
    ELSIF candidate.data_product_id IS NOT NULL THEN
        SELECT 'staging_job ' || job.id INTO held_by FROM staging_job_data_products AS staged
        JOIN staging_job AS job ON job.id = staged.stagingjob_id
        WHERE staged.dataproduct_id = candidate.data_product_id AND opsdb_is_open_work(job.status)
        ORDER BY job.id LIMIT 1;
    END IF;
    why = held_by || ' still needs it';
END
$$;

CREATE OR REPLACE FUNCTION opsdb_deletion_rule_4(
    candidate physical_copy, place data_location, OUT held_by text, OUT why text
)
LANGUAGE plpgsql STABLE SET search_path FROM CURRENT AS $$
-- Rule 4: at a processing location, no active staging job and no open run needs the copy.
DECLARE
    package_ids uuid[];
BEGIN
    IF place.location_type <> 'processing' THEN
        RETURN;
    END IF;
    package_ids = opsdb_raw_packages_of(candidate);
    SELECT 'staging_job ' || job.id INTO held_by FROM staging_job_raw_data_packages AS staged
    JOIN staging_job AS job ON job.id = staged.stagingjob_id
    WHERE staged.rawdatapackage_id = ANY (package_ids) AND job.active AND job.destination_location_id = place.id
    ORDER BY job.id LIMIT 1;
    IF NOT FOUND THEN
        SELECT 'staging_job ' || job.id INTO held_by FROM staging_job_data_products AS staged
        JOIN staging_job AS job ON job.id = staged.stagingjob_id
        WHERE staged.dataproduct_id = candidate.data_product_id
            AND job.active
            AND job.destination_location_id = place.id
        ORDER BY job.id LIMIT 1;
    END IF;
    IF NOT FOUND THEN
        SELECT 'executed_reduction_step ' || run.id INTO held_by FROM executed_reduction_step_input_package AS input
        JOIN executed_reduction_step AS run ON run.id = input.run_id
        WHERE input.raw_data_package_id = ANY (package_ids) AND opsdb_is_open_run(run.status)
        ORDER BY run.id LIMIT 1;
    END IF;
    IF NOT FOUND THEN
        SELECT 'executed_reduction_step ' || run.id INTO held_by FROM executed_reduction_step_input_product AS input
        JOIN executed_reduction_step AS run ON run.id = input.run_id
        WHERE input.data_product_id = candidate.data_product_id AND opsdb_is_open_run(run.status)
        ORDER BY run.id LIMIT 1;
    END IF;
    why = held_by || ' still needs it at ' || opsdb_name_location(place.id);
END
$$;

CREATE OR REPLACE FUNCTION opsdb_retention_horizon(retention_days integer) RETURNS timestamptz
LANGUAGE sql STABLE
-- The moment before which a copy must have arrived for its retention to have passed; NULL for a location that keeps
-- its data.
RETURN statement_timestamp() - make_interval(days => retention_days);

CREATE OR REPLACE FUNCTION opsdb_deletion_rule_5(
    candidate physical_copy, place data_location, OUT held_by text, OUT why text
)
LANGUAGE plpgsql STABLE SET search_path FROM CURRENT AS $$
-- Rule 5: the retention of the location has passed, or it is too full, or an approved request overrides it.
BEGIN
    IF candidate.arrived_at <= opsdb_retention_horizon(place.retention_days) THEN
        RETURN;
    END IF;
    IF EXISTS (
        SELECT FROM deletion_request_item AS item
        JOIN deletion_request AS request ON request.id = item.deletion_request_id
        WHERE item.physical_copy_id = candidate.id AND request.overrides_retention AND (
            request.status = 'approved'
            OR (request.status = 'executed' AND candidate.status IN ('deletion_scheduled', 'deletion_failed'))
        )
    ) THEN
        RETURN;
    END IF;
    IF opsdb_location_is_full(place.id) THEN
        RETURN;
    END IF;
    held_by = 'data_location ' || place.id;
    why = CASE
        WHEN place.retention_days IS NULL THEN opsdb_name_location(place.id) || ' keeps its data'
        ELSE 'the retention of ' || place.retention_days || ' days at ' || opsdb_name_location(place.id)
            || ' has not passed'
    END || ', it is not over its fill threshold, and no approved request overrides that';
END
$$;

CREATE OR REPLACE FUNCTION opsdb_deletion_blocker(copy_id bigint, OUT rule integer, OUT held_by text, OUT why text)
LANGUAGE plpgsql STABLE COST 10000 SET search_path FROM CURRENT AS $$
-- The first rule that holds a copy back, the row by which, and why; NULLs when the copy can be deleted.
DECLARE
    candidate physical_copy;
    place data_location;
    verdict record;
BEGIN
    SELECT * INTO candidate FROM physical_copy WHERE id = copy_id;
    SELECT * INTO place FROM data_location WHERE id = candidate.data_location_id;
    FOREACH rule IN ARRAY CASE WHEN candidate.status = 'missing' THEN ARRAY[1, 2] ELSE ARRAY[1, 2, 3, 4, 5] END LOOP
        verdict = CASE rule
            WHEN 1 THEN opsdb_deletion_rule_1(candidate, place)
            WHEN 2 THEN opsdb_deletion_rule_2(candidate, place)
            WHEN 3 THEN opsdb_deletion_rule_3(candidate, place)
            WHEN 4 THEN opsdb_deletion_rule_4(candidate, place)
            WHEN 5 THEN opsdb_deletion_rule_5(candidate, place)
        END;
        IF verdict.why IS NOT NULL THEN
            held_by = verdict.held_by;
            why = verdict.why;
            RETURN;
        END IF;
    END LOOP;
    rule = NULL;
END
$$;

CREATE OR REPLACE FUNCTION opsdb_deletion_remedy(rule integer, held_by text) RETURNS text
LANGUAGE sql IMMUTABLE
-- What to do about a copy that a rule holds back by this row.
RETURN CASE
    WHEN starts_with(held_by, 'deletion_policy ') THEN 'Run manage.py opsdb_migrate, which stores that row.'
    WHEN rule = 1 THEN 'Keep it; a bad copy in an archive is replaced by a repair.'
    WHEN rule = 2 THEN 'Have another copy verified, or the content archived, first; opsdb_explain names the next step.'
    WHEN rule = 3 THEN 'Wait until that work is completed; if it makes no progress, opsdb_explain names the next step.'
    WHEN rule = 4 THEN 'Release the staging job first; or wait until the run has ended, or cancel it.'
    ELSE 'Request the deletion with overrides_retention; where the location has a retention, you can also wait until '
        || 'it has passed.'
END;

CREATE OR REPLACE FUNCTION opsdb_deletion_is_safe() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
-- Refuses a step towards deletion while a rule holds the copy back. Locks the copy's content first, so that
-- meanwhile nothing makes its other copies doubtful or begins to read it, and then looks at what is true now. A
-- transaction that sees the past would not.
DECLARE
    blocker record;
BEGIN
    PERFORM opsdb_require_read_committed(
        TG_NAME, 'physical_copy ' || OLD.id, 'have become doubtful', 'Delete it in a READ COMMITTED transaction.'
    );
    PERFORM opsdb_lock_contents(ARRAY[OLD.id], for_deletion => true);
    SELECT * INTO blocker FROM opsdb_deletion_blocker(OLD.id);
    IF blocker.rule IS NOT NULL THEN
        PERFORM opsdb_refuse(
            TG_NAME, TG_TABLE_NAME,
            format(
                'physical_copy %s: cannot be deleted because of deletion rule %s: %s',
                OLD.id, blocker.rule, blocker.why
            ),
            opsdb_deletion_remedy(blocker.rule, blocker.held_by)
        );
    END IF;
    RETURN NEW;
END
$$;

CREATE OR REPLACE FUNCTION opsdb_wait_for_deletion() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
-- A copy that others may be deleted for loses its verification only after, or before, a deletion that counts on it.
BEGIN
    PERFORM opsdb_lock_contents(ARRAY[OLD.id], for_deletion => false);
    RETURN NEW;
END
$$;

CREATE OR REPLACE FUNCTION opsdb_mark_new_candidate() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
-- Marks a new copy as a candidate for deletion when what it is a copy of is archived already, or is a product, which
-- waits for no archive. Without the mark, a search for copies to delete would pass by all that wait for their archive.
-- The mark is a hint where to look; the rules decide.
BEGIN
    IF NEW.data_product_id IS NOT NULL THEN
        NEW.deletion_candidate = true;
    ELSE
        PERFORM FROM raw_data_package
        WHERE id = NEW.raw_data_package_id
            OR id = (SELECT raw_data_package_id FROM raw_data_file WHERE id = NEW.raw_data_file_id)
            OR data_transfer_package_id = NEW.data_transfer_package_id
        ORDER BY id FOR SHARE;
        NEW.deletion_candidate = EXISTS (
            SELECT FROM raw_data_package
            WHERE state = 'archived' AND (
                id = NEW.raw_data_package_id
                OR id = (SELECT raw_data_package_id FROM raw_data_file WHERE id = NEW.raw_data_file_id)
                OR data_transfer_package_id = NEW.data_transfer_package_id
            )
        );
    END IF;
    RETURN NEW;
END
$$;

CREATE OR REPLACE FUNCTION opsdb_keep_candidate() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
-- What was marked as a candidate for deletion stays marked.
BEGIN
    NEW.deletion_candidate = true;
    RETURN NEW;
END
$$;

CREATE OR REPLACE FUNCTION opsdb_mark_archived_candidates() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
-- Marks the copies of a package that turns archived, of its files, and of the bundle that it came in.
BEGIN
    UPDATE physical_copy SET deletion_candidate = true
    WHERE NOT deletion_candidate
        AND raw_data_file_id IN (SELECT id FROM raw_data_file WHERE raw_data_package_id = NEW.id);
    UPDATE physical_copy SET deletion_candidate = true
    WHERE NOT deletion_candidate AND raw_data_package_id = NEW.id;
    UPDATE physical_copy SET deletion_candidate = true
    WHERE NOT deletion_candidate AND data_transfer_package_id = NEW.data_transfer_package_id;
    RETURN NULL;
END
$$;

-- IVOA ObsCore 1.1 (REC-ObsCore-v1.1): a row for each raw data package, and for each science product in each release.
-- opsdb.models.data.obscore_columns describes the columns. Rows of packages are found by the indexes on
-- raw_data_package_metadata, those of products by release.
CREATE OR REPLACE VIEW obscore AS
SELECT
    nullif(metadata.dataproduct_type, '')::text AS dataproduct_type,
    metadata.calib_level,
    metadata.obs_collection::text AS obs_collection,
    metadata.obs_id::text AS obs_id,
    metadata.obs_publisher_did::text AS obs_publisher_did,
    nullif(metadata.access_url, '') AS access_url,
    nullif(metadata.access_format, '')::text AS access_format,
    metadata.access_estsize,
    nullif(metadata.target_name, '')::text AS target_name,
    metadata.s_ra,
    metadata.s_dec,
    metadata.s_fov,
    nullif(metadata.s_region, '') AS s_region,
    metadata.s_resolution,
    metadata.s_xel1,
    metadata.s_xel2,
    metadata.t_min,
    metadata.t_max,
    metadata.t_exptime,
    metadata.t_resolution,
    metadata.t_xel,
    metadata.em_min,
    metadata.em_max,
    metadata.em_res_power,
    metadata.em_xel,
    nullif(metadata.o_ucd, '')::text AS o_ucd,
    nullif(metadata.pol_states, '')::text AS pol_states,
    metadata.pol_xel,
    nullif(metadata.facility_name, '')::text AS facility_name,
    nullif(metadata.instrument_name, '')::text AS instrument_name,
    unit.name::text AS obs_title,
    package.finished_at AS obs_creation_date,
    NULL::timestamptz AS obs_release_date,
    'proprietary'::text AS data_rights,
    NULL::text AS bib_reference,
    program.short_name::text AS proposal_id
FROM raw_data_package_metadata AS metadata
JOIN raw_data_package AS package ON package.id = metadata.raw_data_package_id
JOIN executed_obs_unit AS execution ON execution.id = package.executed_obs_unit_id
JOIN obs_unit AS unit ON unit.id = execution.obs_unit_id
JOIN observing_program AS program ON program.id = unit.observing_program_id
UNION ALL
SELECT
    NULL,
    CASE WHEN seen.executions > 1 THEN 3 ELSE 2 END,
    release.name || ' ' || release.version,
    CASE WHEN seen.executions = 1 THEN seen.execution_id::text ELSE 'run-' || product.run_id END,
    'ivo://' || coalesce(seen.authority, (SELECT lower(short_name) FROM observatory ORDER BY id LIMIT 1), 'unknown')
        || '/release?' || release.id || '/' || product.id,
    NULL,
    CASE WHEN product.relative_path ~* '\.fits?$' THEN 'application/fits' END,
    (product.size_bytes + 999) / 1000,
    seen.target_name,
    seen.s_ra,
    seen.s_dec,
    seen.s_fov,
    seen.s_region,
    NULL,
    NULL,
    NULL,
    seen.t_min,
    seen.t_max,
    seen.t_exptime,
    NULL,
    NULL,
    seen.em_min,
    seen.em_max,
    NULL,
    NULL,
    NULL,
    NULL,
    NULL,
    seen.facility_name,
    seen.instrument_name,
    product.name::text,
    product.created_at,
    release.released_at,
    CASE WHEN release.public THEN 'public' ELSE 'proprietary' END,
    nullif(release.doi, '')::text,
    seen.proposal_id
FROM data_release AS release
JOIN data_release_products AS held ON held.datarelease_id = release.id
JOIN data_product AS product ON product.id = held.dataproduct_id AND product.type = 'science'
-- What was observed for it: the raw packages that its run read, and those behind the products that this read. A fact
-- that they do not agree on is left out.
CROSS JOIN LATERAL (
    WITH RECURSIVE walk (run_id) AS (
        SELECT product.run_id
        UNION
        SELECT made.run_id FROM walk
        JOIN executed_reduction_step_input_product AS input ON input.run_id = walk.run_id
        JOIN data_product AS made ON made.id = input.data_product_id
    ),
    package AS (
        SELECT DISTINCT input.raw_data_package_id AS id FROM walk
        JOIN executed_reduction_step_input_package AS input ON input.run_id = walk.run_id
    ),
    observed AS (
        SELECT raw.executed_obs_unit_id, program.short_name, metadata.*
        FROM package
        JOIN raw_data_package AS raw ON raw.id = package.id
        JOIN executed_obs_unit AS execution ON execution.id = raw.executed_obs_unit_id
        JOIN obs_unit AS unit ON unit.id = execution.obs_unit_id
        JOIN observing_program AS program ON program.id = unit.observing_program_id
        LEFT JOIN raw_data_package_metadata AS metadata ON metadata.raw_data_package_id = package.id
    )
    SELECT
        count(DISTINCT executed_obs_unit_id) AS executions,
        min(executed_obs_unit_id::text) AS execution_id,
        CASE WHEN min(short_name) = max(short_name) THEN min(short_name)::text END AS proposal_id,
        min(split_part(obs_publisher_did, '/', 3)) AS authority,
        CASE WHEN min(target_name) = max(target_name) THEN nullif(min(target_name), '')::text END AS target_name,
        CASE WHEN min(s_ra) = max(s_ra) AND min(s_dec) = max(s_dec) THEN min(s_ra) END AS s_ra,
        CASE WHEN min(s_ra) = max(s_ra) AND min(s_dec) = max(s_dec) THEN min(s_dec) END AS s_dec,
        CASE WHEN min(s_ra) = max(s_ra) AND min(s_dec) = max(s_dec) THEN max(s_fov) END AS s_fov,
        CASE WHEN min(s_region) = max(s_region) THEN nullif(min(s_region), '') END AS s_region,
        min(t_min) AS t_min,
        max(t_max) AS t_max,
        (
            SELECT sum(once.t_exptime)
            FROM (SELECT max(t_exptime) AS t_exptime FROM observed GROUP BY executed_obs_unit_id) AS once
        ) AS t_exptime,
        min(em_min) AS em_min,
        max(em_max) AS em_max,
        nullif(string_agg(DISTINCT facility_name, ', '), '') AS facility_name,
        nullif(string_agg(DISTINCT instrument_name, ', '), '') AS instrument_name
    FROM observed
) AS seen;

-- Pipelines, runs and products: steps that wait for one another, versions, groupings, and what supersedes what.

CREATE OR REPLACE FUNCTION opsdb_step_waits_in_pipeline() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
-- A step waits for a step of its own pipeline only.
BEGIN
    PERFORM opsdb_require_row(TG_NAME, TG_TABLE_NAME || ' ' || NEW.id, 'reduction_step', NEW.step_id);
    IF (SELECT pipeline_id FROM reduction_step WHERE id = NEW.step_id)
        IS DISTINCT FROM (SELECT pipeline_id FROM reduction_step WHERE id = NEW.depends_on_id)
    THEN
        PERFORM opsdb_refuse(
            TG_NAME, TG_TABLE_NAME,
            format(
                'reduction_step %s: cannot wait for reduction_step %s, which is in another pipeline',
                NEW.step_id, NEW.depends_on_id
            ),
            'Choose a step of the same pipeline.'
        );
    END IF;
    RETURN NEW;
END
$$;

CREATE OR REPLACE FUNCTION opsdb_steps_make_no_cycle() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
-- No step waits, by way of others, for itself. Locks the pipeline by a real update, so that a transaction that sees
-- the past fails instead of missing another's link.
BEGIN
    UPDATE pipeline SET id = id WHERE id = (SELECT pipeline_id FROM reduction_step WHERE id = NEW.step_id);
    IF EXISTS (
        WITH RECURSIVE before(id) AS (
            SELECT NEW.depends_on_id
            UNION
            SELECT waits.depends_on_id FROM reduction_step_dependency AS waits
            JOIN before ON waits.step_id = before.id
            WHERE waits.id <> NEW.id
        )
        SELECT FROM before WHERE id = NEW.step_id
    ) THEN
        PERFORM opsdb_refuse(
            TG_NAME, TG_TABLE_NAME,
            format(
                'reduction_step %s: would wait for itself, by way of reduction_step %s', NEW.step_id, NEW.depends_on_id
            ),
            'Choose a step that does not wait for this one.'
        );
    END IF;
    RETURN NEW;
END
$$;

CREATE OR REPLACE FUNCTION opsdb_run_version_of_software() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
-- A run uses a version of the software of its step.
BEGIN
    IF NOT EXISTS (
        SELECT FROM reduction_step
        JOIN reduction_software_version ON reduction_software_version.software_id = reduction_step.software_id
        WHERE reduction_step.id = NEW.step_id AND reduction_software_version.id = NEW.software_version_id
    ) THEN
        PERFORM opsdb_refuse(
            TG_NAME, TG_TABLE_NAME,
            format(
                'executed_reduction_step %s: reduction_software_version %s is not one of the software of its step',
                NEW.id, NEW.software_version_id
            ),
            'Choose a version of the software of its step.'
        );
    END IF;
    RETURN NEW;
END
$$;

CREATE OR REPLACE FUNCTION opsdb_superseded_in_line() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
-- No product supersedes itself by way of others. Locks those that supersede it.
DECLARE
    later bigint = NEW.superseded_by_id;
    latest bigint;
BEGIN
    WHILE later IS NOT NULL LOOP
        latest = later;
        SELECT superseded_by_id INTO later FROM data_product WHERE id = latest FOR NO KEY UPDATE;
        IF later = NEW.id THEN
            PERFORM opsdb_refuse(
                TG_NAME, TG_TABLE_NAME,
                format('data_product %s: would supersede itself, by way of data_product %s', NEW.id, latest),
                'Name a product that it does not supersede.'
            );
        END IF;
    END LOOP;
    RETURN NEW;
END
$$;

CREATE OR REPLACE FUNCTION opsdb_grouping_rules_are_known() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
-- The filter rules of a grouping name what the registry has; a refusal names the index of the rule and what is wrong.
-- TG_ARGV: columns of every table that a rule may name, as JSON; keys of a rule; operators; how many rules at most.
DECLARE
    known jsonb = TG_ARGV[0];
    keys text[] = TG_ARGV[1];
    operators text[] = TG_ARGV[2];
    item record;
    rule jsonb;
    problem text;
BEGIN
    IF jsonb_array_length(NEW.filter_rules) > TG_ARGV[3]::integer THEN
        PERFORM opsdb_refuse(
            TG_NAME, TG_TABLE_NAME,
            format('data_grouping %s: has more than %s filter rules', NEW.id, TG_ARGV[3]),
            'Leave rules out, or make a second grouping.'
        );
    END IF;
    FOR item IN
        SELECT value, ordinality - 1 AS index FROM jsonb_array_elements(NEW.filter_rules) WITH ORDINALITY
    LOOP
        rule = item.value;
        problem = CASE
            WHEN jsonb_typeof(rule) <> 'object' THEN 'must be an object (table, column, operator, value)'
            WHEN NOT rule ?& ARRAY['table', 'column', 'operator', 'value']
                THEN 'must have table, column, operator and value'
            WHEN EXISTS (SELECT FROM jsonb_object_keys(rule) AS key WHERE key <> ALL (keys)) THEN 'has an unknown key'
            WHEN jsonb_typeof(rule -> 'table') <> 'string' OR NOT known ? (rule ->> 'table')
                THEN concat('there is no table ', left(rule ->> 'table', 60), ' that a rule may name')
            WHEN jsonb_typeof(rule -> 'column') <> 'string' OR NOT known -> (rule ->> 'table') ? (rule ->> 'column')
                THEN concat(
                    'there is no column ', left(rule ->> 'column', 60),
                    ' in ', rule ->> 'table', ' that a rule may name'
                )
            WHEN jsonb_typeof(rule -> 'operator') <> 'string' OR (rule ->> 'operator') <> ALL (operators)
                THEN concat('there is no operator ', left(rule ->> 'operator', 60))
        END;
        IF problem IS NOT NULL THEN
            PERFORM opsdb_refuse(
                TG_NAME, TG_TABLE_NAME,
                format('data_grouping %s: filter_rules[%s]: %s', NEW.id, item.index, problem),
                'Write each rule as an object with a table, a column, an operator and a value, from what '
                'opsdb_schema documents.'
            );
        END IF;
    END LOOP;
    RETURN NEW;
END
$$;

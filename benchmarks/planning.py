"""What planning runs costs as a grouping grows: ``python -m benchmarks.planning``.

Two databases of their own, one with 1,000 and one with 100,000 archived packages of executions of 10 packages each,
all of one grouping, and a step that splits it by execution and has run for all of them but one execution. In both the
new sub-group is planned; it should cost at most three times as much in the large one.
"""

from .comparing import compare, past_the_rules, seconds_of

PACKAGES_PER_EXECUTION = 10

# Rows are made past the triggers, as they would be after years of work.
FILL = """
INSERT INTO executed_obs_unit (id, obs_unit_id, status, start_time, end_time, quality, conditions, comment)
SELECT ('10000000-0000-7000-8000-' || lpad(to_hex(number), 12, '0'))::uuid, %(unit)s, 'completed',
    now() - number * interval '1 hour', now() - (number - 0.5) * interval '1 hour', 'good', '{}', ''
FROM generate_series(1, %(executions)s) AS number;
INSERT INTO raw_data_package (id, executed_obs_unit_id, instrument_module_id, part, name, relative_path, file_count,
    size_bytes, checksum, checksum_algorithm, state, status, retry_count, max_retries, failure_message, claimed_by,
    started_at, finished_at)
SELECT ('20000000-0000-7000-8000-' || lpad(to_hex(number), 12, '0'))::uuid,
    ('10000000-0000-7000-8000-' || lpad(to_hex(1 + mod(number, %(executions)s)), 12, '0'))::uuid, %(module)s, number,
    'package-' || number, 'packages/' || number, 1, 1000, repeat('0', 64), 'sha256', 'archived', 'completed', 0, 3, '',
    '', now(), now()
FROM generate_series(1, %(packages)s) AS number;
INSERT INTO executed_reduction_step (step_id, software_version_id, sub_group_key, status, hpc_job_id, retry_count,
    failure_message, finished_at)
SELECT %(step)s, %(version)s, 'executed_obs_unit=' || id, 'completed', '', 0, '', now()
FROM executed_obs_unit ORDER BY id OFFSET 1;
INSERT INTO executed_reduction_step_input_package (run_id, raw_data_package_id)
SELECT run.id, package.id FROM executed_reduction_step AS run
JOIN raw_data_package AS package ON run.sub_group_key = 'executed_obs_unit=' || package.executed_obs_unit_id
"""


def make_world(packages):
    """Fill an empty database, and return the step."""

    from opsdb.models import GroupingDimension
    from opsdb.testing.factories import (
        InstrumentModuleFactory,
        ObsUnitFactory,
        ReductionSoftwareVersionFactory,
        ReductionStepFactory,
    )

    step = ReductionStepFactory(group_by=[GroupingDimension.EXECUTED_OBS_UNIT])
    facts = {
        "unit": ObsUnitFactory().pk,
        "module": InstrumentModuleFactory().pk,
        "step": step.pk,
        "version": ReductionSoftwareVersionFactory(software=step.software).pk,
        "executions": packages // PACKAGES_PER_EXECUTION,
        "packages": packages,
    }
    with past_the_rules(
        "executed_obs_unit", "raw_data_package", "executed_reduction_step", "executed_reduction_step_input_package"
    ) as cursor:
        cursor.execute(FILL, facts)
    return step


def measure(packages, repeats):
    """Return the seconds that each question takes with so many packages."""
    from django.db import connection

    from opsdb.workflows import plan_runs

    name = connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    try:
        step = make_world(packages)
        [run] = plan_runs(step)
        if run.input_packages.count() != PACKAGES_PER_EXECUTION:
            raise RuntimeError("the new sub-group was not planned")
        nothing_new = seconds_of(lambda: plan_runs(step), repeats)
        run.delete()
        return {"one new sub-group": seconds_of(lambda: plan_runs(step), repeats), "nothing new": nothing_new}
    finally:
        connection.creation.destroy_test_db(name, verbosity=0)


if __name__ == "__main__":
    compare(__doc__, "packages", (1_000, 100_000), measure)

"""What the page of trends costs as the tables grow: ``python -m benchmarks.trends``.

Both databases of ``benchmarks.filling`` get a year of notes, as the database keeps them of so many files: each location
on each day, each way in each hour, each stage on each day, and delays in forty steps. Every trend of a year is read in
both, and the page is drawn: the numbers of a year should not take more than 300 ms together, nor the page more than 500
ms, or the program ends with 1. Traffic is read by week, as the page does.
"""

import sys
from datetime import UTC, timedelta

from benchmarks.comparing import seconds_of
from benchmarks.filling import WANTED_SECONDS, measured_in_both

WANTED_OF_A_YEAR = 0.3
NOTES = """
TRUNCATE data_location_usage, stage_activity;
INSERT INTO data_location_usage (data_location_id, day, copies, bytes, arrived_bytes)
SELECT id, current_date - number, 1000, 1e9, 2e9 FROM data_location, generate_series(0, 364) AS number;
INSERT INTO stage_activity (stage, begins_at, origin_location_id, destination_location_id, added, completed, failures,
    bytes)
SELECT 'transfer', date_trunc('hour', now()) - number * interval '1 hour', origin.id, destination.id, 2, 2, 0, 1e9
FROM (SELECT id FROM data_location ORDER BY id LIMIT 2) AS origin,
    (SELECT id FROM data_location ORDER BY id DESC LIMIT 2) AS destination, generate_series(0, 364 * 24) AS number;
INSERT INTO stage_activity (stage, begins_at, destination_location_id, delay_step, added, completed, failures, bytes)
SELECT 'archiving', date_trunc('day', now()) - number * interval '1 day', archive.id, step, 5, 5, 0, 0
FROM (SELECT id FROM data_location ORDER BY id DESC LIMIT 2) AS archive, generate_series(0, 364) AS number,
    generate_series(50, 89) AS step;
INSERT INTO stage_activity (stage, begins_at, added, completed, failures, bytes)
SELECT stage, date_trunc('day', now()) - number * interval '1 day', 100, 99, 1, 0
FROM unnest(ARRAY['packaging', 'bundling', 'unpacking', 'staging', 'reduction']) AS stage,
    generate_series(0, 364) AS number;
ANALYZE data_location_usage, stage_activity;
"""


def measure(files, options):
    """Return the seconds that each trend of a year takes, and the page."""
    from django.contrib.auth import get_user_model
    from django.db import connection
    from django.test import Client
    from django.urls import reverse
    from django.utils import timezone

    from opsdb import workflows

    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE data_location_usage DISABLE TRIGGER USER")
        cursor.execute("ALTER TABLE stage_activity DISABLE TRIGGER USER")
        cursor.execute(NOTES)
        cursor.execute("ALTER TABLE data_location_usage ENABLE TRIGGER USER")
        cursor.execute("ALTER TABLE stage_activity ENABLE TRIGGER USER")
    end = timezone.now().astimezone(UTC).date() + timedelta(days=1)
    start = end - timedelta(days=365)
    users = get_user_model().objects
    client = Client(HTTP_HOST="localhost")
    client.force_login(users.filter(username="trends").first() or users.create_superuser("trends"))
    url = reverse("admin:opsdb_rawdatapackage_trends") + "?days=365"
    asked = {
        name: lambda name=name: getattr(workflows, name)(start, end)
        for name in (
            "measure_volumes",
            "measure_traffic_rates",
            "measure_archive_delays",
            "count_stage_failures",
            "measure_backlogs",
            "measure_observing_time",
        )
    }
    asked["measure_traffic_rates"] = lambda: workflows.measure_traffic_rates(start, end, step="week")
    asked["page"] = lambda: client.get(url)
    return {name: seconds_of(ask, options.repeats) for name, ask in asked.items()}


def main():
    options, few, many = measured_in_both(__doc__, measure, repeats=5)
    print(f"{'milliseconds':<30} {options.files[0]:>12,} {options.files[1]:>12,}")
    for name, seconds in many.items():
        print(f"{name:<30} {1000 * few[name]:>12.1f} {1000 * seconds:>12.1f}")
    year = sum(seconds for name, seconds in many.items() if name != "page")
    print(f"{'all trends':<30} {'':>12} {1000 * year:>12.1f}")
    sys.exit(year > WANTED_OF_A_YEAR or many["page"] > WANTED_SECONDS)


if __name__ == "__main__":
    main()

"""What the change log adds to an update, with few rows and with many: ``python -m benchmarks.history``.

Files of one execution are changed in one statement, in two databases of their own; what a row costs should be the same
in both.
"""

from .comparing import compare, seconds_of


def measure(files, repeats):
    """Return the seconds that updates of so many files take."""
    from django.db import connection

    from opsdb.models import RawDataFile
    from opsdb.testing.factories import RawDataFileFactory

    name = connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    try:
        first = RawDataFileFactory()
        shared = ("executed_obs_unit", "instrument_module", "source_location")
        RawDataFile.objects.bulk_create(
            RawDataFileFactory.build_batch(files - 1, **{field: getattr(first, field) for field in shared})
        )
        rows = RawDataFile.objects.all()
        one = rows.filter(pk=first.pk)
        all_of_them = seconds_of(lambda: rows.update(file_type="other"), repeats)
        return {
            "one row": seconds_of(lambda: one.update(file_type="other"), repeats),
            "a thousand rows, of all": all_of_them * 1_000 / files,
        }
    finally:
        connection.creation.destroy_test_db(name, verbosity=0)


if __name__ == "__main__":
    compare(__doc__, "files", (2_000, 20_000), measure)

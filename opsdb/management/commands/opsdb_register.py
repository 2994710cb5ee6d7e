"""``manage.py opsdb_register FILE``: register the raw data files of a list."""

from django.core.management.base import CommandError

from opsdb.management.command import OpsdbCommand


class Command(OpsdbCommand):
    """Register a list of files in one transaction."""

    help = "Register raw data files from a list: all of them, or none if there is any problem."
    examples = ("opsdb_register files.csv",)
    notes = (
        "columns:\n"
        "  executed_obs_unit, instrument_module, source_location, relative_path, size_bytes, checksum,\n"
        "  and optionally checksum_algorithm (sha256), file_type, observed_at, id\n\n"
        "Idempotent: a list can be registered again."
    )
    paths = ("file",)

    def add_arguments(self, parser):
        parser.add_argument("file", help="a .csv file with a header, or a .jsonl file with one JSON object a line")

    def handle(self, **options):
        from opsdb.loaders import LoadError
        from opsdb.loaders.raw_files import load_raw_data_files
        from opsdb.management.report import counting
        from opsdb.workflows import attributed

        try:
            with attributed(origin="opsdb_register"):
                done = load_raw_data_files(options["file"], watch=lambda reports: counting(reports, "Reading", "files"))
        except LoadError as error:
            raise CommandError(str(error)) from error
        if options["verbosity"]:
            known = f", {done.known} were known already" if done.known else ""
            returned = f", {done.returned} were deleted or missing and are back, unverified" if done.returned else ""
            self.stdout.write(f"{done.created} files registered{known}{returned}.")

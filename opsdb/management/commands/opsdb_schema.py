"""``manage.py opsdb_schema``: the reference of the schema, from the models."""

from pathlib import Path

from django.core.management.base import CommandError

from opsdb.management.command import OpsdbCommand

FORMATS = ("markdown", "json", "mermaid", "svg")


class Command(OpsdbCommand):
    """Write the reference of the schema, or compare a folder with it."""

    help = (
        "Write the reference of the schema from the models: every table with its columns, constraints, indexes, "
        "relations and rules, every enumeration, and diagrams. No database is needed."
    )
    examples = (
        "opsdb_schema --output docs/schema",
        "opsdb_schema --format json",
        "opsdb_schema --format mermaid --output diagrams",
        "opsdb_schema --output docs/schema --check",
    )
    notes = (
        "Without --output the whole is printed: all pages of Markdown, the JSON document or the diagram of all\n"
        "tables.\n"
        "Markdown comes with the diagrams that its pages show."
    )
    requires_system_checks = ()

    def add_arguments(self, parser):
        parser.add_argument("--format", choices=FORMATS, default="markdown", help="of the files (markdown)")
        parser.add_argument("--output", metavar="FOLDER", type=Path, help="write the files into this folder")
        parser.add_argument(
            "--check", action="store_true", help="write nothing, and fail if the folder of --output differs"
        )

    def handle(self, **options):
        from opsdb.schema import describe_schema
        from opsdb.schema.files import files_of, first_difference, write_files

        format, folder = options["format"], options["output"]
        if options["check"] and folder is None:
            raise CommandError("--check compares a folder: name it by --output")
        files = files_of(describe_schema(), format)
        if folder is None:
            pages = [text for name, text in files.items() if name.endswith(".md")]
            self.stdout.write("\n".join(pages) if pages else next(iter(files.values())), ending="")
            return
        if options["check"]:
            self._compare(files, folder, first_difference, format)
            return
        try:
            write_files(files, folder)
        except OSError as error:
            raise CommandError(f"{error.filename}: can't be written: {error.strerror}") from None
        self.stdout.write(f"{len(files)} files written into {folder}.")

    def _compare(self, files, folder, first_difference, format):
        if not folder.is_dir():
            raise CommandError(f"{folder}: is no folder; make it by opsdb_schema --format {format} --output {folder}")
        if difference := first_difference(files, folder):
            raise CommandError(
                f"{difference}; write it anew by manage.py opsdb_schema --format {format} --output {folder}"
            )
        self.stdout.write(f"The {len(files)} files in {folder} are as the models make them.")

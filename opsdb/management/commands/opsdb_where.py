"""``manage.py opsdb_where THING``: where the bytes of something are."""

from opsdb.management.answering import AnsweringCommand, moment, volume
from opsdb.management.report import listing


class Command(AnsweringCommand):
    """Print every copy of an observation, file, package, transfer package or product."""

    help = "Show every copy of an observation, file, package, transfer package or product, and when it was verified."
    examples = ("opsdb_where 0198c5a2-8f10-7000-8000-000000000001", "opsdb_where data_product 17 --json")

    def add_arguments(self, parser):
        super().add_arguments(parser)
        parser.add_argument(
            "thing",
            nargs="+",
            help=(
                "a UUID, a table and a key (data_product 17), "
                "or the name, path or checksum of a package, file or product"
            ),
        )

    def answer(self, options):
        from opsdb.workflows import find_copies

        return find_copies(" ".join(options["thing"]))

    def show(self, out, answer):
        rows = [
            (
                f"{copy.site}/{copy.location}",
                copy.location_type,
                copy.status,
                copy.verification,
                moment(copy.verified_at),
                volume(copy.size_bytes),
                copy.of.partition(" ")[0],
                copy.relative_path,
            )
            for copy in answer.copies
        ]
        title = f"{answer.subject}: {answer.name}"
        columns = ("where", "kind", "status", "checksum", "verified (UTC)", "size", "copy of", "path")
        out.print(listing(title, *columns, rows=rows))
        if answer.truncated:
            out.print("There are more copies than these.")
        elif not rows:
            out.print("There is no copy.")

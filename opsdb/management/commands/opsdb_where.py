"""``manage.py opsdb_where ITEM``: where the copies of an item are."""

from opsdb.management.json_command import JsonCommand, minute, size
from opsdb.management.report import listing


class Command(JsonCommand):
    """Print every copy of an observation, file, package, bundle or product."""

    help = "Show every copy of an observation, file, package, bundle or product, and when it was verified."
    examples = ("opsdb_where 0198c5a2-8f10-7000-8000-000000000001", "opsdb_where data_product 17 --json")

    def add_arguments(self, parser):
        super().add_arguments(parser)
        parser.add_argument(
            "item",
            nargs="+",
            help=(
                "a UUID, a table and a key (data_product 17), "
                "or the name, path or checksum of a package, file or product"
            ),
        )

    def result(self, options):
        from opsdb.workflows import find_copies

        return find_copies(" ".join(options["item"]))

    def render(self, out, result):
        rows = [
            (
                f"{copy.site}/{copy.location}",
                copy.location_type,
                copy.status,
                copy.verification,
                minute(copy.verified_at),
                size(copy.size_bytes),
                copy.of.partition(" ")[0],
                copy.relative_path,
            )
            for copy in result.copies
        ]
        title = f"{result.subject}: {result.name}"
        columns = ("where", "kind", "status", "checksum", "verified (UTC)", "size", "copy of", "path")
        out.print(listing(title, *columns, rows=rows))
        if result.truncated:
            out.print("There are more copies than these.")
        elif not rows:
            out.print("There is no copy.")

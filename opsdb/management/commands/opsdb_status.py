"""``manage.py opsdb_status``: the state of all work and locations."""

from django.core.management.base import CommandError

from opsdb.management.json_command import JsonCommand, minute, size
from opsdb.management.report import listing


class Command(JsonCommand):
    """Print counts by state, the oldest item of each stage, volumes, failures and stalled work."""

    help = (
        "Show the status of operations: the items of every stage by state, with the oldest, the contents of every "
        "location and what it lacks, the last failures, and work without a heartbeat. Large numbers are estimates, "
        "and marked as such."
    )
    examples = ("opsdb_status", "opsdb_status --json", "opsdb_status --prometheus")

    def add_arguments(self, parser):
        formats = parser.add_mutually_exclusive_group()
        super().add_arguments(formats)
        formats.add_argument("--prometheus", action="store_true", help="print the metrics that Prometheus reads")

    def handle(self, **options):
        if not options["prometheus"]:
            super().handle(**options)
            return
        try:
            from opsdb.metrics import expose
        except ImportError as error:
            raise CommandError(f"{error}: install it with pip install 'ops-db[metrics]'") from None
        self.stdout.write(expose()[0].decode(), ending="")

    def result(self, options):
        from opsdb.workflows import get_overview

        return get_overview()

    def render(self, out, result):
        rows = [(stage.name, minute(stage.oldest), self.states(stage.states)) for stage in result.stages]
        out.print(listing("Stages", "stage", "oldest (UTC)", "how many", rows=rows))
        rows = [
            (
                f"{place.site}/{place.location}" + ("" if place.active else " (inactive)"),
                place.location_type,
                f"{place.copies:,}",
                size(place.volume_bytes),
                self.fill_level(place),
                place.expected,
                place.lacking,
                self.states(place.states),
            )
            for place in result.locations
        ]
        columns = ("location", "kind", "copies", "volume", "full", "expected", "lacking", "states")
        out.print(listing("Locations", *columns, rows=rows))
        for title, troubles in (("Failures", result.failures), ("Stalled", result.stalled)):
            if troubles:
                rows = [(trouble.row, minute(trouble.since), trouble.message) for trouble in troubles]
                out.print(listing(title, "what", "since (UTC)", "message", rows=rows))
            else:
                out.print(f"{title}: none.")

    @staticmethod
    def fill_level(place):
        """Format how full a location is, with a warning where it would hold more than it can."""
        if place.fill_percent is None:
            return "-"
        return f"{place.fill_percent:.0f} %" + (" (more than its capacity: see opsdb_check)" * place.is_impossible)

    @staticmethod
    def states(states):
        """Format the counts that are not 0."""
        return ", ".join(f"{count.number} {count.state}" for count in states if count.number.value) or "none"

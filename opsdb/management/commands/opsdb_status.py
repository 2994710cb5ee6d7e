"""``manage.py opsdb_status``: how things stand."""

from opsdb.management.answering import AnsweringCommand, moment, volume
from opsdb.management.report import listing


class Command(AnsweringCommand):
    """Print counts by state, the oldest of each stage, volumes, failures and what is stalled."""

    help = (
        "Show how things stand: every stage by state with its oldest item, what every location holds and lacks, the "
        "last failures, and work without a sign of life. Large numbers are estimates and say so."
    )
    examples = ("opsdb_status", "opsdb_status --json")

    def answer(self, options):
        from opsdb.workflows import get_overview

        return get_overview()

    def show(self, out, answer):
        rows = [(stage.name, moment(stage.oldest), self.states(stage.states)) for stage in answer.stages]
        out.print(listing("Stages", "stage", "oldest (UTC)", "how many", rows=rows))
        rows = [
            (
                f"{place.site}/{place.location}" + ("" if place.active else " (out of use)"),
                place.location_type,
                f"{place.copies:,}",
                volume(place.volume_bytes),
                "-" if place.fill_percent is None else f"{place.fill_percent:.0f} %",
                place.expected,
                place.lacking,
                self.states(place.states),
            )
            for place in answer.locations
        ]
        columns = ("location", "kind", "copies", "volume", "full", "expected", "lacking", "states")
        out.print(listing("Locations", *columns, rows=rows))
        for title, troubles in (("Failures", answer.failures), ("Stalled", answer.stalled)):
            if troubles:
                rows = [(trouble.row, moment(trouble.since), trouble.message) for trouble in troubles]
                out.print(listing(title, "what", "since (UTC)", "message", rows=rows))
            else:
                out.print(f"{title}: none.")

    @staticmethod
    def states(states):
        """Return the counts that are not 0, in words."""
        return ", ".join(f"{count.number} {count.state}" for count in states if count.number.value) or "none"

"""``manage.py opsdb_queues``: the queues that workers serve."""

from opsdb.management.json_command import JsonCommand
from opsdb.management.report import listing


class Command(JsonCommand):
    """Print every queue of the sites and locations."""

    help = "List the queues of all sites and locations, {site}_{location}_{operation}."
    examples = ("opsdb_queues", "opsdb_queues --json")

    def result(self, options):
        from opsdb.workflows import list_queues

        return list_queues()

    def render(self, out, result):
        rows = [
            (
                queue.name,
                queue.site,
                queue.location,
                queue.operation,
                queue.stalled or "",
                "" if queue.active else "inactive",
            )
            for queue in result
        ]
        out.print(listing("Queues", "queue", "site", "location", "operation", "stalled", "", rows=rows))

"""``manage.py opsdb_queues``: the queues that workers serve."""

from opsdb.management.answering import AnsweringCommand
from opsdb.management.report import listing


class Command(AnsweringCommand):
    """Print every queue that sites and locations imply."""

    help = "List every queue that sites and locations imply: {site}_{location}_{operation}."
    examples = ("opsdb_queues", "opsdb_queues --json")

    def answer(self, options):
        from opsdb.workflows import list_queues

        return list_queues()

    def show(self, out, answer):
        rows = [
            (
                queue.name,
                queue.site,
                queue.location,
                queue.operation,
                queue.stalled or "",
                "" if queue.active else "out of use",
            )
            for queue in answer
        ]
        out.print(listing("Queues", "queue", "site", "location", "operation", "stalled", "", rows=rows))

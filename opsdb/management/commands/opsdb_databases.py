"""``manage.py opsdb_databases``: whether the primary and its replicas respond, and how far the replicas are behind."""

from django.core.management.base import CommandError

from opsdb.management.json_command import JsonCommand, size
from opsdb.management.report import listing


class Command(JsonCommand):
    """Print how each database is; end with an error if one does not respond or a replica is too far behind."""

    help = (
        "Report whether the primary (OPSDB_PRIMARY) and its replicas (OPSDB_REPLICAS) respond, and how far each replica"
        " is behind. Ends with exit code 1 if one is down, too late, or no replica any more."
    )
    examples = ("opsdb_databases", "opsdb_databases --json")

    def result(self, options):
        from opsdb.replication import read_health

        return read_health()

    def report(self, result, options):
        super().report(result, options)
        if wrong := [health.alias for health in result if health.problem]:
            raise CommandError(f"{', '.join(wrong)}: not as it should be.")

    def render(self, out, result):
        rows = [
            (
                health.alias,
                health.role,
                size(health.behind_bytes),
                "-" if health.behind_seconds is None else f"{health.behind_seconds:.0f} s",
                str(health.problem) or "good",
            )
            for health in result
        ]
        out.print(listing("Databases", "alias", "role", "behind", "since", "state", rows=rows))

"""``manage.py opsdb_check``: problems of sites, locations and routes."""

from django.core.management.base import CommandError

from opsdb.management.json_command import JsonCommand
from opsdb.management.report import listing


class Command(JsonCommand):
    """Print the problems of the topology; end with an error if data can't reach their destinations."""

    help = (
        "Report problems of sites, locations and routes, and their remedies. Ends with exit code 1 if there is an "
        "error, that is, if data can't reach their destinations."
    )
    examples = ("opsdb_check", "opsdb_check --json")

    def result(self, options):
        from opsdb.workflows import validate_topology

        return validate_topology()

    def report(self, result, options):
        from opsdb.workflows import Severity

        super().report(result, options)
        errors = sum(problem.severity == Severity.ERROR for problem in result)
        if errors:
            raise CommandError(f"The topology has {errors} error{'s' if errors > 1 else ''}.")

    def render(self, out, result):
        if not result:
            out.print("There are no problems.")
            return
        rows = [(problem.severity, problem.subject, f"{problem.problem}; {problem.remedy}") for problem in result]
        out.print(listing("Topology", "severity", "what", "problem, and what to do", rows=rows))

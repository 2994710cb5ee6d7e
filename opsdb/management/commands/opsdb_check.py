"""``manage.py opsdb_check``: rules that the database lacks, and problems of sites, locations and routes."""

from django.core.management.base import CommandError

from opsdb.management.json_command import JsonCommand
from opsdb.management.report import listing


class Command(JsonCommand):
    """Print what the database lacks of its rules and the topology of what it needs; end with an error if data are at
    risk or can't reach their destinations.
    """

    help = (
        "Report rules of the database (triggers, functions, constraints) that are missing, disabled or not those of "
        "the installed version, and problems of sites, locations and routes, with their remedies. Ends with exit code "
        "1 if there is an error, that is, if a rule differs or data can't reach their destinations."
    )
    examples = ("opsdb_check", "opsdb_check --json")

    def result(self, options):
        from opsdb.workflows import validate_rules, validate_topology

        return [*validate_rules(), *validate_topology()]

    def report(self, result, options):
        from opsdb.workflows import Severity

        super().report(result, options)
        errors = sum(problem.severity == Severity.ERROR for problem in result)
        if errors:
            raise CommandError(f"There {'are' if errors > 1 else 'is'} {errors} error{'s' if errors > 1 else ''}.")

    def render(self, out, result):
        if not result:
            out.print("There are no problems.")
            return
        rows = [(problem.severity, problem.subject, f"{problem.problem}; {problem.remedy}") for problem in result]
        out.print(listing("Problems", "severity", "what", "problem, and what to do", rows=rows))

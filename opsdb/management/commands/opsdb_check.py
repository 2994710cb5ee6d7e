"""``manage.py opsdb_check``: what sites, locations and routes lack."""

from django.core.management.base import CommandError

from opsdb.management.answering import AnsweringCommand
from opsdb.management.report import listing


class Command(AnsweringCommand):
    """Print what the topology lacks; end with an error if data can't get where they should."""

    help = (
        "Say what sites, locations and routes lack, and what to do. Ends with exit code 1 if there is an error, "
        "that is, if data can't get where they should."
    )
    examples = ("opsdb_check", "opsdb_check --json")

    def answer(self, options):
        from opsdb.workflows import validate_topology

        return validate_topology()

    def report(self, answer, options):
        from opsdb.workflows import Severity

        super().report(answer, options)
        errors = sum(problem.severity == Severity.ERROR for problem in answer)
        if errors:
            raise CommandError(f"The topology has {errors} error{'s' if errors > 1 else ''}.")

    def show(self, out, answer):
        if not answer:
            out.print("Nothing is missing.")
            return
        rows = [(problem.severity, problem.subject, f"{problem.problem}; {problem.remedy}") for problem in answer]
        out.print(listing("Topology", "severity", "what", "problem, and what to do", rows=rows))

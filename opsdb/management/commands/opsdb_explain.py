"""``manage.py opsdb_explain THING``: why something is not done yet, and what has to happen next."""

from django.utils.translation import gettext as _

from opsdb.management.answering import AnsweringCommand


class Command(AnsweringCommand):
    """Print why something is where it is, what has to happen next, and who does it."""

    help = (
        "Say why a package is not archived, a transfer does not move, a copy is not deleted or a run does not start, "
        "what has to happen next, and who does it."
    )
    examples = ("opsdb_explain data_transfer 17", "opsdb_explain 0198c5a2-8f10-7000-8000-000000000001")

    def add_arguments(self, parser):
        super().add_arguments(parser)
        parser.add_argument(
            "thing",
            nargs="+",
            help=(
                "a UUID, a table and a key (data_transfer 17, physical_copy 4), "
                "or the name, path or checksum of something"
            ),
        )

    def answer(self, options):
        from opsdb.workflows import explain_row

        return explain_row(" ".join(options["thing"]))

    def show(self, out, answer):
        out.print(f"{answer.subject}: {answer.state}", markup=False, style="bold")
        for reason in answer.why:
            out.print(_("  because %(reason)s") % {"reason": reason}, markup=False)
        if answer.done:
            out.print(_("Nothing has to happen."), markup=False)
        else:
            out.print(_("Next: %(step)s") % {"step": answer.next_step}, markup=False)
            out.print(_("By:   %(who)s") % {"who": answer.who_in_words}, markup=False)

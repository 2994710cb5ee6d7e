"""``manage.py opsdb_explain ITEM``: why an item is in its state, and what has to happen next."""

from django.utils.translation import gettext as _

from opsdb.management.json_command import JsonCommand


class Command(JsonCommand):
    """Print why an item is in its state, what has to happen next, and who does it."""

    help = (
        "Explain why a package is not archived, a transfer does not proceed, a copy is not deleted or a run does not "
        "start, what has to happen next, and who does it."
    )
    examples = ("opsdb_explain data_transfer 17", "opsdb_explain 0198c5a2-8f10-7000-8000-000000000001")

    def add_arguments(self, parser):
        super().add_arguments(parser)
        parser.add_argument(
            "item",
            nargs="+",
            help=("a UUID, a table and a key (data_transfer 17, physical_copy 4), or a name, path or checksum"),
        )

    def result(self, options):
        from opsdb.workflows import explain_row

        return explain_row(" ".join(options["item"]))

    def render(self, out, result):
        out.print(f"{result.subject}: {result.state}", markup=False, style="bold")
        for reason in result.why:
            out.print(_("  because %(reason)s") % {"reason": reason}, markup=False)
        if result.done:
            out.print(_("Nothing has to happen."), markup=False)
        else:
            out.print(_("Next: %(step)s") % {"step": result.next_step}, markup=False)
            out.print(_("By:   %(who)s") % {"who": result.who_in_words}, markup=False)

"""``manage.py opsdb_export``: data sets in a format of the virtual observatory."""

import os
import stat
from contextlib import contextmanager
from datetime import date
from functools import partial
from pathlib import Path

from django.core.management.base import CommandError

from opsdb.management.command import OpsdbCommand

PORTION = 2_000
LARGEST_LIMIT = 10**12


class Command(OpsdbCommand):
    """Write what the view ``obscore`` has as a VOTable."""

    help = (
        "Write data sets, in the columns of IVOA ObsCore 1.1, as a VOTable: a row for each raw data package and for "
        "each science product in each release. TOPCAT, Aladin and astropy read it."
    )
    examples = (
        "opsdb_export votable --night 2026-06-15 --output night.vot",
        "opsdb_export votable --program GEco --public",
        "opsdb_export votable --source 'Orion KL' --limit 100",
    )
    paths = ("output",)

    def add_arguments(self, parser):
        parser.add_argument("format", choices=["votable"], help="the format")
        parser.add_argument(
            "--output", metavar="FILE", help="the file to write or to replace; default: standard output"
        )
        parser.add_argument("--night", metavar="DATE", help="begun in the 24 hours from noon (UTC) of this date")
        parser.add_argument("--program", metavar="NAME", help="of the observing program of this short name")
        parser.add_argument("--source", metavar="NAME", help="of the source of this name or alias")
        parser.add_argument(
            "--collection", metavar="NAME", help="of this collection: a program, or a release and version"
        )
        parser.add_argument("--public", action="store_true", help="only what is in a release that everybody may see")
        parser.add_argument(
            "--limit", metavar="NUMBER", type=int, help="at most this many; the file notes if there are more"
        )

    def handle(self, **options):
        from opsdb.models.data.obscore_columns import COLUMNS
        from opsdb.votable import votable

        limit = options["limit"]
        if limit is not None and not 1 <= limit <= LARGEST_LIMIT:
            raise CommandError(f"--limit must be a whole number from 1 to {LARGEST_LIMIT}, not {limit}")
        chosen = self.chosen(options).values_list(*(column.name for column in COLUMNS))
        if limit is not None:
            chosen = chosen[: limit + 1]
        with self.opened(options["output"]) as write:
            for part in votable(chosen.iterator(chunk_size=PORTION), limit=limit):
                write(part)

    def chosen(self, options):
        """Return the data sets that the options ask for."""
        from opsdb.models import ObsCore, ObservingProgram

        chosen = ObsCore.objects.all()
        if text := options["night"]:
            try:
                chosen = chosen.night(date.fromisoformat(text))
            except ValueError:
                raise CommandError(f"--night must be a date such as 2026-06-15, not {text!r}") from None
        if name := options["program"]:
            if not ObservingProgram.objects.filter(short_name=name).exists():
                raise CommandError(f"There is no observing program {name!r}; give its short name")
            chosen = chosen.filter(proposal_id=name)
        if name := options["source"]:
            chosen = chosen.filter(target_name=self.source_called(name))
        if name := options["collection"]:
            chosen = chosen.filter(obs_collection=name)
        return chosen.public() if options["public"] else chosen

    @staticmethod
    def source_called(name):
        """Return the name of the source that a name or alias means."""
        from opsdb.models import Source

        try:
            source = Source.objects.resolve(name)
        except Source.MultipleObjectsReturned as error:
            raise CommandError(str(error)) from None
        if source is None:
            raise CommandError(f"There is no source {name!r}")
        return source.name

    @contextmanager
    def opened(self, output):
        """Yield the function that writes; a file is there when it is whole, and an old one stays until then.

        A link stays what it is: the file that it leads to is replaced. Devices and pipes are written to.
        """
        if output is None:
            yield partial(self.stdout.write, ending="")
            return
        try:
            mode = _mode_of(output)
            if not output or (mode and stat.S_ISDIR(mode)):
                raise CommandError(f"--output must be the name of a file, not {output!r}")
            if mode and not stat.S_ISREG(mode):
                with open(output, "w", encoding="utf-8") as file:
                    yield file.write
                return
            path = Path(os.path.realpath(output))
            new = path.with_name(f".{path.name}.{os.getpid()}")
            try:
                with new.open("w", encoding="utf-8") as file:
                    yield file.write
                new.replace(path)
            finally:
                new.unlink(missing_ok=True)
        except OSError as error:
            raise CommandError(f"{output} can't be written ({error.strerror})") from None
        self.stdout.write(f"{output}: written")


def _mode_of(path):
    """Return what kind of file a path leads to, or None if there is none yet."""
    try:
        return os.stat(path).st_mode
    except FileNotFoundError:
        return None

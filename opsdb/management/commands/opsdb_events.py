"""``manage.py opsdb_events``: what changes, as it is committed."""

import json
from dataclasses import fields

from django.core.management.base import CommandError

from opsdb.formatting import format_second
from opsdb.management.command import OpsdbCommand


class Command(OpsdbCommand):
    """Print events until it is interrupted, or those that are there."""

    help = (
        "Follow what changes: a line for each event, as it is committed. --json prints one JSON object a line, whose "
        "cursor names where to go on with --after, also after days: no event is left out, none comes twice. Where it "
        "begins and ends is printed on standard error."
    )
    examples = (
        "opsdb_events",
        "opsdb_events --json --table raw_data_package --table physical_copy",
        "opsdb_events --json --once --after '1764169200:7512:7512:'",
    )

    def add_arguments(self, parser):
        parser.add_argument("--after", metavar="CURSOR", help="begin after this event; default: from now on")
        parser.add_argument("--table", action="append", metavar="NAME", help="only of this table; can be repeated")
        parser.add_argument("--once", action="store_true", help="print what is there, and end")
        parser.add_argument("--json", action="store_true", help="print JSON, with times in UTC")

    def handle(self, *, after, table, once, json, **options):
        from opsdb.events import follow
        from opsdb.workflows import OpsdbError

        events, written = None, after
        try:
            events = follow(after, tables=table, timeout=0 if once else None)
            for event in events:
                self.stdout.write(_as_json(event) if json else _as_text(event))
                self.stdout.flush()
                written = event.cursor
        except BrokenPipeError:
            if written:
                self.show_cursor(written)
            raise
        except OpsdbError as error:
            raise CommandError(" ".join(str(error).split())) from error
        except KeyboardInterrupt:
            pass
        if events is not None and events.cursor:
            self.show_cursor(events.cursor)

    def show_cursor(self, cursor):
        """Print where to go on, on standard error."""
        self.stderr.write(f"Go on with --after '{cursor}'")


def _as_json(event):
    # Not asdict, which copies all values deeply and takes most of a follower's time.
    values = {field.name: getattr(event, field.name) for field in fields(event)}
    return json.dumps(values | {"at": event.at.isoformat()})


def _as_text(event):
    what = ", ".join(f"{column}: {before} → {after}" for column, (before, after) in event.changes.items())
    rows = event.keys[0] if len(event.keys) == 1 else f"{len(event.keys)} rows"
    return f"{format_second(event.at)} {event.action} {event.table} {rows}" + (f" {what}" if what else "")

"""The triggers that write the change log, and notify those who follow it."""

from __future__ import annotations

from collections.abc import Iterable

from .triggers import Trigger


class Logged(Trigger):
    """Write changes into the change log.

    Args:
        events: which changes, such as ``INSERT OR UPDATE OR DELETE``.
        columns: all columns of the table; only needed when some are left out.
        leaving_out: columns that the database derives, and that no history needs; a statement that sets only these
            is not looked at.
    """

    def __init__(self, events: str, columns: Iterable[str] = (), leaving_out: Iterable[str] = ()) -> None:
        self.leaving_out = tuple(leaving_out)
        if self.leaving_out:
            logged = ", ".join(f'"{column}"' for column in columns if column not in self.leaving_out)
            events = events.replace("UPDATE", f"UPDATE OF {logged}")
        super().__init__("history", "opsdb_log_change", *self.leaving_out, timing="AFTER", events=events)


class LogsInBulk(Trigger):
    """Write what one statement inserts or updates into the change log at once, for a fraction of the cost.

    For a table whose rows come or change by the thousand, have no secrets, and keep their ids.

    Args:
        event: INSERT or UPDATE.
    """

    def __init__(self, event: str) -> None:
        super().__init__(
            f"history_of_{event.lower()}s",
            f"opsdb_log_bulk_{event.lower()}",
            timing="AFTER",
            events=event,
            level="STATEMENT",
            referencing="NEW TABLE AS new_rows" if event == "INSERT" else "OLD TABLE AS old_rows NEW TABLE AS new_rows",
        )


class LogsLinks(Trigger):
    """Write what is linked to a row, and what is taken from it, into the change log as a change of that row.

    Args:
        owner: the table of the rows that have the links.
        field: the name of the many-to-many field.
        link: the table of the links, with its columns for the row and for what is linked.
        prefix: of the trigger's name, where the row's model is not ours.
    """

    def __init__(
        self, owner: str, field: str, link: str, owner_column: str, other_column: str, *, prefix: str = ""
    ) -> None:
        super().__init__(
            f"{prefix}{field}_history",
            "opsdb_log_link",
            owner,
            field,
            owner_column,
            other_column,
            timing="AFTER",
            events="INSERT OR UPDATE OR DELETE",
            table=link,
        )


class LogsInserts(Trigger):
    """Write the keys of the rows that one statement inserts into the change log.

    For a large table, of whose rows the change log has no copy.
    """

    def __init__(self) -> None:
        super().__init__(
            "history_of_keys",
            "opsdb_log_inserted_keys",
            timing="AFTER",
            events="INSERT",
            level="STATEMENT",
            referencing="NEW TABLE AS new_rows",
        )

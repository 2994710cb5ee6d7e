"""The triggers that guard every table, whatever it holds: keys stay, and no table is emptied."""

from __future__ import annotations

from .change_logging import LogsLinks
from .triggers import MAKE_ANOTHER, Immutable, Trigger


class KeyStays(Immutable):
    """Refuse another key: other rows, the history, and external programs refer to a row by it.

    Fires only for a statement that names the key, so that it costs other updates nothing.

    Args:
        hint: what to do instead.
        prefix: of the trigger's name, for a table of links.
        table: that table.
    """

    def __init__(self, hint: str = MAKE_ANOTHER, *, prefix: str = "", table: str = "") -> None:
        super().__init__("id", hint=hint, events='UPDATE OF "id"', name=f"{prefix}id_immutable", table=table)


class LinkStays(Immutable):
    """Refuse any change of a link: the history and the rules know it by its key, its row and what is linked.

    Args:
        columns: the link's columns for the row and for what is linked.
        prefix: of the trigger's name.
        table: table of the links.
    """

    def __init__(self, *columns: str, prefix: str, table: str) -> None:
        hint = "Remove the link and add another one."
        super().__init__("id", *columns, hint=hint, name=f"{prefix}link_immutable", table=table)


class NeverTruncated(Trigger):
    """Refuse ``TRUNCATE``, which row triggers do not see.

    Args:
        prefix: of the trigger's name, for a table of links.
        table: that table.
    """

    def __init__(self, *, prefix: str = "", table: str = "") -> None:
        super().__init__(
            f"{prefix}never_truncated", "opsdb_refuse_truncation", events="TRUNCATE", level="STATEMENT", table=table
        )


# Tables of Django that ours refer to: who is in a role, and what a role may do, hangs on their keys.
TABLES_OF_DJANGO = ("auth_group", "auth_group_permissions", "auth_permission", "django_content_type")
# The partition for what no month was made for; the months have their guards from who makes them.
TABLES_OF_PARTITIONS = ("change_log_default",)


def guards_of_django() -> list[Trigger]:
    """Return what keeps the keys of Django's tables, refuses to empty them, and logs what a role may do."""
    link, columns = "auth_group_permissions", ("group_id", "permission_id")
    guards = [
        guard
        for table in TABLES_OF_DJANGO
        for guard in (
            LinkStays(*columns, prefix=f"{table}_", table=table)
            if table == link
            else KeyStays(prefix=f"{table}_", table=table),
            NeverTruncated(prefix=f"{table}_", table=table),
        )
    ]
    return [
        *guards,
        LogsLinks("role", "permissions", link, *columns, prefix="auth_group_"),
    ]


def guards_of_partitions() -> list[Trigger]:
    """Return what guards the default partition of the change log, and has the months made after a change in it."""
    [table] = TABLES_OF_PARTITIONS
    return [
        NeverTruncated(prefix=f"{table}_", table=table),
        Trigger(
            f"{table}_months",
            "opsdb_make_months_in_time",
            timing="AFTER",
            events="INSERT",
            deferred=True,
            table=table,
        ),
    ]


# A migration backwards keeps no trigger whose function is dropped.
DROP_GUARDS_OF_MONTHS = """
DO $$
DECLARE
    month name;
BEGIN
    FOR month IN SELECT relname FROM pg_inherits JOIN pg_class ON pg_class.oid = pg_inherits.inhrelid
        WHERE pg_inherits.inhparent = 'change_log'::regclass AND relname <> 'change_log_default'
    LOOP
        EXECUTE format('DROP TRIGGER %I ON %I', month || '_never_truncated', month);
    END LOOP;
END
$$
"""

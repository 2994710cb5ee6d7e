"""``opsdb_username``, the function that looks for a user in the table of the project's user model.

It is the one function that depends on the project: on the model's table, its key and its login name. Its body is text
that PostgreSQL reads when it is called, so that the project's own migrations can rename, alter and drop these columns.
``migrate`` defines it anew when they have. Migrations define it too, so that this module stays as long as they do.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import FieldDoesNotExist

from .definitions import define_functions

# The body as it is, where the table has the columns that the model has now.
BODY_OF_LOOKUP = """
SELECT prosrc FROM pg_proc WHERE oid = to_regprocedure('opsdb_username(text)') AND %s = (
    SELECT count(*) FROM pg_attribute WHERE attrelid = to_regclass(%s) AND attname = ANY (%s) AND NOT attisdropped
)
"""


def body_of_lookup(connection: Any, user: Any) -> str:
    """Return the body of ``opsdb_username``: the name of the user with a key, the key where the name is NULL.

    Args:
        connection: to the database.
        user: options (``_meta``) of the user model, as they are now or at a migration. Where they have no field of the
            login name yet, a user's name is the key.
    """
    quote = connection.ops.quote_name
    table, name = _table_and_name(user)
    shown = f"coalesce(account.{quote(name)}::text, $1)" if name else "$1"
    key = f"account.{quote(table.pk.column)} = $1::{table.pk.cast_db_type(connection)}"
    found = f"SELECT {shown} FROM {quote(table.db_table)} AS account WHERE {key}"  # noqa: S608 - quoted names
    return f"\nBEGIN\n    RETURN ({found});\nEND\n"


def _table_and_name(user):
    """Return the options of the model that has the login name, maybe a parent, and the column of the name or None."""
    try:
        # Django keeps the name of this field beside the model, not in the state of the models.
        field = user.get_field(get_user_model().USERNAME_FIELD)
    except FieldDoesNotExist:
        return user, None
    return field.model._meta, field.column


def lookup_of(connection: Any, user: Any) -> str:
    """Return the statement that defines ``opsdb_username``; the arguments are those of ``body_of_lookup``."""
    return (
        "CREATE OR REPLACE FUNCTION opsdb_username(user_key text) RETURNS text LANGUAGE plpgsql STABLE "
        f"SET search_path FROM CURRENT AS $${body_of_lookup(connection, user)}$$"
    )


def renew_lookup(connection: Any) -> bool:
    """Define ``opsdb_username`` by the user model as it is now, where the database has it otherwise.

    Returns:
        Whether it was defined anew; never in a database without the function, or where the user model has not been
        migrated yet.
    """
    user = get_user_model()._meta
    table, name = _table_and_name(user)
    columns = sorted({table.pk.column, name})
    with connection.cursor() as cursor:
        cursor.execute(BODY_OF_LOOKUP, [len(columns), connection.ops.quote_name(table.db_table), columns])
        found = cursor.fetchone()
    if found is None or found[0] == body_of_lookup(connection, user):
        return False
    with connection.schema_editor() as editor:
        define_functions(editor, [lookup_of(connection, user)])
    return True

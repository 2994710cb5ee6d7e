"""``opsdb_username``, the function that looks for a user in the table of the project's user model.

It is the one function that depends on the project: on the model's table, its key and its login name. Its body is text
that PostgreSQL reads when it is called, so that the project's own migrations can rename, alter and drop these columns.
``migrate`` defines it anew when they have.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import FieldDoesNotExist

from .definitions import define_functions

# The body as it is, where the table has the columns that the model has now.
BODY_OF_LOOKUP = """
SELECT prosrc FROM pg_proc WHERE oid = to_regprocedure('opsdb_username(text)') AND 2 = (
    SELECT count(*) FROM pg_attribute WHERE attrelid = to_regclass(%s) AND attname IN (%s, %s)
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
    try:
        # Django keeps the name of this field beside the model, not in the state of the models.
        name = f"coalesce({quote(user.get_field(get_user_model().USERNAME_FIELD).column)}::text, user_key)"
    except FieldDoesNotExist:
        name = "user_key"
    key, key_type = quote(user.pk.column), user.pk.cast_db_type(connection)
    found = f"SELECT {name} FROM {quote(user.db_table)} WHERE {key} = user_key::{key_type}"  # noqa: S608 - quoted names
    return f"\nBEGIN\n    RETURN ({found});\nEND\n"


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
    model = get_user_model()
    user, name = model._meta, model._meta.get_field(model.USERNAME_FIELD).column
    with connection.cursor() as cursor:
        cursor.execute(BODY_OF_LOOKUP, [connection.ops.quote_name(user.db_table), user.pk.column, name])
        found = cursor.fetchone()
    if found is None or found[0] == body_of_lookup(connection, user):
        return False
    with connection.schema_editor() as editor:
        define_functions(editor, [lookup_of(connection, user)])
    return True

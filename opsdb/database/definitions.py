"""What files of SQL define, and how migrations execute it; it stays as long as the migrations do."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

FUNCTION = re.compile(
    r"^CREATE OR REPLACE FUNCTION (\w+)\(.*?(?:^\$\$;$|^RETURN [^;]*;$|^END;$)", re.DOTALL | re.MULTILINE
)
VIEW = re.compile(r"^CREATE OR REPLACE VIEW (\w+) AS$.*?;$", re.DOTALL | re.MULTILINE)
# A function that runs with the rights of its owner can be called, or made a trigger of another table, by no one else.
WITHHOLD = "REVOKE ALL ON FUNCTION {name} FROM PUBLIC"
# While a function is created, names mean what is in the schema that the tables are in, and temporary tables come last:
# SET search_path FROM CURRENT keeps this for each of its calls. By statements alone, so that sqlmigrate prints it all.
FIX_SEARCH_PATH = (
    "SELECT set_config('opsdb.search_path', current_setting('search_path'), true)",
    "SELECT set_config('search_path', quote_ident(current_schema()) || ', pg_temp', true)",
)
PUT_SEARCH_PATH_BACK = "SELECT set_config('search_path', current_setting('opsdb.search_path'), true)"


def functions_in(folder: Path) -> dict[str, str]:
    """Return the statement that defines each function in the ``.sql`` files of a folder, by the function's name.

    A definition begins with ``CREATE OR REPLACE FUNCTION`` at the beginning of a line and ends with a line ``$$;``, or
    in the forms that PostgreSQL binds when it creates them with ``END;`` or with a statement ``RETURN …;``.
    """
    return _definitions_in(folder, FUNCTION)


def views_in(folder: Path) -> dict[str, str]:
    """Return the statement that defines each view in the ``.sql`` files of a folder, by the view's name.

    A definition begins with a line ``CREATE OR REPLACE VIEW … AS`` and ends with a line that ends with a semicolon.
    """
    return _definitions_in(folder, VIEW)


def _definitions_in(folder, pattern):
    return {
        definition[1]: definition[0]
        for path in sorted(folder.glob("*.sql"))
        for definition in pattern.finditer(path.read_text(encoding="utf-8"))
    }


def triggers_in(path: Path) -> dict[str, list[str]]:
    """Return the statements in a file of triggers, one a line, by the model whose heading ``-- model`` they follow."""
    triggers: dict[str, list[str]] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("-- "):
            statements = triggers.setdefault(line.removeprefix("-- "), [])
        elif line:
            statements.append(line.removesuffix(";"))
    return triggers


def define_functions(schema_editor: Any, statements: Iterable[str]) -> None:
    """Execute statements that define functions, each of which finds its names in the schema that is current now."""
    for statement in (*FIX_SEARCH_PATH, *statements, PUT_SEARCH_PATH_BACK):
        schema_editor.execute(statement, params=None)
        if (definition := FUNCTION.match(statement)) and " SECURITY DEFINER " in statement:
            schema_editor.execute(WITHHOLD.format(name=definition[1]), params=None)

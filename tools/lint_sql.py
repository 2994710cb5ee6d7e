"""Parse every SQL file of the app without a server, the bodies of PL/pgSQL functions too.

Run it as ``python -m tools.lint_sql``. It names each file and line that PostgreSQL would not take, and each definition
that leaves the form which migrations read: ``CREATE OR REPLACE FUNCTION opsdb_…`` at the beginning of a line, one
comment on what the function keeps, ``$$;`` at the end. A function finds its names where it was installed, whatever the
search path of who calls it: it has ``SET search_path FROM CURRENT``, or a body (``RETURN``, ``BEGIN ATOMIC``) that is
bound when it is created.
"""

import re
import sys
from pathlib import Path

import pglast
from pglast.parser import ParseError, parse_plpgsql_json

from opsdb.database.definitions import FUNCTION
from opsdb.database.operations import TRIGGERS

APP = Path(__file__).resolve().parent.parent / "opsdb"
ANY_FUNCTION = re.compile(r"CREATE\s+(OR\s+REPLACE\s+)?FUNCTION", re.IGNORECASE)
WELL_FORMED = re.compile(
    r"CREATE OR REPLACE FUNCTION opsdb_\w+\(.*?LANGUAGE (plpgsql|sql)\b[^\n]*\n-- [A-Z]", re.DOTALL
)
FIXED_NAMES = re.compile(
    r"LANGUAGE \w+\b[^\n]* SET search_path FROM CURRENT AS \$\$\n|^(RETURN|BEGIN ATOMIC)\s", re.MULTILINE
)
LONGEST_LINE = 120


def problems_of(path: Path) -> list[str]:
    """Return what is wrong with a file of functions, each with its file and line."""
    text = path.read_text(encoding="utf-8")
    problems = [
        f"{path}:{number}: longer than {LONGEST_LINE} characters"
        for number, line in enumerate(text.splitlines(), 1)
        if len(line) > LONGEST_LINE and path.name != TRIGGERS
    ]

    def at(offset: int) -> str:
        return f"{path}:{text.count(chr(10), 0, offset) + 1}"

    try:
        pglast.parse_sql(text)
    except ParseError as error:
        return [*problems, f"{at(error.args[1] or 0)}: {error.args[0]}"]
    definitions = [*FUNCTION.finditer(text)]
    names = [definition[1] for definition in definitions]
    if len(definitions) != len(ANY_FUNCTION.findall(text)):
        problems.append(f"{path}: a definition does not end with a line $$; or END; or with RETURN …;")
    problems += [
        f"{path}: {name} is defined twice" for name in sorted({name for name in names if names.count(name) > 1})
    ]
    for definition in definitions:
        if not WELL_FORMED.match(definition[0]):
            problems.append(f"{at(definition.start())}: {definition[1]} needs a comment on what it keeps")
        if not FIXED_NAMES.search(definition[0]):
            problems.append(
                f"{at(definition.start())}: {definition[1]} needs SET search_path FROM CURRENT, or a body that is "
                "bound when it is created (RETURN, BEGIN ATOMIC)"
            )
        if "LANGUAGE plpgsql" in definition[0]:
            try:
                parse_plpgsql_json(definition[0])
            except ParseError as error:
                problems.append(f"{at(definition.start())}: {definition[1]}: {error.args[0]}")
    return problems


def main() -> int:
    """Print every problem; return 1 when there is one."""
    problems = [problem for path in sorted(APP.glob("**/sql/**/*.sql")) for problem in problems_of(path)]
    for problem in problems:
        print(problem, file=sys.stderr)
    return bool(problems)


if __name__ == "__main__":
    sys.exit(main())

"""CHAI's inpar parameters: what a recipe passes to the control system, one ``key = value`` a line.

The observing scripts of the Cologne receivers are shell scripts (kosma_software, Okada, ADASS XXX), and these files
are written like a shell's assignments. Nothing is expanded or computed. Format: docs/formats/obs-units.md.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from .errors import LoadProblems, shown
from .text_files import read_lines

SUFFIX = ".inpar"
KEY_LENGTH = 100

ASSIGNMENT = re.compile(r"(?P<key>[^=#\s]*)\s*=\s*(?P<rest>.*)")
KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
QUOTED = re.compile(r"""("[^"]*"|'[^']*')\s*(?:#(.*))?""")
COMMENT = re.compile(r"(?:^|\s+)#")


@dataclass(frozen=True)
class InparParameter:
    """One parameter as a file gives it."""

    key: str
    value: str
    comment: str
    path: Path
    line: int


def read_inpar(path: str | Path, problems: LoadProblems) -> list[InparParameter]:
    """Return the parameters of a file in its order; lines that are none, and keys given twice, are noted.

    Args:
        path: the file.
        problems: those of this file.

    Raises:
        LoadError: the file can't be read or holds nothing.
    """
    path = Path(path)
    found: dict[str, InparParameter] = {}
    wrong = False
    for number, text in enumerate(read_lines(path, problems), start=1):
        text = text.strip()
        if not text or text.startswith("#"):
            continue
        parameter = _parameter(text, path, number, problems)
        if parameter is None:
            wrong = True
            continue
        first = found.setdefault(parameter.key, parameter)
        if first is not parameter:
            problems.add(
                f"{parameter.key} is repeated, first on line {first.line}",
                expected="each parameter once",
                line=number,
                column=parameter.key,
            )
    if not found and not wrong:
        problems.stop("there are no parameters", expected="key = value")
    return list(found.values())


def _parameter(text, path, number, problems):
    assignment = ASSIGNMENT.fullmatch(text)
    if assignment is None:
        problems.add(f"{shown(text)} is not a parameter", expected="key = value", line=number)
        return None
    key = assignment["key"]
    if not KEY.fullmatch(key) or len(key) > KEY_LENGTH:
        problems.add(
            f"{shown(key)} is not a parameter name",
            expected=f"a letter or '_', then letters, digits, '.', '_' or '-', up to {KEY_LENGTH} characters",
            line=number,
        )
        return None
    value, comment = _value_and_comment(assignment["rest"])
    if value is None:
        problems.add(
            f"{shown(assignment['rest'])} is not a value",
            expected="a text with a closing quote, followed by nothing but a '#' comment",
            line=number,
            column=key,
        )
        return None
    return InparParameter(key, value, comment, path, number)


def _value_and_comment(text):
    """Return both; a quoted value holds anything but its quote, another one ends at a "#" behind white space."""
    if text.startswith(('"', "'")):
        quoted = QUOTED.fullmatch(text)
        return (quoted[1][1:-1], (quoted[2] or "").strip()) if quoted else (None, "")
    value, *comment = COMMENT.split(text, maxsplit=1)
    return value, "".join(comment).strip()

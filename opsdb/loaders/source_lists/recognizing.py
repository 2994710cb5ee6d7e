"""Which format a list of sources has, by what only that format has."""

from __future__ import annotations

import csv
import re
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import NoReturn

from ..bodies import body_called, is_designation
from ..errors import LoadProblems, shown
from .declared import LINE_FORMATS
from .reading import KOSMA
from .tab_separated import has_positions

CSV, FYST, TAB_SEPARATED = "csv", "fyst", "tsv"
FORMATS = (CSV, FYST, TAB_SEPARATED, KOSMA, *LINE_FORMATS)
GIVEN_EQUINOX = "gildas"
FYST_COLUMNS = {"width", "height", "scan_type"}
LINES_LOOKED_AT = 200

_LOOKS = {
    "gildas": re.compile(
        r"^\S+\s+(EQ|GA|EC|DA)\s+[\d+-]|\s(LS|LSR|HE|HEL|HELIO|EA|EARTH)\s+[+-]?[\d.]+\s*(!|$)", re.IGNORECASE
    ),
    "jcmt": re.compile(r"\d[\s:]+\d{1,2}(\.\d*)?\s+(RJ|RB|GA|AZ)(\s|$)"),
    "effelsberg": re.compile(r"\bSNAM\s*=", re.IGNORECASE),
    KOSMA: re.compile(r"\s(ICRS|J2000|B1950|GALACTIC|ECLIPTIC|FK5|FK4)(\s|$)", re.IGNORECASE),
}
# Formats that are not read, by what only they have.
_OTHERS = {
    "a GBT catalogue": re.compile(r"^\s*(head|format|coordmode)\s*=", re.IGNORECASE),
    "a source list of the ALMA Observing Tool": re.compile(r"signals end of the header|RA\s*\(Degs\)", re.IGNORECASE),
    "a catalogue of the VLA's Observation Preparation Tool": re.compile(r";\s*Equatorial\s*;", re.IGNORECASE),
    "a catalogue of the NRAO 12 m telescope": re.compile(
        r"\s[+-]?\d+:\d+:\d+(\.\d*)?\s+[+-]?\d+:\d+:\d+(\.\d*)?\s+[BJ]\d{4}(\.0)?\s+\S+\s+(LSR|HEL|GEO|TOP)\b"
    ),
    "a VOTable": re.compile(r"<(\?xml|VOTABLE)\b", re.IGNORECASE),
    "a FITS file": re.compile(r"^SIMPLE\s*=\s*T"),
    "an ephemeris of JPL Horizons": re.compile(r"^\$\$SOE|JPL/HORIZONS"),
    "a region file of DS9": re.compile(r"^# Region file format|^\s*(circle|ellipse|point|box)\("),
    "an ECSV table": re.compile(r"^# %ECSV"),
    "JSON": re.compile(r"^\s*[\[{]\s*(\"|$|\{)"),
    "HTML": re.compile(r"<(!doctype html|html)\b", re.IGNORECASE),
}


def recognize(path: Path, lines: Sequence[str], column_names: Collection[str], problems: LoadProblems) -> str:
    """Return the name of the format of a file.

    Args:
        path: of the file.
        lines: of the file.
        column_names: what the header of a table of sources may have, in lower case.
        problems: those of the file.

    Raises:
        LoadError: it looks like a format that is not read, or like several that are.
    """
    content = [line for line in lines[:LINES_LOOKED_AT] if line.strip()]
    header = next((line for line in content if not line.lstrip().startswith("#")), content[0])
    by_mark = {mark: _names(header, mark) for mark in (",", ";", "\t")}
    mark, names = max(by_mark.items(), key=lambda pair: len(pair[1]))
    is_ours = len(names) > 1 and names <= {*column_names}
    if not is_ours:
        # Below a header of ours a comment may be anything.
        _refuse_by_looks(content, problems)
    if names >= FYST_COLUMNS:
        return FYST
    if mark == "\t" and len(names) > 1 and not is_ours:
        return TAB_SEPARATED
    first = _names(content[0].removeprefix("\ufeff"), ",")
    if path.suffix.lower() in (".csv", ".xlsx") or "name" in names or "name" in first or first & {"sep=", "sep=;"}:
        return CSV
    data = _without_comments(content)
    found = [name for name, looks in _LOOKS.items() if any(looks.search(line) for line in data)]
    if len(found) > 1:
        problems.stop(f"this looks like several formats: {', '.join(found)}", expected="--format with one of them")
    return found[0] if found else KOSMA


def looks_like_list(lines: Sequence[str]) -> bool:
    """Return whether a text is a list of sources by what only such lists have, and no table of ours.

    That is a table with tabs between columns of positions, or one whose lines, at least half of them, each look as in
    one of the formats, or name a body of the solar system.

    Args:
        lines: of the file.
    """
    content = [line for line in lines[:LINES_LOOKED_AT] if line.strip()]
    header = next((line for line in content if not line.startswith("#") or line.startswith("#\t")), "")
    if "\t" in header and has_positions(_names(header.removeprefix("#"), "\t")):
        return True
    data = _without_comments(content)
    found = [line for line in data if any(looks.search(line[:1000]) for looks in _LOOKS.values()) or _is_body(line)]
    return bool(data) and 2 * len(found) >= len(data)


def _refuse_by_looks(lines: Sequence[str], problems: LoadProblems) -> None | NoReturn:
    """Refuse a file that looks like one of a format that is not read.

    Raises:
        LoadError: it does.
    """
    for number, line in enumerate(lines, 1):
        for what, looks in _OTHERS.items():
            if looks.search(line[:1000]):
                problems.stop(
                    f"this looks like {what}, which is not read: {shown(line.strip())}",
                    expected=f"one of {', '.join(FORMATS)}, or the same sources as CSV",
                    line=number,
                )


def _without_comments(lines):
    return [line for line in lines if line.strip()[0] not in "!#*%"]


def _is_body(line):
    name = line.partition("!")[0].strip()[:100].removeprefix("@")
    return body_called(name) is not None or is_designation(name)


def _names(line, mark):
    try:
        return {cell.strip().casefold() for cell in next(csv.reader([line], delimiter=mark), ())}
    except csv.Error:  # a field that is too long; whoever reads the file refuses it by its line
        return set()

"""The normal form of paths, checksums and DOIs that other programs write: one, used everywhere."""

from __future__ import annotations

import re
from typing import NamedTuple

from opsdb.database.checks import CHECKSUM_DIGITS, NOT_HEXADECIMAL


class ReportedChecksum(NamedTuple):
    """A checksum as another program writes it.

    Attributes:
        digits: lower-case hexadecimal where it is a checksum, else as given.
        algorithm: what its prefix names, as ops-db calls it where it is known; None without a prefix.
    """

    digits: str
    algorithm: str | None = None


def parse_checksum(text: str | None) -> ReportedChecksum | None:
    """Return a checksum in lower case without the name of its algorithm before it; None where there is none."""
    text = (text or "").strip()
    if not text:
        return None
    if re.fullmatch("[0-9A-Fa-f]+", text):
        return ReportedChecksum(text.lower())
    for separator in (":", "=", "}", " "):
        name, found, digits = text.partition(separator)
        digits = digits.strip()
        if found and re.fullmatch("[0-9A-Fa-f]+", digits):
            name = re.sub("[^a-z0-9]", "", name.lower())
            return ReportedChecksum(digits.lower(), name or None)
    return ReportedChecksum(text)


def is_checksum_of(digits: str, algorithm: str) -> bool:
    """Return whether these are as many digits as an algorithm makes."""
    return len(digits) in CHECKSUM_DIGITS.get(algorithm, ()) and not re.search(NOT_HEXADECIMAL, digits)


def normalize_path(text: str) -> str:
    """Return a path without blanks around it, and without ``./`` and ``/`` before it: the same file at a location."""
    text = text.strip()
    while text.startswith(("/", "./")):
        text = text.removeprefix("./").lstrip("/")
    return text


def is_storable(text: str) -> bool:
    """Return whether PostgreSQL can store a text: it holds no NUL, and nothing that is not UTF-8."""
    if text.isascii():
        return "\0" not in text
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in text


def escape_unstorable(text: str) -> str:
    r"""Return a text with ``\xf1`` for each byte that is not UTF-8, and ``\x00`` for NUL."""
    raw = text.encode("utf-8", "surrogateescape" if _is_from_bytes(text) else "backslashreplace")
    return raw.decode("utf-8", "backslashreplace").replace("\0", "\\x00")


def _is_from_bytes(text):
    return not re.search("[\ud800-\udc7f\udd00-\udfff]", text)


def normalize_doi(text: str) -> str:
    """Return a DOI without blanks around it, and without what links and references put before it."""
    return re.sub(r"^(https?://(dx\.|www\.)?doi\.org/|doi:\s*)", "", text.strip(), flags=re.IGNORECASE)

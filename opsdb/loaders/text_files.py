"""Reading text files, safely whatever they hold."""

from __future__ import annotations

import codecs
import io
import re
import stat
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from .errors import LoadProblems
from .progress import Counted
from .spreadsheets import is_workbook, workbook_text

LINES_LOOKED_AT = 200
MAX_FILE_BYTES = 256 * 1024 * 1024
CONTROL_CHARACTER = re.compile(rb"[\x00-\x08\x0b\x0e-\x1f\x7f]")
LINE = re.compile(r"[^\r\n]*(?:\r\n?|\n)|[^\r\n]+")


LoadFile = str | Path | BinaryIO
"""A path, or an open binary file such as an upload."""


def read_lines(file: LoadFile, problems: LoadProblems | None = None) -> list[str]:
    """Return the lines of a text file, without line ends; a byte-order mark and CRLF are accepted.

    Arguments and errors are those of :func:`read_text`.
    """
    return split_lines(read_text(file, problems))


def split_lines(text: str) -> list[str]:
    """Return the lines of a text without line ends."""
    return text.replace("\r\n", "\n").replace("\r", "\n").removesuffix("\n").split("\n")


def first_lines(text: str) -> list[str]:
    """Return as many lines of a text as decide on its format, without line ends."""
    return [line.rstrip("\r\n") for line in islice(lines_of(text), LINES_LOOKED_AT)]


def lines_of(text: str, start: int = 0) -> Iterator[str]:
    """Yield the lines of a text from a place on, with their line ends, of any operating system."""
    for found in LINE.finditer(text, start):
        yield found[0]


def counted_lines(text: str) -> Counted:
    """Return the lines of a text, without line ends, to go through once; about how many they are is known before."""
    return Counted((line.rstrip("\r\n") for line in lines_of(text)), text.count("\n") + 1)


def read_text(file: LoadFile, problems: LoadProblems | None = None) -> str:
    """Return the content of a text file in UTF-8 or UTF-16, without its byte-order mark, or the sheet of a workbook.

    Args:
        file: its path, or an open binary file such as an upload; at most 256 MiB.
        problems: where problems are noted; new ones of this file by default.

    Raises:
        LoadError: the file is missing, unreadable, a directory, empty, too large or no text.
    """
    problems = LoadProblems(path_of(file)) if problems is None else problems
    try:
        if hasattr(file, "read"):
            file.seek(0)
            content = file.read(MAX_FILE_BYTES + 1)
        else:
            with Path(file).open("rb") as stream:
                content = stream.read(MAX_FILE_BYTES + 1)
    except FileNotFoundError:
        problems.stop("the file does not exist", expected="the path of a file, from the present folder or whole")
    except IsADirectoryError:
        problems.stop("this is a directory", expected="a file")
    except PermissionError:
        problems.stop("permission to read this file is denied", expected="a file that this process may read")
    except (OSError, ValueError) as error:
        problems.stop(f"this file can't be read: {error}")

    if len(content) > MAX_FILE_BYTES:
        problems.stop("this file is too large", expected=f"at most {MAX_FILE_BYTES // 1024**2} MiB")
    if is_workbook(content):
        content = workbook_text(content, problems).encode()
    elif encoding := _utf_16(content):
        try:
            content = content.decode(encoding).encode()
        except UnicodeError as error:
            problems.stop(f"this is no UTF-16 text: {error}", expected="UTF-8; save it again with that encoding")
    if control := CONTROL_CHARACTER.search(content):
        what = "a NUL byte" if control[0] == b"\0" else f"the control character 0x{control[0][0]:02x}"
        problems.stop(f"contains {what}", expected="plain text", line=_line_of(content, control.start()))
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        problems.stop(
            f"byte 0x{content[error.start]:02x} is not UTF-8 text",
            expected="UTF-8; save it again with that encoding",
            line=_line_of(content, error.start),
        )
    if not text.strip():
        problems.stop("this file is empty", expected="at least one line with text")
    return text


def readable_again(file: LoadFile) -> LoadFile:
    """Return a file that can be read more than once: for a pipe, such as ``/dev/stdin``, its content."""
    try:
        if hasattr(file, "read") or not stat.S_ISFIFO(Path(file).stat().st_mode):
            return file
        with Path(file).open("rb") as pipe:
            content = io.BytesIO(pipe.read(MAX_FILE_BYTES + 1))
    except (OSError, ValueError):
        return file  # read_text reports what is wrong
    content.name = str(file)
    return content


def path_of(file: LoadFile) -> Path:
    """Return the path of a file, or the name of an upload, for messages."""
    return Path(getattr(file, "name", None) or "upload") if hasattr(file, "read") else Path(file)


def _utf_16(content: bytes) -> str | None:
    """Return the encoding of UTF-16 text, also without a byte-order mark: then every other byte of its header is 0."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    head = content[:64]
    for encoding, first in (("utf-16-le", 1), ("utf-16-be", 0)):
        if len(head) >= 8 and not any(head[first::2]) and all(head[1 - first :: 2]):
            return encoding
    return None


def _line_of(content: bytes, offset: int) -> int:
    return content.count(b"\n", 0, offset) + 1

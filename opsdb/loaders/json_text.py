"""Reading JSON, safely whatever it holds."""

from __future__ import annotations

import json
import math
from typing import Any

from opsdb.normalization import escape_unstorable, is_storable

from .errors import shown

MAX_DEPTH = 100


class JsonError(ValueError):
    """A text is not JSON that the database can store; the message begins with a verb."""


def read_json(text: str) -> Any:
    """Return the value of a JSON text.

    Raises:
        JsonError: it is not JSON, or PostgreSQL or a reader in another language could not take its value: it is nested
            deeply, or has NaN, numbers beyond the range of double precision, NUL or lone surrogates.
    """
    try:
        value = DECODER.decode(text)
    except JsonError:
        raise
    except RecursionError:
        raise _too_deep() from None
    except ValueError as error:
        raise JsonError(f"is not JSON: {error}") from None
    _check(value)
    return value


def _check(value):
    """Refuse texts that can't be stored, and deep nesting; no recursion, which has a limit of its own."""
    level, depth = [value], 0
    while level:
        below = []
        for one in level:
            if isinstance(one, str) and not is_storable(one):
                # Bytes that are not UTF-8 are named as in other messages, escaped once.
                text = shown(escape_unstorable(one)).replace("\\\\", "\\")
                raise JsonError(f"contains a character that can't be stored: {text}")
            if isinstance(one, dict | list) and depth == MAX_DEPTH:
                raise _too_deep()
            if isinstance(one, dict):
                below += [*one, *one.values()]
            elif isinstance(one, list):
                below += one
        level, depth = below, depth + 1


def _too_deep():
    return JsonError(f"is nested more than {MAX_DEPTH} levels deep")


def _number(text):
    if not math.isfinite(value := float(text)):
        raise JsonError(f"has a number that is too large: {shown(text)}")
    return value


def _whole_number(text):
    _number(text)
    return int(text)


def _refuse_constant(name):
    raise JsonError(f"has {name}, which is no JSON number")


DECODER = json.JSONDecoder(parse_int=_whole_number, parse_float=_number, parse_constant=_refuse_constant)

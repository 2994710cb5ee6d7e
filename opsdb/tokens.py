"""Secrets of API tokens: how they look, and what is stored of them.

A secret is ``opsdb_``, 43 random characters (256 bits) and 6 characters of a checksum, so that scanners for secrets
find it, and a mistyped one costs no query. Only its HMAC-SHA-256 (RFC 2104) under a pepper is stored, a secret of the
servers, so that secrets can't be tried with a copy of the database alone.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import string
import zlib
from collections.abc import Sequence
from functools import lru_cache

from django.conf import settings

from . import conf

PREFIX = "opsdb_"
ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
RANDOM_LENGTH = 43  # 62^43 > 2^256
CHECKSUM_LENGTH = 6  # 62^6 > 2^32
WELL_FORMED = re.compile(rf"{PREFIX}([0-9A-Za-z]{{{RANDOM_LENGTH}}})([0-9A-Za-z]{{{CHECKSUM_LENGTH}}})", re.ASCII)
SHOWN_LENGTH = 8  # characters of a secret that are stored and shown, to distinguish tokens
FINGERPRINT_LENGTH = 8
PEPPER_MINIMUM = 32  # characters


def new_secret() -> str:
    """Return a new random secret."""
    text = _base62(secrets.randbits(256), RANDOM_LENGTH)
    return f"{PREFIX}{text}{_checksum(text)}"


def is_well_formed(text: str) -> bool:
    """Return whether a text may be a secret; says nothing about whether there is such a token."""
    found = WELL_FORMED.fullmatch(text)
    return found is not None and _checksum(found[1]) == found[2]


def shown_part(secret: str) -> str:
    """Return the part of a secret by which people distinguish tokens: 8 characters after ``opsdb_``."""
    return secret[len(PREFIX) : len(PREFIX) + SHOWN_LENGTH]


def peppers() -> tuple[bytes, ...]:
    """Return the peppers, that of new tokens first: ``OPSDB_TOKEN_PEPPERS``, else what Django's secret keys give."""
    given = conf.get("OPSDB_TOKEN_PEPPERS")
    keys = given if isinstance(given, Sequence) and given else (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    return tuple(_pepper(str(key)) for key in keys)


def hash_of(secret: str, pepper: bytes | None = None) -> str:
    """Return what is stored for a secret.

    Args:
        secret: the secret.
        pepper: one of :func:`peppers`; that of new tokens by default.
    """
    return hmac.digest(pepper or peppers()[0], secret.encode(), "sha256").hex()


def hashes_of(secret: str) -> list[str]:
    """Return what may be stored for a secret, one hash for each pepper."""
    return [hash_of(secret, pepper) for pepper in peppers()]


def fingerprint(pepper: bytes | None = None) -> str:
    """Return the name of a pepper, from which the pepper can't be found; that of new tokens by default."""
    return hmac.new(pepper or peppers()[0], b"fingerprint", hashlib.sha256).hexdigest()[:FINGERPRINT_LENGTH]


@lru_cache(maxsize=16)
def _pepper(key: str) -> bytes:
    return hmac.new(b"opsdb.tokens", key.encode(), hashlib.sha256).digest()


def _checksum(text: str) -> str:
    return _base62(zlib.crc32(text.encode()), CHECKSUM_LENGTH)


def _base62(number: int, length: int) -> str:
    digits = []
    for _ in range(length):
        number, digit = divmod(number, len(ALPHABET))
        digits.append(ALPHABET[digit])
    return "".join(reversed(digits))

"""Constants of demonstrations: names, sizes and failure rates."""

from datetime import timedelta
from hashlib import sha256

MARK = {"demonstration": True}
"""Part of the conditions of every execution of a demonstration."""
ORIGIN = "demonstration"
"""Origin of the slots that a demonstration adds."""
WORKER = "demo-worker"
INSTRUMENT = "Prime-Cam"
MODULES_PER_OBSERVATION = 2
FILE_TIME = timedelta(minutes=1)
"""A module begins a new file after this time."""
FILE_BYTES = 30_000_000
TAR_OVERHEAD_BYTES = 10_240
FAILURE_RATE = 0.05
BATCH = 1_000
DELETED_AT_MOST = 2_000
"""Copies that one run deletes at a location."""


def digest(*parts: object) -> str:
    """Return the SHA-256 that a demonstration uses as the checksum of something."""
    return sha256(" ".join(map(str, parts)).encode()).hexdigest()

"""What the demonstration is made of: names, sizes, and how often things fail."""

from datetime import timedelta
from hashlib import sha256

MARK = {"demonstration": True}
"""What the conditions of every execution of a demonstration hold."""
ORIGIN = "demonstration"
"""Where the slots that a demonstration adds say they are from."""
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
"""Copies that one telling deletes at a location."""


def digest(*parts) -> str:
    """Return the SHA-256 that stands for the content of something in the story."""
    return sha256(" ".join(map(str, parts)).encode()).hexdigest()

"""Constants of demonstrations: names, hours, sizes and faults."""

from datetime import time, timedelta
from hashlib import sha256

MARK = {"demonstration": True}
"""Part of the conditions of every execution of a demonstration."""
ORIGIN = "demonstration"
"""Origin of the slots that a demonstration adds."""
WORKER = "demo-worker"
INSTRUMENT = "Prime-Cam"
MODULES_PER_OBSERVATION = 2

NIGHT_BEGINS = time(20, 20)
"""Mean solar time at the telescope at which nights begin: in every season the sun is down by then."""
NIGHT = timedelta(hours=8)
SETTLING = timedelta(seconds=75)
"""Between two observations the telescope moves."""
SCIENCE = timedelta(minutes=30)
"""One execution of a unit that plans no duration."""
PARTS = (1, 1 / 2, 1 / 4, 1 / 8)
"""Of that time, in a night that needs more observations than fit: at some times of the year few sources are up."""
CALIBRATIONS = {
    "retune": (None, timedelta(seconds=5)),
    "pointing_cal": (timedelta(hours=1), timedelta(minutes=3)),
    "focus": (timedelta(hours=2), timedelta(minutes=5)),
    "skydip": (timedelta(hours=3), timedelta(minutes=5)),
}
"""By mode: after which time it is due again, and how long it takes; a retune precedes every scan of a camera."""
LOWEST_DEG, HIGHEST_DEG = 30.0, 80.0
"""Elevations at which a unit is observed that names none."""
BRIEF_OBSERVATIONS = 6
"""Observations of a night of the earlier weeks, whose calibrations are left out."""

FILE_TIME = timedelta(minutes=1)
"""A module begins a new file after this time."""
CAMERA_BYTES_PER_PIXEL_SECOND = 400
"""A camera's detectors: 200 samples of 2 bytes a second."""
SPECTROMETER_BYTES_PER_PIXEL_SECOND = 8_192 * 4 / 0.4
"""A spectrometer's pixels: 8192 channels of 4 bytes every 0.4 s."""
USUAL_PIXELS = {"chai": 64, "prime_cam": 3_300}
"""Pixels of a module whose number is not published, by kind of its configuration."""
PRODUCT_BYTES = 30_000_000
TAR_OVERHEAD_BYTES = 10_240

DEFAULT_HOURS = 200.0
"""Allocated time of a program and instrument that had none before."""

ABORTED_RATE = 0.03
LINK_DOWN, LINK_DOWN_AGO = "connection reset by peer", 10
"""The link from the observatory failed in the night so many nights before the last, until the next evening."""
TAPES_DOWN, TAPES_DOWN_AGO = "tape library did not answer", 3
"""The tape library of one archive failed on the day after that night."""
BATCH = 1_000
DELETED_AT_MOST = 20_000
"""Copies that one run deletes at a location."""


def digest(*parts: object) -> str:
    """Return the SHA-256 that a demonstration uses as the checksum of something."""
    return sha256(" ".join(map(str, parts)).encode()).hexdigest()

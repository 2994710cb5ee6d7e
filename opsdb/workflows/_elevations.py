"""How high sources stand at telescopes: where they culminate, and while they are observed. Nothing is downloaded."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from opsdb.earth import SECONDS_PER_DAY, UNIX_EPOCH_JD, declinations_of_date, elevations_of_icrs
from opsdb.models import (
    ConstantElevationSource,
    FixedSource,
    PreScheduledSlot,
    SolarSystemObject,
    Source,
    Telescope,
)

if TYPE_CHECKING:
    import numpy as np

STEP = timedelta(minutes=10)
"""Time between the moments at which the elevation in a slot is computed, at most."""
MOST_MOMENTS = 146
"""Moments in a slot, however long it is: as many as in a day."""
DAYS_OF_A_BODY = range(0, 366, 5)
"""Days from now on which a body of the solar system is looked at."""
TT_MINUS_UTC_SECONDS = 69.184  # since 2017 (IERS Bulletin C 52); what moves does so by less than 1" in two seconds
MOON = 301  # NAIF
PARALLAX_OF_THE_MOON_DEG = 0.95  # on the horizon, at its mean distance (Astronomical Almanac, section D)


class Heights:
    """How high sources culminate at the telescopes."""

    def __init__(self, telescopes: Sequence[Telescope], now: datetime):
        self.telescopes, self.now = telescopes, now
        self._declinations: dict[int, tuple[Source, list[float] | None]] = {}

    def of(self, source: Source) -> dict[Telescope, float]:
        """Return how high a source culminates, degrees without refraction; empty where the ephemeris lacks it.

        A body of the solar system is looked at over a year; of a field its part that rises highest counts.
        """
        source = source.specific
        if id(source) not in self._declinations:
            self._declinations[id(source)] = source, _declinations(source, self.now)
        declinations = self._declinations[id(source)][1]
        if declinations is None:
            return {}
        if isinstance(source, ConstantElevationSource):
            low, high = sorted(declinations)
            best = {one: min(max(one.latitude_deg, low), high) for one in self.telescopes}
        else:
            best = {
                one: min(declinations, key=lambda dec, latitude=one.latitude_deg: abs(latitude - dec))
                for one in self.telescopes
            }
        return {one: 90 - abs(one.latitude_deg - dec) for one, dec in best.items()}


def elevations_in(slot: PreScheduledSlot) -> list[float]:
    """Return the elevations in a slot, degrees: the planned one, else those of the source; empty where unknown."""
    if slot.elevation_deg is not None:
        return [slot.elevation_deg]
    if slot.obs_unit.source is None:
        return []
    source = slot.obs_unit.source.specific
    if isinstance(source, ConstantElevationSource):
        return [] if source.elevation_deg is None else [source.elevation_deg]
    import numpy as np

    first, last = slot.start_time.timestamp(), slot.end_time.timestamp()
    number = min(int((slot.end_time - slot.start_time) / STEP) + 2, MOST_MOMENTS)
    moments = np.linspace(first, last, number)
    place: Any = (source.ra_deg, source.dec_deg) if isinstance(source, FixedSource) else _path(source, moments)
    if place is None:
        return []
    telescope = slot.telescope
    heights = elevations_of_icrs(
        *place,
        moments,
        longitude_deg=telescope.longitude_deg,
        latitude_deg=telescope.latitude_deg,
        height_m=telescope.elevation_m,
    )
    if getattr(source, "naif_id", None) == MOON:
        # The ephemeris is that of the centre of the Earth.
        heights = heights - PARALLAX_OF_THE_MOON_DEG * np.cos(np.radians(heights))
    return heights.tolist()


def _declinations(source, now) -> list[float] | None:
    """Declinations of date, degrees: of a place, of the edges of a field, or of a body over a year."""
    import numpy as np

    moments = np.array([now.timestamp()])
    if isinstance(source, SolarSystemObject):
        moments = moments + 86_400 * np.array(DAYS_OF_A_BODY)
        path = _path(source, moments)
        if path is None:
            return None
        ra, dec = path
    elif isinstance(source, FixedSource):
        ra, dec = source.ra_deg, source.dec_deg
    else:
        middle = source.skycoord.ra.deg
        ra, dec = np.array([middle, middle]), np.array([source.dec_min_deg, source.dec_max_deg])
    return declinations_of_date(ra, dec, moments).tolist()


def _path(source: SolarSystemObject, unix_seconds: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """Return where a body is, RA and Dec in degrees; None where the built-in ephemeris lacks it."""
    import numpy as np
    from astropy.time import Time

    # In TT, so that astropy needs no leap seconds.
    days = (np.asarray(unix_seconds) + TT_MINUS_UTC_SECONDS) / SECONDS_PER_DAY
    try:
        places = source.skycoord_at(Time(UNIX_EPOCH_JD, days, format="jd", scale="tt"))
    except ValueError:
        return None
    return places.ra.deg, places.dec.deg

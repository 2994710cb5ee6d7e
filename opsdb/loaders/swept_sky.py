"""Which part of the sky the blocks of a schedule cover."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import timedelta

from opsdb.earth import icrs_of_horizontal
from opsdb.models import Telescope

from .schedules import Block, SkyField


def swept_edges(blocks: Iterable[Block], telescope: Telescope) -> dict[str, float]:
    """Return the edges of the sky that the boresight sweeps in some blocks, in degrees (ICRS), by field name.

    Geometric directions without refraction; where Earth rotation data are missing, for dates far ahead, the
    error is below 15 arcsec (|UT1-UTC| < 0.9 s).

    Args:
        blocks: blocks at constant elevation.
        telescope: the telescope they are for; its position is used.
    """
    import numpy as np

    moments, azimuths, elevations = [], [], []
    for block in blocks:
        seconds = (block.end - block.start) / timedelta(seconds=1)
        steps = np.linspace(0, seconds, max(3, math.ceil(seconds / 300) + 1))
        swept = np.linspace(
            block.azimuth_min_deg,
            block.azimuth_max_deg,
            max(3, math.ceil(block.azimuth_max_deg - block.azimuth_min_deg) + 1),
        )
        times, angles = np.meshgrid(block.start.timestamp() + steps, swept)
        moments.append(times.ravel())
        azimuths.append(angles.ravel())
        elevations.append(np.full(times.size, block.elevation_deg))
    ra, dec = icrs_of_horizontal(
        np.concatenate(azimuths),
        np.concatenate(elevations),
        np.concatenate(moments),
        longitude_deg=telescope.longitude_deg,
        latitude_deg=telescope.latitude_deg,
        height_m=telescope.elevation_m,
    )
    ra = np.sort(ra)
    gaps = np.diff(ra, append=ra[0] + 360)
    widest = int(np.argmax(gaps))
    goes_round = gaps[widest] < 10
    return {
        "ra_min_deg": 0.0 if goes_round else float(ra[(widest + 1) % len(ra)]),
        "ra_max_deg": 360.0 if goes_round else float(ra[widest]),
        "dec_min_deg": float(dec.min()),
        "dec_max_deg": float(dec.max()),
    }


def field_edges(sky_field: SkyField) -> dict[str, float]:
    """Return the edges of a field, in degrees (ICRS), by field name of a source at constant elevation."""
    ra_min, ra_max = sky_field.ra_range_deg()
    dec_min, dec_max = sky_field.dec_range_deg()
    return {"ra_min_deg": ra_min, "ra_max_deg": ra_max, "dec_min_deg": dec_min, "dec_max_deg": dec_max}

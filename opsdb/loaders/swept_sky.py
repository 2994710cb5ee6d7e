"""Which part of the sky the blocks of a schedule cover."""

from __future__ import annotations

import math
from collections.abc import Iterable

from opsdb.earth import icrs_of_horizontal
from opsdb.models import Telescope

from .schedules import LONGEST_OBSERVED, SkyField, Sweep

STEPS = 300.0, 1.0
"""Seconds and degrees of azimuth between the points at which a sweep is looked at first."""
REFINEMENTS = 3
LEAST_GAP_DEG = 10
"""A sweep that leaves out less in right ascension counts as one right round the sky."""
POINTS_AT_ONCE = 250_000
BINS_PER_DEGREE = 10
"""Of the points of a grid, the first and the last of each such part of right ascension are kept, and the extremes of
declination: no other can be at an edge."""


def swept_edges(swept: Iterable[Sweep], telescope: Telescope) -> dict[str, float]:
    """Return the edges of the sky that the boresight sweeps, in degrees (ICRS), by field name.

    Geometric directions without refraction, to 0.01 arcsec; where Earth rotation data are missing, for dates far ahead,
    the error is below 15 arcsec (|UT1-UTC| < 0.9 s).

    Args:
        swept: at constant elevation.
        telescope: the telescope they are for; its position is used.

    Raises:
        ValueError: one lasts longer than ``LONGEST_OBSERVED``.
    """
    import numpy as np

    sweeps = list(swept)
    ra, dec, moments, azimuths, of_sweep = _outer_points(sweeps, telescope)
    order = np.argsort(ra)
    gaps = np.diff(ra[order], append=ra[order[0]] + 360)
    widest = int(np.argmax(gaps))

    def extreme(place, value):
        """Return the least value near a point of the grids."""
        sweep = sweeps[int(of_sweep[place])]
        moment, azimuth = moments[place], azimuths[place]
        (seconds, degrees) = STEPS
        for _ in range(REFINEMENTS):
            around = _part(sweep, moment, azimuth, seconds, degrees)
            seconds, degrees = seconds / 4, degrees / 20
            points = _grid(around, (seconds, degrees))
            values = value(*_directions(*points, telescope))
            best = int(np.argmin(values))
            moment, azimuth = points[0][best], points[1][best]
        return float(values[best])

    edges = {"ra_min_deg": 0.0, "ra_max_deg": 360.0}
    if gaps[widest] >= LEAST_GAP_DEG:
        west, east = order[(widest + 1) % len(ra)], order[widest]
        first, last = ra[west], ra[east]
        edges["ra_min_deg"] = float(first + extreme(west, lambda ra, dec: _turned(ra - first))) % 360
        edges["ra_max_deg"] = float(last - extreme(east, lambda ra, dec: _turned(last - ra))) % 360
    edges["dec_min_deg"] = extreme(int(np.argmin(dec)), lambda ra, dec: dec)
    edges["dec_max_deg"] = -extreme(int(np.argmax(dec)), lambda ra, dec: -dec)
    return edges


def _outer_points(sweeps, telescope):
    """Return the points at which edges are looked for, as rows of RA, Dec, moment, azimuth and number of the sweep.

    Memory doesn't grow with the number of sweeps.
    """
    import numpy as np

    found = np.empty((5, 0))
    waiting, number = [], 0
    for place, sweep in enumerate(sweeps):
        grid = _grid(sweep, STEPS)
        waiting.append((*grid, np.full(len(grid[0]), float(place))))
        number += len(grid[0])
        if number >= POINTS_AT_ONCE or place == len(sweeps) - 1:
            moments, azimuths, elevations, places = map(np.concatenate, zip(*waiting, strict=True))
            directions = _directions(moments, azimuths, elevations, telescope)
            found = _outer(np.hstack([found, np.stack([*directions, moments, azimuths, places])]))
            waiting, number = [], 0
    return found


def _outer(points):
    import numpy as np

    ra, dec = points[:2]
    order = np.argsort(ra)
    bins = np.floor(ra[order] * BINS_PER_DEGREE)
    starts = np.flatnonzero(np.diff(bins, prepend=-1))
    ends = np.append(starts[1:], len(order)) - 1
    kept = [*order[starts], *order[ends], int(np.argmin(dec)), int(np.argmax(dec))]
    return points[:, np.unique(kept)]


def _part(sweep, moment, azimuth, seconds, degrees):
    """Return what lies around a point, within a sweep."""
    return sweep._replace(
        start=max(sweep.start, moment - seconds),
        end=min(sweep.end, moment + seconds),
        azimuth_min_deg=max(sweep.azimuth_min_deg, azimuth - degrees),
        azimuth_max_deg=min(sweep.azimuth_max_deg, azimuth + degrees),
    )


def _grid(sweep, steps):
    """Return moments, azimuths and elevations in a sweep, its borders among them, not further apart than steps."""
    import numpy as np

    first, last, low, high, elevation = sweep
    if last - first > LONGEST_OBSERVED.total_seconds():
        raise ValueError(f"a sweep of {last - first:.0f} s is longer than {LONGEST_OBSERVED.total_seconds():.0f} s")
    seconds, degrees = steps
    moments, azimuths = np.meshgrid(
        np.linspace(first, last, max(3, math.ceil((last - first) / seconds) + 1)),
        np.linspace(low, high, max(3, math.ceil((high - low) / degrees) + 1)),
    )
    return moments.ravel(), azimuths.ravel(), np.full(moments.size, elevation)


def _directions(moments, azimuths, elevations, telescope):
    return icrs_of_horizontal(
        azimuths,
        elevations,
        moments,
        longitude_deg=telescope.longitude_deg,
        latitude_deg=telescope.latitude_deg,
        height_m=telescope.elevation_m,
    )


def _turned(degrees):
    return (degrees + 180) % 360 - 180


def field_edges(sky_field: SkyField) -> dict[str, float]:
    """Return the edges of a field, in degrees (ICRS), by field name of a source at constant elevation."""
    ra_min, ra_max = sky_field.ra_range_deg()
    dec_min, dec_max = sky_field.dec_range_deg()
    return {"ra_min_deg": ra_min, "ra_max_deg": ra_max, "dec_min_deg": dec_min, "dec_max_deg": dec_max}

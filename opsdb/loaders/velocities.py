"""Radial velocities as observers give them, and their conversion to the local standard of rest, radio convention.

Frames and conventions: Greisen et al. 2006, FITS paper III, sections 3 and 5; the local standard of rest is astropy's
``LSRK``. The Sun is taken to rest at the barycentre of the solar system, which is wrong by at most 0.016 km/s.
"""

from __future__ import annotations

from collections.abc import Sequence

from opsdb.models import VelocityConvention, VelocityFrame
from opsdb.models.planning.sources import SPEED_OF_LIGHT_KM_S

from .cells import CellError, ChoiceCell

FAR_AWAY_KPC = 1.0

FRAMES = {
    "LSRK": VelocityFrame.LSRK,
    "barycentric": VelocityFrame.BARYCENTRIC,
    "heliocentric": VelocityFrame.HELIOCENTRIC,
    "LSR": VelocityFrame.LSRK,
    "BARY": VelocityFrame.BARYCENTRIC,
    "BARYCENT": VelocityFrame.BARYCENTRIC,
    "HEL": VelocityFrame.HELIOCENTRIC,
    "HELIO": VelocityFrame.HELIOCENTRIC,
}
CONVENTIONS = {
    "radio": VelocityConvention.RADIO,
    "optical": VelocityConvention.OPTICAL,
    "redshift": VelocityConvention.REDSHIFT,
    "RAD": VelocityConvention.RADIO,
    "OPT": VelocityConvention.OPTICAL,
    "z": VelocityConvention.REDSHIFT,
}
WITH_TIME = ("topo", "topocent", "topocentric", "geo", "geocentric", "earth", "observatory", "obs")


class VelocityFrameCell(ChoiceCell):
    """What a velocity is measured against."""

    def __init__(self):
        super().__init__(FRAMES)
        self.expected = "LSRK, barycentric or heliocentric"

    def read(self, text: str) -> object:
        if text.casefold() in WITH_TIME:
            raise CellError("depends on the time of an observation", f"{self.expected}, which stay")
        return super().read(text)


class VelocityConventionCell(ChoiceCell):
    """The convention of a velocity."""

    def __init__(self):
        super().__init__(CONVENTIONS)
        self.expected = "radio, optical or redshift"


def lsrk_radio_km_s(
    given: Sequence[float],
    frames: Sequence[str],
    conventions: Sequence[str],
    ra_deg: Sequence[float],
    dec_deg: Sequence[float],
) -> list[float]:
    """Return radial velocities against the LSRK in the radio convention, km/s.

    By astropy: the given value becomes the ratio of the line's frequency to its rest frequency, which the motion of the
    Sun changes by the relativistic Doppler factor, and that becomes a velocity again.

    Args:
        given: velocities, km/s, or redshifts.
        frames: a ``VelocityFrame`` each.
        conventions: a ``VelocityConvention`` each.
        ra_deg, dec_deg: where the sources are (ICRS), degrees.

    Raises:
        ValueError: a value can't be a velocity in its convention.
    """
    import numpy as np
    from astropy import units as u
    from astropy.coordinates import ICRS, LSRK

    values = np.asarray(given, float)
    rest = 1 * u.THz  # cancels
    frequency = np.full(values.shape, np.nan)
    for convention, equivalency in (
        (VelocityConvention.RADIO, u.doppler_radio(rest)),
        (VelocityConvention.OPTICAL, u.doppler_optical(rest)),
    ):
        chosen = np.array([one == convention for one in conventions])
        frequency[chosen] = (values[chosen] * u.km / u.s).to_value(u.THz, equivalency)
    redshifts = np.array([one == VelocityConvention.REDSHIFT for one in conventions])
    frequency[redshifts] = 1 / (1 + values[redshifts])
    if not (np.isfinite(frequency) & (frequency > 0)).all():
        raise ValueError("no velocity")
    places = ICRS(
        np.asarray(ra_deg, float) * u.deg,
        np.asarray(dec_deg, float) * u.deg,
        distance=np.full(values.shape, FAR_AWAY_KPC) * u.kpc,
        pm_ra_cosdec=np.zeros(values.shape) * u.mas / u.yr,
        pm_dec=np.zeros(values.shape) * u.mas / u.yr,
        radial_velocity=np.zeros(values.shape) * u.km / u.s,
    )
    recession = places.transform_to(LSRK()).radial_velocity.to_value("km/s") / SPEED_OF_LIGHT_KM_S
    turned = np.array([one != VelocityFrame.LSRK for one in frames])
    frequency[turned] *= np.sqrt((1 - recession) / (1 + recession))[turned]
    velocities = (frequency * u.THz).to_value(u.km / u.s, u.doppler_radio(rest))
    # What was given so already stays as it is to the last digit.
    same = ~turned & np.array([one == VelocityConvention.RADIO for one in conventions])
    return np.where(same, values, velocities).tolist()

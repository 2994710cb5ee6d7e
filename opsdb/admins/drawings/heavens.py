"""Positions on the sky, as exactly as a picture needs: without astropy, which takes a second to import.

Sun and moon follow the low-precision formulas of the Astronomical Almanac (section C and D), good to 0.01° and 0.3°;
sidereal time is that of Meeus, Astronomical Algorithms, 12.4. Angles are in degrees, places right ascension and
declination (ICRS; the difference to the equinox of date is below what a picture shows).
"""

from datetime import UTC, datetime
from math import acos, asin, atan2, cos, degrees, hypot, radians, sin, sqrt

J2000 = datetime(2000, 1, 1, 12, tzinfo=UTC)
OBLIQUITY_DEG = 23.4393
# Hipparcos catalogue, volume 1, section 1.5.3: the galactic pole, and the galactic longitude of the celestial pole.
GALACTIC_POLE_RA_DEG, GALACTIC_POLE_DEC_DEG, CELESTIAL_POLE_LONGITUDE_DEG = 192.85948, 27.12825, 122.93192
HAMMER_WIDTH, HAMMER_HEIGHT = 4 * sqrt(2), 2 * sqrt(2)


def hammer(ra_deg: float, dec_deg: float, center_ra_deg: float = 0.0) -> tuple[float, float]:
    """Return x and y of a place in the Hammer projection of the whole sky, which keeps areas.

    East is to the left, as seen from inside; x is in [-2√2, 2√2], y in [-√2, √2] and grows to the north.
    """
    longitude, latitude = radians(from_center(ra_deg, center_ra_deg)), radians(dec_deg)
    scale = sqrt(2) / sqrt(1 + cos(latitude) * cos(longitude / 2))
    return -2 * scale * cos(latitude) * sin(longitude / 2), scale * sin(latitude)


def from_center(ra_deg: float, center_ra_deg: float) -> float:
    """Return how far east of the centre a right ascension is, in [-180°, 180°)."""
    return (ra_deg - center_ra_deg + 180) % 360 - 180


def of_galactic(longitude_deg: float, latitude_deg: float) -> tuple[float, float]:
    """Return the place of galactic coordinates."""
    turn, latitude = radians(CELESTIAL_POLE_LONGITUDE_DEG - longitude_deg), radians(latitude_deg)
    pole = radians(GALACTIC_POLE_DEC_DEG)
    dec = asin(sin(latitude) * sin(pole) + cos(latitude) * cos(pole) * cos(turn))
    east = atan2(cos(latitude) * sin(turn), sin(latitude) * cos(pole) - cos(latitude) * sin(pole) * cos(turn))
    return (GALACTIC_POLE_RA_DEG + degrees(east)) % 360, degrees(dec)


def of_ecliptic(longitude_deg: float, latitude_deg: float) -> tuple[float, float]:
    """Return the place of ecliptic coordinates."""
    longitude, latitude, tilt = radians(longitude_deg), radians(latitude_deg), radians(OBLIQUITY_DEG)
    x = cos(latitude) * cos(longitude)
    y = cos(tilt) * cos(latitude) * sin(longitude) - sin(tilt) * sin(latitude)
    z = sin(tilt) * cos(latitude) * sin(longitude) + cos(tilt) * sin(latitude)
    return degrees(atan2(y, x)) % 360, degrees(atan2(z, hypot(x, y)))


def _days(moment: datetime) -> float:
    return (moment - J2000).total_seconds() / 86_400


def _sun_longitude(moment):
    days = _days(moment)
    anomaly = radians(357.528 + 0.9856003 * days)
    return 280.460 + 0.9856474 * days + 1.915 * sin(anomaly) + 0.020 * sin(2 * anomaly)


def _moon_longitude_latitude(moment):
    centuries = _days(moment) / 36_525

    def wave(size, start, speed):
        return size * sin(radians(start + speed * centuries))

    longitude = (
        218.32
        + 481_267.881 * centuries
        + wave(6.29, 135.0, 477_198.87)
        - wave(1.27, 259.3, -413_335.36)
        + wave(0.66, 235.7, 890_534.22)
        + wave(0.21, 269.9, 954_397.74)
        - wave(0.19, 357.5, 35_999.05)
        - wave(0.11, 186.5, 966_404.03)
    )
    latitude = (
        wave(5.13, 93.3, 483_202.02)
        + wave(0.28, 228.2, 960_400.89)
        - wave(0.28, 318.3, 6_003.15)
        - wave(0.17, 217.6, -407_332.21)
    )
    return longitude, latitude


def sun(moment: datetime) -> tuple[float, float]:
    """Return the place of the sun."""
    return of_ecliptic(_sun_longitude(moment), 0)


def moon(moment: datetime) -> tuple[float, float]:
    """Return the place of the moon, as seen from the centre of the Earth."""
    return of_ecliptic(*_moon_longitude_latitude(moment))


def moon_illumination(moment: datetime) -> float:
    """Return the lit part of the moon's disk, in [0, 1]."""
    longitude, latitude = _moon_longitude_latitude(moment)
    elongation = acos(cos(radians(latitude)) * cos(radians(longitude - _sun_longitude(moment))))
    return (1 - cos(elongation)) / 2


def altitude(place: tuple[float, float], moment: datetime, latitude_deg: float, longitude_deg: float) -> float:
    """Return the elevation of a place above the horizon, degrees, without refraction.

    Args:
        latitude_deg: of the telescope, north positive.
        longitude_deg: of the telescope, east positive.
    """
    ra, dec = place
    sidereal = 280.46061837 + 360.98564736629 * _days(moment)
    hour_angle, declination, latitude = radians(sidereal + longitude_deg - ra), radians(dec), radians(latitude_deg)
    return degrees(asin(sin(latitude) * sin(declination) + cos(latitude) * cos(declination) * cos(hour_angle)))

"""Sun and moon in a night: when it is dark, and when the moon is up."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from opsdb.models import Telescope

from ..drawings.heavens import altitude, moon, moon_illumination, sun
from ..drawings.timeline import Shade

STEP = timedelta(minutes=5)
TWILIGHT_DEG = -18.0
HORIZON_DEG = -0.833  # refraction and the sun's radius, as almanacs have it


class NightSky:
    """Sun and moon above a telescope in a night."""

    def __init__(self, telescope: Telescope, start: datetime, end: datetime):
        self.known = telescope.latitude_deg is not None and telescope.longitude_deg is not None
        self.shades, self.set_rise, self.dark, self.moon_up = [], None, None, timedelta()
        if not self.known:
            return
        place = (telescope.latitude_deg, telescope.longitude_deg)
        times = [start + STEP * number for number in range(int((end - start) / STEP) + 1)]
        heights = [altitude(sun(one), one, *place) for one in times]
        below = list(spans_of(times, [height < HORIZON_DEG for height in heights]))
        dark = list(spans_of(times, [height < TWILIGHT_DEG for height in heights]))
        self.shades = [Shade(*span, "twilight") for span in below] + [Shade(*span, "dark") for span in dark]
        self.set_rise, self.dark = below[0] if below else None, dark[0] if dark else None
        middle = start + (end - start) / 2
        self.lit = moon_illumination(middle)
        up = [altitude(moon(one), one, *place) > 0 for one in times]
        self.moon_up = [
            (max(first, begin), min(last, stop))
            for first, last in spans_of(times, up)
            for begin, stop in below
            if first < stop and last > begin
        ]


def spans_of(times: Sequence[datetime], flags: Sequence[bool]) -> Iterator[tuple[datetime, datetime]]:
    """Yield the spans of time in which a flag holds."""
    began = None
    for one, flag in zip(times, flags, strict=True):
        if flag and began is None:
            began = one
        elif not flag and began is not None:
            yield began, one
            began = None
    if began is not None:
        yield began, times[-1]

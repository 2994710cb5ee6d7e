"""How values are shown."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders

from opsdb.admins.kit.columns import human_duration, human_number, human_size, moment
from opsdb.admins.kit.time_zones import ZONE, with_time_zone
from opsdb.models import Downtime, ExecutedObsUnit, InstrumentModule, Site
from opsdb.models.enums import StateChoices
from opsdb.testing.factories import (
    DowntimeFactory,
    ExecutedObsUnitFactory,
    InstrumentModuleFactory,
    ObservatoryFactory,
    SiteFactory,
    TelescopeFactory,
)
from tests.commands import ROOT

from .pages import ADMINS

STYLE = Path(finders.find("opsdb/admin.css")).read_text()
COLOURS = {state.look.colour for states in StateChoices.__subclasses__() for state in states}


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1_500, "1.5 kB"),
        (999_950, "1 MB"),
        (49_800_000_000, "49.8 GB"),
        (5 * 10**18, "5 EB"),
    ],
)
def test_sizes(size, text):
    shown = human_size(size)
    assert re.search(f">{text}<", shown)
    exact = f"{size:,} bytes"
    assert text == exact or (
        f'title="{exact}"' in shown and f'<span class="visually-hidden"> ({exact})</span>' in shown
    )


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (0.25, "0.25 s"), (59.9, "1 min"), (3_661, "1 h 1 min 1 s"), (90_000, "1 d 1 h"), (1, "1 s")],
)
def test_durations(seconds, text):
    assert f">{text}<" in human_duration(seconds)


@pytest.mark.parametrize(
    ("number", "text"),
    [(1.0, "1"), (0.0, "0"), (143.81097100445, "143.811"), (1e-7, "1e-07"), (-22.985639, "-22.9856")],
)
def test_numbers(number, text):
    shown = human_number(number)
    assert re.sub("<span class=.visually-hidden.*?</span>|<[^>]*>", "", shown) == text
    assert float(text) == number or f'title="{number!r}"' in shown


def test_times_are_shown_in_utc():
    assert ">2026-06-15 09:56:35<" in moment(datetime(2026, 6, 15, 9, 56, 35, 123456, tzinfo=UTC))


def test_the_local_time_is_shown_on_hover_in_winter_and_in_summer():
    for month, hour in ((6, "05"), (12, "06")):
        shown = moment(datetime(2026, month, 15, 9, 56, 35, tzinfo=UTC), "America/Santiago")
        assert f'title="2026-{month:02}-15T09:56:35Z, 2026-{month:02}-15 {hour}:56:35 in America/Santiago"' in shown


class TestTimeZone:
    def test_is_that_of_the_only_observatory(self, db):
        ObservatoryFactory(time_zone="America/Santiago")
        ExecutedObsUnitFactory()
        assert zones_of(ExecutedObsUnit) == {"America/Santiago"}

    def test_is_that_of_the_row_where_there_are_several(self, db):
        for zone in ("America/Santiago", "Pacific/Honolulu"):
            telescope = TelescopeFactory(observatory__time_zone=zone)
            DowntimeFactory(telescope=telescope, instrument=None, instrument_module=None)
            InstrumentModuleFactory(instrument__telescope=telescope)
        assert zones_of(Downtime) == zones_of(InstrumentModule) == {"America/Santiago", "Pacific/Honolulu"}

    def test_is_unknown_where_there_are_several_and_the_row_belongs_to_none(self, db):
        SiteFactory()
        for zone in ("America/Santiago", "Pacific/Honolulu"):
            ObservatoryFactory(time_zone=zone)
        assert zones_of(Site) == {None}


def zones_of(model):
    return {getattr(row, ZONE) for row in with_time_zone(model.objects.all())}


def luminance(colour):
    """Relative luminance (WCAG 2.1)."""
    parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_badges_can_be_read_in_both_colour_schemes():
    for colour in COLOURS:
        assert f".opsdb-badge-{colour} " in STYLE
        texts, grounds = (re.findall(rf"--opsdb-{colour}-{part}: (#[0-9a-f]{{6}});", STYLE) for part in ("fg", "bg"))
        assert len(texts) == len(grounds) == 3  # light, dark by the system, dark by choice
        for text, ground in zip(texts, grounds, strict=True):
            lighter, darker = sorted((luminance(text), luminance(ground)), reverse=True)
            assert (lighter + 0.05) / (darker + 0.05) >= 4.5, colour


def test_both_ways_to_darkness_look_the_same():
    by_system, by_choice = (
        re.search(r"@media.*?{(.*?)}", STYLE, re.S),
        re.search(r'\nhtml\[data-theme="dark"\] {(.*?)}', STYLE, re.S),
    )
    values = [set(re.findall(r"--opsdb[^;]*;", found.group(1))) for found in (by_system, by_choice)]
    assert values[0] == values[1]


def test_what_the_telescope_did_is_called_an_observation_in_what_people_read():
    """Deletions are executed; units are observed."""
    texts = [
        (f"{model.__name__}.{field.name}", str(field.verbose_name))
        for model, page in ADMINS.items()
        for field in page.model_fields.values()
        if field.name != "executed_at"
    ]
    texts += [(model.__name__, str(model._meta.verbose_name_plural)) for model in ADMINS]
    texts += [
        (path.name, found)
        for path in (ROOT / "opsdb" / "admins").rglob("*.py")
        if path.name != "copies.py"
        for found in re.findall(r'(?:_|lazy|gettext)\(\s*"([^"]+)"', path.read_text())
    ]
    assert [found for found in texts if re.search(r"\b[Ee]xecut", re.sub(r"%\(\w+\)s", "", found[1]))] == []

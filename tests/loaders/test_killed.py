"""A load that is killed leaves nothing behind, and the next one completes."""

import signal
import time
from random import Random

import pytest
from django.core.management import call_command

from opsdb.loaders import kinds
from opsdb.loaders.reference import load_reference
from opsdb.models import (
    AzimuthRange,
    ChaiInparParameter,
    ChaiTiling,
    Downtime,
    ObservationConfiguration,
    ObsUnit,
    PreScheduledSlot,
    Source,
    TimeAllocation,
)
from tests.children import child_that_calls, wait_for_sessions_to_end
from tests.commands import ROOT
from tests.schedules import at, timeline

MOMENTS = 20
PLANNED = (Source, ObservationConfiguration, ObsUnit, PreScheduledSlot, TimeAllocation, Downtime)
PARTS = (ChaiInparParameter, ChaiTiling, AzimuthRange)
SOURCES = "name,ra,dec,system\n" + "".join(f"source {n},{n / 10},{n / 100},B1950\n" for n in range(150))
SLOTS = timeline(
    *(
        at(hour, name=f"field_{minute}_{hour}", start_time=f'"2026-07-01 {hour:02}:{minute:02}:00"')
        | {"stop_time": f'"2026-07-01 {hour:02}:{minute:02}:50"'}
        for hour in range(4)
        for minute in (0, 20, 40)
    )
)
ALLOCATIONS = "program,instrument,period,start_date,end_date,hours\n" + "".join(
    f"GEco,CHAI,{year},{year}-01-01,{year + 1}-01-01,9\nCal,CHAI,{year},{year}-01-01,{year + 1}-01-01,9\n"
    for year in range(2000, 2040)
)
DOWNTIMES = "telescope,start,end,reason\n" + "".join(
    f"FYST,{year}-{month:02}-01,{year}-{month:02}-02,wind\n" for year in range(2000, 2008) for month in range(1, 13)
)
SEASON = ROOT / "opsdb/reference/samples/season_2026A"
SCHEDULED = ("--program", "WFS", "--create-missing")
# What is loaded, by kind: a file, or the name and content of one, and options.
LOADS = {
    "sources": ("sources.csv", SOURCES),
    "obs-units": (SEASON / "obs_units_chai.csv", None),
    "allocations": ("allocations.csv", ALLOCATIONS),
    "downtimes": ("downtimes.csv", DOWNTIMES),
    "slots": ("slots.ecsv", SLOTS, *SCHEDULED),
    "all": (SEASON.with_suffix(".yaml"), None),
}
NEEDED_BEFORE = {"obs-units": ("sources", SEASON / "chai.kosma", SEASON / "fields.csv")}


def counts():
    return [model.objects.count() for model in (*PLANNED, *PARTS)]


def make_ready(kind):
    """Leave in the database what a kind needs, and nothing else that is planned."""
    for model in reversed(PLANNED):
        model.objects.all().delete()
    if kind in NEEDED_BEFORE:
        call_command("opsdb_load", *map(str, NEEDED_BEFORE[kind]), verbosity=0)


def test_every_kind_is_killed():
    assert set(LOADS) == set(kinds())


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kind", LOADS)
def test_a_load_killed_at_any_of_twenty_moments_leaves_the_database_as_it_was(tmp_path, kind):
    load_reference()
    make_ready(kind)
    name, text, *options = LOADS[kind]
    path = tmp_path / name
    if text is not None:
        path.write_text(text)
    arguments = (kind, str(path), *options)
    before = counts()
    for command in ((*arguments, "--dry-run"), arguments):  # the first one imports astropy
        begun = time.monotonic()
        call_command("opsdb_load", *command, verbosity=0)
        length = time.monotonic() - begun
    complete, killed = counts(), 0
    assert complete != before
    make_ready(kind)
    moments = Random(4)
    for _ in range(10 * MOMENTS):
        if killed == MOMENTS:
            break
        begun = time.monotonic()
        child = child_that_calls("opsdb_load", *arguments)
        child.join(moments.uniform(0, length))
        child.kill()
        child.join()
        ended = time.monotonic()
        wait_for_sessions_to_end()
        found = counts()
        if child.exitcode == 0 or found == complete:
            # It had committed: the machine was busier when it was measured.
            assert found == complete
            length = ended - begun
            make_ready(kind)
        else:
            killed += 1
            assert child.exitcode == -signal.SIGKILL
        assert counts() == before
    assert killed == MOMENTS
    for _again in range(2):
        call_command("opsdb_load", *arguments, verbosity=0)
        assert counts() == complete

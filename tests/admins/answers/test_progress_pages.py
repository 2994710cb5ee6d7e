"""All about a program, a unit and a location, and the way of a file: what they show, to whom, and what leads there."""

import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from opsdb.admins.pages.executions import night_of
from opsdb.models import (
    DataLocation,
    DataLocationUsage,
    Downtime,
    ExecutedObsUnit,
    Instrument,
    LocationType,
    ObservationStatus,
    ObservingProgram,
    ObsUnit,
    PhysicalCopy,
    PreScheduledSlot,
    RawDataFile,
    Telescope,
)
from opsdb.testing import factories
from opsdb.workflows import assess_observation, attributed, name_deletion_rule
from opsdb.workflows.deletion import RULES
from tests.admins.pages import address
from tests.worlds import shared_world

from .pages import page, read

START = datetime(2026, 3, 14, 3, 30, tzinfo=UTC)


@shared_world
def season():
    """A unit of a program with allocated time, an execution of it in a slot with data, and a slot that was not used."""
    instrument = factories.InstrumentFactory()
    program = factories.ObservingProgramFactory(short_name="GEco")
    day = timezone.now().date()
    allocation = factories.TimeAllocationFactory(
        observing_program=program,
        instrument=instrument,
        period="2026A",
        start_date=date(2026, 3, 1),
        end_date=max(day, date(2026, 3, 1)) + timedelta(days=200),
        hours=40,
    )
    unit = factories.ObsUnitFactory(observing_program=program, name="Orion CO43", requested_executions=3, pwv_max_mm=1)
    module = factories.InstrumentModuleFactory(instrument=instrument)
    execution = factories.ExecutedObsUnitFactory(
        obs_unit=unit, status="completed", start_time=START, end_time=START + timedelta(hours=2), quality="good"
    )
    execution.module_configurations.add(factories.PrimeCamModuleConfigurationFactory(instrument_module=module))
    package = factories.RawDataPackageFactory(executed_obs_unit=execution, archived=True, file_count=7)
    slot = factories.PreScheduledSlotFactory(
        obs_unit=unit, start_time=START - timedelta(minutes=5), end_time=START + timedelta(hours=3)
    )
    missed = factories.PreScheduledSlotFactory(
        obs_unit=unit,
        telescope=slot.telescope,
        start_time=START + timedelta(hours=4),
        end_time=START + timedelta(hours=5),
    )
    return allocation, unit, execution, package, slot, missed


def test_the_program_shows_allocated_used_and_left_and_its_units(browser, season):
    allocation, unit, execution, *_rest = season
    found = read(browser.get(page("program", unit.observing_program_id)))
    for text in ("40.0 h", "2.0 h", "38.0 h", "100 %", "no slot is planned for it", "0 of 1 units"):
        assert text in found.text, text
    assert page("unit", unit.pk) in found.links and page("observation", execution.pk) in found.links
    assert f"/admin/opsdb/timeallocation/{allocation.pk}/change/" in found.links
    assert "opsdb-burn-left" in found.classes()
    assert "It has no allocated time left now." not in found.text
    type(allocation).objects.update(end_date=date(2026, 3, 20), hours=1)
    found = read(browser.get(page("program", unit.observing_program_id))).text
    assert "-1.0 h" in found and "It has no allocated time left now." in found


def test_the_unit_shows_requested_and_done_its_executions_with_data_and_what_stands_in_its_way(browser, season):
    _allocation, unit, execution, *_rest = season
    found = read(browser.get(page("unit", unit.pk)))
    for text in ("Why it is not done", "no slot is planned for it", "1 mm", "✔ 1 / 1", "1 observation: 7 files"):
        assert text in found.text, text
    assert {page("observation", execution.pk), page("program", unit.observing_program_id)} <= set(found.links)
    assert page("source", unit.source_id) in found.links
    ObsUnit.objects.update(requested_executions=1)
    assert "✔ It is done." in read(browser.get(page("unit", unit.pk))).text


def test_the_night_has_planned_and_executed_side_by_side_and_a_sentence(browser, seeing, season):
    *_begin, execution, package, slot, missed = season
    found = read(browser.get(page("night", "2026-03-13")))
    assert "1 observation (1 of 2 slots): 7 files" in found.text
    assert "1 of 1 packages archived" in found.text
    assert "03:25–06:30" in found.text and "✘ not observed" in found.text
    for row in (slot, missed):
        assert f"/admin/opsdb/prescheduledslot/{row.pk}/change/" in found.links
    assert page("observation", execution.pk) in found.links
    for status in (*2 * (ObservationStatus.ABORTED,), ObservationStatus.RUNNING):
        end = None if status == ObservationStatus.RUNNING else START + timedelta(minutes=1)
        ExecutedObsUnit.objects.create(obs_unit=execution.obs_unit, start_time=START, end_time=end, status=status)
    text = read(browser.get(page("night", "2026-03-13"))).text
    assert "4 observations, of them 1 running, 2 aborted (1 of 2 slots): 7 files" in text
    PreScheduledSlot.objects.all().delete()
    assert "not planned" in read(browser.get(page("night", "2026-03-13"))).text
    found = read(seeing(ExecutedObsUnit).get(page("night", "2026-03-13"))).text
    assert "7 files" not in found and "planned [UTC]" not in found and package.name not in found


def test_the_night_shows_the_plan_alone_to_who_may_see_no_observations(seeing, season):
    allocation, _unit, execution, _package, slot, _missed = season
    with attributed(user=factories.UserFactory(username="hidden.person"), reason="strange spikes"):
        assess_observation(execution, "bad")
    for days in (-30, 30):
        start = START + timedelta(days=days)
        factories.ExecutedObsUnitFactory(start_time=start, end_time=start + timedelta(hours=1), status="completed")
    factories.DowntimeFactory(
        telescope=slot.telescope,
        start_time=START - timedelta(hours=2),
        end_time=START + timedelta(hours=1),
        reason="a storm",
    )
    client = seeing(PreScheduledSlot, ObsUnit, Downtime)
    assert client.get(page("night")).url == page("night", night_of(timezone.now()))
    answer = client.get(page("night", "2026-03-13"))
    found, html = read(answer), answer.content.decode()
    assert "03:25–06:30" in found.text and "a storm" in found.text and f"/{slot.pk}/change/" in html
    instrument = allocation.instrument
    hidden = ["hidden.person", "strange spikes", str(execution.pk), "03:30", "completed", "not observed", "observation"]
    hidden += [slot.telescope.short_name, instrument.name, slot.telescope.observatory.time_zone, "2026-02-11"]
    assert [text for text in hidden if text in html[html.index('id="content-main"') :]] == []
    found = read(seeing(PreScheduledSlot, ExecutedObsUnit, Telescope, Instrument).get(page("night", "2026-03-13"))).text
    assert slot.telescope.short_name in found and "bad" in found and "1 observation" in found


@pytest.fixture
def buffer(db):
    return factories.DiskDataLocationFactory(
        location_type=LocationType.BUFFER, retention_days=7, capacity_bytes=1_000_000, name="spool"
    )


def test_the_location_shows_what_it_holds_and_what_holds_it_back(browser, seeing, buffer):
    product = factories.DataProductFactory(size_bytes=30_000)
    factories.DataProductPhysicalCopyFactory(data_product=product, data_location=buffer, size_bytes=30_000)
    found = read(browser.get(page("location", buffer.pk)))
    for text in ("30 kB", "970 kB", "3 %", "rule 2", "has no other verified copy", "7 days"):
        assert text in found.text, text
    assert f"/admin/opsdb/dataproduct/{product.pk}/change/" in found.links
    found = read(seeing(DataLocation).get(page("location", buffer.pk))).text
    assert "rule 2" not in found and "30 kB" not in found
    found = read(seeing(DataLocation, PhysicalCopy).get(page("location", buffer.pk))).text
    assert "30 kB" in found and "has no other verified copy" not in found, "it names a product"


def test_the_location_grows_and_will_be_full_as_the_trends_say(owner, browser, buffer):
    begun = datetime.now(UTC).date() - timedelta(days=10)
    DataLocationUsage.objects.create(data_location=buffer, day=begun, copies=1, bytes=140_000, arrived_bytes=140_000)
    room = read(browser.get(page("location", buffer.pk))).text
    assert "14 kB a day, in the mean of the last 14 days" in room
    (until,) = set(re.findall(r"2\d{3}-\d\d-\d\d, in 61 days", room))
    assert until in read(browser.get(page("trends"))).text


def test_the_location_names_the_rules_and_links_to_their_description(browser, buffer, settings):
    factories.DataProductPhysicalCopyFactory(data_location=buffer, size_bytes=30_000)
    safe = factories.DataProductPhysicalCopyFactory(data_location=buffer, size_bytes=5_000).data_product
    factories.DataProductPhysicalCopyFactory(data_product=safe, verified=True)
    url = page("location", buffer.pk)
    found = read(browser.get(url))
    for text in (
        "rule 2: its content is not safe elsewhere yet",
        "rule 5: retention of 7 days has not passed",
        "held back by other rules1 copy, 30 kB",
    ):
        assert text in " ".join(found.text.split()), text
    assert "What the rules are" not in found.text
    settings.OPSDB_DOCUMENTATION_URL = "https://docs.example.org/opsdb/"
    found = read(browser.get(url))
    assert "https://docs.example.org/opsdb/operations.md#when-a-copy-may-be-deleted" in found.links


def test_the_documentation_describes_every_rule_that_has_a_name():
    text = (Path(__file__).parents[3] / "docs" / "operations.md").read_text()
    section = text.partition("## When a copy may be deleted\n")[2].partition("\n## ")[0]
    assert [int(number) for number in re.findall(r"^(\d)\. ", section, re.MULTILINE)] == [*RULES]
    assert name_deletion_rule(5) == "rule 5: its retention has not passed"
    assert name_deletion_rule(5, DataLocation(retention_days=None)) == "rule 5: the location keeps its data"
    assert name_deletion_rule(1, DataLocation(retention_days=3)) == "rule 1: copies in an archive stay for good"


def test_the_location_links_to_the_list_of_the_copies_that_may_go_now(browser, buffer):
    url = page("location", buffer.pk)
    assert "that may be deleted now" not in read(browser.get(url)).text
    going = []
    for is_safe in (True, False, True):
        copy = factories.DataProductPhysicalCopyFactory(data_location=buffer)
        if is_safe:
            factories.DataProductPhysicalCopyFactory(data_product=copy.data_product, verified=True)
            going.append(copy.pk)
    DataLocation.objects.filter(pk=buffer.pk).update(retention_days=0)
    found = read(browser.get(url))
    assert "The 2 copies that may be deleted now" in found.text
    (link,) = [link for link in found.links if "id__in=" in link]
    answer = browser.get(link)
    assert {copy.pk for copy in answer.context["cl"].result_list} == {*going}


def test_the_way_of_a_file_stands_on_one_line(browser, seeing, season):
    package = season[3]
    file = factories.RawDataFileFactory()
    for row, state in ((package, "done"), (file, "ahead")):
        url = page("where", q=f"{row._meta.db_table} {row.pk}")
        found = read(browser.get(url))
        assert {"opsdb-journey", f"opsdb-journey-{state}"} <= found.classes()
    assert "opsdb-journey" not in read(seeing(RawDataFile, PhysicalCopy).get(url)).classes()


@pytest.mark.parametrize("name", ["program", "unit", "location"])
def test_who_may_see_nothing_else_sees_no_numbers_of_it_and_none_is_not_found(seeing, browser, season, buffer, name):
    model, row = {
        "program": (ObservingProgram, season[1].observing_program),
        "unit": (ObsUnit, season[1]),
        "location": (DataLocation, buffer),
    }[name]
    assert seeing(PhysicalCopy if name != "location" else ObsUnit).get(page(name, row.pk)).status_code == 403
    text = read(seeing(model).get(page(name, row.pk))).text
    assert "2.0 h" not in text and "7 files" not in text
    assert browser.get(page(name, 999_999)).status_code == 404
    for url in (address(model, "changelist"), address(type(getattr(row, "specific", row)), "change", row)):
        assert page(name, row.pk) in read(browser.get(url)).links, url


def test_search_leads_to_the_pages(browser, season):
    unit = season[1]
    assert page("unit", unit.pk) in read(browser.get(page("search", q="Orion CO43"))).links
    # The only row that is found is opened at once.
    assert browser.get(page("search", q="geco"))["Location"] == page("program", unit.observing_program_id)

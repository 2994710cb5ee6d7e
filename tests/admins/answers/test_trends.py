"""Trends: charts with tables and CSV, of a period, for those who may see what they are of."""

import csv
from datetime import UTC, datetime, time, timedelta
from io import StringIO

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from opsdb.models import (
    DataLocation,
    LongTermArchiveTransfer,
    ObservingProgram,
    PhysicalCopy,
    TimeAllocation,
    WorkStage,
)
from opsdb.testing import factories

from ..pages import address
from .pages import page, read

KINDS = ("volume", "traffic", "delays", "backlog", "failures", "time")


@pytest.fixture
def today():
    return timezone.now().astimezone(UTC).date()


def fill(today, number=1):
    midnight = datetime.combine(today, time(), tzinfo=UTC)
    for back in range(1, number + 1):
        day = today - timedelta(days=back)
        location = factories.TapeDataLocationFactory(archive=True, capacity_bytes=10**12)
        factories.DataLocationUsageFactory(data_location=location, day=day, bytes=10**9, arrived_bytes=10**9)
        factories.StageActivityFactory(
            stage=WorkStage.TRANSFER,
            begins_at=midnight - timedelta(days=back),
            origin_location=factories.DiskDataLocationFactory(),
            destination_location=location,
            completed=1,
            bytes=10**9,
            failures=2,
            added=2,
        )
        factories.StageActivityFactory(
            stage=WorkStage.ARCHIVING, begins_at=midnight - timedelta(days=back), delay_step=64, added=3
        )
        execution = factories.ExecutedObsUnitFactory(
            completed=True,
            start_time=midnight - timedelta(days=back),
            end_time=midnight - timedelta(days=back, hours=-2),
            quality="good",
        )
    return location, execution


def sections(found):
    return {attributes.get("id") for tag, attributes in found.tags if tag == "h2"} & {*KINDS}


def test_every_trend_is_a_chart_a_table_and_a_csv(browser, today):
    location, execution = fill(today)
    found = read(browser.get(page("trends")))
    assert sections(found) == {*KINDS}
    assert f"{location.site}/{location.name}" in found.text
    assert "1 GB" in found.text and execution.obs_unit.observing_program.short_name in found.text
    assert sum(tag == "svg" for tag, _ in found.tags) >= len(KINDS)
    for kind in KINDS:
        [link] = [link for link in found.links if f"trends/{kind}.csv" in link]
        answer = browser.get(link)
        assert answer["Content-Type"].startswith("text/csv")
        header, *rows = csv.reader(StringIO(answer.content.decode()))
        assert rows and {len(row) for row in rows} == {len(header)}, kind


def test_allocated_hours_of_days_and_of_whole_periods_are_told_apart(browser, today):
    _location, execution = fill(today)
    program = execution.obs_unit.observing_program
    factories.TimeAllocationFactory(
        observing_program=program,
        instrument__name="Heron",
        period="2031A",
        start_date=today - timedelta(days=4),
        end_date=today + timedelta(days=6),
        hours=200,
    )
    found = read(browser.get(page("trends", days=3)))
    texts = (f"observed from {today - timedelta(days=2)} to {today}", "allocated for these days", "2031A Heron: 200 h")
    for text in (*texts, "60.0 h"):  # of 3 of its 10 days
        assert text in found.text, text
    assert page("program", program.pk) in found.links
    found = read(browser.get(page("program", program.pk)))
    for text in ("Time allocated and used in whole periods", "200 h"):
        assert text in found.text, text
    assert f"{page('trends')}#time" in found.links


def test_failures_are_summed_by_stage_and_over_all_stages(browser, today):
    fill(today, number=3)
    text = " ".join(read(browser.get(page("trends", days=7))).text.split())
    assert f"{WorkStage.TRANSFER.label}: 6 in all" in text, WorkStage.TRANSFER.label
    assert "all stages6" in text
    assert f"Failed attempts from {today - timedelta(days=6)} to {today}" in text
    assert "Failed attempts: 6" in read(browser.get(page("dashboard"))).text
    yesterday, day_before = (today - timedelta(days=back) for back in (1, 2))
    assert f"day{WorkStage.TRANSFER.label}all stages {yesterday}22 {day_before}22" in text


def test_delays_and_volumes_are_summed_up_over_the_period_and_all_locations(browser, today):
    fill(today, number=3)
    begins_at = datetime.combine(today, time(), tzinfo=UTC)
    for back, step in ((1, 64), (2, 64), (10, 56)):
        factories.StageActivityFactory(
            stage=WorkStage.ARCHIVING, begins_at=begins_at - timedelta(days=back), completed=3, delay_step=step
        )
    text = " ".join(read(browser.get(page("trends", days=30))).text.split())
    assert "Median of the whole period: 4 h 23 min; nine of ten packages within 4 h 35 min." in text
    assert "whole period124 h 23 min4 h 35 min" in text
    assert "all locations3 GB3 TB–3 GB0 bytes" in text


def test_the_tables_of_time_have_titles_and_their_signs_a_legend(browser, today):
    _location, execution = fill(today)
    program = execution.obs_unit.observing_program
    day = timedelta(days=1)
    factories.TimeAllocationFactory(
        observing_program=program, start_date=today - 4 * day, end_date=today + 6 * day, hours=200
    )
    found = read(browser.get(page("trends", days=3)))
    assert sum(tag == "h3" for tag, _attributes in found.tags) >= 2
    for text in (f"Allocations of {today}", f"Observed from {today - 2 * day} to {today}, by program", "✘ less"):
        assert text in found.text, text


def test_a_period_is_so_many_days_or_from_one_to_another(browser, today):
    fill(today, number=3)
    of_days = read(browser.get(page("trends", days=7)))
    assert f"{today - timedelta(days=6)} to {today}" in of_days.text
    day = today - timedelta(days=2)
    one = browser.get(page("trends", "volume.csv", **{"from": day, "to": day})).content.decode()
    assert {row.split(",")[0] for row in one.splitlines()[1:]} == {f"{day}"}
    long = read(browser.get(page("trends", days=365)))
    assert sections(long) == {*KINDS}


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"days": "0"}, "Give a number of days from 1 to"),
        ({"days": "many"}, "Give a number of days from 1 to"),
        ({"days": "9" * 5_000}, "Give a number of days from 1 to"),
        ({"from": "12/06/2026"}, "write year, month and day"),
        ({"from": "2026-06-02", "to": "2026-06-01"}, "ends before it begins"),
        ({"from": "1990-01-01"}, "more than"),
    ],
)
def test_a_period_that_is_none_is_refused(browser, query, message):
    answer = browser.get(page("trends", **query))
    assert answer.status_code == 400
    assert message in answer.content.decode()


def test_a_trend_that_there_is_not_is_not_found(browser):
    assert browser.get(page("trends", "weather.csv")).status_code == 404
    assert browser.get(page("trends", "volume")).status_code == 404


def test_who_may_see_one_kind_sees_its_trends_alone(seeing, today):
    fill(today)
    copies = seeing(PhysicalCopy, DataLocation)
    assert sections(read(copies.get(page("trends")))) == {"volume"}
    assert copies.get(page("trends", "time.csv")).status_code == 404
    assert copies.get(page("trends", "failures.csv")).status_code == 404
    archive = seeing(LongTermArchiveTransfer)
    assert sections(read(archive.get(page("trends")))) == {"backlog", "failures"}
    assert "Failed attempts" in read(archive.get(page("dashboard"))).text
    alone = seeing(PhysicalCopy).get(page("trends"))
    assert not sections(read(alone)) and "no trend as a whole" in alone.content.decode()
    rows = archive.get(page("trends", "backlog.csv")).content.decode().splitlines()[1:]
    assert {row.split(",")[1] for row in rows} == {"archiving"}


def test_staff_without_permission_are_refused(outsider):
    assert outsider.get(page("trends")).status_code == 403


def test_the_number_of_queries_depends_on_nothing(sessions_in_database, browser, today):
    def queries(**query):
        with CaptureQueriesContext(connection) as found:
            assert browser.get(page("trends", **query)).status_code == 200
        return len(found)

    fill(today)
    few = queries()
    fill(today, number=9)
    # Session, user, and eight of the trends.
    assert queries() == few == queries(days=365) == 11


def test_allocated_used_and_left_time_of_all_programs_is_one_table_that_lists_link_to(browser, today):
    _location, execution = fill(today)
    start, end = today - timedelta(days=9), today + timedelta(days=10)
    module = factories.ChaiModuleConfigurationFactory()
    execution.module_configurations.add(module)
    common = {
        "observing_program": execution.obs_unit.observing_program,
        "start_date": start,
        "end_date": end,
        "hours": 8,
    }
    factories.TimeAllocationFactory(instrument=module.instrument_module.instrument, period="used", **common)
    factories.TimeAllocationFactory(period="unused", **common)
    text = " ".join(read(browser.get(page("trends"))).text.split())
    # Ten of nineteen days have gone.
    assert f"used {module.instrument_module.instrument}8.0 h2.0 h6.0 h53 %✘ 3.8 h (48 %)" in text
    assert "8.0 h0.0 h8.0 h53 %✘ nothing: not begun" in text
    for model in (ObservingProgram, TimeAllocation):
        assert f"{page('trends')}#time" in browser.get(address(model, "changelist")).content.decode()

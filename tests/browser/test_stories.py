"""What operators come to the admin for, as they do it: by looking, clicking and typing."""

import csv
import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from opsdb.admins.pages.executions import night_of
from opsdb.models import (
    ChangeLog,
    DataTransfer,
    DataTransferRoute,
    DeletionRequest,
    DeletionRequestStatus,
    ExecutedObsUnit,
    FixedSource,
    ObservationStatus,
    ObsUnit,
    PackageState,
    PhysicalCopy,
    PhysicalCopyStatus,
    PreScheduledSlot,
    Quality,
    RawDataFile,
    RawDataPackage,
    Source,
    StagingJob,
    Status,
)
from opsdb.workflows import start_observation

from .hands import (
    REASON,
    add,
    add_subtype,
    begin,
    choose,
    choose_file,
    confirm,
    fill_time,
    line,
    loaded,
    open_first,
    open_list,
    said,
    save,
    save_anyway,
    search,
    skip_to,
    stage,
    tick,
)

# One story may decide what another begins with.
pytestmark = [pytest.mark.random_order(disabled=True), pytest.mark.usefixtures("no_side_bar")]


def last_change(row):
    """Who changed a row last, and why."""
    change = ChangeLog.objects.of(row).first()
    return change.user.username, change.reason


def by(name):
    """What the change log has of somebody who gave the reason."""
    return name, REASON


def test_failed_transfers_are_found_on_the_dashboard_and_reset_with_a_reason(visit, picture):
    failed = list(DataTransfer.objects.filter(status=Status.FAILED))
    assert failed
    page = visit("admin")
    with loaded(page):
        stage(page, "transferred").get_by_role("link", name="failed").click()
    page.get_by_role("checkbox", name="Select all objects on this page for an action").check()
    begin(page, "Reset")
    for transfer in failed:
        expect(page.get_by_role("row", name=f"{transfer}")).to_contain_text("failed → pending")
    picture(page, "action")
    page.get_by_role("button", name="Reset", exact=True).click()
    expect(line(page, "Reason")).to_contain_text("This field is required")
    assert DataTransfer.objects.filter(status=Status.FAILED).count() == len(failed)
    confirm(page, "Reset", REASON)
    expect(said(page)).to_be_visible()
    for transfer in failed:
        transfer.refresh_from_db()
        assert (transfer.status, transfer.retry_count) == (Status.PENDING, 0)
        assert last_change(transfer) == by("admin")


def test_failures_of_one_cause_are_reset_together_from_the_dashboard(visit):
    failed = list(DataTransfer.objects.filter(status=Status.FAILED))
    page = visit("admin")
    page.get_by_role("link", name=re.compile("need attention")).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Failures")
    group = page.get_by_role("region").filter(has=page.get_by_role("link", name=re.compile("^staging job")))
    with loaded(page):
        group.get_by_role("button", name=re.compile("^Reset:")).click()
    expect(page.get_by_role("region", name=re.compile("Will change"))).to_contain_text("failed → pending")
    confirm(page, "Reset", REASON)
    expect(said(page)).to_contain_text("Reset: ")
    assert not StagingJob.objects.filter(status=Status.FAILED).exists()
    assert list(DataTransfer.objects.filter(status=Status.FAILED)) == failed


def test_it_says_why_a_package_is_not_archived_and_who_does_what_next(visit, picture):
    package = RawDataPackage.objects.filter(status=Status.FAILED).first()
    page = visit("viewer")
    picture(page, "admin")
    page.get_by_role("link", name=f"Why package {package.pk}?").click()
    told = page.get_by_role("region", name="Why is it where it is?")
    expect(told).to_contain_text("disk quota exceeded")
    expect(told).to_contain_text("remove the cause, then reset")
    expect(told).to_contain_text("operator")
    told.get_by_role("link", name=package.name).click()
    expect(page.get_by_role("heading", level=2, name=package.name)).to_be_visible()
    expect(page.locator(".opsdb-why")).to_contain_text("disk quota exceeded")
    picture(page, "why")


def test_a_source_a_unit_and_a_slot_are_planned_and_what_the_database_refuses_is_said_in_the_form(visit, picture):
    page = visit("observer")
    add_subtype(page, "Sources", "Fixed source")
    page.get_by_label("Name:").fill("Orion Bar")
    page.get_by_label("RA [deg]:").fill("400")
    page.get_by_label("Dec [deg]:").fill("-5:25:12")
    save(page)
    expect(line(page, "RA [deg]").locator(".errorlist")).to_be_visible()
    assert not Source.objects.filter(name="Orion Bar").exists()
    picture(page, "refused")
    page.get_by_label("RA [deg]:").fill("83.83")
    save(page)
    expect(said(page)).to_contain_text("Orion Bar")

    add(page, "Observation units")
    choose(page, "Observing program", "GEco")
    choose(page, "Source", "Orion Bar")
    line(page, "Observation mode").get_by_role("combobox").select_option(label="skydip")
    line(page, "Configuration").get_by_role("combobox").select_option(label="skydip v1")
    page.get_by_label("Name:").fill("Orion Bar, first look")
    save(page)
    save_anyway(page, "is for Prime-Cam, and the program GEco observes with CHAI")
    expect(said(page)).to_contain_text("Orion Bar, first look")

    taken = PreScheduledSlot.objects.order_by("start_time").first()
    add(page, "Pre-scheduled slots")
    choose(page, "Observation unit", "Orion Bar, first look")
    expect(line(page, "Telescope")).to_contain_text("FYST")
    fill_time(page, "Start time", taken.start_time)
    fill_time(page, "End time", taken.end_time)
    save(page)
    expect(page.locator(".errorlist").first).to_be_visible()
    assert not PreScheduledSlot.objects.filter(obs_unit__name="Orion Bar, first look").exists()
    start = taken.start_time - timedelta(days=2)
    fill_time(page, "Start time", start)
    fill_time(page, "End time", start + timedelta(minutes=30))
    local = line(page, "Start time").locator(".opsdb-local")
    expect(local).to_contain_text(
        f"{start.astimezone(ZoneInfo('America/Santiago')):%Y-%m-%d %H:%M} in America/Santiago"
    )
    save(page)
    save_anyway(page, "below the horizon")
    expect(said(page)).to_contain_text("was added")

    slot = PreScheduledSlot.objects.get(obs_unit__name="Orion Bar, first look")
    assert (slot.obs_unit.source.name, slot.obs_unit.observing_program.short_name) == ("Orion Bar", "GEco")
    assert FixedSource.objects.get(name="Orion Bar").ra_deg == pytest.approx(83.83)
    assert FixedSource.objects.get(name="Orion Bar").dec_deg == pytest.approx(-5.42)
    assert last_change(slot)[0] == "observer"


def test_somebody_elses_deletion_is_approved_and_ones_own_is_not(visit, picture):
    of_another = DeletionRequest.objects.filter(status=DeletionRequestStatus.REQUESTED).first()
    page = visit("approver")
    page.get_by_role("link", name="requested").click()
    tick(page, of_another)
    begin(page, "Approve")
    confirm(page, "Approve", REASON)
    of_another.refresh_from_db()
    assert (of_another.status, of_another.approved_by.username) == (DeletionRequestStatus.APPROVED, "approver")
    assert last_change(of_another) == by("approver")

    copy = PhysicalCopy.objects.filter(
        data_location__name="primecam",
        raw_data_file__raw_data_package__state=PackageState.ARCHIVED,
        status=PhysicalCopyStatus.PRESENT,
    ).first()
    page = visit("superuser")
    open_list(page, "Copies")
    search(page, f"{copy.pk}")
    tick(page, copy)
    begin(page, "Request deletion")
    page.get_by_label("Before the retention has passed").check()
    page.get_by_role("button", name="Preview").click()
    confirm(page, "Request deletion", REASON)
    own = DeletionRequest.objects.get(requested_by__username="superuser")
    assert own.reason == REASON

    open_list(page, "Deletion requests")
    tick(page, own)
    begin(page, "Approve")
    refused = page.get_by_role("region", name="refused")
    expect(refused).to_contain_text("so another person must decide it")
    expect(page.get_by_role("button", name="Approve")).to_have_count(0)
    picture(page, "second-person")
    own.refresh_from_db()
    assert own.status == DeletionRequestStatus.REQUESTED


def test_a_months_executions_are_exported_as_they_are_filtered(visit, tmp_path):
    page = visit("viewer")
    open_list(page, "Observations")
    page.locator("#changelist-filter").get_by_role("link", name="This month").click()
    with page.expect_download() as waiting:
        page.get_by_role("link", name="Export CSV").click()
    waiting.value.save_as(tmp_path / "executions.csv")
    with (tmp_path / "executions.csv").open(newline="", encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    first = datetime.now(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    keys = ExecutedObsUnit.objects.filter(start_time__gte=first).values_list("pk", flat=True)
    assert {row["id"] for row in rows} == {str(key) for key in keys} != set()


@pytest.mark.parametrize("pasted", ["relative_path", "pk"])
def test_a_file_is_found_by_whatever_of_it_is_pasted(visit, picture, pasted):
    copy = PhysicalCopy.objects.filter(
        raw_data_file__isnull=False, status=PhysicalCopyStatus.PRESENT, raw_data_file__raw_data_package__isnull=False
    ).first()
    file = copy.raw_data_file
    page = visit("viewer")
    page.get_by_role("link", name="Where is it?").click()
    page.get_by_label("What?").fill(str(getattr(file, pasted)))
    page.keyboard.press("Enter")
    copies = page.get_by_role("region", name="Copies of it")
    expect(copies).to_contain_text(copy.data_location.name)
    expect(copies).to_contain_text("present")
    if pasted == "relative_path":
        picture(page, "where")


def test_a_checksum_finds_its_file_in_the_list(visit):
    file = RawDataFile.objects.exclude(checksum=None).last()
    page = visit("viewer")
    open_list(page, "Raw data files")
    search(page, file.checksum)
    expect(page.locator("#result_list tbody tr")).to_have_count(1)
    expect(page.locator("#result_list")).to_contain_text(file.relative_path)


def test_observers_judge_the_quality_of_executions_and_viewers_cannot(visit):
    execution = ExecutedObsUnit.objects.filter(status=ObservationStatus.COMPLETED).order_by("start_time")[3]
    judged = Quality.BAD if execution.quality != Quality.BAD else Quality.GOOD
    page = visit("observer")
    open_list(page, "Observations")
    search(page, f"{execution.pk}")
    tick(page, execution)
    begin(page, "Mark quality")
    page.get_by_label(str(judged.label), exact=True).check()
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_role("region", name="Will change")).to_contain_text(f"→ {judged.label}")
    confirm(page, "Mark quality", REASON)
    execution.refresh_from_db()
    assert execution.quality == judged
    assert last_change(execution) == by("observer")

    page = visit("viewer")
    open_list(page, "Observations")
    expect(page.get_by_label("Action:")).to_have_count(0)
    search(page, f"{execution.pk}")
    open_first(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("View observation")
    expect(page.get_by_role("button", name="Mark quality")).to_have_count(0)


def test_a_route_is_paused_with_a_reason_and_the_map_shows_it(visit, picture):
    route = DataTransferRoute.objects.get(name="cologne-us")
    page = visit("admin")
    open_list(page, "Transfer routes")
    tick(page, route)
    begin(page, "Pause")
    confirm(page, "Pause", REASON)
    route.refresh_from_db()
    assert not route.active
    assert last_change(route) == by("admin")
    page.get_by_role("link", name="Data flow").first.click()
    row = page.get_by_role("region", name="Routes").get_by_role("row").filter(has_text=route.name)
    expect(row).to_contain_text("inactive")
    picture(page, "data-flow")


def test_a_file_of_sources_is_refused_with_line_and_column_then_planned_and_loaded(visit, picture):
    page = visit("observer")
    open_list(page, "Sources")
    page.get_by_role("link", name="Import sources").click()

    def upload(right_ascension):
        rows = ["name,longitude,latitude", "M 42,05:35:17.3,-05:23:28", f"M 43,{right_ascension},-05:16:05"]
        file = {"name": "nebulae.csv", "mimeType": "text/csv", "buffer": "\n".join(rows).encode()}
        choose_file(page, file)

    upload("25:35:31.3")
    problem = page.get_by_role("row").filter(has_text="25:35:31.3")
    expect(problem.get_by_role("rowheader")).to_have_text("3")
    expect(problem).to_contain_text("longitude")
    upload("05:35:31.3")
    plan = page.get_by_role("region", name="What loading nebulae.csv would do")
    expect(plan).to_contain_text("M 43")
    assert not Source.objects.filter(name__startswith="M 4").exists()
    picture(page, "import")
    page.get_by_label("Reason:").fill(REASON)
    page.get_by_role("button", name="Load it").click()
    expect(said(page)).to_be_visible()
    found = Source.objects.filter(name__in=["M 42", "M 43"])
    assert [last_change(source.specific) for source in found] == [("observer", f"nebulae.csv: {REASON}")] * 2


def test_an_earlier_version_of_a_unit_is_restored_as_a_new_change(visit, elsewhere, picture):
    unit = ObsUnit.objects.first()
    unit.pk, unit.name, unit.priority = None, "with a history", 3
    elsewhere(unit.save)
    page = visit("observer")
    open_list(page, "Observation units")
    search(page, unit.name)
    open_first(page)
    page.get_by_label("Priority:").fill("7")
    page.get_by_role("button", name="Save and continue editing").click()
    unit.refresh_from_db()
    assert unit.priority == 7
    page.get_by_role("link", name="History", exact=True).click()
    expect(page.get_by_role("article").first.get_by_role("row", name="priority")).to_have_text(re.compile(r"3\s*7"))
    picture(page, "history")
    page.get_by_role("article").last.get_by_role("link", name="Restore this version").click()
    expect(page.get_by_role("row", name="priority")).to_have_text(re.compile(r"7\s*3"))
    page.get_by_label("Reason:").fill(REASON)
    page.get_by_role("button", name="Restore").click()
    expect(said(page)).to_be_visible()
    unit.refresh_from_db()
    assert unit.priority == 3
    user, reason = last_change(unit)
    assert (user, reason.endswith(f"restored: {REASON}")) == ("observer", True)
    assert ChangeLog.objects.of(unit).count() == 3


def test_staging_of_a_package_is_requested_for_a_processing_location(visit):
    package = RawDataPackage.objects.filter(state=PackageState.ARCHIVED).order_by("pk")[2]
    page = visit("admin")
    open_list(page, "Packages")
    search(page, package.name)
    open_first(page)
    page.get_by_role("button", name="Request staging").click()
    page.get_by_label("Processing location:").select_option(index=0)
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_role("region", name="Will change")).to_contain_text("is in a staging job for")
    confirm(page, "Request staging", REASON)
    job = StagingJob.objects.get(purpose=REASON)
    assert list(job.raw_data_packages.all()) == [package]
    assert job.requested_by.username == "admin"


def test_the_night_and_the_sky_lead_to_their_rows(visit, picture):
    page = visit("viewer")
    pages = page.get_by_role("navigation", name="Pages of the observatory")
    pages.get_by_role("link", name="Night").click()
    night = night_of(ExecutedObsUnit.objects.latest_first().filter(status=ObservationStatus.COMPLETED)[0].start_time)
    page.get_by_label("Night that begins on").fill(f"{night + timedelta(days=1)}")
    page.get_by_role("button", name="Show").click()
    page.get_by_role("link", name=f"← {night}").click()
    expect(page.get_by_role("heading", level=1, name=f"Night of {night:%A %Y-%m-%d}")).to_be_visible()
    picture(page, "night")
    bar = page.get_by_role("figure").first.get_by_role("link", name="completed").last
    row = ExecutedObsUnit.objects.get(pk=re.search(r"[0-9a-f-]{36}", bar.get_attribute("href"))[0])
    bar.click()
    expect(page.locator("#content")).to_contain_text(f"{row.pk}")

    pages.get_by_role("link", name="Sky").click()
    picture(page, "sky")
    page.get_by_role("link", name=re.compile("^Deep56, RA")).click()
    expect(page.get_by_role("heading", level=2, name="Deep56")).to_be_visible()


def test_the_dashboard_follows_without_a_reload(visit, elsewhere, monkeypatch):
    monkeypatch.setattr("opsdb.admins.pages.dashboard.REFRESH_SECONDS", 1)
    page = visit("viewer")
    page.evaluate("window.loadedOnce = true")
    running = ExecutedObsUnit.objects.filter(status=ObservationStatus.RUNNING).count()
    expect(stage(page, "observed")).to_contain_text(f"running{running}")
    elsewhere(lambda: start_observation(ObsUnit.objects.first(), start_time=timezone.now()))
    expect(stage(page, "observed")).to_contain_text(f"running{running + 1}")
    assert page.evaluate("window.loadedOnce")


def test_a_package_is_found_and_opened_with_the_keyboard_alone(visit):
    package = RawDataPackage.objects.filter(state=PackageState.ARCHIVED).first()
    page = visit("viewer")

    skip_to(page, "link", "Where is it?")
    page.keyboard.press("Enter")
    expect(page.get_by_label("What?")).to_be_visible()
    skip_to(page, "searchbox", "What?")
    page.keyboard.type(package.name)
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name=package.name).first).to_be_visible()
    skip_to(page, "link", package.name)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=2, name=package.name)).to_be_visible()

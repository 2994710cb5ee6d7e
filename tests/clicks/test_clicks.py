"""What people come for takes few clicks: at most half of what it took before pages were made for it.

A click is what the browser received: a press of the mouse, Enter, another choice in a control, a chosen file. Typing,
and moving between fields by the keyboard, are none. A press that opens the browser's dialog for files and the file that
is chosen there are one click: the dialog is not the page's, and remembers the folder. A file that is chosen without a
press, as by dropping it on the page, is one click, too.
"""

import csv
import re
from collections import namedtuple
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from opsdb.models import (
    ApiToken,
    DataTransfer,
    DeletionRequest,
    DeletionRequestStatus,
    Downtime,
    ExecutedObsUnit,
    FixedSource,
    Instrument,
    ObsUnit,
    PreScheduledSlot,
    Quality,
    RawDataFile,
    Site,
    StagingJob,
    Status,
    User,
)
from opsdb.testing.factories import DiskDataLocationFactory, ExecutedObsUnitFactory
from tests.browser.conftest import PHONE
from tests.browser.hands import (
    REASON,
    add_beside,
    add_on_index,
    choose_file,
    fill_time,
    find,
    import_file,
    line,
    loaded,
    pages,
    pick,
    said,
    transit_after,
)

# One story may decide what another begins with.
pytestmark = pytest.mark.random_order(disabled=True)

# Before: none where it was impossible. A wrong edit itself is not counted, the attempts that were refused are.
Clicks = namedtuple("Clicks", "before now")
STORIES = {
    "what happened last night, and is it archived": Clicks(45, 1),
    "why a transfer failed, and its reset": Clicks(5, 2),
    "a reset of everything that failed for one reason": Clicks(30, 2),
    "data of a source, and where they are": Clicks(8, 2),
    "time used of an allocation": Clicks(4, 1),
    "a source, a unit and a slot, with a warning": Clicks(26, 13),
    "half a name, a coordinate, a checksum": Clicks(2, 1),
    "access for a colleague": Clicks(6, 3),
    "a bad observation": Clicks(8, 2),
    "30 sources of a file with two errors": Clicks(7, 3),
    "a wrong edit undone": Clicks(4, 2),
    "a token made and revoked": Clicks(8, 4),
    "a full location: what may be deleted": Clicks(14, 1),
    "a deletion approved": Clicks(6, 2),
    "a downtime": Clicks(10, 3),
    "last month's observations as a table": Clicks(3, 1),
    "a site with an archive, and what it lacks": Clicks(8, 3),
    "a failed reduction": Clicks(3, 1),
    "the night on a phone": Clicks(2, 1),
    "growth, rates and delays": Clicks(None, 1),
    "what a table and a column mean": Clicks(None, 1),
}
COUNTED = "opsdb-clicks"
COUNT = f"""(() => {{
  const add = () => sessionStorage.setItem('{COUNTED}', 1 + Number(sessionStorage.getItem('{COUNTED}')));
  addEventListener('pointerdown', add, true);
  addEventListener('keydown', (event) => event.key === 'Enter' && add(), true);
  addEventListener('change', (event) => event.target.matches('select:not([multiple])') && add(), true);
  let isOpen = false;
  const isOfFiles = (event) => event.target instanceof Element && event.target.matches('[type=file]');
  addEventListener('click', (event) => {{ isOpen ||= isOfFiles(event); }}, true);
  addEventListener('cancel', (event) => {{ isOpen &&= !isOfFiles(event); }}, true);
  addEventListener('change', (event) => {{
    if (isOfFiles(event) && !isOpen) add();
    isOpen &&= !isOfFiles(event);
  }}, true);
}})();"""


def clicks_of(page):
    """How often something was clicked on the pages of a tab."""
    return int(page.evaluate(f"sessionStorage.getItem('{COUNTED}')") or 0)


@pytest.fixture
def start(visit, no_side_bar):
    """A function that opens the start page as a person, from where clicks are counted."""

    with ExitStack() as scripts:

        def as_person(name, path="/admin/", **options):
            page = visit(name, path, **options)
            page.evaluate(COUNT)
            scripts.enter_context(page.add_init_script(COUNT))
            assert clicks_of(page) == 0
            return page

        yield as_person


def took(page, story):
    """Compare what a story took with what is recorded of it."""
    assert clicks_of(page) == STORIES[story].now


def test_each_story_takes_at_most_half_of_the_clicks():
    halved = {story for story, clicks in STORIES.items() if clicks.before and 2 * clicks.now <= clicks.before}
    new = {story for story, clicks in STORIES.items() if clicks.before is None}
    assert set(STORIES) - halved - new == set()


def test_clicks_are_counted_over_pages_and_typing_is_none(start):
    page = start("viewer")
    find(page, "Deep56")
    assert clicks_of(page) == 1
    page.locator("#content").get_by_role("link", name="Deep56", exact=True).first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Deep56")
    assert clicks_of(page) == 2


def test_a_file_is_one_click_whether_it_is_chosen_in_a_dialog_or_dropped(start):
    page = start("observer", "/admin/opsdb/source/import/sources/")
    file = {"name": "no.csv", "mimeType": "text/csv", "buffer": b"name,ra,dec\nNo,400,0\n"}
    with page.expect_file_chooser():
        page.get_by_label("File:").click()
    assert clicks_of(page) == 1
    page.get_by_label("File:").dispatch_event("cancel")
    with loaded(page):
        page.get_by_label("File:").set_input_files(file)
    assert clicks_of(page) == 2
    with loaded(page):
        choose_file(page, file)
    assert clicks_of(page) == 3
    with loaded(page):
        import_file(page, file)
    assert clicks_of(page) == 4


def test_last_night_and_its_archiving(start):
    page = start("viewer")
    pages(page).get_by_role("link", name="Night").click()
    summary = page.get_by_text(re.compile(r"\d+ of \d+ packages archived"))
    expect(summary).to_be_visible()
    table = page.get_by_role("group", name="Planned and observed")
    expect(table.get_by_role("columnheader", name="archived")).to_be_visible()
    took(page, "what happened last night, and is it archived")


def test_a_failed_transfer_is_understood_and_reset(start):
    assert DataTransfer.objects.filter(status=Status.FAILED).exists()
    page = start("admin")
    failures = page.get_by_role("group", name="What failed, by cause")
    row = failures.get_by_role("row").filter(has_text="transfer").filter(has_not_text="archive").first
    expect(row).to_contain_text("disk quota exceeded")
    with loaded(page):
        row.get_by_role("button", name=re.compile("^Reset:")).click()
    page.get_by_label("Reason:").fill(REASON)
    page.get_by_role("button", name="Reset", exact=True).click()
    expect(said(page)).to_contain_text("Reset: ")
    assert not DataTransfer.objects.filter(status=Status.FAILED).exists()
    took(page, "why a transfer failed, and its reset")


def test_everything_that_failed_for_one_reason(start, elsewhere):
    def fail():
        """As many again as a full disk makes fail, at another location."""
        job = StagingJob.objects.filter(status=Status.FAILED).first()
        for purpose in ("one more", "another"):
            job.pk, job.purpose, job.destination_location = None, purpose, DiskDataLocationFactory(processing=True)
            job._state.adding = True
            job.save()
        return [*StagingJob.objects.filter(status=Status.FAILED, failure_message=job.failure_message)]

    failed = elsewhere(fail)
    assert len({job.destination_location_id for job in failed}) >= 3
    page = start("admin")
    failures = page.get_by_role("group", name="What failed, by cause")
    with loaded(page):
        failures.get_by_role("button", name=re.compile("^Reset at all locations")).first.click()
    page.get_by_label("Reason:").fill(REASON)
    page.get_by_role("button", name="Reset", exact=True).click()
    expect(said(page)).to_contain_text("Reset: ")
    for row in failed:
        row.refresh_from_db()
    assert {row.status for row in failed} == {Status.PENDING}
    took(page, "a reset of everything that failed for one reason")


def test_data_of_a_source_and_where_they_are(start):
    page = start("viewer")
    find(page, "Deep56")
    page.locator("#content").get_by_role("link", name="Deep56", exact=True).first.click()
    expect(page.get_by_role("heading", name="Observations")).to_be_visible()
    expect(page.get_by_role("heading", name="Where its packages are")).to_be_visible()
    took(page, "data of a source, and where they are")


def test_time_used_of_an_allocation(start):
    page = start("viewer")
    find(page, "WFS")
    expect(page.get_by_role("heading", level=1)).to_have_text("Program WFS")
    time = page.get_by_role("region", name="Time allocated and used")
    for column in ("allocated", "used", "left"):
        expect(time.get_by_role("columnheader", name=column, exact=True).first).to_be_visible()
    took(page, "time used of an allocation")


def test_a_plan_is_made_and_warned_of(start, monkeypatch):
    # The forms are opened from the side bar.
    monkeypatch.undo()
    page = start("observer")
    add_on_index(page, "Sources")
    with loaded(page):
        page.locator("#content").get_by_role("link", name=re.compile("fixed source", re.IGNORECASE)).click()
    page.get_by_label("Name:").fill("Plume 99")
    page.get_by_label("RA [deg]:").fill("09:55:52.7")
    page.get_by_label("Dec [deg]:").fill("+69:40:46")
    with loaded(page):
        page.get_by_label("Dec [deg]:").press("Enter")
    expect(page.locator(".opsdb-warned")).to_contain_text("never rises above")
    page.get_by_label("Dec [deg]:").fill("-29:40:46")
    with loaded(page):
        page.get_by_label("Dec [deg]:").press("Enter")
    source = FixedSource.objects.get(name="Plume 99")

    add_beside(page, "Observation units")
    pick(page, "Observing program", "Cal")
    pick(page, "Source", "Plume 99")
    line(page, "Observation mode").get_by_role("combobox").select_option(label="skydip")
    line(page, "Configuration").get_by_role("combobox").select_option(label="skydip v1")
    page.get_by_label("Name:").fill("Plume 99, first look")
    with loaded(page):
        page.get_by_label("Name:").press("Enter")

    add_beside(page, "Pre-scheduled slots")
    pick(page, "Observation unit", "Plume 99, first look")
    begin = transit_after(datetime.now(UTC) + timedelta(days=60), source.ra_deg)
    fill_time(page, "Start time", begin)
    fill_time(page, "End time", begin + timedelta(minutes=30))
    with loaded(page):
        line(page, "End time").get_by_role("textbox").last.press("Enter")
    expect(said(page)).to_contain_text("was added")
    assert PreScheduledSlot.objects.get(obs_unit__name="Plume 99, first look").obs_unit.source.name == "Plume 99"
    took(page, "a source, a unit and a slot, with a warning")


@pytest.mark.parametrize("what", ["middle of a path", "checksum", "spelling", "coordinates"])
def test_halves_of_names_are_found(start, elsewhere, what):
    file = RawDataFile.objects.exclude(checksum=None).first()

    def place():
        FixedSource.objects.get_or_create(name="Cone", defaults={"ra_deg": 33.75, "dec_deg": -5.0})

    elsewhere(place)
    typed, found = {
        "middle of a path": (file.relative_path[len(file.relative_path) // 3 :], file.relative_path),
        "checksum": (file.checksum[:9], file.relative_path),
        "spelling": ("deep 56", "Deep56"),
        "coordinates": ("02:14:59 -05:00:00 r=1'", "Cone"),
    }[what]
    page = start("viewer")
    find(page, typed)
    expect(page.locator("#content")).to_contain_text(found)
    took(page, "half a name, a coordinate, a checksum")


def test_a_colleague_gets_access(start):
    page = start("superuser")
    add_on_index(page, "Users")
    page.get_by_label("Username:").fill("colleague")
    page.get_by_role("radio", name="observer – ").check()
    page.get_by_label("Password:", exact=True).fill("a-Longer-One-77")
    page.get_by_label("Password confirmation:").fill("a-Longer-One-77")
    page.get_by_label("Password confirmation:").press("Enter")
    expect(said(page)).to_contain_text("colleague")
    user = User.objects.get(username="colleague")
    assert (user.is_staff, [group.name for group in user.groups.all()]) == (True, ["observer"])
    took(page, "access for a colleague")


def test_a_bad_observation_is_marked(start):
    page = start("observer")
    with loaded(page):
        page.get_by_role("button", name=re.compile("as bad$")).first.click()
    page.get_by_label("Reason:").fill(REASON)
    page.get_by_role("button", name="Mark quality", exact=True).click()
    expect(said(page)).to_contain_text("Mark quality")
    assert ExecutedObsUnit.objects.filter(quality=Quality.BAD).exists()
    took(page, "a bad observation")


def test_a_file_with_errors_is_loaded(start):
    page = start("observer")

    def preview(choose, wrong):
        rows = [f"Clump {number},05:{number:02}:00,-05:{number:02}:28" for number in range(30)]
        rows[3:5] = [row.replace("05:", wrong, 1) for row in rows[3:5]]
        file = "\n".join(["name,longitude,latitude", *rows]).encode()
        choose(page, {"name": "clumps.csv", "mimeType": "text/csv", "buffer": file})

    preview(import_file, "25:")
    expect(page.get_by_role("heading", level=1)).to_have_text("Import sources")
    expect(page.get_by_role("row").filter(has_text="25:")).to_have_count(2)
    preview(choose_file, "05:")
    page.get_by_label("Reason:").fill(REASON)
    page.get_by_role("button", name="Load it").click()
    expect(said(page)).to_contain_text("30")
    assert FixedSource.objects.filter(name__startswith="Clump ").count() == 30
    took(page, "30 sources of a file with two errors")


def test_a_wrong_edit_is_undone(start, elsewhere):
    unit = ObsUnit.objects.first()
    unit.pk, unit.name, unit.priority = None, "edited by mistake", 3
    unit._state.adding = True
    elsewhere(unit.save)
    page = start("observer", f"/admin/opsdb/obsunit/{unit.pk}/change/")
    page.get_by_label("Priority:").fill("7")
    page.get_by_label("Priority:").press("Enter")
    if page.locator(".opsdb-warned").count():
        page.get_by_role("button", name="Save anyway").click()
    expect(said(page)).to_contain_text("edited by mistake")
    before = clicks_of(page)
    said(page).get_by_role("link", name="Undo this change").click()
    page.get_by_label("Reason:").fill(REASON)
    page.get_by_role("button", name="Undo this change").click()
    expect(said(page)).to_contain_text("is undone")
    unit.refresh_from_db()
    assert unit.priority == 3
    assert clicks_of(page) - before == STORIES["a wrong edit undone"].now


def test_a_token_is_made_and_revoked(start):
    page = start("admin")
    add_on_index(page, "API tokens")
    page.get_by_label("Name:").fill("notebook")
    line(page, "Scopes").get_by_placeholder("Filter").first.fill("read:observations, read:data")
    page.keyboard.press("Tab")
    page.get_by_label("Name:").press("Enter")
    expect(page.locator(".opsdb-secret")).to_be_visible()
    page.get_by_role("button", name="Revoke").click()
    page.get_by_label("Reason:").fill(REASON)
    page.get_by_role("button", name="Revoke", exact=True).click()
    expect(said(page)).to_contain_text("Revoke")
    token = ApiToken.objects.get(name="notebook")
    assert token.revoked_at and token.scopes == ["read:data", "read:observations"]
    took(page, "a token made and revoked")


def test_what_may_go_from_a_location(start):
    page = start("admin")
    volume = page.get_by_role("region", name="Volume, and copies against policy")
    volume.get_by_role("link", name="ccat/primecam", exact=True).first.click()
    expect(page.get_by_role("heading", name="What may be deleted")).to_be_visible()
    expect(page.get_by_role("link", name=re.compile("cop(y|ies) that may be deleted now$"))).to_be_visible()
    took(page, "a full location: what may be deleted")


def test_a_deletion_is_approved_by_another_person(start):
    request = DeletionRequest.objects.filter(status=DeletionRequestStatus.REQUESTED).first()
    page = start("approver")
    waiting = page.get_by_role("group", name="Deletions to decide on")
    with loaded(page):
        waiting.get_by_role("button", name=re.compile("^Approve")).first.click()
    page.get_by_label("Reason:").fill(REASON)
    page.get_by_role("button", name="Approve", exact=True).click()
    expect(said(page)).to_contain_text("Approve")
    request.refresh_from_db()
    assert request.status == DeletionRequestStatus.APPROVED
    took(page, "a deletion approved")


def test_a_downtime_is_registered(start):
    page = start("observer")
    add_on_index(page, "Downtimes")
    instrument = Instrument.objects.get(name="CHAI")
    line(page, "Instrument").get_by_role("combobox").select_option(str(instrument.pk))
    begin = datetime.now(UTC) + timedelta(days=90)
    fill_time(page, "Start time", begin)
    fill_time(page, "End time", begin + timedelta(hours=2))
    page.get_by_label("Reason:").fill("warm-up")
    with loaded(page):
        page.get_by_role("button", name="Save", exact=True).click()
    assert Downtime.objects.get(reason="warm-up").reported_by.username == "observer"
    took(page, "a downtime")


def observe_last_month():
    """Have an observation on the first and on the last day of last month, and return the keys of all of that month."""
    end = datetime.now(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    begin = (end - timedelta(days=1)).replace(day=1)
    unit = ObsUnit.objects.first()
    for start in (begin, end - timedelta(hours=2)):
        ExecutedObsUnitFactory(obs_unit=unit, start_time=start, end_time=start + timedelta(hours=1), completed=True)
    return {
        str(one.pk) for one in ExecutedObsUnit.objects.filter(start_time__range=(begin, end - timedelta(seconds=1)))
    }


def test_last_months_observations_as_a_table(start, elsewhere, tmp_path):
    observed = elsewhere(observe_last_month)
    page = start("viewer")
    with page.expect_download() as waiting:
        page.get_by_role("link", name="Observations of last month (CSV)").click()
    waiting.value.save_as(tmp_path / "observations.csv")
    with (tmp_path / "observations.csv").open(newline="", encoding="utf-8-sig") as file:
        exported = {row["id"] for row in csv.DictReader(file)}
    assert exported == observed and len(observed) >= 2
    took(page, "last month's observations as a table")


def test_a_site_with_an_archive_and_what_it_lacks(start):
    page = start("superuser")
    add_on_index(page, "Sites")
    page.get_by_label("Name:").first.fill("Kyoto")
    page.get_by_label("Short name:").first.fill("kyoto")
    place = page.get_by_role("group", name=re.compile("disk data locations", re.IGNORECASE))
    place.get_by_role("textbox").nth(0).fill("archive")
    place.get_by_role("combobox").first.select_option(label="long-term archive")
    place.get_by_role("textbox").nth(1).fill("/archive")
    with loaded(page):
        page.get_by_role("button", name="Save and continue editing").click()
    assert Site.objects.get(short_name="kyoto").data_locations.count() == 1
    expect(page.locator("#content")).to_contain_text("no active buffer")
    expect(said(page).get_by_role("link", name="What is missing, and what to do")).to_be_visible()
    took(page, "a site with an archive, and what it lacks")


def test_a_failed_reduction(start):
    page = start("admin")
    failures = page.get_by_role("group", name="What failed, by cause")
    row = failures.get_by_role("row").filter(has_text="out of memory").first
    expect(row).to_contain_text("run ")
    row.get_by_role("link", name=re.compile("^Why")).click()
    expect(page.get_by_role("region", name="Why is it where it is?")).to_contain_text("out of memory")
    took(page, "a failed reduction")


def test_the_night_on_a_phone(start):
    page = start("viewer", viewport=PHONE)
    pages(page).get_by_role("link", name="Night").click()
    expect(page.get_by_text(re.compile(r"\d+ of \d+ packages archived"))).to_be_visible()
    took(page, "the night on a phone")


def test_growth_rates_and_delays(start):
    page = start("viewer")
    pages(page).get_by_role("link", name="Trends").click()
    for title in ("Volume, and when locations will be full", "Bytes per hour and route", "Backlog of the stages"):
        expect(page.get_by_role("heading", name=title)).to_be_visible()
    took(page, "growth, rates and delays")


def test_what_a_table_and_a_column_mean(start):
    page = start("viewer")
    page.locator("#content-main").get_by_role("link", name="Packages", exact=True).click()
    expect(page.locator("#content")).to_contain_text("What the columns mean")
    status = page.get_by_role("columnheader", name="Status").first
    # A script puts it there.
    expect(status).to_have_attribute("title", re.compile("State of the making of the package itself"))
    took(page, "what a table and a column mean")

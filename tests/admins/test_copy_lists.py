"""The list of copies answers which are not verified and which may be deleted now, and says what it leaves out."""

import html
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from opsdb.models import DataLocation, PhysicalCopy, PhysicalCopyStatus, RawDataFilePhysicalCopy, Verification
from opsdb.testing import factories
from opsdb.workflows import fail_fixity, measure_location, record_fixity
from tests.plans import plan_of, planning_without
from tests.workflows.scenario_deletion import WRONG, archive_again, force, tell_story

from .conftest import may_only
from .pages import address

URL = address(PhysicalCopy, "changelist")


def listed(client, **asked):
    """The copies that are listed, and what is said of them."""
    response = client.get(URL, asked)
    assert response.status_code == 200, response.headers
    about = re.search(r'<div class="opsdb-about">.*?(<details|</div>)', response.content.decode(), re.DOTALL)[0]
    return {*response.context["cl"].result_list}, html.unescape(re.sub(r"<[^>]+>", "", about))


@pytest.fixture
def story(db):
    """Copies in every state of verification: of one file, two packages and a bundle."""
    story = tell_story()
    fail_fixity(story.package_copy, message="Input/output error")
    story.gone = factories.PhysicalCopyFactory()
    force(story.gone, status="missing")
    story.wrong = archive_again(story)
    record_fixity(story.wrong, WRONG)
    return story


class TestVerification:
    def test_every_state_lists_the_copies_in_it_that_are_there(self, browser, story):
        found = {state: listed(browser, verification__exact=state)[0] for state in ("unverified", "not_read")}
        found |= {state: listed(browser, verification__exact=state)[0] for state in ("verified", "mismatch")}
        assert found == {
            "unverified": {story.file_copy, story.bundle_copy},
            "not_read": {story.package_copy},
            "verified": {story.staged_copy, story.archive_copy},
            "mismatch": {story.wrong},
        }

    def test_every_choice_is_offered_and_a_hand_made_one_is_not_taken(self, browser, story):
        (spec,) = (one for one in browser.get(URL).context["cl"].filter_specs if one.title == "verification")
        changes = browser.get(URL).context["cl"]
        offered = [choice["query_string"] for choice in spec.choices(changes)]
        assert [one.partition("verification__exact=")[2] for one in offered] == [
            "", "unverified", "not_read", "verified", "mismatch",
        ]  # fmt: skip
        assert browser.get(URL, {"verification__exact": "x"}).headers["Location"].endswith("?e=1")

    def test_a_location_narrows_it(self, browser, story):
        asked = {"verification__exact": "unverified", "data_location__id__exact": story.source.pk}
        assert listed(browser, **asked)[0] == {story.file_copy}

    @pytest.mark.parametrize(
        ("state", "index"), [("unverified", "by_verification"), ("verified", "by_verification"), ("not_read", "unread")]
    )
    def test_an_index_leads_to_the_first_copies_of_every_location(self, browser, story, state, index):
        with CaptureQueriesContext(connection) as queries:
            listed(browser, verification__exact=state)
        (found,) = (query["sql"] for query in queries if " UNION ALL " in query["sql"])
        locations = DataLocation.objects.count()
        assert found.count(" LIMIT 201") == locations > 3
        with planning_without("sort", "incremental_sort", "seqscan", "bitmapscan"):
            plan = plan_of(found)
        assert len(re.findall(rf"using physical_copy_{index} ", plan)) == locations, plan
        assert "Sort" not in plan

    @pytest.mark.parametrize(("most", "more"), [(1, True), (2, False)])
    def test_a_long_list_says_that_there_are_more(self, browser, story, monkeypatch, most, more):
        factories.PhysicalCopyFactory(data_location=DataLocation.objects.get(pk=story.source.pk))
        for name, asked, said in (
            ("LISTED_AT_EACH", {}, f"Of each location the first {most} are listed: choose a location"),
            ("LISTED_AT_ONE", {"data_location__id__exact": story.source.pk}, f"The first {most} are listed"),
        ):
            monkeypatch.setattr(f"opsdb.admins.copy_filters.{name}", most)
            rows, notes = listed(browser, verification__exact="unverified", **asked)
            assert (said in notes) == more
            assert sum(row.data_location_id == story.source.pk for row in rows) == most
            assert "Deleted and missing copies are left out." in notes

    def test_copies_of_one_kind_are_asked_only_for_what_an_index_of_all_kinds_leads_to(self, browser, story):
        changes = browser.get(address(RawDataFilePhysicalCopy, "changelist")).context["cl"]
        (spec,) = (one for one in changes.filter_specs if one.title == "verification")
        assert [choice["display"] for choice in spec.choices(changes)][1:] == [Verification.MISMATCH.label]

    def test_what_a_state_means_stands_in_the_list_and_on_the_page_of_a_copy(self, browser, story):
        meaning = "The checksum differed from the recorded one."
        assert f'<span title="{meaning}">mismatch</span>' in browser.get(URL).content.decode()
        page = browser.get(address(PhysicalCopy, "change", story.wrong)).content.decode()
        assert f'mismatch <span class="opsdb-means">{meaning}</span>' in page


class TestMayGo:
    def test_is_what_the_page_of_the_location_says(self, browser, story):
        location = DataLocation.objects.get(pk=story.source.pk)
        rows, notes = listed(browser, may_go_at=location.pk)
        assert {copy.pk for copy in rows} == {*measure_location(location).of_rule(None).keys} == {story.file_copy.pk}
        assert f"Of the 200 oldest copies at {location.site}/{location.name}, those that no rule holds back" in notes

    def test_is_asked_of_the_locations_from_which_copies_go(self, browser, story):
        (spec,) = (one for one in browser.get(URL).context["cl"].filter_specs if "may be deleted" in str(one.title))
        offered = {key for key, _name in spec.lookup_choices}
        assert str(story.source.pk) in offered and str(story.archive.pk) not in offered
        assert browser.get(URL, {"may_go_at": story.archive.pk}).headers["Location"].endswith("?e=1")

    def test_is_not_asked_by_who_may_not_know_the_locations(self, story):
        page = may_only(PhysicalCopy).get(URL)
        assert not [one for one in page.context["cl"].filter_specs if "may be deleted" in str(one.title)]

    def test_costs_as_many_queries_for_many_copies(self, browser, story):
        numbers = []
        for _again in range(2):
            with CaptureQueriesContext(connection) as queries:
                listed(browser, may_go_at=story.source.pk)
            numbers.append(len(queries))
            factories.PhysicalCopyFactory.create_batch(5, data_location=DataLocation.objects.get(pk=story.source.pk))
        assert len({*numbers}) == 1


class TestWhatIsLeftOut:
    def test_the_location_leads_to_as_many_copies_as_it_says(self, browser, story):
        missing = factories.PhysicalCopyFactory(data_location=story.buffer)
        PhysicalCopy.objects.filter(pk=missing.pk).update(status="missing")
        page = browser.get(f"/admin/opsdb/datalocation/{story.buffer.pk}/all/").content.decode()
        link = html.unescape(re.search(r'<a href="([^"]+)">Copies</a>', page)[1])
        response = browser.get(link)
        assert response.context["cl"].result_count == measure_location(story.buffer).copies == 2
        assert "Status: without deleted, missing." in response.content.decode()
        everything = response.context["cl"].get_query_string(remove=["status__in"])
        assert browser.get(URL + everything).context["cl"].result_count == 3

    def test_the_whole_list_says_that_what_is_gone_is_among_it(self, browser, story):
        gone = "The records of deleted and missing copies are among these. Only copies that are there"
        assert gone in listed(browser)[1]
        assert gone not in listed(browser, status__exact="present")[1]

    @pytest.mark.parametrize(
        ("asked", "said"),
        [
            ({"status__in": "present,staged"}, "Status: only present, staged. Show all"),
            ({"id__in": "1,2,3"}, "Only 3 rows are listed, which a link has chosen. Show all"),
            ({"size_bytes__gt": "3"}, "Only some rows are listed, which a link has chosen by: Size [bytes]. Show all"),
            ({"status__exact": "present"}, ""),
        ],
    )
    def test_what_no_filter_shows_is_said(self, browser, db, asked, said):
        notes = listed(browser, **asked)[1]
        assert said in notes if said else "Show all" not in notes

    def test_every_state_is_there_or_gone(self, browser, db):
        states = [state for state in PhysicalCopyStatus if state.value not in ("deleted", "missing")]
        notes = listed(browser, status__in=",".join(states))[1]
        assert "Status: without deleted, missing." in notes

    @pytest.mark.parametrize("asked", [{"o": "1"}, {"q": "nothing"}, {"p": "last"}, {"o": "-1", "q": "1"}])
    def test_what_only_sorts_or_searches_has_no_note(self, browser, story, asked):
        assert "listed" not in listed(browser, **asked, status__in="present")[1]
        response = browser.get(address(DataLocation, "changelist"), asked)
        assert "which a link has chosen" not in response.content.decode()

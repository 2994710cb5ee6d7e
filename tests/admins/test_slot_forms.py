"""The form of a slot whose time is taken says by which slots, and when the telescope is free."""

import json
import re
from datetime import UTC, datetime
from html import unescape

import pytest
from django.contrib.auth.models import Permission
from django.utils import timezone

from opsdb.admins.pages import affected_slots
from opsdb.admins.slots import light_at
from opsdb.models import Downtime, PreScheduledSlot
from opsdb.testing.factories import (
    DowntimeFactory,
    ObsUnitFactory,
    PreScheduledSlotFactory,
    TelescopeFactory,
    UserFactory,
)

from .conftest import logged_in, may_only
from .pages import address, errors_of
from .test_planning_forms import HIGH, HOUR, LOW, plan, sent

__all__ = ["plan"]


@pytest.fixture
def slot(plan):
    return PreScheduledSlotFactory(obs_unit=plan.unit, telescope=plan.telescope, start_time=HIGH, end_time=HIGH + HOUR)


def test_the_form_links_the_other_slot_and_names_a_free_time(browser, plan, slot):
    other = PreScheduledSlot(
        obs_unit=plan.unit, telescope=plan.telescope, start_time=HIGH + HOUR / 2, end_time=HIGH + HOUR
    )
    url, data = sent(browser, PreScheduledSlot, other)
    page = browser.post(url, data).content.decode()
    assert (
        "The telescope has another slot at that time: "
        f'<a href="{address(PreScheduledSlot, "change", slot)}" target="_blank">'
        "M42-CO43 (2026-06-15 16:00 to 17:00 UTC)</a>; choose a time that is free. "
        "The next one of this length begins at 2026-06-15 17:00 UTC."
    ) in page
    assert browser.post(url, data | {"start_time_1": "17:00:00", "end_time_1": "17:30:00"}).status_code == 302


def test_the_same_start_is_said_once(browser, plan, slot):
    url, data = sent(browser, PreScheduledSlot, slot)
    page = browser.post(url, data).content.decode()
    assert page.count("The telescope has another slot at that time: ") == 1
    assert "has a slot that starts then" not in page


def test_a_slot_is_not_in_its_own_way(browser, plan, slot):
    later = PreScheduledSlotFactory(
        obs_unit=plan.unit, telescope=plan.telescope, start_time=HIGH + HOUR, end_time=HIGH + 2 * HOUR
    )
    url, data = sent(browser, PreScheduledSlot, slot, {"end_time_1": "17:30:00"}, page="change")
    [errors] = errors_of(browser.post(url, data))
    assert address(PreScheduledSlot, "change", later) in errors
    assert address(PreScheduledSlot, "change", slot) not in errors


def test_units_and_slots_are_named_to_those_who_may_view_them(browser, plan, slot):
    other = PreScheduledSlot(obs_unit=ObsUnitFactory(), telescope=plan.telescope, start_time=HIGH, end_time=HIGH + HOUR)
    url, data = sent(browser, PreScheduledSlot, other)
    page = may_only(PreScheduledSlot).post(url, data).content.decode()
    assert ">2026-06-15 16:00 to 17:00 UTC</a>; choose" in page and "M42-CO43" not in page
    adds = Permission.objects.filter(codename="add_prescheduledslot")
    page = logged_in(UserFactory(is_staff=True, user_permissions=adds)).post(url, data).content.decode()
    assert "The telescope has another slot at that time; choose a time that is free." in page
    assert "16:00 to 17:00" not in page


def test_a_slot_that_came_in_between_is_named_once(browser, plan, slot, monkeypatch):
    """The form has found nothing, and the database refuses: the form is checked once more."""
    url, data = sent(browser, PreScheduledSlot, slot)
    checks = []

    def late(self, *args, **kwargs):
        checks.append(self)
        if len(checks) > 1:
            validate(self, *args, **kwargs)

    validate = PreScheduledSlot.validate_constraints
    monkeypatch.setattr(PreScheduledSlot, "validate_constraints", late)
    page = browser.post(url, data).content.decode()
    assert len(checks) == 2
    assert page.count("The telescope has another slot at that time") == 1


def test_the_free_time_is_filled_in_by_a_button_with_how_light_it_is_then(browser, plan, slot):
    other = PreScheduledSlot(obs_unit=plan.unit, telescope=plan.telescope, start_time=HIGH, end_time=HIGH + HOUR)
    url, data = sent(browser, PreScheduledSlot, other)
    page = browser.post(url, data).content.decode()
    [filled] = re.findall(r'data-opsdb-fill="([^"]*)"', page)
    values = json.loads(unescape(filled))
    assert values == {
        "id_start_time_0": "2026-06-15",
        "id_start_time_1": "17:00:00",
        "id_end_time_0": "2026-06-15",
        "id_end_time_1": "18:00:00",
    }
    assert all(f'id="{name}"' in page for name in values)
    assert "Use 2026-06-15 17:00 to 18:00 UTC</button> (in daylight)" in page
    changed = {name.removeprefix("id_"): value for name, value in values.items()}
    assert browser.post(url, data | changed).status_code == 302


def test_beside_the_free_time_stands_that_the_source_is_not_up_then(browser, plan):
    taken = PreScheduledSlotFactory(obs_unit=plan.unit, telescope=plan.telescope, start_time=LOW - HOUR, end_time=LOW)
    other = PreScheduledSlot(
        obs_unit=plan.unit, telescope=plan.telescope, start_time=taken.start_time, end_time=taken.end_time
    )
    url, data = sent(browser, PreScheduledSlot, other)
    page = browser.post(url, data).content.decode()
    assert re.search(r"Use 2026-06-15 04:00 to 05:00 UTC</button> \(then its source is at an elevation of −", page)
    assert "2026-06-15 04:00 to 05:00 UTC is filled in, and not saved yet: save the slot." in page
    assert PreScheduledSlot.objects.get() == taken


@pytest.mark.parametrize(("hour", "light"), [(4, ""), (16, "in daylight"), (22.5, "in twilight")])
def test_how_light_it_is_comes_from_the_height_of_the_sun(db, hour, light):
    telescope = TelescopeFactory()
    moment = datetime(2026, 6, 15, tzinfo=UTC) + hour * HOUR
    assert light_at(telescope, [moment]) == light
    telescope.latitude_deg = None
    assert light_at(telescope, [moment]) == ""


class TestDowntimes:
    @pytest.fixture
    def ahead(self, plan):
        start = timezone.now().replace(microsecond=0) + 24 * HOUR
        times = {"obs_unit": plan.unit, "telescope": plan.telescope}
        return [
            PreScheduledSlotFactory(
                **times, start_time=start + 2 * number * HOUR, end_time=start + (2 * number + 1) * HOUR
            )
            for number in range(3)
        ]

    def test_after_saving_the_slots_that_it_affects_are_named_with_links(self, browser, plan, ahead, monkeypatch):
        monkeypatch.setattr(affected_slots, "NAMED", 2)
        PreScheduledSlotFactory(obs_unit=plan.unit, telescope=plan.telescope, start_time=LOW, end_time=LOW + HOUR)
        downtime = Downtime(telescope=plan.telescope, start_time=LOW, reason="snow")
        url, data = sent(browser, Downtime, downtime)
        seen = browser.post(url, data)
        again = browser.post(url, data | {"_anyway": seen.context["planning_agreed"]}, follow=True)
        page = again.content.decode()
        assert "It affects 3 slots ahead:" in page and "and 1 more" in page
        links = [address(PreScheduledSlot, "change", slot) in page for slot in ahead]
        assert links == [True, True, False]
        made = Downtime.objects.get()
        assert f"{address(Downtime, 'change', made)}#affected" in page

    def test_the_surely_affected_are_named_first_and_the_others_counted_apart(self, browser, plan, ahead, monkeypatch):
        monkeypatch.setattr(affected_slots, "NAMED", 3)
        bare = ObsUnitFactory(name="bare", observing_program=plan.unit.observing_program)
        start = ahead[0].start_time - 4 * HOUR
        possible = [
            PreScheduledSlotFactory(
                obs_unit=bare,
                telescope=plan.telescope,
                start_time=start + number * HOUR,
                end_time=start + (number + 1) * HOUR,
            )
            for number in range(2)
        ]
        chai = plan.chai.instrument_module.instrument
        downtime = DowntimeFactory(telescope=None, instrument=chai, start_time=LOW, end_time=ahead[-1].end_time)
        request = browser.get("/admin/").wsgi_request
        text = affected_slots.affected_text(affected_slots.viewer_of(request), downtime)
        assert text.startswith("It affects 3 slots ahead, and perhaps 2 more: ") and "and 2 more" in text
        assert all(address(PreScheduledSlot, "change", slot) in text for slot in ahead)
        assert not any(address(PreScheduledSlot, "change", slot) in text for slot in possible)
        PreScheduledSlot.objects.filter(pk__in=[slot.pk for slot in ahead]).delete()
        text = affected_slots.affected_text(affected_slots.viewer_of(request), downtime)
        assert text.startswith("It may affect 2 slots ahead: ")

    def test_its_form_lists_them_and_those_that_it_may_affect(self, browser, plan, ahead, monkeypatch):
        bare = ObsUnitFactory(name="bare", observing_program=plan.unit.observing_program)
        start = ahead[-1].end_time + HOUR
        maybe = PreScheduledSlotFactory(
            obs_unit=bare, telescope=plan.telescope, start_time=start, end_time=start + HOUR
        )
        chai = plan.chai.instrument_module.instrument
        downtime = DowntimeFactory(telescope=None, instrument=chai, start_time=LOW, end_time=start + HOUR)
        page = browser.get(address(Downtime, "change", downtime)).content.decode()
        section = page[page.index('id="affected"') :]
        for slot in (*ahead, maybe):
            assert address(PreScheduledSlot, "change", slot) in section
        assert "Maybe: its unit has no module configuration" in section
        monkeypatch.setattr(affected_slots, "SHOWN", 2)
        assert "2 of 4 are shown." in browser.get(address(Downtime, "change", downtime)).content.decode()
        assert 'id="affected"' not in may_only(Downtime).get(address(Downtime, "change", downtime)).content.decode()

    def test_one_that_affects_none_says_so(self, browser, plan):
        downtime = DowntimeFactory(telescope=plan.telescope, end_time=LOW)
        page = browser.get(address(Downtime, "change", downtime)).content.decode()
        assert "None." in page[page.index('id="affected"') :]

"""The form of a slot whose time is taken says by which slots, and when the telescope is free."""

import pytest
from django.contrib.auth.models import Permission

from opsdb.models import PreScheduledSlot
from opsdb.testing.factories import ObsUnitFactory, PreScheduledSlotFactory, UserFactory

from .conftest import logged_in, may_only
from .pages import address, errors_of
from .test_planning_forms import HIGH, HOUR, plan, sent

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

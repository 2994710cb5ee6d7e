"""What names a choice of a two-sided control is chosen by typing and Tab; what names none is not lost unnoticed."""

import pytest
from playwright.sync_api import expect

from opsdb.models import ApiToken, ReductionStep
from tests.admins.pages import address

from .conftest import PHONE
from .hands import has_focus, line, loaded, save, skip_to
from .test_every_page import Looking

pytestmark = pytest.mark.usefixtures("no_side_bar")


@pytest.fixture
def form(visit):
    """The form of a new token, once its control is there."""
    page = visit("admin", address(ApiToken, "add"))
    expect(typed(page)).to_be_visible()
    return page


def typed(page):
    """Where a choice is typed."""
    return line(page, "Scopes").get_by_placeholder("Filter").first


def told(page):
    """What is said of what was typed, also to screen readers."""
    return line(page, "Scopes").get_by_role("status")


def chosen(page):
    return page.locator("#id_scopes_to option").evaluate_all("all => all.map(one => one.value)")


def shown(page):
    return page.locator("#id_scopes_from option").count()


def make(page, name):
    """Send the form by Enter, and return the token that was made."""
    page.get_by_label("Name:").fill(name)
    with loaded(page):
        page.get_by_label("Name:").press("Enter")
    return ApiToken.objects.get(name=name)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("read:observations", ["read:observations"]),
        ("  READ:observations ", ["read:observations"]),
        ("read:data,write:products", ["read:data", "write:products"]),
        ("read:data; write:products  view:source", ["read:data", "write:products", "view:source"]),
        ("read:* – view the rows of every table of ops-db", ["read:*"]),
    ],
)
def test_what_is_named_is_chosen_by_tab_and_said(form, text, names):
    every = shown(form)
    typed(form).fill(text)
    form.keyboard.press("Tab")
    expect(told(form)).to_contain_text(f"Chosen: {text.strip()}." if len(names) == 1 else names[-1])
    assert sorted(chosen(form)) == sorted(names)
    expect(typed(form)).to_have_value("")
    assert shown(form) == every - len(names)
    assert not has_focus(typed(form))


def test_what_names_nothing_is_left_and_not_lost_when_the_form_is_sent(form):
    typed(form).fill("read:data, read:observation")
    form.keyboard.press("Shift+Tab")
    expect(told(form)).to_have_text("Chosen: read:data. Not chosen, because no choice is called so: read:observation.")
    expect(typed(form)).to_have_value("read:observation")
    # What was meant is in the list.
    assert form.locator("#id_scopes_from option", has_text="read:observations").count() == 1
    form.get_by_label("Name:").fill("misspelt")
    form.get_by_label("Name:").press("Enter")
    expect(told(form)).to_contain_text("Save again to leave it out.")
    assert has_focus(typed(form))
    assert make(form, "misspelt").scopes == ["read:data"]


def test_what_is_still_in_the_field_is_chosen_when_the_form_is_sent(form):
    typed(form).fill("write:data")
    assert make(form, "left").scopes == ["write:data"]


def test_what_has_narrowed_the_list_keeps_nothing_back(form):
    typed(form).press_sequentially("observations")
    form.locator("#id_scopes_from option", has_text="read:observations").dblclick()
    assert make(form, "narrowed").scopes == ["read:observations"]


def test_enter_chooses_the_first_that_is_shown_as_before(form):
    typed(form).press_sequentially("view:sub_observing")
    form.keyboard.press("Enter")
    expect(told(form)).to_have_text("Chosen: view:sub_observing_program.")
    assert make(form, "entered").scopes == ["view:sub_observing_program"]


def test_enter_chooses_several_at_once(form):
    typed(form).press_sequentially("read:data read:users")
    form.keyboard.press("Enter")
    assert chosen(form) == ["read:data", "read:users"]


def test_enter_and_tab_in_an_empty_field_choose_nothing(form):
    typed(form).focus()
    form.keyboard.press("Enter")
    assert chosen(form) == []
    form.keyboard.press("Tab")
    expect(told(form)).to_have_text("")
    assert chosen(form) == []


def test_scopes_are_explained_beside_each_choice_and_in_a_sentence(form):
    expect(line(form, "Scopes")).to_contain_text("Without a scope it may do nothing.")
    option = form.locator("#id_scopes_from option", has_text="read:observations")
    expect(option).to_have_text("read:observations – view observations: what the telescope did for a unit, each time")


def test_the_choices_of_another_form_are_taken_by_tab_too(visit):
    page = visit("superuser", address(ReductionStep, "add"))
    field = page.get_by_placeholder("Filter", exact=True).first
    expect(field).to_be_visible()
    name = page.locator(".selector-available option").first.text_content()
    field.fill(name)
    page.keyboard.press("Tab")
    assert page.locator(".selector-chosen option").all_text_contents() == [name]


def test_the_page_of_a_new_token_has_no_barriers_and_fits_a_phone(visit):
    page = visit("admin", address(ApiToken, "add"), viewport=PHONE)
    expect(typed(page)).to_be_visible()
    typed(page).fill("read:data, nothing")
    page.keyboard.press("Tab")
    looking = Looking(page)
    typed(page).fill("")
    page.get_by_label("Name:").fill("on a phone")
    save(page)
    looking.look()
    expect(page.locator(".opsdb-secret")).to_be_visible()
    expect(page.get_by_text("read:data – view raw files")).to_be_visible()
    skip_to(page, "button", "Revoke")
    assert looking.problems == []

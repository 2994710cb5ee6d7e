"""That a barrier is found on a page on which all else looks as on one that was looked at before."""

import pytest

from opsdb.models import FixedSource
from tests.admins.pages import address

from .conftest import PHONE
from .looking import Looking

SPOILT = {
    "pale": ("color-contrast", "document.querySelector('.form-row .help').style.color = '#ccc'"),
    "pale in the dark": (
        "color-contrast",
        "const sheet = new CSSStyleSheet(); document.adoptedStyleSheets.push(sheet);"
        "sheet.replaceSync('@media (prefers-color-scheme: dark) {.form-row label {color: #444 !important}}')",
    ),
    "on a pale ground": ("color-contrast", "document.querySelector('.form-row').style.background = '#777'"),
    "moved onto another ground": (
        "color-contrast",
        "Object.assign(document.querySelector('.form-row label').style, {background: '#777', display: 'block'});"
        "Object.assign(document.querySelector('.form-row .help').style, {position: 'relative', top: '-60px'})",
    ),
    "half transparent": ("color-contrast", "document.querySelector('#content h1').style.opacity = '0.4'"),
    "without a label": (
        "label",
        "document.querySelectorAll('[for=id_name], #id_name_helptext').forEach((e) => e.remove())",
    ),
    "with a picture that says nothing": ("image-alt", "document.querySelector('#content').append(new Image(9, 9))"),
    "too wide": ("wider than a phone", "document.querySelector('#content').style.width = '500px'"),
}


@pytest.mark.parametrize("what", SPOILT)
def test_a_barrier_is_found_on_a_page_that_had_none_before(visit, what):
    rule, spoil = SPOILT[what]
    looking = Looking(visit("superuser", address(FixedSource, "add"), viewport=PHONE))
    assert looking.problems == []
    looking.page.evaluate(spoil)
    for _ in range(2):
        looking.problems.clear()
        looking.look()
        assert any(rule in problem for problem in looking.problems)

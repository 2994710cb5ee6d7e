"""Which fields of forms are required is said before anybody sends them."""

import re

from django.contrib.auth.models import AnonymousUser
from django.core.files.uploadedfile import SimpleUploadedFile
from django.template import Context, Template
from django.test import RequestFactory

from opsdb.admins.pages.acknowledgements import AcknowledgementForm
from opsdb.models import ExecutedObsUnit, FixedSource, PhysicalCopy
from opsdb.testing import factories

from .acting import look
from .pages import address

LABEL = re.compile(r"<label(?P<attributes>[^>]*)>\s*(?P<text>[^:<]+):(?P<rest>.*?)</label>", re.DOTALL)
REASON = re.compile(r'<textarea name="reason"[^>]*>')


def required_labels(html):
    """Return the labels of a page's fields, and whether they say that theirs is required."""
    found = {}
    for label in LABEL.finditer(html):
        is_bold, has_word = 'class="required"' in label["attributes"], ">required</span>" in label["rest"]
        assert is_bold is has_word, label[0]
        found[label["text"].strip()] = is_bold
    return found


def test_the_preview_of_an_action_says_that_its_reason_is_required_and_what_else_is_not(browser):
    copy = factories.RawDataFilePhysicalCopyFactory(deletable=True)
    html = look(browser, PhysicalCopy, "request_deletion", copy).content.decode()
    labels = required_labels(html)
    assert labels["Reason"] is True and labels["Before the retention has passed"] is False
    assert " required" in REASON.search(html)[0]


def test_so_does_what_follows_a_button_that_gave_the_quality(browser):
    execution = factories.ExecutedObsUnitFactory(completed=True)
    html = look(browser, ExecutedObsUnit, "assess", execution, stage="look", quality="bad").content.decode()
    assert required_labels(html)["Reason"] is True and " required" in REASON.search(html)[0]
    assert "This field is required" not in html


def test_so_does_the_plan_of_an_import(browser):
    file = SimpleUploadedFile("list.csv", b"name,longitude,latitude\nM 78,05:46:45,+00:04:45\n")
    url = f"{address(FixedSource, 'changelist')}import/sources/"
    html = browser.post(url, {"on_conflict": "error", "file": file}).content.decode()
    labels = required_labels(html)
    assert labels["Reason"] is True and labels["File"] is True and " required" in REASON.search(html)[0]


def test_so_does_the_form_that_acknowledges_failures():
    request = RequestFactory().get("/")
    request.user = AnonymousUser()
    template = Template('{% include "admin/opsdb/acknowledge.html" %}')
    html = template.render(Context({"form": AcknowledgementForm(), "request": request, "number": 1}))
    assert required_labels(html) == {"What is known": True, "Who was informed": False, "For": True}

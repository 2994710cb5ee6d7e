"""A person with a phone who looks for what keeps people from using a page, with axe-core's eyes."""

from collections import defaultdict
from pathlib import Path

from axe_playwright_python.base import AXE_SCRIPT
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.http import HttpResponse

from tests.admins.pages import address

from .hands import loaded

SCRIPT = AXE_SCRIPT + Path(__file__).with_suffix(".js").read_text()
ADDRESS = "/static/axe-core.js"
SERIOUS = ("serious", "critical")
FITS = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
LOAD = """address => new Promise((resolve, reject) => {
  const script = Object.assign(document.createElement('script'), {src: address, onload: resolve, onerror: reject});
  document.head.append(script);
})"""
# What the form of a list says beside the action and the rows that were chosen.
FIELDS = """names => [...new FormData(document.getElementById('changelist-form') ?? undefined)]
  .filter(([name]) => !names.includes(name))"""
# As a list does it, which says nothing of an action for a model that has none.
ACT = """([address, fields]) => {
  const form = document.createElement('form');
  Object.assign(form, {method: 'post', action: address});
  form.append(...fields.map(([name, value]) => Object.assign(document.createElement('input'), {name, value})));
  form.hidden = true;
  document.body.append(form);
  HTMLFormElement.prototype.submit.call(form);
}"""
# By colour scheme, how text looked that has contrast enough.
FINE = defaultdict(set)


class Files(StaticFilesHandler):
    """Static files, and beside them axe-core, which a browser then compiles once for all pages."""

    def serve(self, request):
        if request.path != ADDRESS:
            return super().serve(request)
        return HttpResponse(SCRIPT, content_type="text/javascript", headers={"Cache-Control": "max-age=86400"})


class Looking:
    """A person with a phone who looks for what keeps people from using a page.

    Attributes:
        problems: what was found.
        fields: by model, what the form of its list sends with every action.
    """

    def __init__(self, page):
        self.page, self.problems, self.fields = page, [], {}
        self.look()

    def go(self, path):
        """Look at another page."""
        self.page.goto(path)
        self.look()

    def look(self):
        """Look at the page as it is, in both colour schemes."""
        if not self.page.evaluate(FITS):
            self.problems.append(f"{self.page.url}: is wider than a phone's screen")
        self.page.evaluate(LOAD, ADDRESS)
        self._note(self.page.evaluate("looking.everythingElse()"))
        for scheme in ("light", "dark"):
            self.page.emulate_media(color_scheme=scheme)
            self._compare(scheme)
        self.page.emulate_media(color_scheme="light")

    def _compare(self, scheme):
        """Look at the contrast of all text that looks as none did before that has enough."""
        found = self.page.evaluate("known => looking.contrast(known)", list(FINE[scheme]))
        self._note(found["problems"])
        FINE[scheme].update(found["fine"])

    def _note(self, found):
        self.problems += [
            f"{self.page.url}: {rule['id']}: {rule['help']}: {rule['html']}"
            for rule in found
            if rule["impact"] in SERIOUS
        ]

    def follow(self, link):
        """Look at where a link leads that a script finds on the page, if there is one."""
        if url := self.page.evaluate(link):
            self.go(url)

    def act(self, model, action, row):
        """Look at what an action would do to a row."""
        place, names = address(model, "changelist"), ["action", ACTION_CHECKBOX_NAME]
        if model not in self.fields:
            self.page.goto(place)
            self.fields[model] = self.page.evaluate(FIELDS, names)
        chosen = [["action", action], [ACTION_CHECKBOX_NAME, str(row.pk)]]
        with loaded(self.page):
            self.page.evaluate(ACT, [place, self.fields[model] + chosen])
        self.look()

    def load(self, kind, name, content):
        """Look at what loading a file would do."""
        with loaded(self.page):
            self.page.get_by_label("File:").set_input_files(
                {"name": name, "mimeType": "text/csv", "buffer": content.encode()}
            )
        self.look()

"""A person with a phone who looks for what keeps people from using a page, with axe-core's eyes."""

from axe_playwright_python.base import AXE_SCRIPT
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.http import HttpResponse

from tests.admins.pages import address

from .hands import loaded

ADDRESS = "/static/axe-core.js"
SERIOUS = ("serious", "critical")
# No rule reads the rules of style sheets, which axe-core would load once more otherwise.
VIOLATIONS = {"resultTypes": ["violations"], "preload": {"assets": ["media"]}}
CONTRAST = {**VIOLATIONS, "runOnly": ["color-contrast"]}
RUN = "options => axe.run(options)"
# Colours of links change within a moment.
SETTLED = "() => Promise.allSettled(document.getAnimations().map(one => one.finished)).then(() => null)"
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


class Files(StaticFilesHandler):
    """Static files, and beside them axe-core, which a browser then compiles once for all pages."""

    def serve(self, request):
        if request.path != ADDRESS:
            return super().serve(request)
        return HttpResponse(AXE_SCRIPT, content_type="text/javascript", headers={"Cache-Control": "max-age=86400"})


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
        self._note(self.page.evaluate(RUN, VIOLATIONS))
        self.page.emulate_media(color_scheme="dark")
        self.page.evaluate(SETTLED)
        self._note(self.page.evaluate(RUN, CONTRAST))
        self.page.emulate_media(color_scheme="light")

    def _note(self, found):
        self.problems += [
            f"{self.page.url}: {rule['id']}: {rule['help']}: {rule['nodes'][0]['html'][:200]}"
            for rule in found["violations"]
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

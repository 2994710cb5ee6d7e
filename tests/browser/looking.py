"""A person with a phone who looks for what keeps people from using a page, with axe-core's eyes.

Pages are made of the same parts, and axe-core takes longer than the rest. It is shown the parts that are new: no page
before had one in the same place, with the same tag and in the same state, which are all that its rules read but words.
"""

import re

from axe_playwright_python.base import AXE_SCRIPT
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.http import HttpResponse

from tests.admins.pages import address
from tests.commands import ROOT

from .hands import loaded

ADDRESS = "/static/axe-core.js"
SERIOUS = ("serious", "critical")
# No rule reads the rules of style sheets, which axe-core would load once more otherwise.
VIOLATIONS = {"reporter": "no-passes", "preload": {"assets": ["media"]}}
CONTRAST = {**VIOLATIONS, "runOnly": ["color-contrast"]}
# Names of models and fields mean nothing but where a style sheet names them.
STYLES = "".join(path.read_text() for path in ROOT.glob("opsdb/static/opsdb/*.css"))
STYLED = sorted(set(re.findall(r"\.((?:model|field|column)-\w+)", STYLES)))
# Words, numbers and ids mean nothing but by whether they are there and what they refer to.
FIND_NEW = r"""(styled) => {
  const known = JSON.parse(localStorage.lookedAt ?? '{}');
  let count = Object.keys(known).length;
  const number = (mark) => known[mark] ??= count++;
  const kept = /^(class|type|role|lang|tabindex|autocomplete|aria-(?!label|describedby|controls))/;
  const dropped = /^(data-|id$|for$|name|max|min|step|size|required|checked|selected|aria-describedby)/;
  const nameless = (name, kind) => styled.includes(name) ? name : kind;
  const described = ({name, value}) =>
    kept.test(name) ? value.replace(/\b(model|field|column)-\w+/g, nameless) : value !== '';
  const tag = ({localName, attributes}) => [localName, ...[...attributes].filter(({name}) => !dropped.test(name))
    .map((attribute) => `${attribute.name}=${described(attribute)}`).sort()];
  const colours = (style) => [style.color, style.backgroundColor, style.backgroundImage, style.opacity];
  const state = (one, style) => [
    one.checkVisibility(), style.fontSize, style.fontWeight, style.textDecoration,
    Math.min(one.textContent.trim().length, 2), one.childElementCount > 0,
    !one.id || document.getElementById(one.id) === one,
    one.labels?.length, one.ariaLabelledByElements?.length, one.ariaControlsElements?.length,
    /auto|scroll/.test(style.overflow) && (one.scrollWidth > one.clientWidth || one.scrollHeight > one.clientHeight),
  ];
  window.fresh = [];
  const find = (one, above, isPart) => {
    const style = getComputedStyle(one), place = number(`${above} ${tag(one)} ${colours(style)}`);
    const mark = `${place} ${state(one, style)}`, isNew = !(mark in known);
    number(mark);
    if (isNew && !isPart) window.fresh.push(one);
    for (const child of one.querySelectorAll(':scope > :not(link, script)')) find(child, place, isPart || isNew);
  };
  find(document.documentElement, [...document.styleSheets].map((sheet) => sheet.href));
  window.lookedAt = known;
  return window.fresh.length > 0;
}"""
RUN = "async (options) => (await axe.run({include: window.fresh}, options)).violations"
REMEMBER = "() => { localStorage.lookedAt = JSON.stringify(window.lookedAt); }"
# Colours of links change within a moment.
SETTLED = "() => Promise.allSettled(document.getAnimations().map(one => one.finished)).then(() => null)"
FITS = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
LOAD = """address => new Promise((resolve, reject) => {
  const script = Object.assign(document.createElement('script'), {src: address, onload: resolve, onerror: reject});
  document.head.append(script);
})"""
# As a list does it, which says nothing of an action for a model that has none.
ACT = """([address, fields]) => {
  const form = document.createElement('form');
  Object.assign(form, {method: 'post', action: address, hidden: true});
  form.append(document.querySelector('[name=csrfmiddlewaretoken]').cloneNode());
  form.append(...fields.map(([name, value]) => Object.assign(document.createElement('input'), {name, value})));
  document.body.append(form);
  HTMLFormElement.prototype.submit.call(form);
}"""


class Files(StaticFilesHandler):
    """The server's answers, and beside them axe-core, which a browser then compiles once for all pages.

    Attributes:
        faults: answers that no browser may get: failures, and pages without the policy.
    """

    faults: list[str] = []

    def __call__(self, environ, start_response):
        def answer(status, headers, *rest):
            sent = dict(headers)
            is_page = sent.get("Content-Type", "").startswith("text/html")
            if status >= "500":
                self.faults.append(f"{environ['PATH_INFO']}: {status}")
            if is_page and "default-src 'none'" not in sent.get("Content-Security-Policy", ""):
                self.faults.append(f"{environ['PATH_INFO']}: has no policy")
            return start_response(status, headers, *rest)

        return super().__call__(environ, answer)

    def serve(self, request):
        if request.path != ADDRESS:
            return super().serve(request)
        return HttpResponse(AXE_SCRIPT, content_type="text/javascript", headers={"Cache-Control": "max-age=86400"})


class Looking:
    """A person with a phone who looks for what keeps people from using a page.

    Attributes:
        problems: what was found.
    """

    def __init__(self, page):
        self.page, self.problems = page, []
        self.look()

    def go(self, path):
        """Look at another page."""
        self.page.goto(path)
        self.look()

    def look(self):
        """Look at what is new on the page as it is, in both colour schemes."""
        if not self.page.evaluate(FITS):
            self.problems.append(f"{self.page.url}: is wider than a phone's screen")
        if not self.page.evaluate(FIND_NEW, STYLED):
            return
        self.page.evaluate(LOAD, ADDRESS)
        violations = self.page.evaluate(RUN, VIOLATIONS)
        self.page.emulate_media(color_scheme="dark")
        self.page.evaluate(SETTLED)
        violations += self.page.evaluate(RUN, CONTRAST)
        self.page.emulate_media(color_scheme="light")
        barriers = [rule for rule in violations if rule["impact"] in SERIOUS]
        self.problems += [
            f"{self.page.url}: {rule['id']}: {rule['help']}: {rule['nodes'][0]['html'][:200]}" for rule in barriers
        ]
        if not barriers:
            self.page.evaluate(REMEMBER)

    def follow(self, link):
        """Look at where a link leads that a script finds on the page, if there is one."""
        if url := self.page.evaluate(link):
            self.go(url)

    def act(self, model, action, row):
        """Look at what an action would do to a row."""
        fields = [["action", action], [ACTION_CHECKBOX_NAME, str(row.pk)]]
        with loaded(self.page):
            self.page.evaluate(ACT, [address(model, "changelist"), fields])
        self.look()

    def load(self, kind, name, content):
        """Look at what loading a file would do."""
        with loaded(self.page):
            self.page.get_by_label("File:").set_input_files(
                {"name": name, "mimeType": "text/csv", "buffer": content.encode()}
            )
        self.look()

"""What sites, locations, routes, instruments and pipelines lack for data to flow, each with the link that adds it."""

from collections.abc import Iterable

from django.contrib import messages
from django.contrib.admin.options import IS_POPUP_VAR
from django.contrib.admin.templatetags.admin_urls import admin_urlname
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.utils.translation import ngettext

from opsdb.models import DataLocation, DataTransferRoute, Site
from opsdb.row_labels import tables
from opsdb.workflows import Severity, TopologyProblem, validate_topology

from .parts import PageStylesMixin, Section, Table, first_of
from .viewer import Viewer, viewer_of

SHOWN = 50
SECTION = "topology"
LOOKS = {
    Severity.ERROR: ("red", "✘", lazy("error")),
    Severity.WARNING: ("orange", "▲", lazy("warning")),
    Severity.NOTE: ("grey", "○", lazy("note")),
}


def sees_topology(viewer: Viewer) -> bool:
    """Return whether a person may view everything that the check names."""
    return viewer.sees(Site, DataLocation, DataTransferRoute)


def topology_section(viewer: Viewer, problems: Iterable[TopologyProblem], empty: str = "") -> Section | None:
    """Return problems as a section, or None where there are none and nothing is to be read then."""
    problems = list(problems)
    if not problems and not empty:
        return None
    rows = [
        (
            _severity(problem.severity),
            _subject(viewer, problem),
            problem.problem,
            problem.remedy,
            _add_link(viewer, problem),
        )
        for problem in problems[:SHOWN]
    ]
    columns = (_("how bad"), _("what"), _("problem"), _("what to do"), _("mend it"))
    note = first_of(SHOWN) if len(problems) > SHOWN else ""
    table = Table(_("What is missing for data to flow"), columns, rows, empty, note)
    return Section(_("What is missing for data to flow"), (table,), SECTION)


def _severity(severity) -> SafeString:
    colour, sign, text = LOOKS[severity]
    badge = '<span class="opsdb-badge opsdb-badge-{}"><span aria-hidden="true">{}</span> {}</span>'
    return format_html(badge, colour, sign, text)


def _subject(viewer, problem):
    table, _blank, key = problem.row.partition(" ")
    url = viewer.row_url(tables()[table], key) if table else None
    return format_html('<a href="{}">{}</a>', url, problem.subject) if url else problem.subject


def _add_link(viewer, problem):
    if not problem.adds:
        return "–"
    model = tables()[problem.adds]
    model_admin = viewer.site._registry.get(model)
    if model_admin is None or not model_admin.has_add_permission(viewer.request):
        return "–"
    url = reverse(admin_urlname(model._meta, "add"), current_app=viewer.site.name)
    label = _("Add %(kind)s") % {"kind": model._meta.verbose_name}
    text = _("%(add)s for %(subject)s") % {"add": label, "subject": problem.subject}
    return format_html('<a href="{}?{}" aria-label="{}">{}</a>', url, urlencode(problem.values), text, label)


def _lacking_text(problems, url):
    worst, *others = problems
    text = _("Missing for data to flow – %(subject)s: %(problem)s") % {
        "subject": worst.subject,
        "problem": worst.problem,
    }
    if others:
        more = ngettext("; and %(number)s more problem", "; and %(number)s more problems", len(others))
        text += more % {"number": len(others)}
    return format_html('{}. <a href="{}">{}</a>', text, url, _("What is missing, and what to do"))


class TopologyMixin(PageStylesMixin):
    """Mixin of an admin of sites or locations: its forms show what is missing for data to flow there.

    So does a message after one was added.
    """

    def row_section(self, request: HttpRequest, row: Model) -> Section | None:
        viewer = viewer_of(request)
        return topology_section(viewer, self._problems_of(row)) if viewer and sees_topology(viewer) else None

    def response_add(self, request: HttpRequest, obj: Model, post_url_continue: str | None = None) -> HttpResponse:
        """Add a message about what the new row lacks to the one that it was added."""
        response = super().response_add(request, obj, post_url_continue)
        viewer = viewer_of(request)
        if viewer and sees_topology(viewer) and IS_POPUP_VAR not in request.POST:
            problems = self._problems_of(obj)
            if problems and (url := viewer.row_url(type(obj), obj.pk)):
                self.message_user(request, _lacking_text(problems, f"{url}#{SECTION}"), messages.WARNING)
        return response

    def _problems_of(self, row):
        return [one for one in validate_topology(credentials=False) if self.concerns(one, row)]

    def concerns(self, problem: TopologyProblem, row: Model) -> bool:
        """Return whether a problem concerns a row: of a site everything there, of a location what has its name."""
        if isinstance(row, Site):
            return row.pk in problem.sites or not problem.row
        return problem.row == f"{DataLocation._meta.db_table} {row.pk}"

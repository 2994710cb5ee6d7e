"""Why is it not done yet: for anything that is on its way, on its own page and above the form of the row."""

from django.forms import Media
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from opsdb.models import (
    DataProduct,
    DataTransfer,
    DataTransferPackage,
    ExecutedObsUnit,
    ExecutedReductionStep,
    LongTermArchiveTransfer,
    PhysicalCopy,
    RawDataFile,
    RawDataPackage,
    ReductionStep,
    StagingJob,
)
from opsdb.workflows.answers import Explanation, explain
from opsdb.workflows.errors import OpsdbError
from opsdb.workflows.states import name_of

from .base import Content, Facts, Page, Question, Section, Viewer, paragraph, viewer_of
from .where import WhatIsMeant, meant

MODELS = (
    RawDataPackage,
    DataTransferPackage,
    DataTransfer,
    LongTermArchiveTransfer,
    StagingJob,
    PhysicalCopy,
    ExecutedReductionStep,
    ReductionStep,
    ExecutedObsUnit,
    RawDataFile,
    DataProduct,
)


def view(viewer: Viewer) -> Content:
    """The explanation of what was asked about."""
    text = viewer.request.GET.get("q", "").strip()
    question = Question(
        "q",
        _("What?"),
        text,
        help=_(
            "A UUID, a table and a key such as data_transfer 17, or the name or path of a package, file or product."
        ),
    )
    if not text:
        return Content(questions=(question,))
    try:
        row = meant(viewer, text)
        told = explain(row)
    except WhatIsMeant as error:
        return Content(questions=(question,), message=str(error), sections=error.sections, status=error.status)
    except OpsdbError as error:
        return Content(questions=(question,), message=viewer.told(str(error)), status=404)
    about = [(link["title"], link["url"]) for link in viewer.links_of_row(row, "why")]
    return Content(
        questions=(question,),
        links=about,
        sections=(
            Section(
                _("Why is it where it is?"),
                (Facts([(_("what"), viewer.link(row)), (_("stands at"), told.state)]), told_as_html(viewer, told)),
                "why",
            ),
        ),
    )


def told_as_html(viewer: Viewer, told: Explanation):
    """Return an explanation: the chain of reasons, then what has to happen and who does it."""
    reasons = format_html_join("", "<li>{}</li>", ((viewer.told(reason),) for reason in told.why))
    chain = format_html('<ol class="opsdb-reasons">{}</ol>', reasons) if told.why else ""
    if told.done:
        return format_html("{}{}", chain, paragraph(_("Nothing has to happen any more.")))
    return format_html(
        "{}{}",
        chain,
        Facts([(_("what has to happen next"), viewer.told(told.next_step)), (_("who does it"), viewer.told(told.who))]),
    )


class _Why:
    """The read-only line of a form that explains the row, for one viewer."""

    __name__ = "why"
    short_description = lazy("where it stands")

    def __init__(self, viewer):
        self.viewer = viewer

    def __call__(self, row):
        try:
            told = explain(row)
        except OpsdbError as error:
            return self.viewer.told(str(error))
        return format_html('<div class="opsdb-why-told">{}</div>', told_as_html(self.viewer, told))


class Explained:
    """Mixin of an admin: says above the form why the row is where it is, and what has to happen next."""

    @property
    def media(self):
        return super().media + Media(css={"all": ["opsdb/pages.css"]})

    def get_fieldsets(self, request, obj=None):
        fieldsets = super().get_fieldsets(request, obj)
        line = self._why(request, obj)
        if line is None:
            return fieldsets
        return [(_("Why is it where it is?"), {"fields": [line], "classes": ["opsdb-why"]}), *fieldsets]

    def get_readonly_fields(self, request, obj=None):
        line = self._why(request, obj)
        names = super().get_readonly_fields(request, obj)
        return names if line is None else [*names, line]

    @staticmethod
    def _why(request, row):
        if row is None:
            return None
        viewer = viewer_of(request)
        # One object for the whole request, because a form's lines are compared.
        return viewer and request.__dict__.setdefault("opsdb_why", _Why(viewer))


def _about(viewer, row):
    """The page on a row that has one."""
    concrete = row._meta.concrete_model
    return viewer.page_url("why", q=name_of(concrete, row.pk)) if concrete in MODELS else None


PAGE = Page("why", ("why/",), lazy("Why?"), view, MODELS, about=_about)

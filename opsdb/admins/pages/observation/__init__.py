"""All there is about one observation on one page: from its plan to the papers that rest on it.

Everything is bounded: what is not shown is a link away. The number of queries does not depend on the number of rows.
"""

from uuid import UUID

from django.http import Http404
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from opsdb.formatting import format_second
from opsdb.models import ExecutedObsUnit, RawDataPackage
from opsdb.workflows import explain_row

from ...kit.names import needed_by_name, with_names
from ..assessments import assessments_of
from ..executions import night_of, quality_buttons
from ..parts import Content, Facts, Section, capped
from ..viewer import AdminPage, Viewer
from ..why import render_explanation
from .data import files_section, packages_section
from .limits import ROWS_SHOWN
from .planning import conditions_section, plan_section
from .results import result_sections
from .transport import archiving_section, copies_section, transfers_section


def view(viewer: Viewer, pk: UUID) -> Content:
    """Everything about an execution that this person may view."""
    execution = (
        ExecutedObsUnit.objects.filter(pk=pk)
        .select_related(
            "obs_unit__observing_program",
            "obs_unit__sub_observing_program",
            "obs_unit__source",
            "obs_unit__obs_mode",
            "obs_unit__configuration",
            "observer",
        )
        .first()
    )
    if execution is None:
        raise Http404(_("There is no such observation."))
    packages, more_packages = capped(
        RawDataPackage.objects.filter(executed_obs_unit=execution)
        .select_related(*needed_by_name(RawDataPackage), *with_names(RawDataPackage, ["data_transfer_package"]))
        .order_by("instrument_module", "part"),
        ROWS_SHOWN,
    )
    bundles = list({package.data_transfer_package_id for package in packages} - {None})
    sections = [
        Section(
            _("State and next step"),
            (render_explanation(viewer, explain_row(execution)), _quality(viewer, execution)),
            "stands",
        ),
        plan_section(viewer, execution),
        conditions_section(viewer, execution),
        files_section(viewer, execution),
        packages_section(viewer, execution, packages, more_packages),
        transfers_section(viewer, bundles),
        archiving_section(viewer, packages),
        copies_section(viewer, packages, bundles),
        *result_sections(viewer, execution),
    ]
    night = viewer.page_url("night", night_of(execution.start_time))
    links = [
        (_("Form"), viewer.row_url(ExecutedObsUnit, execution.pk)),
        (_("Night"), night),
        (_("Where is it?"), viewer.page_url("where", q=f"executed_obs_unit {execution.pk}")),
    ]
    return Content(
        title=_("Observation of %(start)s") % {"start": f"{format_second(execution.start_time)} UTC"},
        links=[link for link in links if link[1]],
        sections=[section for section in sections if section],
    )


def _quality(viewer, execution):
    buttons = quality_buttons(viewer, execution, viewer.page_url("observation", execution.pk))
    assessment = assessments_of(viewer, [execution]).get(execution.pk)
    value = format_html("{} {} {}", execution.get_quality_display(), assessment.about if assessment else "", buttons)
    return Facts([(_("quality"), value)])


def _about(viewer, row):
    if isinstance(row, ExecutedObsUnit):
        return viewer.page_url("observation", row.pk)
    return None


PAGE = AdminPage(
    "observation",
    ("<uuid:pk>/observation/",),
    lazy("All about the observation"),
    view,
    (ExecutedObsUnit,),
    of_row=True,
    about=_about,
)

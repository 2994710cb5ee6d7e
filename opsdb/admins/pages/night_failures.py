"""Which packages of a night failed on their way, and why."""

from collections.abc import Iterator, Sequence

from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from opsdb.models import DataTransferPackage, ExecutedObsUnit, PackageState, RawDataPackage
from opsdb.workflows import ExecutionsData, name_row

from ..kit.values import Text
from .executions import name_of
from .found import link_called, with_called
from .parts import Table, message, shown_of, subheading
from .viewer import Viewer
from .why_links import LATER_STEP_FAILED, why_link

SHOWN = 5


def failed_packages(
    viewer: Viewer, executions: Sequence[ExecutedObsUnit], data: ExecutionsData | None
) -> Iterator[Text]:
    """Yield the first packages of observations that failed, with links to why. One query, if any failed.

    Args:
        viewer: the person.
        executions: the observations, with their units and the programs of these.
        data: of the observations; None where the person may not view it.
    """
    number = data.total.states[PackageState.FAILED] if data is not None else 0
    if not number:
        return
    of_key = {execution.pk: execution for execution in executions}
    failed = (
        with_called(viewer, RawDataPackage)
        .select_related("data_transfer_package")
        .filter(executed_obs_unit__in=of_key, state=PackageState.FAILED)
    )
    rows = [
        (
            link_called(viewer, package),
            name_of(viewer, of_key[package.executed_obs_unit_id]),
            _known(viewer, package),
            why_link(viewer, name_row(RawDataPackage, package.pk)),
        )
        for package in failed.order_by("executed_obs_unit", "pk")[:SHOWN]
    ]
    title = ngettext("%(number)s package failed on its way", "%(number)s packages failed on their way", number)
    title %= {"number": f"{number:,}"}
    yield subheading(title)
    columns = (_("package"), _("unit"), _("what is known"), _("why"))
    all_url = viewer.list_url(RawDataPackage, state__exact=PackageState.FAILED.value)
    yield Table(title, columns, rows, note=shown_of(len(rows), number))
    yield format_html(
        '<p class="opsdb-note"><a href="{}">{}</a></p>', all_url, _("See the failed packages of all nights")
    )


def _known(viewer, package):
    bundle = package.data_transfer_package
    if package.failure_message:
        return message(viewer.link_names(package.failure_message))
    if bundle is not None and bundle.failure_message and viewer.sees(DataTransferPackage):
        return message(format_html("{} {}", _("its bundle:"), viewer.link_names(bundle.failure_message)))
    return LATER_STEP_FAILED

"""Why an observation or a file is not archived yet."""

from __future__ import annotations

from django.db.models import Count, Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.utils.translation import ngettext

from opsdb.formatting import format_time_since
from opsdb.models import ExecutedObsUnit, ObservationStatus, PackageState, RawDataFile, RawDataPackage
from opsdb.row_labels import place_of

from ..errors import name_row
from ._explanation import Explanation, done, explains, waits
from ._who import INSTRUMENT, MANAGER, TELESCOPE
from .packages import explain_package

END = lazy("wait until the observation has ended, then report its end")


@explains(ExecutedObsUnit)
def explain_observation(execution: ExecutedObsUnit) -> Explanation:
    """Return why the data of an observation are not all archived: by a file or package that is not.

    Args:
        execution: the observation.
    """
    name = name_row(ExecutedObsUnit, execution.pk)
    if execution.status == ObservationStatus.RUNNING:
        why = _("%(name)s: has been running for %(duration)s") % {
            "name": name,
            "duration": format_time_since(execution.start_time),
        }
        return waits(execution, execution.status, why, str(END), TELESCOPE)
    counts = RawDataPackage.objects.filter(executed_obs_unit=execution).aggregate(
        packages=Count("pk"), archived=Count("pk", filter=Q(state=PackageState.ARCHIVED))
    )
    unpackaged = RawDataFile.objects.of(execution).unpackaged().order_by("instrument_module", "pk").first()
    if unpackaged:
        why = _("%(name)s: some of its files are in no package") % {"name": name}
        return explain_file(unpackaged).because_of(execution, execution.status, why)
    if not counts["packages"]:
        why = _("%(name)s: no file of it is registered") % {"name": name}
        return waits(execution, execution.status, why, _("register the files, if it took data"), INSTRUMENT)
    answer = ngettext(
        "%(name)s: %(archived)d of its %(packages)d package is archived",
        "%(name)s: %(archived)d of its %(packages)d packages are archived",
        counts["packages"],
    ) % {"name": name, **counts}
    waiting = (
        RawDataPackage.objects.not_archived().filter(executed_obs_unit=execution).order_by("created_at", "pk").first()
    )
    if waiting:
        return explain_package(waiting).because_of(execution, execution.status, answer)
    return done(execution, execution.status, answer)


@explains(RawDataFile)
def explain_file(file: RawDataFile) -> Explanation:
    """Return why a raw file is not archived: by its package, or why it is in none.

    Args:
        file: the raw file.
    """
    name = name_row(RawDataFile, file.pk)
    if file.raw_data_package_id:
        package = file.raw_data_package
        answer = explain_package(package)
        names = {"name": name, "package": name_row(RawDataPackage, package.pk)}
        if answer.done:
            return done(file, "packaged", _("%(name)s: is in %(package)s, which is archived") % names)
        return answer.because_of(file, "packaged", _("%(name)s: is in %(package)s") % names)
    if file.executed_obs_unit.status == ObservationStatus.RUNNING:
        why = _("%(name)s: is in no package, because its observation is still running") % {"name": name}
        return waits(file, "registered", why, str(END), TELESCOPE)
    why = _("%(name)s: has been in no package for %(duration)s") % {
        "name": name,
        "duration": format_time_since(file.created_at),
    }
    step = _("package the files at %(location)s") % {"location": place_of(file.source_location)}
    return waits(file, "registered", why, step, MANAGER)

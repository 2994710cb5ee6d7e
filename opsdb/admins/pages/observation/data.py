"""The files of an observation, and their packages."""

from collections.abc import Sequence

from django.utils.html import format_html
from django.utils.translation import gettext as _

from opsdb.database.aliases import read_rows
from opsdb.models import ExecutedObsUnit, InstrumentModule, PackageState, RawDataFile, RawDataPackage, Status

from ...kit.columns import badge, human_size
from ...kit.names import with_names
from ..found import link_called
from ..parts import Section, Table, first_of
from ..viewer import Viewer
from ..why_links import why_link
from .limits import ROWS_SHOWN

FILES_SHOWN = 5  # of each module
FILES_COUNTED = 10_000  # of all modules: more than an execution has, unless something went wrong
# One walk along raw_data_file_newest_of_execution, which ends at the limit.
FILES_BY_MODULE = """
SELECT module.id, counted.number, counted.ids
FROM (
    SELECT instrument_module_id, count(*) AS number, (array_agg(id))[:%(shown)s] AS ids
    FROM (
        SELECT id, instrument_module_id FROM raw_data_file WHERE executed_obs_unit_id = %(execution)s
        ORDER BY executed_obs_unit_id, id LIMIT %(counted)s
    ) AS first
    GROUP BY instrument_module_id
) AS counted
JOIN instrument_module AS module ON module.id = counted.instrument_module_id
ORDER BY module.name, module.id
"""


def files_section(viewer: Viewer, execution: ExecutedObsUnit) -> Section | None:
    if not viewer.sees(RawDataFile, InstrumentModule):
        return None
    found = read_rows(FILES_BY_MODULE, {"execution": execution.pk, "counted": FILES_COUNTED + 1, "shown": FILES_SHOWN})
    are_all = sum(number for _module, number, _ids in found) <= FILES_COUNTED
    modules = InstrumentModule.objects.in_bulk([module for module, _number, _ids in found])
    related = with_names(RawDataFile, ["raw_data_package"])
    files = RawDataFile.objects.select_related(*related).in_bulk([key for row in found for key in row[2]])
    rows = []
    for module, number, keys in found:
        of_module = viewer.list_url(
            RawDataFile, executed_obs_unit__id__exact=execution.pk, instrument_module__id__exact=module
        )
        counted = format_html('<a href="{}">{}</a>', of_module, _counted(number, are_all))
        for place, file in enumerate(sorted((files[key] for key in keys), key=lambda file: file.relative_path)):
            rows.append(
                (
                    viewer.link(file),
                    viewer.link(modules[module]),
                    counted if not place else "",
                    human_size(file.size_bytes),
                    link_called(viewer, file.raw_data_package) if file.raw_data_package else _("in no package"),
                )
            )
    table = Table(
        _("Files, by module"),
        (_("file"), _("module"), _("files of the module"), _("size"), _("package")),
        rows,
        _("No file is registered."),
        note=_note(are_all) if rows else "",
        more=viewer.list_url(RawDataFile, executed_obs_unit__id__exact=execution.pk) if rows else None,
    )
    return Section(_("Raw data files"), (table,), "files")


def _counted(number, are_all):
    return f"{number:,}" if are_all else _("at least %(number)s") % {"number": f"{number:,}"}


def _note(are_all):
    shown = _("Of each module %(shown)s files are shown.") % {"shown": FILES_SHOWN}
    if are_all:
        return shown
    return f"{shown} " + _("Only the first %(counted)s are counted.") % {"counted": f"{FILES_COUNTED:,}"}


def packages_section(
    viewer: Viewer, execution: ExecutedObsUnit, packages: Sequence[RawDataPackage], more: bool
) -> Section | None:
    if not viewer.sees(RawDataPackage):
        return None
    rows = [
        (
            link_called(viewer, package),
            viewer.link(package.instrument_module),
            package.part,
            badge(PackageState(package.state)),
            badge(Status(package.status)),
            f"{package.file_count:,}",
            "–" if package.size_bytes is None else human_size(package.size_bytes),
            link_called(viewer, package.data_transfer_package),
            "" if package.state == PackageState.ARCHIVED else why_link(viewer, f"raw_data_package {package.pk}"),
        )
        for package in packages
    ]
    table = Table(
        _("Packages"),
        (
            _("package"),
            _("module"),
            _("part"),
            _("state"),
            _("making it"),
            _("files"),
            _("size"),
            _("travels in"),
            _("why"),
        ),
        rows,
        _("Its files are in no package yet."),
        note=first_of(ROWS_SHOWN) if more else "",
        more=viewer.list_url(RawDataPackage, executed_obs_unit__id__exact=execution.pk) if more else None,
    )
    return Section(_("Packages"), (table,), "packages")

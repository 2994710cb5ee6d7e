"""All there is about one observation on one page: from its plan to the papers that rest on it.

Everything is bounded: what is not shown is a link away. The number of queries does not depend on the number of rows.
"""

from datetime import timedelta

from django.db import connections, router
from django.http import Http404
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from opsdb.models import (
    DataLocation,
    DataProduct,
    DataRelease,
    DataTransfer,
    DataTransferPackage,
    ExecutedObsUnit,
    ExecutedObsUnitModuleConfiguration,
    InstrumentModule,
    InstrumentModuleConfiguration,
    LongTermArchiveTransfer,
    ObservationStatus,
    ObsUnit,
    PackageState,
    PhysicalCopy,
    PhysicalCopyStatus,
    PreScheduledSlot,
    Publication,
    RawDataFile,
    RawDataPackage,
    Source,
    Status,
)
from opsdb.models.publications import PRODUCTS_OF_OBSERVATION
from opsdb.workflows import explain_row, format_duration

from ..kit.columns import badge, code, document, human_number, human_size, moment
from .base import Content, Facts, Page, Section, Table, Viewer, capped, first_of, spaced
from .dashboard import night_of, why_link
from .where import verification
from .why import told_as_html
from .wording import up_to

SHOWN = 50
FILES_SHOWN = 5  # of each module
FILES_COUNTED = 1_000  # of each module
PRODUCTS_LOOKED_AT = 1_000
# Of each module one walk along raw_data_file_by_execution, which ends at the limit.
FILES_BY_MODULE = """
SELECT module.id, counted.number, shown.ids
FROM instrument_module AS module
CROSS JOIN LATERAL (SELECT count(*) AS number FROM (SELECT FROM raw_data_file
    WHERE executed_obs_unit_id = %(execution)s AND instrument_module_id = module.id
    LIMIT %(counted)s) AS found) AS counted
CROSS JOIN LATERAL (SELECT array_agg(found.id) AS ids FROM (SELECT id FROM raw_data_file
    WHERE executed_obs_unit_id = %(execution)s AND instrument_module_id = module.id
    LIMIT %(shown)s) AS found) AS shown
WHERE counted.number > 0 ORDER BY module.name, module.id
"""


def view(viewer: Viewer, pk) -> Content:
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
        .select_related("instrument_module", "data_transfer_package")
        .order_by("instrument_module", "part"),
        SHOWN,
    )
    bundles = list({package.data_transfer_package_id for package in packages} - {None})
    sections = [
        Section(_("Where it stands"), (told_as_html(viewer, explain_row(execution)),), "stands"),
        _plan(viewer, execution),
        _conditions(viewer, execution),
        _files(viewer, execution),
        _packages(viewer, execution, packages, more_packages),
        _transfers(viewer, bundles),
        _archiving(viewer, packages),
        _copies(viewer, packages, bundles),
        *_results(viewer, execution),
    ]
    night = viewer.page_url("night", night_of(execution.start_time))
    links = [
        (_("Form"), viewer.row_url(ExecutedObsUnit, execution.pk)),
        (_("Night"), night),
        (_("Where is it?"), viewer.page_url("where", q=f"executed_obs_unit {execution.pk}")),
    ]
    return Content(
        title=_("Observation of %(start)s") % {"start": f"{execution.start_time:%Y-%m-%d %H:%M:%S} UTC"},
        links=[link for link in links if link[1]],
        sections=[section for section in sections if section],
    )


def _plan(viewer, execution):
    unit = execution.obs_unit
    planned = (
        list(unit.module_configurations.select_related("instrument_module").order_by("pk")[:SHOWN])
        if viewer.sees(ObsUnit, InstrumentModuleConfiguration)
        else []
    )
    slots = (
        list(
            PreScheduledSlot.objects.filter(
                obs_unit=unit,
                # A slot is shorter than a day, which lets the index on the start serve.
                start_time__gte=execution.start_time - timedelta(days=1),
                start_time__lt=execution.end_time or execution.start_time + timedelta(days=1),
                end_time__gt=execution.start_time,
            )
            .select_related("telescope")
            .order_by("start_time")[:FILES_SHOWN]
        )
        if viewer.sees(PreScheduledSlot)
        else []
    )
    if not viewer.sees(ObsUnit):
        return None
    duration_planned = unit.planned_duration_seconds
    facts = Facts(
        [
            (_("unit"), viewer.link(unit)),
            (_("program"), viewer.link(unit.observing_program)),
            (_("sub-program"), unit.sub_observing_program and viewer.link(unit.sub_observing_program)),
            (_("source"), unit.source and (viewer.link(unit.source) if viewer.sees(Source) else viewer.withheld)),
            (_("mode"), viewer.link(unit.obs_mode)),
            (_("configuration"), viewer.link(unit.configuration)),
            (_("planned modules"), _joined(viewer, planned)),
            (_("planned duration"), duration_planned and format_duration(duration_planned)),
            (_("elevation"), _range(unit.elevation_min_deg, unit.elevation_max_deg, "°")),
            (_("PWV at most"), unit.pwv_max_mm and f"{unit.pwv_max_mm:g} mm"),
            (
                _("slot"),
                spaced(
                    format_html(
                        '<a href="{}">{}</a> {}',
                        viewer.row_url(PreScheduledSlot, slot.pk),
                        f"{slot.start_time:%Y-%m-%d %H:%M}–{slot.end_time:%H:%M} UTC",
                        viewer.link(slot.telescope),
                    )
                    for slot in slots
                ),
            ),
        ]
    )
    return Section(_("Plan"), (facts,), "plan")


def _range(low, high, unit):
    if low is None and high is None:
        return None
    return f"{'' if low is None else f'{low:g}'}–{'' if high is None else f'{high:g}'}{unit}"


def _joined(viewer, configurations):
    return spaced(
        format_html("{} ({})", viewer.link(one), viewer.link(one.instrument_module)) for one in configurations
    )


def _conditions(viewer, execution):
    used = (
        list(
            InstrumentModuleConfiguration.objects.filter(
                pk__in=ExecutedObsUnitModuleConfiguration.objects.filter(executed_obs_unit=execution).values(
                    "module_configuration"
                )
            )
            .select_related("instrument_module")
            .order_by("pk")[:SHOWN]
        )
        if viewer.sees(InstrumentModuleConfiguration)
        else []
    )
    end = execution.end_time
    facts = Facts(
        [
            (_("status"), badge(ObservationStatus(execution.status))),
            (_("start [UTC]"), moment(execution.start_time)),
            (_("end [UTC]"), moment(end) if end else "–"),
            (_("duration"), end and format_duration((end - execution.start_time).total_seconds())),
            (_("quality"), execution.get_quality_display()),
            (_("modules as used"), _joined(viewer, used)),
            (_("mean PWV"), _with_unit(execution.mean_pwv_mm, " mm")),
            (_("mean elevation"), _with_unit(execution.mean_elevation_deg, "°")),
            (_("mean azimuth"), _with_unit(execution.mean_azimuth_deg, "°")),
            (_("observer"), execution.observer and viewer.link(execution.observer)),
            (_("conditions"), document(execution.conditions) if execution.conditions else None),
            (_("comment"), execution.comment),
            (_("key"), code(execution.pk)),
        ]
    )
    return Section(_("Execution and conditions"), (facts,), "conditions")


def _with_unit(value, unit):
    return None if value is None else format_html("{}{}", human_number(value), unit)


def _files(viewer, execution):
    if not viewer.sees(RawDataFile, InstrumentModule):
        return None
    alias = router.db_for_read(RawDataFile)
    with connections[alias].cursor() as cursor:
        cursor.execute(
            FILES_BY_MODULE,
            {"execution": execution.pk, "counted": FILES_COUNTED + 1, "shown": FILES_SHOWN},
        )
        found = cursor.fetchall()
    modules = InstrumentModule.objects.in_bulk([module for module, _number, _ids in found])
    files = RawDataFile.objects.select_related("raw_data_package").in_bulk([key for row in found for key in row[2]])
    rows = []
    for module, number, keys in found:
        of_module = viewer.list_url(
            RawDataFile, executed_obs_unit__id__exact=execution.pk, instrument_module__id__exact=module
        )
        counted = format_html('<a href="{}">{}</a>', of_module, up_to(number, FILES_COUNTED))
        for place, file in enumerate(sorted((files[key] for key in keys), key=lambda file: file.relative_path)):
            rows.append(
                (
                    viewer.link(file),
                    viewer.link(modules[module]),
                    counted if not place else "",
                    human_size(file.size_bytes),
                    viewer.link(file.raw_data_package) if file.raw_data_package else _("in no package"),
                )
            )
    table = Table(
        _("Files, by module"),
        (_("file"), _("module"), _("files of the module"), _("size"), _("package")),
        rows,
        _("No file is registered."),
        note=_("Of each module %(shown)s files are shown.") % {"shown": FILES_SHOWN} if rows else "",
        more=viewer.list_url(RawDataFile, executed_obs_unit__id__exact=execution.pk) if rows else None,
    )
    return Section(_("Raw data files"), (table,), "files")


def _packages(viewer, execution, packages, more):
    if not viewer.sees(RawDataPackage):
        return None
    rows = [
        (
            viewer.link(package),
            viewer.link(package.instrument_module),
            package.part,
            badge(PackageState(package.state)),
            badge(Status(package.status)),
            f"{package.file_count:,}",
            "–" if package.size_bytes is None else human_size(package.size_bytes),
            viewer.link(package.data_transfer_package),
            "" if package.state == PackageState.ARCHIVED else why_link(viewer, f"raw_data_package {package.pk}"),
        )
        for package in packages
    ]
    table = Table(
        _("Raw data packages"),
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
        note=first_of(SHOWN) if more else "",
        more=viewer.list_url(RawDataPackage, executed_obs_unit__id__exact=execution.pk) if more else None,
    )
    return Section(_("Packages"), (table,), "packages")


def _transfers(viewer, bundles):
    if not viewer.sees(DataTransfer, DataLocation):
        return None
    transfers, more = capped(
        DataTransfer.objects.filter(data_transfer_package__in=bundles)
        .select_related("data_transfer_package", "origin_location__site", "destination_location__site")
        .order_by("pk"),
        SHOWN,
    )
    rows = [
        (
            viewer.link(transfer),
            viewer.link(transfer.data_transfer_package),
            _way(transfer),
            badge(Status(transfer.status)),
            badge(Status(transfer.unpack_status)),
            moment(transfer.finished_at) if transfer.finished_at else "–",
            viewer.told(transfer.failure_message or transfer.unpack_failure_message) or "–",
            "" if transfer.unpack_status == Status.COMPLETED else why_link(viewer, f"data_transfer {transfer.pk}"),
        )
        for transfer in transfers
    ]
    table = Table(
        _("Transfers of what carries its packages"),
        (
            _("transfer"),
            _("carries"),
            _("way"),
            _("transfer"),
            _("unpacking"),
            _("arrived at [UTC]"),
            _("failure"),
            _("why"),
        ),
        rows,
        _("None of its packages travels."),
        note=first_of(SHOWN) if more else "",
    )
    return Section(_("Transfers"), (table,), "transfers")


def _way(transfer):
    ends = (transfer.origin_location, transfer.destination_location)
    return " → ".join(f"{end.site}/{end}" if end else "?" for end in ends)


def _archiving(viewer, packages):
    if not viewer.sees(LongTermArchiveTransfer, DataLocation):
        return None
    transfers, more = capped(
        LongTermArchiveTransfer.objects.filter(raw_data_package__in=packages)
        .select_related("raw_data_package", "origin_location__site", "destination_location__site")
        .order_by("raw_data_package", "pk"),
        SHOWN,
    )
    rows = [
        (
            viewer.link(transfer),
            viewer.link(transfer.raw_data_package),
            _way(transfer),
            badge(Status(transfer.status)),
            moment(transfer.finished_at) if transfer.finished_at else "–",
            viewer.told(transfer.failure_message) or "–",
            ""
            if transfer.status == Status.COMPLETED
            else why_link(viewer, f"long_term_archive_transfer {transfer.pk}"),
        )
        for transfer in transfers
    ]
    table = Table(
        _("Moves into archives"),
        (_("move"), _("package"), _("way"), _("status"), _("ended at [UTC]"), _("failure"), _("why")),
        rows,
        _("None of its packages was put into an archive."),
        note=first_of(SHOWN) if more else "",
    )
    return Section(_("Archiving"), (table,), "archiving")


def _copies(viewer, packages, bundles):
    if not viewer.sees(PhysicalCopy, DataLocation):
        return None
    rows, cut = [], False
    for model, target, keys in (
        (RawDataPackage, "raw_data_package", [package.pk for package in packages]),
        (DataTransferPackage, "data_transfer_package", bundles),
    ):
        copies, more = capped(
            PhysicalCopy.objects.filter(**{f"{target}__in": keys})
            .select_related(target, "data_location__site")
            .order_by(target, "data_location__site__short_name", "data_location__name"),
            2 * SHOWN,
        )
        cut |= more
        rows += [
            (
                viewer.link(copy.target) if viewer.sees(model) else viewer.withheld,
                f"{copy.data_location.site}/{copy.data_location}",
                copy.data_location.get_location_type_display(),
                format_html(
                    '<a href="{}">{}</a>', viewer.row_url(PhysicalCopy, copy.pk), badge(PhysicalCopyStatus(copy.status))
                ),
                verification(copy.verification),
                moment(copy.verified_at) if copy.verified_at else "–",
            )
            for copy in copies
        ]
    table = Table(
        _("Copies of its packages, and of what they travel in"),
        (_("of"), _("location"), _("for"), _("state"), _("checksum"), _("compared at [UTC]")),
        rows,
        _("There is no copy of a package yet."),
        note=first_of(2 * SHOWN) if cut else "",
    )
    return Section(_("Copies"), (table,), "copies")


def _results(viewer, execution):
    """Products that were made of it, and the releases and publications of these."""
    if not viewer.sees(DataProduct):
        return
    with connections[router.db_for_read(DataProduct)].cursor() as cursor:
        # The limit ends the recursion, however much was made of a calibration.
        cursor.execute(f"{PRODUCTS_OF_OBSERVATION} LIMIT {PRODUCTS_LOOKED_AT + 1}", [execution.pk])
        keys = sorted(key for (key,) in cursor.fetchall())
    more, keys = len(keys) > PRODUCTS_LOOKED_AT, keys[:PRODUCTS_LOOKED_AT]
    products = DataProduct.objects.filter(pk__in=keys).select_related("run__step__pipeline").order_by("-pk")[:SHOWN]
    rows = [
        (
            viewer.link(product),
            product.get_type_display(),
            viewer.link(product.run),
            f"{product.run.step.pipeline} / {product.run.step}",
            "–" if product.size_bytes is None else human_size(product.size_bytes),
            _("replaced") if product.superseded_by_id else _("current"),
        )
        for product in products
    ]
    note = ""
    if len(keys) > SHOWN:
        number = up_to(len(keys) + more, PRODUCTS_LOOKED_AT)
        note = _("The newest %(shown)s of %(number)s are shown.") % {"shown": SHOWN, "number": number}
    table = Table(
        _("Data products"),
        (_("product"), _("type"), _("run"), _("step"), _("size"), _("state")),
        rows,
        _("Nothing has been made of it yet."),
        note=note,
    )
    yield Section(_("Products"), (table,), "products")
    if viewer.sees(DataRelease, Publication):
        yield _publications(viewer, keys, more)


def _publications(viewer, products, cut):
    held = DataRelease.products.through.objects.filter(dataproduct__in=products).values("datarelease")
    releases, more_releases = capped(DataRelease.objects.filter(pk__in=held).order_by("-pk"), SHOWN)
    direct = Publication.products.through.objects.filter(dataproduct__in=products).values("publication")
    used = Publication.releases.through.objects.filter(datarelease__in=[one.pk for one in releases])
    publications, more = capped(
        Publication.objects.filter(pk__in=direct.union(used.values("publication"))).order_by("-year", "-pk"), SHOWN
    )
    rows = [
        *(
            (viewer.link(one), _("publication"), one.year, one.get_status_display(), one.doi or "–")
            for one in publications
        ),
        *(
            (
                viewer.link(one),
                _("release"),
                f"{one.released_at:%Y}" if one.released_at else "–",
                _("public") if one.public else _("not public"),
                one.doi or "–",
            )
            for one in releases
        ),
    ]
    notes = []
    if more or more_releases:
        notes.append(first_of(SHOWN))
    if cut:
        notes.append(_("Only those of the first %(number)s products are found.") % {"number": PRODUCTS_LOOKED_AT})
    table = Table(
        _("Releases and publications"),
        (_("title"), _("what"), _("year"), _("state"), _("DOI")),
        rows,
        _("It is in no release and no publication yet."),
        note=" ".join(notes),
    )
    return Section(_("Releases and publications"), (table,), "publications")


def _about(viewer, row):
    if isinstance(row, ExecutedObsUnit):
        return viewer.page_url("observation", row.pk)
    return None


PAGE = Page(
    "observation",
    ("<uuid:pk>/observation/",),
    lazy("All about the observation"),
    view,
    (ExecutedObsUnit,),
    of_row=True,
    about=_about,
)

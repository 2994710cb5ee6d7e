"""The way of its packages: transfers, archives and copies."""

from collections.abc import Sequence
from uuid import UUID

from django.utils.html import format_html
from django.utils.translation import gettext as _

from opsdb.models import (
    DataLocation,
    DataTransfer,
    DataTransferPackage,
    LongTermArchiveTransfer,
    PhysicalCopy,
    PhysicalCopyStatus,
    RawDataPackage,
    Status,
)

from ...kit.columns import badge, moment
from ...kit.names import with_names
from ..found import link_called
from ..parts import Section, Table, capped, first_of, message
from ..viewer import Viewer
from ..where import verification
from ..why_links import why_link
from .limits import ROWS_SHOWN


def transfers_section(viewer: Viewer, bundles: Sequence[UUID]) -> Section | None:
    if not viewer.sees(DataTransfer, DataLocation):
        return None
    transfers, more = capped(
        DataTransfer.objects.filter(data_transfer_package__in=bundles)
        .select_related(
            *with_names(DataTransfer, ["data_transfer_package"]), "origin_location__site", "destination_location__site"
        )
        .order_by("pk"),
        ROWS_SHOWN,
    )
    rows = [
        (
            viewer.link(transfer),
            link_called(viewer, transfer.data_transfer_package),
            _way(transfer),
            badge(Status(transfer.status)),
            badge(Status(transfer.unpack_status)),
            moment(transfer.finished_at) if transfer.finished_at else "–",
            message(viewer.link_names(transfer.failure_message or transfer.unpack_failure_message)),
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
        note=first_of(ROWS_SHOWN) if more else "",
    )
    return Section(_("Transfers"), (table,), "transfers")


def _way(transfer):
    ends = (transfer.origin_location, transfer.destination_location)
    return " → ".join(f"{end.site}/{end}" if end else "?" for end in ends)


def archiving_section(viewer: Viewer, packages: Sequence[RawDataPackage]) -> Section | None:
    if not viewer.sees(LongTermArchiveTransfer, DataLocation):
        return None
    transfers, more = capped(
        LongTermArchiveTransfer.objects.filter(raw_data_package__in=packages)
        .select_related(
            *with_names(LongTermArchiveTransfer, ["raw_data_package"]),
            "origin_location__site",
            "destination_location__site",
        )
        .order_by("raw_data_package", "pk"),
        ROWS_SHOWN,
    )
    rows = [
        (
            viewer.link(transfer),
            link_called(viewer, transfer.raw_data_package),
            _way(transfer),
            badge(Status(transfer.status)),
            moment(transfer.finished_at) if transfer.finished_at else "–",
            message(viewer.link_names(transfer.failure_message)),
            ""
            if transfer.status == Status.COMPLETED
            else why_link(viewer, f"long_term_archive_transfer {transfer.pk}"),
        )
        for transfer in transfers
    ]
    table = Table(
        _("Archive transfers"),
        (_("move"), _("package"), _("way"), _("status"), _("ended at [UTC]"), _("failure"), _("why")),
        rows,
        _("None of its packages was put into an archive."),
        note=first_of(ROWS_SHOWN) if more else "",
    )
    return Section(_("Archiving"), (table,), "archiving")


def copies_section(viewer: Viewer, packages: Sequence[RawDataPackage], bundles: Sequence[UUID]) -> Section | None:
    if not viewer.sees(PhysicalCopy, DataLocation):
        return None
    rows, cut = [], False
    for model, target, keys in (
        (RawDataPackage, "raw_data_package", [package.pk for package in packages]),
        (DataTransferPackage, "data_transfer_package", bundles),
    ):
        copies, more = capped(
            PhysicalCopy.objects.filter(**{f"{target}__in": keys})
            .select_related(*with_names(PhysicalCopy, [target]), "data_location__site")
            .order_by(target, "data_location__site__short_name", "data_location__name"),
            2 * ROWS_SHOWN,
        )
        cut |= more
        rows += [
            (
                link_called(viewer, copy.target) if viewer.sees(model) else viewer.withheld,
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
        note=first_of(2 * ROWS_SHOWN) if cut else "",
    )
    return Section(_("Copies"), (table,), "copies")

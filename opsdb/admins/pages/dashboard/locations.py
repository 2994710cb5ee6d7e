"""Where the bytes are: volume, fill level, and copies against policy."""

from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from opsdb import conf
from opsdb.models import DataLocation, LocationType, PhysicalCopy, PhysicalCopyStatus
from opsdb.workflows import Overview

from ...copy_filters import EXISTING
from ...drawings.fill_level import fill_bar
from ...kit.columns import badge, human_size
from ..counts import format_count
from ..parts import Section, Table, spaced, subheading
from ..viewer import Viewer

BAD = (
    PhysicalCopyStatus.CORRUPT,
    PhysicalCopyStatus.MISSING,
    PhysicalCopyStatus.DELETION_FAILED,
)


def locations_section(viewer: Viewer, found: Overview) -> Section | None:
    if not viewer.sees(DataLocation, PhysicalCopy):
        return None

    def copies(place, **lookups):
        return viewer.list_url(PhysicalCopy, data_location__id__exact=place.id, **lookups)

    def bad(place):
        shown = [count for count in place.states if count.state in BAD and count.number.value]
        return (
            spaced(
                format_html(
                    '<a href="{}">{} {}</a>',
                    copies(place, status__exact=count.state),
                    badge(PhysicalCopyStatus(count.state)),
                    format_count(count.number),
                )
                for count in shown
            )
            or "–"
        )

    rows, lacking = [], []
    for place in found.locations:
        name = f"{place.site}/{place.location}"
        link = format_html('<a href="{}">{}</a>', viewer.page_url("location", place.id), name)
        out = "" if place.active else format_html(" <em>{}</em>", _("(inactive)"))
        rows.append(
            (
                format_html("{}{}", link, out),
                LocationType(place.location_type).label,
                format_html('<a href="{}">{}</a>', copies(place, **EXISTING), f"{place.copies:,}"),
                human_size(place.volume_bytes),
                human_size(place.capacity_bytes) if place.capacity_bytes else "–",
                _fill(place),
                bad(place),
            )
        )
        if place.lacking.value:
            lacking.append(
                (
                    link,
                    format_count(place.expected),
                    format_count(place.actual),
                    format_count(place.lacking),
                    bad(place),
                )
            )
    return Section(
        _("Volume, and copies against policy"),
        (
            Table(
                _("Locations"),
                (
                    _("location"),
                    _("for"),
                    _("copies"),
                    _("volume"),
                    _("capacity"),
                    _("filled"),
                    _("copies in trouble"),
                ),
                rows,
                _("There are no locations yet."),
            ),
            subheading(_("Copies missing against policy")),
            Table(
                _("Locations that lack copies"),
                (_("location"), _("should be there"), _("are there and good"), _("missing"), _("of them known as")),
                lacking,
                _("Every location has the copies that it should have."),
                note=ngettext(
                    "An archive should have every archived package; a package needs %(copies)s verified archive copy"
                    " before other copies may be deleted.",
                    "An archive should have every archived package; a package needs %(copies)s verified archive copies"
                    " before other copies may be deleted.",
                    conf.get("OPSDB_MIN_ARCHIVE_COPIES"),
                )
                % {"copies": conf.get("OPSDB_MIN_ARCHIVE_COPIES")},
            ),
        ),
        "opsdb-locations",
    )


def _fill(place):
    if place.fill_percent is None:
        return "–"
    return format_html(
        '<span class="opsdb-whole">{} {}</span>', fill_bar(place.fill_percent), f"{place.fill_percent:.3g} %"
    )

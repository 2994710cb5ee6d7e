"""Facts for the decision on a deletion request: the files, their sizes, and where other copies of them are."""

from collections.abc import Iterable

from django.db.models import Count, Exists, F, OuterRef, PositiveIntegerField, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from opsdb.database.functions import IsSafeArchiveCopy
from opsdb.formatting import format_size
from opsdb.models import (
    DataLocation,
    DeletionRequest,
    PackageState,
    PhysicalCopy,
    PhysicalCopyStatus,
    RawDataPackage,
)

from ..kit.actions import Judged
from ..kit.columns import badge, human_size, moment
from ..kit.names import called, named, needed_by_name

REQUESTS_JUDGED = 5
COPIES_SHOWN = 50
# The packages in the bundle that a copy is of.
_PACKAGES = RawDataPackage.objects.filter(data_transfer_package=OuterRef("data_transfer_package_id"))


def judge_deletions(requests: Iterable[DeletionRequest]) -> list[Judged]:
    """Return what the first of some requests would delete, and who asked: four queries for each at most."""
    return [_judge(request) for request in list(requests)[:REQUESTS_JUDGED]]


def _judge(request):
    copies = PhysicalCopy.objects.filter(request_items__deletion_request=request)
    of_archived = Q(raw_data_file__raw_data_package__state=PackageState.ARCHIVED)
    of_archived |= Q(raw_data_package__state=PackageState.ARCHIVED)
    of_archived |= Exists(_PACKAGES) & ~Exists(_PACKAGES.exclude(state=PackageState.ARCHIVED))
    total = copies.aggregate(number=Count("pk"), size=Sum("size_bytes"), archived=Count("pk", filter=of_archived))
    shown = list(
        _with_archive_copies(copies).select_related(*needed_by_name(PhysicalCopy)).order_by("pk")[:COPIES_SHOWN]
    )
    left_out = _("The first %(number)s are shown.") % {"number": COPIES_SHOWN} if total["number"] > len(shown) else ""
    place = called(DataLocation.objects.select_related("site").get(pk=request.data_location_id))
    return Judged(
        title=_("Deletion at %(place)s, requested by %(person)s: %(reason)s")
        % {"place": place, "person": request.requested_by.get_username(), "reason": request.reason},
        total=ngettext(
            "%(number)s copy, %(size)s; %(archived)s of archived data. %(retention)s",
            "%(number)s copies, %(size)s; %(archived)s of archived data. %(retention)s",
            total["number"],
        )
        % {
            "number": total["number"],
            "size": format_size(total["size"] or 0),
            "archived": total["archived"],
            "retention": _("The retention of the location is overridden.") if request.overrides_retention else "",
        },
        columns=(_("copy of"), _("size"), _("status"), _("there since [UTC]"), _("verified copies in archives")),
        rows=[
            (
                format_html("{} {}", copy.target._meta.verbose_name, named(copy.target)),
                human_size(copy.size_bytes) if copy.size_bytes is not None else "–",
                badge(PhysicalCopyStatus(copy.status)),
                moment(copy.arrived_at),
                _archive_copies(copy),
            )
            for copy in shown
        ],
        note=left_out,
    )


def _archive_copies(copy):
    """Return how many verified copies archives have of what a copy holds; of a bundle, how much of it is archived."""
    if copy.package_id is not None:
        return copy.archive_copies or 0
    if copy.data_transfer_package_id is None:
        return "–"
    return _("%(archived)s of %(number)s packages archived") % {
        "archived": copy.archived_packages or 0,
        "number": copy.bundled_packages or 0,
    }


def _with_archive_copies(copies: QuerySet[PhysicalCopy]) -> QuerySet[PhysicalCopy]:
    """Add the package of each copy's content, and how many verified copies of it archives have."""
    archived = PhysicalCopy.objects.filter(IsSafeArchiveCopy("pk"), raw_data_package=OuterRef("package_id"))
    return copies.annotate(
        package_id=Coalesce(F("raw_data_file__raw_data_package_id"), F("raw_data_package_id")),
        archive_copies=_number_of(archived, "raw_data_package"),
        bundled_packages=_number_of(_PACKAGES, "data_transfer_package"),
        archived_packages=_number_of(_PACKAGES.filter(state=PackageState.ARCHIVED), "data_transfer_package"),
    )


def _number_of(rows, container):
    number = rows.order_by().values(container).annotate(number=Count("pk")).values("number")
    return Subquery(number, output_field=PositiveIntegerField())

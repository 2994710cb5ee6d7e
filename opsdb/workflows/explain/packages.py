"""Why a raw package or a transfer package is not archived yet."""

from __future__ import annotations

from dataclasses import replace

from django.db.models import Exists, OuterRef
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from opsdb import conf
from opsdb.models import (
    DataLocation,
    DataTransferPackage,
    LocationType,
    PackageState,
    PhysicalCopy,
    PhysicalCopyStatus,
    RawDataFile,
    RawDataPackage,
    Site,
    Status,
    Verification,
)

from .._predicates import count_safe_archive_copies
from ..errors import NoRoute, name_row
from ..queues import Operation
from ..routing import resolve_route
from ._explanation import MANAGER, OPERATOR, Explanation, done, explain_work, explains, place_of, waits
from .transfers import explain_archive_transfer, explain_transfer

RESET_PACKAGING = "opsdb.workflows.reset_packaging"
RESET_BUNDLING = "opsdb.workflows.reset_bundling"
CORRECT = {
    RawDataPackage: "opsdb.workflows.correct_packaging",
    DataTransferPackage: "opsdb.workflows.correct_bundling",
}


def _unless_misreported(answer, tar) -> Explanation:
    """Return the explanation with the correction first, where the failed report may be right and the record wrong."""
    copies = PhysicalCopy.objects.of(tar)
    differing = copies.filter(verification=Verification.MISMATCH).exclude(
        checksum=tar.checksum, size_bytes=tar.size_bytes
    )
    wrong = answer.who == OPERATOR and not copies.verified().exists() and differing.order_by("pk").first()
    if not wrong:
        return answer
    why = _("%(copy)s: has another checksum or size than is recorded, which no copy confirms") % {
        "copy": name_row(PhysicalCopy, wrong.pk)
    }
    step = _(
        "read %(name)s again where it was made; if its checksum differs from the recorded one, correct the record with "
        "%(correct)s; then %(next_step)s"
    ) % {"name": name_row(type(tar), tar.pk), "correct": CORRECT[type(tar)], "next_step": answer.next_step}
    return replace(answer, why=(*answer.why, why), next_step=step)


@explains(RawDataPackage)
def explain_package(package: RawDataPackage) -> Explanation:
    return _unless_misreported(_explain_package_as_recorded(package), package)


def _explain_package_as_recorded(package) -> Explanation:
    name = name_row(RawDataPackage, package.pk)
    if package.state == PackageState.ARCHIVED:
        return _explain_archived(package)
    if package.status != Status.COMPLETED:
        source = DataLocation.objects.filter(
            Exists(RawDataFile.objects.filter(raw_data_package=package, source_location=OuterRef("pk")))
        ).first()
        if source is None:
            why = _("%(name)s: holds no files") % {"name": name}
            return waits(package, package.state, why, _("find out how it was made"), OPERATOR)
        answer = explain_work(
            package, _("making its tar"), source, Operation.RAW_DATA_PACKAGE_CREATION, RESET_PACKAGING
        )
        return answer.because_of(package, package.state)
    into_archive = list(
        package.archive_transfers.exclude(status=Status.COMPLETED)
        .select_related("destination_location__site")
        .order_by("-status", "pk")
    )
    moving = [transfer for transfer in into_archive if transfer.status != Status.FAILED]
    if chosen := (moving or into_archive):
        why = _("%(name)s: no archive has it yet") % {"name": name}
        return explain_archive_transfer(chosen[0]).because_of(package, package.state, why)
    buffers = list(
        DataLocation.objects.buffers()
        .filter(pk__in=PhysicalCopy.objects.readable().filter(raw_data_package=package).values("data_location"))
        .select_related("site")
    )
    for buffer in buffers:
        archive = DataLocation.objects.at_site(buffer.site_id).archives().active().select_related("site").first()
        if archive:
            why = _("%(name)s: is at %(place)s, and nobody has planned its transfer into %(archive)s") % {
                "name": name,
                "place": place_of(buffer),
                "archive": archive,
            }
            step = _("plan the archiving into %(place)s") % {"place": place_of(archive)}
            return waits(package, package.state, why, step, MANAGER)
    if package.data_transfer_package_id:
        answer = explain_bundle(package.data_transfer_package)
        if not answer.done:
            bundle = name_row(DataTransferPackage, package.data_transfer_package_id)
            why = _("%(name)s: travels in %(bundle)s") % {"name": name, "bundle": bundle}
            return answer.because_of(package, package.state, why)
        why = _(
            "%(name)s: its transfer package has arrived, but no copy of it can be read in a buffer beside an archive"
        ) % {"name": name}
        step = _("find its bytes, and have it unpacked or transferred again")
        return waits(package, package.state, why, step, OPERATOR)
    if buffers:
        place = place_of(buffers[0])
        why = _("%(name)s: is at %(place)s in no transfer package") % {"name": name, "place": place}
        step = _("bundle the packages at %(place)s") % {"place": place}
        return waits(package, package.state, why, step, MANAGER)
    why = _("%(name)s: no copy of it can be read in any buffer") % {"name": name}
    step = _("find its bytes, or make its tar again from its files")
    return waits(package, package.state, why, step, OPERATOR)


def _explain_archived(package) -> Explanation:
    name, needed = name_row(RawDataPackage, package.pk), conf.get("OPSDB_MIN_ARCHIVE_COPIES")
    safe = count_safe_archive_copies(package)
    answer = ngettext(
        "%(name)s: archives hold %(safe)d verified copy of it; needed: %(needed)d",
        "%(name)s: archives hold %(safe)d verified copies of it; needed: %(needed)d",
        safe,
    ) % {"name": name, "safe": safe, "needed": needed}
    if safe >= needed:
        return done(package, package.state, answer)
    open_transfer = package.archive_transfers.filter(status__in=Status.open()).order_by("pk").first()
    if open_transfer:
        return explain_archive_transfer(open_transfer).because_of(package, package.state, answer)
    bad = (
        PhysicalCopy.objects.filter(
            raw_data_package=package, data_location__location_type=LocationType.LONG_TERM_ARCHIVE
        )
        .exclude(status=PhysicalCopyStatus.PRESENT, verification="verified")
        .select_related("data_location__site")
        .first()
    )
    if bad is None:
        why = _("%(name)s: further archives have no copy yet") % {"name": name}
        step, who = _("plan further transfers and their archiving"), MANAGER
    else:
        why = _("%(copy)s: is %(status)s at %(place)s") % {
            "copy": name_row(PhysicalCopy, bad.pk),
            "status": bad.get_status_display().lower(),
            "place": place_of(bad.data_location),
        }
        step, who = _("bring a good copy back there from another location"), OPERATOR
    return waits(package, package.state, why, step, who).because_of(package, package.state, answer)


@explains(DataTransferPackage)
def explain_bundle(bundle: DataTransferPackage) -> Explanation:
    name = name_row(DataTransferPackage, bundle.pk)
    if bundle.status != Status.COMPLETED:
        operation = Operation.DATA_TRANSFER_PACKAGE_CREATION
        return explain_work(bundle, _("making its file"), bundle.origin_location, operation, RESET_BUNDLING)
    transfers = list(
        bundle.data_transfers.select_related("origin_location__site", "destination_location__site").order_by("pk")
    )
    moving = [one for one in transfers if one.status in Status.open()]
    arriving = [one for one in transfers if one.status == Status.COMPLETED and one.unpack_status != Status.COMPLETED]
    failed = [one for one in transfers if one.status == Status.FAILED]
    unpacked = [one for one in transfers if one.unpack_status == Status.COMPLETED]
    if waiting := (arriving or moving):
        return explain_transfer(waiting[0])
    if unpacked:
        places = ", ".join(place_of(one.destination_location) for one in unpacked)
        why = _("%(name)s: has arrived and was unpacked at %(places)s") % {"name": name, "places": places}
        return done(bundle, bundle.status, why)
    if failed:
        return _unless_misreported(explain_transfer(failed[-1]), bundle)
    if not PhysicalCopy.objects.readable().at(bundle.origin_location_id).of(bundle).exists():
        why = _("%(name)s: can't be read at %(place)s, where it was made") % {
            "name": name,
            "place": place_of(bundle.origin_location),
        }
        return waits(bundle, bundle.status, why, _("find its bytes, or make it again"), OPERATOR)
    reason = _why_not_routed(bundle)
    if reason and DataLocation.objects.at_site(bundle.origin_location.site_id).archives().active().exists():
        why = _("%(name)s: was made at a site with an archive, and no way leads to another") % {"name": name}
        return done(bundle, bundle.status, why)
    if reason:
        why = _("%(name)s: no way leads to an archive: %(reason)s") % {"name": name, "reason": reason}
        return waits(bundle, bundle.status, why, _("make or activate a route or a buffer"), OPERATOR)
    why = _("%(name)s: no transfer is planned") % {"name": name}
    return waits(bundle, bundle.status, why, _("plan the transfers"), MANAGER)


def _why_not_routed(bundle) -> str:
    """Return why no site with an archive is reachable; empty when one is."""
    reasons = [_("no site has an active archive")]
    for site in Site.objects.archiving():
        try:
            resolve_route(bundle.origin_location, site)
        except NoRoute as reason:
            reasons.append(str(reason))
        else:
            return ""
    return reasons[-1]

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
from opsdb.row_labels import place_of

from .._predicates import count_safe_archive_copies, find_good_copy, find_lacking_archives
from ..errors import NoRoom, NoRoute, name_row
from ..queues import Operation
from ..room import Room
from ..routing import Network, resolve_route
from ._explanation import (
    EXPLAINERS,
    Explanation,
    done,
    explain_work,
    explains,
    waits,
    waits_for_room,
    worker_at,
)
from ._ways_back import either, list_ways_back, way_back_of
from ._who import MANAGER, OPERATOR
from .transfers import explain_archive_transfer, explain_transfer

RESET_PACKAGING = "opsdb.workflows.reset_packaging"
RESET_BUNDLING = "opsdb.workflows.reset_bundling"
REPAIR_PACKAGE = "opsdb.workflows.repair_package"
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
    why = _(
        "%(copy)s: its checksum or size differs from what is recorded of %(name)s, and no copy agrees with that"
    ) % {
        "copy": name_row(PhysicalCopy, wrong.pk),
        "name": name_row(type(tar), tar.pk),
    }
    step = _(
        "read %(name)s again where it was made; if its checksum differs from the recorded one, correct the record with "
        "%(correct)s; then %(next_step)s"
    ) % {"name": name_row(type(tar), tar.pk), "correct": CORRECT[type(tar)], "next_step": answer.next_step}
    return replace(answer, why=(*answer.why, why), next_step=step)


@explains(RawDataPackage)
def explain_package(package: RawDataPackage) -> Explanation:
    """Return why a package is not archived, or why its archive copies need a step.

    Args:
        package: the package.
    """
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
            step = _("look in its history (“History” in the admin) at how it was made, and package the files again")
            return waits(package, package.state, why, step, OPERATOR)
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
                "archive": place_of(archive),
            }
            if not Room().takes(archive, package.size_bytes):
                return waits_for_room(package, package.state, archive, package.size_bytes)
            step = _("plan the archiving into %(place)s") % {"place": place_of(archive)}
            return waits(package, package.state, why, step, MANAGER)
    if package.data_transfer_package_id:
        answer = explain_bundle(package.data_transfer_package)
        if not answer.done:
            bundle = name_row(DataTransferPackage, package.data_transfer_package_id)
            why = _("%(name)s: travels in %(bundle)s") % {"name": name, "bundle": bundle}
            return answer.because_of(package, package.state, why)
        why = _(
            "%(name)s: its bundle has arrived, but no copy of it can be read in a buffer at the site of an archive"
        ) % {"name": name}
        step = _("find its bytes, and have it unpacked or transferred again")
        return waits(package, package.state, why, step, OPERATOR)
    if buffers:
        place = place_of(buffers[0])
        why = _("%(name)s: is at %(place)s in no bundle") % {"name": name, "place": place}
        step = _("bundle the packages at %(place)s") % {"place": place}
        return waits(package, package.state, why, step, MANAGER)
    why = _("%(name)s: no copy of it can be read in any buffer") % {"name": name}
    in_buffers = package.copies.filter(data_location__location_type=LocationType.BUFFER)
    step = either([*list_ways_back(in_buffers), _("make its tar again from its files")])
    return waits(package, package.state, why, step, OPERATOR)


def _explain_archived(package) -> Explanation:
    name, needed = name_row(RawDataPackage, package.pk), conf.get("OPSDB_MIN_ARCHIVE_COPIES")
    safe, lacking = count_safe_archive_copies(package), find_lacking_archives(package)
    if lacking:
        answer = ngettext(
            "%(name)s: archives hold %(safe)d verified copy of it; %(archives)s should hold one, too",
            "%(name)s: archives hold %(safe)d verified copies of it; %(archives)s should hold one, too",
            safe,
        ) % {"name": name, "safe": safe, "archives": ", ".join(map(place_of, lacking))}
        return _explain_lacking(package, lacking[0]).because_of(package, package.state, answer)
    answer = ngettext(
        "%(name)s: archives hold %(safe)d verified copy of it; needed: %(needed)d",
        "%(name)s: archives hold %(safe)d verified copies of it; needed: %(needed)d",
        safe,
    ) % {"name": name, "safe": safe, "needed": needed}
    if safe >= needed:
        return done(package, package.state, answer)
    why = _("%(name)s: there are fewer active archives than OPSDB_MIN_ARCHIVE_COPIES needs copies") % {"name": name}
    step = _("enable or add an archive, or lower OPSDB_MIN_ARCHIVE_COPIES")
    return waits(package, package.state, why, step, OPERATOR).because_of(package, package.state, answer)


def _explain_lacking(package, archive) -> Explanation:
    """Return how a package comes into an archive that has no good copy of it, while another archive has one."""
    name, place = name_row(RawDataPackage, package.pk), place_of(archive)
    into_archive = package.archive_transfers.filter(destination_location=archive)
    planned = into_archive.exclude(status=Status.COMPLETED).order_by("pk").first()
    if planned:
        return explain_archive_transfer(planned)
    copy = PhysicalCopy.objects.at(archive).of(package).select_related("data_location__site").first()
    if copy and copy.status != PhysicalCopyStatus.DELETED:
        why = _("%(copy)s: is %(status)s and %(verification)s at %(place)s") % {
            "copy": name_row(PhysicalCopy, copy.pk),
            "status": copy.get_status_display(),
            "verification": copy.get_verification_display(),
            "place": place,
        }
        if copy.status == PhysicalCopyStatus.PRESENT and copy.verification == Verification.UNVERIFIED:
            if not copy.unread_count:
                return _explain_unverified(package, copy, why)
            return EXPLAINERS[PhysicalCopy](copy).because_of(package, package.state, why)
        if find_good_copy(package, but_not_at=archive):
            step = _("bring a good copy back there: plan its repair (“Repair” in the admin, or %(repair)s)")
            return waits(package, package.state, why, step % {"repair": REPAIR_PACKAGE}, OPERATOR)
        return EXPLAINERS[PhysicalCopy](copy).because_of(package, package.state, why)
    bundle = package.data_transfer_package
    coming = bundle and (
        bundle.data_transfers.filter(destination_location__site=archive.site_id)
        .exclude(status=Status.COMPLETED, unpack_status=Status.COMPLETED)
        .order_by("-pk")
        .first()
    )
    if coming:
        return explain_transfer(coming)
    buffered = PhysicalCopy.objects.readable().of(package).filter(data_location__location_type=LocationType.BUFFER)
    if not into_archive.exists() and buffered.filter(data_location__site=archive.site_id).exists():
        if not Room().takes(archive, package.size_bytes):
            return waits_for_room(package, package.state, archive, package.size_bytes)
        why = _("%(name)s: is in a buffer at the site of %(place)s, and nobody has planned its archiving there")
        step = _("plan the archiving into %(place)s") % {"place": place}
        return waits(package, package.state, why % {"name": name, "place": place}, step, MANAGER)
    bundled = bundle and PhysicalCopy.objects.readable().of(bundle).filter(
        data_location__location_type=LocationType.BUFFER, data_location__site__in=Site.objects.archiving()
    )
    if bundled and bundled.exists() and not into_archive.exists():
        why = _("%(name)s: %(place)s has no copy of it, and no transfer brings one")
        why %= {"name": name, "place": place}
        return waits(package, package.state, why, _("plan further transfers and their archiving"), MANAGER)
    if find_good_copy(package, but_not_at=archive):
        why = _("%(name)s: no transfer brings it to %(place)s any more") % {"name": name, "place": place}
        step = _("plan its repair (“Repair” in the admin, or %(repair)s)") % {"repair": REPAIR_PACKAGE}
        return waits(package, package.state, why, step, OPERATOR)
    why = _("%(name)s: no copy of it is verified") % {"name": name}
    steps = list_ways_back(package.copies.all()) or [_("make its tar again from its files")]
    return waits(package, package.state, why, either(steps), OPERATOR)


def _explain_unverified(package, copy, why) -> Explanation:
    """Return who compares the checksum of a copy in an archive that was not compared yet."""
    if copy.data_location.fixity_interval_days is None:
        return waits(package, package.state, why, way_back_of(copy), OPERATOR)
    step = _("compute the checksum of %(copy)s, and report it") % {"copy": name_row(PhysicalCopy, copy.pk)}
    return waits(package, package.state, why, step, worker_at(copy.data_location, Operation.FIXITY_CHECK))


@explains(DataTransferPackage)
def explain_bundle(bundle: DataTransferPackage) -> Explanation:
    """Return why a bundle is not made, transferred or unpacked.

    Args:
        bundle: the bundle.
    """
    name = name_row(DataTransferPackage, bundle.pk)
    if bundle.status != Status.COMPLETED:
        operation = Operation.DATA_TRANSFER_PACKAGE_CREATION
        return explain_work(bundle, _("making the bundle"), bundle.origin_location, operation, RESET_BUNDLING)
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
    try:
        reason = _why_not_routed(bundle)
    except NoRoom as full:
        return waits_for_room(bundle, bundle.status, full.location, bundle.size_bytes)
    if reason and DataLocation.objects.at_site(bundle.origin_location.site_id).archives().active().exists():
        why = _("%(name)s: was made at a site with an archive, and no route leads to another") % {"name": name}
        return done(bundle, bundle.status, why)
    if reason:
        why = _("%(name)s: no route leads to an archive: %(reason)s") % {"name": name, "reason": reason}
        return waits(bundle, bundle.status, why, _("make or enable a route or a buffer"), OPERATOR)
    why = _("%(name)s: no transfer is planned") % {"name": name}
    return waits(bundle, bundle.status, why, _("plan the transfers"), MANAGER)


def _why_not_routed(bundle) -> str:
    """Return why no site with an archive is reachable; empty when one is. Raise NoRoom when all of those are full."""
    reasons, full = [_("no site has an active archive")], None
    room, network = Room(), Network()
    for site in Site.objects.archiving():
        try:
            resolve_route(bundle.origin_location, site, room=room, size_bytes=bundle.size_bytes, network=network)
        except NoRoom as reason:
            full = full or reason
        except NoRoute as reason:
            reasons.append(str(reason))
        else:
            return ""
    if full:
        raise full
    return reasons[-1]

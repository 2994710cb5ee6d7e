"""Bundles and transfers for tests of their ways."""

from opsdb.models import (
    DataTransferRoute,
    RawDataPackage,
)
from opsdb.testing.factories import DataTransferRouteFactory, DiskDataLocationFactory, SiteFactory
from opsdb.workflows import (
    bundle_raw_data_packages,
    plan_transfers,
)


def made_bundles(world, number):
    return [world.made_bundle() for _ in range(number)]


def ends(transfers):
    return [(str(transfer.origin_location.site), str(transfer.destination_location.site)) for transfer in transfers]


def arrived(world):
    """A primary transfer that has arrived and waits for unpacking, with its raw packages."""
    world.made_packages(executions=2)
    [bundle] = bundle_raw_data_packages(world.ccat_buffer)
    world.make_bundle(bundle)
    plan_transfers()
    [transfer] = world.carry()
    return transfer, list(bundle.raw_data_packages.order_by("pk"))


def states(packages):
    return set(
        RawDataPackage.objects.filter(pk__in=[package.pk for package in packages]).values_list("state", flat=True)
    )


def only_by_relay(world):
    """Leave one way to Cologne: by a site that has no archive."""
    relay = SiteFactory(short_name="relay")
    buffer = DiskDataLocationFactory(site=relay, name="buffer")
    DataTransferRoute.objects.all().delete()
    type(world.us_archive).objects.filter(pk=world.us_archive.pk).update(active=False)
    DataTransferRouteFactory(origin_site=world.ccat, destination_site=world.cologne, relay=True, relay_site=relay)
    return buffer

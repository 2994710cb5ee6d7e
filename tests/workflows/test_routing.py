"""Routes: the operators' override first, then relay and direct by priority, then the topology."""

import pytest

from opsdb.models import DataLocation, DataTransferRoute, LocationType
from opsdb.testing.factories import DataTransferRouteFactory, DiskDataLocationFactory, SiteFactory
from opsdb.testing.nights import build_world, out_of_use
from opsdb.workflows import NoRoute, resolve_route
from tests.worlds import shared_world

pytestmark = pytest.mark.django_db


@shared_world
def world():
    world = build_world()
    DataTransferRoute.objects.all().delete()
    return world


def way(hops):
    return [(hop.origin.pk, hop.destination.pk, hop.route and hop.route.pk) for hop in hops]


def to_cologne(world, **fields):
    return DataTransferRouteFactory(origin_site=world.ccat, destination_site=world.cologne, **fields)


def custom(world, destination, **fields):
    ends = {"origin_location": world.ccat_buffer, "destination_location": destination}
    return to_cologne(world, custom=True, **ends, **fields)


def test_without_routes_the_topology_leads_to_the_first_buffer_of_an_archive_site(world, settings):
    settings.OPSDB_TRANSFER_METHOD = "rsync"
    DiskDataLocationFactory(site=world.cologne, name="later_buffer", priority=5)
    hops = resolve_route(world.ccat_buffer, world.cologne)
    assert way(hops) == [(world.ccat_buffer.pk, world.cologne_buffer.pk, None)]
    assert hops[0].method == "rsync"


def test_a_route_between_the_sites_comes_before_the_topology(world):
    route = to_cologne(world, method="globus")
    hops = resolve_route(world.ccat_buffer, world.cologne)
    assert way(hops) == [(world.ccat_buffer.pk, world.cologne_buffer.pk, route.pk)]
    assert hops[0].method == "globus"


def test_of_relay_and_direct_routes_the_one_of_lowest_priority_number_is_taken(world):
    direct = to_cologne(world, priority=2)
    relay = to_cologne(world, relay=True, relay_site=world.us, priority=1)
    assert way(resolve_route(world.ccat_buffer, world.cologne)) == [
        (world.ccat_buffer.pk, world.us_buffer.pk, relay.pk),
        (world.us_buffer.pk, world.cologne_buffer.pk, relay.pk),
    ]
    DataTransferRoute.objects.filter(pk=direct.pk).update(priority=0)
    assert way(resolve_route(world.ccat_buffer, world.cologne)) == [
        (world.ccat_buffer.pk, world.cologne_buffer.pk, direct.pk)
    ]


def test_a_custom_route_overrides_whatever_the_priority(world):
    special = DiskDataLocationFactory(site=world.cologne, name="special", priority=9)
    to_cologne(world, priority=0)
    route = custom(world, special, priority=50)
    assert way(resolve_route(world.ccat_buffer, world.cologne)) == [(world.ccat_buffer.pk, special.pk, route.pk)]


def test_a_custom_route_is_for_its_two_locations_only(world):
    special = DiskDataLocationFactory(site=world.cologne, name="special", priority=9)
    custom(world, special)
    assert way(resolve_route(world.spare_buffer, world.cologne)) == [
        (world.spare_buffer.pk, world.cologne_buffer.pk, None)
    ]
    assert way(resolve_route(world.ccat_buffer, world.cologne_buffer)) == [
        (world.ccat_buffer.pk, world.cologne_buffer.pk, None)
    ]


def test_routes_out_of_use_are_passed_over(world):
    special = DiskDataLocationFactory(site=world.cologne, name="special", priority=9)
    override, relay = custom(world, special), to_cologne(world, relay=True, relay_site=world.us)
    with out_of_use(override, relay):
        assert way(resolve_route(world.ccat_buffer, world.cologne)) == [
            (world.ccat_buffer.pk, world.cologne_buffer.pk, None)
        ]


def test_locations_out_of_use_are_passed_over(world):
    special = DiskDataLocationFactory(site=world.cologne, name="special", priority=9)
    custom(world, special)
    to_cologne(world, relay=True, relay_site=world.us, priority=1)
    direct = to_cologne(world, priority=2)
    with out_of_use(special, world.us_buffer):
        assert way(resolve_route(world.ccat_buffer, world.cologne)) == [
            (world.ccat_buffer.pk, world.cologne_buffer.pk, direct.pk)
        ]
    with out_of_use(special, world.cologne_buffer):
        fallback = DiskDataLocationFactory(site=world.cologne, name="fallback", priority=20)
        with out_of_use(world.us_buffer):
            assert resolve_route(world.ccat_buffer, world.cologne)[0].destination.pk == fallback.pk


def test_a_site_without_a_buffer_in_use_can_not_be_reached(world):
    with out_of_use(world.cologne_buffer), pytest.raises(NoRoute, match="no active buffer; add or enable one"):
        resolve_route(world.ccat_buffer, world.cologne)
    with pytest.raises(NoRoute, match="is not an active buffer; enable it"):
        resolve_route(world.ccat_buffer, world.processing)


def test_the_topology_leads_to_archive_sites_only(world):
    site = SiteFactory(short_name="office")
    DiskDataLocationFactory(site=site)
    with pytest.raises(NoRoute, match="no active archive; add a route"):
        resolve_route(world.ccat_buffer, site)
    with out_of_use(world.cologne_archive), pytest.raises(NoRoute, match="add a route"):
        resolve_route(world.ccat_buffer, world.cologne)


def test_there_is_no_route_within_a_site(world):
    with pytest.raises(NoRoute, match="at this site already"):
        resolve_route(world.ccat_buffer, world.ccat)


def test_resolving_costs_few_queries(world, django_assert_max_num_queries):
    for priority in range(20):
        to_cologne(world, priority=priority + 10)
    origin = DataLocation.objects.get(pk=world.ccat_buffer.pk)
    with django_assert_max_num_queries(3):
        resolve_route(origin, world.cologne)
    assert origin.location_type == LocationType.BUFFER

"""The queues that sites and locations imply, and what is missing among them."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from opsdb.models import DataLocation, DataTransferRoute, Site
from opsdb.testing.factories import (
    DataTransferRouteFactory,
    DiskDataLocationFactory,
    InstrumentFactory,
    PipelineFactory,
    S3DataLocationFactory,
    SiteFactory,
)
from opsdb.testing.nights import build_world, out_of_use
from opsdb.workflows import Operation, Severity, format_queue_name, list_queues, validate_topology
from tests.worlds import shared_world

pytestmark = pytest.mark.django_db


@shared_world
def world():
    built = build_world()
    DataLocation.objects.update(retention_days=30, fixity_interval_days=30)
    return built


def told(severity, *words):
    """The problems of this severity that say all of these words."""
    problems = [problem for problem in validate_topology() if problem.severity == severity]
    return [problem for problem in problems if all(word in str(problem) for word in words)]


def test_a_queue_is_named_after_site_location_and_operation(world):
    assert format_queue_name(world.ccat_buffer, Operation.DATA_TRANSFER) == "ccat_buffer_data_transfer"


def test_every_location_has_the_queues_of_its_type(world, django_assert_num_queries):
    with django_assert_num_queries(2):
        names = [queue.name for queue in list_queues()]
    assert len(names) == len(set(names))
    assert {name for name in names if name.startswith("ccat_chai_")} == {
        "ccat_chai_raw_data_package_creation",
        "ccat_chai_fixity_check",
        "ccat_chai_deletion",
    }
    assert "ccat_buffer_data_transfer_package_creation" in names
    assert "cologne_buffer_data_transfer_unpacking" in names
    assert "us_archive_long_term_archive_transfer" in names
    assert "cologne_ramses_staging" in names
    # What an archive holds stays there.
    assert "cologne_archive_deletion" not in names


def test_a_location_out_of_use_keeps_its_queues_and_says_so(world):
    with out_of_use(world.spare_buffer):
        assert {queue.active for queue in list_queues() if queue.location == "spare_buffer"} == {False}


def test_nothing_is_missing_in_a_complete_topology(world):
    assert validate_topology() == []


def test_the_number_of_queries_does_not_grow_with_sites_and_locations(world):
    build_world(names=("one", "two", "three"))
    with CaptureQueriesContext(connection) as few:
        validate_topology()
    build_world(names=("four", "five", "six"))
    with CaptureQueriesContext(connection) as many:
        validate_topology()
    assert len(many) == len(few)


def test_an_empty_database_lacks_an_archive(db):
    [problem] = validate_topology()
    assert problem.severity == Severity.ERROR
    assert "no long-term archive" in problem.problem


def test_an_observatory_site_without_a_buffer_is_an_error(world):
    with out_of_use(world.ccat_buffer, world.spare_buffer):
        [problem] = told(Severity.ERROR, "site ccat")
    assert "has a source location and no active buffer" in problem.problem
    assert problem.remedy == "add a buffer location there, or enable one"


def test_an_archive_site_without_a_buffer_is_an_error(world):
    with out_of_use(world.us_buffer):
        assert told(Severity.ERROR, "site us", "nothing can arrive for its archive")


def test_a_buffer_that_no_way_leads_from_is_an_error(world):
    DataTransferRoute.objects.all().delete()
    assert told(Severity.ERROR) == []  # the topology itself gives a way to every archive site
    with out_of_use(world.us_buffer, world.cologne_buffer):
        [one, *_] = told(Severity.ERROR, "location ccat/", "no route leads from it")
    assert "has no active buffer" in one.remedy


def test_no_archive_at_all_is_an_error(world):
    with out_of_use(*world.archives):
        assert told(Severity.ERROR, "no long-term archive is active")


def test_all_archives_at_one_site_are_a_risk(world):
    with out_of_use(world.us_archive):
        assert told(Severity.WARNING, "site cologne", "one accident can take every copy")


def test_fewer_archives_than_copies_are_needed_is_an_error(world, settings):
    settings.OPSDB_MIN_ARCHIVE_COPIES = 3
    assert told(Severity.ERROR, "2 archives are active", "OPSDB_MIN_ARCHIVE_COPIES is 3")


def test_archives_that_no_way_leads_between_get_no_second_copy(world):
    with out_of_use(world.us_buffer):
        assert told(Severity.WARNING, "site cologne", "no route leads to site us")


def test_s3_without_credentials_is_told_with_the_variable(world, monkeypatch):
    S3DataLocationFactory(site=world.cologne, name="store", archive=True, fixity_interval_days=30)
    [problem] = told(Severity.WARNING, "location cologne/store")
    assert "OPSDB_S3_COLOGNE_STORE_ACCESS_KEY_ID is not set" in problem.problem
    monkeypatch.setenv("OPSDB_S3_COLOGNE_STORE_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("OPSDB_S3_COLOGNE_STORE_SECRET_ACCESS_KEY", "secret")
    assert told(Severity.WARNING) == []


def test_a_location_that_only_fills_up_is_told(world):
    world.source.retention_days = None
    DataLocation.objects.filter(pk=world.source.pk).update(retention_days=None)
    assert told(Severity.WARNING, "location ccat/chai", "only fills up")
    DataLocation.objects.filter(pk=world.source.pk).update(deletion_threshold_percent=80)
    assert told(Severity.WARNING, "location ccat/chai", "the threshold never applies")
    DataLocation.objects.filter(pk=world.source.pk).update(capacity_bytes=10)
    assert told(Severity.WARNING) == []


def test_an_archive_that_is_never_checked_is_told(world):
    DataLocation.objects.update(fixity_interval_days=None)
    assert len(told(Severity.WARNING, "damage there goes unnoticed")) == 2


def test_a_route_that_is_passed_over_is_told(world):
    DataTransferRouteFactory(name="by moon", origin_site=world.ccat, destination_site=world.us, relay=True)
    DataTransferRouteFactory(name="to archive", origin_site=world.ccat, destination_site=world.us, custom=True)
    route = DataTransferRoute.objects.get(name="to archive")
    DataLocation.objects.filter(pk=route.destination_location_id).update(active=False)
    assert told(Severity.WARNING, "route by moon", "is skipped")
    assert told(Severity.WARNING, "route to archive", "is skipped")


def test_an_instrument_without_a_place_for_its_files_is_told(world):
    InstrumentFactory(name="New")
    assert told(Severity.WARNING, "instrument New", "no active source location")


def test_a_pipeline_that_can_not_have_its_data_staged_is_an_error(world):
    PipelineFactory(name="maps", processing_location=world.processing)
    with out_of_use(world.processing):
        assert told(Severity.ERROR, "pipeline maps", "inactive")


def test_small_things_are_notes(world):
    SiteFactory(short_name="empty")
    DiskDataLocationFactory(site=Site.objects.get(short_name="ccat"), source=True, instrument=None, retention_days=1)
    assert told(Severity.NOTE, "site empty", "has no active location")
    assert told(Severity.NOTE, "is a source location of no instrument")


def test_the_worst_comes_first(world):
    SiteFactory(short_name="empty")
    with out_of_use(world.us_buffer):
        severities = [problem.severity for problem in validate_topology()]
    assert severities == sorted(severities, key=list(Severity).index)

"""Where the copies of a row are."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from opsdb.models import (
    PhysicalCopy,
    StagingJob,
)
from opsdb.testing.factories import (
    DataProductFactory,
    ObservingProgramFactory,
)
from opsdb.testing.nights import build_world
from opsdb.workflows import (
    Refused,
    claim_deletions,
    complete_deletion,
    explain_row,
    find_copies,
    find_row,
    release_staging,
    schedule_deletion,
)
from tests.plans import assert_along_indexes, planning_without
from tests.worlds import shared_world

pytestmark = pytest.mark.django_db


@shared_world
def world():
    """An observatory with an archived package."""
    world = build_world()
    world.package = world.archived_package()
    return world


def places(answer):
    return {(copy.of.partition(" ")[0], f"{copy.site}/{copy.location}", copy.status) for copy in answer.copies}


def test_every_copy_of_an_archived_package_is_told(world):
    package = world.package
    answer = find_copies(package.name)
    assert answer.subject == f"raw_data_package {package.pk}"
    assert {place for kind, place, _ in places(answer) if kind == "raw_data_package"} == {
        "ccat/buffer",
        "cologne/buffer",
        "cologne/archive",
        "us/buffer",
        "us/archive",
    }
    assert {place for kind, place, _ in places(answer) if kind == "data_transfer_package"} >= {"ccat/buffer"}
    assert {place for kind, place, _ in places(answer) if kind == "raw_data_file"} == {"ccat/chai"}
    assert len(answer.copies) == PhysicalCopy.objects.count()
    archived = [copy for copy in answer.copies if copy.location == "archive"]
    assert all(copy.verification == "verified" and copy.verified_at and copy.relative_path for copy in archived)


def test_a_file_is_also_where_its_packages_are(world):
    package = world.package
    file = package.raw_data_files.first()
    answer = find_copies(file)
    assert {kind for kind, _, _ in places(answer)} == {"raw_data_file", "raw_data_package", "data_transfer_package"}
    assert len([copy for copy in answer.copies if copy.of == f"raw_data_file {file.pk}"]) == 1


def test_an_observation_a_transfer_package_and_a_product_are_somewhere(world):
    package = world.package
    assert len(find_copies(package.executed_obs_unit).copies) == PhysicalCopy.objects.count()
    assert {kind for kind, _, _ in places(find_copies(package.data_transfer_package))} == {
        "data_transfer_package",
        "raw_data_package",
    }
    product = DataProductFactory()
    assert find_copies(product).copies == []
    copy = PhysicalCopy.objects.create(data_product=product, data_location=world.processing)
    [found] = find_copies(product).copies
    assert (found.id, found.site, found.location, found.status) == (copy.pk, "cologne", "ramses", "present")
    assert find_copies(copy).copies == [found]


def test_a_deleted_copy_is_told_as_deleted(world):
    package = world.package
    world.staged(package)
    release_staging(StagingJob.objects.get())
    schedule_deletion(world.copy(package, world.processing))
    [copy] = claim_deletions(world.processing, limit=1).copies
    complete_deletion(copy)
    assert ("raw_data_package", "cologne/ramses", "deleted") in places(find_copies(package))


def test_where_something_is_costs_a_fixed_number_of_queries(world):
    small, large = world.archived_package(files=1), world.archived_package(files=30)
    for kind in ("executed_obs_unit", None):
        costs = []
        for package in (small, large):
            with CaptureQueriesContext(connection) as queries:
                find_copies(getattr(package, kind) if kind else package)
            costs.append(len(queries))
        assert costs[0] == costs[1] <= 4


def test_a_long_list_is_cut_and_says_so(world):
    package = world.package
    answer = find_copies(package, limit=3)
    assert answer.truncated
    assert not find_copies(package).truncated


def test_what_has_no_copies_is_refused(world):
    with pytest.raises(Refused, match="has no copies"):
        find_copies(ObservingProgramFactory())


def test_finding_and_locating_go_along_indexes(world):
    package = world.package
    file = package.raw_data_files.first()
    asked = [
        lambda: find_copies(file),
        lambda: find_copies(package.executed_obs_unit),
        lambda: find_copies(package.data_transfer_package),
        lambda: find_row(str(package.pk)),
        lambda: find_row(file.relative_path),
        lambda: find_row(package.name),
        lambda: find_row(package.checksum),
        lambda: explain_row(package.executed_obs_unit),
        lambda: explain_row(file),
    ]
    with planning_without("seqscan"):
        for question in asked:
            with CaptureQueriesContext(connection) as queries:
                question()
            for query in queries:
                assert_along_indexes(query["sql"])

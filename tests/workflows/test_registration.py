"""Registering raw data files in bulk: all or none, again without effect, and never two truths."""

import threading
from itertools import count

import pytest
from django.db import connection, connections

from opsdb.database.identifiers import uuid7
from opsdb.models import PhysicalCopy, PhysicalCopyStatus, RawDataFile, Verification
from opsdb.row_labels import place_of
from opsdb.testing.factories import (
    DiskDataLocationFactory,
    ExecutedObsUnitFactory,
    InstrumentModuleFactory,
    RawDataFileFactory,
)
from opsdb.workflows import RawFileReport, RegistrationRefused, register_raw_data_files

pytestmark = pytest.mark.django_db


@pytest.fixture
def reports():
    """A function that makes reports of files of one execution; keywords change them."""
    execution, module = ExecutedObsUnitFactory(), InstrumentModuleFactory()
    location = DiskDataLocationFactory(source=True, instrument=module.instrument)

    def make(number, start=0, **changes):
        for index in range(start, start + number):
            yield RawFileReport(
                **{
                    "executed_obs_unit": execution.pk,
                    "instrument_module": module.pk,
                    "source_location": location.pk,
                    "relative_path": f"2026-06-15/{index:06}.fits",
                    "size_bytes": 1_000 + index,
                    "checksum": f"{index:064x}",
                    "file_type": "fits",
                    **changes,
                }
            )

    return make


def refused(batch):
    """The problems that make a batch refused; nothing may have been written."""
    before = RawDataFile.objects.count(), PhysicalCopy.objects.count()
    with pytest.raises(RegistrationRefused) as caught:
        register_raw_data_files(batch)
    assert (RawDataFile.objects.count(), PhysicalCopy.objects.count()) == before
    return caught.value.problems


def test_every_file_gets_an_unverified_present_copy_at_its_source(reports):
    done = register_raw_data_files(reports(20))
    assert (done.created, done.known) == (20, 0)
    for file in RawDataFile.objects.all():
        copy = file.copies.get()
        assert copy.data_location_id == file.source_location_id
        assert (copy.status, copy.verification) == (PhysicalCopyStatus.PRESENT, Verification.UNVERIFIED)
        assert (copy.size_bytes, copy.checksum) == (file.size_bytes, file.checksum)


def test_dicts_do_as_well(reports):
    row = {name: getattr(next(reports(1)), name) for name in RawFileReport.__slots__}
    assert register_raw_data_files([row]).created == 1


def test_nothing_to_register_is_no_error():
    assert register_raw_data_files([]).created == 0


def test_the_same_batch_again_changes_nothing(reports):
    first = list(reports(10))
    for report in first:
        report.id = uuid7()
    register_raw_data_files(first)
    stored = list(RawDataFile.objects.order_by("id").values())
    again = register_raw_data_files(first)
    assert (again.created, again.known) == (0, 10)
    assert list(RawDataFile.objects.order_by("id").values()) == stored
    assert PhysicalCopy.objects.count() == 10


def test_a_batch_that_overlaps_adds_what_is_new(reports):
    register_raw_data_files(reports(10))
    done = register_raw_data_files(reports(10, start=5))
    assert (done.created, done.known) == (5, 5)


def test_the_same_file_twice_in_a_batch_is_one_file(reports):
    done = register_raw_data_files([*reports(3), *reports(3)])
    assert (done.created, done.known) == (3, 3)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"checksum": "f" * 64}, "registered with checksum sha256 " + f"{1:064x}"),
        ({"size_bytes": 7}, "registered with size 1001"),
    ],
)
def test_other_facts_for_a_known_path_are_reported_by_line_and_stop_the_batch(reports, change, said):
    register_raw_data_files(reports(3))
    problems = refused([*reports(1), *reports(1, start=1, **change), *reports(5, start=10)])
    assert [line for line, _ in problems] == [2]
    assert said in problems[0][1]


def test_two_truths_about_one_path_within_a_batch_are_refused(reports):
    problems = refused([*reports(2), *reports(1, start=1, checksum="e" * 64)])
    assert len(problems) == 1 and "000001.fits was registered with checksum" in problems[0][1]


def test_a_known_id_with_another_path_is_refused(reports):
    known = RawDataFileFactory()
    problems = refused(reports(1, id=known.pk))
    assert problems == [
        (
            1,
            f"the id {known.pk} belongs to the file {known.relative_path} at {place_of(known.source_location)}; "
            "give this file an id of its own, or none",
        )
    ]


def test_another_id_for_a_known_path_is_refused(reports):
    first = uuid7()
    register_raw_data_files(reports(1, id=first))
    assert f"was registered with the id {first}, not" in refused(reports(1, id=uuid7()))[0][1]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"executed_obs_unit": uuid7()}, "there is no executed_obs_unit"),
        ({"executed_obs_unit": None}, "executed_obs_unit is missing; give its id"),
        ({"instrument_module": 987654}, "there is no instrument_module 987654"),
        ({"source_location": 987654}, "there is no data_location 987654"),
        ({"relative_path": "a//b"}, "relative_path 'a//b'; give a path below the location"),
        ({"relative_path": "a/../b"}, "give a path below the location"),
        ({"relative_path": "a\nb"}, "give a path below the location"),
        ({"relative_path": "x" * 1001}, "at most 1000 characters"),
        ({"relative_path": None}, "relative_path missing"),
        ({"size_bytes": -1}, "size_bytes is -1; give the size in bytes, 0 or more"),
        ({"size_bytes": None}, "size_bytes is missing"),
        ({"size_bytes": "many"}, 'size_bytes: "many"'),
        ({"size_bytes": 2**70}, "size_bytes"),
        ({"checksum": "ABC"}, "checksum 'abc' is no sha256 checksum; give all of its hexadecimal digits"),
        ({"checksum": None}, "checksum is missing"),
        ({"checksum_algorithm": "crc17"}, "checksum_algorithm crc17 is not known; use one of sha256"),
        ({"file_type": "x" * 51}, "file_type is longer than 50 characters"),
        ({"id": "not-a-uuid"}, "not-a-uuid"),
    ],
)
def test_a_wrong_row_is_reported_by_line_and_stops_the_batch(reports, change, said):
    problems = refused([*reports(2), *reports(1, start=2, **change), *reports(2, start=3)])
    assert len(problems) == 1
    assert problems[0][0] == 3
    assert said in problems[0][1]


def test_a_location_that_is_no_source_is_refused(reports):
    buffer = DiskDataLocationFactory(location_type="buffer")
    assert (
        "is a buffer location; register files at the source location"
        in refused(reports(1, source_location=buffer.pk))[0][1]
    )


def test_at_most_a_hundred_problems_are_listed(reports):
    problems = refused(reports(150, size_bytes=-1))
    assert [line for line, _ in problems] == list(range(1, 101))


def test_an_error_of_the_caller_leaves_nothing_behind(reports):
    def stream():
        yield from reports(100)
        raise RuntimeError("the disk is gone")

    with pytest.raises(RuntimeError, match="the disk is gone"):
        register_raw_data_files(stream())
    assert not RawDataFile.objects.exists()
    assert register_raw_data_files(reports(100)).created == 100


def test_the_caller_may_query_while_it_reports(reports):
    def stream():
        for report in reports(10):
            assert RawDataFile.objects.count() == 0
            yield report

    assert register_raw_data_files(stream()).created == 10


def test_a_value_of_a_wrong_type_is_found_in_a_later_chunk(reports):
    batch = [*reports(6_000), *reports(1, start=6_000, size_bytes="many")]
    assert refused(batch) == [(6_001, 'column size_bytes: "many": invalid input syntax for type bigint: "many"')]


def test_the_number_of_statements_does_not_grow_with_the_batch(reports):
    def statements(number, start):
        with connection.execute_wrapper(counted):
            register_raw_data_files(reports(number, start=start))
        return next(calls)

    calls = None

    def counted(execute, *arguments):
        next(calls)
        return execute(*arguments)

    calls = count()
    few = statements(2, 0)
    calls = count()
    assert statements(2_000, 10) == few


@pytest.mark.django_db(transaction=True)
def test_of_two_connections_that_register_the_same_files_each_file_is_created_once(reports):
    for attempt in range(10):
        batch = list(reports(200, start=attempt * 1_000))
        backwards = batch[::-1]
        results, failures = [], []
        barrier = threading.Barrier(2)

        def register(rows, barrier=barrier, results=results, failures=failures):
            try:
                barrier.wait()
                results.append(register_raw_data_files(rows))
            except Exception as error:
                failures.append(error)
            finally:
                connections.close_all()

        threads = [threading.Thread(target=register, args=(rows,)) for rows in (batch, backwards)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not failures
        assert sum(done.created for done in results) == 200
        assert sum(done.known for done in results) == 200
    assert RawDataFile.objects.count() == PhysicalCopy.objects.count() == 2_000


@pytest.mark.django_db(transaction=True)
def test_of_two_connections_with_two_truths_exactly_one_wins(reports):
    for attempt in range(10):
        batches = [
            list(reports(50, start=attempt * 100)),
            list(reports(50, start=attempt * 100, checksum="a" * 64)),
        ]
        outcomes = []
        barrier = threading.Barrier(2)

        def register(rows, barrier=barrier, outcomes=outcomes):
            try:
                barrier.wait()
                outcomes.append(register_raw_data_files(rows).created)
            except RegistrationRefused:
                outcomes.append("refused")
            finally:
                connections.close_all()

        threads = [threading.Thread(target=register, args=(rows,)) for rows in batches]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(outcomes, key=str) == [50, "refused"]

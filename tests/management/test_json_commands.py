"""What people see of opsdb_where, opsdb_explain, opsdb_status, opsdb_queues and opsdb_check."""

import json
from io import StringIO

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection

from opsdb.management.json_command import size
from opsdb.models import DataLocation, DataTransferRoute
from opsdb.testing.factories import DataProductFactory
from opsdb.testing.nights import build_world, out_of_use
from tests.commands import manage_several
from tests.databases import as_owner, put_guards_back
from tests.worlds import shared_world

COMMANDS = "opsdb_where x", "opsdb_explain x", "opsdb_status", "opsdb_queues", "opsdb_check"


@shared_world
def world():
    return build_world()


@pytest.fixture
def guarded(db):
    """Tables are guarded against TRUNCATE, as outside of tests, until the test's transaction ends."""
    put_guards_back()


def run(command, *arguments):
    out = StringIO()
    call_command(command, *map(str, arguments), stdout=out)
    return out.getvalue()


def asked(command, *arguments):
    return json.loads(run(command, *arguments, "--json"))


def test_where_shows_every_copy(world):
    package = world.archived_package(files=1)
    said = run("opsdb_where", package.pk)
    assert said.startswith(f"raw_data_package {package.pk}: {package.name}\n")
    for place in ("ccat/chai", "ccat/buffer", "cologne/buffer", "cologne/archive", "us/buffer", "us/archive"):
        assert place in said
    assert "verified" in said
    assert "long_term_archive" in said
    answer = asked("opsdb_where", package.name)
    assert {(copy["site"], copy["location"]) for copy in answer["copies"]} >= {("us", "archive"), ("ccat", "chai")}


def test_where_takes_a_table_and_a_key(world):
    product = DataProductFactory()
    assert "There is no copy." in run("opsdb_where", "data_product", product.pk)


def test_explain_says_why_what_next_and_who(world):
    [package] = world.plan_packages()
    said = run("opsdb_explain", package.pk)
    assert f"raw_data_package {package.pk}: waiting\n" in said
    assert "because raw_data_package" in said
    assert "Next: claim it: making its tar\n" in said
    assert "By:   worker at queue ccat_chai_raw_data_package_creation\n" in said
    answer = asked("opsdb_explain", package.name)
    assert answer["who"] == "worker at queue ccat_chai_raw_data_package_creation"
    assert answer["done"] is False
    assert answer["why"]


def test_explain_says_when_nothing_has_to_happen(world):
    assert run("opsdb_explain", world.archived_package().pk).endswith("Nothing has to happen.\n")


def test_status_shows_stages_locations_and_troubles(world):
    world.archived_package(files=3)
    world.begun_transfer()
    said = run("opsdb_status")
    assert "3 packaged" not in said
    assert "6 packaged" in said
    assert "1 transferring, 1 archived" in said
    assert "1 in_progress, 2 completed" in said
    assert "Failures: none.\nStalled: none.\n" in said
    answer = asked("opsdb_status")
    [files] = [stage for stage in answer["stages"] if stage["name"] == "raw data files"]
    assert files["states"][1] == {
        "state": "packaged",
        "number": {"value": 6, "exactness": "exact"},
        "oldest": None,
    }
    assert {place["location"] for place in answer["locations"]} >= {"chai", "buffer", "archive"}


def test_queues_lists_them(world):
    assert "ccat_chai_raw_data_package_creation" in run("opsdb_queues")
    assert {queue["name"] for queue in asked("opsdb_queues")} >= {"cologne_ramses_staging"}


def test_check_is_content_with_a_complete_topology(world, guarded):
    DataLocation.objects.update(retention_days=30, fixity_interval_days=30)
    assert run("opsdb_check") == "There are no problems.\n"
    assert asked("opsdb_check") == []


def test_check_ends_with_an_error_when_data_can_not_get_where_they_should(world, guarded):
    DataTransferRoute.objects.all().delete()
    out = StringIO()
    with out_of_use(world.us_buffer), pytest.raises(CommandError, match="^There is 1 error.$"):
        call_command("opsdb_check", stdout=out)
    assert "error" in out.getvalue()
    assert "site us" in out.getvalue()
    with out_of_use(world.us_buffer), pytest.raises(CommandError):
        call_command("opsdb_check", "--json", stdout=StringIO())


def test_check_ends_with_an_error_when_a_rule_is_switched_off(world, guarded):
    DataLocation.objects.update(retention_days=30, fixity_interval_days=30)
    with as_owner(), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE physical_copy DISABLE TRIGGER physical_copy_deletion_is_safe")
    out = StringIO()
    with pytest.raises(CommandError, match="^There is 1 error.$"):
        call_command("opsdb_check", "--json", stdout=out)
    [problem] = json.loads(out.getvalue())
    assert problem["subject"] == "trigger physical_copy_deletion_is_safe on physical_copy"
    assert problem["problem"] == "is disabled or differs from that of this version"


def test_check_accepts_the_reference_data(guarded):
    call_command("opsdb_init", data_archive_mode="development", verbosity=0)
    assert run("opsdb_check") == "There are no problems.\n"


def test_check_says_what_the_real_sites_lack(guarded):
    call_command("opsdb_init", data_archive_mode="production", verbosity=0)
    said = run("opsdb_check")
    assert "error" not in said
    assert "OPSDB_S3_COLOGNE_ARCHIVE_ACCESS_KEY_ID" in said


@pytest.mark.django_db
@pytest.mark.parametrize("command", ["opsdb_where", "opsdb_explain"])
def test_what_is_not_there_is_one_line(command):
    with pytest.raises(CommandError) as error:
        run(command, "no", "such\nthing")
    assert "there is no such row" in str(error.value)
    assert "\n" not in str(error.value)


def test_a_path_that_several_things_have_is_one_line_with_all_of_them(db):
    products = [DataProductFactory(relative_path="map.fits") for _ in range(2)]
    with pytest.raises(CommandError, match=f"data_product {products[0].pk}, data_product {products[1].pk}"):
        run("opsdb_where", "map.fits")


def test_names_in_square_brackets_are_printed_as_they_are(world):
    product = DataProductFactory(name="[red]map", relative_path="[bold]map.fits")
    assert "[red]map" in run("opsdb_where", "data_product", product.pk)


def test_without_a_database_each_ends_with_one_line():
    database = {"DATABASE_URL": "postgres://nobody@127.0.0.1:1/none", "SECRET_KEY": "x"}
    for done in manage_several(*COMMANDS, **database):
        assert (done.returncode, len(done.stderr.splitlines())) == (1, 1), done


def test_sizes_are_formatted_with_decimal_units():
    assert [size(number) for number in (None, 0, 999, 1_000, 2_500_000, 50 * 10**9, 3 * 10**15)] == [
        "-",
        "0 bytes",
        "999 bytes",
        "1 kB",
        "2.5 MB",
        "50 GB",
        "3 PB",
    ]

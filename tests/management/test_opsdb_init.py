"""What the administrator sees of opsdb_init."""

from concurrent.futures import ThreadPoolExecutor
from io import StringIO
from threading import Event

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import IntegrityError, connection, transaction

from opsdb.loaders.reference import hold_lock, load_reference
from opsdb.models import ChangeLog, DeletionPolicy, ExecutedObsUnit, ObsMode, Role, Site, Telescope
from opsdb.testing.factories import ExecutedObsUnitFactory, SiteFactory, UserFactory
from tests.databases import put_guards_back

pytestmark = pytest.mark.django_db


def init(*arguments):
    out = StringIO()
    call_command("opsdb_init", *map(str, arguments), stdout=out)
    return out.getvalue()


@pytest.fixture
def terminal(monkeypatch):
    """A function that puts a person in front of the command, who types this."""

    def terminal(answer):
        monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
        monkeypatch.setattr("builtins.input", lambda prompt: answer)

    return terminal


def test_it_counts_what_it_made_and_says_when_there_is_nothing_to_do():
    first = init()
    assert [line.split() for line in first.split("\n") if "ObsMode" in line] == [["ObsMode", "14", "-"]]
    assert first.endswith("Rows: 70 created.\n")
    assert init() == "Nothing to change; 70 rows are unchanged.\n"


def test_a_dry_run_lists_the_rows_and_writes_none():
    said = init("--dry-run")
    assert ["create", "Telescope", "ccat", "/", "Fred"] in [line.split()[:5] for line in said.split("\n")]
    assert said.endswith("Dry run, nothing was written. Rows: 70 created.\n")
    assert not Site.objects.exists()


def test_the_plan_shows_every_change_from_old_to_new(reference):
    Telescope.objects.update(elevation_m=5600)
    ObsMode.objects.create(name="ours")
    assert init() == (
        "Nothing to change; 70 rows are unchanged. 1 of them differ from the files: see --mode edit --dry-run.\n"
    )
    said = init("--mode", "prune", "--dry-run")
    lines = [" ".join(line.split()) for line in said.split("\n")]
    assert "change Telescope ccat / Fred Young Submillimeter Telescope: elevation_m 5600.0 → 5611.8" in lines
    assert "remove ObsMode ours" in lines
    assert lines[-2] == "Dry run, nothing was written. Rows: 1 changed, 1 removed."
    assert ObsMode.objects.filter(name="ours").exists()


def test_a_wrong_file_ends_it_with_a_line_that_names_file_and_path(tmp_path):
    (tmp_path / "index.yaml").write_text("files: [own.yaml]")
    (tmp_path / "own.yaml").write_text("Site: [{name: x, short_name: y z}]")
    with pytest.raises(CommandError, match=r"own\.yaml, line 1, Site\[0\]"):
        init("--reference", tmp_path)


def test_nothing_is_printed_when_asked_to_be_quiet():
    assert init("--verbosity", "0") == ""


def test_an_export_says_where_it_is_and_takes_no_other_options(reference, tmp_path):
    target = tmp_path / "new"
    assert init("--export", target) == f"70 rows of 15 models written to {target}.\n"
    assert init("--reference", target, "--mode", "prune").startswith("Nothing to change")
    with pytest.raises(CommandError, match="leave out --dry-run, --drop"):
        init("--export", target, "--drop", "--dry-run")


def test_the_change_log_says_that_init_did_it():
    init()
    assert set(ChangeLog.objects.filter(table_name="site").values_list("origin", flat=True)) == {"opsdb_init"}


@pytest.mark.django_db(transaction=True)
def test_it_says_that_it_waits_for_another_one():
    waits = Event()

    def load():
        try:
            return load_reference(waiting=waits.set)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            hold_lock()
            loading = pool.submit(load)
            assert waits.wait(60)
            assert not loading.done()
        assert loading.result().count("create") > 60


@pytest.fixture
def full(reference, owner):
    """A database with more than reference data, whose tables are guarded as they are elsewhere."""
    put_guards_back()
    SiteFactory()
    UserFactory(username="anna").groups.add(Role.objects.get(name="viewer"))
    return Site.objects.count()


def test_drop_empties_every_table_and_begins_again(full):
    policy = DeletionPolicy.objects.get()
    said = init("--drop", "--yes")
    assert ["site", "4"] in [line.split() for line in said.split("\n")]
    assert said.endswith("Rows: 70 created.\n")
    assert set(Site.objects.values_list("short_name", flat=True)) == {"ccat", "cologne", "us"}
    assert DeletionPolicy.objects.get().min_archive_copies == policy.min_archive_copies
    assert not UserFactory._meta.model.objects.exists()
    assert not ChangeLog.objects.filter(table_name="user").exists()
    assert init() == "Nothing to change; 70 rows are unchanged.\n"
    with pytest.raises(IntegrityError, match="change_log: is never emptied"), connection.cursor() as cursor:
        cursor.execute("TRUNCATE change_log")


def test_drop_can_be_tried_dry(full):
    said = init("--drop", "--dry-run")
    assert "Dropped" in said and "nothing was written" in said
    assert Site.objects.count() == full


def test_drop_is_undone_when_the_files_are_wrong(full, tmp_path):
    (tmp_path / "index.yaml").write_text("files: [own.yaml]")
    (tmp_path / "own.yaml").write_text("Telescope: [{observatory: x, name: x, short_name: x}]")
    with pytest.raises(CommandError):
        init("--drop", "--yes", "--reference", tmp_path)
    assert Site.objects.count() == full


def test_drop_asks_a_person_and_refuses_where_there_is_none(full, terminal):
    with pytest.raises(CommandError, match="there is no terminal: add --yes"):
        init("--drop")
    terminal("yes")
    with pytest.raises(CommandError, match="Nothing was dropped"):
        init("--drop")
    assert Site.objects.count() == full
    terminal(connection.settings_dict["NAME"])
    assert "Rows: 70 created." in init("--drop")
    assert Site.objects.count() == 3


@pytest.mark.parametrize("arguments", [["--drop", "--yes"], ["--drop"], ["--drop", "--dry-run"]])
def test_drop_is_refused_in_production(full, settings, arguments):
    settings.OPSDB_PRODUCTION = True
    with pytest.raises(CommandError, match="This is production"):
        init(*arguments)
    assert Site.objects.count() == full


def test_drop_is_refused_where_there_are_observations(full):
    ExecutedObsUnitFactory()
    with pytest.raises(CommandError, match=r"holds observations \(executed_obs_unit has rows\)"):
        init("--drop", "--yes")
    assert ExecutedObsUnit.objects.exists()


def test_drop_names_the_table_of_others_that_refers_to_ours(full):
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE theirs (site bigint REFERENCES site)")
    with pytest.raises(CommandError, match='Table "theirs" references "site"'):
        init("--drop", "--yes")
    assert Site.objects.count() == full

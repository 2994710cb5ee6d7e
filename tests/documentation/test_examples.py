"""Every block of the documentation is executed, on what ``make demo`` makes and in the order of the pages."""

import gc
import os
import re
import shlex
from contextlib import contextmanager, nullcontext

import pytest
from django.core.management import call_command
from django.db import connection

from opsdb.models import RawDataFile, RawDataPackage
from opsdb.workflows import RawFileReport, package_raw_data_files, register_raw_data_files
from tests import clusters
from tests.commands import ROOT
from tests.databases import as_owner, own_copy, put_guards_back
from tests.documentation.administrator import Administrator, assert_rules_and_history_work, with_clients
from tests.documentation.given import GIVEN
from tests.documentation.pages import PAGES, Block, blocks_of, name_of
from tests.documentation.reader import Reader, assert_well_formed

# The pages are read one after another, as they lead from one to the next.
pytestmark = pytest.mark.random_order(disabled=True)

BLOCKS = {name_of(page): blocks_of(page) for page in PAGES}
# Pages whose blocks of some languages another test executes, in the state that they are about.
ELSEWHERE = {
    "docs/security.md": ("sql sh", "tests/management/test_security_guide.py"),
    "docs/troubleshooting.md": ("console python", "tests/test_troubleshooting.py"),
    "docs/runbook.md": ("sh sql", "tests/documentation/test_runbook.py"),
}
MAKES_ENVIRONMENT = "makes an environment, from the network"
# Pages that begin with a demonstration of their own, which nobody has changed.
FRESH = ("docs/tutorials/", "docs/api/workflows.md", "docs/integration.md")
# Pages on tests, which begin with an empty database.
ON_TESTS = ("docs/testing.md",)
STAGES = ["Plan", "Observe", "Register", "Package", "Transfer", "Archive", "Stage", "Reduce", "Publish", "Delete"]
# Blocks that nobody executes, by page and beginning, with the reason.
PARSED = "an excerpt of a file that the page names; it is parsed"
NOT_EXECUTED = {
    ("README.md", "$ make demo"): MAKES_ENVIRONMENT + "; its commands are those of this test, read from the Makefile",
    ("README.md", "$ pip install"): MAKES_ENVIRONMENT + "; tests/test_wheel.py installs a wheel",
    ("CONTRIBUTING.md", "$ git clone"): MAKES_ENVIRONMENT,
    ("CONTRIBUTING.md", "$ .venv/bin/python -m pytest"): "runs the tests",
    ("docs/concepts.md", "Observatory (ccat)"): "a drawing",
    ("docs/concepts.md", "ExecutedObsUnit ──<"): "a drawing",
    ("docs/access.md", '{"detail": "RA'): "an answer of an API: tests/rest_framework",
    ("docs/metrics.md", "$ pip install"): MAKES_ENVIRONMENT,
    ("docs/metrics.md", "scrape_configs:"): "configures Prometheus, which is no part of the tests; it is parsed",
    ("docs/metrics.md", "groups:"): "configures Prometheus; its metrics are looked for by a test below",
    ("docs/operations.md", "ALTER DATABASE"): "needs a superuser and changes the server's log; it is parsed",
    (
        "docs/deployment.md",
        "adduser",
    ): "sets up a machine as root; tests/documentation/test_deployment.py has its files",
    ("docs/deployment.md", "systemctl"): "starts services of systemd",
    ("docs/deployment.md", "cd /srv/ops-db"): "needs the machine that was set up before",
    ("docs/deployment.md", "podman"): "needs a registry of images",
    ("docs/integration.md", "$ export DJANGO_SETTINGS_MODULE"): "goes on until it is ended; the page imports the file",
    ("docs/integration.md", "$ DATABASE_URL="): "goes on until it is ended; the page imports the file",
    ("docs/notebooks.md", "$ pip install"): MAKES_ENVIRONMENT,
    ("docs/databases.md", "CREATE SCHEMA"): "needs roles and a database of its own: tests/places/test_far_away.py",
    ("docs/databases.md", "$ python manage.py opsdb_databases"): "needs a replica: tests/places/test_replicas.py",
    ("docs/development.md", "config/"): "a drawing of the folders, whose paths tests/test_documentation.py looks for",
    ("docs/reference-data.md", "files:"): PARSED,
    ("docs/reference-data.md", "# yaml-language-server"): PARSED,
    ("docs/testing.md", "from opsdb.testing.databases"): "makes a server of its own: tests/host does so",
    ("docs/testing.md", 'call_command("dumpdata"'): "is refused outside of test databases: tests/test_testing.py",
    ("docs/testing.md", "pytest_plugins"): "is read by pytest alone: tests/host/conftest.py",
}
# How many files the demonstration gets before it is restored elsewhere.
MORE_FILES = 100_000 if os.environ.get("SOAK") else 1_000
# What a command takes, as its help has it, instead of a command.
SYNOPSIS = re.compile(r"\[--|\b[A-Z]{4,}\b")
# The commands of ``make demo``, with less for a reader to wait for.
FEWER = {"--nights": "1", "--weeks": "1", "--files-per-observation": "3"}
FEWER_OBSERVATIONS = ("--observations-per-night", "5")
MAKE_DEMO = re.compile(r"\$\(MANAGE\) (opsdb_(?:[\w@./ -]|\$\(\w+\))*)")
DEMO_VARIABLES = {"DEMO_SEASON": str(ROOT / "opsdb/reference/samples/season_2026A.yaml"), "DEMO_USER": "admin"}


def exception(block: Block) -> tuple[str, str] | None:
    """Return the exception that a block is, if it is one."""
    return next((key for key in NOT_EXECUTED if key[0] == block.page and block.text.strip().startswith(key[1])), None)


def is_elsewhere(block: Block) -> bool:
    """Return whether another test executes a block."""
    return block.language in ELSEWHERE.get(block.page, ("", ""))[0].split()


def is_synopsis(block: Block) -> bool:
    """Return whether a block names the arguments of a command."""
    return block.language == "command" and bool(SYNOPSIS.search(block.text))


def executed_here(page: str) -> list[Block]:
    """Return the blocks of a page that this module executes."""
    return [block for block in BLOCKS[page] if not (exception(block) or is_elsewhere(block) or is_synopsis(block))]


def pages_in_order() -> list[str]:
    """Return the pages: README, those that need a fresh demonstration, and the others as README leads to them."""
    order = [page for page in BLOCKS if page.startswith(FRESH)]
    for page in ("README.md", "docs/formats/index.md"):
        folder = (ROOT / page).parent
        for link in re.findall(r"\]\(([\w/.-]+\.md)", (ROOT / page).read_text()):
            order.append(str((folder / link).resolve().relative_to(ROOT)))
    return list(dict.fromkeys(["README.md", *(page for page in order if page in BLOCKS), *BLOCKS]))


@contextmanager
def database_for(page, of_tests):
    """Let the connection lead to the database that a page begins with."""
    demonstration = connection.settings_dict["NAME"]
    if page in ON_TESTS:
        connection.close()
        connection.settings_dict["NAME"] = of_tests
    with own_copy("fresh") if page.startswith((*FRESH, *ON_TESTS)) else nullcontext():
        yield
    connection.settings_dict["NAME"] = demonstration


@pytest.fixture(scope="module")
def database_of_tests(django_db_setup):
    return connection.settings_dict["NAME"]


@pytest.fixture(scope="module")
def demonstration(database_of_tests, django_db_blocker, tmp_path_factory):
    """Somebody who has run the commands of ``make demo``, in a database and a folder of their own."""
    with django_db_blocker.unblock(), own_copy("demonstration"), pytest.MonkeyPatch.context() as patch:
        recipe = (ROOT / "Makefile").read_text().partition("\ndemo: .venv/made")[2].partition("\n\n")[0]
        commands = [shlex.split(line) for line in MAKE_DEMO.findall(recipe)]
        assert [one[0] for one in commands] == ["opsdb_migrate", "opsdb_load", "opsdb_create_admin", "opsdb_demo"]
        for command in commands:
            words = [re.sub(r"\$\((\w+)\)", lambda found: DEMO_VARIABLES[found[1]], word) for word in command]
            words = [FEWER.get(before, word) for before, word in zip(["", *words], words, strict=False)]
            with as_owner():
                call_command(*words, *(FEWER_OBSERVATIONS if words[0] == "opsdb_demo" else ()), verbosity=0)
        patch.chdir(tmp_path_factory.mktemp("reader"))
        patch.setenv("COLUMNS", "100")
        reader = Reader()
        yield reader
        # What the pages have connected by themselves, such as followers of events.
        reader.names.clear()
        gc.collect()


@pytest.mark.parametrize("page", pages_in_order())
def test_a_page_does_what_it_shows(page, demonstration, database_of_tests, django_db_blocker, monkeypatch):
    if blocks := executed_here(page):
        with django_db_blocker.unblock(), database_for(page, database_of_tests):
            demonstration.follow(page, blocks, GIVEN.get(page, dict)())


def test_no_block_is_left_out():
    """Every exception concerns a block, has a reason, and is at least of its language."""
    known = {key: block for blocks in BLOCKS.values() for block in blocks if (key := exception(block))}
    assert set(known) == set(NOT_EXECUTED)
    assert all(len(reason) >= 9 for reason in NOT_EXECUTED.values())
    for page, (languages, module) in ELSEWHERE.items():
        assert {*languages.split()} <= {block.language for block in BLOCKS[page]}
        assert page.rpartition("/")[2] in (ROOT / module).read_text()
    for block in [block for blocks in BLOCKS.values() for block in blocks]:
        if exception(block) or is_synopsis(block):
            assert_well_formed(block)


def test_every_stage_and_every_module_of_the_api_reference_has_an_example():
    pages = [page for page in BLOCKS if page.startswith("docs/api/") and page != "docs/api/index.md"]
    assert [page for page in pages if not [block for block in executed_here(page) if block.language == "pycon"]] == []
    stages = re.findall(
        r"^### ([^\n]+)$(.*?)(?=^###? |\Z)", (ROOT / "docs/api/workflows.md").read_text(), re.DOTALL | re.M
    )
    assert [title for title, text in stages if "```pycon" in text] == STAGES


def test_the_examples_for_prometheus_name_metrics_that_there_are():
    page = (ROOT / "docs" / "metrics.md").read_text()
    table, _, rest = page.partition("## What there is")[2].partition("## Questions")
    named = set(re.findall(r"`(opsdb_\w+)`", table))
    assert named and set(re.findall(r"\bopsdb_(?!token)\w+(?=[{\[) /=>])", rest)) - {"opsdb_status"} <= named


def test_the_supported_versions_are_those_of_the_package():
    page = (ROOT / "docs" / "supported-versions.md").read_text()
    package = (ROOT / "pyproject.toml").read_text()
    for name, label in (("Django", r"Framework :: Django"), ("Python", r"Programming Language :: Python")):
        versions = re.findall(rf'"{label} :: (\d+\.\d+)"', package)
        row = re.search(rf"^\| {name} \| (.*) \|$", page, re.MULTILINE)[1]
        assert re.findall(r"\d+\.\d+\b(?!\.)", re.sub(r" \(.*?\)", "", row)) == versions


def observe_more(files):
    """Have the instrument of the newest file report so many more, and put them into packages."""
    newest = RawDataFile.objects.latest("pk")
    register_raw_data_files(
        RawFileReport(
            executed_obs_unit=newest.executed_obs_unit_id,
            instrument_module=newest.instrument_module_id,
            source_location=newest.source_location_id,
            relative_path=f"more/{number:06}.fits",
            size_bytes=2_880,
            checksum=f"{number:064x}",
        )
        for number in range(files)
    )
    package_raw_data_files(newest.source_location)


@with_clients
def test_the_demonstration_is_restored_into_an_empty_server(demonstration, django_db_blocker):
    with django_db_blocker.unblock(), own_copy("grown"), clusters.folder() as folder:
        put_guards_back()
        observe_more(MORE_FILES)
        server = clusters.Cluster(folder / "server").start()
        try:
            server.execute("CREATE DATABASE ops")
            counts = Administrator(folder, server).restore()
            assert counts["raw_data_file"] == RawDataFile.objects.count() > MORE_FILES
            assert counts["raw_data_package"] == RawDataPackage.objects.count()
            assert [table for table in ("physical_copy", "change_log") if counts[table] <= 0] == []
            assert_rules_and_history_work(server)
        finally:
            server.stop()

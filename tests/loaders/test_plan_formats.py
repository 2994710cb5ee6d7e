"""What the format pages say of columns is what the loaders do, and the sample season loads."""

import re
import shlex
from pathlib import Path

import pytest
from django.core.management import call_command

from opsdb.loaders import TableKind, kinds, load
from opsdb.loaders.recipe_files import AZIMUTH_COLUMNS, MAPPING_COLUMNS, TILE_COLUMNS
from opsdb.loaders.season import ENTRY_KEYS
from opsdb.models import AzimuthRange, ChaiInparParameter, ChaiTiling, Downtime, ObsUnit, TimeAllocation
from opsdb.testing.factories.planning import ConstantElevationSourceFactory, FixedSourceFactory
from tests.commands import ROOT
from tests.loaders.test_formats import KINDS as OTHERS

COLUMN = re.compile(r"^\| `(\w+)` \| (.+?)(, needed)? \| (.+) \|$", re.MULTILINE)
PAGES = ROOT / "docs" / "formats"
# A file that an example refers to, under its name; and an example, under its command.
COMPANION = re.compile(r"^\*\*`([^`]+)`\*\*\n\n```\w+\n(.*?)^```$", re.DOTALL | re.MULTILINE)
EXAMPLE = re.compile(r"^    manage\.py opsdb_load ([^\n]+)\n\n```\w+\n(.*?)^```$", re.DOTALL | re.MULTILINE)


# In the order in which a season's files are loaded. The pages of the others are written otherwise: see test_formats.
TABLES = [name for name, kind in kinds().items() if isinstance(kind, TableKind) and name not in OTHERS]
# What is described there, too.
BESIDE = {"obs-units": (*TILE_COLUMNS, *MAPPING_COLUMNS, *AZIMUTH_COLUMNS)}


def write(name, text):
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Path(name).write_text(text)


def test_the_examples_of_the_pages_load_one_after_the_other(reference, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    FixedSourceFactory(name="Orion KL")
    ConstantElevationSourceFactory(name="Deep 56")
    for kind in (*TABLES, "all"):
        page = (PAGES / f"{kind}.md").read_text()
        for name, text in COMPANION.findall(page):
            write(name, text)
        [(command, text)] = EXAMPLE.findall(page)
        of, file = shlex.split(command)
        assert of == kind
        write(file, text)
        call_command("opsdb_load", kind, file, verbosity=0)
        assert load(kind, file).changes_nothing
    assert {"Orion CO43", "Deep 56", "NGC1333 CO43"} <= set(ObsUnit.objects.values_list("name", flat=True))
    assert (ChaiTiling.objects.count(), ChaiInparParameter.objects.count(), AzimuthRange.objects.count()) == (2, 5, 2)
    assert (TimeAllocation.objects.count(), Downtime.objects.count()) == (4, 3)


def test_no_kind_of_files_is_left_out():
    assert {*TABLES, *OTHERS, "all"} == set(kinds())
    assert {page.stem for page in PAGES.glob("*.md")} == {*kinds(), "index", "source-lists", "raw-files"}


def test_the_page_of_a_season_names_the_keys_of_an_entry_and_the_kinds_of_files():
    page = (PAGES / "all.md").read_text()
    assert re.findall(r"^\| `(\w+)`(?:, needed)? \|", page, re.MULTILINE) == list(ENTRY_KEYS)
    [listed] = re.findall(r"^\| `kind`, needed \| kind of the files: (.*) \|$", page, re.MULTILINE)
    assert re.findall("`([a-z-]+)`", listed) == [name for name in kinds() if name != "all"]


@pytest.mark.parametrize("kind", TABLES)
def test_a_format_page_says_of_every_column_what_the_loader_does(kind):
    columns = (*kinds()[kind].columns, *BESIDE.get(kind, ()))
    page = (PAGES / f"{kind}.md").read_text()
    wanted = [(one.name, one.cell.expected, ", needed" if one.required else "", one.help) for one in columns]
    assert COLUMN.findall(page) == wanted


def test_the_sample_season_loads_and_loads_again_without_a_change(reference):
    index = ROOT / "opsdb" / "reference" / "samples" / "season_2026A.yaml"
    plan = load("all", index)
    assert {model: plan.counted("create", model) for model in ("observation unit", "pre-scheduled slot")} == {
        "observation unit": 12,
        "pre-scheduled slot": 48,
    }
    assert load("all", index).changes_nothing

"""The format pages of planning files: their examples load, and they name every column."""

import re
from pathlib import Path

import pytest

from opsdb.loaders.kinds import kinds
from opsdb.loaders.loading import load
from opsdb.loaders.recipe_files import AZIMUTH_COLUMNS, MAPPING_COLUMNS, TILE_COLUMNS
from tests.commands import ROOT
from tests.factories.planning import ConstantElevationSourceFactory, FixedSourceFactory

PAGES = ROOT / "docs" / "formats"
MAIN_FILES = {
    "allocations": "allocations.csv",
    "downtimes": "downtimes.csv",
    "obs-units": "obs_units.csv",
    "all": "season.yaml",
}
FILE = re.compile(r"^\*\*`(?P<name>[^`]+)`\*\*\n\n```\w+\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
COLUMN = re.compile(r"^\| `(?P<name>\w+)`(?P<needed>, needed)? \| (?P<holds>.+?) \| (?P<meaning>.+) \|$", re.MULTILINE)


def page(kind):
    return (PAGES / f"{kind}.md").read_text()


def example(kind, folder: Path) -> Path:
    """Write the files of a page's example; return the one to load."""
    for found in FILE.finditer(page(kind)):
        path = folder / found["name"]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(found["text"])
    return folder / MAIN_FILES[kind]


@pytest.mark.parametrize("kind", MAIN_FILES)
def test_the_example_of_a_format_page_loads_and_loads_again_without_a_change(reference, tmp_path, kind):
    if kind == "obs-units":
        FixedSourceFactory(name="Orion KL")
        ConstantElevationSourceFactory(name="E-CDFS")
    path = example(kind, tmp_path)
    assert load(kind, path).counted("create") >= 3
    assert load(kind, path).changes_nothing


@pytest.mark.parametrize("kind", ["allocations", "downtimes", "obs-units"])
def test_a_format_page_says_of_every_column_what_the_loader_does(kind):
    columns = kinds()[kind].columns
    if kind == "obs-units":
        columns = (*columns, *TILE_COLUMNS, *MAPPING_COLUMNS, *AZIMUTH_COLUMNS)
    told = [(one["name"], bool(one["needed"]), one["holds"], one["meaning"]) for one in COLUMN.finditer(page(kind))]
    assert told == [(one.name, one.required, one.cell.expected, one.help) for one in columns]


def test_the_sample_season_loads_and_loads_again_without_a_change(reference):
    index = ROOT / "opsdb" / "reference" / "samples" / "season_2026A.yaml"
    plan = load("all", index)
    assert {model: plan.counted("create", model) for model in ("observation unit", "pre-scheduled slot")} == {
        "observation unit": 12,
        "pre-scheduled slot": 48,
    }
    assert load("all", index).changes_nothing

"""What the format pages say of columns is what the loaders do, and the sample season loads."""

import re

import pytest

from opsdb.loaders.kinds import kinds
from opsdb.loaders.loading import load
from opsdb.loaders.recipe_files import AZIMUTH_COLUMNS, MAPPING_COLUMNS, TILE_COLUMNS
from tests.commands import ROOT

COLUMN = re.compile(r"^\| `(\w+)` \| (.+?)(, needed)? \| (.+) \|$", re.MULTILINE)


@pytest.mark.parametrize("kind", ["allocations", "downtimes", "obs-units"])
def test_a_format_page_says_of_every_column_what_the_loader_does(kind):
    columns = kinds()[kind].columns
    if kind == "obs-units":
        columns = (*columns, *TILE_COLUMNS, *MAPPING_COLUMNS, *AZIMUTH_COLUMNS)
    page = (ROOT / "docs" / "formats" / f"{kind}.md").read_text()
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

"""The pages of docs/formats are right: their examples load, and their tables name the columns."""

import re
import shlex
from pathlib import Path

import pytest
from django.core.management import call_command

from opsdb.loaders import TableKind, kinds
from opsdb.models import FixedSource, PreScheduledSlot, Source
from tests.commands import ROOT

KINDS = ("sources", "slots")
EXAMPLES = {"sources": ("sources", "source-lists"), "slots": ("slots",)}
PAGES = ROOT / "docs" / "formats"
EXAMPLE = re.compile(r"^    manage\.py opsdb_load ([^\n]+)\n\n```\w+\n(.*?)^```$", re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("name", KINDS)
def test_a_page_names_every_column_of_its_table_and_no_other(name):
    kind = kinds()[name]
    page = (PAGES / f"{name}.md").read_text()
    assert f"[{name}]({name}.md)" in (PAGES / "index.md").read_text()
    assert EXAMPLE.search(page), "there is no example"
    if isinstance(kind, TableKind):
        table = re.search(r"^## Table \(CSV\)$(.*?)^(?:## |\Z)", page, re.DOTALL | re.MULTILINE)[1]
        first_cells = re.findall(r"^\| (`[^|]*`) \|", table, re.MULTILINE)
        assert re.findall(r"`(\w+)`", " ".join(first_cells)) == [column.name for column in kind.columns]


def test_the_examples_of_all_pages_load_one_after_the_other(reference, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in KINDS:
        for command, text in EXAMPLE.findall("".join((PAGES / f"{page}.md").read_text() for page in EXAMPLES[name])):
            kind, file, *options = shlex.split(command)
            assert kind == name
            Path(file).write_text(text)
            call_command("opsdb_load", kind, file, *options, verbosity=0)
    assert {"Orion KL", "Neptune", "Deep 56", "Sgr B2", "Mars"} <= set(Source.objects.values_list("name", flat=True))
    assert FixedSource.objects.get(name="S1").comment == "no velocity"
    assert {"T1_CE", "R-And", "N7538IRS1", "W3OH", "Barnard's star"} <= set(
        Source.objects.values_list("name", flat=True)
    )
    assert FixedSource.objects.get(name="Barnard's star").epoch_year == 2016
    assert PreScheduledSlot.objects.count() == 6

"""The notebook of the documentation runs in a kernel of Jupyter, from an empty folder."""

import re

import nbformat
import pytest
from nbclient import NotebookClient

from opsdb.models import ExecutedObsUnit, ObsCore
from opsdb.testing.nights import make_night
from tests.commands import DECIDING, ROOT
from tests.databases import own_copy, url_of_test_database
from tools.sphinx_reference import markdown_of

NOTEBOOK = ROOT / "docs" / "notebook.ipynb"


@pytest.mark.django_db(transaction=True)
def test_the_notebook_runs_from_top_to_bottom(tmp_path, monkeypatch):
    for name in DECIDING:
        monkeypatch.delenv(name, raising=False)
    for name in ("IPYTHONDIR", "JUPYTER_RUNTIME_DIR", "JUPYTER_DATA_DIR", "JUPYTER_CONFIG_DIR"):
        monkeypatch.setenv(name, str(tmp_path / "jupyter"))
    folder = tmp_path / "empty"
    folder.mkdir()
    with own_copy("notebook"):
        make_night(executions=2)
        execution, collection = ExecutedObsUnit.objects.latest("start_time"), ObsCore.objects.first().obs_collection
        monkeypatch.setenv("DATABASE_URL", url_of_test_database())
        notebook = nbformat.read(NOTEBOOK, as_version=4)
        # Twice as a person would, who runs a cell again.
        notebook.cells.insert(2, nbformat.v4.new_code_cell(notebook.cells[1].source))
        NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(folder)}}).execute()
    shown = [
        output.data.get("text/html") or output.data["text/plain"]
        for cell in notebook.cells
        for output in cell.get("outputs", ())
        if output.output_type == "execute_result"
    ]
    assert [output for cell in notebook.cells for output in cell.get("outputs", ()) if "ename" in output] == []
    assert "<caption>ExecutedObsUnit: 2 rows</caption>" in shown[0]
    assert str(execution.pk) in shown[1]
    assert "30. min" in shown[2] or "30 min" in shown[2]
    assert shown[3].count("<td>archived</td>") == 3
    assert "verified" in shown[4]
    assert collection in shown[-1] and "GHz" in shown[-1]
    assert [*folder.iterdir()] == []


def test_the_notebook_is_kept_without_what_it_printed():
    cells = nbformat.read(NOTEBOOK, as_version=4).cells
    assert not [cell for cell in cells if cell.get("outputs") or cell.get("execution_count")]


def test_the_page_of_the_site_has_every_cell_in_order():
    cells = nbformat.read(NOTEBOOK, as_version=4).cells
    page = markdown_of(NOTEBOOK.read_text(encoding="utf-8"))
    assert page.startswith("# Where are my data?\n")
    assert re.findall(r"^```python\n(.*?)\n```$", page, re.DOTALL | re.MULTILINE) == [
        cell.source for cell in cells if cell.cell_type == "code"
    ]
    places = [page.index(cell.source) for cell in cells]
    assert places == sorted(places)

"""A project that imports ops-db can check its types as strictly as mypy can."""

import sys

from tests.commands import ROOT, run

MISTAKES = """\
from opsdb.filters import RawDataFileFilterSet
from opsdb.models import FixedSource, ObsUnit
from opsdb.workflows import approve_deletion, claim_transfers

number: int = FixedSource.objects.cone_search(1, 2, 3).first()
names: list[str] = claim_transfers(worker="mover")
approve_deletion(1)
ObsUnit.objects.available().by_no_order()
[file.no_field for file in RawDataFileFilterSet().qs]
"""


def check(path, cache=".mypy_cache"):
    """Run mypy; two at once need a cache each."""
    return run(sys.executable, "-m", "mypy", "--no-error-summary", "--cache-dir", cache, path)


def test_a_consumer_of_models_querysets_and_workflows_is_strictly_typed():
    done = check("tests/typing/consumer.py")
    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr


def test_pyright_finds_nothing_wrong_with_the_consumer():
    """Without Django's plugin, which it has not: managers have the methods of their querysets all the same."""
    settings = ["--project", ROOT / "pyproject.toml", "--pythonpath", sys.executable]
    done = run(sys.executable, "-m", "basedpyright", "--level", "error", *settings)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 errors" in done.stdout


def test_mistakes_of_a_consumer_are_found(tmp_path):
    path = tmp_path / "mistakes.py"
    path.write_text(MISTAKES)
    lines = {
        int(line.split(":")[1])
        for line in check(path, ".mypy_cache/mistakes").stdout.splitlines()
        if ": error:" in line
    }
    assert lines == {5, 6, 7, 8, 9}

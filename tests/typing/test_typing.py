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


def test_a_consumer_is_strictly_typed_and_mistakes_of_another_are_found(tmp_path):
    """By one run of mypy, which reads Django and ops-db once for both."""
    path = tmp_path / "mistakes.py"
    path.write_text(MISTAKES)
    # A cache of an earlier run would repeat the errors of that run's file of the same content.
    own_cache = f"--cache-dir={tmp_path / 'cache'}"
    done = run(sys.executable, "-m", "mypy", "--no-error-summary", own_cache, "tests/typing/consumer.py", path)
    lines = done.stdout.splitlines()
    assert done.returncode == 1 and [line for line in lines if not line.startswith(f"{path}:")] == [], done
    assert {int(line.split(":")[1]) for line in lines if ": error:" in line} == {5, 6, 7, 8, 9}


def test_pyright_finds_nothing_wrong_with_the_consumer():
    """Without Django's plugin, which it has not: managers have the methods of their querysets all the same."""
    settings = ["--project", ROOT / "pyproject.toml", "--pythonpath", sys.executable]
    done = run(sys.executable, "-m", "basedpyright", "--level", "error", *settings)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 errors" in done.stdout

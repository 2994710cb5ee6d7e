"""A quick run has some cases of every test, and says how many it left out."""

import json
import re
import sys

import pytest

from . import sampling
from .commands import ROOT, run

pytest_plugins = ["pytester"]

NAME = "tests/test_night.py::test_a_night"
CASES = [f"{NAME}[{number}]" for number in range(20)]


@pytest.mark.parametrize(
    ("seconds", "number"), [(0.01, 20), (0.1, 10), (0.4, 2), (2, 1), (3, 1), (3.1, 0)], ids=lambda value: str(value)
)
def test_as_many_cases_run_as_a_second_allows(seconds, number):
    taken = sampling.taken(CASES, seconds)
    assert len(taken) == number
    assert taken <= {*CASES}
    assert taken == sampling.taken(reversed(CASES), seconds)


@pytest.fixture
def suite(pytester, monkeypatch):
    """A small suite, of which ``slow`` and ``long`` are recorded as taking more than a second."""
    for name in ("ALL_CASES", "RECORD_DURATIONS", "SHARE", "SEED"):
        monkeypatch.delenv(name, raising=False)
    durations = pytester.makefile(
        ".json",
        durations=json.dumps(
            {
                "tests": {"test_night.py::test_slow": 0.5, "test_night.py::test_long": 4},
                "modules": {"tests/test_a.py": 9},
            }
        ),
    )
    pytester.makepyfile(
        test_night="""
        import pytest

        @pytest.mark.parametrize("number", range(5))
        def test_slow(number):
            pass

        @pytest.mark.parametrize("number", range(5))
        def test_quick(number):
            pass

        def test_long():
            pass
        """
    )
    pytester.mkpydir("places")
    pytester.path.joinpath("places/test_story.py").write_text("def test_beginning():\n    pass\n")
    pytester.makeconftest(
        f"""
        import sys
        from pathlib import Path

        sys.path.insert(0, {str(ROOT)!r})
        from tests import sampling

        sampling.DURATIONS = Path({str(durations)!r})
        sampling.STORIES = ("places/",)
        pytest_configure = sampling.register
        """
    )
    return lambda *arguments: pytester.runpytest_inprocess("-v", "-p", "no:django", "-p", "no:xdist", *arguments)


def test_a_quick_run_reports_what_it_left_out(suite, monkeypatch):
    quick = suite()
    quick.assert_outcomes(passed=7, deselected=5)
    quick.stdout.fnmatch_lines(["5 cases and long tests were left out*"])
    for whole in (["test_night.py", "places"], ["-k", "slow or long or quick or beginning"]):
        suite(*whole).assert_outcomes(passed=12)
    monkeypatch.setenv("ALL_CASES", "1")
    suite().assert_outcomes(passed=12)


def test_two_runs_share_all_modules_but_those_under_another_clock(suite, pytester, monkeypatch):
    monkeypatch.setattr(sampling.clock, "MODULES", ("tests/test_e.py",))
    pytester.mkdir("tests")
    for name in "abcde":
        pytester.path.joinpath(f"tests/test_{name}.py").write_text("def test_it():\n    pass\n")

    def passed(share, seed):
        monkeypatch.setenv("SHARE", share)
        monkeypatch.setenv("SEED", seed)
        return set(re.findall(r"tests/test_(\w)\S+ PASSED", suite("--rootdir", pytester.path).stdout.str()))

    halves = [(passed("1/2", str(seed)), passed("2/2", str(seed))) for seed in range(5)]
    for first, second in halves:
        assert sorted([*first, *second]) == ["a", "b", "c", "d"]
        assert {"a"} in (first, second), "the longest takes as long as the others together"
    assert {"a"} in [first for first, _ in halves]
    assert {"a"} in [second for _, second in halves]


def test_halves_take_about_as_long_and_one_has_all_that_share_a_browser():
    modules = sampling.modules_of(ROOT)
    for seed in range(20):
        first, second = sampling.halves(modules, seed)
        assert first | second == modules.keys()
        assert not first & second
        times = [sum(modules[module] for module in half) for half in (first, second)]
        assert min(times) > 0.9 * max(times)
        assert len({module in first for module in modules if module.startswith(sampling.IN_A_BROWSER)}) == 1


def test_every_process_has_the_same_halves():
    program = (
        "from tests import commands, sampling;"
        "modules = sampling.modules_of(commands.ROOT);"
        "print([sorted(sampling.halves(modules, seed)[0]) for seed in range(20)])"
    )
    halves = {run(sys.executable, "-c", program, PYTHONHASHSEED=str(number)).stdout for number in range(3)}
    assert len(halves) == 1
    assert "tests/test_sampling.py" in halves.pop()


def test_a_share_that_is_none_is_refused(suite, monkeypatch):
    monkeypatch.setenv("SHARE", "1/3")
    assert suite().ret == pytest.ExitCode.USAGE_ERROR

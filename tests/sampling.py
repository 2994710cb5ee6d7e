"""A quick run: every test with as many of its cases as a second allows, and without stories and what takes long.

It is for the whole suite only. Tests that are named, by a path or by ``-k``, run with all their cases; so does the
whole suite with ``ALL_CASES=1``. ``.ci/run`` has two runs, of two versions of Python and Django, share the cases:
``SHARE=1/2`` and ``SHARE=2/2``. ``RECORD_DURATIONS=1`` writes how long tests take anew.
"""

import json
import os
from collections import Counter, defaultdict
from hashlib import sha256
from pathlib import Path

import pytest

DURATIONS = Path(__file__).with_name("durations.json")
# Tests that take less all together are not recorded, and always run.
SECONDS_OF_A_TEST = 1
SECONDS_OF_ITS_LONGEST_CASE = 3
LEFT_OUT = "left_out"
SHARES = ("1/2", "2/2")
# Each of these modules has servers or a database of its own, in which its tests go on from one another.
STORIES = ("tests/places/", "tests/documentation/")


def name_of(nodeid):
    """The name of a test without its case."""
    return nodeid.partition("[")[0]


def order_of(nodeid):
    """Cases in an order of their own, so that those that are taken are of all kinds, and the same each time."""
    return sha256(nodeid.encode()).digest()


def taken(cases, seconds):
    """Return those of the cases of a test that a quick run has, when each takes so many seconds."""
    if seconds > SECONDS_OF_ITS_LONGEST_CASE:
        return set()
    return set(sorted(cases, key=order_of)[: max(1, int(SECONDS_OF_A_TEST / seconds))])


class Sampling:
    """Leaves out what a quick run has no time for, and reports how much that is."""

    def __init__(self):
        self.left_out = 0

    def pytest_collection_modifyitems(self, config, items):
        durations, cases = json.loads(DURATIONS.read_text()), defaultdict(list)
        for item in items:
            cases[name_of(item.nodeid)].append(item.nodeid)
        chosen = {
            nodeid
            for name, found in cases.items()
            for nodeid in (taken(found, durations[name]) if name in durations else found)
            if not name.startswith(STORIES)
        }
        left_out = [item for item in items if item.nodeid not in chosen]
        self.left_out = len(left_out)
        items[:] = [item for item in items if item.nodeid in chosen]
        config.hook.pytest_deselected(items=left_out)
        if hasattr(config, "workeroutput"):
            config.workeroutput[LEFT_OUT] = self.left_out

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node, error):
        self.left_out = getattr(node, "workeroutput", {}).get(LEFT_OUT, self.left_out)

    def pytest_terminal_summary(self, terminalreporter):
        terminalreporter.write_line(
            f"{self.left_out} cases and long tests were left out; ALL_CASES=1 make test has them too"
        )


class Sharing:
    """Shares the cases of all tests between two runs; which of them has a case, the seed decides.

    The first has what is longer than a second and has one case, and the modules that go on from one test to the next.
    """

    def __init__(self, share, seed):
        if share not in SHARES:
            raise pytest.UsageError(f"SHARE {share!r}: this is no share; use one of {', '.join(SHARES)}")
        self.share, self.seed = SHARES.index(share), seed

    def share_of(self, item, stays):
        """Return the number of the run that has this case."""
        marker = item.get_closest_marker("random_order")
        if stays or item.nodeid.startswith(STORIES) or (marker and marker.kwargs.get("disabled")):
            return 0
        return order_of(f"{self.seed} {item.nodeid}")[0] % len(SHARES)

    def pytest_collection_modifyitems(self, config, items):
        durations, cases = json.loads(DURATIONS.read_text()), Counter(name_of(item.nodeid) for item in items)
        stay = {name for name in durations if cases[name] == 1}
        shares = ([], [])
        for item in items:
            shares[self.share_of(item, name_of(item.nodeid) in stay)].append(item)
        config.hook.pytest_deselected(items=shares[1 - self.share])
        items[:] = shares[self.share]


class Recording:
    """Writes how long the cases of each test take that take more than a second all together."""

    def __init__(self):
        self.seconds, self.cases = Counter(), defaultdict(set)

    def pytest_runtest_logreport(self, report):
        name = name_of(report.nodeid)
        self.seconds[name] += report.duration
        self.cases[name].add(report.nodeid)

    def pytest_sessionfinish(self):
        durations = {
            name: round(seconds / len(self.cases[name]), 3)
            for name, seconds in sorted(self.seconds.items())
            if seconds > SECONDS_OF_A_TEST
        }
        DURATIONS.write_text(json.dumps(durations, indent=1) + "\n")


def register(config):
    """Have the plugins that the environment and the command ask for."""
    options = config.option
    # The last two are of a plugin, which may be off.
    chosen = any(getattr(options, name, "") for name in ("keyword", "markexpr", "lf", "failedfirst"))
    is_whole = config.args_source is not config.ArgsSource.ARGS and not chosen
    is_worker = hasattr(config, "workerinput")
    if os.environ.get("RECORD_DURATIONS"):
        if is_whole and not is_worker:
            config.pluginmanager.register(Recording())
    elif is_whole and (share := os.environ.get("SHARE")):
        config.pluginmanager.register(Sharing(share, os.environ.get("SEED", "")))
    elif is_whole and not os.environ.get("ALL_CASES"):
        config.pluginmanager.register(Sampling())

"""A quick run: every test with as many of its cases as a second allows, and without stories and what takes long.

It is for the whole suite only. Tests that are named, by a path or by ``-k``, run with all their cases; so does the
whole suite with ``ALL_CASES=1``. ``.ci/run`` has two runs, of two versions of Python and Django, share the modules with
all their cases: ``SHARE=1/2`` and ``SHARE=2/2``. ``RECORD_DURATIONS=1`` writes how long tests take anew.
"""

import json
import os
from collections import Counter, defaultdict
from hashlib import sha256
from pathlib import Path

import pytest

from tests import clock

DURATIONS = Path(__file__).with_name("durations.json")
# Tests that take less all together are not recorded, and always run.
SECONDS_OF_A_TEST = 1
SECONDS_OF_ITS_LONGEST_CASE = 3
LEFT_OUT = "left_out"
SHARES = ("1/2", "2/2")
# Each of these modules has servers or a database of its own, in which its tests go on from one another.
STORIES = ("tests/places/", "tests/documentation/")
# All of these have one server and browser.
IN_A_BROWSER = ("tests/browser/", "tests/clicks/")


def name_of(nodeid):
    """The name of a test without its case."""
    return nodeid.partition("[")[0]


def durations_of_tests():
    """Return the seconds that a case takes, by the name of a test, if all together take more than a second."""
    return json.loads(DURATIONS.read_text())["tests"]


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
        durations, cases = durations_of_tests(), defaultdict(list)
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
    """Has one of two halves of the modules, which take about as long; which modules are in which, the seed decides.

    The modules that run under another clock are in neither.
    """

    def __init__(self, share, seed):
        if share not in SHARES:
            raise pytest.UsageError(f"SHARE {share!r}: this is no share; use one of {', '.join(SHARES)}")
        self.number, self.seed = SHARES.index(share), seed
        self.modules = None

    def pytest_ignore_collect(self, collection_path, config):
        if not collection_path.match("test_*.py"):
            return None
        if self.modules is None:
            self.modules = halves(modules_of(config.rootpath), self.seed)[self.number]
        return collection_path.relative_to(config.rootpath).as_posix() not in self.modules


def modules_of(root):
    """Return the modules of tests that are not run under another clock, and the seconds that each takes."""
    recorded = json.loads(DURATIONS.read_text())["modules"]
    found = {path.relative_to(root).as_posix() for path in root.glob("tests/**/test_*.py")}
    return {module: recorded.get(module, SECONDS_OF_A_TEST) for module in found.difference(clock.MODULES)}


def halves(modules, seed):
    """Return two halves of modules that take about as long; those in a browser, which share a server, are in one."""
    groups = defaultdict(set)
    for module in modules:
        groups["browser" if module.startswith(IN_A_BROWSER) else module].add(module)
    # Whole milliseconds, whose sum is the same in whatever order each process has the modules of a group.
    times = {group: sum(round(1000 * modules[module]) for module in found) for group, found in groups.items()}
    orders = {group: order_of(f"{seed} {group}") for group in groups}
    # The longest first, but not always the same of those that are about as long, and the same in every process.
    ordered = sorted(groups, key=lambda group: (times[group] * (255 + orders[group][0]), orders[group]), reverse=True)
    found, totals, number = (set(), set()), [0, 0], orders[ordered[0]][1] % 2
    for group in ordered:
        found[number].update(groups[group])
        totals[number] += times[group]
        number = totals.index(min(totals))
    return found


class Recording:
    """Writes how long each module takes, and the cases of each test that take more than a second all together."""

    def __init__(self):
        self.seconds, self.cases, self.modules = Counter(), defaultdict(set), Counter()

    def pytest_runtest_logreport(self, report):
        name = name_of(report.nodeid)
        self.seconds[name] += report.duration
        self.modules[name.partition("::")[0]] += report.duration
        self.cases[name].add(report.nodeid)

    def pytest_sessionfinish(self):
        tests = {
            name: round(seconds / len(self.cases[name]), 3)
            for name, seconds in sorted(self.seconds.items())
            if seconds > SECONDS_OF_A_TEST
        }
        modules = {name: round(seconds, 1) for name, seconds in sorted(self.modules.items())}
        DURATIONS.write_text(json.dumps({"tests": tests, "modules": modules}, indent=1) + "\n")


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

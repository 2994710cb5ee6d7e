"""Which tests go to which worker, and when.

A module goes to one worker, which then makes what its tests share once, unless it is most of what a worker has to do:
then its tests go one by one. Tests in a browser, or of a story, always go to one, which sets it up once. What takes
longest is begun first, so that no worker waits long for another in the end.
"""

from collections import Counter, OrderedDict

from xdist.scheduler import LoadScopeScheduling

from tests.sampling import IN_A_BROWSER, STORIES, durations_of_tests, name_of

# Of a test that is not recorded, on a machine as slow as that of the record.
SECONDS = 0.1
# The part of a worker's time that a module may take.
MOST = 0.5


def story_of(nodeid):
    """The group that a test is never taken from, if there is one."""
    if nodeid.startswith(IN_A_BROWSER):
        return "browser"
    return nodeid.partition("::")[0] if nodeid.startswith(STORIES) else None


def grouped(nodeids, workers):
    """Return the group of each of these tests, and the seconds that each group takes."""
    recorded = durations_of_tests()
    seconds = {nodeid: recorded.get(name_of(nodeid), SECONDS) for nodeid in nodeids}
    modules = Counter()
    for nodeid in nodeids:
        modules[nodeid.partition("::")[0]] += seconds[nodeid]
    limit = MOST * sum(seconds.values()) / workers
    groups, times = {}, Counter()
    for nodeid in nodeids:
        module = nodeid.partition("::")[0]
        groups[nodeid] = story_of(nodeid) or (module if modules[module] <= limit else nodeid)
        times[groups[nodeid]] += seconds[nodeid]
    return groups, times


class LongestFirst(OrderedDict):
    """Groups of tests, which are given away in the order of the time that they take.

    Attributes:
        times: seconds by group; in the order of which they are, once the first was given away.
    """

    times = None

    def popitem(self, last=True):
        if self.times:
            for group in sorted(self, key=self.times.__getitem__, reverse=True):
                self.move_to_end(group)
            self.times = None
        return super().popitem(last=last)


class Scheduling(LoadScopeScheduling):
    """See the module."""

    # Not by marks: https://github.com/pytest-dev/pytest-xdist/issues/1386
    def __init__(self, config, log):
        super().__init__(config, log)
        self.workqueue, self.groups = LongestFirst(), None

    def _split_scope(self, nodeid):
        if self.groups is None:
            self.groups, self.workqueue.times = grouped(self.collection, len(self.nodes))
        return self.groups[nodeid]

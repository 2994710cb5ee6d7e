"""A whole season from one index: in its order, in one transaction, with the problems of all files at once."""

import io

import pytest

from opsdb.loaders import PROBLEM_LIMIT, LoadError, load, prepare
from opsdb.models import FixedSource, ObsUnit, PreScheduledSlot, Source, TimeAllocation

INDEX = """\
load:
  - kind: sources
    files: [sources.csv]
  - kind: obs-units
    files: units.csv
  - kind: allocations
    files: allocations.csv
  - kind: slots
    files: slots.csv
"""
FILES = {
    "index.yaml": INDEX,
    "sources.csv": "name,ra,dec\nM17,275.1,-16.2\n",
    "units.csv": "program,name,source,mode,configuration,switching_mode,priority\nGEco,one,M17,otf,map,position,1\n",
    "allocations.csv": "program,instrument,period,start_date,end_date,hours\nGEco,CHAI,2026A,2026-03-01,2026-09-01,1\n",
    "slots.csv": "telescope,start_time,end_time,unit\nFYST,2026-07-01T00:00Z,2026-07-01T01:00Z,GEco/one\n",
}
LOADED = (Source, ObsUnit, TimeAllocation, PreScheduledSlot)


def counts():
    return [model.objects.count() for model in LOADED]


@pytest.fixture
def season(tmp_path, reference):
    """Write the files of a season, some of them changed, and return the index."""

    def write(**changed):
        for name, text in FILES.items():
            (tmp_path / name).write_text(changed.get(name.partition(".")[0], text))
        return tmp_path / "index.yaml"

    return write


@pytest.fixture
def refused(season, tmp_path):
    def refused(**changed):
        before = counts()
        with pytest.raises(LoadError) as caught:
            load("all", season(**changed))
        assert counts() == before
        return str(caught.value).replace(f"{tmp_path}/", "").split("\n")

    return refused


def test_what_an_entry_brings_the_next_may_name(season):
    plan = load("all", season())
    assert counts() == [1, 1, 1, 1]
    assert plan.counted("create") == 5
    assert load("all", season()).changes_nothing


def test_a_plan_over_all_files_writes_nothing_and_can_be_applied(season):
    plan = prepare("all", season())
    assert counts() == [0, 0, 0, 0]
    assert plan.counted("create") == 5
    plan.apply()
    assert counts() == [1, 1, 1, 1]


def test_the_wrong_order_is_refused(refused):
    first, second, *rest = INDEX.removeprefix("load:\n").split("  - ")[1:]
    said = refused(index="load:\n  - " + "  - ".join([second, first, *rest]))
    assert "units.csv, line 2, source: 'M17' is not a known source" in said[0]


def test_the_last_file_that_is_wrong_undoes_all(refused):
    assert refused(slots=FILES["slots.csv"].replace("GEco/one", "GEco/two"))[0].startswith("slots.csv, line 2, unit: ")


def test_problems_of_all_files_are_told_at_once_and_follow_ups_are_not(refused):
    said = refused(
        sources=FILES["sources.csv"].replace("-16.2", "-91"),
        units=FILES["units.csv"].replace("position,1", "position,high"),
        allocations=FILES["allocations.csv"].replace(",1\n", ",0\n"),
    )
    assert [line.split("'")[0] for line in said] == [
        "sources.csv, line 2, dec: ",
        "units.csv: only the cells were checked, because it depends on sources.csv, which has errors",
        "units.csv, line 2, priority: ",
        "allocations.csv, line 2, hours: ",
        "slots.csv: this was not checked, because it depends on sources.csv, which has errors",
    ]


def test_no_more_problems_are_told_than_a_person_reads(refused):
    bad = "".join(f"x{number},400,0\n" for number in range(90))
    units = "".join(f"GEco,{number},M17,otf,map,position,high\n" for number in range(90))
    said = refused(sources=FILES["sources.csv"] + bad, units=FILES["units.csv"] + units)
    assert len(said) == PROBLEM_LIMIT + 1
    assert said[-1] == f"Only the first {PROBLEM_LIMIT} problems are listed."


def test_conflicts_are_settled_as_the_command_says_unless_an_entry_does(season, refused):
    load("all", season())
    other = {
        "sources": FILES["sources.csv"].replace("275.1", "275.2"),
        "allocations": FILES["allocations.csv"].replace(",1\n", ",2\n"),
    }
    said = refused(**other)
    assert said[0].startswith("sources.csv, line 2: fixed source 'M17' exists with different values")
    assert said[-2].startswith(
        "allocations.csv, line 2: time allocation 'GEco / CHAI / 2026A' exists with different values"
    )
    index = INDEX.replace("[sources.csv]", "[sources.csv]\n    options: {on-conflict: skip}")
    load("all", season(index=index, **other), on_conflict="update")
    assert FixedSource.objects.get().ra_deg == 275.1
    assert TimeAllocation.objects.get().hours == 2


def test_files_are_below_the_folder_of_the_index(refused, tmp_path):
    (tmp_path.parent / "secret.csv").write_text(FILES["sources.csv"])
    for given, said in {
        "../secret.csv": "leads out of the folder",
        str(tmp_path.parent / "secret.csv"): "is not a relative path",
    }.items():
        assert refused(index=INDEX.replace("[sources.csv]", given)) == [
            f"index.yaml, line 3, load[0].files: {given!r} {said}; "
            "expected a path below the folder of the file that names it"
            + (", with '/' between folders" if "relative" in said else "")
        ]


def test_all_that_is_wrong_in_an_index_is_told_with_line_and_key(refused):
    index = (
        INDEX.replace("kind: sources", "kind: source")
        .replace("units.csv", "unit.csv")
        .replace("load:", "seasn: 1\nload:")
    )
    index += "    options: {program: 5, create_missing: perhaps, depth: 3}\n"
    assert [line.partition("; ")[0] for line in refused(index=index)] == [
        "index.yaml, line 1, seasn: unknown key 'seasn'",
        "index.yaml, line 3, load[0].kind: 'source' is not a kind of file",
        "index.yaml, line 6, load[1].files: 'unit.csv' does not exist",
        "index.yaml, line 11, load[3].options.program: '5' is not a valid value of this option",
        "index.yaml, line 11, load[3].options.create_missing: 'perhaps' is not a valid value of this option",
        "index.yaml, line 11, load[3].options.depth: slots has no option 'depth'",
    ]


def test_what_is_merged_into_an_index_is_named_with_the_line_that_it_is_merged_into(refused):
    assert refused(index=INDEX + "<<: {foo: 1, season: [a]}\n") == [
        "index.yaml, line 1, foo: unknown key 'foo'; expected load or season",
        "index.yaml, line 1, season: this is not a name; expected a text",
    ]
    merged = "# of every season\n<<:\n  load:\n  - {kind: source, files: sources.csv}\n"
    assert refused(index=merged)[0].startswith("index.yaml, line 2, load[0].kind: 'source' is not a kind of file")


def test_an_option_in_two_spellings_is_named(refused):
    index = INDEX.replace("[sources.csv]", "sources.csv\n    options: {on-conflict: skip, on_conflict: update}")
    assert refused(index=index) == [
        "index.yaml, line 4, load[0].options.on_conflict: 'on_conflict' and 'on-conflict' are one option; "
        "expected one of them"
    ]


def test_an_index_is_one_file_with_a_folder(season):
    with pytest.raises(LoadError, match="a season is loaded from one index file"):
        load("all", [season(), season()])
    with pytest.raises(LoadError, match="a season is loaded from one index file"):
        load("all", io.BytesIO(INDEX.encode()))

"""What the administrator sees of opsdb_load."""

import os
from io import BytesIO, StringIO, TextIOWrapper
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from opsdb import loaders
from opsdb.loaders import LoadError
from opsdb.models import ChangeLog, PreScheduledSlot
from tests.commands import manage
from tests.schedules import TIMELINE, calibration, science, timeline


def load(*arguments):
    out, err = StringIO(), StringIO()
    call_command("opsdb_load", "slots", *map(str, arguments), stdout=out, stderr=err)
    assert err.getvalue() == ""
    return out.getvalue()


def numbers(said):
    rows = (line.rsplit(maxsplit=1) for line in said.split("\n"))
    return {row[0].strip(): int(row[1]) for row in rows if len(row) == 2 and row[1].isdigit()}


def test_the_counts_of_the_planners_timeline_are_printed(reference):
    said = load(TIMELINE, "--program", "WFS", "--create-missing")
    assert numbers(said) == {
        "blocks read": 60,
        "science": 14,
        "calibrations": 31,
        "slews, not loaded": 15,
        "idle, not loaded": 0,
        "pre-scheduled slot: create": 45,
        "constant elevation source: create": 1,
        "solar system object: create": 1,
        "Prime-Cam observation configuration: create": 6,
        "observation unit: create": 6,
    }
    assert "create constant elevation source Deep56, RA 0.42° to 47.58°, Dec -37.00° to -27.00°\n" in said
    assert "create observation unit Cal / planet_cal_neptune\n" in said
    assert "create 25 more pre-scheduled slot rows\n" in said
    assert said.endswith("59 created.\n")


def test_the_second_time_it_says_that_there_is_nothing_to_load(reference):
    load(TIMELINE, "--program", "WFS", "--create-missing")
    assert load(TIMELINE, "--program", "WFS").endswith("Nothing to load: 45 rows exist already.\n")


def test_a_dry_run_says_so_and_writes_nothing(reference):
    said = load(TIMELINE, "--program", "WFS", "--create-missing", "--dry-run")
    assert numbers(said)["pre-scheduled slot: create"] == 45
    assert said.endswith("Dry run, nothing was written: 59 created.\n")
    assert not PreScheduledSlot.objects.exists()


def test_every_problem_is_one_line_of_the_error(reference, tmp_path):
    path = tmp_path / "bad.ecsv"
    path.write_text(timeline(calibration("retune"), science(start_time='"2026-07-01 00:15:00"')))
    with pytest.raises(CommandError) as caught:
        load(path, "--program", "WFS")
    assert str(caught.value).startswith(f"{path}, line ")
    assert "\n" not in str(caught.value)


def test_names_in_square_brackets_are_printed_as_they_are(reference, tmp_path):
    path = tmp_path / "brackets[bold].ecsv"
    path.write_text(timeline(science(name="[red]field")))
    said = load(path, "--program", "WFS", "--create-missing")
    assert "create observation unit WFS / [red]field\n" in said
    assert "brackets[bold].ecsv" in said


def test_a_stream_of_few_letters_gets_what_it_can_show(reference):
    out = TextIOWrapper(BytesIO(), encoding="ascii")
    call_command("opsdb_load", "slots", str(TIMELINE), "--program", "WFS", "--create-missing", stdout=out)
    assert "Deep56, RA 0.42? to" in out.buffer.getvalue().decode()


def test_options_of_every_command_may_stand_at_the_end(reference):
    assert load(TIMELINE, "--program", "WFS", "--create-missing", "--dry-run", "-v", "0", "--no-color") == ""


def test_colours_appear_only_where_they_are_wanted(reference):
    assert "\x1b[" not in load(TIMELINE, "--program", "WFS", "--create-missing")
    out = StringIO()
    call_command("opsdb_load", "slots", str(TIMELINE), "--program", "WFS", stdout=out, force_color=True)
    assert "\x1b[" in out.getvalue()


@pytest.mark.parametrize(
    "arguments",
    [[], ["slots"], ["slots", "file.ecsv", "--on-conflict", "guess"], ["planets", "file.ecsv"]],
    ids=["nothing", "kind", "choice", "other"],
)
def test_wrong_arguments_say_which_are_right(arguments):
    with pytest.raises(CommandError, match="required|invalid choice"):
        call_command("opsdb_load", *arguments)


def test_a_file_whose_name_is_not_utf_8_is_loaded_by_a_name_that_can_be_kept(reference, tmp_path):
    folder = os.fsencode(tmp_path)
    for name in (b"n\xe4chte.ecsv", b"\xff" * 240 + b".ecsv"):
        path = os.fsdecode(folder + b"/" + name)
        Path(path).write_text(timeline(science()))
        load(path, "--program", "WFS", "--create-missing", "--on-conflict", "update")
        slot = PreScheduledSlot.objects.get()
        assert slot.origin == name.decode("utf-8", "backslashreplace")[:500]
        slot.delete()
    assert r"Made from n\xe4chte.ecsv, line" in slot.obs_unit.comment
    with pytest.raises(CommandError, match=r"n\\xe4chte.ecsv, line 2: "):
        Path(os.fsdecode(folder + b"/n\xe4chte.ecsv")).write_text("# %ECSV 1.0\n# ]\n")
        load(os.fsdecode(folder + b"/n\xe4chte.ecsv"), "--program", "WFS")


def test_texts_that_are_not_utf_8_are_named(reference):
    with pytest.raises(CommandError, match=r"^program: 'W\\xff' is not UTF-8; write it in that encoding$"):
        load(TIMELINE, "--program", os.fsdecode(b"W\xff"))
    with pytest.raises(LoadError, match="unknown observing program"):
        loaders.load("slots", TIMELINE, program=os.fsdecode(b"W\xff"), create_missing=True)


def test_changes_are_recorded_as_those_of_the_command(reference):
    load(TIMELINE, "--program", "WFS", "--create-missing")
    changes = ChangeLog.objects.filter(table_name="pre_scheduled_slot")
    assert set(changes.values_list("origin", flat=True)) == {"opsdb_load slots"}


def test_what_a_command_offers_is_known_without_astropy():
    """It costs half a second, and only positions and schedules need it."""
    code = "import sys; from opsdb.loaders import kinds; kinds(); assert 'astropy' not in sys.modules"
    done = manage("shell", "--verbosity", "0", "--command", code, SECRET_KEY="x")
    assert done.returncode == 0, done.stderr

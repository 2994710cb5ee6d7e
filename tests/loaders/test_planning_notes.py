"""What in loaded rows is probably a mistake is among the notes of the plan, and refuses nothing."""

import pytest

from opsdb.loaders import load, planning_notes, prepare
from opsdb.models import Source, Telescope
from opsdb.testing.factories import TelescopeFactory

NORTHERN = "name,ra,dec\nM 82,09:55:52.2,+69:40:47\nM 81,09:55:33.2,+69:03:55\nM 42,05:35:17.3,-05:23:28\n"


@pytest.fixture
def northern(tmp_path, db):
    TelescopeFactory(short_name="FYST")
    path = tmp_path / "sources.csv"
    path.write_text(NORTHERN)
    return path


def warnings_of(plan):
    return [note for note in plan.notes if "never rises" in note]


def test_the_plan_and_the_load_note_the_same(northern):
    planned = warnings_of(prepare("sources", northern))
    assert [note.partition(":")[0] for note in planned] == ["source M 82", "source M 81"]
    assert planned[0].endswith("where it culminates at −2.5°; check its coordinates.")
    assert not Source.objects.exists()
    assert warnings_of(load("sources", northern)) == planned
    assert warnings_of(load("sources", northern)) == [], "nothing was written"


def test_what_is_not_shown_or_not_looked_at_is_counted(northern, monkeypatch):
    monkeypatch.setattr(planning_notes, "MOST_NOTES", 1)
    assert "1 more of such warnings are not shown." in prepare("sources", northern).notes
    monkeypatch.setattr(planning_notes, "MOST_ROWS", 1)
    plan = prepare("sources", northern)
    assert len(warnings_of(plan)) == 1
    assert "Only the first 1 rows of each table were looked at for such warnings." in plan.notes


def test_a_plan_names_no_row_that_its_reader_may_not_view(northern):
    (note, _other) = warnings_of(prepare("sources", northern, sees=lambda *models: Telescope not in models))
    assert note == "source M 82: never rises above the lowest elevation of any telescope; check its coordinates."

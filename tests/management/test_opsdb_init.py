"""What the administrator sees of opsdb_init."""

from io import StringIO

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from opsdb.loaders import reference as reference_module
from opsdb.models import Site, Telescope

pytestmark = pytest.mark.django_db


def init(*arguments):
    out = StringIO()
    call_command("opsdb_init", *arguments, stdout=out)
    return out.getvalue()


def test_it_counts_what_it_made_and_says_when_there_is_nothing_to_do():
    first = init()
    assert "Telescope" in first
    assert first.rstrip().endswith("rows created, 0 changed.")
    assert init().rstrip().endswith("Nothing to change.")


def test_a_dry_run_lists_the_rows_and_writes_none():
    said = init("--dry-run")
    assert "create Telescope ccat / Fred Young Submillimeter Telescope\n" in said
    assert "rows would be created, 0 changed. Nothing was written." in said
    assert not Site.objects.exists()


def test_a_changed_field_is_shown_from_old_to_new(reference):
    Telescope.objects.update(elevation_m=5600)
    assert "change Telescope ccat / Fred Young Submillimeter Telescope: elevation_m 5600.0 → 5611.8\n" in init()


def test_a_wrong_file_ends_it_with_a_line_that_names_file_and_path(tmp_path, monkeypatch):
    (tmp_path / "index.yaml").write_text("files: [own.yaml]")
    (tmp_path / "own.yaml").write_text("Site: [{name: x, short_name: y z}]")
    monkeypatch.setattr(reference_module, "REFERENCE_DIRECTORY", tmp_path)
    with pytest.raises(CommandError, match=r"own\.yaml, line 1, Site\[0\]"):
        init()


def test_nothing_is_printed_when_asked_to_be_quiet():
    assert init("--verbosity", "0") == ""

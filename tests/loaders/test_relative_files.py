"""Files that a file refers to are below its folder, whatever it says."""

import os

import pytest

from opsdb.loaders.relative_files import WrongReference, referenced_files, resolve_reference


@pytest.fixture
def folder(tmp_path):
    """A folder with a table, files that it may refer to, and a secret outside."""
    inside = tmp_path / "plans"
    (inside / "sub" / "deeper").mkdir(parents=True)
    (inside / "empty").mkdir()
    (tmp_path / "secret.csv").write_text("secret")
    (tmp_path / "plans2").mkdir()
    (tmp_path / "plans2" / "a.csv").write_text("a")
    for name in ("a.csv", "sub/b.csv", "sub/a.csv", "sub/.hidden", "sub/deeper/note.txt"):
        (inside / name).write_text(name)
    (inside / "out.csv").symlink_to(tmp_path / "secret.csv")
    (inside / "way").symlink_to(tmp_path / "plans2")
    (inside / "in.csv").symlink_to(inside / "sub" / "b.csv")
    (inside / "round").symlink_to(inside / "round")
    (inside / "mixed").mkdir()
    (inside / "mixed" / "x.csv").symlink_to(tmp_path / "secret.csv")
    os.mkfifo(inside / "pipe.csv")
    return inside


@pytest.mark.parametrize("given", ["a.csv", "./a.csv", "sub/b.csv", "sub//b.csv", "in.csv"])
def test_a_file_below_the_folder_is_found(folder, given):
    assert referenced_files(folder / "table.csv", given, ".csv") == [folder / given]


def test_a_folder_stands_for_its_files_by_name(folder):
    (folder / "sub" / "deeper" / "note.txt").unlink()
    (folder / "sub" / "deeper").rmdir()
    assert [one.name for one in referenced_files(folder / "table.csv", "sub/", ".csv")] == ["a.csv", "b.csv"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("../secret.csv", "leads out of the folder"),
        ("sub/../../secret.csv", "leads out of the folder"),
        ("sub/../a.csv", "leads out of the folder"),
        ("/etc/passwd", "is not a relative path"),
        ("C:/windows", "is not a relative path"),
        ("sub\\b.csv", "is not a relative path"),
        ("out.csv", "is a link that leads out of the folder"),
        ("way/a.csv", "is a link that leads out of the folder"),
        ("mixed", "'mixed/x.csv' is a link that leads out of the folder"),
        ("round", "can't be read"),
        ("pipe.csv", "is not a regular file"),
        ("nothing.csv", "'nothing.csv' does not exist"),
        ("a.csv/b", "can't be read"),
        ("x" * 300, "can't be read"),
        ("empty", "folder 'empty' is empty"),
        ("sub", "'sub/deeper' is not a .csv file"),
    ],
)
def test_what_leads_elsewhere_or_nowhere_is_refused(folder, given, said):
    with pytest.raises(WrongReference) as caught:
        referenced_files(folder / "table.csv", given, ".csv")
    assert said in caught.value.args[0]


def test_a_link_to_the_folder_of_the_table_does_not_make_its_files_strangers(folder, tmp_path):
    (tmp_path / "link").symlink_to(folder)
    assert resolve_reference(tmp_path / "link" / "table.csv", "a.csv").read_text() == "a.csv"

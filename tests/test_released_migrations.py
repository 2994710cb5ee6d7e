"""What a release has shipped for migrating stays as it is."""

import pytest

from tools.released_migrations import digests, problems, record, recorded, released_versions

CHANGELOG = "# Changes\n\n## 0.3.0 - unreleased\n\n## [0.2.0] - 2027-02-01\n\n## 0.1.0 - 2027-01-01\n"


@pytest.fixture
def folder(tmp_path):
    """Two migrations and a frozen function."""
    (tmp_path / "sql" / "0002").mkdir(parents=True)
    (tmp_path / "0001_tables.py").write_text("operations = []\n")
    (tmp_path / "0002_functions.py").write_text("operations = [1]\n")
    (tmp_path / "sql" / "0002" / "rows.sql").write_text("SELECT 1;\n")
    (tmp_path / "__init__.py").write_text("")
    return tmp_path


def test_migrations_of_releases_are_as_they_were_shipped():
    assert problems(recorded()) == []


def test_versions_with_a_date_are_released():
    assert released_versions(CHANGELOG) == ["0.2.0", "0.1.0"]


def test_a_release_without_a_record_is_found(folder):
    [problem] = problems({}, folder, versions=["0.1.0"])
    assert problem.startswith("0.1.0 is released, but its migrations are not recorded")


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("0001_tables.py", lambda path: path.write_text("operations = [2]\n"), "has changed"),
        ("sql/0002/rows.sql", lambda path: path.write_text("SELECT 2;\n"), "has changed"),
        ("0002_functions.py", lambda path: path.unlink(), "is gone"),
    ],
)
def test_what_was_changed_or_removed_afterwards_is_found(folder, name, change, message):
    released = record({}, "0.1.0", folder)
    assert problems(released, folder, versions=["0.1.0"]) == []
    change(folder / name)
    [problem] = problems(released, folder, versions=["0.1.0"])
    assert problem.startswith(f"{name}: release 0.1.0 shipped it, and it {message};")
    with pytest.raises(ValueError, match=message):
        record(released, "0.2.0", folder)


def test_a_later_release_records_only_what_is_new(folder):
    released = record({}, "0.1.0", folder)
    (folder / "0003_more.py").write_text("operations = [3]\n")
    assert problems(released, folder, versions=["0.1.0"]) == []
    later = record(released, "0.2.0", folder)
    assert set(later["0.2.0"]) == {"0003_more.py"}
    assert {**later["0.1.0"], **later["0.2.0"]} == digests(folder)
    with pytest.raises(ValueError, match="recorded already"):
        record(later, "0.2.0", folder)

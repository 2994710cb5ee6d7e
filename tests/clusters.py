"""PostgreSQL servers of a test's own: a primary, streaming replicas of it, and poolers before it.

Their programs are those of the embedded server, and Debian's PgBouncer where it is installed.
"""

import atexit
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

import psycopg
from django.db import connections

from opsdb.embedded import programs

OWNER = "opsdb"
PORT = 5432
START_SECONDS = 60
SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "autovacuum": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "shared_buffers": "32MB",
    "max_connections": "40",
    # A replica comes back to its primary soon.
    "wal_retrieve_retry_interval": "50ms",
}
PGBOUNCER = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin")


def _account() -> dict:
    """Arguments for subprocess: PostgreSQL and PgBouncer do not run as root."""
    common = {"env": {"PATH": os.defpath, "LC_ALL": "C.UTF-8"}, "stdin": subprocess.DEVNULL}
    if os.geteuid():
        return common
    who = pwd.getpwnam("nobody")
    return {**common, "user": who.pw_uid, "group": who.pw_gid, "extra_groups": []}


@contextmanager
def folder():
    """A folder for servers, with a name that is short enough for sockets, which is removed in the end."""
    path = Path(tempfile.mkdtemp(prefix="opsdb-", dir="/tmp"))
    if not os.geteuid():
        shutil.chown(path, "nobody")
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


@cache
def _programs() -> Path:
    """The folder of PostgreSQL's programs: as root, of a copy that every account can run, made once."""
    if os.geteuid():
        return programs.find(None)
    copies = Path(tempfile.mkdtemp(prefix="opsdb-", dir="/tmp"))
    atexit.register(shutil.rmtree, copies, ignore_errors=True)
    return programs.find(copies)


class _Process:
    """A server that is started and stopped as often as a test wants."""

    def __init__(self, path: Path):
        self.path = path
        self.process = None

    def _launch(self, *command, is_up):
        with open(self.path.with_suffix(".log"), "ab") as log:
            self.process = subprocess.Popen(
                [str(part) for part in command], **_account(), stdout=log, stderr=log, cwd=self.path
            )
        deadline = time.monotonic() + START_SECONDS
        while not is_up():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(self.path.with_suffix(".log").read_text()[-2000:])
            time.sleep(0.02)

    def _end(self, signal):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal)
            self.process.wait(START_SECONDS)
        self.process = None


class Cluster(_Process):
    """A PostgreSQL server on a socket of its own.

    Args:
        path: its folder, in one of :func:`folder`.
        primary: the server that it is a streaming replica of.
        binaries: the folder of its programs, if they are others.
    """

    def __init__(self, path: Path, primary: "Cluster | None" = None, binaries: Path | None = None):
        super().__init__(path)
        self.binaries = binaries or _programs()
        path.mkdir()
        if not os.geteuid():
            shutil.chown(path, "nobody")
            path.parent.chmod(0o755)
        if primary is None:
            encoding = ["--encoding=UTF8", "--locale=C.UTF-8"]
            self._run(
                self.binaries / "initdb",
                "-D",
                path / "data",
                f"--username={OWNER}",
                "--auth=trust",
                "--no-sync",
                *encoding,
            )
        else:
            # What a copy of the server's programs lacks is a client, and may run as anybody.
            backup = programs.find(None) / "pg_basebackup"
            source = ["-h", primary.path, "-p", PORT, "-U", OWNER]
            self._run(
                backup, "-D", path / "data", *source, "-R", "--no-sync", "-c", "fast", env=None, user=None, group=None
            )
            if not os.geteuid():
                for each in (path / "data", *(path / "data").rglob("*")):
                    shutil.chown(each, "nobody", pwd.getpwnam("nobody").pw_gid)

    def _run(self, program, *arguments, **options):
        command = [str(part) for part in (program, *arguments)]
        done = subprocess.run(command, **{**_account(), **options}, capture_output=True, text=True, cwd=self.path)
        assert done.returncode == 0, done.stderr

    def start(self):
        """Start it, and wait until it takes connections."""
        options = [f"-c{name}={value}" for name, value in SETTINGS.items()]
        self._launch(
            *(self.binaries / "postgres", "-D", self.path / "data", "-k", self.path, f"-cport={PORT}", *options),
            is_up=self._responds,
        )
        return self

    def stop(self):
        """Stop it at once, as a crash does."""
        self._end(3)  # SIGQUIT

    def _responds(self):
        with suppress(psycopg.Error), self.session("postgres"):
            return True

    def session(self, database, **options):
        """A session of psycopg, as the owner of the tables if no other user is named, in autocommit."""
        place = {"host": str(self.path), "port": PORT, "user": OWNER, "dbname": database}
        return psycopg.connect(**{**place, **options}, autocommit=True)

    def execute(self, *statements, database="postgres"):
        """Execute statements, and return the rows of the last one that has some."""
        rows = []
        with self.session(database) as session:
            for statement in statements:
                cursor = session.execute(statement)
                rows = cursor.fetchall() if cursor.description else rows
        return rows

    def url(self, database) -> str:
        """The address of one of its databases, for other processes."""
        return f"postgres://{OWNER}@/{database}?host={self.path}&port={PORT}"

    def settings(self, database, user=OWNER, **more) -> dict:
        """What ``DATABASES`` says of one of its databases."""
        return {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": database,
            "USER": user,
            "HOST": str(self.path),
            "PORT": str(PORT),
            **more,
        }


class Pooler(_Process):
    """PgBouncer with ``pool_mode = transaction`` before a cluster.

    Args:
        path: its folder.
        cluster: which its clients reach.
        users: the roles that may log in.
        size: how many sessions of the server the clients of a role and a database share.
    """

    def __init__(self, path: Path, cluster: Cluster, *, users=(OWNER,), size=2):
        super().__init__(path)
        path.mkdir()
        if not os.geteuid():
            shutil.chown(path, "nobody")
        (path / "users").write_text("".join(f'"{user}" ""\n' for user in users))
        (path / "pgbouncer.ini").write_text(
            f"[databases]\n* = host={cluster.path} port={PORT}\n"
            f"[pgbouncer]\nlisten_addr =\nlisten_port = {PORT}\nunix_socket_dir = {path}\nauth_type = trust\n"
            f"auth_file = {path / 'users'}\npool_mode = transaction\ndefault_pool_size = {size}\nmax_client_conn = 60\n"
            "query_wait_timeout = 30\nlog_connections = 0\nlog_disconnections = 0\n"
        )

    settings = Cluster.settings
    session = Cluster.session

    def start(self):
        """Start it, and wait until it takes connections."""
        self._launch(PGBOUNCER, self.path / "pgbouncer.ini", is_up=(self.path / f".s.PGSQL.{PORT}").exists)
        return self

    def stop(self):
        """Stop it."""
        self._end(15)  # SIGTERM


def majors() -> dict[int, Path]:
    """The folders of the PostgreSQL servers on this machine that ops-db takes, by major version, the oldest first."""
    folders = [programs.find(None), *Path("/usr/lib/postgresql").glob("*/bin")]
    found = {programs.major(folder): folder for folder in reversed(folders) if (folder / "initdb").exists()}
    return {major: found[major] for major in sorted(found) if major >= programs.MINIMUM_MAJOR}


@contextmanager
def as_default(values):
    """Let Django's default connection lead to another database."""
    known, before = connections.settings, connections["default"]
    settings = known["default"]
    known["default"] = connections.configure_settings({"default": values})["default"]
    connections["default"] = connections.create_connection("default")
    try:
        yield
    finally:
        connections["default"].close()
        known["default"], connections["default"] = settings, before


@contextmanager
def databases(**added):
    """Add databases to Django's, by alias, and take them away again."""
    known = connections.settings
    for alias, values in added.items():
        known[alias] = connections.configure_settings({"default": {}, alias: values})[alias]
    try:
        yield
    finally:
        for alias in added:
            with suppress(AttributeError):
                connections[alias].close()
                del connections[alias]
            known.pop(alias)

"""Start, find and remove the embedded PostgreSQL server.

A server belongs to one folder, by its resolved path, and is reached by a Unix socket that only its user can
open. An ordinary user's server lies in that folder altogether. PostgreSQL refuses to run as root; then the folder
keeps a pointer and the server lies in a folder of its own under /var/lib, where an existing unprivileged account
owns the data and the socket, and root owns all else, so that no other process of that account can lead root astray.
"""

import fcntl
import hashlib
import os
import pwd
import re
import stat
import subprocess
import time
from contextlib import contextmanager, suppress
from pathlib import Path

from . import programs
from .programs import EmbeddedError

START_SECONDS = 60
STOP_SECONDS = 30
# The role that owns the database and migrates it, and the one that works with its rows.
OWNER = "opsdb"
APPLICATION = "opsdb_app"
SOCKET_NAME = ".s.PGSQL.5432"
# Shortest limit of the supported systems for the path of a Unix socket, less some air.
SOCKET_PATH_BYTES = 100
OWN_NAMES = ("data", "data.new", "socket", "binaries", "pg_hba.conf", "pg_ident.conf", "log", "project")
FOLDER_NAMES = ("secret_key", "server", ".gitignore", "lock")


class Server:
    """The embedded server of one folder.

    folder: the project's local folder, made when needed (mode 0700) and ignored by git.
    account: the unprivileged account to run as when we are root; without it ``postgres``, else ``nobody``.
    durable: whether every acknowledged commit survives a crash; False trades that for speed, as suits tests.
    home: where the server's files lie; ``folder`` itself unless we are root.
    socket_folder: what to give a client as host.
    """

    def __init__(self, folder, account: str | None = None, durable: bool = True):
        self.folder = Path(folder).resolve()
        self.account = account
        self.durable = durable
        self.root = os.geteuid() == 0
        digest = hashlib.sha256(os.fsencode(self.folder)).hexdigest()[:12]
        self.home = Path(f"/var/lib/ops-db-{digest}") if self.root else self.folder
        self.data = self.home / "data"
        self.socket_folder = self.home / "socket"
        if len(os.fsencode(self.socket_folder / SOCKET_NAME)) > SOCKET_PATH_BYTES:
            self.socket_folder = Path(f"/tmp/ops-db-{os.geteuid()}-{digest}")  # noqa: S108 - owner and mode are checked

    def running(self) -> bool:
        """Whether the server takes connections."""
        from psycopg import conninfo, pq

        target = conninfo.make_conninfo(host=str(self.socket_folder), user="opsdb", dbname="opsdb", connect_timeout=5)
        return pq.PGconn.ping(target.encode()) == pq.Ping.OK

    def start(self) -> bool:
        """Make sure that the server runs; True if it did not. Commands that start at once wait for one another."""
        if self.running():
            return False
        with self._lock():
            if self.running():
                return True
            try:
                self._make_folders()
                binaries = programs.find(self.home / "binaries" if self.root else None)
                if not self.data.exists():
                    self._initialise(binaries)
                self._launch(binaries)
            except OSError as error:
                raise EmbeddedError(f"The embedded PostgreSQL can't start: {error}. {self._way_out}") from error
        return True

    def stop(self, keep: bool = False) -> bool:
        """Stop the server and remove all that was made for it; False if there was nothing.

        keep: leave the data, which the next start takes up.
        """
        if not self.folder.exists() and not self.home.exists():
            return False
        with self._lock():
            begun = time.monotonic()
            while pid := self._postmaster():
                waited = time.monotonic() - begun
                if waited > 2 * STOP_SECONDS:
                    raise EmbeddedError(f"The embedded PostgreSQL does not stop: end process {pid} by hand")
                self._signal(pid, "INT" if waited < STOP_SECONDS else "QUIT")
                time.sleep(0.1)
            if keep:
                return True
            for path in [self.home / name for name in OWN_NAMES] + [self.socket_folder]:
                programs.remove(path)
            # The lock is removed last: a process that waits for it then finds that it is gone, and takes a new one.
            for name in FOLDER_NAMES:
                programs.remove(self.folder / name)
            for folder in {self.home, self.folder}:
                with suppress(OSError):
                    folder.rmdir()
        return True

    def require_role(self, role: str, refusal: Exception) -> None:
        """Raise EmbeddedError if a connection was refused because the server was made before there was that role."""
        if f'role "{role}" does not exist' in str(refusal):
            raise EmbeddedError(
                f"{self.folder} holds a server that an earlier version of ops-db made, without the role {role}."
                f" {self._way_out}"
            )

    @property
    def _way_out(self) -> str:
        return (
            "Set DATABASE_URL to use another server, or remove this one and its data with"
            f" `python -m opsdb.embedded stop --folder '{self.folder}'`"
        )

    @contextmanager
    def _lock(self):
        if self.root and (self.folder / "data").exists():
            raise EmbeddedError(
                f"{self.folder} holds the server of user id {self.folder.stat().st_uid}:"
                " run the command as that user, or set DATABASE_URL"
            )
        while True:
            try:
                if not self.folder.exists():
                    self.folder.mkdir(mode=0o700, exist_ok=True)
                lock = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            except OSError as error:
                raise EmbeddedError(
                    f"The embedded PostgreSQL needs to write to {self.folder} ({error.strerror}):"
                    " run the command as the owner of that folder, or set DATABASE_URL"
                ) from error
            try:
                fcntl.flock(lock, fcntl.LOCK_EX)
                # A stop may have removed the file while we waited for it.
                if os.fstat(lock).st_nlink:
                    yield
                    return
            finally:
                os.close(lock)

    def _who(self) -> pwd.struct_passwd:
        """The account that the server runs as."""
        if not self.root:
            try:
                return pwd.getpwuid(os.geteuid())
            except KeyError:
                raise EmbeddedError(
                    f"PostgreSQL needs a name for user id {os.geteuid()}, and this machine has none: set DATABASE_URL"
                ) from None
        if self.data.exists():
            return pwd.getpwuid(self.data.stat().st_uid)
        candidates = [self.account] if self.account else ["postgres", "nobody"]
        for name in candidates:
            with suppress(KeyError):
                if (who := pwd.getpwnam(name)).pw_uid != 0:
                    return who
        raise EmbeddedError(
            f"PostgreSQL does not run as root, nor can it as {' or '.join(candidates)} here:"
            " set EMBEDDED_ACCOUNT to an existing account without privileges"
        )

    def _as_account(self) -> dict:
        """Arguments for subprocess: the account, and an environment without our secrets."""
        environment = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}
        common = {"cwd": self.home, "env": environment, "stdin": subprocess.DEVNULL}
        who = self._who()
        return {**common, "user": who.pw_uid, "group": who.pw_gid, "extra_groups": []} if self.root else common

    def _run(self, *command, **options) -> str:
        """Run a command as the account; what it printed."""
        done = subprocess.run(
            command, **{**self._as_account(), **options}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        if done.returncode:
            raise EmbeddedError(f"{Path(command[0]).name} failed: {_last_words(done.stdout)}. {self._way_out}")
        return done.stdout

    def _make_folders(self) -> None:
        (self.folder / ".gitignore").write_text("*\n")
        if self.root:
            if not self.home.exists():
                self.home.mkdir()
                self.home.chmod(0o711)
            (self.folder / "server").write_text(f"{self.home}\n")
            (self.home / "project").write_text(f"{self.folder}\n")
        who = self._who()
        if not os.path.lexists(self.socket_folder):
            self.socket_folder.mkdir(mode=0o700)
            if self.root:
                os.chown(self.socket_folder, who.pw_uid, who.pw_gid)
        found = self.socket_folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != who.pw_uid or found.st_mode & 0o077:
            raise EmbeddedError(f"{self.socket_folder} is not a private folder of {who.pw_name}: remove it")

    def _initialise(self, binaries: Path) -> None:
        """Make the data under another name first, so that a killed run leaves no half of it."""
        new = self.home / "data.new"
        programs.remove(new)
        who = self._who()
        new.mkdir(mode=0o700)
        if self.root:
            os.chown(new, who.pw_uid, who.pw_gid)
        builtin = ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        locale = builtin if programs.major(binaries) >= 17 else ["--locale=C.UTF-8"]
        arguments = ["--encoding=UTF8", *locale, "--data-checksums", "--auth=reject"]
        self._run(binaries / "initdb", "-D", new, "--username=postgres", *arguments)
        # Our roles are no superusers, as they would not be in production; and so no login is a superuser's.
        statements = [
            f"CREATE ROLE {OWNER} LOGIN CREATEDB CREATEROLE",
            f"CREATE ROLE {APPLICATION} LOGIN",
            f"GRANT {APPLICATION} TO {OWNER} WITH ADMIN OPTION",
            f"CREATE DATABASE opsdb OWNER {OWNER}",
        ]
        if not self.durable:
            # Tests empty the tables again and again, past the rules that forbid it.
            statements.append(f"GRANT SET ON PARAMETER session_replication_role TO {OWNER}")
        lines = "".join(f"{statement}\n" for statement in statements)
        output = self._run(binaries / "postgres", "--single", "-D", new, "postgres", input=lines, stdin=None)
        if "ERROR:" in output:
            raise EmbeddedError(f"The embedded PostgreSQL can't be set up: {_last_words(output)}")
        new.rename(self.data)

    def _write_access(self) -> tuple[Path, Path]:
        """Let in, as our roles, only the user who starts the server and root, by the kernel's word."""
        users = sorted({"root", pwd.getpwuid(os.geteuid()).pw_name})
        access, names = self.home / "pg_hba.conf", self.home / "pg_ident.conf"
        roles = (OWNER, APPLICATION)
        access.write_text("".join(f"local all {role} peer map=ops-db\n" for role in roles))
        names.write_text("".join(f'ops-db "{user}" {role}\n' for user in users for role in roles))
        for path in (access, names):
            path.chmod(0o644)
        return access, names

    def _launch(self, binaries: Path) -> None:
        access, names = self._write_access()
        settings = {
            "listen_addresses": "",
            "port": 5432,
            "unix_socket_directories": '"{}"'.format(str(self.socket_folder).replace('"', '""')),
            "unix_socket_permissions": "0700",
            "hba_file": access,
            "ident_file": names,
            "timezone": "UTC",
            "log_timezone": "UTC",
            # Only what stops the server: refused rows are the application's business and may hold secrets.
            "log_min_messages": "fatal",
            # Workers delete bytes on the word of a commit, so that none may be lost.
            "synchronous_commit": "on",
            "fsync": "on",
            "full_page_writes": "on",
        }
        if not self.durable:
            settings |= {"synchronous_commit": "off", "fsync": "off", "full_page_writes": "off"}
            # Without a vacuum at moments of its own, the same plans are made in every run.
            settings |= {"autovacuum": "off", "jit": "off"}
        command = [binaries / "postgres", "-D", self.data]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        log = self.home / "log"
        deadline = time.monotonic() + START_SECONDS
        while not self.running():
            # A log per start can't fill the disk. A terminal's Ctrl-C must not reach the server, which others share.
            with open(log, "wb", opener=lambda path, flags: os.open(path, flags, 0o600)) as output:
                process = subprocess.Popen(
                    command, **self._as_account(), stdout=output, stderr=output, start_new_session=True
                )
            while process.poll() is None and time.monotonic() < deadline:
                if self.running():
                    process.returncode = 0  # it outlives us on purpose: keep Popen from complaining
                    return
                time.sleep(0.02)
            output = log.read_text(errors="replace")
            if process.poll() is None:
                process.terminate()
            if time.monotonic() > deadline or not self._recover(output):
                reason = _last_words(output) or f"no answer within {START_SECONDS} seconds"
                raise EmbeddedError(f"The embedded PostgreSQL can't start: {reason}. {self._way_out}")

    def _recover(self, output: str) -> bool:
        """After a refused start: clear away what a killed server left; whether another try makes sense."""
        if "shared memory block" in output:
            time.sleep(0.2)  # connections of a killed server notice its end soon
            return True
        if "lock file" not in output:
            return False
        if pid := self._postmaster():
            # It may be under load, or at work on what a crash left; but without its socket it never will answer.
            if not (self.socket_folder / SOCKET_NAME).exists():
                self._signal(pid, "QUIT")
            time.sleep(0.2)
        else:
            # The number in the file is now that of another process, or the folder is a copy of a running one's.
            for path in (self.data / "postmaster.pid", self.socket_folder / f"{SOCKET_NAME}.lock"):
                path.unlink(missing_ok=True)
        return True

    def _postmaster(self) -> int | None:
        """The process that serves our data, if it runs."""
        try:
            pid = int((self.data / "postmaster.pid").read_text().split("\n")[0])
        except (FileNotFoundError, ValueError):
            return None
        if Path("/proc/self/cmdline").exists():
            with suppress(OSError):
                if os.fsencode(self.data) in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0"):
                    return pid
            return None
        with suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)  # a dead child of ours looks alive until waited for
        try:
            os.kill(pid, 0)
        except OSError:
            return None
        return pid

    def _signal(self, pid: int, name: str) -> None:
        # As the account, which can write the file that the number comes from: so it can't make root kill others.
        subprocess.run(["/bin/sh", "-c", 'kill -"$1" "$2"', "sh", name, str(pid)], **self._as_account(), check=False)


def _last_words(output: str) -> str:
    """The line of a program's output that names the reason."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    reasons = [line for line in lines if re.search(r"FATAL:|error:|ERROR:", line)]
    return (reasons or lines or [""])[-1].rstrip(".")

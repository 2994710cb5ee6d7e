"""An administrator of the database, who types the blocks of docs/runbook.md."""

import os
import pwd
import subprocess
import sys

import psycopg
import pytest

from opsdb.embedded import programs
from tests.commands import DECIDING, ROOT
from tests.databases import url_of_test_database
from tests.documentation.pages import blocks_of

PAGE = ROOT / "docs" / "runbook.md"
CLIENTS = ("pg_dump", "pg_restore", "psql", "pg_basebackup")
BACKUPS, DATA = "/var/backups/ops-db", "/var/lib/postgresql/data"


def client_folder():
    """Return the folder of PostgreSQL's client programs."""
    folder = programs.find(None)
    return folder if all((folder / name).exists() for name in CLIENTS) else None


LACKING = "there are no client programs of PostgreSQL: install ops-db[embedded]"
with_clients = pytest.mark.skipif(not (client_folder() or os.environ.get("REQUIRE_RUNBOOK")), reason=LACKING)


def block_of(beginning):
    """Return the text of the block of the page that begins so."""
    [found] = [block for block in blocks_of(PAGE) if not block.file and block.text.startswith(beginning)]
    return found.text


class Administrator:
    """Types the blocks of the page, with folders of the test in the place of those of a machine.

    Args:
        folder: where to work.
        server: with the new database, ``ops``.
        old: the address of the database in use, by the role that owns its tables; without it the test's database.
        clients: the folder of PostgreSQL's client programs; without it those of the embedded server.
    """

    def __init__(self, folder, server, old=None, clients=None):
        self.folder, self.server = folder, server
        self.backups = folder / "backups"
        (self.backups / "wal").mkdir(parents=True)
        (self.backups / "wal").chmod(0o777)
        (folder / "manage.py").symlink_to(ROOT / "manage.py")
        [script] = [block for block in blocks_of(PAGE) if block.file]
        (folder / script.file).write_text(script.text)
        self.environment = {name: value for name, value in os.environ.items() if name not in DECIDING} | {
            "PATH": f"{os.path.dirname(sys.executable)}:{clients or client_folder()}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "SECRET_KEY": "only-for-tests",
            "DATABASE_URL": old or url_of_test_database(),
            "OWNER_DATABASE_URL": old or url_of_test_database(owner=True),
            "NEW_DATABASE_URL": server.url("ops"),
        }

    def placed(self, text):
        """Return a block with the test's folders."""
        return text.replace(BACKUPS, str(self.backups)).replace(DATA, str(self.server.path / "data"))

    def type(self, text):
        """Run a block in a shell that ends at the first error, and return what it printed."""
        command = ["bash", "-euo", "pipefail", "-c", self.placed(text)]
        done = subprocess.run(command, env=self.environment, cwd=self.folder, capture_output=True, text=True)
        assert done.returncode == 0, f"{text}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def compared(self):
        """Return the number of rows of each table, after the block that compares both databases."""
        lines = (self.folder / "after").read_text().splitlines()
        return {line.split("|")[0]: int(line.split("|")[1]) for line in lines}

    def restore(self):
        """Move everything to the new server, and return the number of rows of each table, which are equal in both."""
        self.type(block_of("pg_dump "))
        self.type(block_of("pg_restore "))
        assert self.type(block_of("psql --quiet --no-align")) == ""
        return self.compared()

    def give_to_server(self, path):
        """Let the account of the server own a folder, as its administrator would have typed as that account."""
        if not os.geteuid():
            account = pwd.getpwnam("nobody")
            for each in (path, *path.rglob("*")):
                os.chown(each, account.pw_uid, account.pw_gid)


def refused(server, statement):
    """Return why the new database refuses a statement."""
    with pytest.raises(psycopg.errors.IntegrityError) as caught:
        server.execute(statement, database="ops")
    return str(caught.value)


def assert_rules_and_history_work(server):
    """Assert that the new database refuses what the rules forbid, and writes the change log."""
    [[package]] = server.execute(
        "SELECT id FROM raw_data_package WHERE state = 'archived' ORDER BY id LIMIT 1", database="ops"
    )
    changed = refused(server, f"UPDATE raw_data_package SET size_bytes = 1 WHERE id = '{package}'")
    assert changed.startswith(f"raw_data_package {package}: ")
    assert "executed_obs_unit" in refused(server, "DELETE FROM executed_obs_unit")
    archived = (
        "UPDATE physical_copy SET status = 'deletion_possible' WHERE id = (SELECT copy.id FROM physical_copy AS copy "
        "JOIN data_location AS location ON location.id = copy.data_location_id "
        "WHERE location.location_type = 'long_term_archive' AND copy.status = 'present' LIMIT 1)"
    )
    assert "deletion rule 1: " in refused(server, archived)
    changes = "SELECT count(*) FROM change_log WHERE table_name = 'site' AND operation = 'update'"
    [[before]] = server.execute(changes, database="ops")
    moved = "UPDATE site SET description = 'moved' WHERE id = (SELECT min(id) FROM site)"
    server.execute(moved, database="ops")
    assert server.execute(changes, database="ops") == [(before + 1,)]

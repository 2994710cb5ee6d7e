"""The distribution, as a host project gets it: a wheel in an environment of its own."""

import importlib.metadata
import json
import shutil
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import psycopg
import pytest
from django.db import connection
from packaging.requirements import Requirement
from psycopg import sql
from twine.commands.check import check as twine_check

from tests.commands import ROOT, manage_several, run, succeed_several

HOST = Path(__file__).parent / "host"
TARGETS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]
INCLUDED = [name.strip("/") for name in TARGETS["sdist"]["include"]]
EXTRAS = ("", "drf", "testing")
WITH_PLUGIN = "console/checks_with_pytest.py"
EMPTIED = "console.tests.Emptied.test_a_row_is_made_again_and_rules_hold"


def brought_along(distribution, extras=("",)):
    """Yield the distributions, as they are installed here, that one requires, and those that these require."""
    for line in distribution.requires or ():
        needed = Requirement(line)
        if needed.marker is None or any(needed.marker.evaluate({"extra": extra}) for extra in extras):
            found = importlib.metadata.distribution(needed.name)
            yield found
            yield from brought_along(found, {"", *needed.extras})


def install(wheel, environment):
    """Make a virtual environment with what pip would install, and return its Python; no test needs a network."""
    python = environment / "bin" / "python"
    succeed(sys.executable, "-m", "venv", "--without-pip", environment)
    site = Path(succeed(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip())
    [ours] = importlib.metadata.distributions(name="ops-db", path=[str(wheel)])
    for distribution in brought_along(ours, EXTRAS):
        for name in {file.parts[0] for file in distribution.files} - {"..", "__pycache__"}:
            if not (site / name).exists():
                (site / name).symlink_to(distribution.locate_file(name))
    # Without an index, it refuses what lacks anything that it requires.
    pip = sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", python
    succeed(*pip, "install", "--quiet", "--no-index", f"{wheel}[{','.join(filter(None, EXTRAS))}]")
    return python


def succeed(*command, **options):
    """Run a command, and return what it printed."""
    done = run(*command, **options)
    assert done.returncode == 0, f"{command}:\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def distributions(tmp_path_factory):
    """The folder with the source distribution, made of a copy of what git would ship, and the wheel that it builds."""
    folder = tmp_path_factory.mktemp("distributions")
    source = folder / "source"
    source.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE", *INCLUDED):
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__", ".*"))
        else:
            shutil.copy(ROOT / name, source)
    succeed(sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, source, folder=folder)
    return folder


@pytest.fixture(scope="module")
def wheel(distributions):
    return next(distributions.glob("*.whl"))


@pytest.fixture(scope="module")
def source_distribution(distributions):
    return next(distributions.glob("*.tar.gz"))


@pytest.fixture
def database_of_host(django_db_setup, django_db_blocker):
    """A new, empty database on the server of the tests, as the settings of another project name it."""
    with django_db_blocker.unblock():
        connection.ensure_connection()
        parameters = connection.get_connection_params()
    name = f"{connection.settings_dict['NAME']}_host"
    keys = {"user": "USER", "password": "PASSWORD", "host": "HOST", "port": "PORT"}
    maintenance = {key: parameters[key] for key in keys if parameters.get(key)}
    with psycopg.connect(**maintenance, dbname="postgres", autocommit=True) as server:
        identifier = sql.Identifier(name)
        server.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(identifier))
        server.execute(sql.SQL("CREATE DATABASE {}").format(identifier))
        yield {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": name,
            **{keys[key]: value for key, value in maintenance.items()},
        }
        found = server.execute(
            "SELECT datname FROM pg_database WHERE datname = ANY (%s) OR starts_with(datname, 'opsdb_test_template_')",
            [[name, f"test_{name}"]],
        )
        for (one,) in found.fetchall():
            server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(one)))


def test_wheel_holds_the_app_and_nothing_else(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    shipped = {name.split("/")[0] for name in names}
    assert shipped == {"opsdb", next(top for top in shipped if top.endswith(".dist-info"))}
    tracked = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "opsdb").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert tracked <= set(names)


def test_source_distribution_holds_what_is_named_and_nothing_else(source_distribution):
    with tarfile.open(source_distribution) as archive:
        names = {Path(name).relative_to(Path(name).parts[0]) for name in archive.getnames()}
    shipped = {name.parts[0] for name in names if name.parts}
    # The builder adds these three, and what describes the distribution.
    assert shipped == {*INCLUDED, "pyproject.toml", "README.md", "LICENSE", "PKG-INFO"} | shipped & {".gitignore"}
    assert {Path("tests/host/manage.py"), Path("docs/index.md"), Path("opsdb/py.typed")} <= names


def test_an_index_would_take_both(source_distribution, wheel, capsys):
    has_failed = twine_check([str(source_distribution), str(wheel)], strict=True)
    assert not has_failed, capsys.readouterr().out


def test_wheel_has_nothing_that_should_not_be_in_it(wheel):
    assert "OK" in succeed(sys.executable, "-m", "check_wheel_contents", wheel)


def templates(database):
    """The templates of test databases on a server, by name and number."""
    login = {key.lower(): database[key] for key in ("USER", "PASSWORD", "HOST", "PORT") if key in database}
    with psycopg.connect(**login, dbname="postgres") as server:
        found = "SELECT datname, oid FROM pg_database WHERE starts_with(datname, 'opsdb_test_template_')"
        return server.execute(found).fetchall()


def test_a_user_interface_of_another_project_works_with_the_installed_wheel(wheel, database_of_host, tmp_path):
    """Its own tests, in tests/host, are run in parallel and then by pytest; a first run leaves them a template."""
    project = tmp_path / "project"
    shutil.copytree(HOST, project, ignore=shutil.ignore_patterns("__pycache__"))
    python = install(wheel, tmp_path / "environment")
    host = {"folder": project, "PYTHONPATH": "", "HOST_DATABASE": json.dumps(database_of_host)}

    def succeed_with(*arguments):
        done = run(python, *arguments, **host)
        assert done.returncode == 0, f"{arguments}:\n{done.stdout}\n{done.stderr}"
        return done.stdout + done.stderr

    assert str(tmp_path) in succeed_with("-c", "import opsdb; print(opsdb.__file__)")
    checks = "check --fail-level WARNING", "makemigrations --check --dry-run"
    succeed_several(*checks, "opsdb_migrate", python=python, **host)
    assert "\nOK\n" in succeed_with("manage.py", "test", EMPTIED)
    made = templates(database_of_host)
    assert "\nOK\n" in succeed_with("manage.py", "test", "--parallel", "2")
    (project / "conftest.py").write_text('pytest_plugins = ["opsdb.testing.plugin"]\n')
    by_pytest = "-m", "pytest", "--ds", "settings", "-p", "no:cacheprovider", WITH_PLUGIN
    assert f"{WITH_PLUGIN} ....." in succeed_with(*by_pytest)
    assert len(made) == 1 and templates(database_of_host) == made
    # Nowhere but in its tests is anything emptied.
    refused, again = manage_several("flush --no-input", "opsdb_init", python=python, **host)
    assert refused.returncode and "couldn't be flushed" in refused.stderr
    assert "Nothing to change" in again.stdout

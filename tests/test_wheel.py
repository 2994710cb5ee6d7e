"""The distribution, as a host project gets it: a wheel in an environment of its own."""

import importlib.metadata
import json
import shutil
import sys
import zipfile
from pathlib import Path

import psycopg
import pytest
from django.conf import settings
from django.db import connection
from packaging.requirements import Requirement
from psycopg import sql

from tests.commands import ROOT, run

HOST_PROJECT = Path(__file__).parent / "host_project"

USE_IT = """
from django.contrib.auth import get_user_model
from django.db import IntegrityError, transaction
from django.test import Client
from opsdb.models import FixedSource, Observatory, Source, Telescope, User

assert get_user_model()._meta.label == "auth.User" and User._meta.swapped == "auth.User"
assert Telescope.objects.get(short_name="FYST").observatory == Observatory.objects.get()
orion = FixedSource.objects.create(name="Orion KL", ra_deg=83.81, dec_deg=-5.37)
assert Source.objects.get(name="Orion KL").specific == orion
try:
    with transaction.atomic():
        FixedSource.objects.filter(pk=orion.pk).update(dec_deg=-91)
except IntegrityError as error:
    assert "fixed_source_dec_deg_range" in str(error)
else:
    raise AssertionError("a declination of -91 was taken")
assert Client().get("/admin/opsdb/fixedsource/").status_code == 302
client = Client()
client.force_login(get_user_model().objects.create_superuser("host"))
for page in ("", "opsdb/fixedsource/", f"opsdb/fixedsource/{orion.pk}/change/", "opsdb/telescope/add/"):
    response = client.get(f"/admin/{page}")
    assert response.status_code == 200, (page, response.status_code)
# Django's own index comes first where the admin stands before ops-db; the list of our models always has the dashboard.
assert b"data-opsdb-refresh" in client.get("/admin/opsdb/").content
for page in ("rawdatapackage/dashboard/", "source/sky/", "datatransferroute/map/", "executedobsunit/night/2026-06-15/"):
    assert client.get(f"/admin/opsdb/{page}").status_code == 200, page
print("used")
"""


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
    succeed(sys.executable, "-m", "venv", environment)
    succeed(python, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", wheel)
    site = Path(succeed(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip())
    [ours] = importlib.metadata.distributions(name="ops-db", path=[str(site)])
    for distribution in brought_along(ours):
        for name in {file.parts[0] for file in distribution.files} - {"..", "__pycache__"}:
            if not (site / name).exists():
                (site / name).symlink_to(distribution.locate_file(name))
    succeed(python, "-m", "pip", "check", "--disable-pip-version-check")
    return python


def succeed(*command, **options):
    """Run a command, and return what it printed."""
    done = run(*command, **options)
    assert done.returncode == 0, f"{command}:\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, built from a copy of what git would ship."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    source.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    shutil.copytree(ROOT / "opsdb", source / "opsdb", ignore=shutil.ignore_patterns("__pycache__"))
    succeed(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, source, folder=folder)
    return next(folder.glob("*.whl"))


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
        server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(identifier))


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


def test_host_project_migrates_initializes_and_uses_the_installed_wheel(wheel, database_of_host, tmp_path):
    project = tmp_path / "project"
    shutil.copytree(HOST_PROJECT, project, ignore=shutil.ignore_patterns("__pycache__"))
    assert sorted(path.name for path in project.iterdir()) == ["manage.py", "settings.py", "urls.py"]
    python = install(wheel, tmp_path / "environment")

    def ask(*arguments):
        clean = {"PYTHONPATH": "", "HOST_PROJECT_DATABASE": json.dumps(database_of_host)}
        return succeed(python, *arguments, folder=project, **clean)

    assert str(tmp_path) in ask("-c", "import opsdb; print(opsdb.__file__)")
    ask("manage.py", "check", "--fail-level", "WARNING")
    ask("manage.py", "makemigrations", "--check", "--dry-run")
    ask("manage.py", "migrate", "--verbosity", "0")
    ask("manage.py", "opsdb_init")
    assert "used" in ask("manage.py", "shell", "--verbosity", "0", "--command", USE_IT)
    assert settings.AUTH_USER_MODEL == "opsdb.User"

"""The files of deploy/: systemd reads its units, and the files for containers name what there is."""

import configparser
import re
import shutil
import sys
from pathlib import Path

import pytest
import yaml

from config import settings
from tests.commands import ROOT, run

FOLDER = ROOT / "deploy"
UNITS = sorted([*FOLDER.glob("*.service"), *FOLDER.glob("*.timer")])
VARIABLES = {form for name in settings.VARIABLES for form in (name, f"{name}_FILE")}


def variables_of(text):
    """Return the environment variables that a file sets."""
    named = re.findall(r"^(?:Environment=)?(?:\w+=\S+ )*?([A-Z_]{4,})=", text, re.MULTILINE)
    return {*named, *re.findall(r" ([A-Z_]{4,})=%d", text), *re.findall(r"^ +([A-Z_]{4,}): ", text, re.MULTILINE)}


def test_every_variable_is_one_that_the_project_reads():
    for path in FOLDER.iterdir():
        named = {name for name in variables_of(path.read_text()) if not name.startswith(("POSTGRES_", "PG"))}
        assert named <= VARIABLES, path
    assert variables_of((FOLDER / "environment.example").read_text()) >= {"DATABASE_URL", "ALLOWED_HOSTS"}


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_a_unit_has_the_sections_of_its_kind(unit):
    parser = configparser.RawConfigParser(strict=False)
    parser.optionxform = str
    parser.read_string(unit.read_text())
    assert set(parser.sections()) <= {"Unit", "Service", "Timer", "Install"}
    if unit.suffix == ".service":
        assert parser["Service"]["ExecStart"].startswith("/") and parser["Service"]["User"] == "ops-db"
        assert parser["Service"]["NoNewPrivileges"] == "yes"


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="there is no systemd to read the units")
def test_systemd_reads_the_units(tmp_path):
    for unit in UNITS:
        text = unit.read_text().replace("/srv/ops-db/.venv/bin", str(Path(sys.executable).parent))
        (tmp_path / unit.name).write_text(text)
    # Dependencies are looked for beside the unit.
    names = [str(tmp_path / unit.name) for unit in UNITS]
    done = run("systemd-analyze", "verify", "--man=no", *names)
    assert [line for line in done.stderr.splitlines() if "ops-db" in line] == []


def test_the_containers_have_what_the_wheel_and_the_settings_need():
    lines = (FOLDER / "Containerfile").read_text().splitlines()
    copied = {name for line in lines if line.startswith("COPY") for name in line.split()[1:-1]}
    assert all((ROOT / name).exists() for name in copied)
    assert {"pyproject.toml", "README.md", "LICENSE", "manage.py", "opsdb", "config"} <= copied
    compose = yaml.safe_load((FOLDER / "compose.yaml").read_text())
    for service in compose["services"].values():
        assert {*service.get("secrets", ())} <= {*compose["secrets"]}
        assert {*service.get("depends_on", {})} <= {*compose["services"]}
        if "build" in service:
            assert (FOLDER / service["build"]["context"] / service["build"]["dockerfile"]).exists()

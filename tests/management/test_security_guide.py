"""The roles of docs/security.md, set up by typing what the page shows."""

import re
import textwrap
from urllib.parse import quote

import pytest
from django.conf import settings
from django.db import connection

from tests.commands import ROOT, manage, succeed_several
from tests.databases import as_owner, url_of_test_database

PAGE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^ *```(sql|sh)\n(.*?)^ *```$", re.DOTALL | re.MULTILINE)
BLOCKS = [(language, textwrap.dedent(text)) for language, text in BLOCK.findall(PAGE)]
ROLES = ("ops_owner", "ops_app", "ops_reader")


def execute(statements, *, database=None):
    """Execute statements one by one, as the administrator who made the roles."""
    before = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = database or before
    try:
        with as_owner(), connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
                if cursor.description:
                    return cursor.fetchall()
    finally:
        connection.close()
        connection.settings_dict["NAME"] = before


@pytest.fixture
def page(transactional_db):
    """The page's blocks with other names of roles and database, and the URLs by which the roles log in.

    The administrator of the tests' server acts as the roles, because it lets nobody else in.
    """
    database = f"{connection.settings_dict['NAME']}_guide"
    names = {role: f"{role}_{database}" for role in ROLES} | {"ops": database}

    def renamed(text):
        return re.sub(r"\bops(_owner|_app|_reader)?\b(?=[ \";@,]|$)", lambda found: names[found[0]], text, flags=re.M)

    shared = url_of_test_database(owner=True).replace(connection.settings_dict["NAME"], database)
    joint = "&" if "?" in shared else "?"
    urls = {role: f"{shared}{joint}options={quote(f'-c role={names[role]}')}" for role in ROLES}
    yield [(language, renamed(text)) for language, text in BLOCKS], urls, names
    execute([f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)'])
    execute([f'DROP ROLE IF EXISTS "{names[role]}"' for role in ROLES])


def statements_of(text):
    return [statement for statement in text.split(";\n") if statement.strip()]


@pytest.mark.django_db(transaction=True)
def test_the_roles_are_set_up_as_the_page_shows(page):
    (_, make), (_, exports), (_, migrate), (_, timeouts), (_, look) = page[0]
    urls, names = page[1:]
    execute(statements_of(make))
    execute([f'GRANT "{names[role]}" TO CURRENT_USER' for role in ROLES])
    assert re.findall(r"export (\w+)=", exports) == ["OWNER_DATABASE_URL", "DATABASE_URL"]
    logins = {"OWNER_DATABASE_URL": urls["ops_owner"], "DATABASE_URL": urls["ops_app"], "SECRET_KEY": "only-for-tests"}
    [command] = migrate.splitlines()
    done = manage(*command.split()[2:], "--data-archive-mode", "development", **logins)
    assert done.returncode == 0, done.stderr
    assert f"Role {names['ops_app']} may read and write the rows of ops-db" in done.stdout
    # What the owner may not do itself is what the page shows.
    left = re.findall(r"have an administrator of roles execute: (.*;)", done.stdout)
    assert left == timeouts.splitlines()
    execute(statements_of(timeouts))

    looks = [" ".join(command.split()[2:]) for command in look.splitlines()]
    *_, looked, again, _ = succeed_several(*looks, "opsdb_migrate", "opsdb_demo --help", **logins)
    assert looked == "There are no problems.\n"
    # A later deployment names no role.
    assert "may read" not in again

    asked = [("ops_app", "change_log", "INSERT"), ("ops_app", "site", "INSERT"), ("ops_reader", "site", "INSERT")]
    rights = ", ".join(f"has_table_privilege('{names[role]}', '{table}', '{right}')" for role, table, right in asked)
    assert execute([f"SELECT {rights}"], database=names["ops"]) == [(False, True, False)]


def test_the_page_names_the_roles_of_the_embedded_server():
    assert f"(`{settings.APPLICATION_ROLE}`)" in PAGE

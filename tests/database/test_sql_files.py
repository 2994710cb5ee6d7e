"""The SQL files are parsed without a server, and a broken one is found with its file and line."""

import pytest

from opsdb.database.definitions import functions_in
from tools import lint_sql

GOOD = """-- A topic.

CREATE OR REPLACE FUNCTION opsdb_answer() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
-- Keeps the answer.
BEGIN
    IF NEW.answer <> 42 THEN
        PERFORM opsdb_refuse(TG_NAME, TG_TABLE_NAME, 'it''s 100 % wrong');
    END IF;
    RETURN NEW;
END
$$;
"""


@pytest.fixture
def problems_of(tmp_path):
    def problems(text):
        path = tmp_path / "topic.sql"
        path.write_text(text)
        return [problem.replace(str(tmp_path), "") for problem in lint_sql.problems_of(path)]

    return problems


def test_every_sql_file_is_whole():
    assert lint_sql.main() == 0


def test_a_whole_file_has_no_problems(problems_of, tmp_path):
    assert problems_of(GOOD) == []
    assert [*functions_in(tmp_path)] == ["opsdb_answer"]


def test_a_function_whose_body_is_bound_when_it_is_created_has_no_problems(problems_of, tmp_path):
    bound = """CREATE OR REPLACE FUNCTION opsdb_{}() RETURNS integer
LANGUAGE sql IMMUTABLE
-- Returns the answer.
{}

"""
    text = bound.format("one", "RETURN 42;") + bound.format("other", "BEGIN ATOMIC\n    SELECT 42;\nEND;")
    assert problems_of(text) == []
    assert [*functions_in(tmp_path)] == ["opsdb_one", "opsdb_other"]


@pytest.mark.parametrize(
    ("right", "wrong", "problem"),
    [
        ("END\n$$;", "END I;\n$$;", "/topic.sql:3: opsdb_answer: end label"),
        ("<> 42 THEN", "<> 42", "/topic.sql:3: opsdb_answer: missing"),
        ("RETURNS trigger\n", "RETURN trigger\n", "/topic.sql:4: syntax error"),
        ("-- Keeps the answer.\n", "", "/topic.sql:3: opsdb_answer needs a comment"),
        ("opsdb_answer", "answer", "/topic.sql:3: answer needs a comment"),
        (" SET search_path FROM CURRENT", "", "/topic.sql:3: opsdb_answer needs SET search_path FROM CURRENT"),
        ("\n$$;\n", " $$;\n", "/topic.sql: a definition does not end with a line $$;"),
        (GOOD, GOOD + GOOD, "/topic.sql: opsdb_answer is defined twice"),
        ("-- A topic.", "-- " + "A topic. " * 20, "/topic.sql:1: longer than 120 characters"),
    ],
)
def test_a_broken_file_is_named_with_what_is_wrong(problems_of, right, wrong, problem):
    assert right in GOOD
    found = problems_of(GOOD.replace(right, wrong))
    assert found and found[0].startswith(problem), found

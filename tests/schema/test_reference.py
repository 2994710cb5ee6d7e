"""The reference of the schema: it is as the models make it, and PostgreSQL has what it describes."""

import json
from xml.etree import ElementTree

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from opsdb.models import RawDataFile, enums
from opsdb.models.meanings import MEANINGS, meanings_of
from opsdb.schema import describe_schema
from opsdb.schema.entities import area_diagram
from opsdb.schema.files import files_of
from opsdb.schema.markdown import markdown
from opsdb.schema.reading import AREAS
from tests.commands import ROOT

COMMITTED = ROOT / "docs" / "schema"


def rows_of(sql, *parameters):
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return cursor.fetchall()


def test_the_committed_reference_is_as_the_models_make_it(capsys):
    """No database is needed: this test has none."""
    call_command("opsdb_schema", "--output", str(COMMITTED), "--check")
    assert "as the models make them" in capsys.readouterr().out


# What a folder has, and the message


def changed(folder):
    page = folder / "history.md"
    page.write_text(page.read_text().replace("| `table_name` | varchar(63)", "| `table_name` | varchar(64)"))


def shortened(folder):
    page = folder / "history.md"
    page.write_text("".join(page.read_text().splitlines(keepends=True)[:10]))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (changed, r"history\.md, line \d+: is “.*varchar\(64\).*”, but should be “.*varchar\(63\).*”"),
        (shortened, r"history\.md, line 11: is no line, but should be “"),
        (lambda folder: (folder / "history.svg").unlink(), r"history\.svg: is missing"),
        (lambda folder: (folder / "old.md").write_text("# Old\n"), r"old\.md: is not part of the reference"),
    ],
    ids=["changed", "shortened", "missing", "left over"],
)
def test_a_difference_is_named_with_file_and_line(change, message, tmp_path):
    for name, text in files_of(describe_schema(), "markdown").items():
        (tmp_path / name).write_text(text)
    change(tmp_path)
    with pytest.raises(CommandError, match=message + r".*; write it anew by manage.py opsdb_schema --format markdown"):
        call_command("opsdb_schema", "--output", str(tmp_path), "--check")


def test_a_comparison_needs_a_folder(tmp_path):
    with pytest.raises(CommandError, match="name it by --output"):
        call_command("opsdb_schema", "--check")
    with pytest.raises(CommandError, match="is no folder"):
        call_command("opsdb_schema", "--check", "--output", str(tmp_path / "nowhere"))


def test_files_are_written_into_a_new_folder(tmp_path, capsys):
    folder = tmp_path / "new" / "diagrams"
    call_command("opsdb_schema", "--format", "mermaid", "--output", str(folder))
    written = {path.name: path.read_text() for path in folder.iterdir()}
    assert written == files_of(describe_schema(), "mermaid")
    assert f"{len(written)} files written" in capsys.readouterr().out


# Formats


def printed(capsys, format):
    call_command("opsdb_schema", "--format", format)
    return capsys.readouterr().out


def test_json_has_every_table_and_column(capsys):
    document = json.loads(printed(capsys, "json"))
    tables = {table["name"]: table for area in document["areas"] for table in area["tables"]}
    columns = {column["name"] for column in tables["raw_data_file"]["columns"]}
    assert document["format"] == 1
    assert set(tables) == set(describe_schema().tables())
    assert columns == {field.column for field in RawDataFile._meta.local_concrete_fields}


def test_mermaid_has_tables_and_states(capsys):
    whole = printed(capsys, "mermaid")
    assert whole.startswith("erDiagram\n")
    assert "    data_location ||--o{ raw_data_file : source_location_id\n" in whole
    states = files_of(describe_schema(), "mermaid")["states-deletionrequeststatus.mmd"]
    assert states.splitlines() == [
        "stateDiagram-v2",
        "    requested --> approved",
        "    requested --> rejected",
        "    approved --> rejected",
        "    approved --> executed",
        "    rejected --> [*]",
        "    executed --> [*]",
    ]


def test_every_picture_is_an_image_that_names_what_it_shows():
    for name, text in files_of(describe_schema(), "svg").items():
        root = ElementTree.fromstring(text)  # noqa: S314 - of our own making
        assert root.tag == "{http://www.w3.org/2000/svg}svg", name
        assert root.find("{*}title").text and root.find("{*}desc").text, name


def test_markdown_is_printed_whole(capsys):
    pages = [text for name, text in files_of(describe_schema(), "markdown").items() if name.endswith(".md")]
    assert printed(capsys, "markdown") == "\n".join(pages)


def test_signs_of_markdown_in_a_text_are_escaped_outside_of_code():
    assert markdown('A list [] of ``a | b``; {"cron": "0 * *"}') == r'A list \[\] of `a | b`; {"cron": "0 \* \*"}'


# Diagrams


@pytest.mark.parametrize("name", AREAS)
def test_no_box_of_a_diagram_covers_another(name):
    [area] = [area for area in describe_schema().areas if area.name == name]
    drawing = ElementTree.fromstring(area_diagram(describe_schema(), area, lambda table: None))  # noqa: S314
    boxes = [
        tuple(float(rect.get(key)) for key in ("x", "y", "width", "height"))
        for rect in drawing.iter("{http://www.w3.org/2000/svg}rect")
        if rect.get("stroke")
    ]
    assert len(boxes) >= len([table for table in area.tables if table.kind != "table of links"])
    for number, (x, y, width, height) in enumerate(boxes):
        for other_x, other_y, other_width, other_height in boxes[:number]:
            assert (
                x >= other_x + other_width
                or other_x >= x + width
                or y >= other_y + other_height
                or other_y >= y + height
            )


# Truth


def test_every_value_of_an_enumeration_has_a_meaning():
    named = {getattr(enums, name) for name in enums.__all__}
    assert set(MEANINGS) == named
    for enumeration in named:
        meanings = meanings_of(enumeration)  # as many as there are values, or it fails
        assert [value for value, meaning in meanings.items() if not meaning.endswith(".")] == []


def test_every_rule_is_a_sentence():
    rules = [rule for table in describe_schema().tables().values() for rule in table.rules]
    assert len(rules) > 250
    assert [rule.name for rule in rules if not rule.sentence.endswith(".")] == []
    assert [rule.name for rule in rules if "TG_ARGV" in rule.sentence or "\n" in rule.sentence] == []


@pytest.mark.django_db
def test_postgresql_has_the_columns_that_are_described():
    found = {
        (table, column): (kind, null, bool(default))
        for table, column, kind, null, default in rows_of(
            """SELECT relname, attname, format_type(atttypid, atttypmod), NOT attnotnull,
                pg_get_expr(adbin, adrelid) IS NOT NULL OR attidentity <> ''
            FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
            LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
            WHERE relnamespace = current_schema()::regnamespace AND relname = ANY (%s)
                AND attnum > 0 AND NOT attisdropped""",
            [name for name, table in describe_schema().tables().items() if table.kind != "view"],
        )
    }
    described = {
        (table.name, column.name): (
            column.sql_type.replace("varchar(", "character varying("),
            column.null,
            bool(column.default),
        )
        for table in describe_schema().tables().values()
        if table.kind != "view"
        for column in table.columns
    }
    assert described == found


@pytest.mark.django_db
def test_postgresql_has_the_constraints_indexes_and_rules_that_are_described():
    tables = describe_schema().tables()
    found = {
        (table, name)
        for table, name in rows_of(
            """SELECT relname, conname FROM pg_constraint JOIN pg_class ON pg_class.oid = conrelid
            WHERE relname = ANY (%s) AND contype IN ('c', 'u', 'x')
            UNION SELECT indexed.relname, index.relname FROM pg_index
            JOIN pg_class AS indexed ON indexed.oid = indrelid JOIN pg_class AS index ON index.oid = indexrelid
            WHERE indexed.relname = ANY (%s) AND NOT indisprimary
            UNION SELECT relname, tgname FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid
            WHERE relname = ANY (%s) AND NOT tgisinternal""",
            *[list(tables)] * 3,
        )
    }
    described = {
        (table.name, part.name)
        for table in tables.values()
        for part in (*table.constraints, *table.indexes, *table.rules)
        if part.name
    }
    # Django names the unique pair of a table of links after a digest, and what refuses to empty a table is put away
    # so that tests can do so.
    described = {one for one in described if not one[1].endswith("_never_truncated")}
    pairs = {(table, name) for table, name in found if tables[table].kind == "table of links" and "_uniq" in name}
    assert described == found - pairs

"""Somebody who follows the pages: types their commands, runs their code, and compares what is shown."""

import ast
import doctest
import json
import os
import re
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, redirect_stderr, redirect_stdout
from importlib import import_module
from io import StringIO
from pathlib import Path

import pglast
import yaml
from django.core.management import call_command, get_commands
from django.db import connection, transaction

from tests.databases import as_owner, url_of_test_database
from tests.documentation.pages import Block

PROMPT = "$ "
# Folders that the pages name as examples.
PLACES = ("/archive/", "/var/backups/", "/run/secrets/")
# Commands that the owner of the tables runs.
OWNERS = {"opsdb_migrate", "opsdb_history", "migrate"}
FILE = re.compile(r"[\w/.-]+\.(csv|jsonl|yaml|kosma|cat|tsv|ecsv|txt)")
# Options and arguments of a command without their values.
OPTION = re.compile(r"--[\w-]+")


def assert_shown(printed: str, shown: str, block: Block) -> None:
    """Compare what was printed with what a page shows, in which ``…`` stands for anything."""
    printed, shown = ("\n".join(line.rstrip() for line in text.strip().splitlines()) for text in (printed, shown))
    pattern = ".*?".join(re.escape(part) for part in shown.split("…"))
    assert re.fullmatch(pattern, printed, re.DOTALL), f"{block} shows\n{shown}\n\nand this was printed:\n{printed}"


def lines_of(command: str) -> list[str]:
    """Return the command lines of a block without prompt, whose continued lines are joined."""
    joined = re.sub(r"\\?\n {2,}", " ", command.replace("\\\n", " \n  "))
    return [line.removeprefix(PROMPT).strip() for line in joined.splitlines() if line.strip()]


def words_of(line: str) -> list[str]:
    """Return the words of a call of manage.py behind that name, and none for any other command."""
    words = shlex.split(line, comments=True)
    if words and Path(words[0]).name in {"python", "python3"}:
        words = words[1:]
    return words[1:] if words and Path(words[0]).name == "manage.py" else []


@contextmanager
def found_in(folder: Path) -> Iterator[None]:
    """Let Python import the modules of a folder, as where it is started there, and forget them in the end."""
    known = set(sys.modules)
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))
        for name in set(sys.modules) - known:
            if str(folder) in str(getattr(sys.modules[name], "__file__", "")):
                del sys.modules[name]


class Reader:
    """Follows pages, one after the other."""

    def __init__(self) -> None:
        self.home = Path.cwd()
        self.printed = ""
        self.names: dict = {}
        self.files: set[Block] = set()

    def follow(self, page: str, blocks: list[Block], given: dict) -> None:
        """Execute the blocks of a page, in a folder of its own.

        Args:
            page: its name.
            blocks: in their order.
            given: what the page expects its readers to have, by the name that its code uses.
        """
        self.names = dict(given)
        folder = self.home / page
        folder.mkdir(parents=True)
        os.chdir(folder)
        with found_in(folder):
            self._follow(blocks)

    def _follow(self, blocks: list[Block]) -> None:
        for block in blocks:
            if block.file:
                self.write(block.file, block.text)
                self.files.add(block)
        for number, block in enumerate(blocks):
            if block in self.files:
                continue
            following = blocks[number + 1] if number + 1 < len(blocks) and blocks[number + 1].follows else None
            try:
                getattr(self, f"do_{block.language}")(block, following)
            except Exception as error:
                error.add_note(f"at {block}")
                raise

    @staticmethod
    def write(name: str, text: str) -> None:
        """Write a file of a page."""
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(text, encoding="utf-8")

    def do_console(self, block: Block, following: Block | None) -> None:
        """Type the commands of a block, and compare what they print where the block shows it."""
        parts = (
            re.split(r"^\$ ", block.text, flags=re.MULTILINE) if PROMPT in block.text else ["", *lines_of(block.text)]
        )
        for part in parts[1:]:
            command, _, shown = part.partition("\n")
            while command.endswith("\\"):
                more, _, shown = shown.partition("\n")
                command = command[:-1] + more
            words = words_of(command)
            assert words, f"{block}: no command of manage.py: {command}"
            names = [word for word in words if FILE.fullmatch(word)]
            if following and names and (following.language != "text" or not Path(names[0]).exists()):
                self.write(names[0], following.text)
                self.files.add(following)
            self.printed = self.type(words)
            if shown.strip():
                assert_shown(self.printed, shown, block)

    do_command = do_sh = do_console

    def type(self, words: list[str]) -> str:
        """Run a command of manage.py, as the owner of the tables where it needs that, and return what it printed."""
        words = [self.here(word) for word in words]
        out = StringIO()
        with redirect_stdout(out), redirect_stderr(out), as_owner() if words[0] in OWNERS else nullcontext():
            call_command(*words)
        return out.getvalue()

    @staticmethod
    def here(word: str) -> str:
        """Return a folder of the test's own for one of a machine, and make it; any other word as it is."""
        if not word.startswith(PLACES):
            return word
        place = Path.cwd() / word.lstrip("/")
        (place.parent if place.parent.name == "secrets" else place).mkdir(parents=True, exist_ok=True)
        return str(place)

    def do_python(self, block: Block, following: Block | None) -> None:
        """Execute Python, with the names of the page's blocks before."""
        text = re.sub(r"postgres(?:ql)?(?:\+psycopg)?://[^\"']+", self.replace_address, block.text)
        out = StringIO()
        with redirect_stdout(out):
            exec(compile(text, f"{block.page}:{block.line}", "exec"), self.names)  # noqa: S102 - our own page
        self.printed = out.getvalue()

    def replace_address(self, found: re.Match) -> str:
        """Return the address of the test's database, for the one on a page."""
        scheme = "postgresql+psycopg://" if "+psycopg" in found[0] else "postgresql://"
        return scheme + url_of_test_database().partition("://")[2]

    def do_pycon(self, block: Block, following: Block | None) -> None:
        """Run a session of Python, and compare what it prints."""
        runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE, verbose=False)
        found = doctest.DocTestParser().get_doctest(
            block.text.replace("…", "..."), self.names, str(block), block.page, block.line
        )
        out = StringIO()
        runner.run(found, out=out.write, clear_globs=False)
        self.names.update(found.globs)
        assert not runner.failures, out.getvalue()

    def do_sql(self, block: Block, following: Block | None) -> None:
        """Execute SQL as the owner of the tables, and take it back."""
        with as_owner(), transaction.atomic(), connection.cursor() as cursor:
            for statement in block.text.replace("BEGIN;", "").replace("COMMIT;", "").split(";\n"):
                if statement.strip():
                    cursor.execute(statement)
            transaction.set_rollback(True)

    def do_text(self, block: Block, following: Block | None) -> None:
        """Compare what the block before printed."""
        assert block.follows, f"{block}: this is neither a file nor what a block before prints"
        assert_shown(self.printed, block.text, block)


def assert_well_formed(block: Block) -> None:
    """Assert that a block that nobody executes is at least of its language."""
    match block.language:
        case "python":
            ast.parse(block.text)
        case "sql":
            pglast.parse_sql(block.text)
        case "json":
            json.loads(block.text)
        case "yaml":
            yaml.safe_load(block.text)
        case "console" | "sh" | "command":
            for line in lines_of(block.text):
                assert_known(line)


def assert_known(line: str) -> None:
    """Assert that a command of manage.py, if it is one of ours, has the options that a line gives it."""
    words = re.sub(r"[\[\]|]", " ", line).split()
    if "manage.py" not in [Path(word).name for word in words]:
        return
    name, *arguments = words[[Path(word).name for word in words].index("manage.py") + 1 :]
    if get_commands().get(name) != "opsdb":
        return
    module = import_module(f"opsdb.management.commands.{name}")
    parser = module.Command().create_parser("manage.py", name)
    known = parser.format_help()
    for action in parser._actions:
        if hasattr(action, "choices") and isinstance(action.choices, dict):
            known += "".join(sub.format_help() for sub in action.choices.values())
    missing = [option for option in OPTION.findall(" ".join(arguments)) if option not in known]
    assert not missing, f"{name} has no {missing}"

"""The pages of the documentation, and the blocks of code on them."""

import re
import textwrap
from dataclasses import dataclass
from pathlib import Path

from tests.commands import ROOT

PAGES = [
    path for path in sorted(ROOT.glob("*.md")) + sorted((ROOT / "docs").rglob("*.md")) if "schema" not in path.parts
]
FENCED = re.compile(r"^(?P<indent> *)```(?P<language>\w*)\n(?P<text>.*?)^(?P=indent)```$", re.MULTILINE | re.DOTALL)
# A command in an indented block, with the lines that go on with it.
INDENTED = re.compile(r"(?:^    manage\.py [^\n]*\n(?:^ {6,}\S[^\n]*\n)*)+", re.MULTILINE)
NAMED = re.compile(r"\*\*`([^`]+)`\*\*\n\n\Z")


@dataclass(frozen=True)
class Block:
    """A block of code.

    Attributes:
        page: name of the page, from the root of the project.
        line: at which it begins.
        language: what the fence names; ``command`` where the block is indented.
        text: without the indentation.
        file: the name that stands above it in bold, where it is a file.
        follows: it follows the block before without a word between.
    """

    page: str
    line: int
    language: str
    text: str
    file: str = ""
    follows: bool = False

    @property
    def first_line(self) -> str:
        """The first line, by which exceptions name a block."""
        return self.text.strip().split("\n")[0]

    def __str__(self) -> str:
        return f"{self.page}:{self.line} {self.first_line}"


def name_of(page: Path) -> str:
    """Return the name of a page from the root of the project."""
    return str(page.relative_to(ROOT))


def blocks_of(page: Path) -> list[Block]:
    """Return the blocks of a page in their order."""
    text = page.read_text(encoding="utf-8")
    fenced = list(FENCED.finditer(text))
    inside = [found.span() for found in fenced]
    indented = [found for found in INDENTED.finditer(text) if not any(a <= found.start() < b for a, b in inside)]
    blocks, before = [], 0
    for found in sorted([*fenced, *indented], key=lambda found: found.start()):
        groups = found.groupdict()
        named = NAMED.search(text, 0, found.start())
        blocks.append(
            Block(
                page=name_of(page),
                line=text.count("\n", 0, found.start()) + 1,
                language=groups.get("language", "command"),
                text=textwrap.dedent(groups.get("text") or found.group()),
                file=named[1] if named else "",
                follows=bool(blocks) and not text[before : found.start()].strip(),
            )
        )
        before = found.end()
    return blocks

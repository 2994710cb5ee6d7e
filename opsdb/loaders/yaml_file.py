"""Reading YAML safely and within limits, with the line of every value."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from .errors import LoadProblems, shown
from .text_files import read_lines

CHARACTER_LIMIT = 2_000_000
NODE_LIMIT = 200_000
LONGEST_NUMBER = 1000


class Lines(dict[str, int]):
    """Lines by the paths of values; what is merged from elsewhere by ``<<`` has the line of what it is merged into."""

    def __missing__(self, path: str) -> int:
        while path and path not in self:
            path = re.sub(r"(^|[.\[])[^.\[]*$", "", path)
        return self.get(path, 1)


def read_yaml(path: str | Path, problems: LoadProblems) -> tuple[Any, Lines]:
    """Return a YAML document, and the lines of its values by their paths, such as ``load[0].kind``.

    Args:
        path: the file.
        problems: those of this file.

    Raises:
        LoadError: the file can't be read, is not YAML, or has names or characters that are not allowed.
    """
    import yaml

    lines = Lines()
    text = "\n".join(read_lines(path, problems)) + "\n"
    if len(text) > CHARACTER_LIMIT:
        problems.stop("this file is too large", expected=f"at most {CHARACTER_LIMIT} characters")
    try:
        loader = yaml.SafeLoader(text)
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        problems.stop(f"this is not YAML: {error.reason}", expected="plain text", line=line)
    try:
        node = loader.get_single_node()
        if node is None:
            problems.stop("this file is empty")
        _locate(node, "", lines, problems)
        problems.stop_if_any()
        return loader.construct_document(node), lines
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        reason = getattr(error, "problem", None) or str(error)
        problems.stop(
            f"this is not YAML: {reason}",
            expected="'key: value' lines, lists with '- ', spaces (no tabs) for the depth",
            line=mark.line + 1 if mark else None,
        )
    except RecursionError:
        problems.stop("this YAML is nested too deeply")
    except ValueError as error:
        problems.stop(f"a value can't be read: {error}")
    finally:
        loader.dispose()


def _locate(node, path, lines, problems):
    """Note the lines of a node and of all nodes below it."""
    import yaml

    line = node.start_mark.line + 1
    lines[path] = line
    if len(lines) > NODE_LIMIT:
        problems.stop("there are too many values", expected=f"at most {NODE_LIMIT}, repeated ones counted", line=line)
    if isinstance(node, yaml.SequenceNode):
        for position, item in enumerate(node.value):
            _locate(item, f"{path}[{position}]", lines, problems)
    elif isinstance(node, yaml.MappingNode):
        seen = set()
        for key, value in node.value:
            line = key.start_mark.line + 1
            if key.tag not in ("tag:yaml.org,2002:str", "tag:yaml.org,2002:merge"):
                kind = shown(key.value) if isinstance(key, yaml.ScalarNode) else "a list"
                problems.add(
                    f"{kind} is not a name", expected="a name, in quotes if need be", line=line, column=path or None
                )
                continue
            if key.value in seen:
                problems.add(f"{key.value} is repeated", expected="each key once", line=line, column=path or None)
            seen.add(key.value)
            place = f"{path}.{key.value}" if path else key.value
            _locate(value, place, lines, problems)
            lines[place] = line
    elif node.tag == "tag:yaml.org,2002:int" and len(node.value) > LONGEST_NUMBER:
        problems.add(
            "this number is too long", expected=f"at most {LONGEST_NUMBER} characters", line=line, column=path or None
        )
    elif any(character == "\0" or "\ud800" <= character <= "\udfff" for character in node.value):
        problems.add("contains a character that is not allowed", expected="plain text", line=line, column=path or None)

"""inpar files: every parameter as it stands, every wrong line by its number."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opsdb.loaders.errors import LoadError, LoadProblems
from opsdb.loaders.inpar import read_inpar


@pytest.fixture
def read(tmp_path):
    """Read a text; return parameters as key, value and comment, or raise what is wrong with it."""

    def read(text):
        path = tmp_path / "a.inpar"
        path.write_text(text, newline="")
        problems = LoadProblems(path)
        found = read_inpar(path, problems)
        problems.stop_if_any()
        return [(one.key, one.value, one.comment) for one in found]

    return read


@pytest.mark.parametrize(
    ("line", "parameter"),
    [
        ("a = 5", ("a", "5", "")),
        ("a=5", ("a", "5", "")),
        ("  a =  5 6  # why", ("a", "5 6", "why")),
        ("a.b-c_1 = -1.5e3", ("a.b-c_1", "-1.5e3", "")),
        ("a = b = c", ("a", "b = c", "")),
        ("a = x#y", ("a", "x#y", "")),
        ("a = it's", ("a", "it's", "")),
        ("a = $HOME/`date`", ("a", "$HOME/`date`", "")),
        ('a = "x # y" # z', ("a", "x # y", "z")),
        ("a = ' \"x\" '", ("a", ' "x" ', "")),
        ('a = ""#none', ("a", "", "none")),
        ("a =", ("a", "", "")),
        ("a = # nothing", ("a", "", "nothing")),
    ],
)
def test_a_parameter_is_read_as_it_stands(read, line, parameter):
    assert read(f"\ufeff# head\r\n\r\n{line}\r\n") == [parameter]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a = 1\nb 2\n", "line 2: 'b 2' is not a parameter; expected key = value"),
        ("a = 1\n\na = 2\n", "line 3, a: a is repeated, first on line 1"),
        ("= 1\n", "line 1: '' is not a parameter name"),
        ("1a = 1\n", "line 1: '1a' is not a parameter name"),
        (f"{'a' * 101} = 1\n", "is not a parameter name"),
        ('a = "open\n', "line 1, a: '\"open' is not a value"),
        ('a = "x" y\n', "line 1, a: '\"x\" y' is not a value"),
        ("# nothing but a comment\n", "there are no parameters"),
        ("a = 1\0\n", "line 1: contains a NUL byte"),
    ],
)
def test_a_line_that_is_no_parameter_is_named(read, text, said):
    with pytest.raises(LoadError) as caught:
        read(text)
    assert said in str(caught.value)


def test_all_wrong_lines_are_named_at_once(read):
    with pytest.raises(LoadError) as caught:
        read("a\nb = 1\nc\n")
    assert [problem.line for problem in caught.value.problems] == [1, 3]


keys = st.from_regex(r"[A-Za-z_][A-Za-z0-9_.-]{0,20}", fullmatch=True)
values = st.text(st.characters(blacklist_categories=["Cs", "Cc", "Zl", "Zp"], blacklist_characters='"'), max_size=30)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.dictionaries(keys, values, min_size=1))
def test_what_is_written_in_quotes_is_read_again(tmp_path_factory, parameters):
    path = tmp_path_factory.mktemp("inpar") / "a.inpar"
    path.write_text("".join(f'{key} = "{value}"\n' for key, value in parameters.items()))
    problems = LoadProblems(path)
    assert {one.key: one.value for one in read_inpar(path, problems)} == parameters
    assert not problems

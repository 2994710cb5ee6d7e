"""Files that can't be read at all get one line that says why."""

import os
from threading import Thread

import pytest

from opsdb.loaders import text_files
from opsdb.loaders.errors import LoadError, shown
from opsdb.loaders.text_files import path_of, read_lines, readable_again


def said_of(path):
    with pytest.raises(LoadError) as caught:
        read_lines(path)
    said = str(caught.value)
    assert said.startswith(str(path))
    assert "\n" not in said
    return said


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty"),
        (b"\xef\xbb\xbf \r\n\r\n", "empty"),
        (b"one\ntwo\0\n", "line 2: contains a NUL byte"),
        (b"one\ntwo\n\x89PNG\n", "line 3: byte 0x89 is not UTF-8 text"),
        ("one".encode("utf-16")[:-1], "this is no UTF-16 text"),
    ],
)
def test_what_is_no_text_is_refused(tmp_path, content, message):
    path = tmp_path / "file"
    path.write_bytes(content)
    assert message in said_of(path)


def test_a_missing_file_and_a_folder_are_named(tmp_path):
    assert "the file does not exist" in said_of(tmp_path / "nothing")
    assert "directory" in said_of(tmp_path)


def test_what_comes_out_of_a_pipe_can_be_read_more_than_once(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    Thread(target=pipe.write_text, args=("one\n",)).start()
    file = readable_again(pipe)
    assert [read_lines(file), read_lines(file)] == [["one"]] * 2
    assert path_of(file) == pipe


def test_a_file_without_permission_is_named(tmp_path):
    path = tmp_path / "file"
    path.touch(mode=0o000)
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)  # nobody: everything is readable for root
    try:
        assert "permission" in said_of(path)
    finally:
        os.seteuid(user)


def test_a_file_beyond_the_limit_is_not_read_to_its_end(tmp_path, monkeypatch):
    monkeypatch.setattr(text_files, "MAX_FILE_BYTES", 10)
    path = tmp_path / "file"
    path.write_text("x" * 11)
    assert "too large" in said_of(path)
    assert "MiB" in said_of("/dev/zero")


def test_line_ends_of_every_kind_are_the_same(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"\xef\xbb\xbfone\r\ntwo\rthree\nfour\n")
    assert read_lines(path) == ["one", "two", "three", "four"]


def test_a_value_is_shown_on_one_readable_line():
    assert shown("x" * 10_000) == repr("x" * 60 + "…")
    assert shown("a\nb") == r"'a\nb'"

"""Long lists that lie in a temporary file, so that a load takes little memory whatever the length of its files."""

from __future__ import annotations

import io
import pickle
import tempfile
import weakref
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby, islice
from operator import itemgetter
from pathlib import Path
from types import MappingProxyType
from typing import Any, BinaryIO, TypeVar, overload

from django.db import models

from .errors import LoadError, LoadProblem, LoadProblems

CHUNK_SIZE = 1000
ORDERED_AT_ONCE = 20_000
SHARED_LIMIT = 5000
# Objects that many items share: they stay in memory, and are the same ones when an item is read again. Rows of the
# database only up to the limit, problems always.
SHARED = (models.Model, LoadProblems, MappingProxyType)

Item = TypeVar("Item")


class Spool(Sequence[Item]):
    """A list that can grow and be read again and again; an item that was changed after it was read stays as it was.

    All but the last items are pickled into a file without a name, about 1 kB for a row of a table. Rows of the
    database that items refer to are kept in memory, each once, the first :data:`SHARED_LIMIT` of them: items that refer
    to more come back with copies.

    Args:
        items: the first ones.
    """

    def __init__(self, items: Iterable[Item] = ()):
        self._last: list[Item] = []
        self._chunks: list[tuple[int, int]] = []
        self._shared: list[Any] = []
        self._numbers: dict[int, int] = {}
        self._file: BinaryIO | None = None
        self.extend(items)

    def append(self, item: Item) -> None:
        """Add an item."""
        self._last.append(item)
        if len(self._last) >= CHUNK_SIZE:
            self._write()

    def extend(self, items: Iterable[Item]) -> None:
        """Add several items."""
        for item in items:
            self.append(item)

    def __len__(self) -> int:
        return len(self._chunks) * CHUNK_SIZE + len(self._last)

    def __iter__(self) -> Iterator[Item]:
        for place in self._chunks:
            yield from self._read(*place)
        yield from self._last

    @overload
    def __getitem__(self, index: int) -> Item: ...
    @overload
    def __getitem__(self, index: slice) -> list[Item]: ...
    def __getitem__(self, index: int | slice) -> Item | list[Item]:
        if not isinstance(index, slice):
            chunk, place = divmod(range(len(self))[index], CHUNK_SIZE)
            return self._chunk(chunk)[place]
        return self._at(range(*index.indices(len(self))))

    def in_order(self, positions: Sequence[int]) -> Iterator[Item]:
        """Yield the items at some positions in the order of these, with :data:`ORDERED_AT_ONCE` of them in memory."""
        for some in batches(positions, ORDERED_AT_ONCE):
            ascending = sorted(some)
            found = dict(zip(ascending, self._at(ascending), strict=True))
            for position in some:
                yield found[position]

    def _at(self, positions):
        """Return the items at some positions; neighbours of one chunk are read together."""
        places = (divmod(position, CHUNK_SIZE) for position in positions)
        found = []
        for number, of_chunk in groupby(places, key=itemgetter(0)):
            chunk = self._chunk(number)
            found += [chunk[place] for _, place in of_chunk]
        return found

    def _chunk(self, number):
        return self._last if number == len(self._chunks) else self._read(*self._chunks[number])

    def _write(self):
        buffer = io.BytesIO()
        _Pickler(buffer, self._number_of).dump(self._last)
        with _named_folder():
            if self._file is None:
                # Without a buffer a full disk is noticed here. The file is closed with the list.
                self._file = tempfile.TemporaryFile(prefix="opsdb-load-", buffering=0)  # noqa: SIM115
                weakref.finalize(self, self._file.close)
            start = self._file.seek(0, io.SEEK_END)
            left = buffer.getbuffer()
            while left:
                left = left[self._file.write(left) :]
        self._chunks.append((start, buffer.tell()))
        self._last = []

    def _read(self, start, length):
        with _named_folder():
            self._file.seek(start)
            content = self._file.read(length)
        return _Unpickler(io.BytesIO(content), self._shared).load()

    def _number_of(self, one):
        if id(one) not in self._numbers:
            if isinstance(one, models.Model) and len(self._shared) >= SHARED_LIMIT:
                return None
            self._numbers[id(one)] = len(self._shared)
            self._shared.append(one)
        return self._numbers[id(one)]


@contextmanager
def _named_folder():
    """Name the folder of temporary files, and what decides on it, if the file can't be written or read."""
    try:
        yield
    except OSError as error:
        # Where no folder can be written to, there is none to name.
        folder = Path(tempfile.tempdir or "TMPDIR")
        problem = LoadProblem(
            folder,
            f"the rows of this load can't be kept in a temporary file: {error.strerror or error}",
            expected="room for about 1 kB a row there, or the variable TMPDIR set to a folder that has it",
        )
        raise LoadError([problem]) from error


def _shared_object(number):
    """Stand in a pickle for the shared object of this number."""
    raise pickle.UnpicklingError("shared objects are known to their list only")


class _Pickler(pickle.Pickler):
    # Unlike persistent_id this is not called for texts and numbers.
    def __init__(self, file, number_of):
        super().__init__(file, pickle.HIGHEST_PROTOCOL)
        self._number_of = number_of

    def reducer_override(self, obj):
        number = self._number_of(obj) if isinstance(obj, SHARED) else None
        return NotImplemented if number is None else (_shared_object, (number,))


class _Unpickler(pickle.Unpickler):
    def __init__(self, file, shared):
        super().__init__(file)
        self._shared = shared

    def find_class(self, module_name, global_name):
        found = super().find_class(module_name, global_name)
        return self._shared.__getitem__ if found is _shared_object else found


def batches(items: Iterable[Item], size: int = CHUNK_SIZE) -> Iterator[list[Item]]:
    """Yield the items in lists of at most ``size``."""
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch

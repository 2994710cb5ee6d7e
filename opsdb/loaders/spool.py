"""Long lists that lie in a temporary file, so that a load takes little memory whatever the length of its files."""

from __future__ import annotations

import io
import pickle
import tempfile
import weakref
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from types import MappingProxyType
from typing import Any, BinaryIO, TypeVar, overload

from django.db import models

from .errors import LoadProblems

CHUNK_SIZE = 1000
# Objects that many items share: they stay in memory, and are the same ones when an item is read again.
SHARED = (models.Model, LoadProblems, MappingProxyType)

Item = TypeVar("Item")


class Spool(Sequence[Item]):
    """A list that can grow and be read again and again; an item that was changed after it was read stays as it was.

    All but the last items are pickled into a file without a name, about 500 bytes for a row of a table. Rows of the
    database that items refer to are kept in memory, each once.

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
        if isinstance(index, slice):
            return [self[position] for position in range(*index.indices(len(self)))]
        position = range(len(self))[index]
        chunk, place = divmod(position, CHUNK_SIZE)
        return (self._last if chunk == len(self._chunks) else self._read(*self._chunks[chunk]))[place]

    def _write(self):
        if self._file is None:
            self._file = tempfile.TemporaryFile(prefix="opsdb-load-")  # noqa: SIM115 (closed with the list)
            weakref.finalize(self, self._file.close)
        buffer = io.BytesIO()
        _Pickler(buffer, self._number_of).dump(self._last)
        start = self._file.seek(0, io.SEEK_END)
        self._chunks.append((start, self._file.write(buffer.getbuffer())))
        self._last = []

    def _read(self, start, length):
        self._file.seek(start)
        return _Unpickler(io.BytesIO(self._file.read(length)), self._shared).load()

    def _number_of(self, one):
        if id(one) not in self._numbers:
            self._numbers[id(one)] = len(self._shared)
            self._shared.append(one)
        return self._numbers[id(one)]


def _shared_object(number):
    """Stand in a pickle for the shared object of this number."""
    raise pickle.UnpicklingError("shared objects are known to their list only")


class _Pickler(pickle.Pickler):
    # Unlike persistent_id this is not called for texts and numbers.
    def __init__(self, file, number_of):
        super().__init__(file, pickle.HIGHEST_PROTOCOL)
        self._number_of = number_of

    def reducer_override(self, obj):
        return (_shared_object, (self._number_of(obj),)) if isinstance(obj, SHARED) else NotImplemented


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

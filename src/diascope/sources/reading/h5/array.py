"""An array of an HDF5 file, read a region at a time.

What is stored as numpy has it is read where it lies, past the library, which takes one thread at a time and is slower
at undoing the common filters. What is left to the library is read by it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from diascope.image.level import Pixels
from diascope.image.region import Ints, Region, chunk_region, grid_shape
from diascope.optional import library
from diascope.sources.reading.chunks import corrupt, read_chunks
from diascope.sources.reading.h5.attributes import Attributes
from diascope.sources.reading.h5.chunk_index import MOST, ChunkIndex
from diascope.sources.reading.h5.file import EXTRA, File, NotTaken
from diascope.sources.reading.h5.filters import (
    BUILT_IN,
    Filter,
    decoded,
    is_decodable,
    may_be_kept_as_it_is,
    named,
    of_plist,
)
from diascope.sources.reading.plain.row_major import RowMajor, plane_chunk_shape

LARGEST_CHUNK = 1 << 30
"""A chunk of more bytes than this is refused."""
SMALL_CHUNK = 1 << 11
"""The library is faster at chunks of fewer bytes than this, each of which costs a few calls here."""
CHEAP = 1 << 18
"""Chunks of fewer bytes than this are read several at a time."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Array:
    """An array of numbers."""

    file: File
    id: Any
    path: str
    shape: Ints
    dtype: np.dtype[Any]
    """In the byte order of the machine."""
    chunks: Ints | None
    """The shape of the chunks that it is stored in, None where it is one piece."""
    filters: tuple[Filter, ...]
    read: Callable[[Region], Pixels]
    """The pixels of a region that lies inside, not to be written to; called from many threads."""

    @property
    def attributes(self) -> Attributes:
        return Attributes(self.id)

    @property
    def cheap_shape(self) -> Ints:
        """The grid in which reading is cheap: its chunks, several of them where they are small."""
        if self.chunks is None:
            flat = (1,) * (2 - len(self.shape)) + self.shape
            return plane_chunk_shape(flat, self.dtype.itemsize)[-len(self.shape) :]
        sizes = [min(chunk, max(size, 1)) for chunk, size in zip(self.chunks, self.shape, strict=True)]
        for d in reversed(range(len(sizes))):
            wanted = CHEAP // (prod(sizes) * self.dtype.itemsize)
            if wanted < 2:
                break
            most = -(-self.shape[d] // self.chunks[d])
            sizes[d] = min(self.chunks[d] * min(wanted, most), max(self.shape[d], 1))
        return tuple(sizes)


def array_of(file: File, id: Any, path: str) -> Array:
    """Raises NotTaken where it has no plain numbers, or they do not lie in this file."""
    stored = _dtype(id, path)
    shape = tuple(map(int, id.shape or ()))
    if not shape or min(shape) < 1:
        raise NotTaken(f"{path} is a single value or has none")
    plist = id.get_create_plist()
    filters = of_plist(plist)
    chunks = _chunks(plist, path)
    if not is_decodable(filters) and not _is_built_in(filters):
        raise NotTaken(f"{path} is compressed by the plug-in {named(filters)}, which is not loaded")
    if chunks and prod(chunks) * stored.itemsize > LARGEST_CHUNK:
        raise NotTaken(f"{path} has chunks of {prod(chunks) * stored.itemsize} bytes, more than {LARGEST_CHUNK}")
    held = _Held(id, path, shape, stored, chunks, filters)
    return Array(
        file=file,
        id=id,
        path=path,
        shape=shape,
        dtype=held.dtype,
        chunks=chunks,
        filters=filters,
        read=_reading(file, plist, held),
    )


def scalar_of(id: Any) -> Pixels | None:
    """A single number, None where it is something else or does not lie in this file."""
    h5py = library("h5py", EXTRA)
    try:
        dtype = _dtype(id, "")
        _chunks(id.get_create_plist(), "")
    except NotTaken:
        return None
    if id.shape != ():
        return None
    out = np.zeros((), dtype.newbyteorder("="))
    id.read(h5py.h5s.ALL, h5py.h5s.ALL, out)
    return out


def _dtype(id: Any, path: str) -> np.dtype[Any]:
    try:
        found = np.dtype(id.dtype)
    except (TypeError, ValueError, KeyError, NotImplementedError) as error:
        raise NotTaken(f"{path} has values of a type that numpy lacks: {error}") from error
    if found.subdtype is not None or found.kind not in "biufc" or found.itemsize > (16 if found.kind == "c" else 8):
        words = {"O": "texts, references or lists", "S": "texts", "U": "texts", "V": "records"}
        raise NotTaken(f"{path} has {words.get(found.kind, f'values of the type {found}')}, not numbers")
    # What h5py knows besides, such as the names of numbers, is not for who compares types.
    plain: np.dtype[Any] = np.dtype(found.str)
    return plain


def _chunks(plist: Any, path: str) -> Ints | None:
    h5py = library("h5py", EXTRA)
    layout = plist.get_layout()
    if layout == h5py.h5d.VIRTUAL:
        raise NotTaken(f"{path} is made of other arrays (a virtual dataset), which are not followed")
    if layout == h5py.h5d.CHUNKED:
        return tuple(map(int, plist.get_chunk()))
    if plist.get_external_count():
        raise NotTaken(f"{path} lies in other files as raw data, which are not followed")
    return None


def _is_built_in(filters: tuple[Filter, ...]) -> bool:
    return all(step.code in BUILT_IN for step in filters)


@dataclass(frozen=True, slots=True, eq=False)
class _Held:
    """An array as the library has it."""

    id: Any
    path: str
    shape: Ints
    stored: np.dtype[Any]
    chunks: Ints | None
    filters: tuple[Filter, ...]

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.stored.newbyteorder("=")

    def read(self, region: Region) -> Pixels:
        """A region, read by the library."""
        h5py = library("h5py", EXTRA)
        out = np.zeros(region.shape, self.dtype)
        if 0 not in region.shape:
            space = self.id.get_space()
            space.select_hyperslab(region.start, region.shape)
            self.id.read(h5py.h5s.create_simple(region.shape), space, out)
        return out


def _is_left(held: _Held, chunks: Ints) -> bool:
    """Whether the library reads chunks better: small ones, very many, or such as may be stored in two ways."""
    small = prod(chunks) * held.stored.itemsize < SMALL_CHUNK
    return small or prod(grid_shape(held.shape, chunks)) > MOST or may_be_kept_as_it_is(held.filters)


def _reading(file: File, plist: Any, held: _Held) -> Callable[[Region], Pixels]:
    """How its pixels are read: past the library where they are as numpy has them."""
    h5py = library("h5py", EXTRA)
    if not held.id.get_type().equal(h5py.h5t.py_create(held.stored, logical=True)):
        return held.read
    if held.chunks and is_decodable(held.filters) and not (_is_built_in(held.filters) and _is_left(held, held.chunks)):
        fill = np.zeros((), held.stored)
        if plist.fill_value_defined() != h5py.h5d.FILL_VALUE_UNDEFINED:
            plist.get_fill_value(fill)
        index = ChunkIndex(held.id, held.shape, held.chunks, held.stored.itemsize, file.blob)
        return _Chunked(index, held, held.chunks, fill.astype(held.dtype)).read
    if plist.get_layout() != h5py.h5d.CONTIGUOUS:
        return held.read
    # Of an array that was never written the offset is undefined, and behind a user's own block it looks like one.
    is_there = held.id.get_space_status() == h5py.h5d.SPACE_STATUS_ALLOCATED
    offset = held.id.get_offset() if is_there else None
    return held.read if offset is None else RowMajor(file.blob.read, int(offset), held.shape, held.stored).box


@dataclass(frozen=True, slots=True, eq=False)
class _Chunked:
    """An array whose chunks are read at their places in the file and decoded here."""

    index: ChunkIndex
    held: _Held
    chunks: Ints
    fill: Pixels

    def read(self, region: Region) -> Pixels:
        return read_chunks(region, self.chunks, self.held.dtype, self._chunk)

    def _chunk(self, place: Ints) -> Pixels:
        found = self.index.stored(place)
        if found is None:
            return np.broadcast_to(self.fill, self.chunks)
        mask, data = found
        try:
            return self._decoded(data, mask)
        except Exception as error:
            # A writer may leave the last chunks of an axis as they are; and of a corrupt one the library tells more.
            if not _is_built_in(self.held.filters):
                raise corrupt(f"{self.held.path} at {place}", error) from error
            return self.held.read(chunk_region(place, self.chunks).clipped(self.held.shape))

    def _decoded(self, data: bytes, mask: int) -> Pixels:
        nbytes = prod(self.chunks) * self.held.stored.itemsize
        plain = decoded(data, nbytes, self.held.filters, mask)
        if len(plain) != nbytes:
            raise ValueError(f"it has {len(plain)} of {nbytes} bytes")
        return np.frombuffer(plain, self.held.stored).reshape(self.chunks).astype(self.held.dtype, copy=False)

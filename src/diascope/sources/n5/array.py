"""An N5 dataset (https://github.com/saalfeldlab/n5#file-system-specification).

A block is a file, big-endian, x fastest; one at the upper edges may end with the dataset ::

    0   2      0: one value a pixel
    2   2      n, how many axes
    4   4 n    the sizes, x first
        …      the pixels, packed

The numbers of its attributes are x first as well; here they are x last, as everywhere in Diascope.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from diascope.errors import Unreadable
from diascope.image.level import Pixels
from diascope.image.region import Ints, Region
from diascope.sources.n5.compression import packing, unpack
from diascope.sources.reading.chunks import corrupt, missing, read_chunks
from diascope.sources.reading.documents import Document, joined, shown, sizes
from diascope.sources.reading.packed.packing import Packing
from diascope.sources.reading.packed.sound import is_sound
from diascope.sources.reading.packed.unpacking import Unpack
from diascope.stores.store import Store

TYPES = frozenset({
    "uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64", "float32", "float64",
})  # fmt: skip

LARGEST_BLOCK = 1 << 30
MOST_AXES = 32

MODES = {1: "as many values as it likes for a pixel", 2: "an object"}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Array:
    """A dataset at a path of a store; missing blocks are zeros, as the specification says."""

    store: Store
    path: str
    shape: Ints
    chunk_shape: Ints
    dtype: np.dtype[Any]
    """In the byte order of the machine."""
    unpack: Unpack
    packing: Packing | None
    """Of the pixels of a block, where its codec is a well-known one."""

    def read(self, region: Region) -> Pixels:
        """The pixels of a region that lies inside, not to be written to; raises Unreadable naming a corrupt block."""
        return read_chunks(region, self.chunk_shape, self.dtype, self._chunk)

    def packed(self, place: Ints) -> bytes | None:
        """The pixels as they are packed in the block at a place in the grid.

        None where there is none, where it ends elsewhere than the grid or the dataset does, and where it seems broken.
        """
        data = self.store.read(self._key(place))
        wanted, start = self._wanted(place), 4 + 4 * len(self.shape)
        if data is None or self.packing is None or data[:start] != head(wanted):
            return None
        pixels = data[start:]
        return pixels if is_sound(self.packing.codec, pixels, prod(wanted) * self.dtype.itemsize) else None

    def _key(self, place: Ints) -> str:
        return joined(self.path, "/".join(map(str, reversed(place))))

    def _wanted(self, place: Ints) -> Ints:
        """How much of a block lies in the dataset."""
        ends = zip(place, self.chunk_shape, self.shape, strict=True)
        return tuple(min(chunk, size - i * chunk) for i, chunk, size in ends)

    def _chunk(self, place: Ints) -> Pixels:
        """The block at a place in the grid, at least as far as the dataset goes."""
        key = self._key(place)
        data = self.store.read(key)
        if data is None:
            return missing(np.zeros((), self.dtype), self.chunk_shape)
        try:
            return self._whole(self._block(data), place)
        except Exception as error:
            raise corrupt(key, error) from error

    def _block(self, data: bytes) -> Pixels:
        """The pixels that a block has."""
        rank = len(self.shape)
        mode, count = struct.unpack_from(">HH", data)
        if mode:
            raise ValueError(f"it holds {MODES.get(mode, f'something of the unknown kind {mode}')}")
        if count != rank:
            raise ValueError(f"it has {count} axes instead of {rank}")
        shape = struct.unpack_from(f">{rank}I", data, 4)[::-1]
        if any(size > most for size, most in zip(shape, self.chunk_shape, strict=True)):
            raise ValueError(f"its shape is {shape}, and blocks have at most {self.chunk_shape}")
        stored = self.dtype.newbyteorder(">")
        pixels = self.unpack(memoryview(data)[4 + 4 * rank :], prod(shape) * stored.itemsize)
        return np.frombuffer(pixels, stored).reshape(shape).astype(self.dtype, copy=False)

    def _whole(self, pixels: Pixels, place: Ints) -> Pixels:
        """The block with zeros where it ends before the dataset does."""
        if all(have >= want for have, want in zip(pixels.shape, self._wanted(place), strict=True)):
            return pixels
        out = np.zeros(self.chunk_shape, self.dtype)
        out[tuple(map(slice, pixels.shape))] = pixels
        return out


def head(shape: Ints) -> bytes:
    """What a block of one value a pixel begins with."""
    return struct.pack(f">HH{len(shape)}I", 0, len(shape), *shape[::-1])


def array(store: Store, path: str, attributes: Document) -> Array:
    """The dataset of these attributes; raises Unreadable where they cannot be understood."""
    name = attributes.get("dataType")
    if attributes.get("isLabelMultiset") is True:
        raise Unreadable(f"{path}: it holds multisets of labels, of which a pixel may have any number")
    if name not in TYPES:
        raise Unreadable(f"{path}: pixels of the type {shown(name)} are no numbers that can be shown")
    dtype = np.dtype(str(name))
    shape = sizes(attributes.get("dimensions"), f"{path}: dimensions")[::-1]
    chunk_shape = sizes(attributes.get("blockSize"), f"{path}: blockSize", least=1)[::-1]
    if len(shape) != len(chunk_shape) or not 0 < len(shape) <= MOST_AXES:
        raise Unreadable(f"{path}: blocks of the shape {chunk_shape} do not fit a dataset of the shape {shape}")
    if prod(chunk_shape) * dtype.itemsize > LARGEST_BLOCK:
        raise Unreadable(f"{path}: a block of the shape {chunk_shape} is larger than {LARGEST_BLOCK} bytes")
    return Array(
        store=store,
        path=path,
        shape=shape,
        chunk_shape=chunk_shape,
        dtype=dtype,
        unpack=unpack(attributes, path),
        packing=packing(attributes, path, len(shape), dtype.itemsize),
    )

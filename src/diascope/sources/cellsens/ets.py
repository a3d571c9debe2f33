"""An ETS file: tiles of one stack, each at its place along the stack's dimensions and its level of the pyramid.

::

    "SIS" 0  size:4  version:4  dimensions:4  offset of second header:8  its size:4  -:4
             offset of table:8  tiles:4  -:4
    "ETS" 0  version:4  pixel type:4  samples:4  colour space:4  compression:4  quality:4  tile x:4 y:4 z:4
             hints:68  background:40  order of samples:4  pyramid:4
    entry    -:4  place along each dimension:4 …  offset:8  size:4  -:4

The first two dimensions count tiles along x and y, the last one levels.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from struct import unpack
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diascope.errors import Unreadable
from diascope.image.level import Pixels
from diascope.image.region import Ints
from diascope.sources.distrust import distrust
from diascope.sources.reading.pictures.declared import declared_pixels
from diascope.sources.reading.pictures.png import png_pixels
from diascope.sources.reading.pictures.scans import check_scans
from diascope.stores.store import Blob

HEADER, SECOND = 64, 156
MOST_DIMENSIONS = 16
LONGEST_TILE = 1 << 16
MOST_BYTES = 1 << 30

TYPES = {1: "<i1", 2: "<u1", 3: "<i2", 4: "<u2", 5: "<i4", 6: "<u4", 9: "<f4", 10: "<f8"}
PLAIN, JPEG, JPEG_2000, LOSSLESS_JPEG, PNG, BMP = 0, 2, 3, 5, 8, 9
COMPRESSIONS = {
    PLAIN: "plain", JPEG: "JPEG", JPEG_2000: "JPEG 2000", LOSSLESS_JPEG: "lossless JPEG", PNG: "PNG", BMP: "BMP",
}  # fmt: skip
BLUE_FIRST = 1
"""The order of samples of plain tiles."""


@dataclass(frozen=True, slots=True, eq=False)
class Ets:
    """What the headers and the table say."""

    blob: Blob
    dtype: np.dtype[Any]
    """Little-endian."""
    samples: int
    compression: int
    tile: Ints
    """Rows and columns."""
    background: Pixels
    """The samples of what no tile covers."""
    is_bgr: bool
    has_levels: bool
    places: NDArray[np.int64]
    """Of each tile along each dimension, in the order of ``keys``."""
    extent: Ints
    """How many places there are along each dimension."""
    keys: NDArray[np.int64]
    offsets: NDArray[np.int64]
    sizes: NDArray[np.int64]

    @property
    def levels(self) -> int:
        return self.extent[-1] if self.has_levels else 1

    def tiles(self, level: int) -> Ints:
        """How many rows and columns of tiles a level has."""
        chosen = self.places[self.places[:, -1] == level] if self.has_levels else self.places
        return (int(chosen[:, 1].max()) + 1, int(chosen[:, 0].max()) + 1) if len(chosen) else (0, 0)

    def pixels(self, place: Ints) -> Pixels:
        """Rows, columns and samples of the tile at a place, the background where there is none."""
        shape = (*self.tile, self.samples)
        key = np.ravel_multi_index(place, self.extent)
        row = int(np.searchsorted(self.keys, key))
        if row == len(self.keys) or self.keys[row] != key:
            return np.broadcast_to(self.background, shape)
        start = int(self.offsets[row])
        stop = start + int(self.sizes[row])
        data = self.blob.read(start, stop)
        if len(data) < stop - start:
            raise Unreadable(f"a tile ends after {len(data)} of {stop - start} bytes")
        return self._decoded(data, shape)

    def _decoded(self, data: bytes, shape: Ints) -> Pixels:
        native = self.dtype.newbyteorder("=")
        if self.compression == PLAIN:
            if len(data) < prod(shape) * self.dtype.itemsize:
                raise Unreadable(f"{len(data)} bytes cannot hold a tile of {shape} samples of {self.dtype}")
            pixels = np.frombuffer(data, self.dtype, prod(shape)).reshape(shape).astype(native, copy=False)
            return pixels[..., [2, 1, 0, 3][: self.samples]] if self.is_bgr and self.samples > 2 else pixels
        declared = declared_pixels(data)
        if self.compression != BMP and declared != prod(self.tile):
            raise Unreadable(f"a tile declares {declared} pixels where {prod(self.tile)} belong")
        pixels = _decode(data, self.compression)
        if pixels.shape not in {shape, shape[: 2 if self.samples == 1 else 3]} or pixels.dtype != native:
            raise Unreadable(f"a tile of {shape} samples of {native} was decoded as {pixels.shape} of {pixels.dtype}")
        return pixels.reshape(shape)


def _decode(data: bytes, compression: int) -> Pixels:
    import imagecodecs

    if compression == BMP:
        return np.asarray(imagecodecs.bmp_decode(data))
    if compression == PNG:
        return png_pixels(data)
    if compression == JPEG_2000:
        return np.asarray(imagecodecs.jpeg2k_decode(data))
    check_scans(data)
    return np.asarray(imagecodecs.jpeg_decode(data))


def ets(blob: Blob) -> Ets:
    """Raises Unreadable where the headers cannot be true."""
    first = blob.read(0, HEADER)
    if len(first) < HEADER or not first.startswith(b"SIS\0"):
        raise Unreadable("its pixels are not in an ETS file")
    dimensions, second, table, count = unpack("<12xiq8xqi20x", first)
    if not 3 <= dimensions <= MOST_DIMENSIONS:
        raise Unreadable(f"an ETS file cannot have {dimensions} dimensions")
    data = blob.read(second, second + SECOND) if 0 < second < blob.stat.size else b""
    if len(data) < SECOND or not data.startswith(b"ETS\0"):
        raise Unreadable("its ETS file has no second header")
    kind, samples, compression, width, height = unpack("<8xii4xi4xii", data[:36])
    order, pyramid = unpack("<ii", data[148:156])
    _check(kind, samples, compression, (height, width))
    if compression == BMP:
        distrust("BMP")
    dtype = np.dtype(TYPES[kind])
    places, offsets, sizes = _table(blob, table, count, dimensions)
    extent = tuple(int(size) for size in places.max(axis=0) + 1)
    keys = np.ravel_multi_index(tuple(places.T), extent)
    in_order = np.argsort(keys, kind="stable")
    return Ets(
        blob=blob,
        dtype=dtype,
        samples=samples,
        compression=compression,
        tile=(height, width),
        background=np.frombuffer(data, dtype, samples, 108).astype(dtype.newbyteorder("=")),
        is_bgr=order == BLUE_FIRST,
        has_levels=pyramid != 0,
        places=places[in_order],
        extent=extent,
        keys=keys[in_order],
        offsets=offsets[in_order],
        sizes=sizes[in_order],
    )


def _check(kind: int, samples: int, compression: int, tile: Ints) -> None:
    if kind not in TYPES or samples not in {1, 3, 4} or compression not in COMPRESSIONS:
        raise Unreadable(f"tiles of the type {kind}, {samples} samples and compression {compression} are not supported")
    if not all(1 <= side <= LONGEST_TILE for side in tile) or prod(tile) * samples * 8 > MOST_BYTES:
        raise Unreadable(f"tiles of {tile[1]} by {tile[0]} pixels are not supported")


def _table(
    blob: Blob, start: int, count: int, dimensions: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """The place, the offset and the size of each tile."""
    row = np.dtype([("a", "<i4"), ("place", "<i4", (dimensions,)), ("offset", "<i8"), ("size", "<i4"), ("b", "<i4")])
    size = blob.stat.size
    if count < 1 or not 0 < start <= size - count * row.itemsize:
        raise Unreadable(f"an ETS file of {size} bytes cannot have a table of {count} tiles at byte {start}")
    found = np.frombuffer(blob.read(start, start + count * row.itemsize), row)
    places, offsets, sizes = (found[name].astype(np.int64) for name in ("place", "offset", "size"))
    if len(found) < count or places.min() < 0 or prod(int(side) + 1 for side in places.max(axis=0)) >= 1 << 62:
        raise Unreadable("its ETS file has a table of impossible places")
    if offsets.min() < 0 or sizes.min() < 0 or int(offsets.max()) > size:
        raise Unreadable("a tile lies beyond the end of its ETS file")
    return places, offsets, sizes

"""The codecs of Zarr v3, as they are configured (https://zarr-specs.readthedocs.io/en/latest/v3/codecs/index.html)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from diascope.errors import Unreadable
from diascope.image.level import Pixels
from diascope.image.region import Ints, grid_shape
from diascope.sources.reading.documents import Document, listing, mapping, part, shown, sizes
from diascope.sources.reading.packed.packing import Packing, blosc_parameters
from diascope.sources.reading.packed.unpacking import Unpack, crc32c, unpacking
from diascope.sources.zarr.chain import Body, Chain, Plain, Turn
from diascope.sources.zarr.metadata import check_chunk
from diascope.sources.zarr.sharding import Sharding

NUMCODECS = "numcodecs."
OWN = {"gzip", "zstd", "blosc"}
PACKINGS = {*OWN, "zlib"}
RETYPED = {"delta": "astype", "fixedscaleoffset": "astype", "astype": "encode_dtype"}
"""Codecs from array to array, and which of their parameters is the type that is stored."""
SAME_TYPE = {"bitround", "quantize"}
MOST_NESTED = 4


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A list of codecs in the order of encoding."""

    codecs: list[Any]
    path: str
    depth: int = 0

    def chain(self, shape: Ints, dtype: np.dtype[Any], fill: NDArray[Any]) -> Chain:
        """The codecs in the order of decoding, for chunks of this shape; raises Unreadable naming an unknown one."""
        turns: list[Turn] = []
        unpacks: list[Unpack] = []
        body: Body | None = None
        rank = len(shape)
        for codec in self.codecs:
            name, configuration = self._named(codec)
            if body is not None:
                unpacks.insert(0, self._unpack(name, configuration))
            elif name == "sharding_indexed":
                body = self._sharding(configuration, shape, dtype, fill)
            elif name == "bytes":
                check_chunk(shape, shape, dtype.itemsize, self.path)
                body = Plain(shape, dtype.newbyteorder(self._endian(configuration)))
            else:
                turn, shape, dtype = self._turn(name, configuration, shape, dtype)
                turns.insert(0, turn)
        if body is None:
            raise Unreadable(f"{self.path}: no codec tells how pixels are stored as bytes")
        if unpacks or turns:
            check_chunk(shape, shape, dtype.itemsize, self.path)
        return Chain(tuple(unpacks), body, tuple(turns), self._packing(body, rank))

    def _packing(self, body: Body, rank: int) -> Packing | None:
        """None but for transposes, bytes, and one codec of a well-known name at the most."""
        if not isinstance(body, Plain):
            return None
        order, codec, parameters = tuple(range(rank)), "raw", dict[str, Any]()
        for name, configuration in map(self._named, self.codecs):
            short = name.removeprefix(NUMCODECS)
            if name == "transpose":
                order = tuple(order[axis] for axis in _axes(configuration, rank, self.path))
            elif short in PACKINGS and codec == "raw":
                codec = short
                parameters = blosc_parameters(configuration, body.dtype.itemsize) if short == "blosc" else {}
            elif name != "bytes":
                return None
        return Packing(codec=codec, order=order, parameters=parameters)

    def _named(self, codec: Any) -> tuple[str, Document]:
        if isinstance(codec, str):
            return codec, {}
        document = mapping(codec, f"{self.path}: codec")
        name = document.get("name")
        if not isinstance(name, str):
            raise Unreadable(f"{self.path}: a codec has no name")
        return name, part(document, "configuration")

    def _endian(self, configuration: Document) -> Literal["<", ">"]:
        endian = configuration.get("endian", "little")
        if endian not in ("little", "big"):
            raise Unreadable(f"{self.path}: {shown(endian)} is no order of bytes")
        return "<" if endian == "little" else ">"

    def _unpack(self, name: str, configuration: Document) -> Unpack:
        if name == "crc32c":
            return crc32c
        if name in OWN:
            return unpacking(name, configuration, self.path)
        if name.startswith(NUMCODECS):
            return unpacking(name.removeprefix(NUMCODECS), configuration, self.path)
        raise Unreadable(f"{self.path}: the codec {shown(name)} is unknown")

    def _turn(
        self, name: str, configuration: Document, shape: Ints, dtype: np.dtype[Any]
    ) -> tuple[Turn, Ints, np.dtype[Any]]:
        """How a codec from array to array is undone, and the shape and type of what it stores."""
        if name == "transpose":
            return self._transpose(configuration, shape, dtype)
        short = name.removeprefix(NUMCODECS)
        if not name.startswith(NUMCODECS) or short not in {*RETYPED, *SAME_TYPE, "packbits"}:
            raise Unreadable(f"{self.path}: the codec {shown(name)} is unknown")
        turn = _by_numcodecs(short, configuration, shape, dtype, self.path)
        if short == "packbits":
            return turn, (1 + (math.prod(shape) + 7) // 8,), np.dtype(np.uint8)
        stored = configuration.get(RETYPED.get(short, ""))
        if stored is None:
            return turn, shape, dtype
        try:
            retyped = np.dtype(stored)
        except TypeError as error:
            raise Unreadable(f"{self.path}: {shown(stored)} is no data type") from error
        if retyped.kind not in "biufc":
            raise Unreadable(f"{self.path}: {shown(stored)} is no data type of numbers")
        return turn, shape, retyped

    def _transpose(
        self, configuration: Document, shape: Ints, dtype: np.dtype[Any]
    ) -> tuple[Turn, Ints, np.dtype[Any]]:
        axes = _axes(configuration, len(shape), self.path)
        back = tuple(int(axis) for axis in np.argsort(axes))
        return lambda pixels: pixels.transpose(back), tuple(shape[axis] for axis in axes), dtype

    def _sharding(self, configuration: Document, shape: Ints, dtype: np.dtype[Any], fill: NDArray[Any]) -> Sharding:
        path = f"{self.path}: sharding_indexed"
        if self.depth >= MOST_NESTED:
            raise Unreadable(f"{path}: shards within shards, deeper than {MOST_NESTED} times")
        chunk_shape = sizes(configuration.get("chunk_shape"), f"{path}: chunk_shape", least=1)
        fits = len(chunk_shape) == len(shape)
        if not fits or any(size % chunk for size, chunk in zip(shape, chunk_shape, strict=True)):
            raise Unreadable(f"{path}: chunks of {chunk_shape} do not fill a shard of {shape}")
        index, index_size = self._index(configuration, grid_shape(shape, chunk_shape))
        location = configuration.get("index_location", "end")
        if location not in ("start", "end"):
            raise Unreadable(f"{path}: {shown(location)} is no place of the index")
        inner = Pipeline(listing(configuration.get("codecs"), f"{path}: codecs"), self.path, self.depth + 1)
        return Sharding(
            shape=shape,
            chunk_shape=chunk_shape,
            dtype=dtype,
            inner=inner.chain(chunk_shape, dtype, fill),
            index=index,
            index_size=index_size,
            index_first=location == "start",
            fill=fill,
        )

    def _index(self, configuration: Document, grid: Ints) -> tuple[Chain, int]:
        """The codecs of the index and its size as stored, which must not depend on its values."""
        path = f"{self.path}: index_codecs"
        codecs = listing(configuration.get("index_codecs"), path)
        names = [self._named(codec)[0] for codec in codecs]
        if names[:1] != ["bytes"] or any(name != "crc32c" for name in names[1:]):
            raise Unreadable(f"{path}: {', '.join(map(shown, names))} give no index of a known size")
        chain = Pipeline(codecs, path, self.depth + 1).chain((*grid, 2), np.dtype("u8"), np.zeros((), "u8"))
        return chain, math.prod(grid) * 16 + 4 * (len(names) - 1)


def _axes(configuration: Document, rank: int, path: str) -> Ints:
    """The axes in the order that a transpose makes of them."""
    order = configuration.get("order")
    if order in ("C", "F"):
        order = list(range(rank))[:: 1 if order == "C" else -1]
    axes = sizes(order, f"{path}: order of transpose")
    if sorted(axes) != list(range(rank)):
        raise Unreadable(f"{path}: {axes} is no order of {rank} axes")
    return axes


def _by_numcodecs(name: str, configuration: Document, shape: Ints, dtype: np.dtype[Any], path: str) -> Turn:
    import numcodecs

    try:
        codec = numcodecs.get_codec({**configuration, "id": name})
    except Exception as error:
        raise Unreadable(f"{path}: the codec {name!r} cannot be configured so ({error})") from error

    def turn(pixels: Pixels) -> Pixels:
        decoded = np.asarray(codec.decode(np.ascontiguousarray(pixels)))
        return decoded.astype(dtype, copy=False).reshape(shape)

    return turn

"""The filters of chunks, undone: decompression outside the lock that HDF5 is called under.

https://support.hdfgroup.org/documentation/hdf5/latest/_h5_z__u_g.html,
https://github.com/HDFGroup/hdf5_plugins/blob/master/docs/RegisteredFilterPlugins.md
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from diascope.sources.reading.packed.unpacking import Bytes, unpacking

DEFLATE, SHUFFLE, FLETCHER32, SZIP, NBIT, SCALEOFFSET = 1, 2, 3, 4, 5, 6
BZIP2, LZF, BLOSC, LZ4, BITSHUFFLE, ZSTD = 307, 32000, 32001, 32004, 32008, 32015

BUILT_IN = frozenset({DEFLATE, SHUFFLE, FLETCHER32, NBIT, SCALEOFFSET, LZF})
"""Those that h5py undoes without loading anything."""

BITSHUFFLE_NONE, BITSHUFFLE_LZ4, BITSHUFFLE_ZSTD = 0, 2, 3


class Filter(NamedTuple):
    """One step of a pipeline, as a dataset has it."""

    code: int
    values: tuple[int, ...]
    name: str


Undo: TypeAlias = Callable[[Bytes, int, tuple[int, ...]], Bytes]
"""From bytes, the number of bytes of a whole chunk, and the values of the filter."""


def decoded(data: Bytes, nbytes: int, filters: tuple[Filter, ...], mask: int) -> Bytes:
    """The bytes of a chunk; a bit of the mask says that this filter was left out. Raises where they are corrupt."""
    for place, step in reversed(list(enumerate(filters))):
        if not mask >> place & 1:
            data = UNDONE[step.code](data, nbytes, step.values)
    return data


def is_decodable(filters: tuple[Filter, ...]) -> bool:
    return all(step.code in UNDONE for step in filters)


def may_be_kept_as_it_is(filters: tuple[Filter, ...]) -> bool:
    """Whether a chunk that no filter touched, as the last ones may be, could not be told from one that they did."""
    return bool(filters) and all(step.code in {SHUFFLE, FLETCHER32} for step in filters)


def _deflate(data: Bytes, nbytes: int, _: tuple[int, ...]) -> Bytes:
    import imagecodecs

    return imagecodecs.deflate_decode(data, out=nbytes)


def _shuffle(data: Bytes, _: int, values: tuple[int, ...]) -> Bytes:
    """All first bytes of the numbers, then all second ones and so on; what is left over stands at the end."""
    size = values[0] if values else 1
    packed = np.frombuffer(data, np.uint8)
    count = len(packed) // size if size else 0
    if size < 2 or count < 2:
        return data
    out = np.empty(len(packed), np.uint8)
    for k in range(size):
        out[k : count * size : size] = packed[k * count : (k + 1) * count]
    out[count * size :] = packed[count * size :]
    return out


def _fletcher32(data: Bytes, _: int, __: tuple[int, ...]) -> Bytes:
    """The bytes before the last four, which are their checksum; raises where it is wrong."""
    import numcodecs

    return numcodecs.Fletcher32().decode(bytes(data))


def _szip(data: Bytes, nbytes: int, values: tuple[int, ...]) -> Bytes:
    """A little-endian u32, the bytes unpacked, then the rest."""
    import imagecodecs

    if len(values) < 4 or int.from_bytes(bytes(data[:4]), "little") != nbytes:
        raise ValueError("its szip header tells of another size than the chunk has")
    mask, per_block, bits, per_line = values[:4]
    return imagecodecs.szip_decode(bytes(data[4:]), mask, per_block, bits, per_line, out=nbytes)


def _lzf(data: Bytes, nbytes: int, _: tuple[int, ...]) -> Bytes:
    import imagecodecs

    return imagecodecs.lzf_decode(data, out=nbytes)


def _lz4(data: Bytes, nbytes: int, _: tuple[int, ...]) -> Bytes:
    """Big-endian: u64 the bytes unpacked, u32 those of a block; then each block behind its packed size, u32."""
    if len(data) < 12 or struct.unpack_from(">Q", data)[0] != nbytes:
        raise ValueError("its lz4 header tells of another size than the chunk has")
    import imagecodecs

    return imagecodecs.lz4h5_decode(data, out=nbytes)


def _bitshuffle(data: Bytes, nbytes: int, values: tuple[int, ...]) -> Bytes:
    """Blocks of bits in turn; packed ones stand each behind its size, and what fills no eight numbers stays plain.

    Big-endian: u64 the bytes unpacked, u32 those of a block; then each block behind its packed size, u32.
    """
    import imagecodecs

    size = values[2] if len(values) > 2 else 1
    how = values[4] if len(values) > 4 else BITSHUFFLE_NONE
    if how == BITSHUFFLE_NONE:
        block = values[3] if len(values) > 3 else 0
        return imagecodecs.bitshuffle_decode(data, itemsize=size, blocksize=block)
    unpack = {BITSHUFFLE_LZ4: imagecodecs.lz4_decode, BITSHUFFLE_ZSTD: imagecodecs.zstd_decode}[how]
    total, block = struct.unpack_from(">QI", data)
    if total != nbytes or not 0 < size <= block or block % (8 * size):
        raise ValueError("its header tells of another size than the chunk has")
    out = bytearray()
    at, plain = 12, nbytes % (8 * size)
    while len(out) < nbytes - plain:
        wanted = min(block, nbytes - plain - len(out))
        (packed,) = struct.unpack_from(">I", data, at)
        shuffled = unpack(bytes(data[at + 4 : at + 4 + packed]), out=wanted)
        if len(shuffled) != wanted:
            raise ValueError("a block of it has another size than it should")
        out += imagecodecs.bitshuffle_decode(shuffled, itemsize=size, blocksize=wanted // size)
        at += 4 + packed
    return out + data[at : at + plain]


def _by_name(name: str) -> Undo:
    unpack = unpacking(name, {}, "")
    return lambda data, nbytes, _: unpack(data, nbytes)


UNDONE: dict[int, Undo] = {
    DEFLATE: _deflate, SHUFFLE: _shuffle, FLETCHER32: _fletcher32, SZIP: _szip, BZIP2: _by_name("bz2"), LZF: _lzf,
    BLOSC: _by_name("blosc"), LZ4: _lz4, BITSHUFFLE: _bitshuffle, ZSTD: _by_name("zstd"),
}  # fmt: skip


def named(filters: tuple[Filter, ...]) -> str:
    """What a filter is called that is not undone here, by its name in the file or its number."""
    step = next(each for each in filters if each.code not in UNDONE)
    return f"{step.name or 'filter'} ({step.code})"


def of_plist(plist: Any) -> tuple[Filter, ...]:
    """The pipeline that h5py's list of properties tells, first applied first."""
    found = (plist.get_filter(k) for k in range(min(plist.get_nfilters(), 32)))
    return tuple(
        Filter(int(code), tuple(map(int, values)), name.split(b"\0")[0].decode("ascii", "replace")[:40])
        for code, _, values, name in found
    )

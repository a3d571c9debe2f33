"""The inside of a bzip2 file, read at any place: its blocks are packed one by one.

::

    BZh9  314159265359 crc … | 314159265359 crc … | 177245385090 crc   bits, nothing of which lies on whole bytes
    and from the beginning again where files were packed in parallel

There is no specification but the program itself, https://sourceware.org/bzip2/.
"""

from __future__ import annotations

import bz2
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock

from diascope.bounded import Part, reader_cache
from diascope.errors import Unreadable
from diascope.stores.store import Blob

MAGIC = b"BZh"

BLOCK = 0x314159265359.to_bytes(6, "big")
END = 0x177245385090.to_bytes(6, "big")
MAGIC_BITS, CRC_BITS = 48, 32
AFTER_END = 16
"""The next stream's first block begins within so many bytes of the end of the one before."""

LARGEST_PACKED = 1 << 21
"""A block of 900,000 bytes is not packed into more than this."""
LARGEST_BLOCK = 900_000 * 255 // 4 + (1 << 16)
"""Runs of 255 equal bytes are five before a block is packed."""
SMALLEST_PACKED = 32
WINDOW = 1 << 17


@dataclass(frozen=True, slots=True)
class Block:
    """Where a block's bits are, and its bytes in what is packed."""

    first_bit: int
    last_bit: int
    start: int
    stop: int


class Bunzipped:
    """The bytes in a bzip2 file, up to ``size``, which the caller knows from what is packed.

    Blocks are found and measured as far as has been read, once; the ones unpacked last are kept. Many threads may read.
    """

    def __init__(self, blob: Blob, size: int) -> None:
        if blob.read(0, len(MAGIC)) != MAGIC:
            raise Unreadable("it does not begin as bzip2 does")
        if size > (blob.stat.size // SMALLEST_PACKED + 1) * LARGEST_BLOCK:
            raise Unreadable(f"{blob.stat.size} bytes of bzip2 cannot hold the {size} bytes that the header declares")
        self._blob = blob
        self._size = size
        self._lock = Lock()
        self._blocks: list[Block] = []
        self._next_bit: int | None = self._found(0, AFTER_END)[0]
        self._cache: Part[bytes] = Part(reader_cache, weigh=len)

    def read(self, start: int, stop: int) -> bytes:
        """The bytes from start to stop, fewer where they end sooner."""
        stop = min(stop, self._size)
        if start >= stop:
            return b""
        with self._lock:
            while self._next_bit is not None and (not self._blocks or self._blocks[-1].stop < stop):
                self._measure_next()
            touched = [block for block in self._blocks if block.start < stop and start < block.stop]
        pieces = [self._unpacked(block)[max(start - block.start, 0) : stop - block.start] for block in touched]
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _unpacked(self, block: Block) -> bytes:
        return self._cache.get(block.first_bit, self._making(block.first_bit, block.last_bit))

    def _making(self, first: int, last: int) -> Callable[[], bytes]:
        return lambda: unpacked_block(self._blob, first, last)

    def _measure_next(self) -> None:
        first = self._next_bit or 0
        last, is_end = self._found(first + MAGIC_BITS, LARGEST_PACKED)
        if last is None:
            raise Unreadable("the bzip2 data are cut off, or no bzip2")
        data = self._cache.get(first, self._making(first, last))
        start = self._blocks[-1].stop if self._blocks else 0
        self._blocks.append(Block(first, last, start, start + len(data)))
        self._next_bit = self._found(last + MAGIC_BITS, AFTER_END)[0] if is_end else last

    def _found(self, bit: int, within: int) -> tuple[int | None, bool]:
        """The first bit of the next magic number, up to so many bytes on, and whether it is that of an end."""
        at, stop = bit // 8, bit // 8 + within
        while at < stop and (data := self._blob.read(at, min(at + WINDOW, stop + len(BLOCK) + 1))):
            places = [(place, magic is END) for magic in (BLOCK, END) for place in _bits_of(data, magic)]
            after = [(place + 8 * at, is_end) for place, is_end in places if place + 8 * at >= bit]
            if after:
                return min(after)
            # A magic number may lie across the end of what was read.
            at += max(len(data) - len(BLOCK), 1)
        return None, False


def _bits_of(data: bytes, magic: bytes) -> list[int]:
    """The first place of a magic number for each way in which it may lie across bytes, in bits."""
    number = int.from_bytes(data, "big")
    places = ((number << shift).to_bytes(len(data) + 1, "big").find(magic, 1) for shift in range(8))
    return [8 * (place - 1) + shift for shift, place in enumerate(places) if place > 0]


def unpacked_block(blob: Blob, first: int, last: int) -> bytes:
    """The bytes of a block between two bits: it is unpacked as the only one of a stream, whose checksum is its own."""
    stop = -(-last // 8)
    bits = (int.from_bytes(blob.read(first // 8, stop), "big") >> (8 * stop - last)) & ((1 << (last - first)) - 1)
    crc = (bits >> (last - first - MAGIC_BITS - CRC_BITS)) & 0xFFFFFFFF
    stream = (bits << MAGIC_BITS | int.from_bytes(END, "big")) << CRC_BITS | crc
    length = last - first + MAGIC_BITS + CRC_BITS
    padding = -length % 8
    unpacker = bz2.BZ2Decompressor()
    packed = MAGIC + b"9" + (stream << padding).to_bytes((length + padding) // 8, "big")
    data = unpacker.decompress(packed, LARGEST_BLOCK)
    if not unpacker.eof:
        raise Unreadable("a block of the bzip2 data cannot be unpacked")
    return data

"""zlib streams (RFC 1950) of rows that a filter has left little in: see ``deflate_kernel``."""

from __future__ import annotations

from struct import Struct

import imagecodecs
import numpy as np
from numpy.typing import NDArray

BLOCK = 1 << 18
"""How many bytes share their codes, at most."""

HEADER = b"\x78\x01"
CHECKSUM = Struct(">I")

SPARE = 512
"""Bytes that a block may need beyond nine bits a byte."""

Numbers = NDArray[np.uint64]


def _runs() -> tuple[NDArray[np.int64], Numbers, Numbers]:
    """For runs of so many groups of 8 bytes the symbol of the length, its extra bits, and how many (clause 3.2.5)."""
    symbols, extras, counts = np.zeros(33, np.int64), np.zeros(33, np.uint64), np.zeros(33, np.uint64)
    for groups in range(1, 33):
        beyond = 8 * groups - 3
        count = max(beyond.bit_length() - 3, 0)
        symbols[groups] = 257 + 4 * count + (beyond >> count)
        extras[groups], counts[groups] = beyond & ((1 << count) - 1), count
    return symbols, extras, counts


RUN_SYMBOLS, RUN_EXTRAS, RUN_COUNTS = _runs()


def encoded(data: NDArray[np.uint8]) -> bytes:
    """The stream of bytes that stand in a row, one at least; always the same for the same bytes."""
    data = data.view()
    # The compiled loops are made anew for arrays that may be written to.
    data.flags.writeable = False
    parts = -(-data.size // BLOCK)
    step = -(-data.size // (8 * parts)) * 8
    blocks = (_block(data[start : start + step], last=start + step >= data.size) for start in range(0, data.size, step))
    return b"".join((HEADER, *blocks, CHECKSUM.pack(_checksum(data))))


def _checksum(data: NDArray[np.uint8]) -> int:
    return int(imagecodecs.deflate_adler32(data))  # type: ignore[arg-type]  # its stub knows bytes only


def _block(data: NDArray[np.uint8], *, last: bool) -> bytes:
    from diascope.encodings import deflate_kernel as kernel

    groups, counts = np.empty(data.size // kernel.GROUP, np.uint8), np.zeros(kernel.SYMBOLS, np.int64)
    kernel.grouped(data, data[: groups.size * kernel.GROUP].view("<u8"), groups, counts, RUN_SYMBOLS)
    counts[kernel.END] = 1
    lengths, codes = np.zeros((2, kernel.SYMBOLS), np.uint64)
    kernel.lengths_of(counts, np.argsort(counts, kind="stable"), lengths)
    kernel.codes_of(lengths, codes)
    runs = codes[RUN_SYMBOLS] | RUN_EXTRAS << lengths[RUN_SYMBOLS]
    # The bit behind each run says that it repeats what stands one byte before.
    run_lengths = lengths[RUN_SYMBOLS] + RUN_COUNTS + np.uint64(1)
    out = np.empty(data.size * 9 // 8 + SPARE, np.uint8)
    size = kernel.coded(data, groups, codes, lengths, runs, run_lengths, out, last)
    return out[:size].tobytes()

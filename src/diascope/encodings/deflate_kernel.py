"""Rows of pixels as PNG filters them, and DEFLATE (RFC 1951) of runs and Huffman codes, in compiled loops.

Rows less what their neighbours foretell repeat little but one byte, mostly zero. To look for nothing else takes a third
of the time of a general compressor and gives, on pictures of cells and tissue, fewer bytes. The same pixels give the
same bytes on every machine: no choice depends on the processor or on what memory held before.

A block of the stream is, bit by bit::

    0   or 1 in the last block
    10  codes of its own follow
    286 - 257, 1 - 1, 19 - 4      in 5, 5 and 4 bits: how many lengths follow, of literals and runs, distances, lengths
    0 0 0 4 4 4 4 4 4 …           in 3 bits each, in the order 16 17 18 0 8 7 …: lengths themselves have 4 bits
    287 lengths                   of 4 bits, the last one that of the only distance: 1
    …                             a code for each byte or run; after a run's its extra bits, and 0 for one byte back
    the code of 256               the end

and one that is not the last is followed by an empty stored block, so that each begins with a byte.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from diascope.image.kernels import compiled

PAETH = 4
"""The filter's number (PNG, clause 9.2)."""

GROUP = 8
"""Bytes that are looked at together: runs are of as many, or of a multiple, so that few branches are met."""
LONGEST = 32
"""Groups of a run, at most; DEFLATE has runs of up to 258 bytes."""

END, SYMBOLS = 256, 286
LONGEST_CODE = 14
"""Bits; with a fifteenth, which DEFLATE has, four codes and what is left of a byte would not fit into one number."""


@compiled
def filtered(rows: Any, bpp: int, out: Any) -> None:
    """Fill in each row less what Paeth's filter foretells, the filter's number before it.

    ``rows`` are bytes in the order of the file, of ``bpp`` bytes a pixel.
    """
    height, width = rows.shape
    for y in range(height):
        out[y, 0] = PAETH
        for k in range(bpp):
            out[y, k + 1] = rows[y, k] - rows[y - 1, k] if y > 0 else rows[y, k]
    for k in range(width - bpp):
        out[0, k + bpp + 1] = rows[0, k + bpp] - rows[0, k]
    for y in range(1, height):
        # Slices that begin together: compilers make no vectors of an index that might be negative.
        left, above, before = rows[y, : width - bpp], rows[y - 1, bpp:], rows[y - 1, : width - bpp]
        here, into = rows[y, bpp:], out[y, bpp + 1 :]
        for x in range(left.shape[0]):
            # Exact in single precision, which stays narrow where sums of integers become wide.
            a, b, c = np.float32(left[x]), np.float32(above[x]), np.float32(before[x])
            from_a, from_b, from_c = abs(b - c), abs(a - c), abs(a + b - c - c)
            foretold = b if from_b <= from_c else c
            foretold = a if (from_a <= from_b) & (from_a <= from_c) else foretold
            into[x] = here[x] - np.uint8(np.int32(foretold))


@compiled
def grouped(data: Any, words: Any, groups: Any, counts: Any, symbols: Any) -> None:
    """Fill in of how many groups each run is, at its first group, 0 elsewhere; and count what is to be coded.

    A group is in a run where each of its bytes is the one before it. ``words`` are the whole groups as numbers,
    ``symbols`` those of runs by their groups.
    """
    # A table for each place in a group, since a counter that was just written to is waited for.
    tables = np.zeros((GROUP, 256), np.int32)
    first = 0
    for g in range(words.shape[0]):
        groups[g] = 0
        word = words[g]
        if g > 0 and word == (word << np.uint64(8)) | (words[g - 1] >> np.uint64(56)):
            if 0 < groups[first] < LONGEST:
                groups[first] += 1
            else:
                first = g
                groups[g] = 1
            continue
        first = g
        for k in range(GROUP):
            tables[k, word >> np.uint64(8 * k) & np.uint64(255)] += 1
    for k in range(GROUP * words.shape[0], data.shape[0]):
        counts[data[k]] += 1
    for k in range(256):
        counts[k] += tables[:, k].sum()
    for g in range(groups.shape[0]):
        if groups[g]:
            counts[symbols[groups[g]]] += 1


@compiled
def lengths_of(counts: Any, order: Any, lengths: Any) -> None:
    """Fill in how long Huffman's codes are, 14 bits at most; ``order`` are the symbols, the rarest first.

    At least two have to be counted. After Moffat and Katajainen, https://doi.org/10.1007/3-540-60220-8_79.
    """
    absent = 0
    while counts[order[absent]] == 0:
        absent += 1
    size = order.shape[0] - absent
    tree = np.empty(size, np.int64)
    for k in range(size):
        tree[k] = counts[order[absent + k]]
    root, leaf = 0, 0
    for made in range(size - 1):
        weight = 0
        for _ in range(2):
            if leaf < size and (root >= made or tree[leaf] <= tree[root]):
                weight += tree[leaf]
                leaf += 1
            else:
                weight += tree[root]
                tree[root] = made
                root += 1
        tree[made] = weight
    tree[size - 2] = 0
    for k in range(size - 3, -1, -1):
        tree[k] = tree[tree[k]] + 1
    _shortened(tree, order[absent:], lengths)


@compiled
def _shortened(tree: Any, order: Any, lengths: Any) -> None:
    """Fill in lengths, given how deep the inner nodes of a tree lie, the deepest first."""
    size = order.shape[0]
    how_many = np.zeros(max(size, LONGEST_CODE) + 2, np.int64)
    inner, depth, free = size - 2, 0, 1
    while free > 0:
        used = 0
        while inner >= 0 and tree[inner] == depth:
            used += 1
            inner -= 1
        how_many[depth] = free - used
        free = 2 * used
        depth += 1
    for k in range(LONGEST_CODE + 1, how_many.shape[0]):
        how_many[LONGEST_CODE] += how_many[k]
    total = 0
    for k in range(1, LONGEST_CODE + 1):
        total += how_many[k] << (LONGEST_CODE - k)
    # Each step takes one of the longest codes, and makes a shorter one two that are longer by a bit.
    while total > 1 << LONGEST_CODE:
        how_many[LONGEST_CODE] -= 1
        k = LONGEST_CODE - 1
        while how_many[k] == 0:
            k -= 1
        how_many[k] -= 1
        how_many[k + 1] += 2
        total -= 1
    at = 0
    for k in range(LONGEST_CODE, 0, -1):
        for _ in range(how_many[k]):
            lengths[order[at]] = k
            at += 1


@compiled
def codes_of(lengths: Any, codes: Any) -> None:
    """Fill in the canonical codes of these lengths, their first bit lowest (clauses 3.2.2 and 3.1.1)."""
    code = 0
    for length in range(1, LONGEST_CODE + 1):
        for symbol in range(lengths.shape[0]):
            if lengths[symbol] == length:
                turned = 0
                for k in range(length):
                    turned |= (code >> k & 1) << (length - 1 - k)
                codes[symbol] = turned
                code += 1
        code <<= 1


@compiled
def put(out: Any, at: Any, held: Any, count: Any, bits: Any, length: Any) -> Any:
    """Append bits to those held, of which there are so many, and write the whole bytes; what is left, and its place."""
    held |= bits << count
    count += length
    for k in range(8):
        out[at + np.uint64(k)] = np.uint8(held >> np.uint64(8 * k))
    whole = count & np.uint64(0x78)
    return at + (whole >> np.uint64(3)), held >> whole, count - whole


@compiled
def coded(data: Any, groups: Any, codes: Any, lengths: Any, runs: Any, run_lengths: Any, out: Any, last: bool) -> Any:
    """Write a block; how many bytes it has.

    ``codes`` are those of symbols, ``runs`` those of runs by their groups with all that follows them.
    """
    held, count, at = np.uint64(0), np.uint64(0), np.uint64(0)
    at, held, count = put(out, at, held, count, np.uint64(int(last) | 2 << 1 | 29 << 3 | 15 << 13), np.uint64(17))
    for k in range(19):
        at, held, count = put(out, at, held, count, np.uint64(0 if k < 3 else 4), np.uint64(3))
    for symbol in range(SYMBOLS):
        length = np.uint64(lengths[symbol])
        turned = (length & np.uint64(1)) << np.uint64(3) | (length & np.uint64(2)) << np.uint64(1)
        turned |= (length & np.uint64(4)) >> np.uint64(1) | length >> np.uint64(3)
        at, held, count = put(out, at, held, count, turned, np.uint64(4))
    at, held, count = put(out, at, held, count, np.uint64(8), np.uint64(4))
    g = 0
    while g < groups.shape[0]:
        if groups[g]:
            at, held, count = put(out, at, held, count, runs[groups[g]], run_lengths[groups[g]])
            g += int(groups[g])
            continue
        for k in range(GROUP * g, GROUP * g + GROUP, 4):
            one, two, three, four = data[k], data[k + 1], data[k + 2], data[k + 3]
            first, last_two = lengths[one] + lengths[two], lengths[three] + lengths[four]
            bits = codes[one] | codes[two] << lengths[one] | (codes[three] | codes[four] << lengths[three]) << first
            at, held, count = put(out, at, held, count, bits, first + last_two)
        g += 1
    for k in range(GROUP * groups.shape[0], data.shape[0]):
        at, held, count = put(out, at, held, count, codes[data[k]], lengths[data[k]])
    at, held, count = put(out, at, held, count, codes[END], lengths[END])
    if not last:
        at, held, count = put(out, at, held, count, np.uint64(0), np.uint64(3))
    end: Any = np.int64(at) + int(count > 0)
    for k in range(0 if last else 4):
        out[end] = 255 * (k >> 1)
        end += 1
    return end

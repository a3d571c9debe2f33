"""The lower 64 bits of MurmurHash3_x86_128, with the seed 0, of a number of 64 bits.

https://github.com/aappleby/smhasher/blob/master/src/MurmurHash3.cpp; of 8 bytes there is no whole block, and the tail
touches two of the four words.
"""

from __future__ import annotations

MASK = 0xFFFFFFFF

C1, C2, C3 = 0x239B961B, 0xAB0E9789, 0x38B34AE5
LENGTH = 8


def murmur(number: int) -> int:
    """A number of 64 bits."""
    low, high = number & MASK, number >> 32 & MASK
    h1 = _mixed(low, C1, 15, C2) ^ LENGTH
    h2 = _mixed(high, C2, 16, C3) ^ LENGTH
    h3 = h4 = LENGTH
    h1 = h1 + h2 + h3 + h4 & MASK
    h2, h3, h4 = (h + h1 & MASK for h in (h2, h3, h4))
    h1, h2, h3, h4 = map(_final, (h1, h2, h3, h4))
    h1 = h1 + h2 + h3 + h4 & MASK
    return h1 | (h2 + h1 & MASK) << 32


def _mixed(k: int, before: int, turn: int, after: int) -> int:
    k = k * before & MASK
    return ((k << turn | k >> 32 - turn) & MASK) * after & MASK


def _final(h: int) -> int:
    h = (h ^ h >> 16) * 0x85EBCA6B & MASK
    h = (h ^ h >> 13) * 0xC2B2AE35 & MASK
    return h ^ h >> 16

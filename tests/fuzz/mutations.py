"""Ways in which bytes are spoilt, such as broken disks, cut transfers and hostile people do."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from typing import TypeAlias

from tests.fuzz.structures import described, dropped_element, looped, nested, repeated_element, retagged

Mutation: TypeAlias = Callable[[bytearray, random.Random], None]

NUMBERS = (0, 1, 2, 3, 127, 128, 255, 256, 32767, 32768, 65535, 2**31 - 1, 2**31, 2**32 - 1, 2**62, 2**63, 2**64 - 1)
TEXTS = (
    b"0",
    b"-1",
    b"1",
    b"65536",
    b"2147483648",
    b"18446744073709551616",
    b"1e308",
    b"-1e-308",
    b"nan",
    b"inf",
    b"",
    b"x",
)
LONGEST = 1 << 22
"""No file grows beyond this."""


def place(data: bytearray, chance: random.Random) -> int:
    """Near the beginning more often than not, where headers are."""
    return int(len(data) * chance.random() ** chance.choice((1, 3, 6)))


def flipped(data: bytearray, chance: random.Random) -> None:
    for _ in range(chance.randint(1, 8)):
        data[place(data, chance)] ^= 1 << chance.randrange(8)


def numbered(data: bytearray, chance: random.Random) -> None:
    """A number of one to eight bytes, of either order, becomes another one."""
    size = chance.choice((1, 2, 4, 8))
    at = place(data, chance) // size * size if chance.random() < 0.7 else place(data, chance)
    number = chance.choice((*NUMBERS, len(data), chance.getrandbits(64))) % (1 << 8 * size)
    data[at : at + size] = number.to_bytes(size, chance.choice(("little", "big")))


def worded(data: bytearray, chance: random.Random) -> None:
    """A number that is written in digits becomes another one, or none."""
    found = list(re.finditer(rb"\d{1,12}", bytes(data[: 1 << 16])))
    if found:
        match = chance.choice(found)
        data[match.start() : match.end()] = chance.choice(TEXTS)


def cut(data: bytearray, chance: random.Random) -> None:
    del data[place(data, chance) :]


def lost(data: bytearray, chance: random.Random) -> None:
    at = place(data, chance)
    del data[at : at + chance.randint(1, 64)]


def repeated(data: bytearray, chance: random.Random) -> None:
    at = place(data, chance)
    part = data[at : at + chance.randint(1, 256)]
    if len(data) + 50 * len(part) < LONGEST:
        data[at:at] = part * chance.choice((1, 1, 2, 50))


def blanked(data: bytearray, chance: random.Random) -> None:
    at, size = place(data, chance), chance.randint(1, 64)
    data[at : at + size] = bytes([chance.choice((0, 255, 32, 47))]) * len(data[at : at + size])


def exchanged(data: bytearray, chance: random.Random) -> None:
    first, second, size = place(data, chance), place(data, chance), chance.randint(1, 32)
    part = data[first : first + size]
    data[first : first + size] = data[second : second + size]
    data[second : second + len(part)] = part


PLAIN: tuple[Mutation, ...] = (flipped, numbered, numbered, worded, cut, lost, repeated, blanked, exchanged)

STRUCTURED: tuple[Mutation, ...] = (described, described, dropped_element, looped, nested, repeated_element, retagged)


def spoilt(data: bytes, chance: random.Random) -> bytes:
    """The bytes after one to four mutations; never the same."""
    changed = bytearray(data)
    while bytes(changed) == data:
        for _ in range(chance.choice((1, 1, 2, 4))):
            if not changed:
                return b""
            chance.choice(chance.choice((PLAIN, STRUCTURED)))(changed, chance)
    return bytes(changed)

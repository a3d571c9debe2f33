"""Ways to spoil what has a structure, so that what is spoilt is still understood as far as to where it is wrong."""

from __future__ import annotations

import json
import random
import re
import struct
from typing import Any

VALUES: tuple[Any, ...] = (
    -1, 0, 1, 2**31, 2**62, 2**63 - 1, 2**64, 10**30, -0.5, 1e308, True, None, "", "x", "../x", "/", "nan", "\0",
    [], [0], [-1], [2**40] * 3, [1] * 300, [[[]]], {}, {"": {}}, {"name": "zstd"}, "<u8", "|O", ">f2", "(,)",
)  # fmt: skip
WORDS = (
    b"",
    b"0",
    b"-1",
    b"4294967296",
    b"9" * 19,
    b"9" * 400,
    b"1e300",
    b"NaN",
    b"-0",
    b"../x",
    b"&#65;",
    b"\xc3\xa9",
)
TOKEN = re.compile(rb"(?<=[>=:\",\s\[])[-+.\w]{1,40}(?=[<\",\s\];\r}])")
ELEMENT = re.compile(rb"<([A-Za-z][\w:.-]{0,60})(\s[^<>]{0,500})?(/>|>[^<>]{0,500}</\1>)")
TAGS = (254, 256, 257, 258, 259, 262, 273, 277, 278, 279, 284, 317, 322, 323, 324, 325, 330, 338, 339, 347, 34665)
LARGE = (0, 1, 2, 7, 255, 65535, 1 << 20, (1 << 31) - 1, 1 << 31, (1 << 32) - 1)
LONGEST = 1 << 22
HEAD = 1 << 16


def described(data: bytearray, chance: random.Random) -> None:
    """A value of JSON becomes another one, and so does a word of any other text."""
    try:
        document = json.loads(bytes(data))
    except (ValueError, RecursionError):
        _reworded(data, chance)
        return
    places = list(_places(document))
    if places:
        holder, key = chance.choice(places)
        value = chance.choice((*VALUES, chance.choice(places)[0]))
        if chance.random() < 0.2:
            del holder[key]
        elif chance.random() < 0.2 and isinstance(holder, list):
            holder *= chance.choice((0, 2, 40))
        else:
            # A part of the document within another part is a copy, as otherwise it might hold itself.
            holder[key] = json.loads(json.dumps(value))
        data[:] = json.dumps(document).encode()


def _places(value: Any, deep: int = 0) -> Any:
    """Each value as what holds it and where it is there."""
    pairs = (
        list(value.items()) if isinstance(value, dict) else list(enumerate(value)) if isinstance(value, list) else []
    )
    for key, inner in pairs[:200]:
        yield value, key
        if deep < 20:
            yield from _places(inner, deep + 1)


def _reworded(data: bytearray, chance: random.Random) -> None:
    found = list(TOKEN.finditer(bytes(data[:HEAD])))
    if found:
        match = chance.choice(found)
        data[match.start() : match.end()] = chance.choice((*WORDS, chance.choice(found)[0]))


def dropped_element(data: bytearray, chance: random.Random) -> None:
    """An element of XML without others in it goes."""
    found = list(ELEMENT.finditer(bytes(data[:HEAD])))
    if found:
        match = chance.choice(found)
        del data[match.start() : match.end()]


def repeated_element(data: bytearray, chance: random.Random) -> None:
    """Or comes many times."""
    found = list(ELEMENT.finditer(bytes(data[:HEAD])))
    if found:
        match = chance.choice(found)
        text, count = match[0], chance.choice((1, 3, 1000))
        if len(data) + count * len(text) < LONGEST:
            data[match.end() : match.end()] = text * count


def nested(data: bytearray, chance: random.Random) -> None:
    """Deeper than any recursion goes."""
    found = list(TOKEN.finditer(bytes(data[:HEAD]))) if bytes(data[:1]) in (b"{", b"<", b"[", b"\xef") else []
    if not found:
        return
    match = chance.choice(found)
    begin, end = chance.choice(((b"[", b"]"), (b'{"a":', b"}"), (b"<a>", b"</a>"), (b"(", b")")))
    deep = chance.choice((50, 1500, 100_000))
    data[match.start() : match.end()] = begin * deep + b"1" + end * deep


def retagged(data: bytearray, chance: random.Random) -> None:
    """An entry of a directory of TIFF gets another type, count or value, or is another tag."""
    found = _directory(data, chance)
    if found is None:
        return
    order, at, count = found
    entry = at + 2 + 12 * chance.randrange(count)
    if entry + 12 > len(data):
        return
    what = chance.randrange(4)
    if what == 0:
        struct.pack_into(f"{order}H", data, entry, chance.choice(TAGS))
    elif what == 1:
        struct.pack_into(f"{order}H", data, entry + 2, chance.choice((0, 1, 2, 3, 4, 5, 7, 9, 11, 12, 13, 16, 18, 99)))
    else:
        struct.pack_into(f"{order}I", data, entry + (4 if what == 2 else 8), chance.choice((*LARGE, at, len(data))))


def looped(data: bytearray, chance: random.Random) -> None:
    """What comes after a directory of TIFF is itself or the first one."""
    found = _directory(data, chance)
    if found is not None and found[1] + 6 + 12 * found[2] <= len(data):
        order, at, count = found
        struct.pack_into(f"{order}I", data, at + 2 + 12 * count, chance.choice((at, 8, 4, 0, len(data) - 2)))


def _directory(data: bytearray, chance: random.Random) -> tuple[str, int, int] | None:
    """The order of bytes, the place and the number of entries of one of the first directories."""
    if bytes(data[:4]) not in (b"II*\0", b"MM\0*"):
        return None
    order = "<" if data[:2] == b"II" else ">"
    (at,) = struct.unpack_from(f"{order}I", data, 4) if len(data) >= 8 else (0,)
    found = None
    for _ in range(chance.choice((1, 1, 2, 5))):
        if not 8 <= at <= len(data) - 2:
            break
        (count,) = struct.unpack_from(f"{order}H", data, at)
        if not count or at + 6 + 12 * count > len(data):
            break
        found = order, at, count
        (at,) = struct.unpack_from(f"{order}I", data, at + 2 + 12 * count)
    return found

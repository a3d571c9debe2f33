"""Small cellSens files: a VSI file with its properties and a thumbnail, and ETS files beside it."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from struct import pack
from typing import Any

import imagecodecs
import numpy as np
from numpy.typing import NDArray

SECOND, VOLUME = 1 << 27, 1 << 28
TYPES = {"i1": 1, "u1": 2, "i2": 3, "u2": 4, "i4": 5, "u4": 6, "f4": 9}
MS, UM = "10^-3s^1", "10^-6m^1"
CODECS = {"plain": 0, "jpeg": 2, "jpeg2000": 3, "png": 8, "bmp": 9}


def ints(*values: int) -> tuple[int, bytes]:
    return 256, pack(f"<{len(values)}i", *values)


def doubles(*values: float) -> tuple[int, bytes]:
    return 260, pack(f"<{len(values)}d", *values)


def text(value: str) -> tuple[int, bytes]:
    return 8192, (value + "\0").encode("utf-16-le")


def integer(value: int) -> tuple[int, bytes]:
    return 5, pack("<i", value)


def number(value: float) -> tuple[int, bytes]:
    return 10, pack("<d", value)


def long(value: int) -> tuple[int, bytes]:
    return 17, pack("<q", value)


Value = Any
"""A type and its bytes, or a list of fields, which is a volume."""


def volume(fields: list[tuple[int, int | None, Value]]) -> bytes:
    """Fields of a tag, a second tag and a value."""
    out = bytearray(pack("<4sIqII", b"\x18\0IS", 1, 24, len(fields), 0))
    for k, (tag, second, value) in enumerate(fields):
        nested = isinstance(value, list)
        kind, data = (0, volume(value)) if nested else value
        flags = kind | (VOLUME if nested else 0) | (SECOND if second is not None else 0)
        extra = b"" if second is None else pack("<i", second)
        behind = len(out) + 16 + len(extra) + len(data)
        out += pack("<IiIi", flags, tag, 0 if k == len(fields) - 1 else behind, len(data)) + extra + data
    return bytes(out)


def quantity(tag: int, value: float, unit: str) -> tuple[int, None, Value]:
    return tag, None, [(268435456, None, text(unit)), (268435458, None, number(value))]


@dataclass(frozen=True)
class Stack:
    """Pixels along t, c, z, y, x and samples, and how they are stored."""

    pixels: NDArray[Any]
    name: str = "20x"
    number: int = 1
    kind: int = 0
    packing: str = "plain"
    tile: tuple[int, int] = (32, 40)
    levels: int = 1
    missing: frozenset[tuple[int, ...]] = field(default_factory=frozenset)
    """Tiles that are left out, by their place."""

    def level(self, k: int) -> NDArray[Any]:
        """Every 2**k-th pixel, which is how a level is told from another here."""
        return self.pixels[..., :: 1 << k, :: 1 << k, :]


def properties(stack: Stack) -> tuple[int, int, Value]:
    height, width = stack.pixels.shape[3:5]
    channel = [
        (2021, None, text("DAPI")),
        (2419, None, text("DAPI")),
        (2003, None, doubles(10.0, 200.0)),
        quantity(2417, 461.0, "10^-9m^1"),
        quantity(2474, 358.0, "10^-9m^1"),
        (2043, None, [(1, None, [(120114, None, [(100002, None, integer(5000))])])]),
    ]
    lens = [(120063, None, text("UPLXAPO")), (120061, None, number(0.8)), (120060, None, number(20.0))]
    told = [
        (2019, None, doubles(0.25, 0.5)),
        (2020, None, text("10^-6m^1")),
        (2030, None, text(stack.name)),
        (2074, None, integer(stack.kind)),
        (2015, None, long(1622473135)),
        (
            2043,
            None,
            [
                (3, None, [(120114, None, lens)]),
                (2, None, [(120130, None, integer(40500)), (120132, None, text("IX83"))]),
            ],
        ),
    ]
    return 2001, stack.number, [
        (2003, None, ints(*stack.pixels.shape[:3])),
        (2002, 0, [(2018, None, [(2053, None, (259, pack("<4i", 0, 0, width, height)))])]),
        (2005, None, told),
        (2007, 0, [(2008, 0, [(2023, None, integer(2)), quantity(2100, 0, MS), quantity(2016, 500, MS)])]),
        (2007, 1, [(2008, 0, [(2023, None, integer(1)), quantity(2012, 5, UM), quantity(2013, 1.5, UM)])]),
        (2007, 2, [(2008, k, [(2023, None, integer(4)), *channel]) for k in range(stack.pixels.shape[1])]),
    ]  # fmt: skip


def thumbnail(start: int) -> tuple[bytes, int]:
    """A TIFF directory at ``start`` and its pixels behind it, 12 by 10 of them."""
    entries = [
        (256, 3, 12), (257, 3, 10), (258, 3, 8), (259, 3, 1), (262, 3, 1), (273, 4, start + 2 + 12 * 9 + 4),
        (277, 3, 1), (278, 3, 10), (279, 4, 120),
    ]  # fmt: skip
    directory = pack("<H", len(entries)) + b"".join(pack("<HHII", tag, kind, 1, value) for tag, kind, value in entries)
    return directory + bytes(4) + bytes(range(120)), start


def vsi(stacks: list[Stack]) -> bytes:
    tree = volume([
        (2, None, [(34, None, text("cellSens")), (35, None, text("3.1"))]),
        (2000, 0, [properties(stack) for stack in stacks]),
    ])  # fmt: skip
    start = -(-(8 + len(tree)) // 16) * 16
    picture, at = thumbnail(start)
    return (b"II*\0" + pack("<I", at) + tree).ljust(start, b"\0") + picture


def encoded(tile: NDArray[Any], packing: str) -> bytes:
    pixels = tile[..., 0] if tile.shape[2] == 1 else tile
    ways = {
        "plain": pixels.tobytes,
        "jpeg": lambda: imagecodecs.jpeg_encode(pixels, level=95),
        "jpeg2000": lambda: imagecodecs.jpeg2k_encode(pixels, level=0, codecformat="j2k"),
        "png": lambda: imagecodecs.png_encode(pixels),
        "bmp": lambda: imagecodecs.bmp_encode(pixels),
    }
    return bytes(ways[packing]())


def ets(stack: Stack) -> bytes:
    """Places are x, y, t, z, c and the level."""
    height, width = stack.tile
    samples = stack.pixels.shape[-1]
    dtype = stack.pixels.dtype
    out = bytearray(64 + 164)
    table: list[bytes] = []
    for level in range(stack.levels):
        pixels = stack.level(level)
        for t, c, z in np.ndindex(pixels.shape[:3]):
            plane = pixels[t, c, z]
            for row, column in product(range(-(-plane.shape[0] // height)), range(-(-plane.shape[1] // width))):
                place = (column, row, t, z, c, level)
                if place in stack.missing:
                    continue
                part = plane[row * height : (row + 1) * height, column * width : (column + 1) * width]
                edges = [(0, height - part.shape[0]), (0, width - part.shape[1]), (0, 0)]
                data = encoded(np.pad(part, edges, mode="edge"), stack.packing)
                table.append(pack("<i6iqii", 6, *place, len(out), len(data), len(table)))
                out += data
    end = len(out)
    out += b"".join(table)
    out[:64] = pack("<4siiiqiiqii", b"SIS\0", 64, 3, 6, 64, 228, 0, end, len(table), 0).ljust(64, b"\0")
    head = pack(
        "<4s9i", b"ETS\0", 0x30002, TYPES[dtype.str[1:]], samples, 1, CODECS[stack.packing], 100, width, height, 1
    )
    background = np.full(samples, 7, dtype).tobytes().ljust(40, b"\0")
    out[64:220] = head + bytes(68) + background + pack("<ii", 0, int(stack.levels > 1))
    return bytes(out)


def write(path: Path, stacks: list[Stack]) -> None:
    path.write_bytes(vsi(stacks))
    for stack in stacks:
        folder = path.with_name(f"_{path.stem}_") / f"stack{stack.number}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "frame_t.ets").write_bytes(ets(stack))


def pixels(shape: tuple[int, ...], dtype: str = "u2") -> NDArray[Any]:
    """Smooth along y and x, and different in every plane."""
    grid = np.indices(shape)
    weights = (37, 53, 11, 3, 2, 40)
    return (sum(weight * index for weight, index in zip(weights, grid, strict=True)) % 251).astype(dtype)


def stack_file(path: Path) -> None:
    write(path, [Stack(pixels((2, 2, 3, 70, 90, 1)), levels=3)])


def slide_file(path: Path) -> None:
    stacks = [
        Stack(pixels((1, 1, 1, 100, 130, 3), "u1"), "20x", 10001, levels=2, packing="png"),
        Stack(pixels((1, 1, 1, 40, 50, 3), "u1"), "Label", 1),
        Stack(pixels((1, 1, 1, 33, 50, 3), "u1"), "Overview", 2, kind=1),
    ]
    write(path, stacks)

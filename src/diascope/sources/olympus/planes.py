"""The planes of an Olympus image, each a TIFF file, as a level."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from diascope.errors import DiascopeError, Unreadable
from diascope.image.axes import ORDER
from diascope.image.level import Pixels
from diascope.image.region import Ints, Region
from diascope.sources.olympus.files import Files
from diascope.sources.reading.pictures.decoded import check_size
from diascope.sources.reading.pictures.tiff_compressions import BOUNDED, check_compression

NAME = re.compile(r"(?:.*_)?((?:[a-z]\d{3,9})+)\.tiff?")
PART = re.compile(r"([a-z])(\d+)")
PREVIEW = re.compile(r"-r\d+\.tiff?$")
AXES = {"c": "c", "l": "c", "z": "z", "t": "t"}
"""Wavelengths of a channel are channels."""


@dataclass(frozen=True, slots=True)
class Planes:
    """Which file has which plane."""

    files: Files
    names: dict[Ints, str]
    """By the places along t, c and z."""
    sizes: Ints
    """How many there are along t, c and z."""
    lambdas: int
    """How many wavelengths each channel has."""
    rows: str
    """Which axis the rows of a file are: y, or z or t where a line is scanned again and again."""
    plane: Ints
    dtype: np.dtype[Any]

    @property
    def axes(self) -> str:
        many = {name for name, size in zip("tcz", self.sizes, strict=True) if size > 1}
        return "".join(name for name in ORDER if name in {*many, self.rows, "y", "x"})

    def sized(self, plane: Ints, others: Ints) -> Ints:
        """A shape along the axes, of sizes along rows and columns, and t, c and z."""
        found = dict(zip("tcz", others, strict=True)) | {"y": 1, self.rows: plane[0], "x": plane[1]}
        return tuple(found[name] for name in self.axes)

    @property
    def shape(self) -> Ints:
        return self.sized(self.plane, self.sizes)

    @property
    def chunk_shape(self) -> Ints:
        return self.sized(self.plane, (1, 1, 1))

    def read_pixels(self, region: Region) -> Pixels:
        spans = dict(zip(self.axes, zip(region.start, region.stop, strict=True), strict=True))
        ranges = [range(*spans[name]) if name in spans and name != self.rows else range(1) for name in "tcz"]
        box = slice(*spans[self.rows]), slice(*spans["x"])
        out = np.empty(
            (*map(len, ranges), *(len(range(*s.indices(n))) for s, n in zip(box, self.plane, strict=True))), self.dtype
        )
        if out.size and 0 not in region.shape:
            for at in product(*map(enumerate, ranges)):
                out[tuple(k for k, _ in at)] = self._decoded(tuple(place for _, place in at))[box]
        return self._ordered(out).reshape(region.shape)

    def _ordered(self, pixels: Pixels) -> Pixels:
        """From t, c, z, rows and x to the order of the axes, of which those that are missing are one long."""
        stored = ["t", "c", "z", "rows", "x"]
        wanted = ["rows" if name == self.rows else name for name in ORDER if name != "y" or self.rows == "y"]
        spare = [name for name in stored if name not in wanted]
        return pixels.transpose([stored.index(name) for name in [*spare, *wanted]])

    def _decoded(self, place: Ints) -> Pixels:
        if place not in self.names:
            raise Unreadable(f"the plane at {dict(zip('tcz', place, strict=True))} is missing")
        return decoded(self.files, self.names[place], self.plane, self.dtype)


def planes(files: Files, rows: str) -> Planes:
    """The planes by the names of their files; raises Unreadable where these say nothing of the kind."""
    listed = {name: _places(name) for name in files.names if NAME.fullmatch(name) and not PREVIEW.search(name)}
    if not listed:
        raise Unreadable("it has no files of planes")
    order = {letter: _ranks(places.get(letter, 1) for places in listed.values()) for letter in "tclz"}
    others = {letter for places in listed.values() for letter in places if letter not in AXES}
    many = [letter for letter in others if len({places.get(letter) for places in listed.values()}) > 1]
    if many or (rows in "tz" and len(order[rows]) > 1):
        raise Unreadable(f"planes along {', '.join(many) or rows} are not supported")
    lambdas = len(order["l"])
    found: dict[Ints, str] = {}
    for name, places in listed.items():
        t, c, wave, z = (order[letter][places.get(letter, 1)] for letter in "tclz")
        if found.setdefault((t, c * lambdas + wave, z), name) != name:
            raise Unreadable(f"{name} and {found[t, c * lambdas + wave, z]} are the same plane")
    first = found[min(found)]
    plane, dtype = looked_at(files, first)
    sizes = (len(order["t"]), len(order["c"]) * lambdas, len(order["z"]))
    return Planes(files, found, sizes, lambdas, rows, plane, dtype)


def _places(name: str) -> dict[str, int]:
    found = NAME.fullmatch(name)
    return {letter: int(digits) for letter, digits in PART.findall(found[1])} if found else {}


def _ranks(numbers: Iterable[int]) -> dict[int, int]:
    return {number: k for k, number in enumerate(sorted(set(numbers)))}


def looked_at(files: Files, name: str) -> tuple[Ints, np.dtype[Any]]:
    """The size and the type of a plane."""
    with _page(files, name) as page:
        shape, dtype = tuple(map(int, page.shape)), page.dtype
    if len(shape) != 2 or dtype is None or dtype.kind not in "uif":
        raise Unreadable(f"{name} is no plane, but {shape} pixels of {dtype}")
    check_size(shape)
    return shape, np.dtype(dtype).newbyteorder("=")


def decoded(files: Files, name: str, plane: Ints, dtype: np.dtype[Any]) -> Pixels:
    """The pixels of a plane; raises Unreadable where they are not like the first one's."""
    with _page(files, name) as page:
        if page.shape != plane or page.dtype is None or page.dtype.newbyteorder("=") != dtype:
            raise Unreadable(f"{name} has {page.shape} pixels of {page.dtype}, not {plane} of {dtype}")
        check_compression(int(page.compression), BOUNDED)
        return np.asarray(page.asarray()).astype(dtype, copy=False)


@contextmanager
def _page(files: Files, name: str) -> Iterator[Any]:
    """The first page of a file; whatever is wrong with it is told with its name."""
    from tifffile import TiffFile

    data = files.read(name)
    try:
        with TiffFile(io.BytesIO(data)) as tiff:
            yield tiff.pages.first
    except DiascopeError:
        raise
    except Exception as error:
        raise Unreadable(f"{name} is no TIFF that can be read ({error})") from error

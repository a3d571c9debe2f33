"""How the pixels of an image lie in its memory, as its description says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise, product
from math import isfinite, prod
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from diascope.errors import Unreadable
from diascope.image.axes import ORDER
from diascope.image.level import Pixels
from diascope.image.region import Ints, Region, whole
from diascope.sources.reading.plain.row_major import ReadBytes
from diascope.sources.reading.plain.strided import Strided

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

Offsets: TypeAlias = Sequence[int]

SPACE = {1: "x", 2: "y", 3: "z"}
TIMES = (4, 7, 8, 11, 6)
"""Time, and what else counts: slices, loops, turns of the sample."""
WAVELENGTHS = (5, 9)
EMISSION = 5
MOSAIC = 10
KNOWN = {*SPACE, *TIMES, *WAVELENGTHS, MOSAIC}

CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Dimension:
    """One dimension of the description."""

    kind: int
    count: int
    step: int
    """Bytes from one to the next."""
    origin: float
    length: float
    """From the first to the last, in its unit."""
    unit: str

    @property
    def offsets(self) -> Offsets:
        return range(0, self.count * self.step, self.step) if self.count > 1 else (0,)

    @property
    def spacing(self) -> float | None:
        """The distance of neighbours, None where it is not known."""
        found = abs(self.length) / (self.count - 1) if self.count > 1 else 0.0
        return found if isfinite(found) and found > 0 else None


@dataclass(frozen=True, slots=True)
class Layout:
    """Where each pixel is."""

    dtype: np.dtype[Any]
    dimensions: tuple[Dimension, ...]
    channels: tuple[int, ...]
    """Where each channel begins."""
    is_rgb: bool
    is_backwards: bool
    """Whether the channels lie in the order opposite to theirs."""

    def dimension(self, *kinds: int) -> Dimension | None:
        return next((each for each in self.dimensions if each.kind in kinds), None)

    @property
    def axes(self) -> str:
        has = {"t": self._of(TIMES), "c": len(self.channels) > 1 or self._of(WAVELENGTHS), "z": self.dimension(3)}
        return "".join(name for name in ORDER if name in "yx" or has[name])

    @property
    def shape(self) -> Ints:
        return tuple(prod(map(len, self._factors(name))) for name in self.axes)

    @property
    def tiles(self) -> Offsets:
        """Where the tiles of a mosaic begin; of what is none its only one."""
        found = self.dimension(MOSAIC)
        return found.offsets if found else (0,)

    @property
    def stop(self) -> int:
        """Where the last pixel of the last tile ends."""
        last = sum(each.step * (each.count - 1) for each in self.dimensions)
        return last + max(self.channels) + self.dtype.itemsize

    @property
    def pixels(self) -> int:
        return prod(each.count for each in self.dimensions) * len(self.channels)

    @property
    def chunk_shape(self) -> Ints:
        """Some rows of a plane, or several short planes of a stack."""
        sizes = dict(zip(self.axes, self.shape, strict=True))
        width = sizes["x"] * self.dtype.itemsize * (sizes["c"] if self.is_rgb else 1)
        rows = max(min(sizes["y"], CHUNK // width), 1)
        planes = max(min(sizes.get("z", 1), CHUNK // (width * sizes["y"])), 1)
        found = {"t": 1, "c": sizes.get("c", 1) if self.is_rgb else 1, "z": planes, "y": rows, "x": sizes["x"]}
        return tuple(found[name] for name in self.axes)

    def read_pixels(self, read: ReadBytes, start: int, region: Region) -> Pixels:
        """The pixels of a region of the tile that begins at a byte."""
        out = np.empty(region.shape, self.dtype.newbyteorder("="))
        if 0 in region.shape:
            return out
        spans = [self._span(*each) for each in zip(self.axes, region.start, region.stop, strict=True)]
        folds = [_Fold(self._factors(name)) for name in self.axes]
        for index in product(
            *(range(*span) if fold.step is None else (span[0],) for fold, span in zip(folds, spans, strict=True))
        ):
            first = start + sum(fold.at(i) for fold, i in zip(folds, index, strict=True))
            many = [fold.step is not None for fold in folds]
            shape = tuple(stop - begin if m else 1 for m, (begin, stop) in zip(many, spans, strict=True))
            steps = tuple(fold.step or 0 for fold in folds)
            box = Strided(read, first, shape, steps, self.dtype).box(whole(shape))
            places = zip(many, index, spans, strict=True)
            out[tuple(slice(None) if m else slice(i - begin, i - begin + 1) for m, i, (begin, _) in places)] = box
        return np.flip(out, self.axes.index("c")) if self.is_backwards else out

    def _span(self, name: str, start: int, stop: int) -> tuple[int, int]:
        """The part of an axis in the order of the memory."""
        count = len(self.channels)
        return (count - stop, count - start) if name == "c" and self.is_backwards else (start, stop)

    def _of(self, kinds: tuple[int, ...]) -> list[Dimension]:
        found = [each for each in self.dimensions if each.kind in kinds]
        return sorted(found, key=lambda each: kinds.index(each.kind))

    def _factors(self, name: str) -> tuple[Offsets, ...]:
        """What an axis is made of, the slowest first."""
        if name == "t":
            return tuple(each.offsets for each in reversed(self._of(TIMES)))
        if name == "c":
            return (self.channels, *(each.offsets for each in self._of(WAVELENGTHS)))
        kind = next(kind for kind, letter in SPACE.items() if letter == name)
        found = self.dimension(kind)
        return (found.offsets,) if found else ((0,),)


class _Fold:
    """An axis made of several, each with its own offsets."""

    def __init__(self, factors: tuple[Offsets, ...]) -> None:
        self._factors = [each for each in factors if len(each) > 1] or [(0,)]
        self._base = sum(each[0] for each in factors if len(each) == 1)
        self.step = self._even()

    def _even(self) -> int | None:
        """How many bytes neighbours are apart, None where that differs or is negative."""
        if len(self._factors) > 1:
            return None
        offsets = self._factors[0]
        if len(offsets) < 2 or isinstance(offsets, range):
            return offsets.step if isinstance(offsets, range) else 0
        step = offsets[1] - offsets[0]
        return step if step > 0 and all(b - a == step for a, b in pairwise(offsets)) else None

    def at(self, index: int) -> int:
        found = self._base
        for each in reversed(self._factors):
            index, place = divmod(index, len(each))
            found += each[place]
        return found


def layout(image: Element) -> Layout:
    """What the description of an image says; raises Unreadable where that cannot be."""
    described = [_dimension(each) for each in image.findall("ImageDescription/Dimensions/DimensionDescription")]
    channels = image.findall("ImageDescription/Channels/ChannelDescription")
    kinds = [each.kind for each in described]
    if not channels or not described or len(set(kinds)) < len(kinds) or not set(kinds) <= KNOWN:
        raise Unreadable(f"{len(channels)} channels of the dimensions {kinds[:20]} are not supported")
    types = {_dtype(each) for each in channels}
    if len(types) > 1:
        raise Unreadable("channels of unlike types are not supported")
    offsets = [number(each, "BytesInc") for each in channels]
    tags = [number(each, "ChannelTag") for each in channels]
    is_rgb = sorted(tags) == [1, 2, 3] and types <= {np.dtype("<u1"), np.dtype("<u2")}
    if is_rgb:
        offsets = [offset for _, offset in sorted(zip(tags, offsets, strict=True))]
    is_backwards = is_rgb and offsets[0] > offsets[1] > offsets[2] and not set(kinds) & set(WAVELENGTHS)
    if min(offsets) < 0:
        raise Unreadable(f"channels cannot begin at {offsets[:9]}")
    ordered = tuple(reversed(offsets) if is_backwards else offsets)
    is_rgb = is_rgb and not set(kinds) & set(WAVELENGTHS)
    return Layout(types.pop(), tuple(described), ordered, is_rgb, is_backwards)


def number(element: Element, name: str) -> int:
    """An integer attribute; raises Unreadable where there is none."""
    text = element.get(name, "")
    try:
        found = int(text)
    except ValueError as error:
        raise Unreadable(f"{text[:40]!r} is no {name}") from error
    if abs(found) >= 1 << 62:
        raise Unreadable(f"{found} is no {name} that can be")
    return found


def real(element: Element, name: str) -> float:
    """A number, 0 where there is none."""
    try:
        found = float(element.get(name, "0"))
    except ValueError:
        return 0.0
    return found if isfinite(found) else 0.0


def _dimension(element: Element) -> Dimension:
    count, step = number(element, "NumberOfElements"), number(element, "BytesInc")
    if count < 1 or step < 0 or (step == 0 and count > 1):
        raise Unreadable(f"{count} elements that are {step} bytes apart cannot be")
    kind, unit = number(element, "DimID"), element.get("Unit", "")
    return Dimension(kind, count, step, real(element, "Origin"), real(element, "Length"), unit)


def _dtype(channel: Element) -> np.dtype[Any]:
    kind, bits = number(channel, "DataType"), number(channel, "Resolution")
    size = next((size for size in (1, 2, 4, 8) if 0 < bits <= 8 * size), 0)
    if kind not in {0, 1} or not size or (kind == 1 and size == 1):
        raise Unreadable(f"pixels of the type {kind} and {bits} bits are not supported")
    return np.dtype(f"<{'uf'[kind]}{size}")

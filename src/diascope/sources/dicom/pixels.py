"""How the samples of a file's frames are stored (DICOM PS3.3, C.7.6.3: Image Pixel Module)."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from diascope.errors import Unreadable
from diascope.sources.dicom.file import NATIVE, Instance
from diascope.sources.dicom.values import counted, text

LARGEST_FRAME = 1 << 30
"""A frame of more samples is refused."""

COLOURS = frozenset({"RGB", "YBR_FULL", "YBR_FULL_422", "YBR_RCT", "YBR_ICT", "YBR_PARTIAL_420", "YBR_PARTIAL_422"})
GREY = frozenset({"MONOCHROME1", "MONOCHROME2", "PALETTE COLOR", ""})


@dataclass(frozen=True, slots=True)
class Stored:
    """The samples of one frame."""

    rows: int
    columns: int
    samples: int
    bits: int
    """That a sample takes in the file where it is not encapsulated: 1, 8, 16, 32 or 64."""
    used: int
    """Of these."""
    high: int
    """The place of the highest of them."""
    is_signed: bool
    is_planar: bool
    """Whether colours stand one after another instead of interleaved; of frames that are not compressed."""
    photometric: str
    floats: str
    frames: int
    is_tile: bool
    """Whether frames are tiles, of which some writers cut those at the edges that are compressed."""

    def admits(self, shape: tuple[int, ...]) -> bool:
        """Whether a frame that is compressed may be of this shape."""
        if not self.is_tile or len(shape) != len(self.shape):
            return shape == self.shape
        return shape[2:] == self.shape[2:] and all(0 < n <= most for n, most in zip(shape, self.shape, strict=True))

    @property
    def shape(self) -> tuple[int, ...]:
        """Of a frame as it is read: rows, columns and, of colours, samples."""
        return (self.rows, self.columns, self.samples)[: 3 if self.samples > 1 else 2]

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of a pixel as it is read."""
        if self.floats:
            return np.dtype(self.floats)
        return np.dtype(f"{'i' if self.is_signed else 'u'}{max(self.bits // 8, 1)}")

    @property
    def is_subsampled(self) -> bool:
        """Whether two pixels share their chroma samples, where frames are not compressed."""
        return self.photometric == "YBR_FULL_422"

    @property
    def frame_bits(self) -> int:
        """How long a frame is that is not compressed; frames of single bits follow one another without a gap."""
        if self.is_subsampled:
            return self.rows * self.columns * 2 * self.bits
        return self.rows * self.columns * self.samples * self.bits


def stored(file: Instance) -> Stored:
    """Raises Unreadable where the elements contradict each other, or the file cannot hold so much."""
    data, place = file.data, file.place
    if place is None:
        kind = getattr(data.get("SOPClassUID"), "name", "")
        raise Unreadable(f"it has no pixels{f', being {kind}' if kind else ''}")
    bits = {"float32": 32, "float64": 64}.get(place.floats, 0) or counted(data, "BitsAllocated")
    used = bits if place.floats else counted(data, "BitsStored", bits)
    found = Stored(
        rows=counted(data, "Rows"),
        columns=counted(data, "Columns"),
        samples=counted(data, "SamplesPerPixel", 1),
        bits=bits,
        used=used,
        high=counted(data, "HighBit", used - 1),
        is_signed=counted(data, "PixelRepresentation") == 1,
        is_planar=counted(data, "PlanarConfiguration") == 1,
        photometric=text(data, "PhotometricInterpretation"),
        floats=place.floats,
        frames=max(counted(data, "NumberOfFrames", 1), 1),
        is_tile="TotalPixelMatrixColumns" in data,
    )
    _check(found)
    _check_size(file, found)
    return found


def _check(found: Stored) -> None:
    if not (found.rows > 0 and found.columns > 0 and prod(found.shape) <= LARGEST_FRAME):
        raise Unreadable(f"frames of {found.columns} by {found.rows} pixels of {found.samples} samples cannot be")
    if found.bits not in {1, 8, 16, 32, 64} or not 0 < found.used <= found.bits or found.high >= found.bits:
        raise Unreadable(f"samples of {found.used} bits, up to bit {found.high}, in {found.bits} are not supported")
    if found.high < found.used - 1:
        raise Unreadable(f"samples of {found.used} bits cannot end at bit {found.high}")
    known = COLOURS if found.samples == 3 else GREY if found.samples == 1 else frozenset()
    if found.photometric not in known:
        raise Unreadable(f"{found.samples} samples of the kind {found.photometric!r} are not supported")
    if found.bits == 1 and found.samples > 1:
        raise Unreadable("colours of single bits are not supported")


def _check_size(file: Instance, found: Stored) -> None:
    place = file.place
    if place is None or file.syntax not in NATIVE:
        return
    needed = -(-found.frame_bits * found.frames // 8)
    left = file.open().stat.size - place.start
    size = left if place.size is None else min(place.size, left)
    if needed > size:
        raise Unreadable(f"{found.frames} frames are {needed} bytes, of which the file has {max(size, 0)}")

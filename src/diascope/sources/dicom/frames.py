"""The frames of a file, each read by itself, in the model's pixels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import Any

import numpy as np

from diascope.errors import Unreadable
from diascope.image.level import Pixels
from diascope.image.region import Region
from diascope.sources.dicom.codecs import CONVERTED, JPEG, decoder
from diascope.sources.dicom.colours import rgb_of, upsampled
from diascope.sources.dicom.file import NATIVE, Instance
from diascope.sources.dicom.fragments import Fragments
from diascope.sources.dicom.pixels import Stored, stored
from diascope.sources.reading.plain.row_major import RowMajor, plane_chunk_shape

ReadFrame = Callable[[int, slice], Pixels]


@dataclass(frozen=True, slots=True, eq=False)
class Frames:
    """All the frames of a file."""

    file: Instance
    stored: Stored
    read: ReadFrame
    """Some rows of a frame: rows, columns and, where there are colours, these as RGB; called from many threads."""
    rows: int
    """How many rows are cheaply read by themselves."""


def frames(file: Instance) -> Frames:
    """Raises Unreadable where the pixels cannot be read, as far as the elements tell."""
    found = stored(file)
    if file.syntax in NATIVE:
        if found.bits == 1:
            return Frames(file, found, lambda k, rows: _bits(file, found, k)[rows], found.rows)
        if found.is_subsampled or (found.is_planar and found.samples > 1):
            return Frames(file, found, lambda k, rows: _whole(file, found, k)[rows], found.rows)
        return _in_rows(file, found)
    decode = decoder(file.syntax)
    fragments = Fragments(file, found.frames, Lock())

    def read(frame: int, rows: slice) -> Pixels:
        return _decoded(decode(fragments.bytes(frame), found), file, found)[rows]

    return Frames(file, found, read, found.rows)


def _in_rows(file: Instance, found: Stored) -> Frames:
    """Of what stands in the file as it is wanted, but for colours in YBR and bits that are not used."""
    dtype = _in_file(file, found)
    start = file.place.start if file.place else 0

    def read(frame: int, rows: slice) -> Pixels:
        array = RowMajor(file.open().read, start + frame * found.frame_bits // 8, found.shape, dtype)
        begin = (rows.start or 0, *(0 for _ in found.shape[1:]))
        end = (found.rows if rows.stop is None else rows.stop, *found.shape[1:])
        return _coloured(_used(array.box(Region(begin, end)), found), found)

    row = found.columns * found.samples
    return Frames(file, found, read, plane_chunk_shape((found.rows, row), dtype.itemsize)[0])


def _in_file(file: Instance, found: Stored) -> np.dtype[Any]:
    """The type of a sample; words of 16 bits that hold bytes are those of the file's order."""
    return found.dtype.newbyteorder("<" if file.is_little_endian else ">")


def _bytes(file: Instance, start: int, size: int) -> bytes:
    data = file.open().read(start, start + size)
    if len(data) < size:
        raise Unreadable(f"the pixels end after {len(data)} of {size} bytes at {start}")
    return data


def _bits(file: Instance, found: Stored, frame: int) -> Pixels:
    """Single bits, the lowest of a byte first, as bytes of 0 and 1."""
    first = frame * found.frame_bits
    begin, end = first // 8, -(-(first + found.frame_bits) // 8)
    raw = np.frombuffer(_bytes(file, (file.place.start if file.place else 0) + begin, end - begin), np.uint8)
    bits = np.unpackbits(raw, bitorder="little")[first % 8 :]
    return bits[: found.frame_bits].reshape(found.shape)


def _whole(file: Instance, found: Stored, frame: int) -> Pixels:
    """A frame whose colours stand one after another, or share their chroma."""
    size = found.frame_bits // 8
    raw = np.frombuffer(
        _bytes(file, (file.place.start if file.place else 0) + frame * size, size), _in_file(file, found)
    ).astype(found.dtype, copy=False)
    if found.is_subsampled:
        return rgb_of(upsampled(raw, found.shape))
    return _coloured(_used(np.moveaxis(raw.reshape(found.samples, *found.shape[:2]), 0, -1), found), found)


def _used(pixels: Pixels, found: Stored) -> Pixels:
    """The bits that are used, with their sign; the others may hold overlays."""
    if found.floats or found.used == found.bits:
        return pixels
    left = found.bits - 1 - found.high
    return (pixels << left) >> (found.bits - found.used)


def _coloured(pixels: Pixels, found: Stored) -> Pixels:
    return rgb_of(pixels) if found.photometric.startswith("YBR") else pixels


def _decoded(pixels: Pixels, file: Instance, found: Stored) -> Pixels:
    if not found.admits(pixels.shape) or pixels.dtype.kind not in "iu" or pixels.dtype.itemsize > found.dtype.itemsize:
        raise Unreadable(f"a frame of {found.shape} pixels is decoded as {pixels.shape} of {pixels.dtype}")
    if found.dtype.kind != pixels.dtype.kind and pixels.dtype.itemsize == found.dtype.itemsize:
        pixels = pixels.view(found.dtype)
    typed = pixels.astype(found.dtype, copy=False)
    is_converted = file.syntax in JPEG or (file.syntax in CONVERTED and found.photometric != "YBR_FULL")
    return typed if is_converted else _coloured(typed, found)

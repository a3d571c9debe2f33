"""Colours as DICOM stores them (PS3.3, C.7.6.3.1.2): YBR_FULL, palettes, and CIELab."""

from __future__ import annotations

from typing import Any

import numpy as np

from diascope.errors import Unreadable
from diascope.image.level import Pixels
from diascope.sources.dicom.values import numbers, value

PALETTE = ("Red", "Green", "Blue")
LARGEST_PALETTE = 1 << 16

TO_RGB = np.array([[1.0, 0.0, 1.402], [1.0, -0.344136286, -0.714136286], [1.0, 1.772, 0.0]])


def rgb_of(pixels: Pixels) -> Pixels:
    """RGB of YBR_FULL, bytes or words, rounded to the nearest."""
    if pixels.dtype.kind != "u" or pixels.dtype.itemsize > 2:
        raise Unreadable(f"YBR colours of the type {pixels.dtype} are not supported")
    import cv2

    most = int(np.iinfo(pixels.dtype).max)
    shifted = pixels.astype(np.float32) - np.array([0, (most + 1) // 2, (most + 1) // 2], np.float32)
    colours = cv2.transform(np.ascontiguousarray(shifted), TO_RGB.astype(np.float32))
    rounded: Pixels = np.floor(np.clip(colours, 0, most) + 0.5).clip(0, most).astype(pixels.dtype)
    return rounded


def upsampled(raw: Pixels, shape: tuple[int, ...]) -> Pixels:
    """Of pairs of pixels, each stored as Y1 Y2 Cb Cr, every pixel with its chroma."""
    if shape[1] % 2:
        raise Unreadable(f"pairs of pixels do not fill rows of {shape[1]}")
    pairs = raw.reshape(shape[0], shape[1] // 2, 4)
    out = np.empty(shape, raw.dtype)
    out[:, 0::2, 0], out[:, 1::2, 0] = pairs[..., 0], pairs[..., 1]
    out[..., 1:] = pairs[..., 2:].repeat(2, axis=1)
    return out


def palette(data: Any) -> tuple[str, ...]:
    """The colours of the pixel values from 0 on as ``rrggbb``, empty where the tables are none (C.7.6.3.1.5)."""
    tables = [_table(data, colour) for colour in PALETTE]
    if any(table is None for table in tables):
        return ()
    stacked = np.stack([table for table in tables if table is not None], axis=1) if _alike(tables) else None
    return () if stacked is None else tuple(bytes(row).hex() for row in stacked)


def _alike(tables: list[Any]) -> bool:
    return len({len(table) for table in tables}) == 1


def _table(data: Any, colour: str) -> Any | None:
    """Bytes by pixel value; values before the first that is mapped look like it."""
    described = numbers(data, f"{colour}PaletteColorLookupTableDescriptor", 3)
    raw = value(data, f"{colour}PaletteColorLookupTableData")
    if not described or not isinstance(raw, bytes):
        return None
    count, first, bits = int(described[0]) or LARGEST_PALETTE, int(described[1]), int(described[2])
    if not 0 < count <= LARGEST_PALETTE or not 0 <= first < LARGEST_PALETTE or bits not in {8, 16}:
        return None
    words = bits == 16 or len(raw) >= 2 * count
    table = np.frombuffer(raw[: len(raw) // 2 * 2], "<u2") if words else np.frombuffer(raw, np.uint8)
    if len(table) < count:
        return None
    table = table[:count]
    colours = (table >> 8 if bits == 16 and table.max() > 255 else table).astype(np.uint8)
    return np.concatenate([np.full(first, colours[0]), colours])


def lab_colour(lab: tuple[float, ...]) -> str | None:
    """``rrggbb`` of a colour that DICOM writes as three words of CIELab (C.10.7.1.1); None of anything else."""
    if len(lab) != 3:
        return None
    import cv2

    light, a, b = lab[0] / 65535 * 100, lab[1] / 257 - 128, lab[2] / 257 - 128
    pixel = cv2.cvtColor(np.array([[[light, a, b]]], np.float32), cv2.COLOR_Lab2RGB)
    return bytes(np.floor(np.clip(pixel[0, 0], 0, 1) * 255 + 0.5).astype(np.uint8)).hex()

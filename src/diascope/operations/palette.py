"""The colours of channels that have none, and of labels."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from diascope.image.label_colours import label_colours as scattered
from diascope.image.level import Pixels
from diascope.image.metadata import Channel
from diascope.operations.transfer import WHITE, Bytes, Colour, colour_of, looked_up

COMPOSITE = ("ff0000", "00ff00", "0000ff", "ffffff", "00ffff", "ff00ff", "ffff00")
"""In the order that ImageJ gives the channels of a composite."""


def channel_colours(channels: tuple[Channel | None, ...]) -> tuple[Colour, ...]:
    """The channels' own colours; of several without one the standard ones in order, a single one being white."""
    standard = [WHITE] if len(channels) == 1 else [colour_of(text) for text in COMPOSITE]
    return tuple(
        colour_of(channel.colour) if channel is not None and channel.colour else standard[k % len(standard)]
        for k, channel in enumerate(channels)
    )


def label_colours(labels: Pixels) -> Bytes:
    """Red, green and blue of each label as a further last axis: 0 is black, the others are scattered and bright."""
    if labels.dtype.itemsize > 2:
        return scattered(labels.view(f"u{labels.dtype.itemsize}"))
    return np.stack([looked_up(labels, table) for table in _tables(labels.dtype.itemsize)], axis=-1)


def palette_colours(palette: tuple[str, ...], indices: Pixels) -> Bytes:
    """Red, green and blue of each index as a further last axis; indices beyond the palette are black."""
    table = _palette_table(palette)
    return np.take(table, indices, axis=0, mode="clip")


@lru_cache(maxsize=64)
def _palette_table(palette: tuple[str, ...]) -> Bytes:
    return np.array([list(bytes.fromhex(colour)) for colour in (*palette, "000000")], np.uint8)


@lru_cache(maxsize=2)
def _tables(itemsize: int) -> tuple[Bytes, ...]:
    values = np.arange(1 << (8 * itemsize), dtype=f"u{itemsize}")
    return tuple(np.ascontiguousarray(scattered(values)[:, k]) for k in range(3))

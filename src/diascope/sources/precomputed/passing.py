"""The chunks of a scale as they are stored, for layouts that pass them on unopened."""

from __future__ import annotations

import struct
from collections.abc import Callable
from math import prod

from diascope.haste import pause
from diascope.image.level import Level
from diascope.image.region import Ints
from diascope.image.stored import Stored, stored_as
from diascope.sources.precomputed.volume import Volume
from diascope.sources.reading.pictures.jpeg_stream import COLOURS, GREY, Streams

SEGMENTATION = "compressed_segmentation"

Sound = Callable[[bytes, Ints], bytes | None]
"""From bytes and the shape c, z, y, x of the voxels: the bytes to pass on, None where these seem not to be a chunk."""

PNG_HEADER = struct.Struct(">8s4x4sIIBB")
PNG_START = b"\x89PNG\r\n\x1a\n", b"IHDR"
PNG_END = b"\0\0\0\0IEND\xaeB\x60\x82"
PNG_COLOURS = {1: 0, 2: 4, 3: 2, 4: 6}
"""By the number of channels."""


def with_stored(level: Level, volume: Volume) -> Level:
    """The level of a volume with its chunks as they are stored, of those encodings that are served too."""
    sound = _sound(volume)
    if sound is None:
        return level
    skipped = len(volume.shape) - len(level.shape)

    def chunk(index: Ints) -> bytes | None:
        place = (0,) * skipped + index
        data = volume.packed(place)
        return None if data is None else sound(data, volume.box(place).shape)

    in_pictures = volume.scale.encoding in ("jpeg", "png")
    stored = Stored(
        codec=volume.scale.encoding,
        dtype=volume.dtype.newbyteorder("<"),
        order="zyxc" if in_pictures else "czyx",
        is_padded=False,
        chunk=chunk,
        is_near=volume.store.local_path("") is not None,
        parameters={"block_size": volume.scale.block_size} if volume.scale.encoding == SEGMENTATION else {},
    )
    return stored_as(level, stored)


def _sound(volume: Volume) -> Sound | None:
    dtype, channels = volume.dtype, volume.channels
    if volume.scale.encoding == "raw":
        return lambda data, shape: data if len(data) == prod(shape) * dtype.itemsize else None
    if volume.scale.encoding == "jpeg" and channels in (GREY, COLOURS):
        streams = Streams(channels)
        return lambda data, shape: streams.whole(data, shape[1] * shape[2], shape[3])
    if volume.scale.encoding == "png" and channels in PNG_COLOURS:
        return lambda data, shape: data if _is_png(data, shape, dtype.itemsize) else None
    if volume.scale.encoding == SEGMENTATION:
        # Viewers look labels up in the bytes as they are, so that nothing else would find what points beyond their end.
        return lambda data, shape: _labels(volume, data, shape)
    return None


def _labels(volume: Volume, data: bytes, shape: Ints) -> bytes | None:
    """The same bytes, which are decoded to be sure."""
    pause()
    try:
        volume.decode(data, shape)
    except ValueError:
        return None
    return data


def _is_png(data: bytes, shape: Ints, itemsize: int) -> bool:
    if len(data) < PNG_HEADER.size or not data.endswith(PNG_END):
        return False
    start, name, width, height, depth, colours = PNG_HEADER.unpack_from(data)
    in_rows = (height, width) == (shape[1] * shape[2], shape[3])
    return (start, name) == PNG_START and in_rows and (depth, colours) == (8 * itemsize, PNG_COLOURS[shape[0]])

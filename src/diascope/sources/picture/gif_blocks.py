"""The frames of a GIF as its blocks tell them (https://www.w3.org/Graphics/GIF/spec-gif89a.txt), decoded by Pillow."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Lock
from typing import Any, BinaryIO, NamedTuple

from diascope.image.level import Pixels
from diascope.sources.reading.pictures.decoded import Decode
from diascope.sources.reading.pictures.frames import Frames

EXTENSION, IMAGE, TRAILER = b"!", b",", b";"
GRAPHIC_CONTROL = 0xF9


class Frame(NamedTuple):
    """What the blocks tell of a frame."""

    has_palette: bool
    """Of its own."""
    transparent: int | None
    milliseconds: int


def gif_frames(file: BinaryIO) -> list[Frame]:
    """The frames whose pixels begin before the file ends; no pixel is decoded."""
    screen = file.read(13)
    _skip_palette(file, screen[10])
    frames = []
    control = b"\0\0\0\0"
    while (block := file.read(1)) and block != TRAILER:
        if block == EXTENSION:
            label = file.read(1)
            data = _sub_blocks(file)
            if label == bytes([GRAPHIC_CONTROL]) and len(data) == 4:
                control = data
        elif block == IMAGE:
            place = file.read(9)
            if len(place) < 9:
                break
            _skip_palette(file, place[8])
            file.read(1)
            _sub_blocks(file)
            transparent = control[3] if control[0] & 1 else None
            frames.append(Frame(bool(place[8] & 0x80), transparent, int.from_bytes(control[1:3], "little") * 10))
            control = b"\0\0\0\0"
    return frames


def _skip_palette(file: BinaryIO, flags: int) -> None:
    if flags & 0x80:
        file.read(3 << ((flags & 7) + 1))


def _sub_blocks(file: BinaryIO) -> bytes:
    """The first sub-block, the others being skipped."""
    first = b""
    while (size := file.read(1)) and size[0]:
        data = file.read(size[0])
        first = first or data
    return first


def gif_mode(mode: str, frames: Sequence[Frame]) -> str:
    """The mode of an animation: indices where all frames have the same palette, else colours."""
    transparent = {frame.transparent for frame in frames}
    if not any(frame.has_palette for frame in frames) and len(transparent) == 1:
        return mode
    return "RGB" if transparent == {None} else "RGBA"


_pillow_strategy = Lock()
"""Whether Pillow keeps the indices of later frames is a setting of its whole module."""


def gif_decode(open: Callable[[], Any], mode: str) -> Decode:
    frames = Frames(open, mode)
    if mode.startswith("RGB"):
        return frames.decode

    def decode(frame: int) -> Pixels:
        from PIL import GifImagePlugin

        with _pillow_strategy:
            before = GifImagePlugin.LOADING_STRATEGY
            GifImagePlugin.LOADING_STRATEGY = GifImagePlugin.LoadingStrategy.RGB_AFTER_DIFFERENT_PALETTE_ONLY
            try:
                return frames.decode(frame)
            finally:
                GifImagePlugin.LOADING_STRATEGY = before

    return decode

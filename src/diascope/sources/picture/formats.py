"""How each format of pictures is told and opened: PNG, JPEG, BMP, GIF and WebP.

https://www.w3.org/TR/png-3/, https://www.w3.org/Graphics/JPEG/itu-t81.pdf,
https://www.w3.org/Graphics/GIF/spec-gif89a.txt
and https://www.rfc-editor.org/rfc/rfc9649
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from io import BytesIO
from typing import Any, TypeAlias

import numpy as np

from diascope.errors import Unreadable
from diascope.image.level import Pixels
from diascope.image.metadata import LARGEST_PROFILE
from diascope.sources.picture.gif_blocks import gif_decode, gif_frames, gif_mode
from diascope.sources.reading.blob_file import buffered
from diascope.sources.reading.packed.inflated import HIGHEST_RATIO
from diascope.sources.reading.pictures.decoded import Decode, check_size
from diascope.sources.reading.pictures.frames import Frames
from diascope.sources.reading.pictures.picture_header import Picture, from_pillow, profile
from diascope.sources.reading.pictures.png import png_pixels
from diascope.sources.reading.pictures.scans import check_scans
from diascope.stores.store import Blob

Reader: TypeAlias = Callable[[Blob], Picture]

PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
JPEG_MAGIC = b"\xff\xd8\xff"
GIF_MAGICS = (b"GIF87a", b"GIF89a")

DEEP_PNG = {0: "L;16", 2: "RGB;16", 4: "LA;16", 6: "RGBA;16"}
"""Modes of 16 bits by PNG's colour types; Pillow would take the lower eight away."""

JPEG_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
JPEG_LOSSLESS = {0xC3, 0xC7, 0xCB, 0xCF}
JPEG_MODES = {1: "L", 3: "RGB", 4: "CMYK"}

BMP_HEADERS = {12, 16, 40, 52, 56, 64, 108, 124}


def reader_of(first: bytes) -> Reader | None:
    """How a file that begins so is opened, None where it is of none of these formats."""
    if first.startswith(PNG_MAGIC):
        return _png
    if first.startswith(JPEG_MAGIC):
        return _jpeg
    if first.startswith(GIF_MAGICS):
        return _gif
    if first.startswith(b"RIFF") and first[8:12] == b"WEBP":
        return _webp
    if first.startswith(b"BM") and int.from_bytes(first[14:18], "little") in BMP_HEADERS:
        return _bmp
    return None


def _pillow_decode(open: Callable[[], Any]) -> Decode:
    def decode(_: int) -> Pixels:
        image = open()
        image.load()
        return np.asarray(image)

    return decode


def _png(blob: Blob) -> Picture:
    from PIL.PngImagePlugin import PngImageFile

    def open() -> Any:
        return PngImageFile(buffered(blob))

    # 8 magic, 8 length and name of IHDR, then width 4, height 4, depth 1, colour type 1
    depth, colour = blob.read(24, 26)
    image = open()
    frames = getattr(image, "n_frames", 1)
    if depth == 16 and colour in DEEP_PNG:
        return _deep_png(image, blob, DEEP_PNG[colour])
    check_size((*image.size[::-1], len(image.getbands())))
    bits = image.size[0] * image.size[1] * depth * len(image.getbands())
    if bits // 8 > (blob.stat.size + 1) * HIGHEST_RATIO:
        raise Unreadable(f"{blob.stat.size} bytes of PNG cannot hold {image.size[0]} by {image.size[1]} pixels")
    decode = Frames(open, image.mode).decode if frames > 1 else _pillow_decode(open)
    return from_pillow(image, "PNG", decode, frames=frames)


def _deep_png(image: Any, blob: Blob, mode: str) -> Picture:
    def decode(_: int) -> Pixels:
        return png_pixels(blob.read(0, blob.stat.size))

    if "transparency" in image.info and mode in ("L;16", "RGB;16"):
        mode = {"L;16": "LA;16", "RGB;16": "RGBA;16"}[mode]
    return _replaced(from_pillow(image, "PNG", decode), mode)


def _replaced(picture: Picture, mode: str) -> Picture:
    from dataclasses import replace

    kept = {key: value for key, value in picture.extra.items() if key not in ("palette", "transparency")}
    return replace(picture, mode=mode, extra={**kept, "mode": mode})


def _jpeg(blob: Blob) -> Picture:
    from PIL.JpegImagePlugin import JpegImageFile

    marker, precision, height, width, components = _jpeg_frame(blob)
    if precision == 8 and marker not in JPEG_LOSSLESS:

        def open() -> Any:
            return JpegImageFile(buffered(blob))

        def whole() -> Any:
            data = blob.read(0, blob.stat.size)
            check_scans(data)
            return JpegImageFile(BytesIO(data))

        return from_pillow(open(), "JPEG", _pillow_decode(whole))
    if components not in JPEG_MODES:
        raise Unreadable(f"a JPEG of {components} components is not supported")
    return Picture(
        format="JPEG",
        width=width,
        height=height,
        mode=JPEG_MODES[components] + (";16" if precision > 8 else ""),
        decode=_jpeg_decode(blob),
        extra={"precision": precision, "lossless": marker in JPEG_LOSSLESS},
    )


def _jpeg_decode(blob: Blob) -> Decode:
    def decode(_: int) -> Pixels:
        import imagecodecs

        return np.asarray(imagecodecs.jpeg_decode(blob.read(0, blob.stat.size)))

    return decode


def _jpeg_frame(blob: Blob) -> tuple[int, int, int, int, int]:
    """Marker, precision, height, width and number of components of the first frame (ITU-T T.81, B.2.2)."""
    with buffered(blob) as file:
        file.seek(2)
        while byte := file.read(1):
            # A segment begins with ff and its marker; what stands between segments is skipped, as decoders do.
            if byte != b"\xff":
                continue
            marker = file.read(1)
            while marker == b"\xff":
                marker = file.read(1)
            if not marker or marker[0] in (0x00, 0x01, *range(0xD0, 0xD9)):
                continue
            size = int.from_bytes(file.read(2), "big")
            if marker[0] in JPEG_FRAMES:
                frame = file.read(6)
                if len(frame) == 6:
                    height, width = int.from_bytes(frame[1:3], "big"), int.from_bytes(frame[3:5], "big")
                    return marker[0], frame[0], height, width, frame[5]
            if marker[0] in (0xD9, 0xDA) or size < 2:
                break
            file.seek(size - 2, 1)
    raise Unreadable("a JPEG without the header of a frame")


def _bmp(blob: Blob) -> Picture:
    from PIL.BmpImagePlugin import BmpImageFile

    def open() -> Any:
        return BmpImageFile(buffered(blob))

    return from_pillow(open(), "BMP", _pillow_decode(open))


def _gif(blob: Blob) -> Picture:
    from PIL.GifImagePlugin import GifImageFile

    def open() -> Any:
        return GifImageFile(buffered(blob))

    image = open()
    check_size(image.size[::-1])
    with buffered(blob) as file:
        frames = gif_frames(file)
    extra = {"durations": [frame.milliseconds for frame in frames], "loop": image.info.get("loop")}
    if len(frames) <= 1:
        return from_pillow(image, "GIF", _pillow_decode(open))
    mode = gif_mode(image.mode, frames)
    picture = from_pillow(image, "GIF", gif_decode(open, mode), frames=len(frames), extra=extra)
    return picture if mode == image.mode else _replaced(picture, mode)


def _webp(blob: Blob) -> Picture:
    from PIL.WebPImagePlugin import WebPImageFile

    def open() -> Any:
        return WebPImageFile(buffered(blob))

    width = height = frames = 0
    alpha = False
    exif, icc, durations, has_profile = b"", None, [], False
    for name, start, size in _riff_chunks(blob):
        head = blob.read(start, start + 16)
        if name == b"VP8X":
            # flags 1, reserved 3, width less one 3, height less one 3
            alpha, width, height = bool(head[0] & 0x10), _less_one(head[4:7]), _less_one(head[7:10])
        elif name == b"ANMF":
            # x 3, y 3, width less one 3, height less one 3, milliseconds 3
            frames += 1
            durations.append(int.from_bytes(head[12:15], "little"))
        elif name == b"VP8 " and not width:
            # frame tag 3, start code 3, width 14 bits, height 14 bits
            width, height = (int.from_bytes(head[k : k + 2], "little") & 0x3FFF for k in (6, 8))
        elif name == b"VP8L":
            # signature 1, width less one 14 bits, height less one 14 bits, alpha 1 bit
            bits = int.from_bytes(head[1:5], "little")
            alpha = bool(bits >> 28 & 1)
            width, height = width or (bits & 0x3FFF) + 1, height or (bits >> 14 & 0x3FFF) + 1
        elif name == b"EXIF" and size <= 1 << 20:
            exif = blob.read(start, start + size)
        elif name == b"ICCP":
            has_profile = True
            icc = profile(blob.read(start, start + size)) if size <= LARGEST_PROFILE else None
    mode = "RGBA" if alpha else "RGB"
    return Picture(
        format="WebP",
        width=width,
        height=height,
        mode=mode,
        decode=Frames(open, mode).decode if frames > 1 else _pillow_decode(open),
        frames=max(frames, 1),
        exif=exif,
        icc=icc,
        extra={"durations": durations if frames > 1 else None, "icc_profile": has_profile or None},
    )


def _less_one(field: bytes) -> int:
    return int.from_bytes(field, "little") + 1


def _riff_chunks(blob: Blob) -> Iterator[tuple[bytes, int, int]]:
    """Name, start and size of each chunk, as far as they lie in the file."""
    at, end = 12, blob.stat.size
    while at + 8 <= end:
        head = blob.read(at, at + 8)
        size = int.from_bytes(head[4:], "little")
        if at + 8 + size > end:
            raise Unreadable(f"the chunk {head[:4]!r} at byte {at} reaches over the end of the file")
        yield head[:4], at + 8, size
        at += 8 + size + size % 2

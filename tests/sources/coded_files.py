"""Small pictures of newer formats, by their own encoders."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import imagecodecs
import numpy as np
import OpenEXR
import PIL.Image
import pillow_heif
from numpy.typing import NDArray

RANDOM = np.random.default_rng(11)
COLOURS = RANDOM.integers(0, 256, (37, 41, 4), dtype=np.uint8)
DEEP = RANDOM.integers(0, 1024, (37, 41, 3), dtype=np.uint16)
FRAMES = np.stack([np.roll(COLOURS[..., :3], 5 * k, axis=0) for k in range(4)])
LIGHT = RANDOM.random((37, 41, 3)).astype(np.float32) * 9


def avif(path: Path) -> None:
    path.write_bytes(imagecodecs.avif_encode(COLOURS, level=100, speed=9))


def deep_avif(path: Path) -> None:
    path.write_bytes(imagecodecs.avif_encode(DEEP, level=100, speed=9, bitspersample=10))


def moving_avif(path: Path) -> None:
    first, *others = map(PIL.Image.fromarray, FRAMES)
    first.save(path, save_all=True, append_images=others, quality=100, subsampling="4:4:4")


def turned_avif(path: Path) -> None:
    exif = PIL.Image.Exif()
    exif[0x112], exif[0x10E], exif[0x132] = 6, "a turned picture", "2021:03:04 05:06:07"
    PIL.Image.fromarray(COLOURS).save(path, exif=exif)


def jxl(path: Path) -> None:
    path.write_bytes(imagecodecs.jpegxl_encode(COLOURS, lossless=True, effort=1))


def deep_jxl(path: Path) -> None:
    path.write_bytes(imagecodecs.jpegxl_encode(DEEP, lossless=True, effort=1))


def light_jxl(path: Path) -> None:
    path.write_bytes(imagecodecs.jpegxl_encode(LIGHT / 9, lossless=True, effort=1))


def moving_jxl(path: Path) -> None:
    path.write_bytes(imagecodecs.jpegxl_encode(FRAMES, lossless=True, effort=1))


def heif(path: Path) -> None:
    pillow_heif.from_bytes("RGBA", (41, 37), COLOURS.tobytes()).save(path, quality=-1, chroma=444)


def other_heif(path: Path) -> None:
    pillow_heif.from_bytes("RGB", (41, 37), FRAMES[1].tobytes()).save(path, quality=50)


def several_heif(path: Path) -> None:
    made = pillow_heif.HeifFile()
    for frame in FRAMES[:2]:
        made.add_frombytes("RGB", (41, 37), frame.tobytes())
    made.save(path, quality=-1, chroma=444)


def hdr(path: Path) -> None:
    path.write_bytes(cv2.imencode(".hdr", LIGHT[..., ::-1])[1].tobytes())


def dark_hdr(path: Path) -> None:
    path.write_bytes(cv2.imencode(".hdr", LIGHT[:20] / 100)[1].tobytes())


def exr(path: Path, compression: Any = OpenEXR.ZIP_COMPRESSION) -> None:
    """Colours, a depth of another type, and a layer."""
    channels: dict[str, Any] = {name: np.ascontiguousarray(LIGHT[..., k]) for k, name in enumerate("RGB")}
    channels["Z"] = DEEP[..., 0].astype(np.uint32)
    channels["glow.A"] = LIGHT[..., 0].astype(np.float16)
    OpenEXR.File({"compression": compression, "type": OpenEXR.scanlineimage}, channels).write(str(path))


def half_exr(path: Path) -> None:
    channels = {name: np.ascontiguousarray(LIGHT[::-1, :, k]).astype(np.float16) for k, name in enumerate("RGB")}
    OpenEXR.File({"compression": OpenEXR.PIZ_COMPRESSION, "type": OpenEXR.scanlineimage}, channels).write(str(path))


def tiles_exr(path: Path) -> None:
    tiles = {"type": OpenEXR.tiledimage, "tiles": OpenEXR.TileDescription()}
    OpenEXR.File(tiles, {"Y": np.ascontiguousarray(LIGHT[..., 0])}).write(str(path))


def parts_exr(path: Path) -> None:
    """Lines and tiles, the second part lying elsewhere."""
    half = np.ascontiguousarray(LIGHT[:, :, 0].astype(np.float16))
    window = (np.array([-3, 5], np.int32), np.array([-3 + 40, 5 + 36], np.int32))
    tiles = {"type": OpenEXR.tiledimage, "tiles": OpenEXR.TileDescription(), "dataWindow": window}
    left = OpenEXR.Part({"type": OpenEXR.scanlineimage}, {"Y": half}, name="left")
    OpenEXR.File([left, OpenEXR.Part(tiles, {"Y": half[::-1].copy()}, name="right")]).write(str(path))


def card(key: str, value: Any) -> str:
    spelled = {bool: "T", str: f"'{value}'"}.get(type(value), repr(value))
    return f"{key:8}= {spelled:>20}".ljust(80)


def unit(pixels: NDArray[Any] | None, first: str, **cards: Any) -> bytes:
    """A header, and pixels as they are stored."""
    bits = {"f": -8}.get(pixels.dtype.kind, 8) * pixels.dtype.itemsize if pixels is not None else 8
    shape = pixels.shape[::-1] if pixels is not None else ()
    lines = [first.ljust(80), card("BITPIX", bits), card("NAXIS", len(shape))]
    lines += [card(f"NAXIS{k + 1}", size) for k, size in enumerate(shape)]
    lines += [card(key, value) for key, value in cards.items()]
    header = "".join([*lines, "END".ljust(80)])
    data = pixels.astype(pixels.dtype.newbyteorder(">")).tobytes() if pixels is not None else b""
    return header.ljust(-(-len(header) // 2880) * 2880).encode() + data.ljust(-(-len(data) // 2880) * 2880, b"\0")


FIRST = card("SIMPLE", value=True)
MORE = card("XTENSION", "IMAGE   ")


def single_fits(path: Path) -> None:
    path.write_bytes(unit(DEEP[..., 0].astype(np.int16), FIRST, OBJECT="M 51", BZERO=32768))


def other_fits(path: Path) -> None:
    path.write_bytes(unit(DEEP[..., 1].astype(np.int16), FIRST))


def fits(path: Path) -> None:
    """No pixels first, then 16 bits without sign in three axes, floats, a table, and bytes that are scaled."""
    table = "XTENSION= 'BINTABLE'"
    stored = (DEEP.transpose(2, 0, 1).astype(np.int64) - 32768).astype(np.int16)
    path.write_bytes(
        unit(None, FIRST, OBJECT="O''Hara")
        + unit(stored, MORE, BZERO=32768.0, EXTNAME="cube", CTYPE3="WAVE-LOG")
        + unit(np.zeros((5, 8), np.uint8), table, PCOUNT=7, GCOUNT=1, TFIELDS=1)
        + unit(LIGHT[..., 0], MORE, EXTNAME="light")
        + unit(COLOURS[..., 0], MORE, BSCALE=0.5, BZERO=3)
    )


SAMPLES = {
    "avif": {
        "still.avif": avif,
        "deep.avif": deep_avif,
        "moving.avif": moving_avif,
        "turned.avif": turned_avif,
    },
    "jpegxl": {"still.jxl": jxl, "deep.jxl": deep_jxl, "light.jxl": light_jxl, "moving.jxl": moving_jxl},
    "heif": {"still.heic": heif, "other.heif": other_heif},
    "radiance": {"light.hdr": hdr, "dark.hdr": dark_hdr},
    "exr": {"half.exr": half_exr, "tiles.exr": tiles_exr},
    "fits": {"single.fits": single_fits, "other.fits": other_fits},
}

SEVERAL = {
    "heif": {"several.heic": several_heif},
    "exr": {"layers.exr": exr, "parts.exr": parts_exr},
    "fits": {"units.fits": fits},
}
"""Of more than one image."""

"""Pictures, judged by Pillow and imagecodecs."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import PIL.Image
import pytest

import diascope
from diascope.errors import Unreadable
from diascope.image.level import read_whole
from diascope.image.region import Region
from diascope.sources.picture import source
from diascope.sources.reading.pictures import decoded
from diascope.stores.local import LocalStore
from diascope.testing.counting import CountingStore

pytestmark = pytest.mark.filterwarnings("ignore:'mode' parameter is deprecated:DeprecationWarning")

RANDOM = np.random.default_rng(3)
SMOOTH = np.add.outer(np.arange(60) * 2, np.arange(90)).astype(np.uint8)
COLOURS = np.stack([SMOOTH, SMOOTH[::-1], SMOOTH[:, ::-1]], axis=-1)


def as_pillow(path: Path) -> Any:
    with PIL.Image.open(path) as picture:
        return np.array(picture)


NAMES = {"LA": ["lightness", "opacity"], "CMYK": ["cyan", "magenta", "yellow", "black"]}
HELD = {
    ".png": ["1", "L", "P", "LA", "RGB", "RGBA"],
    ".jpg": ["L", "RGB", "CMYK"],
    ".bmp": ["1", "L", "P", "RGB", "RGBA"],
    ".gif": ["L", "P"],
    ".webp": ["RGB", "RGBA"],
}


@pytest.mark.parametrize(("suffix", "mode"), [(suffix, mode) for suffix, modes in HELD.items() for mode in modes])
def test_pixels_are_pillows(tmp_path: Path, suffix: str, mode: str) -> None:
    path = tmp_path / f"picture{suffix}"
    PIL.Image.fromarray(COLOURS).convert(mode).save(path)
    image = diascope.open(path)
    known = as_pillow(path)
    pixels = np.moveaxis(image[...], 0, -1) if known.ndim == 3 else image[...]
    np.testing.assert_array_equal(pixels, known)
    assert image.dtype == known.dtype
    assert image.axis_names == ("cyx" if known.ndim == 3 else "yx")
    plain = "labels" if image.metadata.palette else "intensity"
    assert image.kind == ("rgb" if mode.startswith("RGB") else plain)
    assert [channel.name for channel in image.channels] == NAMES.get(mode, [""] * image.size("c"))
    assert {axis.unit for axis in image.axes} == {None}


@pytest.mark.parametrize("samples", [1, 2, 3, 4])
def test_a_png_keeps_its_16_bits(tmp_path: Path, samples: int) -> None:
    pixels = RANDOM.integers(0, 65536, (20, 30, samples), dtype=np.uint16).squeeze()
    (tmp_path / "deep.png").write_bytes(imagecodecs.png_encode(pixels))
    image = diascope.open(tmp_path / "deep.png")
    assert image.dtype == np.uint16
    assert image.kind == ("rgb" if samples > 2 else "intensity")
    np.testing.assert_array_equal(image[...] if samples == 1 else np.moveaxis(image[...], 0, -1), pixels)


@pytest.mark.parametrize("bits", [8, 12, 16])
def test_a_jpeg_keeps_its_bits(tmp_path: Path, bits: int) -> None:
    pixels = RANDOM.integers(0, 1 << bits, (24, 32), dtype=np.uint16 if bits > 8 else np.uint8)
    data = imagecodecs.ljpeg_encode(pixels, bitspersample=bits) if bits > 8 else imagecodecs.jpeg8_encode(pixels, 100)
    (tmp_path / "deep.jpg").write_bytes(data)
    image = diascope.open(tmp_path / "deep.jpg")
    assert image.dtype == pixels.dtype
    np.testing.assert_array_equal(image[...], imagecodecs.jpeg_decode(data))


def test_a_palette_is_told_and_not_applied(tmp_path: Path) -> None:
    path = tmp_path / "indices.png"
    picture = PIL.Image.fromarray(COLOURS).quantize(16)
    picture.save(path, transparency=3)
    image = diascope.open(path)
    palette = image.metadata.palette
    colours = np.array([list(bytes.fromhex(colour)) for colour in palette], np.uint8)
    np.testing.assert_array_equal(colours[image[...]], np.array(picture.convert("RGB")))
    assert image.metadata.extra["transparency"] == 3


def test_orientation_is_told_and_not_applied(tmp_path: Path) -> None:
    exif = PIL.Image.Exif()
    exif[0x112], exif[0x132], exif[0x10E] = 6, "2020:01:02 03:04:05", "a slide"
    for suffix in (".jpg", ".png", ".webp"):
        path = tmp_path / f"turned{suffix}"
        PIL.Image.fromarray(COLOURS).save(path, exif=exif, dpi=(300, 300))
        image = diascope.open(path)
        assert image.shape == (3, 60, 90)
        assert image.metadata.extra["exif_orientation"] == 6
        assert image.metadata.acquired == "2020-01-02T03:04:05"
        assert image.metadata.description == "a slide"
        assert image.levels[0].scale == (1, 1, 1)


@pytest.mark.parametrize("suffix", [".gif", ".webp", ".png"])
def test_an_animation_has_a_time_axis(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"moving{suffix}"
    frames = [PIL.Image.fromarray(np.roll(COLOURS, 7 * k, axis=1)) for k in range(5)]
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=[50, 60, 70, 80, 90], lossless=True)
    image = diascope.open(path)
    assert image.shape[0] == 5
    assert image.axis_names == "tcyx"
    for k in (3, 1, 4, 0):
        with PIL.Image.open(path) as picture:
            picture.seek(k)
            known = np.array(picture.convert("RGBA"))
        np.testing.assert_array_equal(np.moveaxis(image[k], 0, -1), known[..., : image.size("c")])
    if suffix != ".png":
        assert image.metadata.extra["durations"] == [50, 60, 70, 80, 90]


def test_frames_of_one_palette_stay_indices(tmp_path: Path) -> None:
    frames = np.stack([np.roll(SMOOTH // 16, 3 * k, axis=0) for k in range(4)])
    table = RANDOM.integers(0, 256, (256, 3), dtype=np.uint8)
    (tmp_path / "a.gif").write_bytes(imagecodecs.gif_encode(frames, colormap=table))
    image = diascope.open(tmp_path / "a.gif")
    assert (image.axis_names, image.shape) == ("tyx", (4, 60, 90))
    colours = np.array([list(bytes.fromhex(colour)) for colour in image.metadata.palette], np.uint8)
    for k in (2, 0, 3):
        np.testing.assert_array_equal(colours[image[k]], table[frames[k]])


def test_opening_reads_the_header_alone(tmp_path: Path) -> None:
    noise = PIL.Image.fromarray(RANDOM.integers(0, 256, (700, 700, 3), dtype=np.uint8))
    for suffix in (".png", ".jpg", ".bmp", ".webp"):
        path = tmp_path / f"large{suffix}"
        noise.save(path)
        store = CountingStore(LocalStore(tmp_path))
        source.open(store, path.name)
        assert store.count < path.stat().st_size / 2
        assert store.count <= 1 << 18


def test_a_big_picture_is_decoded_once_for_all_its_tiles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoded, "BIG", 1000)
    monkeypatch.setattr(decoded, "TILE", 16)
    PIL.Image.fromarray(COLOURS).save(tmp_path / "a.png")
    store = CountingStore(LocalStore(tmp_path))
    level = source.open(store, "a.png").images["a"].levels[0]
    assert level.chunk_shape == (3, 16, 16)
    np.testing.assert_array_equal(level.read(Region((0, 5, 6), (3, 9, 8))), np.moveaxis(COLOURS[5:9, 6:8], -1, 0))
    before = store.count
    np.testing.assert_array_equal(read_whole(level), np.moveaxis(COLOURS, -1, 0))
    assert store.count == before


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(width: int, height: int, data: bytes) -> bytes:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("width", "height", "reason"),
    [(100_000, 100_000, "over the limit of 1073741824"), (10_000, 10_000, "cannot hold"), (0, 5, "Error")],
)
def test_a_png_that_lies_of_its_size_is_refused(tmp_path: Path, width: int, height: int, reason: str) -> None:
    (tmp_path / "lie.png").write_bytes(png(width, height, b"\0" * 100))
    with pytest.raises(Unreadable, match=f"lie.png.*{reason}"):
        diascope.open(tmp_path / "lie.png")


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".bmp", ".gif", ".webp"])
def test_a_truncated_picture_is_refused(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"cut{suffix}"
    PIL.Image.fromarray(RANDOM.integers(0, 256, (90, 90, 3), dtype=np.uint8)).save(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(Unreadable, match="cut"):
        read_whole(diascope.open(path).levels[0])


def test_the_bytes_decide_and_not_the_name(tmp_path: Path) -> None:
    PIL.Image.fromarray(COLOURS).save(tmp_path / "a.png")
    (tmp_path / "a.png").rename(tmp_path / "photo.jpg")
    assert diascope.open(tmp_path / "photo.jpg").metadata.format == "PNG"
    (tmp_path / "page.png").write_bytes(b"<html>not found</html>")
    with pytest.raises(Unreadable, match=r"page\.png"):
        diascope.open(tmp_path / "page.png")

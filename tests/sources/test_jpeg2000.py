"""JPEG 2000, judged by OpenJPEG through imagecodecs and Pillow."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import PIL.Image
import pytest

import diascope
from diascope.errors import Unreadable
from diascope.image.level import read_whole
from diascope.sources.jpeg2000 import source
from diascope.stores.local import LocalStore
from diascope.testing.counting import CountingStore

RANDOM = np.random.default_rng(5)
SMOOTH = np.add.outer(np.arange(301), np.arange(402) // 2).astype(np.uint8)
COLOURS = np.stack([SMOOTH, SMOOTH[::-1], SMOOTH[:, ::-1]], axis=-1)

SIZ_SIZE, SIZ_COUNT = 8, 40
"""Where width and height, and the number of components, stand in a bare codestream."""


@pytest.mark.parametrize("codec", ["jp2", "j2k"])
@pytest.mark.parametrize("dtype", ["u1", "i1", "u2", "i2"])
@pytest.mark.parametrize("samples", [1, 3, 4])
def test_pixels_are_those_that_were_packed(tmp_path: Path, codec: str, dtype: str, samples: int) -> None:
    limits = np.iinfo(dtype)
    shape = (40, 50, samples) if samples > 1 else (40, 50)
    pixels = RANDOM.integers(limits.min, limits.max, shape, dtype=dtype, endpoint=True)
    path = tmp_path / f"a.{codec}"
    path.write_bytes(imagecodecs.jpeg2k_encode(pixels, codecformat=codec, level=0, reversible=True))
    image = diascope.open(path)
    assert image.dtype == np.dtype(dtype)
    assert image.kind == ("rgb" if samples > 1 and dtype.startswith("u") else "intensity")
    np.testing.assert_array_equal(np.moveaxis(image[...], 0, -1) if samples > 1 else image[...], pixels)


def test_twelve_bits_are_shown_from_black_to_white(tmp_path: Path) -> None:
    pixels = np.full((9, 8, 3), 4095, np.uint16)
    (tmp_path / "a.jp2").write_bytes(imagecodecs.jpeg2k_encode(pixels, level=0, bitspersample=12))
    image = diascope.open(tmp_path / "a.jp2")
    np.testing.assert_array_equal(image[...], pixels.transpose(2, 0, 1))
    assert [channel.window for channel in image.channels] == [(0.0, 4095.0)] * 3


def test_the_resolutions_inside_are_levels(tmp_path: Path) -> None:
    path = tmp_path / "a.jp2"
    PIL.Image.fromarray(COLOURS).save(path, num_resolutions=4, irreversible=False)
    levels = source.open(LocalStore(tmp_path), "a.jp2").images["a"].levels
    assert [level.shape for level in levels] == [(3, 301, 402), (3, 151, 201)]
    assert [level.scale for level in levels] == [(1, 1, 1), (1, 2, 2)]
    with PIL.Image.open(path) as picture:
        reduced: Any = picture
        reduced.reduce = 1
        reduced.load()
        np.testing.assert_array_equal(np.moveaxis(read_whole(levels[1]), 0, -1), np.array(reduced))


def test_a_cut_file_is_refused_at_every_level(tmp_path: Path) -> None:
    path = tmp_path / "cut.jp2"
    PIL.Image.fromarray(COLOURS).save(path, num_resolutions=4, irreversible=False)
    data = bytearray(path.read_bytes())
    start = data.index(b"jp2c") - 4
    # The box says that it ends where the file does now, as a careless copy would.
    data = data[: len(data) * 3 // 4]
    struct.pack_into(">I", data, start, len(data) - start)
    path.write_bytes(bytes(data))
    levels = source.open(LocalStore(tmp_path), "cut.jp2").images["cut"].levels
    assert len(levels) == 2
    for level in levels:
        with pytest.raises(Unreadable, match="cut"):
            read_whole(level)


def test_a_level_begins_where_the_finest_does(tmp_path: Path) -> None:
    """On a slope a mean of two would lie half a pixel further: samples of the wavelets lie at the even ones."""
    slope = np.tile((np.arange(400) // 2).astype(np.uint8), (300, 1))
    PIL.Image.fromarray(slope).save(tmp_path / "a.jp2", num_resolutions=3, irreversible=False)
    fine, coarse = source.open(LocalStore(tmp_path), "a.jp2").images["a"].levels[:2]
    inner = (slice(10, -10), slice(10, -10))
    error = read_whole(coarse)[inner].astype(float) - read_whole(fine)[::2, ::2][inner]
    assert coarse.translation == (0, 0)
    assert abs(error.mean()) < 0.13


def test_opening_reads_the_header_alone(tmp_path: Path) -> None:
    pixels = RANDOM.integers(0, 256, (400, 400), dtype=np.uint8)
    path = tmp_path / "a.jp2"
    path.write_bytes(imagecodecs.jpeg2k_encode(pixels, level=0, reversible=True))
    store = CountingStore(LocalStore(tmp_path))
    source.open(store, "a.jp2")
    assert store.count < 4096


def j2k() -> bytearray:
    return bytearray(imagecodecs.jpeg2k_encode(COLOURS[:40, :50], codecformat="j2k", level=0, reversible=True))


def lying(tmp_path: Path, at: int, form: str, *values: int) -> Path:
    data = j2k()
    struct.pack_into(form, data, at, *values)
    path = tmp_path / "lie.j2k"
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    ("at", "form", "values"),
    [
        (SIZ_SIZE, ">II", (0x7FFFFFFF, 0x7FFFFFFF)),
        (SIZ_SIZE, ">II", (0, 40)),
        (SIZ_SIZE, ">IIII", (50, 40, 50, 0)),
        (SIZ_COUNT, ">H", (0,)),
        (SIZ_COUNT, ">H", (16384,)),
        (SIZ_COUNT + 2, ">BBB", (7, 0, 1)),
        (SIZ_COUNT + 2, ">BBB", (7, 2, 2)),
        (SIZ_COUNT + 2, ">BBB", (60, 1, 1)),
    ],
)
def test_a_lying_header_is_refused(tmp_path: Path, at: int, form: str, values: tuple[int, ...]) -> None:
    path = lying(tmp_path, at, form, *values)
    with pytest.raises(Unreadable, match=r"lie\.j2k"):
        diascope.open(path)


@pytest.mark.parametrize("codec", ["jp2", "j2k"])
@pytest.mark.parametrize("share", [0.01, 0.02, 0.1, 0.5, 0.99, 0.9999])
def test_a_cut_file_is_refused(tmp_path: Path, share: float, codec: str) -> None:
    data = imagecodecs.jpeg2k_encode(COLOURS[:40, :50], codecformat=codec, level=0, reversible=True)
    path = tmp_path / "cut.jp2"
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(Unreadable, match=r"cut\.jp2"):
        read_whole(diascope.open(path).levels[0])


def test_boxes_that_go_round_in_circles_come_to_an_end(tmp_path: Path) -> None:
    signature = struct.pack(">I4sI", 12, b"jP  ", 0x0D0A870A)
    for box in (
        struct.pack(">I4s", 0, b"free"),
        struct.pack(">I4s", 8, b"free") * 20_000,
        struct.pack(">I4s", 3, b"x"),
    ):
        (tmp_path / "boxes.jp2").write_bytes(signature + box)
        with pytest.raises(Unreadable, match=r"boxes\.jp2"):
            diascope.open(tmp_path / "boxes.jp2")

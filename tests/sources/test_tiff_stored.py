"""Packed strips and tiles of TIFF are told as they are stored only where they seem to be what belongs there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from diascope.catalogue.opening import opened_file
from diascope.image.image import Image
from diascope.image.region import Ints
from tests.tiff_tiles import DECODERS, stored_of

PIXELS = np.arange(300 * 520, dtype="<u2").reshape(300, 520)
TILES: dict[str, Any] = {"tile": (256, 256), "metadata": None}


def written(path: Path, pixels: np.ndarray[Any, Any] = PIXELS, **options: Any) -> Path:
    tifffile.imwrite(path, pixels, **options)
    return path


def image(path: Path) -> Image:
    return next(iter(opened_file(path).images.values()))


def told(path: Path) -> list[Ints]:
    """The places of chunks that are told."""
    stored, level = image(path).levels[0].stored, image(path).levels[0]
    assert stored is not None
    grid = [range(-(-size // side)) for size, side in zip(level.shape, level.chunk_shape, strict=True)]
    return [(y, x) for y in grid[0] for x in grid[1] if stored.chunk((y, x)) is not None]


def spoilt(path: Path, number: int, at: int, value: bytes) -> Path:
    """The file with bytes of a strip or tile written over."""
    with tifffile.TiffFile(path) as file:
        start = file.pages[0].dataoffsets[number]
    data = bytearray(path.read_bytes())
    data[start + at : start + at + len(value)] = value
    path.write_bytes(data)
    return path


ALL = [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2)]


@pytest.mark.parametrize(
    ("compression", "at", "value"),
    [("zlib", 0, b"\x1f\x8b"), ("zlib", 1, b"\0"), ("zstd", 0, b"zstd"), ("zstd", 5, b"\1\1")],
)
def test_a_tile_that_is_not_of_its_codec_is_not_told(tmp_path: Path, compression: str, at: int, value: bytes) -> None:
    path = written(tmp_path / "it.tif", compression=compression, **TILES)
    assert told(path) == ALL
    assert told(spoilt(path, 1, at, value)) == [place for place in ALL if place != (0, 1)]


def test_tiles_that_the_file_has_not_are_not_told(tmp_path: Path) -> None:
    path = written(tmp_path / "it.tif", **TILES)
    with tifffile.TiffFile(path, mode="r+b") as file:
        offsets = list(file.pages[0].dataoffsets)
        offsets[2] = path.stat().st_size - 100
        offsets[4] = 0
        file.pages[0].tags["TileOffsets"].overwrite(offsets)
    assert told(path) == [(0, 0), (0, 1), (1, 0), (1, 2)]
    extent = stored_of(image(path).levels[0]).extent
    assert extent is not None
    assert extent((0, 2)) is None


def test_raw_tiles_that_are_too_short_are_not_told_and_longer_ones_are_cut(tmp_path: Path) -> None:
    path = written(tmp_path / "it.tif", **TILES)
    with tifffile.TiffFile(path, mode="r+b") as file:
        sizes = list(file.pages[0].databytecounts)
        sizes[0], sizes[1] = sizes[0] - 2, sizes[1] + 2
        file.pages[0].tags["TileByteCounts"].overwrite(sizes)
    assert told(path) == ALL[1:]
    cut = stored_of(image(path).levels[0]).chunk((0, 1))
    assert cut is not None
    assert len(cut) == 256 * 256 * 2


def test_the_last_strip_of_a_stream_without_a_size_is_not_told(tmp_path: Path) -> None:
    """Some writers fill it up with rows that the page has not."""
    for compression, count in (("zlib", 2), ("zstd", 3), (None, None)):
        path = written(tmp_path / "it.tif", rowsperstrip=128, compression=compression, metadata=None)
        found = told(path)
        assert count is None or len(found) == count
        stored = stored_of(image(path).levels[0])
        whole = b"".join(DECODERS[stored.codec](stored.chunk(place) or b"") for place in found)
        assert whole == PIXELS.tobytes()[: len(whole)]


@pytest.mark.parametrize(
    "options",
    [
        {"compression": "zlib", "predictor": True, **TILES},
        {"compression": "zstd", "predictor": True, **TILES},
        {"compression": "lzw", **TILES},
        {"compression": "packbits", **TILES},
        {"compression": "zlib", "tile": (512, 1024), "metadata": None},
        {"compression": "zlib", "rowsperstrip": 16, "metadata": None},
    ],
)
def test_what_is_no_codec_alone_or_no_chunk_is_not_told(tmp_path: Path, options: dict[str, Any]) -> None:
    assert image(written(tmp_path / "it.tif", **options)).levels[0].stored is None


def test_packed_bits_are_not_told(tmp_path: Path) -> None:
    bits = PIXELS > 7
    assert image(written(tmp_path / "bits.tif", bits, photometric="minisblack", **TILES)).levels[0].stored is None

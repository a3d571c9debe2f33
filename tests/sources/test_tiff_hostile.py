"""Broken and lying TIFF files: a clear error or the right pixels, soon, and without the memory that they ask for."""

from __future__ import annotations

import csv
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from struct import pack
from typing import Any

import imagecodecs
import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray

from diascope.catalogue.opening import Owner, opened
from diascope.errors import DiascopeError, Unreadable
from diascope.image.cache import chunk_cache
from diascope.image.image import Image
from diascope.image.region import whole
from diascope.sources.tiff import source
from diascope.sources.tiff.chain import MAX_PAGES
from diascope.stores.local import LocalStore

SECONDS = 10.0
MEMORY = 32 << 20
SUFFIXES = (".tif", ".tiff", ".svs")


def first(path: Path) -> Image:
    dataset = opened(source, LocalStore(path.parent), path.name, Owner("test", chunk_cache(0)))
    return next(iter(dataset.images.values()))


def read(path: Path) -> NDArray[np.generic]:
    """The first pixels, of most files all; more than a lying header's share is a matter of the limits on requests."""
    level = first(path).levels[0]
    return level.read(whole(level.shape).clipped((1024,) * len(level.shape)))


def refused(path: Path, match: str) -> None:
    """Reading is an error with this text, which names the file, soon."""
    start = time.monotonic()
    with pytest.raises(Unreadable, match=match) as caught:
        read(path)
    assert path.name in str(caught.value)
    assert time.monotonic() - start < SECONDS


def refused_in_little_memory(path: Path, match: str) -> None:
    """The same, in less memory than the file asks for."""
    tracemalloc.start()
    try:
        refused(path, match)
        assert tracemalloc.get_traced_memory()[1] < MEMORY
    finally:
        tracemalloc.stop()


def test_malformed_files(shared_data: Path) -> None:
    """Whatever tifffile reads of them without complaint, we read the same or refuse."""
    with (shared_data / "manifest.tsv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file, delimiter="\t") if row["format"] == "malformed"]
    paths = [shared_data / row["path"] for row in rows if row["path"].lower().endswith(SUFFIXES)]
    assert len(paths) > 25
    right = [path.name for path in paths if is_right(path)]
    assert right == [
        "cmyk_u8_trunc_case.tif",
        "crash-0da013a13571cc8eb457a39fee8db18f8a3c7127.tif",
        "tiff_wrong_bits_per_sample.tiff",
        "tiff_wrong_bits_per_sample_3.tiff",
    ]


def is_right(path: Path) -> bool:
    start = time.monotonic()
    try:
        image = first(path)
        pixels = read(path)
    except DiascopeError as error:
        assert path.name in str(error)  # noqa: PT017
        return False
    finally:
        assert time.monotonic() - start < SECONDS
    expected = tifffile.imread(path)
    is_interleaved = "c" in image.axis_names and expected.shape[-1] == image.size("c")
    np.testing.assert_array_equal(
        np.moveaxis(pixels, image.axis_names.index("c"), -1) if is_interleaved else pixels, expected
    )
    return True


def directory(tags: list[tuple[int, int, int, int]], following: int = 0) -> bytes:
    """A classic little-endian directory of tags: code, type, count and value or offset."""
    return pack("<H", len(tags)) + b"".join(pack("<HHII", *tag) for tag in tags) + pack("<I", following)


def plain(width: int, height: int, **changes: int) -> list[tuple[int, int, int, int]]:
    """The tags of an 8-bit image in one strip."""
    values = {"bits": 8, "compression": 1, "offset": 8, "rows": height, "count": width * height, **changes}
    return [
        (256, 4, 1, width),
        (257, 4, 1, height),
        (258, 3, 1, values["bits"]),
        (259, 3, 1, values["compression"]),
        (262, 3, 1, 1),
        (273, 4, 1, values["offset"]),
        (277, 3, 1, 1),
        (278, 4, 1, values["rows"]),
        (279, 4, 1, values["count"]),
    ]


def written(path: Path, tags: list[tuple[int, int, int, int]], data: bytes = bytes(64)) -> Path:
    path.write_bytes(b"II*\0" + pack("<I", 8 + len(data)) + data + directory(tags))
    return path


LIES: dict[str, tuple[list[tuple[int, int, int, int]], str]] = {
    "pixels behind the end": (plain(8, 800), "behind the file's"),
    "an offset behind the end": (plain(8, 8, compression=8, offset=99_999), "do not lie in the file"),
    "a strip of no bytes": (plain(8, 8, compression=8, count=0), "do not lie in the file"),
    "enormous": (plain(2**31 - 1, 2**31 - 1, count=60), "."),
    "enormous and compressed": (plain(2**31 - 1, 2**20, compression=8, count=60), "."),
    "a strip of 2 GiB": (plain(2**16, 2**15, compression=8, count=60), "more than 1073741824 bytes"),
    "no width": (plain(0, 8), "."),
    "an unknown compression": (plain(8, 8, compression=52479), "cannot be decoded"),
    "bytes that are no deflate": (plain(8, 8, compression=8, count=60), "cannot be decoded"),
    "too few strips": (plain(8, 800, compression=8, rows=8, count=60), "."),
}


@pytest.mark.parametrize("lie", LIES)
def test_lies(tmp_path: Path, lie: str) -> None:
    tags, match = LIES[lie]
    refused_in_little_memory(written(tmp_path / "a.tif", tags), match)


def test_truth_is_read(tmp_path: Path) -> None:
    """The same file without a lie: what the others are refused for is the lie."""
    pixels = np.arange(64, dtype=np.uint8)
    np.testing.assert_array_equal(
        read(written(tmp_path / "a.tif", plain(8, 8), pixels.tobytes())), pixels.reshape(8, 8)
    )


@pytest.mark.parametrize("length", [1, 2, 99, 100, 101, 150, 3000])
def test_a_chain_that_leads_back_into_itself(tmp_path: Path, length: int) -> None:
    tags = plain(8, 8)
    size = len(directory(tags))
    starts = [72 + k * size for k in range(length)]
    chain = b"".join(directory(tags, starts[(k + 1) % length]) for k in range(length))
    (tmp_path / "a.tif").write_bytes(b"II*\0" + pack("<I", 72) + bytes(64) + chain)
    refused(tmp_path / "a.tif", "leads back into itself")


def test_more_pages_than_anyone_has(tmp_path: Path) -> None:
    empty = b"".join(pack("<HI", 0, 14 + 6 * k) for k in range(MAX_PAGES + 9))
    (tmp_path / "a.tif").write_bytes(b"II*\0" + pack("<I", 8) + empty)
    refused(tmp_path / "a.tif", f"more than {MAX_PAGES}")


def test_a_tag_of_four_thousand_million_values(tmp_path: Path) -> None:
    tags = [tag if tag[0] != 273 else (273, 4, 2**32 - 1, 8) for tag in plain(8, 8, compression=8)]
    refused_in_little_memory(written(tmp_path / "a.tif", tags), ".")


BOMB = '<?xml version="1.0"?><!DOCTYPE OME [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]><OME>&b;</OME>'


@pytest.mark.parametrize("text", [BOMB, BOMB.replace("!DOCTYPE OME", "!ENTITY OME")])
def test_entities_are_refused_before_parsing(tmp_path: Path, text: str) -> None:
    tifffile.imwrite(tmp_path / "a.ome.tif", np.zeros((8, 8), np.uint8), description=text, metadata=None, ome=False)
    refused(tmp_path / "a.ome.tif", "document type or entities")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_entities_of_a_companion_are_refused(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "a.companion.ome").write_bytes(BOMB.encode(encoding))
    refused(tmp_path / "a.companion.ome", "document type or entities")


def test_a_companion_of_a_thousand_million_planes(tmp_path: Path) -> None:
    (tmp_path / "a.companion.ome").write_text(
        '<OME><Image Name="x"><Pixels DimensionOrder="XYZCT" SizeX="8" SizeY="8" SizeZ="1000" SizeC="1000"'
        ' SizeT="1000"><TiffData PlaneCount="1000000000"><UUID FileName="b.tif">u</UUID></TiffData></Pixels>'
        "</Image></OME>"
    )
    refused(tmp_path / "a.companion.ome", "1000000000 planes")


ENCODERS: dict[str, Callable[..., Any]] = {
    "jpeg": imagecodecs.jpeg8_encode,
    "png": imagecodecs.png_encode,
    "jpeg2000": imagecodecs.jpeg2k_encode,
}
CODES = {"jpeg": 7, "png": 34933, "jpeg2000": 34712}


@pytest.mark.parametrize("codec", ENCODERS)
def test_a_small_tile_that_unfolds_to_a_large_picture(tmp_path: Path, codec: str) -> None:
    data = ENCODERS[codec](np.zeros((6000, 6000), np.uint8))
    tags = plain(8, 8, compression=CODES[codec], count=len(data))
    refused_in_little_memory(written(tmp_path / "a.tif", tags, data), "declares 36000000 pixels where 64 belong")


def test_truncated_files(tmp_path: Path) -> None:
    """Cut anywhere: the pixels that are left are right, all others are an error."""
    stored = np.random.default_rng(3).integers(0, 255, (64, 64), np.uint8)
    tifffile.imwrite(tmp_path / "whole.tif", stored, tile=(16, 16), compression="zlib", byteorder=">")
    data = (tmp_path / "whole.tif").read_bytes()
    for stop in range(0, len(data), 97):
        (tmp_path / "a.tif").write_bytes(data[:stop])
        with pytest.raises(DiascopeError, match=r"a\.tif"):
            read(tmp_path / "a.tif")


def test_bytes_changed_at_random(tmp_path: Path) -> None:
    """Nothing but our own errors comes out, soon."""
    random = np.random.default_rng(4)
    stored = random.integers(0, 255, (3, 40, 40), np.uint8)
    options = {"tile": (16, 16), "compression": "zlib", "metadata": {"axes": "CYX"}, "subifds": 1}
    with tifffile.TiffWriter(tmp_path / "whole.ome.tif") as writer:
        writer.write(stored, **options)
        writer.write(stored[:, ::2, ::2], tile=(16, 16), compression="zlib")
    data = np.frombuffer((tmp_path / "whole.ome.tif").read_bytes(), np.uint8)
    for _ in range(150):
        broken = data.copy()
        places = random.integers(0, len(data), 6)
        broken[places] = random.integers(0, 256, 6)
        (tmp_path / "a.ome.tif").write_bytes(broken.tobytes())
        start = time.monotonic()
        try:
            image = first(tmp_path / "a.ome.tif")
            image.levels[0].read(whole(tuple(min(n, 64) for n in image.shape)))
        except DiascopeError:
            pass
        assert time.monotonic() - start < SECONDS


@pytest.mark.parametrize("big", [False, True])
def test_thousands_of_directories_below_one_are_refused_before_they_are_followed(tmp_path: Path, big: bool) -> None:
    path = tmp_path / "subs.tif"
    with tifffile.TiffWriter(path, bigtiff=big) as tiff:
        tiff.write(np.zeros((16, 16), np.uint8), subifds=2, metadata=None)
        for _ in range(2):
            tiff.write(np.zeros((8, 8), np.uint8), subfiletype=1, metadata=None)
    assert first(path).shape == (16, 16)
    with tifffile.TiffFile(path) as tiff:
        at = tiff.pages.first.tags[330].offset + 4
    data = bytearray(path.read_bytes())
    count = 200_000
    data[at : at + (8 if big else 4)] = count.to_bytes(8 if big else 4, "little")
    path.write_bytes(bytes(data) + bytes(8 * count))
    refused(path, "image directories below one")

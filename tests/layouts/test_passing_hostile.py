"""Stored chunks that are cut off, lie, change or are missing: an error or the pixels, never those of something else."""

from __future__ import annotations

import io
import os
import random
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
import zarr
import zarr.codecs
from numcodecs import Blosc, GZip, Zlib, Zstd
from numpy.typing import NDArray

import diascope
from diascope import fleeting
from diascope.errors import Changed, Unreadable
from diascope.image.image import Image
from diascope.image.region import Region
from diascope.registry import registry
from diascope.tree.file import File
from tests.sources import n5_files, precomputed_files

SIDE, SHAPE = 32, (64, 64, 64)
VOLUME = (np.random.default_rng(3).integers(0, 50, SHAPE) + np.arange(64) * 300).astype(np.uint16)
BYTES, LABELS = (VOLUME % 251).astype(np.uint8), (VOLUME // 2000).astype(np.uint32)

CODECS: dict[str, Any] = {
    "raw": None,
    "blosc": Blosc(cname="lz4", clevel=5, shuffle=1),
    "gzip": GZip(1),
    "zstd": Zstd(1),
    "zlib": Zlib(1),
}


def zarr_2(path: Path, codec: str) -> tuple[Path, str, str]:
    array = zarr.create_array(
        path, shape=SHAPE, dtype="u2", chunks=(SIDE,) * 3, zarr_format=2, compressors=CODECS[codec], fill_value=0
    )
    array[...] = VOLUME
    return path / "1.1.0", "ome-zarr-0_4", "0/1/1/0"


def n5(path: Path, codec: str) -> tuple[Path, str, str]:
    told = {"cname": "lz4", "clevel": 5, "shuffle": 1} if codec == "blosc" else {}
    n5_files.dataset(path, VOLUME, {"type": codec, **told}, SIDE, axes=["x", "y", "z"])
    return path / "0/1/1", "n5", "s0/0/1/1"


def precomputed(path: Path, encoding: str) -> tuple[Path, str, str]:
    kinds: dict[str, NDArray[Any]] = {"raw": VOLUME, "compressed_segmentation": LABELS}
    pixels = kinds.get(encoding, BYTES)
    side = SIDE if pixels.itemsize > 1 else 2 * SIDE
    is_labels = encoding == "compressed_segmentation"
    sides: dict[str, Any] = {"compressed_segmentation_block_size": [8] * 3} if is_labels else {}
    scale: dict[str, Any] = {"chunk_size": [side] * 3, "voxel_offset": [0, 0, 0], "key": "own", **sides}
    precomputed_files.written(path, pixels[None], encoding, **scale)
    name = f"0-{side}_0-{side}_0-{side}"
    suffix = {"compressed_segmentation": "-cseg", "raw": ""}.get(encoding, f"-{encoding}")
    return path / "own" / name, f"precomputed{suffix}", f"0/{name}"


CASES: dict[str, tuple[Callable[[Path, str], tuple[Path, str, str]], str]] = {
    **{f"zarr {codec}": (zarr_2, codec) for codec in CODECS},
    **{f"n5 {codec}": (n5, codec) for codec in ("raw", "gzip", "blosc")},
    **{f"precomputed {e}": (precomputed, e) for e in ("raw", "jpeg", "png", "compressed_segmentation")},
}


class Served:
    """A chunk in a layout that passes it on, and the file that it is stored in."""

    def __init__(self, case: str, folder: Path) -> None:
        write, codec = CASES[case]
        path = folder / f"image.{case.partition(' ')[0]}"
        self.stored, self.layout, self.within = write(path, codec)
        self.path, self.intact = path, self.stored.read_bytes()
        self.image = diascope.open(path)

    def file(self) -> File:
        layout = registry("layouts")[self.layout]
        file = layout.tree(self.image).file(f"{self.image.name}{layout.suffix}/{self.within}")
        assert file is not None
        return file

    def read(self) -> bytes:
        return self.file().read(0, None)

    def replaced(self, data: bytes) -> None:
        """As a writer does it: whole files take the place of others."""
        part = self.stored.with_name("part")
        part.write_bytes(data)
        os.replace(part, self.stored)  # noqa: PTH105


@pytest.fixture
def served(tmp_path: Path, request: pytest.FixtureRequest) -> Served:
    return Served(request.param, tmp_path)


def every(*left_out: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("served", [case for case in CASES if case not in left_out], indirect=True, ids=str)


@every()
def test_an_intact_chunk_is_passed_on(served: Served) -> None:
    assert served.read() == served.intact or served.layout == "precomputed-jpeg"


@every("zarr zlib")
def test_a_chunk_that_is_cut_off_or_goes_on_is_an_error(served: Served) -> None:
    whole = len(served.intact)
    for length in sorted({0, 1, 5, 16, 20, whole // 2, whole - 9, whole - 1}):
        served.replaced(served.intact[:length])
        if served.layout == "precomputed-png" and length >= whole - 9:
            # All the pixels are there, and become a whole PNG.
            with PIL.Image.open(io.BytesIO(served.read())) as picture:
                np.testing.assert_array_equal(np.asarray(picture), BYTES.reshape(-1, 64))
            continue
        with pytest.raises(Unreadable):
            served.read()
    if served.layout not in {"precomputed-jpeg", "precomputed-cseg", "precomputed-png"}:
        served.replaced(served.intact + b"\0\0")
        data = outcome(served)
        assert data is None or data != served.stored.read_bytes()


@every()
def test_an_empty_chunk_is_an_error(served: Served) -> None:
    served.replaced(b"")
    with pytest.raises(Unreadable):
        served.read()


def test_a_stream_of_zlib_that_is_cut_off_is_an_error_to_whoever_unpacks_it(tmp_path: Path) -> None:
    """Nothing but unpacking tells it."""
    served = Served("zarr zlib", tmp_path)
    served.replaced(served.intact[:-20])
    with pytest.raises(zlib.error):
        zlib.decompress(served.read())


def outcome(served: Served) -> bytes | None:
    """The chunk, None where it is an error as it should be."""
    try:
        return served.read()
    except Unreadable:
        return None


@pytest.mark.parametrize("codec", ["blosc", "gzip", "zstd", "raw"])
def test_a_chunk_of_another_size_is_an_error(tmp_path: Path, codec: str) -> None:
    served = Served(f"zarr {codec}", tmp_path)
    encoded = CODECS[codec].encode if CODECS[codec] else (lambda pixels: pixels.tobytes())
    for other in (VOLUME[:SIDE, :SIDE, : SIDE // 2], VOLUME[:SIDE, :SIDE, : 2 * SIDE]):
        served.replaced(bytes(encoded(np.ascontiguousarray(other))))
        with pytest.raises(Unreadable):
            served.read()


def test_a_block_that_is_shorter_than_its_place_is_filled_up(tmp_path: Path) -> None:
    """N5 lets blocks end anywhere: what is passed on has the size of the grid."""
    served = Served("n5 gzip", tmp_path)
    n5_files.dataset(tmp_path / "other", VOLUME[:20, :SIDE, :SIDE], {"type": "gzip"}, 20)
    short = (tmp_path / "other/0/0/0").read_bytes()
    served.replaced(short)
    data = served.read()
    assert data != short
    assert np.frombuffer(data[4:16], ">u4").tolist() == [SIDE] * 3


@pytest.mark.parametrize("codec", ["blosc", "gzip", "zstd", "zlib", "raw"])
def test_flipped_bits_show_no_other_pixels_than_those_that_would_be_read(tmp_path: Path, codec: str) -> None:
    """What a client decodes out of a chunk that is passed on is an error, or what Diascope decodes itself."""
    served = Served(f"zarr {codec}", tmp_path)
    dice = random.Random(5)  # noqa: S311
    passed = 0
    for k in range(60):
        data = bytearray(served.intact)
        at = k if k < 20 else dice.randrange(len(data))
        data[at] ^= 1 << dice.randrange(8)
        served.replaced(bytes(data))
        found = outcome(served)
        if found is None:
            continue
        passed += 1
        array = zarr.open_array(served.path, mode="r")
        try:
            theirs = array[SIDE:, SIDE:, :SIDE]
        except Exception:  # noqa: BLE001, S112  # whatever the decoder of a client raises
            continue
        if not np.array_equal(theirs, VOLUME[SIDE:, SIDE:, :SIDE]):
            assert theirs.tobytes() == own_pixels(served.path)
    assert passed


def own_pixels(path: Path) -> bytes:
    """Of that chunk, by the source that opens it."""
    level = diascope.open(path).levels[0]
    return level.read(Region((SIDE, SIDE, 0), (2 * SIDE, 2 * SIDE, SIDE))).tobytes()


def sharded(path: Path) -> zarr.Array[Any]:
    codec = zarr.codecs.BloscCodec(cname="lz4", clevel=5, shuffle="shuffle")
    shape = (SIDE,) * 3
    array = zarr.create_array(path, shape=SHAPE, dtype="u2", chunks=shape, shards=SHAPE, compressors=codec)
    array[...] = VOLUME
    return array


def chunk_of(image: Image, place: str) -> bytes:
    file = registry("layouts")["ome-zarr"].tree(image).file(f"{image.name}.ome.zarr/0/c/{place}")
    assert file is not None
    return file.read(0, None)


@pytest.mark.parametrize("entry", [(2**63, 100), (10**7, 100), (0, 2**40), (0, 2**64 - 1)])
def test_an_index_that_points_beyond_its_shard_is_an_error(tmp_path: Path, entry: tuple[int, int]) -> None:
    import google_crc32c

    path = tmp_path / "image.zarr"
    sharded(path)
    shard = path / "c/0/0/0"
    data = shard.read_bytes()
    index = np.frombuffer(data[-132:-4], "<u8").reshape(8, 2).copy()
    index[0] = entry
    told = index.tobytes()
    shard.write_bytes(data[:-132] + told + google_crc32c.value(told).to_bytes(4, "little"))
    image = diascope.open(path)
    with pytest.raises(Unreadable):
        chunk_of(image, "0/0/0")
    assert Blosc().decode(chunk_of(image, "1/1/1")) == VOLUME[SIDE:, SIDE:, SIDE:].tobytes()


def test_a_shard_that_is_replaced_is_followed_and_never_mixed(tmp_path: Path) -> None:
    path = tmp_path / "image.zarr"
    array = sharded(path)
    image = diascope.open(path)
    assert Blosc().decode(chunk_of(image, "0/0/1")) == VOLUME[:SIDE, :SIDE, SIDE:].tobytes()
    array[...] = VOLUME[::-1]
    wanted = {VOLUME[:SIDE, :SIDE, SIDE:].tobytes(), VOLUME[::-1][:SIDE, :SIDE, SIDE:].tobytes()}
    with suppress(Changed):
        assert Blosc().decode(chunk_of(image, "0/0/1")) in wanted
    assert Blosc().decode(chunk_of(diascope.open(path), "0/0/1")) == VOLUME[::-1][:SIDE, :SIDE, SIDE:].tobytes()


@every("precomputed jpeg", "precomputed compressed_segmentation")
def test_what_is_missing_is_made_for_now_and_passed_on_once_it_is_there(served: Served) -> None:
    served.stored.unlink()
    before = fleeting.noted()
    zeros = served.read()
    assert fleeting.noted() > before, "zeros of a chunk that may come would be kept"
    assert zeros != served.intact
    served.replaced(served.intact)
    before = fleeting.noted()
    assert served.read() == served.intact
    assert fleeting.noted() == before


@every()
def test_a_chunk_that_is_replaced_is_seen_at_once(served: Served) -> None:
    """It is read, not remembered."""
    served.read()
    served.replaced(served.intact[:-1])
    if served.layout != "ome-zarr-0_4" or "zlib" not in str(served.path):
        assert outcome(served) != served.intact

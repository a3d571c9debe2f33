"""Chunks that are passed on unopened: which, and that outside programs see the same pixels on both paths."""

from __future__ import annotations

import gzip
import struct
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
import zarr
import zarr.codecs
import zarr.codecs.numcodecs
from numcodecs import LZ4, Blosc, Delta, GZip, Zlib, Zstd
from numpy.typing import NDArray

import diascope
from diascope.image.image import Image
from diascope.image.level import Level, Pixels
from diascope.image.order import moved
from diascope.image.region import Region
from diascope.image.stored import stored_as
from diascope.operations.view import view
from diascope.registry import registry
from diascope.testing.stored import check_stored
from diascope.testing.trees import files
from tests.judges import tensor_store
from tests.layouts.on_disk import written
from tests.sources import n5_files, precomputed_files

pytestmark = pytest.mark.filterwarnings("ignore:Numcodecs codecs:UserWarning", "ignore:.*:zarr.errors.ZarrUserWarning")

RANDOM = np.random.default_rng(11)
SHAPE, SIDE = (50, 82, 90), 41
"""Three chunks along x and two along each other axis, of which the last ones reach over the edges along z and x."""
VOLUME = (RANDOM.integers(0, 50, SHAPE) + np.arange(SHAPE[2]) * 300).astype(np.uint16)
BYTES, LABELS = (VOLUME % 251).astype(np.uint8), (VOLUME // 2000).astype(np.uint32)
FILM = np.stack([np.stack([VOLUME, VOLUME + 1]), np.stack([VOLUME + 2, VOLUME + 3])])
COLOURS = RANDOM.integers(0, 256, (3, *SHAPE), dtype=np.uint8)

INSIDE, ALL = 1 * 2 * 2, 2 * 2 * 3
Sample = Callable[[Path], None]


def v3(pixels: NDArray[Any] = VOLUME, shards: int | None = None, missing: int = 0, **options: Any) -> Sample:
    """Written by zarr-python, but for the first chunks."""
    lead = (1,) * (pixels.ndim - 3)

    def write(path: Path) -> None:
        array = zarr.create_array(
            path,
            shape=pixels.shape,
            dtype=pixels.dtype,
            chunks=(*lead, SIDE, SIDE, SIDE),
            shards=(*lead, shards, shards, shards) if shards else None,
            dimension_names=list("tczyx"[-pixels.ndim :]),
            **options,
        )
        array[..., missing:] = pixels[..., missing:]

    return write


def v3_of_zlib(path: Path) -> None:
    v3(compressors=zarr.codecs.numcodecs.Zlib(level=1))(path)


def v2(pixels: NDArray[Any] = VOLUME, **options: Any) -> Sample:
    def write(path: Path) -> None:
        chunks = (SIDE,) * pixels.ndim
        array = zarr.create_array(
            path,
            shape=pixels.shape,
            dtype=pixels.dtype,
            chunks=chunks,
            zarr_format=2,
            **{"compressors": None, **options},
        )
        array[...] = pixels

    return write


def n5(pixels: NDArray[Any] = VOLUME, **compression: Any) -> Sample:
    return partial(n5_files.dataset, pixels=pixels, compression=compression, block=SIDE, axes=["x", "y", "z"])


def n5_of_java(path: Path) -> None:
    """As N5's own writer has it: blocks end with the dataset, where TensorStore fills them up."""
    n5(type="gzip")(path)
    for place in np.ndindex(2, 2, 3):
        ends = zip(place, SHAPE, strict=True)
        block = VOLUME[tuple(slice(k * SIDE, min(k * SIDE + SIDE, size)) for k, size in ends)]
        head = struct.pack(">HH3I", 0, 3, *block.shape[::-1])
        (path / "/".join(map(str, place[::-1]))).write_bytes(head + gzip.compress(block.astype(">u2").tobytes()))


def precomputed(encoding: str, pixels: NDArray[Any] = VOLUME, **scale: Any) -> Sample:
    whole = pixels if pixels.ndim == 4 else pixels[None]
    sides = {"compressed_segmentation_block_size": [8, 8, 8]} if encoding == "compressed_segmentation" else {}
    return partial(
        precomputed_files.written, pixels=whole, encoding=encoding, **{"chunk_size": [SIDE] * 3, **sides, **scale}
    )


def tiff(**options: Any) -> Sample:
    def write(path: Path) -> None:
        tifffile.imwrite(path, np.tile(VOLUME[0], (6, 5)), tile=(192, 192), **options)

    return write


BLOSC = zarr.codecs.BloscCodec(cname="zstd", clevel=3, shuffle="bitshuffle")
ZSTD, GZIP = zarr.codecs.ZstdCodec(level=3), zarr.codecs.GzipCodec(level=6)
BIG = zarr.codecs.BytesCodec(endian="big")

SAMPLES: dict[str, tuple[str, Sample]] = {
    "zarr 3 blosc": ("zarr", v3(compressors=BLOSC)),
    "zarr 3 zstd": ("zarr", v3(compressors=ZSTD)),
    "zarr 3 gzip": ("zarr", v3(compressors=GZIP)),
    "zarr 3 raw": ("zarr", v3(compressors=None)),
    "zarr 3 raw labels": ("zarr", v3(LABELS, compressors=None)),
    "zarr 3 big-endian": ("zarr", v3(compressors=GZIP, serializer=BIG)),
    "zarr 3 bytes": ("zarr", v3(BYTES, compressors=BLOSC)),
    "zarr 3 film": ("zarr", v3(FILM, compressors=ZSTD)),
    "zarr 3 shards": ("zarr", v3(shards=2 * SIDE, compressors=ZSTD)),
    "zarr 3 shards of blosc": ("zarr", v3(shards=2 * SIDE, compressors=BLOSC)),
    "zarr 3 holes": ("zarr", v3(compressors=ZSTD, fill_value=7, missing=SIDE)),
    "zarr 3 zlib": ("zarr", v3_of_zlib),
    "zarr 3 checked": ("zarr", v3(compressors=[ZSTD, zarr.codecs.Crc32cCodec()])),
    "zarr 3 transposed": ("zarr", v3(compressors=ZSTD, filters=[zarr.codecs.TransposeCodec(order=(2, 1, 0))])),
    "zarr 2 blosc": ("zarr", v2(compressors=Blosc(cname="lz4", clevel=5, shuffle=-1))),
    "zarr 2 zlib": ("zarr", v2(compressors=Zlib(1))),
    "zarr 2 gzip big-endian": ("zarr", v2(VOLUME.astype(">u2"), compressors=GZip(1))),
    "zarr 2 zstd": ("zarr", v2(compressors=Zstd(1))),
    "zarr 2 lz4": ("zarr", v2(compressors=LZ4())),
    "zarr 2 delta": ("zarr", v2(compressors=Zstd(1), filters=[Delta(dtype="<u2")])),
    "zarr 2 fortran": ("zarr", v2(compressors=Zstd(1), order="F")),
    "n5 gzip": ("n5", n5(type="gzip")),
    "n5 of java": ("n5", n5_of_java),
    "n5 zlib": ("n5", n5(type="gzip", useZlib=True)),
    "n5 raw": ("n5", n5(type="raw")),
    "n5 blosc": ("n5", n5(type="blosc", cname="lz4", clevel=5, shuffle=1)),
    "n5 zstd": ("n5", n5(type="zstd")),
    "n5 bzip2": ("n5", n5(type="bzip2")),
    "n5 raw bytes": ("n5", n5(BYTES, type="raw")),
    "precomputed raw": ("precomputed", precomputed("raw")),
    "precomputed raw bytes": ("precomputed", precomputed("raw", BYTES)),
    "precomputed shards": ("precomputed", precomputed("raw", sharding=precomputed_files.SHARDING)),
    "precomputed png": ("precomputed", precomputed("png", BYTES)),
    "precomputed colours": ("precomputed", precomputed("png", COLOURS)),
    "precomputed jpeg": ("precomputed", precomputed("jpeg", BYTES)),
    "precomputed labels": ("precomputed", precomputed("compressed_segmentation", LABELS)),
    "precomputed flat labels": (
        "precomputed",
        precomputed("compressed_segmentation", LABELS, compressed_segmentation_block_size=[8, 4, 8]),
    ),
    "tiff deflate": ("tif", tiff(compression="zlib")),
    "tiff raw": ("tif", tiff()),
}

ZARR_3 = ("ome-zarr", "ome-zarr-0_6")
ZARR = ("ome-zarr-0_4", *ZARR_3)
N5 = ("n5", "bdv-n5")
RAW = ("precomputed",)


def told(number: int, *layouts: str) -> dict[str, int]:
    return dict.fromkeys(layouts, number)


PASSED: dict[str, dict[str, int]] = {
    # of the level of so many chunks, how many are passed on in which layouts
    "zarr 3 blosc": told(ALL, *ZARR),
    "zarr 3 zstd": told(ALL, *ZARR),
    "zarr 3 gzip": told(ALL, *ZARR),
    "zarr 3 raw": told(ALL, *ZARR) | told(INSIDE, *RAW),
    "zarr 3 raw labels": told(ALL, *ZARR) | told(INSIDE, *RAW),
    "zarr 3 big-endian": told(ALL, *ZARR) | told(INSIDE, *N5),
    "zarr 3 bytes": told(ALL, *ZARR) | told(INSIDE, *N5),
    "zarr 3 film": told(4 * ALL, *ZARR),
    "zarr 3 shards": told(ALL, *ZARR),
    "zarr 3 shards of blosc": told(ALL, *ZARR),
    "zarr 3 holes": told(ALL - 4, *ZARR),
    "zarr 3 zlib": told(ALL, "ome-zarr-0_4"),
    "zarr 2 blosc": told(ALL, *ZARR),
    "zarr 2 zlib": told(ALL, "ome-zarr-0_4"),
    "zarr 2 gzip big-endian": told(ALL, *ZARR) | told(INSIDE, *N5),
    "zarr 2 zstd": told(ALL, *ZARR),
    "n5 gzip": told(INSIDE, *N5, *ZARR),
    "n5 of java": told(ALL, *N5) | told(INSIDE, *ZARR),
    "n5 zlib": told(INSIDE, "ome-zarr-0_4"),
    "n5 raw": told(INSIDE, *N5, *ZARR),
    "n5 blosc": told(INSIDE, *N5, *ZARR),
    "n5 zstd": told(INSIDE, *ZARR),
    "n5 raw bytes": told(INSIDE, *N5, *RAW, *ZARR),
    "precomputed raw": told(ALL, *RAW) | told(INSIDE, *ZARR),
    "precomputed raw bytes": told(ALL, *RAW, *N5) | told(INSIDE, *ZARR),
    "precomputed shards": told(ALL, *RAW) | told(INSIDE, *ZARR),
    "precomputed png": told(ALL, "precomputed-png"),
    "precomputed colours": told(ALL, "precomputed-png"),
    "precomputed jpeg": told(ALL, "precomputed-jpeg"),
    "precomputed labels": told(ALL, "precomputed-cseg") | told(1, "precomputed-sharded-cseg"),
    "tiff deflate": told(9, "ome-zarr-0_4"),
    "tiff raw": told(9, *ZARR) | told(4, *RAW),
}
"""Whatever is not here is made, so that neither a gain nor a loss goes unseen."""

LAYOUTS = (*ZARR, *N5, *(name for name in registry("layouts") if name.startswith("precomputed")))


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Image]:
    folder = tmp_path_factory.mktemp("chunks")

    @cache
    def image(name: str) -> Image:
        suffix, write = SAMPLES[name]
        path = folder / f"{name}.{suffix}"
        write(path)
        return diascope.open(path)

    return image


def each_level(image: Image, change: Callable[[Level], Level]) -> Image:
    return replace(image, levels=tuple(map(change, image.levels)))


def unopened(image: Image) -> Image:
    """The image of which no pixel can be read, and only the finest level is stored."""

    def read_pixels(_: Region) -> Pixels:
        raise LookupError

    def closed(level: Level) -> Level:
        stored = level.stored if level is image.levels[0] else None
        return stored_as(replace(level, read_pixels=read_pixels), stored)

    return each_level(image, closed)


def count_passed(image: Image, layout: str) -> int:
    """How many files are there though no pixel is."""
    count, tree = 0, registry("layouts")[layout].tree(unopened(image))
    for path in files(tree):
        if path.rpartition("/")[2] in {"info", "transform.json", "attributes.json", "zarr.json", ".zarray"}:
            continue
        if path.endswith((".zattrs", ".zgroup", ".xml")):
            continue
        file = tree.file(path)
        assert file is not None
        with suppress(LookupError):
            count += bool(file.read(0, None))
    return count


@pytest.mark.parametrize("name", SAMPLES)
def test_what_is_passed_on(opened: Callable[[str], Image], name: str) -> None:
    image = opened(name)
    takes = [layout for layout in LAYOUTS if registry("layouts")[layout].refuses(image) is None]
    found = {layout: count for layout in takes if (count := count_passed(image, layout))}
    assert found == PASSED.get(name, {})


def judged(layout: str, top: Path, image: Image) -> NDArray[Any]:
    """The finest level as TensorStore sees it in a layout on disk, in the image's own axes."""
    if layout in ZARR:
        return tensor_store.array("zarr" if layout == "ome-zarr-0_4" else "zarr3", f"{top}/0")
    if layout == "n5":
        return tensor_store.array("n5", f"{top}/s0").T
    if layout == "bdv-n5":
        return tensor_store.array("n5", f"{top}/setup0/timepoint0/s0").T.reshape(image.shape)
    return moved(tensor_store.volume(str(top)).T, "czyx", image.axis_names)


@pytest.mark.judge
@pytest.mark.parametrize(("name", "layout"), [(name, layout) for name in PASSED for layout in PASSED[name]])
def test_tensorstore_and_zarr_see_the_same_pixels_on_both_paths(
    opened: Callable[[str], Image], name: str, layout: str, tmp_path: Path
) -> None:
    image = opened(name)
    pixels = image.levels[0].read(Region((0,) * len(image.shape), image.shape))
    for way, each in {"passed": image, "made": each_level(image, replace)}.items():
        (tmp_path / way).mkdir()
        tree = registry("layouts")[layout].tree(each)
        top = written_folder(tree, tmp_path / way, layout)
        seen = judged(layout, top, image)
        if layout == "precomputed-jpeg":
            # Made of pixels that have gone through JPEG already, it loses a little once more.
            assert np.abs(seen.astype(int) - pixels).max() <= (0 if way == "passed" else 60)
        else:
            np.testing.assert_array_equal(seen, pixels)
        if layout in ZARR:
            np.testing.assert_array_equal(zarr.open_array(top / "0", mode="r")[...], pixels)


def written_folder(tree: Any, folder: Path, layout: str) -> Path:
    if layout != "bdv-n5":
        return written(tree, folder)
    for path in files(tree):
        file = tree.file(path)
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(file.read(0, None))
    return next(path for path in folder.iterdir() if path.is_dir())


@pytest.mark.parametrize("name", SAMPLES)
def test_what_is_stored_are_the_pixels_of_the_level(opened: Callable[[str], Image], name: str) -> None:
    assert (check_stored(opened(name)) > 0) == (
        name not in {"zarr 3 checked", "zarr 2 lz4", "zarr 2 delta", "n5 bzip2"}
    )


def test_a_view_has_nothing_stored(opened: Callable[[str], Image]) -> None:
    assert not any(level.stored for level in view("window,low=0,high=100").applied(opened("zarr 3 blosc")).levels)

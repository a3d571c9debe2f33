"""Pixels of TIFF files that tifffile writes: of every level, region and thread they are those that were written."""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from struct import pack
from threading import Event
from typing import Any, cast

import imagecodecs
import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image as Picture

import diascope
from diascope.image.image import Image
from diascope.image.level import Level
from diascope.image.order import moved
from diascope.image.region import Region, whole
from diascope.sources import distrust
from diascope.sources.dataset import Dataset
from diascope.sources.tiff import source
from diascope.stores.local import LocalStore
from diascope.stores.store import Blob, Stat, Store

RANDOM = np.random.default_rng(5)


@pytest.fixture(autouse=True)
def _confined(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a worker, where all compressions are decoded."""
    monkeypatch.setattr(distrust, "_is_confined", Event())
    distrust.confined()


def opened(path: Path) -> Dataset:
    """Without cache and made levels: what the source itself gives."""
    return source.open(LocalStore(path.parent), path.name)


def first(path: Path) -> Image:
    return next(iter(opened(path).images.values()))


def pixels(shape: tuple[int, ...], dtype: Any = np.uint16) -> NDArray[Any]:
    """Smooth enough that predictors and codecs meet something like an image, with every axis unlike the others."""
    kind = np.dtype(dtype).kind
    steps = np.array([7, 31, 3, 5, 2, 1][-len(shape) :], np.int64)
    total = sum(
        np.arange(n).reshape([-1 if d == k else 1 for d in range(len(shape))]) * steps[k] for k, n in enumerate(shape)
    )
    noisy = np.asarray(total) + RANDOM.integers(0, 9, shape)
    if kind == "b":
        return np.asarray(noisy % 2 == 0)
    if kind in "fc":
        return (noisy / 3 - 20).astype(dtype)
    return (noisy % (np.iinfo(dtype).max + 1 if np.iinfo(dtype).bits < 32 else 2**30)).astype(dtype)


@dataclass
class Counted:
    """A store of one open file that counts what is read of it."""

    blob: Blob
    count: int = 0

    @property
    def stat(self) -> Stat:
        return self.blob.stat

    def open(self, _: str) -> Counted:
        return self

    def read(self, start: int, stop: int) -> bytes:
        data = self.blob.read(start, stop)
        self.count += len(data)
        return data


def counted(path: Path) -> tuple[Counted, Level]:
    """The finest level of a file, and the count of the bytes that are read for its pixels."""
    store = Counted(LocalStore(path.parent).open(path.name))
    level = next(iter(source.open(cast("Store", store), path.name).images.values())).levels[0]
    store.count = 0
    return store, level


def regions(shape: tuple[int, ...], count: int = 12) -> list[Region]:
    """Boxes of all sizes, one of them the whole."""
    boxes = [whole(shape)]
    for _ in range(count):
        pairs = [sorted(RANDOM.choice(n + 1, 2, replace=False)) for n in shape]
        boxes.append(Region(tuple(int(a) for a, _ in pairs), tuple(int(b) for _, b in pairs)))
    return boxes


def check(level: Level, expected: NDArray[Any]) -> None:
    """The level is this array, whatever region is read."""
    assert level.shape == expected.shape
    assert level.dtype == expected.dtype.newbyteorder("=")
    for region in regions(level.shape):
        read = level.read(region)
        assert read.shape == region.shape
        np.testing.assert_array_equal(read, expected[region.slices], str(region))


CODECS = ["zlib", "lzw", "packbits", "lzma", "zstd", "lerc", "png", "adobe_deflate"]


@pytest.mark.parametrize("compression", [None, *CODECS])
@pytest.mark.parametrize("layout", [{"tile": (32, 48)}, {"rowsperstrip": 7}, {}], ids=["tiles", "strips", "one strip"])
def test_compressions_and_layouts(tmp_path: Path, compression: str | None, layout: dict[str, Any]) -> None:
    expected = pixels((83, 111), np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", expected, compression=compression, **layout)
    check(first(tmp_path / "a.tif").levels[0], expected)


@pytest.mark.parametrize("dtype", ["?", "u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f2", "f4", "f8", "c8", "c16"])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("compression", [None, "zlib"])
def test_types_and_byte_orders(tmp_path: Path, dtype: str, order: str, compression: str | None) -> None:
    expected = pixels((3, 21, 34), dtype)
    tifffile.imwrite(tmp_path / "a.tif", expected, byteorder=order, compression=compression, photometric="minisblack")
    check(first(tmp_path / "a.tif").levels[0], expected)


@pytest.mark.parametrize(("dtype", "predictor"), [("u1", 2), ("u2", 2), ("u4", 2), ("f4", 3), ("f8", 3)])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("compression", ["zlib", "lzw", "zstd"])
def test_predictors(tmp_path: Path, dtype: str, predictor: int, order: str, compression: str) -> None:
    expected = pixels((50, 64), dtype)
    written = {"predictor": predictor, "byteorder": order, "compression": compression, "tile": (32, 32)}
    tifffile.imwrite(tmp_path / "a.tif", expected, **written)
    check(first(tmp_path / "a.tif").levels[0], expected)


@pytest.mark.parametrize("bits", [1, 2, 4, 5, 12, 14, 24])
def test_packed_bits(tmp_path: Path, bits: int) -> None:
    limit = 2**bits
    expected = (pixels((37, 45), np.uint32) % limit).astype("u1" if bits <= 8 else "u2" if bits <= 16 else "u4")
    shifts = np.arange(bits - 1, -1, -1)
    packed = np.packbits((expected[..., None] >> shifts & 1).reshape(37, -1).astype(np.uint8), axis=1).tobytes()
    write_strip(tmp_path / "a.tif", packed, expected.shape, bits=bits)
    with tifffile.TiffFile(tmp_path / "a.tif") as judge:
        np.testing.assert_array_equal(judge.asarray(), expected)
    check(first(tmp_path / "a.tif").levels[0], expected.astype(bool) if bits == 1 else expected)


def write_strip(path: Path, data: bytes, shape: tuple[int, ...], **values: int) -> None:
    """A classic little-endian TIFF of one strip as it is, which tifffile itself does not write of such types."""
    tags = {256: shape[1], 257: shape[0], 258: values["bits"], 259: values.get("compression", 1)}
    tags |= {262: values.get("photometric", 1), 273: 8, 277: values.get("samples", 1), 278: shape[0], 279: len(data)}
    directory = b"".join(pack("<HHII", code, 4, 1, value) for code, value in tags.items())
    head = b"II*\0" + pack("<I", 8 + len(data))
    path.write_bytes(head + data + pack("<H", len(tags)) + directory + bytes(4))


@pytest.mark.parametrize("samples", [3, 4])
@pytest.mark.parametrize("planar", ["contig", "separate"])
@pytest.mark.parametrize("layout", [{"tile": (32, 32)}, {"rowsperstrip": 16}])
@pytest.mark.parametrize("compression", [None, "zlib"])
def test_rgb(tmp_path: Path, samples: int, planar: str, layout: dict[str, Any], compression: str | None) -> None:
    expected = pixels((samples, 70, 90), np.uint8)
    stored = expected if planar == "separate" else np.moveaxis(expected, 0, -1)
    written = {"photometric": "rgb", "planarconfig": planar, "compression": compression, **layout}
    tifffile.imwrite(tmp_path / "a.tif", np.ascontiguousarray(stored), **written)
    image = first(tmp_path / "a.tif")
    assert (image.kind, image.axis_names) == ("rgb", "cyx")
    assert image.levels[0].chunk_shape[0] == samples
    check(image.levels[0], expected)


@pytest.mark.parametrize("compression", ["jpeg", "webp", "jpeg2000", "jpegxl"])
def test_pictures_as_tiles_are_decoded_as_tifffile_decodes_them(tmp_path: Path, compression: str) -> None:
    stored = np.ascontiguousarray(np.moveaxis(pixels((3, 100, 130), np.uint8), 0, -1))
    tifffile.imwrite(tmp_path / "a.tif", stored, photometric="rgb", compression=compression, tile=(64, 64))
    image = first(tmp_path / "a.tif")
    assert image.kind == "rgb"
    check(image.levels[0], np.moveaxis(tifffile.imread(tmp_path / "a.tif"), -1, 0))


def test_samples_that_are_no_colours_are_channels(tmp_path: Path) -> None:
    expected = pixels((5, 40, 50))
    tifffile.imwrite(tmp_path / "a.tif", expected, photometric="minisblack", planarconfig="separate")
    image = first(tmp_path / "a.tif")
    assert (image.kind, image.axis_names) == ("intensity", "cyx")
    check(image.levels[0], expected)


@pytest.mark.parametrize("axes", ["TZCYX", "TCZYX", "CZYX", "ZYX", "TYX", "CYX", "YX"])
@pytest.mark.parametrize("compression", [None, "zlib"])
def test_ome(tmp_path: Path, axes: str, compression: str | None) -> None:
    stored = pixels(tuple({"T": 2, "Z": 3, "C": 4, "Y": 33, "X": 45}[letter] for letter in axes))
    tifffile.imwrite(tmp_path / "a.ome.tif", stored, metadata={"axes": axes}, compression=compression)
    image = first(tmp_path / "a.ome.tif")
    assert image.name == "a"
    assert image.axis_names == "".join(name for name in "tczyx" if name.upper() in axes)
    check(image.levels[0], stored.transpose([axes.index(name.upper()) for name in image.axis_names]))


def test_channels_of_colours_are_folded(tmp_path: Path) -> None:
    stored = pixels((2, 40, 50, 3), np.uint8)
    tifffile.imwrite(tmp_path / "a.ome.tif", stored, photometric="rgb", metadata={"axes": "CYXS"})
    image = first(tmp_path / "a.ome.tif")
    assert (image.kind, image.axis_names) == ("intensity", "cyx")
    check(image.levels[0], stored.transpose(0, 3, 1, 2).reshape(6, 40, 50))


@pytest.mark.parametrize("samples", [1, 3])
def test_pyramids_in_directories_below(tmp_path: Path, samples: int) -> None:
    stored = pixels((3, 200, 300) if samples == 1 else (200, 300, 3), np.uint8)
    half = stored[:, ::2, ::2] if samples == 1 else stored[::2, ::2]
    options = {"photometric": "rgb" if samples == 3 else "minisblack", "tile": (64, 64), "compression": "zlib"}
    with tifffile.TiffWriter(tmp_path / "a.ome.tif", bigtiff=True) as writer:
        axes = {"axes": "YXS" if samples == 3 else "CYX", "PhysicalSizeX": 0.5, "PhysicalSizeY": 0.25}
        writer.write(stored, subifds=1, metadata=axes, **options)
        writer.write(half, subfiletype=1, **options)
    fine, coarse = first(tmp_path / "a.ome.tif").levels
    check(fine, stored if samples == 1 else np.moveaxis(stored, -1, 0))
    check(coarse, half if samples == 1 else np.moveaxis(half, -1, 0))
    assert fine.scale[-2:] == (0.25, 0.5)
    assert coarse.scale[-2:] == (0.5, 1.0)
    # The centre of a bin of two lies half a fine pixel behind the centre of its first.
    assert coarse.translation[-2:] == (0.125, 0.25)


def test_pages_of_decreasing_size_are_a_pyramid(tmp_path: Path) -> None:
    levels = [pixels((257 >> k, 391 >> k), np.uint8) for k in range(3)]
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        for k, level in enumerate(levels):
            writer.write(level, tile=(64, 64), compression="zlib", metadata=None, subfiletype=1 if k else 0)
    image = first(tmp_path / "a.tif")
    assert [level.scale for level in image.levels] == [(1.0, 1.0), (2.0, 2.0), (4.0, 4.0)]
    for read, expected in zip(image.levels, levels, strict=True):
        check(read, expected)


@pytest.mark.parametrize("shape", [(2, 3, 4, 33, 45), (1, 5, 1, 33, 45), (3, 1, 1, 33, 45)])
@pytest.mark.parametrize("compression", [None, "zlib"])
def test_imagej_hyperstacks(tmp_path: Path, shape: tuple[int, ...], compression: str | None) -> None:
    """Uncompressed they are one directory with all planes behind it, compressed a directory for each."""
    stored = pixels(shape)
    tifffile.imwrite(tmp_path / "a.tif", stored, imagej=True, metadata={"axes": "TZCYX"}, compression=compression)
    image = first(tmp_path / "a.tif")
    wanted = "".join(name for name in "tczyx" if shape["tzcyx".index(name)] > 1)
    assert image.axis_names == wanted
    check(image.levels[0], moved(stored, "tzcyx", wanted))


def test_one_directory_of_many_planes_is_read_at_its_place(tmp_path: Path) -> None:
    stored = pixels((40, 30, 20))
    tifffile.imwrite(tmp_path / "a.tif", stored, imagej=True, metadata={"axes": "ZYX"})
    with tifffile.TiffFile(tmp_path / "a.tif") as judge:
        offset = judge.pages.first.dataoffsets[0]
    data = bytearray((tmp_path / "a.tif").read_bytes())
    data[offset + 17 * 1200 : offset + 18 * 1200] = bytes(1200)
    (tmp_path / "a.tif").write_bytes(data)
    image = first(tmp_path / "a.tif")
    assert not image[17].any()
    np.testing.assert_array_equal(image[18], stored[18])


@pytest.mark.parametrize(
    ("shape", "axes", "names", "order"),
    [((3, 5, 20, 30), "RQYX", "tzyx", (1, 0, 2, 3)), ((2, 3, 4, 20, 30), "RQIYX", "tczyx", (1, 2, 0, 3, 4))],
)
def test_axes_without_a_meaning_are_z_then_t_then_channels(
    tmp_path: Path, shape: tuple[int, ...], axes: str, names: str, order: tuple[int, ...]
) -> None:
    stored = pixels(shape, np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", stored, metadata={"axes": axes}, photometric="minisblack")
    image = first(tmp_path / "a.tif")
    assert image.axis_names == names
    assert all(axis.unit is None for axis in image.axes)
    check(image.levels[0], stored.transpose(order))


def test_axes_that_do_not_end_with_rows_and_columns(tmp_path: Path) -> None:
    stored = pixels((20, 30, 7), np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", stored, metadata={"axes": "YXZ"}, photometric="minisblack")
    image = first(tmp_path / "a.tif")
    assert image.axis_names == "zyx"
    check(image.levels[0], stored.transpose(2, 0, 1))


def test_tiles_with_a_depth(tmp_path: Path) -> None:
    stored = pixels((10, 50, 60))
    tifffile.imwrite(tmp_path / "a.tif", stored, tile=(4, 32, 32), compression="zlib", volumetric=True)
    image = first(tmp_path / "a.tif")
    assert image.levels[0].chunk_shape[0] == 4
    check(image.levels[0], stored)


def test_several_images_have_names_of_their_own(tmp_path: Path) -> None:
    stored = [pixels((20 + k, 30), np.uint8) for k in range(3)]
    with tifffile.TiffWriter(tmp_path / "a.ome.tif") as writer:
        for name, array in zip(["A/../1", "b", "b"], stored, strict=True):
            writer.write(array, metadata={"axes": "YX", "Name": name})
    images = opened(tmp_path / "a.ome.tif").images
    assert list(images) == ["A-..-1", "b", "b-2"]
    for image, array in zip(images.values(), stored, strict=True):
        check(image.levels[0], array)


def test_a_wide_row_is_read_by_its_columns(tmp_path: Path) -> None:
    stored = pixels((20, 40_000))
    tifffile.imwrite(tmp_path / "a.tif", stored, rowsperstrip=20)
    level = first(tmp_path / "a.tif").levels[0]
    assert level.chunk_shape[1] * 2 <= 1 << 14
    check(level, stored)


def test_a_region_of_a_single_strip_reads_its_rows_only(tmp_path: Path) -> None:
    stored = pixels((2000, 500))
    tifffile.imwrite(tmp_path / "a.tif", stored, rowsperstrip=2000)
    store, level = counted(tmp_path / "a.tif")
    np.testing.assert_array_equal(level.read(Region((900, 10), (910, 20))), stored[900:910, 10:20])
    assert store.count == 10 * 500 * 2


def test_a_region_of_tiles_reads_those_tiles_only(tmp_path: Path) -> None:
    stored = pixels((512, 512))
    tifffile.imwrite(tmp_path / "a.tif", stored, tile=(64, 64))
    store, level = counted(tmp_path / "a.tif")
    np.testing.assert_array_equal(level.read(Region((60, 130), (70, 140))), stored[60:70, 130:140])
    assert store.count == 2 * 64 * 64 * 2


@pytest.mark.parametrize("compression", [None, "zlib", "jpeg"])
def test_many_threads_read_one_file(tmp_path: Path, compression: str | None) -> None:
    stored = np.ascontiguousarray(np.moveaxis(pixels((3, 256, 256), np.uint8), 0, -1))
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        for _ in range(4):
            writer.write(stored, tile=(32, 32), compression=compression, photometric="rgb", metadata=None)
    expected = tifffile.imread(tmp_path / "a.tif").transpose(3, 0, 1, 2)
    level = first(tmp_path / "a.tif").levels[0]
    boxes = list(itertools.islice(itertools.cycle(regions(level.shape, 40)), 200))
    with ThreadPoolExecutor(16) as pool:
        for box, read in zip(boxes, pool.map(level.read, boxes), strict=True):
            np.testing.assert_array_equal(read, expected[box.slices])


def test_sparse_tiles_are_zeros(tmp_path: Path) -> None:
    stored = pixels((128, 128)) + 1

    def tiles() -> Any:
        for y, x in itertools.product(range(0, 128, 64), repeat=2):
            yield None if (y, x) == (64, 0) else stored[y : y + 64, x : x + 64]

    options = {"shape": (128, 128), "dtype": "u2", "tile": (64, 64), "compression": "zlib"}
    tifffile.imwrite(tmp_path / "a.tif", tiles(), **options)
    stored[64:, :64] = 0
    check(first(tmp_path / "a.tif").levels[0], stored)


def test_levels_are_completed_by_the_house(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", pixels((600, 800)), tile=(64, 64))
    image = diascope.open(tmp_path / "a.tif")
    assert [level.shape for level in image.levels] == [(600, 800), (300, 400), (150, 200)]


def test_the_version_is_told_without_opening(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", pixels((6, 8)))
    assert opened(tmp_path / "a.tif").version == source.version(LocalStore(tmp_path), "a.tif") != ""


def test_aperio_keeps_luma_and_chroma_as_jpeg_2000(tmp_path: Path) -> None:
    """The same colours as Pillow makes of luma and chroma, to the rounding."""
    luma = np.ascontiguousarray(np.moveaxis(pixels((3, 64, 64), np.uint8), 0, -1))
    stream = bytes(imagecodecs.jpeg2k_encode(luma, codecformat="j2k", level=0, reversible=True, mct=False))
    write_strip(tmp_path / "a.svs", stream, (64, 64), bits=8, compression=33003, photometric=2, samples=3)
    image = first(tmp_path / "a.svs")
    assert image.kind == "rgb"
    expected = np.asarray(Picture.merge("YCbCr", [Picture.fromarray(luma[..., k]) for k in range(3)]).convert("RGB"))
    read = np.moveaxis(image[...], 0, -1).astype(int)
    assert np.abs(read - expected).max() <= 1

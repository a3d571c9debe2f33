"""Tiles are passed on unopened just where they are what would be made, and show the same pixels either way."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
import tifffile
from numpy.typing import NDArray

from diascope.catalogue.opening import opened_file
from diascope.image.image import Image
from diascope.image.level import Level
from diascope.image.order import moved
from diascope.image.region import Ints, chunk_region, grid_shape, touched, whole
from diascope.image.stored import stored_as
from diascope.operations.view import view
from diascope.registry import registry
from diascope.tree.file import Tree
from diascope.tree.walk import listed_files
from tests.layouts.on_disk import written
from tests.tiff_tiles import DECODERS, RGB, decoded, halves, jpeg_tiff, smooth, unnamed, with_photometric

Make = Callable[[Path], object]


def _colours(side: int = 256, **options: object) -> Make:
    return lambda path: jpeg_tiff(path, halves(smooth(600, 700), side), "ycbcr", side, **options)


def _plain(dtype: str, shape: Ints = (600, 700), tile: tuple[int, int] | None = (256, 256), **options: object) -> Make:
    def make(path: Path) -> None:
        pixels = np.random.default_rng(7).integers(0, 200, shape).astype(dtype)
        kind = "rgb" if shape[-1] == 3 else "minisblack"
        tifffile.imwrite(path, pixels, tile=tile, photometric=kind, metadata=None, **options)  # type: ignore[arg-type]

    return make


def _progressive(stream: bytes) -> bytes:
    out = io.BytesIO()
    PIL.Image.fromarray(decoded(stream)).save(out, "JPEG", progressive=True)
    return out.getvalue()


def _said_rgb(path: Path) -> Path:
    """As Aperio writes: red, green and blue that only the tag tells of."""
    made = jpeg_tiff(path, halves(smooth(600, 700)), "ycbcr", shared=False, change=unnamed, **RGB)
    return with_photometric(made, 2)


def _rounded_down(path: Path) -> Path:
    """A second level that lacks the last row of its tiles, which a size rounded up has."""
    planes = [smooth(1023, 1200), smooth(511, 600)]
    return jpeg_tiff(path, planes, "ycbcr")


def _planes(path: Path) -> None:
    """A stack of three planes of JPEG tiles."""
    pixels = np.stack([smooth(300, 520) // (k + 1) for k in range(3)])
    options: dict[str, Any] = {"photometric": "rgb", "compression": "jpeg", "metadata": {"axes": "ZYXS"}}
    tifffile.imwrite(path, pixels, tile=(256, 256), ome=True, **options)


FILES: dict[str, tuple[Make, str | None]] = {
    "ycbcr": (_colours(), "jpeg"),
    "ycbcr-444": (_colours(subsampling="444"), "jpeg"),
    "ycbcr-422": (_colours(subsampling="422"), "jpeg"),
    "adobe-rgb": (_colours(**RGB), "jpeg"),
    "said-rgb": (_said_rgb, "jpeg"),
    "own-tables": (_colours(shared=False), "jpeg"),
    "large-tiles": (_colours(512), "jpeg"),
    "rounded-down": (_rounded_down, "jpeg"),
    "planes": (_planes, "jpeg"),
    "grey": (lambda path: jpeg_tiff(path, halves(smooth(600, 700, 1)), "minisblack"), "jpeg"),
    "strip": (lambda path: tifffile.imwrite(path, smooth(200, 250), photometric="rgb", compression="jpeg"), "jpeg"),
    "small-tiles": (_colours(128), "jpeg"),
    "progressive": (_colours(shared=False, change=_progressive), None),
    "raw": (_plain("<u2"), "raw"),
    "raw-big-endian": (_plain(">u2", byteorder=">"), "raw"),
    "raw-colours": (_plain("u1", (600, 700, 3)), "raw"),
    "raw-strips": (_plain("<u2", tile=None), "raw"),
    "raw-planes": (_plain("<u2", (3, 300, 520)), "raw"),
    "zlib": (_plain("<u2", compression="zlib"), "zlib"),
    "zlib-predicted": (_plain("<u2", compression="zlib", predictor=True), None),
    "zlib-strips": (_plain("<u2", tile=None, rowsperstrip=128, compression="zlib"), "zlib"),
    "zstd": (_plain("<f4", compression="zstd"), "zstd"),
    "lzw": (_plain("<u2", compression="lzw"), None),
}
"""How they are written, and the codec that the first level tells."""

PASSED = {
    # source: layout: of how many files of JPEG so many are passed on
    "ycbcr": {"dzi": 5, "zoomify": 5, "precomputed-jpeg": 5},
    "ycbcr-444": {"dzi": 5, "zoomify": 5, "precomputed-jpeg": 5},
    "ycbcr-422": {"dzi": 5, "zoomify": 5, "precomputed-jpeg": 5},
    "adobe-rgb": {"dzi": 5, "zoomify": 5, "precomputed-jpeg": 5},
    "said-rgb": {"dzi": 5, "zoomify": 5, "precomputed-jpeg": 5},
    "own-tables": {"dzi": 5, "zoomify": 5, "precomputed-jpeg": 5},
    "large-tiles": {"dzi": 1, "precomputed-jpeg": 1},
    "rounded-down": {"dzi": 14, "zoomify": 14, "precomputed-jpeg": 14},
    "grey": {"dzi": 5, "zoomify": 5, "precomputed-jpeg": 5},
    "strip": {"dzi": 1, "zoomify": 1, "precomputed-jpeg": 1},
    "planes": {"precomputed-jpeg": 6},
}
"""Whatever is not here is made, so that neither a gain nor a loss goes unseen."""


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Image]:
    folder, found = tmp_path_factory.mktemp("tiles"), {}

    def image(name: str) -> Image:
        if name not in found:
            suffix = "ome.tif" if name == "planes" else "tif"
            FILES[name][0](folder / f"{name}.{suffix}")
            found[name] = opened_file(folder / f"{name}.{suffix}").images[name]
        return found[name]

    return image


def each_level(image: Image, change: Callable[[Level], Level]) -> Image:
    return replace(image, levels=tuple(map(change, image.levels)))


def stripped(image: Image) -> Image:
    """The same image, of which nothing is told as it is stored."""
    return each_level(image, replace)


def counted(image: Image, count: Counter[str]) -> Image:
    """The image that counts its chunks that are passed on."""

    def counting(level: Level) -> Level:
        stored = level.stored
        if stored is None:
            return level

        def chunk(index: Ints) -> bytes | None:
            data = stored.chunk(index)
            count["passed"] += data is not None
            return data

        return stored_as(level, replace(stored, chunk=chunk))

    return each_level(image, counting)


def read(tree: Tree, path: str) -> bytes:
    file = tree.file(path)
    assert file is not None, path
    return file.read(0, None)


@pytest.mark.parametrize("name", FILES)
def test_stored_chunks_decode_to_the_pixels_of_the_level(opened: Callable[[str], Image], name: str) -> None:
    image = opened(name)
    codec = FILES[name][1]
    assert (image.levels[0].stored.codec if image.levels[0].stored else None) == codec
    told = 0
    for level in image.levels:
        stored = level.stored
        for index in touched(whole(level.shape), level.chunk_shape) if stored else ():
            data = stored.chunk(index)
            if data is None:
                continue
            told += 1
            box = chunk_region(index, level.chunk_shape)
            shape = box.shape if stored.is_padded else box.clipped(level.shape).shape
            sides = dict(zip(image.axis_names, shape, strict=True))
            pixels = np.frombuffer(DECODERS[stored.codec](data), stored.dtype)
            assert pixels.size == prod(shape)
            laid = moved(pixels.reshape([sides[axis] for axis in stored.order]), stored.order, image.axis_names)
            inside = box.clipped(level.shape)
            np.testing.assert_array_equal(laid[inside.shifted(box.start).slices], level.read(inside))
            if stored.extent and stored.read:
                assert stored.read(*stored.extent(index)) == data
    assert (told > 0) == (codec is not None)


def _raw(image: Image, path: str) -> NDArray[np.uint8]:
    """The pixels of a chunk of precomputed JPEG, by the layout whose chunks are the voxels themselves."""
    tree = registry("layouts")["precomputed"].tree(image)
    data = np.frombuffer(read(tree, path.replace(".jpeg.precomputed", ".precomputed")), np.uint8)
    x, y, z = ([int(end) for end in text.split("-")] for text in path.rpartition("/")[2].split("_"))
    planes = data.reshape(-1, (z[1] - z[0]) * (y[1] - y[0]), x[1] - x[0])
    return np.squeeze(planes.transpose(1, 2, 0))


def _deep_zoom(image: Image, path: str) -> NDArray[np.uint8]:
    tree = registry("layouts")["dzi"].tree(image)
    lossless = path.replace("_files/", ".png_files/").replace(".jpeg", ".png")
    return decoded(read(tree, lossless))


def _zoomify(image: Image, path: str) -> NDArray[np.uint8]:
    from diascope.layouts.picture import pixels
    from diascope.layouts.zoomify import kept_levels

    tier, x, y = map(int, path.rpartition("/")[2].removesuffix(".jpg").split("-"))
    level = kept_levels(image)[tier]
    rows, columns = (range(k * 256, min(k * 256 + 256, n)) for k, n in zip((y, x), level.shape[-2:], strict=True))
    return pixels(image, level, rows, columns)


PIXELS = {"dzi": _deep_zoom, "zoomify": _zoomify, "precomputed-jpeg": _raw}


@pytest.mark.parametrize("layout", PIXELS)
@pytest.mark.parametrize("name", FILES)
def test_tiles_are_passed_on_and_show_the_same_pixels(opened: Callable[[str], Image], name: str, layout: str) -> None:
    image, found = opened(name), registry("layouts")[layout]
    if found.refuses(image):
        assert layout not in PASSED.get(name, {})
        return
    count: Counter[str] = Counter()
    with_it, without = found.tree(counted(image, count)), found.tree(stripped(image))
    tiles = 0
    for path in listed_files(without, ""):
        before = count["passed"]
        data = read(with_it, path)
        if count["passed"] == before:
            assert data == read(without, path)
            continue
        tiles += 1
        np.testing.assert_array_equal(decoded(data), PIXELS[layout](stripped(image), path))
    assert tiles == PASSED.get(name, {}).get(layout, 0)


RAW = {"raw": 4, "raw-colours": 4, "raw-planes": 6}
"""Tiles of an OME-TIFF that are bytes of the source's file; those at edges are filled up with zeros."""


@pytest.mark.parametrize("name", FILES)
def test_an_ome_tiff_has_the_same_bytes_of_which_raw_tiles_are_passed_on(
    opened: Callable[[str], Image], name: str
) -> None:
    ranges: list[tuple[int, int]] = []

    def watched(level: Level) -> Level:
        stored = level.stored
        if stored is None or stored.read is None:
            return level

        def read(start: int, stop: int) -> bytes:
            ranges.append((start, stop))
            return stored.read(start, stop)

        return stored_as(level, replace(stored, read=read))

    image, layout = opened(name), registry("layouts")["ome-tiff"]
    with_it = layout.tree(each_level(image, watched)).file(f"{name}.ome.tif")
    without = layout.tree(stripped(image)).file(f"{name}.ome.tif")
    assert with_it.size == without.size
    whole_file = without.read(0, None)
    assert with_it.read(0, None) == whole_file
    assert len(ranges) == RAW.get(name, 0)
    for start in range(0, with_it.size, 77_777):
        assert with_it.read(start, start + 1000) == whole_file[start : start + 1000]


VIEWS = {"original": 5, "render": 5, "window,low=0,high=255": 0, "flip,axes=x": 0, "gaussian,sigma=2": 0}


@pytest.mark.parametrize("text", VIEWS)
def test_views_that_touch_pixels_have_none(opened: Callable[[str], Image], text: str) -> None:
    count: Counter[str] = Counter()
    image = view(text).applied(counted(opened("ycbcr"), count))
    tree = registry("layouts")["dzi"].tree(image)
    for path in listed_files(tree, ""):
        read(tree, path)
    assert count["passed"] == VIEWS[text]


@pytest.mark.parametrize("z", [0, 1, 2])
def test_a_plane_of_a_stack_is_passed_on(opened: Callable[[str], Image], z: int) -> None:
    count: Counter[str] = Counter()
    image = view(f"render,z={z}").applied(counted(opened("planes"), count))
    data = read(registry("layouts")["dzi"].tree(image), "planes_files/10/1_0.jpeg")
    assert count["passed"] == 1
    assert opened("planes").axis_names == "czyx"
    colours = opened("planes").levels[0].read(whole(opened("planes").shape))[:, z].transpose(1, 2, 0)
    np.testing.assert_array_equal(decoded(data), colours[:256, 256:512])


SAME = {
    "256,256,256,256": ("max", "256,", ",256", "256,256", "pct:100", "!256,256", "^256,256"),
    "0,0,512,512": ("256,", ",256", "256,256", "pct:50", "!256,256", "!256,1000"),
    "pct:0,0,50,50": (),
}
"""Requests of whole chunks, of the first and the second level."""


def requests(suffix: str) -> Iterator[tuple[str, str]]:
    for region, sizes in SAME.items():
        for size in sizes:
            if suffix == "iiif" or "^" not in size:
                yield region, size


@pytest.mark.parametrize("suffix", ["iiif", "iiif2"])
@pytest.mark.parametrize("quality", ["default", "color"])
def test_every_form_of_a_request_of_a_chunk_passes_it_on(
    opened: Callable[[str], Image], suffix: str, quality: str
) -> None:
    image = opened("ycbcr")
    tree = registry("layouts")["iiif" if suffix == "iiif" else "iiif-2"].tree(image)
    for region, size in requests(suffix):
        level, index = (0, (0, 1, 1)) if region.startswith("256") else (1, (0, 0, 0))
        for rotation in ("0", "360"):
            path = f"ycbcr.{suffix}/{region}/{size}/{rotation}/{quality}.jpg"
            assert read(tree, path) == image.levels[level].stored.chunk(index), path
            exact = decoded(read(tree, path.replace(".jpg", ".png")))
            np.testing.assert_array_equal(decoded(read(tree, path)), exact)


def test_a_percentage_of_a_chunk_passes_it_on(tmp_path: Path) -> None:
    path = jpeg_tiff(tmp_path / "it.tif", halves(smooth(1024, 1024)), "ycbcr")
    image = opened_file(path).images["it"]
    tree = registry("layouts")["iiif"].tree(image)
    assert read(tree, "it.iiif/pct:25,50,25,25/max/0/default.jpg") == image.levels[0].stored.chunk((0, 2, 1))
    assert read(tree, "it.iiif/pct:50,0,50,50/pct:50/0/default.jpg") == image.levels[1].stored.chunk((0, 0, 1))
    # All of it, as small as its last level.
    assert read(tree, "it.iiif/full/256,/0/default.jpg") == image.levels[2].stored.chunk((0, 0, 0))


@pytest.mark.parametrize("name", ["ycbcr", "rounded-down", "strip", "grey", "said-rgb"])
def test_whatever_a_request_passes_on_shows_what_it_would_make(opened: Callable[[str], Image], name: str) -> None:
    count: Counter[str] = Counter()
    image, layout = opened(name), registry("layouts")["iiif"]
    with_it, without = layout.tree(counted(image, count)), layout.tree(stripped(image))
    random = np.random.default_rng(1)
    height, width = image.shape[-2:]
    sides = [1, 2, 128, 255, 256, 256, 256, 256, 512]
    for _ in range(80):
        factor = int(random.choice([1, 1, 2, 4]))
        x, y = (int(k) * 128 * factor for k in random.choice([0, 1, 2, 2], 2))
        w, h = (int(k) for k in random.choice(sides, 2))
        if x >= width or y >= height:
            continue
        path = f"{name}.iiif/{x},{y},{w * factor},{h * factor}/^{w},{h}/0/default.jpg"
        before = count["passed"]
        data = read(with_it, path)
        if count["passed"] > before:
            np.testing.assert_array_equal(decoded(data), decoded(read(without, path.replace(".jpg", ".png"))))
        else:
            assert data == read(without, path)
    full = f"{name}.iiif/full/max/0/default.jpg"
    assert (read(with_it, full) == read(without, full)) == (name != "strip")
    assert count["passed"] > 0


@pytest.mark.parametrize(
    "address",
    [
        "256,256,256,256/max/0/default.png",
        "256,256,256,256/max/0/default.webp",
        "256,256,256,256/max/0/gray.jpg",
        "256,256,256,256/max/0/bitonal.jpg",
        "256,256,256,256/max/90/default.jpg",
        "256,256,256,256/max/!0/default.jpg",
        "256,256,256,256/255,/0/default.jpg",
        "256,256,256,256/^512,/0/default.jpg",
        "256,256,256,255/max/0/default.jpg",
        "255,256,256,256/max/0/default.jpg",
        "256,256,512,256/max/0/default.jpg",
        "512,512,256,256/max/0/default.jpg",
        "0,0,512,512/128,/0/default.jpg",
        "2,0,512,512/256,/0/default.jpg",
        "full/max/0/default.jpg",
    ],
)
def test_other_requests_are_made(opened: Callable[[str], Image], address: str) -> None:
    count: Counter[str] = Counter()
    image = opened("ycbcr")
    layout = registry("layouts")["iiif"]
    path = f"ycbcr.iiif/{address}"
    assert read(layout.tree(counted(image, count)), path) == read(layout.tree(stripped(image)), path)
    assert not count


def test_grey_in_colour_is_made(opened: Callable[[str], Image]) -> None:
    layout = registry("layouts")["iiif"]
    for quality, shape in (("default", (256, 256)), ("color", (256, 256, 3))):
        data = read(layout.tree(opened("grey")), f"grey.iiif/0,0,256,256/max/0/{quality}.jpg")
        assert decoded(data).shape == shape


@pytest.mark.parametrize("name", ["ycbcr", "rounded-down"])
def test_edges_show_nothing_of_the_padding(opened: Callable[[str], Image], name: str) -> None:
    image = opened(name)
    tree = registry("layouts")["dzi"].tree(image)
    top = len(list(tree.entries(f"{name}_files") or ())) - 1
    grid = grid_shape(image.shape[-2:], (256, 256))
    for y in range(grid[0]):
        x = grid[1] - 1
        wide, high = min(256, image.shape[-1] - x * 256), min(256, image.shape[-2] - y * 256)
        assert decoded(read(tree, f"{name}_files/{top}/{x}_{y}.jpeg")).shape[:2] == (high, wide)


def test_a_near_tile_is_cheap_and_an_edge_is_not(opened: Callable[[str], Image]) -> None:
    tree = registry("layouts")["dzi"].tree(opened("ycbcr"))
    cheap = {x: tree.file(f"ycbcr_files/10/{x}_0.jpeg").cheap for x in range(3)}
    assert cheap == {0: True, 1: True, 2: False}


def test_jpeg_of_a_precomputed_volume_is_passed_on_as_tiles(opened: Callable[[str], Image], tmp_path: Path) -> None:
    """Whatever source tells of JPEG: its clipped chunks are whole files at the edges too."""
    folder = written(registry("layouts")["precomputed-jpeg"].tree(opened("ycbcr")), tmp_path)
    (image,) = opened_file(folder).images.values()
    count: Counter[str] = Counter()
    colours = replace(counted(image, count), kind="rgb")
    tree = registry("layouts")["dzi"].tree(colours)
    for path in listed_files(tree, ""):
        before, data = count["passed"], read(tree, path)
        if count["passed"] > before:
            np.testing.assert_array_equal(decoded(data), _deep_zoom(stripped(colours), path))
    # Three times three of the finest level, two times two of the next one, and the whole of the last one.
    assert count["passed"] == 9 + 4 + 1

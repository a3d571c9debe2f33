"""Tiles are passed on unopened just where they are what would be made, and show the same pixels either way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from math import prod
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from diascope.catalogue.opening import opened_file
from diascope.image.image import Image
from diascope.image.level import Level
from diascope.image.order import moved
from diascope.image.region import chunk_region, grid_shape, touched, whole
from diascope.image.stored import stored_as
from diascope.operations.view import view
from diascope.registry import registry
from diascope.tree.walk import listed_files
from tests.layouts.on_disk import written
from tests.layouts.passing_files import FILES, counted, each_level, opener, read, stripped
from tests.tiff_tiles import DECODERS, decoded

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
    return opener(tmp_path_factory.mktemp("tiles"))


@pytest.mark.parametrize("name", FILES)
def test_stored_chunks_decode_to_the_pixels_of_the_level(opened: Callable[[str], Image], name: str) -> None:
    image = opened(name)
    codec = FILES[name][1]
    assert (image.levels[0].stored.codec if image.levels[0].stored else None) == codec
    told = 0
    for level, stored in [(level, level.stored) for level in image.levels if level.stored]:
        for index in touched(whole(level.shape), level.chunk_shape):
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
            if stored.extent and stored.read and (extent := stored.extent(index)):
                assert stored.read(*extent) == data
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
        read_on = stored.read

        def read(start: int, stop: int) -> bytes:
            ranges.append((start, stop))
            return read_on(start, stop)

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

"""Tiles of real files are passed on, and show what a plain decoder shows of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from diascope.catalogue.opening import opened_file
from diascope.image.image import Image
from diascope.image.order import moved
from diascope.image.region import chunk_region, touched, whole
from diascope.registry import registry
from tests.tiff_tiles import DECODERS, decoded, stored_of

CHUNKS = {
    "svs/CMU-1-Small-Region.svs": ("jpeg", 108),
    # Its other tiles lack Huffman tables: some decoders know which are meant.
    "pyramid-tiff/CMU-1-small.tiff": ("jpeg", 1),
    "derived/subifd_pyramid_rgb_jpeg.ome.tif": ("jpeg", 4),
    "tiff/libtiff/quad-tile.jpg.tiff": ("jpeg", 12),
    "tiff/pillow/tiff_tiled_ycbcr_jpeg_2x2_sampling.tif": ("jpeg", 1),
    "ome-tiff/viv_multi-channel_deflate.ome.tif": ("zlib", 3),
    "tiff/pillow/16bit.MM.deflate.tif": ("zlib", 1),
    "imagej-tiff/xyc_16bit__cell_dna_mts_actin.tif": ("raw", 3),
}
"""The codec, and how many whole chunks of the finest level are told as they are stored."""


def first(path: Path) -> Image:
    return next(iter(opened_file(path).images.values()))


@pytest.mark.parametrize("name", CHUNKS)
def test_chunks_of_real_files(shared_data: Path, name: str) -> None:
    image = first(shared_data / name)
    level = image.levels[0]
    stored = level.stored
    assert stored is not None
    told = 0
    for index in touched(whole(level.shape), level.chunk_shape):
        box = chunk_region(index, level.chunk_shape)
        data = stored.chunk(index) if box.inside(level.shape) else None
        if data is None:
            continue
        told += 1
        sides = dict(zip(image.axis_names, box.shape, strict=True))
        pixels = np.frombuffer(DECODERS[stored.codec](data), stored.dtype)
        laid = moved(pixels.reshape([sides[axis] for axis in stored.order]), stored.order, image.axis_names)
        np.testing.assert_array_equal(laid, level.read(box))
    assert (stored.codec, told) == CHUNKS[name]


def test_a_slide_is_served_as_its_own_tiles(shared_data: Path) -> None:
    image = first(shared_data / "svs/CMU-1-Small-Region.svs")
    tree = registry("layouts")["dzi"].tree(image)
    name = image.name
    assert b'TileSize="240" Overlap="0"' in tree.file(f"{name}.dzi").read(0, None)
    file = tree.file(f"{name}_files/12/3_4.jpeg")
    assert file.cheap
    assert file.read(0, None) == stored_of(image.levels[0]).chunk((0, 4, 3))
    exact = decoded(tree.file(f"{name}.png_files/12/3_4.png").read(0, None))
    np.testing.assert_array_equal(decoded(file.read(0, None)), exact)

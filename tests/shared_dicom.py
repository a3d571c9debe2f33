"""How shared DICOM files whose frames pydicom gives as they lie agree with the images that they make."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray
from pydicom.pixels.utils import pixel_array

import diascope
from diascope.image.image import Image

Check = Callable[[Image, Path, dict[str, str]], None]


def same(pixels: NDArray[Any], digest: str) -> bool:
    return hashlib.sha256(np.ascontiguousarray(pixels).tobytes()).hexdigest() == digest


def in_rgb(image: Image, path: Path, row: dict[str, str]) -> None:
    """The manifest has YBR, ours is RGB as pydicom converts it."""
    colours = pixel_array(path, raw=False)
    assert same(pixel_array(path, raw=True).reshape(-1, *colours.shape[-3:])[0], row["pixel_sha256"])
    found = np.moveaxis(image[...], -3, -1)
    assert found.shape == colours.shape
    assert np.abs(found.astype(int) - colours).max() <= 1


def as_tiles(image: Image, path: Path, row: dict[str, str]) -> None:
    """The manifest's planes are tiles, row by row; those at the edges reach over them."""
    data = pydicom.dcmread(path)
    matrix, tile = image.shape[-2:], (data.Rows, data.Columns)
    columns = -(-matrix[1] // tile[1])
    assert row["shape"].startswith(f"{-(-matrix[0] // tile[0]) * columns}x{tile[0]}x{tile[1]}")
    count = int(row["shape"].split("x")[0])
    for k, key in ((0, "pixel_sha256"), (count // 2, "mid_pixel_sha256")):
        y, x = k // columns * tile[0], k % columns * tile[1]
        found = np.moveaxis(image[..., y : y + tile[0], x : x + tile[1]], 0, -1)
        assert found.shape == (*tile, 3)
        assert same(found, row[key])


def as_tiles_in_rgb(image: Image, path: Path, row: dict[str, str]) -> None:
    """The same of colours that the JPEG pictures themselves say to be YCbCr, and pydicom's raw pixels leave so."""
    frame = np.moveaxis(image[:, :500, :500], 0, -1).astype(int)
    assert row["shape"] == "42x500x500x3"
    with pytest.warns(UserWarning, match="JFIF"):
        judged = pixel_array(path, raw=False, index=0)
    assert np.abs(frame - judged).max() <= 1


def as_labels(image: Image, path: Path, row: dict[str, str]) -> None:
    """The manifest's first plane is a tile of one segment, of ones where ours has the segment's number."""
    group = pydicom.dcmread(path).PerFrameFunctionalGroupsSequence[0]
    place = group.PlanePositionSlideSequence[0]
    y, x = place.RowPositionInTotalImagePixelMatrix - 1, place.ColumnPositionInTotalImagePixelMatrix - 1
    number = group.SegmentIdentificationSequence[0].ReferencedSegmentNumber
    assert same((image[y : y + 10, x : x + 10] == number).astype(np.uint8), row["pixel_sha256"])


def as_paths(image: Image, path: Path, row: dict[str, str]) -> None:
    """The manifest's plane is the whole tile of the first optical path, which reaches over the matrix."""
    tiles = pixel_array(path / "7_0")
    assert "x".join(map(str, image.shape[-2:])) == row["shape"]
    assert same(tiles[0], row["pixel_sha256"])
    np.testing.assert_array_equal(image[...], tiles[:, :704, :704])


def as_one_tile(image: Image, path: Path, row: dict[str, str]) -> None:
    """The manifest's plane is the tile in the upper left corner, which reaches over the matrix."""
    tile = pixel_array(path / "boxes_0.dcm")
    assert same(tile, row["pixel_sha256"])
    np.testing.assert_array_equal(np.moveaxis(image[...], 0, -1), tile[:16, :16])


def of_a_medium(_: Image, path: Path, row: dict[str, str]) -> None:
    """The manifest's plane is the first file by name of one series, the last slice from the feet on."""
    images = diascope.open_dataset(path).images
    name = next(name for name in images if "SmartScore" in name)
    assert same(images[name][-1], row["pixel_sha256"])


UNLIKE: dict[str, Check] = {
    "dicom/SC_rgb_jpeg_dcmtk.dcm": in_rgb,
    "dicom/SC_ybr_full_422_uncompressed.dcm": in_rgb,
    "dicom/examples_ybr_color.dcm": in_rgb,
    "dicom/dicomdirtests": of_a_medium,
    "dicom/openslide_boxes_wsi": as_one_tile,
    "dicom/seg_image_sm_dots.dcm": as_labels,
    "dicom/sm_image.dcm": as_tiles,
    "dicom/sm_image_jpegls.dcm": as_tiles,
    "dicom/small_dicom.dcm": as_tiles_in_rgb,
    "dicom/wg26_FluorCell_4": as_paths,
}

"""Coordinate systems of OME-Zarr 0.6 that fields lead to, beside SimpleITK's resampler."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813
import zarr

import diascope
from diascope.image.image import Image
from tests.operations.test_vector_field import array, axes, close, field, group, picture
from tests.servers import of_folder

OUT, BACK = ("fixed", "atlas"), ("atlas", "fixed")
"""From the image's own system, which is called so in the files, and to it."""

WARP = {"type": "displacements", "path": "warp"}
MATRIX = [[1.04, 0.03, 0.0, 2.1], [0.02, 0.93, 0.05, -1.9], [0.0, 0.05, 1.1, 0.7]]
"""Of z, y and x."""
AFFINE = {"type": "affine", "affine": MATRIX}


def placed(path: Path, step: Any, ends: tuple[str, str], names: str = "zyx", unit: str = "millimeter") -> Path:
    """The image with one more system."""
    made = zarr.open_group(path, mode="r+")
    ome: Any = made.attrs["ome"]
    own = ome["multiscales"][0]
    own["coordinateSystems"].insert(0, {"name": "atlas", "axes": axes(names, unit)})
    own["coordinateTransformations"] = [{"input": {"name": ends[0]}, "output": {"name": ends[1]}} | step]
    made.attrs["ome"] = ome
    return path


def there(path: Path) -> Image:
    return diascope.open(path / "associated" / "atlas")


def itk_affine() -> Any:
    flipped = np.array(MATRIX)[::-1]
    return sitk.AffineTransform(flipped[:, 2::-1].ravel().tolist(), flipped[:, 3].tolist())


def expected(moving: Any, result: Image, *points: Any) -> Any:
    """By transforms of points of the result, the first one first."""
    level = result.levels[0]
    grid = sitk.Image(level.shape[::-1], sitk.sitkFloat32)
    grid.SetSpacing(level.scale[::-1])
    grid.SetOrigin(level.translation[::-1])
    composite = sitk.CompositeTransform(list(points[::-1]))
    return sitk.GetArrayFromImage(sitk.Resample(moving, grid, composite, sitk.sitkLinear, 0.0, sitk.sitkFloat64))


def displaced(vectors: Any) -> Any:
    return sitk.DisplacementFieldTransform(sitk.Image(vectors))


@pytest.mark.judge
@pytest.mark.parametrize("write", [group, array])
def test_a_field_from_the_system_to_the_image(write: Any, tmp_path: Path) -> None:
    moving = picture(tmp_path / "a.ome.zarr")
    vectors = field(tmp_path / "a.ome.zarr" / "warp", write=write)
    result = there(placed(tmp_path / "a.ome.zarr", WARP, BACK))
    close(result[...], expected(moving, result, displaced(vectors)))
    np.testing.assert_allclose(result.levels[0].scale, (1.9, 0.8, 1.0))
    assert result.world is not None
    assert result.world.space == "atlas"
    image = diascope.open(tmp_path / "a.ome.zarr")
    assert image.world is None
    np.testing.assert_array_equal(image[...], sitk.GetArrayFromImage(moving))


@pytest.mark.judge
def test_a_field_and_a_matrix_in_either_order(tmp_path: Path) -> None:
    moving = picture(tmp_path / "a.ome.zarr")
    vectors = field(tmp_path / "a.ome.zarr" / "warp")
    for parts, points in (
        ([WARP, AFFINE], (displaced(vectors), itk_affine())),
        ([AFFINE, WARP], (itk_affine(), displaced(vectors))),
    ):
        picture(tmp_path / "a.ome.zarr")
        field(tmp_path / "a.ome.zarr" / "warp")
        result = there(placed(tmp_path / "a.ome.zarr", {"type": "sequence", "transformations": parts}, BACK))
        close(result[...], expected(moving, result, *points))


@pytest.mark.judge
def test_of_a_bijection_the_way_back_is_taken(tmp_path: Path) -> None:
    moving = picture(tmp_path / "a.ome.zarr")
    vectors = field(tmp_path / "a.ome.zarr" / "warp")
    both = {"type": "bijection", "forward": {"type": "displacements", "path": "nothing"}, "inverse": WARP}
    result = there(placed(tmp_path / "a.ome.zarr", both, OUT))
    close(result[...], expected(moving, result, displaced(vectors)))


def test_a_field_that_leads_away_is_inverted(tmp_path: Path) -> None:
    picture(tmp_path / "a.ome.zarr")
    vectors = np.broadcast_to([1.9, 0.4, -1.0], (9, 40, 40, 3))
    scale = {"type": "scale", "scale": [4.0, 1, 1, 1], "output": {"name": "fixed"}}
    group(tmp_path / "a.ome.zarr" / "warp", vectors, "zyxd", [scale], "millimeter")
    sequence = {"type": "sequence", "transformations": [WARP, {"type": "scale", "scale": [2, 2, 2]}]}
    result = there(placed(tmp_path / "a.ome.zarr", sequence, OUT))
    points = np.array([[20.0, 24, 30], [30, 30, 40]])
    np.testing.assert_allclose(result.stored(points), points / 2 - (-1.0, 0.4, 1.9), atol=1e-3)
    assert (result[...] != 0).mean() > 0.05


@pytest.mark.judge
def test_a_field_along_some_axes_leaves_the_others(tmp_path: Path) -> None:
    """As the distortion of a lens is written."""
    moving = picture(tmp_path / "a.ome.zarr")
    vectors = field(tmp_path / "a.ome.zarr" / "warp", "yxd")
    parts = [
        {"transformation": {"type": "identity"}, "inputAxes": [0], "outputAxes": [0]},
        {"transformation": WARP, "inputAxes": [1, 2], "outputAxes": [1, 2]},
    ]
    result = there(placed(tmp_path / "a.ome.zarr", {"type": "byDimension", "transformations": parts}, BACK))
    pixels = result[...]
    assert len(pixels) == 14
    flat = sitk.Image(result.levels[0].shape[:0:-1], sitk.sitkFloat32)
    flat.SetSpacing(result.levels[0].scale[:0:-1])
    flat.SetOrigin(result.levels[0].translation[:0:-1])
    for plane in (0, 6, 13):
        still = moving[:, :, plane]
        made = sitk.Resample(still, flat, displaced(vectors), sitk.sitkLinear, 0.0, sitk.sitkFloat64)
        close(pixels[plane], sitk.GetArrayFromImage(made))


@pytest.mark.judge
def test_chunks_over_http(tmp_path: Path) -> None:
    root = tmp_path / "bent"
    root.mkdir()
    moving = picture(root / "a.ome.zarr")
    vectors = field(root / "a.ome.zarr" / "warp")
    result = there(placed(root / "a.ome.zarr", WARP, BACK))
    server = of_folder(root)
    try:
        base = f"{server.url}/data/bent/a.ome.zarr"
        found = httpx.get(f"{base}/associated/atlas/original/atlas.ome.zarr/zarr.json", follow_redirects=True)
        found.raise_for_status()
        served = zarr.open_group(str(found.url).removesuffix("/zarr.json"), mode="r")["0"]
        close(np.asarray(served), expected(moving, result, displaced(vectors)))
        httpx.get(f"{base}/original/a.ome.zarr/zarr.json", follow_redirects=True).raise_for_status()
    finally:
        server.stop()


BROKEN: dict[str, Any] = {
    "missing": {"type": "displacements", "path": "nothing"},
    "no path": {"type": "displacements"},
    "upwards": {"type": "displacements", "path": "../a.ome.zarr/warp"},
    "an image for a field": {"type": "displacements", "path": "0"},
    "of another type": {"type": "coordinates", "path": "warp"},
    "of fewer axes": {"type": "displacements", "path": "flat"},
    "far": {"type": "sequence", "transformations": [{"type": "scale", "scale": [1e-300, 1, 1]}, WARP]},
    "flat": {"type": "sequence", "transformations": [{"type": "scale", "scale": [0, 1, 1]}, WARP]},
    "too many": {"type": "sequence", "transformations": [WARP] * 50},
    "axes that are none": {
        "type": "byDimension", "transformations": [{"transformation": WARP, "inputAxes": 7, "outputAxes": 7}],
    },
    "a list for a type": {"type": [WARP]},
    "no list": {"type": "sequence", "transformations": 7},
    "no object": {"type": "bijection", "forward": 7, "inverse": 7},
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_broken_is_left_out_and_hides_nothing(name: str, tmp_path: Path) -> None:
    picture(tmp_path / "a.ome.zarr")
    field(tmp_path / "a.ome.zarr" / "warp")
    field(tmp_path / "a.ome.zarr" / "flat", "yxd")
    for ends in (BACK, OUT):
        found = diascope.open_dataset(placed(tmp_path / "a.ome.zarr", BROKEN[name], ends))
        assert not found.associated
        assert next(iter(found.images.values())).shape == (14, 30, 25)

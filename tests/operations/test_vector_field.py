"""Images bent by the vector fields of OME-Zarr 0.6, beside SimpleITK's resampler with the same displacements."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813
import zarr

import diascope
from diascope.errors import BadRequest, Unreadable
from diascope.image.region import Region
from tests.operations.fields import waves
from tests.operations.pictures import noise
from tests.servers import of_folder

SPACING, ORIGIN = (1.1, 0.9, 1.7), (-1.0, 3.0, 2.0)
APART, FIRST = (1.0, 0.8, 1.9), (2.0, 1.5, 4.0)
"""Of the field and of the image, along x, y and z."""


def steps(names: str, spacing: Any, origin: Any, by: float = 1) -> list[dict[str, Any]]:
    """Along the axes of a file, of which d has no place."""
    scale = {"d": 1.0, **dict(zip("xyz", (by * step for step in spacing), strict=False))}
    first = {"d": 0.0, **dict(zip("xyz", (by * step for step in origin), strict=False))}
    parts: list[dict[str, Any]] = [
        {"type": "scale", "scale": [scale[name] for name in names]},
        {"type": "translation", "translation": [first[name] for name in names]},
    ]
    return [{"type": "sequence", "output": {"name": "fixed"}, "transformations": parts}]


def axes(names: str, unit: str | None, kind: str = "displacement") -> list[dict[str, Any]]:
    space = {"type": "space"} | ({"unit": unit} if unit else {})
    return [{"name": name} | (space if name != "d" else {"type": kind, "discrete": True}) for name in names]


def group(path: Path, pixels: Any, names: str, told: Any, unit: str | None, **more: Any) -> Path:
    """A multiscale image of one level."""
    made = zarr.open_group(path, mode="w", zarr_format=3)
    made.create_array("0", data=pixels, chunks=tuple(max(1, size // 2) for size in pixels.shape))
    systems = [{"name": "fixed", "axes": axes(names, unit, **more)}]
    dataset = {"path": "0", "coordinateTransformations": told}
    made.attrs["ome"] = {"version": "0.6", "multiscales": [{"coordinateSystems": systems, "datasets": [dataset]}]}
    return path


def array(path: Path, pixels: Any, names: str, told: Any, unit: str | None, **more: Any) -> Path:
    """An array by itself, which says where it lies."""
    made = zarr.create_array(path, data=pixels, chunks=tuple(max(1, size // 2) for size in pixels.shape))
    systems = [{"name": "fixed", "axes": axes(names, unit, **more)}]
    made.attrs.update({"coordinateSystems": systems, "coordinateTransformations": told})
    return path


def picture(path: Path, shape: tuple[int, ...] = (14, 30, 25), unit: str | None = "millimeter") -> Any:
    """Written as OME-Zarr, and as SimpleITK has it."""
    names = "zyx"[-len(shape) :]
    pixels = noise(shape, np.float32, 250)
    group(path, pixels, names, steps(names, APART, FIRST), unit)
    moving = sitk.GetImageFromArray(pixels)
    moving.SetSpacing(APART[: len(shape)])
    moving.SetOrigin(FIRST[: len(shape)])
    return moving


def field(path: Path, names: str = "zyxd", write: Any = group, by: float = 1, unit: str | None = "millimeter") -> Any:
    """Written as OME-Zarr in units of which ``by`` make a millimetre, and as SimpleITK has it."""
    order = [name for name in names if name != "d"]
    shape = (22, 27, 12)[: len(order)][::-1] if len(order) == 2 else (12, 22, 27)
    vectors = waves(shape, 1.2)
    usual = sorted(order, reverse=True)
    own = np.stack([vectors[..., "xyz".index(name)] for name in order], axis=-1).transpose(
        *(usual.index(name) for name in order), len(order)
    )
    stored = np.moveaxis(own, -1, names.index("d")) * by
    write(path, stored.astype(np.float64), names, steps(names, SPACING, ORIGIN, by), unit)
    made = sitk.GetImageFromArray(vectors, isVector=True)
    made.SetSpacing(SPACING[: len(order)])
    made.SetOrigin(ORIGIN[: len(order)])
    return made


def resampled(moving: Any, vectors: Any, reference: Any) -> Any:
    transform = sitk.DisplacementFieldTransform(sitk.Image(vectors))
    return sitk.GetArrayFromImage(sitk.Resample(moving, reference, transform, sitk.sitkLinear, 0.0, sitk.sitkFloat64))


def close(got: Any, expected: Any) -> None:
    """Equal, but where a rounding error decides whether a pixel at the edge is inside."""
    assert got.shape == expected.shape
    assert (expected != 0).mean() > 0.2
    off = np.abs(got - expected) > 2e-3
    assert off.mean() < 2e-4
    assert not (off & (got != 0) & (expected != 0)).any()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "bent"
    root.mkdir()
    return root


@pytest.mark.judge
@pytest.mark.parametrize("write", [group, array])
@pytest.mark.parametrize("names", ["zyxd", "dzyx", "xyzd"])
def test_volumes_are_those_of_simpleitk_however_the_field_is_stored(names, write, folder):
    moving, vectors = picture(folder / "a.ome.zarr"), field(folder / "warp.zarr", names, write)
    result = diascope.open(folder / "a.ome.zarr" / "displace,field=warp.zarr")
    close(result[...], resampled(moving, vectors, vectors))
    level = result.levels[0]
    np.testing.assert_allclose((level.translation, level.scale), (ORIGIN[::-1], SPACING[::-1]))
    same = diascope.open(folder / "a.ome.zarr" / "displace,field=warp.zarr,domain=same")
    close(same[...], resampled(moving, vectors, moving))


@pytest.mark.judge
@pytest.mark.parametrize("names", ["yxd", "dyx", "xyd"])
def test_planes_are_those_of_simpleitk(names, folder):
    moving, vectors = picture(folder / "a.ome.zarr", (30, 25)), field(folder / "warp.zarr", names, array)
    result = diascope.open(folder / "a.ome.zarr" / "displace,field=warp.zarr")
    close(result[...], resampled(moving, vectors, vectors))


@pytest.mark.judge
def test_a_field_in_other_units_moves_the_same(folder):
    moving, vectors = picture(folder / "a.ome.zarr"), field(folder / "warp.zarr", by=1000, unit="micrometer")
    result = diascope.open(folder / "a.ome.zarr" / "displace,field=warp.zarr")
    close(result[...], resampled(moving, vectors, vectors))
    np.testing.assert_allclose(result.levels[0].scale, SPACING[::-1])


@pytest.mark.judge
def test_without_units_a_field_is_in_those_of_the_image(folder):
    moving, vectors = picture(folder / "a.ome.zarr", unit=None), field(folder / "warp.zarr", unit=None)
    close(
        diascope.open(folder / "a.ome.zarr" / "displace,field=warp.zarr")[...],
        resampled(moving, vectors, vectors),
    )


@pytest.mark.judge
def test_a_field_of_coordinates_says_where_each_point_comes_from(folder):
    moving, vectors = picture(folder / "a.ome.zarr"), field(folder / "warp.zarr")
    pixels = sitk.GetArrayFromImage(vectors)[..., ::-1]
    index = np.moveaxis(np.indices(pixels.shape[:3]), 0, -1)
    places = pixels + index * SPACING[::-1] + ORIGIN[::-1]
    group(folder / "places.zarr", places, "zyxd", steps("zyxd", SPACING, ORIGIN), "millimeter", kind="coordinate")
    result = diascope.open(folder / "a.ome.zarr" / "displace,field=places.zarr")
    close(result[...], resampled(moving, vectors, vectors))


def test_the_inverse_leads_back(folder):
    picture(folder / "a.ome.zarr")
    vectors = waves((12, 22, 27), 0.3)[..., ::-1]
    group(folder / "warp.zarr", vectors, "zyxd", steps("zyxd", SPACING, ORIGIN), "millimeter")
    text = "displace,field=warp.zarr,inverse=true,domain=same~displace,field=warp.zarr,domain=same"
    again, once = (diascope.open(folder / "a.ome.zarr" / view)[...] for view in (text, "original"))
    inner = (slice(3, 6), slice(6, 14), slice(4, 14))
    np.testing.assert_allclose(again[inner], once[inner], atol=0.05)


def test_the_example_of_the_specification(folder):
    """From 1.0 a vector between those at 0 and 2 leads to 0.5; here along y, where nothing moves along x."""
    vectors = np.zeros((3, 2, 2))
    vectors[:, :, 0] = np.array([[-1], [0], [1]])
    told = [{"type": "scale", "scale": [2, 1, 1], "output": {"name": "fixed"}}]
    array(folder / "warp.zarr", vectors, "yxd", told, "millimeter")
    group(folder / "a.ome.zarr", np.zeros((9, 9), np.uint8), "yx", steps("yx", (1, 1), (0, 0)), "millimeter")
    result = diascope.open(folder / "a.ome.zarr" / "displace,field=warp.zarr,domain=same")
    np.testing.assert_allclose(result.stored(np.array([[0.0, 1.0, 0.0]])), [[0, 0.5, 0]])


def test_only_the_part_of_the_field_that_is_looked_at_is_read(folder):
    picture(folder / "a.ome.zarr")
    field(folder / "whole.zarr")
    field(folder / "warp.zarr")
    whole = diascope.open(folder / "a.ome.zarr" / "displace,field=whole.zarr")[...]
    (folder / "warp.zarr" / "0" / "c" / "1" / "1" / "1" / "1").write_bytes(b"broken")
    result = diascope.open(folder / "a.ome.zarr" / "displace,field=warp.zarr")
    near = Region((1, 2, 3), (4, 8, 9))
    np.testing.assert_array_equal(result.levels[0].read(near), whole[near.slices])
    with pytest.raises(Unreadable, match="corrupt"):
        result[...]


def test_what_is_no_field_is_refused(folder):
    picture(folder / "a.ome.zarr")
    field(folder / "flat.zarr", "yxd")
    told = steps("zyxd", SPACING, ORIGIN)
    group(folder / "four.zarr", np.zeros((3, 3, 3, 4)), "zyxd", told, "millimeter")
    group(folder / "complex.zarr", np.zeros((3, 3, 3, 3), np.complex64), "zyxd", told, "millimeter")
    spoofed = zarr.create_array(folder / "spoofed.zarr", data=np.zeros((3, 3, 3, 3)), dimension_names=list("czyx"))
    spoofed.attrs["vector_field"] = {"type": ["displacement"], "axes": 7}
    (folder / "empty").mkdir()
    for name, reason in [
        ("a.ome.zarr", "no field of displacements"),
        ("flat.zarr", "moves along 2 axes"),
        ("four.zarr", "a number for each of its other axes"),
        ("complex.zarr", "plain numbers"),
        ("spoofed.zarr", "a number for each of its other axes"),
        ("none.zarr", "no file"),
        ("empty", "no file"),
    ]:
        with pytest.raises(BadRequest, match=reason):
            diascope.open(folder / "a.ome.zarr" / f"displace,field={name}")
    picture(folder / "none.ome.zarr", unit=None)
    field(folder / "warp.zarr")
    with pytest.raises(BadRequest, match="not every spatial axis has a unit"):
        diascope.open(folder / "none.ome.zarr" / "displace,field=warp.zarr")


@pytest.mark.judge
def test_chunks_over_http_are_those_of_simpleitk(folder):
    (folder / "deep").mkdir()
    moving, vectors = picture(folder / "deep" / "a.ome.zarr"), field(folder / "warp.zarr")
    server = of_folder(folder)
    try:
        base = f"{server.url}/data/bent/deep/a.ome.zarr"
        first = httpx.get(f"{base}/displace,field=warp.zarr/a.ome.zarr/zarr.json", follow_redirects=True)
        first.raise_for_status()
        assert "displace,field=warp.zarr@" in str(first.url)
        served = zarr.open_group(str(first.url).removesuffix("/zarr.json"), mode="r")["0"]
        close(np.asarray(served), resampled(moving, vectors, vectors))
        field(folder / "warp.zarr", by=1.5)
        again = httpx.get(f"{base}/displace,field=warp.zarr/a.ome.zarr/zarr.json", follow_redirects=True)
        assert again.url != first.url
        for none in ("none.zarr", "deep"):
            refused = httpx.get(f"{base}/displace,field={none}/a.ome.zarr/zarr.json", follow_redirects=True)
            assert refused.status_code >= 400
            assert refused.status_code != 404
    finally:
        server.stop()

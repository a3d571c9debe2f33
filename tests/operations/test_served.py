"""What viewers get of a moved image: chunks of OME-Zarr over HTTP, beside SimpleITK's resampler."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813
import tifffile
import zarr

import diascope
from tests.servers import of_folder

VOLUME = np.random.default_rng(5).integers(0, 4000, (60, 90, 70)).astype(np.uint16)
SCALE = (1.5, 0.5, 0.4)
MATRIX = np.array(
    [[0.9517, -0.2971, 0.0213, 3.117], [0.2519, 1.0513, -0.1117, -2.713], [0.1031, 0.0517, 1.1093, -1.419]]
)
GRID = "size=100+120+80,origin=-3+-8+2,pixel=0.41+0.37+0.93"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("moved") / "moved"
    root.mkdir()
    sizes: dict[str, Any] = {f"PhysicalSize{axis}": by for axis, by in zip("ZYX", SCALE, strict=True)}
    units = {f"PhysicalSize{axis}Unit": "µm" for axis in "ZYX"}
    tifffile.imwrite(
        root / "volume.ome.tif", VOLUME, tile=(64, 64), metadata={"axes": "ZYX", **sizes, **units}, ome=True
    )
    return root


@pytest.fixture(scope="module")
def url(folder: Path) -> Iterator[str]:
    server = of_folder(folder)
    yield server.url
    server.stop()


def expected() -> Any:
    """The volume on the grid by SimpleITK, rounded."""
    moving = sitk.GetImageFromArray(VOLUME.astype(np.float64))
    moving.SetSpacing(SCALE[::-1])
    transform = sitk.AffineTransform(3)
    transform.SetMatrix(MATRIX[:, :3].ravel().tolist())
    transform.SetTranslation(MATRIX[:, 3].tolist())
    made = sitk.Resample(
        moving, (100, 120, 80), transform, sitk.sitkLinear, (-3, -8, 2), (0.41, 0.37, 0.93), np.eye(3).ravel().tolist(),
        0.0, sitk.sitkFloat64,
    )  # fmt: skip
    return np.floor(sitk.GetArrayFromImage(made) + 0.5)


@pytest.mark.judge
def test_chunks_of_a_moved_volume_are_those_of_simpleitk(url: str) -> None:
    matrix = "+".join(map(repr, MATRIX.ravel().tolist()))
    view = f"affine,matrix={matrix},inverse=true,{GRID}"
    address = f"{url}/data/moved/volume.ome.tif/{view}/volume.ome.zarr"
    group = zarr.open_group(address, mode="r")
    array = group["0"]
    assert isinstance(array, zarr.Array)
    got = np.zeros(array.shape, array.dtype)
    assert array.nchunks > 1
    for index in np.ndindex(*(-(-n // c) for n, c in zip(array.shape, array.chunks, strict=True))):
        box = tuple(slice(i * c, (i + 1) * c) for i, c in zip(index, array.chunks, strict=True))
        got[box] = array[box]
    differing = got != expected()
    assert (got != 0).mean() > 0.4
    assert differing.mean() < 1e-4  # halfway between two integers, to the last bit
    assert np.abs(got - expected()).max() <= 1


def test_every_door_shows_the_same_pixels(url: str, folder: Path, tmp_path: Path) -> None:
    """Python, a NIfTI file over HTTP, and OME-Zarr."""
    import httpx

    view = "rotate,angle=-20,plane=zx~flip,axes=y~crop,x=5..60"
    local = diascope.open(folder / "volume.ome.tif" / view)
    group = zarr.open_group(f"{url}/data/moved/volume.ome.tif/{view}/volume.ome.zarr", mode="r")
    np.testing.assert_array_equal(np.asarray(group["0"]), local[...])
    (tmp_path / "volume.nii").write_bytes(
        httpx.get(f"{url}/data/moved/volume.ome.tif/{view}/volume.nii", timeout=60).content
    )
    volume: Any = nibabel.load(tmp_path / "volume.nii")
    np.testing.assert_array_equal(np.asarray(volume.dataobj).T, local[...])

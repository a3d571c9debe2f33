"""What viewers get of a filtered image over HTTP: chunks of OME-Zarr beside scipy, and refusals with the reason."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import requests
import tifffile
import zarr
from scipy import ndimage

from diascope.operations.ball import ball
from tests.operations.footprints import cut, footprint, repeated
from tests.servers import of_folder

VOLUME = np.random.default_rng(5).integers(0, 4000, (20, 150, 130)).astype(np.uint16)
SCALE = (1.5, 0.5, 0.4)


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    root = tmp_path_factory.mktemp("filtered") / "filtered"
    root.mkdir()
    sizes: dict[str, Any] = {f"PhysicalSize{axis}": by for axis, by in zip("ZYX", SCALE, strict=True)}
    units = {f"PhysicalSize{axis}Unit": "µm" for axis in "ZYX"}
    tifffile.imwrite(root / "it.ome.tif", VOLUME, tile=(64, 64), metadata={"axes": "ZYX", **sizes, **units}, ome=True)
    server = of_folder(root)
    yield f"{server.url}/data/filtered/it.ome.tif"
    server.stop()


def about(radius: float) -> Any:
    return footprint(ball([step / radius for step in SCALE]))


EXPECTED = {
    "median,radius=1.6,axes=zyx": lambda: ndimage.median_filter(VOLUME, footprint=about(1.6), mode="nearest"),
    "morphology,radius=2,axes=zyx,method=open": lambda: cut(ndimage.grey_opening(repeated(VOLUME), footprint=about(2))),
    "tophat,radius=2,axes=zyx": lambda: cut(ndimage.white_tophat(repeated(VOLUME), footprint=about(2))),
}


@pytest.mark.judge
@pytest.mark.parametrize("view", EXPECTED)
def test_chunks_are_those_of_scipy(url: str, view: str) -> None:
    array = zarr.open_group(f"{url}/{view}/it.ome.zarr", mode="r")["0"]
    assert isinstance(array, zarr.Array)
    assert array.nchunks > 1
    np.testing.assert_array_equal(array[...], EXPECTED[view]())


@pytest.mark.parametrize(
    ("view", "status", "reason"),
    [
        ("threshold,value=9~components", 400, "cannot be read a part at a time"),
        ("median,radius=51", 413, "102 pixels along y; the limit is 100"),
        ("gaussian,sigma=25,axes=zyx", 413, "pixels of a volume; the limit is 16777216"),
        ("threshold,value=9~median,radius=1", 422, "labels are names"),
    ],
)
def test_what_cannot_be_says_why(url: str, view: str, status: int, reason: str) -> None:
    answer = requests.get(f"{url}/{view}/it.ome.zarr/zarr.json", timeout=30)
    assert answer.status_code == status
    assert reason in json.loads(answer.content)["detail"]

"""Points mapped over HTTP, between a view, the stored pixels and the world."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import nibabel
import nibabel.affines
import numpy as np
import pytest
import tifffile

from tests.servers import of_folder

WORLD = np.array([[0.0, -0.5, 0.1, 40], [0.25, 0, 0.2, -30], [0.0, 0.1, 1.5, 5], [0, 0, 0, 1]])


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    root = tmp_path_factory.mktemp("lab") / "lab"
    root.mkdir()
    volume = np.random.default_rng(3).integers(0, 500, (30, 40, 20)).astype(np.int16)
    nibabel.Nifti1Image(volume, WORLD).to_filename(root / "head.nii")
    tifffile.imwrite(root / "plane.tif", np.zeros((50, 60), np.uint8))
    server = of_folder(root)
    with httpx.Client(base_url=server.url, timeout=30) as client:
        yield client
    server.stop()


def mapped(
    client: httpx.Client, points: Any, view: str = "original", space: str = "pixel", name: str = "head.nii"
) -> Any:
    document = {"from": space, "points": points}
    answer = client.post(f"/api/map/lab/{name}", params={"view": view}, json=document)
    assert answer.status_code == 200, answer.text
    return answer.json()


POINTS: list[list[float]] = [[0, 0, 0], [29, 39, 19], [10.25, 3.5, 7], [-5, 0, 4]]


def test_stored_pixels_lie_in_the_world_where_nibabel_has_them(client: httpx.Client) -> None:
    found = mapped(client, POINTS)
    np.testing.assert_allclose(found["points"]["world"], nibabel.affines.apply_affine(WORLD, POINTS), atol=1e-5)
    np.testing.assert_allclose(found["points"]["stored_pixel"], POINTS, atol=1e-9)
    assert found["inside"] == [True, True, True, False]
    assert found["space"] == "aligned"
    assert found["units"] == dict.fromkeys("xyz", "millimeter")


VIEWS = [
    "flip,axes=x", "rotate,angle=30", "permute,axes=yzx~rotate90", "resample,pixel=0.7,unit=mm",
    "affine,matrix=1+0.1+0.2+3+0+1.1+0.1+2+0.2+0+0.9+1~flip,axes=zy", "crop,x=3..25~oblique,normal=1+2+3,planes=9",
    "rotate,angle=30~gaussian,sigma=1000~window,low=0,high=500~rotate,angle=12,plane=zx",
]  # fmt: skip


@pytest.mark.parametrize("view", VIEWS)
def test_points_go_to_the_stored_pixels_and_the_world_and_back(client: httpx.Client, view: str) -> None:
    there = mapped(client, POINTS, view)
    stored = there["points"]["stored_pixel"]
    assert np.abs(np.array(stored) - POINTS).max() > 1
    world = nibabel.affines.apply_affine(WORLD, stored)
    np.testing.assert_allclose(there["points"]["world"], world, atol=1e-4)
    for space in ("position", "stored_pixel", "stored_position", "world"):
        back = mapped(client, there["points"][space], view, space)
        np.testing.assert_allclose(back["points"]["pixel"], POINTS, atol=1e-5)


@pytest.mark.parametrize("view", VIEWS)
def test_nibabel_has_points_of_a_view_where_they_are_mapped_to(client: httpx.Client, tmp_path: Path, view: str) -> None:
    (tmp_path / "head.nii").write_bytes(client.get(f"/data/lab/head.nii/{view}/head.nii").raise_for_status().content)
    volume: Any = nibabel.load(tmp_path / "head.nii")
    mapped_to = mapped(client, POINTS, view)["points"]["world"]
    np.testing.assert_allclose(nibabel.affines.apply_affine(volume.affine, POINTS), mapped_to, atol=1e-3)


def test_a_mapped_pixel_shows_the_stored_one(client: httpx.Client) -> None:
    view = "permute,axes=yzx~rotate90,plane=zx~flip,axes=y"
    found = mapped(client, [[7, 11, 4]], view)
    x, y, z = (round(index) for index in found["points"]["stored_pixel"][0])
    np.testing.assert_allclose(found["points"]["stored_pixel"][0], [x, y, z], atol=1e-6)
    one, other = (
        client.get(
            "/api/cutout/lab/head.nii",
            params={"view": steps, "x": f"{i}..{i + 1}", "y": f"{j}..{j + 1}", "z": f"{k}..{k + 1}"},
        ).content[-2:]
        for steps, (i, j, k) in ((view, (7, 11, 4)), ("original", (x, y, z)))
    )
    assert one == other


def test_a_plane_of_a_volume_knows_its_height_and_a_projection_does_not(client: httpx.Client) -> None:
    plane = mapped(client, [[4, 5]], "rotate,angle=90~select,axis=z,index=6")
    assert plane["axes"]["pixel"] == ["x", "y"]
    assert plane["axes"]["stored_pixel"] == ["x", "y", "z"]
    assert plane["points"]["stored_pixel"][0][2] == pytest.approx(6)
    flat = mapped(client, [[4, 5]], "project")
    assert flat["points"]["stored_pixel"] == [[4.0, 5.0, None]]
    assert "world" not in flat["points"]
    assert mapped(client, [[4, 5, 9]], "project", "stored_pixel")["points"]["pixel"] == [[4.0, 5.0]]


def test_what_is_too_far_is_nowhere(client: httpx.Client) -> None:
    found = mapped(client, [[1.7e308, 3, 4]], "flip,axes=y", "position")
    assert found["points"]["pixel"][0][0] is None
    assert found["inside"] == [False]


def test_a_plane_has_two_numbers_a_point(client: httpx.Client) -> None:
    found = mapped(client, [[3, 4], [60, 4]], "rotate90", name="plane.tif")
    assert found["points"]["stored_pixel"] == [[4, 46], [4, -11]]
    assert found["inside"] == [True, False]


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        ('{"points": [[1, 2]]}', 400, "2 numbers for the axes x, y, z"),
        ('{"points": [[1, 2, 3, 4]]}', 400, "at most 3"),
        ('{"points": [[1, 2, NaN]]}', 400, "points.0.2"),
        ('{"points": [[1, 2, 1e999]]}', 400, "points.0.2"),
        ('{"from": "moon", "points": []}', 400, "from"),
        ('{"points": [[1, 2, 3]]', 400, "body"),
        ("[]", 400, "body"),
        ('{"points": [' + "[1,2,3]," * 1_200_000 + "[1,2,3]]}", 413, "fewer points"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told(client: httpx.Client, body: str, status: int, reason: str) -> None:
    answer = client.post("/api/map/lab/head.nii", content=body)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert reason in answer.json()["detail"]


def test_there_is_no_world_where_nobody_knows_one(client: httpx.Client) -> None:
    answer = client.post("/api/map/lab/plane.tif", json={"from": "world", "points": [[1, 2, 3]]})
    assert answer.status_code == 422
    assert client.post("/api/map/lab/none.tif", json={"points": []}).status_code == 404
    document = json.loads(client.get("/api/openapi.json").content)
    assert "post" in document["paths"]["/api/map/{path}"]

"""OME-Zarr 0.6, judged by ngff-zarr, which checks it by the specification's schemas and reads its transformations."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import tifffile
import zarr

import diascope
from diascope.image.affine import affine
from diascope.image.image import Image
from diascope.image.level import read_whole
from diascope.image.pyramid import with_pyramid
from diascope.image.space import pixel_matrix
from diascope.layouts.ome_zarr import layout_0_6
from diascope.operations.view import view
from diascope.testing.synthetic import ramp
from tests.judges import ngff_zarr, zarr_python
from tests.judges.pixels import Rejected
from tests.judges.required import required
from tests.layouts.on_disk import changed, written

VOLUME = with_pyramid(ramp("czyx", (2, 7, 300, 270), np.uint16, chunk_shape=(1, 4, 64, 64), name="volume"))
WORLD = np.array([[0.001, 0.0002, 0, 1], [0, 0.002, 0, -2], [0.0001, 0, 0.003, 3], [0, 0, 0, 1]])
IMAGES = [
    ramp("yx", (37, 53), np.uint8, name="plane"),
    VOLUME,
    replace(VOLUME, name="placed", world=affine(WORLD, "scanner")),
    ramp("cyx", (3, 70, 90), np.uint8, kind="rgb", levels=2, chunk_shape=(3, 64, 64), name="colours"),
    ramp("tczyx", (2, 3, 4, 20, 31), np.float32, name="everything"),
    ramp("zyx", (5, 37, 53), np.uint32, kind="labels", levels=2, name="labels"),
]
AFFINE = "affine,matrix=0.9+-0.3+0.1+4+0.2+1.1+0+-2+0+0.05+1+3"
MATRIX = np.array([[0.9, -0.3, 0.1, 4], [0.2, 1.1, 0, -2], [0, 0.05, 1, 3], [0, 0, 0, 1]])


def judged(where: object) -> Any:
    required(ngff_zarr.missing())
    return ngff_zarr.program().asked(str(where))


def homogeneous(numbers: list[float]) -> Any:
    """The matrix of (x, y, z, 1) of ITK's numbers, or of (x, y, 1)."""
    rank = {12: 3, 6: 2}[len(numbers)]
    matrix = np.eye(rank + 1)
    matrix[:rank, :rank] = np.reshape(numbers[: rank * rank], (rank, rank))
    matrix[:rank, rank] = numbers[rank * rank :]
    return matrix


def ome(image: Image) -> dict[str, Any]:
    file = layout_0_6.tree(image).file(f"{image.name}.zarr06.ome.zarr/zarr.json")
    assert file is not None
    found: dict[str, Any] = json.loads(file.read(0, None))["attributes"]["ome"]
    return found


@pytest.mark.judge
@pytest.mark.parametrize("image", IMAGES, ids=lambda image: image.name)
def test_everything_is_read_right(image: Image, tmp_path: Path) -> None:
    answer = judged(written(layout_0_6.tree(image), tmp_path))
    assert answer.facts["axes"] == list(image.axis_names)
    for level, pixels, placed in zip(image.levels, answer.arrays, answer.facts["placed"], strict=True):
        np.testing.assert_array_equal(pixels, read_whole(level))
        assert placed == [list(each) for each in zip(level.scale, level.translation, strict=True)]
    maps = {} if image.world is None else {"scanner": pytest.approx(image.world.array)}
    assert {name: homogeneous(numbers) for name, numbers in answer.facts["maps"].items()} == maps


@pytest.mark.judge
@pytest.mark.parametrize("text", [AFFINE, f"{AFFINE},interpolation=cubic", f"select,axis=c,index=1~{AFFINE}"])
def test_an_affine_view_is_its_source_and_the_transformation(text: str, tmp_path: Path) -> None:
    moved = view(text).applied(IMAGES[2])
    answer = judged(written(layout_0_6.tree(moved), tmp_path))
    source = view("select,axis=c,index=1").applied(IMAGES[2]) if "select" in text else IMAGES[2]
    for level, pixels in zip(source.levels, answer.arrays, strict=True):
        np.testing.assert_array_equal(pixels, read_whole(level))
    maps = {name: homogeneous(numbers) for name, numbers in answer.facts["maps"].items()}
    np.testing.assert_allclose(maps["view"], MATRIX, atol=1e-12)
    np.testing.assert_allclose(maps["scanner"], WORLD)
    assert moved.world is not None
    np.testing.assert_allclose(moved.world.array @ maps["view"], maps["scanner"], atol=1e-12)


@pytest.mark.judge
def test_a_pixel_is_where_the_resampled_view_shows_it(tmp_path: Path) -> None:
    """The two ways to serve a view say the same of where things are."""
    pixels = np.zeros((40, 50), np.uint16)
    pixels[11, 32] = 60_000
    image = ramp("yx", pixels.shape, name="point")
    level = replace(image.levels[0], read_pixels=lambda region: pixels[region.slices])
    image = replace(image, levels=(level,))
    moved = view("affine,matrix=0.5+-1.5+3+1.25+0.75+-1,interpolation=nearest,pixel=0.05+0.05").applied(image)
    shown = read_whole(moved.levels[0])
    y, x = np.nonzero(shown)
    seen = pixel_matrix(moved.axes, moved.levels[0]) @ [x.mean(), y.mean(), 0, 1]
    answer = judged(written(layout_0_6.tree(moved), tmp_path))
    (by,) = answer.facts["maps"].values()
    at = [answer.facts["placed"][0][k][0] * index for k, index in ((1, 32), (0, 11))]
    np.testing.assert_allclose(homogeneous(by) @ [*at, 1], [*seen[:2], 1], atol=0.05)


def test_a_moved_file_is_served_with_its_own_pixels(server: Callable[[Path], str], tmp_path: Path) -> None:
    """Through the cache and the server, chunk by chunk, whatever number of operations moved it."""
    folder = tmp_path / "folder"
    folder.mkdir()
    pixels = np.random.default_rng(4).integers(0, 60_000, (9, 400, 300), np.uint16)
    tifffile.imwrite(folder / "stack.tif", pixels, imagej=True, metadata={"axes": "ZYX"})
    url = f"{server(folder)}/data/folder/stack.tif/rotate,angle=30~translate,x=4/stack.zarr06.ome.zarr"
    told = httpx.get(f"{url}/zarr.json").raise_for_status().json()["attributes"]["ome"]["multiscales"][0]
    (step,) = told["coordinateTransformations"]
    assert (step["type"], step["output"]) == ("affine", {"name": "view"})
    turned = np.array(step["affine"])[1:, 1:3]
    np.testing.assert_allclose(turned @ turned.T, np.eye(2), atol=1e-12)
    np.testing.assert_allclose(turned.diagonal(), np.cos(np.pi / 6))
    group = zarr_python.group(url)
    for k in range(len(told["datasets"])):
        np.testing.assert_array_equal(
            np.asarray(group[str(k)][...]), read_whole(diascope.open(folder / "stack.tif").levels[k])
        )


@pytest.mark.parametrize(
    "text",
    [
        f"{AFFINE},domain=same",
        f"{AFFINE}~crop,x=10..200",
        f"{AFFINE}~gaussian,sigma=1",
        "gaussian,sigma=1",
        "flip,axes=x",
    ],
)
def test_what_is_more_than_moved_is_served_as_it_is_seen(text: str, tmp_path: Path) -> None:
    image = view(text).applied(VOLUME)
    top = written(layout_0_6.tree(image), tmp_path)
    assert "coordinateTransformations" not in ome(image)["multiscales"][0]
    for k, level in enumerate(image.levels):
        np.testing.assert_array_equal(zarr.open_array(top / str(k), mode="r")[...], read_whole(level))


def test_the_plainest_transformation_is_written() -> None:
    def transformation(text: str) -> dict[str, Any]:
        (found,) = ome(view(text).applied(VOLUME))["multiscales"][0]["coordinateTransformations"]
        assert (found.pop("input"), found.pop("output")) == ({"name": "physical"}, {"name": "view"})
        return dict(found)

    assert transformation("translate,x=3,y=4,z=6") == {"type": "translation", "translation": [0, 6, 4, 3]}
    assert transformation("affine,matrix=2+0+0+0+4+0") == {"type": "scale", "scale": [1, 1, 4, 2]}
    found = transformation("affine,matrix=2+0+1+0+4+0")
    assert [step["type"] for step in found["transformations"]] == ["scale", "translation"]
    assert transformation("affine,matrix=1+0.5+0+0+1+0")["type"] == "affine"


def test_a_plane_lies_in_a_world_of_two_axes_or_in_none() -> None:
    plane = IMAGES[0]
    flat = np.diag([0.5, 0.25, 1, 1])
    (found,) = ome(replace(plane, world=affine(flat, "slide")))["multiscales"][0]["coordinateTransformations"]
    assert (found["output"], found["scale"]) == ({"name": "slide"}, [0.25, 0.5])
    tilted = flat.copy()
    tilted[2, 3] = 7
    assert "coordinateTransformations" not in ome(replace(plane, world=affine(tilted, "slide")))["multiscales"][0]


@pytest.mark.parametrize("space", ["physical", "view", ""])
def test_systems_have_names_of_their_own(space: str) -> None:
    moved = view(AFFINE).applied(replace(VOLUME, world=affine(WORLD, space)))
    names = [system["name"] for system in ome(moved)["multiscales"][0]["coordinateSystems"]]
    assert len(set(names)) == 3
    assert all(names)
    assert names[-1] == "physical"


@pytest.mark.judge
@pytest.mark.parametrize("twin", ["no systems", "no input", "short affine", "two steps", "version"])
def test_the_judge_rejects_broken_metadata(twin: str, tmp_path: Path) -> None:
    top = written(layout_0_6.tree(view(AFFINE).applied(VOLUME)), tmp_path)

    def other(data: bytes) -> bytes:
        whole = json.loads(data)
        found = whole["attributes"]["ome"]["multiscales"][0]
        if twin == "no systems":
            del found["coordinateSystems"]
        if twin == "no input":
            del found["coordinateTransformations"][0]["input"]
        if twin == "short affine":
            found["coordinateTransformations"][0]["affine"].pop()
        if twin == "two steps":
            found["datasets"][0]["coordinateTransformations"] *= 2
        if twin == "version":
            whole["attributes"]["ome"]["version"] = "0.7"
        return json.dumps(whole).encode()

    changed(top / "zarr.json", other)
    with pytest.raises(Rejected):
        judged(top)

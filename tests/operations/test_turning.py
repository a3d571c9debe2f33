"""Pixels in another order are the stored ones, at their true positions and in their place in the world."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy import ndimage

from diascope.image.affine import affine
from diascope.image.image import Image
from diascope.image.level import Level, read_whole
from diascope.operations.view import view
from diascope.testing.synthetic import UNITS
from tests.operations.pictures import noise, pictured, seen

WORLD = np.array([[0.1, 0.9, 0.2, 5], [-1.1, 0.2, 0.1, -7], [0.1, 0.3, 1.3, 11], [0, 0, 0, 1]])


def volume(**options: Any) -> Image:
    return pictured(noise((2, 7, 10, 13)), "czyx", scale=(1, 2, 0.5, 0.25), translation=(0, 3, -4, 7), **options)


@pytest.mark.parametrize(
    ("text", "function"),
    [
        ("flip,axes=x", lambda pixels: pixels[..., ::-1]),
        ("flip,axes=zy", lambda pixels: pixels[:, ::-1, ::-1]),
        ("permute,axes=yzx", lambda pixels: pixels.transpose(0, 2, 1, 3)),
        ("permute,axes=xzy", lambda pixels: pixels.transpose(0, 3, 1, 2)),
        ("permute,axes=zxy", lambda pixels: pixels.transpose(0, 1, 3, 2)),
        ("rotate90", lambda pixels: np.rot90(pixels, -1, (2, 3))),
        ("rotate90,turns=2,plane=zx", lambda pixels: np.rot90(pixels, 2, (1, 3))),
        ("rotate90,turns=3,plane=zy", lambda pixels: np.rot90(pixels, 1, (1, 2))),
        ("rotate90,plane=zx", lambda pixels: np.rot90(pixels, -1, (1, 3))),
    ],
)
def test_pixels_are_those_of_numpy(text, function):
    image = volume()
    np.testing.assert_array_equal(seen(text, image), function(image[...]))


def test_lengths_and_units_go_with_their_axes():
    image = pictured(noise((7, 10, 13)), "zyx", scale=(2, 0.5, 0.25), translation=(3, -4, 7),
                     units={"z": "millimeter", "y": "micrometer", "x": "nanometer"})  # fmt: skip
    result = view("permute,axes=xzy").applied(image)
    level = result.levels[0]
    assert (level.shape, level.scale, level.translation) == ((13, 7, 10), (0.25, 2, 0.5), (7, 3, -4))
    assert [axis.unit for axis in result.axes] == ["nanometer", "millimeter", "micrometer"]


POSITIONS = [
    "flip,axes=yx", "rotate90", "permute,axes=yzx", "rotate90,turns=3,plane=zy~flip,axes=z~permute,axes=xzy",
    "rotate,angle=24", "rotate,angle=-35,plane=zx~flip,axes=y", "resample,pixel=0.6", "translate,x=3.1,z=1",
    "affine,matrix=0.9+0.2+3+-0.1+1.1+2", "affine,matrix=1+0.1+0.2+3+0+1.1+0.1+2+0.2+0+0.9+1~rotate90,plane=zx",
    "oblique,normal=0.3+0.2+1,planes=30,pixel=0.5", "oblique,right=1+1+0,down=0+1+2,planes=40,pixel=0.4~flip,axes=x",
    "crop,x=20..60,y=10..50~rotate,angle=10~crop,x=3..~flip,axes=x", "select,axis=z,index=6~rotate,angle=30",
    "rotate,angle=30~select,axis=z,index=5~flip,axes=x",
]  # fmt: skip


@pytest.mark.parametrize("text", POSITIONS)
def test_a_feature_keeps_its_place_in_the_world(text):
    """Images of the world's x, y and z themselves: what a pixel shows is where the result says that it lies."""
    shape, scale, first = (14, 60, 80), (2.0, 0.5, 0.25), (3.0, -4.0, 7.0)
    z, y, x = (i * s + t for i, s, t in zip(np.indices(shape), scale, first, strict=True))
    places = np.stack([x, y, z, np.ones(shape)], axis=-1) @ WORLD.T
    tested = 0
    for k in range(3):
        image = pictured(places[..., k] + 1000, "zyx", scale=scale, translation=first, levels=3)
        result = view(text).applied(replace(image, world=affine(WORLD, "scanner")))
        assert result.world is not None
        assert result.world.space == "scanner"
        for level in result.levels:
            shown, said = read_whole(level) - 1000, world_of(result, level)[..., k]
            # Where half of a pixel hangs over the edge, the outermost place is repeated.
            inner = ndimage.binary_erosion(shown != -1000, iterations=3)
            np.testing.assert_allclose(shown[inner], said[inner], atol=1e-3)
            tested += inner.sum()
            stored = result.stored(positions(result, level)) @ WORLD[:3, :3].T + WORLD[:3, 3]
            np.testing.assert_allclose(stored[..., k], said, atol=1e-9)
    assert tested > 1000


def positions(image: Image, level: Level) -> Any:
    given = dict(zip(image.axis_names, np.indices(level.shape), strict=True))
    scales, firsts = (dict(zip(image.axis_names, each, strict=True)) for each in (level.scale, level.translation))
    along = [given[n] * scales[n] + firsts[n] if n in given else np.zeros(level.shape) for n in "xyz"]
    return np.stack(along, axis=-1)


def world_of(image: Image, level: Level) -> Any:
    assert image.world is not None
    return positions(image, level) @ image.world.array[:3, :3].T + image.world.array[:3, 3]


def test_a_named_space_is_where_the_result_lies():
    image = replace(volume(), world=affine(WORLD, "scanner"))
    result = view("affine,matrix=0.9+0.2+3+-0.1+1.1+2,space=mni152").applied(image)
    assert result.world is not None
    assert result.world.space == "mni152"
    np.testing.assert_allclose(result.world.array, np.diag([1e-3, 1e-3, 1e-3, 1]))


def test_an_unknown_plane_has_no_place():
    image = volume(units=UNITS)
    assert np.isnan(view("project").applied(image).stored(np.zeros(3))).tolist() == [False, False, True]
    flat = view("rotate,angle=30~project~rotate,angle=-30").applied(image)
    assert np.isnan(flat.stored(np.zeros(3))).tolist() == [False, False, True]
    tilted = view("rotate,angle=30,plane=zx~project").applied(image)
    assert np.isnan(tilted.stored(np.zeros(3))).tolist() == [True, False, True]


def test_an_oblique_plane_is_that_of_scipy():
    image = pictured(noise((20, 30, 40), np.float64), "zyx", scale=(1.5, 0.5, 0.25), translation=(3, -4, 7))
    result = view("oblique,right=1+0.1+0,down=0+0.3+1,origin=12+3+16,size=7+9,pixel=0.3,planes=2").applied(image)
    right = np.array([1, 0.1, 0]) / np.hypot(1, 0.1)
    down = np.array([0, 0.3, 1]) - right * (right @ [0, 0.3, 1])
    down /= np.linalg.norm(down)
    w, v, u = np.indices(result.shape)
    at = (
        np.array([12, 3, 16])
        + (u[..., None] - (result.shape[2] - 1) / 2) * 0.3 * right
        + (v[..., None] - (result.shape[1] - 1) / 2) * 0.3 * down
        + (w[..., None] - 0.5) * 0.3 * np.cross(right, down)
    )
    index = (at[..., ::-1] - (3, -4, 7)) / (1.5, 0.5, 0.25)
    expected = ndimage.map_coordinates(image[...], np.moveaxis(index, -1, 0), order=1, mode="nearest")
    inside = result[...] != 0
    assert result.shape == (2, 30, 23)
    assert inside.mean() > 0.5
    np.testing.assert_allclose(result[...][inside], expected[inside], atol=1e-6)
    assert {axis.unit for axis in result.axes} == {"micrometer"}

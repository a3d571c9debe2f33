"""Distances of pixels that are told by whoever knows them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from diascope.errors import BadRequest, Unsupported
from diascope.image.affine import Affine
from diascope.image.image import Image
from diascope.image.pyramid import with_pyramid
from diascope.image.region import whole
from diascope.operations.view import view
from diascope.testing.synthetic import ramp


@pytest.fixture
def flat() -> Image:
    return with_pyramid(ramp("cyx", (2, 600, 700), "u2", chunk_shape=(1, 64, 64)), lambda level, _: level)


def test_distances_are_told_at_every_level_and_positions_follow(flat: Image) -> None:
    told = view("calibrate,x=0.1,y=0.3").applied(flat)
    assert told.levels[0].scale[1:] == (0.3, 0.1)
    assert [axis.unit for axis in told.axes] == [flat.axes[0].unit, "micrometer", "micrometer"]
    for before, after in zip(flat.levels, told.levels, strict=True):
        bins = before.scale[2] / flat.levels[0].scale[2]
        assert after.scale[2] == pytest.approx(0.1 * bins)
        assert after.translation[2] == pytest.approx(0.1 * before.translation[2] / flat.levels[0].scale[2])
        assert (after.read_pixels, after.shape) == (before.read_pixels, before.shape)


def test_a_flat_image_becomes_a_stack_of_one_plane(flat: Image) -> None:
    told = view("calibrate,z=30,unit=nm").applied(flat)
    assert (told.axis_names, told.shape) == ("czyx", (2, 1, 600, 700))
    assert told.axes[1].unit == "nanometer"
    assert told.levels[0].scale == (flat.levels[0].scale[0], 30.0, *flat.levels[0].scale[1:])
    for before, after in zip(flat.levels, told.levels, strict=True):
        np.testing.assert_array_equal(
            after.read_pixels(whole(after.shape))[:, 0], before.read_pixels(whole(before.shape))
        )


def test_what_makes_no_sense_is_refused(flat: Image) -> None:
    for text in ("calibrate", "calibrate,x=0", "calibrate,x=1,unit=s", "calibrate,x=-1", "calibrate,x=nan"):
        with pytest.raises(BadRequest):
            view(text)
    identity = tuple(tuple(float(i == k) for k in range(4)) for i in range(4))
    placed = replace(flat, world=Affine(identity, "scanner"))  # type: ignore[arg-type]
    with pytest.raises(Unsupported, match="world"):
        view("calibrate,x=1").applied(placed)

"""Every registered operation keeps the published contract."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from diascope.errors import BadRequest
from diascope.image.image import Image
from diascope.image.level import Level, Pixels
from diascope.image.region import Region
from diascope.operations.operation import Operation, Parameters, mapped
from diascope.operations.view import Step, View, view
from diascope.registry import registry
from diascope.testing.operations import check_documented, check_operation, check_view, images
from tests.operations.fields import beside


@pytest.mark.parametrize("name", list(registry("operations")))
@pytest.mark.parametrize("seed", [0, 1])
def test_a_registered_operation_keeps_the_contract(name, seed):
    operation = registry("operations")[name]
    assert operation.name == name
    check_operation(operation, seed, beside)


@pytest.mark.parametrize(
    "text",
    [
        "crop,x=3..40,y=5..~gaussian,sigma=1,axes=zyx~project,method=mean~render",
        "channels,show=1+0~project~gaussian,sigma=0.7~channels,colours=ff8000+0040ff,blend=true",
        "median,radius=1~clahe,low=0,high=300,tile=9~crop,y=3..",
        "threshold,value=70~morphology,radius=1,method=open~flip,axes=x",
        "gaussian,sigma=0.4~crop,x=7..,unit=um~window,low=5,high=300~render",
        "render~crop,y=3..21~select,axis=c,index=2~window,low=9,high=99",
    ],
)
def test_operations_keep_it_together(text):
    accepted = [check_view(view(text), image) for image in images()]
    assert any(accepted)


class Nothing(Parameters):
    """No parameters."""


class Silent(Parameters):
    size: int = 3


def _mapped(function: Callable[[Pixels], Pixels], dtype: np.dtype[Any] | None = None) -> Callable[[Image], Image]:
    def read(level: Level) -> Level:
        return replace(level, dtype=dtype or level.dtype, read_pixels=lambda region: function(level.read(region)))

    return lambda image: mapped(image, read)


def _in_place(pixels: Pixels) -> Pixels:
    pixels[...] = 0
    return pixels


def _normalised(image: Image) -> Image:
    """Stretches by what it reads, which differs from tile to tile."""
    return _mapped(lambda pixels: pixels - pixels.min() if pixels.dtype.kind == "u" else pixels)(image)


def _eager(image: Image) -> Image:
    image.levels[0].read(Region((0,) * len(image.axes), image.shape))
    return image


def _shortened(image: Image) -> Image:
    return replace(image, axes=image.axes[1:]) if len(image.axes) > 2 else image


def _unreasoned(image: Image) -> Image:
    raise BadRequest("no")


@pytest.mark.parametrize(
    ("apply", "complaint"),
    [
        (_normalised, "differs from the whole"),
        (_mapped(_in_place), "read-only"),
        (_mapped(lambda pixels: pixels.astype(np.float64)), "was read and"),
        (_mapped(lambda pixels: pixels[..., ::2]), "were read|was read as"),
        (_eager, "before they were asked for"),
        (_shortened, "do not fit its axes|are there"),
        (_unreasoned, "is no reason"),
    ],
)
def test_a_broken_operation_is_found_out(apply, complaint):
    broken = View((Step(Operation(name="b", title="B", parameters=Nothing, apply=lambda i, _: apply(i)), Nothing()),))
    with pytest.raises((AssertionError, ValueError), match=complaint):
        [check_view(broken, image) for image in images()]


def test_a_parameter_without_a_description_is_found_out():
    def apply(image: Image, _: Silent) -> Image:
        """The same."""
        return image

    silent = Operation(name="silent", title="Silent", parameters=Silent, apply=apply, examples=("silent",))
    with pytest.raises(AssertionError, match="size has no description"):
        check_documented(silent)

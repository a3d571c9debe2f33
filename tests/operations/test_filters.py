"""Filters by random parameters, alone and after one another, are the same in every tile of images of all kinds."""

from __future__ import annotations

from math import exp, log

import numpy as np
import pytest

from diascope.operations.view import view
from diascope.testing.operations import check_view, images
from tests.operations.pictures import noise, pictured, seen

EACH = 25
"""So many views of each seed."""


def length(random, low, high):
    """Small and large ones as often."""
    return round(exp(random.uniform(log(low), log(high))), 4)


def a_filter(random):
    axes = random.choice(["yx", "yx", "zyx"])
    narrow = length(random, 0.05, 2)
    return random.choice(
        [
            f"median,radius={length(random, 0.1, 8)},axes={axes}",
            f"morphology,radius={length(random, 0.1, 6)},axes={axes},method={random.choice(['dilate', 'erode'])}",
            f"morphology,radius={length(random, 0.1, 4)},axes={axes},method={random.choice(['open', 'close'])}",
            f"tophat,radius={length(random, 0.1, 4)},axes={axes},method={random.choice(['white', 'black'])}",
            f"unsharp,sigma={length(random, 0.05, 3)},axes={axes},amount={length(random, 0.1, 50)}",
            f"dog,narrow={narrow},wide={narrow * 1.6:.6f},axes={axes}",
            f"gradient,sigma={length(random, 0.02, 3)},axes={axes}",
            f"gradient,axes={axes}",
            f"clahe,low={length(random, 0.1, 9)},high=4000,tile={length(random, 3, 40)},clip={length(random, 1, 20)}",
        ]
    )


@pytest.mark.parametrize("seed", range(4))
def test_tiles_equal_the_whole_whatever_the_parameters(seed):
    random = np.random.default_rng(seed)
    tried = list(images())
    accepted = 0
    for _ in range(EACH):
        text = "~".join(a_filter(random) for _ in range(random.integers(1, 3)))
        accepted += check_view(view(text), tried[random.integers(len(tried))], int(random.integers(1 << 30)))
    assert accepted > EACH // 4


FILTERS = (
    "median,radius=1.1", "morphology,radius=1.1,method=open", "tophat,radius=1.1", "unsharp,sigma=0.7",
    "dog,narrow=0.7,wide=1.1", "gradient,sigma=0.7", "gradient",
)  # fmt: skip


@pytest.mark.parametrize("text", FILTERS)
def test_axes_are_not_mixed_up(text):
    """An image whose axes are exchanged, with the distances of its pixels, is filtered to the exchanged result."""
    pixels, scale = noise((6, 17, 31), "f8"), (1.0, 0.5, 0.25)
    for axes in ("yx", "zyx"):
        order = (0, 2, 1) if axes == "yx" else (2, 0, 1)
        turned = pictured(pixels.transpose(order), "zyx", scale=[scale[k] for k in order])
        expected = seen(f"{text},axes={axes}", pictured(pixels, "zyx", scale=scale)).transpose(order)
        np.testing.assert_allclose(seen(f"{text},axes={axes}", turned), expected, rtol=1e-9, atol=1e-6)


@pytest.mark.parametrize("text", FILTERS)
def test_an_image_that_is_mirrored_is_filtered_to_the_mirrored_result(text):
    pixels = noise((5, 18, 33), "f8")
    for axes in ("yx", "zyx"):
        made = seen(f"{text},axes={axes}", pictured(pixels[::-1, ::-1, ::-1], "zyx"))
        expected = seen(f"{text},axes={axes}", pictured(pixels, "zyx"))[::-1, ::-1, ::-1]
        np.testing.assert_allclose(made, expected, rtol=1e-9, atol=1e-6)

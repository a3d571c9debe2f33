"""What is made ready is what requests then need."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from diascope.commands.warming import warm_up
from diascope.encodings import deflate_kernel, png
from diascope.image import kernels
from diascope.layouts import shifting

LOOPS: tuple[Any, ...] = (
    deflate_kernel.filtered,
    deflate_kernel.grouped,
    deflate_kernel.lengths_of,
    deflate_kernel.codes_of,
    deflate_kernel.coded,
    shifting.shifted,
    kernels.linear_planes,
    kernels.linear_volumes,
)


def signatures() -> list[int]:
    return [len(loop.signatures) for loop in LOOPS]


@pytest.mark.parametrize("shape", [(300, 20), (300, 20, 3), (300, 20, 4)])
@pytest.mark.parametrize("type", [np.uint8, np.uint16])
def test_pictures_find_all_they_need(shape: tuple[int, ...], type: type[np.generic]) -> None:
    warm_up().join(120)
    before = signatures()
    assert all(before)
    pixels = np.random.default_rng(0).integers(0, 200, shape).astype(type)
    for writeable in (True, False):
        pixels.flags.writeable = writeable
        png.encoded(pixels)
        png.encoded(pixels.swapaxes(0, 1))
    assert signatures() == before

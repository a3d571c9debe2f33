"""Point operations that follow one another are one look-up, and give what they give one by one."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diascope.image.image import Image
from diascope.image.level import Pixels, read_whole
from diascope.image.region import Region
from diascope.operations import pointwise as module
from diascope.operations.pointwise import Mapped, _table, looked_up
from diascope.operations.view import View, view
from tests.operations.pictures import noise, pictured

STEPS = (
    "window,low=10,high=3000",
    "window,low=90,high=5,gamma=0.6",
    "gamma,gamma=0.45",
    "gamma,gamma=2.2,low=3,high=120",
    "log",
    "log,base=10,offset=-2",
    "invert",
    "invert,low=-5,high=300",
    "cast,dtype=uint8,how=clip",
    "cast,dtype=int16,how=scale",
    "cast,dtype=uint16,how=clip",
    "cast,dtype=float32,how=clip",
    "cast,dtype=int32,how=clip",
)


def separately(steps: View, image: Image) -> Image:
    """The image after each operation by itself: none sees what was before."""
    for step in steps.steps:
        image = step.operation.apply(image, step.parameters)
        hidden = tuple(replace(level, read_pixels=partial(level.read_pixels)) for level in image.levels)
        image = replace(image, levels=hidden)
    return image


@settings(max_examples=60, deadline=None)
@given(
    chain=st.lists(st.sampled_from(STEPS), min_size=1, max_size=5),
    dtype=st.sampled_from(["u1", "i1", "u2", "i2", "u4", "i4", "f4", "f8"]),
    seed=st.integers(0, 2**32 - 1),
)
def test_fused_is_unfused_bit_for_bit(chain, dtype, seed):
    random = np.random.default_rng(seed)
    info = np.iinfo(dtype) if dtype[0] in "iu" else None
    pixels = random.integers(info.min, info.max, (3, 31, 45), dtype, endpoint=True) if info else None
    if pixels is None:
        pixels = (random.standard_normal((3, 31, 45)) * 10.0 ** random.integers(-2, 6)).astype(dtype)
        pixels.flat[:4] = [np.nan, np.inf, -np.inf, 0]
    image = pictured(pixels, "zyx")
    steps = view("~".join(chain))
    fused, apart = steps.applied(image), separately(steps, image)
    assert fused.dtype == apart.dtype
    assert fused.channels == apart.channels
    for region in (Region((0, 0, 0), (3, 31, 45)), Region((1, 7, 5), (3, 8, 42)), Region((2, 3, 4), (3, 4, 5))):
        assert fused.levels[0].read(region).tobytes() == apart.levels[0].read(region).tobytes()


def test_several_operations_are_one_function_of_the_level_behind_them():
    image = pictured(noise((8, 9)), "yx")
    read = view("window,low=0,high=9000~gamma,gamma=2~invert").applied(image).levels[0].read_pixels
    assert isinstance(read, Mapped)
    assert len(read.functions) == 3
    assert read.source is image.levels[0]


def test_a_level_is_looked_up_once_however_many_operations_there_are(monkeypatch):
    calls = []

    def counted(pixels: Pixels, entries: Pixels) -> Pixels:
        calls.append(entries.dtype)
        return looked_up(pixels, entries)

    monkeypatch.setattr(module, "looked_up", counted)
    made = view("log~gamma,gamma=0.5,low=0,high=11~window,low=0,high=11").applied(pictured(noise((8, 9)), "yx"))
    made[...]
    made[2:5, 3:]
    assert calls == [np.uint8, np.uint8]


def test_tables_are_shared_among_levels_and_views(monkeypatch):
    image = pictured(noise((64, 64)), "yx", levels=3)
    made = []

    def counted(functions, dtype):
        made.append(functions)
        return _table(functions, dtype)

    monkeypatch.setattr(module, "_table", counted)
    for _ in range(3):
        for level in view("invert~gamma,gamma=0.123").applied(image).levels:
            read_whole(level)
    assert len(made) == 1


def test_an_operation_between_that_is_none_of_points_parts_them():
    image = pictured(noise((30, 30), "u1", 255), "yx")
    read = view("invert~gaussian,sigma=1~invert").applied(image).levels[0].read_pixels
    assert isinstance(read, Mapped)
    assert len(read.functions) == 1


@pytest.mark.parametrize("dtype", ["u1", "i1", "u2", "i2"])
@pytest.mark.parametrize("result", ["u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f2", "f4", "f8", "c8", "c16"])
def test_every_type_is_looked_up(dtype, result):
    pixels = np.random.default_rng(1).integers(np.iinfo(dtype).min, np.iinfo(dtype).max, (5, 7), dtype)
    values = np.arange(np.iinfo(dtype).max - np.iinfo(dtype).min + 1) * 12_345
    entries = values.astype(result) if result[0] != "f" else (values % 2000 - 700).astype(result)
    expected = entries[pixels.view(f"u{pixels.itemsize}")]
    np.testing.assert_array_equal(looked_up(pixels, entries), expected)


@pytest.mark.parametrize("order", ["C", "F"])
def test_memory_may_lie_in_any_order(order):
    pixels = np.asarray(noise((4, 5, 6)), order=order)[:, ::-1]
    level = replace(pictured(pixels, "zyx").levels[0], read_pixels=lambda region: pixels[region.slices])
    image = replace(pictured(pixels, "zyx"), levels=(level,))
    np.testing.assert_array_equal(view("invert").applied(image)[...], 65535 - pixels)

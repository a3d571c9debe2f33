"""Rows of a grid go through a field of displacements as their pixels do one by one."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from diascope.image.displaced_rows import displaced_rows
from diascope.image.displacement import Displacement
from diascope.image.level import in_memory
from diascope.image.mapping import Mapping, linear, mapping
from diascope.image.spline import Bend

RANDOM = np.random.default_rng(3)
SHAPE = (11, 13, 17)
"""Of the field, along z, y and x."""


def field(kind: Any = np.float32, **changes: Any) -> Displacement:
    vectors = RANDOM.normal(0, 3, (3, *SHAPE)).astype(kind)
    vectors[:, 4, 5, 6] = np.nan
    index = np.array([[0.5, 0, 0, 1], [0, -0.25, 0, 11], [0, 0, 0.4, 0.3], [0, 0, 0, 1]])
    made = Displacement(in_memory(vectors), linear(index), (-1.0, -1.0, 1.0), 2.0)
    return replace(made, **changes)


def by_position(bent: Mapping, pixels: Any, source: Any, start: Any, stop: Any) -> Any:
    z, y, x = np.meshgrid(*(np.arange(a, b) for a, b in zip(start, stop, strict=True)), indexing="ij")
    positions = np.stack([x, y, z, np.ones_like(x)], axis=-1) @ pixels.T
    there = bent(np.ascontiguousarray(positions[..., :3]))
    placed = (there - source[:3, 3]) / np.diag(source)[:3]
    return np.moveaxis(placed, -1, 0)[::-1]


PIXELS = np.diag([0.7, 0.9, 1.1, 1.0])
SOURCE = np.diag([0.5, 0.5, 2.0, 1.0])
PIXELS[:3, 3], SOURCE[:3, 3] = (-2.5, 1, 0.25), (1, 2, 3)
TURN = np.array([[0.8, -0.6, 0, 3], [0.6, 0.8, 0.1, 1], [0, 0.2, 0.9, 0], [0, 0, 0, 1.0]])
BOXES = [((0, 0, 0), (30, 40, 70)), ((3, 7, 11), (4, 8, 12)), ((-9, -9, -9), (5, 5, 5)), ((90, 90, 90), (93, 95, 97))]


@pytest.mark.parametrize("kind", [np.float32, np.float64, np.int16])
@pytest.mark.parametrize("clamped", [False, True])
@pytest.mark.parametrize(("start", "stop"), BOXES)
def test_rows_go_where_their_pixels_go(kind: Any, clamped: bool, start: Any, stop: Any) -> None:
    made = field(np.float64 if kind is np.int16 else kind, clamped=clamped)
    if kind is np.int16:
        made = replace(made, field=in_memory(RANDOM.integers(-3, 4, (3, *SHAPE)).astype(kind)))
    bent = Mapping((made, linear(TURN)))
    rows = displaced_rows(bent, PIXELS, SOURCE)
    assert rows is not None
    expected = by_position(bent, PIXELS, SOURCE, start, stop)
    np.testing.assert_allclose(rows.places(start, stop), expected, rtol=1e-9, atol=1e-9)
    assert np.isnan(expected).any() == ((start, stop) == BOXES[0] and kind is not np.int16)


def test_a_box_in_parts_is_the_same_to_the_last_bit() -> None:
    rows = displaced_rows(Mapping((field(), linear(TURN))), PIXELS, SOURCE)
    assert rows is not None
    whole = rows.places((0, 0, 0), (20, 21, 22))
    for z0, z1 in pairwise((0, 1, 7, 20)):
        for x0, x1 in pairwise((0, 5, 6, 22)):
            part = rows.places((z0, 2, x0), (z1, 19, x1))
            np.testing.assert_array_equal(part, whole[:, z0:z1, 2:19, x0:x1])


def test_of_a_fine_field_no_more_is_read_at_once_than_is_worth_it(monkeypatch: pytest.MonkeyPatch) -> None:
    made = field()
    read: list[int] = []
    level = made.field

    def counted(region: Any) -> Any:
        read.append(int(np.prod(region.shape[1:])))
        return level.read_pixels(region)

    rows = displaced_rows(Mapping((replace(made, field=replace(level, read_pixels=counted)),)), PIXELS, SOURCE)
    assert rows is not None
    whole = rows.places((0, 0, 0), (6, 6, 6))
    monkeypatch.setattr("diascope.image.displacement.CHEAP", 8)
    monkeypatch.setattr("diascope.image.displacement.WASTE", 0)
    read.clear()
    np.testing.assert_array_equal(rows.places((0, 0, 0), (6, 6, 6)), whole)
    assert len(read) > 8
    assert max(read) <= 8


@pytest.mark.parametrize(
    "bent",
    [
        pytest.param(mapping(TURN).then(Mapping((field(),))), id="the grid is tilted"),
        pytest.param(Mapping((field(), field())), id="two fields"),
        pytest.param(Mapping((Bend(np.zeros((3, 3)), np.zeros((3, 3)), 1.0, 3),)), id="no field"),
    ],
)
def test_others_go_position_by_position(bent: Mapping) -> None:
    assert displaced_rows(bent, PIXELS, SOURCE) is None

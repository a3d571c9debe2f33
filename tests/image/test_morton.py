"""The compressed Morton code against a straightforward reading of its description."""

from __future__ import annotations

from itertools import product
from math import prod

import pytest

from diascope.image.morton import Curve, cells, curve
from diascope.image.region import Ints, Region

SHAPES = [(1, 1, 1), (3, 2, 1), (5, 7, 3), (8, 1, 9), (16, 16, 2), (1, 13, 1), (2, 3, 17)]

each_shape = pytest.mark.parametrize("shape", SHAPES, ids=str)


def code(index: Ints, shape: Ints) -> int:
    """As the specification's pseudo-code has it."""
    found, place = 0, 0
    for bit in range(max(shape).bit_length()):
        for axis, size in enumerate(shape):
            if 1 << bit < size:
                found |= (index[axis] >> bit & 1) << place
                place += 1
    return found


def codes(shape: Ints) -> list[int]:
    return sorted(code(index, shape) for index in product(*map(range, shape)))


@each_shape
def test_every_cell_has_its_code(shape: Ints) -> None:
    order = curve(shape)
    assert list(order.codes(0, 1 << order.bits)) == codes(shape)
    for index in product(*map(range, shape)):
        assert order.index(code(index, shape)) == index


@each_shape
def test_any_code_can_be_begun_with(shape: Ints) -> None:
    order = curve(shape)
    for start in range(1 << order.bits):
        assert list(order.codes(start, 1 << order.bits)) == [each for each in codes(shape) if each >= start]


def weight(box: Region) -> int:
    """Cells count for more the further they lie away."""
    return prod(sum(range(start + 1, stop + 1)) for start, stop in zip(box.start, box.stop, strict=True))


@each_shape
def test_how_much_lies_before_a_code_is_the_sum_of_what_does(shape: Ints) -> None:
    order = curve(shape)
    weights = {each: weight(order.box(each, 0)) for each in codes(shape)}
    for low in range(order.bits + 1):
        for each in codes(shape):
            inside = [other for other in weights if each >> low << low <= other < each]
            assert order.before(each, low, cells) == len(inside)
            total = sum(weights[other] for other in inside)
            assert order.before(each, low, weight) == total
            assert order.found(total + weights[each] - 1, each >> low, low, weight) == (each, weights[each] - 1)


@each_shape
def test_boxes_have_a_curve_of_their_own(shape: Ints) -> None:
    order = curve(shape)
    for low in range(order.bits + 1):
        coarser = order.coarser(low)
        assert list(coarser.codes(0, 1 << coarser.bits)) == sorted({each >> low for each in codes(shape)})


def test_a_huge_grid_takes_no_longer() -> None:
    shape = (15_625, 15_625, 157)
    order = curve(shape)
    last = code(tuple(size - 1 for size in shape), shape)
    assert order.bits == 36
    assert order.index(last) == (15_624, 15_624, 156)
    assert order.before(last, order.bits, cells) == prod(shape) - 1
    assert order.found(prod(shape) - 1, 0, order.bits, cells) == (last, 0)
    assert order.box(0, order.bits) == Region((0, 0, 0), shape)


def test_a_curve_is_a_record() -> None:
    assert curve((3, 2, 1)) == Curve((3, 2, 1), (0, 1, 0))

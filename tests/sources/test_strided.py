"""Boxes of plain bytes in any order of axes, with any gaps, beside numpy's view of the same bytes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diascope.errors import Unreadable
from diascope.image.region import Region
from diascope.sources.reading.plain.row_major import RowMajor
from diascope.sources.reading.plain.strided import GAP, PIECE, Strided

START = 7


class Counted:
    """Bytes that remember what was read of them."""

    def __init__(self, size: int) -> None:
        self.data = np.random.default_rng(0).integers(0, 256, size, np.uint8).tobytes()
        self.reads: list[int] = []

    def read(self, start: int, stop: int) -> bytes:
        self.reads.append(stop - start)
        return self.data[start:stop]


def laid_out(sizes: list[int], order: list[int], gaps: list[int], itemsize: int) -> tuple[tuple[int, ...], int]:
    """Strides where axes lie in this order, the slowest first, with these gaps behind each; and the extent."""
    strides, extent = [0] * len(sizes), itemsize
    for axis in reversed(order):
        strides[axis] = extent + gaps[axis]
        extent = strides[axis] * (sizes[axis] - 1) + extent
    return tuple(strides), extent


@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_every_box_is_as_numpy_sees_it(data: st.DataObject) -> None:
    rank = data.draw(st.integers(2, 4))
    sizes = data.draw(st.lists(st.integers(1, 9), min_size=rank, max_size=rank))
    gaps = data.draw(st.lists(st.sampled_from([0, 0, 2, 90, GAP, GAP + 2]), min_size=rank, max_size=rank))
    dtype = np.dtype(data.draw(st.sampled_from(["u1", "<u2", ">i2", ">f4", "<f8"])))
    strides, extent = laid_out(sizes, data.draw(st.permutations(range(rank))), gaps, dtype.itemsize)
    if extent > 1 << 22:
        return
    file = Counted(START + extent)
    known = np.ndarray(tuple(sizes), dtype, file.data, START, strides)
    start = [data.draw(st.integers(0, size)) for size in sizes]
    stop = [data.draw(st.integers(low, size)) for low, size in zip(start, sizes, strict=True)]
    region = Region(tuple(start), tuple(stop))
    found = Strided(file.read, START, tuple(sizes), strides, dtype).box(region)
    assert found.dtype.isnative
    assert found.shape == region.shape
    assert found.tobytes() == known[region.slices].astype(found.dtype).tobytes()


def test_a_cube_is_a_read_a_plane_and_a_wide_frame_is_read_in_pieces() -> None:
    file = Counted(1 << 20)
    cube = RowMajor(file.read, 0, (8, 128, 512), np.dtype("<u2"))
    cube.box(Region((2, 64, 64), (8, 128, 128)))
    assert len(file.reads) == 6
    file.reads.clear()
    wide = RowMajor(file.read, 0, (256, 2048), np.dtype("<u2"))
    wide.box(Region((0, 100), (256, 200)))
    assert max(file.reads) <= PIECE
    assert len(file.reads) < 16
    file.reads.clear()
    wide.box(Region((3, 0), (200, 2048)))
    assert len(file.reads) == 1


def test_what_lies_without_a_gap_is_not_copied() -> None:
    file = Counted(1 << 16)
    found = RowMajor(file.read, 0, (4, 64, 128), np.dtype("<u2")).box(Region((1, 0, 0), (3, 64, 128)))
    assert not found.flags.writeable


@pytest.mark.parametrize("region", [Region((0, 0), (64, 64)), Region((0, 3), (64, 9))])
def test_a_file_that_ends_before_is_refused(region: Region) -> None:
    file = Counted(64 * 64 - 60)
    with pytest.raises(Unreadable, match="the pixels end after"):
        RowMajor(file.read, 0, (64, 64), np.dtype("u1")).box(region)

"""Compressed segmentation, read again by a decoder of its own; that TensorStore reads it is shown with the layout."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from diascope.encodings.compressed_segmentation import encoded
from diascope.errors import Unsupported
from tests.segmentation import decoded

RANDOM = np.random.default_rng(3)
SHAPES = [(1, 1, 1, 1), (1, 8, 8, 8), (1, 5, 9, 13), (3, 1, 17, 8), (2, 20, 9, 10)]


@pytest.mark.parametrize("dtype", ["uint32", "uint64", ">u4"])
@pytest.mark.parametrize("most", [1, 2, 3, 4, 5, 16, 17, 2**31])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_labels_come_back(shape: tuple[int, ...], most: int, dtype: str) -> None:
    labels = (RANDOM.integers(0, most, shape) * (2**33 + 5 if dtype == "uint64" else 1)).astype(dtype)
    for each in (labels, labels[..., ::-1, :], labels.swapaxes(2, 3)):
        assert np.array_equal(decoded(encoded(each), each.shape, labels.dtype.newbyteorder("=")), each)


def test_the_largest_labels_are_kept() -> None:
    labels = np.array([0, 2**64 - 1, 2**63, 2**32], np.uint64).reshape(1, 1, 2, 2)
    assert np.array_equal(decoded(encoded(labels), labels.shape, np.uint64), labels)


def regions(*shape: int) -> NDArray[Any]:
    """Cells of labels that blocks do not divide."""
    cells = RANDOM.integers(0, 2**20, [-(-size // 21) + 1 for size in shape])
    return np.kron(cells, np.ones((21, 21, 21), int))[tuple(slice(5, 5 + size) for size in shape)].astype(np.uint32)


def test_regions_take_few_bytes_and_equal_labels_equal_ones() -> None:
    labels = regions(64, 64, 64)[None]
    assert len(encoded(labels)) < labels.nbytes / 10
    assert encoded(labels) == encoded(labels.copy(order="F"))


def test_blocks_of_the_same_labels_share_a_table() -> None:
    uniform = np.full((1, 64, 64, 64), 77, np.uint32)
    assert len(encoded(uniform)) == 4 * (1 + 2 * 512 + 1)


def test_what_lies_beyond_the_edges_adds_no_label() -> None:
    labels = np.full((1, 3, 3, 3), 9, np.uint64)
    assert len(encoded(labels)) == 4 * (1 + 2 + 2)


@pytest.mark.parametrize("dtype", ["uint16", "int32", "float32"])
def test_other_types_are_refused(dtype: str) -> None:
    with pytest.raises(Unsupported, match=dtype):
        encoded(np.zeros((1, 2, 2, 2), dtype))

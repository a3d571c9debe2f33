"""Index expressions and axis orders, as numpy understands them."""

from __future__ import annotations

from dataclasses import dataclass
from operator import index
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diascope.image.region import Ints, Region


@dataclass(frozen=True, slots=True)
class Selection:
    """A basic numpy index: the box that it needs, and what is taken from that box."""

    region: Region
    within: tuple[int | slice, ...]

    @classmethod
    def of(cls, key: Any, shape: Ints) -> Selection:
        """Of integers, slices with any step, and one ellipsis; raises IndexError as numpy does."""
        keys = _expanded(key if isinstance(key, tuple) else (key,), len(shape))
        axes = [_one(item, size) for item, size in zip(keys, shape, strict=True)]
        region = Region(tuple(start for start, _, _ in axes), tuple(stop for _, stop, _ in axes))
        return cls(region, tuple(within for _, _, within in axes))

    def taken(self, pixels: NDArray[Any]) -> NDArray[Any]:
        return np.asarray(pixels[self.within])


def _expanded(keys: tuple[Any, ...], rank: int) -> tuple[Any, ...]:
    ellipses = sum(item is Ellipsis for item in keys)
    if ellipses > 1 or len(keys) - ellipses > rank:
        msg = f"too many indices: the image has {rank} axes"
        raise IndexError(msg)
    at = next((k for k, item in enumerate(keys) if item is Ellipsis), len(keys))
    missing = (slice(None),) * (rank - len(keys) + ellipses)
    return keys[:at] + missing + keys[at + 1 :]


def _one(item: Any, size: int) -> tuple[int, int, int | slice]:
    """Start and stop of the box along an axis, and the index within it."""
    if not isinstance(item, slice):
        i = index(item)
        if not -size <= i < size:
            msg = f"index {i} is out of bounds for an axis of size {size}"
            raise IndexError(msg)
        return i % size, i % size + 1, 0
    picked = range(size)[item]
    if not picked:
        return 0, 0, slice(None)
    low, high = min(picked[0], picked[-1]), max(picked[0], picked[-1])
    return low, high + 1, slice(None, None, picked.step)


def moved(pixels: NDArray[Any], names: str, to: str) -> NDArray[Any]:
    """The same pixels with their axes in another order; axes of length one are added and dropped as needed."""
    kept = "".join(name for name in names if name in to)
    taken = pixels[tuple(slice(None) if name in to else 0 for name in names)]
    ordered = taken.transpose([kept.index(name) for name in to if name in kept])
    return ordered[tuple(slice(None) if name in kept else None for name in to)]

"""Volumes that are each an array of their own, as one level with time and channels before their axes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import product
from math import prod
from typing import Any

import numpy as np

from diascope.bounded import BoundedCache
from diascope.errors import Unreadable
from diascope.image.level import Pixels
from diascope.image.region import Ints, Region
from diascope.sources.reading.h5.array import Array

OPEN = 256
"""How many arrays of a level stay open."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Stack:
    """Arrays of one type that begin with a box of one shape; what lies behind it in them is padding."""

    array: Callable[[Ints], Array | None]
    """The one at an index along the leading axes; where there is none its pixels are 0."""
    leading: Ints
    """How many there are along each of them."""
    box: Ints
    first: Array
    """One of them, like which all others are."""
    dtype: np.dtype[Any]
    """Of as many bytes as that of the arrays, whose bytes are taken for it."""
    _open: BoundedCache[Array | None] = field(default_factory=lambda: BoundedCache(OPEN, weigh=lambda _: 1))

    @property
    def shape(self) -> Ints:
        return (*self.leading, *self.box)

    @property
    def chunk_shape(self) -> Ints:
        cheap = zip(self.first.cheap_shape, self.box, strict=True)
        return (*(1 for _ in self.leading), *(min(chunk, size) for chunk, size in cheap))

    def read(self, region: Region) -> Pixels:
        """Raises Unreadable where an array is unlike the others."""
        rank = len(self.leading)
        ranges = map(range, region.start[:rank], region.stop[:rank])
        inner = Region(region.start[rank:], region.stop[rank:])
        if prod(region.shape[:rank]) == 1:
            return self._box(region.start[:rank], inner).reshape(region.shape)
        out = np.empty((prod(region.shape[:rank]), *inner.shape), self.dtype)
        for k, index in enumerate(product(*ranges)):
            out[k] = self._box(index, inner)
        return out.reshape(region.shape)

    def _box(self, index: Ints, inner: Region) -> Pixels:
        array = self._open.get(index, lambda: self._checked(index))
        return np.zeros(inner.shape, self.dtype) if array is None else array.read(inner).view(self.dtype)

    def _checked(self, index: Ints) -> Array | None:
        array = self.array(index)
        if array is None:
            return None
        if len(array.shape) != len(self.box) or any(a < b for a, b in zip(array.shape, self.box, strict=True)):
            raise Unreadable(f"{array.path} has the shape {array.shape}, and others {self.first.shape}")
        if array.dtype != self.first.dtype:
            raise Unreadable(f"{array.path} has the type {array.dtype}, and others {self.first.dtype}")
        return array

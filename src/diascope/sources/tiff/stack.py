"""Many pages of one shape as one array, in the order of axes that the file has."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import Any, NamedTuple

import numpy as np

from diascope.image.level import Pixels
from diascope.image.region import Ints, Region
from diascope.image.stored import Stored
from diascope.sources.tiff.page import Page

PageOf = Callable[[int], Page | None]
"""The page of a number, None where the file leaves it out: its pixels are zeros."""


class Dim(NamedTuple):
    """An axis as the file has it."""

    letter: str
    """Of tifffile: X Y Z T C S, and I, Q and others for what is not known."""
    size: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Stack:
    """An array of leading axes, which count the pages, and the axes of a page that are longer than one pixel."""

    dims: tuple[Dim, ...]
    """All longer than one pixel, but Y and X."""
    leading: int
    """How many of them count pages."""
    dtype: np.dtype[Any]
    page_dims: tuple[int, ...]
    """Which of a page's five axes the others are."""
    chunk_shape: Ints
    page: PageOf
    stored: Stored | None = None
    """The chunks of the first page as they lie in the file."""

    @property
    def shape(self) -> Ints:
        return tuple(dim.size for dim in self.dims)

    def read(self, box: Region) -> Pixels:
        """The pixels of a box in the file's own order of axes."""
        inner = self._inner(box)
        lead = box.shape[: self.leading]
        numbers = [self._number(index) for index in product(*map(range, box.start[: self.leading], box.stop))]
        if len(numbers) == 1:
            return self._read(numbers[0], inner).reshape(box.shape)
        out = np.empty((len(numbers), *inner.shape), self.dtype)
        for k, number in enumerate(numbers):
            out[k] = self._read(number, inner)
        return out.reshape((*lead, *box.shape[self.leading :]))

    def _read(self, number: int, inner: Region) -> Pixels:
        page = self.page(number)
        return page.read(inner) if page else np.zeros(inner.shape, self.dtype)

    def _number(self, index: Ints) -> int:
        """The page at this place of the leading axes, the last of them running fastest."""
        number = 0
        for i, dim in zip(index, self.dims, strict=False):
            number = number * dim.size + i
        return number

    def _inner(self, box: Region) -> Region:
        """The part of a box within each page, of five axes."""
        start, stop = [0] * 5, [1] * 5
        for place, low, high in zip(self.page_dims, box.start[self.leading :], box.stop[self.leading :], strict=True):
            start[place], stop[place] = low, high
        return Region(tuple(start), tuple(stop))


def stack(letters: str, sizes: Ints, first: Page, page: PageOf) -> Stack:
    """The array of these axes whose pages are all like the first; a page's own axes come last.

    Where the axes do not end as the page does, or lack rows and columns, they are named by their places.
    """
    inner = [(k, size) for k, size in enumerate(first.shape) if size > 1 or k in {2, 3}]
    dims = [Dim(letter, size) for letter, size in zip(letters, sizes, strict=True) if size > 1 or letter in "YX"]
    lead = len(dims) - len(inner)
    if lead < 0 or [dim.size for dim in dims[lead:]] != [size for _, size in inner]:
        count = max(1, prod(sizes) // prod(first.shape))
        dims = [Dim("I", count), *(Dim("SZYXS"[k], size) for k, size in inner)]
        lead = 1
    elif [dim.letter for dim in dims].count("Y") != 1 or [dim.letter for dim in dims].count("X") != 1:
        dims = [Dim("Q" if d.letter in "YX" else d.letter, d.size) for d in dims[:lead]]
        dims += [Dim("SZYXS"[k], size) for k, size in inner]
    places = tuple(k for k, _ in inner)
    return Stack(
        dims=tuple(dims),
        leading=lead,
        dtype=first.dtype,
        page_dims=places,
        chunk_shape=(1,) * lead + tuple(first.chunk_shape[k] for k in places),
        page=page,
        stored=first.stored,
    )

"""Maps between physical spaces: from the positions of an image to those of the image that its pixels come from.

Positions are x, y, z, in the units of the axes; an image without planes has z = 0.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from diascope.errors import Unsupported
from diascope.image.affine import Matrix

Positions: TypeAlias = NDArray[np.float64]
"""Of the shape (…, 3); NaN is nowhere."""

MANY = 1 << 12
"""Numbers, from which on compiled loops are worth while."""


class Step(Protocol):
    """One part of a map; a field of displacements is another one, that needs no matrix."""

    def __call__(self, positions: Positions, /) -> Positions:
        """Each position by itself, whatever others stand beside it."""

    def inverted(self) -> Step:
        """The way back; raises Unsupported where there is none."""


@dataclass(frozen=True, slots=True)
class Linear:
    """``matrix @ (x, y, z, 1)``."""

    matrix: Matrix
    """Four rows of four, the last 0 0 0 1."""

    @property
    def array(self) -> NDArray[np.float64]:
        return np.array(self.matrix, dtype=np.float64)

    def __call__(self, positions: Positions, /) -> Positions:
        if positions.size > MANY:
            return self._compiled(positions)
        # One term after another: a product of matrices may sum in an order that depends on how many there are.
        moved = np.empty(positions.shape)
        for axis, (*factors, shift) in enumerate(self.matrix[:3]):
            moved[..., axis] = shift
            for by, place in zip(factors, np.moveaxis(positions, -1, 0), strict=True):
                if by:
                    moved[..., axis] += by * place
        return moved

    def _compiled(self, positions: Positions) -> Positions:
        """The same sums, to the last bit."""
        from diascope.image import bending

        flat = np.ascontiguousarray(positions.reshape(-1, 3))
        moved = np.empty_like(flat)
        bending.straight(flat, moved, self.array)
        return moved.reshape(positions.shape)

    def inverted(self) -> Linear:
        matrix = np.eye(4)
        try:
            matrix[:3, :3] = np.linalg.inv(self.array[:3, :3])
        except np.linalg.LinAlgError as error:
            raise Unsupported("the matrix flattens space, so that it has no way back") from error
        matrix[:3, 3:] = -product(matrix[:3, :3], self.array[:3, 3:])
        return linear(matrix)


@dataclass(frozen=True, slots=True)
class Box:
    """Nothing moves; beyond the edges of a box there is nothing."""

    low: tuple[float, float, float]
    high: tuple[float, float, float]

    def __call__(self, positions: Positions, /) -> Positions:
        within = np.all((positions >= self.low) & (positions <= self.high), axis=-1, keepdims=True)
        return np.where(within, positions, np.nan)

    def inverted(self) -> Box:
        return self


def linear(matrix: ArrayLike) -> Linear:
    """Of an array of four rows and columns."""
    rows = np.asarray(matrix, np.float64)
    return Linear(tuple((float(a), float(b), float(c), float(d)) for a, b, c, d in rows))


@dataclass(frozen=True, slots=True)
class Mapping:
    """Steps one after another; those that are linear are one where they are neighbours."""

    steps: tuple[Step, ...] = ()

    def __call__(self, positions: Positions) -> Positions:
        for step in self.steps:
            positions = step(positions)
        return positions

    def then(self, other: Mapping) -> Mapping:
        """First this one, then the other."""
        return Mapping(_merged((*self.steps, *other.steps)))

    def inverted(self) -> Mapping:
        """The way back; raises Unsupported where there is none."""
        return Mapping(tuple(step.inverted() for step in reversed(self.steps)))

    @property
    def is_linear(self) -> bool:
        """Whether it bends nothing; boxes may cut."""
        return all(isinstance(step, Linear | Box) for step in self.steps)

    @property
    def matrix(self) -> NDArray[np.float64]:
        """Its linear steps together, without what bends and cuts."""
        return reduce(lambda total, step: product(step.array, total), self._linear(), np.eye(4))

    def _linear(self) -> Iterable[Linear]:
        return (step for step in self.steps if isinstance(step, Linear))


IDENTITY = Mapping()


def product(left: NDArray[np.float64], right: NDArray[np.float64]) -> NDArray[np.float64]:
    """The product of matrices, in which nothing times what is unknown, which is NaN, is nothing."""
    terms = left[:, :, None] * right[None]
    return np.asarray(np.where(left[:, :, None] == 0, 0.0, terms).sum(axis=1))


def mapping(matrix: ArrayLike) -> Mapping:
    """The linear map of an array of four rows and columns."""
    return Mapping((linear(matrix),))


def _merged(steps: Iterable[Step]) -> tuple[Step, ...]:
    merged: list[Any] = []
    for step in steps:
        if merged and isinstance(step, Linear) and isinstance(merged[-1], Linear):
            merged[-1] = linear(product(step.array, merged[-1].array))
        else:
            merged.append(step)
    return tuple(merged)

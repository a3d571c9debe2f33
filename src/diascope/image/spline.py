"""Thin-plate splines: maps that take landmarks to landmarks and bend as little as possible in between.

Of the kernel r² log r in the plane and in space, as ITK's ThinPlateR2LogRSplineKernelTransform and BigWarp have it
(Davis, Khotanzad, Flamig, Harms 1997, https://doi.org/10.1109/42.585767).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from diascope.image.mapping import Linear, Mapping, Positions, Step, linear
from diascope.image.undoing import Undone

Floats = NDArray[np.float64]

FLAT = 1e-6
"""How thin landmarks may lie, across compared with along."""


@dataclass(frozen=True, slots=True, eq=False)
class Bend:
    """What is left of a spline without its linear part: each position moves by a sum over the landmarks."""

    centres: Floats
    """(n, 3), in units of ``length``; 0 along axes that nothing depends on."""
    weights: Floats
    """(n, 3): how far each landmark moves what lies at a kernel of 1."""
    length: float
    axes: int
    """How many of x, y and z the kernel looks at."""
    tolerance: float = field(init=False)
    """Of its inverse."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "tolerance", self.length * 1e-9)

    def __call__(self, positions: Positions, /) -> Positions:
        from diascope.image import bending

        flat = np.ascontiguousarray(positions.reshape(-1, 3))
        moved = np.empty_like(flat)
        bending.splined(flat, moved, self.centres, self.weights, 1 / self.length, self.axes)
        return moved.reshape(positions.shape)

    def inverted(self) -> Step:
        return Undone(self, self.length * 1e-5, self.tolerance)


def spline(places: Floats, targets: Floats) -> Mapping:
    """The map that takes each place, of shape (n, 2) or (n, 3), to its target.

    Raises ValueError where places or targets lie on a line, or in space in a plane, or where two places are the same.
    Of places in the plane z stays what it is. The same landmarks give the same map, to the last bit.
    """
    count, axes = places.shape
    if count <= axes:
        raise ValueError(f"{count} pairs of landmarks are too few: {axes} axes need {axes + 1}")
    _refuse_flat(places, "fixed")
    _refuse_flat(targets, "moving")
    low, high = places.min(axis=0), places.max(axis=0)
    length = float((high - low).max())
    centres = places / length
    # Far from 0, differences of positions would lose what the sums of the linear part need.
    middle = (low + high) / 2
    system = np.zeros((count + axes + 1, count + axes + 1))
    system[:count, :count] = _kernel(centres)
    system[:count, count] = 1
    system[:count, count + 1 :] = (places - middle) / length
    system[count:, :count] = system[:count, count:].T
    found = _solved(system, np.vstack([targets, np.zeros((axes + 1, axes))]))
    matrix = np.eye(4)
    matrix[:axes, :axes] = found[count + 1 :].T / length
    matrix[:axes, 3] = found[count] - (matrix[:axes, :axes] * middle).sum(axis=1)
    _refuse_flat(matrix[:axes, :axes], "moving")
    straight = linear(matrix)
    weights = np.zeros((count, 3))
    weights[:, :axes] = found[:count]
    return Mapping((Bend(_deep(centres), _unturned(weights, straight), length, axes), straight))


def _unturned(weights: Floats, straight: Linear) -> Floats:
    """The weights before the linear part, not behind it."""
    back = straight.inverted().array[:3, :3]
    return np.ascontiguousarray((weights[:, None, :] * back[None]).sum(axis=2))


def _deep(points: Floats) -> Floats:
    return np.ascontiguousarray(np.pad(points, ((0, 0), (0, 3 - points.shape[1]))))


def _refuse_flat(points: Floats, which: str) -> None:
    axes = points.shape[1]
    spread = np.linalg.svd(points - points.mean(axis=0), compute_uv=False) if len(points) > axes else None
    spread = np.linalg.svd(points, compute_uv=False) if spread is None else spread
    if not spread[-1] > FLAT * spread[0]:
        shape = "line" if axes == 2 else "plane"
        raise ValueError(f"the {which} landmarks lie on a {shape}, so that nothing is known of what lies beside it")


def _kernel(centres: Floats) -> Floats:
    square = np.zeros((len(centres),) * 2)
    for column in centres.T:
        square += (column[:, None] - column) ** 2
    if np.count_nonzero(square < FLAT**2) > len(centres):
        raise ValueError("two fixed landmarks are at the same place")
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(square > 0, square * np.log(square) / 2, 0.0)


def _solved(system: Floats, right: Floats) -> Floats:
    """By elimination, in an order that no number of threads changes."""
    rows = np.hstack([system, right])
    size = len(system)
    for k in range(size):
        pivot = k + int(np.argmax(np.abs(rows[k:, k])))
        rows[[k, pivot]] = rows[[pivot, k]]
        if not abs(rows[k, k]) > 0:
            raise ValueError("the landmarks leave open what the map is")
        rows[k + 1 :, k:] -= (rows[k + 1 :, k] / rows[k, k])[:, None] * rows[k, k:]
    for k in reversed(range(size)):
        rows[k, size:] /= rows[k, k]
        rows[:k, size:] -= rows[:k, k, None] * rows[k, size:]
    return np.asarray(rows[:, size:])

"""Coordinate transformations of OME-Zarr 0.6 as matrices.

https://ngff.openmicroscopy.org/specifications/0.6/#coordinate-transformations-metadata

Each takes a point of as many numbers as its input has axes, in their order, and gives one of its output.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Document: TypeAlias = dict[str, Any]
"""An object of JSON."""

Matrix: TypeAlias = NDArray[np.float64]
"""A row for each axis of the output: a factor for each axis of the input, then a shift."""

MOST_AXES = 10
MOST_STEPS = 100
DEEPEST = 8


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads transformations of a file; raises ValueError with what is wrong with one, or that it bends space."""

    array: Callable[[str], Matrix]
    """The numbers of a small array that the file names."""

    def matrix(self, step: Document, rank: int, depth: int = 0) -> Matrix:
        """What a transformation of so many axes does."""
        kind = step.get("type")
        known: dict[str, Callable[[], Any]] = {
            "identity": lambda: np.eye(rank, rank + 1),
            "scale": lambda: np.eye(rank, rank + 1) * [*self._vector(step, "scale", rank), 1.0],
            "translation": lambda: _moved(self._vector(step, "translation", rank)),
            "affine": lambda: self._rows(step, "affine", rank + 1),
            "rotation": lambda: _turned(self._rows(step, "rotation", rank)),
            "mapAxis": lambda: np.eye(rank, rank + 1)[self._indices(step, "mapAxis", rank, rank)],
            "projectAxis": lambda: self._projected(step, rank),
            "sequence": lambda: self._sequence(step, rank, depth),
            "byDimension": lambda: self._by_dimension(step, rank, depth),
            "bijection": lambda: self._inner(step.get("forward"), rank, depth),
        }
        if not isinstance(kind, str) or kind not in known:
            raise ValueError(f"{str(kind)[:40]} is none of {', '.join(known)}, which are matrices")
        made = np.asarray(known[kind](), np.float64)
        if not np.isfinite(made).all() or not 0 < len(made) <= MOST_AXES:
            raise ValueError(f"the {kind} comes to numbers that are not finite, or to no axes")
        return made

    def _inner(self, step: Any, rank: int, depth: int) -> Matrix:
        if depth >= DEEPEST:
            raise ValueError(f"transformations stand in each other more than {DEEPEST} deep")
        return self.matrix(_object(step), rank, depth + 1)

    def _sequence(self, step: Document, rank: int, depth: int) -> Matrix:
        whole = np.eye(rank, rank + 1)
        for each in self._steps(step):
            whole = after(self._inner(each, len(whole), depth), whole)
        return whole

    def _by_dimension(self, step: Document, rank: int, depth: int) -> Matrix:
        """Each of its transformations takes some axes of the input and gives some of the output, none of them twice."""
        rows: dict[int, Matrix] = {}
        for each in self._steps(step):
            part = _object(each)
            # The drafts before the last one spelled it with an underscore.
            given = {key.replace("_a", "A"): value for key, value in part.items()}
            inputs = self._indices(given, "inputAxes", None, rank)
            outputs = self._indices(given, "outputAxes", None, MOST_AXES)
            made = self._inner(part.get("transformation"), len(inputs), depth)
            if len(made) != len(outputs) or not rows.keys().isdisjoint(outputs):
                raise ValueError("the outputs of byDimension do not fit its transformations")
            for output, row in zip(outputs, made, strict=True):
                rows[output] = np.zeros(rank + 1)
                rows[output][[*inputs, rank]] = row
        if sorted(rows) != list(range(len(rows))):
            raise ValueError("byDimension leaves out an axis of its output")
        return np.array([rows[k] for k in range(len(rows))])

    def _projected(self, step: Document, rank: int) -> Matrix:
        """Without some axes of the input, then with zeros at some places of the output."""
        dropped = self._indices(step, "droppedInputs", None, rank) if "droppedInputs" in step else []
        created = self._indices(step, "createdOutputs", None, MOST_AXES) if "createdOutputs" in step else []
        kept = [row for k, row in enumerate(np.eye(rank, rank + 1)) if k not in dropped]
        for place in sorted(created):
            kept.insert(place, np.zeros(rank + 1))
        return np.array(kept).reshape(-1, rank + 1)

    def _steps(self, step: Document) -> list[Any]:
        steps = _list(step, "transformations")
        if len(steps) > MOST_STEPS:
            raise ValueError(f"{len(steps)} transformations in one are more than {MOST_STEPS}")
        return steps

    def _vector(self, step: Document, key: str, rank: int) -> Matrix:
        numbers = self._numbers(step, key)
        if numbers.shape != (rank,) or not np.isfinite(numbers).all():
            raise ValueError(f"the {key} has not {rank} finite numbers")
        return numbers

    def _rows(self, step: Document, key: str, columns: int) -> Matrix:
        numbers = self._numbers(step, key)
        if numbers.ndim != 2 or numbers.shape[1] != columns or not np.isfinite(numbers).all():
            raise ValueError(f"the {key} has no rows of {columns} finite numbers")
        return numbers

    def _numbers(self, step: Document, key: str) -> Matrix:
        """Those that stand there, or in the array that it names."""
        if key not in step and "path" in step:
            return self.array(str(step["path"]))
        rows = _list(step, key)
        flat = [n for row in rows for n in (row if isinstance(row, list) else [row])]
        if len(flat) > MOST_AXES * (MOST_AXES + 1) or any(type(n) not in (int, float) for n in flat):
            raise ValueError(f"the {key} is too long, or has something else than numbers")
        try:
            return np.array(rows, np.float64)
        except (ValueError, OverflowError) as error:
            raise ValueError(f"the rows of the {key} are not alike, or not all of finite numbers") from error

    def _indices(self, step: Document, key: str, count: int | None, size: int) -> list[int]:
        """Different whole numbers below a size, as many as told."""
        found = _list(step, key)
        fits = len(found) <= MOST_AXES and all(type(k) is int and 0 <= k < size for k in found)
        if not fits or len(set(found)) != len(found) or count not in (None, len(found)):
            raise ValueError(f"the {key} is not different axes, counted from 0")
        return found


def after(second: Matrix, first: Matrix) -> Matrix:
    """One transformation after another."""
    made: Matrix = second[:, :-1] @ first
    made[:, -1] += second[:, -1]
    return made


def rank_of(step: Document) -> int | None:
    """How many axes a transformation takes, by the first part of it that tells."""
    parts: list[Any] = [step]
    for part in chain(parts):
        if not isinstance(part, dict) or len(parts) > MOST_STEPS:
            break
        kind = str(part.get("type"))
        numbers = part.get(kind)
        if kind == "sequence" and isinstance(part.get("transformations"), list):
            parts += part["transformations"]
        elif kind == "bijection":
            parts.append(part.get("forward"))
        elif isinstance(numbers, list):
            return len(numbers)
    return None


def _object(value: Any) -> Document:
    if not isinstance(value, dict):
        raise ValueError("a part is no transformation: an object of JSON is expected")  # noqa: TRY004
    return value


def _list(step: Document, key: str) -> list[Any]:
    value = step.get(key)
    if not isinstance(value, list):
        raise ValueError(f"there is no list of {key}")  # noqa: TRY004
    return value


def _moved(shift: Matrix) -> Matrix:
    return np.column_stack([np.eye(len(shift)), shift])


def _turned(rotation: Matrix) -> Matrix:
    return np.column_stack([rotation, np.zeros(len(rotation))])

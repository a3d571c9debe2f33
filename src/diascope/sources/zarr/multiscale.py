"""The metadata of a multiscale image, OME-Zarr 0.1 to 0.6 (https://ngff.openmicroscopy.org/0.5/#multiscale-md)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from diascope.errors import Unreadable
from diascope.sources.reading.documents import Document, below, listing, mapping, shown, text
from diascope.sources.reading.named_axes import Named, guessed
from diascope.sources.zarr.node import Node

FIVE = tuple(Named(name) for name in "tczyx")
MOST_DATASETS = 100
LONGEST_NAME = 64


@dataclass(frozen=True, slots=True)
class Placing:
    """Where pixels lie: position = scale * index + translation, along each axis of the file."""

    scale: tuple[float, ...]
    translation: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class System:
    """A named coordinate system (0.6)."""

    name: str
    axes: tuple[Named, ...]


@dataclass(frozen=True, slots=True)
class Multiscale:
    """The first multiscale image of a group."""

    path: str
    own: Document
    """Its JSON object."""
    version: str
    node: Node

    @property
    def paths(self) -> tuple[str, ...]:
        """Of its arrays, in the store."""
        datasets = listing(self.own.get("datasets"), f"{self.path}: datasets")
        if not 0 < len(datasets) <= MOST_DATASETS:
            raise Unreadable(f"{self.path}: {len(datasets)} datasets make no multiscale image")
        return tuple(below(self.path, text(entry.get("path"), f"{self.path}: path")) for entry in self._datasets)

    @property
    def _datasets(self) -> list[Document]:
        return [mapping(entry, f"{self.path}: dataset") for entry in listing(self.own.get("datasets"), self.path)]

    def named_axes(self, rank: int) -> tuple[Named, ...]:
        """The axes of its arrays: of fixed names in 0.1 and 0.2, names in 0.3, objects since 0.4."""
        entries = self.own.get("axes", self._intrinsic())
        if entries is None:
            return FIVE if rank == len(FIVE) else guessed(rank)
        axes = tuple(_axis(entry, self.path) for entry in listing(entries, f"{self.path}: axes"))
        if len(axes) != rank:
            raise Unreadable(f"{self.path}: {len(axes)} axes are named for arrays of {rank}")
        return axes

    def placing(self, k: int, rank: int) -> Placing | None:
        """Of the array at this place in the list, None where the file says nothing."""
        entries = self._datasets[k].get("coordinateTransformations")
        if entries is None:
            return None
        steps = listing(entries, f"{self.path}: coordinateTransformations")
        scale, translation = [1.0] * rank, [0.0] * rank
        for step in (*steps, *self._common()):
            _apply(mapping(step, f"{self.path}: coordinateTransformations"), scale, translation, self.path)
        return Placing(tuple(scale), tuple(translation))

    def _common(self) -> list[Any]:
        """What holds for all arrays; what leads to a named space (0.6, SpatialData) is none of it."""
        steps = self.own.get("coordinateTransformations")
        return [s for s in steps if isinstance(s, dict) and "output" not in s] if isinstance(steps, list) else []

    def moves(self) -> Iterator[tuple[System, Document, bool]]:
        """The systems one transformation away from the levels' own (0.6), and whether it leads from there to that."""
        own = [_name(step.get("output")) for d in self._datasets for step in _steps(d)][:1]
        systems = {str(each.get("name")): each for each in _objects(self.own.get("coordinateSystems"))}
        for step in _steps(self.own)[:MOST_DATASETS]:
            ends = [_name(step.get("input")), _name(step.get("output"))]
            backwards = ends[1:] == own
            name = ends[0] if backwards else ends[1]
            if not own or own[0] not in ends or not isinstance(name, str) or not 0 < len(name) <= LONGEST_NAME:
                continue
            axes = systems.get(name, {}).get("axes")
            if name not in own and isinstance(axes, list) and all(isinstance(axis, dict | str) for axis in axes):
                yield System(name, tuple(_axis(axis, self.path) for axis in axes)), step, backwards

    def _intrinsic(self) -> Any:
        """The axes of the coordinate system that the datasets lead to (0.6)."""
        systems = _objects(self.own.get("coordinateSystems"))
        outputs = [_name(step.get("output")) for d in self._datasets for step in _steps(d)]
        chosen = [system for system in systems if system.get("name") in outputs] or systems[-1:]
        return chosen[0].get("axes") if chosen else None


def multiscale(node: Node) -> Multiscale | None:
    """The multiscale image of a group, None where it is none."""
    entries = node.ome.get("multiscales")
    if entries is None:
        return None
    found = listing(entries, f"{node.path}: multiscales")
    if not found:
        raise Unreadable(f"{node.path}: the list of multiscales is empty")
    own = mapping(found[0], f"{node.path}: multiscales")
    version = node.ome.get("version", own.get("version", ""))
    return Multiscale(node.path, own, version if isinstance(version, str) else "", node)


def described(array: Node) -> Multiscale | None:
    """An array by itself as the level of an image, None where it does not say where it lies (0.6)."""
    steps, systems = (array.ome.get(key) for key in ("coordinateTransformations", "coordinateSystems"))
    if not isinstance(steps, list) or not _objects(systems):
        return None
    own = {"coordinateSystems": systems, "datasets": [{"coordinateTransformations": steps}]}
    return Multiscale(array.path, own, "", array)


def _objects(value: Any) -> list[Document]:
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def _steps(dataset: Document) -> list[Document]:
    return _objects(dataset.get("coordinateTransformations"))


def _name(value: Any) -> Any:
    """Of a coordinate system, which some drafts of 0.6 wrap in an object."""
    return value.get("name") if isinstance(value, dict) else value


def _axis(entry: Any, path: str) -> Named:
    if isinstance(entry, str):
        return Named(entry)
    axis = mapping(entry, f"{path}: axis")
    words = (axis.get(key) for key in ("name", "type", "unit"))
    return Named(*(word if isinstance(word, str) else None for word in words))


def _apply(step: Document, scale: list[float], translation: list[float], path: str) -> None:
    """One more transformation after those that scale and translation stand for."""
    kind = step.get("type")
    if kind == "identity":
        return
    if kind == "sequence":
        for inner in _objects(step.get("transformations"))[:100]:
            if inner.get("type") != "sequence":
                _apply(inner, scale, translation, path)
        return
    if kind not in ("scale", "translation"):
        raise Unreadable(f"{path}: the coordinate transformation {shown(kind)} is not understood")
    numbers = _numbers(step.get(kind), len(scale), f"{path}: {kind}")
    for d, number in enumerate(numbers):
        if kind == "scale":
            scale[d] *= number
            translation[d] *= number
        else:
            translation[d] += number


def _numbers(value: Any, rank: int, what: str) -> list[float]:
    numbers = listing(value, what)
    if len(numbers) != rank or any(type(n) not in (int, float) for n in numbers):
        raise Unreadable(f"{what}: {len(numbers)} values, of which one number is expected for each of {rank} axes")
    try:
        floats = [float(number) for number in numbers]
    except OverflowError as error:
        raise Unreadable(f"{what}: a number is too large") from error
    if not all(map(math.isfinite, floats)):
        raise Unreadable(f"{what}: a number is not finite")
    return floats

"""Where the pixels of N5 datasets lie, by the conventions that there are.

The specification has none. Those of n5-viewer (https://github.com/saalfeldlab/n5-viewer) and Paintera
(https://github.com/saalfeldlab/paintera#data-containers): ``pixelResolution`` or ``resolution`` of the finest pixels,
``downsamplingFactors`` and ``offset``; those of Neuroglancer and TensorStore ``axes`` and ``units``; that of COSEM
(https://github.com/janelia-cellmap/schemas/blob/master/multiscale.md) a ``transform``, x last unless it says otherwise;
that of ImageJ ``pixelWidth`` and ``numChannels``. Lists are x first but for COSEM's and those of OME-NGFF.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import Any

from diascope.image.region import Ints
from diascope.sources.reading.documents import Document, part
from diascope.sources.reading.named_axes import Named, guessed

IMAGEJ = {"x": "pixelWidth", "y": "pixelHeight", "z": "pixelDepth", "t": "frameInterval"}
IMAGEJ_SIZES = {"c": "numChannels", "z": "numSlices", "t": "numFrames"}


@dataclass(frozen=True, slots=True)
class Placing:
    """position = scale * index + translation along each axis, x last."""

    named: tuple[Named, ...]
    scale: tuple[float, ...]
    translation: tuple[float, ...]


def numbers(value: Any, rank: int) -> list[float] | None:
    """Finite numbers, as many as there are axes or those of the first ones; None where it is something else."""
    if not isinstance(value, list) or not 0 < len(value) <= rank:
        return None
    if any(type(each) not in (int, float) or not -1e300 < each < 1e300 for each in value):
        return None
    floats = [float(each) for each in value]
    return floats if all(map(isfinite, floats)) else None


def own_placing(own: Document, group: Document, factors: list[float]) -> Placing:
    """Of a dataset by its own attributes and those of its group, the factors x first."""
    rank = len(factors)
    transform = part(own, "transform") or part(group, "transform")
    if placed := transformed(transform, rank):
        return placed
    base = _resolution(own, rank) or _resolution(group, rank) or _imagej(own, rank) or [1.0] * rank
    offset = numbers(own.get("offset"), rank) or numbers(group.get("offset"), rank) or []
    base, offset = base + [1.0] * (rank - len(base)), offset + [0.0] * (rank - len(offset))
    scale = [abs(size * factor) or 1.0 for size, factor in zip(base, factors, strict=True)]
    shift = [at + (f - 1) / 2 * (abs(size) or 1.0) for at, f, size in zip(offset, factors, base, strict=True)]
    return Placing(_named(own, group, rank), tuple(scale[::-1]), tuple(shift[::-1]))


def factors_of(own: Document, listed: Any, rank: int) -> list[float] | None:
    """By how much a level is coarser than the finest, x first, None where it is not told."""
    for told in (own.get("downsamplingFactors"), listed):
        found = numbers(told, rank)
        if found and all(factor > 0 for factor in found):
            return found + [1.0] * (rank - len(found))
    return None


def transformed(transform: Document, rank: int) -> Placing | None:
    """By a transform of COSEM's, None where it is none."""
    scale = numbers(transform.get("scale"), rank)
    if scale is None or len(scale) != rank:
        return None
    translation = numbers(transform.get("translate", transform.get("translation")), rank) or [0.0] * rank
    names, units = (_words(transform.get(key), rank) for key in ("axes", "units"))
    if len(translation) != rank:
        return None
    named = tuple(Named(name, None, unit) for name, unit in zip(names, units, strict=True))
    placed = Placing(named, tuple(abs(each) or 1.0 for each in scale), tuple(translation))
    return turned(placed) if transform.get("order", transform.get("ordering")) == "F" else placed


def ngff(axes: Any, transformations: Any, rank: int) -> Placing | None:
    """By axes and transformations of OME-NGFF, whose x is the last but where it is the first."""
    if not isinstance(axes, list) or len(axes) != rank:
        return None
    documents = [axis if isinstance(axis, dict) else {"name": axis} for axis in axes]
    words = [[axis.get(key) for key in ("name", "type", "unit")] for axis in documents]
    named = tuple(Named(*(word if isinstance(word, str) else None for word in each)) for each in words)
    scale, translation = [1.0] * rank, [0.0] * rank
    for step in transformations if isinstance(transformations, list) else []:
        kind = step.get("type") if isinstance(step, dict) else None
        found = numbers(step.get(kind), rank) if kind in ("scale", "translation") else None
        if found is None or len(found) != rank:
            continue
        if kind == "scale":
            scale = [s * f for s, f in zip(scale, found, strict=True)]
            translation = [t * f for t, f in zip(translation, found, strict=True)]
        else:
            translation = [t + f for t, f in zip(translation, found, strict=True)]
    placed = Placing(named, tuple(abs(each) or 1.0 for each in scale), tuple(translation))
    return turned(placed) if (named[0].name or "").lower() == "x" and rank > 1 else placed


def turned(placing: Placing) -> Placing:
    """What is told x first, x last."""
    return Placing(placing.named[::-1], placing.scale[::-1], placing.translation[::-1])


def _resolution(attributes: Document, rank: int) -> list[float] | None:
    told = attributes.get("pixelResolution", attributes.get("resolution"))
    return numbers(told.get("dimensions") if isinstance(told, dict) else told, rank)


def _named(own: Document, group: Document, rank: int) -> tuple[Named, ...]:
    """The axes, x last."""
    names = next((each for each in (_words(a.get("axes"), rank) for a in (own, group)) if any(each)), [None] * rank)
    if not any(names):
        names = _imagej_names(own, rank)
    units = next((each for each in (_words(a.get("units"), rank) for a in (own, group)) if any(each)), [None] * rank)
    shared = _shared_unit(own) or _shared_unit(group)
    if shared and not any(units):
        units = [shared if (name or "xyz"[min(k, 2)]) in "xyz" and k < 3 else None for k, name in enumerate(names)]
    if not any(names) and not any(units):
        return guessed(rank)
    return tuple(Named(name, None, unit) for name, unit in zip(names, units, strict=True))[::-1]


def _shared_unit(attributes: Document) -> str | None:
    unit = part(attributes, "pixelResolution").get("unit", attributes.get("pixelUnit"))
    return unit if isinstance(unit, str) else None


def _words(value: Any, rank: int) -> list[str | None]:
    """One for each axis, None where there is none."""
    if not isinstance(value, list) or len(value) != rank:
        return [None] * rank
    return [each if isinstance(each, str) and each else None for each in value]


def _imagej_names(own: Document, rank: int) -> list[str | None]:
    sizes = {name: own.get(key) for name, key in IMAGEJ_SIZES.items()}
    names = ["x", "y", *(name for name, size in sizes.items() if type(size) is int and size > 1)]
    return [*names] if len(names) == rank and any(sizes.values()) else [None] * rank


def _imagej(own: Document, rank: int) -> list[float] | None:
    names = [name or "xyz"[min(k, 2)] for k, name in enumerate(_imagej_names(own, rank))]
    return numbers([own.get(IMAGEJ.get(name, ""), 1.0) for name in names], rank) if "pixelWidth" in own else None


def ratios(fine: Ints, coarse: Ints) -> list[float]:
    """By how much a shape is coarser than another, x first: a whole number where one gives this size."""
    return [_ratio(one, other) for one, other in zip(fine, coarse, strict=True)][::-1]


def _ratio(fine: int, coarse: int) -> float:
    exact = fine / max(coarse, 1)
    whole = max(round(exact), 1)
    return float(whole) if coarse in (fine // whole, -(-fine // whole)) else exact

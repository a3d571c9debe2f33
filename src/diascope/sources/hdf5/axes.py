"""What an array says of its axes: what they are called, how far apart its pixels are, and what its colours are.

Of these the first that is there counts:

- the attribute ``axistags`` of vigra, which ilastik writes;
- ``CLASS=IMAGE`` with ``INTERLACE_MODE``: the axes of colours
  (https://support.hdfgroup.org/documentation/hdf5/latest/_i_m_g.html);
- ``DIMENSION_LABELS`` and the dimension scales of the array
  (https://support.hdfgroup.org/documentation/hdf5/latest/_h5_d_s__u_g.html);
- the vectors ``dim1``, ``dim2``, … of EMD beside it, or its place in a file of Velox;
- its rank: x is the last axis, before it stand y, z, c and t.

``element_size_um``, which the plug-in HDF5 of ImageJ writes, tells the distances along z, y and x.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from diascope.image.image import Kind
from diascope.image.region import whole
from diascope.sources.hdf5 import emd
from diascope.sources.hdf5.dimension import LONGEST_SCALE, Dimension, spaced
from diascope.sources.reading.h5.array import Array
from diascope.sources.reading.h5.node import Group, dereferenced
from diascope.sources.reading.named_axes import Axes, Named, axes_of

INTERLACED = {"INTERLACE_PIXEL": "yxc", "INTERLACE_LINE": "ycx", "INTERLACE_PLANE": "cyx"}


@dataclass(frozen=True, slots=True)
class Laid:
    """The axes of an array."""

    axes: Axes
    steps: tuple[float, ...] = field(default=())
    """The distance of pixels along each axis of the file, 1 where it is not known."""
    firsts: tuple[float, ...] = field(default=())
    """The position of the first pixel."""
    kind: Kind = "intensity"


def laid(array: Array, parent: Group, top: Group) -> Laid:
    """Raises Unreadable where there are more axes than an image has."""
    told = _dimensions(array, parent, top)
    micrometres = array.attributes.numbers("element_size_um")
    if len(micrometres) == 3 and min(micrometres) > 0:
        told = _with_sizes(told, micrometres, array.path)
    named = tuple(Named(each.name, None, each.unit) for each in told)
    kind: Kind = "rgb" if _is_coloured(array) else "intensity"
    return Laid(axes_of(named, array.path), tuple(d.step for d in told), tuple(d.first for d in told), kind)


def _dimensions(array: Array, parent: Group, top: Group) -> tuple[Dimension, ...]:
    rank = len(array.shape)
    for found in (_vigra(array), _interlaced(array), _scaled(array, top), emd.dimensions(array, parent)):
        if found and len(found) == rank:
            return found
    return (Dimension(),) * rank


def _with_sizes(told: tuple[Dimension, ...], sizes: tuple[float, ...], path: str) -> tuple[Dimension, ...]:
    """The same with distances in micrometres along z, y and x, as far as there are such axes."""
    letters = axes_of(tuple(Named(each.name) for each in told), path).letters
    by_name = dict(zip("zyx", sizes, strict=True))
    return tuple(
        replace(each, step=by_name[letter], unit="micrometer") if letter in by_name else each
        for each, letter in zip(told, letters, strict=True)
    )


def _vigra(array: Array) -> tuple[Dimension, ...]:
    try:
        tags = json.loads(array.attributes.text("axistags") or "{}")["axes"]
        return tuple(_tagged(tag) for tag in tags[:5])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return ()


def _tagged(tag: dict[str, Any]) -> Dimension:
    step = tag.get("resolution")
    is_step = isinstance(step, int | float) and 0 < step < np.inf
    return Dimension(str(tag["key"]), step=float(step) if is_step and step is not None else 1.0)


def _is_coloured(array: Array) -> bool:
    told = array.attributes
    letters = INTERLACED.get(told.text("INTERLACE_MODE"))
    if told.text("CLASS") != "IMAGE" or not letters or len(array.shape) != 3 or array.dtype != np.uint8:
        return False
    return array.shape[letters.index("c")] in {3, 4}


def _interlaced(array: Array) -> tuple[Dimension, ...]:
    if not _is_coloured(array):
        return ()
    return tuple(Dimension(letter) for letter in INTERLACED[array.attributes.text("INTERLACE_MODE")])


def _scaled(array: Array, top: Group) -> tuple[Dimension, ...]:
    """By labels and scales, none where neither tells the name of an axis."""
    rank = len(array.shape)
    labels = array.attributes.get("DIMENSION_LABELS")
    texts = [str(each) for each in labels] if isinstance(labels, list | np.ndarray) and len(labels) == rank else []
    found = []
    for d in range(rank):
        scale = _scale(array, d, top)
        label = texts[d] if texts and isinstance(texts[d], str) and texts[d] not in {"None", "0"} else ""
        name = label or (scale.name if scale else None)
        found.append(replace(scale, name=name) if scale else Dimension(name or None))
    return tuple(found) if any(each.name for each in found) else ()


def _scale(array: Array, axis: int, top: Group) -> Dimension | None:
    """The first dimension scale of an axis."""
    lists = array.attributes.get("DIMENSION_LIST")
    if not isinstance(lists, np.ndarray) or len(lists) <= axis or not len(np.atleast_1d(lists[axis])):
        return None
    scale = dereferenced(top, np.atleast_1d(lists[axis])[0])
    if not isinstance(scale, Array) or scale.shape != array.shape[axis : axis + 1] or scale.shape[0] > LONGEST_SCALE:
        return None
    return spaced(scale.path.rpartition("/")[2], scale.read(whole(scale.shape)), scale.attributes.text("units"))

"""Volumes of MINC 2.

::

    minc-2.0/image/0/image, image-min, image-max      with the attribute dimorder, names of dimensions with commas
    minc-2.0/dimensions/xspace …                      with the attributes start, step, direction_cosines …
    minc-2.0/info/study …                             with what else is told
"""

from __future__ import annotations

from math import prod

import numpy as np

from diascope.errors import Unreadable
from diascope.image.level import Pixels
from diascope.image.region import whole
from diascope.sources.minc.volume import Dimension, Volume, checked, dimension
from diascope.sources.reading.h5.array import Array
from diascope.sources.reading.h5.attributes import Attributes
from diascope.sources.reading.h5.file import files
from diascope.sources.reading.h5.node import Group, root
from diascope.stores.store import Store

MOST_SCALES = 1 << 22


def minc2(store: Store, path: str) -> Volume:
    """Raises Unreadable where it lacks what makes it one."""
    top = root(files(store, path)).group("minc-2.0")
    image = top.array("image", "0", "image") if top else None
    if top is None or image is None:
        raise Unreadable(f"{path}: this file of HDF5 has no minc-2.0/image/0/image, as MINC 2 does")
    names = _order(image.attributes, len(image.shape))
    if len(names) != len(image.shape):
        raise Unreadable(f"{path}: the image has {len(image.shape)} axes and the names {', '.join(names)[:200]}")
    return checked(
        Volume(
            title="MINC 2",
            dimensions=tuple(_dimension(top, name) for name in names),
            shape=image.shape,
            stored=image.dtype,
            chunk_shape=image.cheap_shape,
            read=image.read,
            valid_range=_valid_range(image),
            minimum=_scale(top, "image-min", 0.0),
            maximum=_scale(top, "image-max", 1.0),
            extra=_extra(top),
        )
    )


def _order(told: Attributes, rank: int) -> tuple[str, ...]:
    words = told.text("dimorder")
    return tuple(words.split(",")[:rank]) if words else ()


def _dimension(top: Group, name: str) -> Dimension:
    """By the attributes of what has its name, be it a single value or a list of them."""
    group = top.group("dimensions")
    attributes = group.attributes_of(name) if group else None
    return dimension(name, {key: attributes.get(key) for key in attributes} if attributes else {})


def _valid_range(image: Array) -> tuple[float, float]:
    if image.dtype.kind == "f":
        return 0.0, 1.0
    told = image.attributes.numbers("valid_range")
    limits = np.iinfo(image.dtype)
    return (min(told), max(told)) if len(told) == 2 else (float(limits.min), float(limits.max))


def _scale(top: Group, name: str, default: float) -> Pixels:
    """The lowest or highest real values of the slices, or one for all."""
    group = top.group("image", "0")
    if group is None or not group.has(name):
        return np.array(default)
    scalar = group.scalar(name)
    if scalar is not None:
        return scalar
    array = group.array(name)
    if array is None or prod(array.shape) > MOST_SCALES:
        raise Unreadable(f"{name} has no values, or more than {MOST_SCALES}")
    return array.read(whole(array.shape))


def _extra(top: Group) -> dict[str, object]:
    told = {name: top.attributes.text(name)[:10_000] for name in ("history", "minc_version")}
    info = top.group("info")
    study = info.attributes_of("study") if info else None
    modality = study.text("modality").strip("_") if study else ""
    return {name: word for name, word in {**told, "modality": modality}.items() if word}

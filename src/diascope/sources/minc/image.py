"""A volume of MINC in the model's words."""

from __future__ import annotations

import numpy as np

from diascope.image.affine import Affine, affine
from diascope.image.image import Image
from diascope.image.level import Level, Pixels
from diascope.image.metadata import Metadata
from diascope.image.region import Region
from diascope.image.units import METRES, named, ratio
from diascope.sources.minc.volume import Dimension, Volume
from diascope.sources.reading.named_axes import Axes, Named, axes_of

LETTERS = {
    "xspace": "x", "yspace": "y", "zspace": "z", "time": "t", "vector_dimension": "c",
    "xfrequency": "x", "yfrequency": "y", "zfrequency": "z", "tfrequency": "t",
}  # fmt: skip

COSINES = {"x": (1.0, 0.0, 0.0), "y": (0.0, 1.0, 0.0), "z": (0.0, 0.0, 1.0)}

SPACES = {"native": "scanner", "talairach": "talairach"}
"""The house's names of worlds by the attribute ``spacetype``, which ends in underscores."""


def image_of(volume: Volume, name: str) -> Image:
    """Real values; space in millimetres where nothing else is told."""
    axes = axes_of(tuple(Named(LETTERS.get(d.name), None, _unit(d)) for d in volume.dimensions), name)
    by_letter = dict(zip(axes.letters, volume.dimensions, strict=True))
    return Image(
        name=name,
        kind="intensity",
        axes=axes.axes,
        levels=(_level(volume, axes),),
        world=_world(by_letter),
        metadata=Metadata(format=volume.title, extra=volume.extra),
    )


def _unit(dimension: Dimension) -> str | None:
    unit = named(dimension.unit)
    if dimension.name.endswith("space"):
        return unit if unit in METRES else "millimeter"
    return unit or ("second" if dimension.name == "time" else None)


def _level(volume: Volume, axes: Axes) -> Level:
    def read_pixels(region: Region) -> Pixels:
        return axes.turned(volume.real(axes.stored(region)))

    return Level(
        shape=axes.ordered(volume.shape, 1),
        dtype=volume.dtype,
        chunk_shape=axes.ordered(volume.chunk_shape, 1),
        scale=axes.ordered([abs(d.step) for d in volume.dimensions], 1.0),
        translation=axes.ordered([d.start if d.name == "time" else 0.0 for d in volume.dimensions], 0.0),
        read_pixels=read_pixels,
    )


def _world(by_letter: dict[str, Dimension]) -> Affine | None:
    """Each axis goes along its direction from its start, backwards where its step is negative."""
    if not {"x", "y", "z"} <= by_letter.keys():
        return None
    matrix = np.eye(4)
    for k, letter in enumerate("xyz"):
        dimension = by_letter[letter]
        cosines = np.array(dimension.cosines or COSINES[letter])
        unit = ratio(_unit(dimension) or "millimeter", "millimeter")
        matrix[:3, k] = cosines * np.sign(dimension.step) * unit
        matrix[:3, 3] += cosines * dimension.start * unit
    word = by_letter["x"].space.strip("_ ")
    return affine(matrix, SPACES.get(word, word or "scanner")) if np.linalg.det(matrix) else None

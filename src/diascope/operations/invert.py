"""Intensities turned round: bright becomes dark."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from diascope.errors import Unsupported
from diascope.image.image import Image
from diascope.operations.curve import Doubles, curved, refuse_names
from diascope.operations.limits import Limits, limits_of
from diascope.operations.operation import Operation


class Invert(Limits):
    """Two limits that are exchanged."""


@dataclass(frozen=True, slots=True)
class Reversed:
    """What lies as far from one limit as a value does from the other."""

    total: float

    def __call__(self, values: Doubles) -> Doubles:
        return np.asarray(self.total - values)


def invert(image: Image, parameters: Invert) -> Image:
    """Pixels ``low + high - v`` of the same type, integers clipped at the ends of it.

    Of an rgb image each colour by itself, opacity being kept.
    """
    refuse_names(image, "inverse")
    if image.dtype.kind in "iu" and image.dtype.itemsize > 4:
        raise Unsupported(f"pixels of {image.dtype} are not exact in double precision, in which they are inverted")
    return curved(image, Reversed(sum(limits_of(image, parameters))), image.dtype)


operation = Operation(
    name="invert",
    title="Bright becomes dark",
    parameters=Invert,
    apply=invert,
    examples=("invert", "invert,low=0,high=4095"),
)

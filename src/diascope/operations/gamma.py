"""Intensities along a power curve."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from pydantic import Field

from diascope.image.image import Image
from diascope.operations.curve import Doubles, curved, refuse_names
from diascope.operations.limits import Limits, limits_of
from diascope.operations.operation import Operation


class Gamma(Limits):
    gamma: float = Field(ge=0.01, le=100, description="The exponent; below 1 it brightens.")


@dataclass(frozen=True, slots=True)
class Power:
    """``low + (high - low) · t ** gamma`` where t runs from 0 at low to 1 at high."""

    low: float
    high: float
    gamma: float

    def __call__(self, values: Doubles) -> Doubles:
        share = np.maximum((values - self.low) / (self.high - self.low), 0)
        return np.asarray(np.power(share, self.gamma) * (self.high - self.low) + self.low)


def gamma(image: Image, parameters: Gamma) -> Image:
    """Pixels ``low + (high - low) · ((v - low) / (high - low)) ** gamma`` of the same type.

    What lies below low becomes low; above high the curve goes on. Integers are rounded, halves to even, and clipped at
    the ends of their type. Of an rgb image each colour by itself, opacity being kept.
    """
    refuse_names(image, "gamma")
    low, high = limits_of(image, parameters)
    return curved(image, Power(low, high, parameters.gamma), image.dtype)


operation = Operation(
    name="gamma",
    title="Power curve",
    parameters=Gamma,
    apply=gamma,
    examples=("gamma,gamma=0.5", "gamma,low=10,high=300,gamma=2.2"),
)

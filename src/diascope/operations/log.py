"""Logarithms of intensities."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from pydantic import Field

from diascope.errors import Unsupported
from diascope.image.image import Image
from diascope.operations.curve import Doubles, curved, floating, refuse_names
from diascope.operations.operation import Operation, Parameters

FUNCTIONS = {"e": np.log, "2": np.log2, "10": np.log10}


class Log(Parameters):
    base: Literal["e", "2", "10"] = Field("e", description="Of the logarithm.")
    offset: float = Field(1.0, description="What is added to each intensity before; 1 keeps 0 where it is.")


@dataclass(frozen=True, slots=True)
class Logarithm:
    """The logarithm of a value and an offset; minus infinity of 0, NaN below."""

    base: str
    offset: float

    def __call__(self, values: Doubles) -> Doubles:
        logarithms = FUNCTIONS[self.base](values + self.offset)
        # One NaN like the other: their sign bits may depend on a pixel's place in its array.
        logarithms[np.isnan(logarithms)] = np.nan
        return np.asarray(logarithms)


def log(image: Image, parameters: Log) -> Image:
    """Pixels ``log(v + offset)`` of float32, or float64 of float64 and of integers of more than 16 bits.

    It is minus infinity where ``v + offset`` is 0, and NaN below.
    """
    refuse_names(image, "logarithm")
    if image.kind == "rgb":
        raise Unsupported("the logarithm of a colour is no colour; select,axis=c,index=0 takes the first as intensity")
    return curved(image, Logarithm(parameters.base, parameters.offset), floating(image.dtype))


operation = Operation(
    name="log",
    title="Logarithm",
    parameters=Log,
    apply=log,
    examples=("log", "log,base=10,offset=0.5"),
)

"""Two intensities that a point operation keeps in their places, or exchanges."""

from __future__ import annotations

from pydantic import Field, model_validator

from diascope.image.image import Image
from diascope.operations.curve import whole_range
from diascope.operations.operation import Parameters

LARGEST = 1e300
"""Of a limit: what lies between two of them, times a small number, is finite."""

DEFAULT = "by default all that integers of the image's type can hold, and 0 to 1 of floats"


class Limits(Parameters):
    low: float | None = Field(None, description=f"The lower limit of intensities; {DEFAULT}.")
    high: float | None = Field(None, description="The upper limit, given together with the lower one.")

    @model_validator(mode="after")
    def in_order(self) -> Limits:
        if (self.low is None) != (self.high is None):
            raise ValueError("low and high go together")
        if self.low is not None and self.high is not None and self.low >= self.high:
            raise ValueError("low lies below high")
        if max(abs(self.low or 0), abs(self.high or 0)) > LARGEST:
            raise ValueError(f"limits are at most {LARGEST:g}")
        return self


def limits_of(image: Image, parameters: Limits) -> tuple[float, float]:
    """Those given, else the whole range of the image's type."""
    if parameters.low is None or parameters.high is None:
        return whole_range(image.dtype)
    return parameters.low, parameters.high

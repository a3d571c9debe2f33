"""One plane, time point or channel of an image, whose axis is dropped."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from diascope.errors import BadRequest
from diascope.image.image import Image
from diascope.operations.operation import Operation, Parameters
from diascope.operations.places import index_at, index_of, place
from diascope.operations.planes import taken
from diascope.operations.values import OptionalUnit


class Select(Parameters):
    axis: Literal["t", "c", "z"] = Field(description="The axis, which the result lacks.")
    index: int | None = Field(None, description="Which one at level 0, from 0 on; -1 is the last.")
    position: float | None = Field(None, description="Instead of an index: a physical position along the axis.")
    unit: OptionalUnit = Field(None, description="The unit of the position; by default the axis' own.")

    @model_validator(mode="after")
    def one_of_both(self) -> Select:
        if (self.index is None) == (self.position is None):
            raise ValueError("give either index or position")
        if self.unit is not None and self.position is None:
            raise ValueError("a unit goes with a position, not with an index")
        return self


def select(image: Image, parameters: Select) -> Image:
    """The image at one index; a coarser level gives the plane that holds the centre of that of level 0."""
    return taken(image, parameters.axis, _index(image, parameters))


def _index(image: Image, parameters: Select) -> int:
    if parameters.position is None:
        return index_of(image, parameters.axis, parameters.index or 0)
    unit = parameters.unit or image.axes[place(image, parameters.axis)].unit
    if unit is None:
        raise BadRequest(f"the axis {parameters.axis} has no known unit; give an index")
    return index_at(image, parameters.axis, parameters.position, unit)


operation = Operation(
    name="select",
    title="One index of an axis",
    parameters=Select,
    apply=select,
    examples=("select,axis=z,index=1", "select,axis=c,index=-1", "select,axis=t,position=1,unit=s"),
)

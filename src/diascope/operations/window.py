"""Intensities between two limits as eight bits."""

from __future__ import annotations

from dataclasses import replace

from pydantic import Field, model_validator

from diascope.errors import Unsupported
from diascope.image.image import Image
from diascope.image.metadata import Channel
from diascope.operations.operation import Operation, Parameters, mapped
from diascope.operations.pointwise import pointwise
from diascope.operations.transfer import BYTE, Transfer


class Window(Parameters):
    low: float = Field(description="The intensity that becomes 0, as all that lie beyond it do.")
    high: float = Field(description="The intensity that becomes 255; below `low` it inverts.")
    gamma: float = Field(
        1.0, ge=0.01, le=100, description="The exponent of the curve between them; below 1 it brightens."
    )

    @model_validator(mode="after")
    def apart(self) -> Window:
        if self.low == self.high:
            raise ValueError("low and high are the same")
        return self


def window(image: Image, parameters: Window) -> Image:
    """Pixels ``round(255 · ((v - low) / (high - low)) ** gamma)`` of uint8, clipped, halves upwards, NaN being 0.

    Of an rgb image each colour by itself.
    """
    if image.kind == "labels":
        raise Unsupported("labels are names, not intensities; render shows them in colours")
    transfer = Transfer(parameters.low, parameters.high, parameters.gamma)
    return mapped(
        image,
        lambda level: pointwise(level, BYTE, transfer),
        channels=tuple(map(_shown_whole, image.channels)),
        metadata=replace(image.metadata, rescale=None, palette=()),
    )


def _shown_whole(channel: Channel) -> Channel:
    return replace(channel, window=(0.0, 255.0))


operation = Operation(
    name="window",
    title="Intensity limits to 8 bit",
    parameters=Window,
    apply=window,
    examples=("window,low=0,high=4095", "window,low=200,high=-10.5,gamma=0.5"),
)

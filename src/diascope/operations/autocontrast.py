"""Contrast that a look at the image decides."""

from __future__ import annotations

from pydantic import Field, model_validator

from diascope.errors import TooLarge, Unsupported
from diascope.image.image import Image
from diascope.operations.contrast import limits_of
from diascope.operations.looks import look, refuse_unordered, visible
from diascope.operations.operation import Files, Operation, Parameters, no_files
from diascope.operations.values import LONGEST_LIST, number_spelled
from diascope.operations.view import view


class Autocontrast(Parameters):
    low: float = Field(0.1, ge=0, le=100, description="The percentage of pixels that become 0.")
    high: float = Field(99.9, ge=0, le=100, description="The percentage of pixels above which the rest become 255.")
    each: bool = Field(
        False,
        description=(
            "Whether each channel has limits of its own. They are then set as by `channels`, for viewers, `render` "
            "and blending, and pixels stay as they are."
        ),
    )

    @model_validator(mode="after")
    def in_order(self) -> Autocontrast:
        if self.low >= self.high:
            raise ValueError("low lies below high")
        return self


def autocontrast(image: Image, parameters: Autocontrast) -> Image:
    """The image under `window` with the limits that the percentages have in a coarse level, of all planes and channels.

    An address is redirected to that of the window, with its numbers, so that every tile agrees, and so do tomorrow's:
    whoever wants the contrast of the image as it is now asks again. About two million pixels are looked at, evenly
    spread, of which those that are no finite numbers do not count.
    """
    return view(settled(image, parameters, no_files)).applied(image)


def settled(image: Image, parameters: Autocontrast, _: Files) -> str:
    """The view that stands for it: `window` or `channels` with their limits."""
    refuse_unordered(image)
    lowest, highest = parameters.low / 100, parameters.high / 100
    if not parameters.each:
        low, high = _short(*limits_of(look(image), lowest, highest))
        return f"window,low={number_spelled(low)},high={number_spelled(high)}"
    if image.kind == "rgb":
        raise Unsupported("the colours of an rgb image are shown together: leave each=true out")
    channels = visible(image)
    if len(channels) > LONGEST_LIST:
        raise TooLarge(f"limits are set of at most {LONGEST_LIST} channels, and there are {len(channels)}")
    found = [_short(*limits_of(look(image, range(k, k + 1)), lowest, highest)) for k in channels]
    lows, highs = ("+".join(number_spelled(pair[k]) for pair in found) for k in (0, 1))
    return f"channels,low={lows},high={highs}"


def _short(low: float, high: float) -> tuple[float, float]:
    """The limits with six digits, where they stay apart so."""
    short = tuple(value if value.is_integer() else float(f"{value:.6g}") for value in (low, high))
    return (short[0], short[1]) if short[0] < short[1] else (low, high)


operation = Operation(
    name="autocontrast",
    title="Intensity limits by percentiles",
    parameters=Autocontrast,
    apply=autocontrast,
    settled=settled,
    examples=("autocontrast", "autocontrast,low=1,high=99", "autocontrast,each=true"),
)

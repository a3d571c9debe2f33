"""One image out of the channels of an image, by an arithmetic expression."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from pydantic import Field

from diascope.errors import BadRequest, Unsupported
from diascope.image.image import Image
from diascope.image.level import Level, Pixels
from diascope.image.metadata import Channel
from diascope.image.region import Region
from diascope.operations.arithmetic import FUNCTIONS
from diascope.operations.composite import channels_read
from diascope.operations.curve import Doubles, floating
from diascope.operations.expression import Expression, evaluated, names, parsed
from diascope.operations.operation import Operation, Parameters, mapped
from diascope.operations.planes import flat, raised, without
from diascope.operations.pointwise import BLOCK, pointwise

COLOURS = ("red", "green", "blue", "opacity")


class Calculate(Parameters):
    expression: Expression = Field(
        description=(
            "Of channels by number (`c0`, `c1`) or by name, where every character but letters and digits is `_`, or "
            "`red`, `green` and `blue`. `+ - *` and `**` as everywhere, `:` divides, `::` divides and rounds down; "
            f"functions have their arguments parted by `;`: {', '.join(f'`{name}`' for name in sorted(FUNCTIONS))}."
        )
    )


@dataclass(frozen=True, slots=True)
class Formula:
    """An expression of pixels in one row, in a type of its result."""

    text: str
    dtype: np.dtype[Any]

    def of(self, rows: Mapping[str, Pixels]) -> Pixels:
        """The values of rows of equal lengths, by the names that the expression has for them."""
        with np.errstate(all="ignore"):
            made = evaluated(parsed(self.text), {name: row.astype(np.float64) for name, row in rows.items()})
            values: Doubles = np.asarray(made, np.float64).copy()
            # One NaN like the other: their sign bits may depend on a pixel's place in its array.
            values[np.isnan(values)] = np.nan
            return values.astype(self.dtype)

    def __call__(self, pixels: Pixels) -> Pixels:
        """Of an image of one channel, whatever it is called."""
        return self.of(dict.fromkeys(names(parsed(self.text)), pixels))


def calculate(image: Image, parameters: Calculate) -> Image:
    """The value of the expression at each pixel, without an axis of channels.

    It is computed in double precision by the rules of IEEE 754 (1 : 0 is infinite, 0 : 0 is NaN, comparisons are 1
    or 0), and the result is float32, or float64 of float64 and of integers of more than 16 bits.
    """
    if image.kind == "labels":
        raise Unsupported("labels are names, and have no sums; select or crop them, or give an image of intensities")
    if image.dtype.kind == "c":
        raise Unsupported("expressions are of real numbers; window makes bytes of the magnitude of complex ones")
    indices = _indices(image, names(parsed(parameters.expression)))
    formula = Formula(parameters.expression, floating(image.dtype))
    metadata = replace(image.metadata, rescale=None, palette=())
    channel = Channel(name=parameters.expression)
    if "c" not in image.axis_names:
        made = mapped(image, lambda level: pointwise(level, formula.dtype, formula))
        return replace(made, channels=(channel,), metadata=metadata)
    at = image.axis_names.index("c")
    levels = tuple(_computed(level, at, formula, indices) for level in image.levels)
    return replace(without(image, "c", levels, channel), kind="intensity", metadata=metadata)


def _indices(image: Image, wanted: tuple[str, ...]) -> dict[str, int]:
    """The channel that each name means; raises BadRequest where it means none, or several."""
    count = image.size("c")
    told = COLOURS[:count] if image.kind == "rgb" else tuple(_plain(channel.name) for channel in image.channels)
    known = {f"c{k}": [k] for k in range(count)}
    for k, name in enumerate(told):
        if name not in {f"c{index}" for index in range(count)}:
            known.setdefault(name, []).append(k)
    for name in wanted:
        if len(known.get(name, ())) != 1:
            trouble = "means several channels" if name in known else "is no channel"
            raise BadRequest(f"{name!r} {trouble}; there are: {', '.join(key for key in known if key)[:500]}")
    return {name: known[name][0] for name in wanted}


def _plain(name: str) -> str:
    """A channel's name as an expression can have it."""
    text = re.sub(r"[^A-Za-z0-9_]", "_", name)
    return f"_{text}" if text[:1].isdigit() else text


def _computed(level: Level, at: int, formula: Formula, indices: Mapping[str, int]) -> Level:
    channels = sorted(set(indices.values()))

    def read_pixels(region: Region) -> Pixels:
        out = np.empty(region.shape, formula.dtype)
        box = raised(region, at, 0, level.shape[at])
        read = channels_read(level, at, channels, box)
        rows = {k: np.ascontiguousarray(pixels).reshape(-1) for k, pixels in zip(channels, read, strict=True)}
        flattened = out.reshape(-1)
        for start in range(0, out.size, BLOCK):
            part = slice(start, start + BLOCK)
            flattened[part] = formula.of({name: rows[k][part] for name, k in indices.items()})
        return out

    return replace(flat(level, at, read_pixels), dtype=formula.dtype)


operation = Operation(
    name="calculate",
    title="Arithmetic of channels",
    parameters=Calculate,
    apply=calculate,
    examples=(
        "calculate,expression=sqrt(c0)+1",
        "calculate,expression=(c1-c0):(c1+c0)",
        "calculate,expression=where(gt(c0;100);log(max(c1;1));-0.5)",
        "calculate,expression=0.3*red+0.6*green+0.1*blue",
    ),
)

"""Stains of a slide told apart by the light that each takes away.

A. C. Ruifrok and D. A. Johnston, Quantification of histochemical staining by color deconvolution (2001).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np
from pydantic import Field, model_validator

from diascope.errors import BadRequest, Unsupported
from diascope.image.image import Image
from diascope.image.level import Level, Pixels
from diascope.image.metadata import Channel
from diascope.image.region import Region
from diascope.operations.curve import Doubles, fitted, whole_range
from diascope.operations.operation import Operation, Parameters, mapped
from diascope.operations.pointwise import BLOCK
from diascope.operations.values import OptionalNumbers

HAEMATOXYLIN, EOSIN, DAB = (0.65, 0.70, 0.29), (0.07, 0.99, 0.11), (0.27, 0.57, 0.78)
"""What they take of red, green and blue, as optical densities (Ruifrok and Johnston, table 2)."""

STAINS = {
    "hed": {"haematoxylin": HAEMATOXYLIN, "eosin": EOSIN, "DAB": DAB},
    "he": {"haematoxylin": HAEMATOXYLIN, "eosin": EOSIN},
    "hdab": {"haematoxylin": HAEMATOXYLIN, "DAB": DAB},
}
RESIDUAL = "residual"

DARKEST = 1e-6
"""The least share of light that is counted, so that black has a density: 6."""

SINGULAR = 1e-4
"""Stains whose determinant, of rows of length 1, is smaller take light too much alike."""

SHOWN = (0.0, 1.0)
"""The densities that a channel is shown between."""


class Unmix(Parameters):
    stains: Literal["hed", "he", "hdab"] | None = Field(
        None,
        description=(
            "Haematoxylin, eosin and DAB, or two of them, with the values of Ruifrok and Johnston; the third of two "
            "is what neither explains."
        ),
    )
    matrix: OptionalNumbers = Field(
        None,
        description=(
            "Instead: what each stain takes of red, green and blue, as optical densities, for two or three stains, "
            "row by row, 6 or 9 numbers. They are taken as given, not brought to length 1."
        ),
    )
    white: OptionalNumbers = Field(
        None, description="The light without a stain, one number or one of each colour; by default the type's largest."
    )
    show: int | None = Field(
        None, ge=0, le=2, description="Give the rgb picture of this stain alone, from 0 on, instead of the densities."
    )

    @model_validator(mode="after")
    def one_of_both(self) -> Unmix:
        if (self.stains is None) == (self.matrix is None):
            raise ValueError("give either stains or a matrix")
        if self.matrix is not None and (len(self.matrix) not in {6, 9} or max(map(abs, self.matrix)) > 100):
            raise ValueError("a matrix has 6 or 9 numbers, none beyond 100")
        if self.white is not None and (len(self.white) not in {1, 3} or min(self.white) <= 0):
            raise ValueError("white is one number or three, above 0")
        return self


@dataclass(frozen=True)
class Unmixing:
    """Colours to densities of stains, and back."""

    rows: tuple[tuple[float, ...], ...]
    white: tuple[float, ...]

    @cached_property
    def inverse(self) -> Doubles:
        """From densities of colours to those of stains."""
        return np.linalg.inv(np.array(self.rows))

    def densities(self, colours: Pixels, stain: int) -> Doubles:
        """Of a stain, of three rows of pixels; never below 0."""
        total = np.zeros(colours.shape[1:])
        for colour, white, share in zip(colours, self.white, self.inverse[:, stain], strict=True):
            # Sums in a fixed order: products of matrices add up in one that depends on their size.
            total -= np.log10(np.maximum(colour.astype(np.float64) / white, DARKEST)) * share
        return np.maximum(total, 0)

    def light(self, densities: Doubles, stain: int, colour: int) -> Doubles:
        """What a stain alone lets through of a colour."""
        return np.asarray(np.power(10.0, -densities * self.rows[stain][colour]) * self.white[colour])


def unmix(image: Image, parameters: Unmix) -> Image:
    """Three channels of float32, the optical density (base 10) of each stain, never below 0; or a stain's rgb picture.

    These are six times the values of scikit-image, which counts in millionths of light. Opacity is left out.
    """
    if image.kind != "rgb":
        raise Unsupported("stains are told apart by red, green and blue, and this is no rgb image")
    given = STAINS[parameters.stains] if parameters.stains else _named(parameters.matrix or ())
    rows = _complete(tuple(given.values()))
    white = parameters.white or (whole_range(image.dtype)[1],)
    unmixing = Unmixing(rows, white * 3 if len(white) == 1 else white)
    at, show = image.axis_names.index("c"), parameters.show
    dtype = np.dtype(np.float32) if show is None else image.dtype
    names = (*given, RESIDUAL)[:3]
    return mapped(
        image,
        lambda level: _unmixed(level, at, unmixing, show, dtype),
        kind="intensity" if show is None else "rgb",
        channels=tuple(map(_channel, names, rows)) if show is None else (),
        metadata=replace(image.metadata, rescale=None, palette=(), icc=None),
    )


def _named(matrix: Sequence[float]) -> dict[str, tuple[float, ...]]:
    return {f"stain {k // 3}": tuple(matrix[k : k + 3]) for k in range(0, len(matrix), 3)}


def _complete(rows: tuple[tuple[float, ...], ...]) -> tuple[tuple[float, ...], ...]:
    """Three rows, the third of two at right angles to them; raises BadRequest where they are too much alike."""
    if len(rows) < 3:
        rows = (*rows, tuple(np.cross(rows[0], rows[1]).tolist()))
    lengths = np.linalg.norm(np.array(rows), axis=1)
    if not lengths.all() or abs(np.linalg.det(np.array(rows) / lengths[:, None])) < SINGULAR:
        raise BadRequest("stains that take the same light, or none, cannot be told apart")
    return rows


def _channel(name: str, row: Sequence[float]) -> Channel:
    """The channel of a stain in its colour, as bright as it goes."""
    light = [10 ** -max(density, 0) for density in row]
    colour = "".join(f"{round(255 * share / max(light)):02x}" for share in light)
    return Channel(name=name, colour="808080" if name == RESIDUAL else colour, window=SHOWN)


def _unmixed(level: Level, at: int, unmixing: Unmixing, show: int | None, dtype: np.dtype[Any]) -> Level:
    def read_pixels(region: Region) -> Pixels:
        starts, stops = list(region.start), list(region.stop)
        starts[at], stops[at] = 0, 3
        pixels = np.moveaxis(level.read(Region(tuple(starts), tuple(stops))), at, 0)
        colours = np.ascontiguousarray(pixels).reshape(3, -1)
        wanted = range(region.start[at], region.stop[at])
        out = np.empty((len(wanted), colours.shape[1]), dtype)
        for start in range(0, colours.shape[1], BLOCK):
            part = slice(start, start + BLOCK)
            made = _made(unmixing, colours[:, part], wanted, show)
            for row, values in zip(out, made, strict=True):
                row[part] = fitted(values, dtype)
        return np.moveaxis(out.reshape(len(wanted), *pixels.shape[1:]), 0, at)

    shape, chunk = list(level.shape), list(level.chunk_shape)
    shape[at] = chunk[at] = 3
    return replace(level, shape=tuple(shape), chunk_shape=tuple(chunk), dtype=dtype, read_pixels=read_pixels)


def _made(unmixing: Unmixing, colours: Pixels, wanted: range, show: int | None) -> list[Doubles]:
    """The densities of the stains wanted, or the colours wanted of the stain that is shown."""
    with np.errstate(all="ignore"):
        if show is None:
            return [unmixing.densities(colours, stain) for stain in wanted]
        densities = unmixing.densities(colours, show)
        return [unmixing.light(densities, show, colour) for colour in wanted]


operation = Operation(
    name="unmix",
    title="Stains told apart",
    parameters=Unmix,
    apply=unmix,
    examples=(
        "unmix,stains=hed",
        "unmix,stains=hdab,white=240+235+250,show=1",
        "unmix,matrix=0.65+0.7+0.29+0.07+0.99+0.11",
    ),
)

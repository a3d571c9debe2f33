"""An image bent so that landmarks come to lie where they belong, by a thin-plate spline."""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

import numpy as np
from pydantic import Field, model_validator

from diascope.errors import BadRequest
from diascope.image.image import Image, Interpolation
from diascope.image.mapping import Mapping, mapping
from diascope.image.space import spatial
from diascope.image.spline import spline as through_landmarks
from diascope.operations.bent_grids import ORIGIN, PIXEL, SIZE, bent_grid, refuse_grid, sized, spacing_of
from diascope.operations.grids import INTERPOLATION, regridded
from diascope.operations.landmarks import Landmarks, OptionalLandmarks, Pair
from diascope.operations.lengths import LARGEST, Vector, in_axes
from diascope.operations.operation import Files, Operation, Parameters
from diascope.operations.values import OptionalName, OptionalNumbers, OptionalUnit


class Spline(Parameters):
    landmarks: OptionalLandmarks = Field(
        None,
        description=(
            "The file of pairs as BigWarp writes it, moving points before fixed ones, in the image's folder or the "
            "nearest one above it. The image is the moving one: what is at a moving point comes to lie at the fixed "
            "one. Points of two axes leave the planes of a volume as they are. An address is redirected to that with "
            "the version of the file."
        ),
    )
    pairs: OptionalNumbers = Field(
        None,
        description=(
            "Instead of a file: the pairs one after another, each moving x+y(+z) and then fixed x+y(+z), of as many "
            "axes as the image has."
        ),
    )
    unit: OptionalUnit = Field(None, description="Of positions; by default those of the image's own axes.")
    interpolation: Interpolation = Field("linear", description=INTERPOLATION)
    domain: Literal["whole", "same"] = Field(
        "whole", description="All of what the image becomes, or the grid of the image as it was."
    )
    size: OptionalNumbers = Field(None, description=SIZE)
    origin: OptionalNumbers = Field(None, description=ORIGIN)
    pixel: OptionalNumbers = Field(None, description=PIXEL)
    space: OptionalName = Field(
        None, description="The name of the world that fixed points are positions in. By default none is known any more."
    )

    @model_validator(mode="after")
    def fits(self) -> Spline:
        if (self.landmarks is None) == (self.pairs is None):
            raise ValueError("give either landmarks or pairs")
        if any(abs(number) > LARGEST for number in self.pairs or ()):
            raise ValueError(f"the numbers of pairs are at most {LARGEST:g}")
        refuse_grid(self.size, self.origin, self.pixel)
        return self


def spline(image: Image, parameters: Spline) -> Image:
    """The image on a grid of its own, bent as little as possible; where nothing comes to lie it is 0.

    The spline is fitted from fixed to moving points, and so says exactly where each pixel of the result comes from, as
    in BigWarp: r² log r, in the plane and in space. Where its inverse is needed, for the domain and for points, it is
    found by trial. It is one interpolation with the coordinate operations before and after it.
    """
    pairs = _pairs(image, parameters)
    if len(pairs[0].fixed) > len(spatial(image)):
        raise BadRequest("the landmarks have three axes, and the image is a plane")
    back = _back(pairs, tuple(_common(image, parameters.unit).tolist()))
    by = in_axes(image, parameters.unit)
    apart = spacing_of(image, parameters.pixel, by)
    if parameters.size is not None:
        finest = sized(image, parameters.size, parameters.origin, apart, by)
    else:
        finest = bent_grid(image, back, apart, whole=parameters.domain == "whole")
    return regridded(image, back, finest, parameters.interpolation, parameters.space)


def settled(_: Image, parameters: Spline, files: Files) -> Spline | None:
    """With the pairs out of their file, and the file's version."""
    given = parameters.landmarks
    if given is None or given.pairs:
        return None
    return parameters.model_copy(update={"landmarks": given.of(files(given.name))})


def _files(parameters: Spline) -> tuple[str, ...]:
    return (parameters.landmarks.name,) if parameters.landmarks else ()


def _pairs(image: Image, parameters: Spline) -> tuple[Pair, ...]:
    if parameters.landmarks:
        return parameters.landmarks.pairs
    axes = 3 if "z" in image.axis_names else 2
    numbers = parameters.pairs or ()
    if len(numbers) % (2 * axes):
        raise BadRequest(f"{len(numbers)} numbers are no pairs of points: each takes {2 * axes}")
    points = [numbers[k : k + axes] for k in range(0, len(numbers), axes)]
    return tuple(Pair(k, *two) for k, two in enumerate(zip(points[::2], points[1::2], strict=True)))


def _common(image: Image, unit: str | None) -> Vector:
    """How many of the units of x, y and z make one of the landmarks'."""
    units = {axis.unit for axis in image.axes if axis.type == "space"}
    if unit is None and len(units) > 1:
        raise BadRequest("the spatial axes have different units, so that distances need one: give unit")
    return in_axes(image, unit)


@lru_cache(maxsize=64)
def _back(pairs: tuple[Pair, ...], by: tuple[float, ...]) -> Mapping:
    """From positions in the result to those in the image, in the units of the axes."""
    found = Landmarks("", None, pairs)
    try:
        bent = through_landmarks(found.fixed, found.moving)
    except ValueError as error:
        raise BadRequest(f"there is no spline: {error}") from error
    if set(by) == {1.0}:
        return bent
    scaled = mapping(np.diag([*by, 1.0]))
    return scaled.inverted().then(bent).then(scaled)


operation = Operation(
    name="spline",
    title="Thin-plate spline through landmarks",
    parameters=Spline,
    apply=spline,
    settled=settled,
    files=_files,
    examples=(
        "spline,pairs=2+1+3+1+12+2+11+3+3+9+2+8+13+8+14+9",
        "spline,pairs=1+1+0+2+1+0.5+12+2+1+11+3+1+3+9+3+3+8+4+13+8+2+14+9+2+6+5+5+6+5+4.5,interpolation=cubic,domain=same",
        "spline,pairs=0.002+0.001+0.003+0.001+0.012+0.002+0.011+0.003+0.003+0.009+0.002+0.008,unit=mm,interpolation=nearest,size=30+20,pixel=0.0005+0.0005",
    ),
)

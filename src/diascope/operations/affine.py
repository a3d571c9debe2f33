"""An image moved by an affine transformation."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from diascope.errors import BadRequest
from diascope.image.image import Image, Interpolation
from diascope.image.mapping import linear, mapping
from diascope.image.resampled import Grid
from diascope.operations.grids import INTERPOLATION, covering, grid, regridded, same_grid, with_spacing
from diascope.operations.lengths import LARGEST, SMALLEST, in_axes, vector
from diascope.operations.matrix_file import matrix_of
from diascope.operations.operation import Files, Operation, Parameters
from diascope.operations.values import OptionalFile, OptionalName, OptionalNumbers, OptionalUnit

FLAT = 1e-12
"""How thin a matrix may make space, along its thinnest direction compared with its longest."""


class AffineMap(Parameters):
    matrix: OptionalNumbers = Field(
        None,
        description=(
            "Where each point of the image goes: two rows of three numbers (or three of four, of a volume), row by "
            "row, that make of the position (x, y, 1) in the image (or (x, y, z, 1)) the position in the result. "
            "`1+0+10+0+1+0` moves everything by 10 towards larger x, and `0+-1+0+1+0+0` turns the x axis into the y "
            "axis. A matrix of two rows leaves the planes of a volume where they are."
        ),
    )
    file: OptionalFile = Field(
        None,
        description=(
            "Instead of a matrix: a text file of its rows, in the image's folder or the nearest one above it. The "
            "address then becomes that of the matrix, so that it goes on to mean the same."
        ),
    )
    unit: OptionalUnit = Field(None, description="Of positions; by default those of the image's own axes.")
    inverse: bool = Field(
        False,
        description=(
            "Whether the matrix is the other way round, from the result to the image, as resamplers such as ITK's "
            "write it."
        ),
    )
    interpolation: Interpolation = Field("linear", description=INTERPOLATION)
    domain: Literal["whole", "same"] = Field(
        "whole", description="All of what the image becomes, or the grid of the image as it was."
    )
    size: OptionalNumbers = Field(None, description="Instead of a domain: how many pixels along x+y, or x+y+z.")
    origin: OptionalNumbers = Field(None, description="The position of the centre of the first of them; by default 0.")
    pixel: OptionalNumbers = Field(None, description="Their distances along x+y(+z); by default as in the image.")
    space: OptionalName = Field(
        None,
        description=(
            "The name of the world that the result's positions are in, such as `mni152`. By default everything in the "
            "image keeps its place in the world that the image knows, if any."
        ),
    )

    @model_validator(mode="after")
    def fits(self) -> AffineMap:
        if (self.matrix is None) == (self.file is None):
            raise ValueError("give either a matrix or a file")
        if self.matrix is not None and len(self.matrix) not in {6, 12}:
            raise ValueError("a matrix has 6 or 12 numbers")
        if any(abs(number) > LARGEST for number in self.matrix or ()):
            raise ValueError(f"the numbers of a matrix are at most {LARGEST:g}")
        if self.size is not None and any(not 1 <= n <= 2**31 - 1 or n != int(n) for n in self.size):
            raise ValueError("size is whole numbers from 1 on")
        if self.pixel is not None and any(by < SMALLEST for by in self.pixel):
            raise ValueError("pixel is lengths above 0")
        if self.origin is not None and self.size is None:
            raise ValueError("an origin goes with a size")
        return self


def affine(image: Image, parameters: AffineMap) -> Image:
    """The image where the matrix moves it, on a grid of its own; where nothing comes to lie it is 0.

    Pixels are those of the source's level that fits the grid: no coarser than the result, and less than twice as fine.
    Consecutive coordinate operations are one map, and one interpolation of the pixels that the first of them was given.
    A pixel of the image reaches to its edge, half a pixel from its centre.
    """
    forward = _forward(image, parameters)
    finest = _grid(image, parameters, forward)
    return regridded(image, mapping(forward).inverted(), finest, parameters.interpolation, parameters.space)


def settled(_: Image, parameters: AffineMap, files: Files) -> AffineMap | None:
    """With the matrix that the file has instead of the file."""
    if parameters.file is None:
        return None
    given = {name: getattr(parameters, name) for name in parameters.model_fields_set}
    data = files(parameters.file)
    try:
        return AffineMap(**given | {"matrix": matrix_of(data), "file": None})
    except ValueError as error:
        raise BadRequest(f"{parameters.file} is no matrix: {' '.join(str(error).split())}") from error


def _files(parameters: AffineMap) -> tuple[str, ...]:
    return (parameters.file,) if parameters.file else ()


def _forward(image: Image, parameters: AffineMap) -> NDArray[np.float64]:
    """From positions in the image to positions in the result, in the units of the axes."""
    rows = parameters.matrix or ()
    matrix = np.eye(4)
    if len(rows) == 12:
        if "z" not in image.axis_names:
            raise BadRequest("a matrix of 12 numbers moves volumes, and the image is a plane: give 6")
        matrix[:3] = np.reshape(rows, (3, 4))
    else:
        matrix[np.ix_([0, 1], [0, 1, 3])] = np.reshape(rows, (2, 3))
    rank = len(rows) // 4 + 1
    singular = np.linalg.svd(matrix[:rank, :rank], compute_uv=False)
    if singular[-1] <= FLAT * singular[0]:
        raise BadRequest("the matrix flattens the image: none of its rows may be a combination of the others")
    by = np.append(in_axes(image, parameters.unit), 1.0)
    matrix = np.diag(by) @ matrix @ np.diag(1 / by)
    return linear(matrix).inverted().array if parameters.inverse else matrix


def _grid(image: Image, parameters: AffineMap, forward: NDArray[np.float64]) -> Grid:
    by = in_axes(image, parameters.unit)
    given = np.full(3, np.nan) if parameters.pixel is None else vector(image, "pixel", parameters.pixel, np.nan) * by
    apart = with_spacing(image, given)
    if parameters.size is not None:
        sizes = vector(image, "size", parameters.size, 1).astype(int).tolist()
        first = np.zeros(3) if parameters.origin is None else vector(image, "origin", parameters.origin, 0) * by
        return grid(image, first, apart, sizes)
    if parameters.domain == "same" and parameters.pixel is None:
        return same_grid(image)
    return covering(image, np.eye(4) if parameters.domain == "same" else forward, apart)


operation = Operation(
    name="affine",
    title="Affine transformation",
    parameters=AffineMap,
    apply=affine,
    settled=settled,
    files=_files,
    examples=(
        "affine,matrix=0.9+-0.3+4+0.2+1.1+-2",
        "affine,matrix=1+0.1+0+2+0+0.9+0.2+0+0.1+0+1+0,inverse=true,interpolation=cubic,domain=same",
        "affine,matrix=0.5+0.5+0+-0.5+0.5+0.01,unit=mm,interpolation=nearest,size=30+20,origin=0.001+0.002,pixel=0.001+0.0005",
    ),
)

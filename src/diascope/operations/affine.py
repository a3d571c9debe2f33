"""An image moved by an affine transformation."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from diascope.errors import BadRequest
from diascope.image.affine import affine as placed_in
from diascope.image.image import Image, Interpolation
from diascope.image.mapping import linear, mapping
from diascope.image.resampled import Grid
from diascope.image.resampling import through
from diascope.image.space import spatial, values
from diascope.operations.grids import INTERPOLATION, covering, grid, millimetres, regridded, same_grid, with_spacing
from diascope.operations.lengths import LARGEST, SMALLEST, in_axes, vector
from diascope.operations.operation import Files, Operation, Parameters
from diascope.operations.registered import Where, registered, where
from diascope.operations.transform_file import Convention, Found, found, rows
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
            "Instead of a matrix: a file of its rows, or one that ITK, ANTs, elastix or OME-Zarr 0.6 write a linear "
            "transformation to, in the image's folder or the nearest one above it. The address then becomes that of "
            "the matrix, so that it goes on to mean the same."
        ),
    )
    convention: Convention = Field(
        "positions",
        description=(
            "What the numbers of rows are about: positions in the image, the world of NIfTI (`ras`) or of ITK (`lps`), "
            "or FLIRT's lengths from a corner of the image and of its reference (`fsl`). Other files tell themselves."
        ),
    )
    unit: OptionalUnit = Field(
        None,
        description=(
            "Of positions; by default those of the image's own axes, and of what registration programs write, mm."
        ),
    )
    inverse: bool = Field(
        False,
        description=(
            "Whether the matrix is the other way round, from the result to the image, as resamplers such as ITK's "
            "write it. Of a file that tells its way, whether it is taken the other way round."
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
    world: OptionalNumbers = Field(
        None,
        description=(
            "Where the result's positions are in that world instead: three rows of four numbers, row by row, that make "
            "of a position (x, y, z, 1) a place in mm, as the sform of a reference image does."
        ),
    )

    @model_validator(mode="after")
    def fits(self) -> AffineMap:
        if (self.matrix is None) == (self.file is None):
            raise ValueError("give either a matrix or a file")
        if self.matrix is not None and len(self.matrix) not in {6, 12}:
            raise ValueError("a matrix has 6 or 12 numbers")
        if any(abs(number) > LARGEST for number in (*(self.matrix or ()), *(self.world or ()))):
            raise ValueError(f"the numbers of a matrix are at most {LARGEST:g}")
        if self.world is not None and len(self.world) != 12:
            raise ValueError("world has 12 numbers")
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
    finest, back = _grid(image, parameters, forward), mapping(forward).inverted()
    if parameters.world is None:
        return regridded(image, back, finest, parameters.interpolation, parameters.space)
    name = parameters.space or (image.world.space if image.world else "aligned")
    world = placed_in(_world(image, parameters), name)
    return through(image, back, finest, parameters.interpolation, world=world)


def settled(image: Image, parameters: AffineMap, files: Files) -> AffineMap | None:
    """With the matrix between positions that a file or a convention comes to, and the grid of a file that has one."""
    given = {name: getattr(parameters, name) for name in parameters.model_fields_set}
    try:
        if parameters.file is not None:
            told = found(parameters.file, files, image.axis_names, parameters.convention)
        elif parameters.convention != "positions":
            told = rows(parameters.matrix or (), parameters.convention)
        else:
            return None
        _check(told.matrix)
        return AffineMap(**given | {"file": None, "convention": "positions"} | _told(image, parameters, told))
    except BadRequest:
        raise
    except ValueError as error:
        raise BadRequest(f"{parameters.file or 'this'} is no matrix: {' '.join(str(error).split())}") from error


def _check(matrix: NDArray[np.float64]) -> None:
    if np.abs(matrix).max() > LARGEST:
        raise ValueError(f"the numbers of a matrix are at most {LARGEST:g}")
    if _is_flat(matrix[:-1, :-1]):
        raise ValueError("it flattens space: none of its rows may be a combination of the others")


def _told(image: Image, parameters: AffineMap, told: Found) -> dict[str, Any]:
    """The parameters that say the same."""
    if told.convention == "positions" and told.unit is None:
        return {"matrix": _numbers(told.matrix[:-1])}
    # The way back is to another grid than that of the file.
    told = told._replace(backwards=told.backwards != parameters.inverse, grid=None if parameters.inverse else told.grid)
    result = _result(image, parameters, told)
    known = registered(image, told, result, parameters.unit)
    by = in_axes(image, parameters.unit)
    to_axes, of_axes = np.diag([*by, 1.0]), np.diag([*(1 / by), 1.0])
    matrix, rank = of_axes @ known.back @ to_axes, len(spatial(image))
    kept = [*range(rank), 3]
    changes: dict[str, Any] = {"matrix": _numbers(matrix[:rank, kept]), "inverse": True}
    if told.convention != "positions" and known.world is not None and parameters.world is None:
        changes["world"] = None if parameters.space else _numbers((known.world @ to_axes)[:3])
    if known.grid is not None:
        size, origin, pixel = known.grid
        changes |= {"size": size, "origin": _numbers((origin / by)[:rank]), "pixel": _numbers((pixel / by)[:rank])}
    return changes


def _result(image: Image, parameters: AffineMap, told: Found) -> Where | None:
    """Where the result lies, None where nothing is said of it."""
    is_given = parameters.size is not None or parameters.pixel is not None or parameters.domain == "same"
    named_so = parameters.world is not None or parameters.space is not None
    if told.convention == "fsl" and not (parameters.domain == "same" or (parameters.size and parameters.world)):
        raise BadRequest(
            "FLIRT counts from a corner of its reference image: say domain=same where the image has the grid of the "
            "reference, and otherwise the size, pixel and world of the reference"
        )
    if told.convention == "positions" or not (is_given or named_so):
        return None
    world = image.world.array if image.world else None
    if named_so:
        world = _world(image, parameters)
    if parameters.size is None and parameters.domain == "whole":
        return where(image, world)
    grid = _grid(image, parameters, np.eye(4))
    first, apart = values(image.axes, grid.origin, 0.0), values(image.axes, grid.spacing, 0.0)
    return Where(world, first, apart * (values(image.axes, grid.shape, 1.0) - 1))


def _world(image: Image, parameters: AffineMap) -> NDArray[np.float64]:
    """From the result's positions in the units of the axes to millimetres in the world that is given."""
    matrix = np.eye(4)
    if parameters.world is None:
        matrix[range(3), range(3)] = millimetres(image)
        return matrix
    matrix[:3] = np.reshape(parameters.world, (3, 4))
    if _is_flat(matrix[:3, :3]):
        raise BadRequest("the world is flat: none of its rows may be a combination of the others")
    return matrix @ np.diag([*(1 / in_axes(image, parameters.unit)), 1.0])


def _numbers(matrix: NDArray[np.float64]) -> tuple[float, ...]:
    return tuple(float(number) for number in matrix.ravel())


def _is_flat(matrix: NDArray[np.float64]) -> bool:
    singular = np.linalg.svd(matrix, compute_uv=False)
    return bool(singular[-1] <= FLAT * singular[0])


def _files(parameters: AffineMap) -> tuple[str, ...]:
    return (parameters.file,) if parameters.file else ()


def _begun(data: bytes) -> str | None:
    from diascope.operations import elastix_file

    return elastix_file.begun(data)


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
    if _is_flat(matrix[:rank, :rank]):
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
    begun=_begun,
    examples=(
        "affine,matrix=0.9+-0.3+4+0.2+1.1+-2",
        "affine,matrix=1+0.1+0+2+0+0.9+0.2+0+0.1+0+1+0,inverse=true,interpolation=cubic,domain=same",
        "affine,matrix=1+0.1+0+2+0+0.9+0.2+0+0.1+0+1+0,convention=ras,inverse=true",
        "affine,matrix=0.5+0.5+0+-0.5+0.5+0.01,unit=mm,interpolation=nearest,size=30+20,origin=0.001+0.002,pixel=0.001+0.0005",
    ),
)

"""An image bent by a field of displacements, as registrations end with."""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np
from pydantic import Field as Described
from pydantic import model_validator

from diascope.errors import BadRequest
from diascope.image.affine import Affine, affine
from diascope.image.image import Image, Interpolation
from diascope.image.mapping import Mapping, mapping
from diascope.image.resampled import Grid
from diascope.image.resampling import through
from diascope.image.space import edges, spatial, values
from diascope.image.units import ratio
from diascope.image.vector_field import is_vector_field, step_of
from diascope.operations.bent_grids import ORIGIN, SIZE, bent_grid, covering_box, refuse_grid, sized, spacing_of
from diascope.operations.displacements import TO_LPS, NamedField, displacement, world_of
from diascope.operations.grids import INTERPOLATION, grid
from diascope.operations.lengths import Vector, in_axes
from diascope.operations.operation import Images, Operation, Parameters
from diascope.operations.values import OptionalNumbers, OptionalUnit

Bend: TypeAlias = tuple[Mapping, Affine | None]
"""From positions in the result to those in the image, and from those in the result to the world."""


class Displace(Parameters):
    field: NamedField = Described(
        description=(
            "The file of the field, in the image's folder or the nearest one above it: NIfTI as ITK and ANTs write "
            "it, such as `1Warp.nii.gz`, or an OME-Zarr 0.6 vector field, such as `warp.zarr`, from points of the "
            "fixed image to points of this one. An address is redirected to that with the version of the file."
        ),
    )
    inverse: bool = Described(
        False,
        description=(
            "Whether the image is the fixed one, and is taken back to the moving one. The inverse is found by trial, "
            "to within a ten-thousandth of the field's pixels; a tile that shows a place where the field folds is "
            "refused."
        ),
    )
    interpolation: Interpolation = Described("linear", description=INTERPOLATION)
    domain: Literal["field", "same"] = Described("field", description="The grid of the field, or that of the image.")
    unit: OptionalUnit = Described(None, description="Of the following; by default those of the image's own axes.")
    size: OptionalNumbers = Described(None, description=SIZE)
    origin: OptionalNumbers = Described(None, description=ORIGIN)
    pixel: OptionalNumbers = Described(
        None, description="Their distances along x+y(+z); by default as in the domain, or in the image with a size."
    )

    @model_validator(mode="after")
    def fits(self) -> Displace:
        refuse_grid(self.size, self.origin, self.pixel)
        return self


def displace(image: Image, parameters: Displace) -> Image:
    """The image where the field moves it, in the world that the field lies in; where nothing comes to lie it is 0.

    Vectors are interpolated linearly, and outside the field nothing moves, as in ITK. By a field of NIfTI an image that
    knows its place in the world is moved there; else its positions are taken for lengths along ITK's axes. A field of
    OME-Zarr moves positions in the image. The field is opened and none of it read, but the part that each tile needs.
    It is one interpolation with the coordinate operations before and after.
    """
    if parameters.field.open is None:
        raise BadRequest("a field lies in a file beside the image, and this image lies in no folder")
    warp = parameters.field.open()
    bend = _in_positions if is_vector_field(warp) else _in_world
    back, world = bend(image, warp, parameters)
    finest = _on_field(image, warp, parameters) if _is_on_field(parameters) else _grid(image, parameters)
    return through(image, back, finest, parameters.interpolation, world=world)


def _in_world(image: Image, warp: Image, parameters: Displace) -> Bend:
    """By a field that moves places in the world, in millimetres."""
    step = displacement(parameters.field.name, warp)
    _refuse_rank(image, warp)
    per_unit = _millimetres(image)
    here = TO_LPS @ image.world.array if image.world else np.diag([*per_unit, 1.0])
    on_field = _is_on_field(parameters)
    there = world_of(warp) @ np.diag([*per_unit / _millimetres(warp), 1.0]) if on_field else here
    bend = Mapping((step.inverted() if parameters.inverse else step,))
    world = affine(TO_LPS @ there, warp.world.space) if warp.world else None
    return mapping(there).then(bend).then(mapping(here).inverted()), world


def _in_positions(image: Image, warp: Image, parameters: Displace) -> Bend:
    """By a field that moves positions, in its own units; the result's are those that the field has vectors for."""
    step = step_of(parameters.field.name, warp)
    _refuse_rank(image, warp)
    there = np.diag([*1 / _units(image, warp), 1.0])
    bend = Mapping((step.inverted() if parameters.inverse else step,))
    world = affine(warp.world.array @ there, warp.world.space) if warp.world and not parameters.inverse else None
    return mapping(there).then(bend).then(mapping(there).inverted()), world


def _refuse_rank(image: Image, warp: Image) -> None:
    axes = spatial(image)
    if len(axes) != warp.size("c"):
        raise BadRequest(
            f"the field moves along {warp.size('c')} axes, and the image has {len(axes)}: {'+'.join(axes)}"
        )


def opened(_: Image, parameters: Displace, images: Images) -> Displace | None:
    """With what opens the field, and its version."""
    if parameters.field.open is not None:
        return None
    return parameters.model_copy(update={"field": parameters.field.of(images)})


def _images(parameters: Displace) -> tuple[str, ...]:
    return (parameters.field.name,)


def _is_on_field(parameters: Displace) -> bool:
    return parameters.domain == "field" and parameters.size is None


def _units(image: Image, warp: Image) -> Vector:
    """How many of the image's units of x, y and z make one of the field's; one where a vector field has none."""
    if is_vector_field(warp) and not any(axis.unit for axis in warp.axes):
        return np.ones(3)
    return _millimetres(warp) / _millimetres(image)


def _millimetres(image: Image) -> Vector:
    """How many make one of the units of x, y and z."""
    units = {axis.name: axis.unit for axis in image.axes if axis.type == "space"}
    if not all(units.values()):
        raise BadRequest("a field is in millimetres, and not every spatial axis has a unit; calibrate gives it one")
    return np.array([ratio(unit, "millimeter") if (unit := units.get(name)) else 1.0 for name in "xyz"])


def _grid(image: Image, parameters: Displace) -> Grid:
    by = in_axes(image, parameters.unit)
    apart = spacing_of(image, parameters.pixel, by)
    if parameters.size is not None:
        return sized(image, parameters.size, parameters.origin, apart, by)
    return bent_grid(image, Mapping(), apart, whole=False)


def _on_field(image: Image, warp: Image, parameters: Displace) -> Grid:
    """Its grid, or with other distances what covers it, in the units of the image."""
    by, level = _units(image, warp), warp.levels[0]
    if parameters.pixel is not None:
        low, high = (end * by for end in edges(warp.axes, level))
        return covering_box(image, low, high, spacing_of(image, parameters.pixel, in_axes(image, parameters.unit)))
    first, apart, size = (values(warp.axes, each, 1.0) for each in (level.translation, level.scale, level.shape))
    return grid(image, first * by, apart * by, size.astype(int).tolist())


operation = Operation(
    name="displace",
    title="Displacement field",
    parameters=Displace,
    apply=displace,
    opened=opened,
    images=_images,
    examples=(
        "displace,field=warp.nii",
        "displace,field=warp.nii,inverse=true,interpolation=cubic,domain=same",
        "displace,field=flat.nii,interpolation=nearest,size=30+20,origin=1+2,pixel=0.5+0.4",
    ),
)

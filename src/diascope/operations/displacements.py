"""Fields of displacements beside an image, as ITK and ANTs write them: NIfTI whose pixels are vectors.

::

    dim            5 x y z 1 3       (of the plane 5 x y 1 1 2)
    intent_code    1007 vector       along L, P and S, as ITK has them
                   1006 displacement along R, A and S, as NIfTI says

In millimetres, from points of the fixed image to points of the moving one.
https://nifti.nimh.nih.gov/nifti-1/documentation/nifti1fields/nifti1fields_pages/group__NIFTI1__INTENT__CODES.html
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BeforeValidator

from diascope.errors import BadRequest
from diascope.image.displacement import Displacement
from diascope.image.image import Image
from diascope.image.mapping import linear
from diascope.image.space import pixel_matrix
from diascope.operations.operation import Images
from diascope.operations.values import Spelling

VECTOR, DISPLACEMENT = 1007, 1006

TO_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
"""From the axes of NIfTI, to the right, anterior and superior, to those of ITK; and back."""

NAME = re.compile(r"(?!\.)[\w. -]{1,100}(?<!\.)(@[0-9a-f]{8})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Field:
    """A field by the name of its file."""

    name: str
    version: str | None = None
    """Of the file; None as long as it was not looked at."""
    open: Callable[[], Image] | None = field(default=None, compare=False)

    def __str__(self) -> str:
        return f"{self.name}@{self.version}" if self.version else self.name

    def of(self, images: Images) -> Field:
        """The same with what opens it; raises BadRequest where there is no such file."""
        found = images(self.name)
        return Field(self.name, sha256(found.version.encode()).hexdigest()[:8], found.open)


def displacement(name: str, image: Image) -> Displacement:
    """The map of points, in millimetres along L, P and S, that a field is; raises BadRequest where it is none."""
    world, intent = image.world, image.metadata.extra.get("intent_code")
    if intent not in {VECTOR, DISPLACEMENT}:
        raise BadRequest(
            f"{name} is no field of displacements: that is a NIfTI file of vectors, with the intent code 1007 "
            "or 1006, or an OME-Zarr with an axis of the type displacement"
        )
    parts = image.size("c")
    if image.axis_names != "czyx" or parts not in {2, 3} or (parts == 2 and image.size("z") > 1):
        raise BadRequest(
            f"{name}: {image!r} is no field of a vector a pixel, of two numbers in a plane and three in space"
        )
    if image.dtype.kind not in "iuf" or image.metadata.rescale is not None:
        raise BadRequest(f"{name}: {image!r} has no vectors of plain numbers")
    if world is None:
        raise BadRequest(f"{name} does not say where in the world it lies: it has neither qform nor sform")
    to_lps = linear(TO_LPS @ world.array @ pixel_matrix(image.axes, image.levels[0]))
    to_index = to_lps.inverted().array
    if parts == 2:
        to_index[2] = 0
    lengths = np.sqrt((to_lps.array[:3, :parts] ** 2).sum(axis=0))
    signs = TO_LPS.diagonal()[:3] if intent == DISPLACEMENT else np.ones(3)
    right, back, up = signs.tolist()
    return Displacement(image.levels[0], linear(to_index), (right, back, up), float(lengths.min()))


def world_of(image: Image) -> NDArray[np.float64]:
    """From positions in a field to millimetres along L, P and S."""
    return TO_LPS @ image.world.array if image.world else TO_LPS


def _field(value: Any) -> Field | None:
    if value is None or isinstance(value, Field):
        return value
    if not NAME.fullmatch(str(value)):
        raise ValueError("a field is named by its file: letters, digits, spaces, . _ and -")
    name, _, version = str(value).partition("@")
    return Field(name, version or None)


NamedField = Annotated[Field, BeforeValidator(_field), Spelling("warp.nii.gz")]

"""Points of a view in the pixels and positions of the view and of the stored image, and in the world."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from diascope.catalogue.catalogue import Catalogue
from diascope.catalogue.located import scene_viewed
from diascope.errors import BadRequest, Unsupported
from diascope.image.image import Image
from diascope.image.mapping import Positions, linear
from diascope.image.space import pixel_matrix, spatial, values

Space: TypeAlias = Literal["pixel", "position", "stored_pixel", "stored_position", "world"]

MOST = 100_000
"""Points that are mapped at once."""

Number = Annotated[float, Field(allow_inf_nan=False)]


class Points(BaseModel):
    """Points to be mapped, and what their numbers are."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    space: Space = Field(
        "pixel",
        alias="from",
        description=(
            "`pixel`: indices at level 0 of the view, whole numbers being centres. `position`: lengths in the view, in "
            "its axes' units. `stored_pixel` and `stored_position`: the same of the image as it is stored. `world`: "
            "millimetres in the space that the image knows, such as NIfTI's."
        ),
    )
    points: list[Annotated[list[Number], Field(min_length=2, max_length=3)]] = Field(
        max_length=MOST, description="Each x, y and z, or x and y where there are no planes."
    )


def points_of(text: bytes) -> Points:
    """The points that a JSON document spells; raises BadRequest with what is wrong in it."""
    try:
        return Points.model_validate_json(text)
    except ValidationError as error:
        told = "; ".join(f"{'.'.join(map(str, each['loc'])) or 'body'}: {each['msg']}" for each in error.errors()[:5])
        raise BadRequest(told) from error


def mapped(catalogue: Catalogue, path: str, view: str, points: Points) -> dict[str, Any]:
    """The points in every space that the image and its view have; null is what nobody knows.

    ``inside`` says of each whether it lies in a pixel of the view.
    """
    within, steps = scene_viewed(catalogue, path, view)
    stored, image = within.image, steps.applied(within.image)
    axes = axes_of(stored, image)
    with np.errstate(over="ignore", invalid="ignore"):
        positions = _positions(stored, image, points, axes[points.space])
        found = {name: place(positions) for name, place in _places(stored, image).items()}
    pixels = found["pixel"]
    # A view without planes is as thick as there is space.
    size = values(image.axes, image.shape, np.inf)
    low = np.where(np.isinf(size), -np.inf, -0.5)
    inside = np.all((pixels >= low) & (pixels <= size - 0.5) | np.isinf(size), axis=-1)
    return {
        "path": path,
        "view": str(steps),
        "space": image.world.space if image.world else None,
        "units": {axis.name: axis.unit for axis in image.axes if axis.type == "space"},
        "axes": {name: list(axes[name]) for name in found},
        "points": {name: _listed(each, axes[name]) for name, each in found.items()},
        "inside": inside.tolist(),
    }


def axes_of(stored: Image, image: Image) -> dict[str, str]:
    """The axes of the points of each space."""
    own, first = spatial(image), spatial(stored)
    return {"pixel": own, "position": own, "stored_pixel": first, "stored_position": first, "world": "xyz"}


def _places(stored: Image, image: Image) -> Mapping[str, Callable[[Positions], Positions]]:
    """From positions in the view to each space."""
    to_pixel, to_stored = (linear(pixel_matrix(each.axes, each.levels[0])).inverted() for each in (image, stored))
    places: dict[str, Callable[[Positions], Positions]] = {
        "pixel": to_pixel,
        "position": lambda positions: positions,
        "stored_pixel": lambda positions: to_stored(image.stored(positions)),
        "stored_position": image.stored,
    }
    return places | ({"world": linear(image.world.array)} if image.world else {})


def _positions(stored: Image, image: Image, points: Points, axes: str) -> Positions:
    """The points as positions in the view; raises BadRequest where they have another number of axes."""
    given = np.zeros((len(points.points), 3))
    for row, point in zip(given, points.points, strict=True):
        if len(point) != len(axes):
            raise BadRequest(f"a point has {len(point)} numbers for the axes {', '.join(axes)} of {points.space}")
        row[: len(point)] = point
    if points.space == "world":
        if image.world is None:
            raise Unsupported("the image knows no place in the world; map from pixel or position")
        return linear(image.world.array).inverted()(given)
    if points.space == "position":
        return given
    if points.space == "pixel":
        return linear(pixel_matrix(image.axes, image.levels[0]))(given)
    back = image.stored.inverted()
    return back(
        given if points.space == "stored_position" else linear(pixel_matrix(stored.axes, stored.levels[0]))(given)
    )


def _listed(positions: NDArray[np.float64], axes: str) -> list[list[float | None]]:
    """Rows of numbers as JSON has them."""
    return [
        [float(number) if np.isfinite(number) else None for number in row[: len(axes)]] for row in positions.tolist()
    ]

"""A level of an image as an xarray DataArray (https://docs.xarray.dev)."""

from __future__ import annotations

from typing import Any

import numpy as np

from diascope.image.image import Image
from diascope.optional import library
from diascope.python.dask_array import dask_array

COLOURS = ("red", "green", "blue", "opacity")


def data_array(image: Image, number: int = 0) -> Any:
    """The level on dask: coordinates are the centres of pixels, ``units`` their attribute; channels go by name."""
    xarray = library("xarray", "python")
    return xarray.DataArray(
        dask_array(image, number),
        dims=tuple(image.axis_names),
        coords=_coordinates(image, number),
        name=image.name,
        attrs={"kind": image.kind, "format": image.metadata.format},
    )


def _coordinates(image: Image, number: int) -> dict[str, Any]:
    level = image.levels[number]
    coordinates: dict[str, Any] = {}
    for d, axis in enumerate(image.axes):
        if axis.type == "channel":
            if names := channel_names(image):
                coordinates[axis.name] = (axis.name, names)
            continue
        centres = level.translation[d] + level.scale[d] * np.arange(level.shape[d])
        coordinates[axis.name] = (axis.name, centres, {"units": axis.unit} if axis.unit else {})
    return coordinates


def channel_names(image: Image) -> list[str] | None:
    """A name for each channel, None where one has none or two have the same."""
    names = [channel.name for channel in image.channels]
    if image.kind == "rgb":
        names = list(COLOURS[: image.size("c")])
    return names if all(names) and len(set(names)) == len(names) == image.size("c") else None

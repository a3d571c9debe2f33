"""Images of differences of intensities, which are shown between other limits and count from 0."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from diascope.image.image import Image
from diascope.image.level import Level
from diascope.operations.operation import mapped


def of_differences(image: Image, function: Callable[[Level], Level]) -> Image:
    """The image with each of its levels mapped, and metadata that holds for differences."""
    rescale = image.metadata.rescale
    return mapped(
        image,
        function,
        channels=tuple(replace(channel, window=None) for channel in image.channels),
        metadata=replace(image.metadata, rescale=rescale and (rescale[0], 0.0), palette=()),
    )

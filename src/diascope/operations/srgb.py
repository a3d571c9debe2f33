"""Colours as their file's ICC profile means them, in sRGB (ICC.1:2022, IEC 61966-2-1)."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from io import BytesIO
from typing import Any, Literal

import numpy as np
from pydantic import Field

from diascope.bounded import Part, reader_cache
from diascope.errors import Unreadable, Unsupported
from diascope.image.image import Image
from diascope.image.level import Level, Pixels
from diascope.image.region import Region
from diascope.operations.operation import Operation, Parameters, mapped
from diascope.operations.transfer import BYTE, Bytes

INTENTS = {"perceptual": 0, "relative": 1, "saturation": 2, "absolute": 3}
"""The numbers of ICC.1, 7.2.15."""

HEADER = 128


class Srgb(Parameters):
    intent: Literal["perceptual", "relative", "saturation", "absolute"] = Field(
        "perceptual", description="What becomes of colours that sRGB lacks, where the profile has several answers."
    )


def srgb(image: Image, parameters: Srgb) -> Image:
    """The rgb image with its colours in sRGB, as LittleCMS computes them; opacity is kept.

    An image without a profile is taken for sRGB, and stays as it is.
    """
    if image.kind != "rgb":
        raise Unsupported("a colour profile is applied to red, green and blue, and this is no rgb image")
    icc = image.metadata.icc
    if icc is None:
        return image
    if image.dtype != BYTE:
        raise Unsupported(
            f"colour profiles are applied to bytes, not to {image.dtype}: cast,dtype=uint8,how=scale first"
        )
    at, convert = image.axis_names.index("c"), _transform(icc, INTENTS[parameters.intent])
    metadata = replace(image.metadata, icc=None)
    return mapped(image, lambda level: _converted(level, at, convert), metadata=metadata)


TRANSFORM = 1 << 20
"""About so many bytes has what a colour is looked up in."""

_transforms: Part[Any] = Part(reader_cache, weigh=lambda _: TRANSFORM)


def _transform(icc: bytes, intent: int) -> Any:
    return _transforms.get((sha256(icc).digest(), intent), lambda: _made(icc, intent))


def _made(icc: bytes, intent: int) -> Any:
    """From the colours of a profile to sRGB; raises Unsupported and Unreadable where it is none of such colours."""
    from PIL import ImageCms

    # size 4, preferred module 4, version 4, class 4, colour space 4, …, signature acsp at 36
    if len(icc) <= HEADER or icc[36:40] != b"acsp" or not HEADER < int.from_bytes(icc[:4], "big") <= len(icc):
        raise Unreadable("the image's colour profile is cut, or none of the ICC")
    if icc[16:20] != b"RGB ":
        space = icc[16:20].decode("latin-1").strip()
        raise Unsupported(f"the image's colour profile is one of {space!r}, not of red, green and blue")
    try:
        profile = ImageCms.ImageCmsProfile(BytesIO(icc))
        return ImageCms.buildTransform(profile, ImageCms.createProfile("sRGB"), "RGB", "RGB", ImageCms.Intent(intent))
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError) as error:
        raise Unreadable(f"the image's colour profile cannot be understood: {error}") from error


def _converted(level: Level, at: int, transform: Any) -> Level:
    def read_pixels(region: Region) -> Pixels:
        starts, stops = list(region.start), list(region.stop)
        starts[at], stops[at] = 0, max(3, region.stop[at])
        pixels = np.moveaxis(level.read(Region(tuple(starts), tuple(stops))), at, -1)
        colours = _applied(np.ascontiguousarray(pixels[..., :3]), transform)
        if stops[at] > 3:
            colours = np.concatenate([colours, pixels[..., 3:]], axis=-1)
        return np.moveaxis(colours[..., region.start[at] : region.stop[at]], -1, at)

    return replace(level, read_pixels=read_pixels)


def _applied(colours: Bytes, transform: Any) -> Bytes:
    from PIL import Image as Pictures

    if not colours.size:
        return colours
    picture = Pictures.fromarray(colours.reshape(-1, colours.shape[-2], 3), "RGB")
    return np.asarray(transform.apply(picture), np.uint8).reshape(colours.shape)


operation = Operation(
    name="srgb",
    title="Colour profile to sRGB",
    parameters=Srgb,
    apply=srgb,
    examples=("srgb", "srgb,intent=relative"),
)

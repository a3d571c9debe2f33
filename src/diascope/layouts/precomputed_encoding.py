"""How the chunks of a Neuroglancer precomputed volume are encoded.

https://github.com/google/neuroglancer/blob/master/src/datasource/precomputed/volume.md, "Chunk encoding": a raw chunk
is little-endian and x runs fastest, then y, z and channel, the model's own order c z y x. As a picture it has the
columns x, and under one another the rows y of each plane z.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray

from diascope.encodings import compressed_segmentation, jpeg, png
from diascope.image.image import Image
from diascope.layouts.packing import plain
from diascope.layouts.precomputed_types import data_type, refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoding:
    """How the voxels of a chunk become a file."""

    name: str
    media_type: str
    encoded: Callable[[NDArray[Any]], bytes]
    """Of an array of c, z, y and x."""
    refuses: Callable[[Image], str | None]
    longest: int | None = None
    """How many columns a chunk has at most, and rows on all its planes together."""
    narrowest: int = 1
    """How many bytes a label has at least."""
    codec: str
    """That of stored chunks which need not be opened."""
    order: str = "czyx"
    """The axes as the voxels lie in such chunks."""
    told: Mapping[str, Any] = field(default_factory=dict)
    """What must be true of them besides."""
    is_plain: bool = False
    """Whether a chunk is its voxels as they are, so that its size is known before it is made."""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    """What the document of a scale says of it besides its name."""


def stacked(pixels: NDArray[Any]) -> NDArray[Any]:
    """The planes under one another, channels last."""
    channels, planes, height, width = pixels.shape
    return pixels.transpose(1, 2, 3, 0).reshape(planes * height, width, channels)


def _no_jpeg(image: Image) -> str | None:
    if reason := refusal(image):
        return reason
    if image.kind == "labels":
        return "JPEG would mix neighbouring labels: open them as raw precomputed"
    if data_type(image).name != "uint8":
        return f"JPEG has no {image.dtype.name} pixels: open it through the view window, or as raw precomputed"
    if image.size("c") not in (1, 3):
        return f"JPEG has no {image.size('c')} channels: take one with the view select,axis=c,index=0"
    return None


def _no_png(image: Image) -> str | None:
    if reason := refusal(image):
        return reason
    if data_type(image).name not in ("uint8", "uint16"):
        return f"PNG has no {image.dtype.name} pixels: open it through the view window, or as raw precomputed"
    if image.size("c") > 4:
        return f"PNG has no {image.size('c')} channels: take one with the view select,axis=c,index=0"
    return None


def _no_segmentation(image: Image) -> str | None:
    if image.kind != "labels":
        return "compressed_segmentation is for labels, and this image has none: open it as raw precomputed"
    return refusal(image)


RAW = Encoding(
    name="raw",
    media_type="application/octet-stream",
    codec="raw",
    encoded=plain,
    refuses=refusal,
    is_plain=True,
)
JPEG = Encoding(
    name="jpeg",
    media_type="image/jpeg",
    encoded=lambda pixels: jpeg.encoded(stacked(pixels)),
    refuses=_no_jpeg,
    codec="jpeg",
    order="zyxc",
    longest=jpeg.LARGEST,
)
PNG = Encoding(
    name="png",
    media_type="image/png",
    encoded=lambda pixels: png.encoded(stacked(pixels)),
    refuses=_no_png,
    codec="png",
    order="zyxc",
)
SEGMENTATION = Encoding(
    name="compressed_segmentation",
    media_type="application/octet-stream",
    encoded=compressed_segmentation.encoded,
    refuses=_no_segmentation,
    codec="compressed_segmentation",
    told={"block_size": (compressed_segmentation.BLOCK,) * 3},
    narrowest=compressed_segmentation.NARROWEST,
    parameters={"compressed_segmentation_block_size": [compressed_segmentation.BLOCK] * 3},
)

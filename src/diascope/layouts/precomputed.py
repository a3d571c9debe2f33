"""Neuroglancer precomputed volumes, unsharded, raw or of JPEG or PNG chunks.

https://github.com/google/neuroglancer/blob/master/src/datasource/precomputed/volume.md

::

    name.precomputed/   (name.jpeg.precomputed/, name.png.precomputed/)
      info
      transform.json                          where the volume lies in a world
      0/{x0}-{x1}_{y0}-{y1}_{z0}-{z1}         clipped at the upper edges, in name and in bytes

A raw chunk is little-endian and x runs fastest, then y, z and channel: the model's own order c z y x. As a picture it
has the columns x, and under one another the rows y of each plane z.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diascope.encodings import jpeg, png
from diascope.errors import Unsupported
from diascope.image.image import Image
from diascope.image.level import Pixels
from diascope.image.order import moved
from diascope.image.region import Region
from diascope.layouts.layout import Layout
from diascope.layouts.precomputed_scale import Scale, Span, scales, transform
from diascope.tree.file import File, Tree, json_file, whole
from diascope.tree.table import Table, literal

WIDENED = {"bool": "uint8", "float16": "float32"}
"""Types that precomputed lacks, by one that holds all their values."""
IMAGE_TYPES = frozenset(("uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "float32"))
LABEL_TYPES = frozenset(("uint8", "uint16", "uint32", "uint64"))


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

    @property
    def suffix(self) -> str:
        return ".precomputed" if self.name == "raw" else f".{self.name}.precomputed"


def data_type(image: Image) -> np.dtype[Any]:
    """The type of the voxels; labels have no sign."""
    kept = np.dtype(WIDENED.get(image.dtype.name, image.dtype.name))
    return np.dtype(f"u{kept.itemsize}") if image.kind == "labels" and kept.kind == "i" else kept


def info(image: Image, encoding: Encoding, kept: tuple[Scale, ...]) -> dict[str, Any]:
    """The document of that name."""
    return {
        "@type": "neuroglancer_multiscale_volume",
        "type": "segmentation" if image.kind == "labels" else "image",
        "data_type": data_type(image).name,
        "num_channels": image.size("c"),
        "scales": [
            {
                "key": str(k),
                "size": scale.size,
                "resolution": [int(size) if size.is_integer() else size for size in scale.resolution],
                "voxel_offset": scale.offset,
                "chunk_sizes": [scale.chunk_size],
                "encoding": encoding.name,
            }
            for k, scale in enumerate(kept)
        ],
    }


def voxels(image: Image, scale: Scale, x: Span, y: Span, z: Span) -> NDArray[Any]:
    """An array of c, z, y and x in the volume's type.

    Raises Unsupported where a label is negative.
    """
    spans = {"t": Span(0, 1), "c": Span(0, image.size("c")), "z": z, "y": y, "x": x}
    taken = [spans[axis.name] for axis in image.axes]
    region = Region(tuple(span.start for span in taken), tuple(span.stop for span in taken))
    pixels = moved(scale.level.read(region), image.axis_names, "czyx")
    if image.kind == "labels":
        _check_labels(pixels)
    return pixels.astype(data_type(image).newbyteorder("<"), copy=False)


def _check_labels(pixels: Pixels) -> None:
    if pixels.dtype.kind == "i" and pixels.size and pixels.min() < 0:
        raise Unsupported(f"a precomputed segmentation has no negative labels, and here is {pixels.min()}")


def _tree(image: Image, encoding: Encoding) -> Tree:
    kept = scales(image, encoding.longest)
    root = literal(image.name + encoding.suffix)
    matrix = transform(image, kept[0])

    def chunk(level: int, x: str, y: str, z: str) -> File | None:
        scale = kept[level]
        spans = [scale.spans(axis).span(text) for axis, text in enumerate((x, y, z))]
        at = [span for span in spans if span]
        size = data_type(image).itemsize * image.size("c") * prod(span.stop - span.start for span in at)
        make: Callable[[], bytes] = lambda: encoding.encoded(voxels(image, scale, *at))  # noqa: E731
        return whole(make, encoding.media_type, size if encoding.name == "raw" else None)

    table = Table()
    table.add(f"{root}/info", lambda: json_file(info(image, encoding, kept)))
    if matrix is not None:
        table.add(f"{root}/transform.json", lambda: json_file(matrix.tolist()))
    table.add(
        f"{root}/{{level}}/{{x}}_{{y}}_{{z}}",
        chunk,
        level=lambda: range(len(kept)),
        x=lambda level, **_: kept[level].spans(0),
        y=lambda level, **_: kept[level].spans(1),
        z=lambda level, **_: kept[level].spans(2),
    )
    return table


def refusal(image: Image) -> str | None:
    """Why a precomputed volume cannot hold the image."""
    if image.size("t") > 1:
        return (
            "precomputed has no time axis: take one moment with the view select,axis=t,index=0, or open it as OME-Zarr"
        )
    allowed = LABEL_TYPES if image.kind == "labels" else IMAGE_TYPES
    if data_type(image).name not in allowed:
        return (
            f"precomputed has no {image.dtype.name} pixels: open it through the view window, which gives uint8, "
            "or as OME-Zarr"
        )
    return None


def _raw(pixels: NDArray[Any]) -> bytes:
    return pixels.tobytes()


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


RAW = Encoding(name="raw", media_type="application/octet-stream", encoded=_raw, refuses=refusal)
JPEG = Encoding(
    name="jpeg",
    media_type="image/jpeg",
    encoded=lambda pixels: jpeg.encoded(stacked(pixels)),
    refuses=_no_jpeg,
    longest=jpeg.LARGEST,
)
PNG = Encoding(name="png", media_type="image/png", encoded=lambda pixels: png.encoded(stacked(pixels)), refuses=_no_png)


def _layout(encoding: Encoding, name: str, title: str) -> Layout:
    return Layout(
        name=name,
        title=title,
        suffix=encoding.suffix,
        is_folder=True,
        refuses=encoding.refuses,
        tree=lambda image: _tree(image, encoding),
        steps={
            "Neuroglancer": "Add a layer with the source precomputed://{url}",
            # cloud-volume reads no PNG of 16 bits.
            "Python": "import tensorstore; pixels = tensorstore.open("
            '{"driver": "neuroglancer_precomputed", "kvstore": "{url}"}).result().read().result()',
            "CloudVolume": 'from cloudvolume import CloudVolume; pixels = CloudVolume("precomputed://{url}")[:]',
        },
    )


layout = _layout(RAW, "precomputed", "Neuroglancer precomputed")
layout_jpeg = _layout(JPEG, "precomputed-jpeg", "Neuroglancer precomputed, JPEG")
layout_png = _layout(PNG, "precomputed-png", "Neuroglancer precomputed, PNG")

"""Neuroglancer precomputed volumes, as files of a chunk each, or sharded.

https://github.com/google/neuroglancer/blob/master/src/datasource/precomputed/volume.md

::

    name.precomputed/   (name.jpeg.precomputed/ and others, by the encoding of the chunks)
      info
      transform.json                          where the volume lies in a world
      0/{x0}-{x1}_{y0}-{y1}_{z0}-{z1}         clipped at the upper edges, in name and in bytes

    name.sharded.precomputed/
      info
      transform.json
      0/{shard}.shard                         in hexadecimal digits
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

from diascope.image.image import Image
from diascope.image.morton import curve
from diascope.layouts.layout import Layout
from diascope.layouts.pixel_run import LARGEST_PIXELS
from diascope.layouts.precomputed_chunks import Chunks
from diascope.layouts.precomputed_encoding import JPEG, PNG, RAW, SEGMENTATION, Encoding
from diascope.layouts.precomputed_scale import Scale, scales, transform
from diascope.layouts.precomputed_shard import Sharding, Shards, made_shard, plain_shard, sharding
from diascope.layouts.precomputed_types import data_type
from diascope.tree.file import File, Tree, json_file
from diascope.tree.table import Table, literal

SHARD_SIZE = 1 << 31
"""Bytes of a shard of which any range is made alone, unless that would be too many shards."""
MOST_SHARDS = 16
"""Bits of the number of such a shard."""
MADE_SIZE = 1 << 24
"""Bytes of the voxels of a shard that is made as a whole."""


def info(image: Image, encoding: Encoding, kept: Sequence[Scale], shardings: Sequence[Sharding] = ()) -> dict[str, Any]:
    """The document of that name."""
    return {
        "@type": "neuroglancer_multiscale_volume",
        "type": "segmentation" if image.kind == "labels" else "image",
        "data_type": data_type(image, encoding.narrowest).name,
        "num_channels": image.size("c"),
        "scales": [
            {
                "key": str(k),
                "size": scale.size,
                "resolution": [int(size) if size.is_integer() else size for size in scale.resolution],
                "voxel_offset": scale.offset,
                "chunk_sizes": [scale.chunk_size],
                "encoding": encoding.name,
                **encoding.parameters,
                **({"sharding": shardings[k].document} if shardings else {}),
            }
            for k, scale in enumerate(kept)
        ],
    }


def _documents(root: str, image: Image, finest: Scale, document: Callable[[], dict[str, Any]]) -> Table:
    """A tree of the files that tell of the volume."""
    table = Table()
    table.add(f"{root}/info", lambda: json_file(document()))
    matrix = transform(image, finest)
    if matrix is not None:
        table.add(f"{root}/transform.json", lambda: json_file(matrix.tolist()))
    return table


def _tree(image: Image, encoding: Encoding, suffix: str) -> Tree:
    """A file a chunk."""
    kept = scales(image, encoding.longest)
    chunks = [Chunks(image=image, encoding=encoding, scale=scale) for scale in kept]
    spans = [tuple(map(scale.spans, range(3))) for scale in kept]
    root = literal(image.name + suffix)

    def chunk(level: int, x: str, y: str, z: str) -> File | None:
        starts = [span.start for along, text in zip(spans[level], (x, y, z), strict=True) if (span := along.span(text))]
        cell = tuple(start // side for start, side in zip(starts, kept[level].chunk_size, strict=True))
        return chunks[level].file(cell)

    table = _documents(root, image, kept[0], lambda: info(image, encoding, kept))
    table.add(
        f"{root}/{{level}}/{{x}}_{{y}}_{{z}}",
        chunk,
        level=lambda: range(len(kept)),
        x=lambda level, **_: spans[level][0],
        y=lambda level, **_: spans[level][1],
        z=lambda level, **_: spans[level][2],
    )
    return table


def usual(encoding: Encoding, bits: int, chunk_size: int) -> Sharding:
    """How codes of so many bits are cut into shards of chunks that have so many bytes as voxels."""
    if encoding.is_plain:
        return sharding(bits, chunk_size, SHARD_SIZE, MOST_SHARDS)
    return sharding(bits, chunk_size, MADE_SIZE)


def sharded(
    image: Image, encoding: Encoding, suffix: str, cut: Callable[[Encoding, int, int], Sharding] = usual
) -> Tree:
    """Files of many chunks each."""
    kept = scales(image, encoding.longest)
    chunks = [Chunks(image=image, encoding=encoding, scale=scale) for scale in kept]
    curves = [curve(each.grid) for each in chunks]
    cuts = [cut(encoding, order.bits, each.full_size) for order, each in zip(curves, chunks, strict=True)]
    shards = [Shards(order, each) for order, each in zip(curves, cuts, strict=True)]

    def made(level: int, shard: str) -> File | None:
        number = shards[level].number(shard)
        if number is None:
            return None
        if encoding.is_plain:
            return plain_shard(shards[level], number, chunks[level].size, chunks[level].part)
        return made_shard(shards[level], number, chunks[level].encoded)

    root = literal(image.name + suffix)
    table = _documents(root, image, kept[0], lambda: info(image, encoding, kept, cuts))
    table.add(
        f"{root}/{{level}}/{{shard}}.shard",
        made,
        level=lambda: range(len(kept)),
        shard=lambda level, **_: shards[level],
    )
    return table


def _too_large(image: Image, encoding: Encoding) -> str | None:
    """Why its sharded volume cannot be told in 64 bits, or the encoding cannot hold it."""
    if reason := encoding.refuses(image):
        return reason
    if prod(image.shape) * data_type(image, encoding.narrowest).itemsize > LARGEST_PIXELS:
        return (
            f"an image of the shape {image.shape} is too large for sharded precomputed: take its OME-Zarr, or crop it"
        )
    return None


def _layout(encoding: Encoding, name: str, title: str, suffix: str, *, is_sharded: bool = False) -> Layout:
    return Layout(
        name=name,
        title=title,
        suffix=suffix,
        is_folder=True,
        refuses=(lambda image: _too_large(image, encoding)) if is_sharded else encoding.refuses,
        tree=lambda image: (sharded if is_sharded else _tree)(image, encoding, suffix),
        steps={
            "Neuroglancer": "Add a layer with the source precomputed://{url}",
            # cloud-volume reads no PNG of 16 bits.
            "Python": "import tensorstore; pixels = tensorstore.open("
            '{"driver": "neuroglancer_precomputed", "kvstore": "{url}"}).result().read().result()',
            "CloudVolume": 'from cloudvolume import CloudVolume; pixels = CloudVolume("precomputed://{url}")[:]',
        },
    )


TITLE = "Neuroglancer precomputed"
SEGMENTED = f"{TITLE}, compressed segmentation"

layout = _layout(RAW, "precomputed", TITLE, ".precomputed")
layout_jpeg = _layout(JPEG, "precomputed-jpeg", f"{TITLE}, JPEG", ".jpeg.precomputed")
layout_png = _layout(PNG, "precomputed-png", f"{TITLE}, PNG", ".png.precomputed")
layout_cseg = _layout(SEGMENTATION, "precomputed-cseg", SEGMENTED, ".cseg.precomputed")
layout_sharded = _layout(RAW, "precomputed-sharded", f"{TITLE}, sharded", ".sharded.precomputed", is_sharded=True)
layout_sharded_cseg = _layout(
    SEGMENTATION, "precomputed-sharded-cseg", f"{SEGMENTED}, sharded", ".sharded.cseg.precomputed", is_sharded=True
)

"""Judges of sharded precomputed volumes, and of labels in compressed segmentation."""

from __future__ import annotations

import numpy as np

from diascope.image.image import Image
from diascope.image.order import moved
from tests.conformance.precomputed import FIRST_CHUNK, exact
from tests.conformance.records import Judge, Representation, Served
from tests.conformance.twins import changed, edited, lost, truncated
from tests.conformance.viewers import COLOURED, GREY
from tests.judges import chromium, cloud_volume, tensor_store
from tests.judges.pixels import Seen, near, told

SHARDED, LABELS, SHARDED_LABELS = (
    Representation(name=name, layout=layout, paths=(f"{{file}}/{{view}}/{{stem}}{suffix}",))
    for name, layout, suffix in (
        ("sharded raw", "precomputed-sharded", ".sharded.precomputed"),
        ("precomputed cseg", "precomputed-cseg", ".cseg.precomputed"),
        ("sharded cseg", "precomputed-sharded-cseg", ".sharded.cseg.precomputed"),
    )
)
REPRESENTATIONS = (SHARDED, LABELS, SHARDED_LABELS)

FIRST_SHARD = r"/0/0+\.shard$"
LOST = lost("lost shard", FIRST_SHARD)
OTHER_VOXEL = changed("another voxel", FIRST_SHARD, lambda data: data[:-1] + bytes([data[-1] ^ 1]))
MORE_MINISHARDS = edited(
    "more minishards", r"/info$", lambda info: info["scales"][0]["sharding"].update(minishard_bits=3)
)
OTHER_BLOCKS = edited(
    "other blocks", r"/info$", lambda info: info["scales"][0].update(compressed_segmentation_block_size=[4, 8, 8])
)
TWO_SIDES = edited("chunk of two sides", r"/info$", lambda info: info["scales"][0]["chunk_sizes"][0].pop())

SHARD_TWINS = (truncated("truncated shard", FIRST_SHARD), LOST, MORE_MINISHARDS)

EVERY_DOOR = ("HTTP", "S3", "mount", "files")

EXACT = 0.3
"""How many grey values a screenshot may be off on average."""
LARGEST = 1000

LABEL_SHADER = "void main() { emitGrayscale(float(toRaw(getDataValue()) % 251u) / 255.0); }"


def by_neuroglancer(served: Served) -> Seen:
    """The first plane; where a row is twice as far from the next as a column it takes two of the screen."""
    names, labels = served.image.axis_names, served.image.kind == "labels"
    if labels:
        plane = moved(served.image[...], names, "zyx")[0] % 251
        expected = np.repeat(plane[..., None].astype(np.uint8), 3, axis=2)
    else:
        rgb = served.image.kind == "rgb"
        plane = moved(served.image[...], names, "yxc" if rgb else "yx")
        expected = plane[..., :3] if rgb else np.repeat(plane[..., None], 3, axis=2)
    expected = expected.repeat(_rows(served.image), axis=0)
    shader = LABEL_SHADER if labels else COLOURED if served.image.kind == "rgb" else GREY
    seen = chromium.seen_by_neuroglancer(served.where, expected.shape[:2], shader, rows=_rows(served.image))
    return told([near(seen, expected, "the screen", EXACT)])


def _rows(image: Image) -> int:
    """Of the screen for a row of the image, that of a column being one."""
    down, across = image.levels[0].scale[-2:]
    return round(down / across)


def _fits(image: Image) -> bool:
    """What the screen holds: a picture of 8 bits, or labels."""
    down, across = image.levels[0].scale[-2:]
    shown = image.kind == "labels" or (image.size("z") == 1 and image.dtype == np.uint8)
    return shown and (down / across).is_integer() and max(image.shape[-2:]) * _rows(image) <= LARGEST


JUDGES = (
    Judge(
        name="TensorStore",
        representations=(SHARDED.name, SHARDED_LABELS.name),
        doors=EVERY_DOOR,
        look=exact(tensor_store.volume),
        twins=(*SHARD_TWINS, OTHER_VOXEL),
    ),
    Judge(
        name="TensorStore",
        representations=(LABELS.name,),
        doors=EVERY_DOOR,
        look=exact(tensor_store.volume),
        twins=(truncated("truncated chunk", FIRST_CHUNK), lost("lost chunk", FIRST_CHUNK), OTHER_BLOCKS, TWO_SIDES),
    ),
    Judge(
        name="cloud-volume",
        representations=(SHARDED.name,),
        doors=("HTTP", "files"),
        look=exact(cloud_volume.volume),
        twins=(*SHARD_TWINS, OTHER_VOXEL),
    ),
    # It reads beyond the end of segmentations that are too short, and may end this program: those twins are not shown.
    Judge(
        name="cloud-volume",
        representations=(LABELS.name,),
        doors=("HTTP", "files"),
        look=exact(cloud_volume.volume),
        twins=(lost("lost chunk", FIRST_CHUNK), TWO_SIDES),
    ),
    Judge(
        name="cloud-volume",
        representations=(SHARDED_LABELS.name,),
        doors=("HTTP", "files"),
        look=exact(cloud_volume.volume),
        twins=(LOST, TWO_SIDES),
    ),
    Judge(
        name="Neuroglancer",
        representations=(SHARDED.name, SHARDED_LABELS.name),
        doors=("HTTP",),
        look=by_neuroglancer,
        twins=(LOST, MORE_MINISHARDS),
        takes=_fits,
        missing=chromium.missing,
        slow=True,
    ),
    Judge(
        name="Neuroglancer",
        representations=(LABELS.name,),
        doors=("HTTP",),
        look=by_neuroglancer,
        twins=(lost("lost chunk", FIRST_CHUNK), OTHER_BLOCKS),
        takes=_fits,
        missing=chromium.missing,
        slow=True,
    ),
)

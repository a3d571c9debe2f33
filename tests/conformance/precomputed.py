"""Judges of Neuroglancer's precomputed volumes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diascope.image.image import Image
from diascope.image.level import Level, read_whole
from diascope.image.order import moved
from tests.conformance.lossy import is_smooth, large_levels
from tests.conformance.records import Judge, Representation, Served
from tests.conformance.twins import edited, lost, truncated
from tests.judges import cloud_volume, tensor_store
from tests.judges.pixels import Seen, near, same, told

RAW, JPEG, PNG = (
    Representation(name=f"precomputed {flavour}", layout=layout, paths=(f"{{file}}/{{view}}/{{stem}}{suffix}",))
    for flavour, layout, suffix in (
        ("raw", "precomputed", ".precomputed"),
        ("JPEG", "precomputed-jpeg", ".jpeg.precomputed"),
        ("PNG", "precomputed-png", ".png.precomputed"),
    )
)
REPRESENTATIONS = (RAW, JPEG, PNG)

FIRST_CHUNK = r"/0/0-\d+_0-\d+_0-\d+$"
TWINS = (
    truncated("truncated chunk", FIRST_CHUNK),
    lost("lost chunk", FIRST_CHUNK),
    edited("chunk of two sides", r"/info$", lambda info: info["scales"][0]["chunk_sizes"][0].pop()),
)

Read = Callable[[str, int], NDArray[Any]]


def _volume(image: Image, level: Level) -> NDArray[Any]:
    """The pixels of a level as x, y, z and channel."""
    return moved(read_whole(level), image.axis_names, "czyx").transpose(3, 2, 1, 0)


def exact(read: Read) -> Callable[[Served], Seen]:
    """A look at every scale by a reader."""

    def look(served: Served) -> Seen:
        return told(
            same(read(served.where, k), _volume(served.image, level), f"scale {k}")
            for k, level in enumerate(served.image.levels)
        )

    return look


def lossy(read: Read) -> Callable[[Served], Seen]:
    """The same of JPEG, whose smallest scales are all edges."""

    def look(served: Served) -> Seen:
        return told(
            near(read(served.where, k), _volume(served.image, level), f"scale {k}")
            for k, level in enumerate(large_levels(served.image))
        )

    return look


def _is_grey(image: Image) -> bool:
    """cloud-volume takes the colours of a PNG or JPEG for planes, and cannot read PNG of 16 bits."""
    return image.kind != "rgb" and image.dtype == np.uint8


def _is_smooth_grey(image: Image) -> bool:
    return _is_grey(image) and is_smooth(image)


ANYWHERE = ("HTTP", "files")
EVERY_DOOR = ("HTTP", "S3", "WebDAV", "mount", "files")
TENSORSTORE, CLOUD_VOLUME = "TensorStore", "cloud-volume"

JUDGES = (
    Judge(
        name=TENSORSTORE,
        representations=(RAW.name, PNG.name),
        doors=EVERY_DOOR,
        look=exact(tensor_store.volume),
        twins=TWINS,
    ),
    Judge(
        name=TENSORSTORE,
        representations=(JPEG.name,),
        doors=ANYWHERE,
        look=lossy(tensor_store.volume),
        twins=TWINS,
        takes=is_smooth,
    ),
    Judge(
        name=CLOUD_VOLUME,
        representations=(RAW.name,),
        doors=ANYWHERE,
        look=exact(cloud_volume.volume),
        twins=TWINS,
    ),
    Judge(
        name=CLOUD_VOLUME,
        representations=(PNG.name,),
        doors=ANYWHERE,
        look=exact(cloud_volume.volume),
        twins=TWINS,
        takes=_is_grey,
    ),
    Judge(
        name=CLOUD_VOLUME,
        representations=(JPEG.name,),
        doors=ANYWHERE,
        look=lossy(cloud_volume.volume),
        twins=TWINS,
        takes=_is_smooth_grey,
    ),
)

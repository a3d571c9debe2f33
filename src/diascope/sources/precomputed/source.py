"""Neuroglancer precomputed volumes.

https://github.com/google/neuroglancer/blob/master/src/datasource/precomputed/volume.md
"""

from __future__ import annotations

from diascope.errors import Unreadable
from diascope.image.axes import axes_named
from diascope.image.image import Image, Kind
from diascope.image.level import Level, Pixels
from diascope.image.metadata import Metadata
from diascope.image.region import Region
from diascope.sources.dataset import Dataset
from diascope.sources.precomputed.info import Info, info
from diascope.sources.precomputed.passing import with_stored
from diascope.sources.precomputed.volume import Volume, volume
from diascope.sources.reading.documents import document, joined
from diascope.sources.reading.names.stem import stem
from diascope.sources.reading.witnesses import witnessed
from diascope.sources.source import Head, Source
from diascope.stores.store import Store

INFO = "info"
ENDINGS = (".precomputed", ".jpeg.precomputed", ".png.precomputed", ".cseg.precomputed", ".sharded.precomputed")
KEYS = (b'"scales"', b'"data_type"', b'"spatial_index"', b'"neuroglancer_')
"""What the document has in it where it is Neuroglancer's."""

PICTURES = {"jpeg", "png"}
COLOURS = 3


def matches(head: Head) -> bool:
    if INFO not in head.markers:
        return False
    first = head.marker(INFO).lstrip()
    return first.startswith(b"{") and any(key in first for key in KEYS)


def version(store: Store, path: str) -> str:
    """Chunks rewritten in place do not change it."""
    return witnessed(store, path, ("", INFO))


def opened(store: Store, path: str) -> Dataset:
    seen = version(store, path)
    told = document(store, joined(path, INFO))
    if told is None:
        raise Unreadable(f"{path}: it has no info")
    name = stem(path, ENDINGS) or "image"
    return Dataset(version=seen, images={name: _image(store, info(told, path), name)}, files=(path,))


def _image(store: Store, found: Info, name: str) -> Image:
    volumes = [volume(store, found, scale) for scale in found.scales]
    axes = "czyx" if found.channels > 1 else "zyx"
    return Image(
        name=name,
        kind=_kind(found),
        axes=axes_named(axes, dict.fromkeys("zyx", "nanometer")),
        levels=tuple(_level(each, volumes[0]) for each in volumes),
        metadata=Metadata(format="Neuroglancer precomputed", extra=dict(found.rest)),
    )


def _kind(found: Info) -> Kind:
    if found.is_segmentation and found.dtype.kind in "iu":
        return "labels"
    in_colour = found.channels == COLOURS and found.dtype == "uint8"
    return "rgb" if in_colour and found.scales[0].encoding in PICTURES else "intensity"


def _level(own: Volume, finest: Volume) -> Level:
    """Voxel i covers i to i + 1 in units of its size; the centre of the finest voxel 0 is the origin."""
    skipped = 0 if own.channels > 1 else 1

    def read_pixels(region: Region) -> Pixels:
        return own.read(Region((0, *region.start), (1, *region.stop)))[0] if skipped else own.read(region)

    scale, fine = own.scale, finest.scale.resolution
    pairs = zip(scale.offset, scale.resolution, fine, strict=True)
    centres = ((offset + 0.5) * size - fine / 2 for offset, size, fine in pairs)
    level = Level(
        shape=own.shape[skipped:],
        dtype=own.dtype,
        chunk_shape=own.chunk_shape[skipped:],
        scale=(1.0, *scale.resolution)[skipped:],
        translation=(0.0, *centres)[skipped:],
        read_pixels=read_pixels,
    )
    return with_stored(level, own)


source = Source(
    name="precomputed",
    title="Neuroglancer precomputed",
    suffixes=(),
    markers=(INFO,),
    matches=matches,
    open=opened,
    version=version,
    supports="sharded or not: raw, JPEG, PNG, compressed segmentation, Compresso; no fpzip, no meshes",
)

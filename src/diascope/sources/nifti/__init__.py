"""NIfTI-1 and NIfTI-2, in one file or as a pair of header and image, plain or packed with gzip.

https://nifti.nimh.nih.gov/nifti-1/ and https://nifti.nimh.nih.gov/nifti-2/
"""

from __future__ import annotations

from typing import NamedTuple

from diascope.errors import Unreadable
from diascope.image.axes import ORDER
from diascope.image.image import Image
from diascope.image.level import Level, Pixels
from diascope.image.metadata import Metadata
from diascope.image.region import Ints, Region
from diascope.sources.dataset import Dataset
from diascope.sources.nifti.header import SIZES, Header, header, version_of
from diascope.sources.reading.beside import fingerprint
from diascope.sources.reading.names.stem import stem
from diascope.sources.reading.packed.inflated import MAGIC, Inflated, inflated_head, inflated_part
from diascope.sources.reading.plain.row_major import ReadBytes, RowMajor, plane_chunk_shape
from diascope.sources.source import Head, Source
from diascope.stores.store import Blob, Store

SUFFIXES = (".nii", ".nii.gz", ".hdr", ".hdr.gz")
LONGEST_HEADER = max(SIZES.values())


def _matches(head: Head) -> bool:
    first = inflated_head(head.first, LONGEST_HEADER) if head.first.startswith(MAGIC) else head.first
    return version_of(first) is not None


def _open(store: Store, path: str) -> Dataset:
    blob = store.open(path)
    packed = _is_packed(blob)
    found = header(inflated_part(blob, LONGEST_HEADER) if packed else blob.read(0, LONGEST_HEADER))
    name = stem(path, SUFFIXES)
    pixels = _pixels(store, path, blob, found)
    image = _image(found, pixels.read, name, "gzip" if _is_packed(pixels.blob) else "")
    files = (path,) if found.is_single else (path, pixels.path)
    return Dataset(version=fingerprint(store, files), images={name: image}, files=files)


class _Stored(NamedTuple):
    """Where the pixels are stored, and how their bytes are read."""

    path: str
    blob: Blob
    read: ReadBytes


def _pixels(store: Store, path: str, blob: Blob, found: Header) -> _Stored:
    """Raises Unreadable where they cannot be as many as the header declares."""
    if not found.is_single:
        path = _image_file(store, path)
        blob = store.open(path)
    elif found.offset < SIZES[found.version]:
        raise Unreadable(f"the pixels cannot begin at byte {found.offset}, within the header")
    stop = found.offset + found.nbytes
    if found.offset >= 0 and _is_packed(blob):
        return _Stored(path, blob, Inflated(blob, stop).read)
    if found.offset < 0 or stop > blob.stat.size:
        raise Unreadable(f"{blob.stat.size} bytes cannot hold pixels up to byte {stop}, as the header declares")
    return _Stored(path, blob, blob.read)


def _image_file(store: Store, path: str) -> str:
    """The other file of a pair."""
    base = path.removesuffix(".gz")[: -len(".hdr")]
    for suffix in (".img", ".img.gz", ".IMG"):
        if store.stat(base + suffix):
            return base + suffix
    raise Unreadable(f"the file {base}.img, which has the pixels, is missing")


def _is_packed(blob: Blob) -> bool:
    return blob.read(0, len(MAGIC)) == MAGIC


def _version_at(store: Store, path: str) -> str:
    """Of both files of a pair; the one that is missing adds nothing."""
    base = path.removesuffix(".gz")
    if not base.lower().endswith(".hdr"):
        return fingerprint(store, (path,))
    try:
        return fingerprint(store, (path, _image_file(store, path)))
    except Unreadable:
        return fingerprint(store, (path,))


def _image(found: Header, read: ReadBytes, name: str, packing: str) -> Image:
    axes = "".join(axis for axis in ORDER if axis in found.axes)
    title = f"NIfTI-{found.version}"
    metadata = Metadata(
        format=f"{title} ({packing})" if packing else title,
        description=found.description,
        rescale=found.rescale,
        extra=found.extra,
    )
    return Image(
        name=name,
        kind=found.kind,
        axes=tuple(found.axis(axis) for axis in axes),
        levels=(_level(found, read, axes),),
        channels=found.channels,
        world=found.world,
        metadata=metadata,
    )


def _level(found: Header, read: ReadBytes, axes: str) -> Level:
    """The pixels where they lie, their axes brought into the house's order."""
    stored = RowMajor(read, found.offset, found.shape, found.dtype)
    to_house = tuple(found.axes.index(axis) for axis in axes)
    to_file = tuple(axes.index(axis) for axis in found.axes)

    def read_pixels(region: Region) -> Pixels:
        start, stop = (tuple(corner[k] for k in to_file) for corner in (region.start, region.stop))
        return stored.box(Region(start, stop)).transpose(to_house)

    return Level(
        shape=tuple(found.shape[k] for k in to_house),
        dtype=found.dtype.newbyteorder("="),
        chunk_shape=tuple(_chunk_shape(found)[k] for k in to_house),
        scale=tuple(found.spacing(axis) for axis in axes),
        translation=tuple(found.first_time if axis == "t" else 0.0 for axis in axes),
        read_pixels=read_pixels,
    )


def _chunk_shape(found: Header) -> Ints:
    """Along the axes of the file."""
    if found.is_rgb:
        colours = found.shape[-1]
        return (*plane_chunk_shape(found.shape[:-1], colours), colours)
    return plane_chunk_shape(found.shape, found.dtype.itemsize)


source = Source(
    name="nifti",
    title="NIfTI",
    suffixes=SUFFIXES,
    matches=_matches,
    open=_open,
    version=_version_at,
    supports="volumes, time series, RGB, labels, sform and qform; gzip is read in parts",
)

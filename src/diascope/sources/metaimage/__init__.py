"""MetaImage, in one file or as a header with files beside it (https://itk.org/Wiki/ITK/MetaIO/Documentation).

Positions are ITK's, which does not look at ``AnatomicalOrientation``: it only repeats what ``TransformMatrix`` says.
"""

from __future__ import annotations

from diascope.image.axes import axes_named
from diascope.image.image import Image
from diascope.image.metadata import Metadata
from diascope.sources.dataset import Dataset
from diascope.sources.metaimage.data import data_files, data_reader
from diascope.sources.metaimage.header import NAMES, Header, header, is_header
from diascope.sources.reading.beside import fingerprint
from diascope.sources.reading.dates import spelled
from diascope.sources.reading.names.stem import stem
from diascope.sources.reading.plain.row_major import ReadBytes
from diascope.sources.reading.plain.stored_box import plain_box
from diascope.sources.source import Head, Source
from diascope.stores.store import Store

SUFFIXES = (".mha", ".mhd")

IN_MODEL = {
    "ObjectType",
    "NDims",
    "DimSize",
    "ElementDataFile",
    "ElementSpacing",
    "Offset",
    "TransformMatrix",
    "Comment",
}
LONGEST_VALUE = 1000


def _open(store: Store, path: str) -> Dataset:
    blob = store.open(path)
    found = header(blob)
    name = stem(path, SUFFIXES)
    files = (path, *dict.fromkeys(data_files(found, path)))
    version = fingerprint(store, files)
    image = _image(found, data_reader(store, path, found, blob), name)
    return Dataset(version=version, images={name: image}, files=files)


def _version(store: Store, path: str) -> str:
    """Of all the files."""
    return fingerprint(store, (path, *dict.fromkeys(data_files(header(store.open(path)), path))))


def _image(found: Header, read: ReadBytes, name: str) -> Image:
    axes, shape = found.laid_out
    box = plain_box(read, 0, axes, shape, found.dtype)
    return Image(
        name=name,
        kind="rgb" if found.is_rgb else "intensity",
        axes=axes_named(box.house_axes, dict.fromkeys("xyz", found.unit)),
        levels=(box.level(dict(zip(NAMES, found.spacing, strict=False)), _first(found)),),
        world=found.world,
        metadata=_metadata(found),
    )


def _first(found: Header) -> dict[str, float]:
    """When the first moment is; the place in space is the world's."""
    origin = found.numbers(len(found.sizes), "Offset", "Position", "Origin")
    return {"t": origin[3]} if origin and len(origin) > 3 else {}


def _metadata(found: Header) -> Metadata:
    told = {name: text[:LONGEST_VALUE] for name, text in found.fields.items() if name not in IN_MODEL}
    return Metadata(
        format="MetaImage",
        description=found.text("Comment"),
        acquired=spelled(found.text("AcquisitionDate")),
        rescale=_rescale(found),
        extra=told,
    )


def _rescale(found: Header) -> tuple[float, float] | None:
    slope, intercept = (
        found.numbers(1, f"ElementToIntensityFunction{name}") or default
        for name, default in (("Slope", (1.0,)), ("Offset", (0.0,)))
    )
    return (slope[0], intercept[0]) if slope[0] and (*slope, *intercept) != (1.0, 0.0) else None


def _matches(head: Head) -> bool:
    return is_header(head.first)


source = Source(
    name="metaimage",
    title="MetaImage",
    suffixes=SUFFIXES,
    matches=_matches,
    open=_open,
    version=_version,
    supports="single files, headers with one file, a list or a numbered series, raw, zlib and text, channels, "
    "directions; zlib is read in parts",
)

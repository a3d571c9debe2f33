"""Olympus OIF and OIB of FluoView: settings and planes in a folder, or all in one compound file.

An OIB is an OIF and its folder as streams; their real names stand in one of them.
oiffile and Bio-Formats are other readings.
"""

from __future__ import annotations

from diascope.errors import NotFound, Unreadable
from diascope.image.axes import axes_named
from diascope.image.image import Image
from diascope.image.level import Level
from diascope.sources.dataset import Dataset
from diascope.sources.olympus.facts import facts
from diascope.sources.olympus.files import Compound, Files, Folder
from diascope.sources.olympus.planes import planes
from diascope.sources.reading.beside import told
from diascope.sources.reading.compound import MAGIC
from diascope.sources.reading.names.stem import stem
from diascope.sources.source import Head, Source, stat_version
from diascope.stores.store import Store

SUFFIXES = (".oib", ".oif")
MARKS = b"\xff\xfe[\0", b"[\0", b"[", b"\xef\xbb\xbf["
"""How settings begin."""


def _matches(head: Head) -> bool:
    if head.name.endswith(".oib"):
        return head.first.startswith(MAGIC)
    return head.name.endswith(".oif") and head.first.startswith(MARKS)


def _open(store: Store, path: str) -> Dataset:
    name = stem(path, SUFFIXES)
    if not path.lower().endswith(".oif"):
        blob = store.open(path)
        image = _image(Compound(blob), name, "Olympus OIB")
        return Dataset(version=blob.stat.version, images={name: image}, files=(path,))
    folder = Folder(store, path)
    image = _image(folder, name, "Olympus OIF")
    return Dataset(version=told(folder.versions), images={name: image}, files=tuple(folder.versions))


def _image(files: Files, name: str, title: str) -> Image:
    told = facts(files)
    found = planes(files, told.rows)
    spacing = told.spacing(found)
    level = Level(
        shape=found.shape,
        dtype=found.dtype,
        chunk_shape=found.chunk_shape,
        scale=tuple(spacing.get(axis, (1.0, ""))[0] for axis in found.axes),
        translation=(0.0,) * len(found.axes),
        read_pixels=found.read_pixels,
    )
    return Image(
        name=name,
        kind="intensity",
        axes=axes_named(found.axes, {axis: unit for axis, (_, unit) in spacing.items() if axis in found.axes}),
        levels=(level,),
        channels=told.channels(files, found),
        metadata=told.metadata(title, found),
    )


def _version(store: Store, path: str) -> str:
    """Of all the files of an OIF: one that is replaced is another plane."""
    if not path.lower().endswith(".oif"):
        return stat_version(store, path)
    try:
        return told(Folder(store, path).versions)
    except (NotFound, Unreadable):
        return stat_version(store, path)


source = Source(
    name="olympus",
    title="Olympus OIB, OIF",
    suffixes=SUFFIXES,
    matches=_matches,
    open=_open,
    version=_version,
    library="tifffile, imagecodecs",
    supports="time, stacks, channels, wavelengths, scans of lines; no previews",
)

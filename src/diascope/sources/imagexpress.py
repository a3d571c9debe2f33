"""Plates of Molecular Devices' ImageXpress: a text that describes the plate, and files named after wells.

::

    plate.HTD                 "TimePoints", 2    "NWavelengths", 2    "WaveName1", "DAPI" …
    TimePoint_1/              none of a single moment, in some versions
        ZStep_1/              none of a single plane; here the maximum of all planes lies outside of these folders
            plate_B03_s2_w1{…}.tif    _thumb.tif: a small picture, left out

There is no public specification.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from diascope.errors import Unreadable
from diascope.image.metadata import Channel, Metadata
from diascope.sources.dataset import Dataset
from diascope.sources.members import Members
from diascope.sources.reading.documents import joined
from diascope.sources.reading.listed import listed
from diascope.sources.reading.names.natural import natural
from diascope.sources.reading.numbers import number
from diascope.sources.reading.plates.plate import MOST_PLANES, About, Plane, Plate, by_field
from diascope.sources.reading.unbound import UNBOUND
from diascope.sources.source import Head, Source
from diascope.stores.store import Store

SUFFIX = ".htd"
MAGIC = b'"HTSInfoFile"'
LARGEST = 1 << 20
MOST_FOLDERS = 10_000

FIELD = re.compile(r'\s*"([^"]*)"\s*,?(.*)')
FOLDER = re.compile(r"(TimePoint|ZStep)_(\d{1,9})", re.IGNORECASE)
PLANE = re.compile(
    r".*?_(?P<row>[A-Z]{1,2})(?P<column>\d{2})(?:_s(?P<site>\d{1,9}))?(?:_w(?P<wave>\d{1,4}))?"
    r"(?P<thumb>_thumb)?(?:[0-9A-F]{8}-[0-9A-F-]{27})?(?:_thumb)?\.tiff?",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder with planes, of one moment and, where it is of a single plane, of this."""

    path: str
    t: int
    z: int


def _told(store: Store, path: str) -> dict[str, str]:
    """The fields of the text by their names, as they are written; raises Unreadable where it is none."""
    data = store.open(path).read(0, LARGEST)
    if not data.startswith(MAGIC):
        raise Unreadable(f"{path}: it does not begin as a description of a plate")
    lines = (FIELD.fullmatch(line) for line in data.decode("latin-1").splitlines())
    return {found[1]: found[2].strip().strip('"') for found in lines if found}


def _opened(store: Store, path: str, members: Members) -> Dataset:
    description = _description(store, path)
    told = _told(store, description)
    folders = _folders(store, description.rpartition("/")[0])
    version = _version(store, path)
    plate = Plate(fields=by_field(_planes(store, folders)), about=_about(told), members=members)
    files = (path,) if path != description else (path, *(folder.path for folder in folders if folder.path))
    return Dataset(version=version, images=plate.images, files=files)


def _description(store: Store, path: str) -> str:
    """The path of the text, which is a folder's first one of its ending."""
    stat = store.stat(path)
    if stat is not None and not stat.is_folder:
        return path
    names = sorted(name for name, is_folder in store.names(path) if name.lower().endswith(SUFFIX) and not is_folder)
    if not names:
        raise Unreadable(f"{path}: there is no file of the ending {SUFFIX.upper()}")
    return joined(path, names[0])


def _folders(store: Store, path: str) -> list[Folder]:
    """All folders of moments, and of planes in them; the plate's own where there are none."""
    moments = _numbered(store, path, "timepoint") or {1: path}
    found: list[Folder] = []
    for t, moment in sorted(moments.items()):
        steps = {z: place for z, place in _numbered(store, moment, "zstep").items() if z > 0}
        found += [Folder(place, t, z) for z, place in sorted(steps.items())] or [Folder(moment, t, 1)]
    if len(found) > MOST_FOLDERS:
        raise Unreadable(f"{path}: more than {MOST_FOLDERS} folders of planes are over the limit")
    return found


def _numbered(store: Store, path: str, kind: str) -> dict[int, str]:
    """The folders of this kind by their numbers."""
    names = (FOLDER.fullmatch(name) for name, is_folder in store.names(path) if is_folder)
    return {int(found[2]): joined(path, found[0]) for found in names if found and found[1].lower() == kind}


def _planes(store: Store, folders: list[Folder]) -> Iterator[Plane]:
    for folder in folders:
        names = sorted((name for name, is_folder in islice(store.names(folder.path), MOST_PLANES) if not is_folder))
        for name in names:
            found = PLANE.fullmatch(name)
            if found and "_thumb" not in name.lower():
                row = _row(found["row"].upper())
                site, wave = found["site"] or "1", found["wave"] or "1"
                path = joined(folder.path, name)
                yield Plane(row, int(found["column"]), str(int(site)), (0, folder.t), wave, folder.z, path)


def _row(letters: str) -> int:
    """0 for A, 26 for AA."""
    return ord(letters[-1]) - ord("A") + 26 * (len(letters) - 1)


def _version(store: Store, path: str) -> str:
    """Of the text and of the folders, which change when files are added."""
    description = _description(store, path)
    folders = _folders(store, description.rpartition("/")[0])
    return listed(store, [folder.path for folder in folders], [description])


def _about(told: dict[str, str]) -> About:
    waves = sorted((name for name in told if name.startswith("WaveName")), key=natural)
    channels = {name.removeprefix("WaveName"): Channel(name=told[name]) for name in waves}
    step = number(told.get("ZStepSize") or told.get("Z Step Size"))
    metadata = Metadata(
        format="ImageXpress",
        description=told.get("Description", ""),
        instrument="ImageXpress",
        extra={"plate": told.get("UniquePlateIdentifier", "")},
    )
    return About(metadata=metadata, channels=channels, scale={"z": step} if step else {})


def _matches(head: Head) -> bool:
    if head.first:
        return head.name.endswith(SUFFIX) and head.first.startswith(MAGIC)
    names = sorted(name for name in head.names() if name.lower().endswith(SUFFIX))
    return bool(names) and head.marker(names[0]).startswith(MAGIC)


def _within(members: Members) -> Source:
    return Source(
        name="imagexpress",
        title="ImageXpress",
        suffixes=(SUFFIX,),
        folders="folder with `*.HTD`",
        matches=_matches,
        open=lambda store, path: _opened(store, path, members),
        version=_version,
        within=_within,
        supports="plates with an HTD file: fields with their planes, moments and channels; absent planes are 0",
    )


source = _within(UNBOUND)

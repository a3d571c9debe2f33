"""Plates that nothing describes, told by the names of their files alone.

::

    Channel2-13-B-01.tif                            CellProfiler's examples
    plate_B03_s2_w1.tif, plate_B03_s2_z04_t002_w1.tif   MetaXpress, as exported
    plate_B03_T0001F001L01A01Z01C01.tif             CellVoyager
    r01c01f01p01-ch1sk1fk1fl1.tiff                  Harmony
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from diascope.image.metadata import Metadata
from diascope.sources.dataset import Dataset
from diascope.sources.members import Members
from diascope.sources.reading.documents import joined
from diascope.sources.reading.listed import listed
from diascope.sources.reading.plates.plate import MOST_PLANES, About, Plane, Plate, by_field
from diascope.sources.reading.unbound import UNBOUND
from diascope.sources.source import Head, Source
from diascope.stores.store import Store

ENDINGS = (".tif", ".tiff", ".png", ".jp2", ".bmp")
END = r"\.(?:tiff?|png|jp2|bmp)"
LEAST = 2
"""So many files of such names make a plate; all other pictures in the folder must have such names, too."""

PATTERNS = tuple(
    re.compile(pattern + END, re.IGNORECASE)
    for pattern in (
        r"Channel(?P<c>\d{1,3})-\d+-(?P<row>[A-P])-(?P<column>\d{1,2})(?:-(?P<field>\d{1,4}))?",
        r".*_(?P<row>[A-P])(?P<column>\d\d)_s(?P<field>\d{1,4})(?:_z(?P<z>\d{1,5}))?(?:_t(?P<t>\d{1,5}))?_w(?P<c>\d{1,3})",
        r".*_(?P<row>[A-P])(?P<column>\d{2})_T(?P<t>\d{4})F(?P<field>\d{3})L\d{2}A\d{2}Z(?P<z>\d{2,3})C(?P<c>\d{2})",
        r"r(?P<rows>\d{2})c(?P<column>\d{2})f(?P<field>\d{2,3})p(?P<z>\d{2,3})-ch(?P<c>\d{1,2})sk(?P<t>\d{1,5})fk\d+fl\d+",
    )
)


def plane_of(name: str, folder: str) -> Plane | None:
    """What the name of a file says of it, None where it says nothing."""
    for pattern in PATTERNS:
        found = pattern.fullmatch(name)
        if found:
            told = found.groupdict()
            row = int(told["rows"]) - 1 if "rows" in told else ord(told["row"].upper()) - ord("A")
            field, z, t = (int(told.get(key) or 1) for key in ("field", "z", "t"))
            path = joined(folder, name)
            return Plane(row, int(told["column"]), str(field), (0, t), str(int(told["c"])), z, path)
    return None


def _planes(store: Store, path: str) -> Iterator[Plane]:
    for name in sorted(name for name, _ in islice(store.names(path), MOST_PLANES)):
        plane = plane_of(name, path)
        if plane:
            yield plane


def _opened(store: Store, path: str, members: Members) -> Dataset:
    version = _version(store, path)
    about = About(metadata=Metadata(format="Plate"))
    plate = Plate(fields=by_field(_planes(store, path)), about=about, members=members)
    return Dataset(version=version, images=plate.images, files=(path,))


def _version(store: Store, path: str) -> str:
    """Of the folder, which changes when files are added."""
    return listed(store, [path])


def _matches(head: Head) -> bool:
    """A folder whose pictures all have names of one of the patterns."""
    if head.first:
        return False
    pictures = [name for name in head.names() if name.lower().endswith(ENDINGS)]
    return len(pictures) >= LEAST and any(all(map(p.fullmatch, pictures)) for p in PATTERNS)


def _within(members: Members) -> Source:
    return Source(
        name="wells",
        title="Plate of files",
        suffixes=(),
        folders="folder of pictures named after wells",
        matches=_matches,
        open=lambda store, path: _opened(store, path, members),
        version=_version,
        within=_within,
        supports="folders of nothing but planes that are named after wells, sites and channels in one of four usual "
        "ways; planes that are missing are 0",
    )


source = _within(UNBOUND)

"""DM3 and DM4, the files of Gatan's DigitalMicrograph (http://www.er-c.org/cbb/info/dmformat/).

The thumbnail that every file begins with is an associated image.
"""

from __future__ import annotations

from functools import partial

from diascope.errors import Unreadable
from diascope.image.image import Image
from diascope.sources.dataset import Dataset, Lazily
from diascope.sources.gatan.calibration import at
from diascope.sources.gatan.image import Place, image
from diascope.sources.gatan.tags import DATA, GROUP, WIDTHS, Tree, document
from diascope.sources.reading.blob_file import buffered
from diascope.sources.reading.names.safe_names import safe_names
from diascope.sources.reading.names.stem import stem
from diascope.sources.source import Head, Source
from diascope.stores.store import Store

SUFFIXES = (".dm3", ".dm4")

MOST_ROOT_TAGS = 1 << 16


def _matches(head: Head) -> bool:
    """By the version, the byte order, and the first tag of the root."""
    width = WIDTHS.get(int.from_bytes(head.first[:4], "big"), 0)
    little, rest = head.first[4 + width : 8 + width], head.first[8 + width :]
    count = int.from_bytes(rest[2 : 2 + width], "big")
    known = width > 0 and int.from_bytes(little, "big") in {0, 1} and 0 < count < MOST_ROOT_TAGS
    return known and rest[2 + width :][:1] in {bytes([GROUP]), bytes([DATA])}


def _open(store: Store, path: str) -> Dataset:
    blob = store.open(path)
    found = document(buffered(blob), blob.stat.size)
    pictures = {k: each for k, each in _listed(found.tags, "ImageList") if at(each, "ImageData")}
    thumbnails = {at(each, "ImageIndex") for _, each in _listed(found.tags, "Thumbnails")}
    shown = [k for k in pictures if k not in thumbnails] or list(pictures)
    if not shown:
        raise Unreadable("it has no image")
    name = stem(path, SUFFIXES)
    names = [name] if len(shown) == 1 else safe_names(str(at(pictures[k], "Name") or k) for k in shown)

    places = dict(zip(names, shown, strict=True))
    others = dict(zip(["thumbnail"], sorted(set(pictures) - set(shown)), strict=False))

    def picture(of: dict[str, int], name: str) -> Image:
        return image(Place(blob, found, pictures[of[name]], of[name]), name)

    return Dataset(
        version=blob.stat.version,
        images=Lazily(names, partial(picture, places)),
        associated=Lazily(others, partial(picture, others)),
        files=(path,),
    )


def _listed(tags: Tree, name: str) -> list[tuple[int, Tree]]:
    """The groups of a list by their places in it."""
    listed = at(tags, name)
    groups = listed.items() if isinstance(listed, dict) else ()
    return [(int(k), each) for k, each in groups if k.isdecimal() and isinstance(each, dict)]


source = Source(
    name="gatan",
    title="Gatan DM3, DM4",
    suffixes=SUFFIXES,
    matches=_matches,
    open=_open,
    supports="images, stacks and spectrum images of up to five axes, RGB; no complex numbers",
)

"""N5 containers and datasets (https://github.com/saalfeldlab/n5#file-system-specification)."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from diascope.errors import DiascopeError, Unreadable
from diascope.sources.dataset import Dataset, Lazily
from diascope.sources.n5.container import ATTRIBUTES, Container, folder, witnesses
from diascope.sources.n5.image import image
from diascope.sources.reading.names.stem import stem
from diascope.sources.reading.witnesses import witnessed
from diascope.sources.source import Head, Source
from diascope.stores.store import Store

ENDINGS = (".bdv.n5", ".n5")
WITNESSES = ("", ATTRIBUTES, "s0", "s0/attributes.json", "setup0", "data")
"""What of a folder is looked at to tell whether it changed; the time of a folder itself tells of new names in it."""

MOST_IMAGES, MOST_FOLDERS = 64, 256
"""So many are looked at in a container; that others come is seen by the time of the folder itself."""

KEYS = (b'"n5"', b'"dimensions"', b'"downsamplingFactors"', b'"multiscales"', b'"pixelResolution"', b'"painteraData"',
        b'"multiScale"')  # fmt: skip
"""What attributes.json has in it where it is N5's."""


def matches(head: Head) -> bool:
    if head.first:
        return False
    if head.name.endswith(".n5"):
        return True  # a container without attributes of its own
    return ATTRIBUTES in head.markers and any(key in head.marker(ATTRIBUTES) for key in KEYS)


def version(store: Store, path: str) -> str:
    """Blocks rewritten in place do not change it; of a container as many images are looked into as is cheap."""
    return witnessed(store, path, dict.fromkeys([*WITNESSES, *_more(store, path)]))


def _more(store: Store, path: str) -> Iterator[str]:
    """What is looked at of the images in a container, none where that cannot be read."""
    try:
        own = folder(store, path)
        found = {"": own} if own else Container(store, path, MOST_FOLDERS)
        for name in islice(found, MOST_IMAGES):
            yield from ("/".join(filter(None, (name, each))) for each in witnesses(found[name]))
    except (DiascopeError, KeyError):
        return


def opened(store: Store, path: str) -> Dataset:
    """The image that a folder is, or those that lie in it by their paths."""
    seen = version(store, path)
    own = folder(store, path)
    if own is not None:
        name = stem(path, ENDINGS) or "image"
        return Dataset(version=seen, images={name: image(store, own, name)}, files=(path,))
    found = Container(store, path)
    if next(iter(found), None) is None:
        raise Unreadable(f"{path}: this N5 container holds no dataset that is an image")
    images = Lazily(found, lambda name: image(store, found[name], name.rpartition("/")[2]))
    return Dataset(version=seen, images=images, files=(path,))


source = Source(
    name="n5",
    title="N5",
    suffixes=(),
    markers=(ATTRIBUTES,),
    matches=matches,
    open=opened,
    version=version,
    supports="datasets, pyramids of n5-viewer, COSEM, Paintera and BigDataViewer; no blocks of varying length",
)

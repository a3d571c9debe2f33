"""Micro-Manager's folders of separate files: an image for each plane, and ``metadata.txt``.

::

    img_000000003_DAPI_007.tif                              1.4: moment, channel, plane
    img_channel001_position002_time000000003_z007.tif       2.0

https://micro-manager.org/Micro-Manager_File_Formats
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import islice
from typing import NamedTuple

from diascope.errors import Unreadable
from diascope.image.image import Image
from diascope.sources.dataset import Dataset, Lazily
from diascope.sources.members import Member, Members
from diascope.sources.reading.documents import Document, joined
from diascope.sources.reading.listed import listed
from diascope.sources.reading.micro.told import Told
from diascope.sources.reading.names.natural import natural
from diascope.sources.reading.names.stem import stem
from diascope.sources.reading.planes import Planes
from diascope.sources.reading.steady import Steady
from diascope.sources.reading.unbound import UNBOUND
from diascope.sources.source import Head, Source
from diascope.stores.store import Store

METADATA = "metadata.txt"
LARGEST = 1 << 24
"""Of longer metadata only the beginning is looked at: the summary, and what is told of the first frames."""
MOST_FILES = 1 << 22

OLD = re.compile(r"img_(?P<t>\d{9})_(?P<c>.*)_(?P<z>\d{3,9})\.tiff?")
NEW = re.compile(r"img_channel(?P<c>\d{1,9})_position(?P<p>\d{1,9})_time(?P<t>\d{1,9})_z(?P<z>\d{1,9})\.tiff?")


class Plane(NamedTuple):
    """What the name of a file says."""

    position: int
    t: int
    c: str
    z: int
    name: str


def plane_of(name: str) -> Plane | None:
    """None where a name is not one of Micro-Manager's."""
    found = NEW.fullmatch(name) or OLD.fullmatch(name)
    if found is None:
        return None
    told = found.groupdict()
    channel = str(int(told["c"])) if "p" in told else told["c"]
    return Plane(int(told.get("p") or 0), int(told["t"]), channel, int(told["z"]), name)


def _opened(store: Store, path: str, members: Members) -> Dataset:
    version = _version(store, path)
    names = (name for name, is_folder in islice(store.names(path), MOST_FILES) if not is_folder)
    planes = [plane for plane in map(plane_of, names) if plane]
    if not planes:
        raise Unreadable(f"{path}: there are no images of Micro-Manager's names")
    text = _text(store, joined(path, METADATA))
    positions = sorted({plane.position for plane in planes})
    own = stem(path, ()) or "image"
    named = {own: positions[0]} if len(positions) == 1 else {f"position-{k}": k for k in positions}
    made = partial(_image, path=path, text=text, members=members)
    groups = {name: [plane for plane in planes if plane.position == k] for name, k in named.items()}
    return Dataset(version=version, images=Lazily(groups, lambda name: made(name, groups[name])), files=(path,))


def _version(store: Store, path: str) -> str:
    """Of the folder, which changes when files are added, and of what describes them."""
    return listed(store, [path], [joined(path, METADATA)])


def _text(store: Store, path: str) -> str:
    return store.open(path).read(0, LARGEST).decode("utf-8", "replace")


def _image(name: str, planes: list[Plane], path: str, text: str, members: Members) -> Image:
    moments = {t: k for k, t in enumerate(sorted({plane.t for plane in planes}))}
    summary = told_under(text, "Summary")
    channels = sorted({plane.c for plane in planes}, key=_order(summary))
    depths = {z: k for k, z in enumerate(sorted({plane.z for plane in planes}))}
    placed = {(moments[plane.t], channels.index(plane.c), depths[plane.z]): plane for plane in planes}
    files = {at: Member(joined(path, plane.name)) for at, plane in placed.items()}
    sizes = (len(moments), len(channels), len(depths))
    told = Told.of(summary, {at: partial(_frame, text, plane, at) for at, plane in placed.items()})
    scale = told.scale(sizes)
    units = {axis: "second" if axis == "t" else "micrometer" for axis in scale}
    first = (made := Planes(members=Steady(members), files=files, sizes=sizes)).first()
    image = made.image(name, scale, units, first)
    named = () if first.kind == "rgb" else told.channels(channels)
    return replace(image, channels=named, metadata=told.metadata("Micro-Manager"))


def _order(summary: Document) -> Callable[[str], tuple[int, list[tuple[int, str]]]]:
    """Channels come as the summary has them."""
    names = summary.get("ChNames")
    known = [str(name) for name in names] if isinstance(names, list) else []
    return lambda name: (known.index(name) if name in known else len(known), natural(name))


def _frame(text: str, plane: Plane, at: tuple[int, int, int]) -> Document:
    """What is told of a frame, by its file's name or by its numbers."""
    keys = (f"Metadata-Default/{plane.name}", f"Metadata-{plane.name}", f"FrameKey-{plane.t}-{at[1]}-{plane.z}")
    return next((found for found in (told_under(text, key) for key in keys) if found), {})


def told_under(text: str, key: str) -> Document:
    """The object under a key, wherever it stands; empty where it is missing or cut off."""
    found = re.search(rf'"[^"]*{re.escape(key)}"\s*:\s*(?=\{{)', text)
    if found is None:
        return {}
    try:
        value, _ = json.JSONDecoder().raw_decode(text, found.end())
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _matches(head: Head) -> bool:
    if METADATA not in head.markers or b'"Summary"' not in head.marker(METADATA):
        return False
    return any(map(plane_of, head.names()))


def _within(members: Members) -> Source:
    return Source(
        name="micromanager",
        title="Micro-Manager, separate files",
        suffixes=(),
        markers=(METADATA,),
        matches=_matches,
        open=lambda store, path: _opened(store, path, members),
        version=_version,
        within=_within,
        supports="1.4 and 2.0: positions with their planes, moments and channels; absent planes are 0; stacks of "
        "TIFF and OME-TIFF are files of those formats",
    )


source = _within(UNBOUND)

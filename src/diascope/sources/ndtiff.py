"""NDTiff of Micro-Manager and Pycro-Manager: frames by named axes in TIFF files, and an index of where each lies.

::

    NDTiff.index      for each frame: length, axes as JSON, length, name of its file, and eight numbers of four bytes:
                      first byte, width, height, type, compression; first byte, length and compression of its metadata
    NDTiffStack.tif   8: magic and version, 20: a mark, 24: length of the summary, 28: the summary as JSON

https://github.com/micro-manager/NDStorage
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from math import prod
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from diascope.bounded import BoundedCache
from diascope.errors import Overloaded, Unreadable
from diascope.image.axes import axes_named
from diascope.image.image import Image
from diascope.image.level import Level, Pixels
from diascope.image.region import Ints, Region
from diascope.sources.dataset import Dataset, Lazily
from diascope.sources.reading.beside import fingerprint, named_beside
from diascope.sources.reading.documents import Document, joined
from diascope.sources.reading.micro.told import Told
from diascope.sources.reading.names.natural import natural
from diascope.sources.reading.names.safe_names import safe_names
from diascope.sources.reading.names.stem import stem
from diascope.sources.reading.plain.row_major import RowMajor, plane_chunk_shape
from diascope.sources.reading.planes import Leading, Place, by_places
from diascope.sources.source import Head, Source
from diascope.stores.store import Blob, Store

INDEX = "NDTiff.index"
MARKERS = (INDEX, f"Full resolution/{INDEX}")
LARGEST_INDEX = 1 << 29
LONGEST_AXES = 1 << 16
LONGEST_TOLD = 1 << 20
OPEN = 32
TYPES = {0: "u1", 1: "u2", 2: "u1", 3: "u2", 4: "u2", 5: "u2", 6: "u2"}
RGB, COLOURS = 2, 3
SUMMARY_AT, SUMMARY_MARK = 20, 2355492
HOUSE = {"time": "t", "channel": "c", "z": "z"}


class Frame(NamedTuple):
    """Where a frame lies."""

    file: str
    offset: int
    width: int
    height: int
    kind: int
    told: tuple[int, int]
    """First byte and length of its metadata."""

    @property
    def is_rgb(self) -> bool:
        return self.kind == RGB


Others: TypeAlias = tuple[tuple[str, str], ...]
Groups: TypeAlias = dict[Others, dict[tuple[str, str, str], Frame]]
"""Frames by their other axes, and then by time, channel and z."""


def _entries(data: bytes) -> Iterator[tuple[Document, Frame]]:
    """What the index tells of each frame; an acquisition that goes on may have ended it amidst an entry."""
    at = 0
    while at + 4 <= len(data):
        axes, at = _text(data, at)
        name, at = _text(data, at)
        if not axes or at + 32 > len(data):
            return
        offset, width, height, kind, packed, told, length, _ = struct.unpack_from("<8I", data, at)
        at += 32
        if packed or kind not in TYPES or not width or not height:
            raise Unreadable(f"a frame of the type {kind} and compression {packed} is not supported")
        yield json.loads(axes), Frame(name, offset, width, height, kind, (told, length))


def _text(data: bytes, at: int) -> tuple[str, int]:
    (length,) = struct.unpack_from("<I", data, at) if at + 4 <= len(data) else (0,)
    if length > LONGEST_AXES:
        raise Unreadable(f"a text of {length} bytes in the index is over the limit of {LONGEST_AXES}")
    return data[at + 4 : at + 4 + length].decode("utf-8", "replace"), at + 4 + length


def _groups(data: bytes) -> Groups:
    found: Groups = {}
    for axes, frame in _entries(data):
        if not isinstance(axes, dict):
            raise Unreadable("the index names axes that are none")
        words = {str(name): str(value) for name, value in axes.items()}
        others = tuple(sorted((name, value) for name, value in words.items() if name not in HOUSE))
        place = (words.get("time", ""), words.get("channel", ""), words.get("z", ""))
        found.setdefault(others, {})[place] = frame
    if not found:
        raise Unreadable("the index names no frame")
    return found


def _folder(store: Store, path: str) -> str:
    """The one with the index: that of the full resolution, where there are several."""
    for marker in MARKERS[::-1]:
        if store.stat(joined(path, marker)):
            return joined(path, marker).rpartition("/")[0]
    raise Unreadable(f"{path}: there is no {INDEX}")


def _opened(store: Store, path: str) -> Dataset:
    version = _version(store, path)
    folder = _folder(store, path)
    blob = store.open(joined(folder, INDEX))
    if blob.stat.size > LARGEST_INDEX:
        raise Unreadable(f"an index of {blob.stat.size} bytes is over the limit of {LARGEST_INDEX}")
    groups = _groups(blob.read(0, blob.stat.size))
    files = Files(store, joined(folder, INDEX))
    ordered = sorted(groups, key=lambda others: [natural(value) for _, value in others])
    names = _names(ordered, stem(path, ()) or "image")
    return Dataset(
        version=version, images=Lazily(names, partial(_image, groups=names, frames=groups, files=files)), files=(path,)
    )


def _names(groups: list[Others], name: str) -> dict[str, Others]:
    """What the images are called: after the folder where there is one, else after their places."""
    if len(groups) == 1:
        return {name: groups[0]}
    texts = ("_".join(value if key == "position" else f"{key}-{value}" for key, value in group) for group in groups)
    return dict(zip(safe_names(texts), groups, strict=True))


def _version(store: Store, path: str) -> str:
    """Of the index, which grows with each frame."""
    return fingerprint(store, (joined(_folder(store, path), INDEX),))


@dataclass(frozen=True, slots=True, eq=False)
class Files:
    """The files with the frames, of which a few stay open, and which must stay what they were but for growing."""

    store: Store
    index: str
    _open: BoundedCache[Blob] = field(default_factory=lambda: BoundedCache(OPEN, weigh=lambda _: 1))
    _inodes: dict[str, str] = field(default_factory=dict)

    def blob(self, name: str) -> Blob:
        return self._open.get(name, partial(self._opened, named_beside(self.index, name)))

    def _opened(self, path: str) -> Blob:
        blob = self.store.open(path)
        if self._inodes.setdefault(path, blob.stat.version) != blob.stat.version:
            raise Overloaded(f"{path} has just been changed: ask again")
        return blob

    def told(self, frame: Frame) -> Document:
        """The metadata of a frame."""
        return self.document(frame.file, *frame.told)

    def document(self, name: str, start: int, length: int) -> Document:
        """The JSON object that stands there, an empty one where there is none that can be read."""
        try:
            found = json.loads(self.blob(name).read(start, start + min(length, LONGEST_TOLD)) or b"{}")
        except (ValueError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}

    def summary(self, name: str) -> Document:
        """What stands in the head of the file."""
        mark, length = struct.unpack("<2I", self.blob(name).read(SUMMARY_AT, SUMMARY_AT + 8).ljust(8, b"\0"))
        return self.document(name, SUMMARY_AT + 8, length) if mark == SUMMARY_MARK else {}


def _image(name: str, groups: Mapping[str, Others], frames: Groups, files: Files) -> Image:
    own = frames[groups[name]]
    values = [sorted({place[k] for place in own}, key=natural) for k in range(3)]
    numbers = [{value: k for k, value in enumerate(each)} for each in values]
    t, c, z = numbers
    stack = Stack(files, {(t[a], c[b], z[d]): frame for (a, b, d), frame in own.items()}, (len(t), len(c), len(z)))
    first = stack.first
    told = Told.of(files.summary(first.file), {at: partial(files.told, frame) for at, frame in stack.frames.items()})
    scale = told.scale(stack.sizes)
    return Image(
        name=name,
        kind="rgb" if first.is_rgb else "intensity",
        axes=axes_named(stack.axes, {axis: "second" if axis == "t" else "micrometer" for axis in scale}),
        levels=(stack.level(scale),),
        channels=() if first.is_rgb else told.channels(values[1]),
        metadata=told.metadata("NDTiff"),
    )


@dataclass(frozen=True, slots=True, eq=False)
class Stack:
    """The frames of an image by their places; where there is none its pixels are 0."""

    files: Files
    frames: Mapping[Place, Frame]
    sizes: Place

    @property
    def first(self) -> Frame:
        return self.frames[min(self.frames)]

    @property
    def lengths(self) -> Mapping[str, int]:
        """Of all axes."""
        first = self.first
        if first.is_rgb and self.sizes[1] > 1:
            raise Unreadable("its frames have colours, and there are several channels of them")
        t, c, z = self.sizes
        return {"t": t, "c": COLOURS if first.is_rgb else c, "z": z, "y": first.height, "x": first.width}

    @property
    def axes(self) -> str:
        return "".join(axis for axis, size in self.lengths.items() if axis in "yx" or size > 1)

    def level(self, scale: Mapping[str, float]) -> Level:
        first, axes = self.first, self.axes
        order = ">" if self.files.blob(first.file).read(0, 2) == b"MM" else "<"
        dtype = np.dtype(order + TYPES[first.kind])
        colours = COLOURS if first.is_rgb else 1
        rows = plane_chunk_shape((first.height, first.width), dtype.itemsize * colours)[0]
        chunk = {"c": colours, "y": rows, "x": first.width}
        native = dtype.newbyteorder("=")
        leading, part = Leading(axes, first.is_rgb), partial(self._part, dtype)
        return Level(
            shape=tuple(self.lengths[axis] for axis in axes),
            dtype=native,
            chunk_shape=tuple(chunk.get(axis, 1) for axis in axes),
            scale=tuple(scale.get(axis, 1.0) for axis in axes),
            translation=(0.0,) * len(axes),
            read_pixels=lambda region: by_places(leading, region, native, part),
        )

    def _part(self, dtype: np.dtype[Any], place: Place, box: Region) -> Pixels | int:
        frame, first = self.frames.get(place), self.first
        if frame is None:
            return 0
        if (frame.width, frame.height, frame.kind) != (first.width, first.height, first.kind):
            raise Unreadable(f"the frame at {place} of t, c and z has another size or type than the first one")
        return _pixels(self.files.blob(frame.file), frame, dtype, box)


def _pixels(blob: Blob, frame: Frame, dtype: np.dtype[Any], box: Region) -> Pixels:
    """Of a box along colours, y and x; colours lie together."""
    shape: Ints = (frame.height, frame.width, 3) if frame.is_rgb else (frame.height, frame.width, 1)
    if frame.offset + prod(shape) * dtype.itemsize > blob.stat.size:
        raise Unreadable(f"{frame.file} ends before the frame that the index tells of")
    stored = RowMajor(blob.read, frame.offset, shape, dtype)
    region = Region((*box.start[1:], box.start[0]), (*box.stop[1:], box.stop[0]))
    return np.moveaxis(stored.box(region), -1, 0)


def _matches(head: Head) -> bool:
    return not head.markers.isdisjoint(MARKERS)


source = Source(
    name="ndtiff",
    title="NDTiff",
    suffixes=(),
    markers=MARKERS,
    matches=_matches,
    open=_opened,
    version=_version,
    supports="versions 2 and 3: every position, row and column is an image of its own, of the full resolution; absent "
    "frames are 0",
)

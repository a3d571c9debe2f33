"""A plate as a list of the files with its planes, and its fields as images that are made when they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import NamedTuple, TypeAlias

from diascope.errors import Unreadable
from diascope.image.image import Image
from diascope.image.metadata import Channel, Metadata
from diascope.sources.dataset import Lazily
from diascope.sources.members import Member, Members
from diascope.sources.reading.names.natural import natural
from diascope.sources.reading.planes import Planes
from diascope.sources.reading.steady import Steady

MOST_PLANES = 1 << 22
MOST_ROWS = 32
"""1536 wells are 32 rows of 48 columns."""
ROWS = tuple("ABCDEFGHIJKLMNOPQRSTUVWXYZ") + tuple(f"A{letter}" for letter in "ABCDEF")

Moment: TypeAlias = tuple[int, int]


class Plane(NamedTuple):
    """A file of a plate, and what it shows; numbers are the format's own, and only their order matters."""

    row: int
    """0 is A."""
    column: int
    """As it is counted on the plate, from 1 on."""
    field: str
    t: Moment
    c: str
    z: int
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known of a field, in the model's words."""

    position: Mapping[str, float] = field(default_factory=dict)
    scale: Mapping[str, float] = field(default_factory=dict)
    """In micrometres and seconds, of what is known."""
    acquired: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What is known of a whole plate."""

    metadata: Metadata
    channels: Mapping[str, Channel] = field(default_factory=dict)
    """By the format's names of them."""
    scale: Mapping[str, float] = field(default_factory=dict)


UNITS = {"t": "second", "z": "micrometer", "y": "micrometer", "x": "micrometer"}


def well_name(row: int, column: int) -> str:
    """As ``B/3``; raises Unreadable where no plate has such a well."""
    if not 0 <= row < MOST_ROWS or not 0 < column <= 48:
        raise Unreadable(f"no plate has a well in row {row + 1} and column {column}")
    return f"{ROWS[row]}/{column}"


def by_field(planes: Iterable[Plane]) -> dict[str, list[Plane]]:
    """The planes of each field by its name, ``{row}/{column}/{field}``, in the order of wells; refuses too many."""
    found: dict[str, list[Plane]] = {}
    for k, plane in enumerate(planes):
        if k >= MOST_PLANES:
            raise Unreadable(f"a plate of more than {MOST_PLANES} planes is over the limit")
        found.setdefault(f"{well_name(plane.row, plane.column)}/{plane.field}", []).append(plane)
    if not found:
        raise Unreadable("the plate has no well with a field")
    # A row beyond Z has two letters, and comes behind.
    ordered = sorted(found, key=lambda name: (len(name.partition("/")[0]), natural(name)))
    return {name: found[name] for name in ordered}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Plate:
    """The fields of a plate, of which images are made when they are asked for."""

    fields: Mapping[str, list[Plane]]
    about: About
    members: Members
    known: Callable[[list[Plane]], Known] = lambda _: Known()
    """What the format knows of a field by its planes."""

    @property
    def images(self) -> Mapping[str, Image]:
        channels = sorted({plane.c for planes in self.fields.values() for plane in planes}, key=natural)
        return Lazily(dict.fromkeys(self.fields), partial(self._image, channels))

    def _image(self, channels: list[str], name: str) -> Image:
        own, about = self.fields[name], self.about
        told = self.known(own)
        scale = {axis: size for axis, size in {**about.scale, **told.scale}.items() if size > 0}
        planes = _planes(own, channels, self.members)
        first = planes.first()
        image = planes.image(name.replace("/", "_"), scale, {axis: UNITS[axis] for axis in scale}, first)
        metadata = replace(
            about.metadata,
            position=told.position,
            acquired=told.acquired or about.metadata.acquired,
            palette=first.metadata.palette,
            rescale=first.metadata.rescale,
        )
        named = () if first.kind == "rgb" else tuple(about.channels.get(c, Channel(name=c)) for c in channels)
        return replace(image, metadata=metadata, channels=named)


def _planes(own: list[Plane], channels: list[str], members: Members) -> Planes:
    """The files of a field by their places among its moments and depths, and the channels of the plate."""
    moments = {t: k for k, t in enumerate(sorted({plane.t for plane in own}))}
    depths = {z: k for k, z in enumerate(sorted({plane.z for plane in own}))}
    numbers = {c: k for k, c in enumerate(channels)}
    files = {(moments[p.t], numbers[p.c], depths[p.z]): Member(p.path) for p in own}
    return Planes(members=Steady(members), files=files, sizes=(len(moments), len(channels), len(depths)))

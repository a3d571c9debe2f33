"""Which page of which file each plane of an OME image is (OME-TIFF specification, "The TiffData element")."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple
from xml.etree import ElementTree as ET

from diascope.errors import Unreadable
from diascope.sources.reading.numbers import number
from diascope.sources.reading.xml import child, children
from diascope.sources.tiff.chain import MAX_PAGES


class Place(NamedTuple):
    file: str
    """A name beside the main file; empty for the main file itself."""
    directory: int


@dataclass(frozen=True, slots=True)
class Planes:
    """The planes of an image, the last of its letters running fastest."""

    letters: str
    """T, C and Z in the order that DimensionOrder has them, slowest first."""
    sizes: dict[str, int]
    places: dict[int, Place]
    """By number; a plane that is not here was not acquired."""


def planes(element: ET.Element, own: frozenset[str], where: str) -> Planes:
    """The planes of an Image element; ``own`` are the names under which it knows the main file."""
    pixels = child(element, "Pixels")
    if pixels is None:
        raise Unreadable(f"{where}: an OME image without pixels")
    letters = pixels.get("DimensionOrder", "XYZCT")[:1:-1]
    if sorted(letters) != ["C", "T", "Z"]:
        raise Unreadable(f"{where}: the dimension order {pixels.get('DimensionOrder')!r}")
    sizes = {letter: int(number(pixels.get(f"Size{letter}")) or 1) for letter in letters}
    samples = {int(number(channel.get("SamplesPerPixel")) or 1) for channel in children(pixels, "Channel")} or {1}
    if len(samples) > 1 or min(samples) < 1 or min(sizes.values()) < 1:
        raise Unreadable(f"{where}: channels of {sorted(samples)} samples, sizes {sizes}")
    sizes["C"] = max(1, sizes["C"] // samples.pop())
    total = sizes["T"] * sizes["C"] * sizes["Z"]
    if total > MAX_PAGES:
        raise Unreadable(f"{where}: {total} planes, more than {MAX_PAGES}")
    listed = (run for data in children(pixels, "TiffData") for run in _run(data, letters, sizes, own))
    return Planes(letters, sizes, dict(listed))


def _run(data: ET.Element, letters: str, sizes: dict[str, int], own: frozenset[str]) -> Iterator[tuple[int, Place]]:
    """The planes of one TiffData element."""
    first = 0
    for letter in letters:
        first = first * sizes[letter] + int(number(data.get(f"First{letter}")) or 0)
    total = sizes["T"] * sizes["C"] * sizes["Z"]
    count = int(number(data.get("PlaneCount")) or (1 if "IFD" in data.attrib else total))
    uuid = child(data, "UUID")
    name = file_name(uuid) if uuid is not None else ""
    directory = int(number(data.get("IFD")) or 0)
    for k in range(min(count, max(0, total - first))):
        yield first + k, Place("" if name in own else name, directory + k)


def file_name(uuid: ET.Element) -> str:
    """The name of the file that a UUID element is of."""
    return uuid.get("FileName", "").replace("\\", "/").removeprefix("./")

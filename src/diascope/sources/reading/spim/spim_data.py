"""The views of a BigDataViewer file: its setups, its time points, and where each view lies in the world."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
from numpy.typing import NDArray

from diascope.errors import Unreadable
from diascope.image.affine import Affine, affine
from diascope.image.axes import Axis, axes_named
from diascope.image.metadata import Channel
from diascope.image.units import METRES, named, ratio
from diascope.sources.reading.names.safe_names import safe_names
from diascope.sources.reading.numbers import number
from diascope.sources.reading.xml import MAX_XML, child, children, parsed_xml, text
from diascope.stores.store import Store

Matrix = NDArray[np.float64]

MOST_TIMES = 100_000
MOST_SETUPS = 100_000
MOST_TRANSFORMS = 1000

PATTERN = re.compile(r"(\d{1,7})(?:-(\d{1,7}))?(?::(\d{1,7}))?", re.ASCII)

SPACE = "bigdataviewer"

EQUAL = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """All that was recorded in one way: an image."""

    id: int
    name: str
    """Safe, and unlike that of another."""
    voxel: tuple[float, ...]
    """The distances of pixels along x, y and z."""
    unit: str | None
    """Of these, None where they are no lengths."""
    attributes: Mapping[str, str]
    """The name of its channel, angle, tile and illumination, where it has one."""
    registration: Matrix | None
    """From pixels x, y, z to the world, in the same unit, at the first time; None where it does not tell more than the
    distances of pixels."""
    is_moving: bool
    """Whether that is another one at other times."""

    @property
    def axes(self) -> tuple[Axis, ...]:
        return axes_named("tzyx", dict.fromkeys("zyx", self.unit) if self.unit else {})

    @property
    def world(self) -> Affine | None:
        if self.registration is None:
            return None
        size = np.diag([*self.voxel, 1.0])
        unit = ratio(self.unit, "millimeter") if self.unit else 1.0
        return affine(np.diag([unit, unit, unit, 1.0]) @ self.registration @ np.linalg.inv(size), SPACE)

    @property
    def channel(self) -> Channel:
        return Channel(name=self.attributes.get("channel", ""))

    @property
    def told(self) -> dict[str, Any]:
        """For ``extra``."""
        return {"setup": self.id, "attributes": dict(self.attributes), "registrations_differ": self.is_moving}


@dataclass(frozen=True, slots=True)
class SpimData:
    """A document."""

    setups: tuple[Setup, ...]
    times: tuple[int, ...]


def spim_data(store: Store, path: str) -> SpimData:
    """Raises Unreadable where it has no setup or no time."""
    blob = store.open(path)
    if blob.stat.size > MAX_XML:
        raise Unreadable(f"{path}: {blob.stat.size} bytes of XML are more than the {MAX_XML} that are read")
    root = parsed_xml(blob.read(0, blob.stat.size).decode("utf-8", "replace"), path)
    sequence = child(root, "SequenceDescription")
    times = _times(child(sequence, "Timepoints"), path)
    setups = _setups(child(sequence, "ViewSetups"), _registrations(root, times[0]))
    if not setups:
        raise Unreadable(f"{path}: its XML tells of no ViewSetup")
    return SpimData(setups, times)


def _times(told: ET.Element | None, path: str) -> tuple[int, ...]:
    found = sorted(set(islice(_listed_times(told), MOST_TIMES + 1))) if told is not None else [0]
    if not 0 < len(found) <= MOST_TIMES:
        raise Unreadable(f"{path}: its XML tells of no time points, or of more than {MOST_TIMES}")
    return tuple(found)


def _listed_times(told: ET.Element) -> Iterator[int]:
    """Of a range, of a pattern such as ``0-9:3,20``, or of a list."""
    kind = told.get("type", "")
    if kind == "range":
        first, last = (_whole(child(told, tag)) for tag in ("first", "last"))
        if first is not None and last is not None:
            yield from range(first, last + 1)
    elif kind == "pattern":
        pattern = child(told, "integerpattern")
        for part in (pattern.text or "").split(",") if pattern is not None else ():
            found = PATTERN.fullmatch(part.strip())
            if found:
                first = int(found[1])
                yield from range(first, int(found[2] or first) + 1, max(int(found[3] or 1), 1))
    else:
        yield from (t for each in children(told, "Timepoint") if (t := _whole(child(each, "id"))) is not None)


def _setups(told: ET.Element | None, registrations: Mapping[int, _Registration]) -> tuple[Setup, ...]:
    elements = [(k, each) for each in children(told, "ViewSetup") if (k := _whole(child(each, "id"))) is not None]
    elements = sorted(dict(elements[:MOST_SETUPS]).items())
    names = safe_names(text(child(each, "name")) or f"setup {k}" for k, each in elements)
    words = {each.get("name", ""): _words(each) for each in children(told, "Attributes")}
    return tuple(
        _setup(k, name, element, words, registrations.get(k))
        for (k, element), name in zip(elements, names, strict=True)
    )


def _setup(
    id: int, name: str, told: ET.Element, words: Mapping[str, Mapping[str, str]], registration: _Registration | None
) -> Setup:
    size = child(told, "voxelSize")
    sizes = _numbers(text(child(size, "size")), 3)
    is_known = len(sizes) == 3 and min(sizes) > 0
    voxel = sizes if is_known else (1.0, 1.0, 1.0)
    unit = named(text(child(size, "unit"))) if is_known else None
    attributes = child(told, "attributes")
    ids = [(each.tag, (each.text or "").strip()) for each in attributes] if attributes is not None else []
    return Setup(
        id=id,
        name=name,
        voxel=voxel,
        unit=unit if unit in METRES else None,
        attributes={tag: words.get(tag, {}).get(text, text)[:200] for tag, text in ids[:20]},
        registration=registration.calibrated(voxel) if registration else None,
        is_moving=bool(registration and registration.is_moving),
    )


@dataclass(slots=True)
class _Registration:
    """The transforms of a setup at the first time, the first applied last."""

    transforms: list[Matrix]
    spelled: tuple[str, ...]
    is_moving: bool = False

    def calibrated(self, voxel: tuple[float, ...]) -> Matrix | None:
        """Their product in the unit of the distances of pixels, None where it tells no more than these.

        What is applied first may bring pixels to the unit, or to pixels of equal sides, as BigStitcher has it. One that
        changes nothing is what those write who know of no place.
        """
        whole = np.eye(4)
        for each in self.transforms:
            whole = whole @ each
        if np.array_equal(whole, np.eye(4)):
            return None
        size = np.diag([*voxel, 1.0])
        inner = self.transforms[-1] if self.transforms else np.eye(4)
        factor = inner[0, 0] / voxel[0]
        if factor > 0 and np.allclose(inner, np.diag([*(factor * np.array(voxel)), 1.0]), rtol=EQUAL, atol=0):
            whole = np.diag([1 / factor, 1 / factor, 1 / factor, 1.0]) @ whole
        is_singular = not np.isfinite(whole).all() or abs(np.linalg.det(whole)) < np.finfo(float).tiny
        return None if is_singular or np.allclose(whole, size, rtol=EQUAL, atol=EQUAL * min(voxel)) else whole


def _registrations(root: ET.Element, first: int) -> dict[int, _Registration]:
    """By setup."""
    found: dict[int, _Registration] = {}
    others: dict[int, set[tuple[str, ...]]] = {}
    for view in children(child(root, "ViewRegistrations"), "ViewRegistration"):
        time, setup = (number(view.get(name)) for name in ("timepoint", "setup"))
        if time is None or setup is None:
            continue
        texts = [text(child(each, "affine")) for each in children(view, "ViewTransform")[:MOST_TRANSFORMS]]
        spelled = tuple(" ".join(text.split()) for text in texts)
        if time == first:
            found[int(setup)] = _Registration([_matrix(text) for text in spelled], spelled)
        elif len(others.setdefault(int(setup), set())) < 2:
            others[int(setup)].add(spelled)
    for setup, registration in found.items():
        registration.is_moving = bool(others.get(setup, set()) - {registration.spelled})
    return found


def _matrix(text: str) -> Matrix:
    """Twelve numbers, row by row; the identity where they are not."""
    numbers = _numbers(text, 12)
    return np.vstack([np.reshape(numbers, (3, 4)), (0, 0, 0, 1)]) if numbers else np.eye(4)


def _numbers(text: str, count: int) -> tuple[float, ...]:
    """So many finite numbers, none where there are others."""
    words = text.split(maxsplit=count + 1)
    found = tuple(value for word in words if (value := number(word)) is not None)
    return found if len(found) == len(words) == count else ()


def _words(told: ET.Element) -> dict[str, str]:
    """What the numbers of an attribute stand for."""
    return {text(child(each, "id")): text(child(each, "name")) or text(child(each, "id")) for each in told}


def _whole(told: ET.Element | None) -> int | None:
    found = PATTERN.fullmatch(text(told))
    return int(found[1]) if found and found[2] is None and found[3] is None else None

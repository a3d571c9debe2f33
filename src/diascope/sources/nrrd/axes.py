"""What the axes of an NRRD file are, how far apart their samples lie, and where in the world.

https://teem.sourceforge.net/nrrd/format.html: section 6 on the fields of axes, 7 on the place in space. The world is
right, anterior, superior, as the rest of the house has it, so that ``left-posterior-superior`` is turned about.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from diascope.errors import Unreadable
from diascope.image.affine import Affine, affine
from diascope.image.axes import TYPES
from diascope.image.region import Ints
from diascope.image.units import METRES, SECONDS, named, ratio
from diascope.sources.nrrd.header import QUOTED, Header

Vectors: TypeAlias = tuple[tuple[float, ...] | None, ...]

COLOURS = {"rgb-color": 3, "rgba-color": 4, "3-color": 3, "4-color": 4}
SPATIAL = {"domain", "space"}

ABBREVIATED = {"ras": "right-anterior-superior", "las": "left-anterior-superior", "lps": "left-posterior-superior"}
SIGNS = {"right": 1, "left": -1, "anterior": 1, "posterior": -1, "superior": 1, "inferior": -1}
"""Along x, y and z in turn, where these words name the directions of a space."""


@dataclass(frozen=True, slots=True)
class Axes:
    """The axes of the pixels, in the order in which they lie in the file."""

    names: str
    """Slowest first, in the house's letters; of an axis of length one that has no letter, nothing."""
    shape: Ints
    is_rgb: bool
    scale: Mapping[str, float]
    first: Mapping[str, float]
    units: Mapping[str, str]
    world: Affine | None


def axes(found: Header) -> Axes:
    """Raises Unreadable where more axes are longer than one than there are letters for."""
    space = _Space.of(found)
    letters = _letters(found, space)
    directions = {name: space.directions[k] for k, name in enumerate(letters) if name and space.directions}
    spacing, first, units = _spacing(found, letters)
    for name, vector in directions.items():
        if vector is not None:
            spacing[name] = float(np.linalg.norm(vector))
            units.update({name: space.unit} if space.unit and name in "xyz" else {})
    world, at = _place(space, directions)
    names = "".join(letters)
    sizes = tuple(size for name, size in zip(letters, found.sizes, strict=True) if name)
    if "y" not in names:
        names, sizes = _with_row(names, sizes)
    scale = {name: size for name, size in spacing.items() if size > 0}
    kinds = [kind.lower() for kind in found.words("kinds")]
    colours = COLOURS.get(kinds[letters.index("c")], 0) if "c" in letters else 0
    is_rgb = colours == dict(zip(names, sizes, strict=True)).get("c") and found.dtype.kind == "u"
    return Axes(names[::-1], sizes[::-1], is_rgb, scale, {**first, **at}, units, world)


def _with_row(names: str, sizes: Ints) -> tuple[str, Ints]:
    """The axes of a line of pixels, which is a plane of one row."""
    at = names.index("x") + 1 if "x" in names else 0
    return (names[:at] + "xy"["x" in names :] + names[at:], (*sizes[:at], *(1,) * (2 - ("x" in names)), *sizes[at:]))


def _letters(found: Header, space: _Space) -> list[str]:
    """The letter of each axis, fastest first."""
    kinds = [kind.lower() for kind in found.words("kinds")]
    letters = [""] * len(kinds)
    free = {"space": list("xyz"), "time": ["t"], "channel": ["c"]}
    roles = [_role(kind, k, space) for k, kind in enumerate(kinds)]
    for k in sorted(range(len(kinds)), key=lambda k: (not roles[k], k)):
        # What is told goes first; what is not goes to the first axis that is left.
        wanted = [roles[k]] if roles[k] else ["space"]
        for role in [*wanted, "time", "channel"]:
            if free[role] and (found.sizes[k] > 1 or role in wanted):
                letters[k] = free[role].pop(0)
                break
        else:
            if found.sizes[k] > 1:
                raise Unreadable(f"the axes {found.field('kinds')} of {found.sizes} have no place among t c z y x")
    return letters


def _role(kind: str, k: int, space: _Space) -> str:
    if kind in SPATIAL or (kind in {"", "???", "none"} and space.directions and space.directions[k] is not None):
        return "space"
    if kind == "time":
        return "time"
    if kind not in {"", "???", "none"} or space.directions:
        return "channel"
    return ""


def _spacing(found: Header, letters: list[str]) -> tuple[dict[str, float], dict[str, float], dict[str, str]]:
    """Distances, places of the first samples and units, of what is told axis by axis."""
    scale: dict[str, float] = {}
    first: dict[str, float] = {}
    units: dict[str, str] = {}
    centres = found.words("centers") if "centers" in found.fields else found.words("centerings")
    told = zip(letters, found.sizes, centres, *map(found.numbers, ("spacings", "axismins", "axismaxs")), strict=True)
    for name, size, centre, spacing, low, high in told:
        is_node = centre.lower() == "node" or (centre.lower() != "cell" and high is None)
        if spacing is None and low is not None and high is not None:
            spacing = (high - low) / max(size - is_node, 1)  # noqa: PLW2901
        if spacing is not None and spacing != 0:
            scale[name] = abs(spacing)
        if low is not None and (spacing or 1) > 0:
            first[name] = low if is_node else low + (spacing or 1) / 2
    for name, unit in zip(letters, found.quoted("units"), strict=True):
        known = named(unit)
        if name and known and known in {"space": METRES, "time": SECONDS, "channel": {}}[TYPES[name]]:
            units[name] = known
    return scale, first, units


@dataclass(frozen=True, slots=True)
class _Space:
    """What is told of the space around."""

    name: str
    unit: str | None
    directions: Vectors
    """One an axis, or none at all."""
    origin: tuple[float, ...]

    @classmethod
    def of(cls, found: Header) -> _Space:
        name = found.field("space").lower().removesuffix("-time")
        short = name[:3] if len(name) == 4 and name.endswith("t") else name
        name = ABBREVIATED.get(short, name)
        told = [named(unit) for unit in QUOTED.findall(found.field("spaceunits"))]
        unit = told[0] if told and told[0] in METRES else "millimeter" if name else None
        vectors = found.vectors("spacedirections")
        directions = vectors if len(vectors) == len(found.sizes) else ()
        origins = found.vectors("spaceorigin")
        return cls(name, unit, directions, (origins[0] or ()) if origins else ())

    @property
    def to_ras(self) -> NDArray[np.float64]:
        words = self.name.split("-")
        return np.diag([SIGNS.get(word, 1) for word in words] if len(words) == 3 else [1, 1, 1]).astype(np.float64)


def _place(space: _Space, directions: Mapping[str, Any]) -> tuple[Affine | None, dict[str, float]]:
    """The map into the world, or the place of the first pixel where the space has no name and is the image's own."""
    columns = {name: np.array([*vector, 0.0, 0.0][:3]) for name, vector in directions.items() if vector is not None}
    columns = {name: column for name, column in columns.items() if name in "xyz" and np.linalg.norm(column) > 0}
    if not columns or not {"x", "y"} <= set(columns):
        return None, {}
    origin = np.array([*space.origin, 0.0, 0.0, 0.0][:3])
    own = all(np.array_equal(column, np.abs(column) * np.eye(3)["xyz".index(name)]) for name, column in columns.items())
    if not space.name and own:
        return None, {name: float(origin["xyz".index(name)]) for name in columns}
    if space.unit is None:
        return None, {}
    units = {name: column / np.linalg.norm(column) for name, column in columns.items()}
    third = np.cross(units["x"], units["y"])
    length = np.linalg.norm(third)
    matrix = np.eye(4)
    matrix[:3, :3] = np.stack([units["x"], units["y"], units.get("z", third / length if length else third)], axis=1)
    matrix[:3, 3] = origin
    matrix[:3] = space.to_ras @ matrix[:3]
    factor = ratio(space.unit, "millimeter")
    name = "scanner" if "-" in space.name and space.name.split("-")[0] in SIGNS else space.name or "nrrd"
    return affine(np.diag([factor] * 3 + [1.0]) @ matrix, name), {}

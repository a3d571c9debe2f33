"""The axes of a file and the house axes that they stand for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from diascope.errors import Unreadable
from diascope.image.axes import ORDER, TYPES, Axis
from diascope.image.level import Pixels
from diascope.image.region import Ints, Region
from diascope.image.units import METRES, SECONDS, named
from diascope.sources.reading.documents import shown

ALIASES = {
    "time": "t", "frame": "t", "channel": "c", "channels": "c", "ch": "c", "band": "c", "depth": "z", "plane": "z",
    "height": "y", "row": "y", "width": "x", "col": "x", "column": "x",
    **{name: name for name in ORDER},
}  # fmt: skip

VECTORS = "displacement", "coordinate"
"""The types of an axis along which the parts of vectors lie (0.6)."""

FREE = {"time": "t", "channel": "c", "space": "xyz"}


@dataclass(frozen=True, slots=True)
class Named:
    """One axis in the file's own words."""

    name: str | None = None
    type: str | None = None
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class Axes:
    """The house axes of an array, and how to get its pixels into their order."""

    letters: str
    """For each axis of the file, the house axis that it stands for."""
    axes: tuple[Axis, ...]
    """In house order; a missing y or x has the length one."""

    @property
    def names(self) -> str:
        return "".join(axis.name for axis in self.axes)

    def ordered(self, values: Any, missing: Any) -> tuple[Any, ...]:
        """Values of the file's axes in house order, another for an axis that the file lacks."""
        return tuple(values[self.letters.index(n)] if n in self.letters else missing for n in self.names)

    def stored(self, region: Region) -> Region:
        """A region in the file's own order."""
        return Region(self.placed(region.start), self.placed(region.stop))

    def turned(self, pixels: Pixels) -> Pixels:
        """Pixels of the file's order in house order."""
        kept = [name for name in self.names if name in self.letters]
        turned = pixels.transpose([self.letters.index(name) for name in kept])
        return turned[tuple(slice(None) if name in kept else None for name in self.names)]

    def placed(self, indices: Ints) -> Ints:
        """Indices in the file's own order."""
        return tuple(indices[self.names.index(letter)] for letter in self.letters)


def axes_of(named_axes: tuple[Named, ...], path: str) -> Axes:
    """The house axes of these: by name, else by type, else by place, x being the last.

    Raises Unreadable where there are more than the house has.
    """
    letters: list[str | None] = [None] * len(named_axes)
    for match in (_by_vector, _by_name, _by_type, _by_place):
        # From the last to the first, so that spaces without known names become x, y and z in this order.
        for d in reversed(range(len(letters))):
            if letters[d] is None:
                letters[d] = next((c for c in match(named_axes[d]) if c not in letters), None)
    if None in letters:
        words = ", ".join(shown(axis.name) for axis in named_axes)
        raise Unreadable(f"{path}: the axes {words} are more than the five that an image has: t, c, z, y, x")
    found = "".join(letter for letter in letters if letter)
    units = {letter: unit(axis.unit, letter) for letter, axis in zip(found, named_axes, strict=True)}
    names = (name for name in ORDER if name in found or name in "yx")
    return Axes(found, tuple(Axis(name, units.get(name)) for name in names))


def unit(value: str | None, axis: str) -> str | None:
    """The UDUNITS-2 name of a unit that fits the axis, else None."""
    name = named(value)
    fitting = {"time": SECONDS, "space": METRES}.get(TYPES[axis], {})
    return name if name in fitting else None


def guessed(rank: int) -> tuple[Named, ...]:
    """Axes of which nothing is known."""
    return (Named(),) * rank


def _by_vector(axis: Named) -> str:
    return "c" if axis.type in VECTORS else ""


def _by_name(axis: Named) -> str:
    return ALIASES.get(axis.name.lower(), "") if axis.name else ""


def _by_type(axis: Named) -> str:
    return FREE.get(axis.type, "") if axis.type else ""


def _by_place(axis: Named) -> str:  # noqa: ARG001
    return "xyzct"

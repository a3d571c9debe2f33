"""What the tags of an image say of its axes and values."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import isfinite
from typing import Any

from diascope.image.units import METRES, SECONDS, named
from diascope.sources.gatan.tags import Tree


@dataclass(frozen=True, slots=True)
class Calibrated:
    """One axis: the quantity at index i is ``scale · (i - origin)``."""

    name: str
    scale: float
    origin: float
    symbol: str
    """The unit as the file has it."""

    @property
    def unit(self) -> str | None:
        """Of a length or a time; None for an axis of energies, of spatial frequencies, or of nothing known."""
        if self.scale == 0 or not isfinite(self.scale * (self.origin or 1)):
            return None
        unit = named(self.symbol)
        return unit if unit in (SECONDS if self.name == "t" else METRES) else None

    @property
    def spacing(self) -> float:
        return abs(self.scale) if self.unit else 1.0

    @property
    def first(self) -> float:
        """Where index 0 lies. An axis that runs backwards begins at 0: no image of ours does."""
        return 0.0 - self.origin * self.scale if self.unit and self.scale > 0 and isfinite(self.origin) else 0.0

    @property
    def told(self) -> Tree:
        """The same in the file's words, for what the model has none for."""
        return {"axis": self.name, "scale": self.scale, "origin": self.origin, "units": self.symbol}


def axes(tags: Tree, rank: int) -> tuple[Calibrated, ...]:
    """The axes of an array of these many dimensions as the file has them, fastest first.

    Behind x and y a time is t, and whatever else is z, then c, then t.
    """
    listed = list(_dimensions(at(tags, "Calibrations", "Dimension"), rank))
    names = ["x", "y"]
    for _, _, symbol in listed[2:]:
        free = [name for name in "zct" if name not in names]
        is_time = named(symbol) in SECONDS and "t" in free
        names.append("t" if is_time else free[0])
    return tuple(Calibrated(name, *values) for name, values in zip(names, listed, strict=False))


def _dimensions(tags: Any, rank: int) -> Iterator[tuple[float, float, str]]:
    for d in range(rank):
        given = at(tags, str(d))
        yield number(at(given, "Scale"), 1.0), number(at(given, "Origin"), 0.0), text(at(given, "Units"))


def rescale(tags: Tree) -> tuple[float, float] | None:
    """Slope and intercept of the values."""
    given = at(tags, "Calibrations", "Brightness")
    scale, origin = number(at(given, "Scale"), 1.0), number(at(given, "Origin"), 0.0)
    slope = (scale, -scale * origin + 0.0)
    return None if scale == 0 or slope == (1.0, 0.0) or not isfinite(slope[1]) else slope


def at(tags: Any, *path: str) -> Any:
    """What lies at a path of names, None where nothing does."""
    for name in path:
        tags = tags.get(name) if isinstance(tags, dict) else None
    return tags


def number(value: Any, otherwise: float) -> float:
    """A number of a tag, or another where there is none."""
    return float(value) if isinstance(value, int | float) and isfinite(value) else otherwise


def text(value: Any) -> str:
    return value.strip("\0 ") if isinstance(value, str) else ""

"""Where indices and positions along an axis lie in each level of an image."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil, floor, isfinite

from diascope.errors import BadRequest, Unsupported
from diascope.image.axes import Axis
from diascope.image.image import Image
from diascope.image.level import Level
from diascope.image.units import named, ratio
from diascope.operations.values import Range, number_spelled

SLACK = 1e-6
"""Rounding errors of positions, in pixels."""

FAR = 2.0**62
"""No image has so many pixels; what lies farther lies here, where numbers are still finite."""


def place(image: Image, axis: str) -> int:
    """The place of an axis among the image's; raises BadRequest where the image lacks it."""
    if axis not in image.axis_names:
        raise BadRequest(f"the image has no axis {axis}; it has {', '.join(image.axis_names)}")
    return image.axis_names.index(axis)


def spacing(image: Image, level: Level, at: int) -> float:
    """The distance of pixels along an axis; raises Unsupported where the file tells none that can be."""
    distance = level.scale[at]
    if not (distance > 0 and isfinite(distance) and isfinite(level.translation[at])):
        raise Unsupported(f"the image says that its pixels along {image.axes[at].name} lie {distance} apart")
    return distance


def factor(axis: Axis, unit: str) -> float:
    """How many of the axis' units make one of this unit; raises BadRequest where nothing is known of the axis."""
    name = named(unit)
    if axis.unit is None or name is None:
        raise BadRequest(f"the axis {axis.name} has no known unit, so that {unit} means nothing along it")
    return ratio(name, axis.unit)


def measures(unit: str | None, axis: Axis) -> bool:
    """Whether a unit is meant for an axis: lengths for z, y and x, times for t, neither for c."""
    if unit is None or axis.type == "channel":
        return False
    return _is_length(unit) == (axis.type == "space")


def _is_length(unit: str) -> bool:
    try:
        ratio(named(unit) or unit, "meter")
    except BadRequest:
        return False
    return True


def span(image: Image, axis: str, wanted: Range, unit: str | None) -> tuple[int, int]:
    """Start and stop at level 0 of a range of indices or, in a unit, of positions of pixel centres.

    Raises BadRequest where it leaves the image or holds no pixel.
    """
    at, finest = place(image, axis), image.levels[0]
    size = finest.shape[at]
    if unit is None:
        start, stop = _whole(axis, wanted.start, 0), _whole(axis, wanted.stop, size)
    else:
        to_index = _to_index(image, at, unit)
        start = 0 if wanted.start is None else ceil(to_index(wanted.start) - SLACK)
        stop = size if wanted.stop is None else ceil(to_index(wanted.stop) - SLACK)
    if not 0 <= start < stop <= size:
        raise BadRequest(f"{axis}={wanted} holds no pixel or leaves the image, {_extent(image, at, unit)}")
    return start, stop


def index_of(image: Image, axis: str, index: int) -> int:
    """An index at level 0, negative ones being counted from the end; raises BadRequest outside."""
    size = image.shape[place(image, axis)]
    if not -size <= index < size:
        raise BadRequest(f"there is no {axis} of index {index}: the image has {size}, from 0 to {size - 1}")
    return index % size


def index_at(image: Image, axis: str, position: float, unit: str) -> int:
    """The index at level 0 of the pixel that a position lies in; raises BadRequest outside."""
    at = place(image, axis)
    index = floor(_to_index(image, at, unit)(position) + 0.5 + SLACK)
    if not 0 <= index < image.shape[at]:
        raise BadRequest(f"{axis} {number_spelled(position)} {unit} lies outside the image, {_extent(image, at, unit)}")
    return index


def _to_index(image: Image, at: int, unit: str) -> Callable[[float], float]:
    level, by = image.levels[0], factor(image.axes[at], unit)
    distance = spacing(image, level, at)

    def to_index(position: float) -> float:
        index = (position * by - level.translation[at]) / distance
        return min(max(index, -FAR), FAR)

    return to_index


def _extent(image: Image, at: int, unit: str | None) -> str:
    """How far an axis reaches, as a clause that ends a sentence."""
    level, axis = image.levels[0], image.axes[at]
    size = level.shape[at]
    if unit is None:
        return f"whose size along {axis.name} is {size}"
    by = factor(axis, unit)
    first, last = (level.translation[at] / by, (level.translation[at] + level.scale[at] * (size - 1)) / by)
    return f"whose {size} pixels along {axis.name} have their centres from {first:g} to {last:g} {unit}"


def _whole(axis: str, value: float | None, default: int) -> int:
    if value is None:
        return default
    if value != int(value):
        raise BadRequest(f"{axis}: {value} is no whole number; positions need a unit, such as unit=um")
    return int(value)


def index_in(level: Level, finest: Level, at: int, index: int) -> int:
    """The index in a level of the pixel that the centre of a pixel of level 0 lies in."""
    return span_in(level, finest, at, index, index + 1, whole=False)[0]


def span_in(  # noqa: PLR0913
    level: Level, finest: Level, at: int, start: int, stop: int, *, whole: bool = True
) -> tuple[int, int]:
    """Start and stop in a level of the pixels that pixels of level 0 touch, or, not whole, whose centres they hold."""
    if level.shape[at] == finest.shape[at]:
        return start, stop
    edge = 0.5 if whole else 0.0
    known = level.scale[at] > 0 and finest.scale[at] > 0

    def there(index: float) -> float:
        """Index of a level's pixel from its lower edge on; by sizes where the file tells no distances that can be."""
        if not known:
            return (index + 0.5) * level.shape[at] / finest.shape[at]
        position = finest.translation[at] + index * finest.scale[at]
        return min(max((position - level.translation[at]) / level.scale[at] + 0.5, -FAR), FAR)

    low, high = there(start - edge) + SLACK, there(stop - 1 + edge) - SLACK
    first = min(max(floor(low), 0), level.shape[at] - 1)
    return first, max(min(ceil(high), level.shape[at]), first + 1)

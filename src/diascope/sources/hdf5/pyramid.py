"""Groups whose arrays s0, s1, … are the levels of one image, as those who copy N5 and paintera write them."""

from __future__ import annotations

import re
from itertools import pairwise

from diascope.sources.reading.h5.array import Array
from diascope.sources.reading.h5.file import NotTaken
from diascope.sources.reading.h5.node import Group

LEVEL = re.compile(r"s(0|[1-9][0-9]?)")


def levels_of(group: Group) -> tuple[Array, ...]:
    """The arrays of a group that holds nothing else, each smaller by whole factors; none where it is not surely so."""
    names = group.names()
    if not 2 <= len(names) <= 32 or not all(LEVEL.fullmatch(name) for name in names):
        return ()
    if {int(name[1:]) for name in names} != set(range(len(names))):
        return ()
    try:
        arrays = [group.array(f"s{k}") for k in range(len(names))]
    except NotTaken:
        return ()
    levels = tuple(array for array in arrays if array is not None)
    return levels if len(levels) == len(names) and _are_levels(levels) else ()


def factors(finest: Array, coarser: Array) -> tuple[int, ...]:
    """How many pixels of the finest level make one of the coarser along each axis."""
    return tuple(max(round(n / m), 1) for n, m in zip(finest.shape, coarser.shape, strict=True))


def _are_levels(levels: tuple[Array, ...]) -> bool:
    finest = levels[0]
    for before, level in pairwise(levels):
        if len(level.shape) != len(finest.shape) or level.dtype != finest.dtype:
            return False
        if not 2 <= len(level.shape) <= 5 or level.shape == before.shape:
            return False
        fitting = zip(finest.shape, level.shape, factors(finest, level), strict=True)
        if any(m > n or abs(n / f - m) >= 1 for n, m, f in fitting):
            return False
    return True

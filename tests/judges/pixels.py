"""What a judge read against what it should have read: the only proof, as many readers end well on corrupt data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

LOSSY = 2.5
"""How far the pixels of a smooth picture may be off on average after JPEG, in grey values."""


Seen: TypeAlias = Counter[str]
"""How many of what a judge saw, by a word in the plural."""


class Rejected(Exception):
    """What was served is not what it should be, and where."""


def same(seen: NDArray[Any], expected: NDArray[Any], what: str) -> int:
    """How many pixels were compared; raises Rejected with the first that differs."""
    if seen.shape != expected.shape:
        raise Rejected(f"{what} has the shape {seen.shape}, not {expected.shape}")
    different = (seen != expected) & ~((seen != seen) & (expected != expected))  # noqa: PLR0124 — not a number
    if different.any():
        at = tuple(int(i) for i in np.argwhere(different)[0])
        share = f"{different.mean():.1%} of the pixels"
        raise Rejected(f"{what}: {share} differ; at {at} is {seen[at]}, not {expected[at]}")
    return int(expected.size)


def near(seen: NDArray[Any], expected: NDArray[Any], what: str, off: float = LOSSY) -> int:
    """The same of pixels that went through a lossy encoding; the picture itself must be one that shows a flip."""
    if seen.shape != expected.shape:
        raise Rejected(f"{what} has the shape {seen.shape}, not {expected.shape}")
    away = np.abs(seen.astype(float) - expected).mean()
    if away > off:
        raise Rejected(f"{what} is off by {away:.1f} grey values on average")
    return int(expected.size)


def counted(count: int, wanted: int, what: str) -> None:
    """Raises Rejected where there are not so many of something."""
    if count != wanted:
        raise Rejected(f"{count} {what}, not {wanted}")


def told(sizes: Iterable[int], **more: int) -> Seen:
    """What was seen, of levels that have so many pixels."""
    known = list(sizes)
    return Counter(levels=len(known), pixels=sum(known), **more)

"""A long body, made block by block."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field


@dataclass(slots=True)
class Blocks:
    """The blocks one after another; one whose making raises is made when it is asked for again."""

    makers: Iterator[Callable[[], bytes]]
    _next: Callable[[], bytes] | None = field(default=None, init=False)

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        if self._next is None:
            self._next = next(self.makers)
        block = self._next()
        self._next = None
        return block


def blocks(makers: Iterable[Callable[[], bytes]]) -> Blocks:
    """The blocks that these make."""
    return Blocks(iter(makers))

"""Viewed images that are kept, of no more datasets than may stay open."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, TypeVar

from diascope.bounded import BoundedCache

V = TypeVar("V")

VIEWS = 1000
"""How many views of images keep their trees, of some ten thousand bytes each: anybody may think of new ones."""


class Views(Generic[V]):
    """What is kept of views, which keeps open what it was made of: that of the images asked for last."""

    def __init__(self, images: int, dropped: Callable[[], None] = lambda: None) -> None:
        """``dropped`` is called whenever those of an image are kept no longer."""
        self._images = images
        self._dropped = dropped
        self._kept: BoundedCache[V] = BoundedCache(VIEWS, weigh=lambda _: 1)
        self._of: OrderedDict[str, set[Hashable]] = OrderedDict()
        """The views by image."""
        self._lock = Lock()

    def get(self, identity: str, view: str, make: Callable[[], V]) -> V:
        """That of a view of the image of this identity, made once."""
        value = self._kept.get((identity, view), make)
        with self._lock:
            views = self._of.setdefault(identity, set())
            views.add(view)
            self._of.move_to_end(identity)
            if len(views) > VIEWS:
                self._of[identity] = {each for each in views if (identity, each) in self._kept}
            over = [self._of.popitem(last=False)] if len(self._of) > self._images else []
        for image, forgotten in over:
            for each in forgotten:
                self._kept.discard((image, each))
            self._dropped()
        return value

"""How a source whose images are made of others gets at these, without knowing catalogue or operations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from diascope.image.image import Image

ORIGINAL = "original"


class Member(NamedTuple):
    """An image in the same store, seen through a view."""

    path: str
    scene: str = ""
    """Which of the file's images, empty for the first; ``labels/{name}`` and ``associated/{name}`` are scenes too."""
    view: str = ORIGINAL
    """Operations, as an address has them."""


@dataclass(frozen=True, slots=True)
class Members:
    """The other images of the store that a file lies in; every function is called from many threads."""

    image: Callable[[Member], Image]
    """Opens it, or gives one that is open still: few are kept, so that whoever holds thousands asks again. Raises
    Unreadable, with what is wrong with the file, its scene or its view."""
    version: Callable[[Member], str | None]
    """What changes when its pixels do, for a few looks at the store; None where there is no such file."""
    check: Callable[[str], None]
    """Raises BadRequest where a text spells no view."""

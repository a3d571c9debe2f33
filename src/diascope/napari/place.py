"""Where images are browsed: what a server and a folder of this machine both tell."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import Any, NamedTuple, Protocol

from diascope.errors import Unreadable
from diascope.operations.view import ORIGINAL

Description = dict[str, Any]
"""As the REST part tells it at ``/api/image/``."""

MOST = 1000
"""How many entries of one answer are shown, whatever a server sends."""

SEARCHED = 200
"""How many results of a search are shown."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the tree; no tuple, since Qt makes lists of these."""

    name: str
    path: str
    what: str
    """``folder``, ``image`` or ``file``."""


class Page(NamedTuple):
    """Some entries of a folder."""

    entries: tuple[Entry, ...]
    after: str | None
    """What the next page comes after, None where this is the last."""


class Found(NamedTuple):
    """What a search found."""

    entries: tuple[Entry, ...]
    complete: bool


class Place(Protocol):
    """Every method may take long, is called from threads of its own, and raises a DiascopeError with what is wrong."""

    def listed(self, path: str, after: str = "") -> Page:
        """Repositories where the path is empty, else what lies in a folder."""
        ...

    def found(self, text: str) -> Found:
        """Folders and images whose name has the text."""
        ...

    def described(self, path: str) -> Description:
        """What the image at a path is, and what images its file has."""
        ...

    def picture(self, path: str, size: int) -> bytes:
        """The image as JPEG, its longer side of at most so many pixels."""
        ...

    def views(self, path: str) -> list[str]:
        """The views that are offered of an image."""
        ...

    def checked(self, path: str, view: str) -> str:
        """The canonical spelling of a view of an image; raises BadRequest and Unsupported where it does not fit."""
        ...

    def address(self, path: str, view: str = ORIGINAL) -> str:
        """What opens the image, or all the images of a file."""
        ...


def entries(told: Description, key: str) -> tuple[Entry, ...]:
    """What the REST part lists; raises Unreadable where it is something else."""
    try:
        found = [(str(each["name"]), each) for each in islice(told[key], MOST)]
        return tuple(Entry(name, str(each.get("path", name)), str(each.get("what", "folder"))) for name, each in found)
    except (KeyError, TypeError, AttributeError) as error:
        raise Unreadable(f"what the server lists is not understood: {error!r}") from error


def image_path(place: Place, path: str) -> str:
    """The path of an image, or of the first one of a file that has several: views are of images."""
    told = place.described(path)
    return path if "axes" in told else next(iter(scenes(told)), Entry("", path, "image")).path


def scenes(told: Description) -> list[Entry]:
    """The images, labels and pictures beside them of the file that an image lies in."""
    try:
        return [Entry(str(each["name"]), str(each["path"]), "image") for each in told["scenes"]]
    except (KeyError, TypeError) as error:
        raise Unreadable(f"what the server tells of the image is not understood: {error!r}") from error

"""The other images of a store, for a source that nobody has told how to get at them."""

from __future__ import annotations

from diascope.errors import Unreadable
from diascope.image.image import Image
from diascope.sources.members import Member, Members


def _alone(_: object) -> Image:
    raise Unreadable("it is made of other images, and nobody said how to get at them")


def _unversioned(_: Member) -> str | None:
    return None


UNBOUND = Members(image=_alone, version=_unversioned, check=lambda _: None)

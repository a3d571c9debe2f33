"""The images that a recipe is made of, opened when they are needed, and told to be what they should."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from math import ceil, isclose

from diascope.bounded import BoundedCache
from diascope.errors import Malformed, Overloaded, Unreadable
from diascope.image.image import Image, Interpolation
from diascope.image.level import Level
from diascope.image.mapping import IDENTITY, Mapping, mapping
from diascope.image.region import Ints
from diascope.image.resampling import level_through
from diascope.image.space import pixel_matrix
from diascope.sources.members import Members
from diascope.sources.recipe.identity import Known
from diascope.sources.recipe.planned import Planned

OPEN = 128
"""How many parts of all recipes of this process stay open."""

TOLERANCE = 1e-3
"""By how much distances of pixels may differ that should be the same, as a share of them."""


class Levels:
    """The levels of an image by number, each made when it is first asked for."""

    __slots__ = ("_made", "_make")

    def __init__(self, make: Callable[[int], Level]) -> None:
        self._make = make
        self._made: dict[int, Level] = {}

    def __getitem__(self, k: int) -> Level:
        level = self._made.get(k)
        if level is None:
            level = self._made[k] = self._make(k)
        return level


_open: BoundedCache[Levels] = BoundedCache(OPEN, weigh=lambda _: 1)


@dataclass(frozen=True, eq=False)
class Parts:
    """The images of one recipe by their places."""

    members: Members
    known: Known
    made: Callable[[Planned, Image], Levels] = lambda _, image: Levels(image.levels.__getitem__)
    """The levels that are made of a file's image; raises Malformed where it does not fit the others."""
    _token: object = field(default_factory=object)

    @cached_property
    def planned(self) -> dict[int, Planned]:
        """By place; files that may be missing and are have none."""
        return {part.at: part for part in self.known.plan.parts if part.member in self.known.versions}

    @cached_property
    def first(self) -> Planned:
        """Raises Malformed where all files are missing."""
        if not self.planned:
            raise self.known.written.wrong((), "not one of its files is there")
        return self.planned[min(self.planned)]

    def raw(self, part: Planned) -> Image:
        """The image of a file as it is; raises Overloaded where it is another one than the recipe was opened with."""
        version = self.known.versions[part.member]
        if version and self.members.version(part.member) != version:
            raise Overloaded(f"{part.member.path} has just been replaced: ask again, or open the recipe again")
        try:
            return self.members.image(part.member)
        except Unreadable as error:
            raise self.wrong(part, str(error)) from error

    def wrong(self, part: Planned, reason: str) -> Malformed:
        """The error for what is wrong with a file, with the line that tells of it."""
        path = part.member.path
        told = " ".join(reason.splitlines())
        return self.known.written.wrong(part.key, told if path in told else f"{path}: {told}")

    def alike(self, part: Planned, image: Image, first: Image, *, apart: str = "", placed: bool = False) -> None:
        """Raise Malformed where an image differs from the first one in more than its pixels.

        Its length along the axes ``apart`` may differ. With ``placed`` its shape, distances and place may, too.
        """
        told = unlike(image, first, apart, placed=placed)
        if told:
            raise self.wrong(part, told)

    def levels(self, at: int) -> Levels:
        """What is made of the image at a place."""
        part = self.planned[at]
        return _open.get((self._token, at), lambda: self.made(part, self.raw(part)))

    def making(self, made: Callable[[Planned, Image], Levels]) -> Parts:
        """The same files, of which something else is made."""
        return Parts(self.members, self.known, made)


def unlike(image: Image, first: Image, apart: str, *, placed: bool) -> str | None:
    """What of an image differs from the first one, None where nothing does."""
    if (image.axis_names, image.kind, image.dtype) != (first.axis_names, first.kind, first.dtype):
        return (
            f"it is {image.kind} of {image.dtype} with the axes {image.axis_names!r}, "
            f"the first file {first.kind} of {first.dtype} with {first.axis_names!r}"
        )
    told, other = image.metadata, first.metadata
    if (told.palette, told.rescale) != (other.palette, other.rescale):
        return "its pixels mean other colours or quantities than those of the first file"
    apart += "yxz" if placed else ""
    own, others = (
        tuple(n for axis, n in zip(each.axes, each.shape, strict=True) if axis.name not in apart)
        for each in (image, first)
    )
    if own != others:
        return f"its shape is {image.shape}, that of the first file {first.shape}"
    return None if placed else _elsewhere(image, first, apart)


def _elsewhere(image: Image, first: Image, apart: str) -> str | None:
    level, like = image.levels[0], first.levels[0]
    for d, axis in enumerate(image.axes):
        if axis != first.axes[d] or not isclose(level.scale[d], like.scale[d], rel_tol=TOLERANCE):
            return (
                f"along {axis.name} its pixels are {level.scale[d]:g} {axis.unit or ''} apart, "
                f"those of the first file {like.scale[d]:g} {first.axes[d].unit or ''}"
            )
        shift = abs(level.translation[d] - like.translation[d])
        if axis.name not in apart and shift > like.scale[d] / 2:
            return f"along {axis.name} it begins at {level.translation[d]:g}, the first file at {like.translation[d]:g}"
    return None


def fitted(image: Image, levels: tuple[Level, ...], apart: Ints = ()) -> Levels:
    """The image at levels of these shapes, but for its own length along the axes ``apart``; level 0 must have its.

    Its own levels are taken where they fit; else they are made of those that do.
    """

    def like(k: int) -> Level:
        level = levels[k]
        shape = tuple(_length(image, levels[0], level, d) if d in apart else n for d, n in enumerate(level.shape))
        own = next((each for each in image.levels if each.shape == shape and _as_far(each, level)), None)
        return own or on_grid(image, replace(level, shape=shape), _shift(image, levels[0]))

    return Levels(like)


def _length(image: Image, finest: Level, level: Level, d: int) -> int:
    """How long an image is along an axis at a level of another one."""
    return max(ceil(image.shape[d] * finest.scale[d] / level.scale[d] - TOLERANCE), 1)


def _as_far(one: Level, other: Level) -> bool:
    return all(isclose(a, b, rel_tol=0.01) for a, b in zip(one.scale, other.scale, strict=True))


def _shift(image: Image, finest: Level) -> Mapping:
    """From the positions of a level to those of the image, their first pixels being the same."""
    to, at = (pixel_matrix(image.axes, level)[:3, 3] for level in (image.levels[0], finest))
    if (to == at).all():
        return IDENTITY
    matrix = pixel_matrix(image.axes, finest)
    matrix[:3, :3] = [[1, 0, 0], [0, 1, 0], [0, 0, 1]]
    matrix[:3, 3] = to - at
    return mapping(matrix)


def on_grid(image: Image, level: Level, back: Mapping = IDENTITY, interpolation: Interpolation = "linear") -> Level:
    """The image at the places of a level's pixels, which ``back`` maps to its own."""
    return level_through(image, back, level, interpolation)

"""What a recipe file says: the models of its kinds, whose JSON Schema is published as ``recipe``."""

from __future__ import annotations

import re
from typing import Annotated, Literal, TypeAlias

from pydantic import AfterValidator, Field, RootModel, model_validator

from diascope.document import Document
from diascope.image.image import Interpolation
from diascope.image.units import METRES, SECONDS, named
from diascope.pattern import Digits, Folders, Pattern, PatternText, pattern
from diascope.sources.members import ORIGINAL

LARGEST = 1e15
"""Of numbers of a matrix, positions and lengths."""
LONGEST = 2**31 - 1
"""Of an axis."""
MOST = 200
"""How many images are merged or concatenated, which are all opened together."""
MOST_TILES = 10_000

QUANTITY = re.compile(r"((?:[0-9]{1,15}(?:\.[0-9]{0,15})?|\.[0-9]{1,15})(?:[eE][-+]?[0-9]{1,2})?) ?([^\W\d_]{1,20})")


def quantity(text: str) -> tuple[float, str]:
    """Number and unit of a text such as ``50 um``; raises ValueError."""
    found = QUANTITY.fullmatch(text.strip())
    unit = named(found[2]) if found else None
    if found is None or unit is None or not 0 < float(found[1]) <= LARGEST:
        raise ValueError(f"{text!r} is no number above 0 with a unit, such as '50 um'")
    return float(found[1]), unit


def _of(units: dict[str, float], example: str, text: str) -> str:
    if quantity(text)[1] not in units:
        raise ValueError(f"{text!r} is not such as {example!r}")
    return text


def _unit(text: str) -> str:
    unit = named(text)
    if unit not in METRES:
        raise ValueError(f"{text!r} is no unit of length, such as um")
    return unit


def _numbered(text: str) -> str:
    digits = [
        token.name
        for segment in pattern(text).segments
        if not isinstance(segment, Folders)
        for token in segment
        if isinstance(token, Digits)
    ]
    if len(set(digits)) != 1 or set(pattern(text).fields) != set(digits):
        raise ValueError("it has one field, a number such as {section:int}; what else differs is a *")
    return text


def number_of(found: Pattern, path: str) -> int | None:
    """The number in a path that fits such a pattern."""
    fields = found.match(path)
    return int(next(iter(fields.values()))[:18]) if fields else None


Number: TypeAlias = Annotated[float, Field(ge=-LARGEST, le=LARGEST)]
Positive: TypeAlias = Annotated[float, Field(ge=1 / LARGEST, le=LARGEST)]
Size: TypeAlias = Annotated[int, Field(ge=1, le=LONGEST)]
Index: TypeAlias = Annotated[int, Field(ge=0, le=LONGEST - 1)]
Colour: TypeAlias = Annotated[str, Field(pattern="^[0-9a-f]{6}$")]
LengthText: TypeAlias = Annotated[str, AfterValidator(lambda text: _of(METRES, "50 um", text))]
DurationText: TypeAlias = Annotated[str, AfterValidator(lambda text: _of(SECONDS, "2.5 s", text))]
LengthUnit: TypeAlias = Annotated[str, AfterValidator(_unit)]
NumberedPattern: TypeAlias = Annotated[PatternText, AfterValidator(_numbered)]
Matrix: TypeAlias = tuple[Number, Number, Number, Number, Number, Number]

FileText: TypeAlias = Annotated[str, Field(min_length=1, max_length=1000)]
ViewText: TypeAlias = Annotated[str, Field(max_length=2000)]


class MemberFile(Document):
    """An image of the repository."""

    file: FileText = Field(
        description="Its path from the folder of the recipe, `../` leading to the folder above; it may be a recipe."
    )
    scene: str = Field("", description="Of a file with several images, the name of the one; by default the first.")
    view: ViewText = Field(ORIGINAL, description="Operations that are done to it, as an address has them.")


class Section(MemberFile):
    """One section of a stack."""

    at: Index | None = Field(None, description="Its plane, from 0 on; by default the one behind the section before.")
    affine: Matrix | None = Field(
        None,
        description="Where each point of the section goes: two rows of three numbers, row by row, that make of "
        "(x, y, 1) in the section the position in the stack.",
    )


class Grid(Document):
    """The pixels of a plane, each list along x and y, in the recipe's `unit`."""

    size: tuple[Size, Size] = Field(description="How many there are.")
    origin: tuple[Number, Number] = Field((0.0, 0.0), description="The position of the centre of the first of them.")
    pixel: tuple[Positive, Positive] | None = Field(
        None, description="Their distances; by default those of the first section."
    )


class Series(Document):
    """Files that are told one by one or by a pattern."""

    pattern: NumberedPattern | None = Field(
        None,
        description="Which files: a pattern of their paths from the folder of the recipe, with one number, such as "
        "`sections/s{section:int}*.tif`. The lowest number there is comes first.",
    )
    scene: str = Field("", description="The scene of each file of the pattern.")
    view: ViewText = Field(ORIGINAL, description="The view of each file of the pattern.")
    first: Index | None = Field(None, description="The first number of the pattern; by default the lowest there is.")
    last: Index | None = Field(None, description="The last number of the pattern; by default the highest there is.")
    step: Size = Field(1, description="How far apart the numbers are.")
    missing: Literal["refuse", "fill"] = Field(
        "refuse", description="Whether files may be missing; their place is then filled."
    )
    fill: Number = Field(0.0, description="The value of pixels of missing files.")

    def check_series(self, listed: object) -> None:
        """Raises ValueError unless files are told in one of the ways, and their numbers are in order."""
        if bool(listed) == (self.pattern is not None):
            raise ValueError("either a pattern or a list says which files")
        if self.pattern is None and (self.first, self.last, self.step, self.scene, self.view) != (
            None, None, 1, "", ORIGINAL,
        ):  # fmt: skip
            raise ValueError("first, last, step, scene and view go with a pattern")
        if self.first is not None and self.last is not None and self.first > self.last:
            raise ValueError("first is at most last")


class Stack(Series):
    """Sections on top of each other: the axis z is added."""

    recipe: Literal["stack"]
    sections: tuple[Section, ...] = Field((), description="The sections in order.", max_length=100_000)
    thickness: LengthText = Field(description="The distance of neighbouring sections, such as `50 um`.")
    transformations: FileText | None = Field(
        None,
        description="A CSV table with the columns `section` (the number of the pattern, or the plane) and any of `xx`, "
        "`xy`, `x`, `yx`, `yy`, `y`: its matrix has the rows xx xy x and yx yy y. A column `view` replaces the view.",
    )
    unit: LengthUnit | None = Field(
        None, description="The unit of matrices and of the grid; by default that of the sections' axes."
    )
    interpolation: Interpolation = Field("linear", description="How pixels between pixels are made.")
    grid: Grid | None = Field(
        None,
        description="The pixels of a plane. By default they are those of the first section; with transformations they "
        "cover all that the sections become.",
    )
    align: Literal["position", "corner"] = Field(
        "position", description="Whether sections have positions of their own, or all begin at 0."
    )

    @model_validator(mode="after")
    def fits(self) -> Stack:
        self.check_series(self.sections)
        if self.transformations is not None and any(section.affine for section in self.sections):
            raise ValueError("transformations are told in a table or with the sections")
        return self


class Frame(MemberFile):
    """One time point of a series."""

    at: Index | None = Field(None, description="Its time point, from 0 on; by default the one behind the one before.")


class Time(Series):
    """Images one after another: the axis t is added."""

    recipe: Literal["time"]
    frames: tuple[Frame, ...] = Field((), description="The time points in order.", max_length=100_000)
    interval: DurationText | None = Field(None, description="The time between them, such as `2.5 s`.")

    @model_validator(mode="after")
    def fits(self) -> Time:
        self.check_series(self.frames)
        return self


class ChannelFile(MemberFile):
    """A file that gives one channel, or several."""

    name: str | None = Field(None, description="The name of its one channel; by default that which the file has.")
    colour: Colour | None = Field(None, description="Its colour, six hexadecimal digits.")


class Channels(Document):
    """Channels of several files."""

    recipe: Literal["channels"]
    channels: tuple[ChannelFile, ...] = Field(description="The files in order.", min_length=1, max_length=MOST)
    resample: bool = Field(
        False, description="Whether files of other shapes are resampled to the pixels of the first, by position."
    )
    interpolation: Interpolation = Field("linear", description="How pixels between pixels are then made.")


class Concatenate(Document):
    """Images put together along an axis that they have."""

    recipe: Literal["concatenate"]
    axis: Literal["t", "c", "z", "y", "x"] = Field(description="The axis that becomes longer.")
    parts: tuple[MemberFile, ...] = Field(description="The images in order.", min_length=1, max_length=MOST)


class Tile(MemberFile):
    """One tile of a mosaic."""

    position: tuple[Number, Number] | None = Field(
        None,
        description="Where the centre of its first pixel lies, along x and y; by default where the file says.",
    )


class Mosaic(Document):
    """Tiles at the positions of a stage."""

    recipe: Literal["mosaic"]
    tiles: tuple[Tile, ...] = Field((), description="The tiles.", max_length=MOST_TILES)
    table: FileText | None = Field(
        None, description="Instead of them a CSV table with the columns `file`, `x`, `y`, and maybe `scene` and `view`."
    )
    unit: LengthUnit | None = Field(None, description="The unit of positions; by default that of the tiles' axes.")
    blend: Literal["linear", "none"] = Field(
        "linear",
        description="Where tiles overlap: a mean that favours each the more the farther its edge is, or the one whose "
        "edge is farthest. Labels are never blended.",
    )

    @model_validator(mode="after")
    def fits(self) -> Mosaic:
        if bool(self.tiles) == (self.table is not None):
            raise ValueError("either tiles or a table say which files")
        return self


class Overlay(Document):
    """Labels in colours on a picture."""

    recipe: Literal["overlay"]
    image: MemberFile = Field(description="The picture: 8-bit grey or RGB, which a view such as `render` makes.")
    labels: MemberFile = Field(description="The labels; where they have other pixels, the nearest ones by position.")
    opacity: Annotated[float, Field(ge=0, le=1)] = Field(0.5, description="Of the labels.")
    colours: dict[Annotated[str, Field(pattern="^[0-9]{1,19}$")], Colour] = Field(
        {}, description="Colours of labels by number; others have the one that their number gives.", max_length=10_000
    )


AnyRecipe: TypeAlias = Stack | Time | Channels | Concatenate | Mosaic | Overlay


class Recipe(RootModel[Annotated[AnyRecipe, Field(discriminator="recipe")]]):
    """One image made of several."""

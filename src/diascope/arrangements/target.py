"""Paths made of fields: ``sub-{subject}/{stain}_{section:04}{suffix}``, checked to be paths that every door can show.

``{section:04}`` is a number with so many digits, ``{section:0}`` one without zeros before it; the field must be digits.
A field that stands for folders (``{folders:**}`` of a pattern) may be several names or none; any other is part of one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated

from pydantic import AfterValidator

from diascope.pattern import composed
from diascope.placeholders import Piece, Placeholder, names, pieces

LONGEST_NAME = 255
"""Bytes of a name, as file systems have it."""
LONGEST_PATH = 1000
"""Bytes of a path; a key of S3 has 1024 with what may stand before it."""
WIDTH = re.compile(r"0[0-9]?")
CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
MOST_DIGITS = 30


@dataclass(frozen=True, slots=True)
class Target:
    """A text whose placeholders are to be filled."""

    text: str
    parts: tuple[Piece, ...]
    fields: tuple[str, ...]

    def filled(self, values: Mapping[str, str], nested: Iterable[str] = ()) -> str:
        """The text with these values; raises ValueError where a field is missing or a value does not fit."""
        return "".join(part if isinstance(part, str) else _value(part, values, nested) for part in self.parts)

    def path(self, values: Mapping[str, str], nested: Iterable[str] = ()) -> str:
        """The same as a path; a name that is nothing but a field of no folders is left out.

        Raises ValueError also where that is no path that can be shown.
        """
        filled = self.filled(values, nested)
        if nested:
            # Two values may be empty beside one another; what people write has no empty names.
            filled = "/".join(name for name in filled.split("/") if name)
        return checked(filled)


TargetText = Annotated[str, AfterValidator(lambda text: target(text).text)]
"""A field of a document: a path with placeholders, checked when it is read."""
FilledText = Annotated[str, AfterValidator(lambda text: filled(text).text)]
"""A field of a document: any text with placeholders, checked when it is read."""
PathText = Annotated[str, AfterValidator(lambda text: checked(composed(text)))]
"""A field of a document: a path within an arrangement or a repository, checked when it is read."""


@lru_cache(maxsize=1000)
def target(text: str) -> Target:
    """The path that a text spells; raises ValueError where it can be none, whatever its fields are."""
    found = filled(text)
    checked("".join(part if isinstance(part, str) else "x" for part in found.parts))
    return found


@lru_cache(maxsize=1000)
def filled(text: str) -> Target:
    """The text with placeholders, of any kind; raises ValueError where a brace makes none."""
    text = composed(text)
    for part in pieces(text):
        if isinstance(part, Placeholder) and part.spec and not WIDTH.fullmatch(part.spec):
            raise ValueError(f"{{{part.name}:{part.spec}}}: behind the colon stands how many digits, such as 04")
    return Target(text, pieces(text), names(text))


def checked(path: str) -> str:
    """The path, if every door can show it; raises ValueError with the reason."""
    for name in path.split("/"):
        if name in {"", ".", ".."}:
            raise ValueError(f"{path!r} is no path: a name in it is {name or 'empty'!r}")
        if len(name.encode(errors="replace")) > LONGEST_NAME:
            raise ValueError(f"a name has more than {LONGEST_NAME} bytes: {name[:50]}…")
    if CONTROL.search(path):
        raise ValueError(f"{path!r} has characters that are not printed")
    if len(path.encode()) > LONGEST_PATH:
        raise ValueError(f"a path has more than {LONGEST_PATH} bytes: {path[:50]}…")
    return path


def _value(part: Placeholder, values: Mapping[str, str], nested: Iterable[str]) -> str:
    if part.name not in values:
        raise ValueError(f"there is no field {part.name!r}; there are: {', '.join(sorted(values)) or 'none'}")
    value = composed(values[part.name])
    if part.name in nested:
        return value
    if "/" in value:
        raise ValueError(f"the field {part.name!r} is {value!r}, which has a slash")
    if not part.spec:
        return value
    if not (value.isascii() and value.isdecimal()) or len(value) > MOST_DIGITS:
        raise ValueError(f"the field {part.name!r} is {value!r}, which is no whole number")
    return str(int(value)).zfill(int(part.spec[1:] or 0))

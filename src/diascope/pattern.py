"""Patterns of paths, such as ``raw/**/{subject}_{stain:DAPI|GFP}_{section:int}.tif``, matched without backtracking.

| part | fits |
|---|---|
| ``{name}`` | one character or more of a name; of several ways that with the shortest fields, the first one foremost |
| ``{name:int}`` | all the digits that stand there; the field keeps them as they are |
| ``{name:a|b|c}`` | one of these texts |
| ``*`` | anything in a name, or nothing |
| ``**`` | any number of folders, as a whole name of the path; ``{name:**}`` is the field of them, joined by ``/`` |

A field that stood in an earlier folder stands for its value: ``{subject}/{subject}_{section:int}.tif``. Texts are
compared in the composed normal form of Unicode (NFC), in which the fields are too. There are no regular expressions:
matching takes time linear in the length of the path, whatever the pattern and whatever the path.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Annotated, NamedTuple, TypeAlias
from unicodedata import normalize

from pydantic import AfterValidator

from diascope.placeholders import Piece, Placeholder, pieces

FOLDERS = "**"
INT = "int"
DIGITS = frozenset("0123456789")
MOST_TOKENS = 64
"""How many parts a pattern has at the most."""


class Some(NamedTuple):
    """Any text of a name."""

    name: str | None
    least: int = 1


class Digits(NamedTuple):
    name: str


class Choice(NamedTuple):
    name: str
    options: tuple[str, ...]
    """The longest first."""


class Folders(NamedTuple):
    """Any number of folders."""

    name: str | None


Token: TypeAlias = str | Some | Digits | Choice
Segment: TypeAlias = tuple[Token, ...] | Folders
Fields: TypeAlias = dict[str, str]


@dataclass(frozen=True, slots=True)
class Pattern:
    """A pattern of paths."""

    text: str
    segments: tuple[Segment, ...]
    fields: tuple[str, ...]
    """The names of the fields, in their order."""
    nested: frozenset[str]
    """The fields whose values may be several folders, or none."""

    @property
    def folder(self) -> str:
        """The folder that everything which fits lies in, as far as the pattern says, for a walk to begin in."""
        fixed: list[str] = []
        for segment in self.segments[:-1]:
            if isinstance(segment, Folders) or len(segment) != 1 or not isinstance(segment[0], str):
                break
            fixed.append(segment[0])
        # Names with other characters than ASCII may lie there in another normal form.
        return "/".join(fixed) if "".join(fixed).isascii() else ""

    def match(self, path: str) -> Fields | None:
        """The fields of a path, None where it does not fit."""
        return _fields(self.segments, composed(path).split("/"))


PatternText = Annotated[str, AfterValidator(lambda text: pattern(text).text)]
"""A field of a document: a pattern, checked when it is read."""


def composed(text: str) -> str:
    """The text in the normal form in which texts are compared."""
    return text if text.isascii() else normalize("NFC", text)


@lru_cache(maxsize=1000)
def pattern(text: str) -> Pattern:
    """The pattern that a text spells; raises ValueError with what is wrong."""
    split = _split(pieces(composed(text)))
    segments = tuple(map(_segment, split))
    named = [token.name for segment in segments for token in _tokens(segment) if not isinstance(token, str)]
    fields = [name for name in named if name is not None]
    if sum(len(_tokens(segment)) for segment in segments) > MOST_TOKENS:
        raise ValueError(f"it has more than {MOST_TOKENS} parts")
    if isinstance(segments[-1], Folders):
        raise ValueError("it ends in folders: say which files, such as **/*.tif")  # noqa: TRY004
    many = [segment for segment in segments if isinstance(segment, Folders)]
    if len(set(fields)) < len(fields) and len(many) > 1:
        raise ValueError("a field that stands twice can be told only where ** stands once at the most")
    nested = frozenset(segment.name for segment in many if segment.name)
    return Pattern(text, segments, tuple(dict.fromkeys(fields)), nested)


def _tokens(segment: Segment) -> tuple[Token | Folders, ...]:
    return (segment,) if isinstance(segment, Folders) else segment


def _split(parts: Sequence[Piece]) -> list[list[Piece]]:
    """The parts of each name of the path; raises ValueError where a name can be none."""
    split: list[list[Piece]] = [[]]
    for part in parts:
        if isinstance(part, Placeholder):
            split[-1].append(part)
            continue
        first, *more = part.split("/")
        split[-1] += [first] if first else []
        split += [[each] if each else [] for each in more]
    for names in split:
        if not names or names in (["."], [".."]):
            raise ValueError(
                "a path is relative, with one slash between names and none at its ends; no name is . or .."
            )
        if any(isinstance(part, str) and "\0" in part for part in names):
            raise ValueError("no name has the character NUL")
    return split


def _segment(parts: list[Piece]) -> Segment:
    if parts == [FOLDERS]:
        return Folders(None)
    if len(parts) == 1 and isinstance(parts[0], Placeholder) and parts[0].spec == FOLDERS:
        return Folders(parts[0].name)
    tokens = tuple(token for part in parts for token in _of(part))
    named = [token.name for token in tokens if not isinstance(token, str) and token.name]
    if len(set(named)) < len(named):
        raise ValueError("a field stands twice in one name")
    for token, following in pairwise(tokens):
        if isinstance(token, Digits) and (isinstance(following, Digits) or (following or "x")[0] in DIGITS):
            raise ValueError(f"digits follow {{{token.name}:int}}, which takes all the digits there are")
        if isinstance(token, Some) and isinstance(following, Some):
            raise ValueError("between two fields of any text stands a text that ends the first")  # noqa: TRY004
    return tokens


def _of(part: Piece) -> Iterator[Token]:
    if isinstance(part, Placeholder):
        yield _field(part)
        return
    if FOLDERS in part:
        raise ValueError("** stands for folders, and alone between slashes")
    for k, text in enumerate(part.split("*")):
        if k:
            yield Some(None, 0)
        if text:
            yield text


def _field(part: Placeholder) -> Token:
    if not part.spec:
        return Some(part.name)
    if part.spec == INT:
        return Digits(part.name)
    options = part.spec.split("|")
    if len(options) < 2 or not all(options) or any("/" in option or "*" in option for option in options):
        raise ValueError(f"{{{part.name}:{part.spec}}}: behind the colon stands int, a choice such as a|b, or **")
    return Choice(part.name, tuple(sorted(dict.fromkeys(options), key=len, reverse=True)))


def _fields(segments: Sequence[Segment], names: Sequence[str]) -> Fields | None:
    """The fields of the names of a path, None where they do not fit."""
    least = sum(not isinstance(segment, Folders) for segment in segments)
    if len(names) < least or (len(names) > least and least == len(segments)):
        return None
    failed: set[tuple[int, int]] = set()
    dead: dict[int, int] = {}

    def fits(i: int, p: int, values: Fields) -> Fields | None:
        """The fields of all that follows i segments and p names; each pair is tried once."""
        if i == len(segments):
            return values if p == len(names) else None
        # Where any folders cannot begin to fit they cannot further on either.
        if (i, p) in failed or p >= dead.get(i, len(names) + 1):
            return None
        for stop, more in _stops(segments[i], names, p, values):
            if (found := fits(i + 1, stop, {**values, **more})) is not None:
                return found
        failed.add((i, p))
        if isinstance(segments[i], Folders):
            dead[i] = p
        return None

    # What a field that stands twice is worth may differ for a pair: with one ** no pair comes twice.
    return fits(0, 0, {})


def _stops(segment: Segment, names: Sequence[str], p: int, values: Fields) -> Iterator[tuple[int, Fields]]:
    """Up to where a segment takes names, and the fields that this makes."""
    if isinstance(segment, Folders):
        for stop in range(p, len(names)):
            folders = "/".join(names[p:stop])
            if values.get(segment.name or "", folders) == folders:
                yield stop, {segment.name: folders} if segment.name else {}
    elif p < len(names) and (found := _fit(segment, names[p], values)) is not None:
        yield p + 1, found


def _fit(tokens: Sequence[Token], text: str, known: Mapping[str, str]) -> Fields | None:
    """The fields of one name, None where it does not fit."""
    last = tokens[-1]
    if isinstance(last, str) and not text.endswith(last):
        return None
    if len(tokens) == 1 and isinstance(last, Some) and last.name not in known:
        return ({last.name: text} if last.name else {}) if len(text) >= last.least else None
    named = [known.get(each.name or "", each) if known and not isinstance(each, str) else each for each in tokens]
    return _searched(named, text)


def _searched(tokens: Sequence[Token], text: str) -> Fields | None:
    """The same, by trying places: each once for each token."""
    failed: set[tuple[int, int]] = set()
    dead: dict[int, int] = {}
    spans: list[tuple[int, int]] = []

    def fits(i: int, p: int) -> bool:
        if i == len(tokens):
            return p == len(text)
        # Where any text cannot begin to fit it cannot further on either: so each place is tried once.
        if (i, p) in failed or p >= dead.get(i, len(text) + 1):
            return False
        for stop in _ends(tokens, i, text, p):
            spans.append((p, stop))
            if fits(i + 1, stop):
                return True
            spans.pop()
        if isinstance(tokens[i], Some):
            dead[i] = p
        failed.add((i, p))
        return False

    if not fits(0, 0):
        return None
    return {
        token.name: text[start:stop]
        for token, (start, stop) in zip(tokens, spans, strict=True)
        if not isinstance(token, str) and token.name
    }


def _ends(tokens: Sequence[Token], i: int, text: str, p: int) -> Iterator[int]:
    """Where the token that begins at p may end, the place that is wanted most first."""
    token = tokens[i]
    if isinstance(token, str):
        if text.startswith(token, p):
            yield p + len(token)
    elif isinstance(token, Digits):
        stop = p
        while stop < len(text) and text[stop] in DIGITS:
            stop += 1
        if stop > p:
            yield stop
    elif isinstance(token, Choice):
        yield from (p + len(option) for option in token.options if text.startswith(option, p))
    else:
        yield from _anywhere(tokens[i + 1 :], text, p + token.least)


def _anywhere(following: Sequence[Token], text: str, first: int) -> Iterator[int]:
    """Every place from the first on where what follows may begin."""
    if not following:
        if first <= len(text):
            yield len(text)
        return
    if not isinstance(following[0], str):
        yield from range(first, len(text) + 1)
        return
    at = text.find(following[0], first)
    while at >= 0:
        yield at
        at = text.find(following[0], at + 1)

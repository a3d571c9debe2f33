"""A tree written as a table: each row a pattern of paths and the function that makes the file."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import merge
from itertools import groupby
from string import Formatter
from types import CodeType
from typing import Any, TypeAlias

from diascope.haste import pause
from diascope.tree.file import Entry, File
from diascope.tree.spelling import Options, reaches, spelled

Values: TypeAlias = dict[str, Any]
Choices: TypeAlias = Callable[..., Options]

LONG = 100
"""A number of so many digits is no choice of anybody's; Python refuses to read some of them."""

KEPT = 64
"""Of how many values of the fields before it a field's ranges are remembered."""

VARIABLE = 0x08
"""The flag of a function that takes any further keywords."""


@dataclass(frozen=True, slots=True)
class _Segment:
    """One name of a pattern, such as ``{x}_{y}.png``."""

    text: str
    keys: tuple[str, ...]
    regex: re.Pattern[str] | None
    """None where there is nothing but text, or nothing but a field."""

    def match(self, name: str, values: Values, choices: Mapping[str, _Remembered]) -> bool:
        """Whether the name is the canonical spelling of a choice; its values are added to the others."""
        if not self.keys:
            return name == self.text
        if self.regex is None:
            return name != "" and _taken(self.keys[0], name, values, choices)
        found = self.regex.fullmatch(name)
        return found is not None and all(_taken(key, found[key], values, choices) for key in self.keys)


def _taken(key: str, text: str, values: Values, choices: Mapping[str, _Remembered]) -> bool:
    if key not in choices:
        values[key] = text
        return True
    options = choices[key].of(values)
    number = isinstance(options, range) and text.isascii() and text.isdecimal() and len(text) < LONG
    value = int(text) if number else text
    values[key] = value
    # Only the canonical spelling names a file: "00" is no chunk of ours.
    return value in options and str(value) == text


class _Remembered:
    """The choices of a field, whose ranges are made once for the fields that they depend on."""

    __slots__ = ("_choices", "_kept", "_needs")

    def __init__(self, choices: Choices, before: Sequence[str]) -> None:
        self._choices = choices
        self._needs = _needs(choices, before)
        self._kept: dict[Any, Options] = {}

    def __call__(self, **values: Any) -> Options:
        return self.of(values)

    def of(self, values: Values) -> Options:
        """Given the values of the fields before it."""
        needs = self._needs
        if needs is None:
            return self._choices(**values)
        key = values[needs[0]] if len(needs) == 1 else tuple(map(values.__getitem__, needs))
        options = self._kept.get(key)
        if options is None:
            options = self._choices(**values)
            if isinstance(options, range):
                if len(self._kept) >= KEPT:
                    self._kept.clear()
                self._kept[key] = options
        return options


def _needs(choices: Choices, before: Sequence[str]) -> tuple[str, ...] | None:
    """The fields that a function of them looks at, as its parameters say; None where they do not."""
    code = getattr(choices, "__code__", None)
    if code is None or (code.co_flags & VARIABLE and code.co_varnames[_named(code)] != "_"):
        return None
    return tuple(name for name in code.co_varnames[: _named(code)] if name in before)


def _named(code: CodeType) -> int:
    return code.co_argcount + code.co_kwonlyargcount


@dataclass(frozen=True, slots=True)
class _Row:
    segments: tuple[_Segment, ...]
    make: Callable[..., File | None]
    choices: Mapping[str, _Remembered]
    numbers: re.Pattern[str] | None
    """Of the path behind the first name where every field is a number; None where it could be read in another way."""

    def values(self, path: str, rest: str) -> Values | None:
        """The values of the fields of a path of as many names; ``rest`` is the path behind the first name."""
        found = self.numbers.fullmatch(rest) if self.numbers is not None else None
        if found is None:
            return self.match(path.split("/"))
        values: Values = {}
        for key, text in found.groupdict().items():
            options = self.choices[key].of(values)
            if not isinstance(options, range) or len(text) >= LONG:
                if text not in options:
                    return None
                values[key] = text
                continue
            value = values[key] = int(text)
            if value not in options or (text[0] == "0" and text != "0"):
                return None
        return values

    def match(self, names: Sequence[str]) -> Values | None:
        """The values of the fields in the first segments, or None where the names do not fit."""
        values: Values = {}
        fits = all(
            segment.match(name, values, self.choices) for segment, name in zip(self.segments, names, strict=False)
        )
        return values if fits else None

    def names(self, depth: int, values: Values) -> Iterator[str]:
        """The spellings of one segment, given the values of those before it."""
        segment = self.segments[depth]
        if not segment.keys:
            yield from (segment.text,) if segment.text else ()
        elif all(key in self.choices for key in segment.keys):
            yield from (segment.text.format(**more) for more in self._product(segment.keys, values))

    def keys_from(self, depth: int, values: Values, start: str) -> Iterator[str]:
        """The same in order and from ``start`` on, those of folders with a slash behind them."""
        segment = self.segments[depth]
        if not segment.text or not all(key in self.choices for key in segment.keys):
            return iter(())
        lead, pieces = _pieces(segment, "/" * (len(self.segments) > depth + 1))
        if not reaches(lead, start):
            return iter(())
        low = start[len(lead) :] if start.startswith(lead) else ""
        return (lead + text for text in spelled(pieces, values, self.choices, low))

    def _product(self, keys: Sequence[str], values: Values) -> Iterator[Values]:
        if not keys:
            yield values
            return
        for option in self.choices[keys[0]].of(values):
            yield from self._product(keys[1:], {**values, keys[0]: option})


def _pieces(segment: _Segment, end: str) -> tuple[str, list[tuple[str, str]]]:
    """The text before the first field, and the fields, each with the text behind it; ``end`` is behind them all."""
    texts = [""]
    for text, key, _, _ in Formatter().parse(segment.text) if segment.keys else ():
        texts[-1] += text
        texts += [""] if key else []
    texts[-1] += end if segment.keys else segment.text + end
    return texts[0], list(zip(segment.keys, texts[1:], strict=True))


def _segment(text: str) -> _Segment:
    parts = list(Formatter().parse(text))
    keys = tuple(key for _, key, _, _ in parts if key)
    if not keys:
        return _Segment("".join(literal for literal, _, _, _ in parts), (), None)
    whole = len(parts) == 1 and not parts[0][0]
    return _Segment(text, keys, None if whole else re.compile(_expression(text, ".+?"), re.DOTALL))


def _expression(text: str, field: str) -> str:
    """The regular expression of a pattern whose fields are this one."""
    parts = Formatter().parse(text)
    return "".join(re.escape(literal) + (f"(?P<{key}>{field})" if key else "") for literal, key, _, _ in parts)


def _numbers(pattern: str, choices: Mapping[str, Choices]) -> re.Pattern[str] | None:
    """Of the path behind the first name; digits end where the text behind them begins, so that there is one reading."""
    first, _, rest = pattern.partition("/")
    parts = list(Formatter().parse(rest))
    keys = [key for _, key, _, _ in parts if key]
    apart = all(literal and not literal[0].isdecimal() for literal, _, _, _ in parts[1:])
    if not keys or not apart or _segment(first).keys or not choices.keys() >= set(keys):
        return None
    return re.compile(_expression(rest, "[0-9]+"))


def literal(text: str) -> str:
    """Text that stands for itself in a pattern, whatever braces it has."""
    return text.replace("{", "{{").replace("}", "}}")


@dataclass(slots=True)
class Table:
    """A tree of the files whose paths its rows describe."""

    rows: list[_Row] = field(default_factory=list)
    _by_first: dict[str | None, list[_Row]] = field(default_factory=dict)
    """The rows by the first name of the paths that they may describe; None has those that take any."""

    def add(self, pattern: str, make: Callable[..., File | None], **choices: Choices) -> None:
        """Add a row.

        ``make`` is called with the fields of the pattern. The choices of a field are a function of the fields
        before it: a range gives integers, any other sequence texts. A field without choices takes any text, and is
        served but not listed; ``make`` then says with None that there is no such file. A pattern that ends in a slash
        is the file that answers for a folder.
        """
        segments = tuple(map(_segment, pattern.split("/")))
        keys = [key for segment in segments for key in segment.keys]
        remembered = {key: _Remembered(made, keys[: keys.index(key)]) for key, made in choices.items()}
        self.rows.append(_Row(segments, make, remembered, _numbers(pattern, choices)))
        self._by_first.clear()

    def file(self, path: str) -> File | None:
        first, _, rest = path.partition("/")
        count = path.count("/") + 1
        by_first = self._by_first or self._sorted()
        for row in by_first.get(first) or by_first[None]:
            if len(row.segments) == count and (values := row.values(path, rest)) is not None:
                if not values:
                    pause()  # a document may be long in making
                return row.make(**values)
        return None

    def _sorted(self) -> dict[str | None, list[_Row]]:
        """The rows by first names, in the order that they were added in."""
        names = [row.segments[0].text for row in self.rows if not row.segments[0].keys]
        kinds: list[str | None] = [None, *dict.fromkeys(names)]
        self._by_first = {
            kind: [row for row in self.rows if row.segments[0].keys or row.segments[0].text == kind] for kind in kinds
        }
        return self._by_first

    def entries(self, path: str) -> Iterator[Entry] | None:
        found, depth = self._found(path)
        return self._listed(found, depth) if found else None

    def entries_from(self, path: str, start: str) -> Iterator[Entry] | None:
        """As ``diascope.tree.order`` wants them: any number of files is listed from anywhere at once."""
        found, depth = self._found(path)
        if not found:
            return None
        keys = merge(*(row.keys_from(depth, values, start) for row, values in found))
        return (Entry(key.removesuffix("/"), key.endswith("/")) for key, _ in groupby(keys))

    def _found(self, path: str) -> tuple[list[tuple[_Row, Values]], int]:
        """The rows that list something in a folder, and how deep it lies; none where it is no folder."""
        names = path.split("/") if path else []
        found = [
            (row, values)
            for row in self.rows
            if len(row.segments) > len(names) and (values := row.match(names)) is not None
        ]
        # A field without choices takes the name of a file too, which is no folder.
        return (found if found and self.file(path) is None else []), len(names)

    def _listed(self, found: list[tuple[_Row, Values]], depth: int) -> Iterator[Entry]:
        """Lazily, each folder once; only rows that share a folder's name with an earlier one need remembering."""
        fixed: set[str] = set()
        for row, values in found:
            is_folder = len(row.segments) > depth + 1
            remembered = not row.segments[depth].keys
            for name in row.names(depth, values):
                if name in fixed or (not remembered and _listed_before(found, row, depth, name)):
                    continue
                if remembered:
                    fixed.add(name)
                yield Entry(name, is_folder)


def _listed_before(found: list[tuple[_Row, Values]], row: _Row, depth: int, name: str) -> bool:
    """Whether a row before this one lists the same name."""
    for earlier, values in found:
        if earlier is row:
            return False
        segment = earlier.segments[depth]
        if all(key in earlier.choices for key in segment.keys) and segment.match(name, dict(values), earlier.choices):
            return True
    return False

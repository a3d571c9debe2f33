"""Types of parameters that are spelled in an address: ranges, lists, colours and units."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Any, NamedTuple

from pydantic import BeforeValidator

from diascope.image.units import named


class Spelling(NamedTuple):
    """How a parameter is written, for the reference and for JSON Schema: whatever it is read as, it is a text."""

    text: str

    def __get_pydantic_json_schema__(self, _: Any, __: Any) -> dict[str, Any]:
        return {"type": "string", "examples": [self.text]}


def number_spelled(value: float) -> str:
    """A number as short as it goes, without a plus sign."""
    if float(value).is_integer() and abs(value) < 1e15:
        return str(int(value))
    return repr(value).replace("e+", "e")


@dataclass(frozen=True, slots=True)
class Range:
    """From start to stop, without stop; None is the image's own end."""

    start: float | None
    stop: float | None

    def __str__(self) -> str:
        return "..".join("" if end is None else number_spelled(end) for end in (self.start, self.stop))


NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?")
LONGEST_LIST = 64


def _number(text: str) -> float:
    if not NUMBER.fullmatch(text) or abs(value := float(text)) == float("inf"):
        raise ValueError(f"{text!r} is no number")
    return value


def _range(value: Any) -> Range | None:
    if value is None or isinstance(value, Range):
        return value
    start, dots, stop = str(value).partition("..")
    if not dots or not (start or stop):
        raise ValueError("a range is start..stop, and one of the two may be left out")
    ends = Range(_number(start) if start else None, _number(stop) if stop else None)
    if ends.start is not None and ends.stop is not None and ends.start >= ends.stop:
        raise ValueError("a range stops behind its start")
    return ends


def _items(value: Any) -> tuple[Any, ...] | None:
    """The members of a list, a plus sign within a number's exponent being none that joins."""
    if value is None:
        return None
    items = re.split(r"(?<![\d.][eE])\+", value) if isinstance(value, str) else tuple(value)
    if len(items) > LONGEST_LIST:
        raise ValueError(f"a list has at most {LONGEST_LIST} members")
    return tuple(items)


def _numbers(value: Any) -> tuple[float, ...] | None:
    items = _items(value)
    return None if items is None else tuple(_number(str(item)) for item in items)


def _indices(value: Any) -> tuple[int, ...] | None:
    items = _items(value)
    if items is not None and not all(re.fullmatch(r"\d{1,9}", str(item)) for item in items):
        raise ValueError("a list of indices is whole numbers from 0, joined by +")
    return None if items is None else tuple(int(item) for item in items)


def _colours(value: Any) -> tuple[str, ...] | None:
    items = _items(value.split("+") if isinstance(value, str) else value)
    if items is not None and not all(re.fullmatch(r"[0-9a-fA-F]{6}", str(item)) for item in items):
        raise ValueError("a colour is six hexadecimal digits such as ff8000")
    return None if items is None else tuple(str(item).lower() for item in items)


UNITS = {
    "picometer": "pm", "nanometer": "nm", "micrometer": "um", "millimeter": "mm", "centimeter": "cm", "meter": "m",
    "kilometer": "km", "nanosecond": "ns", "microsecond": "us", "millisecond": "ms", "second": "s", "minute": "min",
    "hour": "h",
}  # fmt: skip
"""The units that have a shorter canonical spelling than their name."""


def _unit(value: Any) -> str | None:
    if value is None:
        return None
    name = named(str(value))
    if name is None:
        raise ValueError(f"{value!r} is no unit of length or time; um, nm, mm, s and ms are")
    return UNITS.get(name, name)


def _name(value: Any) -> str | None:
    if value is not None and not re.fullmatch(r"[A-Za-z0-9_.-]{1,64}", str(value)):
        raise ValueError("a name is letters, digits, _ . and -")
    return None if value is None else str(value)


FILE = re.compile(r"(?!\.)[\w. -]{1,100}(?<!\.)", re.ASCII)


def _file(value: Any) -> str | None:
    if value is not None and not FILE.fullmatch(str(value)):
        raise ValueError("a file is named by letters, digits, spaces, . _ and -")
    return None if value is None else str(value)


OptionalRange = Annotated[Range | None, BeforeValidator(_range), Spelling("start..stop")]
OptionalNumbers = Annotated[tuple[float, ...] | None, BeforeValidator(_numbers), Spelling("1.5+20")]
OptionalIndices = Annotated[tuple[int, ...] | None, BeforeValidator(_indices), Spelling("0+2")]
OptionalColours = Annotated[tuple[str, ...] | None, BeforeValidator(_colours), Spelling("ff0000+00ff00")]
OptionalFile = Annotated[str | None, BeforeValidator(_file), Spelling("moved.txt")]
OptionalName = Annotated[str | None, BeforeValidator(_name), Spelling("a name")]
OptionalUnit = Annotated[str | None, BeforeValidator(_unit), Spelling("um, nm, mm, s …")]

"""Values of a data set's elements, whatever stands in them (DICOM PS3.5, section 6.2)."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from math import isfinite
from typing import Any

from diascope.errors import Unreadable
from diascope.optional import library

LONGEST_TEXT = 1000


def value(data: Any, keyword: str) -> Any:
    """As pydicom has it, None where there is none or where it is not what its type says."""
    tag = _tag(keyword)
    if tag not in data:
        return None
    try:
        return data[tag].value
    except (ValueError, TypeError, NotImplementedError, OverflowError):
        return None


@cache
def _tag(keyword: str) -> Any:
    """A series asks for the same few again and again, and looking them up costs more than what stands there."""
    return library("pydicom.tag", "dicom").Tag(keyword)


def several(data: Any, keyword: str) -> list[Any]:
    """All the values of an element, none where it is absent or empty."""
    found = value(data, keyword)
    if found is None or isinstance(found, str | bytes):
        return [found] if found else []
    return list(found) if isinstance(found, Iterable) else [found]


def numbers(data: Any, keyword: str, count: int | None = None) -> tuple[float, ...]:
    """Its finite numbers; none at all where one is no number, or where they are not as many as they should be."""
    try:
        found = tuple(float(each) for each in several(data, keyword))
    except (ValueError, TypeError):
        return ()
    return found if all(map(isfinite, found)) and count in {None, len(found)} else ()


def number(data: Any, keyword: str) -> float | None:
    """The first of its numbers."""
    found = numbers(data, keyword)
    return found[0] if found else None


def integer(data: Any, keyword: str, missing: int = 0) -> int:
    found = number(data, keyword)
    return missing if found is None else int(found)


def counted(data: Any, keyword: str, missing: int = 0) -> int:
    """The same of what pixels cannot be read without; raises Unreadable where what stands there is none."""
    if _tag(keyword) not in data:
        return missing
    try:
        found = data[_tag(keyword)].value
        return missing if found in {None, ""} else int(found)
    except (ValueError, TypeError, OverflowError) as error:
        raise Unreadable(f"its {keyword} is no number") from error


def text(data: Any, keyword: str) -> str:
    """Its values as they stand, of several joined by a backslash as in the file; printable characters only."""
    joined = "\\".join(str(each) for each in several(data, keyword))[:LONGEST_TEXT]
    if joined.isprintable():
        return joined.strip()
    return "".join(c if c.isprintable() else " " for c in joined).strip()


def words(data: Any, keyword: str) -> list[str]:
    return [str(each).strip() for each in several(data, keyword)]


def items(data: Any, keyword: str) -> list[Any]:
    """The data sets of a sequence."""
    found = value(data, keyword)
    return list(found) if isinstance(found, Iterable) and not isinstance(found, str | bytes) else []


def within(data: Any, *keywords: str) -> Any | None:
    """The first item of a sequence, of a sequence in it, and so on; None where one is missing."""
    for keyword in keywords:
        found = items(data, keyword)
        if not found:
            return None
        data = found[0]
    return data


def moment(date: str, time: str = "") -> str | None:
    """ISO 8601 of DICOM's ``YYYYMMDD`` and ``HHMMSS.ffffff``, or of both together; None where that is no date."""
    if len(date) > 8 and not time:
        date, time = date[:8], date[8:]
    if len(date) != 8 or not date.isdecimal():
        return None
    day = f"{date[:4]}-{date[4:6]}-{date[6:]}"
    clock = time.split(".")[0][:6]
    if len(clock) < 6 or not clock.isdecimal():
        return day
    return f"{day}T{clock[:2]}:{clock[2:4]}:{clock[4:]}"

"""ITK's transform files: the text of ``.tfm`` and ``.txt``, and the binary ``.mat`` that ANTs writes.

https://itk.org/ITKSoftwareGuide/html/Book2/ITKSoftwareGuide-Book2ch3.html, and for the binary one MATLAB's version 4,
https://www.mathworks.com/help/pdf_doc/matlab/matfile_format.pdf, where each array is

    type 4 | rows 4 | columns 4 | imaginary 4 | length of name 4 | name, ending with 0 | numbers, column by column
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator

import numpy as np

from diascope.operations.itk_transform import COMPOSITE, MOST, Matrix, Member, Numbers, composed

HEADER = b"#Insight Transform File V1.0"

NAMES = "Transform", "Parameters", "FixedParameters"

TYPES = {0: "<f8", 10: "<f4", 1000: ">f8", 1010: ">f4"}
"""Of the numbers in MATLAB's version 4, by the type of a full matrix."""

LONGEST_ARRAY = 64


def is_text(data: bytes) -> bool:
    return data.lstrip(b"\xef\xbb\xbf \r\n").startswith(HEADER)


def is_binary(data: bytes) -> bool:
    """Whether it begins as MATLAB's version 4; no text has the byte 0."""
    return len(data) >= 20 and b"\0" in data[:20] and _kind(data[:4]) is not None


def matrix_of_text(data: bytes) -> Matrix:
    """From fixed to moving points; raises ValueError with the line."""
    try:
        lines = data.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise ValueError("it is no text") from None
    return composed(_members(lines))


def _members(lines: list[str]) -> Iterator[Member]:
    given: dict[str, str] = {}
    begun = 0
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        name, colon, value = line.partition(":")
        if not colon or name not in NAMES:
            raise ValueError(f"line {number}: {line[:40]!r} is not one of {', '.join(NAMES)} and a colon")
        if name == "Transform" and given:
            yield _member(given, begun)
            given = {}
        if name == "Transform":
            begun = number
        elif name in given or "Transform" not in given:
            raise ValueError(f"line {number}: {name} comes twice, or before its Transform")
        if name != "Transform":
            _numbers(value, number)
        given[name] = value.strip()
    if given:
        yield _member(given, begun)


def _member(given: dict[str, str], number: int) -> Member:
    parameters, fixed = (_numbers(given.get(name, ""), number) for name in NAMES[1:])
    return Member(given["Transform"], parameters, fixed, f"line {number}")


def _numbers(text: str, number: int) -> Numbers:
    try:
        found = tuple(float(each) for each in text.split())
    except ValueError:
        raise ValueError(f"line {number}: {text.strip()[:40]!r} is not numbers") from None
    if not np.isfinite(found).all():
        raise ValueError(f"line {number}: {text.strip()[:40]!r} is not finite numbers")
    return found


def matrix_of_binary(data: bytes) -> Matrix:
    """From fixed to moving points; raises ValueError with the byte."""
    arrays = list(_arrays(data))
    members: list[Member] = []
    for at, name, numbers in arrays:
        if name == "fixed" and members and not members[-1].fixed:
            members[-1] = members[-1]._replace(fixed=numbers)
        else:
            members.append(Member(name, numbers, (), f"byte {at}"))
    if any(member.type.startswith(COMPOSITE) for member in members):
        raise ValueError("it holds a composite, which this format cannot")
    return composed(members)


def _arrays(data: bytes) -> Iterator[tuple[int, str, Numbers]]:
    at = count = 0
    while at < len(data):
        kind = _kind(data[at : at + 4])
        if kind is None or at + 20 > len(data):
            raise ValueError(f"byte {at}: no array of real numbers begins there")
        rows, columns, imaginary, length = struct.unpack_from(f"{kind[0]}4i", data, at + 4)
        size = rows * columns
        if rows < 0 or columns < 0 or imaginary or not (0 < length <= 128 and size <= LONGEST_ARRAY):
            raise ValueError(f"byte {at}: an array of {rows} by {columns} numbers is no transformation's")
        first, stop = at + 20 + length, at + 20 + length + size * np.dtype(kind).itemsize
        name = data[at + 20 : first].rstrip(b"\0").decode("ascii", "replace")
        if stop > len(data) or not re.fullmatch(r"\w+", name):
            raise ValueError(f"byte {at}: the array is cut short, or has no name")
        yield at, name, tuple(np.frombuffer(data, kind, size, first).astype(np.float64).tolist())
        at, count = stop, count + 1
        if count > 2 * MOST:
            raise ValueError(f"it holds more than {MOST} transformations")


def _kind(first: bytes) -> str | None:
    """The type of the numbers of an array by its first four bytes, in either order."""
    if len(first) < 4:
        return None
    little, big = int.from_bytes(first, "little"), int.from_bytes(first, "big")
    return TYPES.get(little) if little < 1000 else TYPES.get(big) if big >= 1000 else None

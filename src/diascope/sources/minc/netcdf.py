"""The header of netCDF's classic formats.

::

    "CDF" 1 or 2, u32 number of records
    dimensions    u32 10, u32 how many, each: name, u32 length, 0 of records
    attributes    u32 12, u32 how many, each: name, u32 type, u32 how many, values padded to four bytes
    variables     u32 11, u32 how many, each: name, u32 how many dimensions, u32 each, attributes,
                  u32 type, u32 bytes, u32 or (2) u64 where it begins
    a name is u32 how many bytes, and these padded to four; an absent list is two zeros; all is big-endian

https://docs.unidata.ucar.edu/netcdf-c/current/file_format_specifications.html
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import prod
from typing import Any, TypeVar

import numpy as np

from diascope.errors import Unreadable
from diascope.image.region import Ints

T = TypeVar("T")

MAGICS = (b"CDF\1", b"CDF\2")

TYPES = {1: ">i1", 2: "S1", 3: ">i2", 4: ">i4", 5: ">f4", 6: ">f8"}
CHARACTERS = 2

DIMENSION, VARIABLE, ATTRIBUTE = 10, 11, 12

LONGEST_HEADER = 1 << 22
MOST = 10_000
"""So many dimensions, attributes or variables may be in a list."""


@dataclass(frozen=True, slots=True)
class Variable:
    """An array, and what is told of it."""

    dimensions: tuple[str, ...]
    shape: Ints
    """With 0 for the records."""
    dtype: np.dtype[Any]
    attributes: Mapping[str, Any]
    start: int

    @property
    def stop(self) -> int:
        """Where it ends in the file."""
        return self.start + prod(self.shape) * self.dtype.itemsize


@dataclass(frozen=True, slots=True)
class Contents:
    """All that a header tells."""

    attributes: Mapping[str, Any]
    variables: Mapping[str, Variable]


def contents(data: bytes) -> Contents:
    """The header that some bytes begin with; raises Unreadable where it is not whole."""
    if data[:4] not in MAGICS:
        raise Unreadable("it does not begin as a file of netCDF")
    reader = _Reader(data, wide=data[3] == 2)
    try:
        dimensions = reader.listed(DIMENSION, lambda: (reader.name(), reader.integer()))
        attributes = reader.attributes()
        variables = reader.listed(VARIABLE, lambda: reader.variable(dimensions))
    except (struct.error, ValueError, IndexError, KeyError) as error:
        raise Unreadable(f"the header of netCDF is broken or longer than {len(data)} bytes ({error})") from error
    return Contents(attributes, dict(variables))


@dataclass(slots=True)
class _Reader:
    data: bytes
    wide: bool
    at: int = 8

    def integer(self, code: str = ">I") -> int:
        (found,) = struct.unpack_from(code, self.data, self.at)
        self.at += struct.calcsize(code)
        return int(found)

    def raw(self, size: int) -> bytes:
        if self.at + size > len(self.data):
            raise ValueError(f"{size} bytes at {self.at} are not there")
        found = self.data[self.at : self.at + size]
        self.at += size + -size % 4
        return found

    def name(self) -> str:
        return self.raw(self.integer()).decode("utf-8", "replace")

    def listed(self, tag: int, one: Callable[[], T]) -> list[T]:
        found, count = self.integer(), self.integer()
        if found not in {0, tag} or count > MOST or (found == 0 and count):
            raise ValueError(f"a list has the tag {found} and {count} entries")
        return [one() for _ in range(count)]

    def attributes(self) -> dict[str, Any]:
        return dict(self.listed(ATTRIBUTE, self._attribute))

    def _attribute(self) -> tuple[str, Any]:
        name, kind, count = self.name(), self.integer(), self.integer()
        dtype = np.dtype(TYPES[kind])
        data = self.raw(count * dtype.itemsize)
        if kind == CHARACTERS:
            return name, data.split(b"\0")[0].decode("utf-8", "replace")
        return name, np.frombuffer(data, dtype).astype(dtype.newbyteorder("="))

    def variable(self, dimensions: list[tuple[str, int]]) -> tuple[str, Variable]:
        name = self.name()
        rank = self.integer()
        if rank > len(dimensions):
            raise ValueError(f"{name} has {rank} dimensions")
        mine = [dimensions[self.integer()] for _ in range(rank)]
        attributes = self.attributes()
        dtype = np.dtype(TYPES[self.integer()])
        self.integer()
        start = self.integer(">Q" if self.wide else ">I")
        names, shape = tuple(each for each, _ in mine), tuple(size for _, size in mine)
        return name, Variable(names, shape, dtype, attributes, start)

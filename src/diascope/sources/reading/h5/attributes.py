"""Attributes of groups and arrays, as plain values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import isfinite
from typing import Any

import numpy as np

from diascope.errors import DiascopeError
from diascope.optional import library
from diascope.sources.reading.h5.file import EXTRA

LONGEST = 1 << 20
"""An attribute of more bytes than this is left out."""
MOST = 1000
"""So many attributes of an object are looked at."""
LISTED = 64
"""So many numbers of an attribute are told under ``extra``."""


class Attributes(Mapping[str, Any]):
    """What an object says of itself: texts, numbers and arrays of these; what cannot be read is missing."""

    def __init__(self, id: Any) -> None:
        h5py = library("h5py", EXTRA)
        self._manager = h5py.AttributeManager(_Holder(id))

    def __getitem__(self, name: str) -> Any:
        found = self.get(name)
        if found is None:
            raise KeyError(name)
        return found

    def get(self, name: str, default: Any = None) -> Any:
        """A text where it is one, or letters that make one, else what numpy makes of it."""
        try:
            if name not in self._manager or self._manager.get_id(name).get_storage_size() > LONGEST:
                return default
            return plain(self._manager[name])
        except DiascopeError:
            raise
        except (OSError, TypeError, ValueError, RuntimeError, KeyError, UnicodeError, MemoryError):
            return default

    def __iter__(self) -> Iterator[str]:
        names = []
        for name in self._manager:
            names.append(name)
            if len(names) >= MOST:
                break
        return iter(names)

    def __len__(self) -> int:
        return len(list(iter(self)))

    def text(self, name: str) -> str:
        """A text, the empty one where there is none."""
        found = self.get(name)
        return found if isinstance(found, str) else ""

    def numbers(self, name: str) -> tuple[float, ...]:
        """Finite numbers, also where they are written as a text; none where there are none."""
        found = self.get(name)
        if isinstance(found, str):
            return _spelled(found)
        try:
            values = np.asarray(found, np.float64).ravel() if found is not None else np.empty(0)
        except (TypeError, ValueError):
            return ()
        return tuple(map(float, values)) if np.isfinite(values).all() else ()

    def number(self, name: str) -> float | None:
        """The first number."""
        return next(iter(self.numbers(name)), None)

    @property
    def told(self) -> dict[str, Any]:
        """All of them that JSON has words for."""
        found = {name[:200]: as_json(self.get(name)) for name in self}
        return {name: value for name, value in found.items() if value is not None}


class _Holder:
    """What h5py looks for the identifier in."""

    def __init__(self, id: Any) -> None:
        self.id = id
        self._id = id


def plain(value: Any) -> Any:
    """Bytes as text, single letters of an array joined to one, scalars as Python's numbers."""
    if isinstance(value, np.ndarray) and value.dtype.kind == "S":
        if value.dtype.itemsize == 1:
            return value.tobytes().split(b"\0")[0].decode("utf-8", "replace")
        return [_text(each) for each in value.ravel()[:MOST].tolist()] if value.size != 1 else _text(value.item())
    if isinstance(value, np.generic):
        value = value.item()
    return _text(value) if isinstance(value, bytes) else value


def as_json(value: Any) -> Any:
    """The same as JSON has it, None where it has no words for it or too many would be needed."""
    if isinstance(value, np.ndarray):
        if value.size > LISTED or value.dtype.kind not in "biufO":
            return None
        return as_json(value.tolist())
    if isinstance(value, list):
        items = [as_json(each) for each in value[:LISTED]]
        return items if len(value) <= LISTED and None not in items else None
    if isinstance(value, bytes):
        value = _text(value)
    if isinstance(value, float) and not isfinite(value):
        return None
    return value if isinstance(value, bool | int | float) else value[:10_000] if isinstance(value, str) else None


def _text(value: bytes) -> str:
    return value.split(b"\0")[0].decode("utf-8", "replace")


def _spelled(text: str) -> tuple[float, ...]:
    try:
        values = tuple(float(word) for word in text.split()[:LISTED])
    except ValueError:
        return ()
    return values if all(map(isfinite, values)) else ()

"""Range requests (https://www.rfc-editor.org/rfc/rfc9110#section-14)."""

from __future__ import annotations

import re
from typing import NamedTuple

MOST = 64
"""More ranges than this in one request are the mark of an attack (RFC 9110, section 17.15)."""

ONE = re.compile(r"\s*(?:(\d{1,20})-(\d{0,20})|-(\d{1,20}))\s*", re.ASCII)


class Part(NamedTuple):
    """The bytes with ``start <= i < stop``."""

    start: int
    stop: int


class NotSatisfiable(Exception):
    """None of the ranges has a byte of the file: the answer is 416."""


def parts(header: str | None, size: int) -> list[Part] | None:
    """What a Range header asks for of so many bytes, in its order; None where the whole is to be sent.

    A unit other than bytes and a malformed header are ignored, as section 14.2 wants. Ranges without a byte are
    dropped; raises NotSatisfiable where none is left, or where there are more than 64.
    """
    specs = _specs(header)
    if specs is None:
        return None
    found = [part for part in (_part(spec, size) for spec in specs) if part]
    if not found or len(specs) > MOST:
        raise NotSatisfiable
    return found


def _specs(header: str | None) -> list[re.Match[str]] | None:
    unit, equals, text = (header or "").partition("=")
    if not equals or unit.strip().lower() != "bytes":
        return None
    specs = [ONE.fullmatch(spec) for spec in text.split(",") if spec.strip()]
    valid = [spec for spec in specs if spec and not (spec[2] and int(spec[2]) < int(spec[1]))]
    return valid if valid and len(valid) == len(specs) else None


def _part(spec: re.Match[str], size: int) -> Part | None:
    first, last, suffix = spec.groups()
    if suffix is not None:
        start, stop = max(size - int(suffix), 0), size
    else:
        start, stop = int(first), min(int(last) + 1, size) if last else size
    return Part(start, stop) if start < stop else None

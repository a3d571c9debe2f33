"""How the strips and tiles of a page are decoded: tifffile's own functions, and what they lack."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from threading import Lock
from typing import Any, TypeAlias

from diascope.errors import Unreadable

Decode: TypeAlias = Callable[..., Any]
"""Of a segment's bytes, its index and its JPEG tables; the pixels are the first of what it gives."""

_initialising = Lock()


def decoder(keyframe: Any, where: str) -> Decode:
    """The decoder of a page's segments; raises Unreadable where it cannot be decoded at all."""
    try:
        # Making the function may read from the file through the parser's one handle.
        with _initialising:
            decode: Decode = keyframe.decode
        decode(None, 0)
    except Exception as error:
        raise Unreadable(f"{where}: its pixels cannot be decoded: {error}") from error
    if keyframe.jpegheader is not None:
        return partial(decode, jpegheader=keyframe.jpegheader)
    return decode

"""The head of an answer, as an application gives it to its server and as bytes."""

from __future__ import annotations

import re
from collections.abc import Mapping

CORS = [
    (b"access-control-allow-origin", b"*"),
    (
        b"access-control-expose-headers",
        b"content-range, content-length, accept-ranges, etag, location, retry-after, x-request-id",
    ),
    (b"cross-origin-resource-policy", b"cross-origin"),
]
"""Every viewer on every site may read: there is nothing here that a cookie opens."""

PREFLIGHT = {
    "access-control-allow-methods": "GET, HEAD, OPTIONS, PROPFIND",
    "access-control-allow-headers": (
        "range, if-range, if-match, if-none-match, content-type, cache-control, accept, depth, x-request-id"
    ),
    "access-control-max-age": "86400",
}
"""What a browser asks for before it sends a request that a page could not have sent by itself."""

FRAMING = frozenset(("connection", "transfer-encoding"))
"""What decides on what follows on the connection."""

BODILESS = frozenset((204, 304))
"""The answers that have no body, and say nothing of its length."""

UNFIT = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
"""What no value of a header may have in it."""


def encoded(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    """The headers of an answer, and those of all answers before them."""
    return CORS + [(name.encode(), value.encode("latin-1", "replace")) for name, value in headers.items()]


def lines(headers: Mapping[str, str]) -> bytes | None:
    """The same as bytes, up to the body; None of headers that no answer can have."""
    if UNFIT.search("\t".join(headers.values())):
        return None
    text = "\r\n".join([f"{name}: {value}" for name, value in headers.items()])
    return _CORS + text.encode("latin-1", "replace") + b"\r\n\r\n"


def is_framed(headers: Mapping[str, str], length: int | None, status: int) -> bool:
    """Whether they say that a body of this length follows (None: any), and nothing of the connection."""
    said = headers.get("content-length")
    fits = length is None or (status in BODILESS if said is None else said == str(length))
    return fits and FRAMING.isdisjoint(headers)


_CORS = b"".join(b"%s: %s\r\n" % each for each in CORS)

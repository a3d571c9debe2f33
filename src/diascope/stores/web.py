"""Requests over HTTP (RFC 9110) on connections that are kept, with every trouble told as one of ours."""

from __future__ import annotations

import json
import os
from functools import cache
from typing import TYPE_CHECKING

from diascope.errors import (
    BadRequest,
    DiascopeError,
    Forbidden,
    Overloaded,
    Unimplemented,
    Unreadable,
    Unsupported,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from urllib3 import BaseHTTPResponse, PoolManager

ABSENT = {404, 410}

ERRORS: dict[int, type[DiascopeError]] = {
    400: BadRequest,
    401: Forbidden,
    403: Forbidden,
    422: Unsupported,
    429: Overloaded,
    501: Unimplemented,
    503: Overloaded,
}
"""What a status means; another one is Unreadable."""

CONNECTIONS = 32
"""To one server, kept for all threads of the process."""

PATIENCE = 5
"""For how many seconds at most a busy server may ask us to wait, each of a few times."""

LONGEST_DETAIL = 1 << 16


def pool() -> PoolManager:
    """The connections of this process: a child must not talk on those of its parent."""
    return _pool(os.getpid())


@cache
def _pool(_: int) -> PoolManager:
    from urllib3 import PoolManager, Retry, Timeout

    retries = Retry(
        total=5,
        connect=1,
        allowed_methods={"GET", "HEAD"},
        status_forcelist={429, 503},
        backoff_factor=0.1,
        backoff_max=PATIENCE,
        retry_after_max=PATIENCE,
        raise_on_status=False,
    )
    return PoolManager(maxsize=CONNECTIONS, retries=retries, timeout=Timeout(connect=10, read=120))


def asked(method: str, url: str, headers: Mapping[str, str] | None = None) -> BaseHTTPResponse | None:
    """The response, its body yet unread; None where there is nothing. Raises as the server tells it."""
    from urllib3.exceptions import HTTPError

    sent = {"accept-encoding": "identity", **(headers or {})}
    try:
        response = pool().request(method, url, headers=sent, preload_content=False)
    except HTTPError as error:
        raise Unreadable(f"{url} does not answer: {error}") from error
    if method == "HEAD":
        # There is no body to wait for, so the connection is free again.
        response.drain_conn()
    if response.status in {200, 206}:
        return response
    try:
        if response.status in ABSENT:
            return None
        raise ERRORS.get(response.status, Unreadable)(f"{url}: {_detail(response)}")
    finally:
        # A short body that is read to its end leaves the connection for the next request; another may never end.
        known = length(response)
        response.drain_conn() if known is not None and known <= LONGEST_DETAIL else response.close()


def body(response: BaseHTTPResponse, most: int) -> bytes:
    """All of a response's body; raises Unreadable where it is cut off, or longer than the most there may be."""
    from urllib3.exceptions import HTTPError

    url = response.geturl()
    try:
        data = response.read(most + 1, decode_content=False)
        if len(data) > most:
            raise Unreadable(f"{url}: more than {most} bytes came")
        # What is left is nothing, and reading it gives the connection back.
        response.read()
    except HTTPError as error:
        raise Unreadable(f"{url}: the answer was cut off: {error}") from error
    finally:
        if not response.closed:
            response.close()
    if response.headers.get("content-encoding", "identity") != "identity":
        raise Unreadable(f"{url}: it came compressed, though it was asked for as it is")
    return data


def length(response: BaseHTTPResponse) -> int | None:
    """How many bytes the body has, None where the server does not say."""
    text = response.headers.get("content-length", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else None


def _detail(response: BaseHTTPResponse) -> str:
    """What the server says is wrong, in the words of problem details (RFC 9457) where it has them."""
    try:
        return str(json.loads(response.read(LONGEST_DETAIL))["detail"])[:1000]
    except Exception:  # noqa: BLE001 - whatever a broken answer holds, its status is told
        return f"the server answered {response.status} {response.reason or ''}".strip()

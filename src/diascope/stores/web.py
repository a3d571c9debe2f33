"""Requests over HTTP (RFC 9110) on connections that are kept, with every trouble told as one of ours."""

from __future__ import annotations

import json
import os
from collections.abc import Collection
from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from diascope.errors import (
    BadRequest,
    DiascopeError,
    Forbidden,
    Overloaded,
    Unanswered,
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

REDIRECTS = {301, 302, 303, 307, 308}
MOST_REDIRECTS = 5

PORTS = {"http": 80, "https": 443}


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


def asked(
    method: str, url: str, headers: Mapping[str, str] | None = None, hosts: Collection[str] = ()
) -> BaseHTTPResponse | None:
    """The response, its body yet unread; None where there is nothing. Raises as the server tells it.

    Forbidden where the server redirects to another one that is not among the ``hosts``: what it answers must not
    depend on where this machine gets to and others do not. Only the server itself is sent credentials.
    """
    sent = {"accept-encoding": "identity", **(headers or {})}
    place = url
    for _ in range(MOST_REDIRECTS):
        response = _answer(method, place, sent)
        to = response.headers.get("location") if response.status in REDIRECTS else None
        if to is None:
            return _understood(response, method, url)
        response.drain_conn() if length(response) is not None else response.close()
        place = urljoin(place, to)
        if _origin(place) != _origin(url):
            _check_host(place, url, hosts)
            sent = {name: value for name, value in sent.items() if name.lower() != "authorization"}
    raise Unreadable(f"{url} redirects more than {MOST_REDIRECTS} times")


def _answer(method: str, url: str, headers: Mapping[str, str]) -> BaseHTTPResponse:
    from urllib3.exceptions import HTTPError

    try:
        return pool().request(method, url, headers=headers, preload_content=False, redirect=False)
    except HTTPError as error:
        raise Unanswered(f"{url} does not answer: {error}") from error


def _understood(response: BaseHTTPResponse, method: str, url: str) -> BaseHTTPResponse | None:
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


def _origin(url: str) -> tuple[str, str | None, int | None]:
    """Whom a URL is asked of (RFC 6454)."""
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or PORTS.get(parts.scheme)


def _check_host(place: str, url: str, hosts: Collection[str]) -> None:
    try:
        (scheme, host, port), (own, same, own_port) = _origin(place), _origin(url)
    except ValueError:
        raise Unreadable(f"{url} redirects to what is no URL") from None
    if host == same and (own, own_port, scheme, port) == ("http", 80, "https", 443):
        return
    # What is not in brackets has a port behind its colon.
    if scheme not in PORTS or not {host, f"{host}:{port}"} & set(hosts):
        raise Forbidden(f"{url} redirects to another server, {host}, which is not among the redirects of its settings")


def shown(url: str) -> str:
    """A URL without what may be a secret in it: a user, a password, or the signature of a query."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()


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
        raise Unanswered(f"{url}: the answer was cut off: {error}") from error
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

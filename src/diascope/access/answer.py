"""The answer to a request for a path of a tree: conditional, partial, a listing or an error (RFC 9110).

It is made without any web framework, in whatever thread, so that every door which speaks HTTP shares it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from http import HTTPStatus
from itertools import chain
from urllib.parse import quote

from diascope import fleeting
from diascope.access.blocks import Blocks, blocks
from diascope.access.problem import MEDIA_TYPE, problem, status_of, title_of
from diascope.access.ranges import NotSatisfiable, Part, parts
from diascope.access.request import Headers
from diascope.errors import DiascopeError
from diascope.haste import pause
from diascope.tree.file import File
from diascope.work import timed

LOG = logging.getLogger("diascope.access")

ALLOW = "GET, HEAD, OPTIONS"

BLOCK = 4 << 20
"""A longer body is sent in blocks of so many bytes, so that a file of any length costs little memory."""


@dataclass(slots=True)  # not frozen, here and below: to be made would take more than twice as long
class Asked:
    """A request for an address, with its headers' names in lower case."""

    method: str
    address: str | Callable[[], str]
    """Its URL, or what spells it."""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = b""
    """Where a door takes one; None where it is too long to be read."""
    id: str = ""
    """By which what is told of it is found again in the log."""
    trouble: DiascopeError | None = None
    """What happened before the door was asked, such as an overload, which it tells in its own words."""

    @property
    def url(self) -> str:
        """Absolute, without the query, its path percent-encoded."""
        return self.address if isinstance(self.address, str) else self.address()

    @property
    def is_plain(self) -> bool:
        """Whether all of the file is wanted, whatever the client has of it already; false where that is not sure."""
        return isinstance(self.headers, Headers) and self.headers.is_plain and self.method == "GET"


@dataclass(slots=True)
class Answer:
    """A response whose body may still have to be made, block by block, in a thread that may wait."""

    status: HTTPStatus
    headers: dict[str, str]
    body: bytes | Iterator[bytes] = b""


def failed(error: Exception, asked: Asked) -> Answer:
    """An error as problem details; one that is none of ours is logged, and told without its inner workings."""
    status = status_of(error)
    told = str(error)
    if not isinstance(error, DiascopeError):
        LOG.error("%s %s", asked.method, asked.url, exc_info=error, extra={"request": asked.id})
        told = f"{type(error).__name__}: the log of the server says more"
    body = problem(status, title_of(error), told, asked.url, asked.id)
    headers = {"content-type": MEDIA_TYPE, "content-length": str(len(body)), "cache-control": "no-store"}
    if status is HTTPStatus.SERVICE_UNAVAILABLE:
        headers["retry-after"] = "1"
    return Answer(status, headers, body)


def refused(asked: Asked) -> Answer:
    """Neither GET nor HEAD: nothing here can be changed."""
    status = HTTPStatus.METHOD_NOT_ALLOWED
    told = f"{asked.method} is not served; GET and HEAD are"
    body = problem(status, "The method is not allowed", told, asked.url, asked.id)
    return Answer(status, {"content-type": MEDIA_TYPE, "content-length": str(len(body)), "allow": ALLOW}, body)


def moved(location: str, status: HTTPStatus = HTTPStatus.PERMANENT_REDIRECT) -> Answer:
    """A redirect; the location is a path that is not yet percent-encoded.

    It is asked for anew each time: saved views change, and so do the pixels that a view may look at.
    """
    headers = {"location": quote(location, safe="/~,=+@:!$&'()*;"), "content-length": "0", "cache-control": "no-cache"}
    return Answer(status, headers)


def answered(file: File, asked: Asked) -> Answer:
    """A file, whole or in the parts asked for; not at all where the client has it already."""
    if file.located is not None:
        file = file.located(asked.url)
    tag = f'"{file.etag}"' if file.etag else None
    headers = {"content-type": file.media_type, "accept-ranges": "bytes", "cache-control": "no-cache"}
    if tag:
        headers["etag"] = tag
    if asked.is_plain and file.cheap and (file.size or 0) <= BLOCK:
        return _read(file, headers)
    if tag and _has(asked.headers.get("if-none-match"), tag):
        return Answer(HTTPStatus.NOT_MODIFIED, headers)
    if tag and "if-match" in asked.headers and not _has(asked.headers["if-match"], tag):
        return Answer(HTTPStatus.PRECONDITION_FAILED, {**headers, "content-length": "0"})
    before = fleeting.noted()
    answer = _body(file, asked, headers, tag)
    return answer if fleeting.noted() == before else _fleeting(answer)


def _read(file: File, headers: dict[str, str]) -> Answer:
    """All of a small file, without any condition."""
    before = fleeting.noted()
    data = file.read(0, None)
    headers["content-length"] = str(len(data))
    answer = Answer(HTTPStatus.OK, headers, data)
    return answer if fleeting.noted() == before else _fleeting(answer)


def _fleeting(answer: Answer) -> Answer:
    """The next answer may be another one, though nothing has changed that an ETag is made of."""
    headers = {name: value for name, value in answer.headers.items() if name != "etag"}
    return Answer(answer.status, headers | {"cache-control": "no-store"}, answer.body)


def _body(file: File, asked: Asked, headers: dict[str, str], tag: str | None) -> Answer:
    """The bytes asked for; of HEAD only their length, for which they are made where nothing else tells it.

    A client may then read a chunk by ranges, as it does from any store of objects.
    """
    if not file.cheap:
        pause()
    size, read = file.size, file.read
    if size is None:
        data = timed("encode", lambda: file.read(0, None))
        size, read = len(data), lambda start, stop: data[start:stop]
    current = asked.headers.get("if-range", tag) == tag
    try:
        wanted = parts(asked.headers.get("range"), size) if current and asked.method == "GET" else None
    except NotSatisfiable:
        unsatisfied = {"content-range": f"bytes */{size}", "content-length": "0"}
        return Answer(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, headers | unsatisfied)
    if wanted is None:
        return _sent(HTTPStatus.OK, headers, size, asked, lambda: _blocks(read, Part(0, size)))
    if len(wanted) == 1:
        (part,) = wanted
        headers = headers | {"content-range": f"bytes {part.start}-{part.stop - 1}/{size}"}
        return _sent(HTTPStatus.PARTIAL_CONTENT, headers, part.stop - part.start, asked, lambda: _blocks(read, part))
    return _multipart(read, size, wanted, asked, headers)


def _sent(status: HTTPStatus, headers: dict[str, str], length: int, asked: Asked, made: Callable[[], Blocks]) -> Answer:
    """A body of known length: short ones made now, so that an error still has a status of its own."""
    headers = headers | {"content-length": str(length)}
    if asked.method == "HEAD":
        return Answer(status, headers)
    if length <= BLOCK:
        return Answer(status, headers, b"".join(made()))
    return Answer(status, headers, _begun(made()))


def _begun(made: Blocks) -> Blocks:
    """The blocks, the first of them made now."""
    first = next(made)
    return blocks(chain([lambda: first], made.makers))


def _blocks(read: Callable[[int, int | None], bytes], part: Part) -> Blocks:
    return blocks(_makers(read, part))


def _makers(read: Callable[[int, int | None], bytes], part: Part) -> Iterator[Callable[[], bytes]]:
    for start in range(part.start, part.stop, BLOCK):
        yield partial(timed, "encode", partial(read, start, min(start + BLOCK, part.stop)))


def _multipart(
    read: Callable[[int, int | None], bytes], size: int, wanted: list[Part], asked: Asked, headers: dict[str, str]
) -> Answer:
    """Several parts as multipart/byteranges (RFC 9110, section 14.6)."""
    boundary = sha256(repr((wanted, asked.url)).encode()).hexdigest()[:32]
    media_type = headers["content-type"]
    heads = [
        f"\r\n--{boundary}\r\ncontent-type: {media_type}\r\n"
        f"content-range: bytes {part.start}-{part.stop - 1}/{size}\r\n\r\n".encode()
        for part in wanted
    ]
    end = f"\r\n--{boundary}--\r\n".encode()
    length = sum(len(head) + part.stop - part.start for head, part in zip(heads, wanted, strict=True)) + len(end)

    def makers() -> Iterator[Callable[[], bytes]]:
        for head, part in zip(heads, wanted, strict=True):
            yield partial(bytes, head)
            yield from _makers(read, part)
        yield partial(bytes, end)

    headers = headers | {"content-type": f"multipart/byteranges; boundary={boundary}"}
    return _sent(HTTPStatus.PARTIAL_CONTENT, headers, length, asked, lambda: blocks(makers()))


def _has(header: str | None, tag: str) -> bool:
    """Whether an If-Match or If-None-Match header names the tag, weakly compared."""
    if header is None:
        return False
    return header.strip() == "*" or tag in (text.strip().removeprefix("W/") for text in header.split(","))

"""Properties of files and folders as PROPFIND asks for them (https://www.rfc-editor.org/rfc/rfc4918#section-9.1)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain
from time import monotonic
from typing import Any, NamedTuple
from xml.etree.ElementTree import Element, ParseError
from xml.sax.saxutils import escape, quoteattr

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring
from wsgidav.dav_error import (
    HTTP_BAD_REQUEST,
    HTTP_FORBIDDEN,
    HTTP_NOT_FOUND,
    DAVError,
    PRECONDITION_CODE_PropfindFiniteDepth,
    get_http_status_string,
)
from wsgidav.request_server import RequestServer

from diascope.access.webdav_resource import Folder, VirtualFile

MOST = 100
"""How many properties a request may name: each is told of every file."""
BLOCK = 64 << 10
SECONDS = 0.5
"""After so much, or so long, of a listing it is sent: a folder may have a billion files, and sizes have to be made."""

HEAD = '<?xml version="1.0" encoding="utf-8"?>\n<D:multistatus xmlns:D="DAV:">'
TAIL = "</D:multistatus>"
DAV = "{DAV:}"
OK = "200 OK"


class Wanted(NamedTuple):
    """The properties that are asked for."""

    mode: str
    """``named``, ``allprop``, or ``name`` for nothing but the names."""
    names: list[str]
    """In Clark notation: those of ``named``, and further ones of ``allprop``."""


class Requests(RequestServer):  # type: ignore[misc]
    """As wsgidav answers, but PROPFIND: the library's lacks ``propname``, and makes a folder whole in memory."""

    def check(self, environ: dict[str, Any]) -> None:
        """Raise DAVError where the If header of a request that is answered elsewhere is false (section 10.4)."""
        resource = self._davProvider.get_resource_inst(environ["PATH_INFO"], environ)
        self._evaluate_if_headers(resource, environ)

    def do_PROPFIND(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterator[bytes]:  # noqa: N802
        resource = self._davProvider.get_resource_inst(environ["PATH_INFO"], environ)
        if resource is None:
            raise DAVError(HTTP_NOT_FOUND, f"there is nothing at {environ['PATH_INFO'][1:]!r}")
        depth = environ.get("HTTP_DEPTH", "infinity")
        if depth not in {"0", "1", "infinity"}:
            raise DAVError(HTTP_BAD_REQUEST, f"the depth {depth!r} is none of 0, 1 and infinity")
        if depth == "infinity" and resource.is_collection:
            raise DAVError(HTTP_FORBIDDEN, err_condition=PRECONDITION_CODE_PropfindFiniteDepth)
        self._evaluate_if_headers(resource, environ)
        asked = wanted(environ["wsgi.input"].read())
        members = resource.members() if depth == "1" and resource.is_collection else ()
        blocks = multistatus(chain([resource], members), asked)
        first = next(blocks)
        start_response("207 Multi-Status", [("Content-Type", 'application/xml; charset="utf-8"')])
        return chain([first], blocks)


def wanted(body: bytes) -> Wanted:
    """What the body of a request asks for, none being all; raises DAVError where it is malformed or has a DTD."""
    if not body:
        return Wanted("allprop", [])
    try:
        root = fromstring(body, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise DAVError(HTTP_BAD_REQUEST, f"the body is no XML that is read here: {error}") from error
    modes = [child for child in root if child.tag in {f"{DAV}allprop", f"{DAV}propname", f"{DAV}prop"}]
    if root.tag != f"{DAV}propfind" or len(modes) != 1:
        raise DAVError(HTTP_BAD_REQUEST, "the body is no propfind with one of prop, allprop and propname")
    (mode,) = modes
    if mode.tag == f"{DAV}propname":
        return Wanted("name", [])
    lists = [mode] if mode.tag == f"{DAV}prop" else [child for child in root if child.tag == f"{DAV}include"]
    names = list(dict.fromkeys(_name(each) for found in lists for each in found))
    if len(names) > MOST:
        raise DAVError(HTTP_BAD_REQUEST, f"more than {MOST} properties are named")
    return Wanted("named" if mode.tag == f"{DAV}prop" else "allprop", names)


def _name(element: Element) -> str:
    return str(element.tag)


def multistatus(resources: Iterator[Folder | VirtualFile], asked: Wanted) -> Iterator[bytes]:
    """The answer in blocks, each sent when it is large or has taken long."""
    block, size, end = [HEAD], 0, monotonic() + SECONDS
    for resource in resources:
        block.append(response(resource, asked))
        size += len(block[-1])
        if size > BLOCK or monotonic() > end:
            yield "".join(block).encode()
            block, size, end = [], 0, monotonic() + SECONDS
    yield "".join([*block, TAIL]).encode()


def response(resource: Folder | VirtualFile, asked: Wanted) -> str:
    """The properties of one file or folder by status; what was found comes first, as clients expect."""
    by_status: dict[str, list[str]] = {OK: []}
    for name, value in _properties(resource, asked):
        status = get_http_status_string(value) if isinstance(value, DAVError) else OK
        by_status.setdefault(status, []).append(_property(name, value))
    told = (
        f"<D:propstat><D:prop>{''.join(found)}</D:prop><D:status>HTTP/1.1 {status}</D:status></D:propstat>"
        for status, found in by_status.items()
        if found
    )
    href = f"<D:href>{resource.get_href()}</D:href>"
    return f"<D:response>{href}{''.join(told) or EMPTY}</D:response>"


EMPTY = f"<D:propstat><D:prop/><D:status>HTTP/1.1 {OK}</D:status></D:propstat>"
"""Of a request that names no property."""


def _properties(resource: Folder | VirtualFile, asked: Wanted) -> list[tuple[str, Any]]:
    if asked.mode == "named":
        return list(resource.get_properties("named", name_list=asked.names))
    found: list[tuple[str, Any]] = resource.get_properties(asked.mode)
    if not asked.names:
        return found
    known = {name for name, _ in found}
    more = [name for name in asked.names if name not in known]
    return found + list(resource.get_properties("named", name_list=more))


def _property(name: str, value: Any) -> str:
    """An element; of a folder's type it holds another, else text or nothing."""
    inside = "" if value is None or isinstance(value, DAVError) else escape(value) if isinstance(value, str) else FOLDER
    if name.startswith(DAV):
        tag, declared = f"D:{name[len(DAV) :]}", ""
    else:
        namespace, _, tag = name.rpartition("}")
        declared = f" xmlns={quoteattr(namespace[1:])}"
    return f"<{tag}{declared}>{inside}</{tag}>" if inside else f"<{tag}{declared}/>"


FOLDER = "<D:collection/>"

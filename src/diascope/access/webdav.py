"""The tree as WebDAV has it, read-only, class 1 (https://www.rfc-editor.org/rfc/rfc4918).

Requests are read and refused by wsgidav; a file's bytes are answered as ``/data/`` answers them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from io import BytesIO
from itertools import chain
from typing import Any

from wsgidav.dav_error import HTTP_BAD_REQUEST, HTTP_METHOD_NOT_ALLOWED, DAVError

from diascope.access.answer import Answer, Asked, answered, failed
from diascope.access.attributes import moment
from diascope.access.problem import MEDIA_TYPE, problem
from diascope.access.webdav_folder import page
from diascope.access.webdav_propfind import Requests
from diascope.access.webdav_resource import Provider, looked_up, modified, within
from diascope.errors import DiascopeError, NotFound, TooLarge
from diascope.tree.branch import Branch
from diascope.tree.file import Tree, sized

TOP = "dav"
METHODS = "OPTIONS, GET, HEAD, PROPFIND"
LONGEST_IF = 1000
"""Characters of an If header: the library takes a time that grows with their square."""

CONFIG: dict[str, Any] = {"add_header_MS_Author_Via": True, "hotfixes": {}}


@dataclass(frozen=True, slots=True)
class WebDav:
    """Answers requests for files and folders by their whole paths, ``/dav/…``; above is a folder with nothing else.

    Clients that mount an address ask for what is above it first.
    """

    tree: Tree
    _whole: Tree = field(init=False)
    _requests: Requests = field(init=False)

    def __post_init__(self) -> None:
        whole = Branch(lambda: [TOP], lambda name: self.tree if name == TOP else None)
        object.__setattr__(self, "_whole", whole)
        object.__setattr__(self, "_requests", Requests(Provider(whole)))

    def answer(self, path: str, _: str, asked: Asked) -> Answer:
        """Whatever happens is told with a status of its own; trouble is never 404."""
        try:
            if asked.trouble:
                raise asked.trouble
            _check(asked)
            if asked.method in {"GET", "HEAD"}:
                return self._got(path, asked)
            return _by_wsgi(self._requests, _environ(path, asked))
        except DAVError as error:
            return _refused(error, asked)
        except DiascopeError as error:
            return failed(error, asked)

    def _got(self, path: str, asked: Asked) -> Answer:
        inside, may_be_file = within(path)
        file = looked_up(self._whole.file, inside) if may_be_file else None
        if file is None:
            entries = looked_up(self._whole.entries, inside)
            if entries is None:
                raise NotFound(f"there is nothing at {inside!r}")
            return answered(page(inside, entries), asked)
        if "if" in asked.headers:
            self._requests.check(_environ(path, replace(asked, headers={"if": asked.headers["if"]})))
        # A file that would tell its own URL is as it is: the same bytes through every mount.
        answer = answered(sized(replace(file, located=None)), asked)
        return replace(answer, headers=answer.headers | {"last-modified": modified(moment(file.etag))})


def _check(asked: Asked) -> None:
    """Raise DAVError or TooLarge where it is nothing that is read here."""
    if asked.method not in METHODS.split(", "):
        raise DAVError(HTTP_METHOD_NOT_ALLOWED, f"{asked.method} is refused: everything here is read-only")
    if asked.body is None:
        raise TooLarge("the body of the request is too long")
    if len(asked.headers.get("if", "")) > LONGEST_IF:
        raise DAVError(HTTP_BAD_REQUEST, f"the If header is longer than {LONGEST_IF} characters")


def _environ(path: str, asked: Asked) -> dict[str, Any]:
    """The request as wsgidav takes it."""
    body = asked.body or b""
    headers = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in asked.headers.items()}
    return headers | {
        "REQUEST_METHOD": asked.method,
        "PATH_INFO": path,
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": BytesIO(body),
        "wsgidav.auth.user_name": "",
        "wsgidav.config": CONFIG,
        "wsgidav.verbose": 0,
    }


def _by_wsgi(requests: Requests, environ: dict[str, Any]) -> Answer:
    """What a WSGI application answers; a body of more than one block is made as it is sent."""
    begun: list[tuple[str, list[tuple[str, str]]]] = []

    def start(status: str, headers: list[tuple[str, str]], _: Any = None) -> None:
        begun.append((status, headers))

    blocks: Iterator[bytes] = iter(requests(environ, start))
    first, second = next(blocks, b""), next(blocks, None)
    ((status, told),) = begun
    headers = {name.lower(): value for name, value in told if name != "Date"}
    if second is None:
        headers["content-length"] = str(len(first))
    body = first if second is None else chain([first, second], blocks)
    return Answer(HTTPStatus(int(status.split()[0])), headers, body)


def _refused(error: DAVError, asked: Asked) -> Answer:
    """An error of the protocol, with the condition that RFC 4918 names, else as problem details."""
    status = HTTPStatus(error.value)
    if error.err_condition:
        media_type, body = error.get_response_page()
    else:
        told = error.context_info or status.description
        media_type, body = MEDIA_TYPE, problem(status, status.phrase, told, asked.url, asked.id)
    headers: Mapping[str, str] = {"content-type": media_type, "content-length": str(len(body))}
    allowed = {"allow": METHODS} if status is HTTPStatus.METHOD_NOT_ALLOWED else {}
    return Answer(status, {**headers, **allowed}, body)

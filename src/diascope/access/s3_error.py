"""Errors as S3 tells them (https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html), and its documents."""

from __future__ import annotations

import logging
import re
from http import HTTPStatus
from xml.sax.saxutils import escape

from diascope.access.answer import Answer, Asked
from diascope.access.problem import status_of
from diascope.errors import DiascopeError

LOG = logging.getLogger("diascope.access")

NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
CONTROL = re.compile("[\0-\x1f\x7f\ufffe\uffff]")

CODES = {
    HTTPStatus.BAD_REQUEST: "InvalidArgument",
    HTTPStatus.FORBIDDEN: "AccessDenied",
    HTTPStatus.NOT_FOUND: "NoSuchKey",
    HTTPStatus.NOT_IMPLEMENTED: "NotImplemented",
    HTTPStatus.SERVICE_UNAVAILABLE: "SlowDown",
    HTTPStatus.PRECONDITION_FAILED: "PreconditionFailed",
    HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE: "InvalidRange",
}
"""What S3 calls a status where it stands for one kind of trouble."""

CHANGED = {
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: (HTTPStatus.BAD_REQUEST, "EntityTooLarge"),
    HTTPStatus.UNPROCESSABLE_ENTITY: (HTTPStatus.BAD_REQUEST, "InvalidRequest"),
}
"""Statuses that S3 does not have."""


class Refused(Exception):
    """A request that S3 answers with an error of this code."""

    def __init__(self, code: str, status: HTTPStatus, message: str) -> None:
        super().__init__(message)
        self.code, self.status = code, status


def element(name: str, *inside: str) -> str:
    """An element of elements."""
    return f"<{name}>{''.join(inside)}</{name}>"


def text(name: str, said: object) -> str:
    """An element of text; what XML cannot hold is written as S3 does, as references."""
    return element(name, CONTROL.sub(lambda found: f"&#x{ord(found[0]):x};", escape(str(said))))


def document(status: HTTPStatus, name: str, *inside: str) -> Answer:
    """An XML document of S3's namespace."""
    return _sent(status, f'{HEAD}<{name} xmlns="{NAMESPACE}">{"".join(inside)}</{name}>')


def failed(error: Exception, asked: Asked, resource: str, request: str) -> Answer:
    """An error of whatever kind; one that is none of ours is logged, and told without its inner workings."""
    status, code, message = _told(error)
    if status is HTTPStatus.INTERNAL_SERVER_ERROR and not isinstance(error, DiascopeError):
        LOG.error("%s %s", asked.method, asked.url, exc_info=error, extra={"request": asked.id})
        message = f"{type(error).__name__}: the log of the server says more"
    return failure(status, code, message, resource, request)


def failure(status: HTTPStatus, code: str, message: str, resource: str, request: str) -> Answer:
    """The answer that says so."""
    said = [text("Code", code), text("Message", message), text("Resource", resource), text("RequestId", request)]
    answer = _sent(status, HEAD + element("Error", *said))
    if status is HTTPStatus.METHOD_NOT_ALLOWED:
        answer.headers["allow"] = "GET, HEAD, OPTIONS"
    if status is HTTPStatus.SERVICE_UNAVAILABLE:
        answer.headers["retry-after"] = "1"
    return answer


def _told(error: Exception) -> tuple[HTTPStatus, str, str]:
    if isinstance(error, Refused):
        return error.status, error.code, str(error)
    status = status_of(error)
    if status in CHANGED:
        return *CHANGED[status], str(error)
    if status in CODES:
        return status, CODES[status], str(error)
    return HTTPStatus.INTERNAL_SERVER_ERROR, "InternalError", str(error)


def _sent(status: HTTPStatus, xml: str) -> Answer:
    body = xml.encode(errors="replace")
    return Answer(status, {"content-type": "application/xml", "content-length": str(len(body))}, body)

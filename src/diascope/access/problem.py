"""Errors as problem details, the one shape in which HTTP tells them (https://www.rfc-editor.org/rfc/rfc9457)."""

from __future__ import annotations

import json
from http import HTTPStatus

from diascope.errors import (
    BadRequest,
    Changed,
    DiascopeError,
    Forbidden,
    NotFound,
    Overloaded,
    TooLarge,
    Unavailable,
    Unimplemented,
    Unreadable,
    Unsupported,
)

STATUS: dict[type[DiascopeError], HTTPStatus] = {
    TooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    Unimplemented: HTTPStatus.NOT_IMPLEMENTED,
    BadRequest: HTTPStatus.BAD_REQUEST,
    NotFound: HTTPStatus.NOT_FOUND,
    Forbidden: HTTPStatus.FORBIDDEN,
    Unsupported: HTTPStatus.UNPROCESSABLE_ENTITY,
    Unreadable: HTTPStatus.BAD_GATEWAY,
    Changed: HTTPStatus.SERVICE_UNAVAILABLE,
    Overloaded: HTTPStatus.SERVICE_UNAVAILABLE,
    Unavailable: HTTPStatus.NOT_IMPLEMENTED,
}

MEDIA_TYPE = "application/problem+json"


def status_of(error: Exception) -> HTTPStatus:
    """The status of an error, that of its nearest parent in the table."""
    return next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), HTTPStatus.INTERNAL_SERVER_ERROR)


def title_of(error: Exception) -> str:
    """What kind of trouble it is, in the first sentence of the error's own description."""
    if not isinstance(error, DiascopeError):
        return "The server made a mistake"
    return (type(error).__doc__ or "").strip().partition(".")[0].partition(";")[0]


def problem(status: HTTPStatus, title: str, detail: str, instance: str, request: str = "") -> bytes:
    """The body of an error: what kind it is, what happened here, to which address, and the id of the request."""
    document = {"type": "about:blank", "title": title, "status": status.value, "detail": detail, "instance": instance}
    if request:
        document["request"] = request
    return json.dumps(document, indent=2, ensure_ascii=False).encode(errors="replace")

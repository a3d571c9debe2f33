"""What goes wrong in an object store, told as one of our errors and without anything that the store said.

Answers and addresses of object stores hold access keys and signatures: of what a library tells of them only the status
and the name of the error are passed on.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from diascope.errors import Changed, DiascopeError, Forbidden, NotFound, Overloaded, Unanswered, Unreadable

STATUS = re.compile(r"status code: (\d{3})", re.ASCII)
CODE = re.compile(r"<Code>(\w{1,60})</Code>", re.ASCII)
NO_BUCKET = re.compile(r"NoSuchBucket|ContainerNotFound|bucket does not exist|No such bucket", re.IGNORECASE)
NO_ROLE = re.compile(r"169\.254\.|metadata\.google|/metadata/identity", re.ASCII)
"""Where the role of a machine is asked for, which is tried where no other credentials are found."""

REFUSALS = {"PermissionDeniedError", "UnauthenticatedError"}


@contextmanager
def told(where: str) -> Iterator[None]:
    """Trouble with an object, or a folder of them; ``NotFound`` where it is absent."""
    try:
        yield
    except DiascopeError:
        raise
    except Exception as error:  # noqa: BLE001 - the library's errors have no base class in common
        # The cause would be printed with a traceback, and its text holds what must not be told.
        raise _translated(error, where) from None


def _translated(error: Exception, where: str) -> DiascopeError:
    text, kind = str(error), type(error).__name__
    status = int(found[1]) if (found := STATUS.search(text)) else 0
    if NO_BUCKET.search(text):
        return Unreadable(f"{where}: there is no such bucket")
    if isinstance(error, FileNotFoundError):
        return NotFound(f"there is no file {where}")
    if kind == "PreconditionError":
        return Changed(f"{where} has changed since it was opened")
    if NO_ROLE.search(text):
        return Forbidden(f"{where}: there are no credentials: set them, or anonymous = true for a public bucket")
    if status or kind in REFUSALS:
        return _answered(status, f"{status} {found[1]}" if (found := CODE.search(text)) else str(status), where)
    return _unanswered(text, kind, where)


def _answered(status: int, reason: str, where: str) -> DiascopeError:
    if status in {429, 503}:
        return Overloaded(f"{where}: the store is busy ({reason})")
    if status in {500, 502, 504}:
        return Unanswered(f"{where}: the store is in trouble ({reason})")
    if status in {0, 401, 403}:
        return Forbidden(f"{where}: the store refuses access ({reason})")
    return Unreadable(f"{where}: the store answers {reason}")


def _unanswered(text: str, kind: str, where: str) -> DiascopeError:
    if kind == "InvalidPathError":
        return Unreadable(f"{where}: a name in it cannot be a path: empty, '.', '..' or with a control character")
    if "HTTP error" in text or "timed out" in text:
        return Unanswered(f"{where}: the store does not answer")
    return Unreadable(f"{where}: the store's answer cannot be understood ({kind})")

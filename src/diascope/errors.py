"""Every error that may reach a client.

* DiascopeError
  - BadRequest     the request's own text is malformed or out of bounds
    - TooLarge     what it asks for is over a limit, which the message names
    - Unimplemented  it is well-formed, and asks for an optional part of a standard that is not served
  - NotFound       there is no such path
  - Forbidden      the path leads where this server may not go
  - Unsupported    this image cannot be expressed in the way that was asked for
  - Unreadable     the image is there and its bytes cannot be understood
    - Changed      the bytes changed while they were read, and the same request will succeed later
    - Malformed    a document that somebody wrote does not say what it should
    - Unanswered   the store that it lies in does not answer now
    - Quarantined  its reader crashed, hung or needed too much memory, so that it is left alone for a while
  - Overloaded     the server is busy, and the same request will succeed later
  - Unavailable    something that this machine lacks is needed

Absent is ``NotFound`` or ``None``; trouble is never one of the two, because readers of chunked formats fill
what is absent with zeros.
"""

from __future__ import annotations

DEEPEST = 20
"""Errors that one comes of."""


class DiascopeError(Exception):
    """The base of all of them; each access point translates its children in one table."""


class BadRequest(DiascopeError, ValueError):
    """The request's own text is malformed or out of bounds."""


class TooLarge(BadRequest):
    """What is asked for is over a limit, which the message names."""


class Unimplemented(BadRequest):
    """What is asked for is well-formed, and an optional part of a standard that is not served."""


class NotFound(DiascopeError, FileNotFoundError):
    """There is no such path."""


class Forbidden(DiascopeError, PermissionError):
    """The path leads where this server may not go."""


class Unsupported(DiascopeError):
    """The image cannot be expressed in the way that was asked for."""


class Unreadable(DiascopeError, OSError):
    """The image is there and its bytes cannot be understood."""


class Changed(Unreadable):
    """The stored bytes changed while they were read; the same request will succeed later."""


class Malformed(Unreadable):
    """A document that somebody wrote does not say what it should; each line names what is wrong, and where."""


class Quarantined(Unreadable):
    """The reader of the image crashed, hung or needed too much memory; it is left alone for a while."""


class Unanswered(Unreadable):
    """The store that the image lies in does not answer now; it is not remembered as broken."""


class Overloaded(DiascopeError):
    """The server is busy, and the same request will succeed later."""


class Unavailable(DiascopeError):
    """Something that this machine lacks is needed; the message says how to get it."""


def beneath(error: BaseException) -> BaseException:
    """That the stored bytes changed, where an error comes of it; else the error itself.

    Whoever reads them may take it for damage, and say so with the best intentions.
    """
    seen = error.__cause__ or error.__context__
    for _ in range(DEEPEST):
        if seen is None or isinstance(error, Changed):
            break
        if isinstance(seen, Changed):
            return Changed(*seen.args)
        seen = seen.__cause__ or seen.__context__
    return error

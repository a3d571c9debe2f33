"""Errors as they travel between the server and a worker, which are never more than a name and a text."""

from __future__ import annotations

from diascope import errors
from diascope.errors import DiascopeError, Unreadable, beneath
from diascope.isolation.channel import Message

LONGEST = 2000

KINDS: dict[str, type[DiascopeError]] = {
    kind.__name__: kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, DiascopeError) and kind is not DiascopeError
}


def told(error: BaseException) -> Message:
    """An error as a message; one that is not of the service's own is Unreadable, with its type."""
    error = beneath(error)
    if isinstance(error, DiascopeError) and type(error).__name__ in KINDS:
        return {"error": type(error).__name__, "reason": str(error)[:LONGEST]}
    if isinstance(error, MemoryError):
        return {"error": "Unreadable", "reason": f"it needs more memory than its reader may have: {error}"[:LONGEST]}
    reason = " ".join(str(error).split())[:500] or "it cannot be read"
    return {"error": "Unreadable", "reason": f"{reason} ({type(error).__name__})"}


def checked(message: Message) -> Message:
    """The message; raises the error that it tells of."""
    if "error" not in message:
        return message
    kind = KINDS.get(str(message["error"]), Unreadable)
    raise kind(str(message.get("reason", ""))[:LONGEST])

"""Decoders that broken or forged bytes may make crash, hang or bloat: none of them runs where the server does."""

from __future__ import annotations

from threading import Event

from diascope.errors import DiascopeError

_is_confined = Event()


class Untrusted(DiascopeError):
    """These bytes are read in a process that may be lost. Whoever opens datasets does so; no client hears of it."""


def confined() -> None:
    """From now on this process may be lost: nothing is untrusted here."""
    _is_confined.set()


def distrust(decoder: str) -> None:
    """Call it before such a decoder is; raises Untrusted, but where the process may be lost."""
    if not _is_confined.is_set():
        raise Untrusted(f"{decoder} is decoded in a process of its own")

"""The id of a request, by which what is told to its client is found again in the log."""

from __future__ import annotations

import re
from itertools import count
from secrets import token_hex

SANE = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)
"""What is taken from a client: it is written into logs and headers."""

_process = token_hex(4)
_numbers = count(1)


def identity(given: str | None) -> str:
    """The id that a client, or a proxy before it, has given, where it is sane; else a new one."""
    if given is not None and SANE.fullmatch(given):
        return given
    return f"{_process}-{next(_numbers):x}"

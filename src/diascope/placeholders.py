"""Texts with named placeholders in braces: ``sub-{subject}_{section:04}``; doubled braces stand for themselves."""

from __future__ import annotations

import re
from typing import NamedTuple, TypeAlias

LONGEST = 1000
"""How many characters such a text has at the most."""

PART = re.compile(r"\{\{|\}\}|\{([^{}:|/*\x00-\x1f]{1,100})(?::([^{}\x00-\x1f]{1,500}))?\}|[{}]|[^{}]+")


class Placeholder(NamedTuple):
    name: str
    spec: str = ""
    """What stands behind the colon."""


Piece: TypeAlias = str | Placeholder


def pieces(text: str) -> tuple[Piece, ...]:
    """The text between placeholders, and the placeholders; raises ValueError for braces that make none."""
    if len(text) > LONGEST:
        raise ValueError(f"it has {len(text)} characters; the limit is {LONGEST}")
    found: list[Piece] = []
    for part in PART.finditer(text):
        if part[1] is not None:
            found.append(Placeholder(part[1].strip(), part[2] or ""))
            continue
        if part[0] in {"{", "}"}:
            raise ValueError(f"a brace at character {part.start() + 1} makes no {{placeholder}}; {{{{ is a brace")
        plain = {"{{": "{", "}}": "}"}.get(part[0], part[0])
        if found and isinstance(found[-1], str):
            plain = f"{found.pop()}{plain}"
        found.append(plain)
    return tuple(found)


def names(text: str) -> tuple[str, ...]:
    """The names of the placeholders, each once."""
    return tuple(dict.fromkeys(piece.name for piece in pieces(text) if isinstance(piece, Placeholder)))

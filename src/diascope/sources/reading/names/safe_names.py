"""Names of images that are safe as file names and unlike each other."""

from __future__ import annotations

import re
from collections.abc import Iterable

UNSAFE = re.compile(r"[^\w .()+-]+")
TAKEN = frozenset({"stored", "labels", "associated", "original", "render"})
"""What an address means by these is something else."""

LONGEST = 100


def safe_names(texts: Iterable[str]) -> list[str]:
    """One name for each text, in their order; the second of two that are equal gets a number."""
    names: list[str] = []
    used = {name.casefold() for name in TAKEN}
    latest: dict[str, int] = {}
    for k, text in enumerate(texts):
        name = UNSAFE.sub("-", text).strip(" .-")[:LONGEST].rstrip(" .-") or f"series-{k}"
        unique, n = name, latest.get(name.casefold(), 2)
        while unique.casefold() in used:
            unique, n = f"{name}-{n}", n + 1
        latest[name.casefold()] = n
        used.add(unique.casefold())
        names.append(unique)
    return names


def safe_paths(texts: Iterable[str]) -> list[str]:
    """The same of names in folders, which are told from one another in each folder."""
    split = [text.rpartition("/") for text in texts]
    inside = {folder: iter(safe_names(name for each, _, name in split if each == folder)) for folder, _, _ in split}
    return [f"{folder}{slash}{next(inside[folder])}" for folder, slash, _ in split]

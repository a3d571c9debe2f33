"""Names of images that are safe as file names and unlike each other."""

from __future__ import annotations

import re
from collections.abc import Iterable

UNSAFE = re.compile(r"[^\w .()+-]+")
TAKEN = frozenset({"stored", "labels", "associated", "original", "render"})
"""What an address means by these is something else."""

LONGEST = 100
SUFFIXES = (".ome.tiff", ".ome.tif", ".ome.btf", ".ome.tf2", ".ome.tf8", ".companion.ome")


def stem(file_name: str) -> str:
    """The name of a file without the ending that tells its format."""
    for suffix in SUFFIXES:
        if file_name.lower().endswith(suffix):
            return file_name[: -len(suffix)] or file_name
    return file_name.rpartition(".")[0] or file_name


def safe_names(texts: Iterable[str]) -> list[str]:
    """One name for each text, in their order; the second of two that are equal gets a number."""
    names: list[str] = []
    used = {name.casefold() for name in TAKEN}
    for k, text in enumerate(texts):
        name = UNSAFE.sub("-", text).strip(" .-")[:LONGEST].rstrip(" .-") or f"series-{k}"
        unique, n = name, 2
        while unique.casefold() in used:
            unique, n = f"{name}-{n}", n + 1
        used.add(unique.casefold())
        names.append(unique)
    return names

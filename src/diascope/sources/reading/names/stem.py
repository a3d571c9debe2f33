"""What an image is called after its file."""

from __future__ import annotations

from collections.abc import Iterable


def stem(path: str, suffixes: Iterable[str]) -> str:
    """The name of a file without the longest of these endings that it has, in any case; all of it where it has none."""
    name = path.rpartition("/")[2]
    fitting = (suffix for suffix in suffixes if name.lower().endswith(suffix) and len(name) > len(suffix))
    longest = max(fitting, key=len, default="")
    return name[: len(name) - len(longest)]

"""What is found wrong with a mapping, its tables and its images."""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias

Weight: TypeAlias = Literal["error", "warning"]


class Finding(NamedTuple):
    """One thing that is wrong, and where: an error leaves something out, or makes the dataset invalid."""

    weight: Weight
    where: str
    """A document, a table or an image, by its path in the repository."""
    line: int | None
    reason: str

    def told(self) -> str:
        """On one line, as compilers have it."""
        return f"{self.where}{f':{self.line}' if self.line else ''}: {self.weight}: {self.reason}"


def error(where: str, line: int | None, reason: str) -> Finding:
    return Finding("error", where, line, reason)


def warning(where: str, line: int | None, reason: str) -> Finding:
    return Finding("warning", where, line, reason)

"""``diascope check``: what is wrong with an arrangement."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from diascope.arrangements.arranged import problems
from diascope.arrangements.contents import Trouble
from diascope.commands.arranged import arranged

MOST = 10_000
"""How many problems are told."""


def report(mapping: Path, folder: Path | None, *, quick: bool) -> Iterator[tuple[str, bool]]:
    """A line each, and whether it tells of something wrong; the last one counts."""
    made = arranged(mapping, folder)
    contents = made.contents
    count = 0
    for problem in islice(problems(made, deep=not quick), MOST):
        count += 1
        yield problem, True
    yield from ((note, False) for note in contents.notes)
    shown = sum(not isinstance(leaf, Trouble) for _, leaf in contents.leaves())
    yield f"{shown} files and folders are shown; {count or 'nothing'} {'are' if count > 1 else 'is'} wrong", False

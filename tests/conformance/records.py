"""What the matrix is made of: representations, doors, judges, samples, and the broken twins of what is served."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from numpy.typing import NDArray

from diascope.image.image import Image
from diascope.tree.file import Tree
from tests.judges.pixels import Seen


class Served(NamedTuple):
    """One sample in one representation behind a door."""

    where: str
    """A URL, or a path on disk, without a slash at its end; ``s3+http://host/s3/bucket/key`` for clients of S3."""
    image: Image
    """What it should hold."""
    original: Image
    """Of which that is a view."""


@dataclass(frozen=True, kw_only=True)
class Representation:
    """A format that images are served in, or one flavour of it."""

    name: str
    layout: str
    """The registered name of the layout that makes it."""
    paths: tuple[str, ...]
    """What makes it up, below the repository; the first is the one that users open.

    ``{file}`` is the sample, ``{view}`` and ``{stem}`` are those of the image.
    """


@dataclass(frozen=True, kw_only=True)
class Door:
    """A way from the tree to a program."""

    name: str
    open: Callable[[Path, Tree | None], AbstractContextManager[Callable[[tuple[str, ...]], str]]]
    """Of a folder of samples, or of a broken tree in its place: gives the place of the first of some paths."""
    missing: Callable[[], str | None] = lambda: None
    """What this machine lacks to open it, with the command that mends it."""
    optional: bool = False
    """Whether it may be missing even with CI=true."""


@dataclass(frozen=True, kw_only=True)
class Sample:
    """An image file of the repository that is served."""

    name: str
    make: Callable[[Path], NDArray[Any] | None]
    """Writes it by somebody else's writer, and gives its pixels where they are known to the last one."""
    slow: bool = False
    """Whether it is so large that only ``make conformance`` looks at it."""


@dataclass(frozen=True, kw_only=True)
class Twin:
    """One thing wrong with what is served, which a judge has to notice."""

    name: str
    broken: Callable[[Tree], Tree]
    applies: Callable[[Image], bool] = lambda _: True
    """Whether such an image has what is to be broken."""


@dataclass(frozen=True, kw_only=True)
class Judge:
    """An outside program that reads what is served."""

    name: str
    representations: tuple[str, ...]
    doors: tuple[str, ...]
    look: Callable[[Served], Seen]
    """What it saw; raises where that is not what it should be."""
    twins: tuple[Twin, ...]
    takes: Callable[[Image], bool] = lambda _: True
    """Whether the program can read such an image at all, by its own documentation."""
    missing: Callable[[], str | None] = lambda: None
    """What this machine lacks to run it, with the command that mends it."""
    optional: bool = False
    """Whether it may be missing even with CI=true."""
    slow: bool = False
    """Whether only ``make conformance`` asks it."""

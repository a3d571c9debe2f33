"""A file whose directories tifffile has parsed, after its dangers were looked for."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from math import prod
from threading import Lock
from typing import Any, TypeVar

import tifffile

from diascope.errors import DiascopeError, Unreadable
from diascope.sources.reading.xml import check_xml
from diascope.sources.tiff.chain import check_chain
from diascope.sources.tiff.handle import handle
from diascope.sources.tiff.page import Page, page, rows
from diascope.sources.tiff.stack import PageOf
from diascope.stores.store import Blob, Store

# What tifffile warns of is told as an error where it matters; without this it would be printed.
logging.getLogger("tifffile").addHandler(logging.NullHandler())

T = TypeVar("T")

XMP = 700
IMAGE_DESCRIPTION = 270


@dataclass(frozen=True, slots=True, eq=False)
class Parsed:
    """One file of a dataset."""

    path: str
    blob: Blob
    tiff: Any
    """A TiffFile, used by one thread at a time."""
    pages: int
    lock: Lock = field(default_factory=Lock)
    """Held while the parser, which has one place in the file, may read."""

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]


def parsed(store: Store, path: str) -> Parsed:
    """The file, its first directory read; raises Unreadable."""
    blob = store.open(path)
    count = check_chain(blob, path)

    def open_tiff() -> Parsed:
        tiff = tifffile.TiffFile(handle(blob), name=path.rpartition("/")[2])
        _check_descriptions(tiff, path)
        return Parsed(path, blob, tiff, count)

    return understood(path, open_tiff)


def understood(path: str, action: Callable[[], T]) -> T:
    """The result of an action of the parser, any error of its own being Unreadable."""
    try:
        return action()
    except DiascopeError:
        raise
    except Exception as error:
        reason = " ".join(str(error).split())[:300]
        raise Unreadable(f"{path}: its directories cannot be understood: {reason or type(error).__name__}") from error


def _check_descriptions(tiff: Any, path: str) -> None:
    """Look at what tifffile parses as XML before it does."""
    for code in (IMAGE_DESCRIPTION, XMP):
        text = tiff.pages.first.tags.valueof(code, "")
        check_xml(text.decode("latin-1") if isinstance(text, bytes) else str(text), path)


def locked_page(file: Parsed, frame: Any, where: str) -> Page:
    """The pixels of a directory; asking one for its tags may read the file."""
    with file.lock:
        return page(file.blob, frame, where)


def pages_of(file: Parsed, series: Any, where: str) -> tuple[Page, PageOf]:
    """The first page of a series, and the page of each number."""
    keyframe = series.keyframe
    count = prod(series.shape) // max(1, prod(keyframe.shape))
    if len(series._pages) == 1 and count > 1 and keyframe.is_final:  # noqa: SLF001 - one directory of many planes
        return _virtual(file, keyframe, where)
    frames = list(series)
    made: dict[int, Page | None] = {}

    def page_of(number: int) -> Page | None:
        if number not in made:
            frame = frames[number] if number < len(frames) else None
            # A page that OME-XML counts and the file lacks is one that was never acquired.
            made[number] = locked_page(file, frame, f"{where}, page {number}") if frame is not None else None
        return made[number]

    return locked_page(file, keyframe, where), page_of


def _virtual(file: Parsed, keyframe: Any, where: str) -> tuple[Page, PageOf]:
    offset, size = int(keyframe.dataoffsets[0]), int(keyframe.nbytes)

    def page_of(number: int) -> Page:
        return rows(file.blob, offset + number * size, keyframe, f"{where}, page {number}")

    return page_of(0), page_of

"""The images of a TIFF file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from diascope.errors import Unreadable
from diascope.image.image import Image
from diascope.sources.dataset import Dataset, Lazily
from diascope.sources.reading.names.safe_names import safe_names
from diascope.sources.tiff.facts import facts_of
from diascope.sources.tiff.multifile import companion_root, described, opened_set
from diascope.sources.tiff.names import stem
from diascope.sources.tiff.parsed import Parsed, pages_of, parsed, understood
from diascope.sources.tiff.scene import image
from diascope.sources.tiff.stack import stack
from diascope.stores.store import Store

REDUCED, MASK = 1, 4
"""Bits of the tag NewSubfileType: a smaller copy of another image, and which of its pixels are meant to be seen."""

COMPANION = ".companion.ome"
"""The ending of a file of nothing but OME-XML."""

PICTURES = frozenset({"thumbnail", "label", "macro", "map"})


@dataclass(frozen=True, slots=True)
class _Part:
    """A series of the file and what it is."""

    series: Any
    name: str
    is_picture: bool


def opened(store: Store, path: str) -> Dataset:
    """The images of a file, its label, macro and thumbnail apart."""
    if path.lower().endswith(COMPANION):
        return opened_set(store, path, companion_root(store, path), None)
    file = parsed(store, path)
    root = described(store, file)
    return single(file) if root is None else opened_set(store, path, root, file)


def single(file: Parsed) -> Dataset:
    """The images of a file that needs no other."""
    parts = _parts(file)
    facts = understood(file.path, lambda: facts_of(file, [part.series for part in parts]))

    def made(name: str) -> Image:
        k = next(k for k, part in enumerate(parts) if part.name == name)
        return understood(file.path, lambda: _image(file, parts[k], facts[k]))

    def images(which: Callable[[_Part], bool]) -> Lazily[Image]:
        return Lazily([part.name for part in parts if which(part)], made)

    return Dataset(
        version=file.blob.stat.version,
        images=images(lambda part: not part.is_picture),
        associated=images(lambda part: part.is_picture),
        files=(file.path,),
    )


def _parts(file: Parsed) -> list[_Part]:
    """The series that have pixels; the first is an image, later ones may be pictures beside it."""
    every = understood(file.path, lambda: list(file.tiff.series))
    found = [series for series in every if 0 not in series.shape and series.dtype is not None]
    if not found:
        raise Unreadable(f"{file.path}: none of its {file.pages} image directories has pixels")
    pictures = [k > 0 and _is_picture(series) for k, series in enumerate(found)]
    if pictures.count(False) == 1:
        texts = [
            stem(file.name) if not picture else _picture_name(s) for s, picture in zip(found, pictures, strict=True)
        ]
    else:
        texts = [_picture_name(s) if picture else s.name for s, picture in zip(found, pictures, strict=True)]
    return [_Part(*each) for each in zip(found, safe_names(texts), pictures, strict=True)]


def _is_picture(series: Any) -> bool:
    return series.name.lower() in PICTURES or bool(series.keyframe.subfiletype & (REDUCED | MASK))


def _picture_name(series: Any) -> str:
    if series.name.lower() in PICTURES:
        return str(series.name.lower())
    return "mask" if series.keyframe.subfiletype & MASK else "thumbnail"


def _image(file: Parsed, part: _Part, facts: Any) -> Image:
    stacks = []
    for k, level in enumerate(part.series.levels):
        first, page_of = pages_of(file, level, f"{file.path}: level {k}")
        stacks.append(stack(level.axes, tuple(map(int, level.shape)), first, page_of))
    return image(part.name, stacks, part.series.keyframe, facts)

"""elastix' TransformParameters.txt, of its linear transformations: https://elastix.dev/doxygen/parameter.html.

::

    (Transform "EulerTransform")              // comments
    (TransformParameters 0.1 0 0 5 0 0)
    (CenterOfRotationPoint 60.5 40.0 20.0)
"""

from __future__ import annotations

import re
from typing import NamedTuple

import numpy as np

from diascope.operations.itk_transform import Matrix, Member, matrix_of
from diascope.operations.operation import Files
from diascope.operations.transform_file import LARGEST, FixedGrid, Found

LONGEST_CHAIN = 16
"""How many files begin where another one ends."""

ENTRY = re.compile(r'\((\w+)((?:\s+(?:"[^"]*"|[^\s()"]+))*)\s*\)')

TYPES = {
    ("AffineTransform", 2): "AffineTransform",
    ("AffineTransform", 3): "AffineTransform",
    ("EulerTransform", 2): "Euler2DTransform",
    ("EulerTransform", 3): "Euler3DTransform",
    ("SimilarityTransform", 2): "Similarity2DTransform",
    ("SimilarityTransform", 3): "Similarity3DTransform",
    ("TranslationTransform", 2): "TranslationTransform",
    ("TranslationTransform", 3): "TranslationTransform",
}
"""ITK's, which have the same parameters in the same order."""


class Entry(NamedTuple):
    """One line of a file."""

    line: int
    values: tuple[str, ...]


Entries = dict[str, Entry]


def is_text(data: bytes) -> bool:
    """Whether the first line that says anything is an entry."""
    return re.match(rb"(?:\xef\xbb\xbf)?(?:\s|//[^\n]*\n)*\(\w+\s", data[:LARGEST]) is not None


def begun(data: bytes) -> str | None:
    """The name of the file that one of elastix begins from; None of other files, and of what cannot be read."""
    try:
        return _initial(_entries(data)) if is_text(data) else None
    except ValueError:
        return None


def found(name: str, files: Files) -> Found:
    """A file's transformation after those of the files that it begins from; the grid is its own.

    Raises ValueError with the line.
    """
    entries = _entries(files(name))
    whole, rank, last = _matrix(entries), _rank(entries), entries
    seen = [name]
    while (initial := _initial(last)) is not None:
        if initial in seen or len(seen) == LONGEST_CHAIN:
            raise ValueError(f"the files {', '.join([*seen, initial])} begin from one another, or are too many")
        seen.append(initial)
        try:
            earlier = _entries(files(initial))
            first = _matrix(earlier)
        except ValueError as error:
            raise ValueError(f"{initial}, which it begins from: {error}") from error
        if len(first) != len(whole):
            raise ValueError(f"{initial}, which it begins from, is of another number of dimensions")
        whole, last = _joined(whole, first, last), earlier
    return Found(whole, "lps", backwards=True, grid=_grid(entries, rank))


def _joined(later: Matrix, first: Matrix, entries: Entries) -> Matrix:
    """The initial transformation is applied first, or what both do is added up."""
    how = _text(entries, "HowToCombineTransforms", "Compose")
    if how == "Compose":
        return np.asarray(later @ first)
    if how == "Add":
        return later + first - np.eye(len(later))
    raise ValueError(f"{how[:40]!r} is no way to combine transformations")


def _entries(data: bytes) -> Entries:
    if len(data) > LARGEST:
        raise ValueError(f"it has more than {LARGEST} bytes")
    try:
        lines = data.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise ValueError("it is no text") from None
    entries: Entries = {}
    for number, line in enumerate(lines, 1):
        said = line.partition("//")[0].strip() if '"' not in line else line.strip()
        if not said or said.startswith("//"):
            continue
        parsed = ENTRY.match(said)
        if parsed is None or parsed[1] in entries:
            raise ValueError(f"line {number}: {said[:40]!r} is not (Name value …), or comes twice")
        values = re.findall(r'"([^"]*)"|(\S+)', parsed[2])
        entries[parsed[1]] = Entry(number, tuple(quoted or plain for quoted, plain in values))
    if "Transform" not in entries:
        raise ValueError("it names no Transform")
    return entries


def _rank(entries: Entries) -> int:
    line, values = entries.get("FixedImageDimension", Entry(0, ()))
    if values not in {("2",), ("3",)} or entries.get("MovingImageDimension", Entry(0, values)).values != values:
        raise ValueError(f"line {line}: FixedImageDimension and MovingImageDimension are not both 2, or both 3")
    return int(values[0])


def _matrix(entries: Entries) -> Matrix:
    rank = _rank(entries)
    line, name = entries["Transform"].line, _text(entries, "Transform", "")
    if (name, rank) not in TYPES:
        known = ", ".join(dict.fromkeys(known for known, _ in TYPES))
        raise ValueError(f"line {line}: {name[:60]} is not among the linear ones: {known}")
    if _text(entries, "UseDirectionCosines", "true") != "true":
        raise ValueError(f"line {entries['UseDirectionCosines'].line}: directions of images are ignored there")
    kind = TYPES[name, rank]
    centre = () if kind == "TranslationTransform" else _numbers(entries, "CenterOfRotationPoint", rank)
    if kind == "Euler3DTransform":
        centre = (*centre, float(_text(entries, "ComputeZYX", "false") == "true"))
    where = f"line {entries.get('TransformParameters', Entry(line, ())).line}"
    return matrix_of(Member(f"{kind}_double_{rank}_{rank}", _numbers(entries, "TransformParameters"), centre, where))


def _grid(entries: Entries, rank: int) -> FixedGrid | None:
    if "Size" not in entries:
        return None
    size, spacing, origin = (np.array(_numbers(entries, name, rank)) for name in ("Size", "Spacing", "Origin"))
    if (size < 1).any() or (size != size.round()).any() or (spacing <= 0).any():
        raise ValueError(f"line {entries['Size'].line}: a grid of the size {size} and spacing {spacing} cannot be")
    index = np.array(_numbers(entries, "Index", rank)) if "Index" in entries else np.zeros(rank)
    direction = np.eye(rank)
    if "Direction" in entries:
        # The file has the columns one after another.
        direction = np.reshape(_numbers(entries, "Direction", rank * rank), (rank, rank)).T
    return FixedGrid(size, spacing, origin + direction @ (index * spacing), direction)


def _initial(entries: Entries) -> str | None:
    """The name of the file that is begun from, which must lie in the same place as this one."""
    for name in ("InitialTransformParameterFileName", "InitialTransformParametersFileName"):
        if (given := _text(entries, name, "NoInitialTransform")) != "NoInitialTransform":
            parts = re.split(r"[/\\]", given)
            if ".." in parts or not re.fullmatch(r"(?!\.)[\w. -]{1,100}", parts[-1], re.ASCII):
                raise ValueError(f"line {entries[name].line}: {given[:80]!r} does not lie beside it")
            return parts[-1]
    return None


def _text(entries: Entries, name: str, default: str) -> str:
    line, values = entries.get(name, Entry(0, (default,)))
    if len(values) != 1:
        raise ValueError(f"line {line}: {name} has {len(values)} values instead of one")
    return values[0]


def _numbers(entries: Entries, name: str, count: int | None = None) -> tuple[float, ...]:
    if name not in entries:
        raise ValueError(f"it has no {name}")
    line, values = entries[name]
    try:
        numbers = tuple(map(float, values))
    except ValueError:
        raise ValueError(f"line {line}: {name} is not numbers") from None
    if not np.isfinite(numbers).all() or count not in {None, len(numbers)}:
        raise ValueError(f"line {line}: {name} is not {f'{count} ' if count else ''}finite numbers")
    return numbers

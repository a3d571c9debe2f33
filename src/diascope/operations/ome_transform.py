"""Coordinate transformations of OME-Zarr 0.6 in JSON: https://ngff.openmicroscopy.org/0.6.dev3/#trafo-md.

A file is one transformation, or an object such as ``zarr.json`` whose ``coordinateTransformations`` has one. It leads
from the input, the positions of the image, to the output.
"""

from __future__ import annotations

import json
from itertools import chain
from math import isfinite
from typing import Any

import numpy as np

from diascope.image.axes import ORDER
from diascope.image.units import named
from diascope.operations.transform_file import Found, Matrix

DEEPEST = 8
MOST = 64

WRAPPINGS = "attributes", "ome", "scene"

LISTED = "coordinateTransformations"


def found(data: bytes, axes: str) -> Found:
    """Of a file for an image with these axes, in the order of which numbers stand where no axes are named."""
    document = _document(data)
    transformation, systems = _only(document)
    columns, unit = _axes(systems, transformation, "input", axes)
    rows, unit_there = _axes(systems, transformation, "output", axes)
    rank = len(columns) if columns else _rank(transformation, axes)
    columns, rows = columns or _usual(axes, rank), rows or _usual(axes, rank)
    if sorted(rows) != sorted(columns) or len(columns) != rank:
        raise ValueError(f"it leads from the axes {columns!r} to {rows!r}, which are not the same ones")
    if unit != unit_there:
        raise ValueError(f"its input is in {unit or 'no unit'}, its output in {unit_there or 'no unit'}")
    matrix = _spatial(_matrix(transformation, rank, 0, [0]), columns, rows)
    return Found(matrix, "positions", backwards=False, unit=unit)


def _document(data: bytes) -> Any:
    def refused(text: str) -> float:
        raise ValueError(f"{text} is no number of JSON")

    try:
        return json.loads(data.decode("utf-8-sig"), parse_constant=refused)
    except json.JSONDecodeError as error:
        raise ValueError(f"line {error.lineno}: it is no JSON: {error.msg}") from error
    except (UnicodeDecodeError, RecursionError) as error:
        raise ValueError("it is no JSON") from error


def _only(document: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """The one transformation, and the systems of coordinates by their names."""
    for name in WRAPPINGS:
        if isinstance(document, dict) and isinstance(document.get(name), dict):
            document = document[name]
    systems: dict[str, Any] = {}
    if isinstance(document, dict) and isinstance(document.get("coordinateSystems"), list):
        systems = {str(each.get("name")): each for each in document["coordinateSystems"] if isinstance(each, dict)}
    listed = document.get(LISTED, document) if isinstance(document, dict) else document
    if isinstance(listed, list):
        if len(listed) != 1:
            raise ValueError(f"it lists {len(listed)} transformations instead of one")
        listed = listed[0]
    if not isinstance(listed, dict) or not isinstance(listed.get("type"), str):
        raise ValueError("it is no transformation: it has no type")  # noqa: TRY004
    return listed, systems


def _axes(systems: dict[str, Any], transformation: dict[str, Any], end: str, axes: str) -> tuple[str, str | None]:
    """The names of the axes of one end, empty where the file does not tell, and the unit of the spatial ones."""
    name = transformation.get(end)
    name = name.get("name") if isinstance(name, dict) else name
    listed = systems.get(str(name), {}).get("axes")
    if not isinstance(listed, list):
        return "", None
    known = [each if isinstance(each, dict) else {} for each in listed]
    names = [str(each.get("name")) for each in known]
    if any(each.get("type") == "array" for each in known):
        raise ValueError(f"its {end} counts pixels of an array; positions are lengths")
    if len(set(names)) != len(names) or not set(names) <= set(axes):
        raise ValueError(f"its {end} has the axes {', '.join(names)[:80]}, and the image has {', '.join(axes)}")
    units = {named(str(each["unit"])) if each.get("unit") else None for each in known if each["name"] in "zyx"}
    if len(units) > 1:
        raise ValueError(f"the spatial axes of its {end} have several units")
    return "".join(names), next(iter(units), None)


def _usual(axes: str, rank: int) -> str:
    """The axes that so many numbers stand for: all, or those of space, or those of the plane."""
    space = "".join(name for name in axes if name in "zyx")
    for names in (axes, space, "yx"):
        if len(names) == rank:
            return names
    raise ValueError(f"it has {rank} dimensions, and the image has the axes {', '.join(axes)}")


def _rank(transformation: dict[str, Any], axes: str) -> int:
    """How many dimensions, by the first part that tells."""
    parts: list[Any] = [transformation]
    for part in chain(parts):
        if not isinstance(part, dict) or len(parts) > MOST:
            break
        kind = part.get("type")
        numbers = part.get(str(kind))
        if kind == "sequence" and isinstance(part.get("transformations"), list):
            parts += part["transformations"]
        elif isinstance(numbers, list):
            return len(numbers)
    return len([name for name in axes if name in "zyx"])


def _matrix(part: Any, rank: int, depth: int, count: list[int]) -> Matrix:
    """Of one part, in the order of the axes in the file."""
    count[0] += 1
    if depth > DEEPEST or count[0] > MOST or not isinstance(part, dict):
        raise ValueError(f"a part is no transformation, or there are more than {MOST}, or {DEEPEST} in one another")
    kind, whole = str(part.get("type")), np.eye(rank + 1)
    if kind == "sequence":
        parts = part.get("transformations")
        if not isinstance(parts, list):
            raise ValueError("a sequence has no list of transformations")
        for each in parts:
            whole = _matrix(each, rank, depth + 1, count) @ whole
    elif kind == "scale":
        whole[range(rank), range(rank)] = _numbers(part, kind, (rank,))
    elif kind == "translation":
        whole[:rank, rank] = _numbers(part, kind, (rank,))
    elif kind == "rotation":
        whole[:rank, :rank] = _numbers(part, kind, (rank, rank))
    elif kind == "affine":
        whole[:rank] = _numbers(part, kind, (rank, rank + 1))
    elif kind != "identity":
        raise ValueError(f"{kind[:40]} is none of identity, scale, translation, rotation, affine, sequence")
    return whole


def _numbers(part: dict[str, Any], kind: str, shape: tuple[int, ...]) -> Matrix:
    given = part.get(kind)
    if given is None and "path" in part:
        raise ValueError(f"the numbers of {kind} lie in an array of their own, which is not read")
    rows = given if len(shape) == 2 else [given]
    width = shape[-1]
    if not isinstance(rows, list) or len(rows) != (shape[0] if len(shape) == 2 else 1):
        raise ValueError(f"{kind} has not {' rows of '.join(map(str, shape))} numbers")
    for row in rows:
        if not isinstance(row, list) or len(row) != width or not all(map(_is_number, row)):
            raise ValueError(f"{kind} has not {' rows of '.join(map(str, shape))} finite numbers")
    return np.array(given, np.float64)


def _is_number(value: Any) -> bool:
    try:
        return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)
    except OverflowError:
        return False


def _spatial(matrix: Matrix, columns: str, rows: str) -> Matrix:
    """Along x, y(, z); raises ValueError where time or channels are moved."""
    rank = len(columns)
    others = [name for name in columns if name not in "zyx"]
    space = [name for name in reversed(ORDER) if name in columns and name in "zyx"]
    if "".join(space) not in {"xyz", "xy"}:
        raise ValueError(f"it moves {', '.join(columns)}, and not x and y, or x, y and z")
    order = [*space, *others]
    sorted_rows = matrix[[*(rows.index(name) for name in order), rank]]
    whole = sorted_rows[:, [*(columns.index(name) for name in order), rank]]
    n = len(space)
    rest = whole.copy()
    rest[np.ix_([*range(n), rank], [*range(n), rank])] = np.eye(n + 1)
    if not np.array_equal(rest, np.eye(rank + 1)):
        raise ValueError("it moves time or channels")
    return whole[np.ix_([*range(n), rank], [*range(n), rank])]
